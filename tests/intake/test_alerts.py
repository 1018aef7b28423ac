"""Alerts of every kind, in Azure's shapes: what is diagnosed, closed or ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnostics.errors import ParseError
from diagnostics.intake import alerts
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, Protocol

DATA = Path(__file__).parent.parent / "data" / "alerts"
GROUP = "/subscriptions/3c1f6b7e-58a2-4d09-9e41-7b0d2f6a8c15/resourcegroups/rg-shop/providers/"
VM = f"{GROUP}microsoft.compute/virtualmachines/web-1"
DB = f"{GROUP}microsoft.compute/virtualmachines/sql-1"
NIC = f"{GROUP}microsoft.network/networkinterfaces/web-1-nic"
INSTANCE = f"{GROUP}microsoft.compute/virtualmachinescalesets/web-ss/virtualmachines/3"


def load(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return payload


def read(payload: object) -> alerts.Accepted | alerts.Closed | alerts.Ignored:
    return alerts.read(json.dumps(payload).encode())


def requests(payload: object) -> tuple[DiagnosisRequest, ...]:
    answer = read(payload)
    assert isinstance(answer, alerts.Accepted), answer
    return answer.requests


def source(request: DiagnosisRequest) -> str:
    return (request.source.resource_id or f"name {request.source.name}").lower()


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("metric-single", [VM]),
        ("metric-multi", [VM]),
        ("metric-dynamic", [NIC]),
        ("metric-several-targets", [VM, DB]),
        ("metric-scale-set-instance", [INSTANCE]),
        ("metric-custom-properties", [NIC]),
        ("log-v2-resource-id", [VM]),
        ("log-v2-computer", ["name web-1.shop.example"]),
        ("simple-log", [VM]),
        ("log-v1-affected-items", ["name web-1", "name sql-1"]),
        ("log-v1-results", [VM, DB]),
        ("activity-administrative", [NIC]),
        ("activity-scope-only", [NIC]),
        ("resource-health", [VM]),
        ("connection-monitor", [VM]),
        ("connection-monitor-url", [VM]),
        ("nulls-everywhere", [VM]),
        ("older-metric", [VM]),
        ("older-activity", [NIC]),
        ("older-log", [VM]),
    ],
)
def test_finds_the_machine(name: str, sources: list[str]) -> None:
    found = requests(load(name))
    assert [source(request) for request in found] == sources
    assert all(DiagnosisRequest.read(request.to_json()) == request for request in found)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("service-health", "service health"),
        ("budget", "cost alert"),
        ("test-action-group", "Test action group"),
        ("resource-health-over", "available again"),
        ("connection-monitor-names", "split on SourceResourceId"),
        ("traversal", "names no VM or network interface"),
    ],
)
def test_ignores_for_a_stated_reason(name: str, reason: str) -> None:
    answer = read(load(name))
    assert isinstance(answer, alerts.Ignored)
    assert reason in answer.reason
    assert answer.key == alerts.read(json.dumps(load(name), indent=3).encode()).key  # type: ignore[union-attr]


def test_a_resolved_alert_closes() -> None:
    answer = read(load("resolved"))
    assert isinstance(answer, alerts.Closed)
    assert answer.request.alert_id == load("metric-single")["data"]["essentials"]["alertId"]
    assert ClosureRequest.read(answer.request.to_json()) == answer.request


def test_a_resolved_alert_without_an_id_is_ignored() -> None:
    payload = load("resolved")
    payload["data"]["essentials"].update(alertId=None, originAlertId=None)
    answer = read(payload)
    assert isinstance(answer, alerts.Ignored)
    assert "closes nothing" in answer.reason


def test_a_connection_monitor_names_both_ends() -> None:
    (request,) = requests(load("connection-monitor"))
    end = request.destination
    assert end is not None
    assert ((end.resource_id or "").lower(), end.address, end.port) == (DB, "10.1.1.4", 1433)
    assert request.protocol is Protocol.TCP


@pytest.mark.parametrize(
    ("dimensions", "address", "port"),
    [
        ({"DestinationAddress": "https://pay.example.com:8443/x", "DestinationPort": "8443"}, "pay.example.com", 8443),
        ({"DestinationAddress": "pay.example.com", "DestinationPort": "0"}, "pay.example.com", None),
        ({"DestinationIP": "2001:db8::4", "DestinationAddress": "db.example"}, "2001:db8::4", None),
        ({"DestinationAddress": "10.0.0.4", "DestinationPort": "9" * 5_000}, "10.0.0.4", None),
        ({"DestinationIP": "", "DestinationAddress": "10.0.0.4", "DestinationPort": "²"}, "10.0.0.4", None),
    ],
    ids=["url", "port 0", "address before name", "endless port", "superscript port"],
)
def test_destinations_of_connection_monitors(dimensions: dict[str, str], address: str, port: int | None) -> None:
    payload = load("connection-monitor-url")
    pairs = [{"name": "SourceResourceId", "value": VM}, *({"name": k, "value": v} for k, v in dimensions.items())]
    payload["data"]["alertContext"]["condition"]["allOf"][0]["dimensions"] = pairs
    (request,) = requests(payload)
    assert request.destination is not None
    assert (request.destination.address, request.destination.port) == (address, port)


@pytest.mark.parametrize("address", ["http://[x", "a b", "10.0.0.4;rm", "fe80::1%$(x)", "host/path", "", "http://"])
def test_a_hostile_destination_is_left_out(address: str) -> None:
    payload = load("connection-monitor-url")
    payload["data"]["alertContext"]["condition"]["allOf"][0]["dimensions"][1]["value"] = address
    (request,) = requests(payload)
    assert request.destination is None


def test_the_same_payload_gives_the_same_ids() -> None:
    again = alerts.read(json.dumps(load("metric-several-targets"), indent=4).encode())
    assert again == read(load("metric-several-targets"))
    assert len({request.request_id for request in requests(load("metric-several-targets"))}) == 2


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("metric-single", ("data", "essentials", "firedDateTime"), "2026-10-06T07:41:12Z"),
        ("metric-single", ("data", "essentials", "alertId"), "/subscriptions/x/providers/a/alerts/other"),
        ("older-metric", ("data", "context", "timestamp"), "2026-10-06T07:41:12.5Z"),
        ("older-log", ("data", "SearchIntervalEndtimeUtc"), "2026-10-06T07:38:00Z"),
        ("nulls-everywhere", ("data", "alertContext", "conditionType"), "another occasion"),
    ],
)
def test_another_firing_is_another_diagnosis(name: str, path: tuple[str, ...], value: str) -> None:
    payload = load(name)
    part = payload
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert requests(payload)[0].request_id != requests(load(name))[0].request_id


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title], ids=["upper", "lower", "title"])
def test_ids_in_another_case_are_the_same_diagnosis(change: Any) -> None:
    payload = load("metric-single")
    targets = payload["data"]["essentials"]["alertTargetIDs"]
    payload["data"]["essentials"]["alertTargetIDs"] = [change(text) for text in targets]
    assert requests(payload)[0].request_id == requests(load("metric-single"))[0].request_id


def test_a_rule_called_test_in_a_group_called_test_is_real() -> None:
    payload = load("metric-single")
    essentials = payload["data"]["essentials"]
    essentials["alertRule"] = "test-vm-reachable"
    essentials["alertTargetIDs"] = [VM.replace("rg-shop", "test-rg")]
    assert source(requests(payload)[0]) == VM.replace("rg-shop", "test-rg")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not readable as JSON"),
        (b"{", "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
        (b"[" * 200_000, "not readable as JSON"),
        (b'{"data": ' * 200_000, "not readable as JSON"),
        (b"[]", "`object`, got `array`: []"),
        (b"null", "got `null`"),
        (b"{}", "not an alert"),
        (b'{"hello": 1}', "not an alert"),
        (b'{"schemaId": "azureMonitorCommonAlertSchema"}', "$: Expected `object`, got `null`"),
        (b'{"schemaId": "azureMonitorCommonAlertSchema", "data": {}}', "$.data: Object missing required field"),
        (
            b'{"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"alertTargetIDs": [5]}}}',
            "$.data.essentials.alertTargetIDs[0]: Expected `str | null`, got `int`: 5",
        ),
        (
            b'{"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"alertRule": {"a": 1}}}}',
            "$.data.essentials.alertRule: Expected `str | null`, got `object`: {'a': 1}",
        ),
        (
            b'{"schemaId": "x", "data": {"data": {"essentials": {"alertId": 7}}}}',
            "$.data.data.essentials.alertId: Expected `str | null`, got `int`: 7",
        ),
    ],
)
def test_junk_is_refused_with_path_and_value(body: bytes, said: str) -> None:
    with pytest.raises(ParseError) as error:
        alerts.read(body)
    assert said in str(error.value)
    assert len(str(error.value)) < 500


def test_a_huge_alert_makes_small_messages() -> None:
    payload = load("metric-single")
    payload["data"]["essentials"] |= {"alertRule": "r" * 100_000, "alertId": "i" * 100_000, "severity": 7}
    payload["data"]["alertContext"]["padding"] = "x" * 250_000
    (request,) = requests(payload)
    assert len(request.to_json()) < 4_096
    payload["data"]["essentials"]["monitorCondition"] = "Resolved"
    answer = read(payload)
    assert isinstance(answer, alerts.Closed)
    assert ClosureRequest.read(answer.request.to_json()).alert_id == request.origin.alert_id


def test_unknown_fields_change_nothing() -> None:
    for file in sorted(DATA.glob("*.json")):
        payload = json.loads(file.read_text(encoding="utf-8"))
        if file.stem == "nulls-everywhere":  # it says nothing else that tells it from the next one
            continue
        assert read(_with_more(payload)) == read(payload), file.stem


def _with_more(value: Any) -> Any:
    """The same with a field that nobody knows in every object."""
    match value:
        case dict():
            return {key: _with_more(item) for key, item in value.items()} | {"futureField": {"of": [1, None]}}
        case list():
            return [_with_more(item) for item in value]
    return value


def test_the_origin_is_the_alert() -> None:
    (request,) = requests(load("metric-single"))
    essentials = load("metric-single")["data"]["essentials"]
    said = msgspec.to_builtins(request.origin)
    assert (said["alertRule"], said["firedAt"]) == (essentials["alertRule"], essentials["firedDateTime"])


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("connection-monitor", "metric TestResult"),
        ("metric-single", "metric VmAvailabilityMetric"),
        ("resource-health", "resource health"),
        ("activity-administrative", "Microsoft.Network/networkInterfaces/write"),
        ("log-v1-results", None),
    ],
)
def test_what_the_alert_watches(name: str, signal: str | None) -> None:
    assert {request.origin.signal for request in requests(load(name))} == {signal}
