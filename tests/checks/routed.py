"""A network with a web subnet that has a route table, and an appliance in a subnet beside it."""

from typing import Any

from diagnostics.findings import Severity
from tests.checks.audited import Body, audited, nic, ref, resource, subnet, table, vm, vnet

NVA = "VirtualAppliance"
EVERYTHING = ("0.0.0.0/0", NVA, "10.0.9.4")
FRONT = "[resourceId('Microsoft.Network/loadBalancers/frontendIPConfigurations', 'lb', 'front')]"
POOL = "[resourceId('Microsoft.Network/loadBalancers/backendAddressPools', 'lb', 'nvas')]"

WEB = [nic("nic-web", "10.0.1.5", ref("subnet", "vnet", "web"), "vm-web"), vm("vm-web", "nic-web")]
"""Somebody who suffers: without, a table's subnets are empty and nothing is high."""


def uses(name: str, prefix: str, of: str = "rt", **properties: Any) -> Body:
    """A subnet with a route table."""
    return subnet(name, prefix, routeTable=ref("table", of), **properties)


def peering(remote: str, prefix: str, name: str = "", **properties: Any) -> Body:
    """A connected peering, to stand in `vnet`."""
    space = {"remoteAddressSpace": {"addressPrefixes": [prefix]}, "peeringState": "Connected"}
    inner = {"remoteVirtualNetwork": ref("vnet", remote), "allowForwardedTraffic": True, **space, **properties}
    return {"name": name or f"to-{remote}", "properties": inner}


def network(*subnets: Body, peerings: tuple[Body, ...] = (), **properties: Any) -> Body:
    """The network: `web` uses table `rt`, `nva` is for appliances."""
    first = (uses("web", "10.0.1.0/24"), subnet("nva", "10.0.9.0/24"))
    return vnet("vnet", *first, *subnets, virtualNetworkPeerings=list(peerings), **properties)


def appliance(
    power: str = "running", *, forwards: bool = True, at: str = "nva", address: str = "10.0.9.4"
) -> list[Body]:
    """The appliance: its NIC and its VM."""
    made = nic("nic-nva", address, ref("subnet", "vnet", at), "vm-nva", enableIPForwarding=forwards)
    return [made, vm("vm-nva", "nic-nva", power=power)]


def balancer(protocol: str = "All", port: int = 0) -> Body:
    """An internal load balancer at 10.0.9.10."""
    rule = {"protocol": protocol, "frontendPort": port, "backendPort": port}
    rule |= {"frontendIPConfiguration": {"id": FRONT}, "backendAddressPool": {"id": POOL}}
    front = {"privateIPAddress": "10.0.9.10", "subnet": ref("subnet", "vnet", "nva")}
    return resource(
        "balancer",
        "lb",
        {
            "frontendIPConfigurations": [{"name": "front", "properties": front}],
            "backendAddressPools": [{"name": "nvas"}],
            "loadBalancingRules": [{"name": "all", "properties": rule}],
        },
        sku={"name": "Standard"},
    )


def member(power: str = "running", *, forwards: bool = True) -> list[Body]:
    """An appliance behind the load balancer."""
    behind = {"loadBalancerBackendAddressPools": [{"id": POOL}]}
    at = ref("subnet", "vnet", "nva")
    made = nic("nic-nva", "10.0.9.4", at, "vm-nva", behind, enableIPForwarding=forwards)
    return [made, vm("vm-nva", "nic-nva", power=power)]


def gateway(name: str = "gw", of: str = "vnet") -> Body:
    """A VPN gateway."""
    at = [{"name": "main", "properties": {"subnet": ref("subnet", of, "GatewaySubnet")}}]
    return resource("gateway", name, {"gatewayType": "Vpn", "ipConfigurations": at})


def firewall(address: str = "10.0.9.4", of: str = "vnet") -> Body:
    """An Azure Firewall."""
    at = {"privateIPAddress": address, "subnet": ref("subnet", of, "AzureFirewallSubnet")}
    return resource("firewall", "fw", {"ipConfigurations": [{"name": "main", "properties": at}]})


def rt(*routes: tuple[str, str, str], **properties: Any) -> Body:
    """The route table of `web`."""
    return table("rt", *routes, **properties)


def severities(check: str, resources: list[Body], *, complete: bool = True) -> list[Severity]:
    """How bad what one check finds is; `unclear` is told by `told`."""
    return [finding.severity for finding in audited(check, resources, complete=complete).findings]
