"""Network resources from their Structs to what the estate holds; children that a template gives no id get one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network import wire
from diagnostics.network.estate import (
    BalancingRule,
    Connection,
    Firewall,
    Frontend,
    Gateway,
    HealthProbe,
    LoadBalancer,
    LocalGateway,
    NatGateway,
    Peering,
    PublicIp,
    VirtualNetwork,
)
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP
from diagnostics.network.model import SecurityRule, Subnet, reference, references
from diagnostics.network.reading import forms

DEFAULT_PRIORITY = 65_000
"""Where the priorities of default rules begin; those of a user's end at 4096."""


def network(read: forms.Network) -> VirtualNetwork:
    """A virtual network; raises ParseError for an id that is none."""
    rid, properties = ResourceId.parse(read.id, "$.id"), read.properties
    return VirtualNetwork(
        id=rid,
        prefixes=_prefixes(properties.address_space),
        subnets=tuple(subnet(each, rid) for each in properties.subnets or ()),
        peerings=tuple(found for each in properties.virtual_network_peerings or () if (found := peering(each, rid))),
        dns_servers=(properties.dhcp_options.dns_servers if properties.dhcp_options else None) or (),
        location=read.location,
        ddos=wire.flag(properties.enable_ddos_protection),
        encryption=wire.flag(_inner(properties.encryption)),
        flow_logs=None if properties.flow_logs is None else references(properties.flow_logs),
    )


def _inner(read: forms.Encryption | str | None) -> wire.Flag:
    return read.enabled if isinstance(read, forms.Encryption) else None


def subnet(read: wire.Subnet, network_id: ResourceId) -> Subnet:
    """A subnet of a network; raises ParseError for an id that is none."""
    return Subnet.of(read if read.id else msgspec.structs.replace(read, id=f"{network_id}/subnets/{read.name}"))


def peering(read: forms.Peering, network_id: ResourceId | None = None) -> Peering | None:
    """One side of a peering; None where it does not say with which network.

    Args:
        read: as it is written.
        network_id: the network whose side it is, for one that has no id of its own.
    """
    properties, remote = read.properties, reference(read.properties.remote_virtual_network)
    level = properties.peering_sync_level.lower()
    return (
        None
        if remote is None
        else Peering(
            name=read.name,
            remote=remote,
            prefixes=_prefixes(properties.remote_address_space)
            or _prefixes(properties.remote_virtual_network_address_space),
            state=properties.peering_state,
            allows_access=properties.allow_virtual_network_access is not False,
            allows_forwarded=properties.allow_forwarded_traffic is True,
            allows_gateway_transit=properties.allow_gateway_transit is True,
            uses_remote_gateways=properties.use_remote_gateways is True,
            synced=level == "fullyinsync" if level else None,
            id=ResourceId.maybe(read.id or f"{network_id}/virtualNetworkPeerings/{read.name}"),
        )
    )


def public_ip(read: forms.PublicIp) -> PublicIp:
    """A public IP; raises ParseError for an id that is none."""
    properties, settings = read.properties, read.properties.ddos_settings
    return PublicIp(
        id=ResourceId.parse(read.id, "$.id"),
        address=properties.ip_address or None,
        sku=read.sku.name if read.sku else "",
        attached=reference(properties.ip_configuration) or reference(properties.nat_gateway),
        attachment_known=bool(properties.provisioning_state or properties.resource_guid),
        zones=read.zones if isinstance(read.zones, tuple) else (),
        ddos=settings.protection_mode if isinstance(settings, forms.DdosSettings) else "",
        version=properties.public_ip_address_version or "",
    )


def nat_gateway(read: forms.NatGateway) -> NatGateway:
    """A NAT gateway; raises ParseError for an id that is none."""
    properties = read.properties
    publics = references(properties.public_ip_addresses) + references(properties.public_ip_addresses_v6)
    prefixes = references(properties.public_ip_prefixes) + references(properties.public_ip_prefixes_v6)
    return NatGateway(ResourceId.parse(read.id, "$.id"), publics, prefixes, references(properties.subnets))


def load_balancer(read: forms.Balancer) -> LoadBalancer:
    """A load balancer; raises ParseError for an id that is none."""
    rid, properties = ResourceId.parse(read.id, "$.id"), read.properties
    pools = list(_named(rid, "backendAddressPools", properties.backend_address_pools))
    rules = [*balancing_rules(rid, "loadBalancingRules", properties.load_balancing_rules)]
    rules += balancing_rules(rid, "inboundNatRules", properties.inbound_nat_rules)
    return LoadBalancer(
        id=rid,
        sku=read.sku.name if read.sku else "",
        frontends=tuple(map(_frontend, _named(rid, "frontendIPConfigurations", properties.frontend_ip_configurations))),
        pools={ResourceId.parse(pool.id, "$.properties.backendAddressPools[].id"): _addresses(pool) for pool in pools},
        listed={ResourceId.parse(pool.id): references(pool.properties.backend_ip_configurations) for pool in pools},
        rules=tuple(rules),
        outbound_rules=tuple(balancing_rules(rid, "outboundRules", properties.outbound_rules)),
        probes={probe.id: probe for probe in _probes(rid, properties)},
    )


def _probes(balancer: ResourceId, properties: forms.BalancerProperties) -> Iterator[HealthProbe]:
    """The health probes; an expression of a template in place of the list or of a port tells nothing."""
    for read in _named(balancer, "probes", properties.probes if isinstance(properties.probes, tuple) else ()):
        said = read.properties
        rid = ResourceId.parse(read.id, "$.properties.probes[].id")
        yield HealthProbe(rid, said.protocol, said.port if isinstance(said.port, int) else 0)


def gateway(read: forms.Gateway) -> Gateway:
    """A virtual network gateway; raises ParseError for an id that is none."""
    properties = read.properties
    subnets = (reference(each.properties.subnet) for each in properties.ip_configurations or ())
    found = next(filter(None, subnets), None)
    return Gateway(ResourceId.parse(read.id, "$.id"), found, properties.gateway_type, properties.enable_bgp is True)


def firewall(read: forms.Gateway) -> Firewall:
    """An Azure Firewall; raises ParseError for an id that is none."""
    addresses = (each.properties.private_ip_address for each in read.properties.ip_configurations or ())
    return Firewall(ResourceId.parse(read.id, "$.id"), tuple(filter(None, addresses)))


def local_gateway(read: forms.LocalGateway) -> LocalGateway:
    """A local network gateway; raises ParseError for an id that is none."""
    return LocalGateway(ResourceId.parse(read.id, "$.id"), _prefixes(read.properties.local_network_address_space))


def connection(read: forms.Connection) -> Connection:
    """A connection of a gateway; raises ParseError for an id that is none."""
    properties = read.properties
    own = properties.virtual_network_gateway1
    return Connection(
        id=ResourceId.parse(read.id, "$.id"),
        gateway=ResourceId.parse(own.id if own else None, "$.properties.virtualNetworkGateway1.id"),
        local_gateway=reference(properties.local_network_gateway2),
        bgp=properties.enable_bgp is True,
    )


def admin_rule(read: forms.AdminRule) -> SecurityRule:
    """The terms of a security admin rule; no source, destination or port given is any."""
    properties = read.properties
    return SecurityRule(
        name=read.name or ResourceId.parse(read.id, "$.id").name,
        priority=properties.priority,
        direction=properties.direction,
        access=properties.access,
        default=read.kind.lower() == "default",
        protocol=properties.protocol,
        sources=_ends(properties.sources),
        source_ports=properties.source_port_ranges or ("*",),
        destinations=_ends(properties.destinations),
        destination_ports=properties.destination_port_ranges or ("*",),
    )


def _ends(listed: tuple[forms.AdminPrefix, ...] | None) -> tuple[str, ...]:
    return tuple(each.address_prefix for each in listed or () if each.address_prefix) or ("*",)


def _prefixes(space: forms.AddressSpace | None) -> tuple[str, ...]:
    return (space.address_prefixes if space else None) or ()


def _frontend(read: forms.Frontend) -> Frontend:
    properties = read.properties
    return Frontend(
        id=ResourceId.parse(read.id, "$.properties.frontendIPConfigurations[].id"),
        address=properties.private_ip_address or None,
        subnet=reference(properties.subnet),
        public_ip=reference(properties.public_ip_address),
    )


def _addresses(pool: forms.Pool) -> tuple[str, ...]:
    members = pool.properties.load_balancer_backend_addresses or ()
    return tuple(each.properties.ip_address for each in members if each.properties.ip_address)


def balancing_rules(
    balancer: ResourceId, kind: str, listed: Iterable[forms.BalancingRule] | None
) -> Iterator[BalancingRule]:
    """Rules of a load balancer, of one of the kinds `loadBalancingRules`, `inboundNatRules`, `outboundRules`."""
    for read in _named(balancer, kind, listed):
        properties = read.properties
        single = tuple(filter(None, (properties.frontend_ip_configuration,)))
        first = properties.frontend_port or properties.frontend_port_range_start or 0
        ranged = bool(properties.frontend_port_range_start)
        last = (properties.frontend_port_range_end or first) if ranged else first
        if not 0 <= first <= last <= PORTS_TOP or not 0 <= (properties.backend_port or 0) <= PORTS_TOP:
            raise ParseError(f"$.properties.{kind}: {read.name or read.id}: its ports are none")
        pools = (properties.backend_address_pool, *(properties.backend_address_pools or ()))
        # A rule with two pools (a gateway load balancer's) counts as one rule for each.
        for pool in references(tuple(filter(None, pools))) or (None,):
            yield BalancingRule(
                id=ResourceId.parse(read.id, f"$.properties.{kind}[].id"),
                frontends=references((*single, *(properties.frontend_ip_configurations or ()))),
                protocol=properties.protocol,
                ports=(first, last),
                backend_port=properties.backend_port or 0,
                pool=pool,
                target=reference(properties.backend_ip_configuration),
                snat=kind == "loadBalancingRules" and not properties.disable_outbound_snat,
                floating=properties.enable_floating_ip is True,
                one_port=ranged and pool is not None,
                probe=reference(properties.probe),
            )


def _named[T: (forms.Frontend, forms.Pool, forms.BalancingRule, forms.Probe)](
    balancer: ResourceId, kind: str, listed: Iterable[T] | None
) -> Iterator[T]:
    for each in listed or ():
        yield each if each.id else msgspec.structs.replace(each, id=f"{balancer}/{kind}/{each.name}")
