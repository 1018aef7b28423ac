"""Azure's own answers about rules, beside what is configured and what was probed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.findings import Confidence, Outcome, Severity
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.network.probes import FlowAnswer, RuleAnswer, RuleMatch
from diagnostics.runbooks.check_steps import connectivity
from diagnostics.runbooks.probed import Probed
from diagnostics.runbooks.probing import DiagnoseRules, Probing, ReadEffectiveRules, VerifyFlow
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.rules import steps as rule_steps
from diagnostics.runbooks.situation import Situation
from tests.network.arm import Json, ref
from tests.runbooks.azure import checked, hop, key, step
from tests.runbooks.house import ARRIVES, SILENT, House, deny, judged, nsgs, only

Answers = dict[tuple[type[Probing[Any]], str], Any]
SQL = key("networkSecurityGroups", "nsg-b").text


def flow_says(*, allowed: bool, rule: str = "deny") -> Answers:
    return {(VerifyFlow, "vm-sql"): FlowAnswer(allowed, rule)}


def rules_say(*, allowed: bool, rule: str = "deny") -> Answers:
    return {(DiagnoseRules, "sql"): RuleAnswer(allowed, (RuleMatch(SQL, "", rule, allowed),))}


def works(*rules: Json, manager: bool = False) -> Answers:
    """Effective rules of the subnet's NSG, or those of a network manager."""
    own = {"subnet": ref("virtualNetworks", "v/subnets/b")}
    managed = {"networkManager": {"id": key("networkManagers", "m").text}}
    group = {
        "association": managed if manager else own,
        "effectiveSecurityRules": list(rules),
        **({} if manager else {"networkSecurityGroup": {"id": SQL}}),
    }
    return {(ReadEffectiveRules, "sql"): {"value": [group]}}


def effective(name: str, access: str, priority: int = 200) -> Json:
    anything = {"sourceAddressPrefix": "0.0.0.0/0", "destinationAddressPrefix": "0.0.0.0/0", "protocol": "Tcp"}
    ports = {"sourcePortRange": "0-65535", "destinationPortRange": "0-65535"}
    return {"name": name, "access": access, "priority": priority, "direction": "Inbound", **anything, **ports}


def asked(house: House, *answers: Answers, probe: ConnectivityCheck | None = SILENT) -> Situation:
    azure = house.azure()
    for each in answers:
        azure.told |= each
    return judged(house, azure=azure, probe=probe)


@pytest.mark.parametrize(
    ("answers", "sure"),
    [
        ([flow_says(allowed=False)], Confidence.PROVEN),
        ([rules_say(allowed=False)], Confidence.PROVEN),
        ([works(effective("securityRules/deny", "Deny"))], Confidence.PROVEN),
        ([flow_says(allowed=False, rule="another")], Confidence.LIKELY),
        ([], Confidence.LIKELY),
    ],
    ids=["IP flow verify", "NSG diagnostics", "effective rules", "another rule", "no answer"],
)
def test_a_denial_that_azure_names_too_is_proven(answers: list[Answers], sure: Confidence) -> None:
    finding = only(asked(nsgs([deny()]), *answers))
    assert (finding.check, finding.confidence) == ("CON001", sure)


@pytest.mark.parametrize("both", [False, True], ids=["one NSG", "two NSGs with a rule of that name"])
def test_a_denial_that_the_probe_names_is_proven_and_one_finding(both: bool) -> None:  # noqa: FBT001
    probe = checked("Unreachable", hop("10.0.1.4", "Source"), hop("10.0.2.4", rule="UserRule_deny"))
    house = nsgs([deny()], [deny()] if both else [])
    azure = house.azure()
    situation = judged(house, probe=probe, azure=azure)
    assert {finding.confidence for finding in situation.findings} == {Confidence.PROVEN}
    situation = azure.run(connectivity(replace(situation, probed=Probed(probe))))
    assert len({finding.finding_id for finding in situation.findings}) == 1


def test_a_route_that_the_probe_names_is_one_finding() -> None:
    issue = {
        "origin": "Outbound",
        "severity": "Error",
        "type": "UserDefinedRoute",
        "context": [{"key": "RouteType", "value": "User"}],
    }
    probe = checked("Unreachable", hop("10.0.1.4", "Source") | {"issues": [issue]}, hop("10.0.2.4"))
    house = House(routes={"hole": "10.0.2.0/24 None"})
    azure = house.azure()
    situation = azure.run(connectivity(replace(judged(house, probe=probe, azure=azure), probed=Probed(probe))))
    assert len({finding.finding_id for finding in situation.findings}) == 1
    assert {finding.confidence for finding in situation.findings} == {Confidence.PROVEN}


DISAGREE = {
    "the change has not arrived": (
        nsgs([deny()]),
        [flow_says(allowed=True, rule="allow")],
        SILENT,
        {"CON001", "CON015"},
    ),
    "an old denial still works": (nsgs([]), [flow_says(allowed=False)], SILENT, {"CON001", "CON015"}),
    "the probe arrives": (nsgs([deny()]), [], ARRIVES, {"CON015"}),
    "the probe arrives though no route leads there": (
        House(routes={"hole": "10.0.2.0/24 None"}),
        [],
        ARRIVES,
        {"CON015"},
    ),
    "all agree": (nsgs([deny()]), [flow_says(allowed=False), rules_say(allowed=False)], SILENT, {"CON001"}),
    "rules allow, the probe fails": (nsgs([]), [flow_says(allowed=True, rule="AllowVnetInBound")], SILENT, set()),
    "effective rules differ": (
        nsgs([]),
        [works(effective("securityRules/late", "Deny"))],
        SILENT,
        {"CON001", "CON015"},
    ),
    "a network manager's rule": (
        nsgs([]),
        [works(effective("SecurityAdminRule_no-web", "Deny"), manager=True)],
        SILENT,
        {"CON001", "CON015"},
    ),
}


@pytest.mark.parametrize(("house", "answers", "probe", "checks"), DISAGREE.values(), ids=DISAGREE)
def test_a_disagreement_is_a_finding(
    house: House, answers: list[Answers], probe: ConnectivityCheck, checks: set[str]
) -> None:
    situation = asked(house, *answers, probe=probe)
    assert {finding.check for finding in situation.findings} == checks
    told = step(situation, rule_steps.OWN_ANSWERS)
    assert ("contradict" in told.summary) is ("CON015" in checks)
    for finding in situation.findings:
        if finding.check == "CON015":
            assert (finding.severity, finding.confidence) == (Severity.MEDIUM, Confidence.LIKELY)
            assert "configured" in finding.because[0].text


def test_a_rule_of_a_network_manager_is_told_as_one() -> None:
    situation = asked(*DISAGREE["a network manager's rule"][:1], *DISAGREE["a network manager's rule"][1])
    by_check = {finding.check: finding for finding in situation.findings}
    assert "network manager" in by_check["CON015"].remedy.summary
    assert "network manager" in by_check["CON001"].remedy.summary
    assert by_check["CON001"].because[0].name == "SecurityAdminRule_no-web"


def test_what_azure_denies_where_the_nsg_could_not_be_read_is_proven() -> None:
    house = nsgs([deny()])
    azure = house.azure()
    azure.change(Unread("refused"), key("networkSecurityGroups", "nsg-b"))
    azure.told |= rules_say(allowed=False)
    finding = only(judged(house, azure=azure))
    assert (finding.check, finding.confidence) == ("CON001", Confidence.PROVEN)
    assert finding.because[0].resource_id == SQL


def test_nothing_is_asked_where_the_probe_arrived_and_nothing_speaks_against_it() -> None:
    azure = nsgs([]).azure()
    situation = judged(House(), probe=ARRIVES, azure=azure)
    assert step(situation, rule_steps.NAME).outcome is Outcome.PASSED
    assert step(situation, rule_steps.OWN_ANSWERS).outcome is Outcome.SKIPPED
    assert [each for each in azure.asked if isinstance(each, Probing)] == []


def test_loss_is_reason_enough_to_ask() -> None:
    azure = nsgs([]).azure()
    judged(House(), probe=checked("Reachable", hop("10.0.1.4"), hop("10.0.2.4"), failed=60), azure=azure)
    assert azure.of_type(VerifyFlow)


def test_how_azure_is_asked() -> None:
    azure = nsgs([deny()]).azure()
    judged(House(), azure=azure)
    out, into = (each.check for each in azure.of_type(VerifyFlow))
    assert (out.direction, out.local_address, out.remote_address, out.local_port, out.remote_port) == (
        "Outbound",
        "10.0.1.4",
        "10.0.2.4",
        None,
        443,
    )
    assert (into.direction, into.local_address, into.remote_address, into.local_port, into.remote_port) == (
        "Inbound",
        "10.0.2.4",
        "10.0.1.4",
        443,
        None,
    )
    assert {(each.check.target.name, each.check.location) for each in azure.of_type(DiagnoseRules)} == {
        ("web", "westeurope"),
        ("sql", "westeurope"),
    }


def test_a_machine_that_is_off_has_no_effective_rules() -> None:
    azure = House(sql_state="deallocated").azure()
    situation = judged(House(), azure=azure)
    assert [each.nic.name for each in azure.of_type(ReadEffectiveRules)] == ["web"]
    told = step(situation, rule_steps.OWN_ANSWERS)
    assert any("vm-sql does not run" in line for line in told.evidence)
    assert told.outcome is Outcome.INCONCLUSIVE


def test_an_effective_answer_that_is_not_understood_says_nothing() -> None:
    situation = asked(nsgs([]), {(ReadEffectiveRules, "sql"): {"value": [{"effectiveSecurityRules": 7}]}})
    assert any("not understood" in line for line in step(situation, rule_steps.OWN_ANSWERS).evidence)
    assert situation.findings == ()
