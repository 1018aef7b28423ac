"""Next hops and effective routes as Azure told them, against the engine's own from the same configuration.

The tables hold all disagreements: a test fails when there is a new one, and when one is gone.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.reach import Reach
from diagnostics.network.reading import read_objects
from diagnostics.network.routes import Source, configured, kind
from diagnostics.network.routing import Candidate, Routing
from diagnostics.network.security import Flow
from tests.corpus.recordings import Answer, answers
from tests.corpus.test_recorded_flows import of

type Route = tuple[str, str, str]

MISSING_APPLIANCE = (
    "the route leads to an appliance at an address that no network has; Azure says type None, with the address and the "
    "route table of that route; here the route keeps its type, and what is sent there is denied when it is followed"
)
HOPS = {"sequence/006.json#14": MISSING_APPLIANCE, "sequence/008.json#16": MISSING_APPLIANCE}
# Azure drops blocks of its own too, in every network other ones, and no documentation lists them.
_V6 = """2603:1080::/25 fd35:eef2::/32 fde4:8dba::/32 2001:4898::/33 2404:f801::/33 2a01:110::/33 2a01:4180:8000::/33
2001:489a::/35 2001:489a:e000::/35 2a01:111::/36 2a01:111:e000::/36 2001:506:28::/48 2801:80:1d0:2000::/52"""
_OWN = {("Default", "25.0.0.0/8", "None")}
ROUTES = {
    "effective_routes/002.json#16": _OWN,
    "sequence/010.json#38": _OWN,
    "sequence/012.json#57": _OWN,
    # Its author left rows out, the one for 172.16.0.0/12 too.
    "effective_routes/019.json": {("Default", p, "None") for p in ("25.33.80.0/20", "25.41.3.0/25", "172.16.0.0/12")},
    # IPv6 was being built then: routes for it, ::/0 among them, though the network has none.
    "effective_routes/005.json#35": {("Default", "::/0", "Internet"), *(("Default", p, "None") for p in _V6.split())},
}


def hop_of(route: Candidate | None) -> tuple[str, tuple[str, ...], ResourceId | None]:
    """A route as Network Watcher tells a next hop: a system route has no table."""
    if route is None:
        return "None", (), None
    return route.next_hop_type, route.next_hop_addresses, route.origin if route.source == Source.USER else None


def told(answer: Answer) -> tuple[str, tuple[str, ...], ResourceId | None]:
    said = answer.said
    addresses = tuple(filter(None, [said.get("nextHopIpAddress")]))
    return kind(said["nextHopType"]), addresses, ResourceId.maybe(said.get("routeTableId"))


def test_addresses_have_the_next_hop_that_azure_says(corpus: Path) -> None:
    compared, other = of(corpus, "nexthop"), {}
    for answer, known, point in compared:
        hop = Routing(known).next_hop(point, ipaddress.ip_address(answer.asked["destinationIPAddress"]))
        assert hop.known, answer.where
        if hop_of(hop.route) != told(answer):
            other[answer.where] = hop_of(hop.route), told(answer)
    assert other.keys() == HOPS.keys(), other
    assert all(mine[1:] == said[1:] for mine, said in other.values()), "they name the same route"
    assert len(compared) == 11


@pytest.mark.parametrize("where", HOPS)
def test_what_azure_says_leads_nowhere_is_denied(corpus: Path, where: str) -> None:
    ((answer, known, point),) = (each for each in of(corpus, "nexthop") if each[0].where == where)
    assert point.address
    flow = Flow(point.address, ipaddress.ip_address(answer.asked["destinationIPAddress"]), "Tcp", 443)
    path = Reach(known).path(flow, source=point)
    assert path.verdict == "denied"
    assert any("out of reach" in reason.text for reason in path.because)


def test_a_subnet_has_the_routes_that_azure_says(corpus: Path) -> None:
    compared = [answer for answer in answers(corpus) if answer.operation == "effectiveroutetable"]
    other = {answer.where: routes(answer.said) ^ own(answer.estate(), answer) for answer in compared}
    snipped = json.loads((corpus / "effective_routes" / "019.json").read_text(encoding="utf-8"))
    # Which service endpoints its subnet has is not told.
    kept = {row for row in routes(snipped) if row[2] != "VirtualNetworkServiceEndpoint"}
    other["effective_routes/019.json"] = kept ^ system_routes(derived(snipped))
    assert {where: routes for where, routes in other.items() if routes} == ROUTES
    assert len(other) == 8


def own(known: Estate, answer: Answer) -> set[Route]:
    """The engine's routes: of the network in the recording, or else of one with the prefixes that Azure calls local."""
    point = answer.point(known)
    return system_routes(known if point and known.subnet_of(point) else derived(answer.said))


def system_routes(known: Estate) -> set[Route]:
    network = next(each for each in known.networks.values() if each.subnets)
    found = configured(known, network, network.subnets[0])
    assert not found.doubtful
    return {(each.route.source, each.route.prefix, each.route.next_hop_type) for each in found.known}


def derived(said: Any) -> Estate:
    """A network with the space, and the peered space, that effective routes show."""
    spaces = {leads: [p for _, p, kind in routes(said) if kind == leads] for leads in ("VnetLocal", "VNetPeering")}
    base = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks"
    peering = {
        "remoteVirtualNetwork": {"id": f"{base}/other"},
        "remoteAddressSpace": {"addressPrefixes": spaces["VNetPeering"]},
        "peeringState": "Connected",
    }
    properties = {
        "addressSpace": {"addressPrefixes": spaces["VnetLocal"]},
        "subnets": [{"name": "s", "properties": {"addressPrefixes": spaces["VnetLocal"]}}],
        "virtualNetworkPeerings": [{"name": "p", "properties": peering}] if spaces["VNetPeering"] else [],
    }
    return read_objects([{"id": f"{base}/v", "properties": properties}])


def routes(said: Any) -> set[Route]:
    """The routes of an answer that count."""
    return {
        (row["source"], prefix, row["nextHopType"])
        for row in said["value"]
        if row["state"] == "Active"
        for prefix in row["addressPrefix"]
    }


def test_effective_routes_lead_where_their_rows_say(corpus: Path) -> None:
    """Every recorded answer as the only configuration of its NIC."""
    compared = 0
    for answer in answers(corpus):
        if answer.operation != "effectiveroutetable":
            continue
        nic = answer.url.rsplit("/", 1)[0]
        body = {"id": nic, "properties": {"ipConfigurations": [{"name": "it"}]}}
        known = read_objects([body, {"networkInterface": {"id": nic}, "value": answer.said["value"]}])
        assert not known.problems, answer.where
        for source, prefix, leads in routes(answer.said):
            network = ipaddress.ip_network(prefix)
            hop = Routing(known).next_hop(known.points[0], network[-1])
            assert hop.route, (answer.where, prefix)
            longer = ipaddress.ip_network(hop.route.prefix).prefixlen > network.prefixlen
            assert longer or (hop.route.source, hop.route.next_hop_type) == (source, leads), (answer.where, prefix)
            compared += 1
    assert compared == 57
