"""ARM JSON as msgspec Structs: only the fields that are read, everything optional that Azure sometimes leaves out.

A decoding error names its path (`$.properties.ipConfigurations[0].properties.primary`).
"""

from __future__ import annotations

import msgspec


class Ref(msgspec.Struct, frozen=True):
    """A reference to another resource."""

    id: str = ""


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    """Fields in camelCase, as ARM writes them."""


type Flag = bool | str | None
"""A switch that only audits read. A template may have an expression there, which must not cost the whole resource."""


def flag(read: Flag) -> bool | None:
    """A switch as far as it is known."""
    return read if isinstance(read, bool) else None


class IpConfigurationProperties(_Camel, frozen=True):
    """`ipConfigurations[].properties` of a NIC."""

    private_ip_address: str | None = msgspec.field(default=None, name="privateIPAddress")
    subnet: Ref | None = None
    primary: bool | None = None
    public_ip_address: Ref | None = msgspec.field(default=None, name="publicIPAddress")
    application_security_groups: tuple[Ref, ...] | None = None
    load_balancer_backend_address_pools: tuple[Ref, ...] | None = None
    load_balancer_inbound_nat_rules: tuple[Ref, ...] | None = None
    private_ip_address_version: str | None = msgspec.field(default=None, name="privateIPAddressVersion")


class IpConfiguration(_Camel, frozen=True):
    """One IP configuration of a NIC."""

    id: str = ""
    name: str = ""
    properties: IpConfigurationProperties = IpConfigurationProperties()


class DnsSettings(_Camel, frozen=True):
    """`dnsSettings` of a NIC."""

    dns_servers: tuple[str, ...] | None = None


class NicProperties(_Camel, frozen=True):
    """`properties` of a NIC."""

    provisioning_state: str = ""
    ip_configurations: tuple[IpConfiguration, ...] | None = None
    network_security_group: Ref | None = None
    virtual_machine: Ref | None = None
    primary: bool | None = None
    enable_ip_forwarding: bool | None = msgspec.field(default=None, name="enableIPForwarding")
    private_endpoint: Ref | None = None
    dns_settings: DnsSettings | None = None
    enable_accelerated_networking: Flag = None
    private_link_service: Ref | str | None = None


class Nic(_Camel, frozen=True):
    """A network interface: the body of a GET, or a row of Resource Graph."""

    id: str
    location: str = ""
    etag: str = ""
    properties: NicProperties = NicProperties()


class VmNicProperties(_Camel, frozen=True):
    """`properties` of a VM's reference to a NIC."""

    primary: bool | None = None


class VmNic(_Camel, frozen=True):
    """A VM's reference to a NIC."""

    id: str = ""
    properties: VmNicProperties | None = None


class NetworkProfile(_Camel, frozen=True):
    """`networkProfile` of a VM."""

    network_interfaces: tuple[VmNic, ...] | None = None


class InstanceStatus(_Camel, frozen=True):
    """One status of an instance view, such as `PowerState/running`."""

    code: str = ""
    display_status: str | None = None


class InstanceView(_Camel, frozen=True):
    """What a VM does now. Resource Graph has the power state apart from the statuses."""

    statuses: tuple[InstanceStatus, ...] | None = None
    power_state: InstanceStatus | None = None


class Extended(_Camel, frozen=True):
    """What Resource Graph adds to a VM."""

    instance_view: InstanceView | None = None


class OsDisk(_Camel, frozen=True):
    """A VM's system disk; says which OS it runs."""

    os_type: str = ""


class StorageProfile(_Camel, frozen=True):
    """`storageProfile` of a VM."""

    os_disk: OsDisk | None = None


class HardwareProfile(_Camel, frozen=True):
    """`hardwareProfile` of a VM."""

    vm_size: str = ""


class VmProperties(_Camel, frozen=True):
    """`properties` of a VM."""

    network_profile: NetworkProfile | None = None
    instance_view: InstanceView | None = None
    extended: Extended | None = None
    power_state: str | None = None
    storage_profile: StorageProfile | None = None
    hardware_profile: HardwareProfile | str | None = None


class Vm(_Camel, frozen=True):
    """A virtual machine, with its instance view when that was asked for."""

    id: str
    location: str = ""
    properties: VmProperties = VmProperties()


class ServiceEndpoint(_Camel, frozen=True):
    """A service endpoint of a subnet."""

    service: str = ""


class DelegationProperties(_Camel, frozen=True):
    """`properties` of a delegation."""

    service_name: str = ""


class Delegation(_Camel, frozen=True):
    """A delegation of a subnet to a service."""

    properties: DelegationProperties = DelegationProperties()


class SubnetProperties(_Camel, frozen=True):
    """`properties` of a subnet: singular and plural prefix are a union."""

    address_prefix: str | None = None
    address_prefixes: tuple[str, ...] | None = None
    network_security_group: Ref | None = None
    route_table: Ref | None = None
    default_outbound_access: bool | None = None
    nat_gateway: Ref | None = None
    service_endpoints: tuple[ServiceEndpoint, ...] | None = None
    private_endpoint_network_policies: str | None = None
    ip_configurations: tuple[Ref, ...] | None = None
    delegations: tuple[Delegation, ...] | str | None = None
    provisioning_state: str | None = None


class Subnet(_Camel, frozen=True):
    """A subnet; inside of a template it may have only a name."""

    id: str = ""
    name: str = ""
    properties: SubnetProperties = SubnetProperties()


class SecurityRuleProperties(_Camel, frozen=True):
    """`properties` of an NSG rule: what is singular and what is plural are a union."""

    priority: int = 0
    direction: str = ""
    access: str = ""
    protocol: str = "*"
    source_address_prefix: str | None = None
    source_address_prefixes: tuple[str, ...] | None = None
    source_application_security_groups: tuple[Ref, ...] | None = None
    source_port_range: str | None = None
    source_port_ranges: tuple[str, ...] | None = None
    destination_address_prefix: str | None = None
    destination_address_prefixes: tuple[str, ...] | None = None
    destination_application_security_groups: tuple[Ref, ...] | None = None
    destination_port_range: str | None = None
    destination_port_ranges: tuple[str, ...] | None = None
    description: str | None = None


class SecurityRule(_Camel, frozen=True):
    """An NSG rule."""

    name: str = ""
    properties: SecurityRuleProperties = SecurityRuleProperties()


class SecurityGroupProperties(_Camel, frozen=True):
    """`properties` of an NSG."""

    security_rules: tuple[SecurityRule, ...] | None = None
    default_security_rules: tuple[SecurityRule, ...] | None = None
    network_interfaces: tuple[Ref, ...] | None = None
    subnets: tuple[Ref, ...] | None = None
    flow_logs: tuple[Ref, ...] | None = None


class SecurityGroup(_Camel, frozen=True):
    """A network security group."""

    id: str
    properties: SecurityGroupProperties = SecurityGroupProperties()


class NextHop(_Camel, frozen=True):
    """The next hops of a route to several appliances at once (`VirtualApplianceEcmp`)."""

    next_hop_ip_addresses: tuple[str, ...] | None = None


class RouteProperties(_Camel, frozen=True):
    """`properties` of a user-defined route."""

    address_prefix: str = ""
    next_hop_type: str = ""
    next_hop_ip_address: str | None = None
    next_hop: NextHop | None = None


class Route(_Camel, frozen=True):
    """A user-defined route."""

    name: str = ""
    properties: RouteProperties = RouteProperties()


class RouteTableProperties(_Camel, frozen=True):
    """`properties` of a route table."""

    routes: tuple[Route, ...] | None = None
    disable_bgp_route_propagation: bool | None = None
    disable_peering_route: str | None = None
    subnets: tuple[Ref, ...] | None = None


class RouteTable(_Camel, frozen=True):
    """A route table."""

    id: str
    properties: RouteTableProperties = RouteTableProperties()
