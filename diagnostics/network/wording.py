"""The sentences that a path is told in: one per thing that decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from diagnostics.network.estate import Point
from diagnostics.network.filters import Filtered, Level, Stage
from diagnostics.network.ids import ResourceId
from diagnostics.network.path import Kind, Reason
from diagnostics.network.public import WayIn, WayOut
from diagnostics.network.routing import Candidate
from diagnostics.network.security import Verdict

_DOES = {Verdict.ALLOWED: "allows", Verdict.DENIED: "denies"}


def filter_reasons(filtered: Filtered, point: Point, *, inbound: bool) -> Iterator[Reason]:
    """What the rules of a NIC decided, stage by stage."""
    way = "in to" if inbound else "out of"
    for stage in filtered.stages:
        reason = _stage(stage, f"{way} {point.nic.id.name}")
        # Where admin rules may or may not pass over the NSGs, no stage decides alone.
        yield (
            reason
            if filtered.verdict in {reason.verdict, Verdict.DENIED}
            else replace(reason, verdict=_told(reason, filtered))
        )
    if filtered.open:
        yield Reason(Kind.NO_SECURITY_GROUP, Verdict.ALLOWED, f"no NSG filters what comes {way} {point.nic.id.name}")


def _told(reason: Reason, filtered: Filtered) -> Verdict:
    """What a stage comes to in the whole: never worse than the whole is."""
    if filtered.verdict is Verdict.UNKNOWN and reason.verdict is Verdict.ALLOWED:
        return Verdict.ALLOWED
    return filtered.verdict


def _stage(stage: Stage, way: str) -> Reason:
    kind = Kind.ADMIN_RULE if stage.level is Level.ADMIN else Kind.SECURITY_RULE
    where = "the security admin rules" if stage.group is None else f"NSG {stage.group.name} of the {stage.level}"
    name = stage.rule.name if stage.rule else ""
    if stage.verdict is Verdict.UNKNOWN:
        text = f"{where}, {way}: not known, depends on {listed(stage.missing)}"
        return Reason(kind, Verdict.UNKNOWN, text, name, stage.group, stage.missing)
    if stage.rule is None:
        text = f"{where} says nothing about the platform's own addresses"
        return Reason(kind, stage.verdict, text, "", stage.group)
    rule = f"rule {name} (priority {stage.rule.priority}, {stage.rule.access})"
    text = f"{rule} of {where} {_DOES[stage.verdict]} it {way}"
    return Reason(kind, stage.verdict, text, name, stage.group)


def route(candidate: Candidate, point: Point) -> Reason:
    """Which route is taken."""
    where = f" to {', '.join(candidate.next_hop_addresses)}" if candidate.next_hop_addresses else ""
    name = f"route {candidate.name}" if candidate.name else f"the {candidate.source} route"
    text = f"{name} for {candidate.prefix} leads it from {point.nic.id.name} to {candidate.next_hop_type}{where}"
    verdict = Verdict.DENIED if candidate.next_hop_type.lower() == "none" else Verdict.ALLOWED
    if verdict is Verdict.DENIED:
        text = f"{name} for {candidate.prefix} drops it: next hop None, at {point.nic.id.name}"
    return Reason(Kind.ROUTE, verdict, text, candidate.name, candidate.origin)


def no_address(candidate: Candidate) -> Reason:
    """A route to an appliance that does not say which."""
    text = f"route {candidate.name} for {candidate.prefix} names no next hop"
    missing = frozenset({f"the next hop of route {candidate.name}"})
    return Reason(Kind.ROUTE, Verdict.UNKNOWN, text, candidate.name, candidate.origin, missing)


def unseen_route(point: Point) -> Reason:
    """Routes that cannot be read."""
    text = f"where the routes of {point.nic.id.name} that cannot be seen lead it is not known"
    return Reason(Kind.ROUTE, Verdict.UNKNOWN, text, missing=frozenset({f"the routes of {point.nic.id.name}"}))


def unseen_member(balancer: ResourceId, target: ResourceId) -> Reason:
    """A load balancer leads to something that is not in the estate."""
    name = "/".join(part for part in target.text.split("/")[8:] if part.lower() != "ipconfigurations")
    text = f"load balancer {balancer.name} leads to {name}, which is not in the estate"
    return Reason(Kind.LOAD_BALANCER, Verdict.UNKNOWN, text, balancer.name, balancer, frozenset({name}))


def no_route(point: Point, destination: object) -> Reason:
    """No route leads to an address."""
    return Reason(Kind.ROUTE, Verdict.DENIED, f"no route of {point.nic.id.name} leads to {destination}")


def doubtful_route(point: Point, missing: frozenset[str]) -> Reason:
    """Which route is taken is not known."""
    text = f"which route {point.nic.id.name} takes depends on {listed(missing)}"
    return Reason(Kind.ROUTE, Verdict.UNKNOWN, text, missing=missing)


def not_forwarded(peering: str, point: Point, remote: ResourceId) -> Reason:
    """A peering refuses what was forwarded."""
    text = f"peering {peering} of {remote.name} does not take what {point.nic.id.name} forwards for others"
    return Reason(Kind.ROUTE, Verdict.DENIED, text, peering, remote)


def power(point: Point, vm: ResourceId, state: str) -> Reason:
    """A VM does not run."""
    text = f"VM {vm.name} of {point.nic.id.name} does not run: it is {state}"
    return Reason(Kind.POWER, Verdict.DENIED, text, vm.name, vm)


def guest(point: Point) -> Reason:
    """A secondary NIC talks beyond its subnet."""
    name = point.nic.id.name
    text = f"{name} is a secondary NIC: beyond its subnet it needs a route inside the guest, which is not seen here"
    return Reason(Kind.GUEST, Verdict.UNKNOWN, text, name, point.nic.id, frozenset({f"the guest's routes for {name}"}))


def way_out(way: WayOut, point: Point) -> Reason:
    """How a flow leaves for the internet, or why it cannot."""
    how = {
        Verdict.ALLOWED: f"{point.nic.id.name} reaches the internet through {way.text}",
        Verdict.DENIED: f"{point.nic.id.name} has no way out to the internet: {way.text}",
        Verdict.UNKNOWN: f"the way out of {point.nic.id.name} is not known: {way.text}",
    }
    name = way.resource.name if way.resource else ""
    return Reason(Kind.WAY_OUT, way.verdict, how[way.verdict], name, way.resource, way.missing)


def way_in(way: WayIn) -> Reason:
    """How a flow from the internet comes in."""
    port = f", port {way.port}" if way.port is not None and way.port != way.public_port else ""
    text = f"{way.name} leads in to {way.point.nic.id.name}{port}"
    return Reason(Kind.PUBLIC_ADDRESS, Verdict.ALLOWED, text, way.resource.name, way.resource)


def closed(way: WayIn, *, perhaps: bool) -> Reason:
    """A public address without an NSG behind it; perhaps an admin rule opens it all the same."""
    if way.closed is None:
        missing = frozenset({f"the SKU of {way.name}"})
        text = f"no NSG stands behind {way.name}: closed if its SKU is Standard"
        return Reason(Kind.PUBLIC_ADDRESS, Verdict.UNKNOWN, text, way.resource.name, way.resource, missing)
    text = f"{way.name} is Standard and no NSG stands behind it: it stays closed until one allows the flow"
    if perhaps:
        return Reason(Kind.PUBLIC_ADDRESS, Verdict.UNKNOWN, f"{text}, or an admin rule does", way.resource.name)
    return Reason(Kind.PUBLIC_ADDRESS, Verdict.DENIED, text, way.resource.name, way.resource)


def depends_on_appliance(name: str, resource: ResourceId) -> Reason:
    """Nothing is seen through an appliance that filters."""
    text = f"it passes {name}, whose own rules are not seen here: depends on {name}"
    return Reason(Kind.APPLIANCE, Verdict.UNKNOWN, text, name, resource, frozenset({name}))


def no_such_hop(address: str, subnet: ResourceId) -> Reason:
    """Nothing in a subnet has the address of a next hop."""
    text = f"next hop {address} does not exist: nothing in subnet {subnet.name} has this address"
    return Reason(Kind.APPLIANCE, Verdict.DENIED, text, address, subnet)


def hop_out_of_reach(address: str) -> Reason:
    """No network that is near has the address of a next hop."""
    text = f"next hop {address} is out of reach: neither the network nor a peer has this address"
    return Reason(Kind.APPLIANCE, Verdict.DENIED, text, address)


def unseen_hop(address: str) -> Reason:
    """What has the address of a next hop is not known."""
    missing = frozenset({f"what has the address {address}"})
    return Reason(Kind.APPLIANCE, Verdict.UNKNOWN, f"next hop {address} is not in the estate", address, missing=missing)


def listed(names: frozenset[str]) -> str:
    """Names in a stable order, as a person would list them."""
    return ", ".join(sorted(names)) or "something that is not known"
