"""z3 about NSGs: the same verdicts, flow by flow, and the same dead and redundant rules."""

import ipaddress
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.network.anomalies import Kind, anomalies_of
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import Context, Flow, decide, in_order
from tests.network.builders import nsg
from tests.network.second_opinion import NUMBERS, Opinion

TAGS = {
    "VirtualNetwork": ["10.0.0.0/16", "fd00::/8"],
    "AzureLoadBalancer": ["168.63.129.16/32"],
    "Internet": ["8.0.0.0/6", "2000::/3"],
}
CONTEXT = Context(tag={name: Bounds.exactly(AddressSet.union(map(AddressSet.parse, TAGS[name]))) for name in TAGS}.get)
KNOWN = [
    "*",
    "10.0.0.0/15",
    "10.0.0.0/24",
    "10.0.0.0/25",
    "10.0.0.128/25",
    "8.8.8.0/24",
    "fd00::/16",
    "::/0",
    "VirtualNetwork",
]
PORTS = ["*", "22", "80-90", "0-1023", "1024-65535", "85"]


def several(texts: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(texts), min_size=1, max_size=3, unique=True).map(tuple)


def rules(addresses: list[str]) -> st.SearchStrategy[list[SecurityRule]]:
    terms = st.builds(
        SecurityRule,
        name=st.just(""),
        priority=st.just(0),
        direction=st.just("Inbound"),
        access=st.sampled_from(["Allow", "Deny"]),
        default=st.just(value=False),
        protocol=st.sampled_from(["*", "Tcp", "UDP", "Icmp", "Esp"]),
        sources=several(addresses),
        destinations=st.just(("*",)) | several(addresses),
        source_ports=st.sampled_from([("*",), ("*",), ("1024-65535",)]),
        destination_ports=several(PORTS),
    )
    lists = st.lists(terms, min_size=2, max_size=6)
    return lists.map(lambda found: [replace(rule, name=f"r{i}", priority=100 + i) for i, rule in enumerate(found)])


def flow(ends: tuple[str, str], protocol: str, ports: tuple[int, int]) -> Flow:
    source, destination = map(ipaddress.ip_address, ends)
    return Flow(source, destination, protocol, *(ports if protocol in {"tcp", "udp"} else (None, None)))


FOUR = st.sampled_from(["10.0.0.1", "10.0.0.129", "10.0.9.9", "10.1.0.1", "8.8.8.8", "9.9.9.9", "168.63.129.16"])
SIX = st.sampled_from(["fd00::1", "fd01::1", "2001:db8::1", "fe80::1"])
FLOWS = st.builds(
    flow,
    st.tuples(FOUR, FOUR) | st.tuples(SIX, SIX),
    st.sampled_from(sorted(NUMBERS)),
    st.tuples(st.sampled_from([22, 85, 1023, 1024, 65535]), st.sampled_from([80, 50000])),
)


@settings(max_examples=30, deadline=None)
@given(rules(KNOWN), st.lists(FLOWS, min_size=5, max_size=15))
def test_the_verdict_of_a_flow_is_the_one_of_the_formula(listed: list[SecurityRule], flows: list[Flow]) -> None:
    opinion = Opinion(TAGS)
    formula = opinion.allowed(in_order(listed, inbound=True))
    for each in flows:
        verdict = decide(nsg("nsg", *listed), each, inbound=True, context=CONTEXT).verdict
        assert verdict == ("allowed" if opinion.holds(formula, each) else "denied")


@settings(max_examples=15, deadline=None)
@given(rules(KNOWN))
def test_the_flows_that_z3_finds_for_a_rule_are_decided_by_it(listed: list[SecurityRule]) -> None:
    opinion, ordered = Opinion(TAGS), in_order(listed, inbound=True)
    for place, rule in enumerate(ordered):
        found = opinion.flow(opinion.decided_by(ordered, place))
        assert found is None or decide(nsg("nsg", *listed), found, inbound=True, context=CONTEXT).rule == rule


@settings(max_examples=25, deadline=None)
@given(rules(KNOWN))
def test_dead_and_redundant_rules_are_those_of_z3(listed: list[SecurityRule]) -> None:
    assert told(listed) == (Opinion(TAGS).dead(listed), Opinion(TAGS).redundant(listed))


@settings(max_examples=15, deadline=None)
@given(rules(["*", "10.0.0.0/24", "Alpha", "Beta", "VirtualNetwork"]))
def test_so_they_are_where_tags_may_hold_anything(listed: list[SecurityRule]) -> None:
    assert told(listed) == (Opinion(TAGS).dead(listed), Opinion(TAGS).redundant(listed))


def told(listed: list[SecurityRule]) -> tuple[set[str], set[str]]:
    found = anomalies_of(listed, CONTEXT)
    dead = {each.rule.name for each in found if each.kind is Kind.DEAD}
    return dead, dead | {each.rule.name for each in found if each.kind is Kind.REDUNDANT}
