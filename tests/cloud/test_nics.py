import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from diagnostics.cloud import versions
from diagnostics.contracts import NicDocument
from diagnostics.errors import (
    ChangedError,
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    PermanentError,
    TemporaryError,
)
from diagnostics.network.ids import ResourceId
from diagnostics.remediation.reput_nic import difference, writable
from sandbox.arm import Call
from sandbox.scenario import Operation
from tests.cloud.conftest import Estate

NIC = "nic-shop-web-01"
UNKNOWN: dict[str, Any] = {
    "properties.madeUpLater": {"list": [1, 2.5, -0.1, 1e21, None, True, ""], "ünï": "\u2028 \U0001f600 <&>"},
    "properties.big": 9_007_199_254_740_993,
    "kind": "of tomorrow",
    "tags": {"Ünïcode": "a/b", "hidden-link:x": ""},
}


def nic_of(estate: Estate) -> tuple[ResourceId, NicDocument]:
    nic = estate.id(NIC)
    return nic, estate.nics().get(nic)


def puts(estate: Estate) -> list[Call]:
    return [call for call in estate.sandbox.calls if call.method == "PUT"]


def put_back(estate: Estate, **options: Any) -> None:
    nic, document = nic_of(estate)
    estate.nics(**options).put(nic, writable(document.body), etag=document.etag)


def test_a_nic_is_read_with_every_property(estate: Estate) -> None:
    estate.sandbox.change(estate.id(NIC).text, UNKNOWN)
    _, document = nic_of(estate)
    assert document.body == estate.sandbox.resource(estate.id(NIC).text)
    assert (document.provisioning_state, document.etag[:2]) == ("Failed", "W/")


def test_what_is_sent_is_what_was_given(estate: Estate) -> None:
    estate.sandbox.change(estate.id(NIC).text, UNKNOWN)
    nic, document = nic_of(estate)
    body = writable(document.body)
    estate.nics().put(nic, body, etag=document.etag)
    (call,) = puts(estate)
    assert json.dumps(call.body) == json.dumps(body)
    assert call.api_version == versions.NETWORK
    after = estate.nics().get(nic)
    assert (after.provisioning_state, difference(document.body, after.body)) == ("Succeeded", ())


@pytest.mark.parametrize("retry_after", ["0", None, "1"])
def test_an_operation_is_followed_without_a_long_sleep(start: Callable[..., Estate], retry_after: str | None) -> None:
    estate = start(retry_after=retry_after)
    began = time.monotonic()
    put_back(estate)
    assert time.monotonic() - began < 4
    assert estate.sandbox.resource(estate.id(NIC).text)["properties"]["provisioningState"] == "Succeeded"


def test_a_newer_version_is_not_overwritten(estate: Estate) -> None:
    nic, document = nic_of(estate)
    estate.sandbox.change(nic.text, {"tags.changed": "meanwhile"})
    with pytest.raises(ChangedError, match="PreconditionFailed"):
        estate.nics().put(nic, writable(document.body), etag=document.etag)
    assert estate.sandbox.resource(nic.text)["tags"]["changed"] == "meanwhile"


def busy(status: int, code: str, **headers: str) -> dict[str, Any]:
    return {
        "method": "PUT",
        "status": status,
        "headers": headers,
        "body": {"error": {"code": code, "message": "Busy."}},
    }


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        (busy(409, "AnotherOperationInProgress"), None),
        (busy(429, "RetryableErrorDueToAnotherOperation"), None),
        (busy(429, "TooManyRequests", **{"Retry-After": "60"}), 60),
        (busy(400, "RetryableError"), None),
        (busy(503, "ServerBusy", **{"Retry-After": "120"}), 120),
    ],
)
def test_a_busy_azure_is_temporary(estate: Estate, fault: dict[str, Any], retry_after: float | None) -> None:
    estate.sandbox.faults.add(**fault, times=9)
    with pytest.raises(TemporaryError) as error:
        put_back(estate)
    assert error.value.retry_after == retry_after


def test_two_operations_at_once(estate: Estate) -> None:
    nic, document = nic_of(estate)
    estate.sandbox.hold(nic.text)
    with pytest.raises(TemporaryError, match=r"has not ended within 0\.1 s"):
        put_back(estate, wait_seconds=0.1)
    with pytest.raises(TemporaryError, match="AnotherOperationInProgress"):
        estate.nics().put(nic, writable(document.body), etag="")
    estate.sandbox.release(nic.text)
    assert estate.nics().settled(nic).provisioning_state == "Succeeded"


@pytest.mark.parametrize("result", ["Failed", "Canceled"])
def test_an_operation_that_fails_late_has_the_code_of_azure(estate: Estate, result: Any) -> None:
    error = {"code": "SubnetIsFull", "message": "Subnet snet-web is full.", "details": []}
    estate.sandbox.script(estate.id(NIC).text, Operation(result=result, error=error))
    with pytest.raises(
        OperationFailedError, match=r"putting nic-shop-web-01 back: SubnetIsFull: Subnet snet"
    ) as caught:
        put_back(estate)
    assert caught.value.code == "SubnetIsFull"


def test_a_poller_that_returns_is_no_proof(estate: Estate) -> None:
    estate.sandbox.script(estate.id(NIC).text, Operation(result="Failed", asynchronous=False))
    with pytest.raises(OperationFailedError, match="ended as Failed"):
        put_back(estate)


@pytest.mark.parametrize("path", ["networkInterfaces", "operations"])
def test_a_connection_that_breaks_in_the_middle(estate: Estate, path: str) -> None:
    nic, document = nic_of(estate)
    estate.sandbox.faults.add(path=path, drop=True)
    estate.nics().put(nic, writable(document.body), etag=document.etag)
    assert [call.status for call in puts(estate) if call.status] == [200]
    assert estate.nics().get(nic).provisioning_state == "Succeeded"


def test_a_connection_that_stays_broken_is_temporary(estate: Estate) -> None:
    estate.sandbox.faults.add(method="PUT", drop=True, times=9)
    with pytest.raises(TemporaryError, match="no answer"):
        put_back(estate)


def test_throttled_polls_do_not_put_again(estate: Estate) -> None:
    estate.sandbox.faults.add(path="/operations/", status=429, headers={"Retry-After": "1"}, times=2)
    put_back(estate)
    assert [call.status for call in puts(estate)] == [200]


def test_settled_waits_for_the_end_of_an_operation(estate: Estate) -> None:
    nic = estate.id(NIC)
    estate.sandbox.change(nic.text, {"properties.provisioningState": "Updating"})
    ends = threading.Timer(0.2, estate.sandbox.change, (nic.text, {"properties.provisioningState": "Failed"}))
    ends.start()
    assert estate.nics().settled(nic).provisioning_state == "Failed"
    ends.join()


def test_settled_does_not_wait_for_ever(estate: Estate) -> None:
    nic = estate.id(NIC)
    estate.sandbox.change(nic.text, {"properties.provisioningState": "Updating"})
    with pytest.raises(TemporaryError, match="is Updating since"):
        estate.nics(wait_seconds=0.1).settled(nic)


@pytest.mark.parametrize("length", [40, 400])
def test_a_missing_right_is_named_with_its_scope(estate: Estate, length: int) -> None:
    action = "Microsoft.Network/virtualNetworks/subnets/join/action"
    scope = f"/subscriptions/{'0' * 36}/resourceGroups/{'r' * length}/providers/Microsoft.Network/virtualNetworks/v"
    estate.sandbox.faults.linked_authorization(action, scope)
    with pytest.raises(ForbiddenError) as error:
        put_back(estate)
    assert (error.value.action, error.value.scope) == (action, scope)


def test_what_azure_refuses_is_told_with_its_details(estate: Estate) -> None:
    nic, document = nic_of(estate)
    with pytest.raises(PermanentError, match=r"InvalidRequestFormat: .*Could not find member 'mistyped'"):
        estate.nics().put(nic, {**writable(document.body), "mistyped": 1}, etag=document.etag)


def test_a_nic_that_is_not_there(estate: Estate) -> None:
    with pytest.raises(NotFoundError):
        estate.nics().settled(ResourceId.parse(estate.id(NIC).text + "-gone"))
