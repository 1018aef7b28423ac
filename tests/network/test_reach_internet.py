"""Out to the internet and in again: every way that Azure has, and the traps of each."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.estate import (
    BalancingRule,
    Estate,
    Frontend,
    Gateway,
    NatGateway,
)
from tests.network.builders import (
    A,
    B,
    C,
    ask,
    balancer,
    configuration,
    estate,
    network,
    nic,
    nsg,
    public_ip,
    rid,
    route,
    rule,
    small,
    subnet,
    subnet_id,
    table,
    told,
    vm,
)

OUTSIDE = "203.0.113.9"


def out(*parts: object, private: bool = False, table_name: str | None = None, **more: Any) -> Estate:
    home = network(
        "v", "10.0.0.0/16 fd00:1::/48", subnet("v/a", "10.0.1.0/24", None, table_name, private=private, **more)
    )
    return estate(home, nic("a", A, "v/a"), *parts)


ONPREM = "192.168.7.7"
POOL = rid("loadBalancers", "lb/backendAddressPools/pool")
FRONT = Frontend(rid("loadBalancers", "lb/frontendIPConfigurations/front"), public_ip=rid("publicIPAddresses", "pip"))
OUTBOUND = BalancingRule(rid("loadBalancers", "lb/outboundRules/out"), (FRONT.id,), pool=POOL)
MEMBER = nic("a", A, "v/a", pools=(POOL,))
NAT: dict[str, Any] = {"nat_gateway": rid("natGateways", "nat")}
OUT = [
    ("default outbound access", out(), "allowed", "default outbound access"),
    ("a private subnet", out(private=True), "denied", "private"),
    (
        "a public IP",
        out(nic("a", A, "v/a", public_ip=rid("publicIPAddresses", "pip")), private=True),
        "allowed",
        "public IP pip",
    ),
    (
        "a NAT gateway",
        out(NatGateway(rid("natGateways", "nat"), (rid("publicIPAddresses", "pip"),)), private=True, **NAT),
        "allowed",
        "NAT gateway nat",
    ),
    ("a NAT gateway without address", out(NatGateway(rid("natGateways", "nat")), **NAT), "denied", "no public address"),
    ("a NAT gateway that is not in the estate", out(**NAT), "unknown", "NAT gateway nat"),
    (
        "an outbound rule",
        out(MEMBER, balancer("lb", FRONT, outbound_rules=(OUTBOUND,)), private=True),
        "allowed",
        "load balancer lb",
    ),
    (
        "members of a Standard load balancer without a rule for it",
        out(MEMBER, replace(balancer("lb", FRONT), pools={POOL: ()})),
        "denied",
        "Standard load balancer",
    ),
    ("no way for IPv6", out(nic("a", "fd00:1::4", "v/a")), "denied", "IPv6"),
    ("to nowhere", out(table("rt", route("no", "0.0.0.0/0", "None")), table_name="rt"), "denied", "no"),
]


@pytest.mark.parametrize(("known", "verdict", "because"), [o[1:] for o in OUT], ids=[o[0] for o in OUT])
def test_out_to_the_internet(known: Estate, verdict: str, because: str) -> None:
    source = str(known.points[0].address)
    path = ask(known, source, "2001:4860:4860::8888" if ":" in source else "8.8.8.8")
    assert path.verdict == verdict
    assert because in told(path)[1]


def test_an_unknown_tag_in_a_route_leaves_public_addresses_open() -> None:
    known = out(table("rt", route("tag", "Mystery", "None")), table_name="rt")
    path = ask(known, A, "8.8.8.8")
    assert told(path)[0] == "unknown"
    assert "Mystery" in told(path)[1]


PIP = public_ip("pip", "20.1.2.3")
BASIC = public_ip("pip", "20.1.2.3", "Basic")
OPEN = nsg("nsg-a", rule("web", 100, "Allow", sources="Internet", ports="443"))
HAS_PIP = nic("a", A, "v/a", "nsg-a", public_ip=rid("publicIPAddresses", "pip"))
BARE = nic("a", A, "v/a", public_ip=rid("publicIPAddresses", "pip"))
IN = [
    ("open", out(HAS_PIP, PIP, OPEN), "20.1.2.3", 443, "allowed", "web"),
    ("by its private address", out(HAS_PIP, PIP, OPEN), A, 443, "allowed", "web"),
    ("another port", out(HAS_PIP, PIP, OPEN), "20.1.2.3", 22, "denied", "DenyAllInBound"),
    ("Standard without NSG", out(BARE, PIP), "20.1.2.3", 443, "denied", "Standard"),
    ("Basic without NSG", out(BARE, BASIC), "20.1.2.3", 443, "allowed", ""),
    ("SKU not known", out(BARE), A, 443, "unknown", "SKU"),
    ("an address that nothing uses", out(PIP), "20.1.2.3", 443, "unknown", "nothing in the estate uses"),
    (
        "the answer goes astray",
        out(
            HAS_PIP, PIP, OPEN, table("rt", route("fw", "0.0.0.0/0", "VirtualAppliance", "10.0.1.99")), table_name="rt"
        ),
        *("20.1.2.3", 443, "denied", "on the way back"),
    ),
    (
        "the answer goes through an appliance",
        out(
            *(HAS_PIP, PIP, OPEN, table("rt", route("fw", "0.0.0.0/0", "VirtualAppliance", "10.0.1.9"))),
            nic("nva", "10.0.1.9", "v/a", ip_forwarding=True),
            table_name="rt",
        ),
        *("20.1.2.3", 443, "denied", "the routes lead in a circle"),
    ),
]


@pytest.mark.parametrize(("known", "to", "port", "verdict", "because"), [i[1:] for i in IN], ids=[i[0] for i in IN])
def test_in_from_the_internet(known: Estate, to: str, port: int, verdict: str, because: str) -> None:
    path = ask(known, "198.51.100.7", to, port)
    assert path.verdict == verdict
    assert because in told(path)[1]


WEB = BalancingRule(rid("loadBalancers", "lb/loadBalancingRules/web"), (FRONT.id,), "Tcp", (443, 443), 8443, POOL)
NATTED = BalancingRule(
    rid("loadBalancers", "lb/inboundNatRules/ssh"),
    (FRONT.id,),
    "Tcp",
    (50022, 50022),
    22,
    target=rid("networkInterfaces", "a/ipConfigurations/ipconfig1"),
)
OPEN_8443 = nsg("nsg-a", rule("web", 100, "Allow", sources="Internet", ports="8443 22"))
POOLED = nic(
    "a", A, "v/a", "nsg-a", configurations=(replace(configuration(A, "v/a", pools=(POOL,)), id=NATTED.target),)
)


@pytest.mark.parametrize(
    ("to", "port", "verdict"),
    [
        ("20.1.2.3", 443, "allowed"),
        ("20.1.2.3", 8443, "denied"),
        ("20.1.2.3", 50022, "allowed"),
        (A, 8443, "allowed"),
        (A, 22, "allowed"),
        (A, 443, "denied"),
    ],
)
def test_a_public_load_balancer_translates_ports(to: str, port: int, verdict: str) -> None:
    known = out(POOLED, PIP, OPEN_8443, balancer("lb", FRONT, WEB, NATTED))
    assert told(ask(known, "198.51.100.7", to, port))[0] == verdict


INNER = Frontend(rid("loadBalancers", "ilb/frontendIPConfigurations/front"), "10.0.2.100", subnet_id("v/b"))


@pytest.mark.parametrize(
    ("port", "parts", "verdict"),
    [
        (443, (), "allowed"),
        (80, (), "denied"),
        (443, (vm("vm-b", "b", state="stopped"),), "denied"),
        (443, (nsg("nsg-b", rule("no", 100, ports="8443")),), "denied"),
    ],
)
def test_an_internal_load_balancer(port: int, parts: tuple[object, ...], verdict: str) -> None:
    web = replace(WEB, frontends=(INNER.id,))
    known = small(nic("b", B, "v/b", pools=(POOL,)), balancer("ilb", INNER, web), *parts)
    assert told(ask(known, A, "10.0.2.100", port))[0] == verdict


def test_members_that_fare_differently_are_not_known() -> None:
    web = replace(WEB, frontends=(INNER.id,))
    members = nic("b", B, "v/b", pools=(POOL,)), nic("c", C, "v/c", pools=(POOL,))
    known = small(*members, balancer("ilb", INNER, web), nsg("nsg-b", rule("no", 100, ports="8443")))
    path = ask(known, A, "10.0.2.100", 443)
    assert told(path)[0] == "unknown"
    assert "load balancer ilb chooses" in told(path)[1]


def test_a_public_address_of_the_estate_is_reached_from_inside() -> None:
    nat = NatGateway(rid("natGateways", "nat"), (rid("publicIPAddresses", "pip-nat"),))
    home = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", **NAT), subnet("v/b", "10.0.2.0/24", "nsg-b"))
    web = nic("b", B, "v/b", public_ip=rid("publicIPAddresses", "pip"))
    only = nsg("nsg-b", rule("partner", 100, "Allow", sources="20.9.9.9", ports="443"), rule("rest", 200))
    known = estate(home, nat, nic("a", A, "v/a"), web, PIP, public_ip("pip-nat", "20.9.9.9"), only)
    assert told(ask(known, A, "20.1.2.3"))[0] == "allowed"
    assert told(ask(known, A, B))[0] == "denied"


def test_with_floating_ip_rules_see_the_address_of_the_frontend() -> None:
    web = replace(WEB, frontends=(INNER.id,), floating=True)
    only = nsg("nsg-b", rule("front", 100, "Allow", destinations="10.0.2.100", ports="443"), rule("rest", 200))
    known = small(nic("b", B, "v/b", pools=(POOL,)), balancer("ilb", INNER, web), only)
    assert told(ask(known, A, "10.0.2.100", 443))[0] == "allowed"


@pytest.mark.parametrize(
    ("source", "port", "verdict"),
    [
        (ONPREM, 443, "unknown"),  # a gateway may lead there
        (ONPREM, 22, "denied"),  # the load balancer has no rule for it
        ("20.9.9.9", 443, "denied"),
    ],
)
def test_a_private_frontend_from_outside(source: str, port: int, verdict: str) -> None:
    web = replace(WEB, frontends=(INNER.id,))
    opened = nsg("nsg-b", rule("open", 100, "Allow"))
    gateway = Gateway(rid("virtualNetworkGateways", "gw"), subnet_id("v/GatewaySubnet"), "Vpn")
    known = small(nic("b", B, "v/b", pools=(POOL,)), balancer("ilb", INNER, web), opened, gateway)
    assert ask(known, source, "10.0.2.100", port).verdict == verdict


def test_a_private_frontend_that_two_networks_have() -> None:
    other = replace(INNER, id=rid("loadBalancers", "ilb2/frontendIPConfigurations/front"), subnet=subnet_id("w/b"))
    known = small(balancer("ilb", INNER), balancer("ilb2", other))
    with pytest.raises(ParseError, match=r"10\.0\.2\.100 is the address of several load balancers"):
        ask(known, ONPREM, "10.0.2.100", 443)


@pytest.mark.parametrize(("members", "verdict"), [(2, "allowed"), (1_001, "unknown")])
def test_ways_that_were_not_followed_are_not_known(members: int, verdict: str) -> None:
    web = replace(WEB, frontends=(INNER.id,))
    pool = [
        nic(f"m{number}", f"10.0.{4 + number // 250}.{4 + number % 250}", "v/m", pools=(POOL,))
        for number in range(members)
    ]
    home = network(
        "v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24"), subnet("v/b", "10.0.2.0/24"), subnet("v/m", "10.0.4.0/22")
    )
    known = estate(home, nic("a", A, "v/a"), *pool, balancer("ilb", INNER, web))
    assert ask(known, A, "10.0.2.100", 443).verdict == verdict
