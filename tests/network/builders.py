"""Small estates, quickly said: every name becomes an id in one resource group."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from diagnostics.network.estate import (
    AdminRule,
    BalancingRule,
    Connection,
    Estate,
    Firewall,
    Frontend,
    Gateway,
    LoadBalancer,
    LocalGateway,
    NatGateway,
    Peering,
    Point,
    PublicIp,
    VirtualNetwork,
)
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import (
    IpConfiguration,
    Nic,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    Vm,
)
from diagnostics.network.path import Path
from diagnostics.network.reach import reach
from diagnostics.network.security import Flow

GROUP = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-net/providers/"


A, B, C = "10.0.1.4", "10.0.2.4", "10.0.3.4"
NVA = "10.0.9.4"
"""The endpoints of `small`."""


def rid(kind: str, name: str) -> ResourceId:
    provider = "Microsoft.Compute" if kind == "virtualMachines" else "Microsoft.Network"
    return ResourceId.parse(f"{GROUP}{provider}/{kind}/{name}")


def nsg_id(name: str | None) -> ResourceId | None:
    return rid("networkSecurityGroups", name) if name else None


def subnet_id(path: str) -> ResourceId:
    """`vnet/subnet`."""
    network, subnet = path.split("/")
    return rid("virtualNetworks", f"{network}/subnets/{subnet}")


def network(name: str, prefixes: str, *subnets: Subnet, peerings: Iterable[Peering] = ()) -> VirtualNetwork:
    found = tuple(prefixes.split())
    return VirtualNetwork(rid("virtualNetworks", name), found, subnets, tuple(peerings), location="westeurope")


def subnet(path: str, prefixes: str, nsg: str | None = None, table: str | None = None, **more: Any) -> Subnet:
    route_table = rid("routeTables", table) if table else None
    return Subnet(subnet_id(path), tuple(prefixes.split()), nsg_id(nsg), route_table, **more)


def peering(remote: str, prefixes: str, state: str = "Connected", **more: Any) -> Peering:
    return Peering(f"to-{remote}", rid("virtualNetworks", remote), tuple(prefixes.split()), state, **more)


def configuration(
    address: str, where: str, name: str = "ipconfig1", *, primary: bool = True, **more: Any
) -> IpConfiguration:
    return IpConfiguration(name, address, subnet_id(where), primary=primary, **more)


def nic(name: str, address: str, where: str, nsg: str | None = None, **more: Any) -> Nic:
    """A NIC with one IP configuration, of VM `vm-{name}` unless another one is named."""
    parts = {
        key: more.pop(key) for key in ("public_ip", "security_groups", "pools", "inbound_nat_rules") if key in more
    }
    vm, primary = more.pop("vm", f"vm-{name}"), more.pop("primary", True)
    configurations = more.pop("configurations", (configuration(address, where, **parts),))
    vm_id = rid("virtualMachines", vm) if vm else None
    return Nic(
        rid("networkInterfaces", name), "westeurope", "Succeeded", vm_id, primary, nsg_id(nsg), configurations, **more
    )


def vm(name: str, *nics: str, state: str | None = "running") -> Vm:
    return Vm(
        rid("virtualMachines", name), "westeurope", state, "Linux", tuple(rid("networkInterfaces", n) for n in nics)
    )


def rule(name: str, priority: int, access: str = "Deny", direction: str = "Inbound", **terms: Any) -> SecurityRule:
    """A rule; `sources`, `ports`, … as texts with spaces between."""
    if "ports" in terms:
        terms["destination_ports"] = terms.pop("ports")
    read: dict[str, Any] = {
        key: tuple(value.split()) if isinstance(value, str) and key != "protocol" else value
        for key, value in terms.items()
    }
    return SecurityRule(name, priority, direction, access, default=False, **read)


def nsg(name: str, *rules: SecurityRule) -> SecurityGroup:
    return SecurityGroup(rid("networkSecurityGroups", name), rules)


def table(name: str, *routes: Route, **more: Any) -> RouteTable:
    return RouteTable(rid("routeTables", name), routes, **more)


def route(name: str, prefix: str, kind: str, address: str = "", **more: Any) -> Route:
    return Route(name, prefix, kind, address, **more)


def public_ip(name: str, address: str | None, sku: str = "Standard") -> PublicIp:
    return PublicIp(rid("publicIPAddresses", name), address, sku)


def admin(name: str, priority: int, access: str, *networks: str, direction: str = "Inbound", **terms: Any) -> AdminRule:
    where = frozenset(rid("virtualNetworks", each) for each in networks)
    return AdminRule(rid("networkManagers", f"m/rules/{name}"), rule(name, priority, access, direction, **terms), where)


def balancer(name: str, front: Frontend, *rules: BalancingRule, sku: str = "Standard", **more: Any) -> LoadBalancer:
    pools = {rule.pool: () for rule in (*rules, *more.get("outbound_rules", ())) if rule.pool}
    return LoadBalancer(rid("loadBalancers", name), sku, (front,), pools, rules, **more)


def estate(*parts: Any, **more: Any) -> Estate:
    """An estate of anything, in any order."""
    kinds: dict[type, str] = {
        VirtualNetwork: "networks",
        Nic: "nics",
        Vm: "vms",
        SecurityGroup: "security_groups",
        RouteTable: "route_tables",
        PublicIp: "public_ips",
        NatGateway: "nat_gateways",
        LoadBalancer: "load_balancers",
        Gateway: "gateways",
        LocalGateway: "local_gateways",
        Connection: "connections",
        Firewall: "firewalls",
    }
    found: dict[str, Any] = {name: {} for name in kinds.values()}
    for part in parts:
        if not isinstance(part, AdminRule):
            found[kinds[type(part)]][part.id] = part
    rules = tuple(part for part in parts if isinstance(part, AdminRule))
    return Estate(**found, admin_rules=rules, **more)


def point(known: Estate, name: str, ip_configuration: str = "") -> Point:
    """The endpoint of a NIC."""
    return next(
        each
        for each in known.points
        if each.nic.id.name == name and each.configuration.name.startswith(ip_configuration)
    )


def flow(source: str, destination: str, port: int | None = 443, protocol: str = "Tcp", **more: Any) -> Flow:
    return Flow(ipaddress.ip_address(source), ipaddress.ip_address(destination), protocol, port, **more)


def ask(known: Estate, source: str, destination: str, port: int | None = 443, protocol: str = "Tcp") -> Path:
    return reach(known, flow(source, destination, port, protocol))


def small(*parts: object, a: str | None = None, b: str | None = None, nva: str | None = None) -> Estate:
    """A network of subnets a, b, c and one for appliances; route tables by name."""
    subnets = (
        subnet("v/a", "10.0.1.0/24", "nsg-a", a),
        subnet("v/b", "10.0.2.0/24", "nsg-b", b),
        subnet("v/c", "10.0.3.0/24"),
        subnet("v/nva", "10.0.9.0/24", None, nva),
    )
    nics = (nic("a", A, "v/a"), nic("b", B, "v/b"), nic("c", C, "v/c"), nic("nva", NVA, "v/nva", ip_forwarding=True))
    groups = nsg("nsg-a"), nsg("nsg-b")
    return estate(network("v", "10.0.0.0/16", *subnets), *nics, *groups, vm("vm-nva", "nva"), *parts)


def told(path: Path) -> tuple[str, str]:
    """Verdict, and what decides."""
    return path.verdict, " | ".join(reason.text for reason in path.because)
