"""Every scenario, from its alert to its diagnosis, over HTTP: what is found is what an expert would say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from diagnostics.findings import Finding, Outcome
from diagnostics.intake.messages import Problem
from diagnostics.network.connectivity import IssueType, issue_type
from sandbox.scenario import Scenario
from tests.infra.roles import lacking
from tests.scenarios.conftest import LOADED, Diagnoses

each = pytest.mark.parametrize("scenario", LOADED, ids=lambda scenario: scenario.name)
HEALTHY = "CON000"


def main_finding(diagnoses: Diagnoses, scenario: Scenario) -> Finding:
    return diagnoses.of(scenario).findings[0]


def issues() -> Iterator[dict[str, Any]]:
    """Every issue that a connectivity check of a scenario names, at hops and on links."""
    probes = [entry for scenario in LOADED for entry in scenario.probes["connectivityCheck"]]
    answers = [answer for entry in probes for answer in (*entry.answers, *((entry.answer,) if entry.answer else ()))]
    for hop in (hop for answer in answers for hop in answer["hops"]):
        yield from hop["issues"]
        for link in (*hop.get("links", ()), *hop.get("previousLinks", ())):
            yield from link.get("issues", ())


@each
def test_the_problem(scenario: Scenario, diagnoses: Diagnoses) -> None:
    assert diagnoses.of(scenario).problem == scenario.expected.problem


@each
def test_the_findings(scenario: Scenario, diagnoses: Diagnoses) -> None:
    assert [finding.check for finding in diagnoses.of(scenario).findings] == scenario.expected.checks


@each
def test_the_main_cause(scenario: Scenario, diagnoses: Diagnoses) -> None:
    finding, expected = main_finding(diagnoses, scenario), scenario.expected
    assert expected.because in " | ".join(f"{cause.name}: {cause.text}" for cause in finding.because)
    assert finding.confidence == (expected.confidence or finding.confidence)
    assert finding.status == expected.status or expected.checks == [HEALTHY]
    if expected.change:
        assert finding.change is not None
        assert finding.change.who == expected.change


@each
def test_the_remedy(scenario: Scenario, diagnoses: Diagnoses) -> None:
    remedy = main_finding(diagnoses, scenario).remedy
    assert scenario.expected.remedy in f"{remedy.summary}\n{remedy.az_cli}\n{remedy.bicep}"


@each
def test_the_steps(scenario: Scenario, diagnoses: Diagnoses) -> None:
    outcomes = {step.name: str(step.outcome) for step in diagnoses.of(scenario).steps}
    assert {name: outcomes.get(name) for name in scenario.expected.steps} == scenario.expected.steps


@each
def test_the_roles(scenario: Scenario, diagnoses: Diagnoses) -> None:
    roles = ["diagnose", "guest"] if scenario.run_command else ["diagnose"]
    assert lacking(diagnoses.calls(scenario), roles) == []


def test_every_issue_has_a_scenario() -> None:
    """The seven rows of the runbook's table, the others that are known, and one that nobody knows."""
    assert {issue_type(str(issue["type"])) for issue in issues()} == set(IssueType)


def test_every_finding_of_a_runbook_has_a_scenario() -> None:
    checks = {check for scenario in LOADED for check in scenario.expected.checks}
    assert checks == {*(f"CON{number:03}" for number in range(23)), "VM001", "NIC001"}


def test_every_problem_is_picked_from_several_kinds_of_alert() -> None:
    assert {scenario.expected.problem for scenario in LOADED} == {str(p) for p in Problem} - {Problem.AUTO}
    essentials = [scenario.alert["data"]["essentials"] for scenario in LOADED]
    services = {re.sub(r"\W", "", each["monitoringService"]).lower() for each in essentials}
    assert services == {"platform", "logalertsv2", "resourcehealth", "activitylogadministrative"}


def test_every_outcome_of_a_step_occurs(diagnoses: Diagnoses) -> None:
    found = {step.outcome for scenario in LOADED for step in diagnoses.of(scenario).steps}
    assert found == set(Outcome)
