"""Which types of resources are read, as what, and which of them are parts of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from diagnostics.network import wire
from diagnostics.network.estate import LoadBalancer, VirtualNetwork
from diagnostics.network.ids import SCALE_SET_NETWORK_INTERFACE
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, SecurityRule, Vm, route, security_rule
from diagnostics.network.reading import forms, resources
from diagnostics.network.reading.doubts import all_spelled_out, spelled_out
from diagnostics.network.security import DEFAULTS

_DEFAULTS = {rule.name.lower(): rule for rule in DEFAULTS}


def _later(_: Any, later: Any) -> Any:
    return later


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resource.

    Attributes:
        form: the Struct that it is read as.
        field: where the estate keeps it.
        make: from the Struct to what the estate holds; may raise ParseError.
        merged: what two bodies of the same resource come to, the later one given second.
    """

    form: type[msgspec.Struct]
    field: str
    make: Callable[[Any], Any]
    merged: Callable[[Any, Any], Any] = _later


@dataclass(frozen=True, slots=True)
class Child:
    """A type of resource that is a part of another: an export may write it apart.

    Attributes:
        field: where the estate keeps the resource that it is a part of.
        add: that resource with this part, in place of one with the same name.
    """

    form: type[msgspec.Struct]
    field: str
    add: Callable[[Any, Any], Any]


def _vm(earlier: Vm, later: Vm) -> Vm:
    """A list may leave out what `az vm get-instance-view` tells."""
    return replace(later, power_state=later.power_state or earlier.power_state)


def _subnet(network: VirtualNetwork, read: wire.Subnet) -> VirtualNetwork:
    made = resources.subnet(read, network.id)
    return replace(network, subnets=(*(each for each in network.subnets if each.id != made.id), made))


def _peering(network: VirtualNetwork, read: forms.Peering) -> VirtualNetwork:
    made = resources.peering(read, network.id)
    others = tuple(each for each in network.peerings if each.name.lower() != read.name.lower())
    return replace(network, peerings=(*others, made) if made else others)


def _rule(group: SecurityGroup, read: wire.SecurityRule) -> SecurityGroup:
    default = read.properties.priority >= resources.DEFAULT_PRIORITY
    made = [_unchanged(security_rule(each, default=default)) for each in spelled_out(read)]
    keys = {(each.name.lower(), each.inbound) for each in made}
    return replace(
        group, rules=(*(each for each in group.rules if (each.name.lower(), each.inbound) not in keys), *made)
    )


def _group(read: wire.SecurityGroup) -> SecurityGroup:
    group = SecurityGroup.of(all_spelled_out(read))
    return replace(group, rules=tuple(map(_unchanged, group.rules)))


def _unchanged(rule: SecurityRule) -> SecurityRule:
    """A default rule as Azure has it: nobody can change one, whatever a file says."""
    return _DEFAULTS.get(rule.name.lower(), rule) if rule.default else rule


def _route(table: RouteTable, read: wire.Route) -> RouteTable:
    others = (each for each in table.routes if each.name.lower() != read.name.lower())
    return replace(table, routes=(*others, route(read)))


def _nat_rule(balancer: LoadBalancer, read: forms.BalancingRule) -> LoadBalancer:
    made = tuple(resources.balancing_rules(balancer.id, "inboundNatRules", (read,)))
    return replace(balancer, rules=(*(each for each in balancer.rules if each.id != made[0].id), *made))


KINDS = {
    "microsoft.network/virtualnetworks": Kind(forms.Network, "networks", resources.network),
    "microsoft.network/networkinterfaces": Kind(wire.Nic, "nics", Nic.of),
    "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces": Kind(wire.Nic, "nics", Nic.of),
    "microsoft.compute/virtualmachines": Kind(wire.Vm, "vms", Vm.of, _vm),
    "microsoft.compute/virtualmachinescalesets/virtualmachines": Kind(wire.Vm, "vms", Vm.of, _vm),
    "microsoft.network/networksecuritygroups": Kind(wire.SecurityGroup, "security_groups", _group),
    "microsoft.network/routetables": Kind(wire.RouteTable, "route_tables", RouteTable.of),
    "microsoft.network/publicipaddresses": Kind(forms.PublicIp, "public_ips", resources.public_ip),
    f"{SCALE_SET_NETWORK_INTERFACE}/ipconfigurations/publicipaddresses": Kind(
        forms.PublicIp, "public_ips", resources.public_ip
    ),
    "microsoft.network/natgateways": Kind(forms.NatGateway, "nat_gateways", resources.nat_gateway),
    "microsoft.network/loadbalancers": Kind(forms.Balancer, "load_balancers", resources.load_balancer),
    "microsoft.network/virtualnetworkgateways": Kind(forms.Gateway, "gateways", resources.gateway),
    "microsoft.network/localnetworkgateways": Kind(forms.LocalGateway, "local_gateways", resources.local_gateway),
    "microsoft.network/connections": Kind(forms.Connection, "connections", resources.connection),
    "microsoft.network/azurefirewalls": Kind(forms.Gateway, "firewalls", resources.firewall),
}

CHILDREN = {
    "microsoft.network/virtualnetworks/subnets": Child(wire.Subnet, "networks", _subnet),
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": Child(forms.Peering, "networks", _peering),
    "microsoft.network/networksecuritygroups/securityrules": Child(wire.SecurityRule, "security_groups", _rule),
    "microsoft.network/networksecuritygroups/defaultsecurityrules": Child(wire.SecurityRule, "security_groups", _rule),
    "microsoft.network/routetables/routes": Child(wire.Route, "route_tables", _route),
    "microsoft.network/loadbalancers/inboundnatrules": Child(forms.BalancingRule, "load_balancers", _nat_rule),
}
