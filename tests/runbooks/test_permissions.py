"""Permissions that are missing: each named once, with what is not known for it, and a role that grants them."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest

from diagnostics.findings import Confidence, Finding, Outcome, Severity
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Direction, FlowCheck, GuestScript, RuleCheck, Shell
from diagnostics.runbooks.needs import need_of
from diagnostics.runbooks.permissions import Denials
from diagnostics.runbooks.probing import (
    CheckConnectivity,
    DiagnoseRules,
    ReadEffectiveRules,
    RunInGuest,
    VerifyFlow,
)
from diagnostics.runbooks.questions import (
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
    Unread,
)
from diagnostics.runbooks.remedies.granting import narrowest
from diagnostics.runbooks.situation import Conditions, Situation
from tests.runbooks.world import NOON, OUTSIDE, net, subnet, vm

GROUP, NIC = net("networkSecurityGroups", "back-nsg"), net("networkInterfaces", "sql-nic")
READ_GROUP = "Microsoft.Network/networkSecurityGroups/read"
SUBSCRIPTION = "/subscriptions/s1"
WHO = "11111111-2222-3333-4444-555555555555"
EMPTY = Situation(
    DiagnosisRequest(request_id="r1", source=Endpoint(name="web-1"), origin=Origin(kind="queue")),
    Conditions(NOON, OUTSIDE),
    Problem.VM_TO_VM,
    "",
    None,
    None,
)


def refused(*passed: tuple[Question[Any], object]) -> Denials:
    denials = Denials()
    for question, answer in passed:
        denials.seen(question, answer)
    return denials


def found(*passed: tuple[Question[Any], object]) -> Finding:
    finding = refused(*passed).finding(EMPTY)
    assert finding is not None
    return finding


def test_nothing_is_missing() -> None:
    fine = refused((ReadSecurityGroup(GROUP), object()), (ReadNic(NIC), Unread("sql-nic was not found", missing=True)))
    assert fine.step().outcome is Outcome.PASSED
    assert fine.step().summary == "everything that was asked for could be read"
    assert fine.finding(EMPTY) is None


def test_each_action_is_told_once_with_all_that_needed_it() -> None:
    other = net("networkSecurityGroups", "BACK-nsg")
    denials = refused(
        (ReadSecurityGroup(GROUP), Unread("not allowed.", READ_GROUP, GROUP.text)),
        (ReadSecurityGroup(GROUP), Unread("not allowed.", READ_GROUP, GROUP.text)),
        (ReadBody(other), Unread("not allowed.", READ_GROUP.lower(), other.text)),
    )
    assert denials.step().outcome is Outcome.FAILED
    assert denials.step().evidence == (
        f"{READ_GROUP} on {GROUP.text}: needed for reading NSG back-nsg, reading BACK-nsg",
    )
    finding = denials.finding(EMPTY)
    assert finding is not None
    assert finding.title == "1 permission is missing, so not everything could be looked at"
    assert [(cause.kind, cause.name, cause.resource_id) for cause in finding.because] == [
        ("permission", READ_GROUP, GROUP.text)
    ]
    assert "not known: which of its rules decides" in finding.because[0].text


def test_the_finding() -> None:
    finding = found(
        (ReadSecurityGroup(GROUP), Unread("not allowed.", READ_GROUP, GROUP.text)),
        (ReadNic(NIC), Unread("not allowed.", "Microsoft.Network/networkInterfaces/read", NIC.text)),
    )
    assert (finding.check, finding.severity, finding.confidence) == ("CON021", Severity.MEDIUM, Confidence.PROVEN)
    assert finding.title.startswith("2 permissions are missing")
    assert finding.resource.id == SUBSCRIPTION


def test_the_same_missing_actions_are_the_same_finding_whoever_lacks_them_first() -> None:
    one = (ReadSecurityGroup(GROUP), Unread("no", READ_GROUP, GROUP.text))
    two = (ReadNic(NIC), Unread("no", "Microsoft.Network/networkInterfaces/read", NIC.text))
    assert found(one, two).finding_id == found(two, one).finding_id
    assert found(one).finding_id != found(one, two).finding_id


def test_an_action_that_azure_does_not_name_is_the_questions() -> None:
    denials = refused((ReadSecurityGroup(GROUP), Unread("reading back-nsg: AuthorizationFailed: no.")))
    assert denials.step().evidence == (f"{READ_GROUP} on {GROUP.text}: needed for reading NSG back-nsg",)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (ReadSecurityGroup(GROUP), "reading back-nsg: LinkedAuthorizationFailed: something linked is missing."),
        (FindVms("web-1"), "asking Resource Graph: AuthorizationFailed: no."),
    ],
    ids=["linked: another one than the question's", "no single action is known"],
)
def test_what_cannot_be_named_is_told_in_azures_words(question: Question[Any], reason: str) -> None:
    finding = found((question, Unread(reason)))
    assert reason in finding.because[0].text
    assert finding.because[0].name == ""
    assert finding.remedy.az_cli == ""
    assert "did not name the permission" in finding.remedy.summary


def test_a_linked_scope_that_is_a_list_is_several() -> None:
    join = "Microsoft.Network/virtualNetworks/subnets/join/action"
    scopes = f"{subnet('front').text},{subnet('back').text}"
    evidence = refused((ReadNic(NIC), Unread("LinkedAuthorizationFailed", join, scopes))).step().evidence
    assert [line.partition(":")[0] for line in evidence] == [
        f"{join} on {subnet('front').text}",
        f"{join} on {subnet('back').text}",
    ]


PROBE = Probe(vm("web-1"), "westeurope", vm("sql-1"), 1433, "Tcp")
FLOW = FlowCheck(vm("web-1"), "westeurope", None, Direction.OUTBOUND, "Tcp", "10.0.0.4", "10.0.1.4", None, 1433)
RULES = RuleCheck(NIC, "westeurope", Direction.INBOUND, "Tcp", "10.0.0.4", "10.0.1.4", 1433)
SCRIPT = GuestScript(vm("web-1"), "westeurope", Shell.LINUX, ("ip route",), "the routing table")
INSTANCE = ResourceId.parse(
    "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/3"
)
LOWER = ResourceId.parse(NIC.text.lower())
NEEDS = [
    (ReadVm(vm("web-1")), "Microsoft.Compute/virtualMachines/read"),
    (ReadVm(INSTANCE), "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"),
    (ReadNic(LOWER), "Microsoft.Network/networkInterfaces/read"),
    (ReadSubnet(subnet("front")), "Microsoft.Network/virtualNetworks/subnets/read"),
    (ReadSecurityGroup(GROUP), READ_GROUP),
    (ReadRouteTable(net("routeTables", "t")), "Microsoft.Network/routeTables/read"),
    (ReadBody(net("natGateways", "n")), "Microsoft.Network/natGateways/read"),
    (FindWatcher("s1", "westeurope"), "Microsoft.Network/networkWatchers/read"),
    (ReadExtensions(vm("web-1")), "Microsoft.Compute/virtualMachines/extensions/read"),
    (ReadServiceTags("s1", "westeurope"), "Microsoft.Network/locations/serviceTags/read"),
    (ReadMetrics(vm("web-1"), ("Percentage CPU",), NOON, NOON), "Microsoft.Insights/metrics/read"),
    (ReadChanges(GROUP, NOON, datetime(2026, 11, 3, tzinfo=UTC)), "Microsoft.Insights/eventtypes/values/read"),
    (CheckConnectivity(PROBE), "Microsoft.Network/networkWatchers/connectivityCheck/action"),
    (VerifyFlow(FLOW), "Microsoft.Network/networkWatchers/ipFlowVerify/action"),
    (DiagnoseRules(RULES), "Microsoft.Network/networkWatchers/networkConfigurationDiagnostic/action"),
    (ReadEffectiveRules(NIC), "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action"),
    (RunInGuest(SCRIPT), "Microsoft.Compute/virtualMachines/runCommand/action"),
]


@pytest.mark.parametrize(("question", "action"), NEEDS, ids=[type(question).__name__ for question, _ in NEEDS])
def test_what_a_question_needs(question: Question[Any], action: str) -> None:
    need = need_of(question)
    assert need.action == action
    assert ResourceId.maybe(need.scope) is not None
    assert need.asking
    assert need.tells


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([GROUP.text], [GROUP.text]),
        ([GROUP.text, GROUP.text.upper()], [GROUP.text]),
        ([GROUP.text, NIC.text], ["/subscriptions/s1/resourceGroups/rg"]),
        (
            [subnet("front").text, subnet("front").text.rpartition("/subnets/")[0]],
            [net("virtualNetworks", "vnet").text],
        ),
        ([GROUP.text, NIC.text.replace("/rg/", "/other/")], [SUBSCRIPTION]),
        ([GROUP.text, SUBSCRIPTION], [SUBSCRIPTION]),
        ([GROUP.text, NIC.text.replace("/s1/", "/s2/")], [GROUP.text, NIC.text.replace("/s1/", "/s2/")]),
        (["", "elsewhere"], []),
    ],
    ids=[
        "one",
        "another case",
        "one group",
        "one in the other",
        "two groups",
        "subscription",
        "two subscriptions",
        "none",
    ],
)
def test_the_narrowest_scope_that_holds_all(scopes: list[str], expected: list[str]) -> None:
    assert list(narrowest(scopes)) == expected


def test_the_role_has_exactly_these_actions_and_is_assigned_as_narrowly_as_will_do() -> None:
    reason = f"reading back-nsg: AuthorizationFailed: The client 'x' with object id '{WHO}' does not have authorization"
    remedy = found((ReadSecurityGroup(GROUP), Unread(reason, READ_GROUP, GROUP.text))).remedy
    define, assign = map(shlex.split, remedy.az_cli.splitlines())
    role = json.loads(define[define.index("--role-definition") + 1])
    assert role["Actions"] == [READ_GROUP]
    assert role["AssignableScopes"] == ["/subscriptions/s1/resourceGroups/rg"]
    assert assign[assign.index("--scope") + 1] == GROUP.text
    assert assign[assign.index("--assignee-object-id") + 1] == WHO
    assert assign[assign.index("--role") + 1] == role["Name"]
    assert f"'{READ_GROUP}'" in remedy.bicep


def test_an_identity_that_is_not_known_is_left_to_be_filled_in() -> None:
    remedy = found((FindWatcher("s1", "westeurope"), Unread("AuthorizationFailed"))).remedy
    assert remedy.az_cli.startswith("# first, with the id of vmreach's managed identity: PRINCIPAL_ID=")
    assert '"$PRINCIPAL_ID"' in remedy.az_cli
    assert "targetScope = 'subscription'" in remedy.bicep
