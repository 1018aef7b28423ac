"""What is not for the app, and what nobody can process: nothing is done, and nothing is lost silently."""

import copy
import json
from typing import Any

import pytest
import requests

from diagnostics.cloud.store import ALERTS
from diagnostics.cloud.tables import Tables
from diagnostics.settings import Storage
from tests.functions.conftest import Stack

OUTSIDE = (
    "/subscriptions/99999999-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
)
NIC = OUTSIDE.replace("Compute/virtualMachines", "Network/networkInterfaces")
QUEUES = ("diagnosis-requests", "closure-requests", "remediation-requests")


@pytest.fixture(autouse=True)
def _settled(auto: Stack) -> None:
    """Nothing of an earlier test is on its way."""
    auto.settle()


def aimed_at(stack: Stack, *targets: str) -> dict[str, Any]:
    alert = copy.deepcopy(stack.scenario("healthy").alert)
    essentials = alert["data"]["essentials"] | {"alertTargetIDs": list(targets), "configurationItems": []}
    return {"schemaId": alert["schemaId"], "data": {"essentials": essentials, "alertContext": {}}}


def test_a_resource_out_of_scope_is_refused(auto: Stack) -> None:
    answer = auto.alert(aimed_at(auto, OUTSIDE))
    assert (answer.status_code, "lies outside VMREACH_SCOPES" in answer.json()["error"]) == (403, True)
    assert auto.idle()
    assert "refused: " in auto.host.output()


@pytest.mark.parametrize("body", [b"", b"junk", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_junk_is_400_with_a_sentence(auto: Stack, body: bytes) -> None:
    headers = {"x-functions-key": auto.host.function_key}
    answer = requests.post(f"{auto.host.url}/api/alerts", data=body, headers=headers, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert auto.idle()


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": "wrong"}])
def test_a_key_is_needed(auto: Stack, headers: dict[str, str]) -> None:
    body = auto.scenario("healthy").alert
    answer = requests.post(f"{auto.host.url}/api/alerts", json=body, headers=headers, timeout=30)
    assert (answer.status_code, auto.idle()) == (401, True)


def test_an_alert_about_something_else_is_recorded(auto: Stack) -> None:
    alert = aimed_at(auto, f"/subscriptions/{auto.scenario('healthy').subscription}")
    alert["data"]["essentials"]["alertRule"] = "about-a-subscription"
    answers = [auto.alert(alert) for _ in range(2)]
    assert [(answer.status_code, answer.json()["requestIds"]) for answer in answers] == [(202, [])] * 2
    tables = Tables(Storage(auto.azurite.connection_string))
    (row,) = tables.query(ALERTS, "alertRule eq @rule", {"rule": "about-a-subscription"})
    assert row["reason"] == answers[0].json()["ignored"]


REQUEST: dict[str, Any] = {"schemaVersion": "1.0", "requestId": "never"}
BAD = {
    "out of scope": json.dumps(REQUEST | {"source": {"resourceId": OUTSIDE}, "origin": {"kind": "queue"}}).encode(),
    "not JSON": b"junk \xc3\xbc <at>everyone</at>",
    "not text": b"\xff\xfe\x00",
    "another shape": b'{"requestId": 1}',
}


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("kind", BAD)
def test_a_message_that_nobody_can_process_is_announced(auto: Stack, queue: str, kind: str) -> None:
    body = BAD[kind].replace(OUTSIDE.encode(), f"{OUTSIDE}-{queue}".encode()) + b" " * QUEUES.index(queue)
    before, cards = len(auto.all(check="OPS001")), len(auto.cards(f"A message of queue {queue}"))
    auto.put(queue, body)
    auto.eventually(lambda: len(auto.all(check="OPS001")) > before)
    auto.settle()
    finding = auto.all(check="OPS001")[-1]
    assert len(auto.all(check="OPS001")) == before + 1
    assert queue in finding["title"]
    assert finding["steps"][0]["evidence"][0].strip() == body.decode(errors="replace").strip()
    assert len(auto.cards(f"A message of queue {queue}")) == cards + 1


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_that_is_not_base64_is_announced(auto: Stack, queue: str) -> None:
    """The Functions host would bury it unread, and nobody would hear of it: so the functions decode for themselves."""
    before = len(auto.all(check="OPS001"))
    auto.put(queue, b"not base64!", raw=True)
    auto.eventually(lambda: len(auto.all(check="OPS001")) > before)
    assert auto.all(check="OPS001")[-1]["steps"][0]["evidence"][0] == "not base64!"
