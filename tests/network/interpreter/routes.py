"""Where a subnet sends an address."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from tests.network.interpreter.documents import Address, Cloud, Config, Json, Network, low, props, within
from tests.network.interpreter.gateways import gateways, learns_more, learnt
from tests.network.interpreter.tags import Here, Place, Somewhere, is_public, learns, lies_in, unseen, user_routes

RESERVED = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
EVERYTHING = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}
SERVICE_TAGS = {
    "microsoft.storage": "storage",
    "microsoft.storage.global": "storage",
    "microsoft.sql": "sql",
    "microsoft.keyvault": "azurekeyvault",
}
BEATS_LEARNT = ("vnetlocal", "vnetpeering", "virtualnetworkserviceendpoint")
SOURCES = ("default", "gateway", "user")
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Candidate:
    """A route that holds the address.

    Attributes:
        rank: among equal user prefixes the greater wins: an explicit one 4, a regional tag 3, a tag 2, AzureCloud less.
        network: where the address is delivered, for a peering.
    """

    prefix: Network
    source: str
    hop: str
    name: str
    addresses: tuple[str, ...] = ()
    network: str = ""
    rank: int = 4

    @property
    def order(self) -> tuple[int, int, int]:
        return self.prefix.prefixlen, SOURCES.index(self.source), self.rank


def next_hop(here: Here, place: Place) -> Candidate | None:
    """The route that an address takes out of the subnet of a NIC."""
    if here.at.nic in here.cloud.effective_routes:
        told = _told(here.cloud.effective_routes[here.at.nic], place)
        return _best([c for c in told if lies_in(here.world, place, c.prefix)])
    if unseen(here):
        network = here.at.subnet in here.cloud.subnets
        said = here.world.ask(("routes of", here.at.subnet, place), ("elsewhere", "no", "as known")[: 2 + network])
        if said == "elsewhere":
            return Candidate(EVERYTHING[place.version], "user", ELSEWHERE, "a route nobody knows")
        if said == "no":
            return None
    table = _table(here)
    found = [c for c in _defaults(here, place, table) if lies_in(here.world, place, c.prefix)]
    found += [*_user(here, place), *_learnt(here, place, table)]
    return _best(_without_overridden(here, found))


def _best(found: list[Candidate]) -> Candidate | None:
    """The longest prefix, by source where several are as long; learnt routes yield to the network's own space."""
    if any(c.source == "default" and c.hop in BEATS_LEARNT for c in found):
        found = [c for c in found if c.source != "gateway"]
    return max(found, key=lambda c: c.order, default=None)


def _told(routes: list[Json], place: Place) -> Iterator[Candidate]:
    for route in routes:
        if str(route.get("state", "")).lower() != "active":
            continue
        source = {"user": "user", "virtualnetworkgateway": "gateway"}.get(
            str(route.get("source", "")).lower(), "default"
        )
        for text in route.get("addressPrefix") or []:
            prefix = ipaddress.ip_network(text, strict=False)
            if prefix.version == place.version:
                hops = tuple(route.get("nextHopIpAddress") or ())
                hop = str(route["nextHopType"]).lower().replace("vnetglobalpeering", "vnetpeering")
                yield Candidate(prefix, source, hop, str(route.get("name")), hops)


def _table(here: Here) -> Json:
    """The properties of the subnet's route table; nothing where it has none."""
    return props(here.cloud.kind("routetables").get(low(here.subnet.get("routeTable")), {}))


def _defaults(here: Here, place: Place, table: Json) -> Iterator[Candidate]:
    space = here.cloud.space(here.network)
    for prefix in space:
        yield Candidate(prefix, "default", "vnetlocal", f"VnetLocal {prefix}", network=here.network)
    if place.version == 4 or any(prefix.version == 6 for prefix in space):
        yield Candidate(EVERYTHING[place.version], "default", "internet", "Internet")
    if str(table.get("disablePeeringRoute", "")).lower() != "all":
        for peering in here.cloud.peerings(here.network):
            for prefix in here.cloud.peer_space(peering):
                peer = low(peering["remoteVirtualNetwork"])
                yield Candidate(prefix, "default", "vnetpeering", f"VNetPeering {prefix}", network=peer)
    for block in RESERVED:
        if not any(prefix.version == 4 and block.subnet_of(prefix) for prefix in space):  # type: ignore[arg-type]
            yield Candidate(block, "default", "none", f"None {block}")
    yield from _endpoints(here, place)


def _endpoints(here: Here, place: Place) -> Iterator[Candidate]:
    for endpoint in here.subnet.get("serviceEndpoints") or []:
        tag = _tag_of(here, low(endpoint["service"]))
        for prefix in _tagged(here, tag, place):
            yield Candidate(prefix, "default", "virtualnetworkserviceendpoint", endpoint["service"])
    for config in here.cloud.configs:
        if is_endpoint(here.cloud, config) and config.network in here.cloud.neighbours(here.network):
            prefix = ipaddress.ip_network(config.address)
            yield Candidate(prefix, "default", "interfaceendpoint", f"endpoint {prefix}", network=config.network)


def _tag_of(here: Here, service: str) -> str:
    """The tag whose prefixes a service endpoint is for: Storage and Sql are reached in the network's own region."""
    tag = SERVICE_TAGS.get(service, service)
    region = str(here.cloud.kind("virtualnetworks").get(here.network, {}).get("location", "")).lower()
    return f"{tag}.{region}" if tag in {"storage", "sql"} and service != "microsoft.storage.global" else tag


def is_endpoint(cloud: Cloud, config: Config) -> bool:
    """Whether an IP configuration is a private endpoint's."""
    owned = {
        low(nic) for e in cloud.kind("privateendpoints").values() for nic in props(e).get("networkInterfaces") or []
    }
    return config.nic in owned or bool(props(cloud.kind("networkinterfaces")[config.nic]).get("privateEndpoint"))


def policies(cloud: Cloud, subnet: str, kind: str) -> bool:
    """Whether a subnet's network policies for private endpoints count NSGs or route tables (`kind`)."""
    said = str(props(cloud.subnets.get(subnet, {})).get("privateEndpointNetworkPolicies", "")).lower()
    return said in {"enabled", f"{kind}enabled"}


def _user(here: Here, place: Place) -> Iterator[Candidate]:
    for route in user_routes(here):
        body = props(route)
        name, hop = route["name"], str(body["nextHopType"]).lower()
        addresses = tuple((body.get("nextHop") or {}).get("nextHopIpAddresses") or [])
        addresses += (body["nextHopIpAddress"],) if body.get("nextHopIpAddress") else ()
        try:
            prefix = ipaddress.ip_network(body["addressPrefix"], strict=False)
        except ValueError:
            for prefix in _tagged(here, body["addressPrefix"].lower(), place):
                yield Candidate(prefix, "user", hop, name, addresses, rank=_rank(body["addressPrefix"].lower()))
            continue
        if lies_in(here.world, place, prefix):
            yield Candidate(prefix, "user", hop, name, addresses)


def _rank(tag: str) -> int:
    return (0 if tag.startswith("azurecloud") else 2) + ("." in tag)


def _tagged(here: Here, tag: str, place: Place) -> list[Network]:
    """The prefixes of a tag that hold an address; where nobody knows them, one that loses or one that wins."""
    if tag in here.cloud.tags:
        return [prefix for prefix in here.cloud.tags[tag] if lies_in(here.world, place, prefix)]
    if not is_public(place):  # Azure's tags hold public addresses only
        return []
    said = here.world.ask(("tag", tag, place), ("no", "short", "long"))
    return _guess(place, said, _narrowest(place).supernet(new_prefix=1))


def _guess(place: Place, said: str, short: Network) -> list[Network]:
    if said == "no":
        return []
    return [short] if said == "short" else [_narrowest(place)]


def _narrowest(place: Place) -> Network:
    if isinstance(place, Somewhere):
        return ipaddress.ip_network("8.8.8.8" if place.version == 4 else "2600::8")
    return ipaddress.ip_network(place)


def _learnt(here: Here, place: Place, table: Json) -> Iterator[Candidate]:
    if table.get("disableBgpRoutePropagation"):
        return
    for gateway in gateways(here.cloud, here.network):
        for prefix in learnt(here.cloud, gateway):
            if lies_in(here.world, place, prefix):
                yield Candidate(prefix, "gateway", "virtualnetworkgateway", f"learnt {prefix}")
        if learns_more(here.cloud, gateway):
            for prefix in _guess(place, learns(here.world, gateway, place), EVERYTHING[place.version]):
                yield Candidate(prefix, "gateway", "virtualnetworkgateway", f"learnt {prefix}")


def _without_overridden(here: Here, found: list[Candidate]) -> list[Candidate]:
    """Without the routes of private endpoints that a user route overrides."""
    users = [c for c in found if c.source == "user"]
    return [c for c in found if c.hop != "interfaceendpoint" or not users or not _overridden(here, c, users)]


def _overridden(here: Here, candidate: Candidate, users: list[Candidate]) -> bool:
    address = candidate.prefix.network_address
    owner = here.cloud.owner(address, [candidate.network])
    if owner is None or owner.subnet not in here.cloud.subnets:
        return here.world.perhaps("network policies", candidate.network)
    longest = _network_prefix(here.cloud, candidate.network, address)
    specific = any(c.prefix.prefixlen >= longest for c in users)
    return specific and policies(here.cloud, owner.subnet, "routetable")


def _network_prefix(cloud: Cloud, network: str, address: Address) -> int:
    return max((space.prefixlen for space in cloud.space(network) if within(address, [space])), default=0)
