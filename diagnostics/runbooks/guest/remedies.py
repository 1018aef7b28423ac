"""What to do inside a guest, as commands for it. Texts that a guest sent are quoted before they get into one."""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import dataclass

from diagnostics.findings import Remedy
from diagnostics.network.probes import Shell
from diagnostics.paste import az
from diagnostics.runbooks.guest.routes import GuestRoutes, Interface, Network
from diagnostics.runbooks.guest.verdict import Verdict

_LEARN = "https://learn.microsoft.com"
_RUNBOOK = f"{_LEARN}/troubleshoot/azure/virtual-network/troubleshoot-vm-connectivity"
_LINUX_NICS = f"{_LEARN}/azure/virtual-machines/linux/multiple-nics"
_ADDRESSES = f"{_LEARN}/azure/virtual-network/ip-services/virtual-network-multiple-ip-addresses-portal"
_FIREWALL = f"{_LEARN}/troubleshoot/azure/virtual-machines/windows/guest-os-firewall-blocking-inbound-traffic"
_LISTENER = f"{_LEARN}/azure/network-watcher/connection-troubleshoot-overview"
_METRIC = 5015
"""Far above what Windows gives the primary interface, which so stays the preferred one ("Create and manage a Windows
virtual machine that has multiple NICs")."""
_FREE_TABLES = range(200, 253)
_QUOTE = re.compile("(['\u2018\u2019\u201a\u201b])")
"""What ends a PowerShell string in single quotes, and doubled does not: typographic ones too (about_Quoting_Rules)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the guest something is to be done.

    Attributes:
        shell: None where the OS is not known.
        gateway: the first usable address of the address's subnet; None where that subnet could not be read.
        subnet: the address's subnet, as far as it is known.
        interface: None where the guest was not looked into.
    """

    shell: Shell | None
    address: str
    gateway: str | None
    subnet: Network | None = None
    interface: Interface | None = None

    @property
    def version(self) -> int:
        """Of the address."""
        return ipaddress.ip_address(self.address).version

    @property
    def prefix(self) -> str:
        """The address alone, as a prefix."""
        return str(ipaddress.ip_network(self.address))


def default_gateway(place: Place, routes: GuestRoutes | None = None) -> Remedy:
    """Give an interface a way out of its subnet.

    Args:
        place: the interface and its gateway.
        routes: of the guest, where they were read: what is there already is not added again.
    """
    hop = place.gateway or "<the first usable address of its subnet>"
    named = f"interface {place.interface.name}" if place.interface else "the secondary interface"
    if place.shell is Shell.LINUX:
        text = (
            f"In the guest, as root, give {named} ({place.address}) a routing table of its own with a default route "
            f"via {hop}, and a rule that answers from this address use it (policy routing). The commands hold "
            "until the next restart; the lines below them make it last."
        )
        commands = _linux(place, routes) if place.gateway else ""
        return Remedy(summary=text, az_cli=commands, doc_url=_LINUX_NICS)
    metric = "; its metric is higher than that of the primary interface, which stays the preferred one"
    text = (
        f"In the guest, as administrator, give {named} ({place.address}) a default gateway: {hop}. The route outlasts "
        f"a restart{metric if place.interface else ''}."
    )
    return Remedy(summary=text, az_cli=_windows(place) if place.gateway else "", doc_url=_RUNBOOK)


def _windows(place: Place) -> str:
    index = place.interface.index if place.interface else None
    if place.version == 6:
        on = f"-InterfaceIndex {index}" if index is not None else f"-InterfaceAlias '<the one with {place.address}>'"
        return f"New-NetRoute -DestinationPrefix ::/0 {on} -NextHop {place.gateway} -RouteMetric {_METRIC}"
    command = f"route add 0.0.0.0 mask 0.0.0.0 -p {place.gateway}"
    if place.interface is None:
        return command
    return f"{command} metric {_METRIC}" + (f" if {index}" if index is not None else "")


def _linux(place: Place, routes: GuestRoutes | None) -> str:
    """Routes and a rule, those that are missing; then how to make them last with netplan and NetworkManager."""
    device = shlex.quote(place.interface.name) if place.interface else "<its interface>"
    table, has_route, has_rule = _table(place, routes)
    ip = "ip -6" if place.version == 6 else "ip"
    lines = []
    if not has_route and place.subnet is not None:
        lines.append(f"{ip} route add {place.subnet} dev {device} src {place.address} table {table}")
    if not has_route:
        lines.append(f"{ip} route add default via {place.gateway} dev {device} table {table}")
    if not has_rule:
        lines.append(f"{ip} rule add from {place.prefix} table {table}")
    if not lines:  # all is there, and another rule comes before it
        return f"{ip} rule show"
    return "\n".join([*lines, *_lasting(place, device, table)])


def _table(place: Place, routes: GuestRoutes | None) -> tuple[str, bool, bool]:
    """The table to use, whether it has a default route on the interface, and whether a rule leads to it."""
    if routes is None or place.interface is None:
        return str(_FREE_TABLES[0]), False, False
    prefix = ipaddress.ip_network(place.address)
    ruled = [r.table for r in routes.rules if r.source == prefix and r.action == "lookup" and r.table != "main"]
    on = {r.table for r in routes.defaults if r.interface == place.interface.name and r.prefix.version == place.version}
    used = {route.table for route in routes.routes} | {rule.table for rule in routes.rules}
    free = next((str(number) for number in _FREE_TABLES if str(number) not in used), str(_FREE_TABLES[0]))
    table = next(iter([*ruled, *sorted(on - {"main"}), free]))
    return shlex.quote(table), table in on, table in ruled


def _lasting(place: Place, device: str, table: str) -> list[str]:
    everywhere = "::/0" if place.version == 6 else "0.0.0.0/0"
    family = f"ipv{place.version}"
    connection = f'"$(nmcli -g GENERAL.CONNECTION device show {device})"'
    route = f"+{family}.routes '{everywhere} {place.gateway} table={table}'"
    rule = f"+{family}.routing-rules 'priority 200 from {place.prefix} table {table}'"
    return [
        f"# to make it last with netplan (Ubuntu): in /etc/netplan/60-{device}.yaml, then run: netplan apply",
        "# network:",
        "#   version: 2",
        "#   ethernets:",
        f"#     {device}:",
        f"#       routes: [{{to: '{everywhere}', via: '{place.gateway}', table: {table}}}]",
        f"#       routing-policy: [{{from: '{place.prefix}', table: {table}}}]",
        "# to make it last with NetworkManager (Red Hat):",
        f"# nmcli connection modify {connection} {route} {rule}",
    ]


def add_address(place: Place, *, primary: bool) -> Remedy:
    """Configure an address that the guest does not have."""
    if primary:
        text = (
            f"The guest gets {place.address} by DHCP: bring its interface up and let it ask (Windows: enable the "
            "adapter, set it to DHCP, ipconfig /renew; Linux: dhcp4: true in netplan, or a NetworkManager connection "
            "with method auto). If it is set by hand, correct it: Azure delivers to no other address."
        )
        command = "ipconfig /renew" if place.shell is Shell.WINDOWS else ""
        return Remedy(summary=text, az_cli=command, doc_url=_ADDRESSES)
    text = (
        f"{place.address} is an IP configuration beside the primary one of its network interface: DHCP does not give "
        "it to the guest, it has to be added there by hand, with the same address."
    )
    commands = _add(place) if place.interface and place.subnet else ""
    return Remedy(summary=text, az_cli=commands, doc_url=_ADDRESSES)


def _add(place: Place) -> str:
    interface, length = place.interface, place.subnet.prefixlen if place.subnet else 32
    assert interface is not None
    if place.shell is Shell.LINUX:
        device = shlex.quote(interface.name)
        last = f"# to make it last with netplan: addresses: ['{place.address}/{length}'] under {device}"
        return f"ip addr add {place.address}/{length} dev {device}\n{last}"
    if interface.index is None:
        return ""
    added = f"New-NetIPAddress -InterfaceIndex {interface.index} -IPAddress {place.address} -PrefixLength {length}"
    # Without it Windows turns DHCP off on the interface, and the primary address goes with it.
    keep = f"netsh interface ipv4 set interface {interface.index} dhcpstaticipcoexistence=enabled store=persistent"
    return f"{keep}\n{added} -SkipAsSource $true" if place.version == 4 else f"{added} -SkipAsSource $true"


def bring_up(place: Place) -> Remedy:
    """Bring up an interface that is down."""
    name = place.interface.name if place.interface else "the interface"
    text = f"In the guest, bring {name} up; then see why it was down: it should come up with the guest."
    index = place.interface.index if place.interface else None
    if place.shell is Shell.LINUX:
        command = f"ip link set {shlex.quote(name)} up"
    else:
        command = f"Get-NetAdapter -InterfaceIndex {index} | Enable-NetAdapter" if index is not None else ""
    return Remedy(summary=text, az_cli=command, doc_url=_RUNBOOK)


def listen(port: int, addresses: tuple[str, ...]) -> Remedy:
    """Have something listen where it is asked."""
    if addresses:
        text = (
            f"Port {port} is open on {', '.join(addresses)} only: have the service listen on all addresses (0.0.0.0, "
            "::) or on the one that is asked for, and restart it."
        )
    else:
        text = f"Start the service that should listen on port {port}, or correct the port that is asked for."
    return Remedy(summary=text, doc_url=_LISTENER)


def allow_port(shell: Shell, port: int, verdict: Verdict, *, source: str = "", ipv6: bool = False) -> Remedy:
    """Let a port through the guest's own firewall: for the source alone, where its IP address is known."""
    rule, whom = f"{verdict.rule[:1].upper()}{verdict.rule[1:]}", f" from {source}" if source else ""
    text = f"{rule} keeps it out: allow TCP port {port}{whom} in the guest's firewall."
    if shell is Shell.WINDOWS and verdict.name:
        quoted = _QUOTE.sub(r"\1\1", verdict.name)
        text += " In Windows a rule that blocks wins over all that allow: narrow it, or disable it if nobody needs it."
        disable = az.otherwise("or, if nobody needs it", f"Disable-NetFirewallRule -DisplayName '{quoted}'")
        command = f"Get-NetFirewallRule -DisplayName '{quoted}'\n{disable}"
    elif shell is Shell.WINDOWS:
        options = f"-Direction Inbound -Protocol TCP -LocalPort {port} -Action Allow"
        options += f" -RemoteAddress {source}" if source else ""
        command = f"New-NetFirewallRule -DisplayName 'Allow TCP {port}' {options}"
    elif verdict.name:
        zone = shlex.quote(verdict.name)
        family = f'family="ipv{6 if ipv6 else 4}" source address="{source}"'
        rich = f'--add-rich-rule=\'rule {family} port port="{port}" protocol="tcp" accept\''
        opened = rich if source else f"--add-port={port}/tcp"
        command = f"firewall-cmd --permanent --zone={zone} {opened}\nfirewall-cmd --reload"
    elif "nftables" in verdict.rule:
        command = "nft -a list ruleset"
    elif "ufw" in verdict.rule:
        narrow = f"ufw prepend allow proto tcp from {source} to any port {port}"
        command = narrow if source else f"ufw allow {port}/tcp"
    else:
        ends = f"-s {source} --dport {port}" if source else f"--dport {port}"
        command = f"{'ip6tables' if ipv6 else 'iptables'} -I INPUT -p tcp {ends} -j ACCEPT"
    return Remedy(summary=text, az_cli=command, doc_url=_FIREWALL)
