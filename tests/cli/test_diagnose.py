"""`diagnose` as people run it: against an Azure that they are logged in to, and against the sandbox."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from diagnostics.cli.exits import Exit
from diagnostics.cli.main import main
from diagnostics.cli.page import Page
from diagnostics.cli.progress import OnPage, slow
from diagnostics.cli.told import code_of, show
from diagnostics.findings import Confidence, Finding, Outcome, Remedy, Resource, Severity, Status, Step
from diagnostics.intake.messages import Problem
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Direction, FlowCheck, GuestScript, RuleCheck, Shell
from diagnostics.runbooks import probing
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.questions import FindVms, Question
from sandbox.arm import Sandbox
from sandbox.scenario import DERIVED, ESTATES, Scenario
from tests.conftest import Wait

ROOT = Path(__file__).parent.parent.parent
BLOCKED = Scenario.load(ESTATES / "vm-to-vm-nsg.json")
WORKS = Scenario.load(DERIVED / "vm-to-vm-healthy.json")
ASKED_INSIDE = Scenario.load(DERIVED / "vm-to-vm-guest-listens-not.json")
UNTOLD = Scenario.load(DERIVED / "vm-to-vm-check-fails.json")
DESTINATION = "vm-orders-sql-01:1433"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")


def scope(scenario: Scenario) -> list[str]:
    return ["--subscription", scenario.subscription]


def vm(scenario: Scenario, name: str = "vm-orders-web-01") -> str:
    return next(str(body["id"]) for body in scenario.resources if body["name"] == name)


@pytest.fixture(scope="module")
def azure() -> Iterator[Sandbox]:
    """An Azure that this process is logged in to."""
    settings = {"VMREACH_POLL_SECONDS": "0.01", "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"}
    scenarios = [BLOCKED, WORKS, UNTOLD, ASKED_INSIDE]
    with Sandbox(scenarios, operation_seconds=0.005) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "VMREACH_ARM_ENDPOINT"):
            patch.setenv(name, sandbox.environment()[name])
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.delenv("VMREACH_SCOPES", raising=False)
        patch.setenv("COLUMNS", "80")
        yield sandbox


def schema() -> Any:
    return jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schemas/finding.json").read_text()))


def test_a_person_reads_the_steps_the_cause_and_what_to_do(azure: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["diagnose", *scope(BLOCKED), "--source", "vm-orders-web-01", "--dest", DESTINATION])
    printed = capsys.readouterr()
    assert (code, printed.err) == (1, "")
    said = printed.out.splitlines()
    assert said[0] == f"DIAGNOSE vm-orders-web-01 → {DESTINATION}"
    assert "✓ Problem: vm-to-vm: the destination is vm-orders-sql-01" in said
    assert f"FAULT    vm-orders-web-01 → {DESTINATION}: it does not work" in said
    beginnings = (
        "✗ CON001 ",
        "sure     proven",
        "why      ",
        "changed  ",
        "do       ",
        "az       ",
        "bicep    resource ",
    )
    assert [start for start in beginnings if not any(line.startswith(start) for line in said)] == []
    assert any(line.startswith("portal   https://portal.azure.com/#@/resource/subscriptions/") for line in said)
    assert azure.teams == []


def test_what_is_to_be_copied_stands_on_one_line_and_no_line_obeys(
    azure: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["diagnose", "--source", vm(BLOCKED), "--dest", DESTINATION])
    out = capsys.readouterr().out
    command = next(line for line in out.splitlines() if line.startswith("az "))
    assert command.endswith("--destination-port-ranges 1433")
    exact = ("az network", "https://", "existing = {")
    assert [line for line in out.splitlines() if len(line) > 80 and not any(text in line for text in exact)] == [
        line for line in out.splitlines() if "securityRules@" in line
    ]
    assert not CONTROLS.search(out)
    assert azure.url not in out


def test_the_document_is_alone_on_standard_output(azure: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "--source", vm(BLOCKED), "--dest", DESTINATION, "--json"]) == 1
    printed = capsys.readouterr()
    read = json.loads(printed.out)
    assert list(read) == ["problem", "why", "works", "steps", "findings"]
    assert (read["problem"], read["works"]) == ("vm-to-vm", False)
    told = [f"{step['outcome']}: {step['name']}: {step['summary']}" for step in read["steps"]]
    assert printed.err.splitlines() == told
    for finding in read["findings"]:
        schema().validate(finding)
        assert finding["steps"] == []
    assert read["findings"][0]["resource"]["portalUrl"].startswith("https://portal.azure.com/")
    assert azure.teams == []


ENDS = {"a fault": (BLOCKED, 1, False), "it works": (WORKS, 0, True), "it can't be told": (UNTOLD, 3, None)}


@pytest.mark.parametrize(("scenario", "code", "works"), ENDS.values(), ids=ENDS)
@pytest.mark.usefixtures("azure")
def test_the_exit_code_is_the_answer(
    scenario: Scenario, code: int, works: object, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["diagnose", "--source", vm(scenario), "--dest", vm(scenario, "vm-orders-sql-01") + ":1433"]
    assert main([*asked, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["works"] is works


@pytest.mark.usefixtures("azure")
def test_nothing_is_looked_at_outside_of_the_scopes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VMREACH_SCOPES", WORKS.subscription)
    assert main(["diagnose", "--source", vm(BLOCKED)]) == 2
    assert capsys.readouterr().err.endswith("lies outside VMREACH_SCOPES\n")
    assert main(["diagnose", "--source", vm(BLOCKED), *scope(UNTOLD)]) == 2
    assert capsys.readouterr().err == f"diagnose: {vm(BLOCKED)} lies outside --subscription\n"


def test_without_guest_no_script_is_run(azure: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["diagnose", "--source", vm(ASKED_INSIDE), "--dest", DESTINATION]
    before = len(azure.calls)
    main(asked)
    said = " ".join(capsys.readouterr().out.split())
    assert "· TCP ping from inside the guest: guests are not asked without --guest" in said
    assert "guests not asked: TCP ping from inside the guest, Listener" in said
    assert "VMREACH" not in said
    assert not [call for call in azure.calls[before:] if "runCommand" in call.path]
    main([*asked, "--guest"])
    assert "--guest" not in capsys.readouterr().out
    assert [call for call in azure.calls[before:] if "runCommand" in call.path]


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["plain", "json"])
def test_an_azure_that_is_busy_can_t_tell(azure: Sandbox, form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    azure.faults.add(path="nic-orders-sql-01", status=429, headers={"Retry-After": "90"}, times=1)
    try:
        assert main(["diagnose", "--source", vm(WORKS), "--dest", vm(WORKS, "vm-orders-sql-01"), *form]) == 3
    finally:
        azure.faults.clear()
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    assert last.startswith("diagnose: could not tell: reading nic-orders-sql-01: ")
    assert last.endswith(" Try again in 90 s.")
    if form:
        read = json.loads(printed.out)
        assert [step["name"] for step in read["steps"]] == ["Source exists"]
        assert (read["works"], read["findings"]) == (None, [])


def test_whoever_is_not_logged_in_is_told_how(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}
    program = [sys.executable, "-m", "diagnostics", "diagnose", "--source", vm(BLOCKED)]
    ran = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, env=env, check=False, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("diagnose: no login to Azure: run `az login` (")
    assert len(ran.stderr.splitlines()) == 1


USAGE = {
    "nothing": ([], "--source: name the VM"),
    "a name and no scope": (["--source", "vm1"], "'vm1' is a name, and no subscription says where"),
    "no such subscription": (["--source", "vm1", "--subscription", "x"], "--subscription: 'x' is not an ARM"),
    "no such destination": (["--source", vm(BLOCKED), "--dest", "a b"], "--dest: 'a b' is not the name of a VM"),
    "a setting that is wrong": (["--source", vm(BLOCKED)], "settings: VMREACH_CLOUD: 'mars' is none of public"),
    "a scenario without a name": (["--sandbox"], "--sandbox: name a scenario"),
    "a destination of an alert": (["--sandbox", "healthy", "--dest", "x"], "--dest: needs --source"),
    "a time of an alert": (["--sandbox", "healthy", "--alert-time", "x"], "--alert-time: needs --source"),
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.values(), ids=USAGE)
def test_bad_usage_is_2_and_one_sentence(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VMREACH_SCOPES", raising=False)
    monkeypatch.setenv("VMREACH_CLOUD", "mars")
    assert main(["diagnose", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize("hours", ["0", "2161", "soon", "-1", "1.5"])
def test_hours_are_whole_and_azure_keeps_90_days(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["diagnose", "--source", "vm1", f"--history={hours}"])
    assert ended.value.code == 2
    assert "is not a whole number of hours from 1 to 2160" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["diagnose", "scenarios"])
def test_help_is_whole_and_waits_for_nothing(command: str) -> None:
    program = [sys.executable, "-X", "importtime", "-m", "diagnostics", command, "--help"]
    ran = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    apart = {"rich", "azure", "requests", "asyncio", "diagnostics.engine", "diagnostics.cloud", "diagnostics.runbooks"}
    assert not {name for name in loaded if name in apart or name.startswith(("diagnostics.intake", "sandbox"))}
    said = " ".join(ran.stdout.split())
    assert "Exit code: 0 " in said
    assert "2 bad usage, or nothing could be read." in said


# The sandbox as a child process


def child_of(process: subprocess.Popen[Any]) -> int | None:
    """The one process that it started."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(found[0]) if found else None


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells the children of a process")
@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["Ctrl-C", "kill -9"])
def test_the_sandbox_ends_with_whoever_started_it(ending: signal.Signals, code: int, eventually: Wait) -> None:
    program = [sys.executable, "-m", "diagnostics", "diagnose", "--sandbox", "vm-to-vm-nsg"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stderr
        while not process.stdout.readline().startswith("✓ Source exists".encode()):
            assert process.poll() is None
        child = child_of(process)
        assert child
        process.send_signal(ending)
        assert (process.wait(20), process.stderr.read()) == (code, b"")
    eventually(lambda: gone(child))


def test_the_product_without_the_sandbox_says_so(tmp_path: Path) -> None:
    (tmp_path / "diagnostics").symlink_to(ROOT / "diagnostics")
    program = [sys.executable, "-m", "diagnostics", "diagnose", "--sandbox", "healthy"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, env=env, check=False, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "diagnose: the sandbox is not installed: it is in a clone of vmreach, start this there\n"


def test_a_scenario_that_is_not_there_is_2_with_those_that_are_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "--sandbox", "vm-to-vm-ngs"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("diagnose: the sandbox: no scenario vm-to-vm-ngs; did you mean vm-to-vm-nsg")
    assert "scenarios --list" in said


# What is being asked, on a terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


WEB, NIC = (ResourceId.parse(f"/subscriptions/s/resourceGroups/g/providers/a/b/{name}") for name in ("web", "nic"))
FLOW = FlowCheck(WEB, "weu", None, Direction.INBOUND, "Tcp", "10.0.0.4", "10.0.0.5", 22)
QUESTIONS: dict[str, Question[Any]] = {
    "connectivity check web → nic:22": probing.CheckConnectivity(Probe(WEB, "weu", NIC, 22, "Tcp")),
    "connectivity check web → [2001:db8::4]:22": probing.CheckConnectivity(Probe(WEB, "weu", "2001:db8::4", 22, "Tcp")),
    "connectivity check web → a.example": probing.CheckConnectivity(Probe(WEB, "weu", "a.example", None, "Icmp")),
    "IP flow verify web, inbound from 10.0.0.5": probing.VerifyFlow(FLOW),
    "IP flow verify web, outbound to 10.0.0.5": probing.VerifyFlow(replace(FLOW, direction=Direction.OUTBOUND)),
    "NSG diagnostics nic, inbound": probing.DiagnoseRules(RuleCheck(NIC, "weu", Direction.INBOUND, "Tcp", "a", "b", 1)),
    "rules in effect at nic": probing.ReadEffectiveRules(NIC),
    "script in web: the routing table": probing.RunInGuest(
        GuestScript(WEB, "weu", Shell.LINUX, ("ip route",), "the routing table")
    ),
    "": FindVms("web"),
}


@pytest.mark.parametrize(("words", "question"), QUESTIONS.items())
def test_what_takes_its_time_in_words(words: str, question: Question[Any]) -> None:
    assert slow(question) == words


def watched(stdout: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("TERM", "xterm")
    with OnPage(Page()) as watch:
        for question in QUESTIONS.values():
            watch.asking(question)
        watch.ended(Step(name="TCP ping", outcome=Outcome.FAILED, summary="22 is closed\x1b[2J"))
    return stdout.getvalue()


def test_a_terminal_shows_what_is_asked_and_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = watched(Terminal(), monkeypatch)
    assert all(f"{words} … 0 s" in shown for words in QUESTIONS if words)
    assert shown.rstrip().endswith("TCP ping: 22 is closed\\x1b[2J\x1b[0m")
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def test_elsewhere_there_are_plain_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(io.StringIO(), monkeypatch) == "✗ TCP ping: 22 is closed\\x1b[2J\n"


# What is to be copied


@pytest.mark.parametrize(
    ("code", "label"),
    [("# first\naz vm start", "az       # first"), ("# as root\nip rule show", "in guest # as root"), ("", "")],
)
def test_a_command_for_a_guest_is_no_az_command(code: str, label: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = msgspec.structs.replace(finding("CON016"), remedy=Remedy(summary="", az_cli=code))
    show(Page(), Diagnosis("r", Problem.VM_TO_VM, "", (), (found,), works=False), "a → b", guest=True)
    assert label in capsys.readouterr().out.splitlines()


# How it ends


def finding(check: str, status: Status = Status.OPEN) -> Finding:
    return Finding(
        finding_id=check,
        check=check,
        title=check,
        severity=Severity.HIGH,
        status=status,
        confidence=Confidence.LIKELY,
        resource=Resource(id="", name="", type=""),
        remedy=Remedy(summary=""),
    )


ANSWERS = {
    "no fault": (True, [finding("CON000", Status.RESOLVED)], Exit.GOOD),
    "a fault": (False, [finding("CON001")], Exit.FOUND),
    "a fault that nothing explains": (False, [finding("CON009")], Exit.FOUND),
    "a fault, by configuration only": (None, [finding("CON001"), finding("CON014")], Exit.FOUND),
    "gone at the second look": (True, [finding("CON008", Status.RESOLVED)], Exit.GOOD),
    "it works, and something is wrong": (True, [finding("CON015")], Exit.FOUND),
    "it works, and a permission is missing": (True, [finding("CON021")], Exit.GOOD),
    "could not tell": (None, [finding("CON011")], Exit.UNKNOWN),
    "a permission is missing": (None, [finding("CON021")], Exit.UNKNOWN),
    "no agent, and nothing else": (None, [finding("CON011"), finding("CON013")], Exit.UNKNOWN),
}


@pytest.mark.parametrize(("works", "findings", "code"), ANSWERS.values(), ids=ANSWERS)
def test_what_the_exit_code_is_made_of(works: bool | None, findings: list[Finding], code: Exit) -> None:  # noqa: FBT001
    assert code_of(Diagnosis("r", Problem.VM_TO_VM, "", (), tuple(findings), works)) is code
