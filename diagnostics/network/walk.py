"""Following a flow from an endpoint, next hop by next hop, through rules, peerings, appliances and public addresses.

Source: "Azure virtual network traffic routing", "Virtual network peering", "How network security groups filter network
traffic".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from diagnostics.network import wording
from diagnostics.network.estate import Estate, Firewall, Point, VirtualNetwork
from diagnostics.network.filters import Filters
from diagnostics.network.gateways import learnt
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import Balanced, Owners, lies_in
from diagnostics.network.path import Kind, Reason
from diagnostics.network.prefixes import Address, address_of, is_public
from diagnostics.network.public import (
    WayIn,
    attachment,
    covers,
    frontends,
    public_at,
    targets,
    translated,
    unseen_behind,
    unseen_target,
    way_out,
    ways_in,
)
from diagnostics.network.routing import Candidate, HopType, Routing
from diagnostics.network.security import Flow, Verdict
from diagnostics.network.trail import Exit, Step, Trail, forked

_FILTERED_ENDPOINTS = frozenset({"enabled", "networksecuritygroupenabled"})


class Walk:
    """What a flow can run into in an estate.

    Args:
        answers: whether it follows answers: to those, no rule is asked (NSGs keep state) and no way out is needed.
    """

    def __init__(
        self, estate: Estate, filters: Filters, routing: Routing, owners: Owners, *, answers: bool = False
    ) -> None:
        self.estate, self.filters, self.routing, self.owners = estate, filters, routing, owners
        self.answers = answers

    def depart(self, trail: Trail, point: Point) -> Iterator[Trail]:
        """Out through the rules of an endpoint, and on."""
        if not self.answers:
            filtered = self.filters.outbound(point, trail.flow)
            trail = trail.noting(*wording.filter_reasons(filtered, point, inbound=False))
        yield from self._route(trail, point)

    def arrive(self, trail: Trail, point: Point, way: WayIn | None = None) -> Trail:
        """In through the rules of an endpoint: the end."""
        kind = "PrivateEndpoint" if point.nic.private_endpoint else "Destination"
        trail = replace(trail.to(Step(kind, str(point.configuration.address or ""), point.nic.id)), end=point)
        return trail if self.answers else trail.noting(*self._entry(trail.flow, point, way))

    def enter(self, trail: Trail, ways: Iterable[WayIn]) -> Iterator[Trail]:
        """In from the internet, each way through a public address."""
        listed = list(ways)
        for way in listed:
            step = Step("PublicAddress", way.address, way.resource, (wording.way_in(way),))
            there = way.point.address or trail.flow.destination
            flow = replace(trail.flow, destination=there, destination_port=way.port or trail.flow.destination_port)
            inside = replace(forked(trail, listed, "the load balancer's choice"), flow=flow, public=True)
            yield self.arrive(inside.to(step), way.point, way)

    def to_platform(self, trail: Trail, point: Point) -> Trail:
        """To Azure's own addresses on every host: no route leads there, few rules speak of it."""
        filtered = self.filters.outbound(point, trail.flow)
        trail = trail.noting(*self.beyond(point, trail.flow.destination))
        trail = trail.noting(*wording.filter_reasons(filtered, point, inbound=False))
        return trail.to(Step("Platform", str(trail.flow.destination)))

    def stands(self, point: Point) -> tuple[Reason, ...]:
        """Whether an endpoint is there at all: its VM may be known not to run."""
        vm = self.estate.vm_of(point.nic)
        if vm is None or vm.running is not False:
            return ()
        return (wording.power(point, vm.id, vm.power_state or ""),)

    def beyond(self, point: Point, other: Address) -> tuple[Reason, ...]:
        """Whether a guest has to have a route of its own to reach the other end."""
        subnet, vm = self.estate.subnet_of(point), self.estate.vm_of(point.nic)
        secondary = point.nic.primary is False or (
            point.nic.primary is None and vm is not None and vm.nics[:1] not in {(), (point.nic.id,)}
        )
        if not secondary or (subnet and lies_in(other, subnet.prefixes)):
            return ()
        return (wording.guest(point),)

    def _entry(self, flow: Flow, point: Point, way: WayIn | None) -> Iterator[Reason]:
        yield from self.stands(point)
        subnet = self.estate.subnet_of(point)
        if point.nic.private_endpoint:
            name = point.nic.private_endpoint.name
            yield Reason(
                Kind.DELIVERY, Verdict.ALLOWED, f"private endpoint {name}: the service behind it decides itself"
            )
            if subnet is None or subnet.endpoint_policies.lower() not in _FILTERED_ENDPOINTS:
                return
        filtered = self.filters.inbound(point, flow)
        yield from wording.filter_reasons(filtered, point, inbound=True)
        if way and filtered.open and way.closed is not False:
            yield wording.closed(way, perhaps=filtered.may_bypass)

    def _route(self, trail: Trail, point: Point) -> Iterator[Trail]:
        hop = self.routing.next_hop(point, trail.flow.destination)
        if not hop.missing:
            if hop.route is None:
                yield trail.noting(wording.no_route(point, trail.flow.destination))
            else:
                yield from self._take(trail, point, hop.route)
            return
        doubt = wording.doubtful_route(point, hop.missing)
        candidates = [route for route in (hop.route, *hop.doubtful) if route]
        if len(candidates) < 2:
            trail = trail.noting(doubt)
        for candidate in candidates:
            yield from self._take(replace(trail, forks=(*trail.forks, doubt)), point, candidate)
        if not candidates:
            yield trail

    def _take(self, trail: Trail, point: Point, route: Candidate) -> Iterator[Trail]:
        """On along one route."""
        if route.next_hop_type == HopType.UNSEEN:
            yield self._unseen(trail, point)
            return
        trail = trail.noting(wording.route(route, point))
        network = self.estate.network_of(point.configuration.subnet)
        match route.next_hop_type:
            case HopType.NONE:
                yield trail
            case HopType.VNET_LOCAL:
                parent = network.id if network else point.configuration.subnet and point.configuration.subnet.parent
                yield from self._deliver(trail, [parent] if parent else [])
            case HopType.PEERING:
                yield from self._peering(trail, point, network, route)
            case HopType.INTERFACE_ENDPOINT:
                yield from self._nearby(trail, point)
            case HopType.APPLIANCE:
                yield from self._next_hops(trail, point, route)
            case HopType.GATEWAY:
                yield self._gateway(trail, network)
            case HopType.SERVICE_ENDPOINT:
                yield replace(trail.to(Step("Internet", str(trail.flow.destination))), exit=Exit.SERVICE)
            case HopType.INTERNET:
                yield from self._internet(trail, point)
            case other:
                text = f"next hop type {other} is not known"
                yield trail.noting(
                    Reason(Kind.ROUTE, Verdict.UNKNOWN, text, missing=frozenset({f"next hop type {other}"}))
                )

    def _deliver(self, trail: Trail, networks: Sequence[ResourceId]) -> Iterator[Trail]:
        """To what has the destination address in the first of the networks that has it."""
        destination = trail.flow.destination
        match self.owners.find(destination, networks):
            case Point() as point:
                yield self.arrive(trail, point)
            case Balanced() as balanced:
                yield from self.to_frontend(trail, balanced)
            case Firewall() as firewall:
                yield self._firewall(trail, firewall)
            case _:
                text = f"nothing that was read has the address {destination}"
                missing = frozenset({f"what has the address {destination}"})
                trail = trail.noting(Reason(Kind.DELIVERY, Verdict.UNKNOWN, text, missing=missing))
                yield replace(trail, exit=Exit.NOBODY if len(networks) == 1 else Exit.NEARBY)

    def _peering(self, trail: Trail, point: Point, network: VirtualNetwork | None, route: Candidate) -> Iterator[Trail]:
        """Into a peered network, which may refuse what an appliance forwards."""
        if route.origin is None or network is None:  # Azure's effective routes do not say which
            yield from self._nearby(trail, point)
            return
        trail = trail.to(Step("VirtualNetworkPeering", "", route.origin))
        yield from self._deliver(self._crossing(trail, point, route.origin), [route.origin])

    def _near(self, point: Point) -> list[ResourceId]:
        """The network of an endpoint and those that it is peered with."""
        subnet, network = point.configuration.subnet, self.estate.network_of(point.configuration.subnet)
        if network is None:
            return [subnet.parent] if subnet and subnet.parent else []
        return [network.id, *(each.remote for each in network.peerings if each.connected)]

    def _nearby(self, trail: Trail, point: Point) -> Iterator[Trail]:
        """To what has the address in a network, or in one that it is peered with."""
        near = self._near(point)
        home = (each for each in near if self.owners.has(trail.flow.destination, each))
        yield from self._deliver(self._crossing(trail, point, next(home, None)), near)

    def _crossing(self, trail: Trail, point: Point, into: ResourceId | None) -> Trail:
        """Into another network, which may refuse what an appliance forwards for others."""
        network = self.estate.network_of(point.configuration.subnet)
        remote = self.estate.networks.get(into) if into else None
        if not (network and remote and trail.appliances) or remote.id == network.id:
            return trail
        way_back = next((peering for peering in remote.peerings if peering.remote == network.id), None)
        if way_back is None or way_back.allows_forwarded or lies_in(trail.flow.source, network.prefixes):
            return trail
        return trail.noting(wording.not_forwarded(way_back.name, point, remote.id))

    def _unseen(self, trail: Trail, point: Point) -> Trail:
        """By a route that is not in the estate: at best it leads to the end, whose rules count."""
        trail = trail.noting(wording.unseen_route(point))
        match self.owners.find(trail.flow.destination, self._near(point)):
            case Point() as end:
                return self.arrive(trail, end)
            case _:
                return trail

    def _gateway(self, trail: Trail, network: VirtualNetwork | None) -> Trail:
        trail = trail.to(Step("VirtualNetworkGateway"))
        if network and learnt(self.estate, network).exists is False:
            text = f"network {network.id.name} has no virtual network gateway, and uses none of a peer"
            return trail.noting(Reason(Kind.ROUTE, Verdict.DENIED, text, network.id.name, network.id))
        text = "what is behind the virtual network gateway is not seen here"
        missing = frozenset({"what is behind the virtual network gateway"})
        return replace(trail.noting(Reason(Kind.ROUTE, Verdict.UNKNOWN, text, missing=missing)), exit=Exit.GATEWAY)

    def _internet(self, trail: Trail, point: Point) -> Iterator[Trail]:
        """Out to the internet, and in again where the address is one of the estate's own."""
        destination = trail.flow.destination
        if not is_public(destination):
            text = f"{destination} is a private address: the internet does not lead there"
            yield trail.noting(Reason(Kind.ROUTE, Verdict.DENIED, text))
            return
        if self.answers:
            yield replace(trail.to(Step("Internet", str(destination))), exit=Exit.INTERNET)
            return
        way = way_out(self.estate, point, destination.version)
        trail = trail.noting(wording.way_out(way, point))
        if public_at(self.estate, destination) is None:
            yield replace(trail.to(Step("Internet", str(destination))), exit=Exit.INTERNET)
        elif not way.addresses and ways_in(self.estate, destination, trail.flow):
            text = f"with which public address it reaches {destination} is not known"
            missing = frozenset({f"the public address that {point.nic.id.name} leaves with"})
            yield trail.noting(Reason(Kind.WAY_OUT, Verdict.UNKNOWN, text, missing=missing))
        else:
            for address in way.addresses or (trail.flow.source,):
                seen = forked(trail, way.addresses, "the public address it leaves with")
                yield from self.to_public(replace(seen, flow=replace(trail.flow, source=address)))

    def to_public(self, trail: Trail) -> Iterator[Trail]:
        """In through a public address of the estate, if something stands behind it for this flow."""
        flow, public = trail.flow, public_at(self.estate, trail.flow.destination)
        ways = ways_in(self.estate, flow.destination, flow)
        if public and (unseen := unseen_behind(self.estate, public.id, flow)):
            yield trail.noting(wording.unseen_member(*unseen))
            yield from self.enter(trail, ways)
            return
        if ways or public is None:
            yield from self.enter(trail, [way for way in ways if not self.stands(way.point)] or ways)
            return
        attached = attachment(self.estate, public.id)
        port = f"{flow.protocol} {flow.destination_port}" if flow.destination_port else flow.protocol
        if attached:
            text = f"{attached.name} forwards nothing for {port} that comes to {public.id.name}"
            yield trail.noting(Reason(Kind.PUBLIC_ADDRESS, Verdict.DENIED, text, public.id.name, public.id))
            return
        text = f"nothing in the estate uses public IP {public.id.name}"
        missing = frozenset({f"what uses public IP {public.id.name}"})
        yield trail.noting(Reason(Kind.PUBLIC_ADDRESS, Verdict.UNKNOWN, text, public.id.name, public.id, missing))

    def to_frontend(self, trail: Trail, balanced: Balanced) -> Iterator[Trail]:
        """To each of the members behind a private frontend: the end."""
        for there, member in self._balance(trail, balanced):
            yield self.arrive(there, member) if member else there

    def _firewall(self, trail: Trail, firewall: Firewall) -> Trail:
        step = Step("VirtualAppliance", ", ".join(firewall.addresses), firewall.id)
        reason = wording.depends_on_appliance(f"Azure Firewall {firewall.id.name}", firewall.id)
        return replace(trail.to(step).noting(reason), appliances=(*trail.appliances, firewall.id))

    def _next_hops(self, trail: Trail, point: Point, route: Candidate) -> Iterator[Trail]:
        """To each of the next hops of a route."""
        addresses = route.next_hop_addresses
        if not addresses:
            yield replace(trail.noting(wording.no_address(route)), exit=Exit.APPLIANCE)
        what = "which of the equal next hops it takes"
        for address in addresses:
            yield from self._appliance(forked(trail, addresses, what), point, address)

    def _appliance(self, trail: Trail, point: Point, text: str) -> Iterator[Trail]:
        """To a next hop by address, and on from there."""
        address, networks = address_of(text), self._near(point)
        match self.owners.find(address, networks) if address else None:
            case Point() as owner:
                into = owner.configuration.subnet and owner.configuration.subnet.parent
                yield from self._through(self._crossing(trail, point, into), owner)
            case Balanced() as balanced:
                into = balanced.frontend.subnet and balanced.frontend.subnet.parent
                for there, member in self._balance(self._crossing(trail, point, into), balanced, keep=True):
                    if member:
                        yield from self._through(there, member)
                    else:
                        yield there
            case Firewall() as firewall:
                yield self._firewall(trail, firewall)
            case _:
                yield replace(trail.noting(self._nobody(text, address, networks)), exit=Exit.APPLIANCE)

    def _nobody(self, text: str, address: Address | None, networks: list[ResourceId]) -> Reason:
        """Nothing known has the address of a next hop."""
        subnet = self.owners.subnet(address, networks) if address else None
        if subnet:
            return wording.no_such_hop(text, subnet.id)
        lost = address is not None and self.owners.out_of_reach(address, networks)
        return wording.hop_out_of_reach(text) if lost else wording.unseen_hop(text)

    def _through(self, trail: Trail, point: Point) -> Iterator[Trail]:
        """Through an appliance: in, and out by any of its NICs; never better than unknown."""
        if end := _own(point, trail.flow.destination):
            yield self.arrive(trail, end)
            return
        vm = self.estate.vm_of(point.nic)
        appliance = vm.id if vm else point.nic.vm or point.nic.id
        trail = trail.to(Step("VirtualAppliance", point.configuration.address or "", point.nic.id))
        if appliance in trail.appliances:
            text = f"the routes lead in a circle: it comes to {appliance.name} again"
            yield trail.noting(Reason(Kind.APPLIANCE, Verdict.DENIED, text, appliance.name, appliance))
            return
        trail = replace(trail.noting(*self.stands(point)), appliances=(*trail.appliances, appliance))
        if not point.nic.ip_forwarding:
            text = f"{point.nic.id.name} may not forward: IP forwarding is off"
            trail = trail.noting(Reason(Kind.APPLIANCE, Verdict.DENIED, text, point.nic.id.name, point.nic.id))
        if trail.verdict is Verdict.DENIED and self.answers:
            yield trail
            return
        if not self.answers:
            filtered = self.filters.inbound(point, trail.flow)
            trail = trail.noting(*wording.filter_reasons(filtered, point, inbound=True))
        if any(reason.verdict is Verdict.DENIED for reason in trail.steps[-1].reasons):
            yield trail
            return
        trail = trail.noting(wording.depends_on_appliance(appliance.name, appliance))
        ways = self._interfaces(point, trail.flow.destination.version)
        if self.owners.may_have_more(point):
            yield self._unseen(trail, point)
        for interface in ways:
            yield from self.depart(
                forked(trail, ways, f"the interface by which {appliance.name} sends it on"), interface
            )

    def _interfaces(self, point: Point, version: int) -> list[Point]:
        """The endpoints by which an appliance can send on: the primary one of each of its NICs."""
        vm, named = self.estate.vm_of(point.nic), point.nic.vm
        nics = [nic for rid in (vm.nics if vm else ()) if (nic := self.estate.nics.get(rid))]
        nics += [nic for nic in self.estate.nics.values() if named and nic.vm == named and nic not in nics]
        found = []
        for nic in nics or [point.nic]:
            fitting = [
                p for each in nic.ip_configurations if (p := Point(nic, each)).address and p.address.version == version
            ]
            found += sorted(fitting, key=lambda each: not each.configuration.primary)[:1]
        return found or [point]

    def _balance(self, trail: Trail, balanced: Balanced, *, keep: bool = False) -> Iterator[tuple[Trail, Point | None]]:
        """To each running member behind a private frontend; `keep` leaves the destination as it is."""
        balancer, front, flow = balanced.balancer, balanced.frontend, trail.flow
        trail = trail.to(Step("LoadBalancer", front.address or "", balancer.id))
        rules = [rule for rule in balancer.rules if front in frontends(balancer, rule) and covers(rule, flow)]
        if not rules:
            asked = f"{flow.protocol} {flow.destination_port}" if flow.destination_port else flow.protocol
            text = f"load balancer {balancer.id.name} has no rule for {asked}"
            yield trail.noting(Reason(Kind.LOAD_BALANCER, Verdict.DENIED, text, balancer.id.name, balancer.id)), None
            return
        found = [(rule, point) for rule in rules for point in targets(self.estate, balancer, rule)]
        members = [(rule, point) for rule, point in found if not self.stands(point)]
        if unseen := [target for rule in rules if (target := unseen_target(self.estate, balancer, rule))]:
            yield replace(trail.noting(wording.unseen_member(balancer.id, unseen[0])), exit=Exit.APPLIANCE), None
        elif not members:
            text = f"no member behind load balancer {balancer.id.name} is there to answer"
            yield trail.noting(Reason(Kind.LOAD_BALANCER, Verdict.DENIED, text, balancer.id.name, balancer.id)), None
        for rule, point in members:
            there = forked(trail, members, f"the member that load balancer {balancer.id.name} chooses")
            if not keep and not rule.floating:
                port = translated(rule, flow.destination_port)
                there = replace(
                    there, flow=replace(flow, destination=point.address or flow.destination, destination_port=port)
                )
            yield there, point


def _own(point: Point, address: Address) -> Point | None:
    """The endpoint with an address on the same NIC: what comes to it for that address is not forwarded."""
    found = (Point(point.nic, each) for each in point.nic.ip_configurations)
    return next((each for each in found if each.address == address), None)
