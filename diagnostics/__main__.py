"""`python -m diagnostics`: the command line."""

from __future__ import annotations

import os
import signal
import sys
from types import TracebackType

from diagnostics.cli.exits import Exit
from diagnostics.cli.main import main


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A defect ends with 2, as does bad input: Python's own 1 would pass for an answer."""
    interrupted = issubclass(kind, KeyboardInterrupt)
    if not interrupted:
        sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    os._exit(128 + signal.SIGINT if interrupted else Exit.BAD)


if __name__ == "__main__":
    sys.excepthook = _crashed
    sys.exit(main())
