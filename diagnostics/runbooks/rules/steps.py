"""The steps about rules: the NSGs at both ends, and Azure's own answers beside what is configured and what was probed.

Source: "Troubleshoot Azure VM connectivity problems", step "Check NSG"; Network Watcher, "IP flow verify overview".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diagnostics.errors import ParseError
from diagnostics.findings import Finding, Step
from diagnostics.network import wording
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.network.estate import Estate, Point
from diagnostics.network.filters import Filters
from diagnostics.network.model import Nic
from diagnostics.network.path import Kind, Path, Reason
from diagnostics.network.prefixes import address_of
from diagnostics.network.reach import reach
from diagnostics.network.security import Flow, Verdict
from diagnostics.runbooks.diagnosis import connection
from diagnostics.runbooks.probed import lossy
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import witnesses
from diagnostics.runbooks.rules.defaults import cut_probes, in_force
from diagnostics.runbooks.rules.denials import Denial, at, denials
from diagnostics.runbooks.rules.flows import Asked, asked, protocol_of, sending
from diagnostics.runbooks.rules.opinions import AZURE, Opinion, Who, disagreements
from diagnostics.runbooks.rules.own_answers import own_answers
from diagnostics.runbooks.rules.rule_findings import denied_by_azure, denied_by_rule, disagreed
from diagnostics.runbooks.rules.way_findings import denied_on_the_way
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NAME = "Network security groups"
OWN_ANSWERS = "Azure's own answers"
ALL_NICS = "Network security groups of every network interface"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A flow, and what the engine says becomes of it as everything is configured.

    Attributes:
        entry: what the rules at the destination say, whether or not the way leads there.
    """

    asked: Asked
    path: Path
    entry: tuple[Reason, ...]
    probe: ConnectivityCheck | None

    @property
    def denials(self) -> bool:
        """Whether something that is configured denies it."""
        return self.path.verdict is Verdict.DENIED or any(each.verdict is Verdict.DENIED for each in self.entry)

    @property
    def arrived(self) -> bool:
        """Whether probes got there: then no rule keeps everything out."""
        return self.probe is not None and self.probe.reachable


def security(
    situation: Situation, address: str, port: int | None, probe: ConnectivityCheck | None
) -> Asking[Situation]:
    """What rules and routes say about the flow as they are configured, and then what Azure itself says.

    Args:
        situation: with a survey.
        address: the destination's; empty where it is not known.
        port: the destination's.
        probe: the check of the connection, if there is an answer to one.
    """
    if situation.probed is not None and situation.probed.why:
        probe = None  # it proves nothing
    flow = asked(situation, address, port, probe)
    if isinstance(flow, str):
        return (yield from _neither(situation, flow))
    try:
        situation, judged = yield from _judged(situation, flow, probe)
    except ParseError as error:
        return (yield from _neither(situation, f"which way it takes is not clear: {error}"))
    situation = yield from done(situation, _rules(situation, judged), cut_probes(situation, flow))
    estate = situation.survey.configured
    if probe is not None and judged.arrived and not lossy(probe) and not judged.denials:
        text = "the probe arrived, and nothing that is configured speaks against it"
        return (yield from done(situation, skipped(OWN_ANSWERS, text)))
    told = yield from own_answers(estate, flow)
    opinions = (
        *witnesses.configured(estate, flow),
        *told,
        *witnesses.probe(flow, probe, estate),
        *witnesses.way(judged.path, probe),
    )
    found = yield from _findings(situation, judged, opinions)
    return (yield from done(situation, _side_by_side(situation, opinions), found))


def both_nics(situation: Situation, machine: Machine, port: int | None) -> Asking[Situation]:
    """What the NSGs of every NIC of a machine say about the port, side by side."""
    estate, protocol = situation.survey.configured, protocol_of(situation)
    nics = [estate.nics.get(nic.id, nic) for nic in machine.read_nics]
    lines, denying, unknown = [], [], []
    for point in (found for nic in nics if (found := _first(nic, situation.address))):
        flow = _flow(situation, point, protocol, port)
        if flow is None:
            continue
        filtered = Filters(estate).inbound(point, flow)
        what = f"{protocol.lower()} {port}" if flow.destination_port else protocol.lower()
        lines.append(
            f"in to {point.nic.id.name} ({point.address}), {what} from {flow.source}: {filtered.verdict}, "
            f"{witnesses.decided(filtered)}"
        )
        denying += [point.nic] if filtered.verdict is Verdict.DENIED else []
        unknown += [point.nic] if filtered.verdict is Verdict.UNKNOWN else []
    return (yield from done(situation, _of_all(machine, lines, denying, unknown)))


def _neither(situation: Situation, why: str) -> Asking[Situation]:
    situation = yield from done(situation, inconclusive(NAME, why))
    return (yield from done(situation, skipped(OWN_ANSWERS, why)))


def _judged(situation: Situation, flow: Asked, probe: ConnectivityCheck | None) -> Asking[tuple[Situation, _Judged]]:
    """What the engine says; once more with Azure's list of service tags where it depends on one."""
    path = _path(situation.survey.configured, flow)
    entry = _entry(situation.survey.configured, flow)
    missing = {name for reason in (*path.because, *entry) for name in reason.missing}
    if missing:
        situation = yield from gather.with_tags(situation, missing)
        path, entry = _path(situation.survey.configured, flow), _entry(situation.survey.configured, flow)
    return situation, _Judged(flow, path, entry, probe)


def _path(estate: Estate, flow: Asked) -> Path:
    return reach(estate, flow.flow, source=flow.source, destination=flow.destination)


def _entry(estate: Estate, flow: Asked) -> tuple[Reason, ...]:
    """What the rules at the destination say. To a machine's own address, nothing leaves it."""
    point = flow.destination
    if point is None or point == flow.source or point.nic.private_endpoint:
        return ()
    return tuple(wording.filter_reasons(Filters(estate).inbound(point, flow.flow), point, inbound=True))


def _rules(situation: Situation, judged: _Judged) -> Step:
    """The step about what is configured: verdict, every NSG that is passed, and the two default rules."""
    estate, path = situation.survey.configured, judged.path
    on_the_way = [reason for hop in path.hops for reason in hop.reasons]
    filtering = [reason.text for reason in (*on_the_way, *judged.entry) if reason.kind in witnesses.RULES]
    others = [r.text for r in path.because if r.kind not in witnesses.RULES and r.verdict is not Verdict.ALLOWED]
    evidence = tuple(dict.fromkeys((*filtering, *others, *in_force(estate, judged.asked))))
    named, denying = connection(situation), _texts(judged)
    if denying and judged.arrived:
        text = f"{named}: by what is configured {denying[0]}; but the probe arrived"
        return inconclusive(NAME, text, *evidence)
    if denying:
        more = f"; and {denying[1]}" if len(denying) == 2 else f", and {len(denying) - 1} more reasons why not"
        more = more if len(denying) > 1 else ""
        rules = {reason.verdict for reason in (*on_the_way, *judged.entry) if reason.kind in witnesses.RULES}
        but = "" if rules - {Verdict.ALLOWED} else "the rules let it through, but "
        return failed(NAME, f"{named}: {but}{denying[0]}{more}", *evidence)
    if path.verdict is Verdict.ALLOWED:
        return passed(NAME, f"{named}: what is configured lets it through, there and back", *evidence)
    return _open(named, judged, (*evidence, *gather.lost_tags(situation)))


def _open(named: str, judged: _Judged, evidence: tuple[str, ...]) -> Step:
    """The step where the engine can't say: what the rules alone say, and what would have to be known."""
    path = judged.path
    back = path.back.because if path.back else ()  # there, with the kind that each reason has by itself
    there = (reason for reason in path.because if reason.kind is not Kind.RETURN or not back)
    reasons = [r for r in (*there, *judged.entry, *back) if r.verdict is Verdict.UNKNOWN]
    if reasons and all(reason.kind is Kind.GUEST for reason in reasons):
        text = f"{named}: every NSG lets it through; {reasons[0].text}"
        return passed(NAME, text, *evidence)
    missing = sorted({name for reason in reasons for name in reason.missing})
    rules = any(reason.kind in witnesses.RULES for reason in reasons)
    first = "what the rules say" if rules else "the rules let it through, but what becomes of it on the way"
    return inconclusive(NAME, f"{named}: {first} is not known: depends on {', '.join(missing) or 'the way'}", *evidence)


def _texts(judged: _Judged) -> list[str]:
    """What denies it, in words, each once."""
    path = [r.text for r in judged.path.because] if judged.path.verdict is Verdict.DENIED else []
    return list(dict.fromkeys([*path, *(r.text for r in judged.entry if r.verdict is Verdict.DENIED)]))


def _findings(situation: Situation, judged: _Judged, opinions: Sequence[Opinion]) -> Asking[tuple[Finding, ...]]:
    """What is wrong. A denial that probes got through is no denial, but a contradiction."""
    flow, found = judged.asked, list[Finding | None]()
    contradictions = [disagreed(situation, flow, each) for each in disagreements(opinions)]
    if judged.arrived:
        return tuple(contradictions)
    for denial in _denied(situation.survey.configured, judged):
        if denial.reason.kind in witnesses.RULES:
            found.append((yield from denied_by_rule(situation, flow, denial, opinions)))
        else:
            found.append(denied_on_the_way(situation, flow, denial, judged.probe))
    found += yield from denied_by_azure(situation, flow, opinions)
    once = {each.finding_id: each for each in reversed(found) if each}
    return (*reversed(once.values()), *contradictions)


def _denied(estate: Estate, judged: _Judged) -> Iterator[Denial]:
    """All that denies: on the way, and at the destination though the way may not lead there."""
    seen = set()
    for denial in denials(estate, judged.path):
        seen.add(denial.reason)
        yield denial
    point = judged.asked.destination
    for reason in judged.entry if point else ():
        if reason.verdict is Verdict.DENIED and reason not in seen and point:
            yield at(point, reason)


def _side_by_side(situation: Situation, opinions: Sequence[Opinion]) -> Step:
    """Who says what, a line each."""
    evidence, named = list(dict.fromkeys(map(str, opinions))), connection(situation)
    azure = [each for each in opinions if each.who in AZURE and each.verdict is not Verdict.UNKNOWN]
    if _by_admin_rule(opinions):
        evidence.append("a network manager's security admin rules are at work here; they were not read by themselves")
    if found := disagreements(opinions):
        titles = "; ".join(dict.fromkeys(each.title for each in found))
        return failed(OWN_ANSWERS, f"{named}: the answers contradict each other: {titles}", *evidence)
    if not azure:
        text = f"{named}: Azure gave no answer of its own that says something"
        return inconclusive(OWN_ANSWERS, text, *evidence)
    denying = next((each for each in azure if each.verdict is Verdict.DENIED), None)
    if denying:
        return failed(OWN_ANSWERS, f"{named}: Azure itself says that it is denied: {denying}", *evidence)
    return passed(OWN_ANSWERS, f"{named}: by Azure's own answers the rules allow it", *evidence)


def _by_admin_rule(opinions: Sequence[Opinion]) -> bool:
    named = any(each.rule.lower().startswith("securityadminrule_") for each in opinions)
    return named or any(each.who is Who.EFFECTIVE and "security admin rules" in each.text for each in opinions)


def _first(nic: Nic, address: str | None) -> Point | None:
    """The IP configuration of a NIC that is asked about: the one with the address, else its primary one."""
    wanted = address_of(address)
    having = [point for each in nic.ip_configurations if (point := Point(nic, each)).address]
    return min(having, key=lambda p: (p.address != wanted, not p.configuration.primary), default=None)


def _flow(situation: Situation, point: Point, protocol: str, port: int | None) -> Flow | None:
    """The flow from the source to one of the machine's NICs; None where the source's address is not known."""
    estate, machine, there = situation.survey.configured, situation.source, point.address
    source = sending(estate, machine, there) if machine and there else None
    if machine and source == point:  # a machine asks itself: its other address speaks for a neighbour
        source = next(
            (each for nic in machine.read_nics if (each := _first(nic, None)) and each.nic.id != point.nic.id), None
        )
    if there is None or source is None or source.address is None or source.address.version != there.version:
        return None
    return Flow(source.address, there, protocol, None if protocol == "Icmp" else port)


def _of_all(machine: Machine, lines: Sequence[str], denying: Sequence[Nic], unknown: Sequence[Nic]) -> Step:
    if not lines:
        return inconclusive(
            ALL_NICS, f"no address of the source, or no network interface of {machine.id.name}, is known"
        )
    if denying:
        names = ", ".join(nic.id.name for nic in denying)
        return failed(
            ALL_NICS, f"of {len(lines)} network interfaces of {machine.id.name}, {names} does not let it in", *lines
        )
    if unknown or len(machine.read_nics) < len(machine.nics):
        names = ", ".join(nic.id.name for nic in unknown) or "one that could not be read"
        return inconclusive(ALL_NICS, f"what the NSGs of {names} say is not known", *lines)
    return passed(ALL_NICS, f"the NSGs of all {len(lines)} network interfaces of {machine.id.name} let it in", *lines)
