"""Where the routes of every endpoint lead, to every endpoint: once for all that have the same routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diagnostics.network.estate import Estate, Point
from diagnostics.network.fleet.bits import Ints
from diagnostics.network.fleet.codes import BITS, DOUBTED, Code
from diagnostics.network.fleet.hops import Hops, Travel, Way
from diagnostics.network.fleet.rules import Rows
from diagnostics.network.fleet.runs import Runs, Turns, rows_of, turns
from diagnostics.network.fleet.universe import Universe
from diagnostics.network.model import Subnet
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.public import way_out
from diagnostics.network.routing import Routing
from diagnostics.network.tags import HOST, INSTANCE_METADATA


class Legs:
    """Where routes lead from an endpoint to every endpoint of a fleet."""

    def __init__(self, estate: Estate, universe: Universe) -> None:
        self._estate, self._universe, self.hops = estate, universe, Hops(estate, universe)
        # Only private endpoints have routes of their own: without the other NICs there is less to search.
        few = {key: nic for key, nic in estate.nics.items() if nic.private_endpoint}
        self._routing = Routing(replace(estate, nics=few))
        self._platform = universe.marked(HOST | INSTANCE_METADATA)
        self._configured: dict[str, tuple[object, ...]] = {}
        self._forwarding: dict[tuple[object, ...], Runs] = {}

    def key(self, position: int, point: Point) -> tuple[object, ...]:
        """What makes the routes of endpoints the same."""
        version, subnet = 4 if position < self._universe.split else 6, point.configuration.subnet
        way = way_out(self._estate, point, version).verdict if self.hops.lead_out else None
        if self._estate.effective_routes and point.nic.id in self._estate.effective_routes:
            return version, way, point.nic.id, subnet
        name = subnet.key if subnet else ""
        if name not in self._configured:
            self._configured[name] = self._configuration(point)
        return version, way, self._configured[name]

    def own(self, point: Point, way: Way) -> Turns:
        """Codes for what an endpoint itself sends to each endpoint, with the numbers of obstacles above them."""
        if stopped(self._estate, point):
            return turns(self._constant(Code.DENIED, point))
        if way is Way.BACK and point.nic.private_endpoint:
            return turns(self._constant(Code.ALLOWED, point))
        row = self._row(point, Travel(way, _version(point)))
        guest, platform = secondary(self._estate, point), way is Way.THERE and bool(self._platform.any())
        if not (guest or platform):
            return row
        codes = np.repeat(row[1], np.diff(row[0], append=len(self._universe)))
        if guest:
            codes = self._beyond(codes, self._estate.subnet_of(point))
        return turns(np.where(self._platform & (codes != Code.NONE), Code.PLATFORM, codes) if platform else codes)

    def forwarding(self, point: Point, way: Way, version: int) -> Runs:
        """The same for what an endpoint sends on, never better than unknown.

        Returns:
            Two rows: for what came from outside of the endpoint's network, and from inside.
        """
        key = point.nic.id, point.configuration.name, way, version
        if key not in self._forwarding:
            rows = (self._row(point, Travel(way, version, inside)) for inside in (False, True))
            self._forwarding[key] = rows_of(rows, len(self._universe))
        return self._forwarding[key]

    def _configuration(self, point: Point) -> tuple[object, ...]:
        subnet, network = self._estate.subnet_of(point), self._estate.network_of(point.configuration.subnet)
        if subnet is None or network is None:
            return (point.configuration.subnet,)
        return network.id.key, subnet.route_table, subnet.service_endpoints

    def _row(self, point: Point, travel: Travel) -> Turns:
        table, count, split = self._routing.table(point, travel.version), len(self._universe), self._universe.split
        begin, close = (0, split) if travel.version == 4 else (split, count)
        starts = self._universe.starts(table.starts, travel.version)
        parts: list[Turns] = [_one(Code.NONE, 0)] if begin else []
        for hop, first, end in zip(table.hops, starts, [*starts[1:], close], strict=True):
            if first < end:
                codes = self.hops.codes(point, hop, slice(first, end), travel)
                parts.append(_one(codes, first) if isinstance(codes, Code) else turns(codes, first))
        if close < count:
            parts.append(_one(Code.NONE, close))
        return np.concatenate([at for at, _ in parts]), np.concatenate([codes for _, codes in parts])

    def _beyond(self, codes: Ints, subnet: Subnet | None) -> Ints:
        """The codes of a secondary NIC: beyond its subnet, what its guest does is not known."""
        texts = subnet.prefixes if subnet else ()
        known = AddressSet.union(read for text in texts if (read := read_prefix(text)))
        inside = self._universe.marked(known)
        return np.where(inside, codes, DOUBTED[codes & (1 << BITS) - 1] | codes >> BITS << BITS)

    def _constant(self, code: Code, point: Point) -> Ints:
        """One code for every endpoint of the family of one."""
        first = np.arange(len(self._universe)) < self._universe.split
        return np.where(first == (_version(point) == 4), code, Code.NONE)


def routes(estate: Estate, universe: Universe, legs: Legs) -> tuple[Rows, Rows]:
    """Where every endpoint's routes lead, on the way there and back."""
    numbers: dict[tuple[object, ...], int] = {}
    firsts: list[Point] = []
    index: list[int] = []
    for position, point in enumerate(universe.points):
        guest = point.configuration.subnet if secondary(estate, point) else None
        key = *legs.key(position, point), stopped(estate, point), bool(point.nic.private_endpoint), guest
        number = numbers.setdefault(key, len(firsts))
        index.append(number)
        if number == len(firsts):
            firsts.append(point)
    there, back = (rows_of((legs.own(point, way) for point in firsts), len(universe)) for way in Way)
    return Rows(there, np.array(index, np.int64)), Rows(back, np.array(index, np.int64))


def stopped(estate: Estate, point: Point) -> bool:
    """Whether the VM of an endpoint is known not to run."""
    vm = estate.vm_of(point.nic) if estate.vms else None
    return vm is not None and vm.running is False


def secondary(estate: Estate, point: Point) -> bool:
    """Whether an endpoint is on a NIC that is known not to be its VM's primary one."""
    if point.nic.primary is not None:
        return not point.nic.primary
    vm = estate.vm_of(point.nic)
    return vm is not None and vm.nics[:1] not in {(), (point.nic.id,)}


def _version(point: Point) -> int:
    address = point.address
    assert address
    return address.version


def _one(code: Code, first: int) -> Turns:
    return np.array([first]), np.array([code], np.int64)
