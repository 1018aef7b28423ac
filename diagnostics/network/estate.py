"""The estate: the frozen picture of a network's configuration, and what is found in it by id or by address.

What is not in an estate is unknown, not absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from diagnostics.network.balancers import BalancingRule, Frontend, HealthProbe, LoadBalancer
from diagnostics.network.facts import Facts
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, RouteTable, SecurityGroup, SecurityRule, Subnet, Vm
from diagnostics.network.prefixes import Address, address_of
from diagnostics.network.tags import ServiceTags

__all__ = [
    "AdminRule",
    "BalancingRule",
    "Connection",
    "EffectiveGroup",
    "EffectiveRoute",
    "Estate",
    "Facts",
    "Firewall",
    "Frontend",
    "Gateway",
    "HealthProbe",
    "LoadBalancer",
    "LocalGateway",
    "NatGateway",
    "Peering",
    "Point",
    "Problem",
    "PublicIp",
    "VirtualNetwork",
]


@dataclass(frozen=True, slots=True)
class Peering:
    """One side of a peering.

    Attributes:
        remote: the virtual network at the other end.
        prefixes: its address space as this side knows it.
        state: `Connected`, `Initiated`, `Disconnected`, as Azure spells it.
        synced: whether this side knows the other's newest address space; None where the body does not say.
        id: its own; None where it was made from something that does not tell it.
    """

    name: str
    remote: ResourceId
    prefixes: tuple[str, ...]
    state: str
    allows_access: bool = True
    allows_forwarded: bool = False
    allows_gateway_transit: bool = False
    uses_remote_gateways: bool = False
    synced: bool | None = None
    id: ResourceId | None = None

    @property
    def connected(self) -> bool:
        """Whether traffic can pass."""
        return self.state.lower() == "connected"


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A virtual network with its subnets and its side of each peering.

    Attributes:
        ddos: whether it is in a DDoS protection plan; None where the body does not say.
        encryption: whether traffic between its VMs is encrypted; None where the body does not say.
        flow_logs: those that the body names; None where it names none, which may be only for want of asking.
    """

    id: ResourceId
    prefixes: tuple[str, ...]
    subnets: tuple[Subnet, ...] = ()
    peerings: tuple[Peering, ...] = ()
    dns_servers: tuple[str, ...] = ()
    location: str = ""
    ddos: bool | None = None
    encryption: bool | None = None
    flow_logs: tuple[ResourceId, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PublicIp:
    """A public IP address.

    Attributes:
        address: None where none is assigned yet.
        sku: `Basic`, `Standard`, …; empty where the body does not say.
        attached: the IP configuration or NAT gateway that has it.
        attachment_known: whether the body is one of Azure's own: then nothing in `attached` means that nobody has it.
        zones: availability zones; empty where it has none or the body does not say.
        ddos: the mode of its DDoS protection, such as `VirtualNetworkInherited`; empty where the body does not say.
        version: `IPv4` or `IPv6`; empty where the body does not say.
    """

    id: ResourceId
    address: str | None
    sku: str = ""
    attached: ResourceId | None = None
    attachment_known: bool = False
    zones: tuple[str, ...] = ()
    ddos: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A NAT gateway; without public IPs or prefixes it leads nowhere.

    Attributes:
        subnets: those that its own body says use it; a subnet names its NAT gateway too.
    """

    id: ResourceId
    public_ips: tuple[ResourceId, ...] = ()
    public_prefixes: tuple[ResourceId, ...] = ()
    subnets: tuple[ResourceId, ...] = ()


@dataclass(frozen=True, slots=True)
class Gateway:
    """A virtual network gateway.

    Attributes:
        subnet: its GatewaySubnet.
        type: `Vpn`, `ExpressRoute`, …
        bgp: whether it speaks BGP, and so learns routes that no configuration shows.
    """

    id: ResourceId
    subnet: ResourceId | None
    type: str = ""
    bgp: bool = False


@dataclass(frozen=True, slots=True)
class LocalGateway:
    """A local network gateway: the far end of a VPN, and the prefixes behind it."""

    id: ResourceId
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection between a virtual network gateway and a local network gateway, or another one, or a circuit."""

    id: ResourceId
    gateway: ResourceId
    local_gateway: ResourceId | None = None
    bgp: bool = False


@dataclass(frozen=True, slots=True)
class Firewall:
    """An Azure Firewall and its private addresses. It filters: nothing is seen through it."""

    id: ResourceId
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdminRule:
    """A security admin rule of Azure Virtual Network Manager, and the virtual networks that it is applied to.

    Attributes:
        rule: its terms; `access` is `Allow`, `Deny` or `AlwaysAllow`.
        networks: those that it is in force in.
        perhaps: those of which that is not known: a configuration counts once it is deployed, and to which members of
            its network groups, only Azure's effective rules of a network tell.
    """

    id: ResourceId
    rule: SecurityRule
    networks: frozenset[ResourceId]
    perhaps: frozenset[ResourceId] = frozenset()


@dataclass(frozen=True, slots=True)
class EffectiveRoute:
    """A route that Azure says a NIC has.

    Attributes:
        source: `Default`, `User`, `VirtualNetworkGateway`, `Unknown`.
        active: whether it counts (`state` is `Active`; an `Invalid` one is overridden).
    """

    name: str
    source: str
    active: bool
    prefixes: tuple[str, ...]
    next_hop_type: str
    next_hop_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectiveGroup:
    """An NSG as Azure says it works at a NIC, with what it takes the tags for.

    Attributes:
        rules: names without `securityRules/` and `defaultSecurityRules/`; expanded prefixes in place of tags.
        tag_map: the prefixes of each tag.
        on_subnet: whether it is there through the subnet; else through the NIC.
    """

    id: ResourceId | None
    rules: tuple[SecurityRule, ...]
    tag_map: Mapping[str, tuple[str, ...]]
    on_subnet: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read: where it is (file and JSON path), and why."""

    where: str
    text: str


class Point(NamedTuple):
    """An IP configuration of a NIC: where a flow starts or ends."""

    nic: Nic
    configuration: IpConfiguration

    @property
    def address(self) -> Address | None:
        """Its private address, where Azure shows one."""
        return address_of(self.configuration.address)


def _nothing[T]() -> Mapping[ResourceId, T]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Estate:
    """What is known of a network; every mapping is by resource id, in any case."""

    networks: Mapping[ResourceId, VirtualNetwork] = field(default_factory=_nothing)
    nics: Mapping[ResourceId, Nic] = field(default_factory=_nothing)
    vms: Mapping[ResourceId, Vm] = field(default_factory=_nothing)
    security_groups: Mapping[ResourceId, SecurityGroup] = field(default_factory=_nothing)
    route_tables: Mapping[ResourceId, RouteTable] = field(default_factory=_nothing)
    public_ips: Mapping[ResourceId, PublicIp] = field(default_factory=_nothing)
    nat_gateways: Mapping[ResourceId, NatGateway] = field(default_factory=_nothing)
    load_balancers: Mapping[ResourceId, LoadBalancer] = field(default_factory=_nothing)
    gateways: Mapping[ResourceId, Gateway] = field(default_factory=_nothing)
    local_gateways: Mapping[ResourceId, LocalGateway] = field(default_factory=_nothing)
    connections: Mapping[ResourceId, Connection] = field(default_factory=_nothing)
    firewalls: Mapping[ResourceId, Firewall] = field(default_factory=_nothing)
    admin_rules: tuple[AdminRule, ...] = ()
    effective_routes: Mapping[ResourceId, tuple[EffectiveRoute, ...]] = field(default_factory=_nothing)
    effective_groups: Mapping[ResourceId, tuple[EffectiveGroup, ...]] = field(default_factory=_nothing)
    service_tags: ServiceTags = field(default_factory=ServiceTags)
    problems: tuple[Problem, ...] = ()
    facts: Facts = field(default_factory=Facts)

    @cached_property
    def subnets(self) -> Mapping[ResourceId, Subnet]:
        """Every subnet of every network."""
        return {subnet.id: subnet for network in self.networks.values() for subnet in network.subnets}

    @cached_property
    def with_gateway_subnet(self) -> frozenset[ResourceId]:
        """The networks whose GatewaySubnet has something in it, as its body says."""
        subnets = ((network.id, subnet) for network in self.networks.values() for subnet in network.subnets)
        return frozenset(rid for rid, each in subnets if each.occupied and each.id.name.lower() == "gatewaysubnet")

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every IP configuration of every NIC."""
        return tuple(Point(nic, each) for nic in self.nics.values() for each in nic.ip_configurations)

    @cached_property
    def configurations(self) -> frozenset[ResourceId]:
        """The ids of all IP configurations, as far as their bodies tell them."""
        return frozenset(point.configuration.id for point in self.points if point.configuration.id)

    @cached_property
    def members(self) -> Mapping[ResourceId, tuple[Point, ...]]:
        """The members of each application security group and each backend pool, by its id."""
        found: dict[ResourceId, list[Point]] = {}
        for point in self.points:
            for group in (*point.configuration.security_groups, *point.configuration.pools):
                found.setdefault(group, []).append(point)
        return {group: tuple(points) for group, points in found.items()}

    @cached_property
    def private_endpoints(self) -> Mapping[ResourceId, tuple[tuple[int, Point], ...]]:
        """By virtual network: the endpoints there that are private endpoints, each with its place among `points`."""
        found: dict[ResourceId, list[tuple[int, Point]]] = {}
        for place, point in enumerate(self.points):
            subnet = point.configuration.subnet if point.nic.private_endpoint else None
            if subnet and (home := subnet.parent):
                found.setdefault(home, []).append((place, point))
        return {network: tuple(points) for network, points in found.items()}

    def network_of(self, subnet: ResourceId | None) -> VirtualNetwork | None:
        """The virtual network of a subnet."""
        if subnet is None:
            return None
        if home := self._homes.get(subnet.key):
            return home
        return self.networks.get(parent) if (parent := subnet.parent) else None

    def subnet_of(self, point: Point) -> Subnet | None:
        """The subnet of an endpoint."""
        subnet = point.configuration.subnet
        return self._subnets.get(subnet.key) if subnet else None

    def at(self, address: Address) -> Iterator[Point]:
        """The endpoints with a private address; more than one where networks overlap."""
        return iter(self._by_address.get(str(address), ()))

    def in_network(self, address: Address, network: ResourceId) -> Point | None:
        """The endpoint with a private address in a virtual network."""
        found = (p for p in self.at(address) if p.configuration.subnet and p.configuration.subnet.within(network))
        return next(found, None)

    def vm_of(self, nic: Nic) -> Vm | None:
        """The VM that a NIC belongs to; NIC and VM each may leave out the other."""
        if nic.vm:
            return self._vms.get(nic.vm.key)
        return self._by_nic.get(nic.id.key)

    @cached_property
    def _by_address(self) -> Mapping[str, list[Point]]:
        """By address, as it is written shortest: IPv4 has one spelling only, so it need not be read."""
        found: dict[str, list[Point]] = {}
        for point in self.points:
            if text := point.configuration.address:
                found.setdefault(str(address_of(text)) if ":" in text else text, []).append(point)
        return found

    # What is looked up for every endpoint over and over stands by the keys of ids: texts are found sooner.
    @cached_property
    def _homes(self) -> Mapping[str, VirtualNetwork]:
        return {subnet.id.key: network for network in self.networks.values() for subnet in network.subnets}

    @cached_property
    def _subnets(self) -> Mapping[str, Subnet]:
        return {rid.key: subnet for rid, subnet in self.subnets.items()}

    @cached_property
    def _vms(self) -> Mapping[str, Vm]:
        return {rid.key: vm for rid, vm in self.vms.items()}

    @cached_property
    def _by_nic(self) -> Mapping[str, Vm]:
        return {nic.key: vm for vm in self.vms.values() for nic in vm.nics}
