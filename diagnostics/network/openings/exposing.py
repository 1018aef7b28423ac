"""Ways in to endpoints, and what of their openings is left behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from diagnostics.network.estate import BalancingRule, Estate, LoadBalancer, Point
from diagnostics.network.filters import Filters
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.openings.answers import Answers
from diagnostics.network.openings.boxes import ALL_PORTS, PROTOCOLS, Box, Space
from diagnostics.network.openings.layout import cells
from diagnostics.network.openings.ports import NONE
from diagnostics.network.openings.stands import Door, Found
from diagnostics.network.prefixes import address_of
from diagnostics.network.public import (
    WayIn,
    frontends,
    pool_members,
    protocol_fits,
    public_port,
    unseen_balancer,
    ways_to,
)
from diagnostics.network.routing import Routing
from diagnostics.network.security import WITH_PORTS, Flow

_CARRIED = frozenset({"Tcp", "Udp", "Icmp"})  # Esp and Ah cannot come through a public address of a VM
_ANYWHERE = address_of("0.0.0.0")  # noqa: S104  it stands for any address, nothing listens


type Led = tuple[str, Intervals, Box, tuple[WayIn, ...]]
"""What is let in of a protocol to some ports of a box, to which ways lead."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way in.

    Attributes:
        ports: of the endpoint, to which it leads.
        rule: that of a load balancer.
        missing: what would have to be known to say that there is this way at all.
    """

    way: WayIn | None
    protocols: frozenset[str]
    ports: Intervals = ALL_PORTS
    rule: BalancingRule | None = None
    missing: frozenset[str] = frozenset()

    def at(self, ports: Intervals) -> WayIn | None:
        """The way to some ports of the endpoint, with its own port in public where that is another one."""
        if self.way is None or self.rule is None:
            return self.way
        first, last = ports.spans[0][0], ports.spans[-1][1]
        outside = public_port(self.rule, first)
        only = first == last
        return replace(
            self.way, port=first if only else None, public_port=outside if only or outside != first else None
        )


class Exposing:
    """Ways in to the endpoints of an estate, and where the answers get."""

    def __init__(self, filters: Filters, estate: Estate, routing: Routing) -> None:
        self._estate = estate
        self._filters, self._routing = filters, routing

    def doors(self, point: Point, *, is_open: bool) -> Iterator[tuple[Door, Sequence[Way]]]:
        """The ways in, by what stands in them where no NSG does; none to a machine that does not run."""
        ways = [] if self._answers.stopped(point) else list(self._ways(point))
        doors: dict[Door, list[Way]] = {}
        for each in ways:
            doors.setdefault(_door(each.way) if is_open else Door(), []).append(each)
        yield from doors.items()

    def cut(self, point: Point, found: Found, ways: Sequence[Way], space: Space) -> Iterator[Led]:
        """What is let in, as far as ways lead there and the answer gets back."""
        for protocol in (each for each in PROTOCOLS if each in _CARRIED and found[each]):
            fitting = [way for way in ways if protocol in way.protocols]
            answered = self._answers.of(point, protocol, space) if fitting else None
            for box in found[protocol] if answered else ():
                left = answered.cut(box, space.sources) if answered else None
                if left:
                    yield from _led(protocol, self._answers.guest(point, left, space), fitting, space.ports[left.ports])

    def _ways(self, point: Point) -> Iterator[Way]:
        if point.configuration.public_ip:
            assert _ANYWHERE
            yield from (Way(way, _CARRIED) for way in ways_to(self._estate, point, Flow(_ANYWHERE, _ANYWHERE)))
            return
        ways = self._forwarded.get(_key(point), [])
        yield from ways
        if unseen := unseen_balancer(self._estate, point):
            missing = frozenset({f"load balancer {unseen.name}"})
            for protocol in sorted(_CARRIED):
                taken = [each.ports for each in ways if protocol in each.protocols]
                yield Way(None, frozenset({protocol}), _rest(taken), missing=missing)

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self._filters, self._estate, self._routing)

    @cached_property
    def _forwarded(self) -> dict[object, list[Way]]:
        """The ways of load balancers to each endpoint."""
        found: dict[object, list[Way]] = {}
        for balancer in self._estate.load_balancers.values():
            for rule in balancer.rules:
                protocols = frozenset(each for each in PROTOCOLS if protocol_fits(rule, each))
                publics = [front.public_ip for front in frontends(balancer, rule) if front.public_ip]
                for point in self._targets(balancer, rule) if publics and protocols else ():
                    for public in publics:
                        way = self._way(balancer, rule, public, point)
                        found.setdefault(_key(point), []).append(Way(way, protocols, _inside(rule), rule))
        return found

    def _way(self, balancer: LoadBalancer, rule: BalancingRule, public: ResourceId, point: Point) -> WayIn:
        known = self._estate.public_ips.get(public)
        closed = balancer.sku.lower() != "basic" if balancer.sku else None
        name = f"rule {rule.id.name} of load balancer {balancer.id.name}"
        return WayIn(point, None, closed, name, balancer.id, (known.address if known else None) or "")

    def _targets(self, balancer: LoadBalancer, rule: BalancingRule) -> tuple[Point, ...]:
        if rule.pool:
            return pool_members(self._estate, balancer, rule.pool)
        named = self._by_id.get(rule.target, []) if rule.target else []
        both = {_key(point): point for point in (*named, *self._by_id.get(rule.id, []))}
        return tuple(both.values())

    @cached_property
    def _by_id(self) -> dict[ResourceId, list[Point]]:
        """Endpoints by their own id, and by the inbound NAT rules that they say lead to them."""
        found: dict[ResourceId, list[Point]] = {}
        for point in self._estate.points:
            own = (point.configuration.id,) if point.configuration.id else ()
            for rid in (*own, *point.configuration.inbound_nat_rules):
                found.setdefault(rid, []).append(point)
        return found


def _led(protocol: str, box: Box, ways: Sequence[Way], ports: Intervals) -> Iterator[Led]:
    """A box, parted by the ways that lead to its ports."""
    if protocol.lower() in WITH_PORTS:
        told = ((here, some & ports) for here, some in cells([way.ports for way in ways]))
        parts = [(here, some) for here, some in told if some]
    else:
        parts = [((1 << len(ways)) - 1, ALL_PORTS)]
    for here, some in parts:
        leading = [way for i, way in enumerate(ways) if here >> i & 1]
        through = tuple(found for way in leading if (found := way.at(some)))
        if through:
            yield protocol, some, box, through
        elif leading:
            missing = box.missing.union(*(way.missing for way in leading))
            yield protocol, some, msgspec.structs.replace(box, must=NONE, missing=missing), ()


def _inside(rule: BalancingRule) -> Intervals:
    """The ports of the members to which a rule leads."""
    first, last = rule.ports
    if (first, last) == (0, 0):
        return ALL_PORTS
    begin = rule.backend_port or first
    end = begin if rule.one_port else min(begin + last - first, PORTS_TOP)
    return Intervals.of([(begin, end)], PORTS_TOP)


def _rest(taken: Sequence[Intervals]) -> Intervals:
    return ~Intervals.of((span for each in taken for span in each), PORTS_TOP)


def _door(way: WayIn | None) -> Door:
    if way is None:
        return Door()
    return Door(way.closed, f"the SKU of {way.name}" if way.closed is None else "")


def _key(point: Point) -> tuple[ResourceId, str]:
    return point.nic.id, point.configuration.name
