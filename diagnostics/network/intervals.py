"""Sets of integers as sorted, disjoint ranges: ports, protocol numbers, IPv4 and IPv6 addresses.

Every set has one form only, so two sets are equal exactly when they hold the same numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

PORTS_TOP = 65_535
PROTOCOLS_TOP = 255
V4_TOP = 2**32 - 1
V6_TOP = 2**128 - 1

type Span = tuple[int, int]
"""First and last number of a range, both in it."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of the numbers 0 to `top`.

    Attributes:
        spans: its ranges: sorted, disjoint, and not even next to each other.
        top: the largest number that a set of this universe may hold.
    """

    spans: tuple[Span, ...]
    top: int

    @classmethod
    def of(cls, spans: Iterable[Span], top: int) -> Self:
        """The set of all numbers in any of the ranges, whatever their order and overlap.

        Raises:
            ValueError: a range ends before it begins, or leaves the universe.
        """
        merged: list[Span] = []
        for first, last in sorted(spans):
            if not 0 <= first <= last <= top:
                raise ValueError(f"{first}-{last} is no range within 0-{top}")
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(merged[-1][1], last)
            else:
                merged.append((first, last))
        return cls(tuple(merged), top)

    @classmethod
    def none(cls, top: int) -> Self:
        """The empty set."""
        return cls((), top)

    @classmethod
    def all(cls, top: int) -> Self:
        """The whole universe."""
        return cls(((0, top),), top)

    def __contains__(self, number: int) -> bool:
        if len(self.spans) == 1:
            first, last = self.spans[0]
            return first <= number <= last
        # A span that begins at the number itself is not beyond it, wherever it ends.
        position = bisect_right(self.spans, (number, self.top)) - 1
        return position >= 0 and number <= self.spans[position][1]

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __or__(self, other: Self) -> Self:
        return self.of((*self.spans, *self._same_universe(other).spans), self.top)

    def __and__(self, other: Self) -> Self:
        """Both lists are walked once, side by side."""
        mine, theirs, common = self.spans, self._same_universe(other).spans, []
        i = j = 0
        while i < len(mine) and j < len(theirs):
            first, last = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if first <= last:
                common.append((first, last))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return type(self)(tuple(common), self.top)

    def __invert__(self) -> Self:
        gaps, begin = [], 0
        for first, last in self.spans:
            if first > begin:
                gaps.append((begin, first - 1))
            begin = last + 1
        if begin <= self.top:
            gaps.append((begin, self.top))
        return type(self)(tuple(gaps), self.top)

    def __sub__(self, other: Self) -> Self:
        return self & ~self._same_universe(other)

    def __le__(self, other: Self) -> bool:
        """Whether every number of this set is in the other: each range lies in one of the other's."""
        theirs = self._same_universe(other).spans
        for first, last in self.spans:
            position = bisect_right(theirs, (first, self.top)) - 1
            if position < 0 or last > theirs[position][1]:
                return False
        return True

    def isdisjoint(self, other: Self) -> bool:
        """Whether no number is in both."""
        return not self & other

    def count(self) -> int:
        """How many numbers it holds."""
        if len(self.spans) == 1:
            first, last = self.spans[0]
            return last - first + 1
        return sum(last - first + 1 for first, last in self.spans)

    def _same_universe(self, other: Self) -> Self:
        if self.top != other.top:
            raise ValueError(f"sets of 0-{self.top} and of 0-{other.top} do not mix")
        return other
