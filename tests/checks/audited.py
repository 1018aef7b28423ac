"""Small estates as the `resources` of an ARM template, and what checks say of them."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from diagnostics.checks.audit import Audit, audit
from diagnostics.network.estate import Estate
from diagnostics.network.reading import read_files

type Body = dict[str, Any]

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
TYPES = {
    "vnet": "Microsoft.Network/virtualNetworks",
    "subnet": "Microsoft.Network/virtualNetworks/subnets",
    "nic": "Microsoft.Network/networkInterfaces",
    "nsg": "Microsoft.Network/networkSecurityGroups",
    "asg": "Microsoft.Network/applicationSecurityGroups",
    "table": "Microsoft.Network/routeTables",
    "public": "Microsoft.Network/publicIPAddresses",
    "nat": "Microsoft.Network/natGateways",
    "balancer": "Microsoft.Network/loadBalancers",
    "pool": "Microsoft.Network/loadBalancers/backendAddressPools",
    "vm": "Microsoft.Compute/virtualMachines",
    "firewall": "Microsoft.Network/azureFirewalls",
    "gateway": "Microsoft.Network/virtualNetworkGateways",
}


class Told(NamedTuple):
    """What was said: names of resources, for findings and for what is unclear."""

    found: list[str]
    unclear: list[str]


def estate(resources: Sequence[Body], *, complete: bool = True) -> Estate:
    """The estate of a template with these resources; by default nothing else exists."""
    body = json.dumps({"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources)}).encode()
    made = read_files([("template.json", body)], complete=complete)
    assert not made.problems, made.problems
    return made


def audited(check: str, resources: Sequence[Body], *, complete: bool = True, now: datetime | None = None) -> Audit:
    """What one check says of these resources."""
    return audit(estate(resources, complete=complete), now=now, only=[check])


def told(check: str, resources: Sequence[Body], *, complete: bool = True, now: datetime | None = None) -> Told:
    """The names of the resources that one check finds fault with, and of those of which it can't tell."""
    made = audited(check, resources, complete=complete, now=now)
    return Told([each.resource.name for each in made.findings], [each.resource.name for each in made.unknown])


def ref(kind: str, *names: str) -> Body:
    """A reference to a resource of the template: `ref("subnet", "vnet-1", "web")`."""
    listed = ", ".join(f"'{name}'" for name in (TYPES[kind], *names))
    return {"id": f"[resourceId({listed})]"}


def resource(kind: str, name: str, properties: Body | None = None, **others: Any) -> Body:
    """A resource of the template."""
    return {"type": TYPES[kind], "name": name, "location": "westeurope", "properties": properties or {}, **others}


def rule(name: str, priority: int, access: str, **terms: Any) -> Body:
    """An NSG rule: inbound, Tcp, from and to anywhere and any port, unless the terms say otherwise."""
    plain = {"direction": "Inbound", "protocol": "Tcp", "sourcePortRange": "*"}
    ends = {
        "source": ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups"),
        "destination": (
            "destinationAddressPrefix",
            "destinationAddressPrefixes",
            "destinationApplicationSecurityGroups",
        ),
        "port": ("destinationPortRange", "destinationPortRanges"),
    }
    default = {fields[0]: "*" for fields in ends.values() if not set(fields) & terms.keys()}
    return {"name": name, "properties": {**plain, **default, "priority": priority, "access": access, **terms}}


def nsg(name: str, *rules: Body, **properties: Any) -> Body:
    """An NSG with rules."""
    return resource("nsg", name, {"securityRules": list(rules), **properties})


def subnet(name: str, prefix: str, **properties: Any) -> Body:
    """A subnet, to stand in `vnet`."""
    return {"name": name, "properties": {"addressPrefix": prefix, **properties}}


def vnet(name: str, *subnets: Body, prefix: str = "10.0.0.0/16", **properties: Any) -> Body:
    """A virtual network with subnets."""
    return resource(
        "vnet", name, {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": list(subnets), **properties}
    )


def nic(name: str, address: str, at: Body, vm: str = "", configuration: Body | None = None, **properties: Any) -> Body:
    """A NIC with one IP configuration in a subnet; of a VM, where one is named."""
    inner = {"privateIPAddress": address, "subnet": at, "primary": True, **(configuration or {})}
    owner = {"virtualMachine": ref("vm", vm)} if vm else {}
    state = {"provisioningState": "Succeeded"}
    listed = [{"name": "ipconfig1", "properties": inner}]
    return resource("nic", name, {**state, "ipConfigurations": listed, **owner, **properties})


def vm(name: str, *nics: str, power: str = "running", **properties: Any) -> Body:
    """A VM with NICs, the first of them primary."""
    listed = [{**ref("nic", each), "properties": {"primary": each == nics[0]}} for each in nics]
    view = {"statuses": [{"code": f"PowerState/{power}"}]}
    return resource("vm", name, {"networkProfile": {"networkInterfaces": listed}, "instanceView": view, **properties})


def public_ip(name: str, address: str = "20.1.2.3", sku: str = "Standard", **properties: Any) -> Body:
    """A public IP address."""
    return resource("public", name, {"ipAddress": address, **properties}, sku={"name": sku})


def table(name: str, *routes: tuple[str, str, str], **properties: Any) -> Body:
    """A route table; each route is its prefix, its next hop type, and the next hop's address or nothing."""
    listed = [
        {
            "name": f"r{n}",
            "properties": {"addressPrefix": prefix, "nextHopType": kind} | ({"nextHopIpAddress": hop} if hop else {}),
        }
        for n, (prefix, kind, hop) in enumerate(routes, 1)
    ]
    return resource("table", name, {"routes": listed, **properties})
