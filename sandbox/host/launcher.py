"""Starts `python -m sandbox.host` for tests and the demo."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests

from sandbox.processes import Child

_ROOT = Path(__file__).parent.parent.parent
_START_SECONDS = 60.0
_REQUEST_SECONDS = 60.0


class FunctionsHost:
    """A host of `app`, in a process of its own, for the duration of a `with` block.

    `environment` is laid over this process's own. Times in seconds. Entering raises ProcessFailedError, with the
    host's output, when the app cannot be hosted. The host ends with this process, however that ends.
    """

    def __init__(
        self,
        app: Path,
        environment: Mapping[str, str] | None = None,
        *,
        port: int = 0,
        lease_seconds: int = 10,
        grace_seconds: float = 10.0,
    ) -> None:
        self._app = app
        self._environment = environment or {}
        self._grace_seconds = grace_seconds
        self._options = {"--port": port, "--lease-seconds": lease_seconds, "--grace-seconds": grace_seconds}
        self._child: Child | None = None
        self._ready: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """Scheme, address and port."""
        return str(self._ready["url"])

    @property
    def function_key(self) -> str:
        """For `x-functions-key` or `?code=` of every function."""
        return str(self._ready["functionKey"])

    @property
    def master_key(self) -> str:
        """For the admin endpoints too."""
        return str(self._ready["masterKey"])

    @property
    def functions(self) -> list[str]:
        """Names of all functions."""
        return list(self._ready["functions"])

    def start(self) -> None:
        """Start and wait until it is ready."""
        with tempfile.TemporaryDirectory() as folder:
            ready = Path(folder, "ready.json")
            self._child = Child("The Functions host", self._command(ready), environment=self._full_environment())
            text = self._child.wait_for(
                lambda: ready.read_text(encoding="utf-8") if ready.exists() else None, _START_SECONDS
            )
        self._ready = json.loads(text)

    def post(self, path: str, body: object) -> requests.Response:
        """POST JSON to a path under the URL, with the function key."""
        headers = {"x-functions-key": self.function_key}
        return requests.post(self.url + path, json=body, headers=headers, timeout=_REQUEST_SECONDS)

    def run(self, function: str, text: str = "") -> None:
        """Run a function that is not HTTP now, with `text` as its input; it has only been started on return."""
        headers = {"x-functions-key": self.master_key}
        url = f"{self.url}/admin/functions/{function}"
        requests.post(url, json={"input": text}, headers=headers, timeout=_REQUEST_SECONDS).raise_for_status()

    def output(self) -> str:
        """What the host and its functions wrote so far, standard output and error together."""
        return "" if self._child is None else self._child.output()

    def stop(self) -> int:
        """SIGTERM: running functions finish. The exit code."""
        return 0 if self._child is None else self._child.stop(self._grace_seconds + 5)

    def kill(self) -> None:
        """SIGKILL: what runs is cut off."""
        if self._child is not None:
            self._child.kill()

    def _command(self, ready: Path) -> list[str]:
        options = [str(part) for option in self._options.items() for part in option]
        fixed = ["--app", str(self._app.resolve()), "--ready-file", str(ready), "--stop-with-stdin"]
        return [sys.executable, "-m", "sandbox.host", *fixed, *options]

    def _full_environment(self) -> dict[str, str]:
        path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH")) if part)
        return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": path, **self._environment}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
