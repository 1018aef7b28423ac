"""Problem 3: a VM cannot reach the internet."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from diagnostics.intake.messages import Endpoint
from diagnostics.runbooks.check_steps import aimed, check
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
    end = situation.request.destination
    if end is None or end.address is None:
        # What the request names may be a VM; but it asks about the way out, so that is what is tried and told.
        request = msgspec.structs.replace(situation.request, destination=None)
        situation = replace(situation, request=request, destination=None)
        return ending(situation, (yield from check(situation, outside.address or "", outside.port)))
    port = end.port or outside.port
    situation = aimed(situation, port)
    return ending(situation, (yield from check(situation, end.address, port)))
