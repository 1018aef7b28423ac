"""The engine: one method for each function of the app. Every one may be called twice with the same message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import msgspec

from diagnostics.checks.provisioning import FAILED_NIC
from diagnostics.contracts import (
    Clock,
    Estates,
    Inventory,
    Monitor,
    Nics,
    Outbox,
    Prober,
    Reports,
    Sink,
    Store,
    Watcher,
)
from diagnostics.engine.audits import Auditor, Rules
from diagnostics.engine.gate import Gate
from diagnostics.engine.poison import undelivered
from diagnostics.engine.publish import Publisher
from diagnostics.engine.recheck import Rechecker, to_tell
from diagnostics.engine.remediate import Remediator
from diagnostics.engine.session import Nobody, Session
from diagnostics.engine.sweep import Sweeper
from diagnostics.engine.turns import Manners, PostponedError
from diagnostics.errors import TemporaryError
from diagnostics.findings import Finding, Status
from diagnostics.intake import events, times
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, Endpoint, RemediationRequest
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.situation import Conditions
from diagnostics.scopes import Scopes
from diagnostics.settings import RemediationMode

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The queue message that carries a request.

    Attributes:
        message_id: stays the same when the message is delivered again.
        tries: how often it has been delivered by now.
    """

    message_id: str
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """What the owner allows.

    Attributes:
        outside: what to probe when a VM's way to the internet is in question.
        run_command: whether scripts that only look may be run in guests.
        history: how long before an alert to look for changes.
        manners: how much of Azure one request may have.
        recheck: how long after a diagnosis of a connection that fails it is looked at again; zero for never.
        insist: how many deliveries of a message insist on an answer to every question; a later one goes on without
            what Azure still does not answer, and says so, before the message has failed every try.
        portal: the Azure portal that links lead to.
        own_client_id: of this app's identity, whose writes never start a diagnosis.
        audits: what of an audit is told.
    """

    scopes: Scopes
    mode: RemediationMode
    outside: Endpoint
    run_command: bool = False
    history: timedelta = timedelta(hours=12)
    manners: Manners = field(default_factory=Manners)
    recheck: timedelta = timedelta(minutes=15)
    insist: int = 2
    portal: str = "https://portal.azure.com"
    own_client_id: str | None = None
    audits: Rules = field(default_factory=Rules)


class Engine:
    """Runs the functions against adapters, or fakes of them."""

    def __init__(
        self,
        policy: Policy,
        *,
        inventory: Inventory,
        estates: Estates,
        watcher: Watcher,
        guest: Prober,
        monitor: Monitor,
        nics: Nics,
        store: Store,
        sinks: Sequence[Sink],
        reports: Reports | None,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._policy, self._store, self._clock = policy, store, clock
        self._gate = Gate(policy.scopes, inventory, clock)
        self._outbox = outbox
        self._session = Session(inventory, watcher, guest, monitor, self._gate, clock, store, store, policy.manners)
        self._publisher = Publisher(store, sinks, clock, policy.portal)
        self._rechecker = Rechecker(store, self._publisher, outbox, clock, policy.recheck)
        self._remediator = Remediator(nics, store, self._publisher, clock)
        self._sweeper = Sweeper(inventory, store, self._publisher, outbox, policy.mode, self._gate)
        systems, people = (self._publisher.only(for_people=wanted) for wanted in (False, True))
        self._auditor = Auditor(policy.audits, estates, store, systems, people, reports, clock, self._gate)

    def diagnose(self, body: bytes, delivery: Delivery) -> Diagnosis | None:
        """Answer a message of queue `diagnosis-requests`.

        Returns:
            The diagnosis, or None where there is none now: for a repeat, a resolved alert, a write of our own, and for
            a request that is enqueued again, as its turn did not come or it takes more than one run.

        Raises:
            ParseError: the message can't be read.
            OutOfScopeError: it names a resource outside of `VMREACH_SCOPES`.
            TemporaryError: something is away or throttled; the message is to be tried again.
        """
        request = events.read(body, own_client_id=self._policy.own_client_id)
        if request is None:
            _log.info("an event that asks for nothing")
            return None
        for resource in request.resources:
            self._gate.require(resource)
        if self._is_over(request):
            _log.info("request %s: its alert was resolved before the diagnosis began", request.request_id)
            self._leave(request)
            return None
        if not self._begin(request.request_id, delivery):
            if self._store.finished(request.request_id):
                self._store.forget(request.request_id)  # what a run that was cut short left
            return None
        try:
            insist = delivery.tries <= self._policy.insist
            diagnosis = self._session.work(request, self._conditions(), Nobody(), insist=insist)
        except PostponedError as postponed:
            self._postpone(request, postponed)
            return None
        _log.info("request %s: %s, %d findings", request.request_id, diagnosis.problem, len(diagnosis.findings))
        self._conclude(request, diagnosis)
        return diagnosis

    def close(self, body: bytes, delivery: Delivery) -> None:
        """Answer a message of queue `closure-requests`: an alert is over, and its findings with it.

        A finding that another alert still stands behind stays open, and so does a failed NIC: its own state closes it.
        """
        request = ClosureRequest.read(body)
        if not self._begin(request.request_id, delivery):
            return
        resolved_at = times.read(request.resolved_at) or self._clock.now()
        self._store.close_alert(request.alert_id, resolved_at=resolved_at)
        self._resolve(request.alert_id, holder=request.request_id)
        self._store.finish(request.request_id, now=self._clock.now())

    def remediate(self, body: bytes, delivery: Delivery) -> None:
        """Answer a message of queue `remediation-requests`.

        Raises:
            ParseError, OutOfScopeError, TemporaryError: as `diagnose`.
        """
        request = RemediationRequest.read(body)
        self._gate.require(request.resource)
        if not self._begin(request.request_id, delivery):
            return
        if self._remediator.run(request, self._policy.mode):
            self._store.finish(request.request_id, now=self._clock.now())
        else:
            self._store.release(request.request_id)

    def sweep(self) -> None:
        """Find failed NICs in scope, and close what has healed."""
        self._sweeper.run()

    def audit(self, *, holder: str) -> None:
        """Make all checks over everything in scope, write the reports, and tell what is new and what is gone.

        Args:
            holder: tells this run from others: of two at once, one does it.
        """
        self._auditor.run(holder=holder)

    def poison(self, queue: str, body: bytes, delivery: Delivery) -> None:
        """Announce a message that failed every try; the request in it may be sent again.

        Args:
            queue: the queue that it failed on, without `-poison`.
            body: the message.
            delivery: the message on the poison queue.
        """
        request_id, finding = undelivered(queue, body)
        if request_id:
            self._store.release(request_id)
            self._store.forget(request_id)  # sent again, it is asked anew
        # A request that fails again after it was sent again is told again.
        self._publisher.publish(finding, holder=delivery.message_id, edition=f"poison {delivery.message_id}")

    def _conclude(self, request: DiagnosisRequest, diagnosis: Diagnosis) -> None:
        """Tell what was found and what is gone, and see to it that somebody looks again."""
        gone = self._rechecker.gone(request, diagnosis)
        _each(
            [
                *(partial(self._tell, finding, request) for finding in to_tell(request, diagnosis)),
                *(partial(self._rechecker.end, over, request, diagnosis) for over in gone),
                partial(self._rechecker.enqueue, request, diagnosis, gone),
            ]
        )
        if self._is_over(request):  # by now: the closure saw nothing yet of what was just told
            self._resolve(request.origin.alert_id, holder=request.request_id)
        self._store.finish(request.request_id, now=self._clock.now())
        self._store.forget(request.request_id)

    def _postpone(self, request: DiagnosisRequest, why: PostponedError) -> None:
        """Let the request come back as a new message: waiting in line is no failure, and no thread waits for it.

        The same message would be poison after five tries, and the line may be longer. It is released first: a run that
        is cut short before the new message is there has this message delivered again.
        """
        _log.info("request %s comes back: %s", request.request_id, why)
        self._store.release(request.request_id)
        self._outbox.diagnosis(request, after=timedelta(seconds=why.retry_after or 0))

    def _leave(self, request: DiagnosisRequest) -> None:
        """The alert is over: end what a run that was cut short has told, and forget what it asked.

        A request that nobody took on has told nothing. What is open then is of a later time that the alert fired, and
        no business of a look that the first time had asked for.
        """
        if self._store.taken_on(request.request_id):
            self._resolve(request.origin.alert_id, holder=request.request_id)
            self._store.forget(request.request_id)

    def _conditions(self) -> Conditions:
        policy = self._policy
        return Conditions(self._clock.now(), policy.outside, policy.run_command, policy.history)

    def _begin(self, request_id: str, delivery: Delivery) -> bool:
        begun = self._store.begin(request_id, holder=delivery.message_id, now=self._clock.now())
        if not begun:
            _log.info("request %s: a repeat, done or being done already", request_id)
        return begun

    def _is_over(self, request: DiagnosisRequest) -> bool:
        """Whether the alert was resolved after it fired; without a time of firing it counts as standing."""
        fired = times.read(request.origin.fired_at)
        if not request.origin.alert_id or fired is None:
            return False
        closed = self._store.closed_at(request.origin.alert_id)
        return closed is not None and closed >= fired

    def _resolve(self, alert_id: str | None, *, holder: str) -> None:
        """Resolve the findings of an alert that is over; of one that is resolved, tell whoever wasn't told yet."""
        over = []
        for known in self._store.findings_of_alert(alert_id) if alert_id else ():
            others = known.alert_ids - {alert_id}
            if known.finding.check != FAILED_NIC and all(self._store.closed_at(other) for other in others):
                over.append(_with_status(known.finding, Status.RESOLVED))
        _each(partial(self._publisher.publish, resolved, holder=holder) for resolved in over)

    def _tell(self, finding: Finding, request: DiagnosisRequest) -> None:
        tell = self._sweeper.tell if finding.check == FAILED_NIC else self._publisher.publish
        tell(finding, holder=request.request_id, alert_id=request.origin.alert_id)


def _each(actions: Iterable[Callable[[], object]]) -> None:
    """Do all of these; what can't be done now keeps none of the others from being done."""
    postponed: list[TemporaryError] = []
    for action in actions:
        try:
            action()
        except TemporaryError as error:
            postponed.append(error)
    if postponed:
        raise postponed[0]


def _with_status(finding: Finding, status: Status) -> Finding:
    return msgspec.structs.replace(finding, status=status)
