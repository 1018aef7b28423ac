"""The connectivity check: make it, and turn each issue on its path into a finding with a fix."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.findings import Finding, Outcome, Step
from diagnostics.intake.messages import Protocol
from diagnostics.network.connectivity import ConnectivityCheck, Hop, Issue, IssueType, Probe
from diagnostics.network.ids import IP_CONFIGURATION, NETWORK_INTERFACE, ResourceId
from diagnostics.runbooks import step
from diagnostics.runbooks.diagnosis import blocked, connection
from diagnostics.runbooks.owners import find_route, find_rule
from diagnostics.runbooks.questions import Asking, CheckConnectivity, Unread, ask
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine, Situation

NAME = "Connectivity check"
_SOURCE_SIDE = frozenset({IssueType.USER_DEFINED_ROUTE, IssueType.DNS_RESOLUTION, IssueType.SOCKET_ERROR})
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
    source = situation.source
    if source is None or isinstance(source.vm, Unread):
        return Checked(step.skipped(NAME, "the source could not be read"))
    if source.vm.running is False:
        return Checked(step.skipped(NAME, f"{source.id.name} does not run, so it can't probe"))
    protocol = situation.request.protocol or Protocol.TCP
    probe = Probe(source.id, source.location, destination, None if protocol is Protocol.ICMP else port, protocol)
    answer = yield from ask(CheckConnectivity(probe))
    if isinstance(answer, Unread):
        return Checked(step.inconclusive(NAME, f"Network Watcher could not make it: {answer}"))
    findings = []
    for hop, issue in _errors(answer):
        findings.append((yield from _finding(situation, answer, hop, issue)))
    return Checked(_step(situation, answer), answer, tuple(findings))


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
    if answer.reachable:
        latency = f", {answer.latency:g} ms" if answer.latency is not None else ""
        text = f"{named}: {answer.raw_status}{latency}"
        return step.probed(NAME, text, Outcome.PASSED, answer)
    issues = ", ".join(dict.fromkeys(f"{issue.raw_type} {issue.value}".strip() for _, issue in answer.issues))
    text = f"{named}: {answer.raw_status}" + (f": {issues}" if issues else ", and no hop names an issue")
    return step.probed(NAME, text, Outcome.FAILED, answer)


def _errors(answer: ConnectivityCheck) -> list[tuple[Hop, Issue]]:
    """The issues that count: of a connection that works, an error still does, a mere warning does not."""
    return [(hop, issue) for hop, issue in answer.issues if not answer.reachable or issue.severity.lower() == "error"]


def _finding(situation: Situation, answer: ConnectivityCheck, hop: Hop, issue: Issue) -> Asking[Finding]:
    machine = _machine_at(situation, answer, hop, issue)
    blocker = Blocker(issue, machine.id if machine else None)
    if issue.type is IssueType.NETWORK_SECURITY_RULE and machine:
        blocker = yield from find_rule(blocker, machine)
    elif issue.type is IssueType.USER_DEFINED_ROUTE and machine:
        blocker = yield from find_route(blocker, machine, _address(situation, answer))
    about = situation.destination or situation.source
    if issue.type in _SOURCE_SIDE or about is None:
        about = machine or situation.source
    resource = about.id if about else blocker.owner
    if resource is None:  # a check was made, so there is a source
        raise AssertionError("an issue without a source")
    return blocked(situation, blocker, resource, about.location if about else "")


def _machine_at(situation: Situation, answer: ConnectivityCheck, hop: Hop, issue: Issue) -> Machine | None:
    """The machine of a hop: by its resource, by its address, else by which end of the path it is."""
    machines = [machine for machine in (situation.source, situation.destination) if machine]
    resource = ResourceId.maybe(hop.resource_id)
    if resource is not None and resource.type == IP_CONFIGURATION:
        resource = resource.parent
    for machine in machines:
        ids = (
            {nic_id for nic_id, _ in machine.nics} if resource and resource.type == NETWORK_INTERFACE else {machine.id}
        )
        if resource in ids or machine.owner_of(hop.address):
            return machine
    inbound = issue.origin.lower() == "inbound" or (answer.hops and hop is answer.hops[-1] and len(answer.hops) > 1)
    return situation.destination if inbound and situation.destination else situation.source


def _address(situation: Situation, answer: ConnectivityCheck) -> str:
    """The address that the probe went to: of the request, the last hop, or the destination's first NIC."""
    nics = situation.destination.read_nics if situation.destination else ()
    configured = [c.address for nic in nics for c in nic.ip_configurations if c.address]
    candidates = [situation.address, answer.hops[-1].address if len(answer.hops) > 1 else None, *configured]
    return next((text for text in candidates if text), "")
