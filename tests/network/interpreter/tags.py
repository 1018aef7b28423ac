"""What an element of a rule means at a NIC, for one address."""

import ipaddress
from dataclasses import dataclass

from tests.network.interpreter.documents import Address, Cloud, Config, Json, Network, low, props, within
from tests.network.interpreter.gateways import gateways, learns_more, learnt
from tests.network.interpreter.worlds import World

WIRE_SERVER = ipaddress.ip_address("168.63.129.16")
METADATA = ipaddress.ip_address("169.254.169.254")
PLATFORM = (WIRE_SERVER, METADATA)
PLATFORM_TAGS = ("azureplatformdns", "azureplatformimds", "azureplatformlkm")
BALANCER_PROBES = (WIRE_SERVER, ipaddress.ip_address("fe80::1234:5678:9abc"))
NEVER_PUBLIC = [
    ipaddress.ip_network("0.0.0.0/8"),
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_network("100.64.0.0/10"),
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("172.16.0.0/12"),
    ipaddress.ip_network("192.0.2.0/24"),
    ipaddress.ip_network("192.168.0.0/16"),
    ipaddress.ip_network("198.18.0.0/15"),
    ipaddress.ip_network("224.0.0.0/3"),
    ipaddress.ip_network("::/8"),
    ipaddress.ip_network("fc00::/7"),
    ipaddress.ip_network("fe80::/10"),
    ipaddress.ip_network("ff00::/8"),
]
# Recorded answers of Azure expand `Internet` without these, or without some of them.
LEFT_OUT = [
    ipaddress.ip_network(text)
    for text in (
        "13.96.0.0/13",
        "20.128.0.0/16",
        "25.0.0.0/8",
        "40.66.128.0/17",
        "52.132.0.0/14",
        "104.212.36.0/22",
    )
]
SURE_HOPS = ("virtualappliance", "virtualapplianceecmp", "virtualnetworkgateway", "vnetlocal")


@dataclass(frozen=True)
class Somewhere:
    """A public address that nobody knows, such as the one that default outbound access lends."""

    name: str
    version: int = 4


type Place = Address | Somewhere


@dataclass(frozen=True)
class Here:
    """An IP configuration of a cloud in one world: where rules and routes are read."""

    cloud: Cloud
    world: World
    at: Config

    @property
    def network(self) -> str:
        return self.at.network

    @property
    def subnet(self) -> Json:
        """The properties of its subnet; nothing where it is not in the estate."""
        return props(self.cloud.subnets.get(self.at.subnet, {}))


def is_public(place: Place) -> bool:
    return isinstance(place, Somewhere) or not within(place, NEVER_PUBLIC)


def lies_in(world: World, place: Place, network: Network) -> bool:
    """Whether an address is in a prefix."""
    if isinstance(place, Somewhere):
        if place.version != network.version or any(_covers(block, network) for block in NEVER_PUBLIC):
            return False
        return network.prefixlen == 0 or world.perhaps("somewhere", place, network)
    return place in network


def _covers(block: Network, network: Network) -> bool:
    return (
        block.version == network.version and network.network_address in block and network.prefixlen >= block.prefixlen
    )


def element_holds(here: Here, element: str, place: Place, port: int | None) -> bool:
    """Whether a prefix or tag of a rule, read at this NIC, holds an address; `port` is the destination's."""
    if element.lower() in {"*", "any"}:
        return True
    try:
        return lies_in(here.world, place, ipaddress.ip_network(element, strict=False))
    except ValueError:
        return tag_holds(here, element.lower(), place, port)


def tag_holds(here: Here, tag: str, place: Place, port: int | None) -> bool:
    match tag:
        case "virtualnetwork":
            return in_virtual_network(here, place)
        case "internet":
            return in_internet(here, place)
        case "azureloadbalancer":
            return place in BALANCER_PROBES
        case "azureplatformdns":
            return place == WIRE_SERVER and port == 53
        case "azureplatformimds":
            return place == METADATA
        case _:
            return service_tag_holds(here, tag, place)


def service_tag_holds(here: Here, tag: str, place: Place) -> bool:
    if tag in here.cloud.tags:
        return any(lies_in(here.world, place, network) for network in here.cloud.tags[tag])
    return here.world.ask(("tag", tag, place), ("no", "short", "long")) != "no"


def route_tag_holds(here: Here, tag: str, place: Place) -> bool:
    """Whether a tag as the prefix of a route holds an address; Azure's tags hold public ones only."""
    return is_public(place) and service_tag_holds(here, tag, place)


def in_internet(here: Here, place: Place) -> bool:
    if place == WIRE_SERVER:  # old answers of Azure expand it into both tags
        return here.world.perhaps("internet", place)
    if not is_public(place) or in_virtual_network(here, place):
        return False
    if not isinstance(place, Somewhere) and within(place, LEFT_OUT):
        return here.world.perhaps("internet", place)
    return True


def in_virtual_network(here: Here, place: Place) -> bool:
    """`VirtualNetwork` at a NIC."""
    spaces = list(here.cloud.space(here.network))
    for peering in here.cloud.peerings(here.network):
        if peering.get("allowVirtualNetworkAccess", True):
            spaces += here.cloud.peer_space(peering)
    for gateway in gateways(here.cloud, here.network):
        spaces += learnt(here.cloud, gateway)
    if place == WIRE_SERVER or any(lies_in(here.world, place, space) for space in spaces):
        return True
    if any(_route_adds(here, route, place) for route in user_routes(here)):
        return True
    if unseen(here) and here.world.perhaps("space of", here.at.subnet, place):
        return True
    doubtful = [gateway for gateway in gateways(here.cloud, here.network) if learns_more(here.cloud, gateway)]
    return any(learns(here.world, gateway, place) != "no" for gateway in doubtful)


def unseen(here: Here) -> bool:
    """Whether the network of a NIC, or the route table of its subnet, is not in the estate."""
    table = low(here.subnet.get("routeTable"))
    return here.at.subnet not in here.cloud.subnets or bool(table and table not in here.cloud.kind("routetables"))


def learns(world: World, gateway: str, place: Place) -> str:
    """Whether a gateway with routes that nobody told learnt this address, and how exactly: `no`, `short` or `long`."""
    return world.ask(("learnt", gateway, place), ("no", "short", "long"))


def user_routes(here: Here) -> list[Json]:
    table = here.cloud.kind("routetables").get(low(here.subnet.get("routeTable")), {})
    return props(table).get("routes") or []


def _route_adds(here: Here, route: Json, place: Place) -> bool:
    """Whether a user-defined route makes its prefix a part of `VirtualNetwork`."""
    prefix, hop = props(route)["addressPrefix"], str(props(route)["nextHopType"]).lower()
    try:
        network = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return route_tag_holds(here, prefix.lower(), place) and here.world.perhaps("tag in VirtualNetwork", prefix)
    if not lies_in(here.world, place, network):
        return False
    if network.prefixlen == 0:
        return here.world.perhaps("default route in VirtualNetwork", here.at.subnet, network)
    return _adds(here, route, hop)


def _adds(here: Here, route: Json, hop: str) -> bool:
    return hop in SURE_HOPS or here.world.perhaps("route in VirtualNetwork", here.at.subnet, low(route["name"]))
