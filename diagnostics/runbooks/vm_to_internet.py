"""Problem 3: a VM cannot reach the internet."""

from __future__ import annotations

from diagnostics.intake.messages import Endpoint
from diagnostics.runbooks.check_steps import check
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.endings import ending
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.situation import Situation


def run(situation: Situation, outside: Endpoint) -> Asking[Diagnosis]:
    """Probe an address outside; each issue of each hop becomes a finding.

    Args:
        situation: who and what.
        outside: what to probe when the request names nothing.
    """
    end = situation.request.destination or outside
    checked = yield from check(situation, end.address or outside.address or "", end.port or outside.port)
    return ending(situation, checked)
