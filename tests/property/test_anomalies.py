"""Anomalies against brute force: every flow of a tiny universe, under every truth about the unknown tags."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.network.anomalies import Anomaly, Kind, anomalies, anomalies_of, common_services, search
from diagnostics.network.anomalies.axes import Addresses, services
from diagnostics.network.anomalies.boxes import MOST, Boxes
from diagnostics.network.anomalies.fate import Fate, Role
from diagnostics.network.anomalies.reading import Reader, Reading, Said
from diagnostics.network.anomalies.rulelist import RuleList, Rules
from diagnostics.network.anomalies.rulelist import listed as in_lists
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import DEFAULTS, Context, Flow, Terms, Verdict, decide, in_order
from tests.network import brute_force
from tests.network.builders import nsg

PLACES = [["0.0.0.9", "10.0.0.0", "10.0.0.2", "200.0.0.1"], ["2001:db8::1", "fe80::1"]]
ENDS = [pair for family in PLACES for pair in product(family, repeat=2)]
# Where the ends of a flow may be in different tags, they are two addresses, and so are the ends between two borders.
APART = list(permutations(["0.0.0.9", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "200.0.0.1"], 2))
PREFIXES = ["*", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.2/31", "0.0.0.0/1", "128.0.0.0/1", "2001:db8::/64", "::/0"]
TAGS = ["Alpha", "Beta"]
PROTOCOLS = ["Tcp", "Udp", "Icmp"]
ALL_PROTOCOLS = [*PROTOCOLS, "Esp"]  # the last one for all that no rule names
PORTS = [79, 80, 81, 82]


def lists(texts: list[str], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(texts), min_size=1, max_size=most, unique=True).map(tuple)


def rules(addresses: list[str], protocols: Sequence[str], most: int = 6) -> st.SearchStrategy[list[SecurityRule]]:
    terms = st.builds(
        SecurityRule,
        name=st.just(""),
        priority=st.just(0),
        direction=st.just("Inbound"),
        access=st.sampled_from(["Allow", "Deny"]),
        default=st.just(value=False),
        protocol=st.sampled_from(["*", *protocols]),
        sources=lists(addresses),
        destinations=st.just(("*",)) | lists(addresses),
        source_ports=st.sampled_from([("*",), ("*",), ("80",)]),
        destination_ports=st.just(("*",)) | lists(["80", "0-79", "80-65535", "81"]),
    )
    return st.lists(terms, min_size=1, max_size=most).map(_numbered)


def _numbered(listed: list[SecurityRule]) -> list[SecurityRule]:
    return [replace(rule, name=f"r{number}", priority=100 + number) for number, rule in enumerate(listed)]


@dataclass
class Tally:
    """What every flow of the universe says of a list of rules, by their places; the end of the list denies."""

    rules: list[SecurityRule]
    deciding: set[int] = field(default_factory=set)
    needed: set[int] = field(default_factory=set)
    takers: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    heirs: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    without: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """For each rule, those that do not match one of its flows."""

    def count(self, matching: list[int]) -> None:
        for number in matching:
            self.takers[number].add(matching[0])
            self.without[number] |= set(range(len(self.rules))).difference(matching)
        if matching:
            first, *rest = matching
            self.deciding.add(first)
            self.heirs[first] |= set(rest[:1])
            if self._allows(rest) != self.rules[first].allows:
                self.needed.add(first)

    def _allows(self, matching: list[int]) -> bool:
        return bool(matching) and self.rules[matching[0]].allows

    def expected(self) -> set[tuple[str, int, int]]:
        """Every anomaly as its kind, its rule, and one of the rules that it is by; -1 where there is none."""
        found: set[tuple[str, int, int]] = set()
        for number, rule in enumerate(self.rules):
            if number not in self.deciding:
                found |= {("dead", number, by) for by in self.takers[number] or {-1}}
                continue
            if number not in self.needed:
                found |= {("redundant", number, by) for by in self.heirs[number] or {-1}}
            for earlier in self.takers[number] - {number}:
                if self.rules[earlier].allows == rule.allows:
                    continue
                inside = number not in self.without[earlier]
                found.add(("generalised", earlier, number) if inside else ("conflict", number, earlier))
        return found


def universe(ends: Sequence[tuple[str, ...]]) -> Iterator[dict[str, object]]:
    for protocol, (source, destination) in product(ALL_PROTOCOLS, ends):
        ports = product((79, 80), PORTS) if protocol in {"Tcp", "Udp"} else [(80, 80)]
        for source_port, destination_port in ports:
            yield {
                "protocol": protocol,
                "source": source,
                "destination": destination,
                "source_port": source_port,
                "destination_port": destination_port,
            }


def matching(listed: list[SecurityRule], flow: dict[str, object], truth: brute_force.Truths) -> list[int]:
    """The places of the rules that match; what has no ports is taken for what brute force knows to have none."""
    portless = flow["protocol"] not in {"Tcp", "Udp"}
    taken = flow | {"protocol": "Icmp"} if portless else flow
    return [
        number
        for number, rule in enumerate(listed)
        if rule.protocol in {"*", flow["protocol"]} and brute_force.matches(rule, taken, truth)
    ]


def truths(flow: dict[str, object], tags: Sequence[str]) -> Iterator[brute_force.Truths]:
    places = [(tag, str(flow[end])) for tag in tags for end in ("source", "destination")]
    for holds in product((False, True), repeat=len(places)):
        yield dict(zip(places, holds, strict=True))


def told(found: Sequence[Anomaly], listed: list[SecurityRule]) -> set[tuple[str, int, int]]:
    place = {rule.name: number for number, rule in enumerate(listed)}
    return {
        (each.kind.value, place[each.rule.name], by)
        for each in found
        for by in ([place[rule.name] for rule in each.by] or [-1])
    }


@settings(max_examples=80, deadline=None)
@given(rules(PREFIXES, PROTOCOLS))
def test_every_anomaly_is_the_one_that_brute_force_finds(listed: list[SecurityRule]) -> None:
    tally = Tally(listed)
    for flow in universe(ENDS):
        tally.count(matching(listed, flow, {}))
    found = anomalies_of(listed)
    assert told(found, listed) == tally.expected()
    assert not any(each.missing for each in found)


@settings(max_examples=20, deadline=None)
@given(rules([*TAGS, "*", "10.0.0.0/30", "10.0.0.0/31"], ["Tcp"], most=5))
def test_unknown_tags_are_whatever_makes_it_possible(listed: list[SecurityRule]) -> None:
    tally = Tally(listed)
    used = [tag for tag in TAGS if any(tag in rule.sources + rule.destinations for rule in listed)]
    for flow in universe(APART):
        for truth in truths(flow, used):
            tally.count(matching(listed, flow, truth))
    assert told(anomalies_of(listed), listed) == tally.expected()


def read(listed: Sequence[SecurityRule]) -> list[Reading]:
    reader = Reader(Context())
    return [reader.read(rule) for rule in listed]


def listed_rules(listed: Sequence[SecurityRule], most: int = MOST) -> Rules:
    return in_lists(Said.of(listed), Reader(Context()), most)


def boxed(listed: Sequence[SecurityRule], most: int = MOST) -> Boxes | None:
    said = Said.of(listed)
    (held,) = services([said], None)
    return None if held is None else Boxes.of(said, Addresses([said], Reader(Context())), held, most)


def told_role(role: Role | None) -> tuple[Fate, list[int], list[int]]:
    assert role
    return role.fate, list(role.takers), list(role.heirs)


ANYTHING = rules([*TAGS, *PREFIXES], [*ALL_PROTOCOLS, "Ah", "Sctp"], most=9)


@settings(max_examples=150, deadline=None)
@given(ANYTHING)
def test_a_search_and_boxes_say_the_same_of_every_rule(listed: list[SecurityRule]) -> None:
    boxes, searched = boxed(listed), RuleList.of(read(listed))
    assert boxes
    for each in range(len(listed)):
        expected = searched.role(each)
        assert told_role(boxes.role(each)) == told_role(expected)
        assert all(boxes.within(by, each) == searched.within(by, each) for by in expected.takers)


@settings(max_examples=50, deadline=None)
@given(rules(["Alpha", "*", "10.0.0.0/31", "10.0.0.0/30", "2001:db8::/64", "::/0"], PROTOCOLS))
def test_faults_are_all_that_is_certain_and_no_exception(listed: list[SecurityRule]) -> None:
    group = nsg("web", *listed)
    every = [each for each in anomalies(group) if each.kind is not Kind.GENERALISED]
    certain = [each for each in every if each.kind is not Kind.CONFLICT or not each.missing]
    assert [*anomalies(group, faults=True)] == certain
    assert [*anomalies(group, faults=True, common=common_services([*listed, *DEFAULTS]))] == certain


@given(ANYTHING)
def test_in_brief_a_rule_does_the_same(listed: list[SecurityRule]) -> None:
    known = listed_rules(listed)
    for number in range(len(listed)):
        assert known.brief(number, conflicts=False).fate is known.role(number).fate


@given(ANYTHING, st.integers(0, 4))
def test_where_there_are_too_many_boxes_a_search_says_it(listed: list[SecurityRule], most: int) -> None:
    few, many = listed_rules(listed, most), listed_rules(listed)
    for each in range(len(listed)):
        assert told_role(few.role(each)) == told_role(many.role(each))
        assert few.fate(each) is many.fate(each)


def test_boxes_are_given_up_where_there_would_be_too_many() -> None:
    rule = SecurityRule("web", 100, "Inbound", "Allow", default=False)
    crossing = [replace(rule, sources=("10.0.0.0/8",), destination_ports=("80",)), rule]
    boxes = boxed(crossing, most=1)
    assert boxes
    assert boxes.role(0)
    assert boxes.role(1) is None
    names = replace(rule, sources=tuple(f"Tag{number}" for number in range(500)))
    assert boxed([names]) is None
    ends = [str(port) for port in range(1, 1_000, 2)]
    ports = [replace(rule, source_ports=tuple(ends[::2]), destination_ports=tuple(ends))]
    assert boxed(ports) is None
    assert {listed_rules(each).fate(0) for each in ([names], ports)} == {Fate.NEEDED}


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_to_compare_choices_changes_nothing_of_what_is_found(listed: list[SecurityRule]) -> None:
    searched = RuleList.of(read(listed))
    plain = [searched.role(each) for each in range(len(listed))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_FEW", 0)
        assert [searched.role(each) for each in range(len(listed))] == plain


PARTS = ["10.0.0.0", "10.0.0.1", "10.0.0.2-10.0.0.3", "0.0.0.0/1"]


def meanings() -> Iterator[Context]:
    """Every meaning of a tag, as a union of parts."""
    for size in range(len(PARTS) + 1):
        for parts in combinations(PARTS, size):
            bounds = Bounds.exactly(AddressSet.union(map(AddressSet.parse, parts)))
            yield Context(tag={"Alpha": bounds}.get)


@settings(max_examples=40, deadline=None)
@given(rules(["Alpha", "*", "10.0.0.0/31", "10.0.0.0/30"], ["Tcp"], most=5))
def test_what_is_said_without_knowing_a_tag_holds_whatever_it_is(listed: list[SecurityRule]) -> None:
    within = AddressSet.union(map(AddressSet.parse, PARTS))
    unknown = Context(tag={"Alpha": Bounds.unknown("Alpha", within)}.get)
    found = [{(each.kind, each.rule.name) for each in anomalies_of(listed, known)} for known in meanings()]
    for each in anomalies_of(listed, unknown):
        if not each.missing and each.kind in {Kind.DEAD, Kind.REDUNDANT}:
            assert all({(Kind.DEAD, each.rule.name), (each.kind, each.rule.name)} & told for told in found)
        elif not each.missing:
            assert all((each.kind, each.rule.name) in told for told in found)


@settings(max_examples=40, deadline=None)
@given(rules(["Alpha", "*", "10.0.0.0/8", "::/0"], ["Tcp", "Icmp", "Esp", "Sctp"]), st.data())
def test_no_flow_is_decided_by_a_dead_rule_nor_changed_without_a_redundant_one(
    listed: list[SecurityRule], data: st.DataObject
) -> None:
    found = [each for each in anomalies(nsg("nsg", *listed)) if each.kind in {Kind.DEAD, Kind.REDUNDANT}]
    for _ in range(10):
        flow = data.draw(FLOWS)
        decision = decide(nsg("nsg", *listed), flow, inbound=True)
        assert decision.rule not in [each.rule for each in found if each.kind is Kind.DEAD]
        for each in found:
            others = nsg("nsg", *(rule for rule in listed if rule != each.rule))
            verdicts = {decision.verdict, decide(others, flow, inbound=True).verdict}
            assert len(verdicts) == 1 or Verdict.UNKNOWN in verdicts


def _flow(ends: tuple[str, str], protocol: str, port: int) -> Flow:
    with_ports = protocol in {"Tcp", "Udp"}
    source, destination = map(ipaddress.ip_address, ends)
    return Flow(source, destination, protocol, port if with_ports else None, 80 if with_ports else None)


FLOWS = st.builds(
    _flow,
    st.sampled_from([("10.0.0.1", "10.0.0.2"), ("11.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")]),
    st.sampled_from(["Tcp", "Udp", "Icmp", "Esp", "Ah", "Sctp"]),
    st.sampled_from(PORTS),
)


@settings(max_examples=60, deadline=None)
@given(rules(["*", "10.0.0.0/8", "::/0"], ["Tcp", "udp", "ICMP", "Esp", "Sctp"], most=1), FLOWS)
def test_what_a_rule_matches_is_what_the_engine_says_it_matches(listed: list[SecurityRule], flow: Flow) -> None:
    """A rule for one flow only, in front of another rule, kills it exactly if the other matches nothing else."""
    [rule] = listed
    exactly = SecurityRule(
        "exactly", 50, "Inbound", "Deny", default=False, protocol=flow.protocol,
        sources=(str(flow.source),), destinations=(str(flow.destination),),
        source_ports=(str(flow.source_port or "*"),), destination_ports=(str(flow.destination_port or "*"),),
    )  # fmt: skip
    found = {(each.kind, each.rule.name) for each in anomalies_of([rule, exactly])}
    assert ((Kind.DEAD, "exactly") in found) is Terms.of(rule, Context()).match(flow)


@settings(max_examples=40, deadline=None)
@given(rules(["*", "10.0.0.0/8", "VirtualNetwork", "Internet"], ["Tcp"], most=4))
def test_default_rules_count_and_are_never_told(listed: list[SecurityRule]) -> None:
    ordered = list(in_order(listed, inbound=True))
    alone = told(anomalies_of(ordered), ordered)
    assert told(anomalies(nsg("nsg", *listed)), ordered) == alone
    assert all(number < len(listed) for _, number, _ in alone)
