"""The steps about the way to the internet: where the route leads, and with which public address a VM leaves Azure.

Sources: "Use Source Network Address Translation (SNAT) for outbound connections"; "Default outbound access in Azure";
"Azure NAT Gateway resource".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity, Step
from diagnostics.network.estate import Estate, NatGateway, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.path import Kind, Reason
from diagnostics.network.public import WayOut
from diagnostics.network.public import way_out as way_of
from diagnostics.network.routing import HopType
from diagnostics.network.security import Verdict
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.outside import remedies as way_out_remedies
from diagnostics.runbooks.outside.outbound import Outbound, outbound
from diagnostics.runbooks.outside.route_out import NAME as ROUTE_NAME
from diagnostics.runbooks.outside.route_out import default_route
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules.denials import owner
from diagnostics.runbooks.rules.way_findings import NO_WAY_OUT
from diagnostics.runbooks.situation import Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NAME = "Way out of Azure"
_DEFAULT = "default outbound access"
_RETIRING = (
    "default outbound access works today, with an address of Microsoft's that may change; Azure retires it: virtual "
    "networks made with API versions after 31 March 2026 have private subnets, without it"
)
_ORDER = (Verdict.ALLOWED, Verdict.UNKNOWN, Verdict.DENIED)
_RULES = frozenset({Kind.SECURITY_RULE, Kind.ADMIN_RULE})


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Where something leaves Azure, and how: at the source, or at an appliance.

    Attributes:
        exact: the way itself, where it is known which IP configuration it leaves by.
    """

    nic: Nic
    reason: Reason
    exact: WayOut | None = None


def way_out(situation: Situation, address: str | None) -> Asking[Situation]:
    """Where does the route to the internet lead, and is there a way out with a public address?

    Args:
        situation: with a survey.
        address: on the internet; None where only a name is known.
    """
    outside = outbound(situation, address)
    if not isinstance(outside, str) and outside.path.verdict is Verdict.UNKNOWN:
        missing = {name for reason in outside.path.because for name in reason.missing}
        situation = yield from gather.with_tags(situation, missing)
        outside = outbound(situation, address)
    if isinstance(outside, str):
        situation = yield from done(situation, inconclusive(ROUTE_NAME, outside))
        return (yield from done(situation, skipped(NAME, outside)))
    situation = yield from default_route(situation, outside)
    leaving = _leaving(situation.survey.configured, outside)
    lost = _lost(outside, leaving)
    contradicted = outside.arrives and len(lost) == len(leaving)
    findings = () if contradicted else tuple(_finding(situation, outside, each) for each in lost)
    return (yield from done(situation, _step(situation, outside, leaving), findings))


def _leaving(estate: Estate, outside: Outbound) -> tuple[_Leaving, ...]:
    """The best way out of each machine: an appliance has interfaces that lead nowhere outside."""
    best = dict[ResourceId, _Leaving]()
    for nic, reason in outside.ways(estate):
        is_source = nic.id == outside.source.nic.id
        here = _Leaving(nic, reason, outside.own if is_source else _at(estate, nic, outside))
        vm = estate.vm_of(nic)
        key = vm.id if vm else nic.vm or nic.id
        if not is_source and reason.verdict is Verdict.DENIED and (vm is None or set(vm.nics) - estate.nics.keys()):
            text = f"{reason.text}; whether {key.name} has a network interface that leads out is not known"
            here = replace(here, reason=replace(reason, verdict=Verdict.UNKNOWN, text=text))
        if key not in best or _ORDER.index(reason.verdict) < _ORDER.index(best[key].reason.verdict):
            best[key] = here
    return tuple(best.values())


def _lost(outside: Outbound, leaving: tuple[_Leaving, ...]) -> list[_Leaving]:
    """Those that have no way out, where it is known that what is sent comes to them."""
    return [each for each in leaving if each.reason.verdict is Verdict.DENIED] if outside.route else []


def _at(estate: Estate, nic: Nic, outside: Outbound) -> WayOut | None:
    """The way out of an appliance: by its primary IP configuration."""
    version = outside.asked.flow.destination.version
    points = [Point(nic, each) for each in sorted(nic.ip_configurations, key=lambda each: not each.primary)]
    fitting = (point for point in points if point.address and point.address.version == version)
    point = next(fitting, None)
    return way_of(estate, point, version) if point else None


def _step(situation: Situation, outside: Outbound, leaving: tuple[_Leaving, ...]) -> Step:
    estate = situation.survey.configured
    evidence = tuple(dict.fromkeys(_evidence(situation, outside, leaving)))
    if not leaving:
        return _nowhere(estate, outside, evidence)
    lost = [each.reason for each in _lost(outside, leaving)]
    open_ = [each.reason for each in leaving if each.reason.verdict is Verdict.UNKNOWN]
    if lost:
        if len(lost) < len(leaving):
            return failed(NAME, f"on one of the ways that it may take, {lost[0].text}", *evidence)
        if outside.arrives:
            text = f"by what is configured, {lost[0].text}; but the probe got out all the same"
            return inconclusive(NAME, text, *evidence)
        return failed(NAME, lost[0].text, *evidence)
    if open_:
        return inconclusive(NAME, open_[0].text, *evidence)
    if outside.route is None:
        return inconclusive(NAME, f"if it is led to the internet, {leaving[0].reason.text}", *evidence)
    return passed(NAME, "; ".join(dict.fromkeys(_told(each) for each in leaving)), *evidence)


def _nowhere(estate: Estate, outside: Outbound, evidence: tuple[str, ...]) -> Step:
    """It leaves Azure nowhere that is seen: the step before says why."""
    if not outside.route:
        return inconclusive(NAME, f"which route is taken is not known, see {ROUTE_NAME}", *evidence)
    if outside.obstacles(estate):
        return skipped(NAME, f"what is sent to the internet does not get that far, see {ROUTE_NAME}")
    match outside.leads:
        case HopType.APPLIANCE:
            text = "the appliance that the route leads to has to have a way out, not this subnet; that is not seen here"
        case HopType.GATEWAY:
            text = "the network behind the virtual network gateway has to have a way out, not this subnet"
        case HopType.SERVICE_ENDPOINT:
            text = "the service endpoint leads to the Azure service without a public address"
        case _:
            text = "it does not leave by the internet"
    return skipped(NAME, text)


def _told(leaving: _Leaving) -> str:
    addresses = leaving.exact.addresses if leaving.exact else ()
    shown = f", as {', '.join(map(str, addresses))}" if addresses else ""
    return f"{leaving.reason.text}{shown}"


def _evidence(situation: Situation, outside: Outbound, leaving: tuple[_Leaving, ...]) -> Iterator[str]:
    """Each way with its public addresses, what goes unused, what of it could not be read, and what the rules say."""
    estate = situation.survey.configured
    unread = dict(situation.survey.unread)
    for each in leaving:
        yield from (_told(each),) if len(leaving) > 1 else ()
        way = each.exact
        if way and way.verdict is Verdict.ALLOWED and way.text == _DEFAULT:
            yield _RETIRING
        if way and way.resource in estate.nat_gateways and (own := _unused(each.nic)):
            yield f"public IP {own.name} of {each.nic.id.name} is not used for it: the NAT gateway goes first"
        if each.reason.resource in unread:
            yield f"{each.reason.name}: {unread[each.reason.resource]}"
    if outside.leads in {HopType.APPLIANCE, HopType.GATEWAY}:
        name = outside.source.nic.id.name
        yield f"the route leads past what {name} has of its own: {outside.own.text}"
    yield from (r.text for r in outside.path.hops[0].reasons if r.kind in _RULES and r.verdict is not Verdict.ALLOWED)


def _unused(nic: Nic) -> ResourceId | None:
    return next((each.public_ip for each in nic.ip_configurations if each.public_ip), None)


def _finding(situation: Situation, outside: Outbound, lost: _Leaving) -> Finding:
    """No way out: said by the configuration, so likely; Azure itself says nothing about it."""
    at = owner(situation, lost.nic)
    what = "" if lost.nic.id == outside.source.nic.id else f", which {outside.source.nic.id.name} sends by,"
    place = lost.reason.resource or lost.nic.id
    found = said(
        situation,
        NO_WAY_OUT,
        f"{at.id.name}{what} has no way out to the internet: {lost.exact.text if lost.exact else lost.reason.text}",
        about=at.id,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        # No name: of one machine's want of a way out there is one finding, whatever each of its ways lacks.
        cause=Cause(kind="way-out", text=lost.reason.text, resource_id=place.text),
        remedy=_remedy(situation.survey.configured, outside, lost),
    )
    lacks = _lacks(situation.survey.configured, lost.nic)
    return msgspec.structs.replace(found, because=(*found.because, *lacks))


def _lacks(estate: Estate, nic: Nic) -> Iterator[Cause]:
    """What else could lead out and is not there, so that nobody has to look."""
    if not any(each.public_ip for each in nic.ip_configurations):
        yield Cause(kind="looked", text=f"{nic.id.name} has no public IP address", resource_id=nic.id.text)
    subnets = (estate.subnets.get(each.subnet) for each in nic.ip_configurations if each.subnet)
    for subnet in dict.fromkeys(found for found in subnets if found):
        if subnet.nat_gateway is None:
            text = f"subnet {subnet.id.name} has no NAT gateway"
            yield Cause(kind="looked", text=text, resource_id=subnet.id.text)


def _remedy(estate: Estate, outside: Outbound, lost: _Leaving) -> Remedy:
    configuration = next(iter(sorted(lost.nic.ip_configurations, key=lambda each: not each.primary)), None)
    point = outside.source if lost.nic.id == outside.source.nic.id else None
    point = point or (Point(lost.nic, configuration) if configuration else outside.source)
    subnet, network = estate.subnet_of(point), estate.network_of(point.configuration.subnet)
    location = network.location if network else lost.nic.location
    if outside.asked.flow.destination.version == 6:
        return way_out_remedies.ipv6_address(point, location)
    gateway = estate.nat_gateways.get(subnet.nat_gateway) if subnet and subnet.nat_gateway else None
    if isinstance(gateway, NatGateway):
        return way_out_remedies.give_address(gateway, location)
    if subnet is None:
        return way_out_remedies.any_way_out()
    balancer = estate.load_balancers.get(lost.reason.resource) if lost.reason.resource else None
    instead = ""
    if balancer:
        own = (pool for pool in point.configuration.pools if pool in balancer.pools)
        instead = way_out_remedies.outbound_rule(balancer, next(own, next(iter(balancer.pools))))
    return way_out_remedies.give_nat_gateway(subnet, location, instead=instead)
