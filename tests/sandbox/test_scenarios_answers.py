"""What the sandbox does with answers that only derived scenarios have."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from sandbox.arm import Sandbox
from sandbox.arm.clients import Azure
from sandbox.scenario import DERIVED, Scenario


@contextmanager
def azure(name: str) -> Iterator[Azure]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox([Scenario.load(DERIVED / f"{name}.json")], operation_seconds=0.02))
        yield Azure(sandbox, stack)


def asked(azure: Azure, action: str, body: dict[str, Any]) -> Any:
    """The answer of Network Watcher, by polling as a client does."""
    response = azure.call("POST", f"{azure.id('NetworkWatcher_westeurope')}/{action}", json=body)
    while response.status_code == 202:
        response = azure.call("GET", response.headers["Location"].removeprefix(azure.sandbox.url).partition("?")[0])
    return response.json()


def check(azure: Azure) -> dict[str, Any]:
    source, destination = azure.id("vm-orders-web-01"), azure.id("vm-orders-sql-01")
    return {"source": {"resourceId": source}, "destination": {"resourceId": destination, "port": 1433}}


def test_the_second_request_gets_the_second_answer_and_so_do_later_ones() -> None:
    with azure("vm-to-vm-heals") as cloud:
        answers = [asked(cloud, "connectivityCheck", check(cloud))["connectionStatus"] for _ in range(3)]
        other = check(cloud) | {"destination": {"address": "10.20.2.4", "port": 3389}}
        assert asked(cloud, "connectivityCheck", other)["connectionStatus"] == "Reachable"
    assert answers == ["Unreachable", "Reachable", "Reachable"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("vm-to-vm-permission", "AuthorizationFailed"), ("vm-to-vm-permission-linked", "LinkedAuthorizationFailed")],
)
def test_what_is_forbidden_is_refused_before_anything_begins(name: str, code: str) -> None:
    with azure(name) as cloud:
        watcher = cloud.id("NetworkWatcher_westeurope")
        response = cloud.call("POST", f"{watcher}/connectivityCheck", json=check(cloud))
    assert (response.status_code, response.json()["error"]["code"]) == (403, code)
    assert watcher in response.json()["error"]["message"]


@pytest.mark.parametrize(("port", "access"), [("1433", "Deny"), ("3389", "Allow")])
def test_diagnostics_match_their_profile(port: str, access: str) -> None:
    profile = {"direction": "Inbound", "protocol": "TCP", "source": "10.20.1.4", "destination": "10.20.2.4"}
    with azure("vm-to-vm-nic-deny") as cloud:
        body = {"targetResourceId": cloud.id("vm-orders-sql-01"), "profiles": [profile | {"destinationPort": port}]}
        (result,) = asked(cloud, "networkConfigurationDiagnostic", body)["results"]
    assert result["networkSecurityGroupResult"]["securityRuleAccessResult"] == access


@pytest.mark.parametrize(("condition", "last"), [("connectionstate eq 'failed'", 6404.0), ("", 64870.0)])
def test_a_metric_with_a_filter(condition: str, last: float) -> None:
    params = {"metricnames": "SNATConnectionCount", "aggregation": "Total", "interval": "PT1M"}
    with azure("internet-snat-exhausted") as cloud:
        path = f"{cloud.id('natgw-crm')}/providers/Microsoft.Insights/metrics"
        (metric,) = cloud.call("GET", path, params=params | {"$filter": condition}).json()["value"]
    assert metric["timeseries"][0]["data"][-1]["total"] == last


def test_what_may_not_be_read_is_refused_with_the_action() -> None:
    with azure("vm-to-vm-unreadable-group") as cloud:
        refused, other = (cloud.call("GET", cloud.id(name)) for name in ("nsg-orders-data", "nsg-orders-web"))
    assert (refused.status_code, other.status_code) == (403, 200)
    assert "'Microsoft.Network/networkSecurityGroups/read' over scope '/subscriptions/" in refused.text
