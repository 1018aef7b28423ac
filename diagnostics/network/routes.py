"""The routes of a subnet or a NIC, before any is chosen: system, peering, learnt, service and user-defined ones.

Source: "Azure virtual network traffic routing", "Virtual network service endpoints", "Manage network policies for
private endpoints".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import msgspec
from msgspec.structs import force_setattr

from diagnostics.network.estate import Estate, Point, VirtualNetwork
from diagnostics.network.gateways import learnt
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Route, RouteTable, Subnet
from diagnostics.network.prefixes import AddressSet, read_prefix


class HopType(StrEnum):
    """Kinds of next hop; a type that is not among them is kept as Azure spells it."""

    VNET_LOCAL = "VnetLocal"
    PEERING = "VNetPeering"
    GATEWAY = "VirtualNetworkGateway"
    INTERNET = "Internet"
    APPLIANCE = "VirtualAppliance"
    NONE = "None"
    SERVICE_ENDPOINT = "VirtualNetworkServiceEndpoint"
    INTERFACE_ENDPOINT = "InterfaceEndpoint"
    UNSEEN = "?"


class Source(StrEnum):
    """Where a route comes from."""

    DEFAULT = "Default"
    LEARNT = "VirtualNetworkGateway"
    USER = "User"


_RANKS: dict[str, int] = {Source.USER: 2, Source.LEARNT: 1}


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A route for one prefix.

    Attributes:
        prefix: as written; a service tag for a route by tag.
        source: `Default`, `User`, `VirtualNetworkGateway`.
        next_hop_type: as `HopType` spells it, if it is one of those.
        next_hop_addresses: of appliances; more than one for equal-cost routes.
        origin: the route table, the peered network, the gateway or the private endpoint's NIC.
    """

    prefix: str
    source: str
    next_hop_type: str
    next_hop_addresses: tuple[str, ...] = ()
    name: str = ""
    origin: ResourceId | None = None

    @property
    def leads(self) -> tuple[str, tuple[str, ...], ResourceId | None]:
        """Where it leads: two routes that lead to the same place are as good as one."""
        where = self.origin if self.next_hop_type == HopType.PEERING else None
        return self.next_hop_type, self.next_hop_addresses, where


class Known(msgspec.Struct, frozen=True, gc=False):
    """A route whose addresses are known.

    Attributes:
        addresses: one prefix; a tag has one of these per prefix.
        preference: among routes for the same prefix from one source, the higher wins.
        strength: what routes for an address are compared by: length of the prefix, source, preference.
    """

    route: Candidate
    addresses: AddressSet
    preference: int = 4
    strength: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        # Worked out once: routes are compared at every border.
        force_setattr(self, "strength", strength(self.addresses, self.route.source, self.preference))


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A route of which it is not known for which addresses it is.

    Attributes:
        within: where its addresses lie at most.
        missing: what would have to be known.
        learnt: whether it is one that a gateway may have learnt; those yield to more kinds of routes.
    """

    route: Candidate
    within: AddressSet
    missing: str
    learnt: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of a subnet or NIC."""

    known: tuple[Known, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()


_RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
EVERYWHERE = AddressSet.all()
PUBLIC = AddressSet.parse("2000::/3") | (
    AddressSet.parse("0.0.0.0/0") - AddressSet.union(map(AddressSet.parse, _RESERVED))
)
"""Where the addresses of a service tag lie."""

_TYPES = {kind.lower(): kind for kind in HopType} | {
    "virtualapplianceecmp": HopType.APPLIANCE,
    "virtualnetwork": HopType.VNET_LOCAL,
    "virtualnetworkpeering": HopType.PEERING,
    "vnetglobalpeering": HopType.PEERING,
    "": HopType.NONE,
}
_SOURCES = {each.lower(): each for each in Source}
_SERVICES = {
    "microsoft.aad": "AzureActiveDirectory",
    "microsoft.azureactivedirectory": "AzureActiveDirectory",
    "microsoft.azurecosmosdb": "AzureCosmosDB",
    "microsoft.cognitiveservices": "CognitiveServicesManagement",
    "microsoft.containerregistry": "AzureContainerRegistry",
    "microsoft.eventhub": "EventHub",
    "microsoft.keyvault": "AzureKeyVault",
    "microsoft.servicebus": "ServiceBus",
    "microsoft.sql": "Sql",
    "microsoft.storage": "Storage",
    "microsoft.storage.global": "Storage",
    "microsoft.web": "AppService",
}
_REGIONAL = frozenset({"microsoft.storage", "microsoft.sql"})
_ROUTED_ENDPOINTS = frozenset({"enabled", "routetableenabled"})


def effective(estate: Estate, point: Point) -> Routes | None:
    """The routes that Azure itself says a NIC has, or None where it was not asked."""
    told = estate.effective_routes.get(point.nic.id)
    if told is None:
        return None
    routes = [
        Known(
            Candidate(prefix, source(each.source), kind(each.next_hop_type), each.next_hop_addresses, each.name),
            addresses,
        )
        for each in told
        if each.active
        for prefix in each.prefixes
        if (addresses := read_prefix(prefix))
    ]
    return Routes(tuple(routes))


def user_defined(estate: Estate, table: RouteTable | None) -> Sequence[Known | Doubtful]:
    """The routes of a route table: the same ones in every network that uses it."""
    return tuple(_user(estate, table)) if table else ()


def configured(
    estate: Estate, network: VirtualNetwork, subnet: Subnet, user: Sequence[Known | Doubtful] | None = None
) -> Routes:
    """The routes of a subnet, from configuration; those of its route table can be given, where they are at hand."""
    table = estate.route_tables.get(subnet.route_table) if subnet.route_table else None
    user = user_defined(estate, table) if user is None else user
    own = [each for each in user if isinstance(each, Known)]
    routes: list[Known | Doubtful] = [
        *_system(network.prefixes),
        *(_peered(network) if table is None or table.peerings else ()),
        *(_learnt(estate, network) if table is None or table.propagates else ()),
        *_services(estate, network, subnet),
        *_endpoints(estate, network, own),
        *user,
        *((unseen(f"route table {subnet.route_table.name}"),) if subnet.route_table and table is None else ()),
    ]
    known = tuple(each for each in routes if isinstance(each, Known))
    doubtful = tuple(each for each in routes if isinstance(each, Doubtful))
    return Routes(known, doubtful)


def strength(addresses: AddressSet, source: str, preference: int = 4) -> tuple[int, int, int]:
    """What a route for a prefix is compared by: a longer one holds fewer addresses; families never meet."""
    size = addresses.v4.count() or addresses.v6.count()
    return -size.bit_length(), _RANKS.get(source, 0), preference


@lru_cache(maxsize=1 << 8)
def kind(text: str) -> str:
    """A next hop type in one spelling; one that is not known stays as it is."""
    return _TYPES.get(text.lower(), text)


def source(text: str) -> str:
    """Where a route comes from in one spelling; what is not known stays as it is."""
    return _SOURCES.get(text.lower(), text)


def unseen(missing: str) -> Doubtful:
    """Routes that are not in the estate: they may lead any address anywhere."""
    return Doubtful(Candidate("?", Source.USER, HopType.UNSEEN), EVERYWHERE, missing)


@lru_cache(maxsize=1 << 12)  # every route table of a network begins with the same ones
def _system(prefixes: tuple[str, ...]) -> tuple[Known, ...]:
    own = [(prefix, read) for prefix in prefixes if (read := read_prefix(prefix))]
    local = (Known(Candidate(prefix, Source.DEFAULT, HopType.VNET_LOCAL), addresses) for prefix, addresses in own)
    six = (_default("::/0", HopType.INTERNET),) if any(addresses.v6 for _, addresses in own) else ()
    taken = {block for block in _RESERVED if any(AddressSet.parse(block) <= addresses for _, addresses in own)}
    dropped = (_default(block, HopType.NONE) for block in _RESERVED if block not in taken)
    return (*local, _default("0.0.0.0/0", HopType.INTERNET), *six, *dropped)


def _default(prefix: str, leads: HopType) -> Known:
    return Known(Candidate(prefix, Source.DEFAULT, leads), AddressSet.parse(prefix))


def _peered(network: VirtualNetwork) -> Iterator[Known]:
    for peering in network.peerings:
        for prefix in peering.prefixes if peering.connected else ():
            if addresses := read_prefix(prefix):
                route = Candidate(prefix, Source.DEFAULT, HopType.PEERING, (), peering.name, peering.remote)
                yield Known(route, addresses)


def _learnt(estate: Estate, network: VirtualNetwork) -> Iterator[Known | Doubtful]:
    gateways = learnt(estate, network)
    for prefix, gateway in gateways.prefixes:
        if addresses := read_prefix(prefix):
            yield Known(Candidate(prefix, Source.LEARNT, HopType.GATEWAY, (), "", gateway), addresses)
    for missing in sorted(gateways.missing):
        yield Doubtful(Candidate("?", Source.LEARNT, HopType.GATEWAY), EVERYWHERE, missing, learnt=True)


def _services(estate: Estate, network: VirtualNetwork, subnet: Subnet) -> Iterator[Known | Doubtful]:
    for service in subnet.service_endpoints:
        tag = _SERVICES.get(service.lower(), service)
        regional = f"{tag}.{network.location}" if service.lower() in _REGIONAL else tag
        listed = estate.service_tags.each(regional)
        route = Candidate(regional, Source.DEFAULT, HopType.SERVICE_ENDPOINT, (), service)
        if listed is None:
            yield Doubtful(route, PUBLIC, f"service tag {regional}")
        else:
            yield from (Known(route, prefix) for prefix in listed)


def _endpoints(estate: Estate, network: VirtualNetwork, user: list[Known]) -> Iterator[Known | Doubtful]:
    near = dict.fromkeys((network.id, *(each.remote for each in network.peerings if each.connected)))
    for _, point in sorted(each for rid in near for each in estate.private_endpoints.get(rid, ())):
        subnet = point.configuration.subnet
        if subnet and (address := point.address):
            text = f"{address}/{address.max_prefixlen}"
            route = Candidate(text, Source.DEFAULT, HopType.INTERFACE_ENDPOINT, (), point.nic.id.name, point.nic.id)
            overridden = _overridden(estate, point, [each for each in user if address in each.addresses])
            if overridden is None:
                yield Doubtful(route, AddressSet.parse(text), f"the network policies of subnet {subnet.name}")
            elif not overridden:
                yield Known(route, AddressSet.parse(text))


def _overridden(estate: Estate, point: Point, user: list[Known]) -> bool | None:
    """Whether one of the user routes to an endpoint is specific enough, and its subnet lets it; None if not known."""
    subnet, address = estate.subnet_of(point), point.address
    home = estate.network_of(point.configuration.subnet)
    if not user or address is None:
        return False
    if subnet is None or home is None:
        return None
    if subnet.endpoint_policies.lower() not in _ROUTED_ENDPOINTS:
        return False
    spaces = [read for prefix in home.prefixes if (read := read_prefix(prefix)) and address in read]
    return any(each.addresses <= space for each in user for space in spaces)


def _user(estate: Estate, table: RouteTable) -> Iterator[Known | Doubtful]:
    for route in table.routes:
        candidate = _candidate(route, table)
        if (addresses := read_prefix(route.prefix)) is not None:
            yield Known(candidate, addresses)
        elif (listed := estate.service_tags.each(route.prefix)) is not None:
            yield from (Known(candidate, prefix, _tag_preference(route.prefix)) for prefix in listed)
        else:
            within = PUBLIC if route.prefix[:1].isalpha() else EVERYWHERE
            yield Doubtful(candidate, within, f"service tag {route.prefix}")


def _candidate(route: Route, table: RouteTable) -> Candidate:
    leads = kind(route.next_hop_type)
    hops = route.addresses if leads == HopType.APPLIANCE else ()
    return Candidate(route.prefix, Source.USER, leads, hops, route.name, table.id)


def _tag_preference(tag: str) -> int:
    """A regional tag before its base tag, and any other before AzureCloud."""
    cloud, regional = tag.lower().startswith("azurecloud"), "." in tag
    return (0 if cloud else 2) + regional
