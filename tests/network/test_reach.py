"""The traps, one by one: what a network engineer would try."""

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.estate import (
    Firewall,
)
from diagnostics.network.model import Route
from tests.network.builders import (
    NVA,
    A,
    B,
    C,
    admin,
    ask,
    configuration,
    nic,
    nsg,
    rid,
    route,
    rule,
    small,
    table,
    told,
    vm,
)

OUTSIDE = "203.0.113.9"


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
    ("out of reach", [route("via", "10.0.2.0/24", "VirtualAppliance", "10.9.9.9")], "denied", "is out of reach"),
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
