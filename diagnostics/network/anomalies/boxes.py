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

from diagnostics.network.anomalies.axes import Addresses, TooManyError
from diagnostics.network.anomalies.fate import Fate, Role
from diagnostics.network.anomalies.reading import Said

MOST = 512
"""How many boxes the flows of a rule may fall into."""

type Box = tuple[int, int, int]
"""Services, sources and destinations."""


_NEEDED = Role(Fate.NEEDED, ())


@dataclass(frozen=True, slots=True)
class Boxes:
    """Rules in order, by the flows that they match. A flow that none of them matches is denied.

    Attributes:
        allowing: for each rule, whether it allows.
        matched: for each rule, what it matches, the addresses of both families together.
        before, behind: for each rule, those before it and behind it that match some of its flows, in order.
        families: the sources and destinations of each family.
        most: how many boxes the flows of a rule may fall into.
    """

    allowing: Sequence[bool]
    matched: Sequence[Box]
    before: Sequence[Sequence[int]]
    behind: Sequence[Sequence[int]]
    families: Sequence[tuple[int, int]]
    most: int = MOST

    @classmethod
    def of(cls, said: Said, addresses: Addresses, services: Sequence[int], most: int = MOST) -> Self | None:
        """The list of rules, or None where they tell too many classes of flows apart.

        Args:
            said: what the rules say.
            addresses: the addresses of both ends.
            services: the services of each rule.
            most: how many boxes the flows of a rule may fall into.
        """
        try:
            sources, destinations = addresses.ends(said.sources), addresses.ends(said.destinations)
        except TooManyError:
            return None
        families = (sources.v4, destinations.v4), (sources.v6, destinations.v6)
        before = _meeting(services, sources.held, destinations.held)
        behind: list[list[int]] = [[] for _ in services]
        for rule, numbers in enumerate(before):
            for number in numbers:
                behind[number].append(rule)
        matched = [*zip(services, sources.held, destinations.held, strict=True)]
        return cls(said.allowing, matched, before, behind, families, most)

    def role(self, rule: int) -> Role | None:
        """What a rule does, or None where its flows fall into too many boxes."""
        left, takers, matched = self._flows(rule), list[int](), self.matched
        for number in self.before[rule]:
            if (rest := _less(left, matched[number])) is not left:
                takers.append(number)
                left = rest
                if not left:
                    break
                if len(left) > self.most:
                    return None
        if not left:
            return Role(Fate.DEAD, takers)
        return Role(Fate.NEEDED, takers) if self._needed(rule, left[0]) else self._living(rule, left, takers)

    def brief(self, rule: int, *, conflicts: bool) -> Role | None:
        """The same, without the takers of a rule that is needed, where none of them makes for a conflict with it.

        Args:
            rule: the rule.
            conflicts: whether there can be any: rules before it that say the contrary, and not only of its flows.
        """
        free = None if conflicts and self._crossed(rule) else self._free(rule)
        return _NEEDED if free and self._needed(rule, free) else self.role(rule)

    def within(self, inner: int, outer: int) -> bool:
        """Whether a rule matches every flow that another one, the inner, matches."""
        first, second, third = self.matched[outer]
        for one, two, three in self._flows(inner):
            if one | first != first or two | second != second or three | third != third:
                return False
        return True

    def _crossed(self, rule: int) -> bool:
        """Whether a rule before it says the contrary of a rule, of its flows and of others."""
        allowing, allows, (first, second, third) = self.allowing, self.allowing[rule], self.matched[rule]
        for number in self.before[rule]:
            if allowing[number] is not allows:
                one, two, three = self.matched[number]
                if one | first != first or two | second != second or three | third != third:
                    return True
        return False

    def _free(self, rule: int) -> Box | None:
        """Flows of a rule in one dimension of which none of the rules before it is about: mostly there are some."""
        services = sources = destinations = 0
        for number in self.before[rule]:
            one, two, three = self.matched[number]
            services |= one
            sources |= two
            destinations |= three
        for service, here, there in self._flows(rule):
            if free := here & ~sources:
                return service, free, there
            if free := there & ~destinations:
                return service, here, free
            if free := service & ~services:
                return free, here, there
        return None

    def _needed(self, rule: int, box: Box) -> bool:
        """Whether that shows at one flow of those that a rule decides: the next one that matches it says the contrary.

        Of an Allow it is the first, as what is behind is mostly denied there; of a Deny the last, which is in the most
        names of which it is not known what they hold, such as those that default rules let in.
        """
        first, second, third = box
        matched, allows = self.matched, self.allowing[rule]
        if allows:
            first, second, third = first & -first, second & -second, third & -third
        else:
            first, second, third = _last(first), _last(second), _last(third)
        for number in self.behind[rule]:
            one, two, three = matched[number]
            if one & first and two & second and three & third:
                return self.allowing[number] is not allows
        return allows

    def _living(self, rule: int, left: list[Box], takers: Sequence[int]) -> Role | None:
        """What a rule does that decides flows: those in the boxes."""
        allowing, matched, heirs = self.allowing, self.matched, list[int]()
        allows = allowing[rule]
        for number in self.behind[rule]:
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


def _meeting(services: Sequence[int], sources: Sequence[int], destinations: Sequence[int]) -> list[list[int]]:
    """For each rule, those before it that match some of its flows, in order."""
    return [
        [
            number
            for number in range(rule)
            if services[number] & one and sources[number] & two and destinations[number] & three
        ]
        for rule, (one, two, three) in enumerate(zip(services, sources, destinations, strict=True))
    ]


def _last(classes: int) -> int:
    """The last of some classes."""
    return 1 << classes.bit_length() - 1


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
