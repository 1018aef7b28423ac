"""Route tables on subnets whose names Azure gives a meaning: which routes those may have, Azure decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import RESERVED, Side
from diagnostics.checks.routes_words import hop_type, on_subnet, without
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, route_cause
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import VirtualNetwork
from diagnostics.network.model import Route, RouteTable, Subnet
from diagnostics.network.prefixes import read_prefix
from diagnostics.network.routes import HopType
from diagnostics.paste import az, bicep, links

_MANAGEMENT = "azurefirewallmanagementsubnet"
_DOCS = {
    "gatewaysubnet": "/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings",
    "azurefirewallsubnet": "/azure/firewall/forced-tunneling",
    _MANAGEMENT: "/azure/firewall/forced-tunneling",
    "azurebastionsubnet": "/azure/bastion/bastion-faq",
    "routeserversubnet": "/azure/route-server/route-server-faq",
}


class _Fault(NamedTuple):
    """What is wrong with the table of such a subnet.

    Attributes:
        part: what tells it from other faults of the same subnet.
        severity: how bad it is.
        why: what Azure says about it.
        routes: those that are at fault; none where the table itself is.
    """

    part: str
    severity: Severity
    why: str
    routes: tuple[Route, ...] = ()


@check("UDR014", "Routes that a reserved subnet must not have", Severity.HIGH)
def reserved(view: View) -> Iterator[Said]:
    """The subnet belongs to a service of Azure, and its route table cuts that service off from what it needs.

    Sources: "About VPN Gateway configuration settings" (gateway subnet), "Azure Firewall forced tunneling", "Azure
    Bastion FAQ", "Azure Route Server FAQ".
    """
    for side in view.hops.sides:
        for subnet in side.subnets:
            name = subnet.id.name.lower()
            if name not in RESERVED or subnet.route_table is None:
                continue
            if side.table is None and name != "routeserversubnet":
                yield Unclear(subnet.id, (f"route table {subnet.route_table.name}",))
                continue
            for fault in _faults(name, side):
                yield _found(subnet, fault)


def _faults(name: str, side: Side) -> Iterator[_Fault]:
    """What is wrong with the table of a subnet of that name."""
    table = side.table
    default = _default(table) if table else ()
    away = tuple(route for route in default if hop_type(route) != HopType.INTERNET)
    match name:
        case "gatewaysubnet":
            if default:
                yield _Fault(
                    "default route", Severity.HIGH, "a gateway subnet must have no route for 0.0.0.0/0", default
                )
            if table and not table.propagates:
                text = "without propagation the gateway does not work: it needs the routes that it learnt"
                yield _Fault("propagation", Severity.HIGH, text)
        case "azurefirewallsubnet":
            if away and not _tunnels(side.network):
                text = "without a management subnet Azure Firewall has to reach the internet directly"
                yield _Fault("default route", Severity.HIGH, text, away)
        case "azurefirewallmanagementsubnet":
            if away:
                text = "by its management subnet Azure Firewall has to reach the internet directly"
                yield _Fault("default route", Severity.HIGH, text, away)
        case "azurebastionsubnet":
            text = "Azure Bastion supports no user-defined routes on its subnet"
            yield _Fault("route table", Severity.HIGH if default else Severity.LOW, text, default)
        case _:
            yield _Fault("route table", Severity.HIGH, "Azure Route Server supports no route table on its subnet")


def _default(table: RouteTable) -> tuple[Route, ...]:
    """The routes for all of IPv4, or for half of it."""
    found = ((route, read_prefix(route.prefix)) for route in table.routes)
    return tuple(route for route, read in found if read and read.v4.count() >= 1 << 31)


def _tunnels(network: VirtualNetwork) -> bool:
    """Whether the firewall of a network is made for forced tunnelling."""
    return any(subnet.id.name.lower() == _MANAGEMENT for subnet in network.subnets)


def _found(subnet: Subnet, fault: _Fault) -> Found:
    at, name = subnet.route_table, subnet.id.name
    assert at
    network = subnet.id.names[0]
    routes = [without(RouteTable(at, ()), each.name) for each in fault.routes]
    off = on_subnet(subnet.id, route_table="null")
    on = f"az network route-table update {az.arguments(ids=at.text)} --disable-bgp-route-propagation false"
    fixes = {"default route": az.lines(*routes, az.otherwise("or take the table off", off)), "propagation": on}
    summary = {
        "default route": f"Delete the route, or take {at.name} off {name}.",
        "propagation": f"Switch propagation on in {at.name}, or take it off {name}.",
    }
    remedy = Remedy(
        summary=summary.get(fault.part, f"Take {at.name} off {name}."),
        az_cli=fixes.get(fault.part, off),
        bicep=bicep.comment(f"leave routeTable out of subnet {name} of {network}"),
        doc_url=links.LEARN + _DOCS[name.lower()],
        portal_url=links.blade(subnet.id.parent, "subnets"),
    )
    causes = [fact("route-table", f"{at.name} is on {name} of {network}: {fault.why}", at, at.name)]
    causes += [route_cause(RouteTable(at, ()), route) for route in fault.routes]
    titles = {"default route": "has a route for 0.0.0.0/0", "propagation": "keeps the routes of the gateway from it"}
    title = f"Route table {at.name} on {name} of {network} " + titles.get(fault.part, "is not supported")
    return Found(subnet.id, title, tuple(causes), remedy, (fault.part,), fault.severity)
