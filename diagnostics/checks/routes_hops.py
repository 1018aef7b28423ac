"""Where routes lead: what has the address of a next hop, seen from each network that uses the route table."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import NamedTuple

import msgspec

from diagnostics.network.estate import Estate, Firewall, Point, VirtualNetwork
from diagnostics.network.gateways import Learnt, learnt
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Span
from diagnostics.network.model import IpConfiguration, Nic, Route, RouteTable, Subnet
from diagnostics.network.owners import Balanced, Owner, Owners, lies_in
from diagnostics.network.places import Places
from diagnostics.network.prefixes import Address, AddressSet, address_of, read_prefix
from diagnostics.network.public import targets
from diagnostics.network.routes import HopType, Known, Source, kind, strength
from diagnostics.network.routing import NextHop, Routing

GATEWAYS = "microsoft.network/virtualnetworkgateways"
NICS = "microsoft.network/networkinterfaces"
BALANCERS = "microsoft.network/loadbalancers"
FIREWALLS = "microsoft.network/azurefirewalls"

GATEWAY_SUBNET = "gatewaysubnet"
RESERVED = frozenset(
    {
        GATEWAY_SUBNET,
        "azurefirewallsubnet",
        "azurefirewallmanagementsubnet",
        "azurebastionsubnet",
        "routeserversubnet",
    }
)
"""Subnets whose names Azure itself gives a meaning, lower-cased; what routes they may have, Azure decides."""

_BEHIND = 1 << 33


class Side(msgspec.Struct, frozen=True, gc=False):
    """The subnets of a network that use the same route table: to all of them the same routes apply.

    Attributes:
        table: None where they use none, or one that is not in the estate.
        unseen: the table that is not in the estate.
    """

    network: VirtualNetwork
    table: RouteTable | None
    unseen: ResourceId | None
    subnets: tuple[Subnet, ...]

    def has(self, subnet: Subnet | None) -> bool:
        """Whether a subnet is one of them."""
        return subnet is not None and subnet.id.key in [each.id.key for each in self.subnets]


class Hop(msgspec.Struct, frozen=True, gc=False):
    """The address of a next hop, as it is seen from a network.

    Attributes:
        address: None where the text is no address.
        home: the network in whose space it lies: the one it is seen from, or one that is peered with it.
        subnet: the subnet that it lies in.
        owner: who has it; None where nobody known has.
        machine: the VM of an owner that is a NIC, or the NIC itself where no VM is known.
    """

    text: str
    address: Address | None
    home: ResourceId | None = None
    subnet: Subnet | None = None
    owner: Owner | None = None
    machine: ResourceId | None = None

    @property
    def name(self) -> str:
        """Who it is, for a person."""
        match self.owner:
            case Point() as point:
                return (self.machine or point.nic.id).name
            case Balanced() as balanced:
                return f"load balancer {balanced.balancer.id.name}"
            case Firewall() as firewall:
                return f"Azure Firewall {firewall.id.name}"
            case _:
                return self.text

    @property
    def key(self) -> str:
        """What tells appliances from each other: several addresses of one machine are one."""
        match self.owner:
            case Point() as point:
                return (self.machine or point.nic.id).key
            case Balanced() as balanced:
                return balanced.balancer.id.key
            case Firewall() as firewall:
                return firewall.id.key
            case _:  # IPv4 has one spelling only
                return str(self.address or self.text) if ":" in self.text else self.text


class Lead(msgspec.Struct, frozen=True, gc=False):
    """A route to an appliance, and where one of its next hops leads.

    Attributes:
        side: the subnets that take it; None for a route table that no subnet in the estate uses.
    """

    table: RouteTable
    route: Route
    hop: Hop
    side: Side | None


class _Routes(NamedTuple):
    """Routes by where they begin, and where they end."""

    starts: list[int]
    ends: list[int]
    known: list[Known]


class Hops:
    """Where the routes of an estate lead; whatever is asked for often is worked out once."""

    def __init__(self, estate: Estate, owners: Owners, places: Places, routing: Routing | None = None) -> None:
        self._estate, self._owners, self._places = estate, owners, places
        # Routes to private endpoints are for single addresses and change nothing here: without NICs there are none.
        shared = None if estate.private_endpoints else routing
        self._routing = shared or Routing(replace(estate, nics={}))
        self._hops: dict[tuple[str, str], Hop] = {}
        self._leads: dict[str, tuple[Lead, ...]] = {}
        self._won: dict[tuple[str, str], AddressSet] = {}
        self._points: dict[str, Point] = {}
        self._learnt: dict[str, Learnt] = {}
        self._known: dict[str, _Routes] = {}
        self._exits: dict[str, tuple[tuple[Subnet, ...], str]] = {}

    @cached_property
    def sides(self) -> Sequence[Side]:
        """All subnets, those of one network with the same route table together."""
        found: dict[tuple[ResourceId, ResourceId | None], list[Subnet]] = {}
        for network in sorted(self._estate.networks.values(), key=lambda network: network.id.key):
            for subnet in sorted(network.subnets, key=lambda subnet: subnet.id.key):
                found.setdefault((network.id, subnet.route_table), []).append(subnet)
        return [self._side(network, table, subnets) for (network, table), subnets in found.items()]

    def sides_of(self, table: RouteTable) -> Sequence[Side]:
        """The subnets that use a route table, by network."""
        return self._by_table.get(table.id.key, ())

    def sides_in(self, network: ResourceId) -> Sequence[Side]:
        """The subnets of a network, by route table."""
        return self._by_network.get(network.key, ())

    def near(self, network: VirtualNetwork) -> list[ResourceId]:
        """A network and those that it is peered with."""
        return [network.id, *(each.remote for each in network.peerings if each.connected)]

    def at(self, text: str, network: VirtualNetwork) -> Hop:
        """What has an address, as a network sees it."""
        key = network.id.key, text
        found = self._hops.get(key)
        if found is None:
            found = self._hops[key] = self._look(text, network)
        return found

    def leads(self, table: RouteTable) -> tuple[Lead, ...]:
        """Where a table's routes to appliances lead, without those that never win and those that AKS looks after."""
        found = self._leads.get(table.id.key)
        if found is None:
            found = self._leads[table.id.key] = tuple(self._follow(table))
        return found

    def won(self, side: Side, route: Route) -> AddressSet:
        """The addresses for which a route is the one that is taken; of a route by service tag nothing is told."""
        key = side.subnets[0].id.key, route.prefix
        found = self._won.get(key)
        if found is None:
            read = read_prefix(route.prefix)
            found = self._won[key] = self._taken(side, read) if read else AddressSet.none()
        return found

    def acts(self, side: Side, route: Route) -> bool:
        """Whether a route is taken for any address; one by service tag, of which that is not told, counts as well."""
        return bool(self.won(side, route)) or read_prefix(route.prefix) is None

    def beneath(self, side: Side, addresses: AddressSet) -> Known | None:
        """The route that would be taken for a prefix if the user-defined one for it were not there."""
        (first, last), strong = ends(addresses), strength(addresses, Source.USER)
        routes = self._routes(side)
        wider = zip(routes.ends, routes.known[: bisect_right(routes.starts, first)], strict=False)
        holding = [each for end, each in wider if end >= last and each.strength < strong]
        return max(holding, key=lambda each: each.strength, default=None)

    def next_hop(self, subnet: Subnet, address: Address) -> NextHop:
        """Where packets from a subnet to an address are sent."""
        point = self._points.get(subnet.id.key)
        if point is None:
            nic = Nic(subnet.id, "", "", None, None, None, ())
            point = Point(nic, IpConfiguration("", None, subnet.id, primary=True))
            self._points[subnet.id.key] = point
        return self._routing.next_hop(point, address)

    def learnt(self, network: VirtualNetwork) -> Learnt:
        """What a network knows through gateways."""
        if network.id.key not in self._learnt:
            self._learnt[network.id.key] = learnt(self._estate, network)
        return self._learnt[network.id.key]

    def gateway(self, network: VirtualNetwork) -> bool | None:
        """Whether a network has a gateway or uses a peer's; None where that is not known."""
        exists = self.learnt(network).exists
        if exists is not False or self._estate.facts.knows_all(GATEWAYS):
            return exists
        users = [each.remote for each in network.peerings if each.connected and each.uses_remote_gateways]
        known = [found for rid in (network.id, *users) if (found := self._estate.networks.get(rid))]
        names = (subnet.id.name.lower() for each in known for subnet in each.subnets)
        return None if GATEWAY_SUBNET in names else False

    def exits(self, hop: Hop) -> tuple[tuple[Subnet, ...], str]:
        """The subnets out of which an appliance sends on, and what would have to be known to be sure of them."""
        if hop.key not in self._exits:
            self._exits[hop.key] = self._ways(hop)
        return self._exits[hop.key]

    def empty(self, subnet: Subnet) -> bool:
        """Whether it is known that nothing stands in a subnet."""
        if subnet.used or subnet.occupied or self._places.points_in(subnet.id):
            return False
        if subnet.delegations or subnet.id.name.lower() in RESERVED:  # what stands there shows no NIC
            return False
        return self._estate.facts.knows_all(NICS)

    @cached_property
    def _by_table(self) -> Mapping[str, list[Side]]:
        found: dict[str, list[Side]] = {}
        for side in self.sides:
            if side.table:
                found.setdefault(side.table.id.key, []).append(side)
        return found

    @cached_property
    def _by_network(self) -> Mapping[str, list[Side]]:
        found: dict[str, list[Side]] = {}
        for side in self.sides:
            found.setdefault(side.network.id.key, []).append(side)
        return found

    def _side(self, network: ResourceId, table: ResourceId | None, subnets: list[Subnet]) -> Side:
        known = self._estate.route_tables.get(table) if table else None
        return Side(self._estate.networks[network], known, table if known is None else None, tuple(subnets))

    def _look(self, text: str, network: VirtualNetwork) -> Hop:
        address = address_of(text)
        if address is None:
            return Hop(text, None)
        near = self.near(network)
        owner = self._owners.find(address, near)
        match owner:
            case Point() as point:
                subnet = self._estate.subnet_of(point)
            case Balanced() as balanced:
                at = balanced.frontend.subnet
                subnet = self._estate.subnets.get(at) if at else None
            case _:
                subnet = self._owners.subnet(address, near)
        home = subnet.id.parent if subnet else self._space(address, network)
        return Hop(text, address, home, subnet, owner, self._machine(owner) if isinstance(owner, Point) else None)

    def _machine(self, point: Point) -> ResourceId:
        vm = self._estate.vm_of(point.nic)
        return vm.id if vm else point.nic.vm or point.nic.id

    def _space(self, address: Address, network: VirtualNetwork) -> ResourceId | None:
        """The network in whose space an address lies, its own first."""
        if lies_in(address, network.prefixes):
            return network.id
        for peering in network.peerings:
            remote = self._estate.networks.get(peering.remote)
            if peering.connected and lies_in(address, (*peering.prefixes, *(remote.prefixes if remote else ()))):
                return peering.remote
        return None

    def _follow(self, table: RouteTable) -> Iterator[Lead]:
        sides = self.sides_of(table)
        for route in table.routes:
            if kind(route.next_hop_type) != HopType.APPLIANCE or by_aks(table, route):
                continue
            taking = [side for side in sides if self.acts(side, route)]
            for text in route.addresses:
                for side in taking:
                    yield Lead(table, route, self.at(text, side.network), side)
                if not sides and (home := self._anywhere(text)):
                    yield Lead(table, route, self.at(text, home), None)

    def _anywhere(self, text: str) -> VirtualNetwork | None:
        """The only network whose space holds an address: where a table that nothing uses is meant for."""
        address = address_of(text)
        holding = [each for each in self._estate.networks.values() if address and lies_in(address, each.prefixes)]
        return holding[0] if len(holding) == 1 else None

    def _taken(self, side: Side, addresses: AddressSet) -> AddressSet:
        """What is left of a prefix once every more specific route has taken its part."""
        routes = self._routes(side)
        (first, last), strong = ends(addresses), strength(addresses, Source.USER)
        inside = routes.known[bisect_left(routes.starts, first) : bisect_right(routes.starts, last)]
        stronger = [each.addresses for each in inside if each.strength > strong]
        return addresses - AddressSet.union(stronger) if stronger else addresses

    def _routes(self, side: Side) -> _Routes:
        """The routes of a side by where they begin; IPv6 behind IPv4."""
        subnet = side.subnets[0]
        found = self._known.get(subnet.id.key)
        if found is None:
            known = [(*ends(each.addresses), each) for each in self._routing.configured(side.network, subnet).known]
            known.sort(key=itemgetter(0))
            starts, lasts = [start for start, _, _ in known], [end for _, end, _ in known]
            found = self._known[subnet.id.key] = _Routes(starts, lasts, [each for _, _, each in known])
        return found

    def _ways(self, hop: Hop) -> tuple[tuple[Subnet, ...], str]:
        match hop.owner:
            case Point() as point:
                return self._nics_of(point)
            case Firewall():
                return ((hop.subnet,), "") if hop.subnet else ((), f"the subnet of {hop.name}")
            case Balanced() as balanced:
                rules = [r for r in balanced.balancer.rules if balanced.frontend.id in r.frontends]
                members = [p for rule in rules for p in targets(self._estate, balanced.balancer, rule)]
                found = [self._nics_of(point) for point in members]
                subnets = dict.fromkeys(subnet for each, _ in found for subnet in each)
                missing = next((text for _, text in found if text), "")
                return tuple(subnets), missing or ("" if members else f"the members of {hop.name}")
            case _:
                return (), f"what has the address {hop.text}"

    def _nics_of(self, point: Point) -> tuple[tuple[Subnet, ...], str]:
        vm = self._estate.vm_of(point.nic)
        if self._owners.may_have_more(point):
            return (), f"the other network interfaces of {self._machine(point).name}"
        nics = [nic for rid in (vm.nics if vm else ()) if (nic := self._estate.nics.get(rid))] or [point.nic]
        points = [Point(nic, each) for nic in nics for each in nic.ip_configurations]
        subnets = dict.fromkeys(subnet for each in points if (subnet := self._estate.subnet_of(each)))
        return tuple(subnets), "" if subnets else f"the subnet of {point.nic.id.name}"


def by_aks(table: RouteTable, route: Route) -> bool:
    """Whether AKS looks after a route: those of kubenet lead to nodes, and come and go with them."""
    return table.id.name.lower().startswith("aks-agentpool-") or route.name.lower().startswith("aks-")


@lru_cache(maxsize=1 << 14)  # the same subnets and networks are looked at from every side
def space(prefixes: tuple[str, ...]) -> AddressSet:
    """The addresses of some prefixes; what is none is left out."""
    return AddressSet.union(read for text in prefixes if (read := read_prefix(text)))


def ends(addresses: AddressSet) -> tuple[int, int]:
    """Where a prefix begins and ends; IPv6 is put behind IPv4."""
    if spans_ := addresses.v4.spans:
        return spans_[0][0], spans_[-1][1]
    return _BEHIND + addresses.v6.spans[0][0], _BEHIND + addresses.v6.spans[-1][1]


def spans(addresses: AddressSet) -> Iterator[Span]:
    """The ranges of a set, as `ends` counts."""
    yield from addresses.v4
    yield from ((_BEHIND + first, _BEHIND + last) for first, last in addresses.v6)


def meet(some: AddressSet, others: AddressSet) -> bool:
    """Whether any address is in both."""
    return not some.v4.isdisjoint(others.v4) or bool(some.v6.spans and not some.v6.isdisjoint(others.v6))
