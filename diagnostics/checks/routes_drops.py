"""Routes that drop: black holes, gateways that are not there, and on-premises networks that are cut off."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import Side, ends, spans
from diagnostics.checks.routes_words import UDR, broad, leads_to, on_route, weight
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, route_cause
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Route, RouteTable
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.routes import HopType
from diagnostics.paste import az, bicep, links


@check("UDR007", "Route that drops traffic", Severity.MEDIUM)
def black_holes(view: View) -> Iterator[Said]:
    """The route has next hop None: what it takes is dropped, without a trace in any log of rules.

    That is a fault where subnets of the own or a peered network are cut off by it. For all of the internet or foreign
    prefixes it is mostly meant so ("Azure virtual network traffic routing", next hop types).
    """
    for table in view.tables:
        meant = []
        for route in table.routes:
            if not leads_to(route, HopType.NONE):
                continue
            cut = _cut_off(view, table, route)
            if cut:
                yield _dropping(view, table, route, f"traffic to {listed(cut)}", Severity.MEDIUM)
            elif broad(route):
                yield _dropping(view, table, route, "all traffic to the internet", Severity.LOW)
            else:
                meant.append(route)
        if meant and view.use(table).anywhere:
            yield _meant(table, meant)


@check("UDR013", "Route to a gateway that is not there", Severity.HIGH)
def no_gateway(view: View) -> Iterator[Said]:
    """The route leads to the virtual network gateway, and the network has none and uses none of a peer: it drops all.

    A peer's gateway counts if this network's peering uses remote gateways and the other side allows gateway transit
    ("Virtual network peering", gateways and on-premises connectivity).
    """
    for table in view.tables:
        for side in view.hops.sides_of(table):
            for route in table.routes:
                if leads_to(route, HopType.GATEWAY) and view.hops.acts(side, route):
                    exists = view.hops.gateway(side.network)
                    if exists is None:
                        yield Unclear(table.id, (f"the gateway of {side.network.id.name}",))
                    elif not exists:
                        yield _nowhere(view, table, route, side.network)


@check(
    "UDR017", "Routes that a gateway learnt are kept from a subnet that has no other way to on-premises", Severity.INFO
)
def cut_from_premises(view: View) -> Iterator[Said]:
    """The table switches off the propagation of gateway routes and has no route in their place: on-premises is cut off.

    That may be meant. Where it is not, hosts there cannot be reached from this subnet, nor reach it ("Azure virtual
    network traffic routing", border gateway protocol).
    """
    for table in view.tables:
        if table.propagates or any(leads_to(route, HopType.GATEWAY) for route in table.routes):
            continue
        for side in view.hops.sides_of(table):
            plain = view.ways.ordinary(side)
            if plain and view.hops.gateway(side.network) and not _by_appliance(view, table, side):
                yield _cut(table, side.network, [subnet.id.name for subnet in plain])


def _cut_off(view: View, table: RouteTable, route: Route) -> list[str]:
    """The subnets and peers that a route cuts off as a whole from those that use the table."""
    found: dict[str, None] = {}
    for side in view.hops.sides_of(table):
        won = view.hops.won(side, route)
        if not won:
            continue
        for name in _subnets_in(view, side.network, won):
            found[f"subnet {name}"] = None
        for peering in side.network.peerings:
            if not peering.connected:
                continue
            if _whole(peering.prefixes, won):
                found[f"peered network {peering.remote.name}"] = None
                continue
            remote = view.estate.networks.get(peering.remote)
            for name in _subnets_in(view, remote, won) if remote else ():
                found[f"subnet {name} of {peering.remote.name}"] = None
    return sorted(found)


def _subnets_in(view: View, network: VirtualNetwork, won: AddressSet) -> Iterator[str]:
    """The subnets of a network of which a prefix lies in a set as a whole, by name."""
    known = view.once(_begins)
    if network.id not in known:
        reads = [(read, each) for each in network.subnets for text in each.prefixes if (read := read_prefix(text))]
        known[network.id] = sorted((*ends(read), each.id.name) for read, each in reads)
    begins = known[network.id]
    for first, last in spans(won):
        inside = begins[bisect_left(begins, (first, first, "")) : bisect_left(begins, (last + 1, 0, ""))]
        yield from (name for _, end, name in inside if end <= last)


def _begins(_: View) -> dict[ResourceId, list[tuple[int, int, str]]]:
    """The prefixes of subnets by where they begin, with where they end; of those networks that were asked for."""
    return {}


def _whole(prefixes: tuple[str, ...], won: AddressSet) -> bool:
    """Whether one of some prefixes lies in a set as a whole."""
    return any(read <= won for text in prefixes if (read := read_prefix(text)))


def _dropping(view: View, table: RouteTable, route: Route, what: str, severity: Severity) -> Found:
    remedy = Remedy(
        summary=f"If that is not meant, delete route {route.name}: then the system's own takes {route.prefix}. If "
        "it is, an NSG says it better: its rules have a log.",
        az_cli=az.lines(
            on_route("show", table, route.name), az.otherwise("drop it", on_route("delete", table, route.name))
        ),
        bicep=bicep.comment(f"leave route {route.name} out of {table.id.name}"),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} drops {what}"
    return Found(table.id, title, (route_cause(table, route),), remedy, (route.name,), weight(view, table, severity))


def _meant(table: RouteTable, routes: list[Route]) -> Found:
    remedy = Remedy(
        summary="Nothing, if that is meant. Else delete the routes.",
        az_cli=f"az network route-table route list {az.placed(table.id, route_table_name=table.id.name)} -o table",
        bicep=bicep.comment(f"leave the routes out of {table.id.name}"),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Routes of {table.id.name} drop traffic to other prefixes, which is mostly meant"
    causes = tuple(route_cause(table, route) for route in routes[:5])
    return Found(table.id, title, causes, remedy, ("other prefixes",), Severity.INFO)


def _nowhere(view: View, table: RouteTable, route: Route, network: VirtualNetwork) -> Found:
    text = f"{network.id.name} has no virtual network gateway, and uses none of a peer"
    using = [peering.name for peering in network.peerings if peering.connected]
    remedy = Remedy(
        summary=f"Let the peering to the hub use its gateway (there, allow gateway transit), or delete "
        f"route {route.name}.",
        az_cli=az.lines(
            *(
                f"az network vnet peering update {az.placed(network.id, vnet_name=network.id.name, name=name)}"
                " --set useRemoteGateways=true"
                for name in using[:1]
            ),
            az.otherwise("or delete it", on_route("delete", table, route.name)),
        ),
        bicep=bicep.comment(f"in the peering of {network.id.name}, under properties") + "useRemoteGateways: true\n",
        doc_url=f"{links.LEARN}/azure/vpn-gateway/vpn-gateway-peering-gateway-transit",
        portal_url=links.blade(network.id, "peerings"),
    )
    title = f"Route {route.name} of {table.id.name} leads to a gateway that {network.id.name} does not have"
    causes = (route_cause(table, route), fact("gateway", text, network.id, network.id.name))
    severity = weight(view, table, Severity.HIGH)
    return Found(table.id, title, causes, remedy, (route.name, network.id.name), severity)


def _by_appliance(view: View, table: RouteTable, side: Side) -> bool:
    """Whether a route to an appliance reaches beyond the known networks, and so may lead to on-premises."""
    near = [side.network, *(each for rid in view.hops.near(side.network) if (each := view.estate.networks.get(rid)))]
    spaces = AddressSet.union(read for each in near for text in each.prefixes if (read := read_prefix(text)))
    routes = (route for route in table.routes if leads_to(route, HopType.APPLIANCE))
    return any((read := read_prefix(route.prefix)) is not None and not read <= spaces for route in routes)


def _cut(table: RouteTable, network: VirtualNetwork, subnets: list[str]) -> Found:
    text = f"{network.id.name} has a gateway, and {table.id.name} keeps what it learnt from {listed(subnets)}"
    remedy = Remedy(
        summary="If these subnets have to reach on-premises, switch propagation on, or add routes to the gateway or to "
        "an appliance.",
        az_cli=f"az network route-table update {az.arguments(ids=table.id.text)} --disable-bgp-route-propagation false",
        bicep=bicep.comment(f"in the declaration of {table.id.name}, under properties")
        + "disableBgpRoutePropagation: false\n",
        doc_url=UDR,
        portal_url=links.blade(table.id, "configuration"),
    )
    title = f"Route table {table.id.name} keeps the gateway's routes from subnets of {network.id.name}"
    return Found(table.id, title, (fact("route-table", text, table.id, table.id.name),), remedy, (network.id.name,))
