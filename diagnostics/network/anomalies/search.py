"""Looks for flows of one rule by which other rule would match them first.

Rules are bits of an integer, in order: the lowest bit of the rules that match a flow is the one that decides it. A flow
is put together dimension by dimension; what is left of the other rules can only shrink on the way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import and_, attrgetter

from diagnostics.network.anomalies.classes import Slice

_FEW = 128  # fewer choices are tried sooner than compared


@dataclass(frozen=True, slots=True)
class Search:
    """The flows of a rule, and other rules of which the last matches every flow.

    Attributes:
        slices: what the rule matches in each dimension.
        others: the other rules that match some of the flows.
        sure: the rules that match all of them.
    """

    slices: Sequence[Slice]
    others: int
    sure: int

    def finds(self, wanted: int) -> bool:
        """Whether there is a flow that a wanted rule matches first."""
        everything = _deciding(self.others, self.sure)
        if not everything & wanted or not everything & ~wanted:
            return bool(everything & wanted)
        path, given_up = _Path(self.slices, everything), set[tuple[int, int]]()

        def found(depth: int, left: int) -> bool:
            left = _deciding(left, path.sure[depth])
            if not left & wanted or (depth, left) in given_up:
                return False
            if not left & ~wanted:
                return True
            given_up.add((depth, left))
            choices = {left & each for each in path.classes(depth)}
            for next_left in _best(choices, wanted):  # noqa: SIM110 - twice as fast as any()
                if found(depth + 1, next_left):
                    return True
            return False

        return found(0, everything)

    def firsts(self, wanted: int) -> int:
        """Every wanted rule that is the first to match some flow."""
        everything = _deciding(self.others, self.sure)
        if not everything & wanted:
            return 0
        path, seen = _Path(self.slices, everything), set[tuple[int, int]]()

        def search(depth: int, left: int, found: int) -> int:
            left = _deciding(left, path.sure[depth])
            if not left & wanted & ~found or (depth, left) in seen:
                return found
            if not left & (left - 1):
                return found | left
            seen.add((depth, left))
            for next_left in {left & each for each in path.classes(depth)}:
                found = search(depth + 1, next_left, found)
            return found

        return search(0, everything, 0)


class _Path:
    """The dimensions, those with the fewest classes first.

    Attributes:
        sure: for each depth, the rules that match whatever is chosen from there on.
    """

    def __init__(self, slices: Sequence[Slice], rules: int) -> None:
        self._slices, self._rules = sorted(slices, key=attrgetter("size")), rules
        self._classes: list[set[int]] = []
        self.sure = [*accumulate((each.every for each in reversed(self._slices)), and_, initial=-1)][::-1]

    def classes(self, depth: int) -> set[int]:
        """What there is to choose from; many searches end before they get to the dimension with the most."""
        if depth == len(self._classes):
            self._classes.append(self._slices[depth].among(self._rules))
        return self._classes[depth]


def _best(choices: set[int], wanted: int) -> Collection[int]:
    """The choices that none of the others beats.

    One beats another if it has all of the wanted rules that the other has, and none of the unwanted that the other has
    not. Whatever is chosen after it, that stays so; and if a wanted rule is the first of what is left of the other, no
    unwanted one is before it here either. To flip the wanted ones makes of this that one set is within the other.
    """
    if len(choices) < _FEW:
        return choices
    kept: list[int] = []
    for choice in sorted((choice ^ wanted for choice in choices), key=int.bit_count):
        if not any(better & choice == better for better in kept):
            kept.append(choice)
    return [choice ^ wanted for choice in kept]


def _deciding(left: int, sure: int) -> int:
    """What lies behind the first rule that matches for sure decides nothing."""
    first = left & sure
    return left & ((first & -first) * 2 - 1)
