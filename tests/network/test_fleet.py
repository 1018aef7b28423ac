"""Traps for whoever works out a whole fleet at once; every pair is asked of `Reach` too."""

from itertools import product
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.estate import (
    AdminRule,
    BalancingRule,
    EffectiveGroup,
    EffectiveRoute,
    Estate,
    Firewall,
    Frontend,
    LoadBalancer,
)
from diagnostics.network.fleet import Fleet, Service, all_pairs
from diagnostics.network.reach import Reach
from diagnostics.network.security import Flow, Verdict
from tests.network import builders as b

SSH, DNS, PING = Service("Tcp", 22), Service("Udp", 53), Service("Icmp")
SERVICES = (SSH, DNS, PING)
ALLOWED, DENIED, UNKNOWN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN

ONE = b.subnet("v/one", "10.0.1.0/24")
TWO = b.subnet("v/two", "10.0.2.0/24")
NET = b.network("v", "10.0.0.0/16", ONE, TWO)
A = b.nic("a", "10.0.1.4", "v/one")
B = b.nic("b", "10.0.1.5", "v/one")
C = b.nic("c", "10.0.2.4", "v/two")
NVA = b.nic("nva", "10.0.2.9", "v/two", ip_forwarding=True)


def fleet(known: Estate) -> Fleet:
    """The fleet of an estate, after a look at all of it."""
    found, engine = all_pairs(known, SERVICES), Reach(known)
    for service in SERVICES:
        told = []
        for one, other in product(found.points, repeat=2):
            assert one.address
            assert other.address
            if one.address.version == other.address.version:
                flow = Flow(one.address, other.address, *service)
                expected = engine.path(flow, source=one, destination=other).verdict
                told.append(expected)
                assert found.verdict(one, other, service) is expected, (one, other, service)
        assert found.count(service) == {verdict: told.count(verdict) for verdict in Verdict}
    return found


def verdict(found: Fleet, source: str, destination: str, service: Service = SSH) -> Verdict:
    """NICs by name; an IP configuration behind a slash."""
    ends = {f"{p.nic.id.name}/{p.configuration.name}": p for p in found.points}
    ends |= {p.nic.id.name: p for p in reversed(found.points)}
    return found.verdict(ends[source], ends[destination], service)


def test_an_empty_estate_has_no_pairs() -> None:
    found = all_pairs(Estate(), SERVICES)
    assert found.points == ()
    assert set(found.count(SSH).values()) == {0}


def test_an_endpoint_without_address_is_left_out() -> None:
    found = fleet(b.estate(NET, A, b.nic("new", "", "v/one")))
    assert [point.nic.id.name for point in found.points] == ["a"]


def test_families_do_not_meet() -> None:
    dual = b.network("v", "10.0.0.0/16 fd00::/48", b.subnet("v/one", "10.0.1.0/24 fd00::/64"))
    found = fleet(b.estate(dual, A, b.nic("six", "fd00::4", "v/one"), b.nic("seven", "fd00::5", "v/one")))
    assert verdict(found, "six", "seven") is ALLOWED
    assert sum(found.count(SSH).values()) == 1 + 4
    with pytest.raises(ParseError, match="not of one address family"):
        verdict(found, "a", "six")


def test_what_was_not_asked_about_is_an_error() -> None:
    found = all_pairs(b.estate(NET, A), [SSH])
    with pytest.raises(ValueError, match="not in"):
        verdict(found, "a", "a", DNS)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([b.rule("no", 100, ports="22")], DENIED),
        ([b.rule("no", 100, ports="23")], ALLOWED),
        ([b.rule("no", 100, ports="20-30", protocol="udp")], ALLOWED),
        ([b.rule("yes", 90, "Allow", sources="10.0.1.4"), b.rule("no", 100)], ALLOWED),
        ([b.rule("yes", 110, "Allow", sources="10.0.1.4"), b.rule("no", 100)], DENIED),
        ([b.rule("no", 100, sources="10.0.1.4-10.0.1.9")], DENIED),
        ([b.rule("no", 100, sources="Unlisted")], UNKNOWN),
        ([b.rule("yes", 100, "Allow", sources="Unlisted"), b.rule("also", 110, "Allow")], ALLOWED),
        ([b.rule("no", 100, source_ports="1-1023")], UNKNOWN),
        ([b.rule("no", 100, ports="odd")], UNKNOWN),
        ([b.rule("no", 100, sources="Internet")], ALLOWED),
        ([b.rule("no", 100, destinations="virtualnetwork")], DENIED),
        ([b.rule("no", 100, sources=(), source_groups=(b.rid("applicationSecurityGroups", "g"),))], DENIED),
        ([b.rule("no", 100, sources=(), source_groups=(b.rid("applicationSecurityGroups", "empty"),))], ALLOWED),
    ],
)
def test_a_list_of_rules(rules: list[Any], expected: Verdict) -> None:
    group = b.rid("applicationSecurityGroups", "g")
    member = b.nic("a", "10.0.1.4", "v/one", security_groups=(group,))
    found = fleet(b.estate(NET, member, b.nic("b", "10.0.1.5", "v/one", "n"), b.nsg("n", *rules)))
    assert verdict(found, "a", "b") is expected


@pytest.mark.parametrize("count", [63, 64, 65, 300])
def test_a_list_may_be_long(count: int) -> None:
    spread = [b.rule(f"r{n}", 100 + n, "Allow" if n % 2 else "Deny", sources=f"10.0.1.{n % 200}") for n in range(count)]
    doubt = [b.rule("perhaps", 100 + count, "Allow", sources="Unlisted"), b.rule("no", 101 + count)]
    nics = [b.nic(f"x{n}", f"10.0.1.{n}", "v/one") for n in (5, 8, 61, 62, 63, 64, 65, 199, 210)]
    found = fleet(b.estate(NET, *nics, b.nic("c", "10.0.2.4", "v/two", "n"), b.nsg("n", *spread, *doubt)))
    assert verdict(found, "x5", "c") is ALLOWED
    assert verdict(found, "x8", "c") is DENIED
    assert verdict(found, "x210", "c") is UNKNOWN


@pytest.mark.parametrize(
    ("access", "surely", "expected"),
    [
        ("Deny", True, (DENIED, DENIED)),
        ("AlwaysAllow", True, (ALLOWED, ALLOWED)),
        ("Allow", True, (DENIED, ALLOWED)),
        ("Deny", False, (DENIED, UNKNOWN)),
        ("AlwaysAllow", False, (UNKNOWN, ALLOWED)),
        ("Allow", False, (DENIED, ALLOWED)),
    ],
)
def test_admin_rules_come_first(access: str, surely: bool, expected: tuple[Verdict, Verdict]) -> None:  # noqa: FBT001
    where = frozenset({NET.id})
    rule = b.admin("r", 10, access).rule
    applied = AdminRule(b.rid("networkManagers", "m/rules/r"), rule, where if surely else frozenset(), where)
    closed = b.nic("b", "10.0.1.5", "v/one", "n")
    found = fleet(b.estate(NET, A, closed, C, applied, b.nsg("n", b.rule("no", 100))))
    assert (verdict(found, "a", "b"), verdict(found, "a", "c")) == expected


@pytest.mark.parametrize(("access", "expected"), [("Allow", ALLOWED), ("Deny", UNKNOWN)])
def test_where_both_worlds_end_alike_it_is_the_verdict(access: str, expected: Verdict) -> None:
    """The route may put addresses into `VirtualNetwork`: those that are not in it are in `Internet`."""
    rules = [b.rule("far", 100, "Allow", sources="Internet"), b.rule("near", 110, access, sources="VirtualNetwork")]
    there, back = b.peering("w", "20.0.0.0/16", allows_access=False), b.peering("v", "10.0.0.0/16")
    home = b.network("v", "10.0.0.0/16", b.subnet("v/one", "10.0.1.0/24", "n", "t"), peerings=[there])
    far = b.network("w", "20.0.0.0/16", b.subnet("w/one", "20.0.1.0/24"), peerings=[back])
    out = b.table("t", b.route("out", "20.0.0.0/8", "Internet"))
    found = fleet(b.estate(home, far, A, b.nic("x", "20.0.1.4", "w/one"), b.nsg("n", *rules), out))
    assert verdict(found, "x", "a") is expected


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (b.route("r", "10.0.2.0/24", "None"), DENIED),
        (b.route("r", "10.0.2.0/24", "VnetLocal"), ALLOWED),
        (b.route("r", "10.0.2.0/24", "Internet"), DENIED),
        (b.route("r", "10.0.2.0/24", "VirtualNetworkGateway"), DENIED),
        (b.route("r", "10.0.2.0/24", "Odd"), UNKNOWN),
        (b.route("r", "Unlisted", "None"), ALLOWED),
        (b.route("r", "?", "None"), UNKNOWN),
        (b.route("r", "10.0.0.0/8", "None"), ALLOWED),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", ""), UNKNOWN),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "10.0.2.77"), DENIED),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "192.0.2.1"), DENIED),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "10.0.2.9"), UNKNOWN),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "10.0.2.4"), ALLOWED),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "10.0.1.5"), DENIED),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "10.0.2.9", next_hop_addresses=("10.0.1.5",)), UNKNOWN),
        (b.route("r", "10.0.2.4/32", "VirtualAppliance", "10.0.2.77", next_hop_addresses=("10.0.1.5",)), DENIED),
    ],
)
def test_a_route(route: Any, expected: Verdict) -> None:
    home = b.network("v", "10.0.0.0/16", b.subnet("v/one", "10.0.1.0/24", table="t"), TWO)
    found = fleet(b.estate(home, A, B, C, NVA, b.table("t", route)))
    assert verdict(found, "a", "c") is expected


def test_the_way_back_counts() -> None:
    home = b.network("v", "10.0.0.0/16", ONE, b.subnet("v/two", "10.0.2.0/24", table="t"))
    found = fleet(b.estate(home, A, B, C, b.table("t", b.route("r", "10.0.1.4/32", "None"))))
    assert verdict(found, "a", "c") is DENIED
    assert verdict(found, "b", "c") is ALLOWED


def through(*nsgs: Any, **more: Any) -> Fleet:
    """From a to c by an appliance, and back."""
    one, two = (
        b.subnet(f"v/{name}", prefix, table=name) for name, prefix in (("one", "10.0.1.0/24"), ("two", "10.0.2.0/24"))
    )
    home = b.network("v", "10.0.0.0/16", one, two, b.subnet("v/hub", "10.0.3.0/24"))
    hop = more.pop("hop", "10.0.3.9")
    there = b.table("one", b.route("r", "10.0.2.0/24", "VirtualAppliance", hop))
    back = b.table("two", b.route("r", "10.0.1.0/24", "VirtualAppliance", hop))
    parts = more.pop("parts", ())
    nva = b.nic("nva", "10.0.3.9", "v/hub", "n" if nsgs else None, **{"ip_forwarding": True, **more})
    return fleet(b.estate(home, there, back, A, B, C, nva, b.vm("vm-nva", "nva"), *nsgs, *parts))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], UNKNOWN),
        ([b.rule("no", 100, ports="22")], DENIED),
        ([b.rule("no", 100, sources="10.0.1.5")], UNKNOWN),
        ([b.rule("no", 100, direction="Outbound", destinations="10.0.2.4", ports="22")], DENIED),
        ([b.rule("no", 100, sources="10.0.1.4", destinations="10.0.2.0/25")], DENIED),
    ],
)
def test_the_rules_of_an_appliance(rules: list[Any], expected: Verdict) -> None:
    assert verdict(through(b.nsg("n", *rules)), "a", "c") is expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, UNKNOWN),
        ({"ip_forwarding": False}, DENIED),
        ({"parts": (b.vm("vm-nva", "nva", state="deallocated"),)}, DENIED),
        ({"parts": (b.vm("vm-nva", "nva", "gone"),)}, UNKNOWN),
        ({"vm": "unseen"}, UNKNOWN),
    ],
)
def test_an_appliance_itself(more: dict[str, Any], expected: Verdict) -> None:
    assert verdict(through(**more), "a", "c") is expected


@pytest.mark.parametrize(
    ("rules", "service", "expected"),
    [
        ([("All", (0, 0))], SSH, UNKNOWN),
        ([("Tcp", (22, 22))], SSH, DENIED),  # the answer comes from port 22, and no rule is for any port
        ([("Tcp", (80, 80))], SSH, DENIED),
        ([], SSH, DENIED),
        ([("All", (0, 0))], PING, DENIED),
    ],
)
def test_appliances_behind_a_load_balancer(rules: list[Any], service: Service, expected: Verdict) -> None:
    home, pool = b.rid("loadBalancers", "lb"), b.rid("loadBalancers", "lb/backendAddressPools/k")
    front = Frontend(b.rid("loadBalancers", "lb/frontendIPConfigurations/f"), "10.0.3.100", b.subnet_id("v/hub"))
    listed = tuple(BalancingRule(home, (front.id,), protocol, ports, pool=pool) for protocol, ports in rules)
    balancer = LoadBalancer(home, "Standard", (front,), pools={pool: ()}, rules=listed)
    found = through(hop="10.0.3.100", parts=(balancer,), pools=(pool,))
    assert verdict(found, "a", "c", service) is expected


def test_an_azure_firewall_is_not_seen_through() -> None:
    wall = Firewall(b.rid("azureFirewalls", "fw"), ("10.0.3.68",))
    assert verdict(through(hop="10.0.3.68", parts=(wall,)), "a", "c") is UNKNOWN


@pytest.mark.parametrize(("forwarded", "expected"), [(True, UNKNOWN), (False, DENIED)])
def test_a_peering_may_refuse_what_is_forwarded(forwarded: bool, expected: Verdict) -> None:  # noqa: FBT001
    spokes = [
        b.network(
            name,
            prefix,
            b.subnet(f"{name}/s", prefix, table=name),
            peerings=[b.peering("hub", "10.0.0.0/16", allows_forwarded=forwarded)],
        )
        for name, prefix in (("s1", "10.1.0.0/16"), ("s2", "10.2.0.0/16"))
    ]
    peerings = [b.peering("s1", "10.1.0.0/16"), b.peering("s2", "10.2.0.0/16")]
    hub = b.network("hub", "10.0.0.0/16", b.subnet("hub/s", "10.0.0.0/24"), peerings=peerings)
    tables = [b.table(name, b.route("r", "10.0.0.0/8", "VirtualAppliance", "10.0.0.9")) for name in ("s1", "s2")]
    nva = b.nic("nva", "10.0.0.9", "hub/s", ip_forwarding=True)
    ends = [b.nic("x", "10.1.0.4", "s1/s"), b.nic("y", "10.2.0.4", "s2/s")]
    known = b.estate(*spokes, hub, *tables, nva, b.vm("vm-nva", "nva"), *ends)
    assert verdict(fleet(known), "x", "y") is expected


def test_the_same_addresses_in_networks_that_do_not_know_each_other() -> None:
    other = b.network("w", "10.0.0.0/16", b.subnet("w/one", "10.0.1.0/24"))
    twins = [b.nic("a2", "10.0.1.4", "w/one"), b.nic("d2", "10.0.1.7", "w/one")]
    found = fleet(b.estate(NET, other, A, B, *twins))
    assert verdict(found, "b", "a") is ALLOWED
    assert verdict(found, "d2", "a2") is ALLOWED
    assert verdict(found, "b", "a2") is DENIED
    assert verdict(found, "a", "a2") is DENIED
    assert verdict(found, "b", "d2") is UNKNOWN  # nobody known has its address in b's network


def test_where_a_load_balancer_has_the_address_of_an_endpoint_elsewhere() -> None:
    other = b.network("w", "10.0.0.0/16", b.subnet("w/one", "10.0.1.0/24"))
    home, pool = b.rid("loadBalancers", "lb"), b.rid("loadBalancers", "lb/backendAddressPools/k")
    front = Frontend(b.rid("loadBalancers", "lb/frontendIPConfigurations/f"), "10.0.1.7", b.subnet_id("v/one"))
    rule = BalancingRule(home, (front.id,), "Tcp", (22, 22), 53, pool)
    balancer = LoadBalancer(home, "Standard", (front,), pools={pool: ()}, rules=(rule,))
    twin = b.nic("d2", "10.0.1.7", "w/one", pools=(pool,))
    fleet(b.estate(NET, other, A, B, twin, balancer))


@pytest.mark.parametrize(
    ("state", "expected"),
    [("running", ALLOWED), ("deallocated", DENIED), (None, ALLOWED)],
)
def test_a_stopped_vm_reaches_nobody_not_even_itself(state: str | None, expected: Verdict) -> None:
    found = fleet(b.estate(NET, A, B, b.vm("vm-a", "a", state=state)))
    assert {verdict(found, *pair) for pair in (("a", "b"), ("b", "a"), ("a", "a"))} == {expected}


def test_beyond_its_subnet_a_secondary_nic_depends_on_its_guest() -> None:
    found = fleet(b.estate(NET, b.nic("a", "10.0.1.4", "v/one", primary=False), B, C))
    assert verdict(found, "a", "b") is ALLOWED
    assert verdict(found, "a", "c") is UNKNOWN
    assert verdict(found, "c", "a") is UNKNOWN


def test_every_ip_configuration_is_an_endpoint() -> None:
    both = (
        b.configuration("10.0.1.4", "v/one", "first"),
        b.configuration("10.0.1.9", "v/one", "second", primary=False),
    )
    found = fleet(b.estate(NET, b.nic("a", "", "v/one", configurations=both), C, b.nsg("n")))
    assert verdict(found, "a/second", "c") is ALLOWED
    assert verdict(found, "a/first", "a/second") is ALLOWED


def test_one_endpoint_written_twice_is_one() -> None:
    twice = (b.configuration("10.0.1.4", "v/one"),) * 2
    closed = b.nsg("n", b.rule("no", 100), b.rule("out", 100, direction="Outbound"))
    found = fleet(b.estate(NET, b.nic("a", "", "v/one", "n", configurations=twice), closed))
    assert found.count(SSH) == {ALLOWED: 4, DENIED: 0, UNKNOWN: 0}


@pytest.mark.parametrize("policies", ["", "NetworkSecurityGroupEnabled"])
def test_a_private_endpoint(policies: str) -> None:
    home = b.network("v", "10.0.0.0/16", ONE, b.subnet("v/two", "10.0.2.0/24", "n", endpoint_policies=policies))
    end = b.nic("pe", "10.0.2.7", "v/two", private_endpoint=b.rid("privateEndpoints", "pe"))
    found = fleet(b.estate(home, A, end, b.nsg("n", b.rule("no", 100))))
    assert verdict(found, "a", "pe") is (DENIED if policies else ALLOWED)


@pytest.mark.parametrize("what", ["nsg", "table"])
def test_what_is_not_in_the_estate_is_unknown(what: str) -> None:
    home = b.network("v", "10.0.0.0/16", ONE, b.subnet("v/two", "10.0.2.0/24", **{what: "gone"}))
    assert verdict(fleet(b.estate(home, A, B, C)), "a", "c") is UNKNOWN


def test_what_azure_told_of_a_nic_counts_for_it() -> None:
    home = b.network("v", "10.0.0.0/16", b.subnet("v/one", "10.0.1.0/24", "gone"), TWO)
    told = EffectiveGroup(
        b.nsg_id("gone"), (b.rule("no", 100, sources="Tag"),), {"Tag": ("10.0.2.0/24",)}, on_subnet=True
    )
    route = EffectiveRoute("r", "User", True, ("10.0.0.0/8",), "None")  # noqa: FBT003
    known = {"effective_groups": {A.id: (told,)}, "effective_routes": {C.id: (route,)}}
    found = fleet(b.estate(home, A, B, C, **known))
    assert verdict(found, "c", "b") is DENIED
    assert verdict(found, "b", "a") is UNKNOWN
    assert verdict(found, "c", "a") is DENIED


def test_the_platforms_own_addresses_have_rules_of_their_own() -> None:
    odd = b.network("v", "10.0.0.0/16 168.63.129.0/24", ONE, b.subnet("v/two", "168.63.129.0/24"))
    deny = b.nsg("n", b.rule("no", 100, direction="Outbound"))
    found = fleet(b.estate(odd, b.nic("a", "10.0.1.4", "v/one", "n"), b.nic("h", "168.63.129.16", "v/two"), deny))
    assert verdict(found, "a", "h") is ALLOWED


def test_an_address_of_the_estates_own_is_reached_from_outside() -> None:
    out = b.network("w", "20.0.0.0/16", b.subnet("w/one", "20.0.1.0/24"))
    public = b.public_ip("p", "20.0.1.4")
    ends = [A, B, b.nic("x", "20.0.1.4", "w/one"), b.nic("y", "10.0.2.4", "v/two", public_ip=public.id)]
    found = fleet(b.estate(NET, out, *ends, public))
    assert verdict(found, "a", "x") is not ALLOWED


def test_all_about_one_endpoint() -> None:
    found = fleet(b.estate(NET, A, b.nic("b", "10.0.1.5", "v/one", "n"), C, b.nsg("n", b.rule("no", 100))))
    end = next(point for point in found.points if point.nic == C)
    closed = next(point for point in found.points if point.nic.id.name == "b")
    assert {point.nic.id.name: told for point, told in found.sources(closed, SSH)} == {
        "a": DENIED,
        "b": ALLOWED,
        "c": DENIED,
    }
    assert {point.nic.id.name: told for point, told in found.destinations(end, SSH)} == {
        "a": ALLOWED,
        "b": DENIED,
        "c": ALLOWED,
    }


def test_many_windows_of_destinations() -> None:
    """More endpoints than are looked at together, counted from a few verdicts."""
    nics = [b.nic(f"x{n}", f"10.0.{n // 200 + 1}.{n % 200 + 4}", "v/one", "n") for n in range(1_100)]
    home = b.network("v", "10.0.0.0/16", b.subnet("v/one", "10.0.0.0/16"))
    group = b.nsg("n", b.rule("yes", 100, "Allow", sources="10.0.1.0/24"), b.rule("no", 110))
    found = all_pairs(b.estate(home, *nics, group), [SSH])
    alone = 1_100 - 200
    assert found.count(SSH) == {ALLOWED: 200 * 1_100 + alone, DENIED: alone * 1_100 - alone, UNKNOWN: 0}
