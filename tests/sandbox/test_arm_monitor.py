from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.arm.clients import Azure, code_of, connected
from sandbox.scenario import Metric


def now() -> datetime:
    """Asked for in each test: the sandbox writes its past when it starts, which may be minutes after the import."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with connected("internet-failed-nic") as azure:
        yield azure


def span(minutes: int) -> str:
    return f"{now() - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}/{now():%Y-%m-%dT%H:%M:%SZ}"


def metric(azure: Azure, names: str, **more: Any) -> Any:
    given: dict[str, Any] = {"timespan": span(10), "interval": "PT1M", "aggregation": "Average"} | more
    return azure.monitor.metrics.list(azure.id("vm-shop-web-01"), metricnames=names, **given).value


def test_scripted_metrics_end_now_and_may_have_gaps(azure: Azure) -> None:
    cpu, memory = metric(azure, "Percentage CPU,Available Memory Bytes", aggregation="Average,Maximum")
    points = cpu.timeseries[0].data
    assert len(points) == 10
    assert points[-1].average is None
    assert points[-2].average > 20
    assert points[-2].maximum > points[-2].average
    assert points[0].time_stamp < points[-1].time_stamp <= now()
    assert memory.timeseries[0].data[0].maximum is None


def test_a_metric_without_a_script_is_an_empty_series(azure: Azure) -> None:
    (found,) = metric(azure, "Network In Total")
    assert (found.name.value, found.timeseries) == ("Network In Total", [])


@pytest.mark.parametrize(
    ("names", "more"),
    [
        ("No Such Metric", {}),
        ("Percentage CPU", {"interval": "1m"}),
        ("Percentage CPU", {"aggregation": "Median"}),
        ("Percentage CPU", {"timespan": "yesterday"}),
    ],
)
def test_metric_requests_that_are_refused(azure: Azure, names: str, more: dict[str, str]) -> None:
    with pytest.raises(HttpResponseError) as error:
        metric(azure, names, **more)
    assert error.value.status_code == 400


def since(minutes: int, condition: str = "") -> str:
    return f"eventTimestamp ge '{(now() - timedelta(minutes=minutes)).isoformat()}'{condition}"


def test_the_activity_log_tells_who_wrote(azure: Azure) -> None:
    own = f" and eventTimestamp le '{now().isoformat()}' and resourceUri eq '{azure.id('nic-shop-web-01').lower()}'"
    events = list(azure.monitor.activity_logs.list(filter=since(60, own)))
    assert [event.status.value for event in events if event.status] == ["Failed", "Started"]
    assert {event.operation_name.value for event in events if event.operation_name} == {
        "Microsoft.Network/networkInterfaces/write"
    }
    assert events[0].event_timestamp is not None
    assert now() - events[0].event_timestamp < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("", 2),
        (" and resourceGroupName eq 'RG-shop-prod-weu'", 2),
        (" and resourceProvider eq 'Microsoft.Compute'", 0),
        (" and correlationId eq 'none'", 0),
        (" and eventChannels eq 'Admin, Operation'", 2),
        (" and resourceUri eq '/other'", 0),
    ],
)
def test_activity_log_filters(azure: Azure, condition: str, count: int) -> None:
    assert len(list(azure.monitor.activity_logs.list(filter=since(60, condition)))) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "status eq 'Failed'",
        "eventTimestamp ge 'yesterday'",
        "resourceGroupName eq 'a'",
        since(60, " and status eq 'Failed'"),
        since(60, " and operationName eq 'Microsoft.Network/networkInterfaces/write'"),
        since(60, " and resourceGroupName eq 'a' and correlationId eq 'b'"),
        since(60, " or resourceGroupName eq 'a'"),
        since(91 * 24 * 60),
    ],
    ids=range(9),
)
def test_filters_that_azure_refuses(azure: Azure, text: str) -> None:
    path = f"/subscriptions/{azure.scenario.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    answer = azure.call("GET", path, params={"$filter": text, "api-version": "2015-04-01"})
    assert code_of(answer) == (400, "BadRequest")


def test_only_selected_columns(azure: Azure) -> None:
    path = f"/subscriptions/{azure.scenario.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    params = {"$filter": since(60), "$select": "caller,operationName", "api-version": "2015-04-01"}
    events = azure.call("GET", path, params=params).json()["value"]
    assert [set(event) for event in events] == [{"caller", "operationName"}] * 2


def test_role_actions_of_monitor(azure: Azure) -> None:
    metric(azure, "Percentage CPU")
    list(azure.monitor.activity_logs.list(filter=since(60)))
    found = [call.role_actions[0] for call in azure.sandbox.calls[-2:]]
    assert found == ["Microsoft.Insights/metrics/read", "Microsoft.Insights/eventtypes/values/read"]


def test_a_log_about_a_resource_has_what_is_nested_in_it() -> None:
    """As recorded: events about tags of a VM are found by the VM's id."""
    with connected("vm-to-vm-nsg") as azure:
        group = azure.id("nsg-orders-data")
        for uri, count in ((group, 3), (group.upper(), 3), (f"{group}/securityRules/deny-lateral-movement", 1)):
            own = since(48 * 60, f" and resourceUri eq '{uri}'")
            assert len(list(azure.monitor.activity_logs.list(filter=own))) == count
        assert (
            list(azure.monitor.activity_logs.list(filter=since(48 * 60, f" and resourceUri eq '{group[:-1]}'"))) == []
        )


NAT = "SNATConnectionCount"


@pytest.fixture
def gateway() -> Iterator[tuple[Azure, str]]:
    with connected("healthy") as azure:
        path = azure.id("nic-crm-app-01").replace("networkInterfaces/nic-crm-app-01", "natGateways/natgw")
        body = {"id": path, "name": "natgw", "type": "Microsoft.Network/natGateways", "location": "westeurope"}
        azure.sandbox.create(body | {"properties": {}})
        for state, total in (("Failed", 7.0), ("Attempted", 9.0)):
            condition = f"ConnectionState eq '{state}'"
            azure.scenario.metrics.append(Metric(path, NAT, "Count", {"total": [total]}, condition))
        azure.scenario.metrics.append(Metric(path, NAT, "Count", {"total": [40.0]}))
        yield azure, path


@pytest.mark.parametrize(
    ("condition", "series"),
    [
        ("", [({}, 40.0)]),
        ("connectionstate eq 'FAILED'", [({"connectionstate": "failed"}, 7.0)]),
        ("ConnectionState eq '*'", [({"connectionstate": "failed"}, 7.0), ({"connectionstate": "attempted"}, 9.0)]),
        ("ConnectionState eq 'Pending'", []),
        ("Protocol eq 'TCP'", []),
    ],
)
def test_a_filter_on_dimensions_selects_series(
    gateway: tuple[Azure, str], condition: str, series: list[tuple[dict[str, str], float]]
) -> None:
    azure, path = gateway
    given: dict[str, Any] = {"timespan": span(5), "interval": "PT1M", "aggregation": "Total", "filter": condition}
    found: Any = next(iter(azure.monitor.metrics.list(path, metricnames=NAT, **given).value))
    assert [
        ({each.name.value: each.value for each in one.metadatavalues}, one.data[-1].total) for one in found.timeseries
    ] == series


@pytest.mark.parametrize(
    ("kind", "name", "condition"),
    [
        ("natGateways", "SnatConnectionCounts", ""),
        ("natGateways", "DatapathAvailability", "ConnectionState eq 'Failed'"),
        ("natGateways", NAT, "ConnectionState ne 'Failed'"),
        ("loadBalancers", "TotalConnectionCount", ""),
        ("loadBalancers", "SnatConnectionCount", "Protocol eq 'TCP'"),
    ],
)
def test_metrics_and_dimensions_that_a_type_does_not_have(azure: Azure, kind: str, name: str, condition: str) -> None:
    path = azure.id("nic-shop-web-01").replace("networkInterfaces/nic-shop-web-01", f"{kind}/other")
    azure.sandbox.create({"id": path, "name": "other", "type": f"Microsoft.Network/{kind}", "location": "westeurope"})
    given: dict[str, Any] = {"timespan": span(5), "interval": "PT1M", "aggregation": "Total", "filter": condition}
    with pytest.raises(HttpResponseError) as error:
        azure.monitor.metrics.list(path, metricnames=name, **given)
    assert error.value.status_code == 400


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("natGateways", f"{NAT},TotalConnectionCount,DatapathAvailability,PacketDropCount"),
        ("loadBalancers", "SnatConnectionCount,AllocatedSnatPorts,UsedSnatPorts,DipAvailability,VipAvailability"),
    ],
)
def test_metrics_of_what_leads_outside(azure: Azure, kind: str, names: str) -> None:
    path = azure.id("nic-shop-web-01").replace("networkInterfaces/nic-shop-web-01", f"{kind}/outside")
    azure.sandbox.create({"id": path, "name": "outside", "type": f"Microsoft.Network/{kind}", "location": "westeurope"})
    given: dict[str, Any] = {"timespan": span(5), "interval": "PT1M", "aggregation": "Total"}
    found = azure.monitor.metrics.list(path, metricnames=names, **given).value
    assert [each.name.value for each in found] == names.split(",")
