"""Boxes: some ports, some source ports, some sources that the same rules let in; and how they are put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from diagnostics.network.cells import family, top_of
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.openings.ports import ALL, NONE, Ports
from diagnostics.network.openings.sets import Sets
from diagnostics.network.prefixes import PRIVATE, AddressSet, Bounds

PROTOCOLS = ("Tcp", "Udp", "Icmp", "Esp", "Ah")
ALL_PORTS = Intervals.all(PORTS_TOP)
PUBLIC = ~PRIVATE

LETS, STOPS, PASSES = 1, 2, 4
"""How rules can end for a flow: it is in, it is out, or the next rules decide."""


class Box(msgspec.Struct, frozen=True, gc=False):
    """Ports, source ports and sources that fare alike: ports as bits, sources as numbers of sets.

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
    """

    def __init__(self, version: int, ports: Ports) -> None:
        self.version, self.ports, self.sources = version, ports, Sets(top_of(version))
        self.public = self.sources.add(family(PUBLIC, version))
        self._bounds: dict[tuple[int, int, frozenset[str]], Bounds] = {}
        self._public: dict[Bounds, tuple[int, int]] = {}

    def public_of(self, bounds: Bounds) -> tuple[int, int]:
        """The public addresses that are in a set of them surely, and perhaps."""
        found = self._public.get(bounds)
        if found is None:
            must, may = (self.sources.add(family(each, self.version)) for each in (bounds.must, bounds.may))
            found = self.sources.meet(must, self.public), self.sources.meet(may, self.public)
            self._public[bounds] = found
        return found

    def bounds(self, box: Box) -> Bounds:
        """The sources of a box."""
        key = box.must, box.may, box.missing
        found = self._bounds.get(key)
        if found is None:
            found = self._bounds[key] = self._as_bounds(box)
        return found

    def _as_bounds(self, box: Box) -> Bounds:
        empty = Intervals.none(top_of(4 if self.version == 6 else 6))
        sets = [self.sources[box.must], self.sources[box.may]]
        must, may = (AddressSet(each, empty) if self.version == 4 else AddressSet(empty, each) for each in sets)
        return Bounds(must, may, frozenset() if box.must == box.may else box.missing)

    def all_of(self, lists: Sequence[Boxes]) -> Boxes:
        """What all of the lists, which are asked one after the other, let in."""
        found, both = lists[0], self._both
        for more in lists[1:]:
            found = tuple(
                [each for one in found for other in more if one.ports & other.ports and (each := both(one, other))]
            )
        return found

    def behind(self, admin: Iterable[AdminBox], boxes: Boxes) -> Iterator[Box]:
        """What is let in where security admin rules stand before the NSGs."""
        for ends, box in admin:
            if ends & PASSES:
                first = replace(box, must=NONE) if ends & STOPS else box
                yield from (found for other in boxes if (found := self._both(first, other)))
            if ends & LETS:
                yield box if ends == LETS else replace(box, must=NONE)

    def flat(self, boxes: Iterable[Box]) -> Boxes:
        """The same for flows from any source port: who sends it chooses. Boxes for the same rules share no port."""
        listed = tuple(boxes)
        if not listed or (len(listed) == 1 and listed[0].source_ports == ALL):
            return listed
        by_rules: dict[tuple[int, ...], list[Box]] = {}
        for box in listed:
            by_rules.setdefault(box.rules, []).append(box)
        return tuple(each for some in by_rules.values() for each in self._put_together(some))

    def _put_together(self, boxes: Sequence[Box]) -> Iterable[Box]:
        """Boxes for the same rules; those with the same sources in a short way."""
        first = boxes[0]
        if len(boxes) == 1:
            return boxes if first.source_ports == ALL else [replace(first, source_ports=ALL)]
        alike = all(each.must == first.must and each.may == first.may for each in boxes)
        if alike and all(each.missing == first.missing for each in boxes):
            return [replace(first, ports=reduce(or_, [each.ports for each in boxes]), source_ports=ALL)]
        return self._merged(boxes)

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
        meet, join, rest = self.sources.meet, self.sources.join, self.sources.rest
        open_ = [box for box in boxes if box.must != box.may and meet(rest(box.may, box.must), region)]
        if not open_:
            return boxes
        ways: dict[tuple[int, int], int] = {}
        for one in narrow:
            for other in wide:
                if ports := one.ports & other.ports:
                    key = meet(meet(one.must, other.must), region), rest(region, join(one.may, other.may))
                    ways[key] = ways.get(key, NONE) | ports
        found = []
        for box in boxes:
            if box not in open_:
                found.append(box)
                continue
            for (inside, outside), some in ways.items():
                if ports := box.ports & some:
                    found += self._agreed(box, ports, inside, outside)
        return self.flat(found)

    def _agreed(self, box: Box, ports: int, inside: int, outside: int) -> list[Box]:
        """Some ports of a box, where sources get in, or not, either way."""
        must = self.sources.join(box.must, self.sources.meet(box.may, inside))
        may = self.sources.rest(box.may, outside)
        missing = frozenset() if must == may else box.missing
        return [Box(ports, box.source_ports, must, may, box.rules, missing)] if may else []

    def _both(self, one: Box, other: Box) -> Box | None:
        """What is let in by both; None where that is nothing."""
        ports, source_ports = one.ports & other.ports, one.source_ports & other.source_ports
        if not (ports and source_ports and (may := self.sources.meet(one.may, other.may))):
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
            alike[key] = alike.get(key, NONE) | box.ports
        for (must, may, missing), ports in alike.items():
            yield Box(ports, ALL, must, may, boxes[-1].rules, missing)

    def _added(self, apart: list[Box], box: Box) -> list[Box]:
        left, found = box.ports, []
        for each in apart:
            common = each.ports & left
            if not common:
                found.append(each)
                continue
            found.append(self._union(each, box, common))
            if own := each.ports & ~common:
                found.append(Box(own, ALL, each.must, each.may, each.rules, each.missing))
            left &= ~common
        return [*found, Box(left, ALL, box.must, box.may, box.rules, box.missing)] if left else found

    def _union(self, one: Box, other: Box, ports: int) -> Box:
        must, may = self.sources.join(one.must, other.must), self.sources.join(one.may, other.may)
        missing = frozenset() if must == may else one.missing | other.missing
        return Box(ports, ALL, must, may, one.rules, missing)
