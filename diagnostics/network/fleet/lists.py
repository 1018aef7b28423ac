"""Rule lists as bits: which rules of a list name which endpoints, between the borders that the list itself makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.fleet.bits import Ints, Words
from diagnostics.network.fleet.runs import Runs, made
from diagnostics.network.fleet.services import Service, Speaking
from diagnostics.network.fleet.words import AddressTerm, Glossary
from diagnostics.network.model import SecurityRule
from diagnostics.network.security import DEFAULTS

type Masks = NDArray[np.uint64]
"""Rules as bits: an array of words for each 64 rules that the longest list has."""

_WORD = 64
_DEFAULTS = frozenset(rule.name.lower() for rule in DEFAULTS)


class Side(IntEnum):
    """Which addresses of a flow a rule names."""

    SOURCE = 0
    DESTINATION = 1


class Ends(IntEnum):
    """How a rule ends the matter; `PASSED` hands on to the NSGs, as an admin rule's `Allow` does."""

    ALLOWED = 0
    DENIED = 1
    PASSED = 2


OPEN, UNSEEN, SILENT = 0, 1, 2
"""Lists that are always there: no NSG at all, an NSG that cannot be read, and no admin rule."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One side of all lists.

    Attributes:
        cut: a row for each list, cut where its rules begin and end; the codes number these segments.
        must, perhaps: the rules that name the endpoints of a segment for sure, and perhaps, tags of a place apart.
        own, public: the rules of each list that name `VirtualNetwork`, `Internet`.
    """

    cut: Runs
    must: Masks
    perhaps: Masks
    own: Masks
    public: Masks


class _Builder:
    """One side, rule after rule."""

    def __init__(self) -> None:
        self.borders: list[int] = []
        self.marks: list[tuple[int, int, int, int]] = []
        self.tags: list[tuple[int, int, bool, bool]] = []

    def add(self, number: int, bit: int, term: AddressTerm) -> None:
        if term.must:
            self.marks.append((number, bit, 0, 2 * len(term.must)))
            self.borders.extend(chain.from_iterable(term.must))
        if term.perhaps:
            self.marks.append((number, bit, 1, 2 * len(term.perhaps)))
            self.borders.extend(chain.from_iterable(term.perhaps))
        if term.own or term.public:
            self.tags.append((number, bit, term.own, term.public))

    def terms(self, lists: int, words: int, columns: int) -> Terms:
        marks = np.array(self.marks, np.int64).reshape(-1, 4)
        number, bit, plane = (np.repeat(marks[:, i], marks[:, 3]) for i in range(3))
        begins = np.arange(lists) << 32
        keys = np.concatenate([number << 32 | np.array(self.borders, np.int64), begins])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.append(keys[1:] != keys[:-1], True) & ((keys & 0xFFFFFFFF) < columns)
        rest = np.zeros(lists, np.uint64)
        planes = np.empty((2, words, int(last.sum())), np.uint64)
        for word in range(words):
            for which in (0, 1):
                chosen = (bit // _WORD == word) & (plane == which)
                toggled = np.concatenate([np.where(chosen, _bits(bit), np.uint64(0)), rest])
                planes[which, word] = np.bitwise_xor.accumulate(toggled[order])[last]
        cut = made(keys[last], np.arange(int(last.sum())), columns)
        return Terms(cut, planes[0], planes[1], self._tagged(2, lists, words), self._tagged(3, lists, words))

    def _tagged(self, field: int, lists: int, words: int) -> Masks:
        found = np.zeros((words, lists), np.uint64)
        for tag in self.tags:
            if tag[field]:
                found[tag[1] // _WORD, tag[0]] |= np.uint64(1 << tag[1] % _WORD)
        return found


@dataclass(frozen=True, slots=True)
class Lists:
    """All rule lists.

    Attributes:
        sides: what the rules say of sources and of destinations.
        ends: the rules of each list that end so, by `Ends`.
        speaking, sure: the rules of each list that speak of each service; those whose ports match for sure.
    """

    sides: tuple[Terms, Terms]
    ends: tuple[Masks, Masks, Masks]
    speaking: tuple[Masks, ...]
    sure: tuple[Masks, ...]


class Book:
    """Rule lists, written down one after the other."""

    def __init__(self, glossary: Glossary, services: Sequence[Service]) -> None:
        self._glossary, self._services, self._speaking = glossary, services, Speaking(services)
        self._sides = _Builder(), _Builder()
        self._rules: list[tuple[int, int, int, int, int]] = []
        self._count = 0
        all_services = (1 << len(services)) - 1
        everything = glossary.term((), (), {}), glossary.term((), (), {})
        self._everything, self._all = everything, all_services
        for rules in ([(Ends.ALLOWED, all_services)], [(Ends.ALLOWED, 0), (Ends.DENIED, all_services)], ()):
            for bit, (ends, sure) in enumerate(rules):
                self._add(bit, ends, all_services, sure, everything)
            self._count += 1
        self._add_last(SILENT, 0)

    def relevant(self, rules: Iterable[SecurityRule]) -> list[SecurityRule]:
        """The rules that speak of any service; most of an NSG are about other ports.

        Those with the name of a default rule are kept: they may stand in its place.
        """
        speaks = self._speaking.of
        return [rule for rule in rules if speaks(rule)[0] or rule.name.lower() in _DEFAULTS]

    def group(self, rules: Iterable[SecurityRule], told: Mapping[str, tuple[str, ...]]) -> int:
        """Write down an NSG's rules of one direction, in their order; their number."""
        bit = 0
        for rule in rules:
            ends = Ends.ALLOWED if rule.allows else Ends.DENIED
            bit += self._rule(bit, rule, ends, self._speaking.of(rule), told)
        self._count += 1
        return self._count - 1

    def admin(self, rules: Iterable[tuple[SecurityRule, bool]], told: Mapping[str, tuple[str, ...]]) -> int:
        """Write down security admin rules of one direction, in their order, each with whether it is surely in force."""
        ends = {"allow": Ends.PASSED, "alwaysallow": Ends.ALLOWED}
        bit = 0
        for rule, surely in rules:
            may, sure = self._speaking.of(rule)
            speaks = may, sure if surely else 0
            bit += self._rule(bit, rule, ends.get(rule.access.lower(), Ends.DENIED), speaks, told)
        self._add_last(self._count, bit)
        self._count += 1
        return self._count - 1

    def lists(self, columns: int) -> Lists:
        """All that was written down, for so many endpoints."""
        rules = np.array(self._rules, np.int64)
        words = int(rules[:, 1].max()) // _WORD + 1
        services = range(len(self._services))
        return Lists(
            sides=(
                self._sides[0].terms(self._count, words, columns),
                self._sides[1].terms(self._count, words, columns),
            ),
            ends=(
                self._chosen(rules[rules[:, 2] == Ends.ALLOWED], words),
                self._chosen(rules[rules[:, 2] == Ends.DENIED], words),
                self._chosen(rules[rules[:, 2] == Ends.PASSED], words),
            ),
            speaking=tuple(self._chosen(rules[(rules[:, 3] >> each) & 1 == 1], words) for each in services),
            sure=tuple(self._chosen(rules[(rules[:, 4] >> each) & 1 == 1], words) for each in services),
        )

    def _rule(
        self, bit: int, rule: SecurityRule, ends: Ends, speaks: tuple[int, int], told: Mapping[str, tuple[str, ...]]
    ) -> bool:
        """Write down a rule, if it speaks of any flow of the fleet."""
        source = self._glossary.term(rule.sources, rule.source_groups, told)
        destination = self._glossary.term(rule.destinations, rule.destination_groups, told)
        if source.empty or destination.empty or not speaks[0]:
            return False
        self._add(bit, ends, *speaks, (source, destination))
        return True

    def _add_last(self, number: int, bit: int) -> None:
        """What no admin rule decides is for the NSGs to decide."""
        count, self._count = self._count, number
        self._add(bit, Ends.PASSED, self._all, self._all, self._everything)
        self._count = count

    def _add(self, bit: int, ends: Ends, may: int, sure: int, terms: tuple[AddressTerm, AddressTerm]) -> None:
        self._rules.append((self._count, bit, ends, may, sure))
        self._sides[0].add(self._count, bit, terms[0])
        self._sides[1].add(self._count, bit, terms[1])

    def _chosen(self, rules: Ints, words: int) -> Masks:
        found = np.zeros((words, self._count), np.uint64)
        np.bitwise_or.at(found, (rules[:, 1] // _WORD, rules[:, 0]), _bits(rules[:, 1]))
        return found


def _bits(numbers: Ints) -> Words:
    return np.left_shift(np.uint64(1), (numbers % _WORD).astype(np.uint64))
