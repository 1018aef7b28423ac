"""Who can reach an endpoint: exact sets of sources for a port, and all that is open to the internet.

The address line is cut at every border that a rule or a route makes; within such a range all sources fare alike, so
what `reach` says of one of them holds for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diagnostics.errors import ParseError
from diagnostics.network import wording
from diagnostics.network.cells import address_at, elementary, family, for_all, port_cells, set_of, terms_at, top_of
from diagnostics.network.estate import Estate, Point
from diagnostics.network.intervals import PORTS_TOP, Intervals, Span
from diagnostics.network.meaning import World
from diagnostics.network.path import Reason, together
from diagnostics.network.prefixes import PRIVATE, Address, AddressSet, Bounds, read_prefix
from diagnostics.network.public import ways_to
from diagnostics.network.reach import Reach
from diagnostics.network.routing import HopType
from diagnostics.network.security import WITH_PORTS, Flow, Verdict

PROTOCOLS = ("Tcp", "Udp", "Icmp")
"""What exposure asks about; Esp and Ah cannot come through a public address of a VM."""


@dataclass(frozen=True, slots=True)
class Part:
    """Sources that fare alike, for the same reasons."""

    sources: AddressSet
    verdict: Verdict
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Reachable:
    """Who can reach an endpoint with a protocol and port.

    Attributes:
        sources: all addresses that can: those that surely can, those that may, and what would have to be known. For a
            private address it says what rules and the route of the answer make of it, whether or not anything has it.
        parts: every address of the family, by what decides about it.
        machines: every other endpoint of the estate of this family, and what becomes of its connection.
    """

    sources: Bounds
    parts: tuple[Part, ...]
    machines: tuple[tuple[Point, Verdict], ...]


@dataclass(frozen=True, slots=True)
class Exposed:
    """What of an endpoint is open to the internet.

    Attributes:
        ports: ports of the endpoint itself; all for protocols without ports.
        sources: public addresses that get in.
        because: the rules that let them in.
        through: the public address.
    """

    protocol: str
    ports: Intervals
    sources: Bounds
    because: tuple[Reason, ...]
    through: str


def who_can_reach(estate: Estate, destination: Point, port: int | None, protocol: str = "Tcp") -> Reachable:
    """Who can reach an endpoint on a port; raises ParseError if it has no address."""
    return Sources(Reach(estate)).of(destination, port, protocol)


def exposure(estate: Estate, point: Point) -> tuple[Exposed, ...]:
    """What of an endpoint is open to the internet, or may be; empty where nothing is."""
    return Sources(Reach(estate)).exposed(point)


class Sources:
    """Sets of sources, for one estate."""

    def __init__(self, engine: Reach) -> None:
        self._engine, self._estate = engine, engine.estate

    def of(self, destination: Point, port: int | None, protocol: str = "Tcp") -> Reachable:
        """Who can reach an endpoint."""
        address = _address(destination)
        parts = self._parts(destination, (protocol, port))
        machines = (
            (point, self._engine.path(flow, source=point, destination=destination).verdict)
            for point in self._estate.points
            if point != destination and point.address and point.address.version == address.version
            for flow in [Flow(point.address, address, protocol, port)]
        )
        return Reachable(_bounds(parts), parts, tuple(machines))

    def exposed(self, point: Point) -> tuple[Exposed, ...]:
        """What of an endpoint is open to the internet."""
        address = _address(point)
        found: dict[tuple[str, Bounds, tuple[Reason, ...], str], list[Span]] = {}
        rules = list(terms_at(self._engine.filters, point, inbound=True))
        for protocol in PROTOCOLS:
            # Ports of which the same rules speak, and to which the same ways lead, fare alike wherever they lie.
            known: dict[object, tuple[Part, ...]] = {}
            for ports in self._ports(point, protocol):
                port = ports[0] if protocol.lower() in WITH_PORTS else None
                ways = ways_to(self._estate, point, Flow(address, address, protocol, port))
                alike = ways, tuple(terms.speaks_of(protocol, port) for terms in rules)
                if alike not in known:
                    known[alike] = self._parts(point, (protocol, port), public_only=True) if ways else ()
                parts = known[alike]
                sources = _bounds(parts)
                if sources.may:
                    because = _unique(r for part in parts if part.verdict is not Verdict.DENIED for r in part.because)
                    through = ", ".join(dict.fromkeys(way.address for way in ways))
                    found.setdefault((protocol, sources, because, through), []).append(ports)
        return tuple(
            Exposed(protocol, Intervals.of(spans, PORTS_TOP), sources, because, through)
            for (protocol, sources, because, through), spans in found.items()
        )

    def _ports(self, point: Point, protocol: str) -> list[Span]:
        """Ports that no rule tells apart, and no load balancer's rule either."""
        if protocol.lower() not in WITH_PORTS:
            return [(0, PORTS_TOP)]
        _, by_rules = port_cells(terms_at(self._engine.filters, point, inbound=True))
        borders = [Intervals.of([span], PORTS_TOP) for span in by_rules]
        for balancer in self._estate.load_balancers.values():
            for rule in balancer.rules:
                first = rule.backend_port or rule.ports[0]
                last = min(first + rule.ports[1] - rule.ports[0], PORTS_TOP)
                borders.append(Intervals.of([(first, last)], PORTS_TOP))
        return elementary(borders, PORTS_TOP)

    def _cells(self, point: Point, protocol: str, port: int | None) -> list[Span]:
        """Source addresses that no rule for this port and no route of the answer tells apart."""
        version = _address(point).version
        top, borders = top_of(version), [family(PRIVATE, version)]
        filters = self._engine.filters
        # What is in the network decides what is in `Internet`: where the former is open, both ways have borders.
        sure = filters.context(point).prefix("VirtualNetwork").exact
        for world in (World.BOUNDS,) if sure else World:
            for terms in terms_at(filters, point, inbound=True, world=world):
                if terms.speaks_of(protocol, port):
                    borders += [family(terms.sources.must, version), family(terms.sources.may, version)]
        starts = self._engine.routing.table(point, version).starts
        borders += [Intervals.of([(start, start)], top) for start in starts]
        if subnet := self._estate.subnet_of(point):
            borders += [family(held, version) for prefix in subnet.prefixes if (held := read_prefix(prefix))]
        return elementary(borders, top)

    def _parts(self, point: Point, asked: tuple[str, int | None], *, public_only: bool = False) -> tuple[Part, ...]:
        version = _address(point).version
        found: dict[tuple[Verdict, tuple[Reason, ...]], list[Span]] = {}
        for span in self._cells(point, *asked):
            source = address_at(span[0], version)
            if not public_only or source not in PRIVATE:
                found.setdefault(self._fate(source, point, *asked), []).append(span)
        return tuple(Part(set_of(spans, version), *fate) for fate, spans in found.items())

    def _fate(
        self, source: Address, point: Point, protocol: str, port: int | None
    ) -> tuple[Verdict, tuple[Reason, ...]]:
        flow = Flow(source, _address(point), protocol, port)
        filtered = self._engine.filters.inbound(point, flow)
        reasons = list(wording.filter_reasons(filtered, point, inbound=True))
        if source in PRIVATE:
            reasons += self._answered(source, point)
        elif filtered.verdict is not Verdict.DENIED:
            path = for_all(self._engine.path(flow, destination=point), source)
            return path.verdict, path.because
        verdict = together(reason.verdict for reason in reasons)
        return verdict, tuple(reason for reason in reasons if reason.verdict is verdict)

    def _answered(self, source: Address, point: Point) -> Iterator[Reason]:
        """What the route of the answer makes of it."""
        hop = self._engine.routing.next_hop(point, source)
        if not hop.known:
            yield wording.doubtful_route(point, hop.missing)
        elif hop.route is None or hop.route.next_hop_type == HopType.NONE:
            yield wording.route(hop.route, point) if hop.route else wording.no_route(point, source)
        elif hop.route.next_hop_type == HopType.APPLIANCE:
            name = ", ".join(hop.route.next_hop_addresses)
            yield wording.depends_on_appliance(name, point.nic.id)


def _address(point: Point) -> Address:
    if point.address is None:
        raise ParseError(f"{point.nic.id.text}: IP configuration {point.configuration.name} has no address")
    return point.address


def _bounds(parts: Iterable[Part]) -> Bounds:
    listed = list(parts)
    must = AddressSet.union(part.sources for part in listed if part.verdict is Verdict.ALLOWED)
    may = AddressSet.union(part.sources for part in listed if part.verdict is not Verdict.DENIED)
    open_ = (part for part in listed if part.verdict is Verdict.UNKNOWN)
    return Bounds(must, may, frozenset(name for part in open_ for reason in part.because for name in reason.missing))


def _unique(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
