"""One address is led the same way whether it is looked for alone or in the table of all addresses."""

import ipaddress
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.routing import NextHop, Routing
from diagnostics.network.tags import ServiceTags
from tests.network.builders import estate, network, nic, peering, point, route, subnet, table

ENDPOINT = ResourceId.parse(
    "/subscriptions/5e8b9a4c-7a0d-4a0f-8c63-2f6d1b6e0001/resourceGroups/rg/providers"
    "/Microsoft.Network/privateEndpoints/pe"
)
LISTED = ServiceTags(
    prefixes={"storage": ("20.60.0.0/16", "20.60.1.0/24", "2603:1020::/40"), "azurekeyvault": ("20.61.0.0/16",)}
)


def routed(*routes: Any, tags: ServiceTags | None = None, **more: Any) -> Estate:
    """Endpoint a with these routes; b beside it, c in a subnet without a table, and private endpoints e and f."""
    one = network(
        "v",
        "10.0.0.0/16 fd00:1::/48",
        subnet("v/a", "10.0.1.0/24", table="rt", **more),
        subnet("v/b", "10.0.2.0/24", table="rt"),
        subnet("v/c", "10.0.3.0/24"),
        peerings=[peering("w", "10.1.0.0/16")],
    )
    two = network("w", "10.1.0.0/16", subnet("w/e", "10.1.1.0/24"), peerings=[peering("v", "10.0.0.0/16")])
    nics = [nic("a", "10.0.1.4", "v/a"), nic("b", "10.0.2.4", "v/b"), nic("c", "10.0.3.4", "v/c")]
    ends = [
        nic(each, at, where, private_endpoint=ENDPOINT)
        for each, at, where in (("e", "10.1.1.4", "w/e"), ("f", "10.0.3.9", "v/c"))
    ]
    more_ = {"service_tags": tags} if tags else {}
    return estate(one, two, *nics, *ends, table("rt", *routes), **more_)


CASES = [
    ("the system's own", routed()),
    (
        "a table with the same prefix twice",
        routed(route("x", "0.0.0.0/0", "None"), route("y", "0.0.0.0/0", "Internet")),
    ),
    ("two halves", routed(route("x", "0.0.0.0/1", "None"), route("y", "128.0.0.0/1", "VirtualAppliance", "10.0.2.4"))),
    ("a prefix within another", routed(route("x", "10.1.0.0/16", "None"), route("y", "10.1.1.4/32", "Internet"))),
    ("IPv6", routed(route("x", "::/0", "None"), route("y", "2603::/16", "Internet"))),
    ("a tag that is known", routed(route("x", "Storage", "Internet"), tags=LISTED)),
    ("a tag that is not known", routed(route("x", "Storage", "None"))),
    ("service endpoints", routed(service_endpoints=("Microsoft.Sql", "Microsoft.KeyVault"), tags=LISTED)),
]
ADDRESSES = [
    "8.8.8.8",
    "10.0.2.4",
    "10.0.3.9",
    "10.1.1.4",
    "10.1.1.5",
    "10.9.0.1",
    "20.60.1.4",
    "20.60.2.4",
    "200.0.0.1",
]
ADDRESSES += ["200.0.0.1", "fd00:1::4", "2603:1020::4", "2001:db8::1"]


@pytest.mark.parametrize(("what", "known"), CASES, ids=[what for what, _ in CASES])
@pytest.mark.parametrize("text", ADDRESSES)
def test_alone_as_in_the_table(what: str, known: Estate, text: str) -> None:
    address, alone, whole = ipaddress.ip_address(text), Routing(known), Routing(known)
    for name in "abc":
        here = point(known, name)
        assert alone.next_hop(here, address) == whole.table(here, address.version).of(int(address)), what


def test_many_questions_are_answered_as_few() -> None:
    """Once a table pays, it answers; nobody can tell."""
    known = routed(route("x", "10.1.0.0/16", "None"))
    often, here = Routing(known), point(known, "a")
    for text in ADDRESSES * 3:
        address = ipaddress.ip_address(text)
        assert often.next_hop(here, address) == Routing(known).next_hop(here, address)


def hop(known: Estate, name: str, to: str) -> NextHop:
    return Routing(known).next_hop(point(known, name), ipaddress.ip_address(to))


def test_subnets_that_share_a_table_do_not_share_service_endpoints() -> None:
    known = routed(service_endpoints=("Microsoft.KeyVault",), tags=LISTED)
    kinds = [found.route and found.route.next_hop_type for found in (hop(known, each, "20.61.2.4") for each in "ab")]
    assert kinds == ["VirtualNetworkServiceEndpoint", "Internet"]


@pytest.mark.parametrize(
    ("to", "leads"), [("10.0.3.9", "InterfaceEndpoint"), ("10.1.1.4", "InterfaceEndpoint"), ("10.1.1.5", "VNetPeering")]
)
def test_private_endpoints_of_the_network_and_of_peers_have_routes(to: str, leads: str) -> None:
    found = hop(routed(), "a", to).route
    assert found
    assert found.next_hop_type == leads
