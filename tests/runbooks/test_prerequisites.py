"""What must be so before any probe: each missing thing is named, and hinders nothing but the probes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.findings import Confidence, Outcome, Severity
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Vm
from diagnostics.runbooks.prerequisites import prerequisites
from diagnostics.runbooks.questions import Extension, FindWatcher, Question, ReadExtensions, Tell, Unread, answer_all
from diagnostics.runbooks.situation import Conditions, Machine, Situation
from tests.runbooks.world import NOON, net, vm

WEB = Machine(vm("web-1"), Vm(vm("web-1"), "westeurope", "running", "Linux", ()))
WATCHER = net("networkWatchers", "NetworkWatcher_westeurope")
NONE_THERE = Unread("no Network Watcher in region westeurope", missing=True)
FORBIDDEN = Unread("not allowed.", "Microsoft.Network/networkWatchers/read", "/subscriptions/s1")
OTHER = Extension("monitor", "Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", "Succeeded")
PASSED, FAILED, UNSURE, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.SKIPPED


def agent(state: str = "Succeeded", **more: str) -> Extension:
    usual = Extension("any-name", "Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux", state)
    return replace(usual, **more)


WITH_AGENT = (agent(),)


def looked(
    source: Machine | None = WEB,
    watcher: ResourceId | Unread = WATCHER,
    extensions: tuple[Extension, ...] | Unread = WITH_AGENT,
) -> Situation:
    """The situation after both steps."""

    def answer(question: Question[Any]) -> Any:
        match question:
            case FindWatcher("s1", "westeurope"):
                return watcher
            case ReadExtensions():
                return extensions
            case Tell():
                return None
        raise AssertionError(question)

    request = DiagnosisRequest(request_id="r1", source=Endpoint(name="web-1"), origin=Origin(kind="queue"))
    conditions = Conditions(NOON, Endpoint(address="www.example.com", port=443))
    situation = Situation(request, conditions, Problem.VM_TO_VM, "", source, None)
    return answer_all(prerequisites(situation), answer)


def test_all_in_order() -> None:
    after = looked()
    assert [(step.name, step.outcome) for step in after.steps] == [
        ("Network Watcher in westeurope", PASSED),
        ("Network Watcher agent on the source", PASSED),
    ]
    assert (after.findings, after.obstacle) == ((), "")


@pytest.mark.parametrize(
    ("watcher", "outcome", "checks", "obstacle"),
    [
        (NONE_THERE, FAILED, ["CON014"], "subscription s1 has no Network Watcher in region westeurope"),
        (FORBIDDEN, UNSURE, [], ""),
        (Unread("no answer"), UNSURE, [], ""),
    ],
    ids=["none", "forbidden", "no answer"],
)
def test_the_watcher(watcher: Unread, outcome: Outcome, checks: list[str], obstacle: str) -> None:
    after = looked(watcher=watcher)
    assert (after.steps[0].outcome, [finding.check for finding in after.findings]) == (outcome, checks)
    assert after.obstacle.startswith(obstacle)
    assert bool(after.obstacle) is bool(obstacle)
    assert after.steps[1].outcome is PASSED


@pytest.mark.parametrize(
    ("extensions", "outcome", "checks"),
    [
        ((OTHER, agent()), PASSED, []),
        ((agent(publisher="microsoft.azure.NETWORKWATCHER", type="networkwatcheragentwindows"),), PASSED, []),
        ((agent("Failed"), agent()), PASSED, []),
        ((agent("Failed"),), FAILED, []),
        ((agent("Updating"),), UNSURE, []),
        ((agent(""),), UNSURE, []),
        ((), FAILED, ["CON013"]),
        ((OTHER,), FAILED, ["CON013"]),
        ((agent(publisher="Contoso"),), FAILED, ["CON013"]),
        (Unread("not allowed.", "Microsoft.Compute/virtualMachines/extensions/read"), UNSURE, []),
    ],
    ids=["other-too", "any-case", "one-works", "failed", "updating", "stateless", "none", "other", "foreign", "unread"],
)
def test_the_agent(extensions: tuple[Extension, ...] | Unread, outcome: Outcome, checks: list[str]) -> None:
    after = looked(extensions=extensions)
    assert (after.steps[1].outcome, [finding.check for finding in after.findings]) == (outcome, checks)
    assert bool(after.obstacle) is bool(checks)


def test_what_is_missing_is_a_hindrance_and_no_cause() -> None:
    findings = looked(watcher=NONE_THERE, extensions=()).findings
    assert [(f.check, f.severity, f.confidence) for f in findings] == [
        ("CON014", Severity.MEDIUM, Confidence.PROVEN),
        ("CON013", Severity.MEDIUM, Confidence.PROVEN),
    ]
    assert all("it is not why the connection fails" in finding.because[0].text for finding in findings)


def test_the_watcher_is_missing_for_the_whole_region_once() -> None:
    other = replace(WEB, id=vm("web-2"))
    one, two = looked(watcher=NONE_THERE).findings[0], looked(other, watcher=NONE_THERE).findings[0]
    assert one.finding_id == two.finding_id
    assert one.resource.id == "/subscriptions/s1"


@pytest.mark.parametrize(
    ("os", "named", "command"),
    [
        ("Linux", "NetworkWatcherAgentLinux", "az vm extension set"),
        ("Windows", "NetworkWatcherAgentWindows", "az vm extension set"),
        ("", "NetworkWatcherAgentWindows on Windows, NetworkWatcherAgentLinux on Linux", "az vm show"),
    ],
)
def test_the_agent_to_install_fits_the_system(os: str, named: str, command: str) -> None:
    source = replace(WEB, vm=Vm(vm("web-1"), "westeurope", "running", os, ()))
    remedy = looked(source, extensions=()).findings[0].remedy
    assert named in remedy.summary
    assert remedy.az_cli.startswith(command)
    assert ("type: 'NetworkWatcherAgent" in remedy.bicep) is bool(os)


def test_a_source_that_is_off_is_the_first_obstacle_and_the_rest_is_still_told() -> None:
    off = replace(WEB, vm=Vm(vm("web-1"), "westeurope", "deallocated", "Linux", ()))
    after = looked(off, watcher=NONE_THERE, extensions=())
    assert after.obstacle == "web-1 does not run, so it can't probe"
    assert [step.outcome for step in after.steps] == [FAILED, FAILED]


def test_an_instance_of_a_scale_set_is_not_judged_by_a_vms_extensions() -> None:
    machine = "virtualMachineScaleSets/set/virtualMachines/3"
    instance = ResourceId.parse(vm("x").text.replace("virtualMachines/x", machine))
    after = looked(replace(WEB, id=instance))
    assert after.steps[1].outcome is UNSURE
    assert "scale set's model" in after.steps[1].summary


@pytest.mark.parametrize(
    ("source", "outcomes"),
    [
        (None, [SKIPPED, SKIPPED]),
        (Machine(vm("web-1"), Unread("web-1 was not found", missing=True)), [SKIPPED, SKIPPED]),
        (Machine(vm("web-1"), Unread("not allowed.", "Microsoft.Compute/virtualMachines/read")), [SKIPPED, PASSED]),
        (Machine(net("networkInterfaces", "nic"), Unread("nic is attached to no VM")), [SKIPPED, SKIPPED]),
        (replace(WEB, vm=Vm(vm("web-1"), "", "running", "Linux", ())), [SKIPPED, PASSED]),
    ],
    ids=["not found", "does not exist", "unread", "lone NIC", "no region"],
)
def test_what_is_not_known_is_not_asked_about(source: Machine | None, outcomes: list[Outcome]) -> None:
    after = looked(source)
    assert [step.outcome for step in after.steps] == outcomes
    assert all(step.summary for step in after.steps)
