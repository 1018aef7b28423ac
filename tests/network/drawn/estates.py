"""A small estate as bodies of GETs, and flows between what is in it and what is not."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tests.network.drawn.choices import Choices
from tests.network.drawn.machines import Drawn, machine, private_endpoint
from tests.network.drawn.networks import Network, body_of, gateway, local_gateways, networks
from tests.network.drawn.pools import LISTED, OUTSIDE, PLATFORM, PUBLIC, rid
from tests.network.drawn.rules import admin_rules, security_group
from tests.network.drawn.ways import balancer, effective_routes, firewall, nat_gateway, public_ips, route_table
from tests.network.interpreter.documents import Json, low

type Where = tuple[str, str]

# What an estate has more of: anything, appliances between peered networks, load balancers, rules.
THEMES = ("plain", "hub", "balancer", "rules")


@dataclass(frozen=True)
class Query:
    """A flow.

    Attributes:
        ports: of the source and of the destination.
        source_at, destination_at: ids of IP configurations, or empty.
    """

    source: str
    destination: str
    protocol: str
    ports: tuple[int | None, int | None]
    source_at: str = ""
    destination_at: str = ""


@dataclass
class Drawing:
    """Documents, and what flows are drawn from."""

    documents: list[Json]
    inside: list[Where]
    endpoints: list[Where]
    frontends: list[str]
    publics: list[str]
    theme: str = "plain"


def estate(c: Choices) -> Drawing:
    theme = c.of(THEMES)
    drawn = Drawn(
        networks(c, theme), theme, unassigned={v: [f"ip{v}{n}" for n in range(len(PUBLIC[v]))] for v in PUBLIC}
    )
    names = [rid("networkSecurityGroups", f"nsg{n}") for n in range(1 + c.number(2))]
    tables = [rid("routeTables", f"rt{n}") for n in range(2 if theme == "hub" else c.number(2))]
    drawn.groups = names
    drawn.pools = {
        f"{rid('loadBalancers', name)}/backendAddressPools/pool": c.of(drawn.networks).name
        for name in ("lb0", "lb1", *(["gone"] if c.chance(15) else []))
    }
    count = 2 if theme == "balancer" else c.number(2)
    documents = [doc for n in range(2 + c.number(2)) for doc in machine(c, drawn, n)]
    nats = [nat_gateway(c, drawn)] if c.chance(25) else []
    balancers = [balancer(c, drawn, name) for name in ("lb0", "lb1")[:count]]
    documents += list(private_endpoint(c, drawn)) if c.chance(25) else []
    frontends = [address for _, address in balancers if address]
    hops = [*_v4(drawn.configs), *frontends, "10.0.9.9", "10.77.0.1", "10.0.1.200"]
    hops = c.some(hops[:-3] or hops, 1, 2) if theme == "hub" else hops
    pools: Json = {
        "theme": theme,
        "groups": names,
        "tables": tables,
        "nats": [low(nat) for nat in nats] or ([rid("natGateways", "gone")] if c.chance(10) else []),
        "gateways": [network.name for network in drawn.networks if c.chance(30)],
        "peered": [{a.name, b.name} for a, b in combinations(_distinct(drawn.networks), 2) if c.chance(80)],
    }
    documents += [body_of(c, n, [o for o in drawn.networks if o != n], pools) for n in drawn.networks]
    documents += [doc for n in drawn.networks if n.name in pools["gateways"] for doc in gateway(c, n)]
    documents += [*nats, *(body for body, _ in balancers), *public_ips(c), *local_gateways(c)]
    documents += [security_group(c, name.rsplit("/", 1)[1], theme) for name in names]
    documents += [route_table(c, name.rsplit("/", 1)[1], hops, theme) for name in tables]
    documents += [firewall(c, "10.0.9.9")] if c.chance(30) else []
    documents += [admin_rules(c, n.id) for n in drawn.networks if c.chance(20)]
    documents += [{"changeNumber": 1, "values": list(_tags())}] if c.chance(85) else []
    documents = [document for document in documents if not _lost(c, document)]
    documents += [effective_routes(c, c.of(_nics(drawn)), c.of(drawn.networks).space, hops)] if c.chance(10) else []
    publics = [str(ip["properties"]["ipAddress"]) for ip in documents if ip.get("properties", {}).get("ipAddress")]
    return Drawing(documents, drawn.configs, drawn.endpoints, frontends, publics, theme)


def _distinct(networks: list[Network]) -> list[Network]:
    """Azure peers no network with two others that overlap."""
    return list({network.number: network for network in reversed(networks)}.values())[::-1]


def _v4(configs: list[Where]) -> Iterator[str]:
    return (address for _, address in configs if ":" not in address)


def _nics(drawn: Drawn) -> list[str]:
    return sorted({name.rsplit("/ipConfigurations/", 1)[0] for name, _ in drawn.configs})


def _tags() -> Iterator[Json]:
    return ({"name": name, "id": name, "properties": {"addressPrefixes": listed}} for name, listed in LISTED.items())


def _lost(c: Choices, document: Json) -> bool:
    """Whether a body is missing: an NSG that could not be read, a route table of another subscription, …"""
    kind = str(document.get("type", "")).lower().rsplit("/", 1)[-1]
    rare = {"networksecuritygroups": 10, "routetables": 10, "virtualnetworks": 5, "natgateways": 10, "loadbalancers": 8}
    return kind in rare and c.chance(rare[kind])


def query(c: Choices, drawing: Drawing) -> Query:
    """A flow of which at least one end is in the estate."""
    protocol = c.of(["Udp", "Icmp", "Esp"]) if c.chance(30) else "Tcp"
    ports: tuple[int | None, int | None] = (
        (50000, c.of([443, 80, 22, 53])) if protocol in {"Tcp", "Udp"} else (None, None)
    )
    if c.chance(50 if drawing.theme == "balancer" else 70):
        at, source = c.of(drawing.inside)
        return Query(source, c.of(_ends(drawing, source)), c.cased(protocol), ports, source_at=at)
    at, destination = c.of(_reachable(drawing))
    source = c.of(_outside(c, drawing, destination, at))
    return Query(source, destination, c.cased(protocol), ports, destination_at=at)


def _outside(c: Choices, drawing: Drawing, destination: str, destination_at: str) -> list[str]:
    """Addresses that nothing in the estate has; what is private comes to no public address."""
    version = ipaddress.ip_address(destination).version
    if destination_at and version == 4 and c.chance(15):
        return [PLATFORM[0]]
    known = {address for _, address in (*drawing.inside, *drawing.endpoints)}
    found = [text for text in OUTSIDE[version] if text not in known]
    return found if destination_at else [text for text in found if ipaddress.ip_address(text).is_global]


def _reachable(drawing: Drawing) -> list[Where]:
    """What is found from outside: endpoints, and public addresses."""
    weight = 4 if drawing.theme == "balancer" else 1
    return [*drawing.inside, *drawing.endpoints, *(("", address) for address in drawing.publics * weight)]


def _ends(drawing: Drawing, source: str) -> list[str]:
    version = ipaddress.ip_address(source).version
    inside = [address for _, address in (*drawing.inside, *drawing.endpoints)]
    weight = {"hub": 6, "rules": 1}.get(drawing.theme, 2)
    texts = [*inside * weight, *drawing.frontends, *drawing.publics, *OUTSIDE[4], *OUTSIDE[6], *PLATFORM]
    texts += PLATFORM * 4 if drawing.theme == "rules" else ()
    texts += [*drawing.frontends * 3, *drawing.publics] * 3 if drawing.theme == "balancer" else []
    return [text for text in texts if ipaddress.ip_address(text).version == version]
