"""The connectivity check: make it, and turn each issue on its path into a finding with a fix."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Outcome, Step
from diagnostics.intake.messages import Endpoint, Protocol
from diagnostics.network import ids
from diagnostics.network.connectivity import ConnectionStatus, ConnectivityCheck, Hop, Issue, IssueType, Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.runbooks import step
from diagnostics.runbooks.diagnosis import blocked, connection
from diagnostics.runbooks.owners import find_route, find_rule
from diagnostics.runbooks.questions import Asking, CheckConnectivity, Unread, ask
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine, Situation, machine_of

NAME = "Connectivity check"
_SOURCE_SIDE = frozenset({IssueType.DNS_RESOLUTION, IssueType.SOCKET_ERROR, IssueType.AGENT_STOPPED})
_PORTS = {"windows": 3389, "linux": 22}


@dataclass(frozen=True, slots=True)
class Checked:
    """How the check ended: the step, and a finding for each issue.

    Attributes:
        answer: None where no check was made or answered.
    """

    step: Step
    answer: ConnectivityCheck | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def unexplained(self) -> bool:
        """Whether the destination is unreachable although Azure sees nothing in the way."""
        return self.step.outcome is Outcome.FAILED and not self.findings


def check(situation: Situation, destination: ResourceId | str, port: int | None) -> Asking[Checked]:
    """Probe the destination from the source."""
    source, target = situation.source, situation.destination
    if source is None or isinstance(source.vm, Unread):
        return Checked(step.skipped(NAME, "the source could not be read"))
    if source.vm.running is False:
        return Checked(step.skipped(NAME, f"{source.id.name} does not run, so it can't probe"))
    if target and not isinstance(target.vm, Unread) and target.vm.running is False:
        return Checked(step.skipped(NAME, f"{target.id.name} does not run, so it can't answer"))
    protocol = situation.request.protocol or Protocol.TCP
    probe = Probe(source.id, source.location, destination, None if protocol is Protocol.ICMP else port, protocol)
    answer = yield from ask(CheckConnectivity(probe))
    if isinstance(answer, Unread):
        return Checked(step.inconclusive(NAME, f"Network Watcher could not make it: {answer}"))
    findings = []
    for hop, issue in _errors(answer):
        finding = yield from _finding(situation, answer, hop, issue)
        findings.append(_hardly(finding, answer) if answer.reachable else finding)
    return Checked(_step(situation, answer), answer, tuple(findings))


def aimed(situation: Situation, port: int | None, address: str | None = None) -> Situation:
    """The situation with what is really probed in its request, so that every sentence about it names that.

    Args:
        situation: who and what.
        port: the port that is probed.
        address: the address that is probed, where the request names none.
    """
    end = situation.request.destination or Endpoint()
    port = None if situation.request.protocol is Protocol.ICMP else port
    end = msgspec.structs.replace(end, address=end.address or address, port=port)
    return replace(situation, request=msgspec.structs.replace(situation.request, destination=end))


def usual_port(destination: Machine | None, port: int | None) -> int:
    """The port to try: the one that was asked for, else remote access of the destination's OS, else HTTPS."""
    os = "" if destination is None or isinstance(destination.vm, Unread) else destination.vm.os.lower()
    return port or _PORTS.get(os, 443)


def _step(situation: Situation, answer: ConnectivityCheck) -> Step:
    named = connection(situation)
    if not answer.conclusive:
        text = (
            f"{named}: status {answer.raw_status or 'not given'} with {answer.probes_sent} probes sent proves nothing"
        )
        return step.probed(NAME, text, Outcome.INCONCLUSIVE, answer)
    if answer.status is ConnectionStatus.DEGRADED:
        return step.probed(NAME, f"{named}: {answer.raw_status}, {answer.lost}", Outcome.FAILED, answer)
    if answer.reachable and _to_itself(situation):
        text = f"{named}: {answer.raw_status}, but what a VM sends to itself never leaves it, so this proves nothing"
        return step.probed(NAME, text, Outcome.INCONCLUSIVE, answer)
    if answer.reachable:
        latency = f", {answer.latency:g} ms" if answer.latency is not None else ""
        text = f"{named}: {answer.raw_status}{latency}"
        return step.probed(NAME, text, Outcome.PASSED, answer)
    issues = ", ".join(dict.fromkeys(f"{issue.raw_type} {issue.value}".strip() for _, issue in answer.issues))
    text = f"{named}: {answer.raw_status}" + (f": {issues}" if issues else ", and no hop names an issue")
    return step.probed(NAME, text, Outcome.FAILED, answer)


def _errors(answer: ConnectivityCheck) -> list[tuple[Hop, Issue]]:
    """The issues that count, errors before warnings: of a connection that works, mere warnings do not."""
    grave = [(hop, issue) for hop, issue in answer.issues if issue.severity.lower() != "warning"]
    slight = [(hop, issue) for hop, issue in answer.issues if issue.severity.lower() == "warning"]
    return grave if answer.status is ConnectionStatus.REACHABLE else grave + slight


def _hardly(finding: Finding, answer: ConnectivityCheck) -> Finding:
    """A finding about a connection that works all the same: it can't be what blocks it."""
    cause = Cause(kind="probe", text=f"Probes arrived all the same: {answer.raw_status}, {answer.lost}")
    return msgspec.structs.replace(finding, confidence=Confidence.POSSIBLE, because=(*finding.because, cause))


def _to_itself(situation: Situation) -> bool:
    source, destination = situation.source, situation.destination
    if source is None:
        return False
    return source.id == destination.id if destination else source.owner_of(situation.address) is not None


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
        blocker = yield from find_route(blocker, nics, _address(situation, answer))
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


def _address(situation: Situation, answer: ConnectivityCheck) -> str:
    """The IP address that the probe went to: of the request, the last hop, or the destination's first NIC."""
    nics = situation.destination.read_nics if situation.destination else ()
    configured = [c.address for nic in nics for c in nic.ip_configurations if c.address]
    candidates = [situation.address, answer.hops[-1].address if len(answer.hops) > 1 else None, *configured]
    return next((text for text in candidates if text and _is_ip(text)), "")


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
