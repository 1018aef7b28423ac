"""What to do about what Network Watcher itself needs: the watcher of a region, and its agent on the source.

Sources: "Network Watcher Agent VM extension" for Windows and for Linux; "Enable or disable Network Watcher".
"""

from __future__ import annotations

import msgspec

from diagnostics.findings import Remedy
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.paste import az, bicep
from diagnostics.paste.links import LEARN, blade
from diagnostics.runbooks.remedies.blocker import Blocker

AGENT_PUBLISHER = "Microsoft.Azure.NetworkWatcher"
AGENTS = {"windows": "NetworkWatcherAgentWindows", "linux": "NetworkWatcherAgentLinux"}
"""The agent's extension type, by operating system."""

_VERSION = "1.4"
_GROUP = "NetworkWatcherRG"
_KIND = f"Microsoft.Compute/virtualMachines/extensions@{bicep.COMPUTE}"


def install_agent(vm: ResourceId, os: str, location: str) -> Remedy:
    """What to do about a VM without the Network Watcher agent."""
    agent = AGENTS.get(os.lower())
    both = f"{AGENTS['windows']} on Windows, {AGENTS['linux']} on Linux"
    text = (
        f"Install the extension {agent or both} (publisher {AGENT_PUBLISHER}) on {vm.name}, then send the request "
        "again. Connection troubleshoot in the portal can install it by itself; vmreach never installs anything."
    )
    if agent is None:
        look = az.on_vm("show", vm)
        command = f"{look} --query storageProfile.osDisk.osType" if look else ""
        return Remedy(summary=text, az_cli=command, doc_url=_agent_doc(os), portal_url=blade(vm, "extensions"))
    return Remedy(
        summary=text,
        az_cli=_set(vm, agent),
        bicep=_extension(vm, agent, location),
        doc_url=_agent_doc(os),
        portal_url=blade(vm, "extensions"),
    )


def agent_stopped(blocker: Blocker) -> Remedy:
    """What to do about an agent that does not run."""
    text = (
        f"The Network Watcher agent on {blocker.where} has stopped: restart it by installing its extension once more, "
        "then check again. It also has to reach 169.254.169.254:80 and 168.63.129.16:8037 from inside the guest. "
        "While it is stopped, its probes say nothing about the connection."
    )
    agent, vm = AGENTS.get(blocker.os.lower()), blocker.at
    remedy = Remedy(summary=text, doc_url=_agent_doc(blocker.os))
    if vm is None or not az.is_vm(vm):
        return remedy
    if agent is None:
        command = f"az vm extension list {az.placed(vm, vm_name=vm.name)} -o table"
        return msgspec.structs.replace(remedy, az_cli=command, portal_url=blade(vm, "extensions"))
    return msgspec.structs.replace(
        remedy,
        az_cli=f"{_set(vm, agent)} --force-update",
        bicep=_extension(vm, agent, blocker.location, again=True),
        portal_url=blade(vm, "extensions"),
    )


def enable_watcher(subscription: str, location: str) -> Remedy:
    """What to do about a region without Network Watcher."""
    region = ids.region(location)
    text = (
        f"Enable Network Watcher for region {region} in subscription {subscription}: one for each region and "
        f"subscription, free of charge, usually in resource group {_GROUP}. Then send the request again."
    )
    group = az.arguments(subscription=subscription, name=_GROUP, location=region)
    where = az.arguments(subscription=subscription, resource_group=_GROUP, locations=region, enabled="true")
    body: dict[str, bicep.Value] = {"name": f"NetworkWatcher_{region}", "location": region, "properties": {}}
    return Remedy(
        summary=text,
        az_cli=az.lines(
            az.otherwise(f"first, where {_GROUP} does not exist yet", f"az group create {group}"),
            f"az network watcher configure {where}",
        ),
        bicep=bicep.comment(f"for resource group {_GROUP} of the subscription")
        + bicep.resource("watcher", f"Microsoft.Network/networkWatchers@{bicep.NETWORK}", body),
        doc_url=f"{LEARN}/azure/network-watcher/network-watcher-create",
    )


def _set(vm: ResourceId, agent: str) -> str:
    if not az.is_vm(vm):
        return ""
    named = az.placed(vm, vm_name=vm.name, name=agent, publisher=AGENT_PUBLISHER, version=_VERSION)
    return f"az vm extension set {named}"


def _extension(vm: ResourceId, agent: str, location: str, *, again: bool = False) -> str:
    """The extension; `again` makes Azure run it once more though nothing of it has changed."""
    ask = "" if location else "param location string = resourceGroup().location\n\n"
    properties: dict[str, bicep.Value] = {
        "publisher": AGENT_PUBLISHER,
        "type": agent,
        "typeHandlerVersion": _VERSION,
        "autoUpgradeMinorVersion": True,
    }
    if again:
        ask += "param again string = utcNow()\n\n"
        properties["forceUpdateTag"] = bicep.Raw("again")
    body: dict[str, bicep.Value] = {
        "parent": bicep.Raw("it"),
        "name": agent,
        "location": location or bicep.Raw("location"),
        "properties": properties,
    }
    machine = bicep.existing(f"Microsoft.Compute/virtualMachines@{bicep.COMPUTE}", vm)
    return ask + machine + "\n" + bicep.resource("agent", _KIND, body)


def _agent_doc(os: str) -> str:
    page = "linux" if os.lower() == "linux" else "windows"
    return f"{LEARN}/azure/network-watcher/network-watcher-agent-{page}"
