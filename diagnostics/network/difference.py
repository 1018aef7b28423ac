"""What a change of configuration does: the exact flows whose verdict is another one afterwards.

Ports are cut at every border that a rule makes before or after, addresses of the internet likewise; between two borders
all flows fare alike, so what `reach` says of one of them holds for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from diagnostics.network.cells import address_at, elementary, family, for_all, port_cells, set_of, terms_at, top_of
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals, Span
from diagnostics.network.path import Path, Reason
from diagnostics.network.prefixes import PRIVATE, Address, AddressSet
from diagnostics.network.reach import Reach
from diagnostics.network.security import WITH_PORTS, Flow, Verdict

PROTOCOLS = ("Tcp", "Udp", "Icmp", "Esp", "Ah")
INTERNET = "Internet"
_ALL_PORTS: Span = (0, PORTS_TOP)
_TRANSIT = ("public_ips", "nat_gateways", "load_balancers", "gateways", "local_gateways", "connections", "firewalls")


@dataclass(frozen=True, slots=True)
class Change:
    """Flows between two ends whose verdict changes, or is unknown for want of something else than before.

    Attributes:
        source, destination: an endpoint as it is afterwards, or `Internet`.
        ports, source_ports: of TCP and UDP; all for protocols without ports.
        because: what decides afterwards.
        addresses: the addresses of the end that is `Internet`; None between endpoints.
    """

    source: Point | str
    destination: Point | str
    protocol: str
    ports: Intervals
    source_ports: Intervals
    before: Verdict
    after: Verdict
    because: tuple[Reason, ...]
    addresses: AddressSet | None = None


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same endpoint before and after."""

    before: Point
    after: Point
    address: Address

    @property
    def key(self) -> tuple[ResourceId, str]:
        """What makes it the same endpoint."""
        return self.after.nic.id, self.after.configuration.name


@dataclass(frozen=True, slots=True)
class _Cell:
    """Flows that fare alike: a protocol, ranges of ports, and of addresses where one end is the internet."""

    protocol: str
    source_ports: Span
    ports: Span
    addresses: Span = (0, 0)

    def flow(self, source: Address, destination: Address) -> Flow:
        """One flow that stands for all."""
        if self.protocol.lower() not in WITH_PORTS:
            return Flow(source, destination, self.protocol)
        return Flow(source, destination, self.protocol, self.ports[0], self.source_ports[0])


def difference(before: Estate, after: Estate) -> tuple[Change, ...]:
    """What becomes different between endpoints that both estates have, and between them and the internet.

    An endpoint whose address changed counts as another one: the flows of an address are compared, not of a name.
    """
    return tuple(_Difference(Reach(before), Reach(after)).changes())


class _Difference:
    def __init__(self, before: Reach, after: Reach) -> None:
        self._before, self._after = before, after
        self._pairs = list(_same(before.estate, after.estate))
        everywhere = self._transit_changed()
        self._changed = {pair.key for pair in self._pairs if everywhere or self._fares_otherwise(pair)}

    def changes(self) -> Iterator[Change]:
        for source, destination in product(self._pairs, repeat=2):
            alike = source.address.version == destination.address.version and source is not destination
            if alike and (source.key in self._changed or destination.key in self._changed):
                yield from self._between(source, destination)
        for pair in self._pairs:
            if pair.key in self._changed:
                yield from self._outside(pair, inbound=True)
                yield from self._outside(pair, inbound=False)

    def _transit_changed(self) -> bool:
        """Whether something changed that the flows of others pass."""
        one, other = self._before.estate, self._after.estate
        if any(getattr(one, kind) != getattr(other, kind) for kind in _TRANSIT) or len(one.points) != len(other.points):
            return True
        forwarding = (pair for pair in self._pairs if pair.before.nic.ip_forwarding or pair.after.nic.ip_forwarding)
        return any(map(self._fares_otherwise, forwarding))

    def _fares_otherwise(self, pair: _Pair) -> bool:
        return _state(self._before, pair.before) != _state(self._after, pair.after)

    def _between(self, source: _Pair, destination: _Pair) -> Iterator[Change]:
        fates = {}
        for cell in self._cells([source], [destination]):
            flow = cell.flow(source.address, destination.address)
            fates[cell] = (
                self._before.path(flow, source=source.before, destination=destination.before),
                self._after.path(flow, source=source.after, destination=destination.after),
            )
        yield from _merged(source.after, destination.after, fates)

    def _outside(self, pair: _Pair, *, inbound: bool) -> Iterator[Change]:
        """Between an endpoint and the internet."""
        version, fates = pair.address.version, {}
        cells = self._cells([], [pair]) if inbound else self._cells([pair], [])
        for each, span in product(cells, self._public(pair, inbound=inbound)):
            cell = _Cell(each.protocol, each.source_ports, each.ports, span)
            there = address_at(span[0], version)
            if inbound:
                flow = cell.flow(there, pair.address)
                before = self._before.path(flow, destination=pair.before)
                after = self._after.path(flow, destination=pair.after)
            else:
                flow = cell.flow(pair.address, there)
                before = self._before.path(flow, source=pair.before)
                after = self._after.path(flow, source=pair.after)
            fates[cell] = for_all(before, there), for_all(after, there)
        source: Point | str = INTERNET if inbound else pair.after
        yield from _merged(source, pair.after if inbound else INTERNET, fates, version)

    def _cells(self, sources: list[_Pair], destinations: list[_Pair]) -> list[_Cell]:
        """Ports that neither end's rules tell apart, before or after, nor those of any appliance."""
        forwarding = [pair for pair in self._pairs if pair.before.nic.ip_forwarding or pair.after.nic.ip_forwarding]
        terms = [
            each
            for inbound, pairs in ((False, sources + forwarding), (True, destinations + forwarding))
            for pair in pairs
            for engine, point in ((self._before, pair.before), (self._after, pair.after))
            for each in terms_at(engine.filters, point, inbound=inbound)
        ]
        source_ports, ports = port_cells(terms)
        ports = elementary([Intervals.of([span], PORTS_TOP) for span in (*ports, *self._balanced())], PORTS_TOP)
        with_ports = [_Cell(p, s, d) for p in PROTOCOLS if p.lower() in WITH_PORTS for s in source_ports for d in ports]
        return with_ports + [_Cell(p, _ALL_PORTS, _ALL_PORTS) for p in PROTOCOLS if p.lower() not in WITH_PORTS]

    def _balanced(self) -> Iterator[Span]:
        """Ports that load balancers tell apart, on either side of them."""
        for estate in (self._before.estate, self._after.estate):
            for rule in (rule for balancer in estate.load_balancers.values() for rule in balancer.rules):
                yield rule.ports
                behind = rule.backend_port or rule.ports[0]
                yield behind, min(behind + rule.ports[1] - rule.ports[0], PORTS_TOP)

    def _public(self, pair: _Pair, *, inbound: bool) -> list[Span]:
        """Addresses of the internet that no rule or route tells apart, before or after."""
        version = pair.address.version
        top, borders = top_of(version), [family(PRIVATE, version)]
        for engine, point in ((self._before, pair.before), (self._after, pair.after)):
            for terms in terms_at(engine.filters, point, inbound=inbound):
                ends = terms.sources if inbound else terms.destinations
                borders += [family(ends.must, version), family(ends.may, version)]
            starts = engine.routing.table(point, version).starts
            borders += [Intervals.of([(start, start)], top) for start in starts]
        return [span for span in elementary(borders, top) if address_at(span[0], version) not in PRIVATE]


def _same(before: Estate, after: Estate) -> Iterator[_Pair]:
    """The endpoints that both have, with the same address."""
    known = {(point.nic.id, point.configuration.name.lower()): point for point in before.points}
    for point in after.points:
        earlier = known.get((point.nic.id, point.configuration.name.lower()))
        if earlier and point.address and earlier.address == point.address:
            yield _Pair(earlier, point, point.address)


def _state(engine: Reach, point: Point) -> tuple[object, ...]:
    """All that decides at an endpoint."""
    estate = engine.estate
    vm, network = estate.vm_of(point.nic), estate.network_of(point.configuration.subnet)
    rules = [list(engine.filters.lists(point, inbound=inbound)) for inbound in (True, False)]
    admin = [engine.filters.admin_rules(point, inbound=inbound) for inbound in (True, False)]
    tables = [engine.routing.table(point, version) for version in (4, 6)]
    return point, estate.subnet_of(point), network, vm.running if vm else None, rules, admin, tables


def _merged(
    source: Point | str, destination: Point | str, fates: dict[_Cell, tuple[Path, Path]], version: int = 0
) -> Iterator[Change]:
    """The cells whose verdict changes, put together into as few changes as say it."""
    changed = [(cell, one, other) for cell, (one, other) in fates.items() if _differ(one, other)]
    keyed = [
        ((c.protocol, a.verdict, b.verdict, b.because), c.addresses, c.source_ports, c.ports) for c, a, b in changed
    ]
    ports = _grouped((((key, addresses, sources), span) for key, addresses, sources, span in keyed), PORTS_TOP)
    by_source = _grouped((((k, a, found), s) for (k, a, s), found in ports.items()), PORTS_TOP)
    spans: dict[tuple[tuple[str, Verdict, Verdict, tuple[Reason, ...]], Intervals, Intervals], list[Span]] = (
        defaultdict(list)
    )
    for (key, addresses, found), sources in by_source.items():
        spans[key, found, sources].append(addresses)
    for ((protocol, before, after, because), found, sources), addresses_ in spans.items():
        outside = set_of(addresses_, version) if version else None
        yield Change(source, destination, protocol, found, sources, before, after, because, outside)


def _differ(one: Path, other: Path) -> bool:
    """Whether the verdicts differ, or may: unknown is the same only while the same is missing."""
    if one.verdict is Verdict.UNKNOWN is other.verdict:
        return _missing(one) != _missing(other)
    return one.verdict is not other.verdict


def _missing(path: Path) -> set[str]:
    return {name for reason in path.because for name in reason.missing}


def _grouped[K: Hashable](pairs: Iterable[tuple[K, Span]], top: int) -> dict[K, Intervals]:
    found: dict[K, list[Span]] = defaultdict(list)
    for key, span in pairs:
        found[key].append(span)
    return {key: Intervals.of(spans, top) for key, spans in found.items()}
