"""The steps that look inside a guest through Run Command."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace

from diagnostics.errors import ParseError
from diagnostics.findings import Cause, Confidence, Finding, Severity, Step
from diagnostics.intake.messages import Protocol
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Subnet
from diagnostics.network.probes import GuestOutput, GuestScript, Shell
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.guest import remedies, scripts
from diagnostics.runbooks.guest.access import closed, shell_of, unanswered
from diagnostics.runbooks.guest.attempts import WORDS, Attempts, Result, read_attempts
from diagnostics.runbooks.guest.chains import Packet
from diagnostics.runbooks.guest.listeners import Listening, read_listening
from diagnostics.runbooks.guest.remedies import Place
from diagnostics.runbooks.guest.routes import Network, Way, judge
from diagnostics.runbooks.guest.tables import read_routes
from diagnostics.runbooks.guest.wording import NO_GATEWAY, Look, evidence, finding, summary
from diagnostics.runbooks.probing import RunInGuest
from diagnostics.runbooks.questions import Asking, ReadSubnet, Unread, ask
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

ROUTING_TABLE = "Routing table of the guest"
TCP_PING = "TCP ping from inside the guest"
LISTENER = "Listener and firewall in the destination"
GUEST_FIREWALL = "CON005"
NO_LISTENER = "CON008"


def routing_table(
    situation: Situation, machine: Machine, nic: Nic, configuration: IpConfiguration
) -> Asking[Situation]:
    """Does the guest send answers from an address out by its network interface?

    Source: "Troubleshoot Azure VM connectivity problems": the guest gets a default gateway on its primary interface
    only.
    """
    address, why, shell = configuration.address, closed(situation, machine), shell_of(machine)
    if why or address is None or shell is None:
        why = why or f"IP configuration {configuration.name} of {nic.id.name} has no address that Azure shows"
        return (yield from done(situation, skipped(ROUTING_TABLE, why)))
    script = scripts.routes(machine.id, machine.location, shell)
    routes = yield from _inside(ROUTING_TABLE, machine, script, read_routes)
    if isinstance(routes, Step):
        return (yield from done(situation, routes))
    subnet = (yield from ask(ReadSubnet(configuration.subnet))) if configuration.subnet else None
    gateway, prefix = (
        (subnet.gateway(address), _prefix(subnet, address)) if isinstance(subnet, Subnet) else (None, None)
    )
    judgement = judge(routes, address, _source_address(situation, machine, address))
    look = Look(machine, nic, configuration, address, shell, gateway, prefix, routes, judgement)
    return (yield from _judged(situation, look))


def inferred(situation: Situation, machine: Machine, nic: Nic, address: str, gateway: str | None) -> Finding:
    """The finding where the guest's routes were not read, but all else is in order."""
    text = (
        f"Every probe to {address} failed and Azure sees nothing in the way. The guest gets a default gateway on its "
        f"primary interface only, so answers from {nic.id.name} to another subnet do not leave. Inferred from the "
        "configuration; the guest's routes were not read."
    )
    return said(
        situation,
        NO_GATEWAY,
        f"{machine.id.name} does not answer on its secondary interface {nic.id.name}: no default gateway in the guest?",
        about=machine.id,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind="default gateway", text=text, name=nic.id.name, resource_id=nic.id.text),
        remedy=remedies.default_gateway(Place(shell_of(machine), address, gateway)),
    )


def tcp_ping(situation: Situation, address: str, port: int | None) -> Asking[Situation]:
    """Connect from inside the source, several times, as a person does with tcping.

    Args:
        situation: who and what.
        address: an IP address or host name; the id of the destination stands for its first address.
        port: a TCP port.
    """
    machine, shell = situation.source, shell_of(situation.source)
    if situation.destination and ResourceId.maybe(address):
        address = _destination_address(situation, situation.destination)
    why = closed(situation, machine) or _no_tcp(situation, port)
    if why or machine is None or shell is None or port is None:
        return (yield from done(situation, skipped(TCP_PING, why)))
    try:
        script = scripts.tcp_ping(machine.id, machine.location, shell, address, port)
    except ParseError as error:
        return (yield from done(situation, skipped(TCP_PING, str(error))))
    attempts = yield from _inside(TCP_PING, machine, script, read_attempts)
    if isinstance(attempts, Step):
        return (yield from done(situation, attempts))
    step = _pinged(machine, address, port, attempts)
    findings = (_refused(situation, machine, address, port),) if attempts.only(Result.REFUSED) else ()
    return (yield from done(situation, step, findings))


def listener(situation: Situation, port: int | None) -> Asking[Situation]:
    """Does something listen on the port in the destination, and does the guest's own firewall let it in?"""
    machine, shell = situation.destination, shell_of(situation.destination)
    why = closed(situation, machine) or _no_tcp(situation, port)
    if why or machine is None or shell is None or port is None:
        return (yield from done(situation, skipped(LISTENER, why)))
    address = _destination_address(situation, machine)
    packet = Packet(port, _source_address(situation, machine, address))
    script = scripts.destination(machine.id, machine.location, shell, port, ipv6=":" in address)
    listening = yield from _inside(LISTENER, machine, script, lambda output: read_listening(output, packet))
    if isinstance(listening, Step):
        return (yield from done(situation, listening))
    unheard = _unheard(situation, machine, address, port, listening)
    kept_out = _kept_out(situation, machine, shell, port, listening)
    findings = tuple(each for each in (unheard, kept_out) if each)
    situation = _without_suspicion(situation, machine, listening)
    return (yield from done(situation, _listened(machine, address, port, listening, findings), findings))


def _without_suspicion(situation: Situation, machine: Machine, listening: Listening) -> Situation:
    """Azure only suspects the guest's firewall; where its own rules let the port in, it is not to blame."""
    verdict = listening.firewall
    if verdict is None or verdict.blocks or not verdict.sure:
        return situation
    suspected = (GUEST_FIREWALL, machine.id.text.lower())
    kept = (each for each in situation.findings if (each.check, each.resource.id.lower()) != suspected)
    return replace(situation, findings=tuple(kept))


def _inside[T](name: str, machine: Machine, script: GuestScript, read: Callable[[GuestOutput], T]) -> Asking[T | Step]:
    """What a script said, or the step that says why it did not."""
    output = yield from ask(RunInGuest(script))
    if isinstance(output, Unread):
        return inconclusive(name, unanswered(machine, output))
    try:
        return read(output)
    except ParseError as error:
        shown = [f"{stream}: {line}" for stream in ("stdout", "stderr") for line in _last(getattr(output, stream))]
        return inconclusive(name, f"what {machine.id.name} answered can't be read: {error}", *shown)


def _last(text: str) -> list[str]:
    return [line.strip()[:200] for line in text.splitlines() if line.strip()][-3:]


def _no_tcp(situation: Situation, port: int | None) -> str:
    if situation.request.protocol is Protocol.ICMP:
        return "ICMP was asked for, and this is about TCP ports"
    return "" if port is not None else "no TCP port is known"


def _judged(situation: Situation, look: Look) -> Asking[Situation]:
    seen, text = tuple(evidence(look)), summary(look)
    if look.judgement.good:
        return (yield from done(situation, passed(ROUTING_TABLE, text, *seen)))
    if look.judgement.way is Way.NOT_CONFIGURED and not look.judgement.certain:
        text = f"{look.address} was not seen in {look.machine.id.name}'s guest, but not all could be read"
        return (yield from done(situation, inconclusive(ROUTING_TABLE, text, *seen)))
    return (yield from done(situation, failed(ROUTING_TABLE, text, *seen), (finding(situation, look),)))


def _prefix(subnet: Subnet, address: str) -> Network | None:
    try:
        networks = [ipaddress.ip_network(prefix, strict=False) for prefix in subnet.prefixes]
        return next((network for network in networks if ipaddress.ip_address(address) in network), None)
    except ValueError:
        return None


def _source_address(situation: Situation, machine: Machine, address: str) -> str:
    """Who asks: the source's first address of the same IP version; empty where that is not another machine's."""
    source = situation.source
    if source is None or source.id == machine.id:
        return ""
    configured = [c.address for nic in source.read_nics for c in nic.ip_configurations if c.address]
    return next((text for text in configured if (":" in text) == (":" in address)), "")


def _destination_address(situation: Situation, machine: Machine) -> str:
    """The address that is asked for: of the request where the machine has it, else the first of the NIC it means."""
    if situation.address and machine.owner_of(situation.address):
        return situation.address
    nic = machine.meant(situation.address) or next(iter(machine.read_nics), None)
    return next((c.address for c in nic.ip_configurations if c.address), "") if nic else ""


def _pinged(machine: Machine, address: str, port: int, attempts: Attempts) -> Step:
    end = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    name = machine.id.name
    lines = [f"{address} resolves to {attempts.resolved} on {name}"] if attempts.resolved else []
    lines += [f"{end} {attempt}" for attempt in attempts.each]
    opened, total = len(attempts.latencies), len(attempts.each)
    if attempts.only(Result.NAME):
        return failed(TCP_PING, f"{name}: the name {address} does not resolve there", *lines)
    results = dict.fromkeys(attempt.result for attempt in attempts.each if attempt.result is not Result.OPEN)
    why = ", ".join(WORDS[result] for result in results)
    if not opened:
        hint = (
            " (the host answers, and nothing listens there or a firewall rejects)" if Result.REFUSED in results else ""
        )
        return failed(TCP_PING, f"{name} → {end}: 0 of {total} answered: {why}{hint}", *lines)
    low, mean, high = min(attempts.latencies), sum(attempts.latencies) / opened, max(attempts.latencies)
    text = f"{name} → {end}: {opened} of {total} answered, {low:.1f}/{mean:.1f}/{high:.1f} ms min/avg/max"
    return passed(TCP_PING, text, *lines) if opened == total else failed(TCP_PING, f"{text}; else: {why}", *lines)


def _refused(situation: Situation, machine: Machine, address: str, port: int) -> Finding:
    about = situation.destination or machine
    text = (
        f"From inside {machine.id.name}, every connection to {address} port {port} was refused: the host answers, so "
        "the network carries it, and nothing listens there or a firewall at the far end rejects it."
    )
    at = about.id.name if situation.destination else address
    return said(
        situation,
        NO_LISTENER,
        f"{at} refuses connections on port {port}: nothing listens there, or a firewall rejects them",
        about=about.id,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(kind="listener", text=text, name=str(port), resource_id=about.id.text),
        remedy=remedies.listen(port, ()),
        apart="" if situation.destination else address,
    )


def _unheard(situation: Situation, machine: Machine, address: str, port: int, listening: Listening) -> Finding | None:
    """The finding that nothing listens where it is asked; None where something does, or that can't be told."""
    if listening.unread or listening.forwarded or listening.on(address or None):
        return None
    name, places = machine.id.name, ", ".join(listening.addresses)
    where = f"listens on {places} only, not on {address or 'an address of its network interfaces'}"
    title = f"Port {port} of {name} {where}" if places else f"Nothing listens on port {port} of {name}"
    return said(
        situation,
        NO_LISTENER,
        title,
        about=machine.id,
        severity=Severity.HIGH,
        confidence=Confidence.PROVEN,
        cause=Cause(kind="listener", text=f"Read in the guest: {title}", name=str(port), resource_id=machine.id.text),
        remedy=remedies.listen(port, listening.addresses),
    )


def _kept_out(situation: Situation, machine: Machine, shell: Shell, port: int, listening: Listening) -> Finding | None:
    """The finding that the guest's own firewall blocks it; None where it does not, or that can't be told."""
    verdict = listening.firewall
    if verdict is None or not verdict.blocks:
        return None
    name = machine.id.name
    text = f"Read in the guest: port {port} is blocked by {verdict.rule}"
    address = _destination_address(situation, machine)
    source = _source_address(situation, machine, address)
    return said(
        situation,
        GUEST_FIREWALL,
        f"The firewall inside {name} blocks port {port}: {verdict.rule}",
        about=machine.id,
        severity=Severity.HIGH,
        confidence=Confidence.PROVEN if verdict.sure else Confidence.LIKELY,
        cause=Cause(kind="firewall", text=text, name=verdict.name or verdict.rule, resource_id=machine.id.text),
        remedy=remedies.allow_port(shell, port, verdict, source=source, ipv6=":" in address),
        fault=str(port),
    )


def _listened(machine: Machine, address: str, port: int, listening: Listening, findings: tuple[Finding, ...]) -> Step:
    name, verdict = machine.id.name, listening.firewall
    lines = [f"listens on {each} port {port}" for each in listening.addresses] or [f"nothing listens on port {port}"]
    if listening.unread:
        lines = [f"listeners not known: {listening.unread}"]
    lines += [f"handed on: {rule}" for rule in listening.forwarded]
    firewall = "what the firewall says is not known"
    if verdict is not None:
        firewall = (
            f"{'blocked' if verdict.blocks else 'let in'} by {verdict.rule}{'' if verdict.sure else ' (not sure)'}"
        )
    lines.append(firewall)
    if findings:
        return failed(LISTENER, "; ".join(each.title for each in findings), *lines)
    heard = not listening.unread and (listening.on(address or None) or listening.forwarded)
    if heard and verdict is not None and verdict.sure:
        return passed(LISTENER, f"{name} listens on port {port}, and its firewall lets it in ({verdict.rule})", *lines)
    half = f"{name} listens on port {port}, but" if heard else f"on {name},"
    rest = firewall if heard else f"listeners are not known: {listening.unread}"
    return inconclusive(LISTENER, f"{half} {rest}", *lines)
