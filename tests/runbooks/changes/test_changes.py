"""Which change explains what was found: what the activity log tells, ranked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from diagnostics.checks.provisioning import failed_nic
from diagnostics.findings import Cause, Confidence, Finding, Outcome, Remedy, Resource, Severity, Step
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks import machine_steps
from diagnostics.runbooks.changes import steps as change_steps
from diagnostics.runbooks.changes.explaining import Tier, rank
from diagnostics.runbooks.questions import Event, ReadChanges, Unread, answer_all
from diagnostics.runbooks.situation import Situation
from tests.runbooks.around import (
    BACK,
    ESTATE,
    FRONT,
    MOMENT,
    NAT,
    NICS,
    SQL,
    SQL_NIC,
    SQL_NSG,
    TABLE,
    VNET,
    WEB,
    WEB_NIC,
    WEB_NSG,
    at,
    event,
    log,
    machine,
    net,
    refusing,
    rid,
    situation,
    vm,
)

NIC_WRITE = "networkInterfaces/write"
NSG_WRITE, RULE_WRITE = "networkSecurityGroups/write", "networkSecurityGroups/securityRules/write"
RULE_DELETE = "networkSecurityGroups/securityRules/delete"
DENY_RDP = rid(f"{SQL_NSG}/securityRules/deny-rdp")
ALLOW_RDP = rid(f"{SQL_NSG}/securityRules/allow-rdp")
BLACKHOLE = rid(f"{TABLE}/routes/blackhole")
PEERING = rid(f"{VNET}/virtualNetworkPeerings/to-hub")
DENIED = Unread("the activity log may not be read", action="Microsoft.Insights/eventtypes/values/read", scope="/s")


def blame(check: str, about: ResourceId, *causes: Cause) -> Finding:
    return Finding(
        finding_id=f"{check}-{about.name}",
        check=check,
        title=check,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        resource=Resource.of(about),
        because=causes,
        remedy=Remedy(summary="mend it"),
    )


def rule(name: str, where: ResourceId | None, kind: str = "security-rule") -> Cause:
    return Cause(kind=kind, text="it blocks", name=name, resource_id=where.text if where else "")


BY_RULE = blame("CON001", SQL, rule("deny-rdp", SQL_NSG))
BY_DEFAULT = blame("CON001", SQL, rule("DenyAllInBound", SQL_NSG))
BY_SOME_NSG = blame("CON001", SQL, rule("DenyAllInBound", SQL))
BY_ROUTE = blame("CON002", WEB, rule("blackhole", TABLE, "route"))
BY_TABLE = blame("CON002", WEB, rule("", TABLE, "route"))
BY_SYSTEM_ROUTE = blame("CON002", WEB, rule("", WEB, "route"))
VM_OFF = machine_steps.power(situation(), machine(SQL, "deallocated"), "Destination")[1][0]
NIC_FAILED = failed_nic(replace(NICS[0], provisioning_state="Failed"), Confidence.POSSIBLE)
NO_NAME, NO_WAY_OUT = blame("CON006", WEB, rule("db.corp", WEB, "dns-name")), blame("CON017", WEB)
NO_LISTENER = blame("CON008", SQL, Cause(kind="listener", text="nothing listens", resource_id=SQL.text))
APPLIANCE = blame("CON018", WEB, rule("nva", vm("nva"), "appliance"))
NOT_FORWARDING = blame("CON018", WEB, rule("nva-nic", net("networkInterfaces/nva-nic"), "appliance"))
ADMIN = "networkManagers/avnm/securityAdminConfigurations/c/ruleCollections/r/rules/no-rdp"
BY_ADMIN = blame("CON001", SQL, rule("no-rdp", net(ADMIN), "admin-rule"))
UNEXPLAINED = blame("CON009", SQL, Cause(kind="probe", text="no answer"))


@dataclass(frozen=True)
class Row:
    """An event, a finding, and how well the one explains the other."""

    name: str
    finding: Finding
    event: Event
    tier: int


SHOUTED = rid(f"{SQL_NSG.text.upper()}/SECURITYRULES/Deny-RDP")
COMPUTE = "Microsoft.Compute/virtualMachines"
ROWS = [
    Row("the rule itself", BY_RULE, event(-12, RULE_WRITE, DENY_RDP), 1),
    Row("ids in another case", BY_RULE, event(-12, RULE_WRITE.upper(), SHOUTED), 1),
    Row("the NSG as a whole", BY_RULE, event(-12, NSG_WRITE, SQL_NSG), 2),
    Row("another rule of it", BY_RULE, event(-12, RULE_WRITE, ALLOW_RDP), 2),
    Row("an allow rule deleted", BY_DEFAULT, event(-12, RULE_DELETE, ALLOW_RDP), 2),
    Row("the rule itself deleted does not make it block", BY_RULE, event(-12, RULE_DELETE, DENY_RDP), 3),
    Row("the other NSG", BY_RULE, event(-12, NSG_WRITE, WEB_NSG), 3),
    Row("a rule of that name elsewhere", BY_RULE, event(-12, RULE_WRITE, rid(f"{WEB_NSG}/securityRules/deny-rdp")), 3),
    Row("NSG not known: any", BY_SOME_NSG, event(-12, RULE_DELETE, ALLOW_RDP), 2),
    Row("NSG not known: no route", BY_SOME_NSG, event(-12, "routeTables/write", TABLE), 3),
    Row("NIC that the NSG is on", BY_RULE, event(-12, "networkInterfaces/write", SQL_NIC), 2),
    Row("NIC that it is not on", BY_RULE, event(-12, "networkInterfaces/write", WEB_NIC), 3),
    Row("subnet that it is not on", BY_RULE, event(-12, "virtualNetworks/subnets/write", BACK), 3),
    Row("the route itself", BY_ROUTE, event(-12, "routeTables/routes/write", BLACKHOLE), 1),
    Row("the route table as a whole", BY_ROUTE, event(-12, "routeTables/write", TABLE), 2),
    Row("the route table, no route named", BY_TABLE, event(-12, "routeTables/write", TABLE), 1),
    Row("association of the route table", BY_ROUTE, event(-12, "virtualNetworks/subnets/write", FRONT), 2),
    Row("network of that subnet", BY_ROUTE, event(-12, "virtualNetworks/write", VNET), 2),
    Row("subnet without that table", BY_ROUTE, event(-12, "virtualNetworks/subnets/write", BACK), 3),
    Row(
        "peering, for a user's route", BY_ROUTE, event(-12, "virtualNetworks/virtualNetworkPeerings/write", PEERING), 3
    ),
    Row(
        "peering, no route",
        BY_SYSTEM_ROUTE,
        event(-12, "virtualNetworks/virtualNetworkPeerings/delete", PEERING),
        2,
    ),
    Row("VM restart, no route", BY_SYSTEM_ROUTE, event(-12, f"{COMPUTE}/restart/action", WEB), 3),
    Row("the VM deallocated", VM_OFF, event(-12, f"{COMPUTE}/deallocate/action", SQL), 2),
    Row("the VM powered off", VM_OFF, event(-12, f"{COMPUTE}/powerOff/action", SQL), 2),
    Row("another VM deallocated", VM_OFF, event(-12, f"{COMPUTE}/deallocate/action", WEB), 3),
    Row("the VM restarted", VM_OFF, event(-12, f"{COMPUTE}/restart/action", SQL), 3),
    Row("a start that failed", VM_OFF, event(-12, f"{COMPUTE}/start/action", SQL, "Failed"), 2),
    Row("a stop that failed", VM_OFF, event(-12, f"{COMPUTE}/deallocate/action", SQL, "Failed"), 3),
    Row(
        "Azure's own word",
        VM_OFF,
        event(-12, "Microsoft.ResourceHealth/healthevent/Activated/action", SQL, "Active"),
        2,
    ),
    Row("failed write of the NIC", NIC_FAILED, event(-2, "networkInterfaces/write", WEB_NIC, "Failed"), 1),
    Row("good write of the NIC", NIC_FAILED, event(-2, "networkInterfaces/write", WEB_NIC), 3),
    Row("unended write of the NIC", NIC_FAILED, event(-2, "networkInterfaces/write", WEB_NIC, "Accepted"), 2),
    Row("failed write of another NIC", NIC_FAILED, event(-2, "networkInterfaces/write", SQL_NIC, "Failed"), 3),
    Row("failed write of a rule", BY_RULE, event(-2, RULE_WRITE, DENY_RDP, "Failed"), 3),
    Row("DNS servers of the source", NO_NAME, event(-2, "virtualNetworks/write", VNET), 2),
    Row("network elsewhere", NO_NAME, event(-2, "virtualNetworks/write", net("virtualNetworks/far")), 3),
    Row("NAT gateway", NO_WAY_OUT, event(-2, "natGateways/delete", NAT), 2),
    Row("NAT gateway taken off the subnet", NO_WAY_OUT, event(-2, "virtualNetworks/subnets/write", FRONT), 2),
    Row("another subnet", NO_WAY_OUT, event(-2, "virtualNetworks/subnets/write", BACK), 3),
    Row("NSG, no way out", NO_WAY_OUT, event(-2, NSG_WRITE, WEB_NSG), 3),
    Row("restart, nobody listens", NO_LISTENER, event(-2, f"{COMPUTE}/restart/action", SQL), 2),
    Row(
        "extension, nobody listens",
        NO_LISTENER,
        event(-2, f"{COMPUTE}/extensions/write", rid(f"{SQL}/extensions/x")),
        2,
    ),
    Row("NSG, nobody listens", NO_LISTENER, event(-2, NSG_WRITE, SQL_NSG), 3),
    Row("appliance off", APPLIANCE, event(-2, f"{COMPUTE}/deallocate/action", vm("nva")), 2),
    Row("its NIC", NOT_FORWARDING, event(-2, "networkInterfaces/write", net("networkInterfaces/nva-nic")), 2),
    Row("admin rule", BY_ADMIN, event(-2, "x/rules/write", net(ADMIN)), 1),
    Row("admin rules deployed", BY_ADMIN, event(-2, "networkManagers/commit/action", net("networkManagers/avnm")), 2),
    Row("NSG rule that is called like it", BY_ADMIN, event(-2, RULE_WRITE, rid(f"{SQL_NSG}/securityRules/no-rdp")), 3),
    Row("nothing explains what is unexplained", UNEXPLAINED, event(-2, NSG_WRITE, SQL_NSG), 3),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_how_well_a_change_explains_a_finding(row: Row) -> None:
    (ranked,) = rank([row.event], [row.finding], MOMENT, ESTATE)
    assert (ranked.best.tier, bool(ranked.explains)) == (Tier(row.tier), row.tier < 3)


def ranking(*events: Event, finding: Finding = BY_RULE) -> list[str]:
    return [f"{each.best.tier:d} {each.event.resource.name}" for each in rank(events, [finding], MOMENT, ESTATE)]


def test_what_explains_comes_first_then_the_nearest() -> None:
    order = ranking(
        event(-1, "virtualNetworks/write", VNET),
        event(-2, NSG_WRITE, SQL_NSG),
        event(-30, RULE_WRITE, ALLOW_RDP),
        event(-200, RULE_WRITE, DENY_RDP),
        event(-300, NSG_WRITE, WEB_NSG),
    )
    assert order == ["1 deny-rdp", "2 nsg-sql", "2 allow-rdp", "3 vnet", "3 nsg-web"]


def test_what_came_after_explains_nothing_and_comes_last() -> None:
    events = (event(5, RULE_WRITE, DENY_RDP), event(2, RULE_DELETE, ALLOW_RDP), event(-300, NSG_WRITE, WEB_NSG))
    assert ranking(*events) == ["3 nsg-web", "3 allow-rdp", "3 deny-rdp"]
    after = rank(events, [BY_RULE], MOMENT, ESTATE)[-1]
    assert after.after
    assert not after.explains
    assert "too late" in after.best.why


def test_what_was_under_way_at_the_alert_explains_it() -> None:
    stop = f"{COMPUTE}/deallocate/action"
    (ranked,) = rank([event(2, stop, SQL), event(-3, stop, SQL, "Started")], [VM_OFF], MOMENT, ESTATE)
    assert (ranked.after, ranked.when, ranked.event.status) == (False, at(-3), "Succeeded")
    assert ranked.explains


def test_without_an_estate_nothing_is_said_to_be_in_force() -> None:
    (ranked,) = rank([event(-2, "networkInterfaces/write", SQL_NIC)], [BY_RULE], MOMENT)
    assert ranked.best.tier is Tier.ON_PATH


def changed(at: Situation, *events: Event) -> tuple[Situation, Step]:
    after = answer_all(change_steps.changes(at), log(*events))
    return after, after.steps[-1]


def test_a_finding_tells_who_wrote_its_rule_and_is_no_surer() -> None:
    after, step = changed(situation(BY_RULE), event(-12, RULE_WRITE, DENY_RDP))
    (finding,) = after.findings
    sentence = "rule deny-rdp of nsg-sql was written 12 minutes before the alert by alex@contoso.com"
    assert (step.outcome, step.summary) == (Outcome.FAILED, f"{sentence}: it is the rule deny-rdp that is to blame")
    assert finding.change is not None
    assert (finding.change.when, finding.change.who) == (at(-12), "alex@contoso.com")
    assert (finding.because[-1].kind, finding.because[-1].name) == ("change", "deny-rdp")
    assert finding.because[-1].text.startswith("Rule deny-rdp of nsg-sql was written")
    assert finding.confidence is BY_RULE.confidence
    assert step.evidence[0].startswith("2026-11-20 09:02 UTC: rule deny-rdp")


def test_of_two_people_the_one_whose_change_is_exact_is_named_and_both_are_listed() -> None:
    events = (event(-2, NSG_WRITE, SQL_NSG, who="kim@contoso.com"), event(-12, RULE_WRITE, DENY_RDP))
    after, step = changed(situation(BY_RULE), *events)
    assert after.findings[0].change is not None
    assert after.findings[0].change.who == "alex@contoso.com"
    assert "kim@contoso.com" in step.evidence[1]


def test_each_finding_gets_the_change_that_explains_it_best() -> None:
    events = (event(-12, RULE_WRITE, DENY_RDP), event(-9, f"{COMPUTE}/deallocate/action", SQL, who="1f0a9c64-app"))
    after, _ = changed(situation(VM_OFF, BY_RULE, UNEXPLAINED), *events)
    assert [finding.change and finding.change.who for finding in after.findings] == [
        "1f0a9c64-app",
        "alex@contoso.com",
        None,
    ]


def test_a_failed_write_is_told_as_one() -> None:
    _, step = changed(situation(NIC_FAILED), event(-2, NIC_WRITE, WEB_NIC, "Failed"))
    assert step.summary == (
        "network interface web-nic was written 2 minutes before the alert by alex@contoso.com, and that failed: "
        "this is the operation that left it in state Failed"
    )


QUIET = "nothing on the path was changed in the 12 hours before"


@pytest.mark.parametrize(
    ("at_hand", "events", "outcome", "summary"),
    [
        (situation(BY_RULE), (), Outcome.PASSED, f"{QUIET} the alert"),
        (situation(BY_RULE), (event(3, RULE_WRITE, DENY_RDP),), Outcome.PASSED, f"{QUIET} the alert; 1 after it"),
        (
            situation(kind="cli", fired=False, now=MOMENT),
            (),
            Outcome.PASSED,
            f"{QUIET} now (the log lags: what was done in the last 20 minutes may not be in it yet)",
        ),
        (
            situation(BY_RULE, kind="queue", fired=False, now=MOMENT),
            (event(-125, RULE_WRITE, DENY_RDP),),
            Outcome.FAILED,
            (
                "rule deny-rdp of nsg-sql was written 2 hours 5 minutes ago by alex@contoso.com: "
                "it is the rule deny-rdp that is to blame"
            ),
        ),
        (
            situation(UNEXPLAINED),
            (event(-30, NSG_WRITE, WEB_NSG), event(-2, "virtualNetworks/write", VNET, who="")),
            Outcome.PASSED,
            (
                "2 changes on the path in the 12 hours before the alert, none of which explains what was found; the "
                "nearest: virtual network vnet was written 2 minutes before the alert by somebody whom the log "
                "does not name"
            ),
        ),
        (
            situation(kind="event"),
            (event(-0.1, NIC_WRITE, WEB_NIC),),
            Outcome.PASSED,
            (
                "1 change on the path in the 12 hours before the event; the nearest: network interface web-nic was "
                "written less than a minute before the event by alex@contoso.com"
            ),
        ),
    ],
    ids=["nothing", "only after", "no alert, nothing", "no alert", "none explains", "event, no finding"],
)
def test_the_summary(at_hand: Situation, events: tuple[Event, ...], outcome: Outcome, summary: str) -> None:
    after, step = changed(at_hand, *events)
    assert (step.outcome, step.summary) == (outcome, summary)
    assert len(after.findings) == len(at_hand.findings)


def test_a_missing_permission_is_named_and_asked_for_once() -> None:
    asked: list[ReadChanges] = []

    def answer(question: object) -> Unread | None:
        if isinstance(question, ReadChanges):
            asked.append(question)
            return DENIED
        return None

    step = answer_all(change_steps.changes(situation(BY_RULE)), answer).steps[-1]
    assert step.outcome is Outcome.INCONCLUSIVE
    assert "Grant Microsoft.Insights/eventtypes/values/read" in step.summary
    assert len(asked) == 1


def test_what_is_not_known_of_one_resource_is_not_taken_for_nothing() -> None:
    slow = Unread("Azure did not answer in time")
    step = answer_all(change_steps.changes(situation()), refusing(slow, [VNET])).steps[-1]
    assert step.outcome is Outcome.INCONCLUSIVE
    assert step.summary == f"{QUIET} the alert, as far as is known: not known for vnet: Azure did not answer in time"


def test_a_subnet_that_could_not_be_read_hides_its_nsg() -> None:
    _, step = changed(situation(estate=Estate()))
    assert step.outcome is Outcome.INCONCLUSIVE
    assert step.summary.endswith("not known which NSG and route table they have: subnets back, front")


def test_no_more_than_twenty_resources_are_looked_at_and_the_rest_is_counted() -> None:
    many = [blame("CON001", SQL, *(rule("x", net(f"networkSecurityGroups/nsg-{i}")) for i in range(25)))]
    after, step = changed(situation(*many), event(-1, "virtualNetworks/write", VNET))
    assert step.outcome is Outcome.INCONCLUSIVE
    assert "more resources on the path were not looked at" in step.summary
    assert not after.findings[0].change


def test_the_log_is_read_from_half_a_day_before_to_an_hour_after() -> None:
    asked: list[ReadChanges] = []

    def answer(question: object) -> tuple[Event, ...]:
        asked.extend([question] if isinstance(question, ReadChanges) else [])
        return ()

    answer_all(change_steps.changes(situation(now=at(600))), answer)
    answer_all(change_steps.changes(situation(now=at(-600))), answer)  # an alert from the future
    assert {(each.since, each.until) for each in asked} == {(at(-720), at(60)), (at(-1320), at(-600))}


def test_without_either_end_there_is_no_path() -> None:
    step = answer_all(change_steps.changes(replace(situation(), source=None, destination=None)), log()).steps[-1]
    assert step.outcome is Outcome.SKIPPED
