"""What the internet gets in to: tables of traps."""

from typing import Any

import pytest

from diagnostics.network.estate import AdminRule, BalancingRule, Estate, Frontend
from diagnostics.network.filters import Filters, Level
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityRule
from diagnostics.network.openings import Exposure, Opening, Openings, reaches
from diagnostics.network.prefixes import PRIVATE, AddressSet, Bounds
from diagnostics.network.security import Context
from diagnostics.network.tags import Meaning, ServiceTags
from tests.network.builders import (
    admin,
    balancer,
    configuration,
    estate,
    network,
    nic,
    nsg,
    point,
    public_ip,
    rid,
    route,
    rule,
    subnet,
    table,
    vm,
)

A, A6 = "10.0.1.4", "fd00::4"
OFFICE, HALF, REST = "198.51.100.0/24", "198.51.100.0/25", "198.51.100.128/25"
EVERYTHING = "everything public"
WEB = rid("applicationSecurityGroups", "web")
PORTS_22 = Intervals.of([(22, 22)], PORTS_TOP)


def small(*parts: object, address: str = A, on_subnet: bool = True, rt: str | None = None, **more: Any) -> Estate:
    """One NIC in a subnet with `nsg-a`, which has no rules of its own unless it is among the parts."""
    home = network(
        "v", "10.0.0.0/16 fd00::/48", subnet("v/a", "10.0.1.0/24 fd00::/64", "nsg-a" if on_subnet else None, rt)
    )
    return estate(home, nic("a", address, "v/a", **more), nsg("nsg-a"), *parts)


def allow(name: str, priority: int = 100, access: str = "Allow", **terms: Any) -> SecurityRule:
    return rule(name, priority, access, **({"sources": OFFICE, "ports": "22", "protocol": "Tcp"} | terms))


def one(*rules: SecurityRule, admin_rule: AdminRule | None = None, **more: Any) -> Estate:
    parts = (admin_rule,) if admin_rule else ()
    return small(nsg("nsg-a", *rules), *parts, **more)


def told(openings: tuple[Opening, ...], *, may: bool = False) -> list[tuple[object, ...]]:
    """Protocol, ports, sources and the names of the rules."""
    return [(o.protocol, spans(o.ports), said(o.sources, may=may), [d.rule.name for d in o.rules]) for o in openings]


def spans(ports: Intervals) -> str:
    return "*" if ports == Intervals.all(PORTS_TOP) else ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in ports)


def said(sources: Bounds, *, may: bool) -> str:
    found = sources.may if may else sources.must
    whole = found in {AddressSet((~PRIVATE).v4, found.v6), AddressSet(found.v4, (~PRIVATE).v6)}
    return EVERYTHING if whole else " ".join(found.prefixes())


def into(known: Estate) -> tuple[Opening, ...]:
    return Openings(Filters(known), known).into(point(known, "a"))


def exposed(known: Estate) -> tuple[Exposure, ...]:
    return Openings(Filters(known), known).exposed(point(known, "a"))


def office(ports: str = "22", name: str = "ssh", sources: str = OFFICE, protocol: str = "Tcp") -> list[object]:
    return [(protocol, ports, sources, [name])]


FIVE = ("Tcp", "Udp", "Icmp", "Esp", "Ah")
CASES = [
    ("default rules let nothing in", one(), []),
    ("plural ports", one(allow("ssh", ports="22 3389 5985-5986")), office("22,3389,5985-5986")),
    ("deny above", one(allow("no", 90, "Deny"), allow("ssh")), []),
    ("deny above for half", one(allow("no", 90, "Deny", sources=HALF), allow("ssh")), office(sources=REST)),
    ("deny above for a part of the ports",
     one(allow("no", 90, "Deny"), allow("ssh", ports="20-25")), office("20-21,23-25")),
    ("allow below deny", one(allow("ssh", 90), allow("no", 100, "Deny")), office()),
    ("deny for another protocol", one(allow("no", 90, "Deny", protocol="Udp"), allow("ssh")), office()),
    ("anything", one(allow("ssh", sources="*")), office(sources=EVERYTHING)),
    ("any", one(allow("ssh", sources="Any")), office(sources=EVERYTHING)),
    ("IPv4 prefix", one(allow("ssh", sources="0.0.0.0/0")), office(sources=EVERYTHING)),
    ("two halves", one(allow("ssh", sources="0.0.0.0/1 128.0.0.0/1")), office(sources=EVERYTHING)),
    ("two rules for the halves",
     one(allow("low", sources="0.0.0.0/1"), allow("high", 110, sources="128.0.0.0/1")),
     [("Tcp", "22", " ".join((AddressSet.parse("0.0.0.0/1") - PRIVATE).prefixes()), ["low"]),
      ("Tcp", "22", " ".join((AddressSet.parse("128.0.0.0/1") - PRIVATE).prefixes()), ["high"])]),
    ("private sources", one(allow("ssh", sources="10.0.0.0/8 VirtualNetwork")), []),
    ("IPv6 everything, IPv4 endpoint", one(allow("ssh", sources="::/0")), []),
    ("IPv6 everything, IPv6 endpoint", one(allow("ssh", sources="::/0"), address=A6), office(sources=EVERYTHING)),
    ("IPv4 everything, IPv6 endpoint", one(allow("ssh", sources="0.0.0.0/0"), address=A6), []),
    ("any protocol", one(allow("ssh", protocol="*")),
     [(each, "22" if each in {"Tcp", "Udp"} else "*", OFFICE, ["ssh"]) for each in FIVE]),
    ("any protocol, said otherwise", one(allow("ssh", protocol="Any", ports="*")),
     [(each, "*", OFFICE, ["ssh"]) for each in FIVE]),
    ("icmp has no ports", one(allow("ssh", protocol="Icmp")), office("*", protocol="Icmp")),
    ("destination is its group",
     one(allow("ssh", destinations=(), destination_groups=(WEB,)), security_groups=(WEB,)), office()),
    ("destination is a group it is not in", one(allow("ssh", destinations=(), destination_groups=(WEB,))), []),
    ("destination is its address", one(allow("ssh", destinations=f"10.9.9.9 {A}")), office()),
    ("destination is another address", one(allow("ssh", destinations="10.0.1.5")), []),
    ("deny for another address", one(allow("no", 90, "Deny", destinations="10.0.1.5"), allow("ssh")), office()),
    ("destination is the network", one(allow("ssh", destinations="VirtualNetwork")), office()),
    ("the subnet closes what the NIC opens",
     small(nsg("nsg-n", allow("ssh")), nsg="nsg-n"), []),
    ("both have to open it",
     small(nsg("nsg-n", allow("nic", ports="20-22")), nsg("nsg-a", allow("net", ports="22-25", sources=HALF)),
           nsg="nsg-n"),
     [("Tcp", "22", HALF, ["net", "nic"])]),
    ("always allowed by an admin rule",
     small(admin("ops", 1, "AlwaysAllow", "v", sources=OFFICE, ports="22", protocol="Tcp")), office(name="ops")),
    ("denied by an admin rule",
     one(allow("ssh"), admin_rule=admin("no", 1, "Deny", "v", sources=HALF, ports="22", protocol="Tcp")),
     office(sources=REST)),
    ("handed on by an admin rule",
     small(admin("ok", 1, "Allow", "v", sources=OFFICE, ports="22", protocol="Tcp")), []),
    ("an admin rule of another network",
     small(admin("ops", 1, "AlwaysAllow", "w", sources=OFFICE, ports="22", protocol="Tcp")), []),
    ("no NSG", small(on_subnet=False), [(each, "*", EVERYTHING, []) for each in FIVE]),
    ("one source port is enough", one(allow("ssh", source_ports="1024-65535")), office()),
    ("a deny for some source ports closes nothing",
     one(allow("no", 90, "Deny", source_ports="0-1023"), allow("ssh")), office()),
    ("denies that cover all source ports",
     one(allow("n1", 80, "Deny", source_ports="0-1023"), allow("n2", 90, "Deny", source_ports="1024-65535"),
         allow("ssh")),
     []),
    ("a deny for the very source ports that are allowed",
     one(allow("no", 90, "Deny", source_ports="1000-2000"), allow("ssh", source_ports="1500")), []),
    ("a subnet that takes other source ports than the NIC",
     small(nsg("nsg-a", allow("x", source_ports="1-99")), nsg("nsg-n", allow("y", source_ports="100")), nsg="nsg-n"),
     []),
]  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), [c[1:] for c in CASES], ids=[str(c[0]) for c in CASES])
def test_into(known: Estate, expected: list[object]) -> None:
    assert told(into(known)) == expected
    assert all(each.sure and each.sources.exact for each in into(known))


@pytest.mark.parametrize("tag", ["Internet", "internet", "INTERNET"])
def test_the_internet_is_known_but_for_azures_own_blocks(tag: str) -> None:
    (found,) = into(one(allow("ssh", sources=tag)))
    assert AddressSet.parse("8.8.8.0/24") <= found.sources.must
    assert found.sources.may == AddressSet((~PRIVATE).v4 & found.sources.may.v4, found.sources.must.v6)
    assert found.sources.missing == {"Internet"}


UNSURE = [
    ("unknown tag", one(allow("ssh", sources="Mystery")), [EVERYTHING], {"Mystery"}),
    ("unknown tag, denied", one(allow("no", 90, "Deny", sources="Mystery"), allow("ssh")), [OFFICE], {"Mystery"}),
    ("unknown tag as destination", one(allow("ssh", destinations="Mystery")), [OFFICE], {"Mystery"}),
    ("no port range", one(allow("ssh", ports="odd")), [OFFICE], {"port range 'odd' of rule ssh"}),
    ("no address yet", one(allow("ssh", destinations=A), address=""), [OFFICE], {"the address of the endpoint"}),
    (
        "NSG that was not read",
        small(nsg("nsg-n", allow("ssh")), nsg="gone"),
        [],
        set(),
    ),
]


@pytest.mark.parametrize(("known", "may", "missing"), [c[1:] for c in UNSURE], ids=[str(c[0]) for c in UNSURE])
def test_what_is_not_known_may_be_open_and_is_named(known: Estate, may: list[str], missing: set[str]) -> None:
    found = into(known)
    assert [row[2] for row in told(found, may=True)] == may
    assert not any(each.sure for each in found)
    assert {name for each in found for name in each.sources.missing} == missing


def test_an_unread_nsg_behind_an_open_one_is_missing() -> None:
    found = into(one(allow("ssh"), nsg="gone"))
    assert [(each.sure, set(each.sources.missing)) for each in found] == [(False, {"NSG gone"})]


def test_a_doubtful_rule_with_a_sure_one_behind_is_sure() -> None:
    (found,) = into(one(allow("perhaps", 90, sources="Mystery"), allow("ssh")))[:1]
    assert [each.rule.name for each in found.rules] == ["perhaps", "ssh"]
    assert found.sources.must == AddressSet.parse(OFFICE)
    assert {each.level for each in found.rules} == {Level.SUBNET}


def test_an_endpoint_without_address_is_open_to_what_is_for_its_subnet() -> None:
    assert told(into(one(allow("ssh", destinations="10.0.1.0/24"), address=""))) == office()


ADMITTED = [
    ("one destination is enough", [allow("ssh", destinations=A)], office()),
    ("denied for all", [allow("no", 90, "Deny"), allow("ssh", destinations=A)], []),
    ("denied for another", [allow("no", 90, "Deny", destinations="10.0.1.5"), allow("ssh")], office()),
    ("denied for the same", [allow("no", 90, "Deny", destinations="10.0.1.0/24"), allow("ssh", destinations=A)], []),
    (
        "two destinations, two sources",
        [allow("x", destinations=A, sources=HALF), allow("y", 110, destinations="10.0.1.5", sources=REST)],
        [("Tcp", "22", HALF, ["x"]), ("Tcp", "22", REST, ["y"])],
    ),
    ("both families", [allow("ssh", sources=f"{OFFICE} 2001:db8::/32")], office(sources=f"{OFFICE} 2001:db8::/32")),
    ("source ports", [allow("no", 90, "Deny", source_ports="1-9"), allow("ssh")], office()),
]


@pytest.mark.parametrize(("rules", "expected"), [c[1:] for c in ADMITTED], ids=[str(c[0]) for c in ADMITTED])
def test_admitted(rules: list[SecurityRule], expected: list[object]) -> None:
    known = one(*rules)
    filters, (group,) = Filters(known), known.security_groups.values()
    assert told(Openings(filters, known).admitted(group, filters.context(point(known, "a")))) == expected


@pytest.mark.parametrize("tags", [{}, {"mystery": (OFFICE,)}])
def test_admitted_where_nothing_is_known_of_the_network(tags: dict[str, tuple[str, ...]]) -> None:
    known = one(allow("ssh", sources="Mystery"))
    (group,) = known.security_groups.values()
    context = Context(tag=Meaning(Bounds.unknown("VirtualNetwork"), ServiceTags(tags)).of)
    found = reaches(Openings(Filters(known), known).admitted(group, context), "Tcp", PORTS_22)
    assert any(each.sure for each in found) is bool(tags)
    assert all(each.sources.missing for each in found if not each.sources.exact)


def test_reaches_cuts_to_ports() -> None:
    found = into(one(allow("ssh", ports="20-30 443", protocol="*")))
    assert told(reaches(found, "tcp", PORTS_22)) == office()
    assert told(reaches(found, "UDP", PORTS_22)) == office(protocol="Udp")
    assert told(reaches(found, "Icmp", PORTS_22)) == office("*", protocol="Icmp")
    assert len(reaches(found, "*", PORTS_22)) == 5
    assert reaches(found, "Tcp", Intervals.of([(80, 80)], PORTS_TOP)) == ()


PIP = public_ip("pip", "20.1.2.3")
HAS_PIP: dict[str, Any] = {"public_ip": rid("publicIPAddresses", "pip")}
BASIC = public_ip("pip", "20.1.2.3", "Basic")
POOL = rid("loadBalancers", "lb/backendAddressPools/p")
FRONT = Frontend(rid("loadBalancers", "lb/frontendIPConfigurations/f"), public_ip=rid("publicIPAddresses", "pip"))
HTTPS = BalancingRule(rid("loadBalancers", "lb/loadBalancingRules/web"), (FRONT.id,), "Tcp", (443, 443), 8443, POOL)
HA = BalancingRule(rid("loadBalancers", "lb/loadBalancingRules/ha"), (FRONT.id,), "All", (0, 0), 0, POOL)
NAT_ID = rid("loadBalancers", "lb/inboundNatRules/ssh")
NAT = BalancingRule(NAT_ID, (FRONT.id,), "Tcp", (50_000, 50_000), 22)
EVERY = allow("ssh", ports="*", protocol="*")
STANDARD_OPEN = admin("ops", 1, "AlwaysAllow", "v", sources=OFFICE, ports="22", protocol="Tcp")

WAYS = [
    ("no way in", one(allow("ssh")), []),
    ("its own public IP", small(nsg("nsg-a", allow("ssh")), PIP, **HAS_PIP),
     [("Tcp", "22", OFFICE, [(None, "20.1.2.3")])]),
    ("Standard is closed without an NSG", small(PIP, on_subnet=False, **HAS_PIP), []),
    ("Basic is open without an NSG", small(BASIC, on_subnet=False, **HAS_PIP),
     [(each, "*", EVERYTHING, [(None, "20.1.2.3")]) for each in ("Tcp", "Udp", "Icmp")]),
    ("an admin rule opens Standard", small(PIP, STANDARD_OPEN, on_subnet=False, **HAS_PIP),
     [("Tcp", "22", OFFICE, [(None, "20.1.2.3")])]),
    ("a balancer translates ports",
     small(nsg("nsg-a", EVERY), PIP, balancer("lb", FRONT, HTTPS), pools=(POOL,)),
     [("Tcp", "8443", OFFICE, [(443, "20.1.2.3")])]),
    ("a balancer for other ports",
     small(nsg("nsg-a", allow("ssh")), PIP, balancer("lb", FRONT, HTTPS), pools=(POOL,)), []),
    ("all ports of a balancer",
     small(nsg("nsg-a", allow("ssh", ports="22 80")), PIP, balancer("lb", FRONT, HA), pools=(POOL,)),
     [("Tcp", "22,80", OFFICE, [(None, "20.1.2.3")])]),
    ("a NAT rule", small(nsg("nsg-a", EVERY), PIP, balancer("lb", FRONT, NAT), inbound_nat_rules=(NAT_ID,)),
     [("Tcp", "22", OFFICE, [(50_000, "20.1.2.3")])]),
    ("the answer is dropped for half",
     small(nsg("nsg-a", allow("ssh")), PIP, table("rt", route("r", HALF, "None")), rt="rt", **HAS_PIP),
     [("Tcp", "22", REST, [(None, "20.1.2.3")])]),
    ("all answers are dropped",
     small(nsg("nsg-a", allow("ssh")), PIP, table("rt", route("r", "0.0.0.0/0", "None")), rt="rt", **HAS_PIP), []),
    ("the VM does not run",
     small(nsg("nsg-a", allow("ssh")), PIP, vm("vm-a", "a", state="deallocated"), **HAS_PIP), []),
]  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), [c[1:] for c in WAYS], ids=[str(c[0]) for c in WAYS])
def test_exposed(known: Estate, expected: list[object]) -> None:
    found = [
        (
            each.protocol,
            spans(each.ports),
            said(each.sources, may=False),
            [(w.public_port, w.address) for w in each.through],
        )
        for each in exposed(known)
    ]
    assert found == expected


NVA = nic("nva", "10.0.1.9", "v/a", ip_forwarding=True)
DEFAULT = table("rt", route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.1.9"))
DOUBTS = [
    (
        "an appliance gets the answer",  # as `exposure` sees it, it never gets back; what it does is not seen, though
        small(nsg("nsg-a", allow("ssh")), PIP, NVA, DEFAULT, rt="rt", **HAS_PIP),
        {"vm-nva"},
    ),
    (
        "routes that were not read",
        small(nsg("nsg-a", allow("ssh")), PIP, rt="gone", **HAS_PIP),
        {"route table gone"},
    ),
    (
        "a balancer that is not seen may lead in",  # `exposure` says nothing there
        one(allow("ssh"), pools=(POOL,)),
        {"load balancer lb"},
    ),
    ("a SKU that is not known", small(public_ip("pip", "20.1.2.3", ""), on_subnet=False, **HAS_PIP),
     {"the SKU of public IP pip"}),
    (
        "a secondary NIC needs a route of its own",
        small(nsg("nsg-a", allow("ssh")), PIP, primary=False, **HAS_PIP),
        {"the guest's routes for a"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("known", "missing"), [c[1:] for c in DOUBTS], ids=[str(c[0]) for c in DOUBTS])
def test_what_may_be_exposed(known: Estate, missing: set[str]) -> None:
    found = exposed(known)
    assert found
    assert not any(each.sure for each in found)
    assert all(each.sources.may for each in found)
    assert {name for each in found for name in each.sources.missing} >= missing


def test_a_next_hop_that_does_not_exist_drops_the_answer() -> None:
    lost = table("rt", route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.1.77"))
    assert exposed(small(nsg("nsg-a", allow("ssh")), PIP, lost, rt="rt", **HAS_PIP)) == ()


def test_of_two_ways_the_open_one_is_taken() -> None:
    """`exposure` is unsure whether the Standard or the Basic way is taken: who comes in chooses."""
    second = Frontend(rid("loadBalancers", "lc/frontendIPConfigurations/f"), public_ip=rid("publicIPAddresses", "pip"))
    pool = rid("loadBalancers", "lc/backendAddressPools/p")
    other = BalancingRule(rid("loadBalancers", "lc/loadBalancingRules/w"), (second.id,), "Tcp", (443, 443), 8443, pool)
    known = small(
        PIP,
        balancer("lb", FRONT, HTTPS),
        balancer("lc", second, other, sku="Basic"),
        on_subnet=False,
        pools=(POOL, pool),
    )
    assert [(each.sure, [way.resource.name for way in each.through]) for each in exposed(known)] == [(True, ["lc"])]


def test_every_configuration_of_a_nic_is_an_endpoint_of_its_own() -> None:
    both = (configuration(A, "v/a", "one", **HAS_PIP), configuration("10.0.1.5", "v/a", "two", primary=False))
    known = small(nsg("nsg-a", allow("ssh")), PIP, configurations=both)
    openings = Openings(Filters(known), known)
    assert [len(openings.exposed(each)) for each in known.points] == [1, 0]
