"""What a rule of an NSG is about, however it is spelt: the internet, a whole network, every port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from diagnostics.checks.services import SERVICES, Kind
from diagnostics.checks.view import View
from diagnostics.errors import ParseError
from diagnostics.network.cells import address_at
from diagnostics.network.estate import Point
from diagnostics.network.filters import Rules
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.places import Use
from diagnostics.network.prefixes import PRIVATE, Address, AddressSet, read_prefix
from diagnostics.network.security import Flow, ports
from diagnostics.network.tags import HOST

EVERY_PORT = Intervals.all(PORTS_TOP)
_ANY = frozenset({"", "*", "any", "all"})
_PUBLIC = ~PRIVATE


@lru_cache(maxsize=1 << 12)
def plain(texts: tuple[str, ...]) -> AddressSet:
    """The addresses of what is a prefix among texts, with `Internet` for what is public; none given are all."""
    if not texts:
        return AddressSet.all()
    sets = [_PUBLIC if text.strip().lower() == "internet" else read_prefix(text) for text in texts]
    return AddressSet.union(found for found in sets if found is not None)


def sources(rule: SecurityRule) -> AddressSet:
    """The addresses that a rule names as sources, without those of tags and groups."""
    return AddressSet.none() if rule.source_groups and not rule.sources else plain(rule.sources)


def destinations(rule: SecurityRule) -> AddressSet:
    """The addresses that a rule names as destinations, without those of tags and groups."""
    return AddressSet.none() if rule.destination_groups and not rule.destinations else plain(rule.destinations)


def internet(addresses: AddressSet) -> bool:
    """Whether addresses are the whole internet over IPv4 or IPv6, however that is spelt."""
    return _PUBLIC.v4 <= addresses.v4 or _PUBLIC.v6 <= addresses.v6


def any_protocol(rule: SecurityRule) -> bool:
    """Whether a rule is for every protocol."""
    return rule.protocol.strip().lower() in _ANY


def speaks(rule: SecurityRule, protocol: str) -> bool:
    """Whether a rule is for a protocol."""
    return any_protocol(rule) or rule.protocol.strip().lower() == protocol.lower()


def ports_of(rule: SecurityRule) -> Intervals:
    """The destination ports of a rule; none where one of them cannot be read."""
    try:
        return ports(rule.destination_ports)
    except ParseError:
        return Intervals.none(PORTS_TOP)


def lets_everything_out(rule: SecurityRule) -> bool:
    """Whether somebody's own rule lets out to the whole internet on every port."""
    return (
        not rule.default
        and not rule.inbound
        and rule.allows
        and (any_protocol(rule) or speaks(rule, "Tcp"))
        and ports_of(rule) == EVERY_PORT
        and internet(destinations(rule))
    )


def sensitive(rule: SecurityRule) -> list[str]:
    """The services for administration and data that a rule is for, by name; it may be for others too."""
    wanted = ports_of(rule)
    protocols = [protocol for protocol in ("Tcp", "Udp") if speaks(rule, protocol)]
    return [
        each.name
        for each in SERVICES
        if each.kind is not Kind.OTHER and any(each.ports(protocol) & wanted for protocol in protocols)
    ]


def unused(use: Use) -> bool:
    """Whether it is known that nothing uses an NSG: what its rules let through harms nobody then."""
    return use.known and not use.anywhere


def names_network(texts: tuple[str, ...]) -> bool:
    """Whether the whole virtual network is named by its tag."""
    return any(text.strip().lower() == "virtualnetwork" for text in texts)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an NSG stands: in one subnet, where its words have one meaning.

    Attributes:
        points: the endpoints that it filters there; at least one.
        rules: its rules of a direction, with what they mean there.
        network: what the tag `VirtualNetwork` holds there for sure, without the platform's own address.
    """

    subnet: ResourceId | None
    points: tuple[Point, ...]
    rules: Rules
    network: AddressSet


def spots(view: View, group: SecurityGroup, *, inbound: bool) -> Iterator[Spot]:
    """Where an NSG stands, as far as it has endpoints there; private endpoints apart, which mostly pass it by."""
    by_subnet: dict[ResourceId | None, list[Point]] = {}
    for point in view.use(group).points:
        if point.nic.private_endpoint is None:
            by_subnet.setdefault(point.configuration.subnet, []).append(point)
    for subnet, points in by_subnet.items():
        lists = view.filters.lists(points[0], inbound=inbound)
        rules = next((rules for _, rid, rules in lists if rid == group.id and rules), None)
        if rules is not None:
            network = view.filters.context(points[0]).prefix("VirtualNetwork").must - HOST
            yield Spot(subnet, tuple(points), rules, network)


def decided(rules: Rules, among: AddressSet, flow: Flow, *, inbound: bool) -> Iterator[tuple[SecurityRule, AddressSet]]:
    """Which rule decides about the far ends of a flow: for each rule those among them that it takes for sure.

    Whatever a rule only may take is left out for good.
    """
    for rule, terms in rules:
        near, far = (terms.destinations, terms.sources) if inbound else (terms.sources, terms.destinations)
        held = near.holds(flow.destination if inbound else flow.source)
        if held is False or not terms.speaks_of(flow.protocol, flow.destination_port):
            continue
        sure = held and not terms.unreadable and terms.source_ports == EVERY_PORT
        if sure and (taken := among & far.must):
            yield rule, taken
        among -= far.may


def alike(points: Iterable[Point]) -> Iterator[Point]:
    """One endpoint with an address for each subnet and NSG of a NIC: the same NSGs stand at the others."""
    found = {(p.configuration.subnet, p.nic.security_group): p for p in points if p.configuration.address}
    yield from found.values()


def first_of(addresses: AddressSet, version: int, skip: int = 4) -> Address | None:
    """An address of a set; the first few of a subnet are Azure's own."""
    spans = (addresses.v4 if version == 4 else addresses.v6).spans
    return address_at(min(spans[0][0] + skip, spans[0][1]), version) if spans else None


def machine(view: View, point: Point) -> str:
    """What people call an endpoint: its VM, else its NIC."""
    vm = view.vm_of(point.nic)
    return vm.id.name if vm else point.nic.vm.name if point.nic.vm else point.nic.id.name
