"""What of a VM the internet reaches, over both NSGs, security admin rules, and public addresses or load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from diagnostics.checks.catalogue import check
from diagnostics.checks.exposure_bare import FIRST_NSG, closed_addresses, first_group
from diagnostics.checks.exposure_seen import Machine, causes, machines, no_address, outside, shut
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.internet import ADVICE, held_there
from diagnostics.checks.internet_closing import spans
from diagnostics.checks.internet_groups import NEARLY_ALL
from diagnostics.checks.internet_ports import EVERYTHING, WITH_PORTS, Open, Ports, by_protocol, together, told_once
from diagnostics.checks.internet_standing import one_step_down
from diagnostics.checks.services import SERVICES, Kind, Service, named_by
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed
from diagnostics.findings import Remedy, Severity
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.paste import az, links

_ALL = Intervals.all(PORTS_TOP)
_NONE = Intervals.none(PORTS_TOP)
_NAMED = 3
_DOCS = {
    Kind.ADMINISTRATION: f"{links.LEARN}/azure/bastion/bastion-overview",
    Kind.DATA: f"{links.LEARN}/azure/security/fundamentals/network-best-practices",
    Kind.OTHER: f"{links.LEARN}/azure/virtual-network/network-security-groups-overview",
}


@check("EXP001", "Remote administration of a VM reachable from the internet", Severity.CRITICAL)
def administration(view: View) -> Iterator[Said]:
    """SSH, RDP, WinRM, VNC, Telnet or a cluster's API of this VM answers everybody: it is being tried already.

    A finding for each service: both NSGs, security admin rules and a public address or load balancer let it in.
    """
    return _services(view, Kind.ADMINISTRATION)


@check("EXP002", "Data store, directory or file service of a VM reachable from the internet", Severity.CRITICAL)
def data(view: View) -> Iterator[Said]:
    """A database, cache, index, directory or file share of this VM answers everybody: its data is one password away.

    A finding for each service: both NSGs, security admin rules and a public address or load balancer let it in.
    """
    return _services(view, Kind.DATA)


@check("EXP003", "Every port or a broad range of ports of a VM reachable from the internet", Severity.CRITICAL)
def everything(view: View) -> Iterator[Said]:
    """Whatever listens on this VM, now or later, answers everybody.

    It is told instead of EXP001, EXP002 and EXP005, which would name service after service. A broad range is one of a
    thousand ports or more that holds administration or data; services that other rules open too are told on their own.
    """
    for each in machines(view):
        if opens := _every(each.ports):
            what = "every port"
            yield _found(view, each, opens, what, Kind.ADMINISTRATION)
        elif services := _in_range(each):
            yield _range(view, each, services)
        elif missing := _missing(each.ports, NEARLY_ALL):
            yield Unclear(each.id, missing)


@check("EXP004", "VM reachable from the internet because no NSG stands anywhere", Severity.CRITICAL)
def bare(view: View) -> Iterator[Said]:
    """A Basic public address or load balancer is open unless an NSG closes it, and neither NIC nor subnet has one.

    Source: "Public IP addresses" (Standard ones are closed by default).
    """
    for each in machines(view):
        opens = each.bare.opened(EVERYTHING)
        if opens:
            nic = each.points[0].nic
            told = first_group(nic)
            yield Found(
                each.id,
                f"{each.id.name} can be reached from the internet on every port: no NSG stands anywhere",
                (
                    fact("no-nsg", f"Neither {nic.id.name} nor its subnet has an NSG, so nothing is filtered.", nic.id),
                    *causes(each, opens),
                ),
                Remedy(
                    summary=f"{FIRST_NSG} Make the Basic public address a Standard one, which is closed by default.",
                    az_cli=az.lines(told.az_cli, no_address(each.points)),
                    bicep=told.bicep,
                    doc_url=_DOCS[Kind.OTHER],
                    portal_url=links.blade(nic.id, "networksecuritygroup"),
                ),
                severity=_severity(each, Severity.CRITICAL),
            )
        elif each.bare.doubts:
            yield Unclear(each.id, tuple(sorted(each.bare.missing(EVERYTHING))))


@check("EXP005", "Other ports of a VM reachable from the internet", Severity.INFO)
def others(view: View) -> Iterator[Said]:
    """What else of this VM answers everybody, for the inventory: to be held against what is meant to be public."""
    wanted = {
        protocol: _ALL - together(each.ports(protocol) for each in SERVICES if each.kind is not Kind.OTHER)
        for protocol in WITH_PORTS
    }
    for each in machines(view):
        opens = (_outside_range(each) if _in_range(each) else each.ports).opened(wanted)
        if opens and not _every(each.ports):
            yield _found(view, each, opens, f"{_text(opens)}{outside(opens)}", Kind.OTHER)
        elif not opens and (missing := each.ports.missing(wanted)):
            yield Unclear(each.id, tuple(sorted(missing)))


@check("EXP007", "Public address that lets nothing in because no NSG stands there", Severity.MEDIUM)
def closed(view: View) -> Iterator[Said]:
    """A Standard public address is closed until an NSG allows something, and neither NIC nor subnet has one.

    Whoever is meant to be reached by it is not; one that is only a way out is in order. Source: "Public IP addresses".
    """
    return closed_addresses(view)


def _services(view: View, kind: Kind) -> Iterator[Said]:
    services = [(place, each) for place, each in enumerate(SERVICES) if each.kind is kind]
    for machine in machines(view):
        if _every(machine.ports):
            continue
        missing: frozenset[str] = frozenset()
        for place, service in services:
            if (machine.swallowed | ~machine.ports.services) >> place & 1:
                continue
            if opens := machine.ports.opened(service.listens):
                name = f"{service.name} ({_text(opens)}{outside(opens)})"
                yield _found(view, machine, opens, name, kind, service.id)
            else:
                missing |= machine.ports.missing(service.listens)
        if missing:
            yield Unclear(machine.id, tuple(sorted(missing)))


def _in_range(machine: Machine) -> tuple[Service, ...]:
    """The services of administration and data that only a broad range opens, the worst first."""
    return tuple(each for each in named_by(machine.swallowed) if each.kind is not Kind.OTHER)


def _outside_range(machine: Machine) -> Ports:
    """What is open for other reasons than broad ranges."""
    told = by_protocol(machine.broad)
    left = (
        msgspec.structs.replace(each, ports=each.ports - told.get(each.protocol, _NONE)) for each in machine.ports.opens
    )
    return Ports(tuple(each for each in left if each.ports), machine.ports.doubts)


def _range(view: View, machine: Machine, services: tuple[Service, ...]) -> Found:
    kind = Kind.ADMINISTRATION if any(each.kind is Kind.ADMINISTRATION for each in services) else Kind.DATA
    names = listed((each.short for each in services), _NAMED)
    found = _found(view, machine, machine.broad, _text(machine.broad), kind)
    because = (*found.because, fact("services", held_there(machine.broad, services), machine.id))
    return replace(found, title=f"{found.title}{outside(machine.broad)}: among them {names}", because=because)


def _found(view: View, machine: Machine, opens: tuple[Open, ...], what: str, kind: Kind, *parts: str) -> Found:
    done = shut(view, opens, what.partition(" (")[0])
    severity = Severity.INFO if kind is Kind.OTHER else Severity.CRITICAL
    return Found(
        machine.id,
        f"{machine.id.name} can be reached from the internet on {what}",
        causes(machine, opens),
        Remedy(
            summary=f"{ADVICE[kind]} {done.text}",
            az_cli=az.lines(done.az_cli, no_address(machine.points)),
            bicep=done.bicep,
            doc_url=_DOCS[kind],
            portal_url=links.blade(machine.points[0].nic.id, "networksecuritygroup"),
        ),
        parts,
        _severity(machine, severity),
    )


def _severity(machine: Machine, severity: Severity) -> Severity:
    return one_step_down(severity) if machine.power else severity


def _every(ports: Ports) -> tuple[Open, ...]:
    """What opens, where every port of a protocol is open or nearly every one."""
    found: list[Open] = []
    for protocol in ("Tcp", "Udp"):
        if ports.of(protocol).count() >= NEARLY_ALL:
            found += [each for each in ports.opens if each.protocol == protocol]
    return tuple(found)


def _missing(ports: Ports, least: int) -> tuple[str, ...]:
    """What is missing to say whether as many ports are open."""
    found = (each.missing for each in ports.doubts if each.ports.count() >= least and each.protocol in {"Tcp", "Udp"})
    return tuple(sorted(told_once(frozenset[str]().union(*found))))


def _text(opens: Iterable[Open]) -> str:
    found = by_protocol(opens)
    return ", ".join(f"{protocol.upper()} {listed(spans(ports))}" for protocol, ports in found.items())
