import json
from collections.abc import Callable
from typing import Any

import pytest

from diagnostics.errors import ForbiddenError, NotFoundError, OperationFailedError, PermanentError, TemporaryError
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import GuestOutput, GuestScript, Shell
from diagnostics.runbooks.probing import ReadEffectiveRules, RunInGuest
from sandbox.scenario import Probe
from tests.cloud.conftest import Estate

LINES = ("ip -o link", "ip route show table all")
LINUX = {
    "value": [
        {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Provisioning succeeded",
            "message": "Enable succeeded: \n[stdout]\n2 eth0 UP\n\n[stderr]\nodd\n",
        }
    ]
}
WINDOWS = {
    "value": [
        {"code": "ComponentStatus/StdOut/succeeded", "level": "Info", "message": "0.0.0.0/0 10.60.1.1"},
        {"code": "ComponentStatus/StdErr/succeeded", "level": "Info", "message": ""},
    ]
}
OFF = "PowerState/deallocated"


def script(estate: Estate, vm: str = "vm-ops-jump-01", shell: Shell = Shell.LINUX) -> RunInGuest:
    return RunInGuest(GuestScript(estate.id(vm), "westeurope", shell, LINES, "the routing table"))


def prints(estate: Estate, answer: dict[str, Any] | None = None, *, error: dict[str, Any] | None = None) -> None:
    """What the guests of scenario secondary-nic answer to everything."""
    estate.scenario("secondary-nic").probes["runCommand"] = [Probe(answer=answer, error=error)]


def asked(estate: Estate, question: RunInGuest) -> GuestOutput:
    guest = estate.guest()
    return question.read(guest.collect(question, guest.submit(question)))


@pytest.fixture
def jump(estate: Estate) -> Estate:
    prints(estate, LINUX)
    return estate


def test_linux(jump: Estate) -> None:
    assert asked(jump, script(jump)) == GuestOutput("2 eth0 UP", "odd")
    (call,) = [call for call in jump.sandbox.calls if call.method == "POST" and "runCommand" in call.path]
    assert call.body == {"commandId": "RunShellScript", "script": list(LINES)}
    assert call.role_actions == ("Microsoft.Compute/virtualMachines/runCommand/action",)


def test_windows(estate: Estate) -> None:
    prints(estate, WINDOWS)
    assert asked(estate, script(estate, "vm-edge-proxy-01", Shell.WINDOWS)).stdout == "0.0.0.0/0 10.60.1.1"


def test_an_instance_of_a_scale_set(jump: Estate) -> None:
    vm = jump.sandbox.resource(jump.id("vm-ops-jump-01").text)
    path = vm["id"].replace("virtualMachines/vm-ops-jump-01", "virtualMachineScaleSets/vmss-jump/virtualMachines/0")
    jump.sandbox.create(
        vm | {"id": path, "name": "0", "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"}
    )
    question = RunInGuest(GuestScript(ResourceId.parse(path), "westeurope", Shell.LINUX, LINES, "the routing table"))
    assert asked(jump, question).stdout == "2 eth0 UP"


@pytest.mark.parametrize("only", ["status", "result"])
def test_either_way_leads_to_the_output(jump: Estate, only: str) -> None:
    ticket = json.loads(jump.guest().submit(script(jump)))
    assert set(ticket) == {"status", "result"}
    assert (
        jump.guest().collect(script(jump), json.dumps({only: ticket[only]}))
        == json.dumps(LINUX, separators=(",", ":")).encode()
    )


def test_another_process_collects_with_the_ticket(jump: Estate) -> None:
    vm, question = jump.id("vm-ops-jump-01").text, script(jump)
    jump.sandbox.hold(vm)
    ticket = jump.guest().submit(question)
    with pytest.raises(TemporaryError, match=r"Run Command on vm-ops-jump-01 \(the routing table\) has not ended"):
        jump.guest(wait_seconds=0.1).collect(question, ticket)
    jump.sandbox.release(vm)
    assert question.read(jump.guest().collect(question, ticket)).stdout == "2 eth0 UP"
    assert jump.statuses("POST", "/runcommand") == [202]


def test_one_script_at_a_time(jump: Estate) -> None:
    vm = jump.id("vm-ops-jump-01").text
    jump.sandbox.hold(vm)
    jump.guest().submit(script(jump))
    with pytest.raises(TemporaryError, match="execution is in progress") as error:
        jump.guest().submit(script(jump))
    assert error.value.retry_after
    jump.sandbox.release(vm)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda box, vm: box.power(vm, OFF), "requires the VM to be running"),
        (
            lambda box, vm: box.change(vm, {"properties.osProfile.allowExtensionOperations": False}),
            "ensure VM Agent is installed",
        ),
        (
            lambda box, vm: box.change(vm, {"properties.osProfile.linuxConfiguration.provisionVMAgent": False}),
            "ensure VM Agent is installed",
        ),
    ],
)
def test_a_vm_that_runs_no_script(jump: Estate, prepare: Callable[[Any, str], object], said: str) -> None:
    prepare(jump.sandbox, jump.id("vm-ops-jump-01").text)
    with pytest.raises(PermanentError, match=f"OperationNotAllowed: .*{said}"):
        jump.guest().submit(script(jump))


def test_a_vm_that_does_not_exist(jump: Estate) -> None:
    gone = ResourceId.parse(jump.id("vm-ops-jump-01").text + "-gone")
    question = RunInGuest(GuestScript(gone, "westeurope", Shell.LINUX, LINES, "the routing table"))
    with pytest.raises(NotFoundError):
        jump.guest().submit(question)


def test_an_agent_that_does_not_answer(estate: Estate) -> None:
    said = {"status": 409, "code": "VMAgentStatusCommunicationError", "message": "The VM does not report."}
    prints(estate, error=said)
    with pytest.raises(OperationFailedError, match="VMAgentStatusCommunicationError: The VM does not") as error:
        asked(estate, script(estate))
    assert error.value.code == "VMAgentStatusCommunicationError"


def test_a_permission_that_is_missing_is_named(estate: Estate) -> None:
    action = "Microsoft.Compute/virtualMachines/runCommand/action"
    said = f"The client 'x' does not have authorization to perform action '{action}' over scope '/subscriptions/s'."
    prints(estate, error={"status": 403, "code": "AuthorizationFailed", "message": said})
    with pytest.raises(ForbiddenError) as error:
        estate.guest().submit(script(estate))
    assert (error.value.action, error.value.scope) == (action, "/subscriptions/s")


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop": True}])
def test_a_script_is_not_submitted_twice(jump: Estate, fault: dict[str, Any]) -> None:
    jump.sandbox.faults.add(method="POST", path="runCommand", **fault)
    with pytest.raises(TemporaryError):
        jump.guest().submit(script(jump))
    assert len(jump.statuses("POST", "/runcommand")) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop": True}])
def test_a_disturbed_poll_is_repeated(jump: Estate, fault: dict[str, Any]) -> None:
    jump.sandbox.faults.add(method="GET", path="locations/.*/operations/", times=2, **fault)
    assert asked(jump, script(jump)).stdout == "2 eth0 UP"


def test_a_question_for_network_watcher_is_a_bug(estate: Estate) -> None:
    with pytest.raises(AssertionError, match="ReadEffectiveRules is no question for a guest"):
        estate.guest().submit(ReadEffectiveRules(estate.id("nic-crm-app-01")))
    with pytest.raises(AssertionError, match="RunInGuest is no question for Network Watcher"):
        estate.watcher().submit(script(estate))
