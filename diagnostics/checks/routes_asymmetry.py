"""Routes that lead through an appliance one way, and past it the other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import RESERVED, Hop, Lead, Side, meet, space
from diagnostics.checks.routes_premises import from_premises
from diagnostics.checks.routes_words import UDR, declared, on_route, weight
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, route_cause
from diagnostics.findings import Confidence, Remedy, Severity
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Subnet
from diagnostics.network.prefixes import Address, AddressSet
from diagnostics.network.routes import HopType
from diagnostics.network.routing import Candidate
from diagnostics.paste import az, links

_DIRECT = frozenset({HopType.VNET_LOCAL, HopType.PEERING})
_BASTION = "azurebastionsubnet"
_WITHOUT_HOSTS = RESERVED - {_BASTION}


@dataclass(slots=True)
class _Appliance:
    """An appliance, or several that a route spreads traffic over, and what is sent to it.

    Attributes:
        sent: what each side sends to it.
        routes: by which routes.
    """

    hop: Hop
    sent: dict[int, AddressSet] = field(default_factory=dict)
    routes: dict[int, list[Lead]] = field(default_factory=dict)


@check("UDR010", "Routes through an appliance one way only", Severity.HIGH)
def one_way(view: View) -> Iterator[Said]:
    """Traffic between two subnets passes an appliance one way and goes past it the other: it sees half of a connection.

    Azure Firewall and most appliances keep state, and drop what belongs to no connection that they saw begin ("Azure
    Firewall FAQ": asymmetric routing).
    """
    sides = [side for side in view.hops.sides if not _only_reserved(side)]
    numbers = {id(side): number for number, side in enumerate(sides)}
    appliances = _appliances(view, numbers)
    elsewhere = _sent_anywhere(appliances)
    near = {n: _near_space(side) | elsewhere.get(n, AddressSet.none()) for n, side in enumerate(sides) if appliances}
    for key in sorted(appliances):
        yield from _halves(view, appliances[key], sides, near)
    yield from from_premises(view)


def _only_reserved(side: Side) -> bool:
    return all(subnet.id.name.lower() in _WITHOUT_HOSTS for subnet in side.subnets)


def _appliances(view: View, numbers: Mapping[int, int]) -> dict[str, _Appliance]:
    """Every appliance by what tells it from others, with what each side sends there."""
    routes: dict[tuple[int, str], list[Lead]] = {}
    for table in view.tables:
        for lead in view.hops.leads(table):
            if (number := numbers.get(id(lead.side))) is not None:
                routes.setdefault((number, lead.route.name), []).append(lead)
    found: dict[str, _Appliance] = {}
    sent: dict[tuple[str, int], list[AddressSet]] = {}
    for (number, _), leads in routes.items():
        key = "|".join(sorted({lead.hop.key for lead in leads})) if len(leads) > 1 else leads[0].hop.key
        appliance = found.setdefault(key, _Appliance(leads[0].hop))
        side = leads[0].side
        assert side
        sent.setdefault((key, number), []).append(view.hops.won(side, leads[0].route))
        appliance.routes.setdefault(number, []).append(leads[0])
    for (key, number), parts in sent.items():
        found[key].sent[number] = AddressSet.union(parts)
    return found


def _sent_anywhere(appliances: Mapping[str, _Appliance]) -> dict[int, AddressSet]:
    found: dict[int, AddressSet] = {}
    for appliance in appliances.values():
        for number, sent in appliance.sent.items():
            found[number] = found[number] | sent if number in found else sent
    return found


def _halves(view: View, appliance: _Appliance, sides: Sequence[Side], near: Mapping[int, AddressSet]) -> Iterator[Said]:
    """What is sent to an appliance by one side, and not by the other; a side reaches what is near to it."""
    standing = {subnet.id for subnet in view.hops.exits(appliance.hop)[0]}
    standing |= {appliance.hop.subnet.id} if appliance.hop.subnet else set()
    starts, senders = _index(view, [(number, sides[number]) for number in appliance.sent], standing)
    everything = AddressSet.union(_space(subnet) for _, _, subnet in senders)
    for number, side in _around(view, appliance, sides):
        hosts = [subnet for subnet in side.subnets if _hosts(view, subnet, standing)]
        if not hosts:
            continue
        own = AddressSet.union(map(_space, hosts))
        back = appliance.sent.get(number, AddressSet.none())
        rest = (everything & near[number]) - back
        partners: dict[int, list[Subnet]] = {}
        sending = {number: False}
        for other, subnet in _within(starts, senders, rest):
            if other not in sending:
                sending[other] = meet(own, appliance.sent[other])
            if sending[other]:
                partners.setdefault(other, []).append(subnet)
        for other, subnets in partners.items():
            many = len(hosts) > 1
            reached = [each for each in hosts if meet(_space(each), appliance.sent[other])] if many else hosts
            yield from _judged(view, _Pair(appliance, appliance.routes[other], subnets, side, reached))


def _around(view: View, appliance: _Appliance, sides: Sequence[Side]) -> Iterator[tuple[int, Side]]:
    """The sides that an appliance may send on to: in its own network and in its peers."""
    home = view.estate.networks.get(appliance.hop.home) if appliance.hop.home else None
    reached = set(view.hops.near(home)) if home else {sides[number].network.id for number in appliance.sent}
    return ((number, side) for number, side in enumerate(sides) if side.network.id in reached)


def _hosts(view: View, subnet: Subnet, standing: set[ResourceId]) -> bool:
    """Whether hosts may stand in a subnet whose answers follow its routes."""
    if subnet.id in standing:
        return False
    known, key = view.once(_known_hosts), subnet.id.key
    if key not in known:
        known[key] = _may_have_hosts(view, subnet)
    return known[key]


def _known_hosts(_: View) -> dict[str, bool]:
    """Whether hosts may stand in subnets, of those that were asked for."""
    return {}


def _may_have_hosts(view: View, subnet: Subnet) -> bool:
    name = subnet.id.name.lower()
    if name in _WITHOUT_HOSTS:
        return False
    points = view.places.points_in(subnet.id)
    endpoints = bool(points) and all(point.nic.private_endpoint for point in points)
    return not endpoints and (name == _BASTION or not view.hops.empty(subnet))


def _space(subnet: Subnet) -> AddressSet:
    return space(subnet.prefixes)


def _near_space(side: Side) -> AddressSet:
    """What a side reaches without any appliance."""
    texts = [*side.network.prefixes, *(t for each in side.network.peerings if each.connected for t in each.prefixes)]
    return space(tuple(texts))


type _Sender = tuple[int, int, Subnet]
"""Where its addresses begin, the number of its side, and the subnet; its IPv4 addresses only."""


def _index(view: View, sides: Sequence[tuple[int, Side]], standing: set[ResourceId]) -> tuple[list[int], list[_Sender]]:
    """The subnets that send to an appliance, by where they begin."""
    found = [
        (span[0], number, subnet)
        for number, side in sides
        for subnet in side.subnets
        if _hosts(view, subnet, standing)
        for span in (*_space(subnet).v4, *_space(subnet).v6)
    ]
    found.sort(key=lambda each: (each[0], each[1], each[2].id.key))
    return [start for start, _, _ in found], found


def _within(starts: list[int], senders: list[_Sender], rest: AddressSet) -> Iterator[tuple[int, Subnet]]:
    """The senders that begin in a set."""
    for first, last in (*rest.v4, *rest.v6):
        for at in range(bisect_left(starts, first), len(starts)):
            if starts[at] > last:
                break
            yield senders[at][1], senders[at][2]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Subnets that send to an appliance, and those that they talk to.

    Attributes:
        leads: the routes of the ones that send.
        side, hosts: the others, whose answers may go another way.
    """

    appliance: _Appliance
    leads: Sequence[Lead]
    subnets: Sequence[Subnet]
    side: Side
    hosts: Sequence[Subnet]


def _judged(view: View, pair: _Pair) -> Iterator[Said]:
    """Whether the answers pass the appliance too."""
    table, side = pair.leads[0].table, pair.side
    if side.unseen:
        yield Unclear(table.id, (f"route table {side.unseen.name}",))
        return
    following = view.hops.next_hop(pair.hosts[0], _address(_space(pair.subnets[0])))
    if following.missing:
        yield Unclear(table.id, tuple(sorted(following.missing)))
    elif following.route and (how := _other_way(view, pair.appliance, side, following.route)):
        other = side.table if following.route.next_hop_type == HopType.APPLIANCE else None
        if other and other.id.key < table.id.key:
            return  # the other side sends to another appliance, and is answered by this one: it is told there
        yield _asymmetric(view, pair, how)


def _address(space: AddressSet) -> Address:
    if space.v4:
        return IPv4Address(max(space.v4.spans[0][0], space.v4.spans[0][1] - 1))
    return IPv6Address(max(space.v6.spans[0][0], space.v6.spans[0][1] - 1))


def _other_way(view: View, appliance: _Appliance, side: Side, route: Candidate) -> str:
    """How an answer gets back without the appliance; empty where it does not."""
    if route.next_hop_type in _DIRECT:
        return "straight"
    if route.next_hop_type != HopType.APPLIANCE:
        return ""
    hops = [view.hops.at(text, side.network) for text in route.next_hop_addresses]
    others = [hop for hop in hops if hop.key != appliance.hop.key]
    return f"by {others[0].name}" if others else ""


def _asymmetric(view: View, pair: _Pair, how: str) -> Found:
    subnets, side, hosts = pair.subnets, pair.side, pair.hosts
    lead = _fitting(view, pair) if len(pair.leads) > 1 else pair.leads[0]
    here, there = listed(each.id.name for each in subnets), listed(each.id.name for each in hosts)
    where = f"{side.table.id.name} of {there}" if side.table else f"{there}, without a route table,"
    text = f"answers come back {how}: {where} does not send {here} to {lead.hop.name}"
    prefix = subnets[0].prefixes[0]
    remedy = Remedy(
        summary=f"Send {prefix} to {lead.hop.name} from {there} too, so that it sees both directions; or take route "
        f"{lead.route.name} out.",
        az_cli=_way_back(side, hosts[0], prefix, lead),
        bicep=declared(side.table, f"to-{subnets[0].id.name}", prefix, HopType.APPLIANCE, lead.hop.text)
        if side.table
        else "",
        doc_url=UDR,
        portal_url=links.blade(side.table.id if side.table else side.network.id, "routes" if side.table else "subnets"),
    )
    title = f"Traffic from {here} to {there} of {side.network.id.name} passes {lead.hop.name} one way only"
    parts = (lead.route.name, side.network.id.name, side.table.id.name if side.table else "")
    causes = (
        route_cause(lead.table, lead.route),
        fact("route-table", text, side.table.id if side.table else hosts[0].id),
    )
    severity = weight(view, lead.table, Severity.HIGH)
    return Found(lead.table.id, title, causes, remedy, parts, severity, Confidence.LIKELY)


def _fitting(view: View, pair: _Pair) -> Lead:
    """The first route that leads to the others."""
    own = AddressSet.union(map(_space, pair.hosts))
    fitting = (each for each in pair.leads if each.side and meet(own, view.hops.won(each.side, each.route)))
    return next(fitting, pair.leads[0])


def _way_back(side: Side, subnet: Subnet, prefix: str, lead: Lead) -> str:
    hop = {"next_hop_type": "VirtualAppliance", "next_hop_ip_address": lead.hop.text}
    if side.table:
        return on_route("create", side.table, "way-back", address_prefix=prefix, **hop)
    group = az.placed(side.network.id)
    return az.lines(
        f"az network route-table create {group} {az.arguments(name='rt-way-back')}",
        f"az network route-table route create {group} "
        f"{az.arguments(route_table_name='rt-way-back', name='way-back', address_prefix=prefix, **hop)}",
        f"az network vnet subnet update {group} "
        f"{az.arguments(vnet_name=side.network.id.name, name=subnet.id.name, route_table='rt-way-back')}",
    )
