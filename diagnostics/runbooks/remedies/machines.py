"""What to do about a machine itself, and when there is nothing exact to do."""

from __future__ import annotations

import shlex

import msgspec

from diagnostics.findings import Remedy
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.paste import az
from diagnostics.paste.links import LEARN
from diagnostics.runbooks.remedies.blocker import Blocker, learn, machine_name

_RUNBOOK = f"{LEARN}/troubleshoot/azure/virtual-network/troubleshoot-vm-connectivity"
_STATES = f"{LEARN}/azure/virtual-machines/states-billing"
_CONNECTION = "/azure/network-watcher/connection-troubleshoot-overview"
_POWER = {
    **dict.fromkeys(("notrunning", "vmstate"), "not running"),
    **{word: word for word in ("starting", "stopping", "stopped", "deallocating", "deallocated", "rebooting")},
    "notallocated": "not allocated",
}
"""Connection monitor's words for VMs that do not run ("Connection monitor overview")."""
_HEALTH = "/providers/Microsoft.ResourceHealth/availabilityStatuses/current?api-version=2020-05-01"


def start_vm(vm: ResourceId) -> Remedy:
    """What to do about a VM that does not run."""
    text = f"Start {machine_name(vm)}, if it is meant to run."
    if vm.type == ids.SCALE_SET_VM:
        command = f"az vmss start {az.placed(vm, name=vm.names[0], instance_ids=vm.name)}"
    else:
        command = az.on_vm("start", vm)
    return Remedy(summary=text, az_cli=command, doc_url=_STATES)


def vm_state(blocker: Blocker) -> Remedy:
    """What to do about a VM that is on its way somewhere else than running."""
    state = _state(blocker)
    if blocker.at is None or blocker.at.type not in {ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM}:
        text = f"The machine at {blocker.place} is {state}: see that it runs, then check again."
        return Remedy(summary=text, doc_url=_STATES)
    if state in {"starting", "rebooting"}:
        text = f"{blocker.where} is {state}: wait until it runs, then check again. If it stays so, restart it."
        return Remedy(summary=text, az_cli=az.on_vm("get-instance-view", blocker.at), doc_url=_STATES)
    text = f"{blocker.where} is {state}. Start it, if it is meant to run, then check again."
    return msgspec.structs.replace(start_vm(blocker.at), summary=text)


def is_state(raw_type: str) -> bool:
    """Whether an issue's type, as Azure wrote it, is a state of a VM."""
    return _named_state(raw_type) != ""


def _state(blocker: Blocker) -> str:
    return _named_state(blocker.issue.name) or _named_state(blocker.issue.raw_type)


def _named_state(text: str) -> str:
    """The state in a spelling such as `VMDeallocated` or `Not allocated`; empty where it is none of a VM's."""
    letters = "".join(c for c in text.lower() if c.isalpha())
    return _POWER.get(letters) or _POWER.get(letters.removeprefix("vm").removeprefix("state"), "")


def way_out() -> Remedy:
    """What to do when nothing on Azure's side keeps a VM from the internet, and yet it gets no answer."""
    text = (
        "See that the subnet has a way out (NAT gateway, public IP address or outbound rule of a load balancer: a "
        "private subnet has none of its own), then that the guest's firewall and routes let it out, and that the far "
        "end answers."
    )
    return Remedy(summary=text, doc_url=f"{LEARN}/azure/virtual-network/ip-services/default-outbound-access")


def look_again(text: str) -> Remedy:
    """What to do when the runbook could not tell."""
    return Remedy(summary=text, doc_url=_RUNBOOK)


def throttled(blocker: Blocker) -> Remedy:
    """Azure throttles ports of a network interface."""
    text = (
        f"Azure throttles ports of {blocker.where}: it has, or opens, more connections than its size allows. Close "
        "idle ones, spread the load over more VMs, or resize it; for many connections to the internet, put a NAT "
        "gateway before its subnet."
    )
    command = ""
    if blocker.at is not None and az.is_vm(blocker.at):
        place = az.arguments(resource=blocker.at.text, interval="PT1M", aggregation="Maximum")
        command = f"az monitor metrics list {place} --metrics 'Inbound Flows' 'Outbound Flows'"
    doc = "/azure/virtual-network/virtual-machine-network-throughput"
    return msgspec.structs.replace(learn(text, doc), az_cli=command)


def platform(blocker: Blocker) -> Remedy:
    """A fault of Azure's own."""
    text = (
        f"Azure names a fault of its own platform at {blocker.where}: nothing in your configuration mends it. Look at "
        "the resource's health and at Service Health for this region; if it lasts, redeploy the VM to another host "
        "(it restarts and loses its temporary disk), and open a support request with the evidence of these steps."
    )
    command = ""
    if blocker.at is not None:
        redeploy = az.on_vm("redeploy", blocker.at)
        command = az.lines(
            f"az rest --method get --url {shlex.quote(blocker.at.text + _HEALTH)}",
            az.otherwise("if it lasts", redeploy) if redeploy else "",
        )
    return msgspec.structs.replace(learn(text, "/azure/service-health/resource-health-overview"), az_cli=command)


def other(blocker: Blocker) -> Remedy:
    """An issue of a type that has no row."""
    kind = blocker.issue.raw_type or "unknown"
    text = f"Azure names an issue of type {kind} there: open connection troubleshoot for its details."
    return learn(text, _CONNECTION)
