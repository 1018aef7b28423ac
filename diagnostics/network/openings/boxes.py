"""Boxes: some ports, some source ports, some sources that the same rules let in; and how they are put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from diagnostics.network.cells import family, top_of
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.openings.sets import ALL, NONE, Sets
from diagnostics.network.prefixes import PRIVATE, AddressSet, Bounds

PROTOCOLS = ("Tcp", "Udp", "Icmp", "Esp", "Ah")
ALL_PORTS = Intervals.all(PORTS_TOP)
PUBLIC = ~PRIVATE

LETS, STOPS, PASSES = 1, 2, 4
"""How rules can end for a flow: it is in, it is out, or the next rules decide."""


class Box(NamedTuple):
    """Ports, source ports and sources that fare alike, as numbers of sets.

    Attributes:
        must: sources that get in for sure.
        may: sources that can get in.
        rules: numbers of the rules that let them in.
        missing: what would have to be known of sources that only may get in.
    """

    ports: int
    source_ports: int
    must: int
    may: int
    rules: tuple[int, ...] = ()
    missing: frozenset[str] = frozenset()


type Boxes = tuple[Box, ...]


class AdminBox(NamedTuple):
    """What security admin rules do with the sources of a box: an union of `LETS`, `STOPS` and `PASSES`."""

    ends: int
    box: Box


class Space:
    """Where the boxes of an address family lie.

    Attributes:
        public: the number of the public addresses.
        fixed: what rules are that mean the same everywhere, by their number.
    """

    def __init__(self, version: int, ports: Sets) -> None:
        self.version, self.ports, self.sources = version, ports, Sets(top_of(version))
        self.destinations = Sets(top_of(version))
        self.public = self.sources.add(family(PUBLIC, version))
        self.fixed: dict[int, object] = {}

    def bounds(self, box: Box) -> Bounds:
        """The sources of a box."""
        empty = Intervals.none(top_of(4 if self.version == 6 else 6))
        sets = [self.sources[box.must], self.sources[box.may]]
        must, may = (AddressSet(each, empty) if self.version == 4 else AddressSet(empty, each) for each in sets)
        return Bounds(must, may, frozenset() if box.must == box.may else box.missing)

    def all_of(self, lists: Sequence[Boxes]) -> Boxes:
        """What all of the lists, which are asked one after the other, let in."""
        return reduce(lambda some, more: tuple(x for a in some for b in more if (x := self._both(a, b))), lists)

    def behind(self, admin: Iterable[AdminBox], boxes: Boxes) -> Iterator[Box]:
        """What is let in where security admin rules stand before the NSGs."""
        for ends, box in admin:
            if ends & PASSES:
                first = box._replace(must=NONE) if ends & STOPS else box
                yield from (found for other in boxes if (found := self._both(first, other)))
            if ends & LETS:
                yield box if ends == LETS else box._replace(must=NONE)

    def flat(self, boxes: Iterable[Box]) -> Boxes:
        """The same for flows from any source port: who sends it chooses. Boxes for the same rules share no port."""
        by_rules: dict[tuple[int, ...], list[Box]] = {}
        for box in boxes:
            by_rules.setdefault(box.rules, []).append(box)
        return tuple(each for some in by_rules.values() for each in self._merged(some))

    def totals(self, boxes: Iterable[Box]) -> Boxes:
        """What is let in by whatever rule; every port is in one of the boxes, whose rules mean nothing."""
        return tuple(self._merged([Box(ALL, ALL, NONE, NONE), *boxes]))

    def settled(self, boxes: Boxes, narrow: Boxes, wide: Boxes, region: int) -> Boxes:
        """Flat boxes, without the doubt that makes no difference: where both ways to take an open question agree.

        Args:
            boxes: what is let in as far as is known.
            narrow: totals of what is let in if the sources of the region are not in the virtual network.
            wide: totals of what is let in if they are.
            region: the sources of which one of the two is true.
        """
        found = []
        for box in boxes:
            if not self.sources.meet(self.sources.rest(box.may, box.must), region):
                found.append(box)
                continue
            for one in narrow:
                ports = self.ports.meet(box.ports, one.ports)
                for other in wide if ports else ():
                    if common := self.ports.meet(ports, other.ports):
                        found += self._agreed(box._replace(ports=common), one, other, region)
        return self.flat(found)

    def _agreed(self, box: Box, one: Box, other: Box, region: int) -> list[Box]:
        meet, join, rest = self.sources.meet, self.sources.join, self.sources.rest
        here = meet(box.may, region)
        must = join(box.must, meet(here, meet(one.must, other.must)))
        may = rest(box.may, rest(region, join(one.may, other.may)))
        missing = frozenset() if must == may else box.missing
        return [box._replace(must=must, may=may, missing=missing)] if may else []

    def _both(self, one: Box, other: Box) -> Box | None:
        """What is let in by both; None where that is nothing."""
        ports = self.ports.meet(one.ports, other.ports)
        if not ports:
            return None
        may = self.sources.meet(one.may, other.may)
        source_ports = self.ports.meet(one.source_ports, other.source_ports)
        if not (may and source_ports):
            return None
        must = self.sources.meet(one.must, other.must)
        missing = frozenset() if must == may else one.missing | other.missing
        return Box(ports, source_ports, must, may, one.rules + other.rules, missing)

    def _merged(self, boxes: Sequence[Box]) -> Iterator[Box]:
        """Boxes for the same rules, put together where they share ports, or have the same sources."""
        apart: list[Box] = []
        for box in boxes:
            apart = self._added(apart, box)
        alike: dict[tuple[int, int, frozenset[str]], int] = {}
        for box in apart:
            key = box.must, box.may, box.missing
            alike[key] = self.ports.join(alike.get(key, NONE), box.ports)
        for (must, may, missing), ports in alike.items():
            yield Box(ports, ALL, must, may, boxes[-1].rules, missing)

    def _added(self, apart: list[Box], box: Box) -> list[Box]:
        left, found = box.ports, []
        for each in apart:
            common = self.ports.meet(each.ports, left)
            if not common:
                found.append(each)
                continue
            found.append(self._union(each, box, common))
            if own := self.ports.rest(each.ports, common):
                found.append(Box(own, ALL, each.must, each.may, each.rules, each.missing))
            left = self.ports.rest(left, common)
        return [*found, Box(left, ALL, box.must, box.may, box.rules, box.missing)] if left else found

    def _union(self, one: Box, other: Box, ports: int) -> Box:
        must, may = self.sources.join(one.must, other.must), self.sources.join(one.may, other.may)
        missing = frozenset() if must == may else one.missing | other.missing
        return Box(ports, ALL, must, may, one.rules, missing)
