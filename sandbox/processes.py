"""Child processes that end with the process that started them."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.02


class ProcessFailedError(RuntimeError):
    """A child ended, or was not ready in time; the message carries its output."""


class Child:
    """A subprocess with its output kept in a file and a lifeline as its standard input.

    Only this process holds the other end of that pipe, so the child reads end of file when this process ends,
    however it ends. The command has to stop at end of file; that works on every platform, unlike a parent-death
    signal. The child has a process group of its own: Ctrl-C reaches the parent, which stops its
    children in order.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        self._log = Path(self._folder.name, "output.log")
        self._final_output: str | None = None
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=directory or os.curdir,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, also of its group."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the child runs."""
        return self._process.poll()

    def output(self) -> str:
        """What the child wrote so far, standard output and error together."""
        if self._final_output is not None:
            return self._final_output
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for[T](self, ready: Callable[[], T | None], seconds: float) -> T:
        """The first value of `ready` that is not None.

        Raises ProcessFailedError when the child ends first or `seconds` pass; the child is gone then.
        """
        deadline = time.monotonic() + seconds
        while True:
            ended = self.returncode
            if (value := ready()) is not None:
                return value
            if ended is not None or time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
        self.kill()
        reason = f"was not ready after {seconds:g} s" if ended is None else f"ended with exit code {ended}"
        raise ProcessFailedError(f"{self.name} {reason}. Its output:\n{self.output()}")

    def stop(self, seconds: float) -> int:
        """Ask with SIGTERM, insist with SIGKILL after `seconds`; the exit code."""
        if self.returncode is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._release()

    def kill(self) -> int:
        """End the child now, as `kill -9` does; the exit code."""
        self._process.kill()
        return self._release()

    def _release(self) -> int:
        code = self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._final_output is None:
            self._final_output = self.output()
            self._folder.cleanup()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
