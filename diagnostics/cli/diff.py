"""`diff`: what a change of configuration does to the flows between endpoints, and between them and the internet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from diagnostics.cli import sets
from diagnostics.cli.exits import Exit
from diagnostics.cli.files import load, unread
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import print_json
from diagnostics.errors import ParseError
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.security import WITH_PORTS, Verdict

if TYPE_CHECKING:
    from diagnostics.cli.page import Page
    from diagnostics.network.difference import Change
    from diagnostics.network.estate import Estate, Point


def run(asked: argparse.Namespace) -> Exit:
    """Answer, print, and say by the exit code whether a verdict changes."""
    from diagnostics.network.difference import difference  # noqa: PLC0415 - `--help` need not wait for the engine

    before = load([asked.before], asked.tags, asked.parameters, option="BEFORE", every=asked.all_problems)
    after = load([asked.after], asked.tags, asked.parameters, option="AFTER", every=asked.all_problems)
    if not any(point.address for estate in (before, after) for point in estate.points):
        raise ParseError("BEFORE, AFTER: neither has a NIC with an address: add `az network nic list` to both")
    changes = difference(before, after)
    gone, new = _only_in(before, after), _only_in(after, before)
    surely = any(Verdict.UNKNOWN not in {change.before, change.after} for change in changes)
    hidden = unread(before, after)
    code = Exit.among(found=surely, unknown=bool(changes or hidden))
    if asked.json:
        print_json(document(changes, gone, new))
    else:
        page = new_page()
        show(page, changes, code, hidden)
        _show_uncompared(page, gone, new)
    return code


def document(changes: Sequence[Change], gone: Sequence[Point], new: Sequence[Point]) -> dict[str, Any]:
    """The changes, and the endpoints that only one of the estates has: those are not compared."""
    return {
        "changes": [_change_json(change) for change in changes],
        "onlyBefore": [sets.point_json(point) for point in gone],
        "onlyAfter": [sets.point_json(point) for point in new],
    }


def show(page: Page, changes: Sequence[Change], code: Exit, hidden: str = "") -> None:
    """The changes, by the pair of ends that they are between."""
    pairs = [(ends, list(some)) for ends, some in groupby(changes, key=_ends)]
    many = f"{len(pairs)} pair{'s' if len(pairs) != 1 else ''} of endpoints"
    match code:
        case Exit.GOOD:
            page.headline(Mark.GOOD, "same", "no verdict changes")
        case Exit.FOUND:
            page.headline(Mark.NOTE, "changed", f"verdicts change between {many}")
        case _:
            perhaps = f"verdicts change between {many}, to or from unknown" if changes else hidden
            page.headline(Mark.UNKNOWN, "unknown", perhaps)
    for ends, some in pairs:
        page.line()
        page.title(ends)
        for change in some:
            _show_change(page, change)


def _show_change(page: Page, change: Change) -> None:
    what = sets.service(change.protocol, change.ports)
    if change.protocol.lower() in WITH_PORTS and change.source_ports != Intervals.all(PORTS_TOP):
        what += f" from source port {', '.join(sets.ports_of(change.source_ports))}"
    if change.addresses is not None:
        what += f", internet: {sets.internet(change.addresses)}"
    page.marked(Mark.of(change.after), f"{what}: {change.before} → {change.after}", bare=True)
    for reason in change.because:
        page.marked(Mark.of(reason.verdict), reason.text, depth=1, bare=True)


def _show_uncompared(page: Page, gone: Sequence[Point], new: Sequence[Point]) -> None:
    if not gone and not new:
        return
    page.line()
    for label, points in (("gone", gone), ("new", new)):
        if points:
            page.row(label, f"{sets.few([sets.called(point) for point in points])}: not compared")


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "source": _end_json(change.source),
        "destination": _end_json(change.destination),
        "protocol": change.protocol.lower(),
        "ports": sets.ports_of(change.ports),
        "sourcePorts": sets.ports_of(change.source_ports),
        "addresses": None if change.addresses is None else list(change.addresses.prefixes()),
        "before": change.before,
        "after": change.after,
        "because": [reason.to_json() for reason in change.because],
    }


def _ends(change: Change) -> str:
    return f"{_end(change.source)} → {_end(change.destination)}"


def _end(end: Point | str) -> str:
    return end if isinstance(end, str) else f"{sets.called(end)} {end.address}"


def _end_json(end: Point | str) -> dict[str, str]:
    return {"name": end} if isinstance(end, str) else sets.point_json(end)


def _only_in(one: Estate, other: Estate) -> list[Point]:
    """The endpoints that one estate has and the other has not, or not at the same address."""
    known = set(map(_same, other.points))
    return [point for point in one.points if point.address and _same(point) not in known]


def _same(point: Point) -> tuple[object, ...]:
    return point.nic.id, point.configuration.name.lower(), point.address
