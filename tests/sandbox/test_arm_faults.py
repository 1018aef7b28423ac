import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.mgmt.network import NetworkManagementClient

from sandbox.arm import Fault, Faults, Sandbox
from sandbox.arm.__main__ import main
from sandbox.arm.clients import Azure, connected
from sandbox.scenario import Scenario, scenarios

CARD = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
MESSAGE: dict[str, Any] = {"type": "message", "attachments": [CARD | {"content": {"type": "AdaptiveCard", "body": []}}]}


@pytest.fixture
def azure() -> Iterator[Azure]:
    with connected("healthy") as azure:
        yield azure


def statuses(azure: Azure) -> list[int]:
    return [call.status for call in azure.sandbox.calls if call.action[1].endswith("networkInterfaces")]


def read(azure: Azure, **options: Any) -> str:
    client = azure.client(NetworkManagementClient, **options)
    return client.network_interfaces.get("rg-crm-prod-weu", "nic-crm-app-01").name or ""


def test_the_sdk_retries_what_is_throttled(azure: Azure) -> None:
    body = {"error": {"code": "SubscriptionRequestsThrottled", "message": "Slow down."}}
    headers = {"Retry-After": "1"}
    azure.sandbox.faults.add(method="GET", path="networkInterfaces/", status=429, headers=headers, body=body, times=2)
    started = time.monotonic()
    assert read(azure, retry_total=3) == "nic-crm-app-01"
    assert statuses(azure) == [429, 429, 200]
    assert time.monotonic() - started > 1.9


def test_a_page_of_html(azure: Azure) -> None:
    azure.sandbox.faults.unavailable(path="networkInterfaces")
    with pytest.raises(HttpResponseError) as error:
        read(azure)
    answer: Any = error.value.response
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")


def test_a_dropped_connection(azure: Azure) -> None:
    azure.sandbox.faults.add(path="networkInterfaces", drop=True)
    with pytest.raises(ServiceResponseError):
        read(azure)
    assert read(azure) == "nic-crm-app-01"
    assert statuses(azure) == [0, 200]


def test_a_slow_answer(azure: Azure) -> None:
    azure.sandbox.faults.add(path="networkInterfaces", delay=0.4)
    started = time.monotonic()
    assert read(azure) == "nic-crm-app-01"
    assert time.monotonic() - started > 0.35


def test_faults_are_used_up_in_order() -> None:
    faults = Faults()
    faults.add(path="a", status=500)
    faults.add(method="get", path="A/b", status=503, times=2)
    taken = [faults.take("GET", "/a/b") for _ in range(4)]
    assert [fault and fault.status for fault in taken] == [500, 503, 503, None]
    faults.add(path="a", status=500)
    faults.clear()
    assert faults.take("GET", "/a") is None


@pytest.mark.parametrize("wrong", [{"stauts": 429}, {"status": "429"}, {"times": 1.5}])
def test_a_fault_must_make_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        Faults().add(**wrong)


def test_inspection_by_hand(azure: Azure) -> None:
    url = azure.sandbox.url
    planned = requests.post(f"{url}/sandbox/faults", json={"path": "nic", "status": 500}, timeout=9)
    assert (planned.status_code, msgspec.convert(planned.json(), Fault).status) == (201, 500)
    assert requests.post(f"{url}/sandbox/faults", json={"x": 1}, timeout=9).status_code == 400
    azure.call("GET", azure.id("nic-crm-app-01"))
    calls = requests.get(f"{url}/sandbox/calls", timeout=9).json()
    assert [call["status"] for call in calls] == [200, 500]
    assert calls[1]["roleActions"] == ["Microsoft.Network/networkInterfaces/read"]
    nic = requests.get(f"{url}/sandbox/resources", params={"id": azure.id("nic-crm-app-01")}, timeout=9).json()
    assert nic["name"] == "nic-crm-app-01"
    everything = requests.get(f"{url}/sandbox/resources", timeout=9).json()
    assert len(everything) == len(azure.scenario.resources) + 2
    assert requests.get(f"{url}/sandbox/resources?id=/none", timeout=9).status_code == 404
    assert requests.get(f"{url}/sandbox/teams", timeout=9).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (msgspec.json.encode(MESSAGE), 202),
        (b"not json", 400),
        (b"[]", 400),
        (msgspec.json.encode(MESSAGE | {"type": "MessageCard"}), 400),
        (msgspec.json.encode(MESSAGE | {"attachments": []}), 400),
        (msgspec.json.encode(MESSAGE | {"attachments": [{"contentType": "text/html"}]}), 400),
        (msgspec.json.encode(MESSAGE | {"attachments": [CARD | {"content": {"type": "Card"}}]}), 400),
    ],
)
def test_teams(azure: Azure, body: bytes, status: int) -> None:
    answer = requests.post(azure.sandbox.teams_url, data=body, timeout=9)
    assert answer.status_code == status
    assert azure.sandbox.teams == ([MESSAGE] if status == 202 else [])


def test_teams_needs_the_signature(azure: Azure) -> None:
    wrong = azure.sandbox.teams_url + "x"
    assert requests.post(wrong, json=MESSAGE, timeout=9).status_code == 401


def test_teams_accepts_and_loses_what_is_too_large(azure: Azure) -> None:
    answer = requests.post(azure.sandbox.teams_url, json=MESSAGE | {"summary": "x" * 30_000}, timeout=9)
    assert (answer.status_code, answer.content) == (202, b"")
    assert azure.sandbox.teams == []
    assert azure.sandbox.teams_lost[0].startswith("Request Entity too large")


def test_the_signature_is_not_recorded(azure: Azure) -> None:
    requests.post(azure.sandbox.teams_url, json=MESSAGE, timeout=9)
    assert azure.sandbox.calls[-1].query["sig"] == "***"


def test_threads_end_with_the_sandbox() -> None:
    before = set(threading.enumerate())
    with Sandbox(scenarios()) as sandbox:
        assert set(threading.enumerate()) - before
        requests.get(f"{sandbox.url}/sandbox/calls", timeout=9)
    assert set(threading.enumerate()) == before
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=9)


def test_by_hand() -> None:
    command = [sys.executable, "-m", "sandbox.arm", "healthy", "--operation-seconds", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert lines[0].startswith("export IDENTITY_ENDPOINT=http://127.0.0.1:")
    assert lines[4] == "export VMREACH_SCOPES=/subscriptions/e80d5f47-1b6c-4e29-a7d3-94f21c08be56\n"
    assert "/sandbox/calls" in lines[5]


def test_by_hand_with_a_wrong_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sick"])
    assert "no scenario sick; there are healthy" in capsys.readouterr().err


def test_a_port_that_is_taken() -> None:
    loaded: list[Scenario] = scenarios()
    with Sandbox(loaded) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"):
            Sandbox(loaded, port=port).start()
