"""Azure's own answers about the rules at both ends: effective rules, IP flow verify and NSG diagnostics.

Source: Network Watcher, "IP flow verify overview", "NSG diagnostics overview"; "Diagnose a virtual machine network
traffic filter problem" (effective rules need a running VM).
"""

from __future__ import annotations

from diagnostics.network import ids
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Direction, FlowCheck, RuleCheck
from diagnostics.network.security import Verdict
from diagnostics.runbooks.probing import DiagnoseRules, ReadEffectiveRules, VerifyFlow
from diagnostics.runbooks.questions import Asking, Unread, ask
from diagnostics.runbooks.rules import witnesses
from diagnostics.runbooks.rules.flows import Asked
from diagnostics.runbooks.rules.opinions import Opinion, Side, Who

_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM})


def own_answers(estate: Estate, asked: Asked) -> Asking[tuple[Opinion, ...]]:
    """What Azure itself says about a flow, at each side, one opinion for each way to ask."""
    found = []
    for side, point in witnesses.sides(asked):
        found.append((yield from _effective(estate, asked, side, point)))
        found.append((yield from _flow_verify(estate, asked, side, point)))
        found.append((yield from _diagnostics(estate, asked, side, point)))
    return tuple(found)


def _effective(estate: Estate, asked: Asked, side: Side, point: Point) -> Asking[Opinion]:
    where, vm = witnesses.place(estate, point), estate.vm_of(point.nic)
    if vm is not None and vm.running is False:
        return _not_asked(Who.EFFECTIVE, side, where, f"{where} does not run, and only a running VM has any")
    if vm is None and point.nic.vm is None:
        return _not_asked(Who.EFFECTIVE, side, where, "no VM is attached to it")
    answer = yield from ask(ReadEffectiveRules(point.nic.id))
    if isinstance(answer, Unread):
        return _unread(Who.EFFECTIVE, side, where, answer)
    return witnesses.effective(estate, asked, side, point, answer)


def _flow_verify(estate: Estate, asked: Asked, side: Side, point: Point) -> Asking[Opinion]:
    where, flow, vm = witnesses.place(estate, point), asked.flow, _machine(estate, point)
    if flow.protocol.lower() not in {"tcp", "udp"}:
        return _not_asked(Who.FLOW_VERIFY, side, where, f"it knows TCP and UDP only, not {flow.protocol}")
    if flow.source.version != 4:
        return _not_asked(Who.FLOW_VERIFY, side, where, "it knows IPv4 only")
    if vm is None:
        return _not_asked(Who.FLOW_VERIFY, side, where, "it is about VMs only")
    inward = side is Side.IN
    check = FlowCheck(
        vm=vm,
        location=_location(estate, point),
        nic=point.nic.id,
        direction=_direction(side),
        protocol=flow.protocol,
        local_address=str(flow.destination if inward else flow.source),
        remote_address=str(flow.source if inward else flow.destination),
        local_port=flow.destination_port if inward else flow.source_port,
        remote_port=flow.source_port if inward else flow.destination_port,
    )
    answer = yield from ask(VerifyFlow(check))
    if isinstance(answer, Unread):
        return _unread(Who.FLOW_VERIFY, side, where, answer)
    return witnesses.flow_verify(side, where, answer)


def _diagnostics(estate: Estate, asked: Asked, side: Side, point: Point) -> Asking[Opinion]:
    where, flow = witnesses.place(estate, point), asked.flow
    if flow.protocol.lower() not in {"tcp", "udp"}:
        return _not_asked(Who.DIAGNOSTICS, side, where, f"it knows TCP and UDP only, not {flow.protocol}")
    check = RuleCheck(
        target=point.nic.id,
        location=_location(estate, point),
        direction=_direction(side),
        protocol=flow.protocol,
        source=str(flow.source),
        destination=str(flow.destination),
        port=flow.destination_port,
    )
    answer = yield from ask(DiagnoseRules(check))
    if isinstance(answer, Unread):
        return _unread(Who.DIAGNOSTICS, side, where, answer)
    return witnesses.diagnostics(side, where, answer)


def _machine(estate: Estate, point: Point) -> ResourceId | None:
    vm = estate.vm_of(point.nic)
    rid = vm.id if vm else point.nic.vm
    return rid if rid and rid.type in _MACHINES else None


def _location(estate: Estate, point: Point) -> str:
    vm = estate.vm_of(point.nic)
    return point.nic.location or (vm.location if vm else "")


def _direction(side: Side) -> Direction:
    return Direction.INBOUND if side is Side.IN else Direction.OUTBOUND


def _not_asked(who: Who, side: Side, where: str, why: str) -> Opinion:
    return Opinion(who, side, where, Verdict.UNKNOWN, text=f"not asked: {why}")


def _unread(who: Who, side: Side, where: str, why: Unread) -> Opinion:
    return Opinion(who, side, where, Verdict.UNKNOWN, text=f"no answer: {why}")
