from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError

from sandbox.arm.clients import Azure, code_of, connected
from sandbox.scenario import Probe

GROUP, JUMP, PROXY = "rg-edge-prod-weu", "vm-ops-jump-01", "vm-edge-proxy-01"


def output(text: str) -> dict[str, Any]:
    return {"value": [{"code": "ProvisioningState/succeeded", "level": "Info", "message": text}]}


@pytest.fixture
def azure() -> Iterator[Azure]:
    with connected("secondary-nic") as azure:
        jump, proxy = azure.id(JUMP), azure.id(PROXY)
        azure.scenario.probes["runCommand"] = [
            Probe(match={"vm": jump, "script": "ip ROUTE"}, answer=output("routes")),
            Probe(match={"vm": jump, "commandId": "RunShellScript"}, answers=[output("first"), output("later")]),
            Probe(
                match={"vm": proxy, "script": "Get-NetRoute"},
                error={"status": 409, "code": "VMAgentStatusCommunicationError", "message": "No report."},
            ),
            Probe(
                match={"vm": proxy, "script": "secret"},
                error={"status": 403, "code": "AuthorizationFailed", "message": "Not allowed."},
            ),
        ]
        yield azure


def run(azure: Azure, name: str, *lines: str, command: str = "RunShellScript") -> Any:
    group = azure.id(name).split("/")[4]
    body: Any = {"commandId": command, "script": list(lines)}
    return azure.compute.virtual_machines.begin_run_command(group, name, body).result()


def posted(azure: Azure, name: str, body: Any) -> requests.Response:
    return azure.call("POST", f"{azure.id(name)}/runCommand", json=body)


def test_the_script_decides_which_answer_it_is(azure: Azure) -> None:
    texts = [run(azure, JUMP, *lines).value[0].message for lines in (["set -e", "ip route show"], ["true"], ["true"])]
    assert texts == ["routes", "first", "later"]


def test_how_a_script_answers_and_is_polled(azure: Azure) -> None:
    azure.sandbox.hold(azure.id(JUMP))
    first = posted(azure, JUMP, {"commandId": "RunShellScript", "script": ["ip route"]})
    assert (first.status_code, first.text) == (202, "")
    urls = {name: first.headers[name].removeprefix(azure.sandbox.url) for name in ("Azure-AsyncOperation", "Location")}
    status, result = (url.partition("?")[0] for url in urls.values())
    assert status == result
    assert "/providers/Microsoft.Compute/locations/westeurope/operations/" in status
    assert "monitor=true" in urls["Location"]
    still = azure.call("GET", result, params={"monitor": "true"})
    assert (still.status_code, "monitor=true" in still.headers["Location"]) == (202, True)
    assert azure.call("GET", status).json()["status"] == "InProgress"
    azure.sandbox.release(azure.id(JUMP))
    while (ended := azure.call("GET", status).json())["status"] == "InProgress":
        pass
    assert (ended["status"], ended["properties"]) == ("Succeeded", {"output": output("routes")})
    assert azure.call("GET", result, params={"monitor": "true"}).json() == output("routes")


def test_an_error_is_told_at_the_end(azure: Azure) -> None:
    with pytest.raises(HttpResponseError, match="VMAgentStatusCommunicationError"):
        run(azure, PROXY, "Get-NetRoute", command="RunPowerShellScript")
    assert [call.status for call in azure.sandbox.calls if call.method == "POST" and "runCommand" in call.path] == [202]


def test_a_permission_is_missing_at_once(azure: Azure) -> None:
    answer = posted(azure, PROXY, {"commandId": "RunPowerShellScript", "script": ["secret"]})
    assert code_of(answer) == (403, "AuthorizationFailed")


def test_one_script_at_a_time(azure: Azure) -> None:
    body = {"commandId": "RunShellScript", "script": ["true"]}
    azure.sandbox.hold(azure.id(JUMP))
    assert posted(azure, JUMP, body).status_code == 202
    refused = posted(azure, JUMP, body)
    assert code_of(refused) == (409, "Conflict")
    assert "Run command extension execution is in progress" in refused.text


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        (JUMP, {"script": ["true"]}, 400, "InvalidRequestFormat"),
        (JUMP, {"commandId": "RunShellScript", "script": "true"}, 400, "InvalidRequestFormat"),
        (JUMP, {"commandId": "RunPowerShellScript"}, 400, "InvalidParameter"),
        (JUMP, {"commandId": "ifconfig"}, 400, "InvalidParameter"),
        (PROXY, {"commandId": "RunShellScript"}, 400, "InvalidParameter"),
        (PROXY, {"commandId": "RunPowerShellScript", "script": ["other"]}, 500, "InternalServerError"),
    ],
)
def test_scripts_that_are_refused(azure: Azure, name: str, body: Any, status: int, code: str) -> None:
    assert code_of(posted(azure, name, body)) == (status, code)


@pytest.mark.parametrize(
    "value", ["osProfile.allowExtensionOperations", "osProfile.linuxConfiguration.provisionVMAgent"]
)
def test_a_vm_without_an_agent_runs_none(azure: Azure, value: str) -> None:
    azure.sandbox.change(azure.id(JUMP), {f"properties.{value}": False})
    assert code_of(posted(azure, JUMP, {"commandId": "RunShellScript"})) == (409, "OperationNotAllowed")


def test_a_vm_that_is_off_runs_none(azure: Azure) -> None:
    azure.sandbox.power(azure.id(JUMP), "PowerState/deallocated")
    assert code_of(posted(azure, JUMP, {"commandId": "RunShellScript"})) == (409, "OperationNotAllowed")


def test_an_operation_that_does_not_exist(azure: Azure) -> None:
    path = f"/subscriptions/{azure.scenario.subscription}/providers/Microsoft.Compute/locations/westeurope/operations/1"
    assert code_of(azure.call("GET", path)) == (404, "OperationNotFound")


def test_role_actions_of_a_script(azure: Azure) -> None:
    run(azure, JUMP, "true")
    actions = {call.role_actions[0] for call in azure.sandbox.calls if "Compute" in call.path}
    assert actions == {
        "Microsoft.Compute/virtualMachines/runCommand/action",
        "Microsoft.Compute/locations/operations/read",
    }
