"""What to do about a missing way out to the internet, and about too few ports for it.

Sources: "Default outbound access in Azure"; "Azure NAT Gateway resource"; "Outbound rules Azure Load Balancer"; the
references of az network public-ip, nat gateway, vnet subnet, lb and nic ip-config.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from diagnostics.findings import Remedy
from diagnostics.network.estate import BalancingRule, LoadBalancer, NatGateway, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Subnet
from diagnostics.paste import az, bicep
from diagnostics.paste.links import LEARN, blade

_DEFAULT_OUTBOUND = f"{LEARN}/azure/virtual-network/ip-services/default-outbound-access"
_NAT = f"{LEARN}/azure/nat-gateway/nat-gateway-resource"
_SNAT = f"{LEARN}/azure/load-balancer/load-balancer-outbound-connections"
_RULES = f"{LEARN}/azure/load-balancer/outbound-rules"
_IPV6 = f"{LEARN}/azure/virtual-network/ip-services/ipv6-overview"
_HEALTH = f"{LEARN}/azure/service-health/resource-health-overview"
_PUBLIC_IP = f"Microsoft.Network/publicIPAddresses@{bicep.NETWORK}"
_GATEWAY = f"Microsoft.Network/natGateways@{bicep.NETWORK}"
_NETWORK = f"Microsoft.Network/virtualNetworks@{bicep.NETWORK}"
_SUBNET = f"Microsoft.Network/virtualNetworks/subnets@{bicep.NETWORK}"
_LOCATION = "param location string = resourceGroup().location\n\n"
_NAT_PORTS, _NAT_ADDRESSES = 64_512, 16
"""Ports that a NAT gateway has of each public address, and addresses that it can have ("NAT gateway resource")."""


def give_nat_gateway(subnet: Subnet, location: str, *, instead: str = "") -> Remedy:
    """A NAT gateway for a subnet that has no way out.

    Args:
        subnet: as it was read.
        location: of its virtual network, or empty.
        instead: a command for another way, as a comment.
    """
    network = subnet.id.parent or subnet.id
    public, gateway = f"pip-nat-{subnet.id.name}"[:80], f"nat-{subnet.id.name}"[:80]
    where = {"location": location} if location else {}
    text = (
        f"Give subnet {subnet.id.name} of {network.name} a NAT gateway: every VM in it then leaves with the gateway's "
        "public address, whatever else it has. Or give this VM a public IP address of its own, or make it a member of "
        "a Standard load balancer with an outbound rule, or lead 0.0.0.0/0 to a firewall. Where Basic public IPs or "
        "Basic load balancers are in the subnet, upgrade those first: a NAT gateway does not go with them."
    )
    return Remedy(
        summary=text,
        az_cli=az.lines(
            f"az network public-ip create {az.placed(network, name=public, sku='Standard', **where)}",
            f"az network nat gateway create {az.placed(network, name=gateway, public_ip_addresses=public, **where)}",
            "az network vnet subnet update "
            f"{az.placed(network, vnet_name=network.name, name=subnet.id.name, nat_gateway=gateway)}",
            az.otherwise("or", instead) if instead else "",
        ),
        bicep=_nat_template(subnet, network, public, gateway),
        doc_url=_DEFAULT_OUTBOUND,
        portal_url=blade(network, "subnets"),
    )


def _nat_template(subnet: Subnet, network: ResourceId, public: str, gateway: str) -> str:
    """Address, gateway, and the subnet with it: a subnet is written whole."""
    kept: dict[str, bicep.Value] = {"addressPrefixes": list[bicep.Value](subnet.prefixes)}
    named = (("networkSecurityGroup", subnet.security_group), ("routeTable", subnet.route_table))
    kept |= {name: {"id": rid.text} for name, rid in named if rid}
    if subnet.service_endpoints:
        kept["serviceEndpoints"] = [{"service": service} for service in subnet.service_endpoints]
    kept |= {"defaultOutboundAccess": False} if subnet.private else {}
    kept |= {"natGateway": {"id": bicep.Raw("nat.id")}}
    return (
        _LOCATION
        + _public_ip(public)
        + "\n"
        + bicep.resource(
            "nat",
            _GATEWAY,
            {
                "name": gateway,
                "location": bicep.Raw("location"),
                "sku": {"name": "Standard"},
                "properties": {"publicIpAddresses": [{"id": bicep.Raw("address.id")}]},
            },
        )
        + "\n"
        + bicep.existing(_NETWORK, network, "network")
        + "\n"
        + bicep.comment("keep all else that the subnet has, such as delegations: this writes it whole")
        + bicep.resource("subnet", _SUBNET, _child("network", subnet.id.name, kept))
    )


def _child(parent: str, name: str, properties: bicep.Value) -> dict[str, bicep.Value]:
    return {"parent": bicep.Raw(parent), "name": name, "properties": properties}


def _public_ip(name: str, version: str = "IPv4") -> str:
    body: dict[str, bicep.Value] = {
        "name": name,
        "location": bicep.Raw("location"),
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": version},
    }
    return bicep.resource("address", _PUBLIC_IP, body)


def give_address(gateway: NatGateway, location: str) -> Remedy:
    """A public address for a NAT gateway that has none, so leads nowhere."""
    text = f"Give NAT gateway {gateway.id.name} a public IP address or prefix: without one, nothing leaves by it."
    return _more_addresses(gateway, location, text, _NAT)


def more_addresses(gateway: NatGateway, location: str) -> Remedy:
    """More ports for a NAT gateway: each public address brings 64,512 for each destination."""
    text = (
        f"Give NAT gateway {gateway.id.name} more public IP addresses: each brings {_NAT_PORTS:,} ports for every "
        f"destination, and it can have {_NAT_ADDRESSES}. Look also at what opens so many connections: reuse them "
        "(connection pools, keep-alive), and reach Azure services by private endpoints, which take no such ports."
    )
    return _more_addresses(gateway, location, text, f"{LEARN}/azure/nat-gateway/troubleshoot-nat-connectivity")


def _more_addresses(gateway: NatGateway, location: str, text: str, doc: str) -> Remedy:
    """A command that names all addresses, for it sets them; where they are not all named, a prefix or none is kept."""
    rid = gateway.id
    name = f"pip-{rid.name}-{len(gateway.public_ips) + 1}"[:80]
    create = az.placed(rid, name=name, sku="Standard", **({"location": location} if location else {}))
    kept = " ".join(shlex.quote(each.text) for each in gateway.public_ips)
    update = f"az network nat gateway update {az.placed(rid, name=rid.name)} --public-ip-addresses {kept} {name}"
    listed: list[bicep.Value] = [{"id": each.text} for each in gateway.public_ips]
    properties: dict[str, bicep.Value] = {"publicIpAddresses": [*listed, {"id": bicep.Raw("address.id")}]}
    if gateway.public_prefixes:
        properties["publicIpPrefixes"] = [{"id": each.text} for each in gateway.public_prefixes]
    body: dict[str, bicep.Value] = {
        "name": rid.name,
        "location": bicep.Raw("location"),
        "sku": {"name": "Standard"},
        "properties": properties,
    }
    template = _LOCATION + _public_ip(name) + "\n"
    template += bicep.comment("keep all else that the gateway has, such as zones and its idle timeout")
    return Remedy(
        summary=text,
        az_cli=az.lines(f"az network public-ip create {create}", " ".join(update.split())),
        bicep=template + bicep.resource("nat", _GATEWAY, body),
        doc_url=doc,
        portal_url=blade(rid, "outboundIP"),
    )


def ipv6_address(point: Point, location: str) -> Remedy:
    """A public IPv6 address: private ones don't leave, and a NAT gateway of SKU Standard carries IPv4 only."""
    nic, name = point.nic.id, f"pip6-{point.nic.id.name}"[:80]
    where = {"location": location} if location else {}
    create = az.placed(nic, name=name, sku="Standard", version="IPv6", **where)
    update = az.placed(nic, nic_name=nic.name, name=point.configuration.name, public_ip_address=name)
    text = (
        f"Give the IPv6 configuration {point.configuration.name} of {nic.name} a public IPv6 address, or make it a "
        "member of a Standard load balancer with an IPv6 outbound rule. Azure translates no private IPv6 address by "
        "itself, and a NAT gateway of SKU Standard carries IPv4 only."
    )
    return Remedy(
        summary=text,
        az_cli=az.lines(f"az network public-ip create {create}", f"az network nic ip-config update {update}"),
        bicep=_LOCATION
        + _public_ip(name, "IPv6")
        + bicep.comment(f"then, in ipConfigurations of {nic.name}: publicIPAddress: {{ id: address.id }}"),
        doc_url=_IPV6,
        portal_url=blade(nic, "ipConfigurations"),
    )


def any_way_out() -> Remedy:
    """A way out for a machine whose subnet could not be read."""
    text = (
        "Give its subnet a NAT gateway, or the network interface a public IP address, or make it a member of a "
        "Standard load balancer with an outbound rule; or lead 0.0.0.0/0 to a firewall."
    )
    return Remedy(summary=text, doc_url=_DEFAULT_OUTBOUND)


def outbound_rule(balancer: LoadBalancer, pool: ResourceId) -> str:
    """The command that gives the members of a pool a way out; empty where the load balancer has no public frontend."""
    front = next((each for each in balancer.frontends if each.public_ip), None)
    if front is None:
        return ""
    named = az.placed(
        balancer.id,
        lb_name=balancer.id.name,
        name=f"outbound-{pool.name}"[:80],
        frontend_ip_configs=front.id.name,
        address_pool=pool.name,
        protocol="All",
    )
    return f"az network lb outbound-rule create {named}"


def more_ports(balancer: LoadBalancer, subnet: Subnet | None, location: str) -> Remedy:
    """More ports for the members of a load balancer, or a NAT gateway in its place."""
    text = (
        f"The members of load balancer {balancer.id.name} share the ports of its public addresses, so many each. Put a "
        f"NAT gateway before their subnet: it hands out ports as they are needed, and goes before the load balancer. "
        "Or give each member more ports in the outbound rule, and the load balancer more public addresses. Look also "
        "at what opens so many connections: reuse them."
    )
    rules = [az.otherwise("or", _more(balancer, rule)) for rule in balancer.outbound_rules]
    gateway = give_nat_gateway(subnet, location) if subnet else None
    return Remedy(
        summary=text,
        az_cli=az.lines(*((gateway.az_cli,) if gateway else ()), *(rules or [az.otherwise("look", _look(balancer))])),
        bicep=gateway.bicep if gateway else "",
        doc_url=_RULES if balancer.outbound_rules else _SNAT,
        portal_url=blade(balancer.id, "outboundRules"),
    )


def _more(balancer: LoadBalancer, rule: BalancingRule) -> str:
    place = az.placed(balancer.id, lb_name=balancer.id.name, name=rule.id.name)
    return f"az network lb outbound-rule update {place} --outbound-ports PORTS"


def _look(balancer: LoadBalancer) -> str:
    return f"az network lb rule list {az.placed(balancer.id, lb_name=balancer.id.name)} -o table"


def start_members(vms: Iterable[ResourceId]) -> str:
    """One command a machine."""
    return az.lines(*(az.on_vm("start", vm) for vm in vms))


def datapath(gateway: ResourceId) -> Remedy:
    """A NAT gateway whose datapath was not available ("Azure NAT Gateway monitoring data reference")."""
    text = (
        f"NAT gateway {gateway.name} itself was not available: look at its resource health and at Service Health for "
        "the region; if it lasts, open a support request with these numbers. Azure counts it as not available also "
        "while no VM in its subnets is healthy."
    )
    url = f"{gateway.text}/providers/Microsoft.ResourceHealth/availabilityStatuses/current?api-version=2020-05-01"
    return Remedy(
        summary=text,
        az_cli=f"az rest --method get --url {shlex.quote(url)}",
        doc_url=_HEALTH,
        portal_url=blade(gateway, "resourceHealth"),
    )
