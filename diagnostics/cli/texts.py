"""Text from files, made fit for a terminal, and documents as JSON."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from typing import Any

# Controls (a terminal obeys them), formats (they turn the direction of text, or cannot be seen), lone surrogates.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def plain(text: object) -> str:
    """A text with everything that a terminal would obey, or would not show, written as an escape."""
    return "".join(_escape(char) if unicodedata.category(char) in _HIDDEN else char for char in str(text))


def print_json(document: Any) -> None:
    """One JSON document to standard output, in ASCII: whatever reads it, and on whatever console."""
    try:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        stop_writing()


def stop_writing() -> None:
    """Whoever read the output has seen enough (`| head`): the rest goes nowhere, the exit code stays the answer's."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
