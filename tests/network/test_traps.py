"""The examples of Azure's documentation, each by the title of its document, with the answer that the document gives."""

from __future__ import annotations

import ipaddress

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.routing import Routing
from tests.network.arm import Json, ask, body, machine, network, nsg, read, ref, rid, rule, subnet, table
from tests.network.builders import point

# "How network security groups filter network traffic": NSG1 on Subnet1, NSG2 on the interfaces of VM1 and VM3; VM1 and
# VM2 in Subnet1, VM3 in Subnet2, VM4 in Subnet3. Each has a Standard public IP here: the document is about port 80
# from and to the internet.
INTERNET = "203.0.113.9"
ALLOW_80 = {"destinationPortRange": "80", "sourceAddressPrefix": "Internet"}
DENY_80 = {"direction": "Outbound", "destinationPortRange": "80", "destinationAddressPrefix": "Internet"}


def filtered(*, nsg1: tuple[Json, ...] = (), nsg2: tuple[Json, ...] = ()) -> Estate:
    homes = {"vm1": ("v/subnet1", "10.0.1.4", "nsg2"), "vm2": ("v/subnet1", "10.0.1.5", "")}
    homes |= {"vm3": ("v/subnet2", "10.0.2.4", "nsg2"), "vm4": ("v/subnet3", "10.0.3.4", "")}
    nics = [
        machine(name, where, address, nsg=group, publicIPAddress=ref("publicIPAddresses", f"pip-{name}"))
        for name, (where, address, group) in homes.items()
    ]
    publics = [
        body("publicIPAddresses", f"pip-{name}", sku="Standard", ipAddress=f"198.51.100.{number}")
        for number, name in enumerate(homes, 1)
    ]
    subnets = [subnet("subnet1", "10.0.1.0/24", nsg="nsg1")]
    subnets += [subnet("subnet2", "10.0.2.0/24"), subnet("subnet3", "10.0.3.0/24")]
    return read(network("v", "10.0.0.0/16", *subnets), *nics, *publics, nsg("nsg1", *nsg1), nsg("nsg2", *nsg2))


INBOUND = [
    ("VM1: neither allows: DenyAllInBound of NSG1", "vm1", False, False, "denied", "nsg1"),
    ("VM1: NSG1 alone allows: NSG2 denies", "vm1", True, False, "denied", "nsg2"),
    ("VM1: NSG2 alone allows: NSG1 denies", "vm1", False, True, "denied", "nsg1"),
    ("VM1: both allow", "vm1", True, True, "allowed", "allow-80"),
    ("VM2: what NSG1 denies", "vm2", False, True, "denied", "nsg1"),
    ("VM2: what NSG1 allows", "vm2", True, False, "allowed", "allow-80"),
    ("VM3: what NSG2 denies", "vm3", True, False, "denied", "nsg2"),
    ("VM3: what NSG2 allows", "vm3", False, True, "allowed", "allow-80"),
    ("VM4: no NSG: blocked, as a Standard public IP is secure by default", "vm4", True, True, "denied", "Standard"),
]


@pytest.mark.parametrize(
    ("vm", "one", "two", "verdict", "because"), [c[1:] for c in INBOUND], ids=[c[0] for c in INBOUND]
)
def test_inbound_through_two_nsgs(vm: str, one: bool, two: bool, verdict: str, because: str) -> None:  # noqa: FBT001
    allow = [
        (rule("allow-80", 100, "Allow", name, **ALLOW_80),) if on else () for name, on in (("nsg1", one), ("nsg2", two))
    ]
    path = ask(filtered(nsg1=allow[0], nsg2=allow[1]), INTERNET, vm, 80)
    assert path.verdict == verdict
    assert any(because in reason.text for reason in path.because), path.because


OUTBOUND = [
    ("VM1: neither denies: AllowInternetOutBound of both", "vm1", False, False, "allowed"),
    ("VM1: NSG2 denies, NSG1 never evaluates it", "vm1", False, True, "denied"),
    ("VM1: NSG1 denies", "vm1", True, False, "denied"),
    ("VM2: NSG1 denies", "vm2", True, False, "denied"),
    ("VM2: NSG2 is not its own", "vm2", False, True, "allowed"),
    ("VM3: NSG2 denies", "vm3", False, True, "denied"),
    ("VM3: NSG1 is not its own", "vm3", True, False, "allowed"),
    ("VM4: no NSG: allowed", "vm4", True, True, "allowed"),
]


@pytest.mark.parametrize(("vm", "one", "two", "verdict"), [case[1:] for case in OUTBOUND], ids=[c[0] for c in OUTBOUND])
def test_outbound_through_two_nsgs(vm: str, one: bool, two: bool, verdict: str) -> None:  # noqa: FBT001
    deny = [
        (rule("deny-80", 100, "Deny", name, **DENY_80),) if on else () for name, on in (("nsg1", one), ("nsg2", two))
    ]
    assert ask(filtered(nsg1=deny[0], nsg2=deny[1]), vm, INTERNET, 80).verdict == verdict


@pytest.mark.parametrize("direction", ["Inbound", "Outbound"])
def test_intra_subnet(direction: str) -> None:
    """With a rule in NSG1 that denies everything, VM1 and VM2 can no longer communicate with each other."""
    deny = rule("deny-all", 100, "Deny", "nsg1", protocol="*", direction=direction)
    assert ask(filtered(), "vm1", "vm2", 22).verdict == "allowed"
    for source, destination in (("vm1", "vm2"), ("vm2", "vm1")):
        assert ask(filtered(nsg1=(deny,)), source, destination, 22).verdict == "denied"


# "Azure virtual network traffic routing", "Routing example": VNet1 with Subnet1 and Subnet2, peered with VNet2 that has
# two address prefixes; on-premises 10.10.0.0/16 behind a VPN; an appliance at 10.0.100.4; Subnet1 has the route table.
def routed() -> Estate:
    routes = table(
        "rt",
        within_vnet1="10.0.0.0/16 VirtualAppliance 10.0.100.4",
        within_subnet1="10.0.0.0/24 VnetLocal",
        to_vnet2_1_drop="10.1.0.0/16 None",
        to_vnet2_2_drop="10.2.0.0/16 None",
        to_on_prem="10.10.0.0/16 VirtualAppliance 10.0.100.4",
        default_nva="0.0.0.0/0 VirtualAppliance 10.0.100.4",
    )
    subnets = [subnet("subnet1", "10.0.0.0/24", table="rt"), subnet("subnet2", "10.0.1.0/24")]
    subnets += [subnet("dmz", "10.0.100.0/24"), subnet("GatewaySubnet", "10.0.255.0/27")]
    gateway = body(
        "virtualNetworkGateways",
        "gw",
        gatewayType="Vpn",
        ipConfigurations=[
            {"name": "c", "properties": {"subnet": ref("virtualNetworks", "vnet1/subnets/GatewaySubnet")}}
        ],
    )
    connection = body(
        "connections",
        "vpn",
        virtualNetworkGateway1=ref("virtualNetworkGateways", "gw"),
        localNetworkGateway2=ref("localNetworkGateways", "on-premises"),
    )
    local = body("localNetworkGateways", "on-premises", localNetworkAddressSpace={"addressPrefixes": ["10.10.0.0/16"]})
    vnet1 = network("vnet1", "10.0.0.0/16", *subnets, peers={"vnet2": "10.1.0.0/16 10.2.0.0/16"})
    vnet2 = network("vnet2", "10.1.0.0/16 10.2.0.0/16", peers={"vnet1": "10.0.0.0/16"})
    ones = [machine("one", "vnet1/subnet1", "10.0.0.4"), machine("two", "vnet1/subnet2", "10.0.1.4")]
    return read(vnet1, vnet2, routes, gateway, connection, local, *ones)


ROUTES = [
    ("Subnet1, ID3: within the subnet", "one", "10.0.0.5", "VnetLocal", "User"),
    ("Subnet1, ID2: within the network", "one", "10.0.1.4", "VirtualAppliance", "User"),
    ("Subnet1, ID6 over ID4: to VNet2", "one", "10.1.0.4", "None", "User"),
    ("Subnet1, ID7 over ID5: to VNet2's other prefix", "one", "10.2.0.4", "None", "User"),
    ("Subnet1, ID9 over ID8: on-premises", "one", "10.10.0.4", "VirtualAppliance", "User"),
    ("Subnet1, ID12 over ID11: everything else", "one", "8.8.8.8", "VirtualAppliance", "User"),
    ("Subnet2, ID1: within the network", "two", "10.0.0.4", "VnetLocal", "Default"),
    ("Subnet2, ID2: peering", "two", "10.1.0.4", "VNetPeering", "Default"),
    ("Subnet2, ID3: the peer's other prefix", "two", "10.2.0.4", "VNetPeering", "Default"),
    ("Subnet2, ID4: on-premises", "two", "10.10.0.4", "VirtualNetworkGateway", "VirtualNetworkGateway"),
    ("Subnet2, ID5: the internet", "two", "8.8.8.8", "Internet", "Default"),
    ("Subnet2, ID6: private and not in use", "two", "10.9.0.4", "None", "Default"),
    ("Subnet2, ID7: shared address space", "two", "100.64.0.4", "None", "Default"),
    ("Subnet2, ID8: private and not in use", "two", "172.16.0.4", "None", "Default"),
    ("Subnet2, ID9: private and not in use", "two", "192.168.0.4", "None", "Default"),
]


@pytest.mark.parametrize(
    ("nic", "to", "leads", "source"), [case[1:] for case in ROUTES], ids=[case[0] for case in ROUTES]
)
def test_the_documented_route_tables(nic: str, to: str, leads: str, source: str) -> None:
    known = routed()
    hop = Routing(known).next_hop(point(known, nic), ipaddress.ip_address(to))
    assert hop.known
    assert hop.route
    assert (hop.route.next_hop_type, hop.route.source) == (leads, source)


# "Security admin rules in Azure Virtual Network Manager": the table of actions, and the example of the App networks.
def admin(*rules: tuple[str, int, str]) -> object:
    """What Azure says is in force in network v: name, priority and access of rules about port 22."""
    base = "networkManagers/m/securityAdminConfigurations/c/ruleCollections/k/rules"
    terms = {
        "direction": "Inbound",
        "protocol": "Tcp",
        "destinationPortRanges": ["22"],
        "sourcePortRanges": ["0-65535"],
    }
    anywhere = {"sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}]}
    listed = [
        {
            "id": rid(base.split("/", maxsplit=1)[0], f"{base.split('/', 1)[1]}/{name}"),
            "name": name,
            "kind": "Custom",
            "ruleCollectionAppliesToGroups": [],
            "properties": terms | anywhere | {"priority": priority, "access": access},
        }
        for name, priority, access in rules
    ]
    return {"virtualNetwork": ref("virtualNetworks", "v"), "value": listed}


ADMIN = [
    ("no admin rule: NSG allows", (), "Allow", "allowed"),
    ("no admin rule: NSG denies", (), "Deny", "denied"),
    ("Allow: the NSG decides: allows", (("a", 1, "Allow"),), "Allow", "allowed"),
    ("Allow: the NSG decides: denies", (("a", 1, "Allow"),), "Deny", "denied"),
    ("Always allow: past the NSG", (("a", 1, "AlwaysAllow"),), "Deny", "allowed"),
    ("Deny: stops it, whatever the NSG says", (("a", 1, "Deny"),), "Allow", "denied"),
    (
        "App networks: their allow before the company's deny",
        (("all", 10, "Deny"), ("app", 5, "Allow")),
        "Allow",
        "allowed",
    ),
    ("App networks: then their own NSG decides", (("all", 10, "Deny"), ("app", 5, "Allow")), "Deny", "denied"),
    ("other networks: the company's deny", (("all", 10, "Deny"),), "Allow", "denied"),
]


@pytest.mark.parametrize(("rules", "own", "verdict"), [case[1:] for case in ADMIN], ids=[case[0] for case in ADMIN])
def test_security_admin_rules_and_nsgs(rules: tuple[tuple[str, int, str], ...], own: str, verdict: str) -> None:
    known = read(
        network("v", "10.0.0.0/16", subnet("s", "10.0.0.0/24")),
        machine("a", "v/s", "10.0.0.4"),
        machine("b", "v/s", "10.0.0.5", nsg="nsg-b"),
        nsg("nsg-b", rule("ssh", 100, own, "nsg-b", destinationPortRange="22")),
        admin(*rules),
    )
    assert ask(known, "a", "b", 22).verdict == verdict
