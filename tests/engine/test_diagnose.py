"""Diagnoses, and alerts that are over: who is told what, how often."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from diagnostics.contracts import Entry
from diagnostics.engine.engine import Delivery
from diagnostics.errors import OutOfScopeError, ParseError, TemporaryError
from diagnostics.intake.messages import Endpoint
from diagnostics.network.ids import ResourceId
from diagnostics.settings import RemediationMode
from tests.engine.house import (
    BLOCKED,
    ELSEWHERE,
    GROUP,
    NIC,
    SILENT,
    SUBSCRIPTION,
    VM,
    House,
    asked,
    nic_document,
    vm_document,
)

OUTSIDE = ResourceId.parse(VM.text.replace(SUBSCRIPTION, ELSEWHERE))


def both(house: House) -> list[str]:
    """What each sink was told; the same for both."""
    assert house.queue.told == house.teams.told
    return house.queue.told


@pytest.mark.parametrize(
    "again",
    [
        pytest.param([("r1", "m1")], id="the message is delivered again"),
        pytest.param([("r1", "m2")], id="another message with the same request"),
        pytest.param([("r2", "m2")], id="another request about the same fault"),
        pytest.param([("r2", "m2"), ("r1", "m1"), ("r2", "m3")], id="all of these"),
    ],
)
def test_a_fault_is_told_once(again: list[tuple[str, str]]) -> None:
    house = House(answer=BLOCKED, nic="Failed")
    house.diagnose(asked())
    for request_id, message in again:
        house.diagnose(asked(request_id), message)
    assert both(house) == ["CON005 open", "NIC001 open"]
    assert len({request.request_id for request in house.outbox.remediations}) == 1


def test_a_request_that_is_being_worked_on_is_left_to_whoever_does() -> None:
    house = House(answer=BLOCKED)
    house.watcher.during = lambda: house.diagnose(asked("r1"), "m2")
    house.diagnose(asked("r1"), "m1")
    assert len(house.watcher.asked) == 1
    assert len(both(house)) == 1


def test_a_request_whose_worker_died_is_taken_on_by_another_message_later() -> None:
    house = House(answer=BLOCKED)
    house.store.begin("r1", holder="m1", now=house.clock.now())
    house.diagnose(asked("r1"), "m2")
    assert both(house) == []
    house.clock.forward(minutes=31)
    house.diagnose(asked("r1"), "m2")
    assert len(both(house)) == 1


@pytest.mark.parametrize(
    ("closed", "resolved"),
    [
        pytest.param(["a1"], False, id="one of two"),
        pytest.param(["a1", "a1"], False, id="one of two, twice"),
        pytest.param(["a1", "a2"], True, id="both"),
        pytest.param(["a2", "a1", "a2"], True, id="both, in the other order and again"),
        pytest.param(["a3"], False, id="a third that opened nothing"),
    ],
)
def test_a_fault_is_resolved_when_all_its_alerts_are(closed: list[str], *, resolved: bool) -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked("r1", "a1"), "m1")
    house.diagnose(asked("r2", "a2"), "m2")
    for number, alert_id in enumerate(closed):
        house.close(alert_id, message=f"c{number}")
    assert [told.split()[1] for told in both(house)] == ["open", "resolved"][: 1 + resolved]


def test_an_alert_that_was_over_before_its_diagnosis_is_not_diagnosed() -> None:
    house = House(answer=BLOCKED)
    house.close("a1")
    house.diagnose(asked("r1", "a1"))
    assert (house.watcher.asked, both(house)) == ([], [])


def test_an_alert_that_is_over_while_it_is_diagnosed_leaves_nothing_open() -> None:
    house = House(answer=BLOCKED)
    house.watcher.during = lambda: house.close("a1")
    house.diagnose(asked("r1", "a1"))
    assert [told.split()[1] for told in both(house)] == ["open", "resolved"]


def test_an_alert_that_fires_again_after_it_was_over_is_diagnosed() -> None:
    house = House(answer=BLOCKED)
    house.close("a1", at="2026-11-02T11:59:00Z")
    house.diagnose(asked("r1", "a1"))
    assert len(both(house)) == 1


def test_an_end_without_a_readable_time_counts_from_now() -> None:
    house = House(answer=BLOCKED)
    house.close("a1", at="soon")
    house.diagnose(asked("r1", "a1"))
    assert house.store.closed == {"a1": house.clock.now()}
    assert both(house) == []


def test_a_failed_nic_is_not_over_when_its_alert_is() -> None:
    house = House(nic="Failed")
    house.diagnose(asked("r1", "a1"))
    house.close("a1")
    assert both(house) == ["NIC001 open"]
    assert house.finding("NIC001").status == "open"


def test_no_fault_is_an_answer_that_no_alert_closes() -> None:
    house = House()
    house.diagnose(asked("r1", "a1"))
    house.close("a1")
    assert both(house) == ["CON000 resolved"]


def test_a_fault_that_comes_back_is_told_again_since_then() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked("r1", "a1"))
    house.close("a1")
    house.clock.forward(hours=5)
    house.diagnose(asked("r2", "a2"), "m2")
    assert [told.split()[1] for told in both(house)] == ["open", "resolved", "open"]
    assert [finding.first_seen_at == house.clock.now() for finding in house.queue.sent] == [False, False, True]
    assert len({finding.finding_id for finding in house.queue.sent}) == 1


def test_the_alerts_of_an_earlier_time_do_not_hold_a_fault_open() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked("r1", "a1"))
    house.close("a1")
    house.clock.forward(hours=5)
    house.diagnose(asked("r2", "a2"), "m2")
    house.close("a2", at="2026-11-02T18:00:00Z", message="c2")
    assert house.queue.sent[-1].status == "resolved"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(mode, mode is not RemediationMode.OFF) for mode in RemediationMode],
    ids=[mode.value for mode in RemediationMode],
)
def test_a_failed_nic_is_put_forward_for_remediation(mode: RemediationMode, *, expected: bool) -> None:
    house = House(mode, nic="Failed")
    house.diagnose(asked())
    assert [request.resource for request in house.outbox.remediations] == [NIC] * expected


def test_two_failed_nics_are_two_requests() -> None:
    house = House(nic="Failed")
    house.inventory.add(vm_document("web-1", "web-1", "web-2"))
    house.nics.add(nic_document("web-2"))
    house.diagnose(asked())
    assert [request.resource.name for request in house.outbox.remediations] == ["web-1", "web-2"]
    assert both(house) == ["NIC001 open", "NIC001 open"]


@pytest.mark.parametrize(
    "outside",
    [
        pytest.param({"source": OUTSIDE}, id="source"),
        pytest.param({"destination": Endpoint(resource_id=OUTSIDE.text)}, id="destination"),
    ],
)
@pytest.mark.parametrize("scopes", [SUBSCRIPTION, GROUP, f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-1"])
def test_a_request_that_names_something_out_of_scope_is_refused(outside: dict[str, Any], scopes: str) -> None:
    house = House(scopes=scopes)
    with pytest.raises(OutOfScopeError, match=ELSEWHERE):
        house.diagnose(asked(**outside))
    assert not any(point.startswith(("inventory", "watcher")) for point in house.calls.log)


def test_what_is_found_on_the_way_out_of_scope_is_not_looked_at() -> None:
    house = House(scopes=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-1", nic="Failed")
    house.diagnose(asked())
    assert NIC not in house.inventory.read
    assert house.outbox.remediations == []
    assert "lies outside VMREACH_SCOPES" in house.steps("CON000")


@pytest.mark.parametrize(("member", "works"), [(SUBSCRIPTION, True), (ELSEWHERE, False)], ids=["member", "no member"])
def test_a_management_group_holds_the_subscriptions_below_it(member: str, *, works: bool) -> None:
    house = House(scopes="/providers/Microsoft.Management/managementGroups/shops")
    house.inventory.members = frozenset({member})
    if works:
        house.diagnose(asked())
    else:
        with pytest.raises(OutOfScopeError):
            house.diagnose(asked())
    assert bool(house.watcher.asked) is works


def test_members_of_management_groups_are_asked_for_once_and_again_when_old() -> None:
    house = House(scopes="/providers/Microsoft.Management/managementGroups/shops")
    house.inventory.members = frozenset({SUBSCRIPTION})
    engine = house.engine
    for number, minutes in enumerate((0, 9, 2)):
        house.clock.forward(minutes=minutes)
        engine.diagnose(asked(f"r{number}").to_json(), Delivery(f"m{number}"))
    assert house.calls.log.count("inventory.subscriptions_below before") == 2


@pytest.mark.parametrize(
    ("break_it", "check"),
    [
        pytest.param(lambda house: house.inventory.documents.clear(), "CON011", id="the VM is gone"),
        pytest.param(lambda house: house.nics.documents.clear(), "CON000", id="the NIC is gone"),
        pytest.param(lambda house: setattr(house.watcher, "answer", SILENT), "CON009", id="no issue named"),
        pytest.param(lambda house: setattr(house.watcher, "answer", b"[]"), "CON011", id="an answer of another shape"),
    ],
)
def test_what_could_not_be_read_is_said(break_it: Callable[[House], object], check: str) -> None:
    house = House()
    break_it(house)
    house.diagnose(asked())
    assert [told.split()[0] for told in both(house)] == [check]


def test_what_may_work_later_is_tried_again_and_then_told() -> None:
    house = House()
    house.watcher.answer = TemporaryError("throttled", retry_after=7)
    with pytest.raises(TemporaryError, match="throttled"):
        house.diagnose(asked())
    assert both(house) == []
    house.watcher.answer = BLOCKED
    house.diagnose(asked())
    assert len(both(house)) == 1


def test_a_message_that_comes_back_continues() -> None:
    house = House(answer=BLOCKED)
    house.watcher.late = [TemporaryError("it has not ended")]
    with pytest.raises(TemporaryError, match="has not ended"):
        house.diagnose(asked())
    house.diagnose(asked())
    keys = [question.key for question in house.watcher.submitted]
    assert len(keys) == len(set(keys)) > 0
    assert (both(house), house.store.memory.entries) == (["CON005 open"], {})


def test_what_failed_every_try_is_asked_anew_when_it_is_sent_again() -> None:
    house = House(answer=BLOCKED)
    house.watcher.late = [TemporaryError("it has not ended")]
    with pytest.raises(TemporaryError):
        house.diagnose(asked())
    house.engine.poison("diagnosis-requests", asked().to_json(), Delivery("p1"))
    house.diagnose(asked(), "m2")
    assert len(house.watcher.asked) == 2


def test_a_request_whose_turn_does_not_come_goes_back_into_line() -> None:
    house = House(answer=BLOCKED)
    until = house.clock.now() + timedelta(minutes=2)
    house.store.memory.lease(f"vm-{VM.key}", holder="r0", now=house.clock.now(), until=until)
    house.diagnose(asked())
    assert house.outbox.later == [(timedelta(minutes=1), asked())]
    assert (both(house), house.watcher.submitted) == ([], [])
    house.clock.forward(minutes=1)
    house.diagnose(house.outbox.later[0][1], "m2")
    house.diagnose(asked(), "m1")
    assert (both(house), len(house.watcher.asked)) == (["CON005 open"], 1)


def test_what_a_run_that_was_cut_short_left_in_the_journal_is_forgotten() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    house.store.memory.note("r1", "q", Entry("t"))
    house.diagnose(asked())
    assert house.store.memory.entries == {}


def test_what_a_request_asked_is_forgotten_when_its_alert_is_over() -> None:
    house = House(answer=BLOCKED)
    house.watcher.late = [TemporaryError("it has not ended")]
    with pytest.raises(TemporaryError):
        house.diagnose(asked())
    assert house.store.memory.entries
    house.close("a1")
    house.diagnose(asked())
    assert (house.store.memory.entries, both(house)) == ({}, [])


def test_a_late_look_of_an_earlier_time_leaves_the_later_one_alone() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    ((_, look),) = house.outbox.later
    house.close("a1", at="2026-11-02T12:05:00Z")
    house.clock.forward(minutes=10)
    origin = msgspec.structs.replace(asked().origin, fired_at="2026-11-02T12:10:00Z")
    house.diagnose(msgspec.structs.replace(asked("r2"), origin=origin), "m2")
    house.clock.forward(minutes=5)
    house.diagnose(look, "m3")
    assert both(house) == ["CON005 open", "CON005 resolved", "CON005 open"]


def event(kind: str, writer: str) -> bytes:
    data = {"operationName": "Microsoft.Network/networkInterfaces/write", "claims": {"appid": writer}}
    fields = {"id": "e1", "subject": NIC.text, "eventType": kind, "eventTime": "2026-11-02T12:00:00Z", "data": data}
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(event("Microsoft.Resources.ResourceWriteFailure", "them"), ["NIC001 open"], id="a write failed"),
        pytest.param(event("Microsoft.Resources.ResourceWriteFailure", "ME"), [], id="our own write failed"),
        pytest.param(event("Microsoft.Resources.ResourceWriteSuccess", "them"), [], id="a write that succeeded"),
    ],
)
def test_events_of_event_grid(body: bytes, told: list[str]) -> None:
    house = House(nic="Failed")
    house.engine.diagnose(body, Delivery("m1"))
    house.engine.diagnose(body, Delivery("m2"))
    assert both(house) == told


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"{}", b'{"requestId":"r"}'])
def test_junk_is_an_error_and_touches_nothing(body: bytes) -> None:
    house = House()
    with pytest.raises(ParseError):
        house.engine.diagnose(body, Delivery("m1"))
    assert house.calls.log == []
