"""What to do about a route that leads a flow astray.

Sources: "Virtual network traffic routing" (longest prefix, then user-defined, BGP, system; next hop types);
"Diagnose a virtual machine routing problem".
"""

from __future__ import annotations

import ipaddress

import msgspec

from diagnostics.findings import Remedy
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Route
from diagnostics.network.prefixes import is_public
from diagnostics.paste import az, bicep
from diagnostics.paste.links import blade
from diagnostics.runbooks.remedies.blocker import Blocker, is_ip, learn

_DOC = "/azure/virtual-network/virtual-networks-udr-overview"
_DIAGNOSE = "/azure/virtual-network/diagnose-network-routing-problem"
_KIND = f"Microsoft.Network/routeTables@{bicep.NETWORK}"
_CHILD = f"Microsoft.Network/routeTables/routes@{bicep.NETWORK}"
_APPLIANCE = "virtualappliance"
_EVERYTHING = frozenset({"0.0.0.0/0", "::/0"})


def route(blocker: Blocker) -> Remedy:
    """Correct the route, delete it, or mend its next hop."""
    table, name = blocker.owner, blocker.item
    if table is None:
        text = "Delete or correct the user-defined route of the source's subnet for this flow, or mend its next hop."
        return learn(text, _DOC)
    place = az.placed(table, route_table_name=table.name)
    if not name:
        text = f"Delete or correct the route of route table {table.name} that takes this flow, or mend its next hop."
        commands, template = f"az network route-table route list {place} -o table", ""
    elif blocker.route is None:
        text = (
            f"Delete or correct route {name} of route table {table.name}; if it leads to an appliance, see that the "
            "appliance runs and forwards."
        )
        commands = az.lines(
            f"az network route-table route show {place} {az.arguments(name=name)}", _delete(table, name)
        )
        template = bicep.existing(_KIND, table)
        template += bicep.comment(f"take route {bicep.quoted(name)} out of routes, or correct its next hop")
    else:
        text, commands, template = _known(blocker, table, blocker.route)
    remedy = learn(text, _DOC)
    return msgspec.structs.replace(remedy, az_cli=commands, bicep=template, portal_url=blade(table, "routes"))


def _known(blocker: Blocker, table: ResourceId, found: Route) -> tuple[str, str, str]:
    """The route was read: where it leads is told."""
    says = f"Route {found.name} of route table {table.name} sends {found.prefix} to {_hop(found)}"
    delete = _delete(table, found.name)
    if found.next_hop_type.lower() == _APPLIANCE:
        text = (
            f"{says}: see that this appliance exists, runs, and that its network interface and its system forward IP; "
            "or point the route at one that does; or delete it."
        )
        return text, az.lines(_owner_of(table, found.next_hop_address), delete), _to_an_appliance(table, found)
    better = _better(blocker, found)
    if not better:
        place = az.placed(table, route_table_name=table.name, name=found.name)
        text = f"{says}. If that is not on purpose, delete or correct it."
        return text, az.lines(f"az network route-table route show {place}", delete), ""
    text = f"{says}. If that is not on purpose, delete it, or give it next hop {better}{_when(better)}."
    place = az.placed(table, route_table_name=table.name, name=found.name, next_hop_type=better)
    template = bicep.comment(f"next hop {better}{_when(better)}; delete the route otherwise")
    body: bicep.Value = {"addressPrefix": found.prefix, "nextHopType": better}
    return text, az.lines(f"az network route-table route update {place}", delete), template + _child(table, found, body)


def _hop(found: Route) -> str:
    kind, address = found.next_hop_type, found.next_hop_address or ", ".join(found.next_hop_addresses)
    if kind.lower() == "none":
        return "next hop None, which drops it"
    return f"{kind} {address}".strip()


def _better(blocker: Blocker, found: Route) -> str:
    """The next hop that Azure's own routes would give the destination; empty where that is not known."""
    if not is_ip(blocker.destination) or found.next_hop_type.lower() not in {"none", "internet", "vnetlocal"}:
        return ""
    wanted = "Internet" if is_public(ipaddress.ip_address(blocker.destination)) else "VnetLocal"
    if wanted == "VnetLocal" and found.prefix in _EVERYTHING:
        return ""  # the virtual network has a narrower route of its own, or does not know the destination at all
    return "" if wanted.lower() == found.next_hop_type.lower() else wanted


def _when(hop: str) -> str:
    return " (right for a destination in the same virtual network)" if hop == "VnetLocal" else ""


def _delete(table: ResourceId, name: str) -> str:
    place = az.placed(table, route_table_name=table.name, name=name)
    return az.otherwise("or, if nobody needs it", f"az network route-table route delete {place}")


def _owner_of(table: ResourceId, address: str) -> str:
    """Whose network interface has the next hop's address, and whether it forwards."""
    if not is_ip(address):
        return ""
    query = (
        f"[?ipConfigurations[?privateIPAddress=='{address}']]"
        ".{nic:id, vm:virtualMachine.id, forwards:enableIPForwarding}"
    )
    return f"az network nic list {az.arguments(subscription=table.subscription, query=query)}"


def _to_an_appliance(table: ResourceId, found: Route) -> str:
    body: bicep.Value = {
        "addressPrefix": found.prefix,
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": bicep.Raw("appliance"),
    }
    ask = "@description('IP address of an appliance that runs and forwards')\nparam appliance string\n\n"
    return ask + _child(table, found, body)


def _child(table: ResourceId, found: Route, properties: bicep.Value) -> str:
    body: dict[str, bicep.Value] = {"parent": bicep.Raw("it"), "name": found.name, "properties": properties}
    return bicep.existing(_KIND, table) + "\n" + bicep.resource("route", _CHILD, body)


def system_route(_: Blocker) -> Remedy:
    """A route of Azure's own drops the flow."""
    text = (
        "No user-defined route is to blame: a route of Azure's own drops this flow, as it does for private addresses "
        "that the virtual network does not know. See that the destination's network is peered (state Connected) or "
        "that a gateway announces it; or add a route."
    )
    return learn(text, _DIAGNOSE)


def with_peerings(blocker: Blocker) -> Remedy:
    """The same, with the command that shows the peerings where the network is known."""
    remedy, network = system_route(blocker), blocker.network
    if network is None:
        return remedy
    place = az.placed(network, vnet_name=network.name)
    command = f"az network vnet peering list {place} -o table"
    return msgspec.structs.replace(remedy, az_cli=command, portal_url=blade(network, "peerings"))


def not_learned(blocker: Blocker) -> Remedy:
    """A gateway has learned no route to the destination."""
    to = blocker.destination or "the destination"
    text = (
        f"The gateway has learned no route to {to}: see that its connection is up, that the far side announces a "
        "prefix which holds that address over BGP, or that the local network gateway lists it; then look at the "
        "gateway's learned routes."
    )
    gateway, commands = blocker.at, ""
    if gateway is not None and gateway.type == "microsoft.network/virtualnetworkgateways":
        place = az.placed(gateway, name=gateway.name)
        commands = az.lines(
            f"az network vnet-gateway list-learned-routes {place} -o table",
            f"az network vnet-gateway list-bgp-peer-status {place} -o table",
        )
    return msgspec.structs.replace(learn(text, _DIAGNOSE), az_cli=commands)
