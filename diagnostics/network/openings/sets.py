"""Sets of addresses by number: an estate has few different ones, so every step with two of them is taken once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from diagnostics.network.intervals import Intervals

NONE, ALL = 0, 1
"""The numbers of the empty set and of the whole universe."""


class Sets:
    """Sets of the addresses of a family."""

    def __init__(self, top: int) -> None:
        self._sets: list[Intervals] = []
        self._numbers: dict[tuple[tuple[int, int], ...], int] = {}
        self._meets: dict[tuple[int, int], int] = {}
        self._joins: dict[tuple[int, int], int] = {}
        self._rests: dict[tuple[int, int], int] = {}
        self.add(Intervals.none(top))
        self.add(Intervals.all(top))

    def __getitem__(self, number: int) -> Intervals:
        return self._sets[number]

    def add(self, known: Intervals) -> int:
        """The number of a set."""
        number = self._numbers.setdefault(known.spans, len(self._sets))
        if number == len(self._sets):
            self._sets.append(known)
        return number

    def meet(self, one: int, other: int) -> int:
        """What both hold."""
        if one == other or other == ALL:  # noqa: PLR1714  a set to look into would have to be made each time
            return one
        if one == ALL:
            return other
        if not (one and other):
            return NONE
        key = (one, other) if one < other else (other, one)
        found = self._meets.get(key)
        if found is None:
            found = self._meets[key] = self.add(self._sets[one] & self._sets[other])
        return found

    def join(self, one: int, other: int) -> int:
        """What any of both holds."""
        if one == other or not other:
            return one
        if not one:
            return other
        key = (one, other) if one < other else (other, one)
        found = self._joins.get(key)
        if found is None:
            found = self._joins[key] = self.add(self._sets[one] | self._sets[other])
        return found

    def rest(self, one: int, other: int) -> int:
        """What the one holds and the other does not."""
        if one == other or not one or other == ALL:
            return NONE
        if not other:
            return one
        found = self._rests.get((one, other))
        if found is None:
            found = self._rests[one, other] = self.add(self._sets[one] - self._sets[other])
        return found

    def union(self, numbers: Iterable[int]) -> int:
        """What any of them holds."""
        return reduce(self.join, numbers, NONE)
