"""The sandbox as a child process: the product does not know its code, only how it is started and what it prints.

It ends when its standard input does, so it outlives this process in no case; and Ctrl-C does not reach it, which has a
process group of its own, before this process is done with it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

import msgspec

from diagnostics.errors import PermanentError

PATIENCE = timedelta(seconds=10)
"""With a sandbox that has no answer: it says so as Azure does that is out of order, and stays so."""

_BAD_USAGE = 2
_ALONE = {
    # Whatever else the caller is logged in as, the sandbox gets its own tokens and no others.
    "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    # A proxy would be asked for this machine's own address.
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


class Expected(msgspec.Struct, frozen=True):
    """What a person who knows Azure's networks would conclude; empty where nothing is said of it.

    Attributes:
        checks: of the findings, the main cause first.
        because: occurs in the causes of the first finding.
        confidence, status, change: of the first finding; `change` is who wrote what blocks.
        remedy: occurs in what the first finding says to do.
        steps: how steps end, by name.
    """

    problem: str
    checks: tuple[str, ...]
    because: str = ""
    confidence: str = ""
    status: str = ""
    remedy: str = ""
    change: str = ""
    steps: dict[str, str] = {}


class Scenario(msgspec.Struct, frozen=True, rename="camel"):
    """A scenario that the sandbox serves."""

    name: str
    title: str
    story: str
    subscription: str
    run_command: bool
    alert: dict[str, Any]
    expected: Expected


class Sandbox(msgspec.Struct, frozen=True):
    """What the child says of itself."""

    url: str
    environment: dict[str, str]
    scenarios: tuple[Scenario, ...]

    @property
    def settings(self) -> Mapping[str, str]:
        """App settings for it: the caller's own are for Azure."""
        return self.environment | {"VMREACH_POLL_SECONDS": "0.02", "VMREACH_WAIT_SECONDS": "60"}


@contextmanager
def sandboxed(names: Sequence[str] = (), *, operation_seconds: float) -> Iterator[Sandbox]:
    """A sandbox that serves the named scenarios, or all, until the block is left; its identity is used meanwhile.

    Raises:
        PermanentError: it is not installed, has no such scenario, or does not start.
    """
    if importlib.util.find_spec("sandbox") is None:
        raise PermanentError("the sandbox is not installed: it is in a clone of vmreach, start this there")
    command = [sys.executable, "-m", "sandbox.arm", "--json", "--operation-seconds", str(operation_seconds), *names]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            sandbox = _said(child, errors)
            with _environment(sandbox.environment | _ALONE):
                yield sandbox
        finally:
            _stop(child)


def _said(child: subprocess.Popen[bytes], errors: IO[bytes]) -> Sandbox:
    """The line that the child prints when it serves."""
    assert child.stdout
    line = child.stdout.readline()
    try:
        return msgspec.json.decode(line, type=Sandbox)
    except msgspec.DecodeError as error:
        _stop(child)
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
        why = lines[-1].partition("error: ")[2] or lines[-1] if lines else str(error)
        hint = "; `python -m diagnostics scenarios --list` names them" if child.returncode == _BAD_USAGE else ""
        raise PermanentError(f"the sandbox: {why}{hint}") from None


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child, however far it came: at once, for it holds nothing that anybody wants."""
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables, for as long as the block lasts: the SDK reads where to get tokens from there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
