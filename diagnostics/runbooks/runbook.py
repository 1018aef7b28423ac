"""The runbook from the top: look both ends up, see that they run, pick the problem, work it through."""

from __future__ import annotations

from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Problem
from diagnostics.runbooks import machine_steps, secondary_nic, vm_to_internet, vm_to_vm
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.select import pick
from diagnostics.runbooks.situation import Machine, Situation, look_up
from diagnostics.runbooks.step import passed


def diagnose(request: DiagnosisRequest, outside: Endpoint) -> Asking[Diagnosis]:
    """Work a request through.

    Args:
        request: what to find out.
        outside: an address on the internet, to probe when the request names no destination.
    """
    source, step = yield from look_up(request.source, "Source")
    steps, destination = [step], None
    end = request.destination
    if end is not None and (end.resource_id or end.name):
        destination, step = yield from look_up(end, "Destination")
        steps.append(step)
    problem, why = pick(request, source, destination)
    steps.append(passed("Problem", f"{problem}: {why}"))
    situation = Situation(request, problem, why, source, destination, tuple(steps))
    situation = _machines_in_order(situation, source, "Source")
    situation = _machines_in_order(situation, destination, "Destination")
    match problem:
        case Problem.VM_TO_VM:
            return (yield from vm_to_vm.run(situation))
        case Problem.SECONDARY_NIC:
            return (yield from secondary_nic.run(situation))
        case _:
            return (yield from vm_to_internet.run(situation, outside))


def _machines_in_order(situation: Situation, machine: Machine | None, role: str) -> Situation:
    if machine is None or (machine is situation.destination and situation.source and machine.id == situation.source.id):
        return situation
    situation = situation.after(*machine_steps.power(situation, machine, role))
    return situation.after(*machine_steps.provisioning(machine, role))
