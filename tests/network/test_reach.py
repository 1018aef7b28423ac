"""The traps, one by one: what a network engineer would try."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.estate import (
    BalancingRule,
    Connection,
    Estate,
    Firewall,
    Frontend,
    Gateway,
    LocalGateway,
    NatGateway,
)
from diagnostics.network.model import Route
from diagnostics.network.path import Path
from diagnostics.network.reach import reach
from tests.network.builders import (
    admin,
    ask,
    balancer,
    configuration,
    estate,
    flow,
    network,
    nic,
    nsg,
    peering,
    point,
    public_ip,
    rid,
    route,
    rule,
    subnet,
    subnet_id,
    table,
    vm,
)

A, B, C = "10.0.1.4", "10.0.2.4", "10.0.3.4"
NVA = "10.0.9.4"
OUTSIDE = "203.0.113.9"


def small(*parts: object, a: str | None = None, b: str | None = None, nva: str | None = None) -> Estate:
    """A network of subnets a, b, c and one for appliances; route tables by name."""
    subnets = (
        subnet("v/a", "10.0.1.0/24", "nsg-a", a),
        subnet("v/b", "10.0.2.0/24", "nsg-b", b),
        subnet("v/c", "10.0.3.0/24"),
        subnet("v/nva", "10.0.9.0/24", None, nva),
    )
    nics = (nic("a", A, "v/a"), nic("b", B, "v/b"), nic("c", C, "v/c"), nic("nva", NVA, "v/nva", ip_forwarding=True))
    groups = nsg("nsg-a"), nsg("nsg-b")
    return estate(network("v", "10.0.0.0/16", *subnets), *nics, *groups, vm("vm-nva", "nva"), *parts)


def told(path: Path) -> tuple[str, str]:
    """Verdict, and what decides."""
    return path.verdict, " | ".join(reason.text for reason in path.because)


RULES = [
    ("nothing in the way", (), A, B, 443, "allowed", "AllowVnetInBound"),
    ("a rule", (nsg("nsg-b", rule("deny-rdp", 100, ports="3389", protocol="tcp")),), A, B, 3389, "denied", "deny-rdp"),
    ("another port", (nsg("nsg-b", rule("deny-rdp", 100, ports="3389")),), A, B, 443, "allowed", "AllowVnetInBound"),
    ("plural ports", (nsg("nsg-b", rule("no", 100, ports="22 3000-4000")),), A, B, 3389, "denied", "no"),
    ("priority, not order", (nsg("nsg-b", rule("no", 200), rule("yes", 100, "Allow")),), A, B, 443, "allowed", "yes"),
    ("outbound", (nsg("nsg-a", rule("no", 100, direction="Outbound", ports="443")),), A, B, 443, "denied", "out of a"),
    ("case", (nsg("NSG-B", rule("no", 100, "DENY", "inbound", protocol="TCP")),), A, B, 443, "denied", "no"),
    (
        "both ends",
        (nsg("nsg-a", rule("no-out", 100, direction="Outbound")), nsg("nsg-b", rule("no-in", 100))),
        *(A, B, 443, "denied", "no-out"),
    ),
    ("icmp has no port", (nsg("nsg-b", rule("no", 100, ports="22", protocol="Icmp")),), A, B, None, "denied", "no"),
    ("an unknown tag", (nsg("nsg-b", rule("no", 100, sources="Mystery")),), A, B, 443, "unknown", "Mystery"),
    (
        "an unknown tag that makes no difference",
        (nsg("nsg-b", rule("yes", 100, "Allow", sources="Mystery")),),
        *(A, B, 443, "allowed", "AllowVnetInBound"),
    ),
    ("a range that is none", (nsg("nsg-b", rule("odd", 100, ports="https")),), A, B, 443, "unknown", "https"),
    ("junk for a prefix", (nsg("nsg-b", rule("odd", 100, sources="789")),), A, B, 443, "unknown", "789"),
    ("no such group read", (), A, "10.0.4.4", 443, "unknown", "nsg-secret"),
    ("the default group of rules closes", (), OUTSIDE, B, 443, "denied", "no public address"),
    (
        "to Azure's own DNS",
        (nsg("nsg-a", rule("no", 100, direction="Outbound")),),
        A,
        "168.63.129.16",
        53,
        "allowed",
        "",
    ),
    (
        "the platform's tag",
        (nsg("nsg-a", rule("no-dns", 100, direction="Outbound", destinations="AzurePlatformDNS")),),
        *(A, "168.63.129.16", 53, "denied", "no-dns"),
    ),
    (
        "the platform's tag says nothing of other ports",
        (nsg("nsg-a", rule("no-dns", 100, direction="Outbound", destinations="azureplatformdns")),),
        *(A, "168.63.129.16", 80, "allowed", ""),
    ),
    ("a probe", (), "168.63.129.16", B, 443, "allowed", "AllowVnetInBound"),
    (
        "a probe that is cut",
        (nsg("nsg-b", rule("no", 100, sources="AzureLoadBalancer")),),
        *("168.63.129.16", B, 443, "denied", "no"),
    ),
]


@pytest.mark.parametrize(
    ("parts", "source", "destination", "port", "verdict", "because"), [r[1:] for r in RULES], ids=[r[0] for r in RULES]
)
def test_rules(  # noqa: PLR0917
    parts: tuple[object, ...], source: str, destination: str, port: int, verdict: str, because: str
) -> None:
    extra = nic("d", "10.0.4.4", "v/c", "nsg-secret")
    path = ask(small(extra, *parts), source, destination, port, "Tcp" if port else "Icmp")
    assert path.verdict == verdict
    assert because in told(path)[1]


def test_every_rule_that_denies_is_told() -> None:
    known = small(nsg("nsg-a", rule("no-out", 100, direction="Outbound")), nsg("nsg-b", rule("no-in", 100)))
    assert [reason.name for reason in ask(known, A, B).because] == ["no-out", "no-in"]


def test_within_a_subnet_both_ends_are_filtered() -> None:
    near = nic("a2", "10.0.1.5", "v/a")
    known = small(near, nsg("nsg-a", rule("apart", 100, sources="10.0.1.0/24", destinations="10.0.1.0/24")))
    assert told(ask(known, A, "10.0.1.5"))[0] == "denied"


def test_subnet_and_nic_must_both_allow() -> None:
    guarded = nic("b", B, "v/b", "nsg-nic")
    opened = nsg("nsg-b", rule("open", 100, "Allow", ports="443"))
    closed = nsg("nsg-nic", rule("closed", 100, ports="443"))
    path = ask(small(guarded, opened, closed), A, B)
    assert told(path)[0] == "denied"
    assert [reason.resource for reason in path.because] == [rid("networkSecurityGroups", "nsg-nic")]


ADMIN = [
    ("deny ends it", [admin("r", 1, "Deny", "v")], "denied"),
    ("allow hands on", [admin("r", 1, "Allow", "v")], "denied"),
    ("always allow goes past the NSGs", [admin("r", 1, "AlwaysAllow", "v")], "allowed"),
    ("the stronger one", [admin("r", 2, "Deny", "v"), admin("s", 1, "AlwaysAllow", "v")], "allowed"),
    ("of another network", [admin("r", 1, "AlwaysAllow", "elsewhere")], "denied"),
    ("of another port", [admin("r", 1, "AlwaysAllow", "v", ports="22")], "denied"),
    ("whether it matches is not known", [admin("r", 1, "AlwaysAllow", "v", sources="Mystery")], "unknown"),
    ("not known, and the same either way", [admin("r", 1, "Deny", "v", sources="Mystery")], "denied"),
]


@pytest.mark.parametrize(("rules", "verdict"), [a[1:] for a in ADMIN], ids=[a[0] for a in ADMIN])
def test_admin_rules(rules: list[object], verdict: str) -> None:
    known = small(nsg("nsg-b", rule("closed", 100)), *rules)
    assert ask(known, A, B).verdict == verdict


def test_application_security_groups_are_their_members() -> None:
    web = rid("applicationSecurityGroups", "WEB")
    known = small(
        nic("a", A, "v/a", security_groups=(rid("applicationSecurityGroups", "web"),)),
        nsg("nsg-b", rule("web", 100, "Allow", sources=(), source_groups=(web,)), rule("rest", 200)),
    )
    assert ask(known, A, B).verdict == "allowed"
    assert ask(known, C, B).verdict == "denied"


ROUTES = [
    ("none", [route("hole", "10.0.2.0/24", "None")], "denied", "hole"),
    ("an appliance", [route("via", "10.0.2.0/24", "VirtualAppliance", NVA)], "unknown", "depends on vm-nva"),
    ("an appliance, in lower case", [route("via", "10.0.2.0/24", "virtualappliance", NVA)], "unknown", "vm-nva"),
    ("nobody there", [route("via", "10.0.2.0/24", "VirtualAppliance", "10.0.9.77")], "denied", "does not exist"),
    ("not in the estate", [route("via", "10.0.2.0/24", "VirtualAppliance", "10.9.9.9")], "unknown", "10.9.9.9"),
    ("no forwarding", [route("via", "10.0.2.0/24", "VirtualAppliance", C)], "denied", "IP forwarding is off"),
    (
        "a gateway that is not there",
        [route("g", "10.0.2.0/24", "VirtualNetworkGateway")],
        "denied",
        "no virtual network",
    ),
    ("a private address to the internet", [route("i", "10.0.2.0/24", "Internet")], "denied", "private address"),
    ("a shorter prefix", [route("hole", "10.0.0.0/8", "None")], "allowed", "AllowVnetInBound"),
    ("the same prefix", [route("hole", "10.0.0.0/16", "None")], "denied", "hole"),
    ("two halves", [route("h", "0.0.0.0/1", "None"), route("i", "128.0.0.0/1", "None")], "allowed", "AllowVnet"),
    ("host bits", [route("hole", "10.0.2.4/24", "None")], "denied", "hole"),
    ("an unknown kind", [route("odd", "10.0.2.0/24", "Wormhole")], "unknown", "Wormhole"),
    ("an unknown tag is public", [route("tag", "Mystery", "None")], "allowed", "AllowVnetInBound"),
    ("junk for a prefix", [route("odd", "789", "None")], "unknown", "789"),
]


@pytest.mark.parametrize(("routes", "verdict", "because"), [r[1:] for r in ROUTES], ids=[r[0] for r in ROUTES])
def test_routes(routes: list[Route], verdict: str, because: str) -> None:
    known = small(table("rt", *routes), a="rt")
    assert ask(known, A, B).verdict == verdict
    assert because in told(ask(known, A, B))[1]


def test_the_way_back_counts() -> None:
    known = small(table("rt", route("hole", "10.0.1.0/24", "None")), b="rt")
    path = ask(known, A, B)
    assert told(path)[0] == "denied"
    assert "on the way back" in told(path)[1]
    assert path.back is not None
    assert path.back.verdict == "denied"


def test_an_appliance_on_both_ways_is_symmetric() -> None:
    tables = [
        table("there", route("x", "10.0.2.0/24", "VirtualAppliance", NVA)),
        table("back", route("y", "10.0.1.0/24", "VirtualAppliance", NVA)),
    ]
    both, one = told(ask(small(*tables, a="there", b="back"), A, B)), told(ask(small(*tables, a="there"), A, B))
    assert both[0] == one[0] == "unknown"
    assert "asymmetric" not in both[1]
    assert "asymmetric" in one[1]


APPLIANCES = [
    ("off", [vm("vm-nva", "nva", state="deallocated")], "denied", "does not run"),
    ("state not known", [vm("vm-nva", "nva", state=None)], "unknown", "depends on vm-nva"),
    (
        "leads back to itself",
        [table("on", route("x", "10.0.2.0/24", "VirtualAppliance", NVA))],
        "denied",
        "in a circle",
    ),
    ("drops it", [table("on", route("x", "10.0.2.0/24", "None"))], "denied", "drops it"),
    (
        "another interface leads on",
        [
            table("on", route("x", "10.0.2.0/24", "None")),
            nic("nva2", "10.0.3.9", "v/c", vm="vm-nva", primary=False, ip_forwarding=True),
            vm("vm-nva", "nva", "nva2"),
        ],
        "unknown",
        "interface by which vm-nva",
    ),
]


@pytest.mark.parametrize(("parts", "verdict", "because"), [a[1:] for a in APPLIANCES], ids=[a[0] for a in APPLIANCES])
def test_appliances(parts: list[object], verdict: str, because: str) -> None:
    via = table("rt", route("via", "10.0.2.0/24", "VirtualAppliance", NVA))
    path = ask(small(via, table("on"), *parts, a="rt", nva="on"), A, B)
    assert path.verdict == verdict
    assert because in told(path)[1]


def test_an_appliance_may_have_an_interface_that_is_not_in_the_estate() -> None:
    via, on = (
        table("rt", route("via", "10.0.2.0/24", "VirtualAppliance", NVA)),
        table("on", route("x", "10.0.2.0/24", "None")),
    )
    path = ask(small(via, on, vm("vm-nva", "nva", "elsewhere"), a="rt", nva="on"), A, B)
    assert path.verdict == "unknown"


def test_with_floating_ip_rules_see_the_address_of_the_frontend() -> None:
    web = replace(WEB, frontends=(INNER.id,), floating=True)
    only = nsg("nsg-b", rule("front", 100, "Allow", destinations="10.0.2.100", ports="443"), rule("rest", 200))
    known = small(nic("b", B, "v/b", pools=(POOL,)), balancer("ilb", INNER, web), only)
    assert told(ask(known, A, "10.0.2.100", 443))[0] == "allowed"


def test_an_appliance_is_behind_its_own_rules() -> None:
    via = table("rt", route("via", "10.0.2.0/24", "VirtualAppliance", NVA))
    guarded = nic("nva", NVA, "v/nva", "nsg-nva", ip_forwarding=True)
    path = ask(small(via, guarded, nsg("nsg-nva", rule("no-transit", 100, destinations="10.0.2.0/24")), a="rt"), A, B)
    assert told(path)[0] == "denied"
    assert "no-transit" in told(path)[1]


def test_equal_next_hops_that_end_differently_are_not_known() -> None:
    ecmp = table("rt", route("e", "10.0.2.0/24", "VirtualApplianceEcmp", next_hop_addresses=(NVA, "10.0.9.77")))
    path = ask(small(ecmp, a="rt"), A, B)
    assert told(path)[0] == "unknown"
    assert "equal next hops" in told(path)[1]
    assert any(hop.type == "VirtualAppliance" for hop in path.hops)


def test_a_firewall_is_not_seen_through() -> None:
    via = table("rt", route("via", "0.0.0.0/0", "VirtualAppliance", "10.0.9.68"))
    known = small(via, Firewall(rid("azureFirewalls", "fw-hub"), ("10.0.9.68",)), a="rt")
    assert told(ask(known, A, OUTSIDE)) == (
        "unknown",
        "it passes Azure Firewall fw-hub, whose own rules are not seen here: depends on Azure Firewall fw-hub",
    )


def peered(there: dict[str, Any], back: dict[str, Any] | None = None, *parts: object) -> Estate:
    back = there if back is None else back
    one = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24"), peerings=[peering("w", "10.1.0.0/16", **there)])
    two = network(
        "w", "10.1.0.0/16", subnet("w/b", "10.1.1.0/24", "nsg-w"), peerings=[peering("v", "10.0.0.0/16", **back)]
    )
    return estate(one, two, nic("a", A, "v/a"), nic("b", "10.1.1.4", "w/b"), nsg("nsg-w"), *parts)


PEERINGS = [
    ("connected", {}, None, "allowed", "AllowVnetInBound"),
    ("disconnected", {"state": "Disconnected"}, None, "denied", "drops it"),
    ("half", {"state": "Initiated"}, {"state": "Initiated"}, "denied", ""),
    ("without access", {"allows_access": False}, None, "denied", "DenyAllInBound"),
    ("access from one side", {}, {"allows_access": False}, "denied", "DenyAllInBound"),
]


@pytest.mark.parametrize(
    ("there", "back", "verdict", "because"), [p[1:] for p in PEERINGS], ids=[p[0] for p in PEERINGS]
)
def test_peerings(there: dict[str, Any], back: dict[str, Any] | None, verdict: str, because: str) -> None:
    path = ask(peered(there, back), A, "10.1.1.4")
    assert path.verdict == verdict
    assert because in told(path)[1]


@pytest.mark.parametrize(("forwarded", "verdict"), [(True, "unknown"), (False, "denied")])
def test_a_peering_may_refuse_what_an_appliance_forwards(forwarded: bool, verdict: str) -> None:  # noqa: FBT001
    spoke1 = network(
        "s1",
        "10.1.0.0/16",
        subnet("s1/a", "10.1.1.0/24", None, "rt"),
        peerings=[peering("hub", "10.0.0.0/16", allows_forwarded=True)],
    )
    spoke2 = network(
        "s2",
        "10.2.0.0/16",
        subnet("s2/b", "10.2.1.0/24", None, "rt"),
        peerings=[peering("hub", "10.0.0.0/16", allows_forwarded=forwarded)],
    )
    to_spokes = [peering("s1", "10.1.0.0/16"), peering("s2", "10.2.0.0/16")]
    hub = network("hub", "10.0.0.0/16", subnet("hub/nva", "10.0.9.0/24"), peerings=to_spokes)
    via = table("rt", route("via", "10.0.0.0/8", "VirtualAppliance", NVA))
    nics = [nic("a", "10.1.1.4", "s1/a"), nic("b", "10.2.1.4", "s2/b"), nic("nva", NVA, "hub/nva", ip_forwarding=True)]
    path = ask(estate(spoke1, spoke2, hub, via, *nics, vm("vm-nva", "nva")), "10.1.1.4", "10.2.1.4")
    assert path.verdict == verdict


def test_spokes_do_not_reach_each_other_through_a_hub() -> None:
    spoke1 = network("s1", "10.1.0.0/16", subnet("s1/a", "10.1.1.0/24"), peerings=[peering("hub", "10.0.0.0/16")])
    spoke2 = network("s2", "10.2.0.0/16", subnet("s2/b", "10.2.1.0/24"), peerings=[peering("hub", "10.0.0.0/16")])
    known = estate(spoke1, spoke2, nic("a", "10.1.1.4", "s1/a"), nic("b", "10.2.1.4", "s2/b"))
    assert told(ask(known, "10.1.1.4", "10.2.1.4"))[0] == "denied"


def out(*parts: object, private: bool = False, table_name: str | None = None, **more: Any) -> Estate:
    home = network(
        "v", "10.0.0.0/16 fd00:1::/48", subnet("v/a", "10.0.1.0/24", None, table_name, private=private, **more)
    )
    return estate(home, nic("a", A, "v/a"), *parts)


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


def test_a_secondary_nic_depends_on_its_guest() -> None:
    known = small(nic("b2", "10.0.2.9", "v/b", vm="vm-b", primary=False), vm("vm-b", "b", "b2"))
    assert told(ask(known, A, "10.0.2.9"))[0] == "unknown"
    assert told(ask(known, B, "10.0.2.9"))[0] == "allowed"
    assert "secondary NIC" in told(ask(known, A, "10.0.2.9"))[1]


def test_every_ip_configuration_is_an_endpoint() -> None:
    three = tuple(configuration(f"10.0.2.{n}", "v/b", f"ip{n}", primary=n == 4) for n in (4, 5, 6))
    known = small(nic("b", B, "v/b", configurations=three), nsg("nsg-b", rule("no", 100, destinations="10.0.2.5")))
    assert [told(ask(known, A, f"10.0.2.{n}"))[0] for n in (4, 5, 6)] == ["allowed", "denied", "allowed"]


@pytest.mark.parametrize("which", ["vm-a", "vm-b"])
def test_a_vm_that_is_off_talks_to_nobody(which: str) -> None:
    known = small(vm(which, which[-1], state="deallocated"))
    verdict, because = told(ask(known, A, B))
    assert verdict == "denied"
    assert f"VM {which}" in because
    assert "deallocated" in because


ONPREM = "192.168.7.7"
GATEWAY = Gateway(rid("virtualNetworkGateways", "gw"), subnet_id("v/GatewaySubnet"), "Vpn")
LINK = Connection(rid("connections", "c"), GATEWAY.id, rid("localNetworkGateways", "office"))


def with_gateway(*parts: object, gateway: Gateway = GATEWAY) -> Estate:
    home = network(
        "v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", "nsg-a"), subnet("v/GatewaySubnet", "10.0.255.0/27")
    )
    return estate(home, nic("a", A, "v/a"), nsg("nsg-a"), gateway, LINK, *parts)


def test_a_gateway_leads_out_of_sight() -> None:
    office = LocalGateway(rid("localNetworkGateways", "office"), ("192.168.0.0/16",))
    verdict, because = told(ask(with_gateway(office), A, ONPREM))
    assert verdict == "unknown"
    assert "behind the virtual network gateway" in because


def test_what_a_gateway_learnt_by_bgp_is_not_known() -> None:
    verdict, because = told(ask(with_gateway(gateway=replace(GATEWAY, bgp=True)), A, ONPREM))
    assert verdict == "unknown"
    assert "gateway gw learnt" in because


def test_from_on_premises_rules_can_still_deny() -> None:
    closed = nsg("nsg-a", rule("no", 100, sources="192.168.0.0/16"))
    assert told(ask(with_gateway(closed), ONPREM, A))[0] == "denied"
    assert (
        told(ask(with_gateway(LocalGateway(rid("localNetworkGateways", "office"), ("192.168.0.0/16",))), ONPREM, A))[0]
        == "unknown"
    )


def test_overlapping_networks_need_to_be_told_apart() -> None:
    twin = network("w", "10.0.0.0/16", subnet("w/a", "10.0.1.0/24"))
    known = small(twin, nic("twin", A, "w/a"))
    with pytest.raises(ParseError, match="several NICs"):
        ask(known, A, B)
    assert reach(known, flow(A, B), source=point(known, "a")).verdict == "allowed"
    assert reach(known, flow(A, B), source=point(known, "twin")).verdict == "unknown"


def test_families_do_not_mix() -> None:
    with pytest.raises(ParseError, match="address family"):
        ask(small(), A, "2001:db8::1")


def test_somebody_has_to_be_at_home() -> None:
    with pytest.raises(ParseError, match="neither"):
        ask(small(), "192.168.1.1", "192.168.1.2")


def test_the_path_as_json() -> None:
    said = ask(small(), A, B).to_json()
    assert set(said) == {"verdict", "because", "hops", "return"}
    assert [hop["type"] for hop in said["hops"]] == ["Source", "Destination"]
    assert said["hops"][0]["nextHopIds"] == [said["hops"][1]["id"]]
    assert said["hops"][1]["previousHopIds"] == [said["hops"][0]["id"]]
    assert said["return"]["verdict"] == "allowed"
