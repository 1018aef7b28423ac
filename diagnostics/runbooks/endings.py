"""How a runbook ends when no step found a fault: with an honest "could not tell", or with "no fault found"."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.findings import Cause, Confidence, Finding, Outcome, Severity, Status
from diagnostics.intake.messages import Problem
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import NO_FAULT, connection, ends, said
from diagnostics.runbooks.ranking import HINDRANCES
from diagnostics.runbooks.situation import Situation
from diagnostics.runbooks.suspicions import suspicion

UNEXPLAINED = "CON009"
COULD_NOT_TELL = "CON011"


_DISAGREEMENT = "CON015"
_EXPLAINS_NOTHING = HINDRANCES | {_DISAGREEMENT}
"""What is no reason for a connection to fail."""


def ending(situation: Situation) -> Situation:
    """The situation with what there is to say where no step found a fault that explains how the connection fares."""
    checks = {finding.check for finding in situation.findings}
    works = situation.probed.works if situation.probed else None
    if explained(situation):
        return situation
    if works and _DISAGREEMENT in checks:
        return situation  # "no fault found" beside it would be one answer too many
    if works is None and situation.probed and situation.probed.forbidden and "CON021" in checks:
        return situation  # what to grant is all that there is to say
    return replace(situation, findings=(*situation.findings, _no_finding(situation)))


def explained(situation: Situation) -> bool:
    """Whether something was found that may be why the connection fails."""
    return any(finding.check not in _EXPLAINS_NOTHING for finding in situation.findings)


def _no_finding(situation: Situation) -> Finding:
    probed = situation.probed
    if probed is None or probed.works is None:
        return _could_not_tell(situation)
    if probed.came_back:
        return _came_back(situation)
    return _no_fault(situation) if probed.works else _unexplained(situation, probed.answer)


def _unexplained(situation: Situation, answer: ConnectivityCheck | None) -> Finding:
    named, lost = connection(situation), answer.lost if answer else ""
    how = "loses probes" if answer and answer.reachable else "is unreachable"
    text = f"{named}: {lost}, and Network Watcher names no issue on any hop"
    odd = suspicion(situation) if situation.probed and situation.probed.silent else None
    subject = situation.destination or situation.source
    return said(
        situation,
        UNEXPLAINED,
        f"{named} {how}: {odd.text}" if odd else f"{named} {how}, and Azure sees nothing in the way",
        about=subject.id if subject else None,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="probe", text=text),
        remedy=remedies.look_again(odd.advice)
        if odd
        else remedies.way_out()
        if situation.problem is Problem.VM_TO_INTERNET
        else remedies.look_again(
            "Look inside the guest: does the service listen on the port, does the guest's own firewall allow it, and "
            "does the guest route the answer back?"
        ),
        apart=ends(situation),
    )


def _came_back(situation: Situation) -> Finding:
    named = connection(situation)
    return said(
        situation,
        UNEXPLAINED,
        f"{named} failed, and works again: it came and went while it was looked at",
        about=situation.source.id if situation.source else None,
        severity=Severity.MEDIUM,
        confidence=Confidence.PROVEN,
        cause=Cause(kind="probe", text=f"The first check of {named} failed, the second a little later did not"),
        remedy=remedies.look_again(
            "Look at what comes and goes: load of either VM, a restart, a failover of an appliance, or a change that "
            "was rolled out just now."
        ),
        apart=ends(situation),
        status=Status.RESOLVED,
    )


def _could_not_tell(situation: Situation) -> Finding:
    open_steps = [step for step in situation.steps if step.outcome is not Outcome.PASSED]
    said_once: dict[str, str] = {}
    for step in open_steps:
        said_once.setdefault(step.summary.rstrip("."), step.name)
    causes = [f"{name}: {summary}" for summary, name in said_once.items()] or ["no step could be made"]
    odd = suspicion(situation)
    advice = odd.advice if odd else "Mend what kept the steps from being made, then send the request again."
    return said(
        situation,
        COULD_NOT_TELL,
        f"Could not tell why {connection(situation)} fails{f': {odd.text}' if odd else ''}",
        about=situation.source.id if situation.source else None,
        severity=Severity.MEDIUM,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="unknown", text="; ".join(causes)),
        remedy=remedies.look_again(advice),
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
