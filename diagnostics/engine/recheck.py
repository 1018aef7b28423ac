"""Looking again: a connection that failed is diagnosed again later, and what is gone by then is told to be.

Three looks, each after twice the time of the one before: whoever mends a rule does it within minutes or within hours.
An alert that is resolved meanwhile ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from diagnostics.contracts import Clock, Outbox, Store
from diagnostics.engine.publish import OVER, Publisher
from diagnostics.findings import Cause, Finding, Outcome, Severity, Status, Step
from diagnostics.intake.messages import DiagnosisRequest
from diagnostics.runbooks import remedies, step
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.endings import COULD_NOT_TELL
from diagnostics.runbooks.probe_steps import AGAIN

ROUNDS = 3
_NO_PERMISSION = "CON021"


def to_tell(request: DiagnosisRequest, diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """The findings to tell: all of a first diagnosis. A later look is no news by itself, only what it finds open is."""
    if request.recheck is None:
        return diagnosis.findings
    named = frozenset(request.recheck.findings)
    found = (finding for finding in diagnosis.findings if finding.status is Status.OPEN)
    return tuple(finding for finding in found if finding.check != COULD_NOT_TELL or finding.finding_id in named)


def is_gone(finding: Finding, diagnosis: Diagnosis) -> bool:
    """Whether a later diagnosis proves that what was found before is not there any more.

    That the connection works does. Where it still fails, "not found" proves something only if every step that could
    tell something when it was found can tell something now.
    """
    if any(finding.finding_id == other.finding_id and other.status is Status.OPEN for other in diagnosis.findings):
        return False
    if diagnosis.works is not False:
        return bool(diagnosis.works)
    unsure = {COULD_NOT_TELL, _NO_PERMISSION} & {other.check for other in diagnosis.findings}
    return not unsure and _told(finding.steps) <= _told(diagnosis.steps)


def next_look(request: DiagnosisRequest, diagnosis: Diagnosis, over: Collection[str] = ()) -> DiagnosisRequest | None:
    """The request for the next look; None where the connection works, or where there were looks enough.

    Args:
        request: the look that was just made, or the request that asked first.
        diagnosis: what it found.
        over: the findings that were named before and are gone.
    """
    done = request.recheck.round if request.recheck else 0
    if diagnosis.works or done >= ROUNDS:
        return None
    before = [named for named in (request.recheck.findings if request.recheck else ()) if named not in over]
    found = [finding.finding_id for finding in to_tell(request, diagnosis) if _of_connection(finding)]
    named = tuple(dict.fromkeys([*before, *found]))
    # A failed NIC alone explains no outage: that the connection fails is reason enough to look again.
    return request.again(named) if named or diagnosis.works is False else None


def resolved(finding: Finding, request: DiagnosisRequest, diagnosis: Diagnosis, now: datetime) -> Finding:
    """The finding that is gone, with when that was seen and how."""
    named = f"{request.source} → {request.destination or 'the internet'}"
    if diagnosis.works:
        seen = f"{named} works now"
    else:
        others = [other.title for other in diagnosis.findings if other.status is Status.OPEN][:1]
        seen = ": ".join([f"it is not found any more, though {named} still fails", *others])
    text = f"Checked again at {now:%Y-%m-%d %H:%M} UTC: {seen}"
    return msgspec.structs.replace(
        finding,
        status=Status.RESOLVED,
        because=(*finding.because, Cause(kind="probe", text=text)),
        steps=(*finding.steps, step.passed(AGAIN, text)),
        remedy=remedies.look_again("Nothing to mend: it is gone."),
        request_id=request.request_id,
    )


def _told(steps: Iterable[Step]) -> frozenset[str]:
    """The steps that could tell something."""
    return frozenset(step.name for step in steps if step.outcome in {Outcome.PASSED, Outcome.FAILED})


def _of_connection(finding: Finding) -> bool:
    """Whether a connection that works again ends it. A failed NIC and a permission have a state of their own."""
    ours = finding.check.startswith(("CON", "VM")) and finding.check != _NO_PERMISSION
    return ours and finding.severity is not Severity.INFO


@dataclass(frozen=True, slots=True)
class Rechecker:
    """Looks again.

    Attributes:
        first: how long after a diagnosis the first look is; zero for never.
    """

    store: Store
    publisher: Publisher
    outbox: Outbox
    clock: Clock
    first: timedelta

    def gone(self, request: DiagnosisRequest, diagnosis: Diagnosis) -> tuple[Finding, ...]:
        """The findings that a look was to look after, and that are gone; also those that this look has ended before.

        A message can name any finding: only those are ended that a connection decides.
        """
        named = map(self.store.finding, request.recheck.findings if request.recheck else ())
        known = [each.finding for each in named if each is not None and _of_connection(each.finding)]
        return tuple(finding for finding in known if _is_over(finding, request, diagnosis))

    def end(self, finding: Finding, request: DiagnosisRequest, diagnosis: Diagnosis) -> None:
        """Tell that a finding is gone, to whoever was not told yet."""
        ended = resolved(finding, request, diagnosis, self.clock.now())
        self.publisher.publish(ended, holder=request.request_id)

    def enqueue(self, request: DiagnosisRequest, diagnosis: Diagnosis, over: Iterable[Finding]) -> None:
        """Enqueue the next look, if there is reason for one."""
        ids = {finding.finding_id for finding in over}
        later = next_look(request, diagnosis, ids) if self.first else None
        if later is not None and later.recheck is not None:
            self.outbox.diagnosis(later, after=self.first * 2 ** (later.recheck.round - 1))


def _is_over(finding: Finding, request: DiagnosisRequest, diagnosis: Diagnosis) -> bool:
    if finding.status in OVER:
        return finding.request_id == request.request_id
    return is_gone(finding, diagnosis)
