"""What to do about a firewall inside a guest: the command that lets exactly this flow through, for each firewall.

Source: "Guest OS firewall blocking inbound traffic"; the manuals of New-NetFirewallRule, ufw, firewall-cmd, nft and
iptables.
"""

from __future__ import annotations

import ipaddress
import re

import msgspec

from diagnostics.findings import Remedy
from diagnostics.network.probes import Shell
from diagnostics.paste import az, bicep
from diagnostics.runbooks.remedies.blocker import Blocker, learn

_DOC = "/troubleshoot/azure/virtual-machines/windows/guest-os-firewall-blocking-inbound-traffic"
_LINUX = ("iptables", "nftables", "nft", "ufw", "firewalld", "firewall-cmd")


def guest_firewall(blocker: Blocker) -> Remedy:
    """Allow the port in the guest."""
    name = f" ({blocker.name})" if blocker.name else ""
    protocol = blocker.transport.upper()
    port = f"{protocol} out to port {blocker.port}" if blocker.outbound else f"{protocol} port {blocker.port} in"
    port = port if blocker.port else "this flow through"
    text = (
        f"The firewall inside the guest{name} of {blocker.where} refuses it: let {port} there (Windows Firewall; "
        "ufw, firewalld, nftables or iptables on Linux). No NSG and no route changes that."
    )
    script, template, shell = "", "", _shell(blocker)
    if blocker.has_flow and shell and blocker.transport != "Icmp":
        script = _windows(blocker) if shell is Shell.WINDOWS else _linux(blocker)
        text += " The command below opens it for this source alone, through Run Command."
        template = _template(blocker, script)
    command = az.run_in_guest(blocker.at, shell, script) if shell and script else ""
    return msgspec.structs.replace(learn(text, _DOC), az_cli=command, bicep=template if command else "")


def _shell(blocker: Blocker) -> Shell | None:
    """By the machine's system, else by the firewall's name."""
    named = blocker.name.lower()
    if "windows" in named:
        return Shell.WINDOWS
    if any(word in named for word in _LINUX):
        return Shell.LINUX
    return az.shell_of(blocker.os)


def _windows(blocker: Blocker) -> str:
    protocol, port, source = blocker.transport.upper(), blocker.port, blocker.source
    name = f"vmreach-allow-{protocol}-{port}"
    if blocker.outbound:
        ends = f"-Direction Outbound -RemotePort {port} -RemoteAddress {blocker.destination}"
    else:
        ends = f"-Direction Inbound -LocalPort {port} -RemoteAddress {source}"
    return f"New-NetFirewallRule -DisplayName {name} -Action Allow -Protocol {protocol} {ends}"


def _linux(blocker: Blocker) -> str:
    """With the firewall that Azure names, else with whichever is in force."""
    named = blocker.name.lower()
    commands = {"ufw": _ufw(blocker), "firewalld": _firewalld(blocker), "nft": _nft(blocker)}
    for word, command in (*commands.items(), ("firewall-cmd", commands["firewalld"]), ("iptables", _iptables(blocker))):
        if word in named:
            return command
    return (
        f"if ufw status 2>/dev/null | grep -q 'Status: active'; then {commands['ufw']}; "
        f"elif firewall-cmd --state >/dev/null 2>&1; then {commands['firewalld']}; else {_iptables(blocker)}; fi"
    )


def _ufw(blocker: Blocker) -> str:
    protocol, port = blocker.transport.lower(), blocker.port
    way = "allow out" if blocker.outbound else "allow"
    return f"ufw prepend {way} proto {protocol} from {blocker.source} to {blocker.destination} port {port}"


def _firewalld(blocker: Blocker) -> str:
    protocol, port, source = blocker.transport.lower(), blocker.port, blocker.source
    family = f"ipv{ipaddress.ip_address(source).version}"
    if blocker.outbound:
        match = f"-p {protocol} -d {blocker.destination} --dport {port} -j ACCEPT"
        return f"firewall-cmd --permanent --direct --add-rule {family} filter OUTPUT 0 {match} && firewall-cmd --reload"
    rule = f'rule family="{family}" source address="{source}" port port="{port}" protocol="{protocol}" accept'
    return f"firewall-cmd --permanent --add-rich-rule='{rule}' && firewall-cmd --reload"


def _nft(blocker: Blocker) -> str:
    """For the tables and chains that distributions ship: where others are in use, the words have to do."""
    family = "ip6" if ipaddress.ip_address(blocker.source).version == 6 else "ip"
    chain = "output" if blocker.outbound else "input"
    match = f"{family} saddr {blocker.source} {family} daddr {blocker.destination}"
    return f"nft insert rule inet filter {chain} {match} {blocker.transport.lower()} dport {blocker.port} accept"


def _iptables(blocker: Blocker) -> str:
    tool = "ip6tables" if ipaddress.ip_address(blocker.source).version == 6 else "iptables"
    chain = "OUTPUT" if blocker.outbound else "INPUT"
    ends = f"-s {blocker.source} -d {blocker.destination}"
    return f"{tool} -I {chain} -p {blocker.transport.lower()} {ends} --dport {blocker.port} -j ACCEPT"


def _template(blocker: Blocker, script: str) -> str:
    """The same script as a Run Command resource of the VM."""
    if blocker.at is None or not az.is_vm(blocker.at):
        return ""
    ask = "" if blocker.location else "param location string = resourceGroup().location\n\n"
    body: dict[str, bicep.Value] = {
        "parent": bicep.Raw("it"),
        "name": re.sub(r"[^\w-]", "-", f"allow-{blocker.transport.lower()}-{blocker.port}", flags=re.ASCII),
        "location": blocker.location or bicep.Raw("location"),
        "properties": {"source": {"script": script}},
    }
    vm = bicep.existing(f"Microsoft.Compute/virtualMachines@{bicep.COMPUTE}", blocker.at)
    kind = f"Microsoft.Compute/virtualMachines/runCommands@{bicep.COMPUTE}"
    return ask + vm + "\n" + bicep.resource("allow", kind, body)
