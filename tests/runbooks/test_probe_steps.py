"""The steps that probe: loss and latency, remote access, the primary address, the same check once more."""

from __future__ import annotations

import pytest

from diagnostics.findings import Confidence, Outcome, Status
from diagnostics.intake.messages import Endpoint, Protocol
from diagnostics.runbooks.questions import Unread
from tests.runbooks.world import World, check, ended, hop, issue, net, summary, vm

SOURCE = hop(vm("web-1"), "10.0.0.4", kind="Source")
DEAD = check("Unreachable", SOURCE, hop(vm("sql-1"), "10.0.1.4"))
WORKS = check("Reachable", SOURCE, hop(vm("sql-1"), "10.0.1.4"))
FIREWALL = check("Unreachable", SOURCE, hop(vm("sql-1"), "10.0.1.4", issue("GuestFirewall")))
AGAIN, RDP, PRIMARY = "Check again", "RDP (3389)", "Primary address"
SECOND = Endpoint(resource_id=vm("sql-1").text, address="10.0.2.4", port=1433)


@pytest.mark.parametrize(
    ("sent", "failed", "outcome", "said"),
    [
        (66, 0, Outcome.PASSED, "66 of 66 probes answered, 2 ms"),
        (100, 3, Outcome.PASSED, "97 of 100 probes answered, 2 ms"),
        (100, 60, Outcome.FAILED, "40 of 100 probes answered, 60% lost, 2 ms"),
    ],
    ids=["all", "a few are lost", "most are lost"],
)
def test_loss_and_latency_are_told_whatever_azure_calls_it(
    world: World, sql: Endpoint, *, sent: int, failed: int, outcome: Outcome, said: str
) -> None:
    world.check = check("Reachable", SOURCE, hop(vm("sql-1"), "10.0.1.4"), sent=sent, failed=failed)
    finding = world.diagnose(vm("web-1"), sql).findings[0]
    assert (ended(finding, "TCP ping"), finding.check) == (outcome, "CON000" if outcome is Outcome.PASSED else "CON009")
    assert summary(finding, "TCP ping") == f"web-1 → sql-1:1433: Reachable, {said}"


def test_remote_access_tells_whether_the_machine_answers_at_all(world: World, sql: Endpoint) -> None:
    world.check, world.by_end = DEAD, {3389: WORKS}
    finding = world.only(vm("web-1"), sql)
    assert ended(finding, RDP) is Outcome.PASSED
    assert summary(finding, RDP).endswith("what fails is web-1 → sql-1:1433 alone")


@pytest.mark.parametrize(
    ("answer", "port", "why"),
    [(DEAD, 3389, "it is the port that was probed"), (WORKS, 1433, "web-1 → sql-1:1433 works, so")],
    ids=["the same port", "it works"],
)
def test_remote_access_is_not_tried_without_need(world: World, answer: object, port: int, why: str) -> None:
    world.check = answer  # type: ignore[assignment]
    finding = world.only(vm("web-1"), Endpoint(resource_id=vm("sql-1").text, port=port))
    assert ended(finding, RDP) is Outcome.SKIPPED
    assert summary(finding, RDP).startswith(why)


def test_remote_access_is_tcp_also_where_icmp_was_asked_for(world: World, sql: Endpoint) -> None:
    world.check = DEAD
    world.diagnose(vm("web-1"), sql, protocol=Protocol.ICMP)
    assert [(probe.port, probe.protocol) for probe in world.probes] == [(None, "Icmp"), (3389, "Tcp"), (None, "Icmp")]


def test_a_fault_that_stays_is_said_to_be_there_still(world: World, sql: Endpoint) -> None:
    world.check = FIREWALL
    finding = world.only(vm("web-1"), sql)
    assert (ended(finding, AGAIN), finding.status) == (Outcome.FAILED, Status.OPEN)
    assert finding.because[-1].text == "Checked again: it is still there, 30 of 30 probes failed"


def test_a_fault_that_is_gone_at_the_second_check_is_said_to_be_gone(world: World, sql: Endpoint) -> None:
    world.check, world.later = FIREWALL, WORKS
    diagnosis = world.diagnose(vm("web-1"), sql)
    (finding,) = diagnosis.findings
    assert (diagnosis.works, finding.check, finding.status) == (True, "CON005", Status.RESOLVED)
    assert finding.because[-1].text == "Checked again: it is gone, the probes arrive now"


def test_what_came_and_went_without_a_reason_is_told(world: World, sql: Endpoint) -> None:
    world.check, world.later = DEAD, WORKS
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, finding.status, finding.confidence) == ("CON009", Status.RESOLVED, Confidence.PROVEN)
    assert "came and went" in finding.title


def test_a_second_check_that_could_not_be_made_changes_nothing(world: World, sql: Endpoint) -> None:
    world.check, world.later = FIREWALL, Unread("Azure is busy")
    finding = world.only(vm("web-1"), sql)
    assert (ended(finding, AGAIN), finding.status) == (Outcome.INCONCLUSIVE, Status.OPEN)
    assert "Checked again" not in finding.because[-1].text


@pytest.mark.parametrize(
    ("primary", "outcome", "meaning"),
    [(WORKS, Outcome.PASSED, "it is sql-nic-2 that fails"), (DEAD, Outcome.FAILED, "it is not sql-nic-2 alone")],
    ids=["answers", "is silent too"],
)
def test_where_a_secondary_interface_is_silent_the_primary_address_is_tried(
    world: World, primary: object, outcome: Outcome, meaning: str
) -> None:
    world.check, world.by_end = DEAD, {"10.0.1.4": primary}  # type: ignore[dict-item]
    finding = world.only(vm("web-1"), SECOND)
    assert ended(finding, PRIMARY) is outcome
    assert meaning in summary(finding, PRIMARY)
    assert "(10.0.1.4):1433" in summary(finding, PRIMARY)


def test_a_primary_address_that_is_not_known_is_not_tried(world: World) -> None:
    world.check = DEAD
    world.answers.pop(net("networkInterfaces", "sql-nic"))
    finding = world.only(vm("web-1"), SECOND)
    assert ended(finding, PRIMARY) is Outcome.SKIPPED
