"""What is left of the flows of a rule when other rules are taken away from them, one after the other.

Flows have three dimensions here: service (protocol and ports), source and destination. A box is a product of a set of
classes in each, as bits of integers. A rule matches one box for each address family; to take a rule away from a box
leaves at most three smaller ones. As most rules meet few others, there are few boxes; where there would be many, a
search is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from diagnostics.network.anomalies.axes import Ends, TooManyError, services
from diagnostics.network.anomalies.fate import Fate, Role
from diagnostics.network.anomalies.reading import Reading

MOST = 512
"""How many boxes the flows of a rule may fall into."""

type Box = tuple[int, int, int]
"""Services, sources and destinations."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Rules in order, by the flows that they match. A flow that none of them matches is denied.

    Attributes:
        allowing: for each rule, whether it allows.
        matched: for each rule, what it matches, the addresses of both families together.
        families: the sources and destinations of each family.
        most: how many boxes the flows of a rule may fall into.
    """

    allowing: Sequence[bool]
    matched: Sequence[Box]
    families: Sequence[tuple[int, int]]
    most: int = MOST

    @classmethod
    def of(cls, readings: Sequence[Reading], most: int = MOST) -> Self | None:
        """The list of these rules, or None where they tell too many classes of flows apart."""
        try:
            sources = Ends.of([each.sources for each in readings])
            destinations = Ends.of([each.destinations for each in readings])
            matched = list(zip(services(readings), sources.held, destinations.held, strict=True))
        except TooManyError:
            return None
        families = (sources.v4, destinations.v4), (sources.v6, destinations.v6)
        return cls([each.allows for each in readings], matched, families, most)

    def role(self, rule: int) -> Role | None:
        """What a rule does, or None where its flows fall into too many boxes."""
        left, takers, matched = self._flows(rule), list[int](), self.matched
        first, second, third = matched[rule]
        meeting = [
            number
            for number, (one, two, three) in enumerate(matched[:rule])
            if one & first and two & second and three & third
        ]
        for number in meeting:
            if (rest := _less(left, matched[number])) is not left:
                takers.append(number)
                left = rest
                if not left:
                    break
                if len(left) > self.most:
                    return None
        return self._living(rule, left, takers) if left else Role(Fate.DEAD, takers)

    def within(self, inner: int, outer: int) -> bool:
        """Whether a rule matches every flow that another one, the inner, matches."""
        first, second, third = self.matched[outer]
        return all(
            one | first == first and two | second == second and three | third == third
            for one, two, three in self._flows(inner)
        )

    def _living(self, rule: int, left: list[Box], takers: Sequence[int]) -> Role | None:
        """What a rule does that decides flows: those in the boxes."""
        allowing, matched, heirs = self.allowing, self.matched, list[int]()
        allows, (first, second, third) = allowing[rule], matched[rule]
        for number, (one, two, three) in enumerate(matched[rule + 1 :], rule + 1):
            if not (one & first and two & second and three & third):
                continue
            if allowing[number] is not allows:
                if _touches(left, matched[number]):
                    return Role(Fate.NEEDED, takers)
            elif (rest := _less(left, matched[number])) is not left:
                heirs.append(number)
                left = rest
                if not left:
                    break
                if len(left) > self.most:
                    return None
        return Role(Fate.NEEDED, takers) if left and allows else Role(Fate.REDUNDANT, takers, heirs)

    def _flows(self, rule: int) -> list[Box]:
        """What a rule matches, family by family."""
        service, source, destination = self.matched[rule]
        return [
            (service, here, there)
            for these, those in self.families
            if (here := source & these) and (there := destination & those) and service
        ]


def _touches(boxes: Sequence[Box], other: Box) -> bool:
    """Whether any of the boxes has flows in common with another box."""
    service, source, destination = other
    for one, two, three in boxes:  # noqa: SIM110 - twice as fast as any()
        if one & service and two & source and three & destination:
            return True
    return False


def _less(boxes: list[Box], other: Box) -> list[Box]:
    """What is left of boxes without another box; the same list where they have nothing in common."""
    service, source, destination = other
    left: list[Box] = []
    touched = False
    for box in boxes:
        one, two, three = box
        if not ((first := one & service) and (second := two & source) and (third := three & destination)):
            left.append(box)
            continue
        touched = True
        if first != one:
            left.append((one ^ first, two, three))
        if second != two:
            left.append((first, two ^ second, three))
        if third != three:
            left.append((first, second, three ^ third))
    return left if touched else boxes
