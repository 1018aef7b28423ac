"""What a path of the engine says stands in the way, each with the place where it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diagnostics.network import ids
from diagnostics.network.connectivity import Issue
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.path import Hop, Kind, Path, Reason
from diagnostics.network.security import Verdict
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.rules.flows import Asked
from diagnostics.runbooks.situation import Situation

ROUTE_TABLE = "microsoft.network/routetables"
_APPLIANCE_HOPS = frozenset({"VirtualAppliance", "LoadBalancer"})


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason why a flow does not get through.

    Attributes:
        nic: where: the network interface that it leaves, or comes in to; None where it is at none that is known.
        route: the user-defined route that led here; None where none did.
        back: whether it is the answer that does not get through.
        passing: whether it is at what should send the flow on, not at an end of it.
    """

    reason: Reason
    nic: Nic | None
    route: Reason | None = None
    back: bool = False
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """The machine that a network interface belongs to, as a finding names it: the NIC itself where there is none."""

    id: ResourceId
    location: str
    os: str = ""


def denials(estate: Estate, path: Path) -> Iterator[Denial]:
    """All that denies, there and back, in the order of the way; nothing where it is not denied."""
    if path.verdict is not Verdict.DENIED:
        return
    yield from _of(estate, path, back=False)
    if path.back and path.back.verdict is Verdict.DENIED:
        yield from _of(estate, path.back, back=True)


def owner(situation: Situation, nic: Nic) -> Owner:
    """Whose network interface it is: one of the two machines, as they were looked up, or another one."""
    for machine in (situation.source, situation.destination):
        if machine and nic.id in {machine.id, *(rid for rid, _ in machine.nics)}:
            return Owner(machine.id, machine.location, "" if isinstance(machine.vm, Unread) else machine.vm.os)
    vm = situation.survey.configured.vm_of(nic)
    return Owner(vm.id, vm.location, vm.os) if vm else Owner(nic.vm or nic.id, nic.location)


def blocker(asked: Asked, issue: Issue, at: Owner) -> Blocker:
    """What a remedy for an issue at a machine is made of, with the flow that it stops."""
    flow = asked.flow
    return Blocker(
        issue,
        at.id,
        os=at.os,
        location=at.location,
        source=str(flow.source),
        destination=str(flow.destination),
        port=flow.destination_port,
        protocol=flow.protocol,
    )


def at(point: Point, reason: Reason) -> Denial:
    """A denial at an end that the path does not come to."""
    return Denial(reason, point.nic)


def _of(estate: Estate, path: Path, *, back: bool) -> Iterator[Denial]:
    before = {behind: hop for hop in path.hops for behind in hop.next}
    for hop in path.hops:
        way = list(_back_from(hop, before))
        nic = next((found for each in way if (found := _nic(estate, each))), None)
        for position, reason in enumerate(hop.reasons):
            if reason.verdict is Verdict.DENIED:
                routes = [*_routes(hop.reasons[:position]), *(r for each in way[1:] for r in _routes(each.reasons))]
                passing = hop.type in _APPLIANCE_HOPS or reason.kind is Kind.APPLIANCE
                yield Denial(reason, nic, routes[0] if routes else None, back, passing)


def _back_from(hop: Hop, before: dict[str, Hop]) -> Iterator[Hop]:
    """A hop and those before it, the nearest first; a circle ends where it closes."""
    seen, here = set[str](), hop
    while here.id not in seen:
        yield here
        seen.add(here.id)
        here = before.get(here.id, here)


def _routes(reasons: tuple[Reason, ...]) -> list[Reason]:
    """The user-defined routes that were taken, the last one first."""
    taken = (r for r in reversed(reasons) if r.kind is Kind.ROUTE and r.resource and r.resource.type == ROUTE_TABLE)
    return list(taken)


def _nic(estate: Estate, hop: Hop) -> Nic | None:
    rid = hop.resource
    known = rid is not None and rid.type in {ids.NETWORK_INTERFACE, ids.SCALE_SET_NETWORK_INTERFACE}
    return estate.nics.get(rid) if known and rid else None
