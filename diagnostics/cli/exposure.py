"""`exposure`: what of the estate's endpoints is open to the internet, from where, and by which rules."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diagnostics.cli import sets
from diagnostics.cli.exits import Exit
from diagnostics.cli.files import load, unread
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import print_json
from diagnostics.errors import ParseError

if TYPE_CHECKING:
    from diagnostics.cli.page import Page
    from diagnostics.network.estate import Estate, Point
    from diagnostics.network.exposure import Exposed

    type Found = tuple[Point, tuple[Exposed, ...]]

_NAMED = 20


def run(asked: argparse.Namespace) -> Exit:
    """Answer, print, and say by the exit code whether something is exposed."""
    from diagnostics.network.exposure import Sources  # noqa: PLC0415 - `--help` need not wait for the engine
    from diagnostics.network.reach import Reach  # noqa: PLC0415

    estate = load(asked.estate, asked.tags, asked.parameters, every=asked.all_problems)
    engine = Sources(Reach(estate))
    found = [(point, engine.exposed(point)) for point in _asked_for(estate, asked.of)]
    hidden = "" if asked.of else unread(estate)
    surely = any(exposed.sources.must for _, each in found for exposed in each)
    code = Exit.among(found=surely, unknown=any(each for _, each in found) or bool(hidden))
    if asked.json:
        print_json(document(found))
    else:
        show(new_page(), found, code, hidden)
    return code


def document(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Every endpoint that was asked for, and what of it is exposed."""
    return [
        {"endpoint": sets.point_json(point), "exposed": [_exposed_json(exposed) for exposed in each]}
        for point, each in found
    ]


def show(page: Page, found: Sequence[Found], code: Exit, hidden: str = "") -> None:
    """The exposed endpoints one by one, then the names of the others."""
    some = [(point, each) for point, each in found if each]
    many = f"{len(some)} of {len(found)} endpoints" if len(found) != 1 else sets.called(found[0][0])
    match code:
        case Exit.GOOD:
            page.headline(Mark.GOOD, "closed", f"{_none_of(found)} can be reached from the internet")
        case Exit.FOUND:
            page.headline(Mark.NOTE, "exposed", f"{many} can be reached from the internet")
        case _:
            perhaps = f"{many} can perhaps be reached from the internet" if some else hidden
            page.headline(Mark.UNKNOWN, "unknown", perhaps)
    for point, each in some:
        page.line()
        page.title(sets.called(point), sets.placed(point))
        for exposed in each:
            _show_exposed(page, exposed)
    closed = [f"{sets.called(point)} {point.address}" for point, each in found if not each]
    if some and closed:
        page.line()
        page.row("closed", sets.few(closed, _NAMED), "green")


def _none_of(found: Sequence[Found]) -> str:
    return sets.called(found[0][0]) + ": nothing" if len(found) == 1 else f"none of {len(found)} endpoints"


def _show_exposed(page: Page, exposed: Exposed) -> None:
    through = f" through {exposed.through}" if exposed.through else ""
    mark = Mark.NOTE if exposed.sources.must else Mark.UNKNOWN
    service = sets.service(exposed.protocol, exposed.ports)
    page.marked(mark, f"{service}: {sets.sources(exposed.sources)}{through}", bare=True)
    for reason in exposed.because:
        page.marked(Mark.of(reason.verdict), reason.text, depth=1, bare=True)
    if exposed.sources.missing:
        page.line(f"    missing: {', '.join(sorted(exposed.sources.missing))}")


def _exposed_json(exposed: Exposed) -> dict[str, Any]:
    return {
        "protocol": exposed.protocol.lower(),
        "ports": sets.ports_of(exposed.ports),
        "sources": sets.bounds_json(exposed.sources),
        "through": exposed.through,
        "because": [reason.to_json() for reason in exposed.because],
    }


def _asked_for(estate: Estate, text: str | None) -> list[Point]:
    if text is not None:
        from diagnostics.network.endpoints import points  # noqa: PLC0415

        return list(points(estate, text, "--of"))
    found = [point for point in estate.points if point.address and not point.nic.private_endpoint]
    if not found:
        raise ParseError("--estate: no NIC with an address could be read: add `az network nic list` to it")
    return sorted(
        found,
        key=lambda point: (sets.called(point).lower(), point.nic.id.key, str(point.address)),
    )
