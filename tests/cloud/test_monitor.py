import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from diagnostics.errors import ForbiddenError, NotFoundError, ParseError, PermanentError
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import Event, ReadChanges, ReadMetrics, Series
from sandbox.scenario import Metric
from tests.cloud.conftest import Estate

CPU = "Percentage CPU"
FAILED, DONE = "ConnectionState eq 'Failed'", "ConnectionState eq 'Attempted'"


def now() -> datetime:
    return datetime.now(UTC)


def metrics(estate: Estate, resource: ResourceId, *names: str, where: str = "") -> tuple[Series, ...]:
    question = ReadMetrics(resource, names, now() - timedelta(minutes=10), now(), where)
    return tuple(estate.monitor().metrics(question))


def changes(estate: Estate, name: str, *, hours: int = 24) -> tuple[Event, ...]:
    return tuple(estate.monitor().changes(ReadChanges(estate.id(name), now() - timedelta(hours=hours), now())))


def gateway(estate: Estate, *told: Metric) -> ResourceId:
    """A NAT gateway in the subscription of scenario healthy, with these metrics."""
    model = estate.sandbox.resource(estate.id("nic-crm-app-01").text)
    path = model["id"].replace("networkInterfaces/nic-crm-app-01", "natGateways/natgw")
    body = {"id": path, "name": "natgw", "type": "Microsoft.Network/natGateways", "location": "westeurope"}
    estate.sandbox.create(body | {"properties": {}})
    estate.scenario("healthy").metrics.extend(told_of(path, each) for each in told)
    return ResourceId.parse(path)


def told_of(path: str, metric: Metric) -> Metric:
    return Metric(path, metric.name, metric.unit, metric.values, metric.filter)


def snat(where: str, *totals: float | None) -> Metric:
    return Metric("", "SNATConnectionCount", "Count", {"total": list(totals), "maximum": list(totals)}, where)


def test_metrics_have_their_gaps(estate: Estate) -> None:
    cpu, memory, share = metrics(
        estate, estate.id("vm-shop-web-01"), CPU, "Available Memory Bytes", "Available Memory Percentage"
    )
    assert (cpu.name, cpu.unit, len(cpu.points)) == (CPU, "Percent", 10)
    assert cpu.points[-1].average is None
    assert cpu.points[-2].average
    assert cpu.points[-2].maximum
    assert [point.when for point in cpu.points] == sorted(point.when for point in cpu.points)
    assert all(point.when.tzinfo for point in cpu.points)
    assert memory.points[0].average
    assert share.points == ()


def test_what_is_asked_of_azure(estate: Estate) -> None:
    since = datetime(2026, 11, 20, 9, 0, 0, 500_000, tzinfo=UTC)
    gate = gateway(estate)
    names = ("SNATConnectionCount", "TotalConnectionCount")
    estate.monitor().metrics(ReadMetrics(gate, names[:1], since, since + timedelta(minutes=5), FAILED))
    estate.monitor().metrics(ReadMetrics(gate, names, since, since + timedelta(minutes=5)))
    first, second = (call for call in estate.sandbox.calls if "metrics" in call.path)
    assert first.query == {
        "api-version": "2024-02-01",
        "timespan": "2026-11-20T09:00:00.500000Z/2026-11-20T09:05:00.500000Z",
        "interval": "PT1M",
        "metricnames": "SNATConnectionCount",
        "aggregation": "Average,Maximum,Total",
        "$filter": FAILED,
    }
    assert second.query["metricnames"] == "SNATConnectionCount,TotalConnectionCount"
    assert "$filter" not in second.query


@pytest.mark.parametrize(
    ("where", "totals", "maxima"),
    [
        (FAILED, [None, 7.0], [None, 7.0]),
        ("ConnectionState eq '*'", [3.0, 12.0], [3.0, 7.0]),
        ("ConnectionState eq 'Failed' or ConnectionState eq 'Attempted'", [3.0, 12.0], [3.0, 7.0]),
        ("", [30.0, 40.0], [30.0, 40.0]),
        ("ConnectionState eq 'Pending'", [], []),
        ("Protocol eq 'TCP'", [], []),
    ],
)
def test_of_several_series_one_is_made(
    estate: Estate, where: str, totals: list[float | None], maxima: list[float | None]
) -> None:
    gate = gateway(estate, snat(FAILED, None, 7.0), snat(DONE, 3.0, 5.0), snat("", 30.0, 40.0))
    (found,) = metrics(estate, gate, "SNATConnectionCount", where=where)
    assert [point.total for point in found.points] == totals
    assert [point.maximum for point in found.points] == maxima


@pytest.mark.parametrize(
    ("names", "where", "said"),
    [
        (("No Such Metric",), "", "Failed to find metric configuration"),
        (("DatapathAvailability",), FAILED, "does not support requested dimension"),
        (("SNATConnectionCount",), "ConnectionState", "Invalid filter"),
    ],
)
def test_metrics_that_azure_refuses(estate: Estate, names: tuple[str, ...], where: str, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        metrics(estate, gateway(estate), *names, where=where)


def answered(estate: Estate, path: str, body: Any, status: int = 200) -> None:
    estate.sandbox.faults.add(method="GET", path=path, status=status, body=body)


def test_a_metric_that_azure_could_not_read_is_not_one_without_values(estate: Estate) -> None:
    metric = {"name": {"value": CPU}, "unit": "Percent", "timeseries": [], "errorCode": "InternalError"}
    answered(estate, "metrics", {"value": [metric | {"errorMessage": "Try later."}]})
    with pytest.raises(PermanentError, match=f"{CPU}: InternalError: Try later"):
        metrics(estate, estate.id("vm-shop-web-01"), CPU)


def test_metrics_of_another_shape_name_the_place(estate: Estate) -> None:
    answered(estate, "metrics", {"value": [{"name": {"value": CPU}, "timeseries": "none"}]})
    with pytest.raises(ParseError, match=r"\$\.value\[0\]\.timeseries"):
        metrics(estate, estate.id("vm-shop-web-01"), CPU)


def test_metrics_of_what_does_not_exist(estate: Estate) -> None:
    with pytest.raises(NotFoundError):
        metrics(estate, ResourceId.parse(estate.id("vm-shop-web-01").text + "-gone"), CPU)


def test_the_activity_log_tells_who_wrote(estate: Estate) -> None:
    group = "Microsoft.Network/networkSecurityGroups"
    assert [(event.who, event.operation, event.resource.name) for event in changes(estate, "nsg-orders-data")] == [
        ("ines.moreau@contoso.example", f"{group}/securityRules/write", "deny-lateral-movement"),
        ("ines.moreau@contoso.example", f"{group}/write", "nsg-orders-data"),
    ]
    (one, *others) = changes(estate, "nsg-orders-data", hours=48)[::-1]
    assert (one.who, one.status, len(others)) == ("deploy-orders@contoso.example", "Succeeded", 2)


@pytest.mark.parametrize("size", [1, 100])
def test_all_pages_of_the_log(start: Any, size: int) -> None:
    estate = start(page_size=size)
    assert [event.status for event in changes(estate, "nic-shop-web-01")] == ["Failed", "Started"]
    assert len(estate.statuses("GET", "eventtypes")) == 2 // size or 1


@pytest.mark.parametrize("link", ["https://example.com/next", "{arm}.example.com/next", "/next"])
def test_the_next_page_is_not_elsewhere(estate: Estate, link: str) -> None:
    answered(estate, "eventtypes", {"value": [], "nextLink": link.format(arm=estate.sandbox.url)})
    with pytest.raises(PermanentError, match="the next page is not at Azure Resource Manager"):
        changes(estate, "nic-shop-web-01")


TIME = "2026-11-20T09:00:00.1234567Z"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
WRITE = {"value": "Microsoft.Network/networkInterfaces/write", "localizedValue": "Create"}


@pytest.mark.parametrize(
    ("told", "who", "named", "own"),
    [
        ({"caller": "a@b.example", "operationName": WRITE, "status": {"value": "Succeeded"}}, "a@b.example", 1, 0),
        ({"operationName": WRITE["value"], "status": "Succeeded"}, "", 1, 0),
        ({"operationName": None, "status": None, "caller": None}, "", 0, 0),
        ({"claims": {"appid": "4711", "name": "Ada"}}, "Ada", 0, 0),
        ({"claims": {"appid": "4711", UPN: "ada@b.example"}}, "ada@b.example", 0, 0),
        ({"claims": {"appid": "4711"}}, "4711", 0, 0),
        ({"claims": "{}"}, "", 0, 0),
        ({"resourceId": "/subscriptions/s/resourceGroups/g/providers/P/t/other"}, "", 0, 1),
        ({"resourceId": "not an id"}, "", 0, 0),
        ({"resourceId": None}, "", 0, 0),
    ],
)
def test_events_in_every_shape(estate: Estate, told: dict[str, Any], who: str, named: int, own: int) -> None:
    answered(estate, "eventtypes", {"value": [{"eventTimestamp": TIME} | told]})
    (event,) = changes(estate, "nic-shop-web-01")
    resource = ResourceId.parse(told["resourceId"]) if own else estate.id("nic-shop-web-01")
    assert event == Event(
        when=datetime(2026, 11, 20, 9, 0, 0, 123_457, tzinfo=UTC),
        who=who,
        operation=str(WRITE["value"]) if named else "",
        resource=resource,
        status="Succeeded" if named else "",
    )


def test_an_event_without_a_time_is_no_event(estate: Estate) -> None:
    answered(estate, "eventtypes", {"value": [{"caller": "a"}]})
    with pytest.raises(ParseError, match="eventTimestamp"):
        changes(estate, "nic-shop-web-01")


def test_a_log_without_its_list_is_not_an_empty_one(estate: Estate) -> None:
    answered(estate, "eventtypes", {})
    with pytest.raises(ParseError, match=r"\$.*value"):
        changes(estate, "nic-shop-web-01")


def test_a_log_that_may_not_be_read(estate: Estate) -> None:
    action = "Microsoft.Insights/eventtypes/values/read"
    text = f"The client 'x' does not have authorization to perform action '{action}' over scope '/subscriptions/s'."
    answered(estate, "eventtypes", {"error": {"code": "AuthorizationFailed", "message": text}}, status=403)
    with pytest.raises(ForbiddenError) as error:
        changes(estate, "nic-shop-web-01")
    assert error.value.action == action


def test_a_time_that_the_log_does_not_keep(estate: Estate) -> None:
    with pytest.raises(PermanentError, match="90 day"):
        changes(estate, "nic-shop-web-01", hours=24 * 91)


@pytest.mark.parametrize("name", ["001", "002", "003", "004", "022", "023", "024"])
def test_recorded_logs(estate: Estate, corpus: Path, name: str) -> None:
    body = json.loads((corpus / "activity_log" / f"{name}.json").read_text(encoding="utf-8"))["response_body"]
    body.pop("nextLink", None)
    answered(estate, "eventtypes", body)
    events = changes(estate, "nic-shop-web-01")
    assert len(events) == len(body["value"])
    assert all(event.operation.count("/") >= 2 for event in events)
    assert all(event.who for event, raw in zip(events, body["value"], strict=True) if raw.get("caller"))
    assert all(event.status for event, raw in zip(events, body["value"], strict=True) if raw.get("status"))
    assert estate.id("nic-shop-web-01") not in {event.resource for event in events}


@pytest.mark.parametrize(("name", "points"), [("001", 0), ("002", 1440)])
def test_recorded_metrics(estate: Estate, corpus: Path, name: str, points: int) -> None:
    body = json.loads((corpus / "metrics" / f"{name}.json").read_text(encoding="utf-8"))["response_body"]
    answered(estate, "metrics", body)
    (found,) = metrics(estate, estate.id("vm-shop-web-01"), CPU)
    assert (found.unit in {"Percent", "Count"}, len(found.points)) == (True, points)
