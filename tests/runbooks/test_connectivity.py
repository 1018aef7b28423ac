"""What the runbook concludes from a connectivity check: one finding for each issue, and which rule or route."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from diagnostics.findings import Confidence, Outcome, Severity, Status
from diagnostics.intake.messages import Endpoint, Protocol
from diagnostics.network.connectivity import ConnectivityCheck, Hop, Issue
from diagnostics.runbooks.questions import Unread
from tests.runbooks.world import World, check, ended, hop, issue, net, vm

SQL_NIC, WEB_NIC = net("networkInterfaces", "sql-nic"), net("networkInterfaces", "web-nic")
SOURCE = hop(WEB_NIC, "10.0.0.4", kind="Source")
NSG = issue("NetworkSecurityRule", "Inbound", RuleName="UserRule_deny-sql")


def blocked(*at_source: Issue, at_destination: tuple[Issue, ...] = ()) -> ConnectivityCheck:
    first = Hop("Source", "10.0.0.4", WEB_NIC.text, at_source)
    last = Hop("VirtualNetwork", "10.0.1.4", SQL_NIC.text, at_destination)
    return check("Unreachable", first, last)


def test_a_connection_that_works_is_no_fault(world: World, sql: Endpoint) -> None:
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, finding.severity, finding.status) == ("CON000", Severity.INFO, Status.RESOLVED)
    assert finding.title == "No fault found: web-1 → sql-1:1433 works now"
    assert world.probes[0].destination == vm("sql-1")


@dataclass(frozen=True)
class Row:
    """A row of the runbook's table: an issue at the destination's hop, and what the finding says."""

    kind: str
    context: dict[str, str]
    check: str
    about: str
    remedy: str
    confidence: Confidence


TABLE = [
    Row("NetworkSecurityRule", {"RuleName": "UserRule_deny-sql"}, "CON001", "sql-1", "deny-sql", Confidence.PROVEN),
    Row("UserDefinedRoute", {"RouteType": "User"}, "CON002", "sql-1", "user-defined route", Confidence.PROVEN),
    Row("CPU", {"Usage": "99"}, "CON003", "sql-1", "(99 %)", Confidence.LIKELY),
    Row("Memory", {"Usage": "97"}, "CON004", "sql-1", "(97 %)", Confidence.LIKELY),
    Row("Guest Firewall", {"Firewall": "iptables"}, "CON005", "sql-1", "iptables", Confidence.LIKELY),
    Row("DNS Resolution", {"Name": "db.corp"}, "CON006", "web-1", "db.corp did not resolve", Confidence.PROVEN),
    Row("Socket Error", {}, "CON007", "web-1", "another port", Confidence.PROVEN),
    Row("NoListenerOnDestination", {}, "CON008", "sql-1", "start the service", Confidence.LIKELY),
    Row("20", {}, "CON010", "sql-1", "type 20", Confidence.POSSIBLE),
    Row("AgentStopped", {}, "CON012", "web-1", "agent", Confidence.PROVEN),
]


@pytest.mark.parametrize("row", TABLE, ids=[row.kind for row in TABLE])
def test_each_issue_has_its_check_and_remedy(world: World, sql: Endpoint, row: Row) -> None:
    world.check = blocked(at_destination=(issue(row.kind, **row.context),))
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, finding.resource.name, finding.confidence) == (row.check, row.about, row.confidence)
    assert row.remedy in finding.remedy.summary
    assert finding.remedy.doc_url.startswith("https://learn.microsoft.com/")
    assert ended(finding, "Connectivity check") is Outcome.FAILED


@pytest.mark.parametrize(
    ("subnet_rules", "nic_rules", "owner"),
    [
        (["deny-sql"], None, "back-nsg"),
        (["other"], ["deny-sql"], "nic-nsg"),
        (None, ["deny-sql"], "nic-nsg"),
        (["deny-sql"], ["deny-sql"], None),
        (["other"], ["other"], None),
        (None, None, None),
    ],
    ids=["subnet", "nic, other in subnet", "nic only", "both: not guessed", "neither", "no NSG at all"],
)
def test_the_nsg_of_the_rule(
    world: World, sql: Endpoint, subnet_rules: list[str] | None, nic_rules: list[str] | None, owner: str | None
) -> None:
    if subnet_rules is not None:
        world.subnet("back", "10.0.1.0/24", group="back-nsg")
        world.group("back-nsg", *subnet_rules)
    if nic_rules is not None:
        world.nic("sql-nic", "sql-1", "10.0.1.4", within="back", group="nic-nsg")
        world.group("nic-nsg", *nic_rules)
    world.check = blocked(at_destination=(NSG,))
    finding = world.only(vm("web-1"), sql)
    assert finding.title == "NSG rule deny-sql blocks web-1 → sql-1:1433"
    assert finding.because[0].resource_id == (net("networkSecurityGroups", owner) if owner else vm("sql-1")).text
    assert ("rule delete" in finding.remedy.az_cli) is (owner is not None)


@pytest.mark.parametrize("groups", [["back-nsg"], ["back-nsg", "nic-nsg"]], ids=["one NSG", "two NSGs"])
def test_a_default_rule_is_never_to_be_deleted(world: World, sql: Endpoint, groups: list[str]) -> None:
    for group in groups:
        world.group(group)
    world.subnet("back", "10.0.1.0/24", group="back-nsg")
    world.nic("sql-nic", "sql-1", "10.0.1.4", within="back", group="nic-nsg" if len(groups) > 1 else None)
    rule = issue("NetworkSecurityRule", "Inbound", RuleName="DefaultRule_DenyAllInBound")
    world.check = blocked(at_destination=(rule,))
    remedy = world.only(vm("web-1"), sql).remedy
    assert "add a rule" in remedy.summary
    assert "elete or change" not in remedy.summary
    assert "delete" not in remedy.az_cli


def test_a_default_rule_is_not_laid_to_the_only_nsg_that_could_be_read(world: World, sql: Endpoint) -> None:
    world.nic("sql-nic", "sql-1", "10.0.1.4", within="back", group="nic-nsg")
    world.group("nic-nsg")
    world.answers.pop(next(key for key in world.answers if str(key).endswith("/back")))
    rule = issue("NetworkSecurityRule", "Inbound", RuleName="DefaultRule_DenyAllInBound")
    world.check = blocked(at_destination=(rule,))
    finding = world.only(vm("web-1"), sql)
    assert finding.because[0].resource_id == vm("sql-1").text
    assert "back was not found" in finding.because[1].text


def test_what_could_not_be_read_is_said_with_the_permission(world: World, sql: Endpoint) -> None:
    group = net("networkSecurityGroups", "back-nsg")
    world.subnet("back", "10.0.1.0/24", group="back-nsg")
    world.answers[group] = Unread("not allowed.", "Microsoft.Network/networkSecurityGroups/read", group.text)
    world.check = blocked(at_destination=(NSG,))
    finding = world.only(vm("web-1"), sql)
    assert f"Grant Microsoft.Network/networkSecurityGroups/read on {group.text}" in finding.because[1].text


def test_a_security_admin_rule_is_in_no_nsg(world: World, sql: Endpoint) -> None:
    rule = issue("NetworkSecurityRule", "Inbound", RuleName="SecurityAdminRule_no-sql")
    world.check = blocked(at_destination=(rule,))
    assert "Virtual Network Manager" in world.only(vm("web-1"), sql).remedy.summary


def test_an_outbound_rule_is_the_sources_fault(world: World, sql: Endpoint) -> None:
    world.subnet("front", "10.0.0.0/24", group="front-nsg")
    world.group("front-nsg", "deny-sql")
    world.check = blocked(issue("NetworkSecurityRule", "Outbound", RuleName="UserRule_deny-sql"))
    finding = world.only(vm("web-1"), sql)
    assert finding.resource.name == "web-1"
    assert finding.because[0].resource_id.endswith("/front-nsg")


@pytest.mark.parametrize(
    ("routes", "context", "route"),
    [
        ({"wide": "10.0.0.0/8", "narrow": "10.0.1.0/24", "all": "0.0.0.0/0"}, {"RouteType": "User"}, "narrow"),
        ({"all": "0.0.0.0/0", "tag": "Storage"}, {"RouteType": "User"}, "all"),
        ({"all": "0.0.0.0/0", "narrow": "10.0.1.0/24"}, {"RouteName": "ALL"}, "all"),
        ({"elsewhere": "192.168.0.0/16"}, {"RouteType": "User"}, None),
    ],
    ids=["longest prefix", "tags passed over", "named by Azure", "none fits"],
)
def test_the_route_is_named(
    world: World, sql: Endpoint, routes: dict[str, str], context: dict[str, str], route: str | None
) -> None:
    world.subnet("front", "10.0.0.0/24", table="front-routes")
    world.table("front-routes", **routes)
    world.check = blocked(issue("UserDefinedRoute", "Outbound", **context))
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, finding.resource.name) == ("CON002", "web-1")
    assert finding.because[0].name == (route or "")
    assert finding.remedy.az_cli.count(route or "no route") == (2 if route else 0)


@pytest.mark.parametrize("kind", ["Default", "System", "VirtualNetworkGateway"])
def test_a_route_of_azures_own_is_not_laid_to_the_user(world: World, sql: Endpoint, kind: str) -> None:
    world.subnet("front", "10.0.0.0/24", table="front-routes")
    world.table("front-routes", all="0.0.0.0/0")
    world.check = blocked(issue("UserDefinedRoute", "Outbound", RouteType=kind))
    finding = world.only(vm("web-1"), sql)
    assert finding.title == "No route leads web-1 → sql-1:1433 anywhere"
    assert "peered" in finding.remedy.summary
    assert "all" not in finding.because[0].name


def test_the_route_to_a_name_is_found_by_where_the_probe_went(world: World) -> None:
    world.subnet("front", "10.0.0.0/24", table="front-routes")
    world.table("front-routes", all="0.0.0.0/0", pay="198.51.100.0/24")
    lost = issue("UserDefinedRoute", "Outbound", RouteType="User")
    world.check = check("Unreachable", hop(vm("web-1"), "10.0.0.4", lost), hop(None, "198.51.100.9"))
    finding = world.only(vm("web-1"), Endpoint(address="pay.example.com", port=443))
    assert finding.because[0].name == "pay"


def test_an_appliance_on_the_path_is_looked_up_itself(world: World, sql: Endpoint) -> None:
    world.machine("fw-1", "fw-nic")
    world.nic("fw-nic", "fw-1", "10.0.9.4", within="hub", group="fw-nsg")
    world.subnet("hub", "10.0.9.0/24")
    world.group("fw-nsg", "deny-sql")
    appliance = hop(net("networkInterfaces", "fw-nic/ipConfigurations/one"), "10.0.9.4", NSG, kind="VirtualAppliance")
    world.check = check("Unreachable", SOURCE, appliance, hop(SQL_NIC, "10.0.1.4"))
    finding = world.only(vm("web-1"), sql)
    assert finding.resource.name == "fw-1"
    assert finding.because[0].resource_id.endswith("/fw-nsg")


def test_a_hop_that_nobody_knows_is_named_by_its_address(world: World, sql: Endpoint) -> None:
    unknown = hop(None, "10.9.9.9", issue("CPU"), kind="VirtualAppliance")
    world.check = check("Unreachable", SOURCE, unknown, hop(SQL_NIC, "10.0.1.4"))
    assert world.only(vm("web-1"), sql).title == "CPU of hop 10.9.9.9 is exhausted"


def test_the_inbound_rule_of_a_bare_address_is_not_sought_at_the_source(world: World) -> None:
    world.subnet("front", "10.0.0.0/24", group="front-nsg")
    world.group("front-nsg")
    rule = issue("NetworkSecurityRule", "Inbound", RuleName="DefaultRule_DenyAllInBound")
    world.check = check("Unreachable", SOURCE, hop(None, "10.7.0.4", rule))
    finding = world.only(vm("web-1"), Endpoint(address="10.7.0.4", port=22))
    assert "front-nsg" not in f"{finding.because} {finding.remedy}"


def test_errors_come_before_warnings(world: World, sql: Endpoint) -> None:
    world.check = blocked(issue("CPU", severity="Warning"), at_destination=(NSG,))
    assert [finding.check for finding in world.diagnose(vm("web-1"), sql).findings] == ["CON001", "CON003"]


def test_what_is_named_on_a_path_that_works_is_only_possible(world: World, sql: Endpoint) -> None:
    world.check = check("Reachable", SOURCE, hop(SQL_NIC, "10.0.1.4", NSG, issue("CPU", severity="Warning")))
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, finding.confidence) == ("CON001", Confidence.POSSIBLE)
    assert "arrived all the same" in finding.because[-1].text


def test_a_lossy_connection_is_not_fine(world: World, sql: Endpoint) -> None:
    world.check = check("Degraded", SOURCE, hop(SQL_NIC, "10.0.1.4"), sent=100, failed=40)
    finding = world.only(vm("web-1"), sql)
    assert finding.title == "web-1 → sql-1:1433 loses probes, and Azure sees nothing in the way"
    assert "40 of 100" in finding.because[0].text


@pytest.mark.parametrize(
    ("status", "sent"), [("Unreachable", 0), ("Reachable", 0), ("Unknown", 30), ("Brandnew", 30), ("", 0)]
)
def test_a_check_that_proves_nothing_is_not_a_verdict(world: World, sql: Endpoint, status: str, sent: int) -> None:
    world.check = check(status, SOURCE, hop(SQL_NIC, "10.0.1.4"), sent=sent)
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, ended(finding, "TCP ping")) == ("CON011", Outcome.INCONCLUSIVE)
    assert "proves nothing" in finding.because[0].text


def test_a_check_that_could_not_be_made_says_what_to_grant(world: World, sql: Endpoint) -> None:
    world.check = Unread("not allowed.", "Microsoft.Network/networkWatchers/connectivityCheck/action")
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, ended(finding, "TCP ping")) == ("CON021", Outcome.INCONCLUSIVE)
    assert finding.because[0].name == "Microsoft.Network/networkWatchers/connectivityCheck/action"


def test_icmp_has_no_port(world: World, sql: Endpoint) -> None:
    finding = world.only(vm("web-1"), sql, protocol=Protocol.ICMP)
    assert (world.probes[0].port, world.probes[0].protocol) == (None, "Icmp")
    assert finding.title == "No fault found: web-1 → sql-1 works now"


def test_the_port_that_was_tried_is_told(world: World) -> None:
    finding = world.only(vm("web-1"), Endpoint(resource_id=vm("sql-1").text))
    assert world.probes[0].port == 3389
    assert finding.title == "No fault found: web-1 → sql-1:3389 works now"


def test_one_fault_of_the_destination_is_one_finding_whoever_asks(world: World, sql: Endpoint) -> None:
    world.machine("web-2", "web-2-nic")
    world.nic("web-2-nic", "web-2", "10.0.0.5")
    world.check = blocked(at_destination=(NSG,))
    one, other = world.only(vm("web-1"), sql), world.only(vm("web-2"), sql)
    assert one.finding_id == other.finding_id
