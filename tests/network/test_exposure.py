"""Exact sets of sources: tables of traps, and every set against flow by flow."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.errors import ParseError
from diagnostics.network.estate import BalancingRule, Estate, Frontend
from diagnostics.network.exposure import exposure, who_can_reach
from diagnostics.network.prefixes import AddressSet
from diagnostics.network.reach import Reach
from diagnostics.network.security import Verdict
from tests.network.builders import (
    admin,
    ask,
    balancer,
    estate,
    flow,
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
)

A, B = "10.0.1.4", "10.0.1.5"
PIP = public_ip("pip", "20.1.2.3")


def exposed(*parts: object, public: bool = True, rt: str | None = None) -> Estate:
    home = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", "nsg-a", rt))
    attached = rid("publicIPAddresses", "pip") if public else None
    return estate(home, nic("a", A, "v/a", public_ip=attached), nic("b", B, "v/a"), PIP, nsg("nsg-a"), *parts)


def summary(known: Estate) -> list[tuple[str, str, tuple[str, ...], list[str]]]:
    """Protocol, ports, sure sources and the rules that decide, without the words around them."""
    return [
        (
            each.protocol,
            ",".join(f"{first}-{last}" for first, last in each.ports),
            each.sources.must.prefixes(),
            [reason.name for reason in each.because if reason.kind == "security-rule"],
        )
        for each in exposure(known, point(known, "a"))
    ]


def allow(name: str, sources: str, ports: str, priority: int = 100, protocol: str = "Tcp") -> object:
    return nsg("nsg-a", rule(name, priority, "Allow", sources=sources, ports=ports, protocol=protocol))


CASES = [
    ("nothing open", exposed(), []),
    ("no public address", exposed(allow("web", "Internet", "443"), public=False), []),
    (
        "one office",
        exposed(allow("office", "198.51.100.0/25 198.51.100.128/25", "22 3389")),
        [("Tcp", "22-22,3389-3389", ("198.51.100.0/24",), ["office"])],
    ),
    (
        "a deny above takes some away",
        exposed(
            nsg(
                "nsg-a",
                rule("not-them", 100, sources="198.51.100.0/25", ports="22"),
                rule("office", 200, "Allow", sources="198.51.100.0/24", ports="20-30", protocol="Tcp"),
            )
        ),
        [
            ("Tcp", "20-21,23-30", ("198.51.100.0/24",), ["office"]),
            ("Tcp", "22-22", ("198.51.100.128/25",), ["office"]),
        ],
    ),
    (
        "admin rules go past the NSG",
        exposed(admin("ops", 1, "AlwaysAllow", "v", sources="203.0.113.0/24", ports="22", protocol="Tcp")),
        [("Tcp", "22-22", ("203.0.113.0/24",), [])],
    ),
    (
        "the answer does not come back",
        exposed(
            allow("office", "198.51.100.0/24", "22"),
            table("rt", route("half", "198.51.100.0/25", "None")),
            rt="rt",
        ),
        [("Tcp", "22-22", ("198.51.100.128/25",), ["office"])],
    ),
    (
        "icmp",
        exposed(allow("ping", "203.0.113.0/24", "*", protocol="Icmp")),
        [("Icmp", "0-65535", ("203.0.113.0/24",), ["ping"])],
    ),
]


@pytest.mark.parametrize(("known", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_exposure(known: Estate, expected: list[object]) -> None:
    assert summary(known) == expected


def test_two_halves_are_the_whole_internet() -> None:
    halves, whole = exposed(allow("x", "0.0.0.0/1 128.0.0.0/1", "22")), exposed(allow("x", "*", "22"))
    assert [row[2] for row in summary(halves)] == [row[2] for row in summary(whole)]
    assert "198.51.0.0/16" in AddressSet.parse("0.0.0.0/0").prefixes() or len(summary(whole)) == 1


def test_behind_a_load_balancer_only_what_it_forwards_is_open() -> None:
    pool = rid("loadBalancers", "lb/backendAddressPools/p")
    front = Frontend(rid("loadBalancers", "lb/frontendIPConfigurations/f"), public_ip=rid("publicIPAddresses", "pip"))
    web = BalancingRule(rid("loadBalancers", "lb/loadBalancingRules/web"), (front.id,), "Tcp", (443, 443), 8443, pool)
    known = exposed(
        nic("a", A, "v/a", pools=(pool,)),
        balancer("lb", front, web),
        allow("any", "198.51.100.0/24", "*", protocol="*"),
        public=False,
    )
    assert summary(known) == [("Tcp", "8443-8443", ("198.51.100.0/24",), ["any"])]


def test_who_can_reach_tells_networks_and_machines() -> None:
    known = exposed(nsg("nsg-a", rule("not-b", 100, sources=B)))
    found = who_can_reach(known, point(known, "a"), 443)
    assert found.sources.must == AddressSet.parse("10.0.0.0/16") - AddressSet.parse(B) | AddressSet.parse(
        "168.63.129.16"
    )
    assert [(each.nic.id.name, verdict) for each, verdict in found.machines] == [("b", Verdict.DENIED)]


def test_parts_are_every_address_once() -> None:
    known = exposed(allow("x", "203.0.113.0/24 Storage", "22"))
    parts = who_can_reach(known, point(known, "a"), 22).parts
    assert AddressSet.union(part.sources for part in parts) == AddressSet.parse("0.0.0.0/0")
    assert sum(part.sources.v4.count() for part in parts) == 2**32


def test_what_is_not_known_stays_between_the_bounds() -> None:
    known = exposed(allow("x", "Mystery", "22"))
    sources = who_can_reach(known, point(known, "a"), 22).sources
    assert sources.missing == {"Mystery"}
    assert ipaddress.ip_address("203.0.113.9") in sources.may
    assert ipaddress.ip_address("203.0.113.9") not in sources.must


def test_an_endpoint_without_address_has_no_sources() -> None:
    known = estate(network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24")), nic("a", "", "v/a"))
    with pytest.raises(ParseError, match="no address"):
        who_can_reach(known, point(known, "a"), 22)


PREFIXES = st.sampled_from(
    ["*", "203.0.113.0/24", "203.0.113.128/25", "198.51.100.7", "0.0.0.0/1", "Internet", "VirtualNetwork", "Mystery"]
)
PORTS = st.sampled_from(["*", "22", "20-25", "443", "0-1023"])
RULES = st.lists(
    st.builds(
        lambda number, access, sources, ports, protocol: rule(
            f"r{number}", number, access, sources=" ".join(sources), ports=ports, protocol=protocol
        ),
        st.integers(100, 110),
        st.sampled_from(["Allow", "Deny"]),
        st.lists(PREFIXES, min_size=1, max_size=2),
        PORTS,
        st.sampled_from(["Tcp", "*", "Udp"]),
    ),
    max_size=5,
    unique_by=lambda each: each.priority,
)
SOURCES = ["203.0.113.1", "203.0.113.200", "198.51.100.7", "198.51.100.8", "8.8.8.8", "150.0.0.1", "20.128.0.1"]


@settings(max_examples=60, deadline=None)
@given(RULES, st.sampled_from([21, 22, 443, 50_000]), st.booleans())
def test_sets_hold_what_single_flows_say(rules: list[object], port: int, forced: bool) -> None:  # noqa: FBT001
    tables = table("rt", route("half", "128.0.0.0/1", "None")) if forced else table("rt")
    known = exposed(nsg("nsg-a", *rules), tables, rt="rt")  # type: ignore[arg-type]
    engine, there = Reach(known), point(known, "a")
    open_ports = [each for each in exposure(known, there) if each.protocol == "Tcp" and port in each.ports]
    for source in SOURCES:
        verdict = engine.path(flow(source, A, port)).verdict
        address = ipaddress.ip_address(source)
        surely = any(address in each.sources.must for each in open_ports)
        perhaps = any(address in each.sources.may for each in open_ports)
        assert verdict is (Verdict.ALLOWED if surely else Verdict.UNKNOWN if perhaps else Verdict.DENIED)
    assert ask(known, "8.8.8.8", A, port).verdict in set(Verdict)
