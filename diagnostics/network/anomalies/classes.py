"""One dimension of flows, cut where a rule begins or ends: between two cuts, all values fare alike.

What matters of a value is only which rules match it: its class, a set of rules as the bits of one integer, bit 0 for
the first rule. So a flow is one class per dimension, and the rules that match it are the bits that all of them share.

An address may or may not belong to a name of which nobody knows the addresses. A class says that by the rules that it
counts in. Rules only ever gain by belonging, so whoever looks for a flow that two given rules match, and as few others
as possible, needs an address in two such names at the most: one for each of the two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, repeat
from operator import and_, or_, xor
from typing import Self

from diagnostics.network.anomalies.reading import Part
from diagnostics.network.intervals import Span


@dataclass(frozen=True, slots=True)
class Slice:
    """The classes of the values that a rule matches in one dimension.

    Attributes:
        pieces: classes of which the same names are in doubt, with the rules that each of these names would add.
        some: the rules that match some of the values.
        every: the rules that match every one of them.
    """

    pieces: Sequence[tuple[Sequence[int], Sequence[int]]]
    some: int
    every: int

    @property
    def size(self) -> int:
        """How many classes there are at the most."""
        return sum(len(classes) * (len(doubtful) + 1) for classes, doubtful in self.pieces)

    def among(self, rules: int) -> set[int]:
        """The classes, as far as they tell these rules apart."""
        found: set[int] = set()
        for classes, doubtful in self.pieces:
            surely = {matching & rules for matching in classes}
            found |= surely
            for added in {added & rules for added in doubtful}:
                found |= {matching | added for matching in surely}
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """One dimension of a list of rules.

    Attributes:
        starts: the first value of each range between two cuts.
        all_of: for each range, the rules that match it for sure; and those that match all of several ranges.
        any_of: the same, and those that match any of several ranges.
        doubts: for each range, the names of which it is not known whether they hold its values, as bits.
        users: for each name, the rules that use it here.
    """

    starts: Sequence[int]
    all_of: Folded
    any_of: Folded
    doubts: Folded
    users: Mapping[str, int]

    @classmethod
    def of(cls, saying: Sequence[tuple[Part, int]]) -> Self:
        """The line for parts, each with the rules that match it, as bits."""
        starts, matching, doubts, users = _cut(saying)
        return cls(starts, Folded(matching, and_), Folded(matching, or_), Folded(doubts, or_), users)

    def slice(self, part: Part) -> Slice:
        """The classes of the values of a part of one of the rules."""
        pieces: dict[int, list[int]] = defaultdict(list)
        some, every = 0, -1
        for own, first, last in self._spans(part):
            begin, end = bisect_left(self.starts, first), bisect_right(self.starts, last)
            some |= self.any_of.over(begin, end) | own
            every &= self.all_of.over(begin, end) | own
            if not self.users:
                pieces[0] += self.all_of.values[begin:end]
                continue
            some |= reduce(or_, _added(self.users, self.doubts.over(begin, end)), 0)
            for place in range(begin, end):
                pieces[self.doubts.values[place]].append(self.all_of.values[place] | own)
        return Slice([(found, _added(self.users, doubtful)) for doubtful, found in pieces.items()], some, every)

    def _spans(self, part: Part) -> Iterator[tuple[int, int, int]]:
        """The ranges of a part, each with the rules that share the name it is by, if any."""
        yield from ((0, first, last) for first, last in part.known)
        yield from ((self.users[name], first, last) for name, spans in part.unknown for first, last in spans)


class Folded:
    """Values in a row, and what any stretch of them comes to when folded, by the folds of 1, 2, 4, … neighbours."""

    def __init__(self, values: Sequence[int], fold: Callable[[int, int], int]) -> None:
        self.values, self._fold, self._levels, step = values, fold, [values], 1
        while 2 * step <= len(values):
            self._levels.append(list(map(fold, self._levels[-1], self._levels[-1][step:])))
            step *= 2

    def over(self, begin: int, end: int) -> int:
        """The fold of a stretch that is not empty: two of the folds cover it, and may overlap."""
        level = (end - begin).bit_length() - 1
        return self._fold(self._levels[level][begin], self._levels[level][end - (1 << level)])


def slices(parts: Sequence[Part]) -> list[Slice]:
    """For each rule, in order, the classes of what it matches in a dimension."""
    places: dict[Part, int] = {}
    numbers = [places.setdefault(part, len(places)) for part in parts]
    saying = [0] * len(places)
    for rule, number in enumerate(numbers):
        saying[number] |= 1 << rule
    line = Line.of(list(zip(places, saying, strict=True)))
    made = [line.slice(part) for part in places]
    return [made[number] for number in numbers]


def _cut(saying: Sequence[tuple[Part, int]]) -> tuple[list[int], list[int], list[int], dict[str, int]]:
    """Where each range begins, the rules that match it for sure and the names in doubt there; who uses each name."""
    known = _turns((part.known, rules) for part, rules in saying)
    users, where = dict[str, int](), dict[str, Sequence[Span]]()
    for part, rules in saying:
        for name, spans in part.unknown:
            users[name], where[name] = users.get(name, 0) | rules, spans
    doubts = _turns((spans, 1 << number) for number, spans in enumerate(where.values()))
    starts = sorted(known.keys() | doubts.keys())
    return starts, _along(starts, known), _along(starts, doubts) if users else [0] * len(starts), users


def _added(users: Mapping[str, int], doubtful: int) -> list[int]:
    """What each of the names in doubt would add."""
    return [rules for number, rules in enumerate(users.values()) if doubtful >> number & 1] if doubtful else []


def _turns(held: Iterable[tuple[Iterable[Span], int]]) -> dict[int, int]:
    """Where bits are turned on, or off again."""
    turns: dict[int, int] = defaultdict(int)
    for spans, bits in held:
        for first, last in spans:
            turns[first] ^= bits
            turns[last + 1] ^= bits
    return turns


def _along(starts: Iterable[int], turns: Mapping[int, int]) -> list[int]:
    return list(accumulate(map(turns.get, starts, repeat(0)), xor))
