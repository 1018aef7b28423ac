"""Edges of tags, of longest prefixes that tie, and of IPv6: what ARM's JSON says, and what becomes of an address."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.routing import Routing
from tests.network.arm import ask, body, machine, network, nsg, read, ref, rule, subnet, table
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


S = "20.60.0.4"  # in Storage and in AzureCloud, of all regions and of one
GATEWAY, SERVICE = "VirtualNetworkGateway", "VirtualNetworkServiceEndpoint"

# "Azure virtual network traffic routing": how Azure selects a route, service tags for user-defined routes.
TIES: list[tuple[str, dict[str, str], str, str, str]] = [
    ("learnt, more specific than the network's own space", {}, "10.0.7.4", "VnetLocal", "10.0.0.0/16"),
    ("learnt, more specific than the peer's", {}, "10.9.1.4", "VNetPeering", "10.9.0.0/16"),
    ("learnt, within a block that goes nowhere", {}, "192.168.7.4", GATEWAY, "192.168.7.0/24"),
    ("learnt, public", {}, "203.0.113.4", GATEWAY, "203.0.113.0/24"),
    ("user's, as long as learnt", {"u": "192.168.7.0/24 None"}, "192.168.7.4", "None", "192.168.7.0/24"),
    ("user's, shorter", {"u": "192.168.0.0/16 None"}, "192.168.7.4", GATEWAY, "192.168.7.0/24"),
    ("user's, as long as the peer's", {"u": "10.9.0.0/16 None"}, "10.9.1.4", "None", "10.9.0.0/16"),
    ("user's, shorter than the peer's", {"u": "10.8.0.0/15 None"}, "10.9.1.4", "VNetPeering", "10.9.0.0/16"),
    ("user's default", {"u": "0.0.0.0/0 None"}, "8.8.8.8", "None", "0.0.0.0/0"),
    ("user's default is not for the network", {"u": "0.0.0.0/0 None"}, "10.0.9.9", "VnetLocal", "10.0.0.0/16"),
    ("user's default opens no private block", {"u": "0.0.0.0/0 Internet"}, "172.16.0.4", "None", "172.16.0.0/12"),
    ("a prefix and a tag", {"t": "Storage None", "u": "20.60.0.0/16 Internet"}, S, "Internet", "20.60.0.0/16"),
    ("a regional tag", {"t": "Storage None", "u": "storage.westeurope Internet"}, S, "Internet", "storage.westeurope"),
    (
        "and its base tag elsewhere",
        {"t": "Storage None", "u": "Storage.WestEurope Internet"},
        "20.38.0.4",
        "None",
        "Storage",
    ),
    ("AzureCloud comes last", {"t": "AzureCloud.westeurope None", "u": "Storage Internet"}, S, "Internet", "Storage"),
    (
        "AzureCloud, regional",
        {"t": "AzureCloud None", "u": "AzureCloud.westeurope Internet"},
        "51.4.0.4",
        "Internet",
        "AzureCloud.westeurope",
    ),
    ("a default route and a tag", {"t": "Storage Internet", "u": "0.0.0.0/0 None"}, S, "Internet", "Storage"),
    (
        "a service endpoint and a default route",
        {"endpoint": "on", "u": "0.0.0.0/0 None"},
        S,
        SERVICE,
        "Storage.westeurope",
    ),
    ("a service endpoint and a route as long", {"endpoint": "on", "u": "20.60.0.0/16 None"}, S, "None", "20.60.0.0/16"),
    ("IPv6, within the network", {}, "fd00:1:0:9::4", "VnetLocal", "fd00:1::/48"),
    ("IPv6, to the internet", {}, "2001:db8::4", "Internet", "::/0"),
    ("IPv6, a default route for IPv4", {"u": "0.0.0.0/0 None"}, "2001:db8::4", "Internet", "::/0"),
    ("IPv6, a default route of its own", {"u": "::/0 None"}, "2001:db8::4", "None", "::/0"),
    ("IPv6, within a user's prefix", {"u": "fd00:1:0:9::/64 None"}, "fd00:1:0:9::4", "None", "fd00:1:0:9::/64"),
    ("IPv6, in a tag", {"t": "Storage None"}, "2603:1020::4", "None", "Storage"),
]


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
    spelled = {FIELDS.get(key, key): value for key, value in terms.items()}
    return rule("no", 100, "Deny", "nsg-b", **{"protocol": "*"} | spelled)


FIELDS = {
    "one": "sourceAddressPrefix",
    "many": "sourceAddressPrefixes",
    "groups": "sourceApplicationSecurityGroups",
    "port": "destinationPortRange",
    "ports": "destinationPortRanges",
}
A, B, A6, B6, PEER, PEER6 = "10.0.0.4", "10.0.0.5", "fd00:1::4", "fd00:1::5", "10.9.0.4", "fd00:9::4"
PROBE = "168.63.129.16"

# "Network security groups overview", "Virtual network service tags".
WORDS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("0.0.0.0/0 is IPv4", {"one": "0.0.0.0/0"}, A6, B6, "allowed"),
    ("::/0 is IPv6", {"one": "::/0"}, A6, B6, "denied"),
    ("::/0 is not IPv4", {"one": "::/0"}, A, B, "allowed"),
    ("* is both", {"one": "*"}, A6, B6, "denied"),
    ("an address without a mask", {"one": "fd00:1::4"}, A6, B6, "denied"),
    ("another spelling of it", {"one": "FD00:0001::0:4/128"}, A6, B6, "denied"),
    ("prefixes of both families", {"many": ["10.9.0.0/16", "fd00:9::/48"]}, PEER6, B6, "denied"),
    ("VirtualNetwork has its IPv6 space", {"one": "VirtualNetwork"}, A6, B6, "denied"),
    ("and the peer's", {"one": "VIRTUALNETWORK"}, PEER6, B6, "denied"),
    ("a peer is not the internet", {"one": "Internet"}, PEER, B, "allowed"),
    ("nor is it over IPv6", {"one": "Internet"}, PEER6, B6, "allowed"),
    ("probes are the load balancer's", {"one": "AzureLoadBalancer"}, PROBE, B, "denied"),
    ("and are in the network's tag", {"one": "VirtualNetwork"}, PROBE, B, "denied"),
    ("in the internet's too, old answers say", {"one": "Internet"}, PROBE, B, "unknown"),
    ("a protocol in another case", {"protocol": "TCP", "one": "*"}, A, B, "denied"),
    ("another protocol", {"protocol": "Udp", "one": "*"}, A, B, "allowed"),
    ("an empty singular beside a plural", {"one": "", "many": ["10.0.0.4"]}, A, B, "denied"),
    ("an empty plural beside a singular", {"one": PEER, "many": []}, A, B, "allowed"),
    ("ports in both fields", {"port": "22", "ports": ["443"]}, A, B, "denied"),
    ("a group without members", {"one": None, "groups": [ref("applicationSecurityGroups", "none")]}, A, B, "allowed"),
]


@pytest.mark.parametrize(
    ("terms", "source", "to", "verdict"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS]
)
def test_what_words_mean(terms: dict[str, Any], source: str, to: str, verdict: str) -> None:
    assert ask(guarded(denied(**terms)), source, to).verdict == verdict


@pytest.mark.parametrize(
    ("tag", "to", "verdict"),
    [
        ("Storage", S, "denied"),
        ("storage.westeurope", S, "denied"),
        ("Storage.WestEurope", "20.38.0.4", "allowed"),
        ("AzureCloud", "20.38.0.4", "denied"),
        ("Storage", "8.8.8.8", "allowed"),
        ("Sql", S, "unknown"),
        ("Internet", S, "denied"),
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


APPLIANCES = [
    ("in no network", "10.9.0.0/16", {}, (), "denied"),
    ("in the space of a peer that is not seen", "10.99.0.0/16", {}, (), "unknown"),
    ("with a gateway that may lead there", "10.9.0.0/16", {}, VPN, "unknown"),
    ("with a peer that has grown", "10.9.0.0/16", {"peeringSyncLevel": "LocalNotInSync"}, (), "unknown"),
    ("with a peer that is not connected", "10.99.0.0/16", {"peeringState": "Disconnected"}, (), "denied"),
]


@pytest.mark.parametrize(
    ("peer", "peering", "more", "verdict"), [case[1:] for case in APPLIANCES], ids=[case[0] for case in APPLIANCES]
)
def test_an_appliance_that_nothing_in_sight_is(
    peer: str, peering: dict[str, Any], more: tuple[Any, ...], verdict: str
) -> None:
    """Network Watcher calls the next hop None where an appliance is in neither the network nor a peer."""
    subnets = subnet("s", "10.0.0.0/24", table="rt"), subnet("GatewaySubnet", "10.0.255.0/27")
    home = network("v", "10.0.0.0/16", *subnets, peers={"w": peer})
    home["properties"]["virtualNetworkPeerings"][0]["properties"] |= peering
    known = read(home, machine("a", "v/s", "10.0.0.4"), table("rt", u="0.0.0.0/0 VirtualAppliance 10.99.0.4"), *more)
    assert ask(known, "a", "8.8.8.8").verdict == verdict
