"""What is odd about the rules of an NSG: which can never match, change nothing, or are in each other's way.

The kinds are those of E. Al-Shaer and H. Hamed, "Modeling and Management of Firewall Policies", with one difference:
a rule is compared with the union of the others, not with one at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

import msgspec

from diagnostics.errors import ParseError, PermanentError
from diagnostics.network.anomalies import wording
from diagnostics.network.anomalies.axes import Addresses, Services, services
from diagnostics.network.anomalies.fate import Fate
from diagnostics.network.anomalies.reading import Reader, Said
from diagnostics.network.anomalies.rulelist import Rules
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.security import Context, in_order


class Kind(StrEnum):
    """What is odd about a rule."""

    DEAD = "dead"
    """It can never match: the rules before it, together, take all of its flows; or there are no such flows."""
    REDUNDANT = "redundant"
    """It matches, but without it every flow would end the same."""
    CONFLICT = "conflict"
    """A rule before it decides the contrary of some of its flows; each has flows that the other does not match."""
    GENERALISED = "generalised"
    """A rule behind it says the contrary of all its flows and of others: it is an exception from that rule."""
    UNREADABLE = "unreadable"
    """It has a port range that is none, or an address that is neither a prefix nor the name of a service tag."""


class Anomaly(msgspec.Struct, frozen=True, gc=False):
    """Something odd about a rule.

    Attributes:
        rule: the rule that it is about; never a default rule.
        by: the rules that make it so, in order. Dead: those that take any of its flows, with nothing left for it when
            all of them have. Redundant: those that would decide its flows in its place. Conflict: those before it that
            decide the contrary. Generalised: those behind it, except default rules.
        missing: what would have to be known to be sure of it; empty where it is certain. Dead and redundant always are.
        error: why it cannot be read.
    """

    kind: Kind
    rule: SecurityRule
    by: tuple[SecurityRule, ...] = ()
    missing: frozenset[str] = frozenset()
    error: str = ""

    @property
    def text(self) -> str:
        """What is odd, with the rule as the subject left out."""
        match self.kind:
            case Kind.DEAD:
                return wording.dead(self.rule, self.by)
            case Kind.REDUNDANT:
                return wording.redundant(self.by)
            case Kind.CONFLICT:
                return wording.conflict(self.rule, self.by, self.missing)
            case Kind.GENERALISED:
                return wording.generalised(self.by, self.missing)
            case Kind.UNREADABLE:
                return self.error

    @property
    def contrary(self) -> tuple[SecurityRule, ...]:
        """Those of `by` that decide the contrary. A dead rule without any is a harmless leftover."""
        return tuple(rule for rule in self.by if rule.allows != self.rule.allows)


def anomalies(
    group: SecurityGroup, context: Context | None = None, *, faults: bool = False, common: Services | None = None
) -> tuple[Anomaly, ...]:
    """What is odd about the rules of an NSG, inbound first, rule by rule as Azure goes through them.

    A rule that cannot be read is reported as such. As it may match anything, and nothing for sure, no other rule is
    called dead or redundant because of it.

    Args:
        group: the NSG.
        context: what words mean where it is used.
        faults: whether to leave out exceptions, and conflicts that hang on what is not known.
        common: the classes of the services of these and other rules, where they are known.
    """
    reader = Reader(context or Context())
    lists = [in_order(group.rules, inbound=way) for way in (True, False)]
    try:
        reports = _reports(lists, [*map(Said.of, lists)], reader, common)
    except (ParseError, PermanentError):  # seldom: then it is found out rule by rule what cannot be read
        reports = _lenient(lists, reader, common)
    return tuple([anomaly for report in reports for anomaly in report.anomalies(faults=faults)])


def anomalies_of(rules: Sequence[SecurityRule], context: Context | None = None) -> tuple[Anomaly, ...]:
    """What is odd about rules of one direction, given in order. What none of them matches counts as denied.

    Raises:
        ParseError: a rule has a port range that is none, or an address that is neither a prefix nor the name of a
            service tag.
    """
    reader = Reader(context or Context())
    for rule in rules:
        reader.read(rule)
    (report,) = _reports([rules], [Said.of(rules)], reader)
    return report.anomalies()


def _reports(
    lists: Sequence[Sequence[SecurityRule]],
    said: Sequence[Said],
    reader: Reader,
    common: Services | None = None,
    unreadable: Sequence[Mapping[int, Anomaly]] = ({}, {}),
) -> list[_Report]:
    """What there is to say of rules of one NSG, list by list. Raises ParseError and PermanentError as a reader does."""
    addresses = Addresses(said, reader)
    held = services(said, common)
    found: list[_Report] = []
    for rules, each, some, bad in zip(lists, said, held, unreadable, strict=False):
        listed = Rules.of(each, reader, addresses, some)
        found.append(_Report(rules, each.allowing, addresses.missing(each), listed, bad))
    return found


def _lenient(lists: Sequence[Sequence[SecurityRule]], reader: Reader, common: Services | None) -> list[_Report]:
    """The same, where some cannot be read. Raises PermanentError."""
    said, unreadable = [*map(Said.of, lists)], [dict[int, Anomaly]() for _ in lists]
    for rules, each, found in zip(lists, said, unreadable, strict=True):
        for number, rule in enumerate(rules):
            try:
                reader.read(rule)
            except ParseError as error:
                each.hide(number, f"rule {rule.name}")
                found[number] = Anomaly(Kind.UNREADABLE, rule, error=str(error))
    return _reports(lists, said, reader, common, unreadable)


class _Pair(NamedTuple):
    """A rule that decides some of the flows of a later one that says the contrary.

    Attributes:
        inside: whether the later one matches all that it matches.
        missing: what would have to be known to be sure.
    """

    earlier: int
    later: int
    inside: bool
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Report:
    """What there is to say of rules of one direction.

    Attributes:
        rules: the rules, in order.
        allowing: for each rule, whether it allows.
        missing: for each rule, what would have to be known to know exactly what it matches.
        listed: what they do.
        unreadable: those that cannot be read.
    """

    rules: Sequence[SecurityRule]
    allowing: Sequence[bool]
    missing: Sequence[frozenset[str]]
    listed: Rules
    unreadable: Mapping[int, Anomaly]

    def anomalies(self, *, faults: bool = False) -> tuple[Anomaly, ...]:
        """All of them, in the order of the rules; or without exceptions, and conflicts that are not certain."""
        found = list(self.unreadable.items())
        pairs: list[_Pair] = []
        brief, missing = self.listed.brief, self.missing
        for number, rule in enumerate(self.rules):
            if rule.default or number in self.unreadable:
                continue
            # A conflict with a rule that is not known exactly is not certain, and no fault.
            role = brief(number, conflicts=not missing[number]) if faults else self.listed.role(number)
            fate, takers = role.fate, role.takers
            if fate is Fate.DEAD:
                found.append((number, self._dead(number, takers)))
                continue
            if fate is Fate.REDUNDANT:
                found.append((number, self._redundant(number, role.heirs)))
            if takers:
                pairs += self._pairs(number, takers, faults=faults)
        found += self._contrary(pairs)
        return tuple([anomaly for _, anomaly in sorted(found, key=itemgetter(0))])

    def _dead(self, number: int, takers: Sequence[int]) -> Anomaly:
        return Anomaly(Kind.DEAD, self.rules[number], self._readable(takers))

    def _redundant(self, number: int, heirs: Sequence[int]) -> Anomaly:
        return Anomaly(Kind.REDUNDANT, self.rules[number], self._readable(heirs))

    def _pairs(self, later: int, takers: Sequence[int], *, faults: bool) -> Iterator[_Pair]:
        """The rules that say the contrary of a later one and decide some of its flows.

        That is certain where all that takes any of its flows is known.
        """
        allowing, allows = self.allowing, self.allowing[later]
        contrary = [each for each in takers if allowing[each] is not allows and each not in self.unreadable]
        if not contrary:
            return
        missing = self.missing[later].union(*[self.missing[taker] for taker in takers])
        if faults and missing:
            return
        for earlier in contrary:
            if not (inside := self.listed.within(earlier, later)) or not faults:
                yield _Pair(earlier, later, inside, missing)

    def _contrary(self, pairs: Sequence[_Pair]) -> Iterator[tuple[int, Anomaly]]:
        """Conflicts by the later rule, generalisations by the earlier one; what is certain apart from what is not."""
        grouped: dict[tuple[Kind, int, frozenset[str]], list[int]] = defaultdict(list)
        for earlier, later, inside, missing in pairs:
            if inside:
                grouped[Kind.GENERALISED, earlier, missing].append(later)
            else:
                grouped[Kind.CONFLICT, later, missing].append(earlier)
        for (kind, number, missing), others in grouped.items():
            rule, by = self.rules[number], tuple(self.rules[other] for other in others)
            yield number, Anomaly(kind, rule, by, missing)

    def _readable(self, numbers: Sequence[int]) -> tuple[SecurityRule, ...]:
        """The rules, without those that perhaps match nothing."""
        return tuple(self.rules[number] for number in numbers if number not in self.unreadable)
