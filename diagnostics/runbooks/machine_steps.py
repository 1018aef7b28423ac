"""The steps about the machines themselves: do they run, and are their network interfaces in order?"""

from __future__ import annotations

from diagnostics.checks.provisioning import failed_nic
from diagnostics.findings import Cause, Confidence, Finding, Severity, Step
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.situation import Machine, Situation
from diagnostics.runbooks.step import failed, inconclusive, passed

NOT_RUNNING = "VM001"


def power(situation: Situation, machine: Machine, role: str) -> tuple[Step, tuple[Finding, ...]]:
    """Does it run? A VM that is off can neither probe nor answer."""
    name = f"{role} runs"
    if isinstance(machine.vm, Unread):
        return inconclusive(name, machine.why_unread), ()
    state = machine.vm.power_state
    if state is None:
        return inconclusive(name, f"Azure gives no power state for {machine.name}"), ()
    if machine.vm.running:
        return passed(name, f"{machine.name} is running"), ()
    text = f"{machine.name} is {state}"
    finding = said(
        situation,
        NOT_RUNNING,
        f"VM {machine.name} is not running: {state}",
        about=machine.id,
        severity=Severity.HIGH,
        confidence=Confidence.PROVEN,
        cause=Cause(kind="power-state", text=text, name=state, resource_id=machine.id.text),
        remedy=remedies.start_vm(machine.id),
    )
    return failed(name, text), (finding,)


def provisioning(machine: Machine, role: str) -> tuple[Step, tuple[Finding, ...]]:
    """Are its NICs in state Succeeded? A failed one is a finding, though seldom the cause of an outage."""
    name = f"Provisioning state of the {role.lower()}'s network interfaces"
    if not machine.nics:
        return inconclusive(name, f"the network interfaces of {machine.name} are not known"), ()
    broken = [nic for nic in machine.read_nics if nic.failed]
    evidence = [_state(nic_id, nic) for nic_id, nic in machine.nics]
    if broken:
        names = ", ".join(nic.id.name for nic in broken)
        step = failed(name, f"Failed: {names}. Such a NIC usually still passes traffic", *evidence)
        return step, tuple(failed_nic(nic, Confidence.POSSIBLE) for nic in broken)
    if len(machine.read_nics) < len(machine.nics):
        return inconclusive(name, "not every network interface could be read", *evidence), ()
    return passed(name, "; ".join(evidence), *evidence), ()


def _state(nic_id: ResourceId, nic: Nic | Unread) -> str:
    return f"{nic_id.name}: {nic if isinstance(nic, Unread) else nic.provisioning_state or 'no state given'}"
