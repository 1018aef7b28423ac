"""Subnets, NSGs and route tables as the engine sees them: frozen, with parsed ids, built from wire.

VMs and network interfaces are in `machines`; all of them can be had from here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import msgspec

from diagnostics.network import wire
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.network.machines import IpConfiguration, Nic, Vm, power_state, same_address
from diagnostics.network.references import named, reference, references

__all__ = [
    "FIRST_PRIORITY",
    "LAST_PRIORITY",
    "IpConfiguration",
    "Nic",
    "Route",
    "RouteTable",
    "SecurityGroup",
    "SecurityRule",
    "Subnet",
    "Vm",
    "copies_default",
    "power_state",
    "reference",
    "references",
    "route",
    "same_address",
    "security_rule",
]


FIRST_PRIORITY, LAST_PRIORITY = 100, 4_096
"""The priorities that somebody's rule may have ("Network security groups overview")."""

_DEFAULTS = frozenset(
    {
        "allowvnetinbound",
        "allowazureloadbalancerinbound",
        "denyallinbound",
        "allowvnetoutbound",
        "allowinternetoutbound",
        "denyalloutbound",
    }
)


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet, all its prefixes, and what is associated with it.

    Attributes:
        private: whether it has no default outbound access; older subnets do not say, and have it.
        service_endpoints: services such as `Microsoft.Storage`.
        endpoint_policies: what applies to private endpoints in it: `Disabled`, `Enabled`,
            `NetworkSecurityGroupEnabled`, `RouteTableEnabled`, or empty where the body does not say.
        occupied: whether the body lists IP configurations in it; tells of a gateway that is not in the estate.
        delegations: services such as `Microsoft.Sql/managedInstances` that it is handed to.
        outbound: `defaultOutboundAccess` as the body says it; None where it does not.
        used: the IP configurations that the body lists.
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
    delegations: tuple[str, ...] = ()
    outbound: bool | None = None
    used: tuple[ResourceId, ...] = ()

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
            delegations=_delegations(properties),
            outbound=properties.default_outbound_access,
            used=references(properties.ip_configurations),
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
        description: what a person wrote beside it; changes nothing about what it does.
        allows: whether it lets through what it matches.
        inbound: whether it is about traffic that comes in.
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
    description: str = field(default="", compare=False)
    allows: bool = field(init=False, compare=False, repr=False, default=False)
    inbound: bool = field(init=False, compare=False, repr=False, default=False)

    def __post_init__(self) -> None:
        # Asked of every rule over and over: worked out once.
        object.__setattr__(self, "allows", self.access.lower() == "allow")
        object.__setattr__(self, "inbound", self.direction.lower() == "inbound")

    def __hash__(self) -> int:
        # What else two rules may differ in seldom tells them apart; ids of groups are dear to hash.
        return hash((self.name, self.priority, self.sources, self.destinations, self.destination_ports))


def copies_default(rule: SecurityRule) -> bool:
    """Whether it is a copy of one of the six rules that every NSG has, told as if somebody had written it."""
    return rule.priority > LAST_PRIORITY and rule.name.lower() in _DEFAULTS


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A network security group and its rules, default rules last.

    Attributes:
        attached: the NICs and subnets that the body says it is on; None where it does not say.
        flow_logs: those that the body names; None where it does not say.
    """

    id: ResourceId
    rules: tuple[SecurityRule, ...]
    attached: tuple[ResourceId, ...] | None = field(default=None, compare=False)
    flow_logs: tuple[ResourceId, ...] | None = field(default=None, compare=False)
    _own: list[Sequence[SecurityRule]] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.SecurityGroup))

    @classmethod
    def of(cls, group: wire.SecurityGroup) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        properties = group.properties
        own, default = properties.security_rules or (), properties.default_security_rules or ()
        rules = [(rule, False) for rule in own] + [(rule, True) for rule in default]
        return cls(
            named(group.id) or ResourceId.parse(group.id, "$.id"),
            tuple(security_rule(rule, default=is_default) for rule, is_default in rules),
            attached=_said(properties.network_interfaces, properties.subnets),
            flow_logs=_said(properties.flow_logs),
        )

    @property
    def own(self) -> Sequence[SecurityRule]:
        """The rules that somebody wrote; some exports have copies of the default rules among them. Worked out once."""
        if not self._own:
            self._own.append([rule for rule in self.rules if not (rule.default or copies_default(rule))])
        return self._own[0]

    def rule(self, name: str, direction: str = "") -> SecurityRule | None:
        """The rule with this name, in this direction where one is given; case does not count."""
        wanted = name.lower(), direction.lower()
        found = (r for r in self.rules if r.name.lower() == wanted[0] and wanted[1] in {"", r.direction.lower()})
        return next(found, None)


class Route(msgspec.Struct, frozen=True, gc=False):
    """A user-defined route. The prefix may be a service tag.

    Attributes:
        next_hop_addresses: of an ECMP route (`VirtualApplianceEcmp`); the single one is there too where there is one.
    """

    name: str
    prefix: str
    next_hop_type: str
    next_hop_address: str
    next_hop_addresses: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of its next hops, each once."""
        if not self.next_hop_addresses:  # as mostly
            return (self.next_hop_address,) if self.next_hop_address else ()
        return tuple(dict.fromkeys(filter(None, (self.next_hop_address, *self.next_hop_addresses))))


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table.

    Attributes:
        propagates: whether routes that a gateway learnt reach its subnets.
        peerings: whether it leaves the routes of peerings in place (`disablePeeringRoute` is not `All`).
        attached: the subnets that the body says it is on; None where it does not say.
    """

    id: ResourceId
    routes: tuple[Route, ...]
    propagates: bool = True
    peerings: bool = True
    attached: tuple[ResourceId, ...] | None = field(default=None, compare=False)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of a GET; raises ParseError with the path of what does not fit."""
        return cls.of(decode(body, wire.RouteTable))

    @classmethod
    def of(cls, table: wire.RouteTable) -> Self:
        """Build it from wire; raises ParseError for an id that is none."""
        properties = table.properties
        return cls(
            named(table.id) or ResourceId.parse(table.id, "$.id"),
            tuple(map(route, properties.routes or ())),
            propagates=not properties.disable_bgp_route_propagation,
            peerings=(properties.disable_peering_route or "").lower() != "all",
            attached=_said(properties.subnets),
        )

    def route(self, name: str) -> Route | None:
        """The route with this name; case does not count."""
        return next((route for route in self.routes if route.name.lower() == name.lower()), None)

    def route_to(self, address: str) -> Route | None:
        """The route of this table with the longest prefix that holds the address; tags are passed over."""
        matching = [(length, route) for route in self.routes if (length := _covers(route.prefix, address)) is not None]
        return max(matching, key=lambda pair: pair[0])[1] if matching else None


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
        description=properties.description or "",
    )


def _said(*listed: tuple[wire.Ref, ...] | None) -> tuple[ResourceId, ...] | None:
    """The ids in lists of a body; None where it has none of the lists."""
    found = [each for each in listed if each is not None]
    return tuple(rid for each in found for rid in references(each)) if found else None


def _delegations(properties: wire.SubnetProperties) -> tuple[str, ...]:
    """The services that a subnet is handed to; an expression of a template tells none."""
    read = properties.delegations if isinstance(properties.delegations, tuple) else ()
    return tuple(each.properties.service_name for each in read if each.properties.service_name)


def _union(one: str | None, many: tuple[str, ...] | None) -> tuple[str, ...]:
    """The singular and the plural field: Azure leaves out, empties or repeats either."""
    return tuple(dict.fromkeys(text for text in (one, *(many or ())) if text))


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
