"""Putting a failed NIC back: guard → keep what was read → PUT → read again → compare → tell.

What was read is kept before the PUT. So a run that is cut short knows, when its message comes back, whether its PUT
reached Azure: an accepted write gives the NIC a new etag.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import msgspec

from diagnostics.checks.provisioning import failed_nic
from diagnostics.contracts import Attempt, Clock, NicDocument, Nics, Store
from diagnostics.engine.publish import Publisher
from diagnostics.errors import ChangedError, ForbiddenError, NotFoundError, PermanentError
from diagnostics.findings import Confidence, Finding, Status, Step
from diagnostics.intake.messages import RemediationRequest
from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId
from diagnostics.network.model import Nic
from diagnostics.remediation.guard import Ruling, Verdict, rule
from diagnostics.remediation.reput_nic import difference, writable
from diagnostics.runbooks import step
from diagnostics.runbooks.diagnosis import after_reput, not_put_back_yet, refused
from diagnostics.settings import RemediationMode

_log = logging.getLogger(__name__)
_GUARD, _PUT, _VERIFY = "Guard", "PUT the network interface back", "Read it again"
_WRITES = 3
_STANDING = frozenset({Status.OPEN, Status.REMEDIATION_FAILED})
_CUT_SHORT = (
    step.passed(_GUARD, "goes on with a run that was cut short"),
    step.passed(_PUT, "was under way when the run before was cut short; the interface has a new version since"),
)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How it ended, with the steps that led there."""

    status: Status
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Remediator:
    """Carries out remediation requests."""

    nics: Nics
    store: Store
    publisher: Publisher
    clock: Clock

    def run(self, request: RemediationRequest, mode: RemediationMode) -> bool:
        """Carry out a request.

        Returns:
            Whether it is done; False when it was only said what would be done: the request may come back under the
            same id, with an approval or in another mode.

        Raises:
            TemporaryError: Azure is busy with the NIC, throttles or is away.
        """
        try:
            return self._run(request, mode)
        except NotFoundError as error:
            _log.warning("remediation of %s: %s", request.resource.name, error)
            self._gone(request, str(error))
            return True

    def _run(self, request: RemediationRequest, mode: RemediationMode) -> bool:
        nic = request.resource
        attempt = self.store.attempt(request.request_id)
        if attempt is not None and attempt.ended:
            return True
        if nic.type != NETWORK_INTERFACE:
            self._refused(request, Ruling(Verdict.REFUSE, f"{nic.name} is of type {nic.type}, not a network interface"))
            return True
        document = self.nics.settled(nic)  # one that is being written by somebody is left alone until that has ended
        if attempt is not None and _was_put(attempt.before, document):
            self._finish(request, attempt, self._verify(attempt.before, document, _CUT_SHORT))
            return True
        ruling = rule(request, mode, document.provisioning_state)
        _log.info("remediation of %s: %s: %s", nic.name, ruling.verdict, ruling.why)
        if ruling.verdict is Verdict.REFUSE:
            self._refused(request, ruling, document)
            return True
        if ruling.verdict is Verdict.SAY:
            self._said(request, document, ruling, mode)
            return False
        attempt = Attempt(request.request_id, document)
        self._finish(request, attempt, self._apply(request, attempt, step.passed(_GUARD, ruling.why)))
        return True

    def _apply(self, request: RemediationRequest, attempt: Attempt, *done: Step) -> _Ended:
        nic = request.resource
        for _ in range(_WRITES):
            before = attempt.before
            self.store.save_attempt(attempt, now=self.clock.now())
            try:
                self.nics.put(nic, writable(before.body), etag=before.etag)
            except ChangedError:
                document = self.nics.settled(nic)
                if document.provisioning_state.lower() != "failed":
                    note = step.skipped(
                        _PUT, f"somebody else changed it meanwhile: it is {document.provisioning_state} now"
                    )
                    return _Ended(_status(document), (*done, note))
                attempt = replace(attempt, before=document)
                continue
            except PermanentError as error:
                return _Ended(Status.REMEDIATION_FAILED, (*done, step.failed(_PUT, str(error), *_missing(error))))
            sent = step.passed(_PUT, "Azure carried it out", f"etag before: {before.etag}")
            return self._verify(before, self.nics.settled(nic), (*done, sent))
        note = step.failed(_PUT, f"somebody else changed it {_WRITES} times while it was being put back")
        return _Ended(Status.REMEDIATION_FAILED, (*done, note))

    def _verify(self, before: NicDocument, after: NicDocument, done: tuple[Step, ...]) -> _Ended:
        """A poller that returns is no proof: what counts is what is read again."""
        state = after.provisioning_state
        changed = difference(before.body, after.body)
        if state.lower() != "succeeded":
            note = step.failed(_VERIFY, f"provisioning state is {state or 'not given'} still", *changed)
            return _Ended(Status.REMEDIATION_FAILED, (*done, note))
        if changed:
            note = step.failed(_VERIFY, f"{state}, but {len(changed)} properties differ from before", *changed)
            return _Ended(Status.REMEDIATION_FAILED, (*done, note))
        note = step.passed(_VERIFY, f"{before.provisioning_state} → {state}, no writable property changed")
        return _Ended(Status.REMEDIATED, (*done, note))

    def _finish(self, request: RemediationRequest, attempt: Attempt, ended: _Ended) -> None:
        finding = after_reput(self._finding(request, attempt.before), ended.status, ended.steps)
        self._publish(request, finding)
        _log.info("remediation of %s: %s", request.resource.name, ended.status)
        current = self.store.attempt(request.request_id) or attempt
        self.store.save_attempt(replace(current, ended=ended.status), now=self.clock.now())

    def _said(self, request: RemediationRequest, document: NicDocument, ruling: Ruling, mode: RemediationMode) -> None:
        """Tell what would be sent, and send nothing."""
        body = writable(document.body)
        properties = body.get("properties")
        names = ", ".join(sorted(properties)) if isinstance(properties, dict) else "none"
        would = step.skipped(_PUT, f"would PUT {request.resource.text} back unchanged; nothing was sent: {ruling.why}")
        evidence = (f"If-Match: {document.etag}", f"properties: {names}", msgspec.json.encode(body).decode())
        steps = (
            step.passed(_GUARD, "the NIC is Failed and lies in scope"),
            msgspec.structs.replace(would, evidence=evidence),
        )
        waits = request if mode is RemediationMode.APPROVE else None
        finding = not_put_back_yet(self._finding(request, document), steps, ruling.why, to_approve=waits)
        self._publish(request, finding, edition=f"said {request.request_id}: {ruling.why}")

    def _refused(self, request: RemediationRequest, ruling: Ruling, document: NicDocument | None = None) -> None:
        """Tell why nothing is done; a NIC that has healed meanwhile closes its finding instead."""
        healed = document is not None and document.provisioning_state.lower() == "succeeded"
        self._answer(request, ruling.why, step.skipped(_PUT, ruling.why), closes=healed)

    def _gone(self, request: RemediationRequest, why: str) -> None:
        text = f"the network interface does not exist: {why}"
        self._answer(request, text, step.failed(_GUARD, text), closes=True)

    def _answer(self, request: RemediationRequest, why: str, note: Step, *, closes: bool) -> None:
        known = self.store.finding(request.reason.finding_id or "") if closes else None
        # Resolved under this request: by a run that was cut short, perhaps before everybody had been told.
        if known is not None and (known.finding.status in _STANDING or known.finding.request_id == request.request_id):
            self._publish(request, msgspec.structs.replace(known.finding, status=Status.RESOLVED, steps=(note,)))
        else:
            self._publish(request, refused(request.resource, why, note, apart=request.request_id))

    def _publish(self, request: RemediationRequest, finding: Finding, *, edition: str | None = None) -> None:
        whole = msgspec.structs.replace(finding, request_id=request.request_id)
        self.publisher.publish(whole, holder=request.request_id, edition=edition)

    def _finding(self, request: RemediationRequest, document: NicDocument) -> Finding:
        return failed_nic(Nic.decode(msgspec.json.encode(_with_id(document, request.resource))), Confidence.PROVEN)


def _was_put(before: NicDocument, now: NicDocument) -> bool:
    """Whether the PUT of a run that was cut short reached Azure.

    A write gives the NIC a new etag. Ours leaves everything that can be written as it was: what is `Failed` under a new
    etag with something changed was written by somebody else.
    """
    if now.provisioning_state.lower() != "failed":
        return True
    return now.etag != before.etag and not difference(before.body, now.body)


def _missing(error: PermanentError) -> tuple[str, ...]:
    """The permission to grant, where that is what is missing."""
    if not isinstance(error, ForbiddenError) or not error.action:
        return ()
    return (f"grant {error.action}" + (f" on {error.scope}" if error.scope else ""),)


def _with_id(document: NicDocument, nic: ResourceId) -> dict[str, object]:
    return {**document.body, "id": nic.text}


def _status(document: NicDocument) -> Status:
    return Status.RESOLVED if document.provisioning_state.lower() == "succeeded" else Status.REMEDIATION_FAILED
