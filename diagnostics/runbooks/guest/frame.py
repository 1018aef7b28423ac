"""What a script printed between its marks, in sections; what is missing is noticed, never taken for nothing."""

from __future__ import annotations

from diagnostics.errors import ParseError
from diagnostics.network.probes import GuestOutput
from diagnostics.runbooks.guest.scripts import BEGIN, END

_SHOWN = 160


def sections(output: GuestOutput) -> dict[str, list[str]]:
    """The lines of each section by its name, without empty ones.

    Raises:
        ParseError: the output is empty, cut off at its beginning (Azure keeps the last 4,096 bytes) or its end, or
            something else altogether.
    """
    lines = [line.rstrip() for line in output.stdout.splitlines()]
    said = f"; it complained: {shown(output.stderr)}" if output.stderr.strip() else ""
    if BEGIN not in lines and END not in lines:
        if not output.stdout.strip():
            raise ParseError(f"stdout: the script printed nothing{said}")
        raise ParseError(f"stdout: not what the script prints: {shown(output.stdout)!r}{said}")
    if BEGIN not in lines:
        raise ParseError("stdout: its beginning is missing: Azure keeps the last 4,096 bytes, and there was more")
    begun = lines.index(BEGIN)
    if END not in lines[begun:]:
        raise ParseError(f"stdout: its end is missing: the script did not come to its end{said}")
    return _sections(lines[begun + 1 : lines.index(END, begun)])


def unread(lines: list[str]) -> str:
    """Why a section could not be read, in the script's words; empty where it could."""
    return next((line[1:] for line in lines if line.startswith("!") and not line.startswith("!cut")), "")


def facts(lines: list[str]) -> list[str]:
    """The lines of a section that say what was seen."""
    return [line for line in lines if not line.startswith("!")]


def shown(text: str) -> str:
    """The first line of a text, not too long."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first) <= _SHOWN else first[:_SHOWN] + "…"


def _sections(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current: list[str] = found.setdefault("", [])
    for line in lines:
        if line.startswith("#"):
            current = found.setdefault(line[1:].strip(), [])
        elif line.strip():
            current.append(line)
    return found
