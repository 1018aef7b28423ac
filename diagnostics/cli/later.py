"""Rules that would let a denied flow through, if the rule that denies it did not come first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnostics.network.security import Terms, Verdict, in_order

if TYPE_CHECKING:
    from diagnostics.network.estate import Estate, Point
    from diagnostics.network.model import SecurityRule
    from diagnostics.network.path import Path, Reason
    from diagnostics.network.questions import Question
    from diagnostics.network.security import Flow


def allowed_later(estate: Estate, question: Question, path: Path, reason: Reason) -> str:
    """The rules behind the one that denies that would allow the flow; empty where there are none.

    Asked only where the flow meets the rule with its own port and source: not behind a load balancer, not from a
    public address that it took on the way.
    """
    group = estate.security_groups.get(reason.resource) if reason.resource else None
    denies = group.rule(reason.name) if group and reason.name else None
    place = _place(estate, path, reason)
    if group is None or denies is None or place is None or reason.verdict is not Verdict.DENIED:
        return ""
    flow = _flow(question, path, place, inbound=denies.inbound)
    if flow is None:
        return ""
    rules = in_order(group.rules, inbound=denies.inbound)
    found = list(_matching(estate, rules[rules.index(denies) + 1 :], place, flow))
    if not found:
        return "" if not denies.default else "no rule of this NSG allows it"
    names = ", ".join(f"{rule.name} ({rule.priority})" for rule in found)
    return f"would be allowed by {names}, but {denies.name} ({denies.priority}) comes first"


def _place(estate: Estate, path: Path, reason: Reason) -> Point | None:
    """The endpoint where a reason counted."""
    hop = next((hop for hop in path.hops if reason in hop.reasons), None)
    found = (point for point in estate.points if hop and point.nic.id == hop.resource)
    return next((point for point in found if hop and str(point.address) == hop.address), None)


def _flow(question: Question, path: Path, place: Point, *, inbound: bool) -> Flow | None:
    """The flow as it is there, where that is known for sure."""
    flow = question.flow
    if not inbound or place == question.destination.point:
        return flow if place in {question.source.point, question.destination.point} else None
    publicly = [hop.resource.type if hop.resource else "" for hop in path.hops if hop.type == "PublicAddress"]
    if publicly == ["microsoft.network/publicipaddresses"] and question.source.point is None and place.address:
        return replace(flow, destination=place.address)
    return None


def _matching(estate: Estate, rules: Iterable[SecurityRule], place: Point, flow: Flow) -> Iterator[SecurityRule]:
    from diagnostics.network.meaning import context_at  # noqa: PLC0415 - only a denied flow needs it

    context = context_at(estate, place)
    return (rule for rule in rules if rule.allows and Terms.lenient(rule, context).match(flow))
