"""Network Watcher's questions and a NIC's effective rules and routes: 202 and a Location, then the scripted answer.

Sources: REST reference of Network Watchers; recorded traffic for the error codes of the effective* calls. Which codes
Azure gives for a VM in another region, without an agent or not running is not published: those are the sandbox's own.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from sandbox.arm import shapes
from sandbox.arm.operations import Operations, location_url
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request, resource_not_found
from sandbox.arm.world import World
from sandbox.scenario import Probe

_SHAPES = {
    "connectivityCheck": "ConnectivityParameters",
    "ipFlowVerify": "VerificationIPFlowParameters",
    "nextHop": "NextHopParameters",
    "networkConfigurationDiagnostic": "NetworkConfigurationDiagnosticParameters",
}

_ATTACHED = {
    "effectiveNetworkSecurityGroups": ("SecurityGroups", "security groups"),
    "effectiveRouteTable": ("Routes", "routes"),
}

# What ARM itself refuses, before Network Watcher sees the request and begins anything.
_REFUSED = frozenset({401, 403})

# Of these, an entry names a part.
_PARTS = frozenset({"script"})

_AGENT = "microsoft.azure.networkwatcher"

type Facts = Mapping[str, set[str]]


class Probes:
    """Answers from the scenario's list: the first entry that matches the request. Nothing is computed."""

    def __init__(self, world: World, operations: Operations) -> None:
        self._world = world
        self._operations = operations
        self._asked: dict[int, itertools.count[int]] = {}

    def connectivity_check(self, request: Request) -> Reply:
        """One check at a time for a source VM; it needs the agent there."""
        body = self._body(request, "connectivityCheck")
        source, destination = body["source"]["resourceId"], body["destination"]
        if not destination.get("resourceId") and not destination.get("address"):
            raise ArmError(
                400, "InvalidRequest", "Either destination.resourceId or destination.address is required.", []
            )
        self._require_watched(request, source)
        self._require_agent(source)
        self._require_no_other(source)
        facts = {
            "source": {source}, "destination": {destination.get("resourceId", ""), destination.get("address", "")},
            "port": {str(destination.get("port", ""))}, "protocol": {body.get("protocol", "Tcp")},
        }  # fmt: skip
        return self._start(request, "connectivityCheck", source, facts)

    def ip_flow_verify(self, request: Request) -> Reply:
        """Which rule lets a flow in or out of a VM, or stops it."""
        body = self._body(request, "ipFlowVerify")
        self._require_watched(request, body["targetResourceId"])
        self._require_nic_named(body)
        return self._start(request, "ipFlowVerify", body["targetResourceId"], _flat(body))

    def next_hop(self, request: Request) -> Reply:
        """Where a VM's packets to an address go."""
        body = self._body(request, "nextHop")
        self._require_watched(request, body["targetResourceId"])
        self._require_nic_named(body)
        return self._start(request, "nextHop", body["targetResourceId"], _flat(body))

    def diagnostic(self, request: Request) -> Reply:
        """Which rules of which security groups were looked at; the target may be stopped."""
        body = self._body(request, "networkConfigurationDiagnostic")
        self._require_watched(request, body["targetResourceId"], running=False)
        facts = {**_flat(body), **_flat((body["profiles"] or [{}])[0])}
        return self._start(request, "networkConfigurationDiagnostic", body["targetResourceId"], facts)

    def effective(self, request: Request) -> Reply:
        """POST …/networkInterfaces/{nic}/effectiveNetworkSecurityGroups or …/effectiveRouteTable."""
        kind = next(name for name in _ATTACHED if name.lower() == request.path.kind.rpartition("/")[2])
        nic = self._world.get(Path.parse(request.path.parent))
        vm = nic["properties"].get("virtualMachine", {}).get("id")
        if vm is None or self._world.power_of(vm) != "PowerState/running":
            code, what = _ATTACHED[kind]
            text = (
                f"A network interface must be attached to a running virtual machine to get effective {what}. "
                f"The network interface {nic['id']} is not attached to a running virtual machine."
            )
            raise ArmError(400, f"NicMustBeAttachedToRunningVmToGetEffective{code}", text, [])
        return self._start(request, kind, nic["id"], {"nic": {nic["id"]}})

    def _body(self, request: Request, kind: str) -> Json:
        self._world.get(Path.parse(request.path.parent))
        body = request.json()
        shapes.network().require(_SHAPES[kind], body)
        return body

    def _require_watched(self, request: Request, target: str, *, running: bool = True) -> None:
        """The target exists, lies in the watcher's subscription and region, and (a VM) runs."""
        watcher, path = self._world.get(Path.parse(request.path.parent)), Path.parse(target)
        body = self._world.find(target)
        if (path.subscription or "").lower() != (request.path.subscription or "").lower():
            text = f"Resource {target} is not in the subscription of network watcher {watcher['id']}."
            raise ArmError(400, "InvalidTargetResource", text, [])
        if body is None:
            raise resource_not_found(path)
        if body["location"].lower() != watcher["location"].lower():
            text = (
                f"Resource {target} is not in {watcher['location']}, the region of network watcher {watcher['name']}."
            )
            raise ArmError(400, "InvalidTargetResource", text, [])
        if running and self._world.power_of(target) != "PowerState/running":
            raise ArmError(409, "OperationNotAllowed", f"The virtual machine {target} is not running.", [])

    def _require_agent(self, vm_id: str) -> None:
        prefix = f"{vm_id.lower()}/extensions/"
        found = (body for key, body in self._world.resources.items() if key.startswith(prefix))
        if not any(body["properties"].get("publisher", "").lower() == _AGENT for body in found):
            text = f"Network Watcher extension is not installed on virtual machine {vm_id}."
            raise ArmError(400, "NetworkWatcherExtensionNotInstalled", text, [])

    def _require_no_other(self, vm_id: str) -> None:
        other = self._operations.busy(vm_id, "connectivityCheck")
        if other is not None:
            text = f"Operation ConnectivityCheckOperation ({other.id}) is updating resource {vm_id}."
            details = [{"code": "RetryableErrorDueToAnotherOperation", "message": text}]
            raise ArmError(429, "RetryableError", "A retryable error occurred.", details)

    def _require_nic_named(self, body: Json) -> None:
        """A VM with several NICs, one of them forwarding, has to be told which one is meant."""
        vm = self._world.find(body["targetResourceId"]) or {}
        ids = [nic["id"] for nic in vm["properties"].get("networkProfile", {}).get("networkInterfaces", [])]
        forwards = any((self._world.find(i) or {}).get("properties", {}).get("enableIPForwarding") for i in ids)
        if len(ids) > 1 and forwards and "targetNicResourceId" not in body:
            text = (
                "targetNicResourceId is required: the virtual machine has several network interfaces, one forwarding."
            )
            raise ArmError(400, "InvalidRequest", text, [])

    def scripted(self, kind: str, resource: str, facts: Facts) -> tuple[Json | None, Json | None]:
        """The scenario's answer to a question, or the error in which it ends; one that begins nothing is raised."""
        entry = self._entry(kind, resource, facts)
        if entry.error is not None and entry.error.get("status") in _REFUSED:
            raise ArmError(entry.error["status"], entry.error["code"], entry.error["message"])
        return entry.nth(next(self._asked.setdefault(id(entry), itertools.count()))), entry.error

    def _start(self, request: Request, kind: str, resource: str, facts: Facts) -> Reply:
        answer, error = self.scripted(kind, resource, facts)
        running = self._operations.start(self._machine(resource), kind, answer=answer, error=error)
        region = (self._world.find(resource) or {}).get("location", "")
        where = location_url(request, region, running, kind="operationResults")
        return Reply(status=202, headers={"Location": where, **self._operations.pacing})

    def _machine(self, resource: str) -> str:
        """The VM that a NIC is attached to: a probe is an operation of the machine's, not a write of the NIC."""
        body: Any = self._world.find(resource) or {}
        return str((body.get("properties", {}).get("virtualMachine") or {}).get("id") or resource)

    def _entry(self, kind: str, resource: str, facts: Facts) -> Probe:
        scenario = self._world.scenario_of(resource)
        for entry in scenario.probes.get(kind, []) if scenario else []:
            if _matches(entry, facts) and self._applies(entry):
                return entry
        text = (
            f"The scenario has no answer to this {kind}: { ({name: sorted(values) for name, values in facts.items()}) }"
        )
        raise ArmError(500, "InternalServerError", text, [])

    def _applies(self, entry: Probe) -> bool:
        if entry.applies_while is None:
            return True
        body: Any = self._world.find(entry.applies_while.resource) or {}
        return bool(body.get("properties", {}).get("provisioningState") == entry.applies_while.provisioning_state)


def _flat(body: Json) -> Facts:
    return {name: {str(value)} for name, value in body.items()}


def _matches(entry: Probe, facts: Facts) -> bool:
    """Whether all that an entry names is in the question: as a whole, and of a script as a part of it."""
    for name, wanted in entry.match.items():
        values, text = {value.lower() for value in facts.get(name, set())}, str(wanted).lower()
        if not (any(text in value for value in values) if name in _PARTS else text in values):
            return False
    return True
