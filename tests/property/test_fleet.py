"""A whole fleet at once says of every pair what `Reach` says of it, whatever an estate is made of."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.network.estate import (
    AdminRule,
    BalancingRule,
    Connection,
    EffectiveGroup,
    EffectiveRoute,
    Estate,
    Firewall,
    Frontend,
    Gateway,
    LoadBalancer,
    LocalGateway,
    NatGateway,
    VirtualNetwork,
)
from diagnostics.network.fleet import Service, all_pairs
from diagnostics.network.model import IpConfiguration, Nic, SecurityRule, Subnet
from diagnostics.network.reach import Reach
from diagnostics.network.security import Flow, Verdict
from diagnostics.network.tags import ServiceTags
from tests.network import builders as b

type Pick = Callable[[Sequence[Any]], Any]

SERVICES = (Service("Tcp", 22), Service("udp", 3389), Service("Icmp"), Service("Tcp"))

SPACES = {
    "a": "10.0.0.0/16 fd00:a::/48",
    "b": "10.1.0.0/16 2001:db8:b::/48",
    "c": "10.0.0.0/16",  # overlaps a, and has nothing to do with it
    "d": "20.0.0.0/16",  # public space used inside
}
SUBNETS = {
    "a/one": "10.0.1.0/24 fd00:a:0:1::/64",
    "a/two": "10.0.2.0/24 fd00:a:0:2::/64",
    "b/one": "10.1.1.0/24 2001:db8:b:1::/64",
    "b/GatewaySubnet": "10.1.2.0/24",
    "c/one": "10.0.1.0/24",
    "d/one": "20.0.1.0/24",
}
ADDRESSES = {
    "a/one": ("10.0.1.4", "10.0.1.5", "10.0.1.6", "fd00:a:0:1::4"),
    "a/two": ("10.0.2.4", "10.0.2.5", "fd00:a:0:2::4"),
    "b/one": ("10.1.1.4", "10.1.1.5", "2001:db8:b:1::4"),
    "b/GatewaySubnet": ("10.1.2.4",),
    "c/one": ("10.0.1.4", "10.0.1.6", "10.0.1.7"),
    "d/one": ("20.0.1.4", "20.0.1.5", "168.63.129.16"),  # the platform's own, where nobody should put a NIC
    "x/gone": ("10.9.0.4", "10.0.1.9"),  # of a network that is not in the estate
}
PREFIXES = (
    "*",
    "VirtualNetwork",
    "virtualnetwork",
    "Internet",
    "AzureLoadBalancer",
    "Listed",
    "Unlisted",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.1.0/24",
    "10.0.1.4",
    "10.0.1.5-10.0.1.6",
    "10.1.0.0/16",
    "20.0.0.0/8",
    "fd00:a::/32",
    "2001:db8:b:1::4/128",
    "20.0.1.4",
)
HOPS = ("10.0.1.4", "10.0.2.5", "10.1.1.5", "10.0.2.77", "10.0.1.250", "10.0.2.100", "192.0.2.9", "fd00:a:0:1::4")
HOP_TYPES = ("VirtualAppliance", "VirtualAppliance", "VnetLocal", "Internet", "None", "VirtualNetworkGateway", "Odd")
NSGS = ("n1", "n2", "gone", None)
TABLES = ("t1", "t2", "gone", None, None)
PUBLIC_IPS = ("p1", "p2", "gone")
YES_NO = (True, False)


def some(pick: Pick, options: Sequence[Any], most: int) -> list[Any]:
    return [pick(options) for _ in range(pick(range(most + 1)))]


def groups(pick: Pick) -> tuple[Any, ...]:
    return tuple(b.rid("applicationSecurityGroups", name) for name in some(pick, ("g1", "g2", "g3"), 1))


def rule(pick: Pick, number: int, accesses: Sequence[str] = ("Allow", "Deny")) -> SecurityRule:
    sources, destinations = some(pick, PREFIXES, 2), some(pick, PREFIXES, 2)
    return b.rule(
        f"r{number}",
        pick((100, 110, 120, 130)),
        pick(accesses),
        pick(("Inbound", "Outbound")),
        protocol=pick(("*", "Tcp", "TCP", "Udp", "Icmp", "Any")),
        sources=tuple(sources),
        destinations=tuple(destinations),
        source_groups=groups(pick),
        destination_groups=groups(pick),
        source_ports=pick((("*",), ("*",), ("1000-2000",))),
        ports=pick((("*",), ("22",), ("22-3389",), ("443",), ("odd",))),
    )


def rules(pick: Pick, most: int = 5) -> tuple[SecurityRule, ...]:
    return tuple(rule(pick, number) for number in range(pick(range(most + 1))))


def subnets(pick: Pick, network: str) -> Iterator[Subnet]:
    for path, prefixes in SUBNETS.items():
        if path.startswith(f"{network}/") and pick((True, True, True, False)):
            yield b.subnet(
                path,
                prefixes,
                pick(NSGS),
                pick(TABLES),
                private=pick(YES_NO),
                nat_gateway=pick((None, None, b.rid("natGateways", "nat"))),
                service_endpoints=pick(((), (), ("Microsoft.Storage",), ("Microsoft.Listed",))),
                endpoint_policies=pick(("", "Disabled", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled")),
                occupied=pick(YES_NO),
            )


def networks(pick: Pick) -> Iterator[VirtualNetwork]:
    for name, prefixes in SPACES.items():
        remotes = {"a": ("b", "b", "gone"), "b": ("a", "a", "d"), "d": ("b",)}.get(name, ("a",))
        peerings = [
            b.peering(
                remote,
                SPACES.get(remote, "10.9.0.0/16"),
                pick(("Connected", "Connected", "Initiated")),
                allows_access=pick(YES_NO),
                allows_forwarded=pick(YES_NO),
                allows_gateway_transit=pick(YES_NO),
                uses_remote_gateways=pick(YES_NO),
            )
            for remote in dict.fromkeys(some(pick, remotes, 2))
        ]
        if pick((True, True, True, True, False)):
            yield b.network(name, prefixes, *subnets(pick, name), peerings=peerings)


def configurations(pick: Pick) -> tuple[IpConfiguration, ...]:
    where = pick(tuple(ADDRESSES))
    return tuple(
        b.configuration(
            address,
            where,
            f"ipconfig{number}",
            primary=number == 0,
            public_ip=pick((None, None, b.rid("publicIPAddresses", pick(PUBLIC_IPS)))),
            security_groups=groups(pick),
            pools=tuple(b.rid("loadBalancers", f"lb/backendAddressPools/{name}") for name in some(pick, ("k1",), 1)),
        )
        for number, address in enumerate(dict.fromkeys((pick(ADDRESSES[where]), *some(pick, ADDRESSES[where], 2))))
    )


def nics(pick: Pick) -> Iterator[Nic]:
    for number in range(pick(range(2, 8))):
        yield b.nic(
            f"nic{number}",
            "",
            "a/one",
            pick(("n1", "n2", "lost", None)),
            vm=pick((f"vm{number}", f"vm{number}", "vm0", None)),
            primary=pick((True, True, True, False, None)),
            configurations=configurations(pick),
            ip_forwarding=pick((True, True, False)),
            private_endpoint=pick((None, None, None, b.rid("privateEndpoints", "pe"))),
        )


def tables(pick: Pick) -> Iterator[Any]:
    for name in ("t1", "t2"):
        routes = [
            b.route(
                f"route{number}",
                pick((*PREFIXES[5:], "10.0.2.0/24", "10.0.1.4/32")),
                leads := pick(HOP_TYPES),
                pick((*HOPS, *HOPS, "")) if leads == "VirtualAppliance" else "",
                next_hop_addresses=tuple(some(pick, HOPS, 1)) if leads == "VirtualAppliance" else (),
            )
            for number in range(pick(range(5)))
        ]
        yield b.table(name, *routes, propagates=pick(YES_NO), peerings=pick(YES_NO))


def balancers(pick: Pick) -> Iterator[Any]:
    if pick(YES_NO):
        home = b.rid("loadBalancers", "lb")
        front = Frontend(
            b.rid("loadBalancers", "lb/frontendIPConfigurations/f"),
            pick(("10.0.2.100", "10.0.1.4", None)),
            pick((b.subnet_id("a/two"), b.subnet_id("c/one"))),
            pick((None, b.rid("publicIPAddresses", "p2"))),
        )
        pool = b.rid("loadBalancers", "lb/backendAddressPools/k1")
        found = [
            BalancingRule(
                home,
                (front.id,),
                pick(("All", "Tcp")),
                pick(((0, 0), (22, 22))),
                pick((0, 3389)),
                pool,
                snat=pick(YES_NO),
            )
            for _ in range(pick(range(3)))
        ]
        listed = {pool: (b.rid("networkInterfaces", "gone/ipConfigurations/i"),)} if pick((True, False, False)) else {}
        sku = pick(("Standard", "Basic", ""))
        yield LoadBalancer(home, sku, (front,), pools={pool: ()}, listed=listed, rules=tuple(found))


def gateways(pick: Pick) -> Iterator[Any]:
    gateway, local = b.rid("virtualNetworkGateways", "gw"), b.rid("localNetworkGateways", "local")
    if pick(YES_NO):
        yield Gateway(gateway, b.subnet_id("b/GatewaySubnet"), pick(("Vpn", "ExpressRoute")), bgp=pick(YES_NO))
    if pick(YES_NO):
        yield LocalGateway(local, tuple(some(pick, ("10.0.1.0/25", "192.168.0.0/16", "10.1.1.4/32"), 2)))
    yield Connection(b.rid("connections", "c"), gateway, local, bgp=pick((True, False, False)))


def admin_rules(pick: Pick) -> Iterator[AdminRule]:
    for number in range(pick((0, 0, 0, 1, 3))):
        where = frozenset(b.rid("virtualNetworks", name) for name in some(pick, tuple(SPACES), 2))
        found = rule(pick, number, ("Allow", "Deny", "AlwaysAllow"))
        perhaps = frozenset(b.rid("virtualNetworks", name) for name in some(pick, tuple(SPACES), 1))
        yield AdminRule(b.rid("networkManagers", f"m/rules/{number}"), found, where, perhaps)


def told_routes(pick: Pick) -> tuple[EffectiveRoute, ...]:
    return tuple(
        EffectiveRoute(
            f"e{number}",
            pick(("Default", "User", "VirtualNetworkGateway")),
            pick((True, True, False)),
            (pick(("10.0.0.0/16", "0.0.0.0/0", "10.1.0.0/16", "10.0.1.4/32", "::/0")),),
            kind := pick((*HOP_TYPES, "VNetPeering", "InterfaceEndpoint")),
            tuple(some(pick, HOPS, 2)) if kind == "VirtualAppliance" else (),
        )
        for number in range(pick(range(4)))
    )


def told_groups(pick: Pick) -> tuple[EffectiveGroup, ...]:
    tags = {
        tag: (pick(("10.0.0.0/8", "20.0.0.0/8", "fd00::/8")),)
        for tag in some(pick, ("VirtualNetwork", "Internet", "Unlisted", "Listed"), 2)
    }
    return tuple(
        EffectiveGroup(b.nsg_id(pick(("n1", "told"))), rules(pick), tags, on_subnet=on_subnet)
        for on_subnet in dict.fromkeys(some(pick, YES_NO, 2))
    )


def an_estate(pick: Pick) -> Estate:
    found = list(nics(pick))
    vms = [
        b.vm(f"vm{number}", *names, state=pick(("running", "running", "running", "deallocated", None)))
        for number in range(pick(range(5)))
        if (names := (f"nic{number}", *some(pick, ("nic1", "nic2", "nic9"), 1)))
    ]
    return b.estate(
        *networks(pick),
        *found,
        *vms,
        *(b.nsg(name, *rules(pick)) for name in ("n1", "n2")),
        *tables(pick),
        *balancers(pick),
        *gateways(pick),
        *admin_rules(pick),
        b.public_ip("p1", pick(("20.0.1.4", "51.0.0.1"))),
        b.public_ip("p2", pick(("51.0.0.2", None)), pick(("Standard", "Basic", ""))),
        *([NatGateway(b.rid("natGateways", "nat"), (b.rid("publicIPAddresses", "p1"),))] if pick(YES_NO) else []),
        *([Firewall(b.rid("azureFirewalls", "fw"), (pick(HOPS),))] if pick((True, False, False)) else []),
        effective_routes={nic.id: told_routes(pick) for nic in found if pick((True, *[False] * 5))},
        effective_groups={nic.id: told_groups(pick) for nic in found if pick((True, *[False] * 5))},
        service_tags=ServiceTags({"listed": ("10.0.1.4/31", "20.0.0.0/24"), "storage.westeurope": ("20.0.1.5/32",)}),
    )


def disagreements(estate: Estate) -> Iterator[str]:
    fleet, engine = all_pairs(estate, SERVICES), Reach(estate)
    for service in SERVICES:
        told: Counter[Verdict] = Counter()
        for one, other in product(fleet.points, repeat=2):
            assert one.address
            assert other.address
            if one.address.version == other.address.version:
                flow = Flow(one.address, other.address, *service)
                expected = engine.path(flow, source=one, destination=other).verdict
                found = fleet.verdict(one, other, service)
                told[expected] += 1
                if found is not expected:
                    ends = f"{one.nic.id.name} {one.address} to {other.nic.id.name} {other.address}"
                    yield f"{service} {ends}: {found}, not {expected}"
        counted = fleet.count(service)
        if counted != {verdict: told[verdict] for verdict in Verdict}:
            yield f"{service}: counted {counted}, not {dict(told)}"


@settings(deadline=None, max_examples=18, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_pair_fares_as_reach_says(data: st.DataObject) -> None:
    estate = an_estate(lambda options: data.draw(st.sampled_from(list(options))))
    assert list(disagreements(estate)) == []
