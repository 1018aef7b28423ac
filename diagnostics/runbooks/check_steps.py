"""The path of a connectivity check: each issue on it becomes a finding with a fix."""

from __future__ import annotations

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Outcome, Step
from diagnostics.network import ids
from diagnostics.network.connectivity import ConnectionStatus, ConnectivityCheck, Hop, Issue, IssueType
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.runbooks import step
from diagnostics.runbooks.diagnosis import blocked, connection, kind_of
from diagnostics.runbooks.lookups import machine_of
from diagnostics.runbooks.owners import find_route, find_rule
from diagnostics.runbooks.probe_steps import ip_address
from diagnostics.runbooks.probed import Probed, lossy
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine, Situation, done

NAME = "Connectivity check"
_SOURCE_SIDE = frozenset({IssueType.DNS_RESOLUTION, IssueType.SOCKET_ERROR, IssueType.AGENT_STOPPED})


def connectivity(situation: Situation) -> Asking[Situation]:
    """Show the path of the probe, and make a finding of each issue on its hops and links."""
    probed = situation.probed or Probed(why="nothing was probed", tried=False)
    answer = probed.answer
    if answer is None:
        return (yield from done(situation, Step(name=NAME, outcome=probed.outcome, summary=probed.why)))
    findings = []
    for hop, issue in _errors(answer):
        finding = yield from _finding(situation, answer, hop, issue)
        works = answer.reachable and not lossy(answer)
        findings.append(_hardly(finding, answer) if works else _probed(finding, answer))
    told = step.followed(NAME, _summary(situation, answer), _outcome(probed, answer), answer)
    return (yield from done(situation, told, tuple(findings)))


def _outcome(probed: Probed, answer: ConnectivityCheck) -> Outcome:
    """An issue stands in the way even where the check proves nothing else."""
    return Outcome.FAILED if _errors(answer) and not answer.reachable else probed.outcome


def _summary(situation: Situation, answer: ConnectivityCheck) -> str:
    hops = f"{len(answer.hops)} hop{'' if len(answer.hops) == 1 else 's'}"
    named = f"{connection(situation)}: {answer.raw_status or 'no status'} over {hops}"
    issues = [f"{kind_of(issue)} {issue.value}".strip() for _, issue in answer.issues]
    if issues:
        return f"{named}: {', '.join(dict.fromkeys(issues))}"
    return f"{named}, and no hop or link names an issue"


def _errors(answer: ConnectivityCheck) -> list[tuple[Hop, Issue]]:
    """The issues that count, errors before warnings: of a connection that works, mere warnings do not."""
    grave = [(hop, issue) for hop, issue in answer.issues if issue.severity.lower() != "warning"]
    slight = [(hop, issue) for hop, issue in answer.issues if issue.severity.lower() == "warning"]
    return grave if answer.status is ConnectionStatus.REACHABLE else grave + slight


def _hardly(finding: Finding, answer: ConnectivityCheck) -> Finding:
    """A finding about a connection that works all the same: it can't be what blocks it."""
    cause = Cause(kind="probe", text=f"Probes arrived all the same: {answer.raw_status}, {answer.lost}")
    return msgspec.structs.replace(finding, confidence=Confidence.POSSIBLE, because=(*finding.because, cause))


def _probed(finding: Finding, answer: ConnectivityCheck) -> Finding:
    """A finding about a connection that fails, with how it fails: once, however many issues say the same."""
    cause = Cause(kind="probe", text=f"Probed: {answer.raw_status or 'no status'}, {answer.lost}")
    return msgspec.structs.replace(finding, because=(*finding.because, cause))


def _finding(situation: Situation, answer: ConnectivityCheck, hop: Hop, issue: Issue) -> Asking[Finding]:
    machine = (
        situation.source if issue.type in _SOURCE_SIDE else (yield from _machine_at(situation, answer, hop, issue))
    )
    stranger = _resource(hop) if machine is None else None
    blocker = Blocker(issue, machine.id if machine else stranger, place=f"hop {hop.address or hop.type or '?'}")
    nics = _nics_at(machine, hop) if machine else ()
    if issue.type is IssueType.NETWORK_SECURITY_RULE:
        blocker = yield from find_rule(blocker, nics)
    elif issue.type is IssueType.USER_DEFINED_ROUTE and issue.own:
        blocker = yield from find_route(blocker, nics, ip_address(situation, answer))
    about = machine or situation.destination or situation.source
    if about is None:  # a check was made, so there is a source
        raise AssertionError("an issue without a source")
    return blocked(situation, blocker, about.id, about.location)


def _machine_at(situation: Situation, answer: ConnectivityCheck, hop: Hop, issue: Issue) -> Asking[Machine | None]:
    """The machine of a hop: by its resource, by its address, else by which end of the path it is.

    A hop between the ends, such as an appliance, is neither of them: it is looked up, or not known.
    """
    resource, source, destination = _resource(hop), situation.source, situation.destination
    for machine in (source, destination):
        if machine and (resource in {machine.id, *(nic for nic, _ in machine.nics)} or machine.owner_of(hop.address)):
            return machine
    if hop is answer.hops[0]:
        inbound = issue.origin.lower() == "inbound" and len(answer.hops) == 1
        return destination if inbound and destination else source
    if hop is answer.hops[-1] and destination:
        return destination
    return (yield from machine_of(resource)) if resource else None


def _resource(hop: Hop) -> ResourceId | None:
    """The VM or NIC that a hop names, often by an IP configuration."""
    resource = ResourceId.maybe(hop.resource_id)
    return resource.parent if resource is not None and resource.type == ids.IP_CONFIGURATION else resource


def _nics_at(machine: Machine, hop: Hop) -> tuple[Nic, ...]:
    """The NIC of the machine that the path goes through, where the hop tells; else all of them."""
    resource, by_address = _resource(hop), machine.owner_of(hop.address)
    named = [nic for nic in machine.read_nics if nic.id == resource or (by_address and nic.id == by_address.id)]
    return tuple(named) or machine.read_nics
