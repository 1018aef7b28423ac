"""Whether a guest can be looked into, and why not."""

from __future__ import annotations

from diagnostics.network.model import Vm
from diagnostics.network.probes import Shell
from diagnostics.paste import az
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.situation import Machine, Situation

OFF = "VMREACH_RUN_COMMAND is off, so nothing is asked inside guests"
_NEEDS = (
    "Run Command needs a VM agent that runs and, from the VM, outbound port 443 to AzureCloud; it does one script at "
    "a time on a VM."
)


def shell_of(machine: Machine | None) -> Shell | None:
    """What runs scripts there; None where the OS is not known."""
    vm = machine.vm if machine else None
    return az.shell_of(vm.os) if isinstance(vm, Vm) else None


def closed(situation: Situation, machine: Machine | None) -> str:
    """Why nothing can be asked inside a machine; empty where it can be tried."""
    if not situation.conditions.run_command:
        return OFF
    if machine is None:
        return "it is no machine that is known"
    vm = machine.vm
    if isinstance(vm, Unread):
        return f"{machine.id.name} could not be read: {vm}"
    if vm.running is False:
        return f"{machine.id.name} is {vm.power_state}, so nothing can be asked inside it"
    if shell_of(machine) is None:
        return f"Azure does not say whether {machine.id.name} runs Windows or Linux{f' ({vm.os})' if vm.os else ''}"
    return ""


def unanswered(machine: Machine, why: Unread) -> str:
    """Why Run Command did not answer, with what it needs where that is not a missing permission."""
    text = f"Run Command did not answer for {machine.id.name}: {str(why).rstrip('.')}."
    return text if why.action else f"{text} {_NEEDS}"
