"""The command line from its arguments to its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from diagnostics.cli.exits import Exit
from diagnostics.cli.parser import parser
from diagnostics.cli.texts import plain, stop_writing
from diagnostics.errors import VmreachError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says how it ended (see `Exit`). Raises SystemExit for bad usage and `--help`."""
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character shows its code; an answer is never lost to an encoding.
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors="backslashreplace")
    asked = parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except VmreachError as error:
        lines = f"{asked.command}: {error}".splitlines()
        sys.stderr.write("".join(f"{plain(line)}\n" for line in lines))
        return Exit.BAD
    except OSError as error:  # what was read is told as a problem: it is the output that cannot be written
        stop_writing()
        sys.stderr.write(f"{asked.command}: {plain(error.strerror or error)}\n")
        return Exit.BAD
