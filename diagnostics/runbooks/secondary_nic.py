"""Problem 2: a VM cannot be reached on its second network interface."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.findings import Cause, Confidence, Finding, Severity
from diagnostics.network.model import IpConfiguration, Nic, same_address
from diagnostics.runbooks import remedies
from diagnostics.runbooks.check_steps import NAME, Checked, aimed, check, usual_port
from diagnostics.runbooks.diagnosis import Diagnosis, said
from diagnostics.runbooks.endings import UNEXPLAINED, ending
from diagnostics.runbooks.questions import Asking, ReadSubnet, Unread, ask
from diagnostics.runbooks.situation import Machine, Situation
from diagnostics.runbooks.step import skipped


def run(situation: Situation) -> Asking[Diagnosis]:
    """Probe the secondary interface's address. Unreachable with nothing in the way points into the guest.

    Azure gives every NIC its routes, but the guest gets a default gateway on the primary one only, so an answer to
    another subnet never leaves ("Troubleshoot Azure VM connectivity problems").
    """
    machine = situation.destination or situation.source
    nic = _secondary(machine, situation.address) if machine else None
    configuration = _configuration(nic, situation.address) if nic else None
    address = situation.address or (configuration.address if configuration else None)
    if machine is None or nic is None or address is None:
        return ending(situation, Checked(skipped(NAME, "no secondary network interface with an address was found")))
    port = usual_port(machine, situation.port)
    situation = aimed(situation, port, address)
    checked = yield from check(situation, address, port)
    silent = checked.unexplained and checked.answer is not None and not checked.answer.reachable
    if silent and machine.is_secondary(nic) and not situation.findings:
        gateway = yield from _gateway(configuration, address)
        checked = replace(checked, findings=(_no_gateway(situation, machine, nic, address, gateway),))
    return ending(situation, checked)


def _secondary(machine: Machine, address: str | None) -> Nic | None:
    return machine.meant(address) or next((nic for nic in machine.read_nics if machine.is_secondary(nic)), None)


def _configuration(nic: Nic, address: str | None) -> IpConfiguration | None:
    having = [c for c in nic.ip_configurations if c.address]
    return next((c for c in having if same_address(c.address, address)), having[0] if having else None)


def _gateway(configuration: IpConfiguration | None, address: str) -> Asking[str | None]:
    if configuration is None or configuration.subnet is None:
        return None
    subnet = yield from ask(ReadSubnet(configuration.subnet))
    return None if isinstance(subnet, Unread) else subnet.gateway(address)


def _no_gateway(situation: Situation, machine: Machine, nic: Nic, address: str, gateway: str | None) -> Finding:
    text = (
        f"Every probe to {address} failed and Azure sees nothing in the way. The guest gets a default gateway on its "
        f"primary interface only, so answers from {nic.id.name} to another subnet do not leave. Inferred from the "
        "configuration; the guest's routes were not read."
    )
    return said(
        situation,
        UNEXPLAINED,
        f"{machine.id.name} does not answer on its secondary interface {nic.id.name}: no default gateway in the guest?",
        about=machine.id,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="default gateway", text=text, name=nic.id.name, resource_id=nic.id.text),
        remedy=remedies.default_gateway(address, gateway),
    )
