"""Problem 1: a VM cannot reach another VM in its virtual network."""

from __future__ import annotations

from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.check_steps import NAME, Checked, check, usual_port
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.endings import ending
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.situation import Situation
from diagnostics.runbooks.step import skipped


def run(situation: Situation) -> Asking[Diagnosis]:
    """Probe the destination from the source; each issue of each hop becomes a finding."""
    # An address says exactly which NIC and IP configuration is meant, an id only which machine.
    target: ResourceId | str | None = situation.address or (situation.destination.id if situation.destination else None)
    if target is None:
        return ending(situation, Checked(skipped(NAME, "the destination was not found")))
    checked = yield from check(situation, target, usual_port(situation.destination, situation.port))
    return ending(situation, checked)
