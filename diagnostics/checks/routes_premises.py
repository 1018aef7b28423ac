"""Traffic of on-premises networks that passes an appliance on its way in, and goes past it on its way out."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import GATEWAY_SUBNET, RESERVED, Lead, Side, meet, space
from diagnostics.checks.routes_words import broad, leads_to, on_subnet, weight
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, route_cause
from diagnostics.findings import Confidence, Remedy, Severity
from diagnostics.network.model import Subnet
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.routes import HopType
from diagnostics.paste import az, bicep, links

_DOC = f"{links.LEARN}/azure/firewall/tutorial-hybrid-portal"


def from_premises(view: View) -> Iterator[Said]:
    """What comes from on-premises through an appliance, and is answered straight through the gateway."""
    for table in view.tables:
        leads = [lead for lead in view.hops.leads(table) if lead.side and _on_gateway(lead.side)]
        if not leads or not leads[0].side:
            continue
        for rid in view.hops.near(leads[0].side.network):
            for side in view.hops.sides_in(rid):
                lets_in = side.table is None or side.table.propagates
                if lets_in and view.hops.gateway(side.network) and (said := _answers(view, leads, side)):
                    yield said


def _on_gateway(side: Side) -> bool:
    return any(subnet.id.name.lower() == GATEWAY_SUBNET for subnet in side.subnets)


def _answers(view: View, leads: list[Lead], side: Side) -> Said | None:
    """How the subnets of a side answer what comes to them by one of the routes of the gateway's subnet."""
    for lead in leads:
        won = view.hops.won(lead.side, lead.route) if lead.side else AddressSet.none()
        hosts = [subnet for subnet in side.subnets if meet(_space(subnet), won) and _hosts(view, subnet, lead)]
        if hosts and side.unseen:
            return Unclear(lead.table.id, (f"route table {side.unseen.name}",))
        if hosts:
            return _straight(view, lead, side, hosts) if _by_gateway(view, side, hosts[0]) else None
    return None


def _hosts(view: View, subnet: Subnet, lead: Lead) -> bool:
    standing = {each.id for each in (*view.hops.exits(lead.hop)[0], *((lead.hop.subnet,) if lead.hop.subnet else ()))}
    points = view.places.points_in(subnet.id)
    endpoints = bool(points) and all(point.nic.private_endpoint for point in points)
    plain = subnet.id.name.lower() not in RESERVED and subnet.id not in standing
    return plain and not endpoints and not view.hops.empty(subnet)


def _space(subnet: Subnet) -> AddressSet:
    return space(subnet.prefixes)


def _by_gateway(view: View, side: Side, subnet: Subnet) -> bool:
    """Whether a prefix that the gateway learnt wins: where none is shown, any does that is narrower than all routes."""
    learnt = view.hops.learnt(side.network)
    for text, _ in learnt.prefixes:
        read = read_prefix(text)
        if read and read.v4:
            following = view.hops.next_hop(subnet, IPv4Address(read.v4.spans[0][0]))
            if following.route and following.route.next_hop_type == HopType.GATEWAY:
                return True
    routes = side.table.routes if side.table else ()
    narrow = [route for route in routes if leads_to(route, HopType.APPLIANCE) and not broad(route)]
    return bool(learnt.missing) and not narrow


def _straight(view: View, lead: Lead, side: Side, hosts: list[Subnet]) -> Found:
    names, table = listed(each.id.name for each in hosts), side.table
    text = f"routes that the gateway learnt win over 0.0.0.0/0 in {names} of {side.network.id.name}"
    text += f": {table.id.name} lets them in" if table else ": there is no route table"
    if table:
        command = (
            f"az network route-table update {az.arguments(ids=table.id.text)} --disable-bgp-route-propagation true"
        )
        declared = bicep.comment(f"in {table.id.name}, under properties") + "disableBgpRoutePropagation: true\n"
    else:
        command = on_subnet(hosts[0].id, route_table="<route table with 0.0.0.0/0 and no propagation>")
        declared = bicep.comment(f"in subnet {hosts[0].id.name}") + "routeTable: { id: '<id of the route table>' }\n"
    remedy = Remedy(
        summary=f"Switch off the propagation of gateway routes in the route table of {names}, and send on-premises "
        f"prefixes or 0.0.0.0/0 to {lead.hop.name}.",
        az_cli=command,
        bicep=declared,
        doc_url=_DOC,
        portal_url=links.blade(table.id if table else side.network.id, "configuration" if table else "subnets"),
    )
    return Found(
        table.id if table else hosts[0].id,
        f"Answers of {names} of {side.network.id.name} to on-premises go past {lead.hop.name}",
        (route_cause(lead.table, lead.route), fact("route-table", text, table.id if table else hosts[0].id)),
        remedy,
        ("on-premises", side.network.id.name),
        weight(view, lead.table, Severity.HIGH),
        Confidence.LIKELY,
    )
