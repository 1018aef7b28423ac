"""`checks`: every check that an audit makes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from diagnostics.cli.exits import Exit
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import print_json
from diagnostics.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnostics.checks import Check

_MARKS = {"critical": Mark.BAD, "high": Mark.BAD, "medium": Mark.NOTE}


def run(asked: argparse.Namespace) -> Exit:
    """List the checks, or tell all of those that are named."""
    from diagnostics.checks import catalogue  # noqa: PLC0415 - `--help` need not wait for the checks

    listed = catalogue()
    wanted = {name.upper() for name in asked.names}
    if strange := sorted(wanted - {each.id for each in listed}):
        raise ParseError(f"there is no check {strange[0]!r}: `python -m diagnostics checks` lists them")
    chosen = [each for each in listed if not wanted or each.id in wanted]
    if asked.json:
        print_json([_json(each) for each in chosen])
    elif wanted:
        _tell(chosen)
    else:
        _list(chosen)
    return Exit.GOOD


def _list(chosen: Sequence[Check]) -> None:
    page = new_page()
    page.headline(Mark.INFO, "checks", f"{len(chosen)}; docs/checks.md has a section with examples for each")
    page.line()
    page.table(("check", "severity", "what is wrong"), [(_mark(e), (e.id, e.severity, e.title)) for e in chosen])


def _tell(chosen: Sequence[Check]) -> None:
    page = new_page()
    for number, each in enumerate(chosen):
        if number:
            page.line()
        page.headline(_mark(each), each.id, f"{each.title} ({each.severity})")
        for paragraph in each.advice.split("\n\n"):
            page.line(" ".join(paragraph.split()))


def _mark(each: Check) -> Mark:
    return _MARKS.get(each.severity, Mark.INFO)


def _json(each: Check) -> dict[str, str]:
    return {"id": each.id, "title": each.title, "severity": each.severity, "advice": each.advice}
