"""What an NSG lets in from the internet: judged by priority, by where it stands, and by what else stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.internet_closing import closing, spans
from diagnostics.checks.internet_groups import NEARLY_ALL, Group, groups, long_spans, opened_by
from diagnostics.checks.internet_large import names_cloud
from diagnostics.checks.internet_ports import WITH_PORTS, Open, Ports, Wanted, by_protocol, together
from diagnostics.checks.internet_seen import seen
from diagnostics.checks.internet_standing import Standing
from diagnostics.checks.internet_where import where
from diagnostics.checks.services import AMPLIFIERS, SERVICES, Kind, Service, named_by
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed
from diagnostics.findings import Remedy, Severity
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup
from diagnostics.network.openings import Opening
from diagnostics.paste import links

_NAMED = 3
_WORST = list(Severity)
_ALL = Intervals.all(PORTS_TOP)
_NONE = Intervals.none(PORTS_TOP)
ADVICE = {
    Kind.ADMINISTRATION: "Machines are administered through Azure Bastion, a VPN or just-in-time access.",
    Kind.DATA: "Clients reach it from inside, or by a private endpoint.",
    Kind.OTHER: "If it is meant to be public, leave it and say so with a suppression.",
}
"""What a remedy says of each kind of service."""

_DOC = f"{links.LEARN}/azure/virtual-network/network-security-groups-overview"
_ADMIN_DOC = f"{links.LEARN}/azure/bastion/bastion-overview"
_ALONE = """

Judged by priority, over every way to write the internet (at least a /8 of public addresses together), and by where the
NSG stands: it is no finding where the other NSG or a security admin rule closes the port at every endpoint."""
_EVERY = dict.fromkeys(WITH_PORTS, _ALL)
_GUARDED = {
    protocol: together(each.ports(protocol) for each in SERVICES if each.kind is not Kind.OTHER)
    for protocol in WITH_PORTS
}


@dataclass(frozen=True, slots=True)
class _What:
    """What is open, and how bad that is.

    Attributes:
        name: as titles have it; without one, they have the ports.
        advice: a sentence for the remedy.
        services: those that are told with it.
    """

    name: str
    severity: Severity
    wanted: Wanted
    advice: str
    doc: str = _DOC
    services: tuple[Service, ...] = ()


@check("INT001", "NSG lets the internet in to every port", Severity.HIGH)
def every_port(view: View) -> Iterator[Said]:
    """A rule opens every port to the internet: whatever listens behind it, now or later, is reachable by everybody.

    What that rule opens is told here once, and not again for each service; what other rules open is.
    """
    for each in groups(view):
        if each.every:
            opens = opened_by(each.ports, each.every)
            names = [protocol.upper() for protocol in ("Tcp", "Udp") if any(o.protocol == protocol for o in opens)]
            nearly = any(ports.count() < PORTS_TOP for ports in by_protocol(opens).values())
            name = f"{'nearly ' if nearly else ''}every {' and '.join(names)} port"
            advice = "Let in only the ports that are meant to be public, and only where they are."
            yield from _told(view, each, opens, _What(name, Severity.HIGH, _EVERY, advice))
        elif missing := _doubted(each.ports, _wide_doubts):
            yield from _unclear(view, each, missing, _EVERY)


def _service(service: Service, view: View) -> Iterator[Said]:
    doc = _ADMIN_DOC if service.kind is Kind.ADMINISTRATION else _DOC
    what = _What(service.name, service.severity, service.listens, ADVICE[service.kind], doc)
    for each in _asked(view, service):
        # Azure Bastion does not work unless everybody reaches its port 443.
        if service.severity is Severity.INFO and each.rest.opens and seen(view).standing(each.group).for_bastion:
            continue
        yield from _judged(view, each, what)


def _asked(view: View, service: Service) -> Iterator[Group]:
    """The NSGs that open a service, or may; what only a broad range opens is told with that."""
    bit = _bit(service)
    return (each for each in groups(view) if each.asked & bit)


def _bit(service: Service) -> int:
    return 1 << SERVICES.index(service)


for _each in SERVICES:
    if _each is not AMPLIFIERS:
        check(_each.id, f"NSG lets the internet in to {_each.name}", _each.severity, advice=_each.why + _ALONE)(
            partial(_service, _each)
        )


@check(AMPLIFIERS.id, f"NSG lets the internet in to {AMPLIFIERS.name}", AMPLIFIERS.severity, AMPLIFIERS.why + _ALONE)
def udp_services(view: View) -> Iterator[Said]:
    """See `AMPLIFIERS`."""
    advice = "Let in only the UDP ports of what is meant to be public."
    what = _What("UDP services", AMPLIFIERS.severity, AMPLIFIERS.listens, advice)
    for each in _asked(view, AMPLIFIERS):
        yield from _judged(view, each, what)


@check("INT024", "Administration or data port open to all of Azure (AzureCloud)", Severity.MEDIUM)
def all_of_azure(view: View) -> Iterator[Said]:
    """The tag AzureCloud is every public address of Azure, of every customer: whoever rents a VM there gets in.

    With a region behind a dot it is as many customers. It is not the internet, so the other checks do not tell of it.
    """
    for group in view.groups:
        found = _cloud(seen(view).cloud(group))
        opens = found.opened(_GUARDED)
        if not opens:
            continue
        standing = _for_cloud(view, group)
        names = listed(each.name for each in SERVICES if each.kind is not Kind.OTHER and found.opened(each.listens))
        wanted = by_protocol(opens)
        what = _What(names, Severity.MEDIUM, wanted, "Name the service's own tag or its addresses, not all of Azure.")
        if not standing.closed(wanted):
            told = _finding(view, Group(group, found, (), found, (), 0, 0), opens, what, standing)
            yield msgspec.structs.replace(told, title=f"NSG {group.id.name} lets all of Azure in to {names}")


@check("INT025", "NSG lets the internet in with ICMP", Severity.INFO)
def icmp(view: View) -> Iterator[Said]:
    """Ping from everywhere tells that a machine is there, and little else: this is for the inventory."""
    what = _What("ICMP", Severity.INFO, {"Icmp": _ALL}, "If nobody pings it, close it.")
    for each in groups(view):
        yield from _judged(view, each, what)


@check("INT026", "NSG lets the internet in to a broad range of ports", Severity.MEDIUM)
def broad_ranges(view: View) -> Iterator[Said]:
    """A range of a thousand ports or more is not one service: what else listens in it, now or later, is open too.

    It is as bad as the worst service that it holds, and tells of all that nothing else opens, once.
    """
    for each in groups(view):
        if opens := (*each.broad, *_joined(each)):
            standing = seen(view).standing(each.group)
            if not standing.closed(by_protocol(opens)):
                yield _range(view, each, opens, standing)


def _joined(each: Group) -> tuple[Open, ...]:
    """Ranges that several rules open together, and none of them alone."""
    told, broad = by_protocol(each.broad), {}
    for protocol in WITH_PORTS:
        if each.rest.opens and (ports := long_spans(each.rest.of(protocol))):
            broad[protocol] = long_spans(ports - told.get(protocol, _NONE))
    return each.rest.opened(broad) if any(broad.values()) else ()


def _range(view: View, each: Group, opens: tuple[Open, ...], standing: Standing) -> Found:
    services = tuple(one for one in named_by(each.swallowed) if not standing.closed(one.listens))
    wanted = by_protocol(opens)
    advice = "Name the ports that are meant to be public one by one."
    what = _What("a broad range of ports", Severity.MEDIUM, wanted, advice, services=services)
    found = _finding(view, each, opens, what, standing)
    names = f": among them {listed((one.short for one in services), _NAMED)}" if services else ""
    return msgspec.structs.replace(
        found,
        title=f"NSG {each.group.id.name} lets the internet in to {_written(by_protocol(opens))}{names}",
        severity=worst(
            standing.severity(what.severity, wanted),
            *(standing.severity(one.severity, one.listens) for one in services),
        ),
    )


def worst(*severities: Severity) -> Severity:
    """The worst of some severities."""
    return min(severities, key=_WORST.index)


def _judged(view: View, each: Group, what: _What) -> Iterator[Said]:
    """What there is to say of ports that rules open which do not open everything."""
    if opens := each.rest.opened(what.wanted):
        yield from _told(view, each, opens, what)
    elif missing := each.rest.missing(what.wanted):
        yield from _unclear(view, each, missing, what.wanted)


def _told(view: View, each: Group, opens: tuple[Open, ...], what: _What) -> Iterator[Found]:
    standing = seen(view).standing(each.group)
    if not standing.closed(by_protocol(opens)):
        yield _finding(view, each, opens, what, standing)


def _unclear(view: View, each: Group, missing: frozenset[str], wanted: Wanted) -> Iterator[Unclear]:
    if not seen(view).standing(each.group).closed(wanted):
        yield Unclear(each.group.id, tuple(sorted(missing)))


def _finding(view: View, each: Group, opens: tuple[Open, ...], what: _What, standing: Standing) -> Found:
    ports = by_protocol(opens)
    rules = {id(decider.rule): decider.rule for opened in opens for decider in opened.rules}
    letting = map(each.letting, rules.values())
    done = closing(letting, ports, what.name)
    shown = "" if any(held == _ALL for held in ports.values()) else f" ({_ports(ports)})"
    return Found(
        each.group.id,
        f"NSG {each.group.id.name} lets the internet in to {what.name}{shown}",
        (
            *(view.causes.of(each.group, rule) for rule in rules.values()),
            *([fact("services", held_there(opens, what.services), each.group.id)] if what.services else ()),
            fact("attachment", where(view, standing, ports), each.group.id),
        ),
        Remedy(
            summary=f"{what.advice} {done.text}",
            az_cli=done.az_cli,
            bicep=done.bicep,
            doc_url=what.doc,
            portal_url=links.blade(each.group.id, "inboundSecurityRules"),
        ),
        severity=standing.severity(what.severity, ports),
    )


def held_there(opens: tuple[Open, ...], services: Iterable[Service]) -> str:
    """A sentence on the services that listen in a range."""
    found = ((one, by_protocol(Ports(opens).opened(one.listens))) for one in services)
    return f"Among these ports are {listed((f'{one.name} ({_ports(ports)})' for one, ports in found), len(SERVICES))}."


def _ports(ports: Mapping[str, Intervals]) -> str:
    return ", ".join(f"{protocol.upper()} {listed(spans(held))}" for protocol, held in ports.items())


def _written(ports: Mapping[str, Intervals]) -> str:
    """Ports as a title has them: `TCP ports 123-3500`."""
    if len(ports) > 1 and len(set(ports.values())) == 1:
        ports = {" and ".join(ports): next(iter(ports.values()))}
    return " and ".join(
        f"{name.upper().replace('AND', 'and')} ports {listed(spans(held))}" for name, held in ports.items()
    )


def _wide_doubts(ports: Intervals) -> bool:
    return ports.count() >= NEARLY_ALL


def _doubted(ports: Ports, wanted: Callable[[Intervals], bool]) -> frozenset[str]:
    found = (each.missing for each in ports.doubts if each.protocol in {"Tcp", "Udp"} and wanted(each.ports))
    return frozenset[str]().union(*found)


def _cloud(openings: Iterable[Opening]) -> Ports:
    """What openings open to all of Azure."""
    named = (each for each in openings if any(names_cloud(decider.rule) for decider in each.rules))
    return Ports(tuple(Open(each.protocol, each.ports, each.rules) for each in named))


def _for_cloud(view: View, group: SecurityGroup) -> Standing:
    """Where an NSG stands, by what all of Azure gets in to there."""
    plain = seen(view).standing(group)
    exposed = tuple((point, _cloud(view.exposed(point))) for point in plain.use.points)
    return replace(
        plain,
        doubtful=tuple((point, -1) for point in plain.use.points),
        into=lambda point: _cloud(view.openings.into(point)),
        exposed=exposed,
        bounds=None,
    )
