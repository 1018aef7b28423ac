"""Sets of integers as sorted, disjoint ranges: ports, protocol numbers, IPv4 and IPv6 addresses.

Every set has one form only, so two sets are equal exactly when they hold the same numbers. Sets are made by the hundred
thousand, and a Struct is made, compared and hashed in a fifth of the time that a frozen dataclass takes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Self

import msgspec

PORTS_TOP = 65_535
PROTOCOLS_TOP = 255
V4_TOP = 2**32 - 1
V6_TOP = 2**128 - 1

type Span = tuple[int, int]
"""First and last number of a range, both in it."""


class Intervals(msgspec.Struct, frozen=True, gc=False):
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
        listed = list(spans)
        for first, last in listed:
            if not 0 <= first <= last <= top:
                raise ValueError(f"{first}-{last} is no range within 0-{top}")
        return cls.joined(listed, top)

    @classmethod
    def joined(cls, spans: list[Span], top: int) -> Self:
        """The same for ranges of sets, which are ranges of the universe; the list is put in order."""
        if len(spans) < 2:
            return cls(tuple(spans), top)
        spans.sort()
        over = -2
        for first, last in spans:
            if first <= over + 1:
                break
            over = last
        else:  # as mostly: no two of them meet
            return cls(tuple(spans), top)
        merged: list[Span] = []
        begin, end = spans[0]
        for span in spans:
            first, last = span
            if first > end + 1:
                merged.append((begin, end))
                begin, end = span
            elif last > end:
                end = last
        merged.append((begin, end))
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
        spans = self.spans
        if len(spans) == 1:
            first, last = spans[0]
            return first <= number <= last
        # A span that begins at the number itself is not beyond it, wherever it ends.
        position = bisect_right(spans, (number, self.top)) - 1
        return position >= 0 and number <= spans[position][1]

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __or__(self, other: Self) -> Self:
        if self is other or not self._same_universe(other).spans:
            return self
        return self.joined([*self.spans, *other.spans], self.top) if self.spans else other

    def __and__(self, other: Self) -> Self:
        """Both lists are walked once, side by side; mostly their ends tell already what is in both."""
        mine, theirs = self.spans, (other if other.top == self.top else self._same_universe(other)).spans
        if self is other or not mine:
            return self
        if not theirs:
            return other
        (begin, until), (start, stop) = (mine[0][0], mine[-1][1]), (theirs[0][0], theirs[-1][1])
        if until < start or stop < begin:
            return self.none(self.top)
        if start <= begin and until <= theirs[0][1]:  # the first range of the other holds all of this
            return self
        if begin <= start and stop <= mine[0][1]:
            return other
        few, many = (mine, theirs) if len(mine) <= len(theirs) else (theirs, mine)
        common: list[Span] = []
        place = bisect_left(many, (few[0][0] + 1,)) - 1  # what ends before the other begins
        place, end = max(place, 0), len(many)
        for first, last in few:
            while place < end and many[place][1] < first:
                place += 1
            while place < end and (begin := many[place][0]) <= last:
                over = many[place][1]
                common.append((max(first, begin), min(last, over)))
                if over > last:  # it may go on into the next range
                    break
                place += 1
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
        mine, theirs = self.spans, self._same_universe(other).spans
        if not mine or not theirs or _apart(mine, theirs):
            return self
        return self.none(self.top) if _covers(theirs, mine) else self._without(theirs)

    def _without(self, theirs: tuple[Span, ...]) -> Self:
        """Both lists are walked once, side by side; the same object where nothing is taken away."""
        left: list[Span] = []
        place, end = max(bisect_left(theirs, (self.spans[0][0] + 1,)) - 1, 0), len(theirs)
        for first, last in self.spans:
            while place < end and theirs[place][1] < first:
                place += 1
            begin = first
            while place < end and theirs[place][0] <= last:
                if theirs[place][0] > begin:
                    left.append((begin, theirs[place][0] - 1))
                begin = theirs[place][1] + 1
                if begin > last:  # it may go on into the next range
                    break
                place += 1
            if begin <= last:
                left.append((begin, last))
        found = tuple(left)
        return self if found == self.spans else type(self)(found, self.top)

    def __le__(self, other: Self) -> bool:
        """Whether every number of this set is in the other: each range lies in one of the other's."""
        mine, theirs = self.spans, self._same_universe(other).spans
        if mine and (not theirs or mine[0][0] < theirs[0][0] or mine[-1][1] > theirs[-1][1]):
            return False
        for first, last in mine:
            position = bisect_right(theirs, (first, self.top)) - 1
            if position < 0 or last > theirs[position][1]:
                return False
        return True

    def isdisjoint(self, other: Self) -> bool:
        """Whether no number is in both."""
        few, many = self.spans, (other if other.top == self.top else self._same_universe(other)).spans
        if not few or not many or few[-1][1] < many[0][0] or many[-1][1] < few[0][0]:
            return True
        if len(few) == len(many) == 1:
            return False
        if len(few) > len(many):
            few, many = many, few
        for first, last in few:
            # Of the ranges that begin before this one ends, the last ends last.
            position = bisect_left(many, (last + 1,)) - 1
            if position >= 0 and many[position][1] >= first:
                return False
        return True

    def count(self) -> int:
        """How many numbers it holds."""
        if len(self.spans) == 1:
            first, last = self.spans[0]
            return last - first + 1
        return sum([last - first + 1 for first, last in self.spans])

    def _same_universe(self, other: Self) -> Self:
        if self.top != other.top:
            raise ValueError(f"sets of 0-{self.top} and of 0-{other.top} do not mix")
        return other


def _covers(one: tuple[Span, ...], other: tuple[Span, ...]) -> bool:
    """Whether the first range of one list holds all of another, which is not empty."""
    return bool(one) and one[0][0] <= other[0][0] and one[0][1] >= other[-1][1]


def _apart(one: tuple[Span, ...], other: tuple[Span, ...]) -> bool:
    """Whether one list ends before another begins; neither is empty."""
    return one[-1][1] < other[0][0] or other[-1][1] < one[0][0]
