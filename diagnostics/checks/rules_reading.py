"""What a rule of an NSG is about, however it is spelt: the internet, a whole network, every port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec

from diagnostics.checks.services import SERVICES, Kind
from diagnostics.checks.view import View
from diagnostics.errors import ParseError
from diagnostics.network.cells import address_at
from diagnostics.network.estate import Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.ordered import Ordered
from diagnostics.network.places import Use
from diagnostics.network.prefixes import PRIVATE, Address, AddressSet, Bounds, read_prefix
from diagnostics.network.security import Context, everywhere, ports
from diagnostics.network.tags import HOST

EVERY_PORT = Intervals.all(PORTS_TOP)
_ANY = frozenset({"", "*", "any", "all"})
_PUBLIC = ~PRIVATE


@lru_cache(maxsize=1 << 15)
def plain(texts: tuple[str, ...]) -> AddressSet:
    """The addresses of what is a prefix among texts, with `Internet` for what is public; none given are all."""
    if (known := everywhere(texts)) is not None:
        return known.must
    sets = [_PUBLIC if text.strip().lower() == "internet" else read_prefix(text) for text in texts]
    read = [found for found in sets if found is not None]
    return read[0] if len(read) == 1 else AddressSet.union(read)


def sources(rule: SecurityRule) -> AddressSet:
    """The addresses that a rule names as sources, without those of tags and groups."""
    return AddressSet.none() if rule.source_groups and not rule.sources else plain(rule.sources)


def destinations(rule: SecurityRule) -> AddressSet:
    """The addresses that a rule names as destinations, without those of tags and groups."""
    return AddressSet.none() if rule.destination_groups and not rule.destinations else plain(rule.destinations)


def internet(addresses: AddressSet) -> bool:
    """Whether addresses are the whole internet over IPv4 or IPv6, however that is spelt."""
    return any(
        # Mostly the ends of a set tell already that it is not.
        mine.spans
        and mine.spans[0][0] <= public.spans[0][0]
        and mine.spans[-1][1] >= public.spans[-1][1]
        and public <= mine
        for mine, public in ((addresses.v4, _PUBLIC.v4), (addresses.v6, _PUBLIC.v6))
    )


def overlap(one: AddressSet, other: AddressSet) -> bool:
    """Whether an address is in both."""
    return not one.v4.isdisjoint(other.v4) or bool(one.v6.spans and not one.v6.isdisjoint(other.v6))


def overlapping(one: Intervals, other: Intervals) -> bool:
    """Whether a number is in both: no need to know which."""
    return not one.isdisjoint(other)


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
    places: set[int] = set()
    for text in rule.destination_ports or ("*",):
        found = _sensitive(rule.protocol, text)
        if found is None:
            return []
        places |= found
    return [SERVICES[place].name for place in sorted(places)]


@lru_cache(maxsize=1 << 12)
def _sensitive(protocol: str, text: str) -> frozenset[int] | None:
    """The places of those services among all that have a port in a range; None where that cannot be read."""
    try:
        wanted = ports((text,))
    except ParseError:
        return None
    plain = protocol.strip().lower()
    protocols = [each for each in ("tcp", "udp") if plain in {*_ANY, each}]
    return frozenset(
        place
        for place, each in enumerate(SERVICES)
        if each.kind is not Kind.OTHER and any(overlapping(each.ports(spoken), wanted) for spoken in protocols)
    )


def unused(use: Use) -> bool:
    """Whether it is known that nothing uses an NSG: what its rules let through harms nobody then."""
    return use.known and not use.anywhere


@lru_cache(maxsize=1 << 15)
def names_network(texts: tuple[str, ...]) -> bool:
    """Whether the whole virtual network is named by its tag."""
    return any(text.strip().lower() == "virtualnetwork" for text in texts)


class Spot(msgspec.Struct, frozen=True):
    """Where an NSG stands: in one subnet, where its words have one meaning.

    Attributes:
        points: the endpoints that it filters there; at least one.
        rules: its rules of a direction, in order; `sources` and `destinations` tell what they mean there.
        network: what the tag `VirtualNetwork` holds there for sure, without the platform's own address.
    """

    subnet: ResourceId | None
    points: tuple[Point, ...]
    rules: Ordered
    network: AddressSet
    context: Context

    def sources(self, place: int) -> Bounds:
        """The sources of a rule, by its place in the order."""
        rule = self.rules.rules[place]
        return self.context.addresses(rule.sources, rule.source_groups)

    def destinations(self, place: int) -> Bounds:
        """The destinations of a rule, by its place in the order."""
        rule = self.rules.rules[place]
        return self.context.addresses(rule.destinations, rule.destination_groups)


def spots(view: View, group: SecurityGroup, *, inbound: bool) -> Iterator[Spot]:
    """Where an NSG stands, as far as it has endpoints there; private endpoints apart, which mostly pass it by."""
    rules = view.filters.ordered(group, inbound=inbound)
    for points in view.once(_Stands).of(group):
        context = view.filters.context(points[0])
        yield Spot(points[0].configuration.subnet, points, rules, _network(view, context), context)


def whole_network(view: View, point: Point) -> AddressSet:
    """What the tag `VirtualNetwork` holds for sure at an endpoint."""
    return view.filters.context(point).addresses(("VirtualNetwork",), ()).must


class _Stands:
    """The endpoints that NSGs filter, by NSG and subnet."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[str, Sequence[tuple[Point, ...]]] = {}

    def of(self, group: SecurityGroup) -> Sequence[tuple[Point, ...]]:
        """Those of an NSG."""
        if group.id.key not in self._known:
            by_subnet: dict[str, list[Point]] = {}
            for point in self._view.use(group).points:
                if point.nic.private_endpoint is None:
                    subnet = point.configuration.subnet
                    by_subnet.setdefault(subnet.key if subnet else "", []).append(point)
            self._known[group.id.key] = [*map(tuple, by_subnet.values())]
        return self._known[group.id.key]


def _network(view: View, context: Context) -> AddressSet:
    """The same without the platform's own address; one set for all places where it is the same."""
    known, key = view.once(_Networks), id(context)  # the view keeps it as long as it lasts
    if key not in known.at:
        whole = context.addresses(("VirtualNetwork",), ()).must
        known.at[key] = known.found.setdefault(whole, whole - HOST)
    return known.at[key]


class _Networks:
    """What the tag `VirtualNetwork` holds, without the platform's own address."""

    def __init__(self, view: View) -> None:
        del view
        self.found: dict[AddressSet, AddressSet] = {}
        self.at: dict[int, AddressSet] = {}


def alike(points: Iterable[Point]) -> Iterator[Point]:
    """One endpoint with an address for each subnet and NSG of a NIC: the same NSGs stand at the others."""
    found: dict[tuple[str, str], Point] = {}
    for point in points:
        if point.configuration.address:
            subnet, group = point.configuration.subnet, point.nic.security_group
            found[subnet.key if subnet else "", group.key if group else ""] = point
    yield from found.values()


def first_of(addresses: AddressSet, version: int, skip: int = 4) -> Address | None:
    """An address of a set; the first few of a subnet are Azure's own."""
    spans = (addresses.v4 if version == 4 else addresses.v6).spans
    return address_at(min(spans[0][0] + skip, spans[0][1]), version) if spans else None


def machine(view: View, point: Point) -> str:
    """What people call an endpoint: its VM, else its NIC."""
    vm = view.vm_of(point.nic)
    return vm.id.name if vm else point.nic.vm.name if point.nic.vm else point.nic.id.name
