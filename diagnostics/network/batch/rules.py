"""What a list of rules decides about many flows at once: the same as `security.first_match`, flow by flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.batch.axes import Axis, axes, words
from diagnostics.network.batch.columns import Bools, Ints, Words
from diagnostics.network.batch.flows import Flows
from diagnostics.network.model import SecurityRule
from diagnostics.network.security import Terms, Verdict

VERDICTS = (Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN)
"""What the numbers in `Decisions.verdicts` stand for."""

_ALLOWED, _DENIED, _UNKNOWN = range(3)
_NONE = -1
_ONE = np.uint64(1)
_AT_ONCE = 2**17
"""Flows whose columns stay in the processor's cache, and are many enough to make up for what a step costs."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What becomes of flows: columns in their order.

    Attributes:
        rules: the place of the rule that decides, the first that matches for sure; -1 where none does.
        verdicts: places in `VERDICTS`; -1 where no rule matches for sure. What is missing where one is unknown,
            `security.first_match` says.
    """

    rules: NDArray[np.int32]
    verdicts: NDArray[np.int8]


def decide_all(rules: Iterable[tuple[SecurityRule, Terms]], flows: Flows) -> Decisions:
    """What rules with their terms, in their order, decide about each flow."""
    return Decider.of(rules).decide(flows)


@dataclass(frozen=True, slots=True)
class Decider:
    """Rules in their order, made ready once for any number of flows.

    Attributes:
        terms: what each rule matches.
        allowing: whether it allows.
    """

    terms: Sequence[Terms]
    allowing: Bools
    _axes: dict[object, list[Axis]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[tuple[SecurityRule, Terms]]) -> Self:
        """Rules with their terms, in their order."""
        listed = list(rules)
        return cls([terms for _, terms in listed], np.array([rule.allows for rule, _ in listed], np.bool_))

    def decide(self, flows: Flows) -> Decisions:
        """The rule that decides each flow, and the verdict."""
        found = Decisions(np.full(len(flows), _NONE, np.int32), np.full(len(flows), _NONE, np.int8))
        if self.terms:
            ready = self._ready(flows)
            for rows, part in flows.parts(_AT_ONCE):
                found.rules[rows], found.verdicts[rows] = self._decide(part, ready)
        return found

    def _ready(self, flows: Flows) -> list[Axis]:
        key = flows.versions, flows.names
        if key not in self._axes:
            self._axes[key] = axes(self.terms, flows.versions, flows.names)
        return self._axes[key]

    def _decide(self, flows: Flows, ready: Sequence[Axis]) -> tuple[Ints, Ints]:
        """Word by word, from the first rules to the last; a flow that is decided falls to a class without rules."""
        deciding = np.full(len(flows), _NONE)
        rows, places = np.arange(len(flows)), [axis.find(flows) for axis in ready]
        doubts = _Doubts(self.allowing, len(flows)) if _doubted(ready, places) else None
        none, decided = len(ready[0]) - 1, 0
        for word in range(len(ready[0].sure)):
            sure = _shared([axis.sure[word] for axis in ready], places)
            hit = np.flatnonzero(sure != 0)
            before = (sure[hit] & -sure[hit]) - _ONE
            if doubts:
                doubts.add(word, rows, _doubtful(_shared([axis.may[word] for axis in ready], places), hit, before))
            deciding[rows[hit]] = np.bitwise_count(before).astype(np.int64) + 64 * word
            places[0][hit] = none
            decided += len(hit)
            if decided == len(rows):
                break
            if 2 * decided > len(rows):  # until then it costs less to carry them on
                left = np.flatnonzero(places[0] != none)
                rows, places, decided = rows[left], [each[left] for each in places], 0
        return deciding, self._verdicts(deciding, doubts)

    def _verdicts(self, deciding: Ints, doubts: _Doubts | None) -> Ints:
        """A rule that only may match makes it unknown if it stands before, and says the contrary."""
        allowed = self.allowing[deciding]
        verdicts = np.where(allowed, _ALLOWED, _DENIED)
        if doubts:
            verdicts[np.where(allowed, doubts.denying, doubts.allowing)] = _UNKNOWN
        verdicts[deciding == _NONE] = _NONE
        return verdicts


class _Doubts:
    """For each flow, whether a rule that allows, or denies, may match it before another does for sure."""

    def __init__(self, allowing: Bools, flows: int) -> None:
        mask = sum(1 << place for place in np.flatnonzero(allowing).tolist())
        self._allowing_rules = words([mask], len(allowing))[:, 0]
        self.allowing, self.denying = np.zeros(flows, np.bool_), np.zeros(flows, np.bool_)

    def add(self, word: int, rows: Ints, doubtful: Words) -> None:
        """Rules of a word that may match, for some of the flows."""
        allowing = self._allowing_rules[word]
        self.allowing[rows] |= (doubtful & allowing) != 0
        self.denying[rows] |= (doubtful & ~allowing) != 0


def _doubted(ready: Sequence[Axis], places: Sequence[Ints]) -> bool:
    """Whether it is open of any flow which rules match it."""
    return any(
        axis.doubtful is not None and axis.doubtful[each].any() for axis, each in zip(ready, places, strict=True)
    )


def _doubtful(may: Words, hit: Ints, before: Words) -> Words:
    """Of the rules that may match, those that come before the first that matches for sure."""
    may[hit] &= before
    return may


def _shared(tables: Sequence[Words], places: Sequence[Ints]) -> Words:
    """The rules that match in every dimension."""
    found = tables[0][places[0]]
    for table, each in zip(tables[1:], places[1:], strict=True):
        found &= table[each]
    return found
