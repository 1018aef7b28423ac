"""Problem 1: a VM cannot reach another VM in its virtual network."""

from __future__ import annotations

from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId
from diagnostics.runbooks.check_steps import NAME, Checked, aimed, check, usual_port
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.endings import ending
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.situation import Situation
from diagnostics.runbooks.step import skipped


def run(situation: Situation) -> Asking[Diagnosis]:
    """Probe the destination from the source; each issue of each hop becomes a finding."""
    machine = situation.destination
    # An address says exactly which NIC and IP configuration is meant, an id only which machine.
    target: ResourceId | str | None = situation.address or (machine.id if machine else None)
    if target is None:
        return ending(situation, Checked(skipped(NAME, "the destination was not found")))
    if isinstance(target, ResourceId) and target.type == NETWORK_INTERFACE:
        return ending(situation, Checked(skipped(NAME, f"no VM is known behind {target.name}, so none can answer")))
    port = usual_port(machine, situation.port)
    situation = aimed(situation, port)
    return ending(situation, (yield from check(situation, target, port)))
