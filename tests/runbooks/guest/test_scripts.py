"""The scripts themselves: what gets into them, and what they print where a real shell runs them."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.probes import GuestOutput, GuestScript, Shell
from diagnostics.runbooks.guest import scripts
from diagnostics.runbooks.guest.attempts import Result, read_attempts
from diagnostics.runbooks.guest.chains import Packet
from diagnostics.runbooks.guest.listeners import read_listening
from diagnostics.runbooks.guest.remedies import Place, default_gateway
from diagnostics.runbooks.guest.routes import Way, judge
from diagnostics.runbooks.guest.tables import read_routes
from tests.runbooks.guest.world import vm_id

VM = vm_id("sql-1")
ROUTES = scripts.routes(VM, "westeurope", Shell.LINUX)
KEPT = 4096


@pytest.mark.parametrize("shell", Shell)
@pytest.mark.parametrize(
    "address",
    ["10.0.0.4; reboot", "$(reboot)", "a'b", "a b", "", "-x", "fe80::1%eth0", "http://a", "1.0.0.0/8", "`id`"],
)
def test_only_an_address_or_a_host_name_gets_into_a_script(shell: Shell, address: str) -> None:
    with pytest.raises(ParseError, match="is neither an IP address nor a host name"):
        scripts.tcp_ping(VM, "westeurope", shell, address, 22)


@pytest.mark.parametrize("shell", Shell)
@pytest.mark.parametrize("port", [0, 65_536, -1, "22; reboot", True, None, 22.0])
def test_only_a_port_gets_into_a_script(shell: Shell, port: int) -> None:
    with pytest.raises(ParseError, match=r"port: .* is not a number between 1 and 65535"):
        scripts.tcp_ping(VM, "westeurope", shell, "10.0.0.4", port)
    with pytest.raises(ParseError, match=r"port: .* is not a number between 1 and 65535"):
        scripts.destination(VM, "westeurope", shell, port)


@pytest.mark.parametrize("count", [0, 21])
def test_a_ping_is_bounded(count: int) -> None:
    with pytest.raises(ParseError, match="count"):
        scripts.tcp_ping(VM, "westeurope", Shell.LINUX, "10.0.0.4", 22, count=count)


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        (Shell.LINUX, ("port=1433", "count=10", "target=sql.example.com", "named=yes")),
        (Shell.WINDOWS, ("$port = 1433", "$count = 10", "$target = 'sql.example.com'", "$named = 'yes'")),
    ],
)
def test_values_stand_before_the_script(shell: Shell, lines: tuple[str, ...]) -> None:
    script = scripts.tcp_ping(VM, "westeurope", shell, "sql.example.com", 1433)
    assert set(lines) <= set(script.lines[:8])
    assert (script.vm, script.shell) == (VM, shell)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A directory of commands that stands first in PATH."""
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def command(tools: Path, name: str, script: str) -> None:
    path = tools / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run(script: GuestScript, tools: Path, shell: str = "sh", *, only: bool = False) -> GuestOutput:
    path = str(tools) if only else f"{tools}:{os.environ['PATH']}"
    done = subprocess.run(
        [shutil.which(shell) or shell, "-c", "\n".join(script.lines)],
        env={"PATH": path},
        capture_output=True,
        check=False,
        text=True,
    )
    return GuestOutput(done.stdout[-KEPT:], done.stderr)


IP = r"""
case "$*" in
  '-o link show')
    echo '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT\    link/loopback'
    echo '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT\    link/ether'
    echo '3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT\    link/ether'
    i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "$((i+3)): veth$i@if2: <BROADCAST,UP> mtu 1500\    link"; done ;;
  '-o addr show')
    echo '1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever'
    echo '1: lo    inet6 ::1/128 scope host \       valid_lft forever preferred_lft forever'
    echo '2: eth0    inet 10.0.1.4/24 metric 100 brd 10.0.1.255 scope global eth0\       valid_lft forever'
    echo '2: eth0    inet6 fe80::6245:bdff:fe11:2233/64 scope link \       valid_lft forever'
    echo '3: eth1    inet 10.0.2.4/24 brd 10.0.2.255 scope global eth1\       valid_lft forever'
    i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "$((i+3)): veth$i    inet6 fe80::$i/64 scope link \  v"; done ;;
  '-o -4 route show table all')
    i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "10.244.0.$i dev veth$i scope link "; done
    i=0; while [ $i -lt 90 ]; do i=$((i+1)); echo "10.50.$i.0/24 via 10.0.1.9 dev eth0 proto bird "; done
    echo 'default via 10.0.2.1 dev eth1 table 201 proto static '
    echo 'default via 10.0.1.1 dev eth0 proto dhcp src 10.0.1.4 metric 100 '
    echo 'broadcast 10.0.1.255 dev eth0 table local proto kernel scope link src 10.0.1.4 '
    echo 'local 10.0.1.4 dev eth0 table local proto kernel scope host src 10.0.1.4 ' ;;
  '-4 rule show')
    printf '0:\tfrom all lookup local\n32765:\tfrom 10.0.2.4 lookup 201\n32766:\tfrom all lookup main\n' ;;
  *) echo 'Option "-6" is unknown, try "ip -help".' >&2; exit 255 ;;
esac
"""
BUSYBOX = r"""
case "$*" in
  *'table all'*|*rule*|-6*) echo "ip: invalid argument 'all' to 'table ID'" >&2; exit 1 ;;
  '-o link show') echo '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast qlen 1000\    link' ;;
  '-o addr show') echo '2: eth0    inet 10.0.2.4/24 brd 10.0.2.255 scope global eth0\       valid_lft forever' ;;
  '-4 route show') echo 'default via 10.0.2.1 dev eth0  metric 202 ' ;;
esac
"""


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_node_full_of_containers_still_fits(tools: Path, shell: str) -> None:
    command(tools, "ip", IP)
    routes = read_routes(run(ROUTES, tools, shell))
    assert [interface.name for interface in routes.interfaces] == ["eth0", "eth1"]
    assert judge(routes, "10.0.2.4", "10.0.0.4").way is Way.OUT
    assert (4, "65 routes of IPv4 were left out for size") in routes.gaps
    assert routes.whole(6) is False


def test_busybox_is_read_as_far_as_it_goes(tools: Path) -> None:
    command(tools, "ip", BUSYBOX)
    routes = read_routes(run(ROUTES, tools))
    judgement = judge(routes, "10.0.2.4", "10.0.0.4")
    assert (judgement.way, judgement.certain) == (Way.OUT, False)


def test_a_guest_without_ip_says_so(tools: Path) -> None:
    for name in ("sed", "grep", "head", "wc"):
        (tools / name).symlink_to(shutil.which(name) or name)
    script = GuestScript(VM, "", Shell.LINUX, tuple(x.replace(":/usr/sbin:/sbin", "") for x in ROUTES.lines), "")
    with pytest.raises(ParseError, match="no ip"):
        read_routes(run(script, tools, only=True))


@pytest.mark.skipif(not shutil.which("ip"), reason="this machine has no ip")
def test_this_machine_has_a_routing_table(tools: Path) -> None:
    assert read_routes(run(ROUTES, tools)).interfaces


NAMESPACE = r"""
ip link set lo up
for i in 0 1; do ip link add eth$i type veth peer name p$i && ip link set eth$i up && ip link set p$i up || exit 1; done
ip addr add 10.0.1.4/24 dev eth0; ip addr add 10.0.2.4/24 dev eth1
ip route add default via 10.0.1.1 dev eth0 metric 100
"""
PEERS = ("10.0.0.4", "10.0.2.9", "10.8.1.1", "192.168.0.1")


def _namespace(tools: Path, commands: str) -> tuple[GuestOutput, list[str]]:
    """What the script prints in a network namespace of its own, and by what interface the kernel answers each peer."""
    script, asked = tools / "routes.sh", " ".join(PEERS)
    script.write_text("\n".join(ROUTES.lines), encoding="utf-8")
    get = f'for p in {asked}; do ip route get "$p" from 10.0.2.4 2>/dev/null || echo none; done | grep -E " dev |none"'
    lines = f"{NAMESPACE}{commands}\nsh {script} || exit 1\n{get}"
    done = subprocess.run(["unshare", "-n", "sh", "-c", lines], capture_output=True, check=False, text=True)
    output, _, kernel = done.stdout.partition("vmreach: end\n")
    words = [line.split() for line in kernel.splitlines()]
    devices = [line[line.index("dev") + 1] if "dev" in line else "none" for line in words]
    if done.returncode or len(devices) != len(PEERS):
        pytest.skip(f"no network namespaces here: {done.stderr[:200]}")
    return GuestOutput(f"{output}vmreach: end\n", ""), devices


@pytest.mark.skipif(not (shutil.which("ip") and shutil.which("unshare")), reason="needs ip and unshare")
@pytest.mark.parametrize(
    "commands",
    [
        "",
        "ip route add default via 10.0.2.1 dev eth1 metric 200",
        "ip route add default via 10.0.2.1 dev eth1 table 201; ip rule add from 10.0.2.4 lookup 201",
        "ip route add default via 10.0.2.1 dev eth1 table 201; ip rule add from 10.0.2.4 to 10.8.0.0/16 lookup 201",
        "ip route add 10.8.0.0/16 via 10.0.2.1 dev eth1; ip route add blackhole 192.168.0.0/16",
        "ip route add default via 10.0.2.1 dev eth1 table 201; ip rule add not from 10.0.2.0/24 lookup 201",
        """ip route add default via 10.0.2.1 dev eth1 table 201; ip route add throw 10.8.0.0/16 table 201
        ip rule add from 10.0.2.0/24 lookup 201; ip rule add from all lookup main suppress_prefixlength 0""",
        "ip route add unreachable default table 7; ip rule add from 10.0.2.4 lookup 7",
        "ip rule add from 10.0.2.4 to 192.168.0.0/16 prohibit",
    ],
)
def test_the_kernel_judges_the_same(tools: Path, commands: str) -> None:
    output, devices = _namespace(tools, commands)
    routes = read_routes(output)
    for peer, device in zip(PEERS, devices, strict=True):
        judgement = judge(routes, "10.0.2.4", peer)
        assert judgement.certain
        own = judgement.way in {Way.OUT, Way.SAME_SUBNET}
        named = "eth1" if own else (judgement.route.interface if judgement.route else "") or "none"
        assert (peer, named) == (peer, device)


@pytest.mark.skipif(not (shutil.which("ip") and shutil.which("unshare")), reason="needs ip and unshare")
@pytest.mark.parametrize("before", ["", "ip route add default via 10.0.2.1 dev eth1 table 9"])
def test_the_commands_of_the_remedy_mend_it(tools: Path, before: str) -> None:
    routes = read_routes(_namespace(tools, before)[0])
    place = Place(Shell.LINUX, "10.0.2.4", "10.0.2.1", ip_network("10.0.2.0/24"), routes.having("10.0.2.4"))
    output, devices = _namespace(tools, f"{before}\n{default_gateway(place, routes).az_cli}")
    assert judge(read_routes(output), "10.0.2.4", "10.0.0.4").way is Way.OUT
    assert devices == ["eth1"] * len(PEERS)


needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="/dev/tcp is bash's")


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as server:
        try:
            server.bind((request.param, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        server.listen(16)
        yield request.param, server.getsockname()[1]


@needs_bash
def test_an_open_port_answers_every_time(tools: Path, listener: tuple[str, int]) -> None:
    script = scripts.tcp_ping(VM, "", Shell.LINUX, *listener, count=2)
    attempts = read_attempts(run(script, tools))
    assert [attempt.result for attempt in attempts.each] == [Result.OPEN, Result.OPEN]
    assert all(latency > 0 for latency in attempts.latencies)


@needs_bash
def test_a_closed_port_refuses(tools: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it
        script = scripts.tcp_ping(VM, "", Shell.LINUX, "127.0.0.1", unused.getsockname()[1], count=2)
        assert read_attempts(run(script, tools)).only(Result.REFUSED)


@needs_bash
@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("exit 124", Result.TIMEOUT),
        ("exit 143", Result.TIMEOUT),
        ("echo 'bash: connect: Connection timed out' >&2; exit 1", Result.TIMEOUT),
        ("echo 'bash: connect: Network is unreachable' >&2; exit 1", Result.UNREACHABLE),
        ("echo 'bash: connect: No route to host' >&2; exit 1", Result.UNREACHABLE),
        ("echo 'bash: connect: Operation not permitted' >&2; exit 1", Result.FORBIDDEN),
        ("echo 'bash: something new' >&2; exit 1", Result.OTHER),
    ],
)
def test_ways_to_fail(tools: Path, script: str, result: Result) -> None:
    command(tools, "timeout", script)
    ping = scripts.tcp_ping(VM, "", Shell.LINUX, "10.0.0.4", 22, count=1)
    assert read_attempts(run(ping, tools)).each[0].result is result


@needs_bash
@pytest.mark.parametrize(
    ("hosts", "resolved", "result"), [("", "", Result.NAME), ("10.9.9.9 STREAM x", "10.9.9.9", None)]
)
def test_a_name_is_resolved_once(tools: Path, hosts: str, resolved: str, result: Result | None) -> None:
    command(tools, "getent", f"[ -n '{hosts}' ] && echo '{hosts}'")
    command(tools, "timeout", "echo 700")
    attempts = read_attempts(run(scripts.tcp_ping(VM, "", Shell.LINUX, "db.example.com", 22, count=1), tools))
    assert (attempts.resolved, attempts.each[0].result) == (resolved, result or Result.OPEN)


SS = """
echo 'State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process'
echo 'LISTEN 0      128          0.0.0.0:22        0.0.0.0:*'
echo 'LISTEN 0      128    127.0.0.53%lo:1433      0.0.0.0:*'
echo 'LISTEN 0      128         10.0.1.4:11433     0.0.0.0:*'
echo 'LISTEN 0      128             [::]:1433         [::]:*'
"""
IPTABLES = r"""
case "$*" in
  '-t nat -S') printf '%s\n' '-P PREROUTING ACCEPT' '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 14330 -j DNAT' ;;
  '-S') printf '%s\n' '-P INPUT ACCEPT' '-P FORWARD DROP' '-N f2b-sshd' '-A INPUT -i lo -j ACCEPT' \
    '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' '-A INPUT -p udp -m udp --dport 53 -j ACCEPT' \
    '-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd' '-A FORWARD -j DOCKER-USER' '-A f2b-sshd -j RETURN' \
    '-A INPUT -p tcp -m tcp --dport 1433 -m comment --comment "no sql" -j DROP' ;;
esac
"""


def test_listeners_and_firewall_of_a_destination(tools: Path) -> None:
    command(tools, "ss", SS)
    command(tools, "iptables", IPTABLES)
    for name in ("nft", "firewall-cmd"):
        command(tools, name, "exit 1")
    output = run(scripts.destination(VM, "", Shell.LINUX, 1433), tools)
    listening = read_listening(output, Packet(1433))
    assert (set(listening.addresses), listening.forwarded) == ({"127.0.0.53", "::"}, ())
    assert listening.firewall is not None
    assert (listening.firewall.blocks, listening.firewall.sure) == (True, True)
    assert "FORWARD" not in output.stdout
    assert "conntrack" not in output.stdout


FIREWALLD = r"""
case "$*" in
  --state) echo running ;;
  --get-active-zones) printf 'public (default)\n  interfaces: eth0 eth1\ninternal\n  sources: 10.9.0.0/16\n' ;;
  '--zone=public --list-ports') echo '8080/tcp' ;;
  '--zone=public --list-services') echo 'ssh dhcpv6-client' ;;
  '--permanent --service=ssh --get-ports') echo '22/tcp' ;;
  '--permanent --service=dhcpv6-client --get-ports') echo '546/udp' ;;
  *--get-target) echo default ;;
esac
"""


@pytest.mark.parametrize(("port", "blocks", "sure"), [(1433, True, True), (22, True, False), (8080, True, False)])
def test_firewalld_is_asked_for_its_zones(tools: Path, port: int, blocks: bool, sure: bool) -> None:  # noqa: FBT001
    command(tools, "firewall-cmd", FIREWALLD)
    for name in ("nft", "iptables"):
        command(tools, name, "exit 1")
    verdict = read_listening(run(scripts.destination(VM, "", Shell.LINUX, port), tools), Packet(port)).firewall
    assert verdict is not None
    assert (verdict.blocks, verdict.sure) == (blocks, sure)


def test_netstat_answers_where_ss_is_missing(tools: Path) -> None:
    for name in ("awk", "sort", "grep", "sed", "head", "wc"):
        (tools / name).symlink_to(shutil.which(name) or name)
    command(tools, "netstat", "echo 'tcp        0      0 :::1433      :::*      LISTEN'")
    lines = scripts.destination(VM, "", Shell.LINUX, 1433).lines
    script = GuestScript(VM, "", Shell.LINUX, tuple(x.replace(":/usr/sbin:/sbin", "") for x in lines), "")
    listening = read_listening(run(script, tools, only=True), Packet(1433))
    assert (listening.addresses, listening.firewall) == (("::",), None)


def test_listeners_that_could_not_be_read_are_not_none(tools: Path) -> None:
    for name in ("ss", "iptables", "nft", "firewall-cmd"):
        command(tools, name, "exit 1")
    listening = read_listening(run(scripts.destination(VM, "", Shell.LINUX, 1433), tools), Packet(1433))
    assert (listening.addresses, listening.unread) == ((), "ss failed")


@pytest.mark.parametrize(
    "section", ["#netstat\n!netstat failed", "#listening\n!ss failed\n#firewalld\n#iptables\n-P INPUT ACCEPT"]
)
def test_what_was_not_read_is_not_known(section: str) -> None:
    listening = read_listening(GuestOutput(f"{scripts.BEGIN}\n{section}\n{scripts.END}", ""), Packet(1433))
    assert (listening.addresses, bool(listening.unread), listening.firewall) == ((), True, None)


@pytest.mark.parametrize(("nft", "sure"), [("no rules", True), ("!unread", False)])
def test_an_open_policy_is_sure_only_where_nftables_was_read(nft: str, *, sure: bool) -> None:
    text = f"{scripts.BEGIN}\n#listening\n*\n#iptables\n-P INPUT ACCEPT\n#nft\n{nft}\n{scripts.END}"
    verdict = read_listening(GuestOutput(text, ""), Packet(1433)).firewall
    assert verdict is not None
    assert (verdict.blocks, verdict.sure) == (False, sure)
