"""What becomes of flows that routes lead through appliances: never better than unknown, and denied where all ways are.

The same ways on that `diagnostics.network.walk` follows: in through the rules of the NIC, out of every NIC of the VM.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.network.estate import Estate, Point
from diagnostics.network.fleet.bits import Bools, Ints
from diagnostics.network.fleet.codes import BITS, SETTLED, Code
from diagnostics.network.fleet.gates import Gates
from diagnostics.network.fleet.hops import Obstacle, Way
from diagnostics.network.fleet.legs import Legs, stopped
from diagnostics.network.fleet.rules import Rows
from diagnostics.network.fleet.runs import distinct, rows_of, stacked, turns
from diagnostics.network.fleet.services import Service
from diagnostics.network.fleet.universe import Universe
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import Balanced
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.public import covers, frontends, targets, unseen_target
from diagnostics.network.security import Flow

_CODE = (1 << BITS) - 1


class Through:
    """Follows the flows of one service through what stands in their way."""

    def __init__(
        self, estate: Estate, universe: Universe, gates: Gates, legs: Legs, service: tuple[int, Service]
    ) -> None:
        self._estate, self._universe, self._gates, self._legs = estate, universe, gates, legs
        self._number, self._service = service

    def resolved(self, rows: Rows, sources: Ints, way: Way, passed: frozenset[ResourceId] = frozenset()) -> Rows:
        """The rows, with codes in place of the numbers of obstacles.

        Args:
            rows: codes and numbers of obstacles, a row for each source.
            sources: where the flows come from.
            way: whether they are questions or answers.
            passed: appliances that they passed before.
        """
        for number in distinct(rows.runs.codes >> BITS)[0]:
            if number:
                rows = self._resolve(rows, int(number), sources, way, passed)
        return rows

    def _resolve(self, rows: Rows, number: int, sources: Ints, way: Way, passed: frozenset[ResourceId]) -> Rows:
        blocked = np.zeros(len(rows.runs), np.bool_)
        blocked[(rows.runs.keys >> 32)[rows.runs.codes >> BITS == number]] = True
        parts, index = [self._all(Code.DENIED, sources)], np.zeros(len(sources), np.int64)
        for version in (4, 6):
            family = (sources < self._universe.split) == (version == 4)
            mine = np.flatnonzero(blocked[rows.index] & family)
            if len(mine):
                obstacles = self._legs.hops.obstacles(number)
                behind = self._past(obstacles, sources[mine], _Journey(way, version, passed))
                index[mine] = behind.index + sum(len(part.runs) for part in parts)
                parts.append(behind)
        beyond = Rows(stacked([part.runs for part in parts]), index)

        def instead(code: Ints, past: Ints) -> Ints:
            return np.where(code >> BITS == number, _settled(code & _CODE, past), code)

        return rows.over(beyond, instead)

    def _past(self, obstacles: Iterable[Obstacle], sources: Ints, journey: _Journey) -> Rows:
        """What becomes of flows that meet one of several obstacles."""
        found = self._all(Code.DENIED, sources)
        for obstacle in obstacles:
            if isinstance(obstacle, Balanced):
                each = self._balanced(obstacle, sources, journey)
            else:
                each = self._through(obstacle, sources, journey)
            found = found.over(each, _settled)
        return found

    def _balanced(self, balanced: Balanced, sources: Ints, journey: _Journey) -> Rows:
        """Through the members behind a load balancer that are there; denied where none is."""
        balancer, front = balanced.balancer, balanced.frontend
        address = self._universe.points[0].address
        assert address
        port = self._service.port if journey.way is Way.THERE else None
        flow = Flow(address, address, self._service.protocol, port)
        rules = [rule for rule in balancer.rules if front in frontends(balancer, rule) and covers(rule, flow)]
        unseen = any(unseen_target(self._estate, balancer, rule) for rule in rules)
        found = self._all(Code.UNKNOWN if unseen else Code.DENIED, sources)
        for point in dict.fromkeys(point for rule in rules for point in targets(self._estate, balancer, rule)):
            if not stopped(self._estate, point):
                found = found.over(self._through(point, sources, journey), _settled)
        return found

    def _through(self, point: Point, sources: Ints, journey: _Journey) -> Rows:
        """In by a NIC of an appliance, and out of any of them."""
        vm, named = self._estate.vm_of(point.nic), point.nic.vm
        appliance = vm.id if vm else named or point.nic.id
        if appliance in journey.passed or stopped(self._estate, point) or not point.nic.ip_forwarding:
            return self._all(Code.DENIED, sources)
        found = self._all(Code.DENIED, sources)
        if self._legs.hops.owners.may_have_more(point):
            unseen = rows_of([turns(self._legs.hops.unseen(point, journey.way))], len(self._universe))
            found = Rows(unseen, np.zeros(len(sources), np.int64))
        for interface in self._interfaces(point, journey.version):
            found = found.over(self._onward(interface, sources, journey.past(appliance)), _settled)
        return self._filtered(point, sources, found, inbound=True) if journey.way is Way.THERE else found

    def _onward(self, interface: Point, sources: Ints, journey: _Journey) -> Rows:
        """Out by one NIC of an appliance."""
        legs = self._legs.forwarding(interface, journey.way, journey.version)
        rows = Rows(legs, self._inside(interface, sources).astype(np.int64))
        rows = self.resolved(rows, sources, journey.way, journey.passed)
        return self._filtered(interface, sources, rows, inbound=False) if journey.way is Way.THERE else rows

    def _filtered(self, point: Point, sources: Ints, rows: Rows, *, inbound: bool) -> Rows:
        """Denied where the rules of an appliance's NIC deny."""
        position = self._universe.position(point)
        gate = self._gates.through(position, sources, inbound=inbound).verdicts(self._number)
        return gate.over(rows, lambda verdict, code: np.where(verdict == Code.DENIED, Code.DENIED, code))

    def _interfaces(self, point: Point, version: int) -> list[Point]:
        """The endpoints by which an appliance can send on: the primary one of each of its NICs."""
        vm, named = self._estate.vm_of(point.nic), point.nic.vm
        nics = [nic for rid in (vm.nics if vm else ()) if (nic := self._estate.nics.get(rid))]
        nics += [nic for nic in self._estate.nics.values() if named and nic.vm == named and nic not in nics]
        found = []
        for nic in nics or [point.nic]:
            every = (Point(nic, each) for each in nic.ip_configurations)
            fitting = [each for each in every if each.address and each.address.version == version]
            found += sorted(fitting, key=lambda each: not each.configuration.primary)[:1]
        return found or [point]

    def _inside(self, interface: Point, sources: Ints) -> Bools:
        """Whether sources lie in the network of an appliance's NIC."""
        network = self._estate.network_of(interface.configuration.subnet)
        known = [read for text in (network.prefixes if network else ()) if (read := read_prefix(text))]
        return self._universe.marked(AddressSet.union(known))[sources]

    def _all(self, code: Code, sources: Ints) -> Rows:
        row = np.array([0]), np.array([code], np.int64)
        return Rows(rows_of([row], len(self._universe)), np.zeros(len(sources), np.int64))


@dataclass(frozen=True, slots=True)
class _Journey:
    """How flows travel: which way, in which family of addresses, past which appliances before."""

    way: Way
    version: int
    passed: frozenset[ResourceId]

    def past(self, appliance: ResourceId) -> _Journey:
        return replace(self, passed=self.passed | {appliance})


def _settled(one: Ints, other: Ints) -> Ints:
    """The code of two ways of which it is not known which one is taken."""
    return SETTLED[np.left_shift(1, one) | np.left_shift(1, other)]
