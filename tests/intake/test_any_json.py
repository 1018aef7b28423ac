"""Whatever arrives: an answer or a ParseError, never anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.errors import ParseError
from diagnostics.intake import alerts, events, times
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, RemediationRequest
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm

DATA = Path(__file__).parent.parent / "data" / "alerts"
SAMPLES: list[Any] = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(DATA.glob("*.json"))]
READERS = {
    "alert": alerts.read,
    "event": events.read,
    "diagnosis": DiagnosisRequest.read,
    "remediation": RemediationRequest.read,
    "closure": ClosureRequest.read,
    "check": ConnectivityCheck.decode,
    "nic": Nic.decode,
    "vm": Vm.decode,
    "subnet": Subnet.decode,
    "nsg": SecurityGroup.decode,
    "routes": RouteTable.decode,
}

_WORDS = """
schemaId data essentials alertContext alertTargetIDs dimensions condition allOf name value context properties id
SearchResults tables columns rows activityLog customProperties vmId hops issues links type source origin requestId
eventType subject claims AffectedConfigurationItems configurationItems monitorCondition statuses routes
"""
_words = st.sampled_from(_WORDS.split())
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | _words
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words | st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)
_quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def survives(reader: Any, body: bytes) -> None:
    said = ""
    try:
        assert reader(body) is not ...
    except ParseError as error:
        said = str(error)
    assert len(said) < 2_000


@pytest.mark.parametrize("reader", READERS)
@_quick
@given(value=_json)
def test_any_json(reader: str, value: object) -> None:
    survives(READERS[reader], json.dumps(value).encode())


@pytest.mark.parametrize("reader", READERS)
@_quick
@given(body=st.binary(max_size=60))
def test_any_bytes(reader: str, body: bytes) -> None:
    survives(READERS[reader], body)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_alert_with_any_part_replaced(data: st.DataObject) -> None:
    payload = json.loads(json.dumps(data.draw(st.sampled_from(SAMPLES))))
    part = payload
    while isinstance(part, dict | list) and part:
        key: Any = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else list(range(len(part)))))
        inside: Any = part[key]
        if not inside or not isinstance(inside, dict | list) or data.draw(st.integers(0, 3)) == 0:
            part[key] = data.draw(_json)
            break
        part = inside
    survives(alerts.read, json.dumps(payload).encode())


@pytest.mark.parametrize("number", ["1" * 5_000, "-" + "1" * 5_000, "1e400", "0." + "1" * 5_000])
def test_endless_numbers(number: str) -> None:
    dimension = '{"name": "DestinationPort", "value": %s}' % number  # noqa: UP031
    condition = '{"condition": {"allOf": [{"dimensions": [%s]}]}}' % dimension  # noqa: UP031
    body = '{"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {}, "alertContext": %s}}' % condition  # noqa: UP031
    survives(alerts.read, body.encode())


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-03-22T13:58:24.3713213Z", "2026-03-22T13:58:24.371321+00:00"),
        ("2026-03-22T13:58:24", "2026-03-22T13:58:24+00:00"),
        ("2026-03-22T14:58:24+01:00", "2026-03-22T13:58:24+00:00"),
        ("3/22/2026 1:36:33 PM", "2026-03-22T13:36:33+00:00"),
        (" 2026-03-22T13:58:24Z ", "2026-03-22T13:58:24+00:00"),
    ],
)
def test_times(text: str, iso: str) -> None:
    time = times.read(text)
    assert time is not None
    assert time.isoformat() == iso


@pytest.mark.parametrize("text", [None, "", "yesterday", "13/22/2026 1:36:33 PM", "0001-01-01T00:00:00+14:00"])
def test_no_time(text: str | None) -> None:
    assert times.read(text) is None
