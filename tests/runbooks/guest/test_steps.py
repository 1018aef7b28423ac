"""What the steps that look inside a guest conclude."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from diagnostics.findings import Confidence, Finding, Outcome, Step
from diagnostics.intake.messages import Protocol
from diagnostics.network.model import IpConfiguration, Nic
from diagnostics.network.probes import GuestOutput
from diagnostics.runbooks.guest import steps
from diagnostics.runbooks.questions import Unread
from tests.runbooks.guest.world import FIRST, SECOND, Guest, configuration, nic, recorded, vm_id

FORBIDDEN = Unread("not allowed.", "Microsoft.Compute/virtualMachines/runCommand/action", "/subscriptions/s1")
SILENT = Unread("no answer for 90 s")


def table(guest: Guest, nic: Nic = SECOND, of: IpConfiguration | None = None) -> tuple[Step, Finding | None]:
    chosen = of or nic.ip_configurations[0]
    after = guest.run(steps.routing_table(guest.situation, guest.sql, nic, chosen))
    assert [finding.check for finding in after.findings] in ([], ["CON016"])
    return after.steps[-1], next(iter(after.findings), None)


def found(guest: Guest, nic: Nic = SECOND, of: IpConfiguration | None = None) -> Finding:
    step, finding = table(guest, nic, of)
    assert step.outcome is Outcome.FAILED
    assert finding is not None
    return finding


def pinged(guest: Guest, address: str = "10.20.2.4", port: int | None = 1433) -> tuple[Step, tuple[Finding, ...]]:
    after = guest.run(steps.tcp_ping(guest.situation, address, port))
    return after.steps[-1], after.findings


def listened(guest: Guest, port: int | None = 1433) -> tuple[Step, tuple[Finding, ...]]:
    after = guest.run(steps.listener(guest.situation, port))
    return after.steps[-1], after.findings


_STEPS: dict[str, Callable[[Guest], Step]] = {
    "table": lambda guest: table(guest)[0],
    "ping": lambda guest: pinged(guest)[0],
    "listener": lambda guest: listened(guest)[0],
}


@pytest.mark.parametrize(
    ("guest", "outcome", "said"),
    [
        (Guest(SILENT, allowed=False), Outcome.SKIPPED, "VMREACH_RUN_COMMAND is off"),
        (Guest(SILENT, state="deallocated"), Outcome.SKIPPED, "-1 is deallocated, so nothing can be asked"),
        (Guest(SILENT, os=""), Outcome.SKIPPED, "does not say whether"),
        (Guest(SILENT, os="Plan9"), Outcome.SKIPPED, "(Plan9)"),
        (Guest(SILENT), Outcome.INCONCLUSIVE, "no answer for 90 s. Run Command needs a VM agent that runs and"),
        (Guest(SILENT), Outcome.INCONCLUSIVE, "outbound port 443 to AzureCloud"),
        (Guest(FORBIDDEN), Outcome.INCONCLUSIVE, "Grant Microsoft.Compute/virtualMachines/runCommand/action on"),
        (Guest(recorded("truncated")), Outcome.INCONCLUSIVE, "Azure keeps the last 4,096 bytes"),
        (Guest(GuestOutput("", "boom")), Outcome.INCONCLUSIVE, "printed nothing; it complained: boom"),
    ],
)
@pytest.mark.parametrize("kind", ["table", "ping", "listener"])
def test_a_guest_that_can_not_be_looked_into(guest: Guest, outcome: Outcome, said: str, kind: str) -> None:
    guest = replace(guest, asked=[])
    step = _STEPS[kind](guest)
    assert (step.outcome, said in step.summary) == (outcome, True)
    assert bool(guest.asked) is (outcome is Outcome.INCONCLUSIVE)


def test_an_unknown_power_state_is_tried() -> None:
    guest = Guest(recorded("linux_policy"), state=None)
    assert table(guest)[0].outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("name", "os", "command"),
    [
        ("windows_no_gateway", "Windows", "route add 0.0.0.0 mask 0.0.0.0 -p 10.0.2.1 metric 5015 if 14"),
        ("windows_localised", "Windows", "route add 0.0.0.0 mask 0.0.0.0 -p 10.0.2.1 metric 5015 if 14"),
        ("route_print_english", "Windows", "route add 0.0.0.0 mask 0.0.0.0 -p 10.0.2.1 metric 5015"),
        (
            "linux_no_gateway",
            "Linux",
            """ip route add 10.0.2.0/24 dev eth1 src 10.0.2.4 table 200
ip route add default via 10.0.2.1 dev eth1 table 200
ip rule add from 10.0.2.4/32 table 200""",
        ),
        ("linux_table_without_rule", "Linux", "ip rule add from 10.0.2.4/32 table 201"),
    ],
)
def test_the_command_that_mends_it(name: str, os: str, command: str) -> None:
    finding = found(Guest(recorded(name), os=os))
    assert finding.remedy.az_cli.partition("\n#")[0] == command
    assert (finding.confidence, finding.resource.name) == (Confidence.PROVEN, "sql-1")
    assert finding.because[0].text.startswith("Read in the guest: ")


def test_the_commands_for_linux_say_how_to_make_them_last() -> None:
    text = found(Guest(recorded("linux_no_gateway"))).remedy.az_cli
    assert "#       routes: [{to: '0.0.0.0/0', via: '10.0.2.1', table: 200}]" in text
    assert "#       routing-policy: [{from: '10.0.2.4/32', table: 200}]" in text
    assert "+ipv4.routing-rules 'priority 200 from 10.0.2.4/32 table 200'" in text


def test_a_missing_gateway_is_told_with_its_routes() -> None:
    step, finding = table(Guest(recorded("linux_no_gateway")))
    assert step.summary.startswith("10.0.2.4 is on eth1, which has no default gateway: answers leave by eth0 instead")
    assert step.evidence == (
        "eth0 (index 2): 10.0.1.4/24",
        "eth1 (index 3): 10.0.2.4/24",
        "default via 10.0.1.1 on eth0, metric 100",
    )
    assert finding is not None
    assert "no default gateway on its secondary interface sql-nic-2" in finding.title
    assert finding.because[0].kind == "default gateway"


def test_what_is_inferred_and_what_is_read_are_one_finding() -> None:
    guest = Guest(recorded("windows_no_gateway"), os="Windows")
    read = found(guest)
    inferred = steps.inferred(guest.situation, guest.sql, SECOND, "10.0.2.4", "10.0.2.1")
    assert (inferred.finding_id, inferred.confidence) == (read.finding_id, Confidence.POSSIBLE)
    assert inferred.remedy.az_cli == "route add 0.0.0.0 mask 0.0.0.0 -p 10.0.2.1"


@pytest.mark.parametrize(
    ("os", "gateway", "command"),
    [
        ("Linux", "10.0.2.1", "ip route add default via 10.0.2.1 dev <its interface> table 200"),
        ("Linux", None, ""),
        ("Windows", None, ""),
        ("", "10.0.2.1", "route add 0.0.0.0 mask 0.0.0.0 -p 10.0.2.1"),
    ],
)
def test_what_is_inferred_has_the_commands_as_far_as_they_are_known(os: str, gateway: str | None, command: str) -> None:
    guest = Guest(SILENT, os=os)
    remedy = steps.inferred(guest.situation, guest.sql, SECOND, "10.0.2.4", gateway).remedy
    assert remedy.az_cli.startswith(command)
    assert bool(remedy.az_cli) is bool(command)


def test_a_subnet_that_can_not_be_read_leaves_the_gateway_open() -> None:
    finding = found(Guest(recorded("windows_no_gateway"), os="Windows", subnets=False))
    assert finding.remedy.az_cli == ""
    assert "the first usable address of its subnet" in finding.remedy.summary


def test_an_answer_that_goes_astray_is_told_so() -> None:
    finding = found(Guest(recorded("linux_two_defaults")))
    assert (finding.confidence, finding.because[0].kind) == (Confidence.PROVEN, "guest route")
    assert "answers for its secondary interface sql-nic-2 by eth0" in finding.title
    assert "10.0.2.1" in finding.remedy.az_cli


def test_a_table_that_was_read_in_part_is_no_proof() -> None:
    assert found(Guest(recorded("linux_busybox"))).confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    ("name", "os", "said"),
    [
        ("windows_good", "Windows", "10.0.2.4 is on Ethernet 2, which has a default route via 10.0.2.1"),
        ("linux_policy", "Linux", "via 10.0.2.1, by rule 32765: from 10.0.2.4/32 lookup eth1-rt"),
        ("windows_specific_route", "Windows", "a route leads out by it to who asks: 10.0.0.0/24 via 10.0.2.1"),
    ],
)
def test_a_way_out_passes(name: str, os: str, said: str) -> None:
    step, finding = table(Guest(recorded(name), os=os))
    assert (step.outcome, finding) == (Outcome.PASSED, None)
    assert said in step.summary
    assert step.evidence


V6 = nic("sql-nic-2", configuration("10.0.2.4", "back-2"), configuration("fd00:2::4", "back-2"), primary=False)


@pytest.mark.parametrize(
    ("name", "os", "command"),
    [
        (
            "windows_ipv6",
            "Windows",
            "New-NetRoute -DestinationPrefix ::/0 -InterfaceIndex 14 -NextHop fe80::1234:5678:9abc -RouteMetric 5015",
        ),
        (
            "linux_ipv6",
            "Linux",
            """ip -6 route add fd00:2::/64 dev eth1 src fd00:2::4 table 200
ip -6 route add default via fe80::1234:5678:9abc dev eth1 table 200
ip -6 rule add from fd00:2::4/128 table 200""",
        ),
    ],
)
def test_ipv6_has_commands_of_its_own(name: str, os: str, command: str) -> None:
    finding = found(Guest(recorded(name), os=os, address="fd00:2::4"), V6, V6.ip_configurations[1])
    assert finding.remedy.az_cli.partition("\n#")[0] == command


TWO = nic(
    "sql-nic-2", configuration("10.0.2.5", "back-2"), configuration("10.0.2.4", "back-2", primary=False), primary=False
)


@pytest.mark.parametrize(
    ("name", "os", "command"),
    [
        ("linux_address_missing", "Linux", "ip addr add 10.0.2.4/24 dev eth1"),
        (
            "windows_address_missing",
            "Windows",
            """netsh interface ipv4 set interface 14 dhcpstaticipcoexistence=enabled store=persistent
New-NetIPAddress -InterfaceIndex 14 -IPAddress 10.0.2.4 -PrefixLength 24 -SkipAsSource $true""",
        ),
    ],
)
def test_a_further_address_that_the_guest_lacks(name: str, os: str, command: str) -> None:
    finding = found(Guest(recorded(name), os=os), TWO, TWO.ip_configurations[1])
    assert finding.title == "10.0.2.4 of secondary interface sql-nic-2 is not configured inside sql-1"
    assert (finding.because[0].kind, finding.confidence) == ("guest address", Confidence.LIKELY)
    assert finding.remedy.az_cli.partition("\n#")[0] == command


def test_a_first_address_that_the_guest_lacks_comes_by_dhcp() -> None:
    finding = found(Guest(recorded("windows_address_missing"), os="Windows"))
    assert (finding.confidence, finding.remedy.az_cli) == (Confidence.PROVEN, "ipconfig /renew")
    assert "by DHCP" in finding.remedy.summary


def test_an_address_is_not_missed_where_not_all_was_read() -> None:
    guest = Guest(recorded("route_print_english"), os="Windows", address="fd00:2::4")
    step, finding = table(guest, V6, V6.ip_configurations[1])
    assert (step.outcome, finding) == (Outcome.INCONCLUSIVE, None)
    assert "not known: IPv6 was not read" in step.evidence


@pytest.mark.parametrize(
    ("name", "os", "command"),
    [
        ("linux_only_primary_up", "Linux", "ip link set eth1 up"),
        ("windows_down", "Windows", "Get-NetAdapter -InterfaceIndex 14 | Enable-NetAdapter"),
    ],
)
def test_an_interface_that_is_down(name: str, os: str, command: str) -> None:
    finding = found(Guest(recorded(name), os=os))
    assert (finding.because[0].kind, finding.remedy.az_cli) == ("guest interface", command)


def test_a_configuration_without_an_address_is_skipped() -> None:
    step, finding = table(Guest(SILENT), of=configuration(None, "back-2"))
    assert (step.outcome, finding) == (Outcome.SKIPPED, None)
    assert "ipconfig1 of sql-nic-2 has no address" in step.summary


def test_a_name_of_the_guest_is_quoted_in_a_command() -> None:
    text = recorded("linux_no_gateway").stdout.replace("eth1", "eth1;reboot")
    finding = found(Guest(GuestOutput(text, "")))
    assert "dev 'eth1;reboot' table 200" in finding.remedy.az_cli


@pytest.mark.parametrize(
    ("name", "outcome", "summary", "evidence"),
    [
        ("open", Outcome.PASSED, "3 of 3 answered, 1.2/2.1/3.1 ms min/avg/max", "10.20.2.4:1433 open, 1.9 ms"),
        ("mixed", Outcome.FAILED, "1 of 3 answered, 1.2/1.2/1.2 ms min/avg/max; else: no answer in time, conn", ""),
        ("refused", Outcome.FAILED, "0 of 2 answered: connection refused (the host answers, and nothing", ""),
        ("timeout", Outcome.FAILED, "0 of 2 answered: no answer in time", "10.20.2.4:1433 no answer in time"),
        ("name", Outcome.FAILED, "web-1: the name 10.20.2.4 does not resolve there", ""),
        ("other", Outcome.FAILED, "the guest itself did not let it out, failed", "bash: connect: Argument list"),
        ("no_bash", Outcome.INCONCLUSIVE, "bash and timeout are needed", ""),
        ("garbage", Outcome.INCONCLUSIVE, "'soon' in '1 open soon' is no time", ""),
    ],
)
def test_a_ping_is_told_like_tcping(name: str, outcome: Outcome, summary: str, evidence: str) -> None:
    step, findings = pinged(Guest(recorded(f"attempts_{name}")))
    assert (step.outcome, summary in step.summary) == (outcome, True)
    assert evidence in "\n".join(step.evidence)
    assert [finding.check for finding in findings] == (["CON008"] if name == "refused" else [])


def test_refused_is_about_the_destination() -> None:
    _, (finding,) = pinged(Guest(recorded("attempts_refused")))
    assert (finding.resource.name, finding.confidence) == ("sql-1", Confidence.LIKELY)


def test_a_ping_of_ipv6_is_written_with_brackets() -> None:
    step, _ = pinged(Guest(recorded("attempts_open")), "fd00:2::4")
    assert step.evidence[0] == "[fd00:2::4]:1433 open, 1.2 ms"


@pytest.mark.parametrize(
    ("guest", "port", "said"),
    [
        (Guest(SILENT, protocol=Protocol.ICMP), 1433, "ICMP"),
        (Guest(SILENT), None, "no TCP port"),
        (Guest(SILENT), 0, "port: '0'"),
    ],
)
def test_only_tcp_is_pinged(guest: Guest, port: int | None, said: str) -> None:
    step, findings = pinged(guest, port=port)
    assert (step.outcome, findings, guest.asked) == (Outcome.SKIPPED, (), [])
    assert said in step.summary


def test_the_id_of_the_destination_stands_for_its_address() -> None:
    guest = Guest(recorded("attempts_open"), address=None)
    step, _ = pinged(guest, vm_id("sql-1").text)
    assert step.evidence[0] == "10.0.1.4:1433 open, 1.2 ms"
    assert "target=10.0.1.4" in guest.asked[0].lines


def test_no_strange_address_is_pinged() -> None:
    guest = Guest(SILENT)
    assert pinged(guest, "10.0.0.4; reboot")[0].outcome is Outcome.SKIPPED
    assert guest.asked == []


@pytest.mark.parametrize(
    ("name", "os", "checks", "confidence", "said"),
    [
        ("linux_silent", "Linux", ["CON008"], Confidence.PROVEN, "Nothing listens on port 1433 of sql-1"),
        ("linux_loopback", "Linux", ["CON008"], Confidence.PROVEN, "listens on 127.0.0.1, ::1 only, not on 10.0.2.4"),
        ("linux_iptables_reject", "Linux", ["CON005"], Confidence.PROVEN, "--dports 1400:1500,3306 -j REJECT"),
        ("linux_ufw", "Linux", ["CON005"], Confidence.PROVEN, "policy DROP of iptables chain INPUT"),
        ("linux_iptables_unsure", "Linux", ["CON005"], Confidence.LIKELY, "policy DROP"),
        ("linux_nft", "Linux", ["CON005"], Confidence.LIKELY, "policy drop"),
        ("linux_firewalld", "Linux", ["CON005"], Confidence.PROVEN, "zone public, which does not open port 1433"),
        ("windows_silent", "Windows", ["CON008"], Confidence.PROVEN, "Nothing listens on port 1433 of sql-1"),
        ("windows_loopback", "Windows", ["CON008"], Confidence.PROVEN, "listens on 127.0.0.1 only"),
        ("windows_blocked", "Windows", ["CON005"], Confidence.PROVEN, "rule 'Block SQL' in profile Public"),
        ("windows_no_rule", "Windows", ["CON005"], Confidence.PROVEN, "the default of profile Public"),
        ("windows_elsewhere", "Windows", ["CON005"], Confidence.PROVEN, "no rule allows it"),
        ("windows_local_subnet", "Windows", ["CON005"], Confidence.LIKELY, "no rule allows it"),
        ("windows_other_profile", "Windows", ["CON005"], Confidence.PROVEN, "no rule allows it"),
        ("windows_all_blocked", "Windows", ["CON005"], Confidence.PROVEN, "blocks all inbound connections"),
    ],
)
def test_what_keeps_a_connection_out(name: str, os: str, checks: list[str], confidence: Confidence, said: str) -> None:
    step, findings = listened(Guest(recorded(f"destination_{name}"), os=os))
    assert ([finding.check for finding in findings], step.outcome) == (checks, Outcome.FAILED)
    assert (findings[0].confidence, said in findings[0].title) == (confidence, True)
    assert findings[0].remedy.summary


@pytest.mark.parametrize(
    ("name", "os", "outcome", "said"),
    [
        ("linux_good", "Linux", Outcome.PASSED, "sql-1 listens on port 1433, and its firewall lets it in"),
        ("linux_forwarded", "Linux", Outcome.PASSED, "sql-1 listens on port 1433"),
        ("linux_firewalld_open", "Linux", Outcome.PASSED, "firewalld zone public"),
        ("linux_unknown_firewall", "Linux", Outcome.INCONCLUSIVE, "listens on port 1433, but what the firewall says"),
        ("linux_no_ss", "Linux", Outcome.INCONCLUSIVE, "listeners are not known: neither ss nor netstat is there"),
        ("windows_good", "Windows", Outcome.PASSED, "rule 'SQL Server' in profile Public"),
        ("windows_off", "Windows", Outcome.PASSED, "is off"),
        ("windows_stopped", "Windows", Outcome.PASSED, "the service of Windows Firewall is Stopped"),
        ("netstat", "Windows", Outcome.INCONCLUSIVE, "listens on port 1433, but what the firewall says is not known"),
    ],
)
def test_a_destination_in_order(name: str, os: str, outcome: Outcome, said: str) -> None:
    step, findings = listened(Guest(recorded(f"destination_{name}"), os=os))
    assert (step.outcome, findings, said in step.summary) == (outcome, (), True)


@pytest.mark.parametrize(
    ("name", "os", "command"),
    [
        ("windows_blocked", "Windows", "\n# or, if nobody needs it: Disable-NetFirewallRule -DisplayName 'Block SQL'"),
        ("windows_no_rule", "Windows", "-LocalPort 1433 -Action Allow -RemoteAddress 10.0.0.4"),
        (
            "linux_firewalld",
            "Linux",
            '--zone=public --add-rich-rule=\'rule family="ipv4" source address="10.0.0.4" port',
        ),
        ("linux_iptables_reject", "Linux", "iptables -I INPUT -p tcp -s 10.0.0.4 --dport 1433 -j ACCEPT"),
        ("linux_nft", "Linux", "nft -a list ruleset"),
        ("linux_ufw", "Linux", "ufw prepend allow proto tcp from 10.0.0.4 to any port 1433"),
    ],
)
def test_the_command_that_opens_the_firewall(name: str, os: str, command: str) -> None:
    _, findings = listened(Guest(recorded(f"destination_{name}"), os=os))
    assert command in findings[0].remedy.az_cli


@pytest.mark.parametrize(
    ("address", "tool"), [("fd00:2::4", "ip6tables"), ("10.0.2.4", "iptables"), (None, "iptables")]
)
def test_each_ip_version_has_its_filter(address: str | None, tool: str) -> None:
    guest = Guest(recorded("destination_linux_good"), address=address, second=V6)
    listened(guest)
    assert f"iptables={tool}" in guest.asked[0].lines


def test_another_interface_that_forwards_may_let_it_through() -> None:
    guest = Guest(recorded("linux_no_gateway"), first=replace(FIRST, ip_forwarding=True))
    assert found(guest).confidence is Confidence.LIKELY
