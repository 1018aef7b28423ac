"""Problem 1: a VM cannot reach another VM in its virtual network."""

from __future__ import annotations

from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId
from diagnostics.runbooks import usage_steps
from diagnostics.runbooks.changes import steps as change_steps
from diagnostics.runbooks.check_steps import connectivity
from diagnostics.runbooks.guest import steps as guest_steps
from diagnostics.runbooks.probe_steps import again, aimed, ip_address, ping, remote_access, usual_port
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import steps as rule_steps
from diagnostics.runbooks.situation import Situation, done
from diagnostics.runbooks.step import skipped


def run(situation: Situation) -> Asking[Situation]:
    """The runbook's five steps, and what lies beyond configuration.

    Source: "Troubleshoot Azure VM connectivity problems", "Azure VM cannot connect to another Azure VM in same VNet".
    """
    machine = situation.destination
    # An address says exactly which NIC and IP configuration is meant, an id only which machine.
    target: ResourceId | str | None = situation.address or (machine.id if machine else None)
    if target is None:
        return (yield from done(situation, skipped("TCP ping", "the destination was not found")))
    if isinstance(target, ResourceId) and target.type == NETWORK_INTERFACE:
        why = f"no VM is known behind {target.name}, so none can answer"
        return (yield from done(situation, skipped("TCP ping", why)))
    port = usual_port(machine, situation.port)
    situation = aimed(situation, port)
    situation = yield from ping(situation, target, port)
    answer = situation.probed.answer if situation.probed else None
    address = ip_address(situation, answer)
    situation = yield from guest_steps.tcp_ping(situation, address or str(target), port)
    situation = yield from gather.survey(situation, address or None)
    situation = yield from rule_steps.security(situation, address, situation.port, answer)
    situation = yield from remote_access(situation, target)
    situation = yield from connectivity(situation)
    situation = yield from guest_steps.listener(situation, port)
    situation = yield from usage_steps.usage(situation)
    situation = yield from again(situation, target, port)
    return (yield from change_steps.changes(situation))
