"""Event Grid on the request queue: a failed write of a NIC asks for a diagnosis, everything else for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.intake import events
from diagnostics.intake.messages import DiagnosisRequest, Problem

NIC = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic-1"
FAILURE = "Microsoft.Resources.ResourceWriteFailure"
OWN = "6f0b1a4e-2a3d-4a0f-9d2e-000000000001"
DATA = {
    "authorization": {"scope": NIC, "action": "Microsoft.Network/networkInterfaces/write", "evidence": {}},
    "claims": {"appid": OWN.upper(), "aud": "https://management.core.windows.net/"},
    "correlationId": "c1",
    "resourceProvider": "Microsoft.Network",
    "resourceUri": NIC,
    "operationName": "Microsoft.Network/networkInterfaces/write",
    "status": "Failed",
    "subscriptionId": "s1",
    "tenantId": "t1",
}
EVENT: dict[str, Any] = {
    "id": "e1",
    "topic": "/subscriptions/s1",
    "subject": NIC,
    "eventType": FAILURE,
    "eventTime": "2026-10-05T07:41:12.1Z",
    "dataVersion": "2",
    "metadataVersion": "1",
    "data": DATA,
}
CLOUD: dict[str, Any] = {
    "id": "e1",
    "source": "/subscriptions/s1",
    "subject": NIC,
    "type": FAILURE,
    "time": "2026-10-05T07:41:12.1Z",
    "specversion": "1.0",
    "data": DATA,
}


def read(message: object, own: str | None = None) -> DiagnosisRequest | None:
    return events.read(json.dumps(message).encode(), own_client_id=own)


@pytest.mark.parametrize("event", [EVENT, CLOUD], ids=["Event Grid", "CloudEvents"])
def test_a_failed_write_of_a_nic_is_looked_at(event: dict[str, Any]) -> None:
    request = read(event)
    assert request is not None
    assert request.source.resource_id == NIC
    assert (request.problem, request.origin.kind) == (Problem.VM_TO_INTERNET, "event")
    assert request.origin.fired_at == "2026-10-05T07:41:12.1Z"
    assert DiagnosisRequest.read(request.to_json()) == request


def test_both_schemas_and_every_delivery_are_one_request() -> None:
    ids = {request.request_id for event in (EVENT, CLOUD, EVENT) if (request := read(event))}
    assert len(ids) == 1


def test_another_event_is_another_request() -> None:
    one, other = read(EVENT), read(EVENT | {"id": "e2"})
    assert one is not None
    assert other is not None
    assert one.request_id != other.request_id


@pytest.mark.parametrize(
    "change",
    [
        {"eventType": "Microsoft.Resources.ResourceWriteSuccess"},
        {"eventType": "Microsoft.Resources.ResourceDeleteFailure"},
        {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"},
        {"subject": NIC.replace("networkInterfaces", "publicIPAddresses")},
        {"subject": f"{NIC}/providers/Microsoft.Authorization/locks/keep"},
    ],
    ids=["success", "delete", "validation", "public address", "a lock on the NIC"],
)
def test_other_events_ask_for_nothing(change: dict[str, Any]) -> None:
    assert read(EVENT | change) is None


@pytest.mark.parametrize(
    ("own", "data", "asked"),
    [
        (OWN, DATA, False),
        ("another-app", DATA, True),
        (None, DATA, True),
        (OWN, {**DATA, "claims": None}, True),
        (OWN, None, True),
        (OWN, {**DATA, "claims": {"appid": 5}}, True),
    ],
    ids=["own write", "another's", "own id not known", "no claims", "no data", "odd claims"],
)
def test_its_own_writes_never_start_it(own: str | None, data: object, asked: bool) -> None:  # noqa: FBT001
    assert (read(EVENT | {"data": data}, own) is not None) is asked


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ([EVENT], "$: expected an object, got list"),
        (EVENT | {"subject": "nic-1"}, "$.subject: 'nic-1'"),
        (EVENT | {"subject": None}, "$.subject: None"),
        (EVENT | {"id": None}, "$.id: None"),
        ({"eventType": 5}, "$: Object missing required field `requestId`"),
        ({}, "$: Object missing required field `requestId`"),
    ],
    ids=["list", "bad subject", "no subject", "no id", "odd type", "empty"],
)
def test_what_is_neither_is_refused(message: object, said: str) -> None:
    with pytest.raises(ParseError) as error:
        read(message)
    assert str(error.value).startswith(said)


def test_a_request_passes_through() -> None:
    body = {"requestId": "r1", "source": {"name": "web-1"}, "origin": {"kind": "queue"}}
    request = read(body)
    assert request is not None
    assert request.source.name == "web-1"
