"""`scenarios`: what is expected is held against what is found, and every difference is told."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from diagnostics.cli.exits import Exit
from diagnostics.cli.main import main
from diagnostics.cli.page import Page
from diagnostics.cli.sandboxed import Expected, Scenario
from diagnostics.cli.scenarios import Result, code_of, differences, show
from diagnostics.findings import (
    Cause,
    Change,
    Confidence,
    Finding,
    Outcome,
    Remedy,
    Resource,
    Severity,
    Status,
    Step,
)
from diagnostics.intake.messages import Problem
from diagnostics.runbooks.diagnosis import Diagnosis
from sandbox.scenario import DERIVED, ESTATES

ROOT = Path(__file__).parent.parent.parent
NAMES = [path.stem for folder in (ESTATES, DERIVED) for path in sorted(folder.glob("*.json"))]

WHEN = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
FINDING = Finding(
    finding_id="f",
    check="CON001",
    title="deny-sql blocks it",
    severity=Severity.HIGH,
    confidence=Confidence.PROVEN,
    resource=Resource(id="", name="", type=""),
    because=(Cause(kind="security-rule", text="it denies", name="deny-sql"), Cause(kind="probe", text="30 of 30")),
    remedy=Remedy(summary="Delete it.", az_cli="az network nsg rule delete"),
    change=Change(when=WHEN, who="ana@contoso.example", operation="write"),
)
PING = Step(name="TCP ping", outcome=Outcome.FAILED, summary="closed")
FOUND = Diagnosis("r", Problem.VM_TO_VM, "", (PING,), (FINDING,), works=False)
EXPECTED = Expected(
    problem="vm-to-vm",
    checks=("CON001",),
    because="deny-sql",
    confidence="proven",
    status="open",
    remedy="rule delete",
    change="ana@contoso.example",
    steps={"TCP ping": "failed"},
)


def scenario(expected: Expected) -> Scenario:
    return Scenario("a-rule", "A rule denies it", "", "s", run_command=False, alert={}, expected=expected)


def test_what_is_as_expected_differs_in_nothing() -> None:
    assert list(differences(scenario(EXPECTED), FOUND)) == []
    assert list(differences(scenario(Expected(problem="vm-to-vm", checks=("CON001",))), FOUND)) == []


DIFFERENCES = {
    "problem": ({"problem": "secondary-nic"}, "problem vm-to-vm instead of secondary-nic"),
    "checks": ({"checks": ("CON001", "CON005")}, "findings CON001 instead of CON001, CON005"),
    "cause": ({"because": "deny-all"}, "'deny-all' is not named as the cause: deny-sql: it denies | : 30 of 30"),
    "confidence": ({"confidence": "likely"}, "proven instead of likely"),
    "status": ({"status": "resolved"}, "open instead of resolved"),
    "remedy": ({"remedy": "rule create"}, "'rule create' is not in what to do: Delete it."),
    "change": ({"change": "ben@contoso.example"}, "changed by ana@contoso.example instead of ben@contoso.example"),
    "step": ({"steps": {"TCP ping": "passed"}}, "step 'TCP ping' failed instead of passed"),
    "no step": ({"steps": {"SNAT": "passed"}}, "step 'SNAT' was not made instead of passed"),
}


@pytest.mark.parametrize(("change", "said"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_each_difference_is_told(change: dict[str, object], said: str) -> None:
    expected = msgspec.structs.replace(EXPECTED, **change)
    assert list(differences(scenario(expected), FOUND)) == [said]


def test_findings_are_compared_in_their_order() -> None:
    two = replace(FOUND, findings=(FINDING, msgspec.structs.replace(FINDING, check="CON005")))
    expected = msgspec.structs.replace(EXPECTED, checks=("CON005", "CON001"))
    assert list(differences(scenario(expected), two)) == ["findings CON001, CON005 instead of CON005, CON001"]


def test_no_fault_is_neither_open_nor_gone() -> None:
    healthy = msgspec.structs.replace(FINDING, check="CON000", status=Status.RESOLVED)
    expected = msgspec.structs.replace(EXPECTED, checks=("CON000",))
    assert list(differences(scenario(expected), replace(FOUND, findings=(healthy,)))) == []


def test_what_differs_is_told_below_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    right, wrong = Result(scenario(EXPECTED), FOUND, ()), Result(scenario(EXPECTED), None, ("Azure is away\x1b[2J",))
    show(Page(), [right, wrong])
    said = capsys.readouterr().out.splitlines()
    assert [line.split() for line in said[:5]] == [
        ["scenario", "expected", "found"],
        ["✓", "a-rule", "CON001", "CON001", "as", "expected"],
        ["A", "rule", "denies", "it"],
        ["✗", "a-rule", "CON001", "nothing", "DIFFERS"],
        ["A", "rule", "denies", "it"],
    ]
    assert said[5:] == ["", "a-rule  A rule denies it", r"✗ Azure is away\x1b[2J", "", "DIFFERS  1 of 2 scenarios"]
    assert (code_of([right]), code_of([right, wrong])) == (Exit.GOOD, Exit.FOUND)


def test_some_of_them_as_people_run_it() -> None:
    some = ("healthy", "vm-to-vm-nsg", "vm-to-vm-permission", "vm-to-vm-guest-names-rule")
    program = [sys.executable, "-W", "error", "-m", "diagnostics", "scenarios", *some, "--json"]
    ran = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    read = json.loads(ran.stdout)
    assert [(each["name"], each["differs"]) for each in read] == [(name, []) for name in some]
    assert [finding["check"] for finding in read[2]["found"]["findings"]] == ["CON001", "CON021"]


def test_the_list_has_all_of_them_and_what_is_expected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--list", "--json"]) == 0
    printed = capsys.readouterr()
    read = json.loads(printed.out)
    assert [each["name"] for each in read] == NAMES
    assert all(each["title"] and each["expected"]["checks"] for each in read)
    assert all(each.keys() == {"name", "title", "story", "expected"} for each in read)


def test_the_list_of_some_for_a_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["scenarios", "--list", "vm-to-vm-nsg"]) == 0
    title = "A deny rule above the allow rule cuts the web tier off from SQL Server"
    listed = " ".join(capsys.readouterr().out.split())
    assert listed == f"scenario expected · vm-to-vm-nsg vm-to-vm, CON001 {title}"


def test_one_that_is_not_there_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "nothing-of-the-kind"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err[:60]) == ("", "scenarios: the sandbox: no scenario nothing-of-the-kind; the")
