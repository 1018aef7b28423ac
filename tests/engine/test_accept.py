"""What an action group is answered, and that Azure is never asked for it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest

from diagnostics.engine.accept import Answer
from diagnostics.errors import TemporaryError
from diagnostics.network.ids import ResourceId
from tests.engine.house import BLOCKED, ELSEWHERE, SUBSCRIPTION, VM, House

OUTSIDE = ResourceId.parse(VM.text.replace(SUBSCRIPTION, ELSEWHERE))
ALERT_ID = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/4f2c0c1d-2f8a-4d55-b1d4-3d1c65b3a701"
)


def alert(*targets: str, condition: str = "Fired", service: str = "Platform", alert_id: str | None = ALERT_ID) -> bytes:
    """A metric alert in the common alert schema."""
    essentials: dict[str, Any] = {
        "alertId": alert_id,
        "alertRule": "vm-unreachable",
        "severity": "Sev1",
        "signalType": "Metric",
        "monitorCondition": condition,
        "monitoringService": service,
        "alertTargetIDs": [target.lower() for target in targets],
        "firedDateTime": "2026-11-02T12:00:00.1234567Z",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    if condition == "Resolved":
        essentials["resolvedDateTime"] = "2026-11-02T12:30:00.1234567Z"
    data = {"essentials": essentials, "alertContext": {"condition": {"allOf": []}}}
    return json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": data}).encode()


def enqueued(house: House) -> list[str]:
    return [request.request_id for request in house.outbox.diagnoses]


@pytest.fixture(autouse=True)
def house() -> House:
    return House(answer=BLOCKED)


def accept(house: House, payload: bytes) -> Answer:
    answer = house.acceptor.accept(payload)
    assert {point.partition(".")[0] for point in house.calls.log} <= {"outbox", "store"}
    json.dumps(answer.body)
    return answer


def test_an_alert_is_enqueued_with_where_it_comes_from(house: House) -> None:
    answer = accept(house, alert(VM.text))
    (request,) = house.outbox.diagnoses
    assert answer == Answer(HTTPStatus.ACCEPTED, {"requestIds": [request.request_id]})
    assert (request.source.resource, request.origin.alert_id) == (VM, ALERT_ID)


def test_the_same_alert_twice_is_one_diagnosis(house: House) -> None:
    answers = [accept(house, alert(VM.text)) for _ in range(2)]
    for number, request in enumerate(house.outbox.diagnoses):
        house.diagnose(request, f"m{number}")
    assert answers[0] == answers[1]
    assert (len(house.watcher.asked), len(house.queue.sent), len(house.teams.sent)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("targets", "status", "accepted", "refused"),
    [
        pytest.param([VM.text], 202, 1, 0, id="inside"),
        pytest.param([VM.text, f"{VM.text}2"], 202, 2, 0, id="two inside"),
        pytest.param([OUTSIDE.text], 403, 0, 1, id="outside"),
        pytest.param([OUTSIDE.text, f"{OUTSIDE.text}2"], 403, 0, 2, id="two outside"),
        pytest.param([OUTSIDE.text, VM.text], 202, 1, 1, id="one of each"),
    ],
)
def test_what_lies_out_of_scope_is_refused(
    house: House, targets: list[str], status: int, accepted: int, refused: int
) -> None:
    answer = accept(house, alert(*targets))
    assert (answer.status, len(enqueued(house))) == (status, accepted)
    assert str(answer.body).count(ELSEWHERE) == refused
    assert answer.body.get("requestIds", []) == enqueued(house)


def test_below_management_groups_nobody_can_tell_without_azure(house: House) -> None:
    house.scopes = type(house.scopes).parse("/providers/Microsoft.Management/managementGroups/shops")
    assert accept(house, alert(OUTSIDE.text)).status == HTTPStatus.ACCEPTED
    assert len(enqueued(house)) == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(alert(), "it has no target", id="no target"),
        pytest.param(alert(f"/subscriptions/{SUBSCRIPTION}"), "it is about subscription", id="a subscription"),
        pytest.param(alert(VM.text, service="ServiceHealth"), "service health", id="service health"),
    ],
)
def test_what_names_no_vm_is_ignored_for_a_reason_that_is_kept(house: House, payload: bytes, reason: str) -> None:
    answers = [accept(house, payload) for _ in range(2)]
    assert answers[0].status == HTTPStatus.ACCEPTED
    assert (answers[0].body["requestIds"], enqueued(house)) == ([], [])
    assert reason in answers[0].body["ignored"]
    assert list(house.store.ignored.values()) == [f"12:00 vm-unreachable {ALERT_ID}: {answers[0].body['ignored']}"]


def test_an_alert_that_is_over_closes(house: House) -> None:
    answer = accept(house, alert(VM.text, condition="Resolved"))
    (closure,) = house.outbox.closures
    assert answer == Answer(HTTPStatus.ACCEPTED, {"requestIds": [], "closes": ALERT_ID})
    assert (closure.alert_id, closure.resolved_at) == (ALERT_ID, "2026-11-02T12:30:00.1234567Z")
    assert enqueued(house) == []


def test_an_alert_that_is_over_but_has_no_id_closes_nothing_and_is_kept(house: House) -> None:
    answer = accept(house, alert(VM.text, condition="Resolved", alert_id=None))
    assert answer.status == HTTPStatus.ACCEPTED
    assert (house.outbox.closures, len(house.store.ignored)) == ([], 1)


@pytest.mark.parametrize("payload", [b"", b"hello", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_junk_is_refused_for_good_in_one_sentence(house: House, payload: bytes) -> None:
    answer = accept(house, payload)
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert "\n" not in answer.body["error"]
    assert house.calls.log == []


@pytest.mark.parametrize(
    "payload",
    [alert(VM.text), alert(VM.text, condition="Resolved")],
    ids=["fired", "resolved"],
)
def test_a_queue_that_is_away_is_an_answer_that_makes_azure_try_again(house: House, payload: bytes) -> None:
    house.outbox.failures = [TemporaryError("AccountKey=hush is wrong")]
    answer = accept(house, payload)
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "hush" not in str(answer.body)
    assert accept(house, payload).status == HTTPStatus.ACCEPTED
