"""Where what a VM sends to the internet goes: the route that it takes, and the way by which it leaves Azure.

Sources: "Azure virtual network traffic routing"; "Use Source Network Address Translation (SNAT) for outbound
connections".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate, Point
from diagnostics.network.intervals import V4_TOP, V6_TOP
from diagnostics.network.model import Nic
from diagnostics.network.path import Kind, Path, Reason
from diagnostics.network.prefixes import PRIVATE, Address, address_of, is_public
from diagnostics.network.public import WayOut
from diagnostics.network.public import way_out as way_of
from diagnostics.network.reach import reach
from diagnostics.network.routing import Candidate, NextHop, Routing
from diagnostics.network.security import Verdict
from diagnostics.runbooks.rules.denials import Denial, denials
from diagnostics.runbooks.rules.flows import Asked, asked, sending
from diagnostics.runbooks.situation import Machine, Situation

_SAMPLES = (ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("2001:4860:4860::8888"))
_NOTABLE = 16
"""A part of the internet that is at least one of so many is worth telling."""
_STANDS = frozenset({Kind.ROUTE, Kind.APPLIANCE, Kind.LOAD_BALANCER})


@dataclass(frozen=True, slots=True)
class Outbound:
    """What becomes of a flow from the source to an address on the internet.

    Attributes:
        hop: the next hop at the source.
        own: the way out that the source's subnet and network interface give it, whether or not it is taken.
        stands_for: why this address was looked at, where the request gives none; else empty.
        arrives: whether a probe got out, so that what says otherwise is wrong or not all that there is.
    """

    asked: Asked
    path: Path
    hop: NextHop
    own: WayOut
    stands_for: str = ""
    arrives: bool = False

    @property
    def source(self) -> Point:
        """The IP configuration that sends."""
        return self.asked.source

    @property
    def route(self) -> Candidate | None:
        """The route that is taken; None where none is, or which one is not known."""
        return self.hop.route if self.hop.known else None

    @property
    def leads(self) -> str:
        """The type of the next hop; empty where it is not known."""
        return self.route.next_hop_type if self.route else ""

    def ways(self, estate: Estate) -> Iterator[tuple[Nic, Reason]]:
        """How it leaves for the internet, or why it can't: at the source, or at each appliance that may send it on."""
        for hop in self.path.hops:
            nic = estate.nics.get(hop.resource) if hop.resource else None
            if nic is None and hop is self.path.hops[0]:
                nic = self.source.nic
            yield from ((nic, reason) for reason in hop.reasons if nic and reason.kind is Kind.WAY_OUT)

    def obstacles(self, estate: Estate) -> tuple[Denial, ...]:
        """Routes that drop it and next hops that don't send it on; none where it is not known which route is taken.

        Where some of the ways are open, only a next hop of the source counts: an appliance has interfaces by which it
        does not send this on, and what denies it behind those denies nothing.
        """
        if self.route is None and not self.blocked:
            return ()
        found = denials(estate, replace(self.path, verdict=Verdict.DENIED, back=None))
        near = None if self.blocked else self._near()
        standing = (each for each in found if each.reason.kind in _STANDS or _is_off(each))
        return tuple(each for each in standing if near is None or each.reason in near)

    def _near(self) -> frozenset[Reason]:
        """What is decided at the source and at its next hops; a load balancer's members are such next hops."""
        source, *others = self.path.hops
        first = [hop for hop in others if hop.id in source.next]
        members = [hop for hop in others for front in first if front.type == "LoadBalancer" and hop.id in front.next]
        return frozenset(reason for hop in (source, *first, *members) for reason in hop.reasons)

    @property
    def blocked(self) -> bool:
        """Whether it gets out on none of the ways that it may take."""
        return self.path.verdict is Verdict.DENIED


def _is_off(denial: Denial) -> bool:
    """Whether it is an appliance that does not run; of the source itself, another step tells."""
    return denial.reason.kind is Kind.POWER and denial.passing


def outbound(situation: Situation, address: str | None) -> Outbound | str:
    """What becomes of a flow to the internet; or why there is none to speak of, as a sentence.

    Args:
        situation: with a survey.
        address: on the internet; None where only a name is known: another address then stands for it.
    """
    there, why, machine = address_of(address), "", situation.source
    if machine is None:
        return "the source was not found"
    if there is not None and not is_public(there):
        return f"{there} is no address of the internet: it takes no way out of Azure"
    estate = awake(situation.survey.configured, machine)
    if there is None:
        there, why = _representative(estate, machine)
    answer = situation.probed.answer if situation.probed and not situation.probed.why else None
    flow = asked(situation, str(there), situation.port, answer)
    if isinstance(flow, str):
        return flow
    try:
        path = reach(estate, flow.flow, source=flow.source)
    except ParseError as error:
        return f"which way it takes is not clear: {error}"
    hop = Routing(estate).next_hop(flow.source, there)
    arrives = situation.probed is not None and situation.probed.works is True
    return Outbound(flow, path, hop, way_of(estate, flow.source, there.version), why, arrives)


def awake(estate: Estate, machine: Machine) -> Estate:
    """The estate without the power state of a machine: what it would send is judged even while it is off."""
    vm = estate.vms.get(machine.id)
    return estate if vm is None else replace(estate, vms={**estate.vms, vm.id: replace(vm, power_state=None)})


def _representative(estate: Estate, machine: Machine) -> tuple[Address, str]:
    """An address for any address on the internet, and why it is that one: most of them take the same way."""
    for sample in _SAMPLES:
        point = sending(estate, machine, sample)
        if point is not None:
            return _commonest(estate, point, sample)
    return _SAMPLES[0], ""


def _commonest(estate: Estate, point: Point, sample: Address) -> tuple[Address, str]:
    """The sample if it is led where most addresses on the internet are, else one that is; and what the others do."""
    table = Routing(estate).table(point, sample.version)
    public, top = ((~PRIVATE).v4, V4_TOP) if sample.version == 4 else ((~PRIVATE).v6, V6_TOP)
    ends = (*(start - 1 for start in table.starts[1:]), top)
    sizes, examples = dict[object, int](), dict[object, tuple[int, NextHop]]()
    for start, end, hop in zip(table.starts, ends, table.hops, strict=True):
        for first, last in public & type(public).of([(start, end)], top):
            sizes[_way(hop)] = sizes.get(_way(hop), 0) + last - first + 1
            examples.setdefault(_way(hop), (first + 1 if last > first else first, hop))
    widest = max(sizes, key=lambda way: sizes[way])
    others = [examples[way][1] for way in sizes if way != widest and sizes[way] * _NOTABLE > sum(sizes.values())]
    led = [f"{hop.route.prefix} to {hop.route.next_hop_type}" for hop in others if hop.route]
    more = f"; but not {' and '.join(led)}" if led else ""
    number = int(sample) if _way(table.of(int(sample))) == widest else examples[widest][0]
    found = type(sample)(number)
    return found, f"{found} stands for any address on the internet: most are led to the same next hop{more}"


def _way(hop: NextHop) -> object:
    """Where it leads: two routes to the same place are one way."""
    return hop.route and hop.route.leads, hop.missing
