"""A small network as ARM's GET answers, and the same in the other forms in which people have it."""

from collections.abc import Iterable
from typing import Any

from diagnostics.network.estate import Estate
from diagnostics.network.reading import read_objects

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-00000000000a"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-net/providers"

type Json = dict[str, Any]


def rid(kind: str, name: str) -> str:
    """The id of a resource: `networkInterfaces`, `nic-a`."""
    provider = "Microsoft.Compute" if kind == "virtualMachines" else "Microsoft.Network"
    return f"{GROUP}/{provider}/{kind}/{name}"


def ref(kind: str, name: str) -> Json:
    return {"id": rid(kind, name)}


def body(kind: str, name: str, *, sku: str = "", **properties: Any) -> Json:
    """A resource as GET answers; None as a property leaves it out."""
    provider = "Microsoft.Compute" if kind == "virtualMachines" else "Microsoft.Network"
    extra: Json = {"sku": {"name": sku}} if sku else {}
    kept = {key: value for key, value in properties.items() if value is not None}
    common = {"id": rid(kind, name), "name": name, "type": f"{provider}/{kind}", "location": "westeurope"}
    return common | extra | {"properties": {"provisioningState": "Succeeded"} | kept}


def part(kind: str, name: str, **properties: Any) -> Json:
    """A part of a resource, with an id of its own: `virtualNetworks/v/subnets`, `a`."""
    return {"id": rid(kind, name), "name": name, "properties": properties}


def rule(name: str, priority: int, access: str = "Deny", nsg: str = "nsg-a", **terms: Any) -> Json:
    """A rule of an NSG, inbound and about everything but for what is given."""
    usual = {"protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    terms = usual | {"priority": priority, "access": access, "direction": "Inbound"} | terms
    if not {"destinationPortRange", "destinationPortRanges"} & set(terms):
        terms["destinationPortRange"] = "*"
    return part(f"networkSecurityGroups/{nsg}/securityRules", name, **terms)


def vm(name: str, nic: str, state: str = "running") -> Json:
    return body(
        "virtualMachines",
        name,
        networkProfile={"networkInterfaces": [{**ref("networkInterfaces", nic), "properties": {"primary": True}}]},
        storageProfile={"osDisk": {"osType": "Linux"}},
        instanceView={"statuses": [{"code": f"PowerState/{state}", "displayStatus": f"VM {state}"}]},
    )


def nic(name: str, address: str, subnet: str, vm_name: str, **more: Any) -> Json:
    configuration = {
        "privateIPAddress": address,
        "primary": True,
        "subnet": ref("virtualNetworks", f"v/subnets/{subnet}"),
    } | more
    return body(
        "networkInterfaces",
        name,
        ipConfigurations=[part(f"networkInterfaces/{name}/ipConfigurations", "ipconfig1", **configuration)],
        primary=True,
        enableIPForwarding=False,
        virtualMachine=ref("virtualMachines", vm_name),
    )


BODIES = (
    body(
        "virtualNetworks",
        "v",
        addressSpace={"addressPrefixes": ["10.0.0.0/16", "2001:db8::/48"]},
        subnets=[
            part(
                "virtualNetworks/v/subnets",
                "a",
                addressPrefixes=["10.0.1.0/24", "2001:db8:0:1::/64"],
                networkSecurityGroup=ref("networkSecurityGroups", "nsg-a"),
                natGateway=ref("natGateways", "nat"),
            ),
            part("virtualNetworks/v/subnets", "b", addressPrefix="10.0.2.0/24", routeTable=ref("routeTables", "rt")),
        ],
        virtualNetworkPeerings=[
            part(
                "virtualNetworks/v/virtualNetworkPeerings",
                "to-w",
                remoteVirtualNetwork=ref("virtualNetworks", "w"),
                remoteAddressSpace={"addressPrefixes": ["10.9.0.0/16"]},
                peeringState="Connected",
                allowVirtualNetworkAccess=True,
                allowForwardedTraffic=True,
            )
        ],
    ),
    nic("nic-a", "10.0.1.4", "a", "vm-a", publicIPAddress=ref("publicIPAddresses", "pip")),
    nic("nic-b", "10.0.2.4", "b", "vm-b"),
    vm("vm-a", "nic-a"),
    vm("vm-b", "nic-b", "deallocated"),
    body(
        "networkSecurityGroups",
        "nsg-a",
        securityRules=[
            rule("allow-web", 100, "Allow", destinationPortRanges=["80", "443"], sourceAddressPrefix="Internet"),
            rule("deny-all", 200),
        ],
    ),
    body(
        "routeTables",
        "rt",
        disableBgpRoutePropagation=True,
        routes=[
            part(
                "routeTables/rt/routes",
                "out",
                addressPrefix="0.0.0.0/0",
                nextHopType="VirtualAppliance",
                nextHopIpAddress="10.0.1.4",
            )
        ],
    ),
    body("publicIPAddresses", "pip", sku="Standard", ipAddress="198.51.100.4"),
    body("natGateways", "nat", sku="Standard", publicIpAddresses=[ref("publicIPAddresses", "pip-nat")]),
)


def flat(value: Any) -> Any:
    """As `az … list` prints it: no level `properties`, the group beside each id, null where something is absent."""
    if isinstance(value, list):
        return [flat(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: Json = {"resourceGroup": "rg-net"} if "id" in value else {}
    for key, each in value.items():
        if key == "properties":
            found |= flat(each)
        else:
            found[key] = flat(each)
    return found


def old(value: Any) -> Any:
    """As older versions of az print it."""
    if isinstance(value, list):
        return [old(each) for each in value]
    if not isinstance(value, dict):
        return value
    spelled = {"privateIPAddress": "privateIpAddress", "publicIPAddress": "publicIpAddress"}
    spelled |= {"enableIPForwarding": "enableIpForwarding"}
    nulls: Json = {"addressPrefix": None, "nextHop": None, "networkSecurityGroup": None, "zones": None}
    return nulls | {spelled.get(key, key): old(each) for key, each in value.items()}


def detailed(bodies: Iterable[Json]) -> list[Json]:
    """As `az vm list -d` prints VMs: with a power state in words; other resources as they are."""
    found = []
    for each in map(flat, bodies):
        view = each.pop("instanceView", None)
        found.append({**each, "powerState": view["statuses"][0]["displayStatus"]} if view else each)
    return found


def row(resource: Json) -> Json:
    """As a row of Resource Graph: types in lower case, the power state in a place of its own."""
    properties = dict(resource["properties"])
    if view := properties.pop("instanceView", None):
        properties["extended"] = {"instanceView": {"powerState": view["statuses"][0]}}
    more = {"resourceGroup": "rg-net", "subscriptionId": SUBSCRIPTION.rpartition("/")[2], "kind": "", "tags": None}
    return {**resource, "type": resource["type"].lower(), "properties": properties} | more


def table(rows: list[Json]) -> Json:
    """Rows in the older format of Resource Graph."""
    names = list(rows[0])
    columns = [{"name": name, "type": "object" if name == "properties" else "string"} for name in names]
    return {"columns": columns, "rows": [[each.get(name) for name in names] for each in rows]}


def read(*values: Any) -> Estate:
    return read_objects(values)


def told(*values: Any) -> list[tuple[str, str]]:
    """The problems in it, as pairs of place and text."""
    return [(problem.where, problem.text) for problem in read(*values).problems]
