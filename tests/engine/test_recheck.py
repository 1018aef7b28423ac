"""Looking again: when, how often, and what is said about what is gone."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from diagnostics.engine.recheck import is_gone, next_look, to_tell
from diagnostics.errors import PermanentError, TemporaryError
from diagnostics.findings import Confidence, Finding, Outcome, Remedy, Resource, Severity, Status, Step
from diagnostics.intake.messages import DiagnosisRequest, Problem, Recheck
from diagnostics.runbooks.diagnosis import Diagnosis
from tests.engine.house import BLOCKED, NIC, SILENT, WORKS, House, asked


def finding(check: str, name: str = "", *, status: Status = Status.OPEN, severity: Severity = Severity.HIGH) -> Finding:
    return Finding(
        finding_id=name or check.lower(),
        check=check,
        title=f"{check} it is",
        severity=severity,
        status=status,
        confidence=Confidence.PROVEN,
        resource=Resource(id="", name="web-1", type=""),
        remedy=Remedy(summary="Mend it."),
    )


RULE, OTHER_RULE, ROUTE = finding("CON001", "rule"), finding("CON001", "other rule"), finding("CON002", "route")
FAILED, NO_PERMISSION, UNKNOWN = finding("NIC001"), finding("CON021"), finding("CON011")
OFF, NO_AGENT = finding("VM001"), finding("CON013")
WORKS_NOW = finding("CON000", status=Status.RESOLVED, severity=Severity.INFO)
CAME_BACK = finding("CON009", status=Status.RESOLVED)
UNSURE = Step(name="Rules", outcome=Outcome.INCONCLUSIVE, summary="could not be read")


def diagnosis(*findings: Finding, works: bool | None = False, steps: tuple[Step, ...] = ()) -> Diagnosis:
    return Diagnosis("r", Problem.VM_TO_VM, "", steps, findings, works)


def look(number: int, *findings: str) -> DiagnosisRequest:
    """The request of a look, the first diagnosis being number 0."""
    first = asked("r0")
    return (
        first
        if not number
        else msgspec.structs.replace(first, recheck=Recheck(of="r0", round=number, findings=findings))
    )


@pytest.mark.parametrize(
    ("request_", "found", "named"),
    [
        pytest.param(look(0), diagnosis(RULE, ROUTE), ("rule", "route"), id="it fails for two reasons"),
        pytest.param(look(0), diagnosis(FAILED, RULE), ("rule",), id="a failed NIC has a state of its own"),
        pytest.param(look(0), diagnosis(FAILED), (), id="it fails, and only a failed NIC is known"),
        pytest.param(
            look(0), diagnosis(FAILED, works=None), None, id="a failed NIC, and nobody knows whether it fails"
        ),
        pytest.param(look(0), diagnosis(UNKNOWN, NO_PERMISSION, works=None), ("con011",), id="could not tell"),
        pytest.param(look(0), diagnosis(NO_AGENT, UNKNOWN, works=None), ("con013", "con011"), id="no agent"),
        pytest.param(look(0), diagnosis(OFF, works=None), ("vm001",), id="a VM is off"),
        pytest.param(look(0), diagnosis(NO_PERMISSION, works=None), None, id="nothing but a permission"),
        pytest.param(look(0), diagnosis(WORKS_NOW, works=True), None, id="it works"),
        pytest.param(look(0), diagnosis(RULE, works=True), None, id="it works, though something is odd"),
        pytest.param(look(0), diagnosis(CAME_BACK, works=True), None, id="it came back"),
        pytest.param(look(1, "rule"), diagnosis(RULE), ("rule",), id="it fails still"),
        pytest.param(look(1, "rule"), diagnosis(ROUTE), ("rule", "route"), id="it fails for another reason too"),
        pytest.param(look(1, "over", "rule"), diagnosis(ROUTE), ("rule", "route"), id="of two reasons one is gone"),
        pytest.param(look(1, "rule"), diagnosis(UNKNOWN, works=None), ("rule",), id="could not tell this time"),
        pytest.param(look(2, "rule"), diagnosis(RULE), ("rule",), id="the last look"),
        pytest.param(look(3, "rule"), diagnosis(RULE), None, id="looked often enough"),
        pytest.param(look(99, "rule"), diagnosis(RULE), None, id="a number out of nowhere"),
        pytest.param(look(1, "rule"), diagnosis(WORKS_NOW, works=True), None, id="it works now"),
    ],
)
def test_when_to_look_again_and_for_what(
    request_: DiagnosisRequest, found: Diagnosis, named: tuple[str, ...] | None
) -> None:
    later = next_look(request_, found, {"over"})
    assert (later and later.recheck and later.recheck.findings) == named
    assert later is None or later.recheck is None or later.recheck.of == "r0"


SURE = (msgspec.structs.replace(UNSURE, outcome=Outcome.FAILED),)


@pytest.mark.parametrize(
    ("then", "found", "over"),
    [
        pytest.param(RULE, diagnosis(WORKS_NOW, works=True), True, id="it works"),
        pytest.param(RULE, diagnosis(CAME_BACK, works=True), True, id="it came back just now"),
        pytest.param(RULE, diagnosis(RULE, works=True), False, id="it works, and is still found"),
        pytest.param(ROUTE, diagnosis(RULE, works=True), True, id="it works, and another is found"),
        pytest.param(CAME_BACK, diagnosis(CAME_BACK, works=True), True, id="this check says itself that it is gone"),
        pytest.param(RULE, diagnosis(RULE), False, id="it is still there"),
        pytest.param(RULE, diagnosis(OTHER_RULE), True, id="another blocks now"),
        pytest.param(UNKNOWN, diagnosis(RULE), True, id="now it can be told"),
        pytest.param(RULE, diagnosis(OTHER_RULE, NO_PERMISSION), False, id="something could not be read"),
        pytest.param(RULE, diagnosis(UNKNOWN), False, id="could not tell"),
        pytest.param(RULE, diagnosis(OFF, works=None), False, id="nothing was probed"),
    ],
)
def test_what_is_gone(then: Finding, found: Diagnosis, *, over: bool) -> None:
    assert is_gone(then, found) is over


@pytest.mark.parametrize(
    ("then", "now", "works", "over"),
    [
        pytest.param(SURE, SURE, False, True, id="a step that told told again"),
        pytest.param(SURE, (UNSURE,), False, False, id="a step that told could not"),
        pytest.param(SURE, (), False, False, id="a step that told was not made"),
        pytest.param((UNSURE,), (UNSURE,), False, True, id="a step that could not tell could not again"),
        pytest.param(SURE, (UNSURE,), True, True, id="a probe that works is proof enough"),
    ],
)
def test_not_found_is_gone_only_where_it_would_have_been_seen(
    then: tuple[Step, ...], now: tuple[Step, ...], *, works: bool, over: bool
) -> None:
    assert is_gone(msgspec.structs.replace(RULE, steps=then), diagnosis(OTHER_RULE, works=works, steps=now)) is over


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(diagnosis(WORKS_NOW, works=True), [], id="that it works is no news by itself"),
        pytest.param(diagnosis(CAME_BACK, works=True), [], id="nor that it came back"),
        pytest.param(diagnosis(RULE, FAILED), ["CON001", "NIC001"], id="faults are"),
        pytest.param(diagnosis(UNKNOWN, OFF, works=None), ["VM001"], id="that nobody can tell is not"),
    ],
)
def test_what_a_later_look_tells(found: Diagnosis, told: list[str]) -> None:
    assert [finding.check for finding in to_tell(look(1, "rule"), found)] == told
    assert to_tell(look(0), found) == found.findings


def test_that_nobody_can_tell_is_told_again_where_it_was_told_before() -> None:
    assert to_tell(look(1, "con011"), diagnosis(UNKNOWN, works=None)) == (UNKNOWN,)


def again(house: House, answer: bytes | Exception, message: str = "m") -> DiagnosisRequest:
    """Somebody does something, and the next look is delivered."""
    after, request = house.outbox.later[-1]
    house.clock.forward(seconds=after.total_seconds())
    house.watcher.answer = answer
    house.diagnose(request, message)
    return request


def test_a_fault_that_is_gone_is_resolved_with_when_and_how_that_was_seen() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    again(house, WORKS)
    assert house.queue.told == house.teams.told == ["CON005 open", "CON005 resolved"]
    ended = house.queue.sent[-1]
    said = "Checked again at 2026-11-02 12:15 UTC: web-1 → the internet works now"
    assert (ended.because[-1].text, ended.steps[-1].name, ended.steps[-1].summary) == (said, "Check again", said)
    assert len(house.outbox.later) == 1


def test_three_looks_each_after_twice_the_time() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    ids = {again(house, BLOCKED, f"m{number}").request_id for number in range(3)}
    assert [after for after, _ in house.outbox.later] == [timedelta(minutes=minutes) for minutes in (15, 30, 60)]
    assert (len(ids), house.queue.told) == (3, ["CON005 open"])


def test_a_fault_that_is_gone_at_the_third_look() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    answers: list[bytes | Exception] = [BLOCKED, PermanentError("no answer"), WORKS]
    for number, answer in enumerate(answers):
        again(house, answer, f"m{number}")
    assert house.queue.told == house.teams.told == ["CON005 open", "CON005 resolved"]


@pytest.mark.parametrize("minutes", [0, 1, 1_440])
def test_the_owner_says_when(minutes: int) -> None:
    house = House(answer=BLOCKED)
    house.policy = {"recheck": timedelta(minutes=minutes)}
    house.diagnose(asked())
    assert [after for after, _ in house.outbox.later] == [timedelta(minutes=minutes)][: bool(minutes)]


@pytest.mark.parametrize(("answer", "nic"), [(WORKS, "Succeeded"), (WORKS, "Failed")])
def test_a_connection_that_works_is_not_looked_at_again(answer: bytes, nic: str) -> None:
    house = House(answer=answer, nic=nic)
    house.diagnose(asked())
    assert house.outbox.later == []


def test_a_failed_nic_that_was_healed_does_not_end_the_looking() -> None:
    house = House(answer=SILENT, nic="Failed")
    house.diagnose(asked())
    house.remediate(house.outbox.remediations[0], "m2")
    assert house.queue.told == ["NIC001 open", "NIC001 remediated"]
    again(house, SILENT)
    assert house.queue.told[2:] == ["CON009 open"]
    again(house, WORKS, "m3")
    assert house.queue.told[3:] == ["CON009 resolved"]


def test_an_alert_that_is_over_ends_it() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    house.close("a1")
    asked_before = len(house.watcher.submitted)
    again(house, BLOCKED)
    assert (len(house.watcher.submitted), len(house.outbox.later)) == (asked_before, 1)
    assert house.queue.told == ["CON005 open", "CON005 resolved"]


def test_a_fault_that_comes_back_after_a_look_is_news() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    again(house, WORKS)
    house.watcher.answer = BLOCKED
    house.diagnose(asked("r2", "a2"), "m9")
    assert house.queue.told == ["CON005 open", "CON005 resolved", "CON005 open"]


def test_a_queue_that_is_away_is_asked_again_and_findings_go_out_meanwhile() -> None:
    house = House(answer=BLOCKED)
    house.outbox.failures = [TemporaryError("storage is away")]
    with pytest.raises(TemporaryError, match="storage is away"):
        house.diagnose(asked())
    assert house.queue.told == ["CON005 open"]
    house.diagnose(asked())
    assert (len(house.outbox.later), house.queue.told) == (1, ["CON005 open"])


def test_a_sink_that_is_away_does_not_keep_anybody_from_looking_again() -> None:
    house = House(answer=BLOCKED)
    house.teams.failures = [TemporaryError("Teams is away")]
    with pytest.raises(TemporaryError, match="Teams is away"):
        house.diagnose(asked())
    assert len(house.outbox.later) == 1


def test_a_sink_that_is_away_when_a_fault_is_gone_is_told_later() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    house.teams.failures = [TemporaryError("Teams is away")]
    with pytest.raises(TemporaryError, match="Teams is away"):
        again(house, WORKS)
    house.diagnose(house.outbox.later[-1][1], "m")
    assert house.queue.told == house.teams.told == ["CON005 open", "CON005 resolved"]
    assert len(house.teams.sent[-1].steps) == len(house.queue.sent[-1].steps)


def test_a_fault_that_gave_way_to_another_is_resolved_and_says_so() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    again(house, BLOCKED.replace(b"GuestFirewall", b"DnsResolution"))
    assert sorted(house.queue.told) == ["CON005 open", "CON005 resolved", "CON006 open"]
    ended = next(finding for finding in house.queue.sent if finding.status is Status.RESOLVED)
    assert "it is not found any more, though web-1 → the internet still fails: " in ended.because[-1].text
    again(house, WORKS, "m2")
    assert house.queue.told[-1] == "CON006 resolved"


def test_a_message_cannot_end_what_no_connection_decides() -> None:
    house = House(nic="Failed")
    house.inventory.candidates = [NIC]
    house.engine.sweep()
    (finding_id,) = house.store.findings
    forged = msgspec.structs.replace(asked("r9"), recheck=Recheck(of="r8", round=1, findings=(finding_id, "no such")))
    house.diagnose(forged, "m9")
    assert house.finding("NIC001").status == "open"
