"""Many flows or addresses at once fare as each of them does alone."""

import ipaddress
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.network.batch import VERDICTS, Decider, Flows, next_hops
from diagnostics.network.batch.columns import addresses
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.routing import NextHop, Table
from diagnostics.network.security import Context, Flow, Terms, first_match

PARTLY = Bounds(AddressSet.parse("10.9.0.0/17"), AddressSet.parse("10.9.0.0/16"), frozenset({"Partly"}))
CONTEXT = Context(tag=lambda name: PARTLY if name == "Partly" else None)
PLACES = [
    "*",
    "10.0.0.0/8",
    "10.9.0.0/17",
    "10.9.1.4",
    "Partly",
    "Tag",
    "::/0",
    "fd00::/16",
    "fd00:0:0:1::/64",
    "fd00::4",
]
PORTS = ["*", "22", "80-90", "0-1023", "1024-65535", "0", "65535", "odd"]
ENDS = ["10.9.1.4", "10.9.200.4", "10.0.0.0", "255.255.255.255", "0.0.0.0", "fd00::4", "fd00:0:0:1::", "fd01::", "::"]
NUMBERS = st.none() | st.sampled_from([0, 22, 85, 1023, 1024, 65_535])
FLOWS = st.lists(
    st.builds(
        Flow,
        st.sampled_from(ENDS).map(ipaddress.ip_address),
        st.sampled_from(ENDS).map(ipaddress.ip_address),
        st.sampled_from(["Tcp", "UDP", "Icmp", "Esp", "Sctp"]),
        NUMBERS,
        NUMBERS,
    ),
    max_size=30,
)


def several(texts: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(texts), min_size=1, max_size=2, unique=True).map(tuple)


RULES = st.builds(
    SecurityRule,
    name=st.just("rule"),
    priority=st.just(100),
    direction=st.just("Inbound"),
    access=st.sampled_from(["Allow", "Deny"]),
    default=st.just(value=False),
    protocol=st.sampled_from(["*", "Tcp", "udp", "ICMP", "Sctp"]),
    sources=several(PLACES),
    destinations=st.just(("*",)) | several(PLACES),
    source_ports=st.just(("*",)) | several(PORTS),
    destination_ports=several(PORTS),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RULES, max_size=8), st.sampled_from([0, 1, 61, 63, 70, 300]), FLOWS)
def test_each_flow_is_decided_as_it_is_alone(few: list[SecurityRule], filling: int, flows: list[Flow]) -> None:
    never = replace(few[0], protocol="Ah") if few else None
    listed = [*few[:2], *([never] * filling if never else []), *few[2:]]  # so that the rest is in another word
    rules = [(replace(rule, name=f"r{place}"), Terms.lenient(rule, CONTEXT)) for place, rule in enumerate(listed)]
    decider = Decider.of(rules)
    for places, columns in Flows.by_family(flows):
        found = decider.decide(columns)
        for place, rule, verdict in zip(places, found.rules, found.verdicts, strict=True):
            alone = first_match(rules, flows[place])
            told = (f"r{rule}", VERDICTS[verdict]) if rule >= 0 else (None, None)
            assert told == ((alone.rule.name, alone.verdict) if alone else (None, None))
            assert (rule < 0) == (verdict < 0)


V4 = st.integers(0, 2**32 - 1)
NEAR = st.sampled_from([0, 1, 2**64 - 1, 2**64, 2**64 + 1, 2**127, 2**127 + 5, 2**128 - 1])
V6 = (
    NEAR
    | st.builds(lambda high, low: high << 64 | low, st.integers(0, 3), st.integers(0, 3))
    | st.integers(0, 2**128 - 1)
)


@given(st.sets(V4, max_size=30), st.lists(V4, max_size=30))
def test_an_ipv4_address_gets_its_next_hop(borders: set[int], asked: list[int]) -> None:
    assert hops(borders, asked, 4)


@given(st.sets(V6, max_size=30), st.lists(V6, max_size=30))
def test_an_ipv6_address_gets_its_next_hop(borders: set[int], asked: list[int]) -> None:
    assert hops(borders, asked, 6)


def hops(borders: set[int], asked: list[int], version: int) -> bool:
    """Whether the borders themselves, what is around them, and what is asked get the next hops that they get alone."""
    starts = tuple(sorted(borders | {0}))
    table = Table(starts, tuple(NextHop(None, missing=frozenset({str(start)})) for start in starts))
    asked = [*asked, *starts, *(start - 1 for start in starts[1:])]
    places = next_hops(table, addresses(asked, version))
    assert places.dtype == np.int64
    return [table.hops[place] for place in places] == [table.of(address) for address in asked]
