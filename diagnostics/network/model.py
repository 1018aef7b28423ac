"""VMs, network interfaces and subnets as the engine sees them: frozen, with parsed ids, built from wire."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from diagnostics.network import wire
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId


@dataclass(frozen=True, slots=True)
class IpConfiguration:
    """One IP configuration of a NIC.

    Attributes:
        address: the private address, or None where Azure shows none (a deallocated dynamic one, an IPv6 secondary).
        security_groups: the application security groups that it is a member of.
        pools: the load balancers' backend pools that it is a member of.
    """

    name: str
    address: str | None
    subnet: ResourceId | None
    primary: bool
    id: ResourceId | None = None
    public_ip: ResourceId | None = None
    security_groups: tuple[ResourceId, ...] = ()
    pools: tuple[ResourceId, ...] = ()
    inbound_nat_rules: tuple[ResourceId, ...] = ()


@dataclass(frozen=True, slots=True)
class Nic:
    """A network interface.

    Attributes:
        provisioning_state: of the last control-plane operation, as Azure spells it: `Succeeded`, `Failed`, …
        primary: whether it is its VM's primary NIC; None where the body does not say.
        ip_forwarding: whether Azure lets it send and receive packets that are not its own.
        private_endpoint: the private endpoint whose NIC it is.
        dns_servers: its own, which stand in place of its virtual network's; `AzureProvidedDNS` alone for Azure's.
    """

    id: ResourceId
    location: str
    provisioning_state: str
    vm: ResourceId | None
    primary: bool | None
    security_group: ResourceId | None
    ip_configurations: tuple[IpConfiguration, ...]
    ip_forwarding: bool = False
    private_endpoint: ResourceId | None = None
    dns_servers: tuple[str, ...] = ()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.Nic))

    @classmethod
    def of(cls, nic: wire.Nic) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        properties = nic.properties
        return cls(
            id=ResourceId.parse(nic.id, "$.id"),
            location=nic.location,
            provisioning_state=properties.provisioning_state,
            vm=reference(properties.virtual_machine),
            primary=properties.primary,
            security_group=reference(properties.network_security_group),
            ip_configurations=tuple(map(_ip_configuration, properties.ip_configurations or ())),
            ip_forwarding=properties.enable_ip_forwarding is True,
            private_endpoint=reference(properties.private_endpoint),
            dns_servers=(properties.dns_settings.dns_servers if properties.dns_settings else None) or (),
        )

    @property
    def failed(self) -> bool:
        """Whether its last control-plane operation failed."""
        return self.provisioning_state.lower() == "failed"

    def owns(self, address: str) -> bool:
        """Whether one of its IP configurations has this private address."""
        return any(same_address(configuration.address, address) for configuration in self.ip_configurations)


@dataclass(frozen=True, slots=True)
class Vm:
    """A virtual machine, or an instance of a scale set.

    Attributes:
        power_state: `running`, `deallocated`, `stopped`, …; None where Azure did not say.
        os: `Windows`, `Linux`, or empty.
        nics: its NICs, the primary one first.
    """

    id: ResourceId
    location: str
    power_state: str | None
    os: str
    nics: tuple[ResourceId, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET with `$expand=instanceView`; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.Vm))

    @classmethod
    def of(cls, vm: wire.Vm) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        profile, disk = vm.properties.network_profile, vm.properties.storage_profile
        references = (profile.network_interfaces if profile else None) or ()
        first = sorted(references, key=lambda nic: not (nic.properties and nic.properties.primary))
        return cls(
            id=ResourceId.parse(vm.id, "$.id"),
            location=vm.location,
            power_state=_power_state(vm.properties),
            os=disk.os_disk.os_type if disk and disk.os_disk else "",
            nics=tuple(ResourceId.parse(nic.id, "$.properties.networkProfile.networkInterfaces[].id") for nic in first),
        )

    @property
    def running(self) -> bool | None:
        """Whether it runs; None where the power state is not known."""
        return None if self.power_state is None else self.power_state.lower() == "running"


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet, all its prefixes, and what is associated with it.

    Attributes:
        private: whether it has no default outbound access; older subnets do not say, and have it.
        service_endpoints: services such as `Microsoft.Storage`.
        endpoint_policies: what applies to private endpoints in it: `Disabled`, `Enabled`,
            `NetworkSecurityGroupEnabled`, `RouteTableEnabled`, or empty where the body does not say.
        occupied: whether the body lists IP configurations in it; tells of a gateway that is not in the estate.
    """

    id: ResourceId
    prefixes: tuple[str, ...]
    security_group: ResourceId | None
    route_table: ResourceId | None
    private: bool = False
    nat_gateway: ResourceId | None = None
    service_endpoints: tuple[str, ...] = ()
    endpoint_policies: str = ""
    occupied: bool = False

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.Subnet))

    @classmethod
    def of(cls, subnet: wire.Subnet) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        properties = subnet.properties
        prefixes = [properties.address_prefix or "", *(properties.address_prefixes or ())]
        return cls(
            id=ResourceId.parse(subnet.id, "$.id"),
            prefixes=tuple(dict.fromkeys(filter(None, prefixes))),
            security_group=reference(properties.network_security_group),
            route_table=reference(properties.route_table),
            private=properties.default_outbound_access is False,
            nat_gateway=reference(properties.nat_gateway),
            service_endpoints=tuple(each.service for each in properties.service_endpoints or () if each.service),
            endpoint_policies=properties.private_endpoint_network_policies or "",
            occupied=bool(properties.ip_configurations),
        )

    def gateway(self, address: str) -> str | None:
        """The default gateway for an address in this subnet: the first usable address of the prefix that holds it.

        Source: Azure Virtual Network FAQ ("x.x.x.1: reserved by Azure for the default gateway").
        """
        try:
            wanted = ipaddress.ip_address(address)
            networks = [ipaddress.ip_network(prefix) for prefix in self.prefixes]
        except ValueError:
            return None
        holding = (network for network in networks if wanted in network and network.num_addresses > 2)
        return next((str(network[1]) for network in holding), None)


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """A rule of an NSG; lower priority wins.

    Attributes:
        default: whether it is one of the six that every NSG has.
        sources, destinations: prefixes, service tags or `*`, singular and plural field together.
        source_groups, destination_groups: application security groups; they stand beside or instead of the prefixes.
        source_ports, destination_ports: ports, ranges or `*`.
    """

    name: str
    priority: int
    direction: str
    access: str
    default: bool
    protocol: str = "*"
    sources: tuple[str, ...] = ("*",)
    source_groups: tuple[ResourceId, ...] = ()
    source_ports: tuple[str, ...] = ("*",)
    destinations: tuple[str, ...] = ("*",)
    destination_groups: tuple[ResourceId, ...] = ()
    destination_ports: tuple[str, ...] = ("*",)

    @property
    def allows(self) -> bool:
        """Whether it lets through what it matches."""
        return self.access.lower() == "allow"

    @property
    def inbound(self) -> bool:
        """Whether it is about traffic that comes in."""
        return self.direction.lower() == "inbound"


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A network security group and its rules, default rules last."""

    id: ResourceId
    rules: tuple[SecurityRule, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.SecurityGroup))

    @classmethod
    def of(cls, group: wire.SecurityGroup) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        own, default = group.properties.security_rules or (), group.properties.default_security_rules or ()
        rules = [(rule, False) for rule in own] + [(rule, True) for rule in default]
        return cls(
            ResourceId.parse(group.id, "$.id"),
            tuple(security_rule(rule, default=is_default) for rule, is_default in rules),
        )

    def rule(self, name: str, direction: str = "") -> SecurityRule | None:
        """The rule with this name, in this direction where one is given; case does not count."""
        wanted = name.lower(), direction.lower()
        found = (r for r in self.rules if r.name.lower() == wanted[0] and wanted[1] in {"", r.direction.lower()})
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Route:
    """A user-defined route. The prefix may be a service tag.

    Attributes:
        next_hop_addresses: of an ECMP route (`VirtualApplianceEcmp`); the single one is there too where there is one.
    """

    name: str
    prefix: str
    next_hop_type: str
    next_hop_address: str
    next_hop_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table.

    Attributes:
        propagates: whether routes that a gateway learnt reach its subnets.
        peerings: whether it leaves the routes of peerings in place (`disablePeeringRoute` is not `All`).
    """

    id: ResourceId
    routes: tuple[Route, ...]
    propagates: bool = True
    peerings: bool = True

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.RouteTable))

    @classmethod
    def of(cls, table: wire.RouteTable) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        properties = table.properties
        return cls(
            ResourceId.parse(table.id, "$.id"),
            tuple(map(route, properties.routes or ())),
            propagates=not properties.disable_bgp_route_propagation,
            peerings=(properties.disable_peering_route or "").lower() != "all",
        )

    def route(self, name: str) -> Route | None:
        """The route with this name; case does not count."""
        return next((route for route in self.routes if route.name.lower() == name.lower()), None)

    def route_to(self, address: str) -> Route | None:
        """The route of this table with the longest prefix that holds the address; tags are passed over."""
        matching = [(length, route) for route in self.routes if (length := _covers(route.prefix, address)) is not None]
        return max(matching, key=lambda pair: pair[0])[1] if matching else None


def _power_state(properties: wire.VmProperties) -> str | None:
    extended = properties.extended.instance_view if properties.extended else None
    # `az vm list --show-details` writes "VM running".
    shown = (properties.power_state or "").lower().removeprefix("vm ").strip()
    return power_state(properties.instance_view) or power_state(extended) or shown or None


def power_state(view: wire.InstanceView | None) -> str | None:
    """The part behind `PowerState/` of an instance view; None where it has none, or Azure itself does not know."""
    apart = (view.power_state,) if view and view.power_state else ()
    for status in (*((view.statuses if view else None) or ()), *apart):
        kind, _, state = status.code.partition("/")
        if kind.lower() == "powerstate" and state:
            return None if state.lower() == "unknown" else state
    return None


def same_address(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same IP address; IPv6 has many spellings."""
    try:
        return bool(one and other) and ipaddress.ip_address(one or "") == ipaddress.ip_address(other or "")
    except ValueError:
        return False


def reference(read: wire.Ref | None) -> ResourceId | None:
    """The id that a reference names, if it is one."""
    return ResourceId.maybe(read.id) if read else None


def security_rule(read: wire.SecurityRule, *, default: bool) -> SecurityRule:
    """Build a rule from wire."""
    properties = read.properties
    return SecurityRule(
        name=read.name,
        priority=properties.priority,
        direction=properties.direction,
        access=properties.access,
        default=default,
        protocol=properties.protocol,
        sources=_union(properties.source_address_prefix, properties.source_address_prefixes),
        source_groups=references(properties.source_application_security_groups),
        source_ports=_union(properties.source_port_range, properties.source_port_ranges),
        destinations=_union(properties.destination_address_prefix, properties.destination_address_prefixes),
        destination_groups=references(properties.destination_application_security_groups),
        destination_ports=_union(properties.destination_port_range, properties.destination_port_ranges),
    )


def _union(one: str | None, many: tuple[str, ...] | None) -> tuple[str, ...]:
    """The singular and the plural field: Azure leaves out, empties or repeats either."""
    return tuple(dict.fromkeys(text for text in (one, *(many or ())) if text))


def references(read: tuple[wire.Ref, ...] | None) -> tuple[ResourceId, ...]:
    """The ids that references name."""
    return tuple(rid for ref in read or () if (rid := ResourceId.maybe(ref.id)))


def route(read: wire.Route) -> Route:
    """Build a route from wire."""
    properties = read.properties
    hops = (properties.next_hop.next_hop_ip_addresses if properties.next_hop else None) or ()
    single = properties.next_hop_ip_address or ""
    return Route(read.name, properties.address_prefix, properties.next_hop_type, single, hops)


def _covers(prefix: str, address: str) -> int | None:
    """The length of the prefix if it holds the address."""
    try:
        network = ipaddress.ip_network(prefix, strict=False)
        return network.prefixlen if ipaddress.ip_address(address) in network else None
    except ValueError:
        return None


def _ip_configuration(read: wire.IpConfiguration) -> IpConfiguration:
    properties = read.properties
    return IpConfiguration(
        name=read.name,
        address=properties.private_ip_address or None,
        subnet=reference(properties.subnet),
        primary=properties.primary is True,
        id=ResourceId.maybe(read.id) if read.id else None,
        public_ip=reference(properties.public_ip_address),
        security_groups=references(properties.application_security_groups),
        pools=references(properties.load_balancer_backend_address_pools),
        inbound_nat_rules=references(properties.load_balancer_inbound_nat_rules),
    )
