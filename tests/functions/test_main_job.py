"""An alert comes in, findings and cards go out, the failed NIC is healed."""

import copy
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.scenario import scenarios
from tests.functions.conftest import Stack, without_state

SCENARIOS = [scenario.name for scenario in scenarios()]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_from_alert_to_finding(auto: Stack, name: str) -> None:
    scenario = auto.scenario(name)
    answer = auto.alert(scenario.alert)
    assert (answer.status_code, len(answer.json()["requestIds"])) == (202, 1)
    for check in scenario.expected.checks:
        finding = auto.finding(check=check, subscription=scenario.subscription)
        assert scenario.expected.because in json.dumps(finding["because"])
        auto.eventually(partial(auto.cards, finding["title"]))
    auto.settle()
    told = auto.all(subscription=scenario.subscription)
    assert {finding["check"] for finding in told} == set(scenario.expected.checks)


def test_the_failed_nic_is_healed_without_losing_anything(auto: Stack) -> None:
    nic = auto.id("nic-shop-web-01")
    assert auto.alert(auto.scenario("internet-failed-nic").alert).status_code == 202
    before = next(body for body in auto.scenario("internet-failed-nic").resources if body["id"] == nic)
    healed = auto.finding(check="NIC001", resource="nic-shop-web-01", status="remediated")
    after = auto.sandbox.resource(nic)
    assert after["properties"]["provisioningState"] == "Succeeded"
    kept = {name: without_state(after["properties"]).get(name) for name in before["properties"]}
    assert kept | {"provisioningState": None} == without_state(before["properties"]) | {"provisioningState": None}
    assert {name: after.get(name) for name in ("location", "tags")} == {
        name: before.get(name) for name in ("location", "tags")
    }
    (put,) = [call for call in auto.puts() if call.path.endswith("/nic-shop-web-01")]
    assert put.status == 200
    assert {each["findingId"] for each in auto.all(resource="nic-shop-web-01")} == {healed["findingId"]}
    assert [each["status"] for each in auto.all(resource="nic-shop-web-01")] == ["open", "remediated"]


def test_the_same_alert_twice_is_one_finding_and_one_card(auto: Stack) -> None:
    alert = auto.scenario("vm-to-vm-nsg").alert
    answers = [auto.alert(alert).json() for _ in range(3)]
    auto.settle()
    finding = auto.finding(check="CON001", resource="vm-orders-sql-01")
    assert answers[0] == answers[1] == answers[2]
    assert len(auto.all(findingId=finding["findingId"])) == 1
    assert len(auto.cards(finding["title"])) == 1


def test_a_resolved_alert_closes_its_finding(auto: Stack) -> None:
    alert = copy.deepcopy(auto.scenario("vm-to-vm-udr").alert)
    assert auto.alert(alert).status_code == 202
    open_ = auto.finding(check="CON002", status="open")
    essentials = alert["data"]["essentials"]
    ended = (datetime.now(UTC) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    alert["data"]["essentials"] = essentials | {"monitorCondition": "Resolved", "resolvedDateTime": ended}
    answer = auto.alert(alert)
    assert (answer.status_code, answer.json()["requestIds"]) == (202, [])
    assert auto.finding(check="CON002", status="resolved")["findingId"] == open_["findingId"]
    assert auto.alert(alert).status_code == 202
    auto.settle()
    assert len(auto.all(check="CON002", status="resolved")) == 1


def fail(stack: Stack, name: str) -> str:
    nic = stack.id(name)
    stack.sandbox.change(nic, {"properties.provisioningState": "Failed"})
    return nic


def test_an_event_of_event_grid(auto: Stack) -> None:
    nic = fail(auto, "nic-crm-app-01")
    event = {
        "id": str(uuid.uuid4()),
        "topic": "/".join(nic.split("/")[:3]),
        "subject": nic,
        "eventType": "Microsoft.Resources.ResourceWriteFailure",
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {"operationName": "Microsoft.Network/networkInterfaces/write", "claims": {"appid": "somebody"}},
    }
    auto.put("diagnosis-requests", json.dumps(event).encode())
    assert auto.finding(check="NIC001", resource="nic-crm-app-01", status="remediated")
    assert auto.sandbox.resource(nic)["properties"]["provisioningState"] == "Succeeded"


def test_a_sweep_finds_and_heals_a_failed_nic(auto: Stack) -> None:
    nic = fail(auto, "nic-edge-proxy-01-mgmt")
    auto.host.run("sweep")
    assert auto.finding(check="NIC001", resource="nic-edge-proxy-01-mgmt", status="remediated")
    auto.host.run("sweep")
    auto.settle()
    assert [call.status for call in auto.puts() if call.path.lower() == nic.lower()] == [200]


def retargeted(payload: Any, vm: str) -> Any:
    essentials = payload["data"]["essentials"]
    assert len(essentials["alertTargetIDs"]) == 1
    essentials |= {"alertTargetIDs": [vm.lower()], "configurationItems": [vm.rpartition("/")[2]]}
    return payload


def test_a_real_alert_that_is_aimed_at_a_vm_of_the_sandbox(auto: Stack, corpus: Path) -> None:
    payload = json.loads((corpus / "alert_payload" / "052.json").read_text())
    answer = auto.alert(retargeted(payload, auto.id("vm-ops-jump-01")))
    assert answer.status_code == 202
    (request,) = answer.json()["requestIds"]
    assert auto.finding(requestId=request)["resource"] == "vm-ops-jump-01"
