"""What the engine needs from the world, as Protocols: the engine is written against these, adapters and fakes fit them.

Every method may raise TemporaryError (try again later), ForbiddenError (a permission is missing), NotFoundError, or
PermanentError; none returns an empty answer for something that could not be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from diagnostics.findings import Finding
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, RemediationRequest
from diagnostics.network.connectivity import ConnectivityCheck, Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm


class Inventory(Protocol):
    """What exists."""

    def vm(self, vm: ResourceId) -> Vm:
        """The VM with its power state, read now."""

    def nic(self, nic: ResourceId) -> Nic:
        """The network interface, read now."""

    def subnet(self, subnet: ResourceId) -> Subnet:
        """The subnet, read now."""

    def security_group(self, group: ResourceId) -> SecurityGroup:
        """The NSG, read now."""

    def route_table(self, table: ResourceId) -> RouteTable:
        """The route table, read now."""

    def named(self, name: str) -> Sequence[ResourceId]:
        """The VMs in scope with this name: none, one or several."""

    def failed_nics(self) -> Sequence[ResourceId]:
        """The NICs in scope that were `Failed` when the inventory was last refreshed: candidates, to be confirmed."""

    def subscriptions_below(self, management_groups: Sequence[str]) -> frozenset[str]:
        """The ids, lower-cased, of the subscriptions below these management groups that this identity can read."""

    def unreadable(self) -> Sequence[str]:
        """The subscriptions among the scopes that this identity can't read at all: of these, no list says anything."""


class Watcher(Protocol):
    """Network Watcher."""

    def check_connectivity(self, probe: Probe) -> ConnectivityCheck:
        """Probe, wait for the answer and read it. Submits once: a probe may take a minute."""


@dataclass(frozen=True, slots=True)
class NicDocument:
    """A network interface exactly as Azure sent it: every property, known or not."""

    body: Mapping[str, Any]

    @property
    def etag(self) -> str:
        """The version of the resource; empty where Azure sent none."""
        return str(self.body.get("etag") or "")

    @property
    def provisioning_state(self) -> str:
        """`properties.provisioningState` as Azure spells it, or empty."""
        properties = self.body.get("properties")
        return str(properties.get("provisioningState") or "") if isinstance(properties, Mapping) else ""


class Nics(Protocol):
    """Reading and writing network interfaces whole, at the newest api-version."""

    def get(self, nic: ResourceId) -> NicDocument:
        """The interface, read now."""

    def settled(self, nic: ResourceId) -> NicDocument:
        """The interface, once no operation runs on it any more; raises TemporaryError when that takes too long."""

    def put(self, nic: ResourceId, body: Mapping[str, Any], *, etag: str) -> None:
        """PUT the interface and wait until the operation has ended.

        Args:
            nic: which one.
            body: what to send, byte for byte in its JSON form.
            etag: the version it was read at; a newer one in Azure raises ChangedError.

        Raises:
            ChangedError: somebody else changed it since.
            OperationFailedError: Azure accepted the PUT and then failed it; carries Azure's code and message.
        """


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a finding.

    Attributes:
        finding: as it was last written.
        edition: what was last told of it: its status, or what a remediation had to say.
        delivered: names of the sinks that have this edition.
        alert_ids: the alerts that led to it.
        holder: the request that delivers it, until `held_until`: another one leaves it alone that long. Empty when
            every sink has it.
        version: of the record in the store; empty for one that is not there yet.
    """

    finding: Finding
    edition: str
    delivered: frozenset[str] = frozenset()
    alert_ids: frozenset[str] = frozenset()
    holder: str = ""
    held_until: datetime | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A remediation that was started.

    Attributes:
        before: the resource as it was read before the PUT.
        ended: how it ended (`remediated`, `remediation-failed`, `dry-run`, …); empty while it has not.
    """

    request_id: str
    before: NicDocument
    ended: str = ""


class Store(Protocol):
    """What is remembered between runs. Every write is safe to repeat."""

    def begin(self, request_id: str, *, holder: str, now: datetime) -> bool:
        """Take a request on. False when it was finished, or when another message that carries it is being worked on.

        Args:
            request_id: the request.
            holder: the queue message that carries it. The same message may take it on again: its lease on the queue
                had to end for it to come back, so nobody works on it any more.
            now: the time.
        """

    def finish(self, request_id: str, *, now: datetime) -> None:
        """The request is done: every later message with it is a repeat."""

    def release(self, request_id: str) -> None:
        """Nobody works on the request any more, though it wasn't finished: another message may take it on."""

    def finding(self, finding_id: str) -> Known | None:
        """What is known of a finding."""

    def save(self, known: Known) -> Known:
        """Remember a finding, who has it and what led to it; returns it with its new version.

        Raises:
            ChangedError: the record is not the version that `known` was read at.
        """

    def open_findings(self, *, check: str) -> Sequence[Known]:
        """All findings of a check that are not over, and those whose end some sink has not been told."""

    def findings_of_alert(self, alert_id: str) -> Sequence[Known]:
        """All findings that an alert led to."""

    def close_alert(self, alert_id: str, *, resolved_at: datetime) -> None:
        """Remember when an alert was over."""

    def closed_at(self, alert_id: str) -> datetime | None:
        """When the alert was last over, or None."""

    def ignore(self, key: str, reason: str, *, alert_id: str | None, alert_rule: str | None, now: datetime) -> None:
        """Record an alert that was ignored, and why."""

    def attempt(self, request_id: str) -> Attempt | None:
        """A remediation that was started under this request, if any."""

    def save_attempt(self, attempt: Attempt, *, now: datetime) -> None:
        """Remember a remediation and the resource as it was before."""


class Sink(Protocol):
    """Where findings go."""

    @property
    def name(self) -> str:
        """One word, stable: the store remembers by it who has a finding."""

    def send(self, finding: Finding) -> None:
        """Deliver the finding, or raise."""


class Outbox(Protocol):
    """Where requests go."""

    def diagnosis(self, request: DiagnosisRequest) -> None:
        """Enqueue on `diagnosis-requests`."""

    def closure(self, request: ClosureRequest) -> None:
        """Enqueue on `closure-requests`."""

    def remediation(self, request: RemediationRequest) -> None:
        """Enqueue on `remediation-requests`."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""
