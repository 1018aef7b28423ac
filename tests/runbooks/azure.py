"""A whole small network as Azure shows it: bodies by id, and what Azure's own tools answer about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from diagnostics.findings import Step
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem, Protocol
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm
from diagnostics.runbooks.lookups import machine_of
from diagnostics.runbooks.probing import DiagnoseRules, ReadEffectiveRules, VerifyFlow
from diagnostics.runbooks.questions import (
    Asking,
    FindByAddress,
    Question,
    ReadBody,
    ReadNic,
    ReadRouteTable,
    ReadSecurityGroup,
    ReadServiceTags,
    ReadSubnet,
    ReadVm,
    Tell,
    Unread,
    answer_all,
)
from diagnostics.runbooks.situation import Conditions, Machine, Situation
from tests.network.reading.small import Json, body, ref, rid

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_READS = {ReadVm: Vm, ReadNic: Nic, ReadSecurityGroup: SecurityGroup, ReadRouteTable: RouteTable}


def vm(name: str, *nics: str, state: str = "running") -> Json:
    """A VM with its NICs, the primary one first."""
    listed = [{**ref("networkInterfaces", nic), "properties": {"primary": n == 0}} for n, nic in enumerate(nics)]
    return body(
        "virtualMachines",
        name,
        networkProfile={"networkInterfaces": listed},
        storageProfile={"osDisk": {"osType": "Linux"}},
        instanceView={"statuses": [{"code": f"PowerState/{state}"}]},
    )


def checked(status: str, *hops: Json, sent: int = 100, failed: int | None = None) -> ConnectivityCheck:
    """A connectivity check as Azure answers it."""
    lost = failed if failed is not None else 0 if status == "Reachable" else sent
    found = {"hops": list(hops), "connectionStatus": status, "probesSent": sent, "probesFailed": lost}
    return ConnectivityCheck.decode(msgspec.json.encode(found))


def hop(address: str, kind: str = "VirtualNetwork", *, rule: str = "", origin: str = "Inbound", **more: Any) -> Json:
    """A hop, with the issue that names a rule if one is given."""
    context = [{"key": "RuleName", "value": rule}]
    issue = {"origin": origin, "severity": "Error", "type": "NetworkSecurityRule", "context": context}
    return {"type": kind, "address": address, "issues": [issue] if rule else [], **more}


def key(kind: str, name: str) -> ResourceId:
    return ResourceId.parse(rid(kind, name))


@dataclass
class Azure:
    """Answers from bodies. What Azure's own tools say has to be given; `asked` keeps every question.

    Attributes:
        told: answers of IP flow verify, NSG diagnostics and effective rules, by type of question and name of what is
            asked about; a test that gives none gets Unread.
    """

    bodies: dict[ResourceId, Any]
    told: dict[tuple[type, str], Any] = field(default_factory=dict)
    tags: Any = field(default_factory=lambda: Unread("no list of service tags"))
    asked: list[Question[Any]] = field(default_factory=list)

    @classmethod
    def of(cls, *bodies: Json) -> Azure:
        return cls({ResourceId.parse(each["id"]): each for each in bodies})

    def change(self, body: Json | Unread, rid: ResourceId | None = None) -> None:
        self.bodies[rid or ResourceId.parse(body["id"])] = body  # type: ignore[index]  # Unread comes with an id

    def __call__(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        match question:
            case ReadBody(key):
                return self._body(key)
            case ReadSubnet(key):
                return self._subnet(key)
            case ReadVm(key) | ReadNic(key) | ReadSecurityGroup(key) | ReadRouteTable(key):
                return self._decoded(key, _READS[type(question)])
            case FindByAddress(address):
                return tuple(self._with(address))
            case VerifyFlow() | DiagnoseRules() | ReadEffectiveRules():
                return self.told.get((type(question), question.subject.name), Unread("Network Watcher says nothing"))
            case ReadServiceTags():
                return self.tags
            case Tell():
                return None
        raise AssertionError(question)

    def run[T](self, part: Asking[T]) -> T:
        return answer_all(part, self)

    def machine(self, kind: str, name: str) -> Machine | None:
        return self.run(machine_of(key(kind, name)))

    def situation(
        self,
        source: str,
        destination: str | None = None,
        *,
        address: str | None = None,
        port: int | None = 443,
        protocol: Protocol | None = None,
    ) -> Situation:
        """A request from one VM to another, both looked up."""
        there = self.machine("virtualMachines", destination) if destination else None
        end = Endpoint(resource_id=there.id.text if there else None, address=address, port=port)
        request = DiagnosisRequest(
            request_id="r1",
            source=Endpoint(name=source),
            destination=end,
            protocol=protocol,
            origin=Origin(kind="queue"),
        )
        conditions = Conditions(NOW, Endpoint(address="www.example.com", port=443))
        here = self.machine("virtualMachines", source)
        return Situation(request, conditions, Problem.VM_TO_VM, "the request says so", here, there)

    def of_type[Q: Question[Any]](self, kind: type[Q]) -> list[Q]:
        return [each for each in self.asked if isinstance(each, kind)]

    def _body(self, rid: ResourceId) -> Any:
        return self.bodies.get(rid, Unread(f"{rid.name} was not found", missing=True))

    def _decoded(self, rid: ResourceId, kind: Any) -> Any:
        found = self._body(rid)
        return found if isinstance(found, Unread) else kind.decode(msgspec.json.encode(found))

    def _subnet(self, rid: ResourceId) -> Any:
        parent = rid.parent
        network = self._body(parent) if parent else None
        if not isinstance(network, dict):
            return network
        listed = network["properties"]["subnets"]
        found = next(each for each in listed if ResourceId.parse(each["id"]) == rid)
        return Subnet.decode(msgspec.json.encode(found))

    def _with(self, address: str) -> Iterable[ResourceId]:
        kept = {NETWORK_INTERFACE: "ipConfigurations", "microsoft.network/loadbalancers": "frontendIPConfigurations"}
        for key, found in self.bodies.items():
            if key.type in kept and not isinstance(found, Unread):
                configurations = found["properties"][kept[key.type]]
                if any(each["properties"].get("privateIPAddress") == address for each in configurations):
                    yield key


def step(situation: Situation, name: str) -> Step:
    return next(each for each in situation.steps if each.name == name)
