"""What each question needs: in words what is asked, the action that Azure wants for it, where, and what it would tell.

Source: Network Watcher, "Azure role-based access control permissions required to use Network Watcher capabilities";
the permissions tables of virtual networks, network interfaces and Run Command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.probing import (
    CheckConnectivity,
    DiagnoseRules,
    Probing,
    ReadEffectiveRules,
    RunInGuest,
    VerifyFlow,
)
from diagnostics.runbooks.questions import (
    FindByAddress,
    FindVms,
    FindWatcher,
    Question,
    ReadBody,
    ReadChanges,
    ReadExtensions,
    ReadMetrics,
    ReadNic,
    ReadRouteTable,
    ReadSecurityGroup,
    ReadServiceTags,
    ReadSubnet,
    ReadVm,
)

_WATCHER = "Microsoft.Network/networkWatchers"
_NIC = "Microsoft.Network/networkInterfaces"


@dataclass(frozen=True, slots=True)
class Need:
    """What a question needs.

    Attributes:
        asking: the question in words: `reading NSG back-nsg`.
        tells: what is not known without the answer.
        action: the action to grant; empty where no single one is known.
        scope: the id of where it is needed; empty where that is not known.
    """

    asking: str
    tells: str
    action: str = ""
    scope: str = ""


def need_of(question: Question[Any]) -> Need:
    """What a question needs."""
    if isinstance(question, Probing):
        return _probing(question)
    match question:
        case ReadVm(vm):
            tells = "whether it runs, and which network interfaces it has"
            return Need(f"reading VM {vm.name}", tells, _read(vm), vm.text)
        case ReadNic(nic):
            return Need(f"reading network interface {nic.name}", "its addresses, NSG and state", _read(nic), nic.text)
        case ReadSubnet(subnet):
            return Need(f"reading subnet {subnet.name}", "its NSG, route table and way out", _read(subnet), subnet.text)
        case ReadSecurityGroup(group):
            return Need(f"reading NSG {group.name}", "which of its rules decides", _read(group), group.text)
        case ReadRouteTable(table):
            return Need(f"reading route table {table.name}", "which of its routes decides", _read(table), table.text)
        case ReadBody(resource):
            return Need(f"reading {resource.name}", "how it is configured", _read(resource), resource.text)
        case _:
            return _listing(question)


def _listing(question: Question[Any]) -> Need:
    match question:
        case FindWatcher(subscription, location):
            tells = "whether a connection from that region can be probed"
            return Need(
                f"finding the Network Watcher of {location}",
                tells,
                f"{_WATCHER}/read",
                f"/subscriptions/{subscription}",
            )
        case ReadExtensions(vm):
            tells = "whether the Network Watcher agent is installed"
            return Need(f"reading the extensions of {vm.name}", tells, f"{_kind(vm)}/extensions/read", vm.text)
        case ReadServiceTags(subscription, location):
            return Need(
                f"reading the service tags of {location}",
                "which addresses a service tag of a rule or route means",
                "Microsoft.Network/locations/serviceTags/read",
                f"/subscriptions/{subscription}",
            )
        case ReadMetrics(resource):
            tells = "how much of CPU, memory or ports was used"
            return Need(f"reading metrics of {resource.name}", tells, "Microsoft.Insights/metrics/read", resource.text)
        case ReadChanges(resource):
            action = "Microsoft.Insights/eventtypes/values/read"
            return Need(f"reading the activity log of {resource.name}", "who changed it last", action, resource.text)
        case FindVms(name):
            return Need(f"looking up a VM called {name}", "which VM that is")
        case FindByAddress(address):
            return Need(f"looking up who has {address}", "which machine that is")
        case _:
            return Need(f"answering {type(question).__name__}", "what it asks")


def _probing(question: Probing[Any]) -> Need:
    subject = question.subject
    watched = f"/subscriptions/{subject.subscription}"
    match question:
        case CheckConnectivity():
            action, tells = f"{_WATCHER}/connectivityCheck/action", "whether the connection works, and what stops it"
            return Need(f"the connectivity check from {subject.name}", tells, action, watched)
        case VerifyFlow():
            tells = "which NSG rule Azure itself says decides"
            return Need(f"IP flow verify at {subject.name}", tells, f"{_WATCHER}/ipFlowVerify/action", watched)
        case DiagnoseRules():
            action, tells = f"{_WATCHER}/networkConfigurationDiagnostic/action", "what each NSG says to the flow"
            return Need(f"NSG diagnostics at {subject.name}", tells, action, watched)
        case ReadEffectiveRules():
            action = f"{_NIC}/effectiveNetworkSecurityGroups/action"
            return Need(
                f"reading the effective rules of {subject.name}", "which rules work there", action, subject.text
            )
        case RunInGuest(script):
            action, tells = f"{_kind(subject)}/runCommand/action", f"{script.what} inside the guest"
            return Need(f"Run Command on {subject.name}", tells, action, subject.text)
        case _:
            return Need(f"asking Azure about {subject.name}", "what it would say")


def _read(resource: ResourceId) -> str:
    return f"{_kind(resource)}/read"


_SPELT = {
    ids.VIRTUAL_MACHINE: "Microsoft.Compute/virtualMachines",
    ids.SCALE_SET_VM: "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    ids.NETWORK_INTERFACE: _NIC,
    ids.SUBNET: "Microsoft.Network/virtualNetworks/subnets",
    "microsoft.network/networksecuritygroups": "Microsoft.Network/networkSecurityGroups",
    "microsoft.network/routetables": "Microsoft.Network/routeTables",
}


def _kind(resource: ResourceId) -> str:
    """The type as Azure spells it: an alert's ids are in lower case, and an action made of one reads badly."""
    if resource.type in _SPELT:
        return _SPELT[resource.type]
    parts = resource.text.split("/providers/")[-1].split("/")
    return "/".join([parts[0], *parts[1::2]])
