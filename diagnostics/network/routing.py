"""Which next hop an address gets at a NIC: longest prefix, then user before learnt before system routes.

Source: "Azure virtual network traffic routing" (how Azure selects a route).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from diagnostics.network.estate import Estate, Point
from diagnostics.network.intervals import V4_TOP, V6_TOP, Intervals, Span
from diagnostics.network.prefixes import Address, AddressSet
from diagnostics.network.routes import (
    Candidate,
    Doubtful,
    HopType,
    Known,
    Routes,
    Source,
    configured,
    effective,
    unseen,
)

__all__ = ["Candidate", "HopType", "NextHop", "Routing", "Table"]

_STRENGTH = attrgetter("strength")
_OWN_SPACE = frozenset({HopType.VNET_LOCAL, HopType.PEERING, HopType.SERVICE_ENDPOINT})


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where an address is sent.

    Attributes:
        route: the route that wins as far as is known; None where none leads there: the flow is dropped.
        doubtful: routes that would lead elsewhere, of which it is not known whether they win.
        missing: what would have to be known; empty where the route is sure.
    """

    route: Candidate | None
    doubtful: tuple[Candidate, ...] = ()
    missing: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether it is sure."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Table:
    """The next hop of every address of a family.

    Attributes:
        starts: where each range begins; it ends before the next one begins. The first is 0.
        hops: the next hop of each range.
    """

    starts: tuple[int, ...]
    hops: tuple[NextHop, ...]

    def of(self, address: int) -> NextHop:
        """The next hop of an address."""
        return self.hops[bisect_right(self.starts, address) - 1]


class Routing:
    """The routes of every endpoint of an estate; each subnet's are put in order once."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._routes: dict[object, Routes] = {}
        self._tables: dict[object, Table] = {}

    def next_hop(self, point: Point, address: Address) -> NextHop:
        """Where an endpoint's packets to an address are sent."""
        return self.table(point, address.version).of(int(address))

    def routes(self, point: Point) -> tuple[Candidate, ...]:
        """All routes of an endpoint, the most specific first."""
        known = sorted(self._all(point).known, key=_STRENGTH, reverse=True)
        doubtful = (each.route for each in self._all(point).doubtful)
        return tuple(dict.fromkeys((*(each.route for each in known), *doubtful)))

    def table(self, point: Point, version: int) -> Table:
        """The next hops of an endpoint for a family of addresses, 4 or 6."""
        key = self._place(point), version
        if key not in self._tables:
            self._tables[key] = _table(self._all(point), version)
        return self._tables[key]

    def _all(self, point: Point) -> Routes:
        key = self._place(point)
        if key not in self._routes:
            self._routes[key] = effective(self._estate, point) or self._from_configuration(point)
        return self._routes[key]

    def _place(self, point: Point) -> object:
        told = point.nic.id in self._estate.effective_routes
        return point.nic.id if told else point.configuration.subnet or point.nic.id

    def _from_configuration(self, point: Point) -> Routes:
        subnet, network = self._estate.subnet_of(point), self._estate.network_of(point.configuration.subnet)
        if subnet is None or network is None:
            name = point.configuration.subnet
            return Routes(doubtful=(unseen(f"subnet {name.name}" if name else f"the subnet of {point.nic.id.name}"),))
        return configured(self._estate, network, subnet)


def _table(routes: Routes, version: int) -> Table:
    """The winner in every range between two borders of prefixes."""
    top = V4_TOP if version == 4 else V6_TOP
    known = [(span, each) for each in routes.known for span in _spans(each.addresses, version)]
    doubtful = [(span, each) for each in routes.doubtful for span in _spans(each.within, version)]
    spans = [span for span, _ in (*known, *doubtful)]
    starts = sorted({0, *(first for first, _ in spans), *(last + 1 for _, last in spans if last < top)})
    inside = zip(starts, _active(known, starts), _active(doubtful, starts), strict=True)
    hops = [_choose(here, perhaps) for _, here, perhaps in inside]
    merged = [i for i in range(len(starts)) if i == 0 or hops[i] != hops[i - 1]]
    return Table(tuple(starts[i] for i in merged), tuple(hops[i] for i in merged))


def _spans(addresses: AddressSet, version: int) -> Intervals:
    return addresses.v4 if version == 4 else addresses.v6


def _active[T](placed: Sequence[tuple[Span, T]], starts: Sequence[int]) -> Iterator[list[T]]:
    """What holds each start, in one sweep."""
    waiting = sorted(placed, key=lambda pair: pair[0][0], reverse=True)
    here: list[tuple[Span, T]] = []
    for start in starts:
        while waiting and waiting[-1][0][0] == start:
            here.append(waiting.pop())
        here = [pair for pair in here if pair[0][1] >= start]
        yield [each for _, each in here]


def _choose(here: list[Known], perhaps: list[Doubtful]) -> NextHop:
    best = _best(here)
    open_ = [each for each in perhaps if _may_win(each, best, here)]
    doubtful = tuple(dict.fromkeys(each.route for each in open_))
    return NextHop(best.route if best else None, doubtful, frozenset(each.missing for each in open_))


def _best(here: list[Known]) -> Known | None:
    """The longest prefix, but a learnt route yields to the network's own space however specific it is."""
    own_space = any(_is_own_space(each) for each in here)
    standing = [each for each in here if not (own_space and each.route.source == Source.LEARNT)]
    return max(standing, key=_STRENGTH, default=None)


def _may_win(doubtful: Doubtful, best: Known | None, here: list[Known]) -> bool:
    """Whether it could be chosen, and would lead elsewhere."""
    if best is None:
        return True
    if doubtful.route.leads == best.route.leads:
        return False
    if doubtful.learnt and any(_is_own_space(each) for each in here):
        return False
    alone = best.addresses.v4.count() + best.addresses.v6.count() == 1
    return not (alone and best.route.source == Source.USER)


def _is_own_space(each: Known) -> bool:
    return each.route.source == Source.DEFAULT and each.route.next_hop_type in _OWN_SPACE
