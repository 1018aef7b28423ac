"""What a change of configuration changes for flows: tables, and every answer against flow by flow."""

import ipaddress
from itertools import product

import pytest
from hypothesis import given, settings

from diagnostics.network.difference import Change, difference
from diagnostics.network.estate import Estate, Point
from diagnostics.network.reach import Reach
from diagnostics.network.security import Flow
from tests.network.builders import estate, network, nic, nsg, point, public_ip, rid, route, rule, subnet, table, vm
from tests.network.test_exposure import RULES

A, B = "10.0.1.4", "10.0.2.4"


def pair(*parts: object) -> Estate:
    home = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", None, "rt"), subnet("v/b", "10.0.2.0/24", "nsg-b"))
    web = nic("b", B, "v/b", public_ip=rid("publicIPAddresses", "pip"))
    return estate(home, nic("a", A, "v/a"), web, public_ip("pip", "20.1.2.3"), nsg("nsg-b"), table("rt"), *parts)


def name(end: Point | str) -> str:
    return end if isinstance(end, str) else end.nic.id.name


def short(change: Change) -> str:
    ports = ",".join(f"{first}-{last}" for first, last in change.ports)
    where = " ".join(change.addresses.prefixes()[:1]) if change.addresses else ""
    ends = f"{name(change.source)}>{name(change.destination)}"
    return f"{ends} {change.protocol} {ports} {change.before}>{change.after} {where}".strip()


CLOSE_SSH = pair(nsg("nsg-b", rule("no-ssh", 100, ports="22", protocol="Tcp")))
OFFICE = pair(nsg("nsg-b", rule("office", 100, "Allow", sources="203.0.113.0/24", ports="443 8443", protocol="Tcp")))
CASES = [
    ("nothing", pair(), pair(), []),
    ("a rule more", pair(), CLOSE_SSH, ["a>b Tcp 22-22 allowed>denied"]),
    ("a rule less", CLOSE_SSH, pair(), ["a>b Tcp 22-22 denied>allowed"]),
    ("a rule that changes nothing", CLOSE_SSH, pair(nsg("nsg-b", rule("x", 99, ports="22", protocol="TCP"))), []),
    ("for the internet", pair(), OFFICE, ["Internet>b Tcp 443-443,8443-8443 denied>allowed 203.0.113.0/24"]),
    (
        "a route",
        pair(),
        pair(table("rt", route("hole", "198.51.100.0/24", "None"))),
        [
            f"a>Internet {protocol} 0-65535 allowed>denied 198.51.100.0/24"
            for protocol in ("Tcp", "Udp", "Icmp", "Esp", "Ah")
        ],
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_difference(before: Estate, after: Estate, expected: list[str]) -> None:
    assert [short(change) for change in difference(before, after)] == expected


def test_a_vm_that_stops_cuts_everything() -> None:
    changes = difference(pair(vm("vm-b", "b")), pair(vm("vm-b", "b", state="stopped")))
    assert {(name(each.source), name(each.destination)) for each in changes} >= {
        ("a", "b"),
        ("b", "a"),
        ("b", "Internet"),
    }
    assert {str(each.after) for each in changes} == {"denied"}


def test_it_says_what_decides_afterwards() -> None:
    (change,) = difference(pair(), CLOSE_SSH)
    assert [reason.name for reason in change.because] == ["no-ssh"]


@settings(max_examples=15, deadline=None)
@given(RULES, RULES)
def test_changes_are_exactly_the_flows_that_fare_otherwise(before: list[object], after: list[object]) -> None:
    one, other = pair(nsg("nsg-b", *before)), pair(nsg("nsg-b", *after))  # type: ignore[arg-type]
    changes, earlier, later = difference(one, other), Reach(one), Reach(other)
    for port, protocol in product((21, 22, 26, 443, 2_000), ("Tcp", "Udp")):
        flow = Flow(ipaddress.ip_address(A), ipaddress.ip_address(B), protocol, port, 50_000)
        paths = earlier.path(flow), later.path(flow)
        verdicts = paths[0].verdict, paths[1].verdict
        # unknown for another reason is told too: it may be the contrary
        missing = [{name for reason in path.because for name in reason.missing} for path in paths]
        told = [
            (each.before, each.after)
            for each in changes
            if each.source == point(other, "a") and each.destination == point(other, "b")
            if each.protocol == protocol and port in each.ports and 50_000 in each.source_ports
        ]
        differ = verdicts[0] is not verdicts[1] or missing[0] != missing[1]
        assert told == ([verdicts] if differ else [])
