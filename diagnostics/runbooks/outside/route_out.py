"""The step about where the route to the internet leads: straight out, to an appliance, to a gateway, or nowhere.

Sources: "Azure virtual network traffic routing"; "Configure forced tunneling".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnostics.findings import Cause, Finding, Remedy, Step
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Vm
from diagnostics.network.path import Kind
from diagnostics.network.public import pool_members
from diagnostics.network.routes import Source
from diagnostics.network.routing import Candidate, HopType
from diagnostics.network.security import Verdict
from diagnostics.paste import az
from diagnostics.runbooks.diagnosis import connection
from diagnostics.runbooks.outside import remedies as way_out_remedies
from diagnostics.runbooks.outside.outbound import Outbound
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules.denials import ROUTE_TABLE, Denial
from diagnostics.runbooks.rules.way_findings import BAD_APPLIANCE, denied_on_the_way
from diagnostics.runbooks.situation import Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed

NAME = "Default route"
_WHOSE: dict[str, str] = {Source.DEFAULT: "Azure's own route", Source.LEARNT: "the gateway's route"}
_INSIDE = frozenset({HopType.VNET_LOCAL, HopType.PEERING, HopType.INTERFACE_ENDPOINT})


def default_route(situation: Situation, outside: Outbound) -> Asking[Situation]:
    """Where does what is sent to the internet go, and does what it goes to exist, run and send it on?"""
    estate = situation.survey.configured
    obstacles = outside.obstacles(estate)
    counting = () if outside.arrives and outside.blocked else obstacles
    findings = tuple(found for each in counting if (found := _finding(situation, outside, each)))
    evidence = (*_evidence(estate, outside), *((outside.stands_for,) if outside.stands_for else ()))
    evidence += () if outside.route else gather.lost_tags(situation)
    return (yield from done(situation, _step(estate, outside, obstacles, evidence), findings))


def _step(estate: Estate, outside: Outbound, obstacles: tuple[Denial, ...], evidence: tuple[str, ...]) -> Step:
    to, route = outside.asked.flow.destination, outside.route
    if obstacles:
        text = obstacles[0].reason.text
        if outside.blocked and outside.arrives:
            return inconclusive(NAME, f"by what is configured, {text}; but the probe got out all the same", *evidence)
        if not outside.blocked:
            text = f"on one of the ways that it may take, {text}"
        return failed(NAME, f"what is sent to {to} gets no further: {text}", *evidence)
    if route is None:
        missing = ", ".join(sorted(outside.hop.missing)) or "routes that are not known"
        return inconclusive(NAME, f"which route {to} takes is not known: depends on {missing}", *evidence)
    led = _led(route)
    match route.next_hop_type:
        case HopType.INTERNET:
            return passed(NAME, f"{led} leads {to} straight to the internet", *evidence)
        case HopType.SERVICE_ENDPOINT:
            return passed(NAME, f"{led} leads {to} to an Azure service: no public address is needed", *evidence)
        case HopType.GATEWAY:
            text = "what is behind it decides whether it gets to the internet"
            return inconclusive(
                NAME, f"forced tunnelling: {led} leads {to} to a virtual network gateway: {text}", *evidence
            )
        case HopType.APPLIANCE:
            return _by_appliance(estate, outside, led, evidence)
        case kind if kind in _INSIDE:
            return passed(NAME, f"{led} keeps {to} in the virtual network or a peer: it does not go out", *evidence)
        case kind:
            return inconclusive(NAME, f"{led} leads {to} to next hop type {kind}, which is not known here", *evidence)


def _by_appliance(estate: Estate, outside: Outbound, led: str, evidence: tuple[str, ...]) -> Step:
    """An appliance that is there and not known to be off: what it does with the packets only it knows."""
    to, names = outside.asked.flow.destination, _appliances(estate, outside)
    if not names:
        open_ = [r.text for r in outside.path.because if r.verdict is Verdict.UNKNOWN and r.kind is not Kind.GUEST]
        text = open_[0] if open_ else "which appliance has that address is not known"
        return inconclusive(NAME, f"{led} leads {to} to an appliance: {text}", *evidence)
    listed = ", ".join(names)
    text = f"{led} leads {to} to {listed}, as far as is known in order"
    return passed(NAME, text, *evidence, f"whether the own rules of {listed} let it through is not seen here")


def _appliances(estate: Estate, outside: Outbound) -> list[str]:
    """The appliances on the way, by the names that people know them by."""
    found = []
    for hop in outside.path.hops:
        nic = estate.nics.get(hop.resource) if hop.resource else None
        if hop.type == "VirtualAppliance" and hop.resource:
            vm = estate.vm_of(nic) if nic else None
            found.append(f"{(vm.id if vm else hop.resource).name} ({hop.address})")
    return list(dict.fromkeys(found))


def _evidence(estate: Estate, outside: Outbound) -> Iterator[str]:
    """The route, and what is known of each thing that it leads to."""
    for route in filter(None, (outside.hop.route, *outside.hop.doubtful)):
        to = f" {', '.join(route.next_hop_addresses)}" if route.next_hop_addresses else ""
        perhaps = "" if outside.route else "perhaps "
        if route.next_hop_type != HopType.UNSEEN:
            yield f"{perhaps}{_led(route)}: next hop {route.next_hop_type}{to}"
    for hop in outside.path.hops[1:]:
        nic = estate.nics.get(hop.resource) if hop.resource else None
        if hop.type == "VirtualAppliance" and nic is not None:
            vm = estate.vm_of(nic)
            state = f"VM {vm.id.name} is {_state(vm)}" if vm else "its VM was not read"
            forwards = "on" if nic.ip_forwarding else "off"
            yield f"{hop.address} is {nic.id.name}: {state}, IP forwarding is {forwards}"
        elif hop.type == "VirtualAppliance" and hop.resource:
            yield f"{hop.address} is Azure Firewall {hop.resource.name}"
        elif hop.type == "LoadBalancer" and hop.resource:
            yield f"{hop.address} is load balancer {hop.resource.name}"
            yield from (f"member {vm.id.name} is {_state(vm)}" for vm in _members(estate, hop.resource))
    rules = {Kind.SECURITY_RULE, Kind.ADMIN_RULE}
    denied = (r.text for hop in outside.path.hops[1:] for r in hop.reasons if r.kind in rules)
    yield from dict.fromkeys(denied)


def _led(route: Candidate) -> str:
    """A route as people know it: by name and table, or by whose it is."""
    if route.origin and route.origin.type == ROUTE_TABLE:
        return f"route {route.name} of route table {route.origin.name} ({route.prefix})"
    named = f"{route.name} ({route.prefix})" if route.name else route.prefix
    return f"{_WHOSE.get(route.source, 'the route')} {named}"


def _members(estate: Estate, balancer: ResourceId) -> tuple[Vm, ...]:
    """The machines behind a load balancer."""
    known = estate.load_balancers.get(balancer)
    points = (point for pool in known.pools for point in pool_members(estate, known, pool)) if known else ()
    found = (estate.vm_of(point.nic) for point in points)
    return tuple(dict.fromkeys(vm for vm in found if vm))


def _state(vm: Vm) -> str:
    return vm.power_state or "in no known state"


def _finding(situation: Situation, outside: Outbound, denial: Denial) -> Finding | None:
    """The finding for a route or an appliance, under the id that it has when the rules are looked at."""
    probe = situation.probed.answer if situation.probed and not situation.probed.why else None
    found = denied_on_the_way(situation, outside.asked, denial, probe)
    if found is None:
        return None
    if not outside.blocked:
        text = "It is one of several ways that a connection may take: some get through, others do not"
        found = msgspec.structs.replace(found, because=(*found.because, Cause(kind="ways", text=text)))
    if found.check != BAD_APPLIANCE:
        return found
    if " has no rule for " in denial.reason.text:
        title = f"Route {denial.route.name} leads" if denial.route else "The way of"
        found = msgspec.structs.replace(found, title=f"{title} {connection(situation)} where {denial.reason.text}")
    return msgspec.structs.replace(found, remedy=_mended(situation.survey.configured, denial, found.remedy))


def _mended(estate: Estate, denial: Denial, remedy: Remedy) -> Remedy:
    """The remedy with every command that may mend it: what mends the appliance first, then what leads around it."""
    reason, route = denial.reason, denial.route
    if reason.kind is Kind.LOAD_BALANCER and reason.resource:
        remedy = _balanced(estate, reason.resource, reason.text, remedy)
    table = route.resource if route else None
    if route is None or table is None or _is_equal_cost(estate, table, route.name):
        return remedy
    place = az.placed(table, route_table_name=table.name, name=route.name)
    update = f"az network route-table route update {place} --next-hop-ip-address ADDRESS"
    around = az.otherwise("or lead the route to an appliance that runs", update)
    return msgspec.structs.replace(remedy, az_cli=az.lines(remedy.az_cli, around))


def _is_equal_cost(estate: Estate, table: ResourceId, name: str) -> bool:
    """Whether a route has several next hops at once, which `az network route-table route update` does not set."""
    known = estate.route_tables.get(table)
    route = known.route(name) if known else None
    return route is not None and bool(route.next_hop_addresses)


def _balanced(estate: Estate, balancer: ResourceId, why: str, remedy: Remedy) -> Remedy:
    """A load balancer as next hop: its members start, or it gets a rule for all ports."""
    off = [vm.id for vm in _members(estate, balancer) if vm.running is False]
    if " has no rule for " in why:
        place = az.placed(balancer, lb_name=balancer.name)
        text = (
            f"Give internal load balancer {balancer.name} a rule for high-availability ports (protocol All, port 0): "
            "a next hop has to pass every port on."
        )
        command = f"az network lb rule list {place} -o table"
        return msgspec.structs.replace(remedy, summary=text, az_cli=command, bicep="")
    if not off:
        return remedy
    names = ", ".join(vm.name for vm in off)
    text = f"Start the appliances behind load balancer {balancer.name} ({names}), or lead the route elsewhere."
    return msgspec.structs.replace(remedy, summary=text, az_cli=way_out_remedies.start_members(off), bicep="")
