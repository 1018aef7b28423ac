"""What the checks of routes have in common: how bad it is where a table is used, commands, and where to read on."""

from __future__ import annotations

from functools import lru_cache

from diagnostics.checks.view import View
from diagnostics.findings import Severity
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Route, RouteTable
from diagnostics.network.prefixes import read_prefix
from diagnostics.network.routes import HopType, kind
from diagnostics.paste import az, bicep, links

UDR = f"{links.LEARN}/azure/virtual-network/virtual-networks-udr-overview"
TROUBLE = f"{links.LEARN}/troubleshoot/azure/virtual-network/diagnose-network-routing-problem"
PEERING = f"{links.LEARN}/azure/virtual-network/virtual-network-peering-overview"
FIREWALL_SPOKES = f"{links.LEARN}/azure/firewall/tutorial-hybrid-portal"

_STEPS = tuple(Severity)
_TABLE = f"Microsoft.Network/routeTables@{bicep.NETWORK}"


def eased(severity: Severity, steps: int) -> Severity:
    """A severity made less by some steps."""
    return _STEPS[min(_STEPS.index(severity) + steps, len(_STEPS) - 1)]


def weight(view: View, table: RouteTable, severity: Severity) -> Severity:
    """How bad a fault of a table is: two steps less where nothing uses it, one less where its subnets are empty."""
    known, key = view.once(_eased), table.id.key
    if key not in known:
        known[key] = _steps(view, table)
    return eased(severity, known[key]) if known[key] else severity


def _eased(_: View) -> dict[str, int]:
    """By how many steps the faults of tables are less, of those that were asked for."""
    return {}


def _steps(view: View, table: RouteTable) -> int:
    use = view.use(table)
    if not use.anywhere:
        return 2
    return 1 if not use.unseen and all(map(view.hops.empty, use.subnets)) else 0


def hop_type(route: Route) -> str:
    """The type of its next hop in Azure's own spelling; empty where the body does not say one."""
    return kind(route.next_hop_type) if route.next_hop_type else ""


def leads_to(route: Route, *kinds: HopType) -> bool:
    """Whether its next hop is of one of some types."""
    return route.next_hop_type != "" and kind(route.next_hop_type) in kinds


def broad(route: Route) -> bool:
    """Whether it is for everything of a family or half of it: two halves are as good as the whole, and win over it."""
    read = read_prefix(route.prefix)
    return read is not None and (read.v4.count() >= 1 << 31 or read.v6.count() >= 1 << 127)


def on_route(verb: str, table: RouteTable, name: str, **options: str) -> str:
    """`az network route-table route VERB` for a route of a table."""
    where = _in_table(table.id.subscription, table.id.resource_group, table.id.name)
    more = f" {az.arguments(**options)}" if options else ""
    return f"az network route-table route {verb} {where} --name {az.quoted(name)}{more}"


def without(table: RouteTable, name: str) -> str:
    """Look at a route of a table; to take it away is a comment."""
    delete = az.otherwise("once nobody needs it", on_route("delete", table, name))
    return az.lines(on_route("show", table, name), delete)


@lru_cache(maxsize=1 << 10)  # what is said of the routes of a table is said of one after the other
def _in_table(subscription: str, group: str, name: str) -> str:
    return az.arguments(subscription=subscription, resource_group=group, route_table_name=name)


def declared(table: RouteTable, name: str, prefix: str, hop: HopType, address: str = "") -> str:
    """A route in Bicep, below a table that is there."""
    return bicep.existing(_TABLE, table.id) + _route(name, prefix, hop, address)


@lru_cache(maxsize=1 << 12)  # tables of one estate have the same routes over and over
def _route(name: str, prefix: str, hop: HopType, address: str) -> str:
    properties: dict[str, bicep.Value] = {"addressPrefix": prefix, "nextHopType": hop}
    if address:
        properties["nextHopIpAddress"] = address
    kind_ = f"Microsoft.Network/routeTables/routes@{bicep.NETWORK}"
    body: dict[str, bicep.Value] = {"parent": bicep.Raw("it"), "name": name, "properties": properties}
    return bicep.resource("route", kind_, body)


def on_subnet(subnet: ResourceId, **options: str) -> str:
    """`az network vnet subnet update` for a subnet."""
    network = subnet.names[0]
    return f"az network vnet subnet update {az.placed(subnet, vnet_name=network, name=subnet.name, **options)}"
