"""Azure in memory, behind the Protocols of contracts.py: what exists, Network Watcher, Azure Monitor, NICs to write."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diagnostics.contracts import NicDocument
from diagnostics.errors import ChangedError, NotFoundError, PermanentError, TemporaryError
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId
from diagnostics.runbooks.probing import CheckConnectivity, Probing
from diagnostics.runbooks.questions import Event, Extension, ReadChanges, ReadMetrics, Series
from tests.fakes import Calls, counted

_AZURES_OWN = frozenset({"name", "type", "etag", "virtualMachine", "primary", "macAddress", "resourceGuid"})


class Inventory:
    """What exists: documents by id. NICs are read where the `Nics` fake keeps them.

    Attributes:
        documents: everything but NICs, ids lower-cased.
        errors: what reading an id, or a method by its name, raises.
        candidates: what Resource Graph has as failed, however stale.
        read: whose documents were asked for.
    """

    name = "inventory"

    def __init__(self, nics: Nics, calls: Calls) -> None:
        self.nics, self.calls = nics, calls
        self.documents: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, Exception] = {}
        self.candidates: list[ResourceId] = []
        self.members: frozenset[str] = frozenset()
        self.unread: list[str] = []
        self.read: list[ResourceId] = []
        self.agent = Extension("watcher", "Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux", "Succeeded")

    def add(self, document: dict[str, Any]) -> ResourceId:
        resource = ResourceId.parse(document["id"])
        self.documents[resource.key] = document
        return resource

    @counted
    def body(self, resource: ResourceId) -> bytes:
        self.read.append(resource)
        if resource.type == NETWORK_INTERFACE:
            self._fail(resource.key)
            return json.dumps(self.nics.read(resource)).encode()
        return self._read(resource)

    @counted
    def extensions(self, vm: ResourceId) -> Sequence[Extension]:
        self._fail("extensions")
        return [self.agent] if vm.key in self.documents else []

    @counted
    def service_tags(self, subscription: str, location: str) -> bytes:
        self._fail("service_tags")
        return json.dumps({"name": f"{subscription} {location}", "values": []}).encode()

    @counted
    def at_address(self, address: str) -> Sequence[ResourceId]:
        self._fail("at_address")
        return [nic for nic in map(ResourceId.parse, self.nics.documents) if address in self.nics.addresses(nic)]

    @counted
    def named(self, name: str) -> Sequence[ResourceId]:
        found = [ResourceId.parse(document["id"]) for document in self.documents.values()]
        return [resource for resource in found if resource.name.lower() == name.lower()]

    @counted
    def failed_nics(self) -> Sequence[ResourceId]:
        self._fail("failed_nics")
        return list(self.candidates)

    @counted
    def subscriptions_below(self, management_groups: Sequence[str]) -> frozenset[str]:
        self._fail("subscriptions_below")
        return self.members if management_groups else frozenset()

    @counted
    def unreadable(self) -> Sequence[str]:
        self._fail("unreadable")
        return list(self.unread)

    def _read(self, resource: ResourceId) -> bytes:
        self._fail(resource.key)
        if resource.key not in self.documents:
            raise NotFoundError(f"reading {resource.name}: ResourceNotFound")
        return json.dumps(self.documents[resource.key]).encode()

    def _fail(self, key: str) -> None:
        if key in self.errors:
            raise self.errors[key]


class Prober:
    """Takes questions, and has an answer for each by its ticket.

    Attributes:
        answer: of every connectivity check: a body, or an error with which Azure refuses it.
        others: answers of other questions, by their type; Azure refuses those of which there is none.
        refusals: what the next submits raise.
        late: what the next collects raise.
        submitted: what Azure took, in order; `tickets` the same by ticket.
        during: happens while somebody waits for an answer.
    """

    def __init__(self, name: str, calls: Calls, answer: bytes | Exception) -> None:
        self.name, self.calls, self.answer = name, calls, answer
        self.others: dict[type[Probing[Any]], bytes | Exception] = {}
        self.refusals: list[Exception] = []
        self.late: list[Exception] = []
        self.submitted: list[Probing[Any]] = []
        self.tickets: dict[str, Probing[Any]] = {}
        self.during: Callable[[], object] = bool

    @property
    def asked(self) -> list[Probe]:
        """The connectivity checks that Azure took; not those that were made once more."""
        checks = (question for question in self.submitted if isinstance(question, CheckConnectivity))
        return [check.probe for check in checks if check.attempt == 1]

    @counted
    def submit(self, question: Probing[Any]) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        self._answer(question)
        ticket = f"https://arm.example/operations/{len(self.submitted)}"
        self.submitted.append(question)
        self.tickets[ticket] = question
        return ticket

    @counted
    def collect(self, question: Probing[Any], ticket: str) -> bytes:
        if ticket not in self.tickets:
            raise NotFoundError(f"asking for {ticket}: OperationNotFound")
        assert self.tickets[ticket] == question
        if self.late:
            raise self.late.pop(0)
        self.during()
        return self._answer(question)

    def _answer(self, question: Probing[Any]) -> bytes:
        default = PermanentError("it is not in this test")
        answer = self.answer if isinstance(question, CheckConnectivity) else self.others.get(type(question), default)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Watcher(Prober):
    """Network Watcher, one in each region."""

    def __init__(self, calls: Calls, answer: bytes | Exception) -> None:
        super().__init__("watcher", calls, answer)

    @counted
    def find(self, subscription: str, location: str) -> ResourceId:
        group = f"/subscriptions/{subscription}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network"
        return ResourceId.parse(f"{group}/networkWatchers/NetworkWatcher_{location}")


class Monitor:
    """Azure Monitor, which has the same to say of every resource.

    Attributes:
        errors: what a method, by its name, raises.
    """

    name = "monitor"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.series: list[Series] = []
        self.events: list[Event] = []
        self.errors: dict[str, Exception] = {}

    @counted
    def metrics(self, question: ReadMetrics) -> Sequence[Series]:
        self._fail("metrics")
        return [series for series in self.series if series.name in question.names]

    @counted
    def changes(self, question: ReadChanges) -> Sequence[Event]:
        self._fail("changes")
        return [event for event in self.events if question.since <= event.when <= question.until]

    def _fail(self, method: str) -> None:
        if method in self.errors:
            raise self.errors[method]


class Nics:
    """Azure's network interfaces. A PUT that lands makes a NIC `Updating`; its operation then ends as it is scripted.

    Attributes:
        endings: how the operations of the next PUTs end: a state, or an error after which the NIC is `Failed`.
        refusals: what the next PUTs raise instead of landing; None lets one pass.
        meanwhile: what somebody else does to the NIC right before the next PUTs.
        spoiled: what Azure itself does to the NIC in the operation of every PUT.
        landed: bodies of the PUTs that Azure took.
    """

    name = "nics"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.documents: dict[str, dict[str, Any]] = {}
        self.endings: list[str | Exception] = []
        self.refusals: list[Exception | None] = []
        self.meanwhile: list[Callable[[dict[str, Any]], object]] = []
        self.spoiled: Callable[[dict[str, Any]], object] = bool
        self.landed: list[dict[str, Any]] = []
        self._running: dict[str, str | Exception] = {}
        self._writes = 0

    def add(self, document: Mapping[str, Any]) -> ResourceId:
        nic = ResourceId.parse(document["id"])
        self.documents[nic.key] = copy.deepcopy(dict(document))
        return nic

    def change(self, nic: ResourceId, edit: Callable[[dict[str, Any]], object]) -> None:
        """Somebody writes the NIC: it has a new etag then."""
        edit(self.documents[nic.key])
        self._writes += 1
        self.documents[nic.key]["etag"] = f'W/"{self._writes}"'

    def set_state(self, nic: ResourceId, state: str) -> None:
        self.change(nic, lambda document: document["properties"].update(provisioningState=state))

    def read(self, nic: ResourceId) -> dict[str, Any]:
        if nic.key not in self.documents:
            raise NotFoundError(f"reading {nic.name}: ResourceNotFound")
        return copy.deepcopy(self.documents[nic.key])

    def addresses(self, nic: ResourceId) -> list[str]:
        configurations = self.documents[nic.key]["properties"].get("ipConfigurations", [])
        return [each["properties"].get("privateIPAddress", "") for each in configurations]

    def get(self, nic: ResourceId) -> NicDocument:
        return NicDocument(self.read(nic))

    @counted
    def settled(self, nic: ResourceId) -> NicDocument:
        self._end(nic)
        document = NicDocument(self.read(nic))
        if document.provisioning_state in {"Updating", "Deleting"}:
            raise TemporaryError(f"{nic.name} is {document.provisioning_state} since 60 s")
        return document

    @counted
    def put(self, nic: ResourceId, body: Mapping[str, Any], *, etag: str) -> None:
        if self.meanwhile:
            self.change(nic, self.meanwhile.pop(0))
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        if etag != self.documents.get(nic.key, {}).get("etag"):
            raise ChangedError(f"putting {nic.name} back: PreconditionFailed")
        self._land(nic, body)
        self.calls.point("nics.put landed")
        ending = self._end(nic)
        if isinstance(ending, Exception):
            raise ending

    def _land(self, nic: ResourceId, body: Mapping[str, Any]) -> None:
        self.landed.append(copy.deepcopy(dict(body)))
        old, new = self.documents[nic.key], copy.deepcopy(dict(body))
        for key in _AZURES_OWN & old.keys():
            new[key] = old[key]
        new["properties"] |= {key: old["properties"][key] for key in _AZURES_OWN & old["properties"].keys()}
        self.documents[nic.key] = new  # a PUT replaces everything: what it leaves out is gone
        self.set_state(nic, "Updating")
        self._running[nic.key] = self.endings.pop(0) if self.endings else "Succeeded"

    def _end(self, nic: ResourceId) -> str | Exception | None:
        ending = self._running.pop(nic.key, None)
        if ending is not None and nic.key in self.documents:
            self.change(nic, self.spoiled)
            self.set_state(nic, ending if isinstance(ending, str) else "Failed")
        return ending
