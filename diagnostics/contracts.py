"""What the engine needs from the world, as Protocols: the engine is written against these, adapters and fakes fit them.

Every method may raise TemporaryError (try again later), ForbiddenError (a permission is missing), NotFoundError, or
PermanentError; none returns an empty answer for something that could not be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from diagnostics.findings import Finding
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, RemediationRequest
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.probing import Probing
from diagnostics.runbooks.questions import Event, Extension, ReadChanges, ReadMetrics, Series


class Inventory(Protocol):
    """What exists."""

    def body(self, resource: ResourceId) -> bytes:
        """The resource as Azure shows it now: JSON. A VM, or scale-set instance, comes with its instance view."""

    def extensions(self, vm: ResourceId) -> Sequence[Extension]:
        """The extensions of a VM, read now."""

    def service_tags(self, subscription: str, location: str) -> bytes:
        """Azure's list of service tags, as its API answers it: JSON, some megabytes."""

    def named(self, name: str) -> Sequence[ResourceId]:
        """The VMs in scope with this name: none, one or several."""

    def at_address(self, address: str) -> Sequence[ResourceId]:
        """The NICs, load balancers and firewalls in scope with this private address: candidates, as `failed_nics`."""

    def failed_nics(self) -> Sequence[ResourceId]:
        """The NICs in scope that were `Failed` when the inventory was last refreshed: candidates, to be confirmed."""

    def subscriptions_below(self, management_groups: Sequence[str]) -> frozenset[str]:
        """The ids, lower-cased, of the subscriptions below these management groups that this identity can read."""

    def unreadable(self) -> Sequence[str]:
        """The subscriptions among the scopes that this identity can't read at all: of these, no list says anything."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What was listed: pages as Azure sent them, each with a name for messages, and what could not be listed.

    Attributes:
        pages: (name, body) pairs, such as ("networkSecurityGroups of 1111… page 2", b"…").
        listed: lower-cased resource types of which everything in scope was listed: of these, what lies in scope and is
            not there does not exist. Diagnostic settings are those of NSGs.
        partial: the other types that have lists of their own: some, all or nothing of them was listed.
        unread: (what, why) pairs: lists that this identity may not read or that failed for good.
    """

    pages: tuple[tuple[str, bytes], ...] = ()
    listed: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    unread: tuple[tuple[str, str], ...] = ()


class Estates(Protocol):
    """Whole estates."""

    def listing(self) -> Listing:
        """The network configuration of everything in scope, listed now."""


class Prober(Protocol):
    """Whatever answers questions that take their time: each is submitted once, its answer is collected by ticket."""

    def submit(self, question: Probing[Any]) -> str:
        """Start it, once; returns a ticket to collect the answer with, also from another process."""

    def collect(self, question: Probing[Any], ticket: str) -> bytes:
        """Wait for the answer, within bounds, and return it as Azure sent it.

        Raises:
            TemporaryError: it has not ended yet; the ticket stays good.
            NotFoundError: Azure does not know the ticket any more.
        """


class Watcher(Prober, Protocol):
    """Network Watcher, and what Azure says about rules and routes in effect."""

    def find(self, subscription: str, location: str) -> ResourceId:
        """The Network Watcher of a region; raises NotFoundError where there is none."""


class Monitor(Protocol):
    """Azure Monitor."""

    def metrics(self, question: ReadMetrics) -> Sequence[Series]:
        """The metrics that are asked for; one that has no value in that time has points without one, or none."""

    def changes(self, question: ReadChanges) -> Sequence[Event]:
        """The writes, deletes and actions on a resource and what is nested in it, newest first."""


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


@dataclass(frozen=True, slots=True)
class Entry:
    """What a request's journal holds about one question.

    Attributes:
        ticket: what Azure's answer is collected with.
        answer: as Azure sent it; None while there is none.
    """

    ticket: str
    answer: bytes | None = None


class Journal(Protocol):
    """What a request has already asked Azure that must not be asked twice."""

    def entry(self, request_id: str, key: str) -> Entry | None:
        """What is noted under a question's key."""

    def note(self, request_id: str, key: str, entry: Entry) -> None:
        """Note it, over what was there."""

    def forget(self, request_id: str) -> None:
        """The request is done: nobody will continue it."""


class Leases(Protocol):
    """Who may do what only one may do at a time."""

    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Take a lease, or prolong one's own; False while another holder's has not ended."""

    def give_back(self, name: str, *, holder: str) -> None:
        """End a lease, if it is this holder's."""


class Store(Journal, Leases, Protocol):
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

    def finished(self, request_id: str) -> bool:
        """Whether the request is done."""

    def taken_on(self, request_id: str) -> bool:
        """Whether anybody ever took the request on, whatever became of it."""

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

    def open_findings_of(self, checks: Collection[str]) -> Sequence[Known]:
        """The same for several checks at once."""

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

    @property
    def for_people(self) -> bool:
        """Whether people read it: they get one digest of an audit in place of its findings."""

    def send(self, finding: Finding) -> None:
        """Deliver the finding, or raise."""


class Reports(Protocol):
    """Where reports of audits are kept."""

    def save(self, name: str, text: str, media_type: str) -> None:
        """Keep a report, over one that has the name already.

        Args:
            name: such as `audit/latest.json`.
            text: what is in it.
            media_type: such as `application/json`.
        """


class Outbox(Protocol):
    """Where requests go."""

    def diagnosis(self, request: DiagnosisRequest, *, after: timedelta | None = None) -> None:
        """Enqueue on `diagnosis-requests`, to be delivered after some time where one is given."""

    def closure(self, request: ClosureRequest) -> None:
        """Enqueue on `closure-requests`."""

    def remediation(self, request: RemediationRequest) -> None:
        """Enqueue on `remediation-requests`."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
