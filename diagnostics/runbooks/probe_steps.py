"""The steps that probe: a TCP ping through Network Watcher, remote access, and the same check again.

One connectivity check sends some thirty to a hundred probes and counts what came back: that is what `tcping -t` shows.
Its hops and issues are another step, `check_steps.connectivity`.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from diagnostics.findings import Cause, Finding, Outcome, Status, Step
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Protocol
from diagnostics.network.connectivity import ConnectivityCheck, Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.prefixes import address_of
from diagnostics.runbooks import step
from diagnostics.runbooks.diagnosis import connection
from diagnostics.runbooks.probed import Probed, lossy
from diagnostics.runbooks.probing import CheckConnectivity
from diagnostics.runbooks.questions import Asking, Unread, ask
from diagnostics.runbooks.situation import Machine, Situation, done

AGAIN = "Check again"
_BLOCKING = frozenset({"CON001", "CON002", "CON005", "CON008", "CON010", "CON016", "CON017", "CON018"})
"""Checks about what stops a connection: if it works, they are no more. The others are faults with or without it."""
_PORTS = {"windows": 3389, "linux": 22}
_REMOTE = {3389: "RDP", 22: "SSH"}
_NAMES = {Protocol.ICMP: "ICMP ping", Protocol.HTTP: "HTTP probe", Protocol.HTTPS: "HTTPS probe"}

type Target = ResourceId | str


def ping(situation: Situation, target: Target, port: int | None) -> Asking[Situation]:
    """Probe the destination from the source, and tell loss and latency."""
    probed = yield from _probe(situation, target, port)
    situation = replace(situation, probed=probed)
    name = _NAMES.get(_protocol(situation), "TCP ping")
    return (yield from done(situation, _told(name, situation, probed)))


def remote_access(situation: Situation, target: Target) -> Asking[Situation]:
    """Try RDP or SSH, by the destination's OS: does the machine answer at all, or just not on the port in question?"""
    machine, probed = situation.destination, situation.probed
    port = _PORTS.get(_os(machine))
    name = f"{_REMOTE[port]} ({port})" if port else "RDP or SSH"
    if port is None:
        return (yield from done(situation, step.skipped(name, "the destination's operating system is not known")))
    if port == situation.port and _protocol(situation) is Protocol.TCP:
        return (yield from done(situation, step.skipped(name, "it is the port that was probed")))
    if probed is not None and probed.works:
        text = f"{connection(situation)} works, so the machine is reachable"
        return (yield from done(situation, step.skipped(name, text)))
    other = aimed(situation, port, protocol=Protocol.TCP)
    tried = yield from _probe(other, target, port)
    return (yield from done(situation, _remote(name, situation, other, tried)))


def primary_too(situation: Situation, machine: Machine, nic: Nic, port: int | None) -> Asking[Situation]:
    """Where a secondary interface does not answer: does the machine on its primary address, from end to end?"""
    name, probed = "Primary address", situation.probed
    address = _primary_address(machine, nic)
    if probed is None or not probed.tried or probed.works is not False:
        text = "the secondary address answers" if probed and probed.works else "the secondary address told nothing"
        return (yield from done(situation, step.skipped(name, text)))
    if address is None:
        return (yield from done(situation, step.skipped(name, f"no primary address of {machine.id.name} is known")))
    other = replace(situation, request=_to(situation.request, address))
    tried = yield from _probe(other, address, port)
    told, meaning = _told(name, other, tried), ""
    if tried.works is not None:
        meaning = f": it is {nic.id.name} that fails" if tried.works else f": it is not {nic.id.name} alone that fails"
    return (yield from done(situation, msgspec.structs.replace(told, summary=told.summary + meaning)))


def _primary_address(machine: Machine, secondary: Nic) -> str | None:
    """The first address of the machine's primary NIC, of the secondary one's family where it has one."""
    family = {":" in each.address for each in secondary.ip_configurations if each.address}
    nics = (nic for nic in machine.read_nics if not machine.is_secondary(nic) and nic.id != secondary.id)
    found = [each for nic in nics for each in sorted(nic.ip_configurations, key=lambda c: not c.primary)]
    return next((each.address for each in found if each.address and (":" in each.address) in family), None)


def _to(request: DiagnosisRequest, address: str) -> DiagnosisRequest:
    end = msgspec.structs.replace(request.destination or Endpoint(), address=address)
    return msgspec.structs.replace(request, destination=end)


def again(situation: Situation, target: Target, port: int | None) -> Asking[Situation]:
    """Make the check once more, if it failed: what it found is still there, or gone."""
    if situation.probed is None or situation.probed.works is not False:
        return (yield from done(situation, step.skipped(AGAIN, _why_not_again(situation.probed))))
    probed = yield from _probe(situation, target, port, attempt=2)
    told = _told(AGAIN, situation, probed)
    if probed.works is None:
        return (yield from done(situation, told))
    situation = replace(situation, findings=_looked_at_again(situation.findings, probed))
    if probed.works:
        situation = replace(situation, probed=replace(probed, came_back=True))
    return (yield from done(situation, told))


def _why_not_again(first: Probed | None) -> str:
    if first is None or first.answer is None:
        return "there was no check that could be made again"
    return "the first check did not fail" if first.works else "the first check proved nothing"


def aimed(
    situation: Situation, port: int | None, address: str | None = None, *, protocol: Protocol | None = None
) -> Situation:
    """The situation with what is really probed in its request, so that every sentence about it names that.

    Args:
        situation: who and what.
        port: the port that is probed.
        address: the address that is probed, where the request names none.
        protocol: the protocol that is probed with, where it is another than the request's.
    """
    end = situation.request.destination or Endpoint()
    protocol = protocol or situation.request.protocol
    port = None if protocol is Protocol.ICMP else port
    end = msgspec.structs.replace(end, address=end.address or address, port=port)
    return replace(situation, request=msgspec.structs.replace(situation.request, destination=end, protocol=protocol))


def usual_port(destination: Machine | None, port: int | None) -> int:
    """The port to try: the one that was asked for, else remote access of the destination's OS, else HTTPS."""
    return port or _PORTS.get(_os(destination), 443)


def ip_address(situation: Situation, answer: ConnectivityCheck | None) -> str:
    """The IP address that is probed: of the request, the check's last hop, or the destination's first NIC; or empty."""
    nics = situation.destination.read_nics if situation.destination else ()
    configured = [c.address for nic in nics for c in sorted(nic.ip_configurations, key=lambda c: not c.primary)]
    last = answer.hops[-1].address if answer and len(answer.hops) > 1 else None
    return next((text for text in (situation.address, last, *configured) if text and address_of(text)), "")


def _probe(situation: Situation, target: Target, port: int | None, attempt: int = 1) -> Asking[Probed]:
    """One check, if one can be made."""
    source, destination = situation.source, situation.destination
    if source is None or isinstance(source.vm, Unread):
        why = f"{source.name} does not exist" if source and source.missing else "the source could not be read"
        return Probed(why=why, tried=False)
    if situation.obstacle:
        return Probed(why=situation.obstacle, tried=False)
    if source.vm.running is False:
        return Probed(why=f"{source.id.name} does not run, so it can't probe", tried=False)
    if destination and destination.missing and isinstance(target, ResourceId):
        return Probed(why=f"{destination.name} does not exist, so it can't answer", tried=False)
    if destination and not isinstance(destination.vm, Unread) and destination.vm.running is False:
        return Probed(why=f"{destination.id.name} does not run, so it can't answer", tried=False)
    protocol = _protocol(situation)
    probe = Probe(source.id, source.location, target, None if protocol is Protocol.ICMP else port, protocol)
    answer = yield from ask(CheckConnectivity(probe, attempt))
    if isinstance(answer, Unread):
        return Probed(why=_refused(answer), forbidden=bool(answer.action))
    if answer.reachable and _to_itself(situation):
        return Probed(answer, "what a VM sends to itself never leaves it, so this proves nothing")
    return Probed(answer)


def _refused(answer: Unread) -> str:
    """Why there is no answer; what Azure says of a missing permission is long, and another step names it in full."""
    if not answer.action:
        return f"Network Watcher could not make it: {answer}"
    scope = ResourceId.maybe(answer.scope)
    return f"Network Watcher may not make it: {answer.action} is missing{f' on {scope.name}' if scope else ''}"


def _told(name: str, situation: Situation, probed: Probed) -> Step:
    """The step that shows what came of it, in counts and latency."""
    answer, named = probed.answer, connection(situation)
    if answer is None:
        return Step(name=name, outcome=probed.outcome, summary=probed.why)
    if probed.outcome is Outcome.INCONCLUSIVE:
        text = f"status {answer.raw_status or 'not given'} with {answer.probes_sent} probes sent proves nothing"
        return step.counted(name, f"{named}: {probed.why or text}", probed.outcome, answer)
    arrived = answer.probes_sent - answer.probes_failed
    counts = f"{arrived} of {answer.probes_sent} probes answered" if answer.probes_sent else "no probe was sent"
    latency = f", {answer.latencies}" if answer.latencies else ""
    loss = f", {answer.probes_failed / answer.probes_sent:.0%} lost" if answer.probes_failed and lossy(answer) else ""
    return step.counted(name, f"{named}: {answer.raw_status}, {counts}{loss}{latency}", probed.outcome, answer)


def _remote(name: str, situation: Situation, other: Situation, tried: Probed) -> Step:
    """What remote access says about the connection in question; by itself it is no fault that it is closed."""
    told = _told(name, other, tried)
    if tried.works is None:
        return told
    if tried.works:
        meaning = f"so {other.destination.id.name if other.destination else 'it'} is up and reachable"
        if situation.probed is not None and situation.probed.silent:
            meaning += f": what fails is {connection(situation)} alone"
        return msgspec.structs.replace(told, summary=f"{told.summary}; {meaning}")
    return msgspec.structs.replace(told, summary=f"{told.summary}; it may well be closed on purpose")


def _of_probe(finding: Finding) -> bool:
    """Whether a finding rests on the connectivity check."""
    return finding.status is Status.OPEN and any(cause.kind == "probe" for cause in finding.because)


def _looked_at_again(findings: tuple[Finding, ...], probed: Probed) -> tuple[Finding, ...]:
    """The findings after the second check: those that the first one made, and what would block the connection."""
    probing = {finding.finding_id for finding in findings if _of_probe(finding)}
    return tuple(
        _after(finding, probed, by_probe=finding.finding_id in probing)
        if finding.finding_id in probing or (finding.check in _BLOCKING and finding.status is Status.OPEN)
        else finding
        for finding in findings
    )


def _after(finding: Finding, probed: Probed, *, by_probe: bool) -> Finding:
    """A finding with what the second check says about it.

    Whatever is configured, it does not stop a connection that works: it was mended meanwhile, or never in force.
    """
    status, lost = Status.RESOLVED if probed.works else Status.OPEN, probed.answer.lost if probed.answer else ""
    if probed.works:
        told = "it is gone, the probes arrive now" if by_probe else "the probes arrive now, so it stops them no more"
    else:
        told = f"it is still there, {lost}" if by_probe else f"the connection still fails, {lost}"
    text = f"Checked again: {told}"
    because = (*finding.because, Cause(kind="probe", text=text))
    return msgspec.structs.replace(finding, because=because, status=status)


def _to_itself(situation: Situation) -> bool:
    source, destination = situation.source, situation.destination
    if source is None:
        return False
    return source.id == destination.id if destination else source.owner_of(situation.address) is not None


def _protocol(situation: Situation) -> Protocol:
    return situation.request.protocol or Protocol.TCP


def _os(machine: Machine | None) -> str:
    return "" if machine is None or isinstance(machine.vm, Unread) else machine.vm.os.lower()
