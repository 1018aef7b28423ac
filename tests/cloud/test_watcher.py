import time
from typing import Any

import pytest

from diagnostics.errors import NotFoundError, PermanentError, TemporaryError
from diagnostics.network.connectivity import ConnectionStatus, IssueType, Probe
from diagnostics.network.ids import ResourceId
from tests.cloud.conftest import Estate

CHECK = "/connectivitycheck"


def probe(estate: Estate, **more: Any) -> Probe:
    """The check of scenario vm-to-vm-nsg."""
    web, sql = estate.id("vm-orders-web-01"), estate.id("vm-orders-sql-01")
    asked: dict[str, Any] = {"source": web, "location": "westeurope", "destination": sql, "port": 1433}
    return Probe(**(asked | {"protocol": "Tcp"} | more))


def submitted(estate: Estate) -> list[int]:
    return estate.statuses("POST", CHECK)


@pytest.mark.parametrize("location", ["westeurope", "West Europe", "WestEurope"])
def test_the_answer_is_read(estate: Estate, location: str) -> None:
    check = estate.watcher().check_connectivity(probe(estate, location=location))
    assert check.status is ConnectionStatus.UNREACHABLE
    assert [issue.type for _, issue in check.issues][:1] == [IssueType.NETWORK_SECURITY_RULE]
    assert "deny-lateral-movement" in check.issues[0][1].value
    assert submitted(estate) == [202]


@pytest.mark.parametrize(("destination", "port"), [("10.20.2.4", 1433), ("www.contoso.com", None)])
def test_a_destination_by_address_or_name(estate: Estate, destination: str, port: int | None) -> None:
    estate.watcher().check_connectivity(probe(estate, destination=destination, port=port))
    (call,) = [call for call in estate.sandbox.calls if call.path.lower().endswith(CHECK)]
    assert call.body["destination"] == {"address": destination} | ({"port": port} if port else {})


def test_the_watcher_is_looked_for_once(estate: Estate) -> None:
    watcher = estate.watcher()
    for _ in range(2):
        watcher.check_connectivity(probe(estate))
    assert estate.statuses("GET", "microsoft.network/networkwatchers") == [200]


@pytest.mark.parametrize("location", ["northeurope", ""])
def test_a_region_without_a_watcher(estate: Estate, location: str) -> None:
    with pytest.raises(NotFoundError, match="no Network Watcher in region"):
        estate.watcher().check_connectivity(probe(estate, location=location))
    assert submitted(estate) == []


def test_a_vm_that_does_not_exist(estate: Estate) -> None:
    gone = ResourceId.parse(estate.id("vm-orders-web-01").text + "-gone")
    with pytest.raises(NotFoundError, match="ResourceNotFound"):
        estate.watcher().check_connectivity(probe(estate, source=gone))


def test_a_vm_that_does_not_run(estate: Estate) -> None:
    estate.sandbox.power(estate.id("vm-orders-web-01").text, "PowerState/deallocated")
    with pytest.raises(PermanentError, match="is not running"):
        estate.watcher().check_connectivity(probe(estate))


BUSY = {"error": {"code": "RetryableError", "message": "A retryable error occurred."}}


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        ({"status": 429, "body": BUSY, "headers": {"Retry-After": "11"}}, 11),
        ({"status": 429, "body": BUSY}, None),
        ({"status": 500}, None),
        ({"status": 503}, None),
        ({"status": 503, "headers": {"Retry-After": "1"}}, 1),
        ({"status": 504, "body": "<html>Gateway Timeout</html>"}, None),
        ({"drop": True}, None),
    ],
)
def test_a_check_is_not_submitted_twice(estate: Estate, fault: dict[str, Any], retry_after: float | None) -> None:
    estate.sandbox.faults.add(method="POST", path="connectivityCheck", **fault)
    with pytest.raises(TemporaryError) as error:
        estate.watcher().check_connectivity(probe(estate))
    assert error.value.retry_after == retry_after
    assert len(submitted(estate)) == 1


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "headers": {"Retry-After": "1"}}, {"status": 503, "body": "<html>Away</html>"}, {"drop": True}],
)
def test_a_disturbed_poll_does_not_submit_again(estate: Estate, fault: dict[str, Any]) -> None:
    estate.sandbox.faults.add(method="GET", path="operationResults", times=2, **fault)
    check = estate.watcher().check_connectivity(probe(estate))
    assert (check.raw_status, submitted(estate)) == ("Unreachable", [202])


def test_no_answer_in_time(estate: Estate) -> None:
    source = estate.id("vm-orders-web-01").text
    estate.sandbox.hold(source)
    began = time.monotonic()
    with pytest.raises(PermanentError, match=r"no answer within 0\.2 s"):
        estate.watcher(wait_seconds=0.2).check_connectivity(probe(estate))
    assert time.monotonic() - began < 2
    with pytest.raises(TemporaryError, match="RetryableError"):  # Azure runs one check at a time for a VM
        estate.watcher().check_connectivity(probe(estate))
    estate.sandbox.release(source)


def test_a_check_that_fails_says_why(estate: Estate) -> None:
    body = {"error": {"code": "AgentNotReachable", "message": "The agent does not answer."}}
    estate.sandbox.faults.add(method="GET", path="operationResults", status=400, body=body)
    with pytest.raises(PermanentError, match="AgentNotReachable: The agent does not answer"):
        estate.watcher().check_connectivity(probe(estate))
