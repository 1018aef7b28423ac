"""Problem 2: a VM cannot be reached on its second network interface."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.findings import Finding, Outcome
from diagnostics.network.model import IpConfiguration, Nic, same_address
from diagnostics.runbooks import usage_steps
from diagnostics.runbooks.changes import steps as change_steps
from diagnostics.runbooks.check_steps import connectivity
from diagnostics.runbooks.endings import explained
from diagnostics.runbooks.guest import steps as guest_steps
from diagnostics.runbooks.probe_steps import again, aimed, ping, primary_too, remote_access, usual_port
from diagnostics.runbooks.questions import Asking, ReadSubnet, Unread, ask
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import steps as rule_steps
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import skipped

_TABLE = "Routing table of the guest"


def run(situation: Situation) -> Asking[Situation]:
    """The guest's routing table, the NSGs of all NICs, a check to the secondary address and one from end to end.

    Azure gives every NIC its routes, but the guest gets a default gateway on the primary one only, so an answer to
    another subnet never leaves ("Troubleshoot Azure VM connectivity problems", "second network adapter").
    """
    machine = situation.destination or situation.source
    nic = _secondary(machine, situation.address) if machine else None
    configuration = _configuration(nic, situation.address) if nic else None
    address = situation.address or (configuration.address if configuration else None)
    if machine is None or nic is None or configuration is None or address is None:
        why = "no secondary network interface with an address was found"
        return (yield from done(situation, skipped(_TABLE, why)))
    situation = yield from guest_steps.routing_table(situation, machine, nic, configuration)
    port = usual_port(machine, situation.port)
    situation = aimed(situation, port, address)
    situation = yield from gather.survey(situation, address)
    situation = yield from ping(situation, address, port)
    situation = yield from guest_steps.tcp_ping(situation, address, port)
    answer = situation.probed.answer if situation.probed else None
    situation = yield from rule_steps.security(situation, address, situation.port, answer)
    situation = yield from rule_steps.both_nics(situation, machine, situation.port)
    situation = yield from remote_access(situation, address)
    situation = yield from primary_too(situation, machine, nic, port)
    situation = yield from connectivity(situation)
    situation = yield from usage_steps.usage(situation)
    situation = yield from again(situation, address, port)
    if _silent_for_no_reason(situation) and machine.is_secondary(nic) and not _guest_was_read(situation):
        finding = yield from _inferred(situation, machine, nic, configuration)
        situation = replace(situation, findings=(*situation.findings, finding))
    return (yield from change_steps.changes(situation))


def _silent_for_no_reason(situation: Situation) -> bool:
    return situation.probed is not None and situation.probed.silent and not explained(situation)


def _guest_was_read(situation: Situation) -> bool:
    """Whether the guest's routing table told: what it says counts, and nothing is inferred."""
    told = (step.outcome for step in situation.steps if step.name == _TABLE)
    return any(outcome in {Outcome.PASSED, Outcome.FAILED} for outcome in told)


def _inferred(situation: Situation, machine: Machine, nic: Nic, configuration: IpConfiguration) -> Asking[Finding]:
    """What the configuration suggests where the guest's routing table could not be read."""
    address, gateway = configuration.address or "", None
    if configuration.subnet is not None:
        subnet = yield from ask(ReadSubnet(configuration.subnet))
        gateway = None if isinstance(subnet, Unread) else subnet.gateway(address)
    return guest_steps.inferred(situation, machine, nic, address, gateway)


def _secondary(machine: Machine, address: str | None) -> Nic | None:
    return machine.meant(address) or next((nic for nic in machine.read_nics if machine.is_secondary(nic)), None)


def _configuration(nic: Nic, address: str | None) -> IpConfiguration | None:
    having = [c for c in nic.ip_configurations if c.address]
    return next((c for c in having if same_address(c.address, address)), having[0] if having else None)
