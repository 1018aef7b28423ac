"""Whether a flow gets through, and back: `reach` tells its path hop by hop, and what decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate, Point
from diagnostics.network.filters import Filters
from diagnostics.network.owners import Balanced, Owners
from diagnostics.network.path import Kind, Path, Reason
from diagnostics.network.prefixes import Address, is_public
from diagnostics.network.public import public_at, unseen_balancer, ways_to
from diagnostics.network.routing import Routing
from diagnostics.network.security import Flow, Verdict
from diagnostics.network.tags import HOST, INSTANCE_METADATA, PLATFORM
from diagnostics.network.trail import Exit, Round, Step, Trail, as_path
from diagnostics.network.walk import Walk

_MOST_WAYS = 1_000


def reach(estate: Estate, flow: Flow, *, source: Point | None = None, destination: Point | None = None) -> Path:
    """What becomes of one flow; for many flows of one estate, keep a `Reach`. Arguments and errors are the same."""
    return Reach(estate).path(flow, source=source, destination=destination)


class Reach:
    """Answers for one estate; what its rules and routes mean is worked out once."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.filters, self.routing, self._owners = Filters(estate), Routing(estate), Owners(estate)
        self._there = Walk(estate, self.filters, self.routing, self._owners)
        self._back = Walk(estate, self.filters, self.routing, self._owners, answers=True)

    def path(self, flow: Flow, *, source: Point | None = None, destination: Point | None = None) -> Path:
        """What becomes of a flow, there and back.

        Args:
            flow: its addresses, protocol and ports; no port means any.
            source: the endpoint it starts at, needed where several have its source address.
            destination: the endpoint it is meant for, needed where several have its destination address.

        Raises:
            ParseError: the families differ, an address means several endpoints, or neither end is in the estate.
        """
        if flow.source.version != flow.destination.version:
            raise ParseError(f"flow: {flow.source} and {flow.destination} are not of one address family")
        source = source or self._only(flow.source, "source")
        destination = destination or (None if source else self._only(flow.destination, "destination"))
        if source and source.address == flow.destination and destination in {None, source}:
            return as_path([Round(self._loopback(flow, source))])
        trails = self._from(flow, source) if source else self._from_outside(flow, destination)
        return _bounded(self._round(trail, source, destination) for trail in trails)

    def _only(self, address: Address, field: str) -> Point | None:
        found = list(self.estate.at(address))
        if len(found) > 1:
            names = ", ".join(point.nic.id.text for point in found)
            raise ParseError(f"{field}: {address} is the address of several NICs, say which: {names}")
        return found[0] if found else None

    def _loopback(self, flow: Flow, source: Point) -> Trail:
        reason = Reason(Kind.DELIVERY, Verdict.ALLOWED, "both ends are the same machine: it never leaves the guest")
        return Trail(
            flow, (Step("Source", str(flow.source), source.nic.id, (*self._there.stands(source), reason)),), end=source
        )

    def _from(self, flow: Flow, source: Point) -> Iterator[Trail]:
        """From an endpoint of the estate."""
        step = Step("Source", str(flow.source), source.nic.id, self._there.stands(source))
        if flow.destination in HOST or flow.destination in INSTANCE_METADATA:
            yield self._there.to_platform(Trail(flow, (step,)), source)
            return
        trail = Trail(flow, (step,)).noting(*self._there.beyond(source, flow.destination))
        yield from self._there.depart(trail, source)

    def _from_outside(self, flow: Flow, destination: Point | None) -> Iterator[Trail]:
        """From an address that nothing in the estate has."""
        public = public_at(self.estate, flow.destination)
        fronts = () if destination or public else self._owners.frontends(flow.destination)
        if len(fronts) > 1:
            names = ", ".join(front.balancer.id.text for front in fronts)
            raise ParseError(f"destination: {flow.destination} is the address of several load balancers: {names}")
        if destination is None and public is None and not fronts:
            raise ParseError(f"flow: neither {flow.source} nor {flow.destination} is an address of the estate")
        outside = "Internet" if is_public(flow.source) else "Source"
        trail = Trail(flow, (Step(outside, str(flow.source)),))
        if destination and flow.source in PLATFORM:
            probing = Step("Platform", str(flow.source), reasons=self._there.beyond(destination, flow.source))
            yield replace(self._there.arrive(replace(trail, steps=(probing,)), destination), end=None)
            return
        if not is_public(flow.source):
            missing = frozenset({f"the way in from {flow.source}"})
            text = f"{flow.source} is not in the estate: it would come in through a gateway"
            trail = trail.noting(Reason(Kind.ROUTE, Verdict.UNKNOWN, text, missing=missing))
        if fronts:
            yield from self._to_frontend(trail, fronts[0])
        elif destination is None:
            yield from self._there.to_public(trail)
        elif not is_public(flow.source):
            yield self._there.arrive(trail, destination)
        elif ways := ways_to(self.estate, destination, flow):
            yield from self._there.enter(trail, ways)
        elif unseen := unseen_balancer(self.estate, destination):
            text = f"whether load balancer {unseen.name}, which cannot be seen, leads in is not known"
            missing = frozenset({f"load balancer {unseen.name}"})
            reason = Reason(Kind.PUBLIC_ADDRESS, Verdict.UNKNOWN, text, unseen.name, unseen, missing)
            yield replace(self._there.arrive(trail.noting(reason), destination), public=True)
        else:
            name = destination.nic.id.name
            text = f"no public address leads in to {name} for this flow"
            reason = Reason(Kind.PUBLIC_ADDRESS, Verdict.DENIED, text, name, destination.nic.id)
            yield self._there.arrive(trail.noting(reason), destination)

    def _to_frontend(self, trail: Trail, front: Balanced) -> Iterator[Trail]:
        """From outside to a private frontend: only a gateway could lead there."""
        if is_public(trail.flow.source):
            name = front.balancer.id.name
            text = (
                f"no public address leads in to the private frontend {trail.flow.destination} of load balancer {name}"
            )
            trail = trail.noting(Reason(Kind.PUBLIC_ADDRESS, Verdict.DENIED, text, name, front.balancer.id))
        yield from self._there.to_frontend(trail, front)

    def _round(self, there: Trail, source: Point | None, destination: Point | None) -> Round:
        """The way back for one way there."""
        if destination and there.end and there.end != destination:
            text = f"it is delivered to {there.end.nic.id.name}, which has the same address"
            there = there.noting(Reason(Kind.DELIVERY, Verdict.DENIED, text, there.end.nic.id.name, there.end.nic.id))
        if there.end is None or there.end.nic.private_endpoint:
            return Round(there)
        back = _bounded(Round(_judged(trail, there, source)) for trail in self._answer(there))
        return Round(there, back, () if back.verdict is Verdict.ALLOWED else tuple(map(_on_the_way_back, back.because)))

    def _answer(self, there: Trail) -> Iterator[Trail]:
        """Where the answer goes: by routes alone, NSGs let it through."""
        flow, end = there.flow, there.end
        assert end
        answer = Flow(
            end.address or flow.destination, flow.source, flow.protocol, flow.source_port, flow.destination_port
        )
        step = Step("Source", str(answer.source), end.nic.id, self._back.beyond(end, flow.source))
        return self._back.depart(Trail(answer, (step,)), end)


def _bounded(rounds: Iterable[Round]) -> Path:
    """The path of all ways, or of the first of very many: what the others would say is not known then."""
    listed = list(islice(rounds, _MOST_WAYS + 1))
    path = as_path(listed[:_MOST_WAYS])
    if len(listed) <= _MOST_WAYS or path.verdict is Verdict.UNKNOWN:
        return path
    text = f"there are more than {_MOST_WAYS:,} ways that it may take, of which the first {_MOST_WAYS:,} were followed"
    reason = Reason(Kind.ROUTE, Verdict.UNKNOWN, text, missing=frozenset({"the other ways that it may take"}))
    return replace(path, verdict=Verdict.UNKNOWN, because=(reason,))


def _judged(back: Trail, there: Trail, source: Point | None) -> Trail:
    """The way of an answer, with what is wrong about where it leads."""
    if back.verdict is Verdict.DENIED:
        return back
    asked, seen = there.flow.source, ", ".join(rid.name for rid in back.appliances) or back.exit
    if there.public and (back.exit is not Exit.INTERNET or back.appliances):
        if not seen and back.end is None:
            return back
        text = f"it does not leave by the internet, where the question from {asked} came from"
        return back.noting(_astray(text + (f", but by {seen}" if seen else "")))
    if source and not there.public and back.exit in {Exit.INTERNET, Exit.SERVICE}:
        return back.noting(_astray(f"it leaves to the internet, not to {source.nic.id.name}"))
    if source and not there.public and back.exit is Exit.NOBODY:
        return back.noting(_astray(f"it is delivered where {source.nic.id.name} is not"))
    if source and back.end and back.end != source and not there.public:
        return back.noting(_astray(f"it goes to {back.end.nic.id.name}, not to {source.nic.id.name}"))
    if set(back.appliances) != set(there.appliances):
        return back.noting(_asymmetric(back, there))
    return back


def _astray(text: str) -> Reason:
    return Reason(Kind.RETURN, Verdict.DENIED, text)


def _asymmetric(back: Trail, there: Trail) -> Reason:
    """Appliances keep state: one that sees half of a connection may well drop it."""
    half = sorted({rid.name for rid in set(back.appliances) ^ set(there.appliances)})
    text = f"routing is asymmetric: {', '.join(half)} sees only one direction"
    return Reason(Kind.RETURN, Verdict.UNKNOWN, text, half[0], missing=frozenset(half))


def _on_the_way_back(reason: Reason) -> Reason:
    return replace(reason, kind=Kind.RETURN, text=f"on the way back, {reason.text}")
