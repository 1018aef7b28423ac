"""How a runbook ends when no step found a fault: with an honest "could not tell", or with "no fault found"."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.findings import Cause, Confidence, Finding, Outcome, Severity, Status
from diagnostics.intake.messages import Problem
from diagnostics.network.connectivity import ConnectivityCheck
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
    return conclude(replace(done, findings=found))


def _no_finding(situation: Situation, checked: Checked) -> Finding:
    if checked.unexplained:
        return _unexplained(situation, checked.answer)
    return _no_fault(situation) if checked.step.outcome is Outcome.PASSED else _could_not_tell(situation)


def _unexplained(situation: Situation, answer: ConnectivityCheck | None) -> Finding:
    named, lost = connection(situation), answer.lost if answer else ""
    how = "loses probes" if answer and answer.reachable else "is unreachable"
    text = f"{named}: {lost}, and Network Watcher names no issue on any hop"
    subject = situation.destination or situation.source
    return said(
        situation,
        UNEXPLAINED,
        f"{named} {how}, and Azure sees nothing in the way",
        about=subject.id if subject else None,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="probe", text=text),
        remedy=remedies.way_out()
        if situation.problem is Problem.VM_TO_INTERNET
        else remedies.look_again(
            "Look inside the guest: does the service listen on the port, does the guest's own firewall allow it, and "
            "does the guest route the answer back?"
        ),
        apart=ends(situation),
    )


def _could_not_tell(situation: Situation) -> Finding:
    open_steps = [step for step in situation.steps if step.outcome is not Outcome.PASSED]
    said_once = {step.summary: step.name for step in reversed(open_steps)}
    causes = [f"{name}: {summary}" for summary, name in reversed(said_once.items())] or ["no step could be made"]
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
