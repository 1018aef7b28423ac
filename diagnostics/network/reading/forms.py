"""Network resources of which only the engine reads something, as msgspec Structs; all fields may be missing."""

from __future__ import annotations

import msgspec

from diagnostics.network.wire import Flag, Ref, Subnet


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    """Fields in camelCase, as ARM writes them."""


class Sku(_Camel, frozen=True):
    """`sku` of a resource."""

    name: str = ""


class AddressSpace(_Camel, frozen=True):
    """An address space."""

    address_prefixes: tuple[str, ...] | None = None


class PeeringProperties(_Camel, frozen=True):
    """`properties` of a peering."""

    remote_virtual_network: Ref | None = None
    remote_address_space: AddressSpace | None = None
    remote_virtual_network_address_space: AddressSpace | None = None
    peering_state: str = ""
    peering_sync_level: str = ""
    allow_virtual_network_access: bool | None = None
    allow_forwarded_traffic: bool | None = None
    allow_gateway_transit: bool | None = None
    use_remote_gateways: bool | None = None
    provisioning_state: str | None = None


class Peering(_Camel, frozen=True):
    """One side of a peering."""

    id: str = ""
    name: str = ""
    properties: PeeringProperties = PeeringProperties()


class DhcpOptions(_Camel, frozen=True):
    """`dhcpOptions` of a virtual network."""

    dns_servers: tuple[str, ...] | None = None


class Encryption(_Camel, frozen=True):
    """`encryption` of a virtual network."""

    enabled: Flag = None


class NetworkProperties(_Camel, frozen=True):
    """`properties` of a virtual network."""

    address_space: AddressSpace | None = None
    subnets: tuple[Subnet, ...] | None = None
    virtual_network_peerings: tuple[Peering, ...] | None = None
    dhcp_options: DhcpOptions | None = None
    enable_ddos_protection: Flag = None
    encryption: Encryption | str | None = None
    flow_logs: tuple[Ref, ...] | None = None


class Network(_Camel, frozen=True):
    """A virtual network."""

    id: str
    location: str = ""
    properties: NetworkProperties = NetworkProperties()


class DdosSettings(_Camel, frozen=True):
    """`ddosSettings` of a public IP."""

    protection_mode: str = ""


class PublicIpProperties(_Camel, frozen=True):
    """`properties` of a public IP."""

    ip_address: str | None = None
    ip_configuration: Ref | None = None
    nat_gateway: Ref | None = None
    provisioning_state: str | None = None
    resource_guid: str | None = None
    ddos_settings: DdosSettings | str | None = None
    public_ip_address_version: str | None = msgspec.field(default=None, name="publicIPAddressVersion")


class PublicIp(_Camel, frozen=True):
    """A public IP."""

    id: str
    sku: Sku | None = None
    zones: tuple[str, ...] | str | None = None
    properties: PublicIpProperties = PublicIpProperties()


class NatGatewayProperties(_Camel, frozen=True):
    """`properties` of a NAT gateway; those of IPv6 stand in lists of their own."""

    public_ip_addresses: tuple[Ref, ...] | None = None
    public_ip_addresses_v6: tuple[Ref, ...] | None = None
    public_ip_prefixes: tuple[Ref, ...] | None = None
    public_ip_prefixes_v6: tuple[Ref, ...] | None = None
    subnets: tuple[Ref, ...] | None = None


class NatGateway(_Camel, frozen=True):
    """A NAT gateway."""

    id: str
    properties: NatGatewayProperties = NatGatewayProperties()


class FrontendProperties(_Camel, frozen=True):
    """`properties` of a load balancer's frontend, or of an IP configuration of a gateway or firewall."""

    private_ip_address: str | None = msgspec.field(default=None, name="privateIPAddress")
    subnet: Ref | None = None
    public_ip_address: Ref | None = msgspec.field(default=None, name="publicIPAddress")


class Frontend(_Camel, frozen=True):
    """A load balancer's frontend, or an IP configuration of a gateway or firewall."""

    id: str = ""
    name: str = ""
    properties: FrontendProperties = FrontendProperties()


class PoolAddressProperties(_Camel, frozen=True):
    """`properties` of a backend address."""

    ip_address: str | None = None


class PoolAddress(_Camel, frozen=True):
    """A member of a pool that is given by its address."""

    properties: PoolAddressProperties = PoolAddressProperties()


class PoolProperties(_Camel, frozen=True):
    """`properties` of a backend pool."""

    load_balancer_backend_addresses: tuple[PoolAddress, ...] | None = None
    backend_ip_configurations: tuple[Ref, ...] | None = msgspec.field(default=None, name="backendIPConfigurations")


class Pool(_Camel, frozen=True):
    """A backend pool."""

    id: str = ""
    name: str = ""
    properties: PoolProperties = PoolProperties()


class BalancingProperties(_Camel, frozen=True):
    """`properties` of a load-balancing, inbound NAT or outbound rule."""

    frontend_ip_configuration: Ref | None = msgspec.field(default=None, name="frontendIPConfiguration")
    frontend_ip_configurations: tuple[Ref, ...] | None = msgspec.field(default=None, name="frontendIPConfigurations")
    backend_address_pool: Ref | None = None
    backend_address_pools: tuple[Ref, ...] | None = None
    backend_ip_configuration: Ref | None = msgspec.field(default=None, name="backendIPConfiguration")
    protocol: str = "All"
    frontend_port: int | None = None
    frontend_port_range_start: int | None = None
    frontend_port_range_end: int | None = None
    backend_port: int | None = None
    disable_outbound_snat: bool | None = None
    enable_floating_ip: bool | None = msgspec.field(default=None, name="enableFloatingIP")
    probe: Ref | str | None = None


class BalancingRule(_Camel, frozen=True):
    """A load-balancing, inbound NAT or outbound rule."""

    id: str = ""
    name: str = ""
    properties: BalancingProperties = BalancingProperties()


class ProbeProperties(_Camel, frozen=True):
    """`properties` of a health probe."""

    protocol: str = ""
    port: int | str | None = None


class Probe(_Camel, frozen=True):
    """A health probe."""

    id: str = ""
    name: str = ""
    properties: ProbeProperties = ProbeProperties()


class BalancerProperties(_Camel, frozen=True):
    """`properties` of a load balancer."""

    frontend_ip_configurations: tuple[Frontend, ...] | None = msgspec.field(
        default=None, name="frontendIPConfigurations"
    )
    backend_address_pools: tuple[Pool, ...] | None = None
    load_balancing_rules: tuple[BalancingRule, ...] | None = None
    inbound_nat_rules: tuple[BalancingRule, ...] | None = None
    outbound_rules: tuple[BalancingRule, ...] | None = None
    probes: tuple[Probe, ...] | str | None = None


class Balancer(_Camel, frozen=True):
    """A load balancer."""

    id: str
    sku: Sku | None = None
    properties: BalancerProperties = BalancerProperties()


class GatewayProperties(_Camel, frozen=True):
    """`properties` of a virtual network gateway or a firewall."""

    ip_configurations: tuple[Frontend, ...] | None = None
    gateway_type: str = ""
    enable_bgp: bool | None = None


class Gateway(_Camel, frozen=True):
    """A virtual network gateway, or an Azure Firewall: what counts of both is in the same place."""

    id: str
    properties: GatewayProperties = GatewayProperties()


class LocalGatewayProperties(_Camel, frozen=True):
    """`properties` of a local network gateway."""

    local_network_address_space: AddressSpace | None = None


class LocalGateway(_Camel, frozen=True):
    """A local network gateway."""

    id: str
    properties: LocalGatewayProperties = LocalGatewayProperties()


class ConnectionProperties(_Camel, frozen=True):
    """`properties` of a connection."""

    virtual_network_gateway1: Ref | None = None
    local_network_gateway2: Ref | None = None
    enable_bgp: bool | None = None


class Connection(_Camel, frozen=True):
    """A connection of a virtual network gateway."""

    id: str
    properties: ConnectionProperties = ConnectionProperties()


class AdminPrefix(_Camel, frozen=True):
    """A source or destination of a security admin rule."""

    address_prefix: str = ""
    address_prefix_type: str = ""


class AdminRuleProperties(_Camel, frozen=True):
    """`properties` of a security admin rule; `flag` names a default one."""

    priority: int = 0
    direction: str = ""
    access: str = ""
    protocol: str = "Any"
    sources: tuple[AdminPrefix, ...] | None = None
    destinations: tuple[AdminPrefix, ...] | None = None
    source_port_ranges: tuple[str, ...] | None = None
    destination_port_ranges: tuple[str, ...] | None = None


class AdminRule(_Camel, frozen=True):
    """A security admin rule."""

    id: str
    name: str = ""
    kind: str = ""
    properties: AdminRuleProperties = AdminRuleProperties()


class EffectiveRoute(_Camel, frozen=True):
    """A row of effective routes."""

    name: str | None = None
    source: str = ""
    state: str = "Active"
    address_prefix: tuple[str, ...] | str | None = None
    next_hop_type: str = ""
    next_hop_ip_address: tuple[str, ...] | str | None = None


class EffectiveRule(_Camel, frozen=True):
    """A rule of effective security rules; what is expanded stands beside the tag."""

    name: str = ""
    protocol: str = "All"
    priority: int = 0
    direction: str = ""
    access: str = ""
    source_address_prefix: str | None = None
    source_address_prefixes: tuple[str, ...] | None = None
    expanded_source_address_prefix: tuple[str, ...] | None = None
    source_port_range: str | None = None
    source_port_ranges: tuple[str, ...] | None = None
    destination_address_prefix: str | None = None
    destination_address_prefixes: tuple[str, ...] | None = None
    expanded_destination_address_prefix: tuple[str, ...] | None = None
    destination_port_range: str | None = None
    destination_port_ranges: tuple[str, ...] | None = None


class Association(_Camel, frozen=True):
    """What effective security rules are associated with."""

    network_interface: Ref | None = None
    subnet: Ref | None = None
    network_manager: Ref | None = None


class EffectiveGroup(_Camel, frozen=True):
    """The effective security rules of one NSG. Where no map of tags was made, a text may stand in its place."""

    network_security_group: Ref | None = None
    association: Association | None = None
    effective_security_rules: tuple[EffectiveRule, ...] | None = None
    tag_map: dict[str, tuple[str, ...]] | str | None = None


class PrivateEndpointProperties(_Camel, frozen=True):
    """`properties` of a private endpoint."""

    network_interfaces: tuple[Ref, ...] | None = None


class PrivateEndpoint(_Camel, frozen=True):
    """A private endpoint."""

    id: str
    properties: PrivateEndpointProperties = PrivateEndpointProperties()
