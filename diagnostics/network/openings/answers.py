"""To which public addresses the answers of an endpoint get back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from diagnostics.network.cells import address_at, family, top_of
from diagnostics.network.estate import Estate, Point
from diagnostics.network.filters import Filters
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.openings.boxes import PUBLIC, Box, Space
from diagnostics.network.openings.sets import Sets
from diagnostics.network.owners import Owners
from diagnostics.network.path import Kind
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.routing import HopType, NextHop, Routing
from diagnostics.network.security import Flow, Verdict
from diagnostics.network.trail import Exit, Step, Trail
from diagnostics.network.walk import Walk

_MOST_WAYS = 1_000
_NEARBY = frozenset(
    {HopType.VNET_LOCAL, HopType.PEERING, HopType.INTERFACE_ENDPOINT, HopType.SERVICE_ENDPOINT, HopType.NONE}
)
_UNSEEN = frozenset({Exit.APPLIANCE, Exit.GATEWAY})


class Answered(NamedTuple):
    """Where answers get, as numbers of sets; to all other addresses they do not.

    Attributes:
        doubts: addresses of which that is not known, and what would have to be.
    """

    sure: int
    doubts: tuple[tuple[int, frozenset[str]], ...]

    def cut(self, box: Box, sets: Sets) -> Box | None:
        """What is left of a box; None where that is nothing."""
        may, missing = sets.meet(box.may, self.sure), box.missing
        for addresses, unknown in self.doubts:
            if common := sets.meet(box.may, addresses):
                may, missing = sets.join(may, common), missing | unknown
        must = sets.meet(box.must, self.sure)
        return replace(box, must=must, may=may, missing=frozenset() if must == may else missing) if may else None


class Answers:
    """The way back, for every endpoint of an estate."""

    def __init__(self, filters: Filters, estate: Estate, routing: Routing) -> None:
        self._estate, self._routing = estate, routing
        self._walk = Walk(estate, filters, routing, Owners(estate), answers=True)
        self._known: dict[object, Answered] = {}
        self._parts: dict[tuple[ResourceId, int], Sequence[tuple[Intervals, NextHop]]] = {}

    def of(self, point: Point, protocol: str, space: Space) -> Answered:
        """Where the answers of an endpoint get, as far as routes tell."""
        told = point.nic.id in self._estate.effective_routes
        place = point.nic.id if told else point.configuration.subnet or point.nic.id
        key = place, protocol, space.version
        if key not in self._known:
            if (place, space.version) not in self._parts:
                self._parts[place, space.version] = self._parted(point, space.version)
            self._known[key] = self._answered(point, protocol, space, self._parts[place, space.version])
        return self._known[key]

    def guest(self, point: Point, box: Box, space: Space) -> Box:
        """A box of a secondary NIC: beyond its subnet the guest has to have a route of its own."""
        if point.nic.primary:
            return box
        near = space.sources.add(self._near(point, space.version))
        far = space.sources[space.sources.rest(space.public, near)]
        sample = address_at(far.spans[0][0], space.version)
        missing = frozenset(name for reason in self._walk.beyond(point, sample) for name in reason.missing)
        must = space.sources.meet(box.must, near) if missing else box.must
        return replace(box, must=must, missing=frozenset() if must == box.may else box.missing | missing)

    def stopped(self, point: Point) -> bool:
        """Whether the VM of an endpoint is known not to run."""
        return bool(self._walk.stands(point))

    def _near(self, point: Point, version: int) -> Intervals:
        subnet = self._estate.subnet_of(point)
        read = [held for text in (subnet.prefixes if subnet else ()) if (held := read_prefix(text))]
        return family(AddressSet.union(read), version)

    def _parted(self, point: Point, version: int) -> list[tuple[Intervals, NextHop]]:
        """The public addresses to which answers may get, by their next hop."""
        public, top = family(PUBLIC, version), top_of(version)
        table = self._routing.table(point, version)
        ends = (*(start - 1 for start in table.starts[1:]), top)
        ranges = zip(table.starts, ends, table.hops, strict=True)
        found = [(Intervals(((start, end),), top) & public, hop) for start, end, hop in ranges if not _nearby(hop)]
        return [(here, hop) for here, hop in found if here]

    def _answered(
        self, point: Point, protocol: str, space: Space, parts: Sequence[tuple[Intervals, NextHop]]
    ) -> Answered:
        version, sets = space.version, space.sources
        sure: list[tuple[int, int]] = []
        doubts = []
        for here, hop in parts:
            found = self._fate(point, protocol, version, hop, here.spans[0][0])
            if found == frozenset():
                sure += here.spans
            elif found:
                doubts.append((sets.add(here), found))
        return Answered(sets.add(Intervals.joined(sure, top_of(version))), tuple(doubts))

    def _fate(self, point: Point, protocol: str, version: int, hop: NextHop, number: int) -> frozenset[str] | None:
        """What is missing to say whether an answer gets back: nothing where it does; None where it does not."""
        if hop.known and _kind(hop) == HopType.INTERNET:
            return frozenset()
        address = address_at(number, version)
        flow = Flow(point.address or address, address, protocol)
        start = Trail(flow, (Step("Source", str(flow.source), point.nic.id),))
        trails = list(islice(self._walk.depart(start, point), _MOST_WAYS))
        fates = [_back(trail) for trail in trails]
        if set(fates) <= {Verdict.DENIED}:
            return None
        if set(fates) == {Verdict.ALLOWED}:
            return frozenset()
        return frozenset(_missing(trails)) | hop.missing or frozenset({f"the routes of {point.nic.id.name}"})


def _kind(hop: NextHop) -> str:
    return hop.route.next_hop_type if hop.route else HopType.NONE


def _nearby(hop: NextHop) -> bool:
    """Whether an answer stays inside: what has such an address there is not who asks from the internet."""
    return hop.known and _kind(hop) in _NEARBY


def _back(trail: Trail) -> Verdict:
    """Whether an answer leaves by the internet; what an appliance does with it is not known."""
    if _dropped(trail):
        return Verdict.DENIED
    if trail.appliances or trail.exit in _UNSEEN:
        return Verdict.UNKNOWN
    if trail.exit is Exit.INTERNET:
        return trail.verdict
    return Verdict.UNKNOWN if trail.exit is Exit.NONE and trail.end is None else Verdict.DENIED


def _dropped(trail: Trail) -> bool:
    """Whether it is lost before or at the first appliance, whatever its destination is."""
    for step in trail.steps:
        denied = [reason for reason in step.reasons if reason.verdict is Verdict.DENIED]
        if step.type == "VirtualAppliance":  # by its own routes, other addresses may fare better
            return any(reason.kind is not Kind.ROUTE for reason in denied)
        if denied:
            return True
    return False


def _missing(trails: list[Trail]) -> Iterator[str]:
    for trail in trails:
        yield from (rid.name for rid in trail.appliances)
        for reason in (*trail.reasons, *trail.forks):
            yield from reason.missing
