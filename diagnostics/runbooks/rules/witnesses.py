"""From what each witness said to an opinion: the configuration, Azure's own answers, and the probe."""

from __future__ import annotations

from diagnostics.errors import ParseError
from diagnostics.network.connectivity import ConnectivityCheck, Hop, Issue, IssueType
from diagnostics.network.estate import Estate, Point
from diagnostics.network.filters import Filtered, Filters, Stage
from diagnostics.network.ids import ResourceId
from diagnostics.network.path import Kind, Path
from diagnostics.network.probes import FlowAnswer, RuleAnswer
from diagnostics.network.security import Verdict
from diagnostics.runbooks.rules.effective import as_it_works
from diagnostics.runbooks.rules.flows import Asked
from diagnostics.runbooks.rules.opinions import Opinion, Side, Who

RULES = frozenset({Kind.SECURITY_RULE, Kind.ADMIN_RULE, Kind.NO_SECURITY_GROUP})
"""Kinds of reason that rules give."""

_VERDICTS = {True: Verdict.ALLOWED, False: Verdict.DENIED}


def place(estate: Estate, point: Point) -> str:
    """What a person calls an endpoint: its VM, else its NIC."""
    vm = estate.vm_of(point.nic)
    return (vm.id if vm else point.nic.vm or point.nic.id).name


def sides(asked: Asked) -> tuple[tuple[Side, Point], ...]:
    """Out of the source, and in to the destination where that is an endpoint that is known."""
    there = ((Side.IN, asked.destination),) if asked.destination else ()
    return ((Side.OUT, asked.source), *there)


def configured(estate: Estate, asked: Asked) -> tuple[Opinion, ...]:
    """What the rules say as they are configured, at each side."""
    return tuple(_judged(Who.CONFIGURED, side, estate, point, asked) for side, point in sides(asked))


def effective(estate: Estate, asked: Asked, side: Side, point: Point, answer: object) -> Opinion:
    """What the rules say that Azure calls effective at a NIC."""
    try:
        told, there = as_it_works(estate, point, answer)
    except ParseError as error:
        return Opinion(Who.EFFECTIVE, side, place(estate, point), Verdict.UNKNOWN, text=f"not understood: {error}")
    return _judged(Who.EFFECTIVE, side, told, there, asked)


def flow_verify(side: Side, where: str, answer: FlowAnswer) -> Opinion:
    """What IP flow verify said."""
    return Opinion(Who.FLOW_VERIFY, side, where, _VERDICTS[answer.allowed], answer.rule, text=answer.rule)


def diagnostics(side: Side, where: str, answer: RuleAnswer) -> Opinion:
    """What NSG diagnostics said."""
    found = answer.deciding
    rule, group = (found.rule, found.group) if found else ("", "")
    rid = ResourceId.maybe(group)
    text = " of ".join(filter(None, (rule, rid.name if rid else "")))
    return Opinion(Who.DIAGNOSTICS, side, where, _VERDICTS[answer.allowed], rule, group, text)


def probe(asked: Asked, check: ConnectivityCheck | None, estate: Estate) -> tuple[Opinion, ...]:
    """What a check says about rules: that they let it through, where probes arrived; which one does not, if it says so.

    A check that fails without naming a rule says nothing about rules.
    """
    if check is None:
        return ()
    said = f"{check.raw_status or 'no status'}, {check.lost}"
    found = []
    for side, point in sides(asked):
        issue = _rule_issue(check, side)
        if check.reachable:
            found.append(Opinion(Who.PROBE, side, "", Verdict.ALLOWED, text=f"arrives: {said}"))
        elif issue:
            name, where = issue.name, place(estate, point)
            found.append(Opinion(Who.PROBE, side, where, Verdict.DENIED, name, text=f"{name}: {said}"))
    return tuple(found) or (Opinion(Who.PROBE, Side.WAY, "", Verdict.UNKNOWN, text=said),)


def way(path: Path, check: ConnectivityCheck | None) -> tuple[Opinion, ...]:
    """What is configured beside the rules, and a probe that arrives all the same; nothing where those don't meet."""
    against = [r.text for r in path.because if r.verdict is Verdict.DENIED and r.kind not in RULES]
    if path.verdict is not Verdict.DENIED or not against or check is None or not check.reachable:
        return ()
    arrives = f"arrives: {check.raw_status}, {check.lost}"
    return (
        Opinion(Who.CONFIGURED, Side.WAY, "", Verdict.DENIED, text=against[0]),
        Opinion(Who.PROBE, Side.WAY, "", Verdict.ALLOWED, text=arrives),
    )


def decided(filtered: Filtered) -> str:
    """Which rules decide, in words: `deny-sql (priority 200) of nsg-data`."""
    if filtered.open:
        return "no NSG filters it"
    if filtered.verdict is Verdict.UNKNOWN:
        missing = sorted({name for stage in filtered.stages for name in stage.missing})
        return f"not known: depends on {', '.join(missing) or 'something that is not known'}"
    return ", ".join(_stage(stage) for stage in filtered.stages if stage.verdict is filtered.verdict)


def _judged(who: Who, side: Side, estate: Estate, point: Point, asked: Asked) -> Opinion:
    filters = Filters(estate)
    filtered = (filters.inbound if side is Side.IN else filters.outbound)(point, asked.flow)
    stage = next((each for each in filtered.stages if each.verdict is filtered.verdict), None)
    rule = stage.rule.name if stage and stage.rule else ""
    group = stage.group.text if stage and stage.group else ""
    return Opinion(who, side, place(estate, point), filtered.verdict, rule, group, decided(filtered))


def _stage(stage: Stage) -> str:
    where = stage.group.name if stage.group else "the security admin rules"
    return f"{stage.rule.name} (priority {stage.rule.priority}) of {where}" if stage.rule else where


def _rule_issue(check: ConnectivityCheck, side: Side) -> Issue | None:
    """The issue of a check that names a rule at a side of its path."""
    for hop, issue in check.issues:
        if issue.type is IssueType.NETWORK_SECURITY_RULE and issue.name and _side(check, hop, issue) is side:
            return issue
    return None


def _side(check: ConnectivityCheck, hop: Hop, issue: Issue) -> Side | None:
    """Where an issue lies: by its origin where the path is short; None for an appliance on the way."""
    origin = {"outbound": Side.OUT, "inbound": Side.IN}.get(issue.origin.lower())
    if len(check.hops) <= 2:
        return origin
    by_place = {0: Side.OUT, len(check.hops) - 1: Side.IN}.get(check.hops.index(hop))
    return by_place if origin in {None, by_place} else None
