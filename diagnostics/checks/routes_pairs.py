"""Traffic between networks and an appliance: one way only, past it, or not let in by a peering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.routes_hops import GATEWAY_SUBNET, Hop, Lead, Side
from diagnostics.checks.routes_words import FIREWALL_SPOKES, PEERING, on_route, weight
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, route_cause
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import Peering, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import RouteTable
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.paste import az, bicep, links


@check("UDR018", "Traffic to a peered network bypasses the firewall", Severity.INFO)
def past_to_peers(view: View) -> Iterator[Said]:
    """Everything is meant to go to an appliance, but the route of a peering is narrower and leads straight to the peer.

    A route for 0.0.0.0/0 never wins over a peering's; only routes for the peer's own prefixes do ("Azure virtual
    network traffic routing", how Azure selects a route).
    """
    for side in view.hops.sides:
        hop = view.ways.appliance(side)
        if hop and side.table and side.table.peerings and view.ways.ordinary(side):
            peers = [each for each in side.network.peerings if each.remote != hop.home and _straight(each, side.table)]
            if peers:
                yield _beside(side.table, side, hop, peers)


@check("UDR021", "Peering that refuses what an appliance forwards", Severity.HIGH)
def not_forwarded(view: View) -> Iterator[Said]:
    """Routes send traffic to an appliance in a peered network, and this side of the peering takes no forwarded traffic.

    What the appliance sends here on behalf of others, answers from the internet among it, is dropped ("Virtual network
    peering", allow forwarded traffic).
    """
    told: set[tuple[ResourceId, str]] = set()
    for table in view.tables:
        for lead in view.hops.leads(table):
            for network, peering in _refusing(view, lead):
                if (network.id, peering.name) not in told:
                    told.add((network.id, peering.name))
                    yield _refused(view, lead, network, peering)


def _straight(peering: Peering, table: RouteTable) -> bool:
    """Whether a part of a peer's space is not taken by routes that win over the peering's."""
    if not (peering.connected and peering.allows_access):
        return False
    routes = [read for route in table.routes if (read := read_prefix(route.prefix))]
    spaces = [read for text in peering.prefixes if (read := read_prefix(text))]
    return any(not space <= AddressSet.union(each for each in routes if each <= space) for space in spaces)


def _beside(table: RouteTable, side: Side, hop: Hop, peers: Sequence[Peering]) -> Found:
    prefix = next(iter(peers[0].prefixes), "")
    text = f"{table.id.name} sends 0.0.0.0/0 to {hop.name}; the routes of peerings are narrower and win"
    causes = [fact("route", text, table.id, table.id.name)]
    causes += [
        fact("peering", f"peering {each.name} leads straight to {listed(each.prefixes)}", side.network.id, each.name)
        for each in peers[:5]
    ]
    name = f"to-{peers[0].remote.name}"
    remedy = Remedy(
        summary=f"If this traffic is to be filtered as well, add a route for each prefix of the peer that leads to "
        f"{hop.name}, and one for the way back.",
        az_cli=on_route(
            "create",
            table,
            name,
            address_prefix=prefix,
            next_hop_type="VirtualAppliance",
            next_hop_ip_address=hop.text,
        ),
        bicep=bicep.comment(f"in the routes of {table.id.name}")
        + f"{{ name: {bicep.quoted(name)}, properties: {{ addressPrefix: {bicep.quoted(prefix)}, nextHopType: "
        f"'VirtualAppliance', nextHopIpAddress: {bicep.quoted(hop.text)} }} }}\n",
        doc_url=FIREWALL_SPOKES,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Traffic of {side.network.id.name} to peered networks goes past {hop.name} by {table.id.name}"
    return Found(table.id, title, tuple(causes), remedy, (side.network.id.name,))


def _refusing(view: View, lead: Lead) -> Iterator[tuple[VirtualNetwork, Peering]]:
    """The networks to which the appliance of a route forwards, and whose peering does not take that."""
    side, home = lead.side, lead.hop.home
    if side is None or home is None:
        return
    if home != side.network.id:
        if peering := _closed(side.network, home):
            hub = view.estate.networks.get(home)
            spaces = (*peering.prefixes, *(hub.prefixes if hub else ()))
            if not view.hops.won(side, lead.route) <= _all(spaces):
                yield side.network, peering
    elif any(subnet.id.name.lower() == GATEWAY_SUBNET for subnet in side.subnets):
        won = view.hops.won(side, lead.route)
        for peering in side.network.peerings if won else ():
            spoke = view.estate.networks.get(peering.remote)
            back = _closed(spoke, home) if spoke and peering.connected else None
            if spoke and back and won & _all(spoke.prefixes):
                yield spoke, back


def _closed(network: VirtualNetwork, remote: ResourceId) -> Peering | None:
    """A network's side of a peering that takes no forwarded traffic."""
    found = (each for each in network.peerings if each.remote == remote and each.connected)
    return next((each for each in found if not each.allows_forwarded and not _by_wan(each)), None)


def _by_wan(peering: Peering) -> bool:
    """Whether Virtual WAN made a peering: it looks after what passes there itself."""
    return peering.name.lower().startswith("remotevnettohubpeering")


def _all(prefixes: Sequence[str]) -> AddressSet:
    return AddressSet.union(read for text in prefixes if (read := read_prefix(text)))


def _refused(view: View, lead: Lead, network: VirtualNetwork, peering: Peering) -> Found:
    text = f"peering {peering.name} of {network.id.name} takes no forwarded traffic (allowForwardedTraffic is false)"
    remedy = Remedy(
        summary=f"Allow forwarded traffic at peering {peering.name} of {network.id.name}.",
        az_cli=f"az network vnet peering update {az.placed(network.id, vnet_name=network.id.name, name=peering.name)}"
        " --set allowForwardedTraffic=true",
        bicep=bicep.comment(f"in peering {peering.name} of {network.id.name}, under properties")
        + "allowForwardedTraffic: true\n",
        doc_url=PEERING,
        portal_url=links.blade(network.id, "peerings"),
    )
    title = f"Peering {peering.name} of {network.id.name} refuses what {lead.hop.name} forwards"
    causes = (fact("peering", text, network.id, peering.name), route_cause(lead.table, lead.route))
    severity = weight(view, lead.table, Severity.HIGH)
    return Found(peering.id or network.id, title, causes, remedy, (peering.name,), severity)
