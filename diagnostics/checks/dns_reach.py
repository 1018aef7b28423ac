"""DNS servers that machines cannot ask as rules and routes stand: by the engine, once for all machines that are alike.

Sources: "Name resolution for resources in Azure virtual networks"; "What is IP address 168.63.129.16?".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from diagnostics.checks import dns
from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Cause, Remedy, Severity
from diagnostics.network.estate import Firewall, Point, VirtualNetwork
from diagnostics.network.filters import Level, group_at
from diagnostics.network.ids import ResourceId
from diagnostics.network.path import Kind, Reason
from diagnostics.network.prefixes import Address
from diagnostics.network.security import Flow, Verdict
from diagnostics.paste import az, bicep, links

_PORT = 53
_AZURE = ipaddress.ip_address("168.63.129.16")
_PLATFORM = "azureplatformdns"
_GROUP = "microsoft.network/networksecuritygroups"
_TABLE = "microsoft.network/routetables"
_RULE = f"Microsoft.Network/networkSecurityGroups/securityRules@{bicep.NETWORK}"


@dataclass(slots=True)
class _Fault:
    """One thing that keeps machines from a DNS server.

    Attributes:
        protocols: over which.
        reasons: all that stands in the way, the first of them the one that the finding is about.
        askers: one endpoint of each kind that is kept away.
        networks: whose DNS server it is.
        alone: whether some of them have no other server that they can ask.
    """

    server: Address
    protocols: tuple[str, ...]
    reasons: tuple[Reason, ...]
    askers: list[Point] = field(default_factory=list[Point])
    networks: dict[ResourceId, None] = field(default_factory=dict[ResourceId, None])
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """What becomes of questions to a server."""

    verdict: Verdict
    protocols: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@check("NET004", "DNS server that rules or routes keep machines from", Severity.HIGH)
def unreachable_servers(view: View) -> Iterator[Said]:
    """Machines cannot ask a DNS server that they are told to ask: a rule, a route or the lack of one stands in the way.

    Questions go to port 53 over UDP, and over TCP where answers are long. Azure's own resolver is reached past all
    rules but those that name AzurePlatformDNS.
    """
    faults, missing = dict[tuple[object, ...], _Fault](), dict[ResourceId, set[str]]()
    every = view.once(dns.asked)
    suspects = _naming_platform(view)
    for network in view.networks:
        servers = every.get(network.id, ())
        if not servers and not suspects:
            continue
        for point in _kinds(view, network):
            asked = _of(view, point, servers, suspects)
            answers = {server: _answer(view, point, server, known) for server, known in asked.items()}
            _sort(network, point, answers, faults, missing)
    for fault in faults.values():
        yield _found(fault)
    for rid, names in missing.items():
        yield Unclear(rid, tuple(names))


def _naming_platform(view: View) -> frozenset[ResourceId]:
    """The NSGs that deny something to Azure's own resolver."""
    return frozenset(
        group.id
        for group in view.groups
        for rule in group.rules
        if not rule.allows and not rule.inbound and _PLATFORM in map(str.lower, rule.destinations)
    )


def _kinds(view: View, network: VirtualNetwork) -> Iterator[Point]:
    """One endpoint of each kind of machines in a network: rules and routes are the same for all of a kind."""
    seen = set[object]()
    for subnet in sorted(network.subnets, key=lambda each: each.id.key):
        points = sorted(common.machines(view, subnet.id), key=lambda point: point.nic.id.key)
        for point in points:
            nic, vm = point.nic, view.vm_of(point.nic)
            if point.address is None or (vm and vm.running is False):
                continue
            told = nic.id in view.estate.effective_groups or nic.id in view.estate.effective_routes
            key = (subnet.id, nic.security_group, nic.dns_servers, point.configuration.security_groups, told and nic.id)
            if key not in seen:
                seen.add(key)
                yield point


def _of(
    view: View, point: Point, servers: tuple[dns.Server, ...], suspects: frozenset[ResourceId]
) -> Mapping[Address, dns.Server | None]:
    """The servers that an endpoint's guest asks, but those that are not there at all: NET005 tells of them."""
    nic = point.nic
    if nic.dns_servers:
        own = [each for each in servers if each.address in dns.named(nic.dns_servers)]
    else:
        own = [each for each in servers if not each.nics]
    if own:
        return {each.address: each for each in own if dns.fate(view, each) is None}
    custom = nic.dns_servers and not any(each.lower() == "azureprovideddns" for each in nic.dns_servers)
    groups = {group_at(view.estate, point, level) for level in (Level.NIC, Level.SUBNET)}
    return {_AZURE: None} if groups & suspects and not custom else {}


def _answer(view: View, point: Point, server: Address, known: dns.Server | None) -> _Answer:
    """What becomes of questions to a server, over UDP and over TCP."""
    if point.address is None or point.address.version != server.version:
        return _Answer(Verdict.ALLOWED)
    by_protocol = {each: _reasons(view, point, server, known, each) for each in ("Udp", "Tcp")}
    denied = {each: bad for each, (bad, _) in by_protocol.items() if bad}
    if denied:
        return _Answer(Verdict.DENIED, tuple(denied), next(iter(denied.values())))
    open_ = tuple(reason for _, unknown in by_protocol.values() for reason in unknown)
    return _Answer(Verdict.UNKNOWN if open_ else Verdict.ALLOWED, (), open_)


def _reasons(
    view: View, point: Point, server: Address, known: dns.Server | None, protocol: str
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What denies questions over a protocol, and what leaves it open."""
    assert point.address
    path = view.reach.path(Flow(point.address, server, protocol, _PORT), source=point)
    if path.verdict is Verdict.DENIED:
        return tuple(reason for reason in path.because if reason.verdict is Verdict.DENIED), ()
    if path.verdict is Verdict.ALLOWED:
        return (), ()
    return (), tuple(reason for reason in path.because if not _expected(reason, known))


def _expected(reason: Reason, known: dns.Server | None) -> bool:
    """Whether a doubt is only that the server itself is not seen: a firewall that answers, a resolver of Azure's."""
    if reason.kind is Kind.GUEST or known is None:
        return reason.kind is Kind.GUEST
    firewall = isinstance(known.owner, Firewall) and reason.resource == known.owner.id
    return firewall or (known.resolver and reason.kind is Kind.DELIVERY)


def _sort(
    network: VirtualNetwork,
    point: Point,
    answers: Mapping[Address, _Answer],
    faults: dict[tuple[object, ...], _Fault],
    missing: dict[ResourceId, set[str]],
) -> None:
    works = any(each.verdict is not Verdict.DENIED or "Udp" not in each.protocols for each in answers.values())
    for server, answer in answers.items():
        if answer.verdict is Verdict.UNKNOWN:
            missing.setdefault(network.id, set()).update(*(reason.missing for reason in answer.reasons))
        elif answer.verdict is Verdict.DENIED:
            first = answer.reasons[0]
            place = first.resource or network.id
            key = (server, first.kind, first.name, place.key, answer.protocols)
            fault = faults.setdefault(key, _Fault(server, answer.protocols, answer.reasons))
            fault.askers.append(point)
            fault.networks[network.id] = None
            fault.alone = fault.alone or not works


def _found(fault: _Fault) -> Found:
    first, network = fault.reasons[0], next(iter(fault.networks))
    subnets = dict.fromkeys(called(point.configuration.subnet) for point in fault.askers if point.configuration.subnet)
    whose = f"Azure's own resolver {fault.server}" if fault.server == _AZURE else f"DNS server {fault.server}"
    causes: list[Cause] = [
        fact(reason.kind, reason.text, reason.resource, reason.name) for reason in dict.fromkeys(fault.reasons)
    ]
    causes.append(fact("dns-servers", f"{whose} is asked by machines in {listed(subnets)}", network))
    over = "" if len(fault.protocols) > 1 else f" over {fault.protocols[0].upper()}"
    return Found(
        first.resource or network,
        f"Machines of {network.name} cannot ask {whose}{over}: {_short(first)}",
        tuple(causes),
        _remedy(fault, first, network),
        (str(fault.server), first.kind, first.name, *fault.protocols),
        Severity.HIGH if fault.alone else Severity.MEDIUM,
    )


def _short(reason: Reason) -> str:
    if reason.kind is Kind.SECURITY_RULE and reason.resource:
        return f"rule {reason.name} of {reason.resource.name}"
    return f"{reason.kind.replace('-', ' ')} {reason.name}".strip()


def _remedy(fault: _Fault, first: Reason, network: ResourceId) -> Remedy:
    source = fault.askers[0].address
    where = first.resource
    if where and where.type == _GROUP:
        return _opening(where, fault, _inbound(fault, first))
    if where and where.type == _TABLE:
        summary = f"Correct or delete route {first.name}, or let it leave {fault.server} alone."
        command, menu = f"az network route-table route list {az.placed(where, route_table_name=where.name)}", "routes"
    else:
        summary = f"Let machines reach {fault.server} on port 53, UDP and TCP, or name a server that they can reach."
        command, menu = f"az network vnet update {az.arguments(ids=network.text)} --dns-servers SERVER", "dnsservers"
        command = az.lines(f"# from {source}: {' '.join(first.text.split())}", command)
    return Remedy(
        summary=summary,
        az_cli=command,
        bicep=common.declared(common.VNET_KIND, network, f"properties.dhcpOptions.dnsServers, not {fault.server}"),
        doc_url=dns.DOC,
        portal_url=links.blade(where if where and where.type == _TABLE else network, menu),
    )


def _inbound(fault: _Fault, first: Reason) -> bool:
    """Whether it is the server's side that turns questions away: the sentence names an asker where it is theirs."""
    return not any(f"out of {point.nic.id.name}" in first.text for point in fault.askers[:1])


def _opening(group: ResourceId, fault: _Fault, inbound: bool) -> Remedy:  # noqa: FBT001
    """A rule above the one that denies, for port 53 only."""
    direction = "Inbound" if inbound else "Outbound"
    target = "AzurePlatformDNS" if fault.server == _AZURE else str(fault.server)
    sources = " ".join(_sources(fault.askers)) if inbound else "'*'"
    place = az.placed(group, nsg_name=group.name, name="allow-dns")
    return Remedy(
        summary=f"Allow port 53 over UDP and TCP to {target} in NSG {group.name}, above the rule that denies it.",
        az_cli=f"az network nsg rule create {place} --priority PRIORITY --direction {direction} --access Allow "
        f"--protocol '*' --source-address-prefixes {sources} --destination-address-prefixes {target} "
        f"--destination-port-ranges {_PORT}",
        bicep=_allowing(group, direction, target),
        doc_url=dns.DOC,
        portal_url=links.blade(group, f"{direction.lower()}SecurityRules"),
    )


def _sources(points: Iterable[Point]) -> list[str]:
    return sorted({str(point.address) for point in points if point.address})


def _allowing(group: ResourceId, direction: str, target: str) -> str:
    body: dict[str, bicep.Value] = {
        "parent": bicep.Raw("it"),
        "name": "allow-dns",
        "properties": {
            "priority": bicep.Raw("priority"),
            "direction": direction,
            "access": "Allow",
            "protocol": "*",
            "sourceAddressPrefix": "*" if direction == "Outbound" else "VirtualNetwork",
            "sourcePortRange": "*",
            "destinationAddressPrefix": target,
            "destinationPortRange": str(_PORT),
        },
    }
    kind = f"Microsoft.Network/networkSecurityGroups@{bicep.NETWORK}"
    asked = "@description('free, and below that of the rule that denies')\nparam priority int\n\n"
    return asked + bicep.existing(kind, group) + "\n" + bicep.resource("allow", _RULE, body)
