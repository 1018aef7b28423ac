"""Routes that lead in a circle, and appliances that stand among those whose traffic they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import RESERVED, Hop, Lead, meet, space
from diagnostics.checks.routes_words import UDR, broad, on_route, on_subnet, weight, without
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, route_cause
from diagnostics.findings import Confidence, Remedy, Severity
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Subnet
from diagnostics.network.prefixes import Address, AddressSet, is_public
from diagnostics.network.routes import PUBLIC, HopType
from diagnostics.paste import az, bicep, links

type Place = tuple[ResourceId, str]
"""A route: its table, and its name."""

_MOST = 64
"""Destinations that are tried for each route: more would only tell the same again."""


@check("UDR006", "Routes that lead in a circle", Severity.HIGH)
def circles(view: View) -> Iterator[Said]:
    """What the appliance sends on comes back to it, because the routes of its own subnet lead there: it never arrives.

    Routes apply to what an appliance sends on as to everything else in its subnet ("Azure virtual network traffic
    routing": routing loops).
    """
    found = view.once(_circles)
    for (table, name), (lead, destination) in found.items():
        assert (table, name) == (lead.table.id, lead.route.name)
        yield _circle(view, lead, destination)
    for lead in view.once(_same_subnet):
        missing = view.hops.exits(lead.hop)[1]
        if missing and lead.hop.owner and (lead.table.id, lead.route.name) not in found:
            yield Unclear(lead.table.id, (missing,))


@check("UDR020", "Next hop in the very subnet that uses the route table", Severity.MEDIUM)
def among(view: View) -> Iterator[Said]:
    """The appliance stands in the subnet whose traffic it takes, so the routes apply to what it sends on as well.

    Microsoft advises a subnet of its own for an appliance: else routes may lead in a circle ("Azure virtual network
    traffic routing", virtual appliance).
    """
    circles = view.once(_circles)
    told: set[Place] = set()
    for lead in view.once(_same_subnet):
        place = lead.table.id, lead.route.name
        if place not in circles and place not in told:
            told.add(place)
            yield _among(view, lead)


def _same_subnet(view: View) -> Sequence[Lead]:
    """The routes whose next hop lies in a subnet that uses them, and that take what is sent on as it came."""
    leads = (lead for table in view.tables for lead in view.hops.leads(table))
    return [
        lead
        for lead in leads
        if (side := lead.side) and side.has(lead.hop.subnet) and next(_destinations(view, lead), None)
    ]


def _circles(view: View) -> Mapping[Place, tuple[Lead, Address]]:
    """The routes that lead back to an appliance that sends on by them, each with a destination that shows it."""
    found: dict[Place, tuple[Lead, Address]] = {}
    seen: set[str] = set()
    for lead in (lead for table in view.tables for lead in view.hops.leads(table)):
        if lead.side and lead.hop.owner and lead.hop.key not in seen:
            seen.add(lead.hop.key)
            for back, destination in _leading_back(view, lead.hop):
                found.setdefault((back.table.id, back.route.name), (back, destination))
    return dict(sorted(found.items(), key=lambda pair: (pair[0][0].key, pair[0][1])))


def _leading_back(view: View, hop: Hop) -> Iterator[tuple[Lead, Address]]:
    for subnet in view.hops.exits(hop)[0]:
        table = view.estate.route_tables.get(subnet.route_table) if subnet.route_table else None
        for lead in view.hops.leads(table) if table else ():
            if lead.side and lead.side.has(subnet):
                looping = (each for each in _destinations(view, lead) if _loops(view, hop, each, frozenset({hop.key})))
                if (destination := next(looping, None)) is not None:
                    yield lead, destination


def _destinations(view: View, lead: Lead) -> Iterator[Address]:
    """Addresses that a route takes: one in each known subnet that is near, and one of the internet where it takes all.

    What else it takes lies behind the appliance, at the end of a tunnel or in containers: what is sent on to there is
    wrapped and goes elsewhere.
    """
    assert lead.side
    won = view.hops.won(lead.side, lead.route)
    subnets = (
        subnet
        for rid in view.hops.near(lead.side.network)
        if (network := view.estate.networks.get(rid))
        for subnet in network.subnets
        if subnet.id.name.lower() not in RESERVED
    )
    tried = 0
    for subnet in subnets if won else ():
        if tried < _MOST and (address := _inside(won, subnet)):
            tried += 1
            yield address
    if broad(lead.route) and (address := _one_of(won & PUBLIC)):
        yield address


def _inside(won: AddressSet, subnet: Subnet) -> Address | None:
    own = space(subnet.prefixes)
    return _one_of(won & own) if meet(own, won) else None


def _one_of(addresses: AddressSet) -> Address | None:
    """An address near the end: those at the beginning are where appliances stand."""
    if addresses.v4:
        first, last = addresses.v4.spans[-1]
        return IPv4Address(max(first, last - 1))
    if addresses.v6:
        first, last = addresses.v6.spans[-1]
        return IPv6Address(max(first, last - 1))
    return None


def _loops(view: View, hop: Hop, destination: Address, seen: frozenset[str]) -> bool:
    """Whether every way out of an appliance leads to one where it has been."""
    exits, missing = view.hops.exits(hop)
    return bool(exits) and not missing and all(_returns(view, each, destination, seen) for each in exits)


def _returns(view: View, subnet: Subnet, destination: Address, seen: frozenset[str]) -> bool:
    network, following = view.estate.network_of(subnet.id), view.hops.next_hop(subnet, destination)
    route = following.route
    if network is None or route is None or not following.known or route.next_hop_type != HopType.APPLIANCE:
        return False
    hops = [view.hops.at(text, network) for text in route.next_hop_addresses]
    return bool(hops) and all(
        hop.key in seen or (hop.owner is not None and _loops(view, hop, destination, seen | {hop.key})) for hop in hops
    )


def _circle(view: View, lead: Lead, destination: Address) -> Found:
    table, route, hop, side = lead.table, lead.route, lead.hop, lead.side
    assert side
    subnets = [subnet.id for subnet in side.subnets]
    text = (
        f"{table.id.name} is on {listed(rid.name for rid in subnets)}, out of which an appliance sends on: what it "
        f"sends to {destination} goes to {hop.name} again, and round and round"
    )
    remedy = Remedy(
        summary=f"Put the appliance into a subnet of its own, without route {route.name}: what it sends on has to "
        "leave by other routes than what comes to it. Of two appliances that lead to each other, one has to lead on.",
        az_cli=az.lines(
            without(table, route.name),
            *(az.otherwise("or take the table off", on_subnet(rid, route_table="null")) for rid in subnets[:1]),
        ),
        bicep=bicep.comment(f"leave route {route.name} out of {table.id.name}, or that table out of the subnet"),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} leads in a circle by {hop.name}"
    sure = Confidence.LIKELY if is_public(destination) else Confidence.PROVEN
    causes = (route_cause(table, route), fact("next-hop", text, table.id, hop.text))
    return Found(table.id, title, causes, remedy, (route.name,), weight(view, table, Severity.HIGH), sure)


def _among(view: View, lead: Lead) -> Found:
    table, route, hop, subnet = lead.table, lead.route, lead.hop, lead.hop.subnet
    assert subnet
    exits, missing = view.hops.exits(hop)
    others = [each.id.name for each in exits if each != subnet]
    text = f"{hop.name} has {hop.text} in {subnet.id.name}, which uses {table.id.name}"
    text += f"; it can send on by {listed(others)} as well" if others else f"; not known: {missing}" if missing else ""
    remedy = Remedy(
        summary=f"Put {hop.name} into a subnet of its own, without route {route.name}.",
        az_cli=az.lines(
            f"az network vnet subnet create {az.placed(subnet.id, vnet_name=subnet.id.names[0], name='snet-appliance')}"
            " --address-prefixes '<free prefix>'",
            on_route("update", table, route.name, next_hop_ip_address="<address in that subnet>"),
        ),
        bicep=bicep.comment("a subnet of its own for the appliance, without this routeTable"),
        doc_url=UDR,
        portal_url=links.blade(table.id, "subnets"),
    )
    title = f"Route {route.name} of {table.id.name} leads to {hop.name} in {subnet.id.name}, which uses that table"
    severity = weight(view, table, Severity.LOW if others and not missing else Severity.MEDIUM)
    causes = (route_cause(table, route), fact("next-hop", text, subnet.id, hop.text))
    return Found(table.id, title, causes, remedy, (route.name,), severity)
