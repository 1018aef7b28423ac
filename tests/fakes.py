"""Fakes of everything that the engine needs from the world, in memory, behind the Protocols of contracts.py.

They do what the real ones do: versions and etags change with every write, a write of an old version is refused.
Every call passes through `Calls`, which can end the run right before or right after it.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate

from diagnostics.contracts import Attempt, Known, NicDocument
from diagnostics.errors import ChangedError, NotFoundError, TemporaryError
from diagnostics.findings import Finding, Status
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, RemediationRequest
from diagnostics.network.connectivity import ConnectivityCheck, Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
_AZURES_OWN = frozenset({"name", "type", "etag", "virtualMachine", "primary", "macAddress", "resourceGuid"})
OVER = frozenset({Status.RESOLVED, Status.REMEDIATED})


class Crash(BaseException):
    """The process dies here: nothing in the code may catch it."""


class Calls:
    """Every call, in order: `store.save before`, …; the process dies at `crash_at`, and `at` a point things happen."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.crash_at: int | None = None
        self.at: dict[str, Callable[[], object]] = {}
        self._lock = threading.Lock()

    def point(self, name: str) -> None:
        with self._lock:
            self.log.append(name)
            if self.crash_at == len(self.log) - 1:
                raise Crash(name)
        self.at.pop(name, bool)()


def counted[**P, R](method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method whose beginning and end are points at which a run may be cut short."""

    @wraps(method)
    def run(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        label = f"{self.name}.{method.__name__}"
        self.calls.point(f"{label} before")
        result = method(self, *args, **kwargs)
        self.calls.point(f"{label} after")
        return result

    return run


class Clock:
    """A clock that stands until it is moved."""

    time = NOON

    def now(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


class Inventory:
    """What exists: documents by id. NICs are read where the `Nics` fake keeps them.

    Attributes:
        documents: everything but NICs, ids lower-cased.
        errors: what reading an id, or a method by its name, raises.
        candidates: what Resource Graph has as failed, however stale.
    """

    name = "inventory"

    def __init__(self, nics: Nics, calls: Calls) -> None:
        self.nics, self.calls = nics, calls
        self.documents: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, Exception] = {}
        self.candidates: list[ResourceId] = []
        self.members: frozenset[str] = frozenset()
        self.unread: list[str] = []

    def add(self, document: dict[str, Any]) -> ResourceId:
        resource = ResourceId.parse(document["id"])
        self.documents[resource.key] = document
        return resource

    @counted
    def vm(self, vm: ResourceId) -> Vm:
        return Vm.decode(self._read(vm))

    @counted
    def nic(self, nic: ResourceId) -> Nic:
        self._fail(nic.key)
        return Nic.decode(json.dumps(self.nics.read(nic)).encode())

    @counted
    def subnet(self, subnet: ResourceId) -> Subnet:
        return Subnet.decode(self._read(subnet))

    @counted
    def security_group(self, group: ResourceId) -> SecurityGroup:
        return SecurityGroup.decode(self._read(group))

    @counted
    def route_table(self, table: ResourceId) -> RouteTable:
        return RouteTable.decode(self._read(table))

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


class Watcher:
    """Network Watcher with one answer, or error; `during` runs while a check is under way."""

    name = "watcher"

    def __init__(self, calls: Calls, answer: bytes | Exception) -> None:
        self.calls, self.answer = calls, answer
        self.asked: list[Probe] = []
        self.during: Callable[[], object] = lambda: None

    @counted
    def check_connectivity(self, probe: Probe) -> ConnectivityCheck:
        self.asked.append(probe)
        self.during()
        if isinstance(self.answer, Exception):
            raise self.answer
        return ConnectivityCheck.decode(self.answer)


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


class Store:
    """The store, atomic: a record is read and written whole."""

    name = "store"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.requests: dict[str, tuple[str, str, datetime]] = {}
        self.findings: dict[str, Known] = {}
        self.alerts_of: dict[str, set[str]] = {}
        self.closed: dict[str, datetime] = {}
        self.ignored: dict[str, str] = {}
        self.attempts: dict[str, Attempt] = {}
        self.busy = 0
        self._versions = 0
        self._lock = threading.RLock()

    @counted
    def begin(self, request_id: str, *, holder: str, now: datetime) -> bool:
        with self._lock:
            state, owner, since = self.requests.get(request_id, ("free", "", now))
            free = state == "free" or owner == holder or now - since > timedelta(minutes=30)
            if state == "done" or not free:
                return False
            self.requests[request_id] = ("running", holder, now)
            return True

    @counted
    def finish(self, request_id: str, *, now: datetime) -> None:
        self.requests[request_id] = ("done", "", now)

    @counted
    def release(self, request_id: str) -> None:
        with self._lock:
            state, _, since = self.requests.get(request_id, ("", "", NOON))
            if state == "running":
                self.requests[request_id] = ("free", "", since)

    @counted
    def finding(self, finding_id: str) -> Known | None:
        return self.findings.get(finding_id)

    @counted
    def save(self, known: Known) -> Known:
        key = known.finding.finding_id
        with self._lock:
            old = self.findings.get(key)
            if (old.version if old else "") != known.version or self._is_busy():
                raise ChangedError(f"finding {key} was changed by somebody else")
            self._versions += 1
            self.findings[key] = replace(known, version=str(self._versions))
            for alert_id in known.alert_ids:
                self.alerts_of.setdefault(alert_id, set()).add(key)
            return self.findings[key]

    @counted
    def open_findings(self, *, check: str) -> Sequence[Known]:
        found = (known for known in self.findings.values() if known.finding.check == check)
        return [known for known in found if known.finding.status not in OVER or known.holder]

    @counted
    def findings_of_alert(self, alert_id: str) -> Sequence[Known]:
        return [self.findings[key] for key in sorted(self.alerts_of.get(alert_id, ()))]

    @counted
    def close_alert(self, alert_id: str, *, resolved_at: datetime) -> None:
        self.closed[alert_id] = resolved_at

    @counted
    def closed_at(self, alert_id: str) -> datetime | None:
        return self.closed.get(alert_id)

    @counted
    def ignore(self, key: str, reason: str, *, alert_id: str | None, alert_rule: str | None, now: datetime) -> None:
        self.ignored[key] = f"{now:%H:%M} {alert_rule} {alert_id}: {reason}"

    @counted
    def attempt(self, request_id: str) -> Attempt | None:
        return self.attempts.get(request_id)

    @counted
    def save_attempt(self, attempt: Attempt, *, now: datetime) -> None:
        assert now.tzinfo is not None
        self.attempts[attempt.request_id] = attempt

    def _is_busy(self) -> bool:
        self.busy -= 1
        return self.busy >= 0


class Sink:
    """Keeps what it is sent; `failures` is what the next sends raise."""

    def __init__(self, name: str, calls: Calls, failures: Iterable[Exception] = ()) -> None:
        self.name, self.calls = name, calls
        self.failures = list(failures)
        self.sent: list[Finding] = []

    @counted
    def send(self, finding: Finding) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(finding)

    @property
    def told(self) -> list[str]:
        """What it was sent, as `check status`."""
        return [f"{finding.check} {finding.status}" for finding in self.sent]


class Outbox:
    """Keeps what is enqueued."""

    name = "outbox"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.failures: list[Exception] = []
        self.diagnoses: list[DiagnosisRequest] = []
        self.closures: list[ClosureRequest] = []
        self.remediations: list[RemediationRequest] = []

    @counted
    def diagnosis(self, request: DiagnosisRequest) -> None:
        self._fail()
        self.diagnoses.append(request)

    @counted
    def closure(self, request: ClosureRequest) -> None:
        self._fail()
        self.closures.append(request)

    @counted
    def remediation(self, request: RemediationRequest) -> None:
        self._fail()
        self.remediations.append(request)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
