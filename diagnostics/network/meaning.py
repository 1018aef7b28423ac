"""What the words of NSG rules mean at a network interface: tags as its network has them, and group memberships.

Source: "Virtual network service tags", "Application security groups".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import partial

from diagnostics.network.estate import Estate, Point, VirtualNetwork
from diagnostics.network.gateways import learnt
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import RouteTable, Subnet
from diagnostics.network.prefixes import AddressSet, Bounds, read_prefix
from diagnostics.network.routes import PUBLIC
from diagnostics.network.security import Context
from diagnostics.network.tags import HOST, Meaning

_DEFAULT_ROUTES = frozenset({"0.0.0.0/0", "::/0"})
_NOT_IN_IT = frozenset({"internet", "none"})


class World(Enum):
    """How to take the tag `VirtualNetwork` where it is known only in part."""

    __hash__ = object.__hash__  # a part of many keys; Enum's own is slow

    BOUNDS = "as bounds"
    NARROW = "without all that is not sure"
    WIDE = "with all that may be in it"


def context_at(estate: Estate, point: Point, world: World = World.BOUNDS) -> Context:
    """What the words of rules mean at an endpoint."""
    own = virtual_network(estate, point)
    if world is not World.BOUNDS:
        own = Bounds.exactly(own.must if world is World.NARROW else own.may)
    meaning = Meaning(own, estate.service_tags, _told(estate, point))
    return Context(tag=meaning.of, members=partial(members, estate))


class Contexts:
    """What the words of rules mean at the endpoints of an estate: made once for all where the same is known of it."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._made: dict[tuple[World, str, str], Context] = {}

    def at(self, point: Point, world: World) -> Context:
        """What they mean at an endpoint."""
        subnet = self._estate.subnet_of(point)
        network = self._estate.network_of(subnet.id) if subnet else None
        if subnet is None or network is None or point.nic.id in self._estate.effective_groups:
            return context_at(self._estate, point, world)
        # Nothing else of a subnet counts; a table that is not seen is called as it is written.
        key = world, network.id.key, subnet.route_table.text if subnet.route_table else ""
        if key not in self._made:
            self._made[key] = context_at(self._estate, point, world)
        return self._made[key]


def members(estate: Estate, group: ResourceId) -> Bounds:
    """The addresses of an application security group: those of the IP configurations that say they are in it."""
    addresses = [point.configuration.address for point in estate.members.get(group, ())]
    return Bounds.exactly(AddressSet.union(AddressSet.parse(text) for text in addresses if text))


def virtual_network(estate: Estate, point: Point) -> Bounds:
    """The tag `VirtualNetwork` at an endpoint."""
    network = estate.network_of(point.configuration.subnet)
    if network is None:
        name = point.configuration.subnet.parent if point.configuration.subnet else None
        return Bounds.unknown(f"the network {name.name}" if name else "the network of " + point.nic.id.name)
    gateways, subnet = learnt(estate, network), estate.subnet_of(point)
    routes = list(_routes(estate, subnet))
    must = _set([*network.prefixes, *_peered(network), *(prefix for prefix, _ in gateways.prefixes)]) | HOST
    must |= _set(prefix for prefix, sure in routes if sure)
    tags = AddressSet.union(_tagged(estate, prefix) for prefix, _ in routes if read_prefix(prefix) is None)
    unseen = gateways.missing | _unseen_table(estate, subnet)
    if unseen:
        return Bounds(must, AddressSet.all(), unseen)
    may = must | _set(prefix for prefix, _ in routes) | tags
    missing = frozenset() if may == must else frozenset({"what the tag VirtualNetwork holds here"})
    return Bounds(must, may, missing)


def _peered(network: VirtualNetwork) -> Iterator[str]:
    for peering in network.peerings:
        if peering.connected and peering.allows_access:
            yield from peering.prefixes


def _routes(estate: Estate, subnet: Subnet | None) -> Iterator[tuple[str, bool]]:
    """The prefixes of the subnet's user-defined routes, and whether they are in the tag for sure."""
    table = _table(estate, subnet)
    for route in table.routes if table else ():
        default = route.prefix.strip() in _DEFAULT_ROUTES
        yield route.prefix, not default and route.next_hop_type.lower() not in _NOT_IN_IT


def _table(estate: Estate, subnet: Subnet | None) -> RouteTable | None:
    return estate.route_tables.get(subnet.route_table) if subnet and subnet.route_table else None


def _unseen_table(estate: Estate, subnet: Subnet | None) -> frozenset[str]:
    if subnet is None or subnet.route_table is None or subnet.route_table in estate.route_tables:
        return frozenset()
    return frozenset({f"route table {subnet.route_table.name}"})


def _set(prefixes: Iterable[str]) -> AddressSet:
    """The addresses of prefixes; a route may be for a service tag, which is none."""
    return AddressSet.union(read for text in prefixes if (read := read_prefix(text)) is not None)


def _tagged(estate: Estate, tag: str) -> AddressSet:
    """Where the prefixes of a route by tag lie: whether they are in `VirtualNetwork` too, no documentation says."""
    listed = estate.service_tags.addresses(tag)
    return PUBLIC if listed is None else listed


def _told(estate: Estate, point: Point) -> Mapping[str, tuple[str, ...]]:
    """What Azure said that tags mean at this NIC."""
    groups = estate.effective_groups.get(point.nic.id, ())
    return {tag: prefixes for group in groups for tag, prefixes in group.tag_map.items()}
