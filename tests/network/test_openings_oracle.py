"""Openings as sets hold what the engine says flow by flow, on drawn rules, drawn estates and the sandbox's."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.network.estate import Estate, Point
from diagnostics.network.exposure import Exposed, Sources
from diagnostics.network.filters import Filters
from diagnostics.network.ids import ResourceId
from diagnostics.network.meaning import World
from diagnostics.network.model import SecurityRule
from diagnostics.network.openings import Opening, Openings
from diagnostics.network.prefixes import PRIVATE, Address
from diagnostics.network.public import unseen_balancer
from diagnostics.network.reach import Reach
from diagnostics.network.reading import read_files
from diagnostics.network.security import WITH_PORTS, Flow, Terms, Verdict, first_match, in_order
from tests.network.builders import (
    admin,
    estate,
    network,
    nic,
    nsg,
    nsg_id,
    point,
    public_ip,
    rid,
    route,
    rule,
    subnet,
    table,
)
from tests.property.test_fleet import an_estate

SURE, PERHAPS, CLOSED = "sure", "perhaps", "closed"
SOURCES = tuple(
    map(
        ipaddress.ip_address,
        (
            *("203.0.113.1", "203.0.113.200", "198.51.100.7", "8.8.8.8", "150.0.0.1", "20.128.0.1", "25.1.1.1"),
            *("20.0.1.9", "20.0.0.5", "20.200.0.1", "2001:db8:b:1::4", "2001:db8::7", "2600::1"),
        ),
    )
)
ASKED = [(protocol, port) for protocol in ("Tcp", "Udp") for port in (1, 21, 22, 443, 3389)] + [
    ("Icmp", None),
    ("Ah", None),
]


def state(openings: tuple[Opening, ...], protocol: str, port: int | None, source: Address) -> str:
    """Whether an address gets in."""
    hit = [each for each in openings if each.protocol == protocol and (port is None or port in each.ports)]
    if any(source in each.sources.must for each in hit):
        return SURE
    return PERHAPS if any(source in each.sources.may for each in hit) else CLOSED


def worst(verdicts: set[Verdict]) -> str:
    """Who sends chooses the source port."""
    return SURE if Verdict.ALLOWED in verdicts else PERHAPS if Verdict.UNKNOWN in verdicts else CLOSED


def source_ports(protocol: str) -> tuple[int | None, ...]:
    """One of each range that the drawn rules tell apart."""
    return (50, 1500, 3000) if protocol.lower() in WITH_PORTS else (None,)


def alike(there: Point) -> Iterator[tuple[str, int | None, Address]]:
    for protocol, port in ASKED:
        for source in SOURCES:
            if there.address and source.version == there.address.version and source not in PRIVATE:
                yield protocol, port, source


def differences(known: Estate) -> Iterator[str]:
    filters = Filters(known)
    openings = Openings(filters, known)
    for there in known.points:
        found = openings.into(there)
        for protocol, port, source in alike(there):
            assert there.address
            flows = (Flow(source, there.address, protocol, port, sent) for sent in source_ports(protocol))
            verdicts = [filters.inbound(there, flow).verdict for flow in flows]
            told, expected = state(found, protocol, port, source), worst(set(verdicts))
            # One source port gets in if the address is in the virtual network, another one if it is not: in for sure.
            together = told == SURE and expected == PERHAPS and verdicts.count(Verdict.UNKNOWN) > 1
            if told != expected and not together:
                yield f"{there.nic.id.name} {there.address} {protocol} {port} from {source}: {told}, not {expected}"
        assert all(each.sources.exact or each.sources.missing for each in found)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_into_is_what_rules_say_of_flows_whatever_an_estate_is_made_of(data: st.DataObject) -> None:
    known = an_estate(lambda options: data.draw(st.sampled_from(list(options))))
    assert list(differences(known)) == []


PREFIXES = ["*", "203.0.113.0/24", "203.0.113.128/25", "198.51.100.7", "0.0.0.0/1", "::/0"]
PREFIXES += ["Internet", "VirtualNetwork", "Mystery"]
TARGETS = ["*", "*", "10.0.1.4", "10.0.1.5", "10.0.1.0/24", "VirtualNetwork", "Mystery"]
KNOWN_TO = tuple(map(ipaddress.ip_address, ("10.0.1.4", "10.0.1.5", "10.0.1.6", "10.0.2.4", "10.9.0.1", "8.8.4.4")))
DOUBTFUL_TO = (ipaddress.ip_address("198.51.100.9"),)
"""Destinations of every kind that the drawn rules tell apart; whether the last is in the network is not known."""


def rules_of(accesses: tuple[str, ...]) -> st.SearchStrategy[list[SecurityRule]]:
    return st.lists(
        st.builds(
            lambda number, access, protocol, **terms: rule(f"r{number}", number, access, protocol=protocol, **terms),
            st.integers(100, 120),
            st.sampled_from(accesses),
            st.sampled_from(["Tcp", "*", "Udp", "Icmp"]),
            sources=st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2).map(tuple),
            destinations=st.sampled_from(TARGETS),
            ports=st.sampled_from(["*", "22", "20-25 443", "0-1023", "odd"]),
            source_ports=st.sampled_from(["*", "*", "0-99", "100-65535", "1000-2000"]),
        ),
        max_size=6,
        unique_by=lambda each: each.priority,
    )


NSG_RULES = rules_of(("Allow", "Allow", "Deny"))


def home(*parts: object, outer: list[SecurityRule], inner: list[SecurityRule], known_routes: bool = True) -> Estate:
    """One NIC behind two NSGs; with or without the route table that its subnet names."""
    tables = [table("rt", route("half", "198.51.100.0/24", "None"))] if known_routes else []
    where = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", "outer", "rt"))
    attached = {"public_ip": rid("publicIPAddresses", "pip")}
    machine = nic("a", "10.0.1.4", "v/a", "inner", **attached)
    return estate(
        where, machine, nsg("outer", *outer), nsg("inner", *inner), *tables, public_ip("pip", "20.1.2.3"), *parts
    )


@settings(deadline=None, max_examples=40)
@given(NSG_RULES, NSG_RULES, rules_of(("Allow", "Deny", "AlwaysAllow")), st.booleans())
def test_into_with_two_nsgs_and_admin_rules(
    outer: list[SecurityRule],
    inner: list[SecurityRule],
    above: list[SecurityRule],
    known_routes: bool,  # noqa: FBT001
) -> None:
    ruled = [admin(each.name, each.priority, each.access, "v", **_terms(each)) for each in above[:3]]
    known = home(*ruled, outer=outer, inner=inner, known_routes=known_routes)
    assert list(differences(known)) == []


def _terms(each: SecurityRule) -> dict[str, Any]:
    return {
        "protocol": each.protocol,
        "sources": each.sources,
        "destinations": each.destinations,
        "ports": each.destination_ports,
        "source_ports": each.source_ports,
    }


@settings(deadline=None, max_examples=40)
@given(NSG_RULES)
def test_admitted_is_what_first_match_says_of_some_destination(rules: list[SecurityRule]) -> None:
    """Where it is open whether a source or a destination is in the network, both ways to take it have to agree."""
    known = home(outer=rules, inner=[])
    filters, group, there = Filters(known), known.security_groups[_id("outer")], point(known, "a")
    ordered = in_order(group.rules, inbound=True)
    ready = {world: [(r, Terms.lenient(r, filters.context(there, world))) for r in ordered] for world in World}
    own = filters.context(there).prefix("VirtualNetwork")
    found = Openings(filters, known).admitted(group, filters.context(there))
    for protocol, port in [("Tcp", 22), ("Tcp", 443), ("Udp", 50), ("Icmp", None)]:
        for source in (each for each in SOURCES if each.version == 4):
            parts = []
            for destinations, doubtful in ((KNOWN_TO, False), (DOUBTFUL_TO, True)):
                flows = [Flow(source, to, protocol, port, p) for to in destinations for p in source_ports(protocol)]
                by_world = {world: worst(_verdicts(terms, flows)) for world, terms in ready.items()}
                narrow, wide = by_world[World.NARROW], by_world[World.WIDE]
                settled = (own.holds(source) is None) != doubtful
                parts.append((narrow if narrow == wide else PERHAPS) if settled else by_world[World.BOUNDS])
            expected = min(parts, key=(SURE, PERHAPS, CLOSED).index)
            assert (protocol, port, source, state(found, protocol, port, source)) == (protocol, port, source, expected)


def _verdicts(ready: list[tuple[SecurityRule, Terms]], flows: list[Flow]) -> set[Verdict]:
    return {found.verdict for flow in flows if (found := first_match(ready, flow))}


def _id(name: str) -> ResourceId:
    found = nsg_id(name)
    assert found
    return found


def exposures(known: Estate) -> Iterator[tuple[str, str, str]]:
    """What `Sources.exposed` says and what `Openings.exposed` says, wherever they should be the same."""
    engine = Reach(known)
    slow, openings = Sources(engine), Openings.of(engine)
    for there in known.points:
        # A private endpoint has no public address in Azure; an address that two NICs share stops the engine.
        taken = any(list(known.at(source)) for source in SOURCES)
        if there.address is None or there.nic.private_endpoint or taken or unseen_balancer(known, there):
            continue
        expected, found = slow.exposed(there), openings.exposed(there)
        for protocol, port, source in alike(there):
            said = _said(expected, protocol, port, source)
            yield f"{there.nic.id.name} {protocol} {port} {source}", said, state(found, protocol, port, source)


def _said(exposed: tuple[Exposed, ...], protocol: str, port: int | None, source: Address) -> str:
    cast = tuple(Opening(each.protocol, each.ports, each.sources, ()) for each in exposed)
    return state(cast, protocol, port, source)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(NSG_RULES, NSG_RULES, st.booleans())
def test_exposed_is_what_the_engine_says_address_by_address(
    outer: list[SecurityRule],
    inner: list[SecurityRule],
    known_routes: bool,  # noqa: FBT001
) -> None:
    """Where no rule has source ports: without one given, the engine leaves such a rule open, whoever could choose."""
    plain = [[_any_source_port(each) for each in rules] for rules in (outer, inner)]
    known = home(outer=plain[0], inner=plain[1], known_routes=known_routes)
    assert [each for each in exposures(known) if each[1] != each[2]] == []


def _any_source_port(each: SecurityRule) -> SecurityRule:
    return rule(each.name, each.priority, each.access, **{**_terms(each), "source_ports": ("*",)})


ESTATES = sorted(Path("sandbox/estates").glob("*.json"))


@pytest.mark.parametrize("path", ESTATES, ids=[path.stem for path in ESTATES])
def test_exposed_on_the_estates_of_the_sandbox(path: Path) -> None:
    known = read_files([(path.name, path.read_bytes())])
    assert known.points
    assert [each for each in exposures(known) if each[1] != each[2]] == []
    assert list(differences(known)) == []
