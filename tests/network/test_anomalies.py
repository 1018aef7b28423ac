"""What is odd about rules: tables of the traps."""

import re
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.anomalies import Anomaly, Kind, anomalies, anomalies_of, common_services
from diagnostics.network.anomalies.edges import covers, merged, plain_edges
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import Context
from tests.network.builders import nsg, rid, rule

WEB, DATA = rid("applicationSecurityGroups", "asg-web"), rid("applicationSecurityGroups", "asg-data")
VNET = Bounds.exactly(AddressSet.parse("10.0.0.0/16"))
PARTLY = Bounds(AddressSet.parse("10.9.0.0/17"), AddressSet.parse("10.9.0.0/16"), frozenset({"Partly"}))
KNOWN = {
    "virtualnetwork": VNET,
    "internet": ~VNET,
    "azureloadbalancer": Bounds.exactly(AddressSet.parse("168.63.129.16")),
    "partly": PARTLY,
    "empty": Bounds.exactly(AddressSet.none()),
}
CONTEXT = Context(tag=lambda name: KNOWN.get(name.lower()))


def allow(name: str, **terms: Any) -> SecurityRule:
    return rule(name, 100, "Allow", **terms)


def deny(name: str, **terms: Any) -> SecurityRule:
    return rule(name, 100, "Deny", **terms)


def said(found: tuple[Anomaly, ...]) -> set[str]:
    """Each anomaly as `kind rule < by by`."""
    return {f"{each.kind} {each.rule.name} < {' '.join(by.name for by in each.by)}".strip() for each in found}


DEAD: dict[str, tuple[list[SecurityRule], str]] = {
    "two halves shadow a whole": (
        [deny("one", sources="10.0.0.0/25"), deny("two", sources="10.0.0.128/25"), allow("x", sources="10.0.0.0/24")],
        "one two",
    ),
    "two halves shadow all of IPv4": (
        [deny("one", sources="0.0.0.0/1"), deny("two", sources="128.0.0.0/1"), allow("x", sources="0.0.0.0/0")],
        "one two",
    ),
    "both families shadow everything": (
        [deny("four", sources="0.0.0.0/0"), deny("six", sources="::/0"), allow("x")], "four six",
    ),
    "both families at different ends do": (
        [deny("four", sources="0.0.0.0/0"), deny("six", destinations="::/0"), allow("x")], "four six",
    ),
    "no flow goes from IPv4 to IPv6": ([allow("x", sources="10.0.0.0/8", destinations="2001:db8::/32")], ""),
    "nor do such flows keep a rule": (
        [deny("four", sources="10.0.0.0/8", destinations="0.0.0.0/0"), allow("x", sources="10.0.0.0/8")], "four",
    ),
    "ports of several rules": (
        [deny("low", ports="0-1023"), deny("high", ports="1024-65535"), allow("x", protocol="Tcp", ports="22 3389")],
        "low high",
    ),
    "plural ports": (
        [deny("some", protocol="Tcp", ports="22 80-90"), allow("x", protocol="TCP", ports="85 22 80-81")], "some",
    ),
    "ports next to each other": (
        [deny("some", ports="80 81 82-90"), allow("x", protocol="Tcp", ports="80-90")], "some",
    ),
    "ICMP has no ports": ([deny("ssh", protocol="Icmp", ports="22"), allow("x", protocol="Icmp")], "ssh"),
    "a port of any protocol takes all of ICMP": (
        [deny("ssh", ports="22"), allow("x", protocol="Icmp", ports="80")], "ssh",
    ),
    "all protocols, one by one": (
        [
            *(deny(each.lower(), protocol=each) for each in ("Tcp", "Udp", "Icmp", "Esp")),
            deny("ah", protocol="AH", ports="9"),
            allow("x"),
        ],
        "tcp udp icmp esp ah",
    ),
    "a protocol that nobody knows is itself": (
        [deny("sctp", protocol="Sctp", ports="1"), allow("x", protocol="SCTP", ports="2")], "sctp",
    ),
    "the same application security group": (
        [deny("web", sources=(), source_groups=(WEB,)), allow("x", sources=(), source_groups=(WEB,), ports="80")],
        "web",
    ),
    "the same unknown tag, in another case": (
        [deny("tag", sources="CorpNetPublic"), allow("x", sources="corpnetpublic", ports="80")], "tag",
    ),
    "an unknown tag at both ends": (
        [
            deny("tag", sources="CorpNetPublic", destinations="CorpNetPublic"),
            allow("x", sources="CorpNetPublic", destinations="CorpNetPublic", protocol="Tcp"),
        ],
        "tag",
    ),
    "unknown tags below a known prefix": (
        [
            deny("tag", sources="CorpNetPublic"),
            deny("all", sources="*", ports="80"),
            allow("x", sources="Other CorpNetPublic", ports="80", protocol="Tcp"),
        ],
        "tag all",
    ),
    "all that a tag may hold": (
        [deny("more", sources="10.9.0.0/16"), allow("x", sources="Partly")], "more",
    ),
    "what a tag must hold": ([deny("tag", sources="Partly"), allow("x", sources="10.9.1.0/24")], "tag"),
    "a tag without addresses": ([allow("x", sources="Empty")], ""),
    "twice the same": ([allow("one", ports="80"), allow("x", ports="80")], "one"),
    "what a rule leaves to those behind": (
        [deny("all", sources="10.0.0.0/8"), deny("late", sources="10.1.0.0/16"), allow("x", sources="10.0.0.0/9")],
        "all",
    ),
    "host bits are masked": ([deny("net", sources="10.0.0.9/24"), allow("x", sources="10.0.0.77")], "net"),
    "no ports, no addresses: all of them": (
        [deny("all", sources=(), destinations=(), ports=()), allow("x", ports="80")], "all",
    ),
}  # fmt: skip
ALIVE: dict[str, list[SecurityRule]] = {
    "alone": [allow("x")],
    "IPv4 is not everything": [deny("four", sources="0.0.0.0/0"), allow("x")],
    "one family at each end is not everything": [
        deny("four", sources="0.0.0.0/0"),
        deny("six", destinations="2001:db8::/32"),
        allow("x"),
    ],
    "one address is left": [
        deny("one", sources="10.0.0.0/25"),
        deny("two", sources="10.0.0.129-10.0.0.255"),
        allow("x", sources="10.0.0.0/24"),
    ],
    "one port is left": [deny("a", ports="0-79"), deny("b", ports="81-65535"), allow("x", protocol="Tcp", ports="80")],
    "a port of any protocol leaves the others of TCP": [deny("ssh", ports="22"), allow("x")],
    "one protocol is left": [*(deny(each, protocol=each) for each in ("Tcp", "Udp", "Icmp", "Esp")), allow("x")],
    "TCP is not ICMP": [deny("tcp", protocol="Tcp"), allow("x", protocol="Icmp")],
    "each dimension alone": [
        deny("source", sources="10.0.0.0/8", ports="80"),
        deny("port", sources="10.0.0.0/9", ports="*"),
        allow("x", sources="10.0.0.0/8", ports="80-81"),
    ],
    "another application security group": [
        deny("web", sources=(), source_groups=(WEB,)),
        allow("x", sources=(), source_groups=(DATA,)),
    ],
    "an unknown tag is not everything": [deny("tag", sources="CorpNetPublic"), allow("x", sources="10.0.0.0/8")],
    "an unknown tag is not empty": [deny("net", sources="10.0.0.0/8"), allow("x", sources="CorpNetPublic")],
    "at the other end, it says nothing": [
        deny("tag", sources="CorpNetPublic"),
        allow("x", destinations="CorpNetPublic"),
    ],
    "what a tag may hold is not sure": [deny("tag", sources="Partly"), allow("x", sources="10.9.200.0/24")],
    "beyond what it must hold": [deny("must", sources="10.9.0.0/17"), allow("x", sources="Partly")],
}


def dead(rules: list[SecurityRule]) -> dict[str, str]:
    found = anomalies_of(rules, CONTEXT)
    return {each.rule.name: " ".join(by.name for by in each.by) for each in found if each.kind is Kind.DEAD}


@pytest.mark.parametrize("name", DEAD)
def test_a_rule_is_dead_by_the_rules_that_take_its_flows(name: str) -> None:
    rules, by = DEAD[name]
    assert dead(rules).get("x") == by


@pytest.mark.parametrize("name", ALIVE)
def test_a_rule_with_a_flow_of_its_own_is_not_dead(name: str) -> None:
    assert "x" not in dead(ALIVE[name])


REDUNDANT = {
    "the end of the list denies": ([deny("x")], "x <"),
    "a wider one behind it": ([allow("x", sources="10.1.0.0/16"), allow("y", sources="10.0.0.0/8")], "x < y"),
    "two behind it together": (
        [allow("x", ports="80"), allow("y", sources="0.0.0.0/0"), allow("z", sources="::/0")], "x < y z",
    ),
    "only what it decides itself counts": (
        [deny("a", ports="80"), allow("x", ports="80-81"), allow("y", ports="81")], "x < y",
    ),
    "the same unknown tag": (
        [allow("x", sources="CorpNetPublic", ports="80"), allow("y", sources="CorpNetPublic")], "x < y",
    ),
}  # fmt: skip
NEEDED = {
    "alone": [allow("x")],
    "one in between says the contrary": [
        allow("x", sources="10.1.0.0/16"),
        deny("between", sources="10.1.2.0/24", ports="22"),
        allow("y", sources="10.0.0.0/8"),
    ],
    "an unknown one in between says the contrary": [
        allow("x", sources="10.1.0.0/16"),
        deny("between", sources="CorpNetPublic"),
        allow("y", sources="10.0.0.0/8"),
    ],
    "another unknown tag": [allow("x", sources="CorpNetPublic"), allow("y", sources="Other")],
    "a deny above an allow": [deny("x", sources="10.0.0.0/8"), allow("y")],
}


@pytest.mark.parametrize("name", REDUNDANT)
def test_a_rule_is_redundant_by_those_that_would_decide_the_same(name: str) -> None:
    rules, expected = REDUNDANT[name]
    assert f"redundant {expected}" in said(anomalies_of(rules, CONTEXT))


@pytest.mark.parametrize("name", NEEDED)
def test_a_rule_that_decides_otherwise_is_not_redundant(name: str) -> None:
    assert not [each for each in said(anomalies_of(NEEDED[name], CONTEXT)) if each.startswith("redundant x")]


def test_one_of_two_equals_is_dead_and_the_other_is_not_redundant_twice() -> None:
    assert said(anomalies_of([allow("one"), allow("two")])) == {"redundant one < two", "dead two < one"}


def test_a_conflict_is_partial_on_both_sides() -> None:
    crossing = [deny("net", sources="10.0.0.0/8"), allow("web", ports="80")]
    assert said(anomalies_of(crossing, CONTEXT)) == {"conflict web < net"}
    assert said(anomalies_of([deny("net", sources="10.0.0.0/8", ports="80"), allow("web", ports="80")])) == {
        "generalised net < web"
    }


def test_what_an_even_earlier_rule_decides_is_no_conflict() -> None:
    rules = [
        allow("first", sources="10.0.0.0/8", ports="80"),
        deny("net", sources="10.0.0.0/8"),
        allow("x", protocol="Tcp", ports="80"),
    ]
    assert "conflict x < net" not in said(anomalies_of(rules))


def test_what_depends_on_an_unknown_tag_says_so() -> None:
    rules = [deny("tag", sources="CorpNetPublic"), deny("net", sources="10.0.0.0/8"), allow("x", ports="80")]
    conflicts = [each for each in anomalies_of(rules) if each.kind is Kind.CONFLICT]
    assert [each.missing for each in conflicts] == [{"CorpNetPublic"}]
    assert conflicts[0].text == (
        "is overtaken in part: tag (100) and net (100) decide some of the flows first that it is to allow, "
        "and say the contrary, if at all: that depends on CorpNetPublic"
    )


def test_a_harmless_leftover_is_told_from_a_contradiction() -> None:
    rules = [
        allow("a", sources="10.0.0.0/25"),
        deny("b", sources="10.0.0.128/25"),
        allow("leftover", sources="10.0.0.0/26"),
        allow("reversed", sources="10.0.0.192/26"),
        allow("mixed", sources="10.0.0.0/24"),
    ]
    found = {each.rule.name: each for each in anomalies_of(rules) if each.kind is Kind.DEAD}
    assert {name: [each.name for each in anomaly.contrary] for name, anomaly in found.items()} == {
        "leftover": [],
        "reversed": ["b"],
        "mixed": ["b"],
    }
    assert found["leftover"].text == (
        "can never match: a (100) takes all of its flows first, and decides the same: a harmless leftover"
    )
    assert found["reversed"].text == (
        "can never match: b (100) takes all of its flows first, and decides the contrary: what it is to allow never is"
    )
    assert found["mixed"].text == (
        "can never match: a (100) and b (100) take all of its flows first, of which b (100) decides the contrary"
    )


def test_default_rules_shadow_but_are_not_reported() -> None:
    open_to_all = nsg("nsg", rule("all", 100, "Allow"), rule("none", 4096, "Deny"))
    assert said(anomalies(open_to_all, CONTEXT)) == {"dead none < all"}
    closed = nsg("nsg", rule("last", 4096, "Deny"), rule("net", 200, "Allow", sources="VirtualNetwork"))
    assert said(anomalies(closed, CONTEXT)) == {"generalised net < last"}
    beyond = nsg("nsg", rule("net", 200, "Deny", sources="192.168.0.0/16"))
    assert said(anomalies(beyond, CONTEXT)) == {"redundant net < DenyAllInBound"}


def test_the_directions_know_nothing_of_each_other() -> None:
    inward, outward = rule("in", 100, "Deny"), rule("out", 100, "Allow", "Outbound")
    assert said(anomalies(nsg("nsg", inward, outward), CONTEXT)) == set()
    later = rule("out2", 200, "Deny", "outbound", ports="80")
    assert said(anomalies(nsg("nsg", inward, outward, later), CONTEXT)) == {"dead out2 < out"}


def test_priority_counts_not_the_place_in_the_list() -> None:
    group = nsg("nsg", rule("late", 300, "Allow", ports="80"), rule("early", 200, "Deny"))
    assert "dead late < early" in said(anomalies(group, CONTEXT))


@pytest.mark.parametrize(
    ("terms", "value"),
    [
        ({"ports": "90-80"}, "destination port range: '90-80'"),
        ({"source_ports": "x"}, "source port range: 'x'"),
        ({"ports": "65536"}, "destination port range: '65536'"),
        ({"sources": "789"}, "source address: '789'"),
        ({"destinations": "10.0.0.0/33"}, "destination address: '10.0.0.0/33'"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named_and_the_rest_is_told(terms: dict[str, str], value: str) -> None:
    bad = rule("odd", 150, "Deny", **terms)
    with pytest.raises(ParseError, match=re.escape(f"rule odd: {value}")):
        anomalies_of([bad])
    found = anomalies(nsg("nsg", rule("a", 100, "Deny", ports="80"), bad, rule("b", 200, "Allow", ports="80")), CONTEXT)
    assert said(found) == {"unreadable odd <", "dead b < a"}
    assert value in found[0].text


def test_nothing_is_redundant_because_of_a_rule_that_cannot_be_read() -> None:
    rules = [rule("a", 100, "Allow", ports="80"), rule("all", 200, "Allow", ports="80-90")]
    odd = rule("odd", 150, "Deny", ports="?")
    assert "redundant a < all" in said(anomalies(nsg("nsg", *rules), CONTEXT))
    assert "redundant a < all" not in said(anomalies(nsg("nsg", *rules, odd), CONTEXT))


def test_an_application_security_group_with_members_is_its_addresses() -> None:
    members = Bounds.exactly(AddressSet.parse("10.0.1.4"))
    known = Context(members=lambda group: members if group == WEB else None)
    rules = [
        deny("net", sources="10.0.1.0/24"),
        allow("web", sources=(), source_groups=(WEB,)),
        allow("data", sources=(), source_groups=(DATA,)),
    ]
    assert said(anomalies_of(rules, known)) == {"dead web < net", "conflict data < net"}


def test_faults_are_all_but_exceptions_and_what_is_not_certain() -> None:
    rules = [
        rule("some", 100, "Deny", sources="10.0.0.0/24", ports="80"),
        rule("tag", 110, "Deny", sources="CorpNetPublic", ports="81-90"),
        rule("crossing", 120, "Deny", sources="10.0.0.0/8", ports="100"),
        rule("twin", 130, "Deny", sources="10.0.0.0/24", ports="80"),
        rule("net", 140, "Allow", sources="10.0.0.0/16", ports="0-100"),
        rule("odd", 150, "Allow", ports="?"),
    ]
    every, faults = (anomalies(nsg("nsg", *rules), CONTEXT, faults=only) for only in (False, True))
    left_out = set(every) - set(faults)
    assert left_out
    assert {each.kind for each in left_out} <= {Kind.GENERALISED, Kind.CONFLICT}
    assert all(each.missing or each.kind is Kind.GENERALISED for each in left_out)
    assert list(faults) == [each for each in every if each not in left_out]
    assert {each.kind for each in faults} >= {Kind.DEAD, Kind.UNREADABLE}


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True),
        ("10.0.0.0/8", "10.0.0.0/8", True),
        ("10.1.0.0/16", "10.0.0.0/8", False),
        ("10.0.0.0/25 10.0.0.128/25", "10.0.0.100-10.0.0.200", True),
        ("10.0.0.0/25 10.0.1.0/25", "10.0.0.100-10.0.1.10", False),
        ("10.0.0.0/25 10.0.1.0/25", "10.0.0.1 10.0.1.1", True),
        ("10.0.0.0/25 10.0.1.0/25", "10.0.0.200", False),
        ("0.0.0.0/0", "*", False),
        ("0.0.0.0/0 ::/0", "*", True),
        ("*", "2001:db8::/32", True),
        ("0.0.0.0/0", "::/128", False),
        ("10.0.0.1", "", True),
        ("", "10.0.0.1", False),
    ],
)
def test_prefixes_cover_others_family_by_family(outer: str, inner: str, *, expected: bool) -> None:
    one, other = (merged([plain_edges(text) or () for text in texts.split()]) for texts in (outer, inner))
    assert covers(one, other) is expected


def test_services_of_many_rules_are_parted_once_if_they_are_few() -> None:
    assert common_services([allow("web", ports="80 443"), allow("bad", ports="none")]) is not None
    assert common_services([allow(f"r{port}", ports=str(port)) for port in range(1, 200, 2)]) is None


def test_classes_that_do_not_know_a_service_are_not_used() -> None:
    group = nsg("web", allow("first", ports="80"), rule("second", 200, ports="80"))
    assert anomalies(group, common=common_services([allow("other", ports="443")])) == anomalies(group)
