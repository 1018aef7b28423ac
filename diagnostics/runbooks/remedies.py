"""The runbook's table: from the type of an issue to what is wrong and what to do about it.

Source: "Troubleshoot Azure VM connectivity problems", step "Fix the issue in the connectivity check result".
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.findings import Confidence, Remedy, Severity
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.network.ids import ResourceId

_LEARN = "https://learn.microsoft.com"
_ADMIN_RULE = "securityadminrule_"
_RUNBOOK = f"{_LEARN}/troubleshoot/azure/virtual-network/troubleshoot-vm-connectivity"


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue and where it was found.

    Attributes:
        at: the VM, or other resource, at whose hop Azure saw it.
        place: the hop in words, where no resource of it is known.
        owner: the NSG or route table that holds the named rule or route, if it was found.
        item: the name of the rule or route in it.
        own: whether the rule or route is somebody's own: not a default rule, not a route of the system's.
        unread: what could not be read while looking for the owner, and why.
    """

    issue: Issue
    at: ResourceId | None = None
    owner: ResourceId | None = None
    item: str = ""
    own: bool = True
    place: str = "the path"
    unread: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the issue names, or the words that stand for it."""
        return self.item or self.issue.name


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        check: the id of the finding's check.
        kind: of the finding's cause.
        title: with `{name}` for what the issue names, `{at}` for the VM, `{connection}` and `{type}`.
        remedy: makes the remedy for a blocker.
    """

    check: str
    kind: str
    title: str
    severity: Severity
    confidence: Confidence
    remedy: Callable[[Blocker], Remedy]


def row(issue: Issue) -> Row:
    """The row for an issue; a type without a row of its own has the last one."""
    if issue.type is IssueType.USER_DEFINED_ROUTE and not issue.own:
        return _SYSTEM_ROUTE
    return _TABLE.get(issue.type, _OTHER)


def arguments(**options: str) -> str:
    """Options of an `az` command, quoted for a POSIX shell."""
    return " ".join(f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in options.items())


def _security_rule(blocker: Blocker) -> Remedy:
    doc = f"{_LEARN}/azure/virtual-network/network-security-groups-overview"
    group, rule = blocker.owner, blocker.name or "the rule"
    if rule.lower().startswith(_ADMIN_RULE):
        text = (
            f"{rule} is a security admin rule of Azure Virtual Network Manager, and no NSG rule overrides a denial "
            "there: change it, or its network group, in the network manager."
        )
        return Remedy(summary=text, doc_url=f"{_LEARN}/azure/virtual-network-manager/concept-security-admins")
    if group is None and not blocker.own:
        text = (
            f"Default rule {rule} blocks it, and can be neither changed nor deleted: add a rule that allows this flow "
            "(priority 100 to 4096) to each NSG of the network interface and its subnet."
        )
        return Remedy(summary=text, doc_url=doc)
    if group is None:
        text = f"Delete or change {rule} in the NSG of the network interface or subnet, or allow this flow above it."
        return Remedy(summary=text, doc_url=doc)
    place = arguments(subscription=group.subscription, resource_group=group.resource_group, nsg_name=group.name)
    if not blocker.own:
        text = f"Default rule {rule} of NSG {group.name} blocks it: add a rule (priority 100 to 4096) that allows this."
        return Remedy(summary=text, az_cli=f"az network nsg rule list {place} --include-default -o table", doc_url=doc)
    text = (
        f"Delete or change rule {rule} of NSG {group.name}, or allow this flow with a rule of a lower priority number."
    )
    return Remedy(
        summary=text,
        az_cli=f"az network nsg rule show {place} {arguments(name=rule)}\n"
        f"az network nsg rule delete {place} {arguments(name=rule)}",
        bicep=_existing("Microsoft.Network/networkSecurityGroups@2025-05-01", group)
        + f"// take rule {_quoted(rule)} out of securityRules, or set its access to 'Allow'\n",
        doc_url=doc,
    )


def _route(blocker: Blocker) -> Remedy:
    doc = f"{_LEARN}/azure/virtual-network/virtual-networks-udr-overview"
    table, name = blocker.owner, blocker.item
    if table is None:
        text = "Delete or correct the user-defined route of the source's subnet for this flow, or mend its next hop."
        return Remedy(summary=text, doc_url=doc)
    place = arguments(subscription=table.subscription, resource_group=table.resource_group, route_table_name=table.name)
    if not name:
        text = f"Delete or correct the route of route table {table.name} that takes this flow, or mend its next hop."
        return Remedy(summary=text, az_cli=f"az network route-table route list {place} -o table", doc_url=doc)
    text = (
        f"Delete or correct route {name} of route table {table.name}; if it leads to an appliance, see that the "
        "appliance runs and forwards."
    )
    return Remedy(
        summary=text,
        az_cli=f"az network route-table route show {place} {arguments(name=name)}\n"
        f"az network route-table route delete {place} {arguments(name=name)}",
        bicep=_existing("Microsoft.Network/routeTables@2025-05-01", table)
        + f"// take route {_quoted(name)} out of routes, or correct its next hop\n",
        doc_url=doc,
    )


def _system_route(_: Blocker) -> Remedy:
    text = (
        "No user-defined route is to blame: a route of Azure's own drops this flow, as it does for private addresses "
        "that the virtual network does not know. See that the destination's network is peered (state Connected) or "
        "that a gateway announces it; or add a route."
    )
    return Remedy(summary=text, doc_url=f"{_LEARN}/azure/virtual-network/diagnose-network-routing-problem")


def _usage(what: str, doc: str) -> Callable[[Blocker], Remedy]:
    def remedy(blocker: Blocker) -> Remedy:
        usage = f" ({blocker.name})" if blocker.name else ""
        text = f"{what} of the VM is exhausted{usage}: find what uses it, or resize the VM; then check again."
        return Remedy(summary=text, az_cli=_az_vm("list-vm-resize-options", blocker.at), doc_url=_LEARN + doc)

    return remedy


def _guest_firewall(blocker: Blocker) -> Remedy:
    name = f" ({blocker.name})" if blocker.name else ""
    text = (
        f"The firewall inside the guest{name} refuses it: allow the port there (Windows Firewall; iptables, nftables)."
    )
    return Remedy(
        summary=text,
        doc_url=f"{_LEARN}/troubleshoot/azure/virtual-machines/windows/guest-os-firewall-blocking-inbound-traffic",
    )


def _dns(blocker: Blocker) -> Remedy:
    name = blocker.name or "the destination"
    text = f"{name} did not resolve on the source: check the DNS servers of its virtual network and NIC, and the zone."
    return Remedy(
        summary=text,
        doc_url=f"{_LEARN}/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances",
    )


def _socket(_: Blocker) -> Remedy:
    text = "The source port is in use already: choose another port for the check, or stop what holds it."
    return Remedy(summary=text, doc_url=_RUNBOOK)


def _listener(_: Blocker) -> Remedy:
    text = "Nothing listens on the destination port: start the service on the destination, or correct the port."
    return Remedy(summary=text, doc_url=f"{_LEARN}/azure/network-watcher/connection-troubleshoot-overview")


def _agent(_: Blocker) -> Remedy:
    text = (
        "The Network Watcher agent on the source VM has stopped: restart or reinstall its extension, then check again."
    )
    return Remedy(summary=text, doc_url=f"{_LEARN}/azure/network-watcher/network-watcher-agent-windows")


def _other(blocker: Blocker) -> Remedy:
    kind = blocker.issue.raw_type or "unknown"
    text = f"Azure names an issue of type {kind} there: open connection troubleshoot for its details."
    return Remedy(summary=text, doc_url=f"{_LEARN}/azure/network-watcher/connection-troubleshoot-overview")


def start_vm(vm: ResourceId) -> Remedy:
    """What to do about a VM that does not run."""
    text = f"Start {vm.name}, if it is meant to run."
    return Remedy(summary=text, az_cli=_az_vm("start", vm), doc_url=f"{_LEARN}/azure/virtual-machines/states-billing")


def reput_nic(nic: ResourceId) -> Remedy:
    """What to do about a NIC in state Failed: GET it and PUT it back unchanged."""
    # Without a host, az takes the ARM endpoint of the cloud that it is logged in to.
    url = shlex.quote(f"{nic.text}?api-version=2026-03-01")
    text = (
        "GET the network interface and PUT it back unchanged; vmreach does that itself when VMREACH_REMEDIATION_MODE "
        "is auto. If the PUT fails, its error names what is really wrong."
    )
    return Remedy(
        summary=text,
        az_cli=f"az rest --method get --url {url} > nic.json\naz rest --method put --url {url} --body @nic.json",
        doc_url=f"{_LEARN}/azure/networking/troubleshoot-failed-state",
    )


def default_gateway(address: str, gateway: str | None) -> Remedy:
    """What to do about a secondary NIC without a default gateway in the guest."""
    hop = gateway or "<the first usable address of its subnet>"
    text = (
        f"In the guest, give the secondary interface {address} a default gateway: on Windows the command below; on "
        f"Linux a routing table of its own (ip rule from {address}, ip route default via {hop})."
    )
    return Remedy(
        summary=text,
        az_cli=f"route add 0.0.0.0 mask 0.0.0.0 -p {hop}" if gateway and ":" not in gateway else "",
        doc_url=_RUNBOOK,
    )


def way_out() -> Remedy:
    """What to do when nothing on Azure's side keeps a VM from the internet, and yet it gets no answer."""
    text = (
        "See that the subnet has a way out (NAT gateway, public IP address or outbound rule of a load balancer: a "
        "private subnet has none of its own), then that the guest's firewall and routes let it out, and that the far "
        "end answers."
    )
    return Remedy(summary=text, doc_url=f"{_LEARN}/azure/virtual-network/ip-services/default-outbound-access")


def look_again(text: str) -> Remedy:
    """What to do when the runbook could not tell."""
    return Remedy(summary=text, doc_url=_RUNBOOK)


def _az_vm(verb: str, vm: ResourceId | None) -> str:
    if vm is None or "virtualmachinescalesets" in vm.type:
        return ""
    place = arguments(subscription=vm.subscription, resource_group=vm.resource_group, name=vm.name)
    return f"az vm {verb} {place}"


def _existing(kind: str, resource: ResourceId) -> str:
    return f"resource it '{kind}' existing = {{\n  name: {_quoted(resource.name)}\n}}\n"


def _quoted(text: str) -> str:
    """A Bicep string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${").replace("\n", " ")
    return f"'{escaped}'"


_HIGH, _MEDIUM = Severity.HIGH, Severity.MEDIUM
_PROVEN, _LIKELY, _POSSIBLE = Confidence.PROVEN, Confidence.LIKELY, Confidence.POSSIBLE
_CPU_DOC = "/troubleshoot/azure/virtual-machines/windows/troubleshoot-high-cpu-issues-azure-windows-vm"
_MEMORY_DOC = "/troubleshoot/azure/virtual-machines/windows/troubleshoot-performance-virtual-machine-linux-windows"

_TABLE = {
    IssueType.NETWORK_SECURITY_RULE: Row(
        "CON001", "security-rule", "NSG rule {name} blocks {connection}", _HIGH, _PROVEN, _security_rule
    ),
    IssueType.USER_DEFINED_ROUTE: Row(
        "CON002", "route", "User-defined route {name} leads {connection} astray", _HIGH, _PROVEN, _route
    ),
    IssueType.CPU: Row("CON003", "usage", "CPU of {at} is exhausted", _MEDIUM, _LIKELY, _usage("CPU", _CPU_DOC)),
    IssueType.MEMORY: Row(
        "CON004", "usage", "Memory of {at} is exhausted", _MEDIUM, _LIKELY, _usage("Memory", _MEMORY_DOC)
    ),
    IssueType.GUEST_FIREWALL: Row(
        "CON005", "firewall", "A firewall inside {at} blocks {connection}", _HIGH, _LIKELY, _guest_firewall
    ),
    IssueType.DNS_RESOLUTION: Row(
        "CON006", "dns-name", "The name {name} does not resolve on {at}", _HIGH, _PROVEN, _dns
    ),
    IssueType.SOCKET_ERROR: Row(
        "CON007", "socket", "The source port of the check is in use", Severity.LOW, _PROVEN, _socket
    ),
    IssueType.NO_LISTENER: Row(
        "CON008", "listener", "Nothing listens at the end of {connection}", _HIGH, _LIKELY, _listener
    ),
    IssueType.AGENT_STOPPED: Row(
        "CON012", "agent", "The Network Watcher agent on {at} has stopped", _MEDIUM, _PROVEN, _agent
    ),
}
_SYSTEM_ROUTE = Row("CON002", "route", "No route leads {connection} anywhere", _HIGH, _PROVEN, _system_route)
_OTHER = Row(
    "CON010", "issue", "Azure reports an issue of type {type} on the path {connection}", _MEDIUM, _POSSIBLE, _other
)
