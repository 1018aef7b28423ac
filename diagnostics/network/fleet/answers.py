"""Reachability of all pairs of a fleet: worked out by classes of endpoints, kept as runs, exact for every pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate, Point
from diagnostics.network.fleet.bits import Ints
from diagnostics.network.fleet.codes import BEHIND, BITS, ENDED, TOGETHER, Code
from diagnostics.network.fleet.gates import Gates
from diagnostics.network.fleet.hops import Way
from diagnostics.network.fleet.legs import Legs, routes, stopped
from diagnostics.network.fleet.rules import Rows
from diagnostics.network.fleet.services import Service
from diagnostics.network.fleet.tally import rows_with, tally
from diagnostics.network.fleet.through import Through
from diagnostics.network.fleet.universe import Universe
from diagnostics.network.reach import Reach
from diagnostics.network.security import Flow, Verdict

_VERDICTS = {Code.ALLOWED: Verdict.ALLOWED, Code.DENIED: Verdict.DENIED, Code.UNKNOWN: Verdict.UNKNOWN}
_NUMBERS = {verdict: code for code, verdict in _VERDICTS.items()}
_CODE = (1 << BITS) - 1
_PASSING = (Code.ARRIVES, Code.DOUBTED, Code.SPLIT)


def all_pairs(estate: Estate, services: Sequence[Service]) -> Fleet:
    """Reachability of every endpoint from every endpoint, for some protocols and ports.

    Every verdict is the one that `diagnostics.network.reach.Reach` has for the pair.

    Raises:
        ParseError: a tag has something that is no prefix.
    """
    universe = Universe(estate)
    if not universe.points or not services:
        return Fleet(estate, universe, tuple(services), [], [])
    gates, legs = Gates(estate, universe, services), Legs(estate, universe)
    there, back = routes(estate, universe, legs)
    out, in_ = gates.own(inbound=False), gates.own(inbound=True)
    everyone = np.arange(len(universe))
    sources, ends = [], []
    for number, service in enumerate(services):
        through = Through(estate, universe, gates, legs, (number, Service(*service)))
        leaving = out.verdicts(number).over(there, _behind)
        sources.append(through.resolved(leaving, everyone, Way.THERE))
        answers = through.resolved(back, everyone, Way.BACK)
        ends.append(in_.verdicts(number).over(answers, _together))
    return Fleet(estate, universe, tuple(services), sources, ends)


class Fleet:
    """What becomes of the flows between all endpoints of an estate.

    Attributes:
        points: the endpoints, every IP configuration that has an address.
        services: what was asked about.
    """

    def __init__(
        self,
        estate: Estate,
        universe: Universe,
        services: tuple[Service, ...],
        sources: Sequence[Rows],
        ends: Sequence[Rows],
    ) -> None:
        self._estate, self._universe, self._sources, self._ends = estate, universe, sources, ends
        self.points, self.services = universe.points, services
        self._asked: dict[tuple[int, int, int], Verdict] = {}

    def verdict(self, source: Point, destination: Point, service: Service) -> Verdict:
        """What becomes of a service's flows from one endpoint to another.

        Raises:
            KeyError: one of them is not of this estate, or has no address.
            ParseError: their addresses are of different families.
            ValueError: the service is not one of those that were asked about.
        """
        pair = self._universe.position(source), self._universe.position(destination)
        code = int(self._codes(np.array(pair[:1]), np.array(pair[1:]), self.services.index(service))[0])
        if code == Code.NONE:
            raise ParseError(f"flow: {source.address} and {destination.address} are not of one address family")
        return self._verdict(code, *pair, self.services.index(service))

    def sources(self, destination: Point, service: Service) -> Iterator[tuple[Point, Verdict]]:
        """Every endpoint of the family of a destination, and what becomes of its flows there."""
        everyone, number = np.arange(len(self.points)), self.services.index(service)
        at = self._universe.position(destination)
        yield from self._told(self._codes(everyone, np.full_like(everyone, at), number), None, at, number)

    def destinations(self, source: Point, service: Service) -> Iterator[tuple[Point, Verdict]]:
        """Every endpoint of the family of a source, and what becomes of its flows there."""
        everyone, number = np.arange(len(self.points)), self.services.index(service)
        at = self._universe.position(source)
        yield from self._told(self._codes(np.full_like(everyone, at), everyone, number), at, None, number)

    def count(self, service: Service) -> dict[Verdict, int]:
        """How many pairs of endpoints of one family have each verdict, each endpoint with itself among them."""
        if not self.points:
            return dict.fromkeys(Verdict, 0)
        number, split = self.services.index(service), self._universe.split
        allowed, denied = tally(self._sources[number], self._ends[number])
        found = {Code.ALLOWED: allowed, Code.DENIED: denied}
        one, other = self._same
        for code in found:
            found[code] -= int((self._plain(one, other, number) == code).sum())
        for code in found:
            found[code] += int((self._loops == code).sum())
        for pair in self._special(number):
            code = _NUMBERS[self._verdict(Code.ASK, *pair, number)]
            found[code] = found.get(code, 0) + 1
        every = split**2 + (len(self.points) - split) ** 2
        unknown = every - found[Code.ALLOWED] - found[Code.DENIED]
        return {
            Verdict.ALLOWED: found[Code.ALLOWED],
            Verdict.DENIED: found[Code.DENIED],
            Verdict.UNKNOWN: unknown,
        }

    def _told(
        self, codes: Ints, source: int | None, destination: int | None, number: int
    ) -> Iterator[tuple[Point, Verdict]]:
        for at, code in enumerate(codes.tolist()):
            if code != Code.NONE:
                pair = at if source is None else source, at if destination is None else destination
                yield self.points[at], self._verdict(code, *pair, number)

    def _codes(self, sources: Ints, destinations: Ints, number: int) -> Ints:
        """What becomes of pairs; each endpoint reaches itself."""
        codes = self._plain(sources, destinations, number)
        same = sources == destinations
        if len(self._same[0]) > len(self.points):
            same = np.isin(sources * len(self.points) + destinations, self._same[0] * len(self.points) + self._same[1])
        return np.where(same, self._loops[sources], codes)

    def _plain(self, sources: Ints, destinations: Ints, number: int) -> Ints:
        leaving, ending = self._sources[number], self._ends[number]
        codes = leaving.runs.at(leaving.index[sources], destinations)
        found: Ints = ENDED[codes, ending.runs.at(ending.index[destinations], sources)]
        return found

    @cached_property
    def _same(self) -> tuple[Ints, Ints]:
        """Pairs of which both are one endpoint: each with itself, and what an estate has twice."""
        everyone = np.arange(len(self.points))
        twice = []
        for at in range(1, len(self.points)):
            other = at - 1
            while other >= 0 and self._universe.number(other) == self._universe.number(at):
                if self.points[other] == self.points[at]:
                    twice += [(other, at), (at, other)]
                other -= 1
        pairs = np.array(twice, np.int64).reshape(-1, 2)
        return np.concatenate([everyone, pairs[:, 0]]), np.concatenate([everyone, pairs[:, 1]])

    @cached_property
    def _loops(self) -> Ints:
        """What becomes of what an endpoint sends to itself, for each of the pairs that are one."""
        codes = [Code.DENIED if stopped(self._estate, point) else Code.ALLOWED for point in self.points]
        return np.array(codes, np.int64)[self._same[0]]

    def _special(self, number: int) -> set[tuple[int, int]]:
        """Pairs that only `Reach` itself can tell about."""
        leaving, ending = self._sources[number], self._ends[number]
        found: set[tuple[int, int]] = set()
        for row, first, end in rows_with(leaving.runs, (Code.ASK, Code.PLATFORM)):
            found |= {(at, to) for at in np.flatnonzero(leaving.index == row).tolist() for to in range(first, end)}
        for row, first, end in rows_with(ending.runs, (Code.ASK,)):
            for to in np.flatnonzero(ending.index == row).tolist():
                sources = np.arange(first, end)
                codes = leaving.runs.at(leaving.index[sources], np.full_like(sources, to))
                found |= {(at, to) for at in sources[np.isin(codes, _PASSING)].tolist()}
        return found - set(zip(*(each.tolist() for each in self._same), strict=True))

    def _verdict(self, code: int, source: int, destination: int, number: int) -> Verdict:
        if (known := _VERDICTS.get(Code(code))) is not None:
            return known
        key = source, destination, number
        if key not in self._asked:
            one, other, service = self.points[source], self.points[destination], self.services[number]
            assert one.address
            assert other.address
            flow = Flow(one.address, other.address, *service)
            self._asked[key] = self._reach.path(flow, source=one, destination=other).verdict
        return self._asked[key]

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self._estate)


def _behind(verdict: Ints, code: Ints) -> Ints:
    """What routes make of flows that rules have a verdict on; what is denied before meets no obstacle."""
    found: Ints = BEHIND[verdict, code & _CODE]
    return np.where(verdict == Code.DENIED, found, found | code >> BITS << BITS)


def _together(verdict: Ints, answer: Ints) -> Ints:
    """What rules and the way of the answer make of what is delivered."""
    found: Ints = TOGETHER[verdict, answer]
    return found
