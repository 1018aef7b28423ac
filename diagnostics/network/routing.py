"""Which next hop an address gets at a NIC: longest prefix, then user before learnt before system routes.

Source: "Azure virtual network traffic routing" (how Azure selects a route).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter

import msgspec

from diagnostics.network.estate import Estate, Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import V4_TOP, V6_TOP, Span
from diagnostics.network.model import Subnet
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
    user_defined,
)

__all__ = ["Candidate", "HopType", "NextHop", "Routing", "Table"]

_STRENGTH = attrgetter("strength")
_SPANS: Mapping[int, Callable[[AddressSet], tuple[Span, ...]]] = {
    4: attrgetter("v4.spans"),
    6: attrgetter("v6.spans"),
}
_FEW = 8
"""Single addresses that are looked for one by one; for more, a table is made, which costs about as much."""

_OWN_SPACE = frozenset({HopType.VNET_LOCAL, HopType.PEERING, HopType.SERVICE_ENDPOINT})


class NextHop(msgspec.Struct, frozen=True, gc=False):
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
        self._places: dict[str, _Place] = {}
        self._shared: dict[object, _Place] = {}
        self._user: dict[ResourceId, Sequence[Known | Doubtful]] = {}

    def next_hop(self, point: Point, address: Address) -> NextHop:
        """Where an endpoint's packets to an address are sent."""
        place, version = self._place(point), address.version
        if version not in place.tables and place.asked < _FEW:
            place.asked += 1
            return _alone(place.routes, version, int(address))
        return place.table(version).of(int(address))

    def routes(self, point: Point) -> tuple[Candidate, ...]:
        """All routes of an endpoint, the most specific first."""
        routes = self._place(point).routes
        known = sorted(routes.known, key=_STRENGTH, reverse=True)
        doubtful = (each.route for each in routes.doubtful)
        return tuple(dict.fromkeys((*(each.route for each in known), *doubtful)))

    def table(self, point: Point, version: int) -> Table:
        """The next hops of an endpoint for a family of addresses, 4 or 6."""
        return self._place(point).table(version)

    def configured(self, network: VirtualNetwork, subnet: Subnet) -> Routes:
        """The routes of a subnet, from configuration."""
        return self._of_subnet(network, subnet).routes

    def _place(self, point: Point) -> _Place:
        effective_routes = self._estate.effective_routes
        told = bool(effective_routes) and point.nic.id in effective_routes
        key = (point.nic.id if told else point.configuration.subnet or point.nic.id).key
        place = self._places.get(key)
        if place is None:
            routes = effective(self._estate, point) if told else None
            place = self._places[key] = _Place(routes) if routes else self._from_configuration(point)
        return place

    def _from_configuration(self, point: Point) -> _Place:
        subnet, network = self._estate.subnet_of(point), self._estate.network_of(point.configuration.subnet)
        if subnet is None or network is None:
            name = point.configuration.subnet
            missing = f"subnet {name.name}" if name else f"the subnet of {point.nic.id.name}"
            return _Place(Routes(doubtful=(unseen(missing),)))
        return self._of_subnet(network, subnet)

    def _of_subnet(self, network: VirtualNetwork, subnet: Subnet) -> _Place:
        table = subnet.route_table
        # Nothing else of a subnet tells which routes it has; a table that is not seen is called as it is written.
        key = network.id, table.text if table else "", subnet.service_endpoints
        if key not in self._shared:
            user = self._user_of(table) if table else ()
            self._shared[key] = _Place(configured(self._estate, network, subnet, user))
        return self._shared[key]

    def _user_of(self, table: ResourceId) -> Sequence[Known | Doubtful]:
        if table not in self._user:
            self._user[table] = user_defined(self._estate, self._estate.route_tables.get(table))
        return self._user[table]


@dataclass(slots=True, eq=False)
class _Place:
    """Where the same routes apply: to subnets of a network that use the same route table, or to one NIC.

    Attributes:
        asked: for how many single addresses it was asked without a table.
    """

    routes: Routes
    tables: dict[int, Table] = field(default_factory=dict[int, Table])
    asked: int = 0

    def table(self, version: int) -> Table:
        """The next hops for a family of addresses; put in order when first asked for."""
        if version not in self.tables:
            self.tables[version] = _table(self.routes, version)
        return self.tables[version]


def _table(routes: Routes, version: int) -> Table:
    """The winner in every range between two borders of prefixes."""
    top = V4_TOP if version == 4 else V6_TOP
    spans_of = _SPANS[version]
    known = [(span, each) for each in routes.known for span in spans_of(each.addresses)]
    doubtful = [(span, each) for each in routes.doubtful for span in spans_of(each.within)]
    spans = [span for span, _ in (*known, *doubtful)]
    starts = sorted({0, *(first for first, _ in spans), *(last + 1 for _, last in spans if last < top)})
    inside = zip(starts, _active(known, starts), _active(doubtful, starts), strict=True)
    hops = [_choose(here, perhaps) for _, here, perhaps in inside]
    merged = [i for i in range(len(starts)) if i == 0 or hops[i] != hops[i - 1]]
    return Table(tuple(starts[i] for i in merged), tuple(hops[i] for i in merged))


def _alone(routes: Routes, version: int, address: int) -> NextHop:
    """The winner for one address."""
    spans = _SPANS[version]
    known = [(first, e) for e in routes.known for first, last in spans(e.addresses) if first <= address <= last]
    doubtful = [(first, e) for e in routes.doubtful for first, last in spans(e.within) if first <= address <= last]
    return _choose(_in_order(known), _in_order(doubtful))


def _in_order[T](here: list[tuple[int, T]]) -> list[T]:
    """What holds an address, in the order in which `_active` tells it: of equals the first one wins."""
    here.reverse()
    here.sort(key=itemgetter(0))
    return [each for _, each in here]


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
    if not perhaps:  # as mostly
        return NextHop(best.route if best else None)
    open_ = [each for each in perhaps if _may_win(each, best, here)]
    doubtful = tuple(dict.fromkeys(each.route for each in open_))
    return NextHop(best.route if best else None, doubtful, frozenset(each.missing for each in open_))


def _best(here: list[Known]) -> Known | None:
    """The longest prefix, but a learnt route yields to the network's own space however specific it is."""
    best = max(here, key=_STRENGTH, default=None)
    if best and best.route.source == Source.LEARNT and any(map(_is_own_space, here)):
        others = (each for each in here if each.route.source != Source.LEARNT)
        return max(others, key=_STRENGTH, default=None)
    return best


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
