"""Edges of tags, of longest prefixes that tie, and of IPv6: what ARM's JSON says, and what becomes of an address."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.routing import Routing
from tests.network.arm import ask, body, machine, network, nsg, part, read, ref, rule, subnet, table
from tests.network.builders import point

TAGS = {
    "values": [
        {"name": "Storage", "properties": {"addressPrefixes": ["20.60.0.0/16", "20.38.0.0/16", "2603:1020::/40"]}},
        {"name": "Storage.WestEurope", "properties": {"addressPrefixes": ["20.60.0.0/16"]}},
        {"name": "AzureCloud", "properties": {"addressPrefixes": ["20.60.0.0/16", "20.38.0.0/16", "51.4.0.0/16"]}},
        {"name": "AzureCloud.westeurope", "properties": {"addressPrefixes": ["20.60.0.0/16", "51.4.0.0/16"]}},
    ]
}
VPN = (
    body(
        "virtualNetworkGateways",
        "gw",
        gatewayType="Vpn",
        ipConfigurations=[{"name": "c", "properties": {"subnet": ref("virtualNetworks", "v/subnets/GatewaySubnet")}}],
    ),
    body(
        "connections",
        "vpn",
        virtualNetworkGateway1=ref("virtualNetworkGateways", "gw"),
        localNetworkGateway2=ref("localNetworkGateways", "far"),
    ),
    body(
        "localNetworkGateways",
        "far",
        localNetworkAddressSpace={
            "addressPrefixes": ["10.0.7.0/24", "10.9.1.0/24", "192.168.7.0/24", "203.0.113.0/24"]
        },
    ),
)


def routed(**routes: str) -> Estate:
    """A subnet with these routes, in a network with a peer, a VPN, a service endpoint, and both families."""
    storage = [{"service": "Microsoft.Storage", "locations": ["westeurope"]}] if routes.pop("endpoint", "") else []
    home = subnet("s", "10.0.0.0/24", "fd00:1::/64", table="rt", serviceEndpoints=storage)
    both = network(
        "v", "10.0.0.0/16 fd00:1::/48", home, subnet("GatewaySubnet", "10.0.255.0/27"), peers={"w": "10.9.0.0/16"}
    )
    return read(both, machine("a", "v/s", "10.0.0.4", "fd00:1::4"), table("rt", **routes), TAGS, *VPN)


# "Azure virtual network traffic routing": how Azure selects a route, service tags for user-defined routes.
TIES: list[tuple[str, dict[str, str], str, str, str]] = [
    ("learnt, more specific than the network's own space", {}, "10.0.7.4", "VnetLocal", "10.0.0.0/16"),
    ("learnt, more specific than the peer's", {}, "10.9.1.4", "VNetPeering", "10.9.0.0/16"),
    ("learnt, within a block that goes nowhere", {}, "192.168.7.4", "VirtualNetworkGateway", "192.168.7.0/24"),
    ("learnt, public", {}, "203.0.113.4", "VirtualNetworkGateway", "203.0.113.0/24"),
    ("user's, as long as learnt", {"u": "192.168.7.0/24 None"}, "192.168.7.4", "None", "192.168.7.0/24"),
    ("user's, shorter", {"u": "192.168.0.0/16 None"}, "192.168.7.4", "VirtualNetworkGateway", "192.168.7.0/24"),
    ("user's, as long as the peer's", {"u": "10.9.0.0/16 None"}, "10.9.1.4", "None", "10.9.0.0/16"),
    ("user's, shorter than the peer's", {"u": "10.8.0.0/15 None"}, "10.9.1.4", "VNetPeering", "10.9.0.0/16"),
    ("user's default", {"u": "0.0.0.0/0 None"}, "8.8.8.8", "None", "0.0.0.0/0"),
    ("user's default is not for the network", {"u": "0.0.0.0/0 None"}, "10.0.9.9", "VnetLocal", "10.0.0.0/16"),
    ("user's default opens no private block", {"u": "0.0.0.0/0 Internet"}, "172.16.0.4", "None", "172.16.0.0/12"),
    ("a prefix and a tag", {"t": "Storage None", "u": "20.60.0.0/16 Internet"}, "20.60.0.4", "Internet", "20.60.0.0/16"),
    ("a regional tag", {"t": "Storage None", "u": "storage.westeurope Internet"}, "20.60.0.4", "Internet", "storage.westeurope"),
    ("and its base tag elsewhere", {"t": "Storage None", "u": "Storage.WestEurope Internet"}, "20.38.0.4", "None", "Storage"),
    ("AzureCloud comes last", {"t": "AzureCloud.westeurope None", "u": "Storage Internet"}, "20.60.0.4", "Internet", "Storage"),
    ("AzureCloud, regional", {"t": "AzureCloud None", "u": "AzureCloud.westeurope Internet"}, "51.4.0.4", "Internet", "AzureCloud.westeurope"),
    ("a default route and a tag", {"t": "Storage Internet", "u": "0.0.0.0/0 None"}, "20.60.0.4", "Internet", "Storage"),
    ("a service endpoint and a default route", {"endpoint": "on", "u": "0.0.0.0/0 None"}, "20.60.0.4", "VirtualNetworkServiceEndpoint", "Storage.westeurope"),
    ("a service endpoint and a route as long", {"endpoint": "on", "u": "20.60.0.0/16 None"}, "20.60.0.4", "None", "20.60.0.0/16"),
    ("IPv6, within the network", {}, "fd00:1:0:9::4", "VnetLocal", "fd00:1::/48"),
    ("IPv6, to the internet", {}, "2001:db8::4", "Internet", "::/0"),
    ("IPv6, a default route for IPv4", {"u": "0.0.0.0/0 None"}, "2001:db8::4", "Internet", "::/0"),
    ("IPv6, a default route of its own", {"u": "::/0 None"}, "2001:db8::4", "None", "::/0"),
    ("IPv6, within a user's prefix", {"u": "fd00:1:0:9::/64 None"}, "fd00:1:0:9::4", "None", "fd00:1:0:9::/64"),
    ("IPv6, in a tag", {"t": "Storage None"}, "2603:1020::4", "None", "Storage"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("routes", "to", "leads", "prefix"), [case[1:] for case in TIES], ids=[case[0] for case in TIES]
)
def test_which_route_wins(routes: dict[str, str], to: str, leads: str, prefix: str) -> None:
    known = routed(**routes)
    hop = Routing(known).next_hop(point(known, "a"), ipaddress.ip_address(to))
    assert hop.known, hop.missing
    assert hop.route
    assert (hop.route.next_hop_type, hop.route.prefix) == (leads, prefix)


def test_without_ipv6_in_the_network_there_is_no_route_for_it() -> None:
    known = read(network("v", "10.0.0.0/16", subnet("s", "10.0.0.0/24")), machine("a", "v/s", "10.0.0.4"))
    assert Routing(known).next_hop(point(known, "a"), ipaddress.ip_address("2001:db8::4")).route is None


def guarded(*rules: Any, **more: Any) -> Estate:
    """Machine b behind these rules; a beside it and p in a peered network, all with both families."""
    return read(
        network(
            "v",
            "10.0.0.0/16 fd00:1::/48",
            subnet("s", "10.0.0.0/24", "fd00:1::/64"),
            peers={"w": "10.9.0.0/16 fd00:9::/48"},
        ),
        network(
            "w",
            "10.9.0.0/16 fd00:9::/48",
            subnet("s", "10.9.0.0/24", "fd00:9::/64"),
            peers={"v": "10.0.0.0/16 fd00:1::/48"},
        ),
        machine("a", "v/s", "10.0.0.4", "fd00:1::4"),
        machine("b", "v/s", "10.0.0.5", "fd00:1::5", nsg="nsg-b", **more),
        machine("p", "w/s", "10.9.0.4", "fd00:9::4"),
        nsg("nsg-b", *rules),
        TAGS,
    )


def denied(**terms: Any) -> Any:
    return rule("no", 100, "Deny", "nsg-b", **{"protocol": "*"} | terms)


# "Network security groups overview", "Virtual network service tags".
WORDS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("0.0.0.0/0 is IPv4", {"sourceAddressPrefix": "0.0.0.0/0"}, "fd00:1::4", "fd00:1::5", "allowed"),
    ("::/0 is IPv6", {"sourceAddressPrefix": "::/0"}, "fd00:1::4", "fd00:1::5", "denied"),
    ("::/0 is not IPv4", {"sourceAddressPrefix": "::/0"}, "10.0.0.4", "10.0.0.5", "allowed"),
    ("* is both", {"sourceAddressPrefix": "*"}, "fd00:1::4", "fd00:1::5", "denied"),
    ("an address without a mask", {"sourceAddressPrefix": "fd00:1::4"}, "fd00:1::4", "fd00:1::5", "denied"),
    ("another spelling of it", {"sourceAddressPrefix": "FD00:0001::0:4/128"}, "fd00:1::4", "fd00:1::5", "denied"),
    ("prefixes of both families", {"sourceAddressPrefixes": ["10.9.0.0/16", "fd00:9::/48"]}, "fd00:9::4", "fd00:1::5", "denied"),
    ("VirtualNetwork has its IPv6 space", {"sourceAddressPrefix": "VirtualNetwork"}, "fd00:1::4", "fd00:1::5", "denied"),
    ("and the peer's", {"sourceAddressPrefix": "VIRTUALNETWORK"}, "fd00:9::4", "fd00:1::5", "denied"),
    ("a peer is not the internet", {"sourceAddressPrefix": "Internet"}, "10.9.0.4", "10.0.0.5", "allowed"),
    ("nor is it over IPv6", {"sourceAddressPrefix": "Internet"}, "fd00:9::4", "fd00:1::5", "allowed"),
    ("probes are the load balancer's", {"sourceAddressPrefix": "AzureLoadBalancer"}, "168.63.129.16", "10.0.0.5", "denied"),
    ("and are in the network's tag", {"sourceAddressPrefix": "VirtualNetwork"}, "168.63.129.16", "10.0.0.5", "denied"),
    ("whether in the internet's too, old answers say", {"sourceAddressPrefix": "Internet"}, "168.63.129.16", "10.0.0.5", "unknown"),
    ("a protocol in another case", {"protocol": "TCP", "sourceAddressPrefix": "*"}, "10.0.0.4", "10.0.0.5", "denied"),
    ("another protocol", {"protocol": "Udp", "sourceAddressPrefix": "*"}, "10.0.0.4", "10.0.0.5", "allowed"),
    ("an empty singular beside a plural", {"sourceAddressPrefix": "", "sourceAddressPrefixes": ["10.0.0.4"]}, "10.0.0.4", "10.0.0.5", "denied"),
    ("an empty plural beside a singular", {"sourceAddressPrefix": "10.9.0.4", "sourceAddressPrefixes": []}, "10.0.0.4", "10.0.0.5", "allowed"),
    ("ports in both fields", {"destinationPortRange": "22", "destinationPortRanges": ["443"]}, "10.0.0.4", "10.0.0.5", "denied"),
    ("a group without members", {"sourceAddressPrefix": None, "sourceApplicationSecurityGroups": [ref("applicationSecurityGroups", "none")]}, "10.0.0.4", "10.0.0.5", "allowed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "source", "to", "verdict"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS]
)
def test_what_words_mean(terms: dict[str, Any], source: str, to: str, verdict: str) -> None:
    assert ask(guarded(denied(**terms)), source, to).verdict == verdict


@pytest.mark.parametrize(
    ("tag", "to", "verdict"),
    [
        ("Storage", "20.60.0.4", "denied"),
        ("storage.WESTEUROPE", "20.60.0.4", "denied"),
        ("Storage.WestEurope", "20.38.0.4", "allowed"),
        ("AzureCloud", "20.38.0.4", "denied"),
        ("Storage", "8.8.8.8", "allowed"),
        ("Sql", "20.60.0.4", "unknown"),
        ("Internet", "20.60.0.4", "denied"),
    ],
)
def test_tags_of_services(tag: str, to: str, verdict: str) -> None:
    """A regional tag is a part of its base tag; public addresses of Azure are in `Internet`; a list without a tag."""
    known = guarded(denied(direction="Outbound", destinationAddressPrefix=tag, sourceAddressPrefix="*"))
    assert ask(known, "b", to).verdict == verdict


@pytest.mark.parametrize(
    ("policy", "leads"),
    [
        ("Disabled", "InterfaceEndpoint"),
        ("Enabled", "None"),
        ("RouteTableEnabled", "None"),
        ("NetworkSecurityGroupEnabled", "InterfaceEndpoint"),
    ],
)
def test_a_route_as_long_as_the_network_overrides_a_private_endpoint_where_policies_let_it(
    policy: str, leads: str
) -> None:
    """ "Manage network policies for private endpoints"."""
    endpoint = machine("pe", "v/pe", "10.0.5.4")
    endpoint["properties"] |= {"privateEndpoint": ref("privateEndpoints", "pe"), "virtualMachine": None}
    known = read(
        network(
            "v",
            "10.0.0.0/16",
            subnet("s", "10.0.0.0/24", table="rt"),
            subnet("pe", "10.0.5.0/24", privateEndpointNetworkPolicies=policy),
        ),
        machine("a", "v/s", "10.0.0.4"),
        table("rt", u="10.0.0.0/16 None"),
        endpoint,
    )
    hop = Routing(known).next_hop(point(known, "a"), ipaddress.ip_address("10.0.5.4"))
    assert hop.route
    assert hop.route.next_hop_type == leads
