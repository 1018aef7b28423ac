"""Rules of NSGs that let through more than they need: out to the whole internet, and within the whole network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.rules_reading import (
    EVERY_PORT,
    Spot,
    alike,
    any_protocol,
    first_of,
    internet,
    lets_everything_out,
    names_network,
    overlapping,
    ports_of,
    sensitive,
    sources,
    spots,
    unused,
    whole_network,
)
from diagnostics.checks.rules_remedy import NO_ROOM, OVERVIEW, change, free_above, menu
from diagnostics.checks.rules_told import own, within
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, named, rule_cause
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import Point
from diagnostics.network.filters import Level, group_at
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import Address, AddressSet, read_prefix
from diagnostics.network.security import DEFAULTS, Flow, Verdict, everywhere
from diagnostics.paste import az, bicep, links

_LATERAL: Mapping[int, str] = {22: "SSH", 3389: "RDP"}
_BASTION = "azurebastionsubnet"
_ALL = AddressSet.all()
_DEFAULT = next(rule for rule in DEFAULTS if rule.name == "AllowVnetOutBound")


@check("NSG016", "Outbound rule lets everything out to the internet", Severity.LOW)
def open_outbound(view: View) -> Iterator[Said]:
    """Somebody's own rule lets every port out to every address, so whatever gets in can call home and take data along.

    Azure's default rule AllowInternetOutBound does the same where nothing stands above it: it does not count here.
    """
    for group in view.groups:
        if unused(view.use(group)):
            continue
        for rule in own(group):
            if lets_everything_out(rule) and _works(view, group, rule):
                yield _open_outbound(group, rule)


@check("NSG017", "Management ports open from machine to machine", Severity.INFO)
def lateral(view: View) -> Iterator[Said]:
    """SSH or RDP is let out to the whole virtual network, so whoever has one machine can try all others.

    Azure's default rule AllowVnetOutBound lets it; jump hosts need it, others mostly do not (PSRule for Azure,
    Azure.NSG.LateralTraversal).
    """
    for group in view.groups:
        found: dict[int, SecurityRule] = {}
        silent = all(rule.inbound for rule in own(group))
        if silent and any(_by_default(view, point) for point in alike(view.use(group).points)):
            found = dict.fromkeys(_LATERAL, _DEFAULT)
        about = {} if found else {port: _about(view, group, port) for port in _LATERAL}
        for spot in spots(view, group, inbound=False) if any(about.values()) else ():
            if len(found) == len(about):
                break
            if spot.subnet and spot.subnet.name.lower() == _BASTION:
                continue
            points = [*alike(spot.points)]
            for port, places in about.items():
                if port not in found and (rule := _lets_out(view, spot, points, port, places)):
                    found[port] = rule
        if found:
            yield _lateral(group, found)


@check("NSG018", "Management or data port open to the whole virtual network", Severity.LOW)
def open_to_network(view: View) -> Iterator[Said]:
    """Somebody's own rule opens what is for administration or data to every machine of the network and its peers.

    Where the default rule AllowVnetInBound would do the same, the rule changes nothing, and is not told here.
    """
    for group in view.groups:
        if unused(view.use(group)):
            continue
        opening = _Opening(view, group)
        for rule in own(group):
            if not (rule.inbound and rule.allows and opening.may_be(rule)):
                continue
            names = sensitive(rule)
            if names and opening.to_network(rule):
                yield _open_to_network(group, rule, names)


def _works(view: View, group: SecurityGroup, rule: SecurityRule) -> bool:
    odd = told.get(rule) if (told := view.odd(group)) else None
    return odd is None or not odd.idle


def _open_outbound(group: SecurityGroup, rule: SecurityRule) -> Found:
    summary = (
        f"Narrow rule {rule.name} to the addresses, tags and ports that are needed, with a Deny for Internet below it; "
        "or send what goes out through a firewall."
    )
    command = "--destination-address-prefixes AzureCloud --destination-port-ranges 443"
    note = "destinationAddressPrefix and destinationPortRange: what is needed"
    remedy = change(group, rule, summary, command, note)
    title = f"Rule {named(rule)} of NSG {group.id.name} lets everything out to the internet"
    return Found(group.id, title, (rule_cause(group.id, rule),), remedy, (rule.name.lower(),))


def _by_default(view: View, point: Point) -> bool:
    """Whether nobody wrote an outbound rule at an endpoint: no need to ask the engine then, as with most machines."""
    subnet = point.configuration.subnet
    if point.nic.private_endpoint or subnet is None or subnet.name.lower() == _BASTION:
        return False
    ids = [group_at(view.estate, point, level) for level in (Level.SUBNET, Level.NIC)]
    groups = [view.estate.security_groups.get(each) for each in ids if each]
    if view.estate.admin_rules or point.nic.id in view.estate.effective_groups:
        return False
    return all(each is not None and all(rule.inbound for rule in own(each)) for each in groups)


def _about(view: View, group: SecurityGroup, port: int) -> Sequence[int]:
    """The places of the outbound rules about a port; none where the first of them lets nobody out to anybody."""
    rules = view.filters.ordered(group, inbound=False)
    places = rules.about("tcp", port)
    return () if _shuts(rules.rules[places[0]]) else places


def _shuts(rule: SecurityRule) -> bool:
    """Whether a rule denies everybody everything that it is about."""
    if rule.allows or rule.source_groups or rule.destination_groups:
        return False
    return all((known := everywhere(texts)) and known.must == _ALL for texts in (rule.sources, rule.destinations))


def _lets_out(view: View, spot: Spot, points: Sequence[Point], port: int, places: Sequence[int]) -> SecurityRule | None:
    """The rule that lets a port out to every address of the network, if all rules that stand there do."""
    sample = first_of(spot.network, 4) if places else None
    for point in points if sample else ():
        address = point.address
        if sample is None or address is None or address.version != 4:
            continue
        rule = _rule_for_all(spot, places, address)
        if rule and view.filters.outbound(point, Flow(address, sample, "Tcp", port)).verdict is not Verdict.DENIED:
            return rule
    return None


def _rule_for_all(spot: Spot, about: Sequence[int], near: Address) -> SecurityRule | None:
    """The first of the rules about a port that lets an address out, if all of the network is let out to, over IPv4."""
    first: SecurityRule | None = None
    among = spot.network.v4
    for place in about:
        if (held := spot.sources(place).holds(near)) is False:
            continue
        far = spot.destinations(place)
        if among.isdisjoint(far.may.v4):
            continue
        rule, service = spot.rules.rules[place], spot.rules.services[place]
        sure = held and not service.bad and service.source_ports == EVERY_PORT
        if not (sure and rule.allows) or not (far.exact or among.isdisjoint(far.may.v4 - far.must.v4)):
            return None
        first = first or rule
        among -= far.may.v4
        if not among:
            return first
    return None


def _lateral(group: SecurityGroup, found: Mapping[int, SecurityRule]) -> Found:
    names = listed(f"{_LATERAL[port]} ({port})" for port in found)
    priority = free_above(group, min(found.values(), key=lambda rule: rule.priority))
    place = az.placed(group.id, nsg_name=group.id.name, name="deny-lateral", priority=str(priority or "PRIORITY"))
    create = f"az network nsg rule create {place} --direction Outbound --access Deny --protocol Tcp"
    remedy = Remedy(
        summary=f"Unless these are jump hosts, deny {names} to VirtualNetwork above the rule that lets it out.",
        az_cli=az.lines(
            "" if priority else NO_ROOM,
            f"{create} --destination-address-prefixes VirtualNetwork "
            f"--destination-port-ranges {' '.join(map(str, found))}",
        ),
        bicep=bicep.comment(f"an outbound Deny for ports {' and '.join(map(str, found))} to VirtualNetwork"),
        doc_url=links.LEARN + OVERVIEW,
        portal_url=links.blade(group.id, menu(inbound=False)),
    )
    title = f"NSG {group.id.name} lets management ports out to its whole virtual network"
    causes = tuple(rule_cause(group.id, rule) for rule in dict.fromkeys(found.values()))
    ports = fact("port", f"{names} gets out to every address of the virtual network", group.id)
    return Found(group.id, title, (ports, *causes), remedy)


class _Opening:
    """What the rules of one NSG open to the whole network."""

    def __init__(self, view: View, group: SecurityGroup) -> None:
        self._view, self._group = view, group
        self._denies = [rule for rule in own(group) if rule.inbound and not rule.allows]
        self._last = max((rule.priority for rule in self._denies), default=0)

    def may_be(self, rule: SecurityRule) -> bool:
        """Whether a Deny stands behind a rule, which is for a whole network."""
        return self._last > rule.priority and self._for_network(rule)

    def to_network(self, rule: SecurityRule) -> bool:
        """Whether such a rule lets the whole network in to what would be kept out without it."""
        return self._opens(rule) and _works(self._view, self._group, rule) and self._lets_in(rule)

    def _opens(self, rule: SecurityRule) -> bool:
        """Whether a Deny behind it would keep out some of what it lets in: else AllowVnetInBound does the same."""
        behind = (other for other in self._denies if other.priority > rule.priority)
        return any(_meet(other, rule) and overlapping(ports_of(other), ports_of(rule)) for other in behind)

    def _for_network(self, rule: SecurityRule) -> bool:
        """Whether its sources are a whole virtual network, and not the internet, of which others tell."""
        named_sources = sources(rule)
        whole = names_network(rule.sources) or any(within(space, named_sources) for space in self._spaces)
        return whole and not internet(named_sources)

    def _lets_in(self, rule: SecurityRule) -> bool:
        points = self._view.use(self._group).points
        return not points or any(_lets_in(self._view, point, rule) for point in alike(points))

    @cached_property
    def _spaces(self) -> Sequence[AddressSet]:
        """The address spaces of the networks that the NSG is used in."""
        use = self._view.use(self._group)
        named = [point.configuration.subnet for point in use.points]
        subnets = {each.key: each for each in (*(subnet.id for subnet in use.subnets), *named) if each}
        found = (self._view.estate.network_of(each) for each in subnets.values())
        networks = {network.id: network for network in found if network}
        return [_addresses(network.prefixes) for network in networks.values()]


@lru_cache(maxsize=1 << 12)
def _addresses(prefixes: tuple[str, ...]) -> AddressSet:
    """The addresses of a network's prefixes."""
    return AddressSet.union([read for text in prefixes if (read := read_prefix(text))])


def _meet(one: SecurityRule, other: SecurityRule) -> bool:
    return any_protocol(one) or any_protocol(other) or one.protocol.lower() == other.protocol.lower()


def _lets_in(view: View, point: Point, rule: SecurityRule) -> bool:
    """Whether all rules at an endpoint let in one of the ports, asked of one address and the first of the ports."""
    address, network = point.address, whole_network(view, point)
    sample = first_of(network, address.version) if address else None
    if sample is None or address is None:
        return True
    flows = (Flow(sample, address, "Tcp", port, 50_000) for port, _ in ports_of(rule))
    return any(view.filters.inbound(point, flow).verdict is not Verdict.DENIED for flow in flows)


def _open_to_network(group: SecurityGroup, rule: SecurityRule, names: list[str]) -> Found:
    every = ports_of(rule) == EVERY_PORT
    what = "every port" if every else listed(names)
    summary = f"Name in rule {rule.name} the subnets or application security groups that need {what}, not the network."
    command = "--source-address-prefixes 10.0.0.0/24"
    remedy = change(group, rule, summary, command, "sourceAddressPrefix: the subnet that needs it")
    title = f"Rule {named(rule)} of NSG {group.id.name} opens {what} to the whole virtual network"
    opened = fact("port", f"it opens {listed(names)}", group.id, rule.name)
    severity = Severity.INFO if every else None
    return Found(group.id, title, (rule_cause(group.id, rule), opened), remedy, (rule.name.lower(),), severity)
