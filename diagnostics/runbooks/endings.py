"""How a runbook ends when no step found a fault: with an honest "could not tell", or with "no fault found"."""

from __future__ import annotations

from diagnostics.findings import Cause, Confidence, Finding, Outcome, Severity, Status
from diagnostics.runbooks import remedies
from diagnostics.runbooks.check_steps import Checked
from diagnostics.runbooks.diagnosis import NO_FAULT, Diagnosis, conclude, connection, ends, said
from diagnostics.runbooks.situation import Situation

UNEXPLAINED = "CON009"
COULD_NOT_TELL = "CON011"


def ending(situation: Situation, checked: Checked) -> Diagnosis:
    """The diagnosis after the last step, the connectivity check.

    What the check found stands before what earlier steps found: it was seen on the path itself.
    """
    earlier = situation.findings
    done = situation.after(checked.step)
    found = (*checked.findings, *earlier) or (_no_finding(done, checked),)
    return conclude(Situation(done.request, done.problem, done.why, done.source, done.destination, done.steps, found))


def _no_finding(situation: Situation, checked: Checked) -> Finding:
    if checked.unexplained:
        return _unexplained(situation)
    return _no_fault(situation) if checked.step.outcome is Outcome.PASSED else _could_not_tell(situation)


def _unexplained(situation: Situation) -> Finding:
    named = connection(situation)
    text = f"Every probe of {named} failed, and Network Watcher names no issue on any hop"
    subject = situation.destination or situation.source
    return said(
        situation,
        UNEXPLAINED,
        f"{named} is unreachable, and Azure sees nothing in the way",
        about=subject.id if subject else None,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="probe", text=text),
        remedy=remedies.look_again(
            "Look inside the guest: does the service listen on the port, does the guest's own firewall allow it, and "
            "does the guest route the answer back?"
        ),
        apart=ends(situation),
    )


def _could_not_tell(situation: Situation) -> Finding:
    open_steps = [step for step in situation.steps if step.outcome in {Outcome.INCONCLUSIVE, Outcome.FAILED}]
    causes = [f"{step.name}: {step.summary}" for step in open_steps] or ["no step could be made"]
    return said(
        situation,
        COULD_NOT_TELL,
        f"Could not tell why {connection(situation)} fails",
        about=situation.source.id if situation.source else None,
        severity=Severity.MEDIUM,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="unknown", text="; ".join(causes)),
        remedy=remedies.look_again("Mend what kept the steps from being made, then send the request again."),
        apart=ends(situation),
    )


def _no_fault(situation: Situation) -> Finding:
    named = connection(situation)
    return said(
        situation,
        NO_FAULT,
        f"No fault found: {named} works now",
        about=situation.source.id if situation.source else None,
        severity=Severity.INFO,
        confidence=Confidence.PROVEN,
        cause=Cause(kind="probe", text=f"{named} was probed and answered"),
        remedy=remedies.look_again("Nothing to mend now. If the alert comes back, look at what changes between."),
        # An answer to one question, not a state that lasts: the next question gets an answer of its own.
        apart=situation.request.request_id,
        status=Status.RESOLVED,
    )
