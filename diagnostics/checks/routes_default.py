"""Where the default route leads: past the firewall, straight to the internet, or nowhere that anybody decided."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import Side
from diagnostics.checks.routes_ways import Example
from diagnostics.checks.routes_words import (
    FIREWALL_SPOKES,
    UDR,
    broad,
    declared,
    leads_to,
    on_route,
    on_subnet,
    weight,
    without,
)
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, route_cause
from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.estate import VirtualNetwork
from diagnostics.network.model import Route, RouteTable, Subnet
from diagnostics.network.routes import HopType
from diagnostics.paste import bicep, links


@check("UDR008", "Default route that bypasses the firewall", Severity.MEDIUM)
def bypassing(view: View) -> Iterator[Said]:
    """What others here send to a firewall on its way to the internet, these subnets send past it: nobody filters it.

    The two halves 0.0.0.0/1 and 128.0.0.0/1 win over 0.0.0.0/0, and a route for IPv4 says nothing about IPv6 ("Azure
    virtual network traffic routing", 0.0.0.0/0).
    """
    for side in view.hops.sides:
        if side.unseen:
            if view.ways.ordinary(side) and view.ways.example(side.network):
                subnet = view.ways.ordinary(side)[0]
                yield Unclear(subnet.id, (f"route table {side.unseen.name}",))
        elif side.table:
            for route in _past(view, side):
                yield _bypass(view, side, side.table, route)
            yield from _without_default(view, side, side.table)
            yield from _six(view, side, side.table)


@check("UDR009", "Route straight to the internet for everything", Severity.LOW)
def straight(view: View) -> Iterator[Said]:
    """The table sends everything straight to the internet, whatever the network's gateway or a firewall has to say.

    That is what Azure does by itself. Written as a route it also wins over a default route that a gateway learnt
    ("Azure virtual network traffic routing"). Narrow routes and service tags are no matter.
    """
    for table in view.tables:
        sides = view.hops.sides_of(table)
        if view.use(table).anywhere and not any(view.ways.ordinary(side) for side in sides):
            continue
        told = {route.name for side in sides for route in (*_past(view, side), *_past_in_six(view, side))}
        for route in table.routes:
            if leads_to(route, HopType.INTERNET) and broad(route) and route.name not in told:
                yield _straight(view, table, route)


@check("UDR011", "Subnet without route table among others that send to an appliance", Severity.LOW)
def without_table(view: View) -> Iterator[Said]:
    """Most subnets here send what is for the internet to an appliance; this one has no route table and was forgotten.

    Its traffic takes the system's own route past the appliance ("Azure virtual network traffic routing").
    """
    for side in view.hops.sides:
        if side.table or side.unseen:
            continue
        example = view.ways.example(side.network)
        if example and example.nearly_all:
            for subnet in view.ways.ordinary(side):
                if not subnet.delegations and not view.hops.empty(subnet):
                    yield _forgotten(subnet, side.network, example)


def _past(view: View, side: Side) -> tuple[Route, ...]:
    """The routes of a table by which everything goes to the internet although there is an appliance for it."""
    default = view.ways.default(side)
    direct = default.to(HopType.INTERNET)
    if not direct or not view.ways.ordinary(side):
        return ()
    return direct if default.to(HopType.APPLIANCE) or view.ways.example(side.network) else ()


def _past_in_six(view: View, side: Side) -> tuple[Route, ...]:
    """The same for IPv6, where IPv4 goes to an appliance."""
    return view.ways.default(side, 6).to(HopType.INTERNET) if view.ways.appliance(side) else ()


def _bypass(view: View, side: Side, table: RouteTable, route: Route) -> Found:
    example = view.ways.example(side.network)
    causes = [route_cause(table, route)]
    for other in view.ways.default(side).to(HopType.APPLIANCE):
        causes.append(route_cause(table, other, f"route {other.name} sends {other.prefix} to an appliance"))
    causes += [_as_others(example)] if example else []
    remedy = Remedy(
        summary=f"Lead {route.prefix} to {example.hop.name if example else 'the appliance'}, unless these subnets are "
        "meant to go straight to the internet.",
        az_cli=on_route(
            "update", table, route.name, next_hop_type=HopType.APPLIANCE, next_hop_ip_address=_hop(example)
        ),
        bicep=declared(table, route.name, route.prefix, HopType.APPLIANCE, _hop(example)),
        doc_url=FIREWALL_SPOKES,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} sends {route.prefix} past the firewall"
    return Found(table.id, title, tuple(causes), remedy, (route.name,), weight(view, table, Severity.MEDIUM))


def _without_default(view: View, side: Side, table: RouteTable) -> Iterator[Found]:
    """A table that leaves the default route to the system."""
    example = view.ways.example(side.network)
    if not example or not example.most or any(view.ways.default(side).halves):
        return
    subnets = [each for each in view.ways.ordinary(side) if not each.delegations and not view.hops.empty(each)]
    if not subnets:
        return
    learnt = view.hops.learnt(side.network)
    if table.propagates and any(prefix in {"0.0.0.0/0", "0.0.0.0/1"} for prefix, _ in learnt.prefixes):
        return
    causes = [
        fact("route-table", f"{table.id.name} has no route for 0.0.0.0/0", table.id, table.id.name),
        _as_others(example),
    ]
    unsure = table.propagates and bool(learnt.missing)
    if unsure:
        text = f"{side.network.id.name} may have learnt a default route from its gateway, which is not shown"
        causes.append(fact("gateway", text, side.network.id))
    name = "to-appliance"
    remedy = Remedy(
        summary=f"Add a route for 0.0.0.0/0 to {example.hop.name}, unless these subnets are meant to go past it.",
        az_cli=on_route(
            "create",
            table,
            name,
            address_prefix="0.0.0.0/0",
            next_hop_type=HopType.APPLIANCE,
            next_hop_ip_address=_hop(example),
        ),
        bicep=declared(table, name, "0.0.0.0/0", HopType.APPLIANCE, _hop(example)),
        doc_url=FIREWALL_SPOKES,
        portal_url=links.blade(table.id, "routes"),
    )
    natted = all(subnet.nat_gateway for subnet in subnets)
    names = listed(subnet.id.name for subnet in subnets)
    yield Found(
        table.id,
        f"Route table {table.id.name} leaves {names} of {side.network.id.name} to go to the internet past the firewall",
        tuple(causes),
        remedy,
        ("no default route", side.network.id.name),
        Severity.LOW if natted else Severity.MEDIUM,
        Confidence.LIKELY if unsure else Confidence.PROVEN,
    )


def _six(view: View, side: Side, table: RouteTable) -> Iterator[Found]:
    """IPv6 that goes past the appliance that IPv4 goes to."""
    hop = view.ways.appliance(side)
    if not hop:
        return
    subnets = [each for each in view.ways.ordinary(side) if any(":" in prefix for prefix in each.prefixes)]
    if not subnets:
        return
    default = view.ways.default(side, 6)
    direct = default.to(HopType.INTERNET)
    if not direct and all(default.halves):
        return
    text = f"IPv4 goes to {hop.name}; for ::/0 {table.id.name} has " + ("another route" if direct else "no route")
    causes = [*(route_cause(table, route) for route in direct), fact("route-table", text, table.id, table.id.name)]
    name = direct[0].name if direct else "drop-ipv6"
    verb = "update" if direct else "create"
    prefix = direct[0].prefix if direct else "::/0"
    remedy = Remedy(
        summary="Send ::/0 to an appliance that filters IPv6, or drop it with next hop None. Azure Firewall does not "
        "take IPv6.",
        az_cli=on_route(verb, table, name, address_prefix=prefix, next_hop_type=HopType.NONE),
        bicep=declared(table, name, prefix, HopType.NONE),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route table {table.id.name} sends IPv6 of {listed(each.id.name for each in subnets)} past the firewall"
    severity = weight(view, table, Severity.MEDIUM if direct else Severity.LOW)
    yield Found(table.id, title, tuple(causes), remedy, ("::/0", side.network.id.name), severity)


def _straight(view: View, table: RouteTable, route: Route) -> Found:
    remedy = Remedy(
        summary=f"If nothing learns a default route here, delete route {route.name}: the system's own does the same. "
        "If a firewall or gateway should see this traffic, lead there.",
        az_cli=without(table, route.name),
        bicep=bicep.comment(f"leave route {route.name} out of {table.id.name}"),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} sends {route.prefix} straight to the internet"
    return Found(
        table.id, title, (route_cause(table, route),), remedy, (route.name,), weight(view, table, Severity.LOW)
    )


def _forgotten(subnet: Subnet, network: VirtualNetwork, example: Example) -> Found:
    text = f"subnet {subnet.id.name} of {network.id.name} has no route table"
    remedy = Remedy(
        summary=f"Give {subnet.id.name} the route table that the others have, unless it is meant to go past "
        f"{example.hop.name}.",
        az_cli=on_subnet(subnet.id, route_table="<route table>"),
        bicep=bicep.comment(f"in the declaration of subnet {subnet.id.name}, under properties")
        + "routeTable: { id: '<id of the route table>' }\n",
        doc_url=FIREWALL_SPOKES,
        portal_url=links.blade(network.id, "subnets"),
    )
    title = f"Subnet {subnet.id.name} of {network.id.name} has no route table, others send to {example.hop.name}"
    return Found(subnet.id, title, (fact("subnet", text, subnet.id, subnet.id.name), _as_others(example)), remedy)


def _as_others(example: Example) -> Cause:
    text = f"{example.who} sends 0.0.0.0/0 to {example.hop.name} at {example.hop.text}"
    return fact("route", text, example.hop.home, example.hop.text)


def _hop(example: Example | None) -> str:
    return example.hop.text if example else "<address of the appliance>"
