"""What is wrong with the order of an NSG's rules: of each rule the one thing that says it best; none is told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import NamedTuple

import msgspec

from diagnostics.network.anomalies import Anomaly
from diagnostics.network.anomalies.edges import EVERYWHERE, Edges, covers, merged, plain_edges
from diagnostics.network.anomalies.report import Kind
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import V4_TOP, Span
from diagnostics.network.model import FIRST_PRIORITY, LAST_PRIORITY, SecurityGroup, SecurityRule, copies_default
from diagnostics.network.prefixes import AddressSet
from diagnostics.network.security import Context, ports

FIRST, LAST = FIRST_PRIORITY, LAST_PRIORITY
"""The priorities that a rule may have."""

_ANY = frozenset({"", "*", "any", "all"})
_ALL_V4 = (0, V4_TOP + 1)
_NOWHERE = frozenset[str]()


class Fault(StrEnum):
    """What is wrong with a rule, the most exact first: of several, the first is told."""

    CLASH = "another rule has its priority"
    UNREADABLE = "a value that cannot be read"
    BLOCKED = "dead, as the first rule denies everything"
    DUPLICATE = "the same as a rule before it"
    INVERTED = "an exception that stands below what it is to be an exception from"
    DEAD = "it can never match"
    REDUNDANT = "it changes nothing"
    CONFLICT = "a rule before it decides the contrary of some of its flows"


_RANKS = {fault: rank for rank, fault in enumerate(Fault)}
_IDLE = frozenset({Fault.CLASH, Fault.UNREADABLE, Fault.BLOCKED, Fault.DUPLICATE, Fault.DEAD})


class Odd(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with a rule.

    Attributes:
        by: the rules that make it so.
        text: what is odd, with the rule as the subject left out.
        whole: whether it is about all of the rule's flows; a rule may be inverted in part.
    """

    fault: Fault
    rule: SecurityRule
    by: tuple[SecurityRule, ...]
    text: str
    whole: bool = True

    @property
    def contrary(self) -> bool:
        """Whether what makes it so decides the contrary of it."""
        return any(other.allows != self.rule.allows for other in self.by)

    @property
    def idle(self) -> bool:
        """Whether the rule decides nothing, or nothing that is known."""
        return self.fault in _IDLE or (self.fault is Fault.INVERTED and self.whole)


def odd_rules(group: SecurityGroup, found: Sequence[Anomaly], context: Context) -> Mapping[SecurityRule, Odd]:
    """What is wrong with the order of the rules of an NSG, for each rule at most one thing.

    Args:
        group: the NSG.
        found: its anomalies.
        context: what words mean where it is used.
    """
    if not found and not clashing(group):
        return {}
    return _Telling(group, found, context).told()


def own(group: SecurityGroup) -> Sequence[SecurityRule]:
    """The rules that somebody wrote; some exports have copies of the default rules among them."""
    return group.own


def clashing(group: SecurityGroup) -> frozenset[tuple[str, int]]:
    """The directions and priorities that several rules have for sure.

    A rule of which it is not known whether it allows, or in which direction, is there as each that it may be.
    """
    rules = own(group)
    if len({(rule.inbound, rule.priority) for rule in rules}) == len(rules):  # nearly always
        return frozenset()
    ways = Counter(name for name, _ in {(rule.name.lower(), rule.inbound) for rule in rules})
    places = {(rule.name.lower(), rule.direction.lower(), rule.priority) for rule in rules}
    many = Counter((direction, priority) for name, direction, priority in places if ways[name] == 1)
    return frozenset(place for place, number in many.items() if number > 1)


def denies_all(rule: SecurityRule) -> bool:
    """Whether a rule denies everything, at least over IPv4, however that is spelt."""
    if rule.allows or rule.access.lower() != "deny" or rule.protocol.strip().lower() not in _ANY:
        return False
    sides = (_side(rule.sources, rule.source_groups), _side(rule.destinations, rule.destination_groups))
    every_port = all({"*", "0-65535"} & {*texts} or not texts for texts in (rule.source_ports, rule.destination_ports))
    return every_port and all(covers(side.plain, _ALL_V4) for side in sides)


def first_denies_all(group: SecurityGroup) -> SecurityRule | None:
    """The first inbound rule, if it denies everything: nothing gets in then."""
    first = min((rule for rule in own(group) if rule.inbound), key=lambda rule: rule.priority, default=None)
    return first if first and denies_all(first) else None


class _Side(NamedTuple):
    """The addresses of one end as they are written: those that mean the same everywhere, and words."""

    plain: Edges
    words: frozenset[str]

    def inside(self, other: _Side) -> bool | None:
        """Whether all of it lies in another; None where that hangs on what words mean."""
        if other.plain == EVERYWHERE or (self.words <= other.words and covers(other.plain, self.plain)):
            return True
        return None if self.words or other.words else False


@lru_cache(maxsize=1 << 15)
def _side(texts: tuple[str, ...], groups: tuple[ResourceId, ...]) -> _Side:
    """The addresses of one end; the rules of an estate have most of them in common."""
    if not groups and not texts:
        return _Side(EVERYWHERE, _NOWHERE)
    read = [(text, plain_edges(text)) for text in texts]
    plain = merged([found for _, found in read if found is not None])
    if plain == EVERYWHERE:
        return _Side(plain, _NOWHERE)
    words = {text.strip().lower() for text, found in read if found is None}
    return _Side(plain, frozenset({group.key for group in groups} | words) if groups or words else _NOWHERE)


def within(one: AddressSet, other: AddressSet) -> bool:
    """Whether a set lies in another; mostly its ends tell already that it does not."""
    if not (_spanned(one.v4.spans, other.v4.spans) and _spanned(one.v6.spans, other.v6.spans)):
        return False
    return one <= other


def _spanned(inner: Sequence[Span], outer: Sequence[Span]) -> bool:
    """Whether the first and the last number of a set lie between those of another."""
    return not inner or bool(outer and outer[0][0] <= inner[0][0] and inner[-1][1] <= outer[-1][1])


_ports = lru_cache(maxsize=1 << 14)(ports)


class _Telling:
    """The rules of one NSG, while it is found out what to tell of them."""

    def __init__(self, group: SecurityGroup, found: Sequence[Anomaly], context: Context) -> None:
        self._group, self._found, self._context = group, found, context
        self._clashing = clashing(group)
        # To hash a rule takes as long as to read it; these are the very rules of the NSG.
        self._unreadable = {id(each.rule) for each in found if each.kind is Kind.UNREADABLE}
        self._dead = {id(each.rule): each.rule for each in found if each.kind is Kind.DEAD}
        self._first = first_denies_all(group)

    def told(self) -> Mapping[SecurityRule, Odd]:
        """Of each rule what says it best."""
        best: dict[int, Odd] = {}
        for each in (*self._clashes(), *(odd for anomaly in self._found for odd in self._odd(anomaly))):
            known = best.get(id(each.rule))
            if known is None or _RANKS[each.fault] < _RANKS[known.fault]:
                best[id(each.rule)] = each
        return {each.rule: each for each in best.values()}

    def _clashes(self) -> Iterator[Odd]:
        for rule in own(self._group) if self._clashing else ():
            if (rule.direction.lower(), rule.priority) in self._clashing:
                yield Odd(Fault.CLASH, rule, (), "has the priority of another rule")

    def _odd(self, each: Anomaly) -> Iterator[Odd]:
        """What an anomaly comes to; what is not certain is not told."""
        if copies_default(each.rule):
            return
        match each.kind:
            case Kind.UNREADABLE:
                yield Odd(Fault.UNREADABLE, each.rule, (), each.text)
            case Kind.DEAD:
                yield self._of_dead(each)
            case Kind.REDUNDANT if self._dead.keys().isdisjoint(map(id, each.by)):
                # Where what would decide in its place is itself dead because of it, that rule is told, and this stays.
                yield Odd(Fault.REDUNDANT, each.rule, each.by, each.text)
            case Kind.CONFLICT if not each.missing:
                yield from self._of_conflict(each)

    def _of_dead(self, each: Anomaly) -> Odd:
        rule = each.rule
        if self._first and each.by == (self._first,):
            return Odd(Fault.BLOCKED, rule, each.by, each.text)
        if twin := self._twin(each):
            text = f"says the same as {twin.name} ({twin.priority}), which stands before it"
            return Odd(Fault.DUPLICATE, rule, (twin,), text)
        broad = [] if rule.allows else [other for other in each.contrary if self._inside(rule, other)]
        if broad:
            return Odd(Fault.INVERTED, rule, tuple(broad), each.text)
        return Odd(Fault.DEAD, rule, each.by, each.text)

    def _of_conflict(self, each: Anomaly) -> Iterator[Odd]:
        rule = each.rule
        inverted = () if rule.allows else tuple(other for other in each.by if self._narrower(rule, other))
        if inverted:
            yield Odd(Fault.INVERTED, rule, inverted, each.text, whole=False)
        # Who is named more exactly first is an exception on purpose: a blocked range above what all may do.
        crossing = tuple(other for other in each.by if not self._narrower(other, rule))
        if crossing:
            yield Odd(Fault.CONFLICT, rule, crossing, each.text)

    def _twin(self, each: Anomaly) -> SecurityRule | None:
        """The first rule before a dead one that has the same terms and access.

        It takes flows of it, or there is nothing left for it either.
        """
        rule, manner = each.rule, _manner(each.rule)
        priority, allows, inbound = rule.priority, rule.allows, rule.inbound
        alike = [
            other
            for other in (*each.by, *self._dead.values())
            if other.priority < priority and other.allows == allows and other.inbound == inbound
        ]
        same = [other for other in alike if _manner(other) == manner and _same_terms(other, rule)]
        known = [other for other in same if id(other) in self._readable]
        return min(known, key=lambda other: other.priority, default=None)

    @cached_property
    def _readable(self) -> Mapping[int, SecurityRule]:
        return {id(rule): rule for rule in own(self._group) if id(rule) not in self._unreadable}

    def _inside(self, rule: SecurityRule, other: SecurityRule) -> bool:
        """Whether another rule alone matches all that a rule matches, and more."""
        if id(other) not in self._readable:  # a default rule, or one that cannot be read
            return False
        protocols = (rule.protocol.strip().lower(), other.protocol.strip().lower())
        fits = (
            (protocols[1] in _ANY or protocols[0] == protocols[1])
            and _ports(rule.source_ports) <= _ports(other.source_ports)
            and _ports(rule.destination_ports) <= _ports(other.destination_ports)
        )
        if not fits:
            return False
        same = _manner(rule)[2] == _manner(other)[2] and _same_terms(rule, other)
        return not same and self._among(rule, other)

    def _narrower(self, rule: SecurityRule, other: SecurityRule) -> bool:
        """Whether a rule is about fewer addresses than another, whatever its ports: an exception by who."""
        return self._among(rule, other) and not self._among(other, rule)

    def _among(self, rule: SecurityRule, other: SecurityRule) -> bool:
        """Whether a rule's sources and destinations are all among another's, as written or as they are."""
        if self._unreadable and not self._unreadable.isdisjoint((id(rule), id(other))):
            return False
        if (one := _sources(rule).inside(_sources(other))) is False:  # mostly
            return False
        if (two := _destinations(rule).inside(_destinations(other))) is False:
            return False
        meant = self._context.addresses
        if one is None:
            mine, its = meant(rule.sources, rule.source_groups), meant(other.sources, other.source_groups)
            if not within(mine.may, its.must):
                return False
        if two:
            return True
        mine, its = (meant(each.destinations, each.destination_groups) for each in (rule, other))
        return within(mine.may, its.must)


def _manner(rule: SecurityRule) -> tuple[str, str, str]:
    """Direction, access and protocol of a rule, in one spelling."""
    return _spelt(rule.direction, rule.access, rule.protocol)


@lru_cache(maxsize=1 << 10)
def _spelt(direction: str, access: str, protocol: str) -> tuple[str, str, str]:
    plain = protocol.strip().lower()
    way = "inbound" if direction.lower() == "inbound" else "outbound"
    return way, access.lower(), "" if plain in _ANY else plain


def _same_terms(one: SecurityRule, other: SecurityRule) -> bool:
    """Whether two rules of one protocol match the same, as they are written."""
    if _ports(one.destination_ports) != _ports(other.destination_ports):
        return False
    if _ports(one.source_ports) != _ports(other.source_ports):
        return False
    return _sources(one) == _sources(other) and _destinations(one) == _destinations(other)


def _sources(rule: SecurityRule) -> _Side:
    """The sources of a rule, as they are written."""
    return _side(rule.sources, rule.source_groups)


def _destinations(rule: SecurityRule) -> _Side:
    """The destinations of a rule, as they are written."""
    return _side(rule.destinations, rule.destination_groups)
