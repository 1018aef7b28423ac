"""Run Command: scripts in guests, one at a time on a VM, whose output is written down by the scenario.

Sources: "Run scripts in your VM by using action Run Commands", also for what a VM answers that is off, has no agent, or
runs a script already: of these only the meaning is documented, and no answer of Azure was recorded. Recorded traffic
for the two ways to the output. What a wrong shell gets is the sandbox's own.
"""

from sandbox.arm import shapes
from sandbox.arm.operations import Operations, Running, location_url
from sandbox.arm.probes import Probes
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request
from sandbox.arm.world import World, dig

_KIND = "runCommand"
_SHELLS = {"runshellscript": "linux", "runpowershellscript": "windows"}


class RunCommands:
    """POST …/virtualMachines/{vm}/runCommand, and the two URLs at which its end is seen."""

    def __init__(self, world: World, operations: Operations, probes: Probes) -> None:
        self._world = world
        self._operations = operations
        self._probes = probes

    def invoke(self, request: Request) -> Reply:
        """Answer 202; the scenario's entry is found by VM, command and a text that the script has in it."""
        vm = self._world.get(Path.parse(request.path.parent))
        body = request.json()
        shapes.compute().require("RunCommandInput", body)
        self._require_agent(vm)
        _require_shell(vm, body["commandId"])
        self._require_no_other(vm["id"])
        script = "\n".join(body.get("script") or [])
        facts = {"vm": {vm["id"]}, "commandId": {body["commandId"]}, "script": {script}}
        answer, error = self._probes.scripted(_KIND, vm["id"], facts)
        result = "Failed" if error else "Succeeded"
        running = self._operations.start(vm["id"], _KIND, result=result, answer=answer, error=error)
        region = str(vm.get("location", ""))
        places = {
            "Azure-AsyncOperation": location_url(request, region, running, kind="operations"),
            "Location": location_url(request, region, running, kind="operations", monitor="true"),
        }
        return Reply("", 202, {**places, **self._operations.pacing})

    def poll(self, request: Request) -> Reply:
        """The Location with ``monitor``, which has the output itself; without, a status that has it inside."""
        if request.query.get("monitor", "").lower() == "true":
            return self._operations.result(request)
        return Reply(_status(self._operations.find(request)), headers=self._operations.pacing)

    def _require_agent(self, vm: Json) -> None:
        if self._world.power_of(vm["id"]) != "PowerState/running":
            text = "The operation requires the VM to be running (or set to run)."
            raise ArmError(409, "OperationNotAllowed", text)
        profile = dig(vm, "properties.osProfile") or {}
        inside = profile.get("linuxConfiguration") or profile.get("windowsConfiguration") or {}
        if not (profile.get("allowExtensionOperations", True) and inside.get("provisionVMAgent", True)):
            text = (
                "This operation cannot be performed when extension operations are disallowed. To allow, please ensure "
                "VM Agent is installed on the VM and the osProfile.allowExtensionOperations property is true."
            )
            raise ArmError(409, "OperationNotAllowed", text)

    def _require_no_other(self, vm_id: str) -> None:
        if self._operations.busy(vm_id, _KIND) is not None:
            text = "Run command extension execution is in progress. Please wait for completion before invoking a run "
            raise ArmError(409, "Conflict", f"{text}command.")


def _require_shell(vm: Json, command: str) -> None:
    os = str(dig(vm, "properties.storageProfile.osDisk.osType") or "").lower()
    if _SHELLS.get(command.lower()) is None or os not in ("", _SHELLS[command.lower()]):
        text = f"The run command {command} is not one that the sandbox knows for a VM with {os or 'an unknown OS'}."
        raise ArmError(400, "InvalidParameter", text)


def _status(running: Running) -> Json:
    body: Json = {"name": running.id, "status": running.result if running.done else "InProgress"}
    if running.done and running.error is not None:
        body["error"] = {name: text for name, text in running.error.items() if name != "status"}
    elif running.done:
        body["properties"] = {"output": running.answer}
    return body
