"""The table of fixes: every row names the value, and its commands and Bicep can be used as they are."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from pycep import BicepParser

from diagnostics.engine.publish import linked
from diagnostics.findings import Confidence, Remedy
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem
from diagnostics.network.connectivity import IssueType
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Route, RouteTable, SecurityGroup, SecurityRule, Vm
from diagnostics.paste import bicep
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import blocked
from diagnostics.runbooks.particulars import filled
from diagnostics.runbooks.probed import Probed
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Conditions, Machine, Situation
from diagnostics.runbooks.survey import Survey
from tests.runbooks.world import NOON, OUTSIDE, check, hop, issue, net, subnet, vm

SQL, WEB = vm("sql-1"), vm("web-1")
NSG, TABLE, VNET = (
    net("networkSecurityGroups", "back-nsg"),
    net("routeTables", "front-routes"),
    net("virtualNetworks", "vnet"),
)
INSTANCE = ResourceId.parse(
    "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/3"
)
GATEWAY = net("virtualNetworkGateways", "gw")
DENIED = issue("NetworkSecurityRule", "Inbound", RuleName="UserRule_deny-sql")
DEFAULT = issue("NetworkSecurityRule", "Inbound", RuleName="DefaultRule_DenyAllInBound")
ASTRAY = issue("UserDefinedRoute", "Outbound", RouteType="User")
FLOW: dict[str, Any] = {
    "source": "10.0.0.4",
    "destination": "10.0.1.4",
    "port": 1433,
    "protocol": "Tcp",
    "location": "westeurope",
    "network": VNET,
}


def rule(name: str, priority: int, *, direction: str = "Inbound", default: bool = False) -> SecurityRule:
    return SecurityRule(name, priority, direction, "Deny", default=default)


def group(*rules: SecurityRule) -> SecurityGroup:
    return SecurityGroup(NSG, (*rules, rule("DenyAllInBound", 65_500, default=True)))


def remedy(blocker: Blocker) -> Remedy:
    return remedies.row(blocker.issue).remedy(blocker)


def at_rule(*rules: SecurityRule, **more: Any) -> Remedy:
    return remedy(replace(Blocker(DENIED, SQL, NSG, "deny-sql", group=group(*rules), **FLOW), **more))


def option(commands: str, name: str) -> str:
    words = shlex.split(commands.splitlines()[0])
    return words[words.index(f"--{name}") + 1]


def test_a_rule_is_overruled_for_exactly_this_flow() -> None:
    made = at_rule(rule("deny-sql", 200))
    assert "Rule deny-sql (priority 200) of NSG back-nsg blocks it" in made.summary
    assert "priority 199 that allows exactly it: TCP from 10.0.0.4 to 10.0.1.4 port 1433" in made.summary
    wanted = {
        "priority": "199",
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "source-address-prefixes": "10.0.0.4",
        "destination-address-prefixes": "10.0.1.4",
        "destination-port-ranges": "1433",
    }
    assert {name: option(made.az_cli, name) for name in wanted} == wanted
    for line in ("parent: it", "priority: 199", "access: 'Allow'", "destinationPortRange: '1433'"):
        assert line in made.bicep


def test_who_pastes_all_lines_deletes_nothing() -> None:
    lines = at_rule(rule("deny-sql", 200)).az_cli.splitlines()
    assert [line for line in lines if "delete" in line and not line.startswith("# ")] == []
    assert lines[-1].startswith("# or, if nobody needs it: az network nsg rule delete")


@pytest.mark.parametrize(
    ("rules", "priority"),
    [
        ((rule("deny-sql", 200), rule("a", 199), rule("b", 198)), 197),
        ((rule("deny-sql", 200), rule("a", 199, direction="Outbound")), 199),
        ((rule("deny-sql", 101), rule("a", 100)), None),
        ((rule("deny-sql", 100),), None),
    ],
    ids=["taken", "taken in the other direction", "all taken", "the first of all"],
)
def test_the_priority_is_free_and_above_the_rule(rules: tuple[SecurityRule, ...], priority: int | None) -> None:
    made = at_rule(*rules)
    assert ("rule create" in made.az_cli) is (priority is not None)
    assert (f"priority: {priority}\n" in made.bicep) is (priority is not None)
    assert ("No priority is free" in made.summary) is (priority is None)


@pytest.mark.parametrize(
    ("rules", "priority"),
    [((), 100), ((rule("a", 300),), 310), ((rule("a", 4096),), 4095), ((rule("a", 105, direction="Outbound"),), 100)],
    ids=["no rule", "below all", "the last is taken", "other direction"],
)
def test_a_default_rule_is_overruled_below_all_others(rules: tuple[SecurityRule, ...], priority: int) -> None:
    made = at_rule(*rules, issue=DEFAULT, item="DenyAllInBound", own=False)
    assert "Default rule DenyAllInBound of NSG back-nsg blocks it" in made.summary
    assert option(made.az_cli, "priority") == str(priority)
    assert "delete" not in made.az_cli


def test_a_priority_that_is_not_known_is_asked_for() -> None:
    made = at_rule(group=None)
    assert "param priority int" in made.bicep
    assert "priority: priority\n" in made.bicep
    assert "rule show" in made.az_cli


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"protocol": "Https"}, ("Tcp", "1433")),
        ({"protocol": "Icmp"}, ("Icmp", "*")),
        ({"protocol": "UDP"}, ("Udp", "1433")),
    ],
)
def test_the_rule_has_the_transport_of_the_probe(more: dict[str, str], expected: tuple[str, str]) -> None:
    made = at_rule(rule("deny-sql", 200), **more)
    assert (option(made.az_cli, "protocol"), option(made.az_cli, "destination-port-ranges")) == expected


def test_the_name_of_the_new_rule_is_one_that_azure_takes() -> None:
    made = at_rule(rule("deny-sql", 200), source="2001:db8:0:1::4", destination="2001:db8:0:2::4")
    assert option(made.az_cli, "name") == "allow-tcp-1433-from-2001-db8-0-1--4-to-2001-db8-0-2--4"
    assert option(made.az_cli, "source-address-prefixes") == "2001:db8:0:1::4"


@pytest.mark.parametrize(
    ("found", "destination", "says", "hop_type"),
    [
        (Route("r", "10.0.0.0/8", "None", ""), "10.0.1.4", "next hop None, which drops it", "VnetLocal"),
        (Route("r", "0.0.0.0/0", "None", ""), "203.0.113.9", "next hop None, which drops it", "Internet"),
        (Route("r", "0.0.0.0/0", "None", ""), "10.0.1.4", "next hop None, which drops it", None),
        (Route("r", "10.0.0.0/8", "Internet", ""), "10.0.1.4", "sends 10.0.0.0/8 to Internet", "VnetLocal"),
        (Route("r", "10.0.0.0/8", "VirtualNetworkGateway", ""), "10.0.1.4", "to VirtualNetworkGateway", None),
        (Route("r", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4"), "10.0.1.4", "to VirtualAppliance 10.0.9.4", None),
    ],
    ids=["dropped inside", "dropped to outside", "everything dropped", "to the internet", "gateway", "appliance"],
)
def test_a_route_is_told_with_where_it_leads(found: Route, destination: str, says: str, hop_type: str | None) -> None:
    made = remedy(Blocker(ASTRAY, WEB, TABLE, "r", route=found, **{**FLOW, "destination": destination}))
    assert says in made.summary
    assert ("route update" in made.az_cli) is (hop_type is not None)
    assert hop_type is None or f"nextHopType: '{hop_type}'" in made.bicep
    assert "# or, if nobody needs it: az network route-table route delete" in made.az_cli


def test_the_appliance_behind_a_route_is_looked_for() -> None:
    made = remedy(
        Blocker(ASTRAY, WEB, TABLE, "r", route=Route("r", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4"), **FLOW)
    )
    assert "[?privateIPAddress=='10.0.9.4']" in option(made.az_cli, "query")
    assert "nextHopIpAddress: appliance" in made.bicep


@pytest.mark.parametrize(
    ("named", "os", "origin", "script"),
    [
        ("Windows Firewall", "", "Inbound", "-Direction Inbound -LocalPort 1433 -RemoteAddress 10.0.0.4"),
        ("", "Windows", "Outbound", "-Direction Outbound -RemotePort 1433 -RemoteAddress 10.0.1.4"),
        ("iptables", "", "Inbound", "iptables -I INPUT -p tcp -s 10.0.0.4 -d 10.0.1.4 --dport 1433 -j ACCEPT"),
        ("iptables", "", "Outbound", "iptables -I OUTPUT -p tcp -s 10.0.0.4"),
        ("ufw", "", "Inbound", "ufw prepend allow proto tcp from 10.0.0.4 to 10.0.1.4 port 1433"),
        ("firewalld", "", "Inbound", 'family="ipv4" source address="10.0.0.4" port port="1433" protocol="tcp" accept'),
        ("nftables", "", "Inbound", "nft insert rule inet filter input ip saddr 10.0.0.4"),
        ("", "Linux", "Inbound", "if ufw status"),
    ],
)
def test_the_firewall_in_the_guest_is_opened_for_this_flow(named: str, os: str, origin: str, script: str) -> None:
    made = remedy(Blocker(issue("Guest Firewall", origin, Firewall=named), SQL, os=os, **FLOW))
    assert script in option(made.az_cli, "scripts")
    assert option(made.az_cli, "command-id") == (
        "RunPowerShellScript" if "NetFirewall" in made.az_cli else "RunShellScript"
    )
    assert "Microsoft.Compute/virtualMachines/runCommands@" in made.bicep
    assert named in made.summary


@pytest.mark.parametrize("more", [{"os": ""}, {"os": "Linux", "source": ""}, {"os": "Linux", "protocol": "Icmp"}])
def test_a_firewall_of_which_too_little_is_known_is_left_to_words(more: dict[str, str]) -> None:
    made = remedy(Blocker(issue("Guest Firewall"), SQL, **{**FLOW, **more}))
    assert (made.az_cli, made.bicep) == ("", "")
    assert "Windows Firewall; ufw, firewalld, nftables or iptables" in made.summary


def test_an_instance_of_a_scale_set_is_reached_in_its_own_way() -> None:
    made = remedy(Blocker(issue("Guest Firewall", "Inbound", Firewall="ufw"), INSTANCE, **FLOW))
    assert made.az_cli.startswith("az vmss run-command invoke ")
    assert (option(made.az_cli, "name"), option(made.az_cli, "instance-id")) == ("set", "3")
    assert made.bicep == ""
    assert remedies.start_vm(INSTANCE).az_cli.endswith("--name set --instance-ids 3")


@pytest.mark.parametrize("kind", ["CPU", "Memory"])
def test_a_larger_size_is_shown_where_it_stands_in_bicep(kind: str) -> None:
    made = remedy(Blocker(issue(kind, Usage="99"), SQL))
    assert made.bicep.startswith("resource it 'Microsoft.Compute/virtualMachines@")
    assert "hardwareProfile.vmSize" in made.bicep
    assert remedy(Blocker(issue(kind, Usage="99"), INSTANCE)).bicep == ""


@pytest.mark.parametrize("name", ["db.corp'; reboot", "$(reboot)", "a b"])
def test_nothing_of_azures_answer_gets_into_a_script_unchecked(name: str) -> None:
    made = remedy(Blocker(issue("DNS Resolution", Name=name), WEB, os="Linux", **FLOW))
    assert "reboot" not in made.az_cli
    assert "run-command" not in made.az_cli
    assert made.bicep == ""


def test_a_name_that_does_not_resolve() -> None:
    made = remedy(Blocker(issue("DNS Resolution", Name="db.corp.example"), WEB, os="Linux", **FLOW))
    assert "db.corp.example did not resolve" in made.summary
    assert "getent hosts db.corp.example" in option(made.az_cli, "scripts")
    assert "--name vnet --query dhcpOptions.dnsServers" in made.az_cli
    assert "param zoneName string = 'corp.example'" in made.bicep


@pytest.mark.parametrize(
    ("kind", "usage", "check_id", "told", "command"),
    [
        ("CPU", "99", "CON003", "(99 %)", "az vm resize"),
        ("Memory", "97", "CON004", "(97 %)", "az vm resize"),
        ("Socket Error", "", "CON007", "in use", "ss -tanp"),
        ("NoListenerOnDestination", "", "CON008", "port 1433", "ss -ltnp"),
        ("AgentStopped", "", "CON012", "169.254.169.254", "--force-update"),
        ("PortThrottled", "", "CON010", "NAT gateway", "'Outbound Flows'"),
        ("Platform", "", "CON010", "support request", "az vm redeploy"),
        ("VMDeallocated", "", "VM001", "deallocated", "az vm start"),
        ("Not allocated", "", "VM001", "not allocated", "az vm start"),
        ("Rebooting", "", "VM001", "wait until it runs", "get-instance-view"),
        ("Brandnew", "", "CON010", "type Brandnew", ""),
    ],
)
def test_the_other_rows(kind: str, usage: str, check_id: str, told: str, command: str) -> None:
    blocker = Blocker(issue(kind, Usage=usage), SQL, os="Linux", **FLOW)
    row, made = remedies.row(blocker.issue), remedy(blocker)
    assert row.check == check_id
    assert told in made.summary
    assert command in made.az_cli
    assert made.doc_url.startswith("https://learn.microsoft.com/")


def test_a_gateway_that_learned_no_route_is_asked_for_its_routes() -> None:
    lost = issue("NoRouteLearned")
    made = remedy(Blocker(lost, GATEWAY, **FLOW))
    assert remedies.row(lost).check == "CON002"
    assert "learned no route to 10.0.1.4" in made.summary
    assert made.az_cli.startswith("az network vnet-gateway list-learned-routes ")


@pytest.mark.parametrize("kind", [kind for kind in IssueType if kind is not IssueType.UNKNOWN])
def test_every_type_of_issue_has_a_row_of_its_own(kind: IssueType) -> None:
    assert "issue of type" not in remedies.row(issue(kind)).title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's", "'it\\'s'"),
        ("${x}", "'\\${x}'"),
        ("a\\b", "'a\\\\b'"),
        ("a\r\nb", "'a\\nb'"),
    ],
)
def test_a_bicep_string_is_escaped(text: str, expected: str) -> None:
    assert bicep.quoted(text) == expected


ALL = [
    at_rule(rule("deny-sql", 200)),
    at_rule(rule("de'ny", 200), item="de'ny"),
    at_rule(group=None),
    at_rule(issue=DEFAULT, item="DenyAllInBound", own=False),
    remedy(Blocker(ASTRAY, WEB, TABLE, "r", route=Route("r", "10.0.0.0/8", "None", ""), **FLOW)),
    remedy(Blocker(ASTRAY, WEB, TABLE, "r", route=Route("r", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4"), **FLOW)),
    remedy(Blocker(ASTRAY, WEB, TABLE, "r")),
    *(remedy(Blocker(issue("GuestFirewall", F=f), SQL, **FLOW)) for f in ("Windows", "firewalld", "ufw")),
    remedy(Blocker(issue("DNS Resolution", Name="db.corp.example"), WEB, os="Linux", **FLOW)),
    remedy(Blocker(issue("AgentStopped"), SQL, os="Linux", **{**FLOW, "location": ""})),
    remedies.install_agent(SQL, "Windows", "westeurope"),
    remedies.enable_watcher("s1", "West Europe"),
]


@pytest.mark.parametrize("made", ALL, ids=range(len(ALL)))
def test_bicep_parses(made: Remedy) -> None:
    assert BicepParser().parse(text=made.bicep)["resources"]


@pytest.mark.parametrize("made", ALL, ids=range(len(ALL)))
def test_commands_are_words_of_a_shell(made: Remedy) -> None:
    for line in made.az_cli.splitlines():
        command = line.partition(": ")[2] if line.startswith("# ") else line
        assert shlex.split(command)[0] == "az"


def machine(vm_id: ResourceId, os: str, *addresses: str, within: str) -> Machine:
    nic_id = net("networkInterfaces", f"{vm_id.name}-nic")
    configurations = tuple(IpConfiguration(a, a, subnet(within), primary=n == 0) for n, a in enumerate(addresses))
    nic = Nic(
        nic_id, "westeurope", "Succeeded", vm_id, primary=True, security_group=None, ip_configurations=configurations
    )
    return Machine(vm_id, Vm(vm_id, "westeurope", "running", os, (nic_id,)), ((nic_id, nic),))


def situation(*hops: Any, port: int | None = 1433, estate: Estate | None = None) -> Situation:
    end = Endpoint(resource_id=SQL.text, port=port)
    request = DiagnosisRequest(
        request_id="r1", source=Endpoint(name="web-1"), destination=end, origin=Origin(kind="queue")
    )
    source = machine(WEB, "Linux", "10.0.0.4", within="front")
    destination = machine(SQL, "Windows", "10.0.1.4", "10.0.1.5", within="back")
    answer = Probed(check("Unreachable", *hops)) if hops else None
    survey = Survey(estate or Estate())
    made = Situation(request, Conditions(NOON, OUTSIDE), Problem.VM_TO_VM, "", source, destination)
    return replace(made, probed=answer, survey=survey)


def test_what_is_known_of_an_issue_is_filled_in() -> None:
    estate = Estate(security_groups={NSG: group(rule("deny-sql", 200))})
    known = filled(situation(estate=estate), Blocker(DENIED, SQL, NSG, "deny-sql"))
    assert (known.source, known.destination, known.port, known.protocol) == ("10.0.0.4", "10.0.1.4", 1433, "Tcp")
    assert (known.os, known.location, known.network) == ("Windows", "westeurope", VNET)
    assert known.group == group(rule("deny-sql", 200))


def test_where_the_probe_went_counts_more_than_what_is_configured() -> None:
    probed = situation(hop(WEB, "10.0.0.9", kind="Source"), hop(SQL, "10.0.1.5"))
    known = filled(probed, Blocker(DENIED, SQL))
    assert (known.source, known.destination) == ("10.0.0.9", "10.0.1.5")


def test_a_route_of_the_far_end_takes_the_answer() -> None:
    table = RouteTable(TABLE, (Route("R", "10.0.0.0/8", "None", ""),))
    known = filled(situation(estate=Estate(route_tables={TABLE: table})), Blocker(ASTRAY, SQL, TABLE, "r"))
    assert (known.source, known.destination) == ("10.0.1.4", "10.0.0.4")
    assert known.route == table.routes[0]


def test_a_finding_has_the_exact_remedy_and_a_link_to_the_page_where_it_is_done() -> None:
    estate = Estate(security_groups={NSG: group(rule("deny-sql", 200))})
    finding = blocked(situation(estate=estate), Blocker(DENIED, SQL, NSG, "deny-sql"), SQL, "westeurope")
    assert finding.confidence is Confidence.PROVEN
    assert "priority: 199" in finding.remedy.bicep
    there = linked(finding, "https://portal.azure.us")
    assert there.remedy.portal_url == f"https://portal.azure.us/#@/resource{NSG.text}/inboundSecurityRules"
    assert there.resource.portal_url == f"https://portal.azure.us/#@/resource{SQL.text}"
    assert linked(there, "https://portal.azure.us") == there


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (DENIED, "NSG rule deny-sql blocks web-1 → sql-1:1433"),
        (DEFAULT, "No NSG rule allows web-1 → sql-1:1433: default rule DenyAllInBound blocks it"),
        (
            issue("NetworkSecurityRule", RuleName="SecurityAdminRule_no"),
            "Security admin rule SecurityAdminRule_no blocks ",
        ),
        (ASTRAY, "User-defined route leads web-1 → sql-1:1433 astray"),
        (issue("Guest Firewall", F="iptables"), "The firewall inside sql-1 (iptables) blocks web-1 → sql-1:1433"),
        (issue("Guest Firewall"), "A firewall inside sql-1 blocks web-1 → sql-1:1433"),
        (issue("DNS Resolution"), "The name does not resolve on sql-1"),
        (issue("Platform"), "Azure reports a fault of its own platform at sql-1, on web-1 → sql-1:1433"),
    ],
)
def test_titles_say_what_is_wrong(found: Any, title: str) -> None:
    finding = blocked(situation(), Blocker(found, SQL), SQL, "westeurope")
    assert finding.title.startswith(title)
