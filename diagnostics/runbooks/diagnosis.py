"""The result of a runbook, and the findings that all runbooks share."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Resource, Severity, Status, Step, fingerprint
from diagnostics.intake.messages import Endpoint, Problem, RemediationRequest
from diagnostics.network.connectivity import Issue
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks import remedies
from diagnostics.runbooks.particulars import filled
from diagnostics.runbooks.ranking import ranked
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine, Situation

NO_FAULT = "CON000"
NOT_PUT_BACK = "REM001"
_QUEUE = "remediation-requests"
_INSIDE = frozenset({"firewall", "listener"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a runbook found.

    Attributes:
        why: why this problem was picked.
        steps: in order; each finding carries them too.
        findings: what is wrong, the surest cause first; never empty, for "no fault found" is said as well.
        works: whether the connection works, by the last probe of it; None where that is not known.
    """

    request_id: str
    problem: Problem
    why: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    works: bool | None = None


def conclude(situation: Situation) -> Diagnosis:
    """The diagnosis: every fault once, with all steps and the request it answers."""
    request, steps = situation.request, situation.steps
    whole = tuple(
        msgspec.structs.replace(finding, steps=steps, request_id=request.request_id)
        for finding in ranked(situation.findings)
    )
    works = situation.probed.works if situation.probed else None
    return Diagnosis(request.request_id, situation.problem, situation.why, steps, whole, works)


def blocked(situation: Situation, blocker: Blocker, resource: ResourceId, location: str) -> Finding:
    """The finding for an issue of a connectivity check, by the runbook's table."""
    issue, row = blocker.issue, remedies.row(blocker.issue)
    at = blocker.at.name if blocker.at else blocker.place
    name = blocker.name or "(not named)"
    words = {"name": name, "at": at, "type": issue.raw_type or "unknown", "connection": connection(situation)}
    title = row.title.format_map(words).replace(" (not named)", "")
    where = blocker.owner or blocker.at
    said = f"{kind_of(issue)} {blocker.name}".strip()
    text = f"Network Watcher: {said}, {issue.origin.lower() or 'on the path'}, at {at}"
    cause = Cause(kind=row.kind, text=text, name=blocker.name, resource_id=where.text if where else "")
    unread = (Cause(kind="unknown", text=f"Not read while looking for where it lies: {why}") for why in blocker.unread)
    return Finding(
        # Not the other end: a rule that blocks fifty sources is one fault of the destination, and one card.
        finding_id=_fault(situation, blocker, resource, where),
        check=row.check,
        title=title,
        severity=row.severity,
        confidence=row.confidence,
        resource=Resource.of(resource, location),
        because=(cause, *unread),
        remedy=row.remedy(filled(situation, blocker)),
    )


def kind_of(issue: Issue) -> str:
    """What Azure calls an issue; some have but a number, which alone would say nothing."""
    return f"issue of type {issue.raw_type}" if issue.raw_type.isdigit() else issue.raw_type


def _fault(situation: Situation, blocker: Blocker, resource: ResourceId, where: ResourceId | None) -> str:
    """The id of the fault that an issue names, the same as where another step finds it."""
    issue, row = blocker.issue, remedies.row(blocker.issue)
    if row.kind in _INSIDE:  # Azure names a firewall or nothing; the guest itself, a rule
        return fingerprint(row.check, resource.key, str(situation.port or ""), "")
    named = "" if row.kind == "usage" else blocker.name  # a reading of 99 % and one of 98 % are one fault
    return fingerprint(row.check, resource.key, issue.type, named, where.key if where else "")


def after_reput(finding: Finding, status: Status, steps: tuple[Step, ...]) -> Finding:
    """The finding for a failed NIC after it was put back, or after that failed: in words of what is so now."""
    nic, last = finding.resource.name, steps[-1].summary
    match status:
        case Status.REMEDIATED:
            title = f"Network interface {nic} was put back: {last}"
            remedy = remedies.look_again("Nothing to mend. If the VM still can't be reached, the fault lies elsewhere.")
        case Status.RESOLVED:
            title = f"Network interface {nic} is in order again: {last}"
            remedy = remedies.look_again("Nothing to mend.")
        case _:
            title = f"Network interface {nic} could not be put back: {last}"
            text = f"Mend what the steps name, then put it back. {finding.remedy.summary}"
            remedy = msgspec.structs.replace(finding.remedy, summary=text)
    return msgspec.structs.replace(finding, status=status, steps=steps, title=title, remedy=remedy)


def not_put_back_yet(
    finding: Finding, steps: tuple[Step, ...], why: str, *, to_approve: RemediationRequest | None = None
) -> Finding:
    """The finding for a failed NIC that would be put back if that were allowed.

    Args:
        finding: about the NIC.
        steps: what would be done.
        why: why it was not.
        to_approve: the request, where it only waits for approval: the remedy is then how to give it.
    """
    remedy = msgspec.structs.replace(finding.remedy, summary=f"Not put back: {why}. {finding.remedy.summary}")
    if to_approve is not None:
        approval = msgspec.structs.replace(to_approve, approved_by="your name").to_json().decode()
        command = f"az storage message put --auth-mode login {remedies.arguments(queue_name=_QUEUE, content=approval)}"
        text = "To approve it, send the message below with your name, to the storage account of the function app."
        remedy = msgspec.structs.replace(finding.remedy, summary=text, az_cli=command)
    title = f"{finding.title}; it would be put back, but {why}"
    return msgspec.structs.replace(finding, title=title, steps=steps, remedy=remedy)


def refused(resource: ResourceId, why: str, step: Step, *, apart: str) -> Finding:
    """The answer to a remediation request that was refused: said once for each request, nothing to mend."""
    return Finding(
        finding_id=fingerprint(NOT_PUT_BACK, resource.key, apart),
        check=NOT_PUT_BACK,
        title=f"{resource.name} was not put back: {why}",
        severity=Severity.INFO,
        status=Status.RESOLVED,
        confidence=Confidence.PROVEN,
        resource=Resource.of(resource),
        because=(Cause(kind="guard", text=why, resource_id=resource.text),),
        steps=(step,),
        remedy=remedies.look_again("Nothing was sent to Azure."),
    )


def said(
    situation: Situation,
    check: str,
    title: str,
    *,
    about: ResourceId | None,
    severity: Severity,
    confidence: Confidence,
    cause: Cause,
    remedy: Remedy,
    fault: str | None = None,
    apart: str = "",
    status: Status = Status.OPEN,
) -> Finding:
    """A finding about one end of the connection that comes from no issue of Azure's.

    `about` is None where the resource that was asked about could not be found. `fault` is what tells this fault from
    others of the same check and resource; without it, the cause's name does. `apart` tells it from the same fault of
    the same resource elsewhere, such as with another source.
    """
    machines = (situation.source, situation.destination)
    location = next((machine.location for machine in machines if machine and machine.id == about), "")
    unfound = Resource(id="", name=str(situation.request.source), type="")
    return Finding(
        finding_id=fingerprint(
            check, about.key if about else unfound.name, cause.name if fault is None else fault, apart
        ),
        check=check,
        title=title,
        severity=severity,
        status=status,
        confidence=confidence,
        resource=Resource.of(about, location) if about else unfound,
        because=(cause,),
        remedy=remedy,
    )


def connection(situation: Situation) -> str:
    """The connection in words: `web-1 → sql-1:1433`."""
    source, destination, address = situation.source, situation.destination, situation.address
    to = destination.name if destination else _named(situation.request.destination) or "the internet"
    if destination and address and _leaves_open(destination, address):
        to = f"{to} ({address})"
    if situation.port and ":" in to and "(" not in to:
        to = f"[{to}]"  # an IPv6 address
    port = f":{situation.port}" if situation.port else ""
    return f"{source.name if source else _named(situation.request.source)} → {to}{port}"


def _named(end: Endpoint | None) -> str:
    """What a request calls an end that is no known machine."""
    if end is None:
        return ""
    resource = end.resource
    return end.address or end.name or (resource.name if resource else "")


def _leaves_open(machine: Machine, address: str) -> bool:
    """Whether a machine's name alone leaves open what is probed: one of several addresses, or one that is not its own.

    A load balancer's frontend stands for the machines behind it.
    """
    addresses = {each.address for nic in machine.read_nics for each in nic.ip_configurations if each.address}
    return len(machine.nics) > 1 or len(addresses) > 1 or bool(addresses and not machine.owner_of(address))


def ends(situation: Situation) -> str:
    """Both ends of the connection, as part of a fingerprint."""
    request, source, destination = situation.request, situation.source, situation.destination
    to = destination.id.key if destination else _named(request.destination) or "internet"
    return f"{source.id.key if source else request.source}>{to}:{situation.port or ''}"
