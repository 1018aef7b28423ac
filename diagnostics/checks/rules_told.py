"""What is wrong with the order of an NSG's rules: of each rule the one thing that says it best; none is told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from diagnostics.network.anomalies import Anomaly
from diagnostics.network.anomalies.report import Kind
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import V4_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.security import DEFAULTS, Context, Terms, ports

FIRST, LAST = 100, 4_096
"""The priorities that a rule may have."""

_NAMES = frozenset(rule.name.lower() for rule in DEFAULTS)
_ANY = frozenset({"", "*", "any", "all"})


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


_IDLE = frozenset({Fault.CLASH, Fault.UNREADABLE, Fault.BLOCKED, Fault.DUPLICATE, Fault.DEAD})


@dataclass(frozen=True, slots=True)
class Odd:
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


def own(group: SecurityGroup) -> Iterator[SecurityRule]:
    """The rules that somebody wrote; some exports have copies of the default rules among them."""
    return (rule for rule in group.rules if not rule.default and not _copied(rule))


def clashing(group: SecurityGroup) -> frozenset[tuple[str, int]]:
    """The directions and priorities that several rules have."""
    count = Counter((rule.direction.lower(), rule.priority) for rule in own(group))
    return frozenset(place for place, number in count.items() if number > 1)


def denies_all(rule: SecurityRule) -> bool:
    """Whether a rule denies everything, at least over IPv4, however that is spelt."""
    if rule.allows or rule.access.lower() != "deny" or rule.protocol.strip().lower() not in _ANY:
        return False
    sides = (_side(rule.sources, rule.source_groups), _side(rule.destinations, rule.destination_groups))
    every_port = all({"*", "0-65535"} & {*texts} or not texts for texts in (rule.source_ports, rule.destination_ports))
    return every_port and all(side.plain.v4 == Intervals.all(V4_TOP) for side in sides)


def first_denies_all(group: SecurityGroup) -> SecurityRule | None:
    """The first inbound rule, if it denies everything: nothing gets in then."""
    first = min((rule for rule in own(group) if rule.inbound), key=lambda rule: rule.priority, default=None)
    return first if first and denies_all(first) else None


@dataclass(frozen=True, slots=True)
class _Side:
    """The addresses of one end as they are written: those that mean the same everywhere, and words."""

    plain: AddressSet
    words: frozenset[str]

    def __le__(self, other: _Side) -> bool:
        return other.plain == AddressSet.all() or (self.plain <= other.plain and self.words <= other.words)


@lru_cache(maxsize=1 << 14)
def _side(texts: tuple[str, ...], groups: tuple[ResourceId, ...]) -> _Side:
    """The addresses of one end; the rules of an estate have most of them in common."""
    if not texts and not groups:
        return _Side(AddressSet.all(), frozenset())
    read = [(text, read_prefix(text)) for text in texts]
    plain = AddressSet.union(found for _, found in read if found is not None)
    if plain == AddressSet.all():
        return _Side(plain, frozenset())
    words = {text.strip().lower() for text, found in read if found is None}
    return _Side(plain, frozenset({group.key for group in groups} | words))


_ports = lru_cache(maxsize=1 << 14)(ports)


class _Telling:
    """The rules of one NSG, while it is found out what to tell of them."""

    def __init__(self, group: SecurityGroup, found: Sequence[Anomaly], context: Context) -> None:
        self._group, self._found, self._context = group, found, context
        self._clashing = clashing(group)
        self._read: dict[SecurityRule, Terms] = {}
        self._unreadable = {each.rule for each in found if each.kind is Kind.UNREADABLE}
        self._dead = {each.rule for each in found if each.kind is Kind.DEAD}
        self._first = first_denies_all(group)

    def told(self) -> Mapping[SecurityRule, Odd]:
        """Of each rule what says it best."""
        best: dict[SecurityRule, Odd] = {}
        order = list(Fault)
        for each in (*self._clashes(), *(odd for anomaly in self._found for odd in self._odd(anomaly))):
            known = best.get(each.rule)
            if known is None or order.index(each.fault) < order.index(known.fault):
                best[each.rule] = each
        return best

    def _clashes(self) -> Iterator[Odd]:
        for rule in own(self._group):
            if (rule.direction.lower(), rule.priority) in self._clashing:
                yield Odd(Fault.CLASH, rule, (), "has the priority of another rule")

    def _odd(self, each: Anomaly) -> Iterator[Odd]:
        """What an anomaly comes to; what is not certain is not told."""
        if _copied(each.rule):
            return
        match each.kind:
            case Kind.UNREADABLE:
                yield Odd(Fault.UNREADABLE, each.rule, (), each.text)
            case Kind.DEAD:
                yield self._of_dead(each)
            case Kind.REDUNDANT if not self._dead & {*each.by}:
                # Where what would decide in its place is itself dead because of it, that rule is told, and this stays.
                yield Odd(Fault.REDUNDANT, each.rule, each.by, each.text)
            case Kind.CONFLICT if not each.missing:
                yield from self._of_conflict(each)

    def _of_dead(self, each: Anomaly) -> Odd:
        rule = each.rule
        if self._first and each.by == (self._first,):
            return Odd(Fault.BLOCKED, rule, each.by, each.text)
        if twin := next(filter(None, [self._twin(rule)]), None):
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

    def _twin(self, rule: SecurityRule) -> SecurityRule | None:
        """The first rule before it that has the same terms and access."""
        wanted = self._keys[rule]
        same = (other for other, key in self._keys.items() if key == wanted and other.priority < rule.priority)
        return min(same, key=lambda other: other.priority, default=None)

    @cached_property
    def _keys(self) -> Mapping[SecurityRule, tuple[object, ...]]:
        return {rule: self._key(rule) for rule in own(self._group) if rule not in self._unreadable}

    def _key(self, rule: SecurityRule) -> tuple[object, ...]:
        protocol = rule.protocol.strip().lower()
        return (
            rule.inbound,
            rule.access.lower(),
            "" if protocol in _ANY else protocol,
            _side(rule.sources, rule.source_groups),
            _ports(rule.source_ports),
            _side(rule.destinations, rule.destination_groups),
            _ports(rule.destination_ports),
        )

    def _inside(self, rule: SecurityRule, other: SecurityRule) -> bool:
        """Whether another rule alone matches all that a rule matches, and more."""
        if other not in self._keys:  # a default rule, or one that cannot be read
            return False
        protocols = (rule.protocol.strip().lower(), other.protocol.strip().lower())
        within = (
            (protocols[1] in _ANY or protocols[0] == protocols[1])
            and _ports(rule.source_ports) <= _ports(other.source_ports)
            and _ports(rule.destination_ports) <= _ports(other.destination_ports)
        )
        return within and all(self._ends(rule, other)) and self._keys[rule][2:] != self._keys[other][2:]

    def _narrower(self, rule: SecurityRule, other: SecurityRule) -> bool:
        """Whether a rule is about fewer addresses than another, whatever its ports: an exception by who."""
        return all(self._ends(rule, other)) and not all(self._ends(other, rule))

    def _ends(self, rule: SecurityRule, other: SecurityRule) -> Iterator[bool]:
        """For source and destination: whether a rule's addresses are all among another's, as written or as they are."""
        if rule in self._unreadable or other in self._unreadable:
            yield False
            return
        written = _side(rule.sources, rule.source_groups) <= _side(other.sources, other.source_groups)
        yield written or self._terms(rule).sources.may <= self._terms(other).sources.must
        here, there = (_side(each.destinations, each.destination_groups) for each in (rule, other))
        yield here <= there or self._terms(rule).destinations.may <= self._terms(other).destinations.must

    def _terms(self, rule: SecurityRule) -> Terms:
        if rule not in self._read:
            self._read[rule] = Terms.lenient(rule, self._context)
        return self._read[rule]


def _copied(rule: SecurityRule) -> bool:
    return rule.priority > LAST and rule.name.lower() in _NAMES
