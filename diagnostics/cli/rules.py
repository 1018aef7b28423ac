"""`rules`: what is odd about the rules of NSGs, and which other rules make it so."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diagnostics.cli.exits import Exit
from diagnostics.cli.files import load, unread
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.sets import few
from diagnostics.cli.texts import print_json
from diagnostics.errors import ParseError

if TYPE_CHECKING:
    from diagnostics.cli.page import Page
    from diagnostics.network.anomalies import Anomaly
    from diagnostics.network.estate import Estate, Point
    from diagnostics.network.ids import ResourceId
    from diagnostics.network.model import SecurityGroup, SecurityRule
    from diagnostics.network.security import Context

    type Found = tuple[SecurityGroup, tuple[Anomaly, ...]]

_NAMED = 20
_MARKS = {"dead": Mark.BAD, "unreadable": Mark.BAD, "redundant": Mark.NOTE, "conflict": Mark.NOTE}


def run(asked: argparse.Namespace) -> Exit:
    """Answer, print, and say by the exit code whether something was found."""
    from diagnostics.network.anomalies import anomalies  # noqa: PLC0415 - `--help` need not wait for the engine

    estate = load(asked.estate, asked.tags, asked.parameters, every=asked.all_problems)
    groups = _asked_for(estate, asked.group)
    places = _places(estate)
    found = [(group, anomalies(group, _context(estate, places.get(group.id, {})))) for group in groups]
    hidden = "" if asked.group else unread(estate)
    marks = {_mark(anomaly) for _, each in found for anomaly in each}
    code = Exit.among(found=bool(marks & {Mark.BAD, Mark.NOTE}), unknown=Mark.UNKNOWN in marks or bool(hidden))
    if asked.json:
        print_json(document(found))
    else:
        show(new_page(), found, code, hidden)
    return code


def document(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Every NSG that was asked for, and what was found in it."""
    return [{"group": str(group.id), "anomalies": [_anomaly_json(each) for each in some]} for group, some in found]


def show(page: Page, found: Sequence[Found], code: Exit, hidden: str = "") -> None:
    """What was found, NSG by NSG, then the names of those with nothing; exceptions are told, but are nothing odd."""
    odd = [each for _, some in found for each in some if _mark(each) is not Mark.INFO]
    many = f"{len(found)} NSG{'s' if len(found) != 1 else ''}"
    match code:
        case Exit.GOOD:
            page.headline(Mark.GOOD, "in order", f"nothing odd about the rules of {many}")
        case Exit.FOUND:
            page.headline(Mark.NOTE, "found", f"{len(odd)} rule{'s' if len(odd) != 1 else ''} to look at in {many}")
        case _:
            perhaps = f"{len(odd)} perhaps to look at in {many}" if odd else hidden
            page.headline(Mark.UNKNOWN, "unknown", perhaps)
    for group, some in found:
        if some:
            page.line()
            page.title(group.id.name, group.id.resource_group)
            for each in some:
                page.marked(_mark(each), f"{each.kind}: {_named(each.rule)} {each.text}", bare=True)
    if plain := [group.id.name for group, some in found if not some]:
        page.line()
        page.row("nothing", few(plain, _NAMED), "green")


def _mark(anomaly: Anomaly) -> Mark:
    """How bad it is: what is not certain is a question, an exception from a general rule is how rules are written."""
    mark = _MARKS.get(anomaly.kind, Mark.INFO)
    return Mark.UNKNOWN if anomaly.missing and mark is not Mark.INFO else mark


def _named(rule: SecurityRule) -> str:
    return f"{rule.name} ({rule.direction.lower()} {rule.priority}, {rule.access})"


def _anomaly_json(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "kind": anomaly.kind,
        "rule": _rule_json(anomaly.rule),
        "by": [_rule_json(rule) for rule in anomaly.by],
        "text": anomaly.text,
        "missing": sorted(anomaly.missing),
    }


def _rule_json(rule: SecurityRule) -> dict[str, Any]:
    return {"name": rule.name, "priority": rule.priority, "direction": rule.direction, "access": rule.access}


def _places(estate: Estate) -> dict[ResourceId, dict[ResourceId | None, Point | None]]:
    """For each NSG that is used, the subnets it is used in, each with an endpoint there, if there is one."""
    found: dict[ResourceId, dict[ResourceId | None, Point | None]] = {}
    for subnet in estate.subnets.values():
        if subnet.security_group:
            found.setdefault(subnet.security_group, {})[subnet.id] = None
    for point in estate.points:
        around = estate.subnet_of(point)
        for group in (point.nic.security_group, around.security_group if around else None):
            if group:
                found.setdefault(group, {})[point.configuration.subnet] = point
    return found


def _context(estate: Estate, places: dict[ResourceId | None, Point | None]) -> Context:
    """What tags mean where an NSG is used, if that is one subnet; who is in an application security group may change.

    Used nowhere, or in several subnets, its rules are judged by what they mean everywhere.
    """
    from diagnostics.network.meaning import context_at  # noqa: PLC0415
    from diagnostics.network.prefixes import Bounds  # noqa: PLC0415
    from diagnostics.network.security import Context  # noqa: PLC0415
    from diagnostics.network.tags import Meaning  # noqa: PLC0415

    points = [*places.values()]
    if len(points) == 1 and points[0]:
        return Context(tag=context_at(estate, points[0]).tag)
    return Context(tag=Meaning(Bounds.unknown("VirtualNetwork"), estate.service_tags).of)


def _asked_for(estate: Estate, text: str | None) -> list[SecurityGroup]:
    groups = sorted(estate.security_groups.values(), key=lambda group: group.id.key)
    if not groups:
        raise ParseError("--estate: no NSG could be read: add `az network nsg list` to it")
    if text is None:
        return groups
    wanted = text.strip().rstrip("/").lower()
    found = [group for group in groups if wanted in {group.id.key, group.id.name.lower()}]
    if not found:
        raise ParseError(f"--group: no NSG of the estate is called {text!r}{_near(wanted, groups)}")
    return found


def _near(wanted: str, groups: Sequence[SecurityGroup]) -> str:
    names = {group.id.name.lower(): group.id.name for group in groups}
    near = [names[name] for name in difflib.get_close_matches(wanted.rsplit("/", 1)[-1], names, n=3)]
    return f": did you mean {' or '.join(near)}?" if near else ""
