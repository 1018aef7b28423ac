"""What only audits read of the usual resources: in ARM's form and in az's; an expression in its place costs nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from diagnostics.network.estate import Estate, HealthProbe
from diagnostics.network.ids import ResourceId
from tests.network.reading.small import body, flat, part, read, ref, rid, rule

LB = "loadBalancers/lb"


def of(kind: str, name: str) -> ResourceId:
    return ResourceId.parse(rid(kind, name))


def only(field: str, *path: str) -> Callable[[Estate], Any]:
    """A field of the only resource, followed inwards: a number is an index."""

    def found(estate: Estate) -> Any:
        (value,) = getattr(estate, field).values()
        for name in path:
            value = value[int(name)] if name.isdigit() else getattr(value, name)
        return value

    return found


def nic(**more: Any) -> dict[str, Any]:
    return body("networkInterfaces", "n", **more)


def network(**more: Any) -> dict[str, Any]:
    return body("virtualNetworks", "v", **more)


def subnet(**more: Any) -> dict[str, Any]:
    return network(subnets=[part("virtualNetworks/v/subnets", "a", addressPrefix="10.0.0.0/24", **more)])


def pip(**more: Any) -> dict[str, Any]:
    return body("publicIPAddresses", "p", **more)


CONFIGURATION = ref("networkInterfaces", "n/ipConfigurations/i")
PEERING = part("virtualNetworks/v/virtualNetworkPeerings", "to-w", remoteVirtualNetwork=ref("virtualNetworks", "w"))
BALANCER = body(
    "loadBalancers",
    "lb",
    probes=[part(f"{LB}/probes", "p", protocol="Tcp", port=80)],
    loadBalancingRules=[
        part(f"{LB}/loadBalancingRules", "r", protocol="Tcp", frontendPort=80, probe=ref(f"{LB}/probes", "p"))
    ],
)
PROBE = of(f"{LB}/probes", "p")
CASES: list[tuple[dict[str, Any], Callable[[Estate], Any], Any]] = [
    (body("virtualMachines", "m", hardwareProfile={"vmSize": "Standard_B1s"}), only("vms", "size"), "Standard_B1s"),
    (nic(enableAcceleratedNetworking=True), only("nics", "accelerated"), True),
    (nic(enableIPForwarding=True), only("nics", "accelerated"), None),
    (
        nic(privateLinkService=ref("privateLinkServices", "s")),
        only("nics", "private_link_service"),
        of("privateLinkServices", "s"),
    ),
    (
        nic(ipConfigurations=[part("networkInterfaces/n/ipConfigurations", "i", privateIPAddressVersion="IPv6")]),
        only("nics", "ip_configurations", "0", "version"),
        "IPv6",
    ),
    (
        body("networkSecurityGroups", "nsg-a", securityRules=[rule("r", 100, description="for tests")]),
        only("security_groups", "rules", "0", "description"),
        "for tests",
    ),
    (body("networkSecurityGroups", "g", securityRules=[]), only("security_groups", "attached"), None),
    (body("networkSecurityGroups", "g", subnets=[]), only("security_groups", "attached"), ()),
    (
        body("networkSecurityGroups", "g", networkInterfaces=[ref("networkInterfaces", "n")], subnets=[]),
        only("security_groups", "attached"),
        (of("networkInterfaces", "n"),),
    ),
    (
        body("networkSecurityGroups", "g", flowLogs=[ref("networkWatchers/w/flowLogs", "f")]),
        only("security_groups", "flow_logs"),
        (of("networkWatchers/w/flowLogs", "f"),),
    ),
    (body("routeTables", "t", routes=[]), only("route_tables", "attached"), None),
    (
        body("routeTables", "t", subnets=[ref("virtualNetworks", "v/subnets/a")]),
        only("route_tables", "attached"),
        (of("virtualNetworks", "v/subnets/a"),),
    ),
    (
        subnet(delegations=[{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}]),
        only("networks", "subnets", "0", "delegations"),
        ("Microsoft.Web/serverFarms",),
    ),
    (subnet(), only("networks", "subnets", "0", "outbound"), None),
    (subnet(defaultOutboundAccess=True), only("networks", "subnets", "0", "outbound"), True),
    (
        subnet(ipConfigurations=[CONFIGURATION]),
        only("networks", "subnets", "0", "used"),
        (ResourceId.parse(CONFIGURATION["id"]),),
    ),
    (network(enableDdosProtection=False), only("networks", "ddos"), False),
    (network(encryption={"enabled": True, "enforcement": "AllowUnencrypted"}), only("networks", "encryption"), True),
    (network(addressSpace={}), only("networks", "encryption"), None),
    (network(flowLogs=[]), only("networks", "flow_logs"), ()),
    (
        network(virtualNetworkPeerings=[PEERING]),
        only("networks", "peerings", "0", "id"),
        of("virtualNetworks", "v/virtualNetworkPeerings/to-w"),
    ),
    (
        network(virtualNetworkPeerings=[{key: each for key, each in PEERING.items() if key != "id"}]),
        only("networks", "peerings", "0", "id"),
        of("virtualNetworks", "v/virtualNetworkPeerings/to-w"),
    ),
    (pip(ipConfiguration=CONFIGURATION), only("public_ips", "attached"), ResourceId.parse(CONFIGURATION["id"])),
    (pip(natGateway=ref("natGateways", "n")), only("public_ips", "attached"), of("natGateways", "n")),
    (pip(ipAddress="198.51.100.1"), only("public_ips", "attachment_known"), True),
    (pip(ipAddress="198.51.100.1", provisioningState=""), only("public_ips", "attachment_known"), False),
    (
        pip(ddosSettings={"protectionMode": "Enabled"}, publicIPAddressVersion="IPv6"),
        only("public_ips", "ddos"),
        "Enabled",
    ),
    (pip(publicIPAddressVersion="IPv6"), only("public_ips", "version"), "IPv6"),
    (pip(ipAddress="198.51.100.1") | {"zones": ["1", "2"]}, only("public_ips", "zones"), ("1", "2")),
    (
        body("natGateways", "n", subnets=[ref("virtualNetworks", "v/subnets/a")]),
        only("nat_gateways", "subnets"),
        (of("virtualNetworks", "v/subnets/a"),),
    ),
    (
        body(
            "natGateways",
            "n",
            publicIpAddresses=[ref("publicIPAddresses", "p4")],
            publicIpAddressesV6=[ref("publicIPAddresses", "p6")],
        ),
        only("nat_gateways", "public_ips"),
        (of("publicIPAddresses", "p4"), of("publicIPAddresses", "p6")),
    ),
    (
        body("natGateways", "n", publicIpPrefixesV6=[ref("publicIPPrefixes", "p6")]),
        only("nat_gateways", "public_prefixes"),
        (of("publicIPPrefixes", "p6"),),
    ),
    (BALANCER, only("load_balancers", "probes"), {PROBE: HealthProbe(PROBE, "Tcp", 80)}),
    (BALANCER, only("load_balancers", "rules", "0", "probe"), PROBE),
]


@pytest.mark.parametrize("form", [lambda given: given, flat], ids=["ARM", "az"])
@pytest.mark.parametrize(("given", "look", "wanted"), CASES, ids=range(len(CASES)))
def test_a_field(form: Callable[[Any], Any], given: dict[str, Any], look: Callable[[Estate], Any], wanted: Any) -> None:
    estate = read(form(given))
    assert (look(estate), estate.problems) == (wanted, ())


OPEN = "[parameters('x')]"
EXPRESSIONS: list[tuple[str, dict[str, Any], Callable[[Estate], Any], Any]] = [
    ("networkInterfaces", {"enableAcceleratedNetworking": OPEN}, only("nics", "accelerated"), None),
    ("networkInterfaces", {"privateLinkService": OPEN}, only("nics", "private_link_service"), None),
    ("virtualNetworks", {"enableDdosProtection": OPEN, "encryption": OPEN}, only("networks", "encryption"), None),
    (
        "virtualNetworks",
        {"subnets": [{"name": "a", "properties": {"delegations": OPEN}}]},
        only("networks", "ddos"),
        None,
    ),
    ("publicIPAddresses", {"ddosSettings": OPEN}, only("public_ips", "ddos"), ""),
    ("loadBalancers", {"probes": [{"name": "p", "properties": {"port": OPEN}}]}, only("load_balancers", "sku"), ""),
]


@pytest.mark.parametrize(("kind", "properties", "look", "wanted"), EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_an_expression_costs_no_resource(
    kind: str, properties: dict[str, Any], look: Callable[[Estate], Any], wanted: Any
) -> None:
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    resource = {"type": f"Microsoft.Network/{kind}", "name": "x", "zones": OPEN, "properties": properties}
    assert look(read({"$schema": schema, "resources": [resource]})) == wanted
