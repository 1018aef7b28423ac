"""Problem 3: a VM cannot reach the internet."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from diagnostics.runbooks import usage_steps
from diagnostics.runbooks.changes import steps as change_steps
from diagnostics.runbooks.check_steps import connectivity
from diagnostics.runbooks.guest import steps as guest_steps
from diagnostics.runbooks.outside import dns as dns_steps
from diagnostics.runbooks.outside import snat as snat_steps
from diagnostics.runbooks.outside.way_out import way_out
from diagnostics.runbooks.probe_steps import again, aimed, ip_address, ping
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import steps as rule_steps
from diagnostics.runbooks.situation import Situation


def run(situation: Situation) -> Asking[Situation]:
    """Probe an address outside, and look for what keeps the VM in: way out, default route, DNS, SNAT ports.

    Its NICs' provisioning state, the runbook's first step, was looked at before.

    Source: "Troubleshoot Azure VM connectivity problems", "Azure VM cannot connect to the internet".
    """
    end, outside = situation.request.destination, situation.conditions.outside
    if end is None or end.address is None:
        # What the request names may be a VM; but it asks about the way out, so that is what is tried and told.
        request = msgspec.structs.replace(situation.request, destination=None)
        situation = replace(situation, request=request, destination=None)
        target, port = outside.address or "", outside.port
    else:
        target, port = end.address, end.port or outside.port
        situation = aimed(situation, port)
    situation = yield from ping(situation, target, port)
    answer = situation.probed.answer if situation.probed else None
    address = ip_address(situation, answer)
    situation = yield from gather.survey(situation, address or None)
    situation = yield from connectivity(situation)  # after the survey, for its remedies name priorities
    situation = yield from guest_steps.tcp_ping(situation, target, port)
    situation = yield from way_out(situation, address or None)
    if address:
        situation = yield from rule_steps.security(situation, address, port, answer)
    situation = yield from dns_steps.dns(situation)
    situation = yield from snat_steps.snat(situation)
    situation = yield from usage_steps.usage(situation)
    situation = yield from again(situation, target, port)
    return (yield from change_steps.changes(situation))
