"""The step about SNAT ports: did new connections fail for want of a port at the NAT gateway or load balancer?

Sources: "Supported metrics for Microsoft.Network/natgateways" and "… /loadBalancers" (names, aggregation, dimension
ConnectionState); "Azure NAT Gateway monitoring data reference" (failed connections can tell of SNAT port exhaustion).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity, Step
from diagnostics.network.estate import Estate, LoadBalancer, NatGateway
from diagnostics.network.ids import ResourceId
from diagnostics.network.security import Verdict
from diagnostics.runbooks.diagnosis import connection, said
from diagnostics.runbooks.moments import measured_at
from diagnostics.runbooks.outside import remedies as way_out_remedies
from diagnostics.runbooks.outside.outbound import Outbound, outbound
from diagnostics.runbooks.probe_steps import ip_address
from diagnostics.runbooks.questions import Asking, Point, ReadMetrics, Series, Unread, ask
from diagnostics.runbooks.situation import Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NAME = "SNAT ports"
EXHAUSTED, OTHER = "CON020", "CON010"
FAILED = "ConnectionState eq 'Failed'"
_OF_GATEWAY = ("TotalConnectionCount", "DatapathAvailability", "PacketDropCount")
_OF_BALANCER = ("AllocatedSnatPorts", "UsedSnatPorts")
_BEFORE, _AFTER = timedelta(minutes=30), timedelta(minutes=5)
_AVAILABLE = 90.0
"""Per cent of its datapath, on average of half an hour, below which "Azure Monitor Baseline Alerts" warn."""


@dataclass(frozen=True, slots=True)
class _Translator:
    """What translates addresses, and its metrics.

    Attributes:
        connections: the metric that counts connections, by state.
        others: of the whole, with no dimension.
        found: the resource as it was read.
    """

    what: str
    id: ResourceId
    connections: str
    others: tuple[str, ...]
    found: NatGateway | LoadBalancer

    @property
    def words(self) -> str:
        """`NAT gateway nat`."""
        return f"{self.what} {self.id.name}"


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the metrics of a translator say.

    Attributes:
        failed: connections that failed; None where Azure has no value.
        available: of its datapath, in per cent on average; None where that is not known.
        unknown: why nothing is known.
    """

    at: _Translator
    failed: float | None = None
    available: float | None = None
    told: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def down(self) -> bool:
        """Whether the translator itself was not available."""
        return self.available is not None and self.available < _AVAILABLE


def snat(situation: Situation) -> Asking[Situation]:
    """Were there connections that found no free port to leave with? Only a translator that is shared has a measure."""
    answer = situation.probed.answer if situation.probed else None
    outside = outbound(situation, ip_address(situation, answer) or None)
    if isinstance(outside, str):
        return (yield from done(situation, skipped(NAME, outside)))
    translators = _translators(situation.survey.configured, outside)
    if not translators:
        return (yield from done(situation, _unmeasured(situation.survey.configured, outside)))
    measured = []
    for each in translators:
        measured.append((yield from _measure(situation, each)))
    findings = [_exhausted(situation, outside, each) for each in measured if each.failed]
    findings += [_down(situation, each) for each in measured if each.down]
    return (yield from done(situation, _step(situation, measured), tuple(findings)))


def _translators(estate: Estate, outside: Outbound) -> tuple[_Translator, ...]:
    """The NAT gateways and Standard load balancers by which it leaves."""
    used = [r.resource for _, r in outside.ways(estate) if r.verdict is Verdict.ALLOWED and r.resource]
    found = []
    for rid in dict.fromkeys(used):
        if gateway := estate.nat_gateways.get(rid):
            found.append(_Translator("NAT gateway", gateway.id, "SNATConnectionCount", _OF_GATEWAY, gateway))
        balancer = estate.load_balancers.get(rid)
        if balancer and balancer.sku.lower() != "basic":
            found.append(_Translator("load balancer", balancer.id, "SnatConnectionCount", _OF_BALANCER, balancer))
    return tuple(found)


def _unmeasured(estate: Estate, outside: Outbound) -> Step:
    """Why there is nothing to measure."""
    ways = [reason for _, reason in outside.ways(estate)]
    if not ways:
        return skipped(NAME, "what is sent to the internet does not leave by a NAT gateway or load balancer of Azure's")
    if all(reason.verdict is Verdict.DENIED for reason in ways):
        return skipped(NAME, f"there is no way out whose ports could be used up: {ways[0].text}")
    if unknown := next((reason for reason in ways if reason.verdict is Verdict.UNKNOWN), None):
        return inconclusive(NAME, f"what would have to be measured is not known: {unknown.text}")
    if any(reason.resource in estate.load_balancers for reason in ways):
        return skipped(NAME, f"a Basic load balancer has no metrics: {ways[0].text}")
    return skipped(NAME, f"Azure has no metric of that way out: {ways[0].text}")


def _measure(situation: Situation, at: _Translator) -> Asking[_Measured]:
    since, until = _span(situation)
    counted = yield from ask(ReadMetrics(at.id, (at.connections,), since, until, FAILED))
    if isinstance(counted, Unread):
        return _Measured(at, unknown=str(counted))
    whole = yield from ask(ReadMetrics(at.id, at.others, since, until))
    series = {each.name.lower(): each.points for each in (() if isinstance(whole, Unread) else whole)}
    failures = [p.total for p in _points(counted, at.connections) if p.total is not None]
    telling = tuple(told for name in at.others if (told := _told(name, series.get(name.lower(), ()))))
    more = (f"not read: {whole}",) if isinstance(whole, Unread) else ()
    if not failures:
        # Azure answers a filter that nothing matches with no series at all: nothing failed, if there were any others.
        busy = any(p.total for p in series.get("totalconnectioncount", ())) or "usedsnatports" in series
        if not (busy and telling):
            text = f"Azure has no values of {at.connections} between {since:%H:%M} and {until:%H:%M} UTC"
            return _Measured(at, available=_available(series), told=(*telling, *more), unknown=text)
    text = f"{sum(failures):,.0f} connections failed between {since:%H:%M} and {until:%H:%M} UTC"
    minutes = sum(1 for value in failures if value)
    text += f", in {minutes} of these minutes" if minutes else ""
    return _Measured(at, sum(failures), _available(series), (text, *telling, *more))


def _span(situation: Situation) -> tuple[datetime, datetime]:
    moment = measured_at(situation)
    return moment - _BEFORE, min(moment + _AFTER, situation.conditions.now)


def _points(answer: Iterable[Series], name: str) -> list[Point]:
    return [point for each in answer if each.name.lower() == name.lower() for point in each.points]


def _available(series: dict[str, tuple[Point, ...]]) -> float | None:
    """The availability of a NAT gateway's datapath, on average."""
    values = [p.average for p in series.get("datapathavailability", ()) if p.average is not None]
    return sum(values) / len(values) if values else None


def _told(name: str, points: Iterable[Point]) -> str:
    """A metric in words; empty where it has no values."""
    listed = list(points)
    totals = [p.total for p in listed if p.total is not None]
    averages = [p.average for p in listed if p.average is not None]
    match name:
        case "TotalConnectionCount" if totals:
            return f"at most {max(totals):,.0f} connections at a time"
        case "DatapathAvailability" if averages:
            mean = sum(averages) / len(averages)
            return f"its datapath was available to {mean:.0f} % on average, {min(averages):.0f} % at least"
        case "PacketDropCount" if totals:
            return f"{sum(totals):,.0f} packets dropped"
        case "AllocatedSnatPorts" if averages:
            return f"each member has {max(averages):,.0f} ports, on average"
        case "UsedSnatPorts" if averages:
            return f"at most {max(averages):,.0f} of them were used, on average of the members"
        case _:
            return ""


def _step(situation: Situation, measured: list[_Measured]) -> Step:
    evidence = [f"{each.at.words}: {line}" for each in measured for line in (each.unknown, *each.told) if line]
    for each in measured:
        if each.failed:
            return failed(NAME, f"{each.at.words} ran out of ports: {each.told[0]}", *evidence)
    for each in measured:
        if each.down:
            return failed(NAME, f"{each.at.words} itself was available to {each.available:.0f} % only", *evidence)
    for each in measured:
        if each.unknown:
            return inconclusive(NAME, f"whether {each.at.words} had ports is not known: {each.unknown}", *evidence)
    since, until = _span(situation)
    names = " and ".join(each.at.words for each in measured)
    text = f"no connection failed for want of a port at {names} between {since:%H:%M} and {until:%H:%M} UTC"
    return passed(NAME, text, *evidence)


def _exhausted(situation: Situation, outside: Outbound, measured: _Measured) -> Finding:
    """About the translator, not the machine: all that leave by it are one fault."""
    rid = measured.at.id
    return said(
        situation,
        EXHAUSTED,
        f"{measured.at.words} runs out of SNAT ports: new connections such as {connection(situation)} fail",
        about=rid,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(
            kind="snat-ports",
            text=f"Azure Monitor, {measured.at.connections} of {rid.name}: {'; '.join(measured.told)}",
            name=rid.name,
            resource_id=rid.text,
        ),
        remedy=_remedy(situation, outside, measured.at),
    )


def _remedy(situation: Situation, outside: Outbound, at: _Translator) -> Remedy:
    estate = situation.survey.configured
    subnet, network = estate.subnet_of(outside.source), estate.network_of(outside.source.configuration.subnet)
    location = network.location if network else outside.source.nic.location
    if isinstance(at.found, NatGateway):
        return way_out_remedies.more_addresses(at.found, location)
    direct = any(nic.id == outside.source.nic.id for nic, _ in outside.ways(estate))
    return way_out_remedies.more_ports(at.found, subnet if direct else None, location)


def _down(situation: Situation, measured: _Measured) -> Finding:
    rid = measured.at.id
    text = f"Azure Monitor, DatapathAvailability of {rid.name}: {measured.available:.0f} % on average"
    return said(
        situation,
        OTHER,
        f"{measured.at.words} itself was not available",
        about=rid,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="platform", text=text, name="DatapathAvailability", resource_id=rid.text),
        remedy=way_out_remedies.datapath(rid),
    )
