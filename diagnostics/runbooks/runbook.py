"""The runbook from the top: look both ends up, see that they run, pick the problem, work it through."""

from __future__ import annotations

from diagnostics.intake.messages import DiagnosisRequest, Problem
from diagnostics.runbooks import machine_steps, secondary_nic, vm_to_internet, vm_to_vm
from diagnostics.runbooks.diagnosis import Diagnosis, conclude
from diagnostics.runbooks.endings import ending
from diagnostics.runbooks.lookups import at_address, is_somebodys, look_up
from diagnostics.runbooks.permissions import Denials
from diagnostics.runbooks.prerequisites import prerequisites
from diagnostics.runbooks.questions import Asking, Tell, watched
from diagnostics.runbooks.select import pick
from diagnostics.runbooks.situation import Conditions, Machine, Situation, done
from diagnostics.runbooks.step import passed

_RUNBOOKS = {
    Problem.VM_TO_VM: vm_to_vm.run,
    Problem.SECONDARY_NIC: secondary_nic.run,
    Problem.VM_TO_INTERNET: vm_to_internet.run,
}


def diagnose(request: DiagnosisRequest, conditions: Conditions) -> Asking[Diagnosis]:
    """Work a request through."""
    denials = Denials()
    situation = yield from watched(_worked(request, conditions), denials.seen)
    found = denials.finding(situation)
    situation = yield from done(situation, denials.step(), (found,) if found else ())
    return conclude(ending(situation))


def _worked(request: DiagnosisRequest, conditions: Conditions) -> Asking[Situation]:
    """Every step but what is said at the end."""
    situation = yield from _looked_up(request, conditions)
    situation = yield from _machines_in_order(situation, situation.source, "Source")
    situation = yield from _machines_in_order(situation, situation.destination, "Destination")
    situation = yield from prerequisites(situation)
    return (yield from _RUNBOOKS[situation.problem](situation))


def _looked_up(request: DiagnosisRequest, conditions: Conditions) -> Asking[Situation]:
    """Both ends, and the problem that they make."""
    source, told = yield from look_up(request.source, "Source")
    yield Tell(told)
    steps, destination = [told], None
    end = request.destination
    if end is not None and (end.resource_id or end.name):
        destination, told = yield from look_up(end, "Destination")
        steps.append(told)
        yield Tell(told)
    elif end is not None and end.address and is_somebodys(end, source):
        destination, told = yield from at_address(end.address, source)
        steps.append(told)
        yield Tell(told)
    problem, why = pick(request, source, destination)
    situation = Situation(request, conditions, problem, why, source, destination, tuple(steps))
    return (yield from done(situation, passed("Problem", f"{problem}: {why}")))


def _machines_in_order(situation: Situation, machine: Machine | None, role: str) -> Asking[Situation]:
    if machine is None or (machine is situation.destination and situation.source and machine.id == situation.source.id):
        return situation
    situation = yield from done(situation, *machine_steps.power(situation, machine, role))
    return (yield from done(situation, *machine_steps.provisioning(machine, role)))
