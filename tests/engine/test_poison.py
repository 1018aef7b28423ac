"""Messages that failed every try: told, kept, and free to be sent again."""

from __future__ import annotations

import base64
import json

import pytest

from diagnostics.engine.engine import Delivery
from diagnostics.errors import OutOfScopeError, TemporaryError
from diagnostics.findings import QUEUE_LIMIT
from diagnostics.intake.messages import ClosureRequest
from tests.engine.house import BLOCKED, NIC, VM, House, asked, reput

DIAGNOSIS, REMEDIATION, CLOSURE = "diagnosis-requests", "remediation-requests", "closure-requests"
EVENT = {"id": "e1", "subject": NIC.text, "eventType": "Microsoft.Resources.ResourceWriteFailure"}


def poison(house: House, body: bytes, queue: str = DIAGNOSIS, message: str = "p1") -> None:
    house.engine.poison(queue, body, Delivery(message))


@pytest.mark.parametrize(
    ("queue", "body", "about", "kept"),
    [
        pytest.param(DIAGNOSIS, asked().to_json(), VM.text, '"requestId":"r1"', id="a diagnosis request"),
        pytest.param(REMEDIATION, reput().to_json(), NIC.text, '"action":"reput-nic"', id="a remediation request"),
        pytest.param(
            CLOSURE, ClosureRequest(request_id="c", alert_id="a").to_json(), "", '"alertId":"a"', id="a closure"
        ),
        pytest.param(DIAGNOSIS, json.dumps(EVENT).encode(), NIC.text, '"id": "e1"', id="an event"),
        pytest.param(DIAGNOSIS, b'{"requestId": 7, "source": "x"}', "", '{"requestId": 7, "source": "x"}', id="fields"),
        pytest.param(DIAGNOSIS, b'{"requestId":', "", '{"requestId":', id="half of it"),
        pytest.param(DIAGNOSIS, b"[1, 2]", "", "[1, 2]", id="a list"),
        pytest.param(DIAGNOSIS, b"\xff\xfe\x00{", "", "\ufffd\ufffd\x00{", id="no text at all"),
        pytest.param(DIAGNOSIS, b"", "", "", id="nothing"),
        pytest.param(DIAGNOSIS, b"[" * 100_000, "", "[[[[", id="a deep one"),
    ],
)
def test_every_message_is_told_with_what_was_in_it(queue: str, body: bytes, about: str, kept: str) -> None:
    house = House()
    poison(house, body, queue)
    assert house.queue.told == house.teams.told == ["OPS001 open"]
    (sent,) = house.queue.sent
    assert (sent.resource.id, queue in sent.title) == (about, True)
    assert kept in sent.steps[0].evidence[0]


def test_the_same_poison_message_twice_is_told_once() -> None:
    house = House()
    poison(house, reput().to_json())
    poison(house, reput().to_json())
    assert house.queue.told == house.teams.told == ["OPS001 open"]


def test_what_fails_again_is_told_again_as_the_same_finding() -> None:
    house = House()
    for message in ("p1", "p2", "p2"):
        poison(house, b"\xff", message=message)
        poison(house, reput().to_json(), REMEDIATION, message=message)
    assert house.queue.told == ["OPS001 open"] * 4
    assert len({finding.finding_id for finding in house.queue.sent}) == 2


def test_a_sink_that_is_away_is_told_later() -> None:
    house = House()
    house.teams.failures = [TemporaryError("away")]
    with pytest.raises(TemporaryError):
        poison(house, b"\xff")
    poison(house, b"\xff")
    assert (len(house.queue.sent), len(house.teams.sent)) == (1, 1)


def test_the_request_can_be_sent_again_afterwards() -> None:
    house = House(answer=TemporaryError("throttled"))
    for _ in range(5):
        with pytest.raises(TemporaryError):
            house.diagnose(asked(), "m1")
    poison(house, asked().to_json())
    house.watcher.answer = BLOCKED
    house.diagnose(asked(), "m2")
    assert [finding.check for finding in house.queue.sent] == ["OPS001", "CON005"]


def test_a_request_that_was_done_stays_done() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked(), "m1")
    poison(house, asked().to_json())
    house.diagnose(asked(), "m2")
    assert len(house.watcher.asked) == 1


def test_a_request_out_of_scope_is_announced_when_it_failed_every_try() -> None:
    house = House(scopes="/providers/Microsoft.Management/managementGroups/none")
    with pytest.raises(OutOfScopeError):
        house.diagnose(asked())
    poison(house, asked().to_json())
    assert house.queue.sent[0].resource.id == VM.text


@pytest.mark.parametrize("letter", ["x", "ä", "\x01", '"', "\\", "🔥", "\ufffd"], ids=ascii)
def test_a_message_as_long_as_a_queue_takes_still_fits_into_a_finding(letter: str) -> None:
    house = House()
    body = json.dumps({"requestId": "r1", "note": letter * QUEUE_LIMIT}, ensure_ascii=False).encode()[:QUEUE_LIMIT]
    poison(house, body)
    wire = house.queue.sent[0].to_json()
    assert len(base64.b64encode(wire)) <= 64 * 1024
    kept = json.loads(wire)["steps"][0]["evidence"][0]
    assert kept.startswith('{"requestId": "r1"')
    assert "characters left out" in kept


@pytest.mark.parametrize("byte", [b"\x01", b"\xff", b"a", b'"'])
def test_so_does_one_of_any_bytes(byte: bytes) -> None:
    house = House()
    poison(house, byte * QUEUE_LIMIT)
    (wire,) = (finding.to_json() for finding in house.queue.sent)
    assert json.loads(wire)["steps"][0]["evidence"][0].startswith(byte.decode("utf-8", "replace") * 3_000)
