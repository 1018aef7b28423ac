"""What to do about causes inside a guest: load, firewall, listener, source port, name resolution.

Run Command changes nothing here but for the firewall; its scripts hold addresses, ports and host names that were
checked, and nothing else of what Azure answered.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from diagnostics.findings import Remedy
from diagnostics.intake.messages import is_host_or_address
from diagnostics.network.probes import Shell
from diagnostics.paste import az, bicep
from diagnostics.paste.links import blade
from diagnostics.runbooks.remedies.blocker import Blocker, learn

_CPU_DOC = "/troubleshoot/azure/virtual-machines/windows/troubleshoot-high-cpu-issues-azure-windows-vm"
_MEMORY_DOC = "/troubleshoot/azure/virtual-machines/windows/troubleshoot-performance-virtual-machine-linux-windows"
_BUSIEST = {
    "CPU": {
        Shell.LINUX: "ps -eo pid,pcpu,pmem,comm --sort=-pcpu | head -15",
        Shell.WINDOWS: "Get-Process | Sort-Object CPU -Descending | Select-Object -First 15 Id,CPU,WS,ProcessName",
    },
    "Memory": {
        Shell.LINUX: "free -m; ps -eo pid,pcpu,pmem,comm --sort=-pmem | head -15",
        Shell.WINDOWS: "Get-Process | Sort-Object WS -Descending | Select-Object -First 15 Id,CPU,WS,ProcessName",
    },
}
_CONNECTION = "/azure/network-watcher/connection-troubleshoot-overview"
_DNS_DOC = "/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances"
_RUNBOOK = "/troubleshoot/azure/virtual-network/troubleshoot-vm-connectivity"


def usage(what: str) -> Callable[[Blocker], Remedy]:
    """What to do about CPU or memory."""

    def remedy(blocker: Blocker) -> Remedy:
        percent = " %" if blocker.name.replace(".", "", 1).isdecimal() else ""
        amount = f" ({blocker.name}{percent})" if blocker.name else ""
        text = (
            f"{what} of {blocker.where} is exhausted{amount}: find what uses it and stop or move that, or resize the "
            "VM (it restarts); then check again."
        )
        shell = az.shell_of(blocker.os)
        look = az.run_in_guest(blocker.at, shell, _BUSIEST[what][shell]) if shell else ""
        sizes, resize = az.on_vm("list-vm-resize-options", blocker.at), az.on_vm("resize", blocker.at)
        larger = az.lines(f"{sizes} -o table", az.otherwise("then", f"{resize} --size SIZE")) if sizes else ""
        doc = _CPU_DOC if what == "CPU" else _MEMORY_DOC
        command = az.lines(look, larger)
        url = blade(blocker.at, "metrics") if az.is_vm(blocker.at) else ""
        return msgspec.structs.replace(learn(text, doc), az_cli=command, bicep=_larger(blocker), portal_url=url)

    return remedy


def _larger(blocker: Blocker) -> str:
    """Where a larger size stands in Bicep. The size is no resource of its own, so the VM is shown as it is there."""
    if blocker.at is None or not az.is_vm(blocker.at):
        return ""
    machine = bicep.existing(f"Microsoft.Compute/virtualMachines@{bicep.COMPUTE}", blocker.at)
    return machine + bicep.comment("where it is declared, give properties.hardwareProfile.vmSize a larger size")


def listener(blocker: Blocker) -> Remedy:
    """Nothing listens on the port."""
    port = f" {blocker.port}" if blocker.port else ""
    text = (
        f"Nothing listens on the destination port{port}: start the service on the destination, see that it listens on "
        "the network interface's address and not on loopback alone, or correct the port."
    )
    scripts = {
        Shell.LINUX: f"ss -ltnp '( sport = :{blocker.port} )'" if blocker.port else "ss -ltnp",
        Shell.WINDOWS: "Get-NetTCPConnection -State Listen"
        + (f" -LocalPort {blocker.port}" if blocker.port else " | Sort-Object LocalPort"),
    }
    shell = az.shell_of(blocker.os)
    command = az.run_in_guest(blocker.at, shell, scripts[shell]) if shell else ""
    return msgspec.structs.replace(learn(text, _CONNECTION), az_cli=command)


def socket(blocker: Blocker) -> Remedy:
    """The source port is taken."""
    text = (
        "The source port is in use already: choose another port for the check, or stop what holds it. The command "
        "below lists what is open on the source."
    )
    scripts = {
        Shell.LINUX: "ss -tanp | head -40",
        Shell.WINDOWS: "Get-NetTCPConnection | Group-Object OwningProcess,State | Sort-Object Count -Descending",
    }
    shell = az.shell_of(blocker.os)
    command = az.run_in_guest(blocker.at, shell, scripts[shell]) if shell else ""
    if not command:
        text = text.partition(" The command")[0]
    return msgspec.structs.replace(learn(text, _RUNBOOK), az_cli=command)


def dns(blocker: Blocker) -> Remedy:
    """A name does not resolve."""
    name = blocker.name or "the destination"
    servers = f" ({blocker.network.name})" if blocker.network else ""
    text = (
        f"{name} did not resolve on the source: check the DNS servers of its virtual network{servers} and NIC, and the "
        "zone: does it hold the name, and is it linked to that network? VMs take new DNS servers with their next "
        "DHCP lease, or a restart."
    )
    host = is_host_or_address(blocker.name)
    shell, commands, template = az.shell_of(blocker.os), [], ""
    if shell and host:
        script = f"getent hosts {blocker.name}; resolvectl query {blocker.name}; cat /etc/resolv.conf"
        script = script if shell is Shell.LINUX else f"Resolve-DnsName {blocker.name}; Get-DnsClientServerAddress"
        commands.append(az.run_in_guest(blocker.at, shell, script))
    if blocker.network:
        place = az.placed(blocker.network, name=blocker.network.name)
        commands.append(f"az network vnet show {place} --query dhcpOptions.dnsServers")
        commands.append(az.otherwise("to change them", f"az network vnet update {place} --dns-servers ADDRESS"))
    if blocker.at and host:
        query = f"[?ends_with('{blocker.name}', name)].{{zone:name, group:resourceGroup, records:numberOfRecordSets}}"
        commands.append(
            f"az network private-dns zone list {az.arguments(subscription=blocker.at.subscription, query=query)}"
        )
    if blocker.network and host and "." in blocker.name:
        template = _link(blocker)
    url = blade(blocker.network, "dnsServers")
    return msgspec.structs.replace(learn(text, _DNS_DOC), az_cli=az.lines(*commands), bicep=template, portal_url=url)


def _link(blocker: Blocker) -> str:
    """The link of a private zone to the source's network: which zone it is may have to be corrected."""
    network, zone = blocker.network, blocker.name.rstrip(".").partition(".")[2]
    if network is None:
        return ""
    ask = (
        "@description('the private DNS zone that holds the name')\n"
        f"param zoneName string = {bicep.quoted(zone)}\n"
        f"param networkId string = {bicep.quoted(network.text)}\n\n"
        f"resource zone 'Microsoft.Network/privateDnsZones@{bicep.PRIVATE_DNS}' existing = {{\n  name: zoneName\n}}\n\n"
    )
    body: dict[str, bicep.Value] = {
        "parent": bicep.Raw("zone"),
        "name": f"link-{network.name}"[:80],
        "location": "global",
        "properties": {"registrationEnabled": False, "virtualNetwork": {"id": bicep.Raw("networkId")}},
    }
    kind = f"Microsoft.Network/privateDnsZones/virtualNetworkLinks@{bicep.PRIVATE_DNS}"
    return ask + bicep.resource("link", kind, body)
