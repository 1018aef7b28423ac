"""Rules made ready once, whatever they mean where they apply; those that only speak of private sources are left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from diagnostics.network.filters import Level
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.model import SecurityRule
from diagnostics.network.openings.boxes import LETS, PASSES, PUBLIC, STOPS
from diagnostics.network.openings.found import Decider
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.security import ANYWHERE, Terms, everywhere

_ALL = AddressSet.all()
_NO_WORDS: tuple[str | ResourceId, ...] = ()
_ENDS = {"alwaysallow": LETS, "allow": PASSES}
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PRIVATE_TEXT = re.compile(
    rf"(?:10(?:\.{_BYTE}){{3}}(?:/(?:[89]|[12]\d|3[0-2]))?|192\.168(?:\.{_BYTE}){{2}}(?:/(?:1[6-9]|2\d|3[0-2]))?)",
    re.ASCII,
)
"""IPv4 prefixes that are private and easily seen to be: not all of them."""


@dataclass(frozen=True, slots=True, eq=False)  # there is one of each: it is known by itself
class Side:
    """The sources or destinations of a rule.

    Attributes:
        plain: those that mean the same everywhere.
        words: service tags and application security groups.
    """

    plain: AddressSet
    words: tuple[str | ResourceId, ...]


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A rule that may speak of public sources.

    Attributes:
        number: of its `Decider`.
        end: what it does with what it matches: `LETS`, `STOPS` or `PASSES`.
        protocol: lower-cased; empty for any.
        sources: cut to public ones.
        destinations: None for all.
        unreadable: port ranges that are none: the rule may match more than it says.
        leads: whether it lets something in, and what it lets in is wanted.
        perhaps: what would have to be known to say that it is in force at all.
    """

    number: int
    end: int
    protocol: str
    source_ports: Intervals
    ports: Intervals
    sources: Side
    destinations: Side | None
    unreadable: frozenset[str]
    leads: bool
    perhaps: frozenset[str] = frozenset()


class _Public(dict[tuple[str, ...], bool]):
    """Whether prefixes, if they are all that a rule names as its sources, may hold public addresses."""

    def __missing__(self, texts: tuple[str, ...]) -> bool:
        self[texts] = found = not texts or any(map(_names_public, texts))
        return found


@lru_cache(maxsize=1 << 14)
def _names_public(text: str) -> bool:
    if _PRIVATE_TEXT.fullmatch(text):  # most sources are like that, and reading them takes long
        return False
    read = read_prefix(text)
    return read is None or bool(read & PUBLIC)


class Reader:
    """Makes rules ready, and remembers what it has read.

    Args:
        matters: tells whether it is of interest what a rule lets in; without it, that of all rules is.
    """

    def __init__(self, matters: Callable[[SecurityRule], bool] | None = None) -> None:
        self.deciders: list[Decider] = []
        self._matters = matters
        self._known: dict[tuple[object, ...], Terms] = {}
        self._named: dict[bool, dict[tuple[str, ...], Side]] = {True: {}, False: {}}
        self._plain: dict[str, AddressSet | None] = {}
        self._public = _Public()
        self._sides: dict[tuple[tuple[str, ...], tuple[ResourceId, ...], bool], Side] = {}

    def of_interest(self, rules: Sequence[SecurityRule]) -> Sequence[SecurityRule]:
        """Rules up to the last that lets something of interest in from public addresses."""
        end, public = 0, self._public
        for number, rule in enumerate(rules, 1):
            if rule.allows and (public[rule.sources] or rule.source_groups) and self.wanted(rule):
                end = number
        return rules[:end]

    def ready(self, rules: Iterable[SecurityRule], level: Level, group: ResourceId | None) -> tuple[Ready, ...]:
        """The rules of an NSG, in their order."""
        some = [rule for rule in rules if self._public[rule.sources] or rule.source_groups]
        return tuple([self._rule(rule, level, group, LETS if rule.allows else STOPS) for rule in some])

    def again(self, rules: Sequence[Ready], level: Level, group: ResourceId) -> tuple[Ready, ...]:
        """The same rules where their NSG stands at another level, or is named by an id in another spelling."""
        begin = len(self.deciders)
        self.deciders += [Decider(level, group, self.deciders[each.number].rule) for each in rules]
        return tuple([msgspec.structs.replace(each, number=number) for number, each in enumerate(rules, begin)])

    def admin(self, rule: SecurityRule, perhaps: frozenset[str]) -> Ready | None:
        """A security admin rule; None for one that is about private sources only."""
        if not (self._public[rule.sources] or rule.source_groups):
            return None
        found = self._rule(rule, Level.ADMIN, None, _ENDS.get(rule.access.lower(), STOPS))
        return msgspec.structs.replace(found, perhaps=perhaps)

    def wanted(self, rule: SecurityRule) -> bool:
        """Whether it is of interest what a rule lets in."""
        return self._matters is None or self._matters(rule)

    def _rule(self, rule: SecurityRule, level: Level, group: ResourceId | None, end: int) -> Ready:
        terms = self._terms(rule)
        sources = self._side(rule.sources, rule.source_groups, public=True)
        destinations = self._side(rule.destinations, rule.destination_groups, public=False)
        self.deciders.append(Decider(level, group, rule))
        return Ready(
            len(self.deciders) - 1,
            end,
            terms.protocol,
            terms.source_ports,
            terms.destination_ports,
            sources,
            None if destinations.plain == _ALL else destinations,
            terms.unreadable,
            end == LETS and self.wanted(rule),
        )

    def _side(self, prefixes: tuple[str, ...], groups: tuple[ResourceId, ...], *, public: bool) -> Side:
        """The sources or destinations that a rule names, whole or cut to public ones; none named is all."""
        if groups:
            key = prefixes, groups, public
            if key not in self._sides:
                self._sides[key] = self._made(prefixes, groups, public=public)
            return self._sides[key]
        found = self._named[public].get(prefixes)
        if found is None:
            found = self._named[public][prefixes] = self._made(prefixes, groups, public=public)
        return found

    def _made(self, prefixes: tuple[str, ...], groups: tuple[ResourceId, ...], *, public: bool) -> Side:
        if (known := None if groups else everywhere(prefixes)) is not None:
            plain, words = known.must, _NO_WORDS
        else:
            plain, words = self._parted(prefixes, groups)
        return Side(plain & PUBLIC if public else plain, words)

    def _parted(
        self, prefixes: tuple[str, ...], groups: tuple[ResourceId, ...]
    ) -> tuple[AddressSet, tuple[str | ResourceId, ...]]:
        """What of a side means the same everywhere, and the words."""
        read = [(text, self._read(text)) for text in prefixes]
        words: tuple[str | ResourceId, ...] = (*(text for text, known in read if known is None), *groups)
        return AddressSet.union(known for _, known in read if known is not None), words

    def _terms(self, rule: SecurityRule) -> Terms:
        """The terms of a rule but for its addresses."""
        key = rule.protocol, rule.source_ports, rule.destination_ports
        if key not in self._known:
            terms = Terms.between(rule, ANYWHERE, ANYWHERE)
            if terms.unreadable:  # that names the rule
                return terms
            self._known[key] = terms
        return self._known[key]

    def _read(self, text: str) -> AddressSet | None:
        if text not in self._plain:
            self._plain[text] = read_prefix(text)
        return self._plain[text]
