import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from diagnostics.errors import (
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    PermanentError,
    TemporaryError,
    VmreachError,
)
from diagnostics.network.connectivity import ConnectionStatus, IssueType, Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Direction, FlowCheck, RuleCheck
from diagnostics.network.reading import read_objects
from diagnostics.runbooks.probing import (
    CheckConnectivity,
    DiagnoseRules,
    Probing,
    ReadEffectiveRules,
    VerifyFlow,
)
from sandbox import scenario as told
from tests.cloud.conftest import Estate

CHECK = "/connectivitycheck"


def check(estate: Estate, **more: Any) -> CheckConnectivity:
    """The check of scenario vm-to-vm-nsg."""
    web, sql = estate.id("vm-orders-web-01"), estate.id("vm-orders-sql-01")
    asked: dict[str, Any] = {"source": web, "location": "westeurope", "destination": sql, "port": 1433}
    return CheckConnectivity(Probe(**(asked | {"protocol": "Tcp"} | more)))


def flow(estate: Estate, **more: Any) -> VerifyFlow:
    sql, nic = estate.id("vm-orders-sql-01"), estate.id("nic-orders-sql-01")
    asked = FlowCheck(sql, "westeurope", nic, Direction.INBOUND, "Tcp", "10.20.2.4", "10.20.1.4", 1433, None)
    return VerifyFlow(FlowCheck(**{field: more.get(field, getattr(asked, field)) for field in asked.__slots__}))


def rules(estate: Estate, port: int | None = 1433) -> DiagnoseRules:
    nic = estate.id("nic-orders-sql-01")
    return DiagnoseRules(RuleCheck(nic, "westeurope", Direction.INBOUND, "Tcp", "10.20.1.4", "10.20.2.4", port))


def asked[T](estate: Estate, question: Probing[T]) -> T:
    watcher = estate.watcher()
    return question.read(watcher.collect(question, watcher.submit(question)))


def submitted(estate: Estate) -> list[int]:
    return estate.statuses("POST", CHECK)


def sent(estate: Estate, action: str) -> Any:
    (call,) = [call for call in estate.sandbox.calls if call.path.lower().endswith(f"/{action}".lower())]
    return call.body


@pytest.mark.parametrize("location", ["westeurope", "West Europe", "WestEurope"])
def test_the_answer_is_read(estate: Estate, location: str) -> None:
    answer = asked(estate, check(estate, location=location))
    assert answer.status is ConnectionStatus.UNREACHABLE
    assert [issue.type for _, issue in answer.issues][:1] == [IssueType.NETWORK_SECURITY_RULE]
    assert "deny-lateral-movement" in answer.issues[0][1].value
    assert submitted(estate) == [202]


@pytest.mark.parametrize(("destination", "port"), [("10.20.2.4", 1433), ("www.contoso.com", None)])
def test_a_destination_by_address_or_name(estate: Estate, destination: str, port: int | None) -> None:
    asked(estate, check(estate, destination=destination, port=port))
    assert sent(estate, "connectivityCheck")["destination"] == {"address": destination} | (
        {"port": port} if port else {}
    )


def test_ip_flow_verify(estate: Estate) -> None:
    answer = asked(estate, flow(estate))
    assert (answer.allowed, answer.rule) == (False, "deny-lateral-movement")
    assert sent(estate, "ipFlowVerify") == {
        "targetResourceId": estate.id("vm-orders-sql-01").text,
        "targetNicResourceId": estate.id("nic-orders-sql-01").text,
        "direction": "Inbound",
        "protocol": "TCP",
        "localIPAddress": "10.20.2.4",
        "localPort": "1433",
        "remoteIPAddress": "10.20.1.4",
        "remotePort": "*",
    }


def test_a_nic_is_named_only_where_there_is_one_to_name(estate: Estate) -> None:
    asked(estate, flow(estate, nic=None, local_port=None, remote_port=50_000))
    body = sent(estate, "ipFlowVerify")
    assert "targetNicResourceId" not in body
    assert (body["localPort"], body["remotePort"]) == ("*", "50000")


@pytest.mark.parametrize(("port", "shown"), [(1433, "1433"), (None, "*")])
def test_nsg_diagnostics(estate: Estate, port: int | None, shown: str) -> None:
    answer = asked(estate, rules(estate, port))
    assert not answer.allowed
    assert answer.deciding is not None
    assert answer.deciding.rule == "deny-lateral-movement"
    body = sent(estate, "networkConfigurationDiagnostic")
    assert (body["verbosityLevel"], body["profiles"][0]["destinationPort"]) == ("Normal", shown)


def test_what_azure_says_about_a_nic_is_read_for_that_nic(estate: Estate) -> None:
    nic = estate.id("nic-orders-sql-01")
    groups = asked(estate, ReadEffectiveRules(nic))
    read = read_objects([{"networkInterfaceId": nic.text, "effectiveNetworkSecurityGroups": groups}])
    assert not read.problems
    names = {rule.name for group in read.effective_groups[nic] for rule in group.rules}
    assert "deny-lateral-movement" in names


def test_a_nic_of_a_vm_that_is_off_has_no_rules_in_effect(estate: Estate) -> None:
    estate.sandbox.power(estate.id("vm-orders-sql-01").text, "PowerState/deallocated")
    with pytest.raises(PermanentError, match="NicMustBeAttachedToRunningVm"):
        asked(estate, ReadEffectiveRules(estate.id("nic-orders-sql-01")))


def test_the_watcher_is_looked_for_once(estate: Estate) -> None:
    watcher = estate.watcher()
    found = {watcher.find(estate.subscription("vm-to-vm-nsg"), place) for place in ("westeurope", "West Europe")}
    assert [each.name for each in found] == ["NetworkWatcher_westeurope"]
    watcher.collect(check(estate), watcher.submit(check(estate)))
    assert estate.statuses("GET", "microsoft.network/networkwatchers") == [200]


@pytest.mark.parametrize("location", ["northeurope", ""])
def test_a_region_without_a_watcher(estate: Estate, location: str) -> None:
    with pytest.raises(NotFoundError, match="no Network Watcher in region"):
        estate.watcher().find(estate.subscription("vm-to-vm-nsg"), location)
    with pytest.raises(NotFoundError, match="no Network Watcher in region"):
        estate.watcher().submit(check(estate, location=location))
    assert submitted(estate) == []


def test_a_vm_that_does_not_exist(estate: Estate) -> None:
    gone = ResourceId.parse(estate.id("vm-orders-web-01").text + "-gone")
    with pytest.raises(NotFoundError, match="ResourceNotFound"):
        estate.watcher().submit(check(estate, source=gone))


def test_a_vm_that_does_not_run(estate: Estate) -> None:
    estate.sandbox.power(estate.id("vm-orders-web-01").text, "PowerState/deallocated")
    with pytest.raises(PermanentError, match="is not running"):
        estate.watcher().submit(check(estate))


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
        estate.watcher().submit(check(estate))
    assert error.value.retry_after == retry_after
    assert len(submitted(estate)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "0.1"}},
        {"status": 503, "body": "<html>Away</html>"},
        {"status": 500},
        {"drop": True},
    ],
)
def test_a_disturbed_poll_does_not_submit_again(estate: Estate, fault: dict[str, Any]) -> None:
    estate.sandbox.faults.add(method="GET", path="operationResults", times=2, **fault)
    answer = asked(estate, check(estate))
    assert (answer.raw_status, submitted(estate)) == ("Unreachable", [202])
    assert len(estate.statuses("GET", "/operationresults/")) >= 3


def test_another_process_collects_with_the_ticket(estate: Estate) -> None:
    source, question = estate.id("vm-orders-web-01").text, check(estate)
    estate.sandbox.hold(source)
    ticket = estate.watcher().submit(question)
    began = time.monotonic()
    with pytest.raises(TemporaryError, match=r"connectivity check from vm-orders-web-01 has not ended within 0\.2 s"):
        estate.watcher(wait_seconds=0.2).collect(question, ticket)
    assert time.monotonic() - began < 2
    with pytest.raises(TemporaryError, match="RetryableError"):  # Azure runs one check at a time for a VM
        estate.watcher().submit(question)
    estate.sandbox.release(source)
    for _ in range(2):  # the ticket stays good
        assert question.read(estate.watcher().collect(question, ticket)).raw_status == "Unreachable"
    assert submitted(estate) == [202, 429]


@pytest.mark.parametrize(
    ("told", "paused"), [("7", 7.0), ("300", 20.0), ("0", 0.02), ("Wed, 25 Nov 2026 19:00:00 GMT", 0.02)]
)
def test_azure_says_how_long_to_wait_up_to_a_limit(
    start: Callable[..., Estate], monkeypatch: pytest.MonkeyPatch, told: str, paused: float
) -> None:
    estate = start(retry_after=told)
    source, slept = estate.id("vm-orders-web-01").text, list[float]()
    estate.sandbox.hold(source)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        estate.sandbox.release(source)

    ticket = estate.watcher().submit(check(estate))
    with monkeypatch.context() as patched:
        patched.setattr("diagnostics.cloud.operations.time.sleep", sleep)
        estate.watcher(wait_seconds=600).collect(check(estate), ticket)
    assert slept[0] == paused


FAILED = {"status": 400, "code": "AgentNotReachable", "message": "The agent does not answer."}
COLLIDED = {"status": 429, "code": "RetryableError", "message": "A retryable error occurred."}


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (FAILED, PermanentError, "AgentNotReachable: The agent does not answer"),
        (COLLIDED, OperationFailedError, "RetryableError"),
        ({"status": 403, "code": "AuthorizationFailed", "message": "no"}, ForbiddenError, "AuthorizationFailed"),
    ],
)
def test_a_check_that_fails_says_why(
    estate: Estate, error: dict[str, Any], kind: type[VmreachError], said: str
) -> None:
    body = {"error": {"code": error["code"], "message": error["message"]}}
    estate.sandbox.faults.add(method="GET", path="operationResults", status=error["status"], body=body)
    with pytest.raises(kind, match=said):
        asked(estate, check(estate))


def test_a_ticket_that_azure_does_not_know_any_more(estate: Estate) -> None:
    ticket = estate.watcher().submit(check(estate))
    body = {"error": {"code": "OperationNotFound", "message": "It was not found."}}
    estate.sandbox.faults.add(method="GET", path="operationResults", status=404, body=body)
    with pytest.raises(NotFoundError, match="OperationNotFound"):
        estate.watcher().collect(check(estate), ticket)


def elsewhere(estate: Estate, text: str) -> str:
    return text.format(arm=estate.sandbox.url, host=estate.sandbox.url.removeprefix("http://"))


@pytest.mark.parametrize(
    "place",
    [
        "https://example.com/subscriptions/s/operationResults/1",
        "http://example.com/{arm}",
        "{arm}.example.com/1",
        "{arm}@example.com/1",
        "http://example.com\\\\@{host}/1",
        "https://{host}/1",
        "http://127.0.0.1:1/1",
        "/subscriptions/s/operationResults/1",
        "file:///etc/passwd",
        "http://[/1",
        "",
    ],
)
@pytest.mark.parametrize("field", ["result", "status"])
def test_a_token_goes_nowhere_but_to_azure(estate: Estate, place: str, field: str) -> None:
    ticket = json.dumps({field: elsewhere(estate, place)})
    with pytest.raises(PermanentError, match="does not lead to Azure Resource Manager"):
        estate.watcher().collect(check(estate), ticket)
    assert estate.sandbox.calls == []


@pytest.mark.parametrize("ticket", ["", "x", "[]", '{"result": 1}', '{"answer": "%%%"}', '{"answer": "AAAA"}'])
def test_a_ticket_of_somebody_else(estate: Estate, ticket: str) -> None:
    with pytest.raises(PermanentError, match=r"its ticket can't be read$"):
        estate.watcher().collect(check(estate), ticket)


AT_ONCE = {"connectionStatus": "Reachable", "hops": [], "probesSent": 4, "probesFailed": 0}


@pytest.mark.parametrize("headers", [{}, {"Location": "http://127.0.0.1:1/operationResults/1"}])
def test_an_answer_at_once(estate: Estate, headers: dict[str, str]) -> None:
    fault = {"status": 200, "body": AT_ONCE, "headers": headers}
    estate.sandbox.faults.add(method="POST", path="connectivityCheck", **fault)
    assert asked(estate, check(estate)).status is ConnectionStatus.REACHABLE
    assert estate.statuses("GET", "operationresults") == []


def test_an_answer_at_once_that_no_ticket_holds_is_fetched(estate: Estate) -> None:
    nic = estate.id("nic-orders-sql-01")
    ticket = json.loads(estate.watcher().submit(ReadEffectiveRules(nic)))
    large = {"value": [{"name": str(hash((number, "x")))} for number in range(20_000)]}
    fault = {"status": 200, "body": large, "headers": {"Location": ticket["result"]}}
    estate.sandbox.faults.add(method="POST", path="effectiveNetworkSecurityGroups", **fault)
    again = estate.watcher().submit(ReadEffectiveRules(nic))
    assert len(again) < 1_000
    assert estate.watcher().collect(ReadEffectiveRules(nic), again)


@pytest.mark.parametrize("fault", [{"status": 202}, {"status": 200, "body": "null"}, {"status": 204}])
def test_azure_that_tells_no_way_to_the_answer(estate: Estate, fault: dict[str, Any]) -> None:
    estate.sandbox.faults.add(method="POST", path="connectivityCheck", **fault)
    with pytest.raises(PermanentError, match="did not say where its answer will be"):
        estate.watcher().submit(check(estate))


@pytest.mark.parametrize("status", [200, 204])
def test_an_end_without_an_answer(estate: Estate, status: int) -> None:
    estate.sandbox.faults.add(method="GET", path="operationResults", status=status, body="null")
    with pytest.raises(PermanentError, match="ended without an answer"):
        asked(estate, check(estate))


def test_no_error_tells_where_the_answer_is(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    secret, question = "c2VjcmV0", check(estate)
    ticket = json.loads(estate.watcher().submit(question))
    ticket["result"] += f"&t=1&s={secret}"
    estate.sandbox.faults.add(method="GET", path="operationResults", drop=True, times=99)
    with pytest.raises(TemporaryError, match="the connection broke") as error:
        estate.watcher(wait_seconds=0.1).collect(question, json.dumps(ticket))
    assert "operationResults" not in str(error.value)
    assert secret not in caplog.text
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_what_the_scenario_says_is_what_is_asked(estate: Estate) -> None:
    """The first entry that matches answers, so a test can put its own before the others."""
    answer = {"connectionStatus": "Reachable", "hops": [], "probesSent": 30, "probesFailed": 1}
    entry = told.Probe(match={"port": 1433}, answer=answer)
    estate.scenario("vm-to-vm-nsg").probes["connectivityCheck"].insert(0, entry)
    assert asked(estate, check(estate)).probes_failed == 1
