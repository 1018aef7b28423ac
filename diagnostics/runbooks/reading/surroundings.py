"""What belongs to the picture of a connection: which resources around its ends still have to be read.

Nothing is asked here: of an estate as far as it is read, it is said what is missing in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diagnostics.network import ids
from diagnostics.network.estate import Estate, LoadBalancer, Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Subnet
from diagnostics.network.owners import lies_in
from diagnostics.network.prefixes import Address, is_public
from diagnostics.network.routing import HopType, Routing

_BALANCER = "microsoft.network/loadbalancers"
_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM})
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def missing(
    estate: Estate, nics: Iterable[ResourceId], balancers: Iterable[ResourceId], addresses: Iterable[Address]
) -> Iterator[ResourceId]:
    """Every resource that the picture needs, in the order in which it matters; many of them are read already.

    Args:
        estate: what is read so far.
        nics: network interfaces at the ends and on the way.
        balancers: load balancers on the way: their members count too.
        addresses: that packets are sent to: a peered network counts where it has one of them.
    """
    listed, wanted = list(nics), list(addresses)
    for balancer in balancers:
        yield balancer
        if known := estate.load_balancers.get(balancer):
            listed += members_of(known)
    standing = [nic for rid in dict.fromkeys(listed) if (nic := estate.nics.get(rid))]
    yield from listed
    for nic in standing:
        yield from _around(estate, nic)
    fronts = (front for known in estate.load_balancers.values() for front in known.frontends)
    yield from (front.public_ip for front in fronts if front.public_ip)
    for network in homes(estate, standing):
        for peering in network.peerings:
            if peering.uses_remote_gateways or any(lies_in(each, peering.prefixes) for each in wanted):
                yield peering.remote


def homes(estate: Estate, nics: Iterable[Nic]) -> tuple[VirtualNetwork, ...]:
    """The virtual networks that network interfaces are in, as far as they are read."""
    parents = [each.subnet.parent for nic in nics for each in nic.ip_configurations if each.subnet]
    found = (estate.networks.get(parent) for parent in dict.fromkeys(parents) if parent)
    return tuple(network for network in found if network)


def near(estate: Estate, nics: Iterable[ResourceId]) -> tuple[ResourceId, ...]:
    """The virtual networks of network interfaces, and those that they are peered with, in whatever state."""
    networks = homes(estate, (nic for rid in nics if (nic := estate.nics.get(rid))))
    remotes = (peering.remote for network in networks for peering in network.peerings)
    return tuple(dict.fromkeys((*(network.id for network in networks), *remotes)))


def points_of(estate: Estate, nics: Iterable[ResourceId]) -> tuple[Point, ...]:
    """The IP configurations with an address of network interfaces."""
    known = (nic for rid in nics if (nic := estate.nics.get(rid)))
    found = (Point(nic, each) for nic in known for each in nic.ip_configurations)
    return tuple(point for point in found if point.address)


def next_hops(estate: Estate, points: Iterable[Point], towards: Iterable[Address], *, outside: bool) -> tuple[str, ...]:
    """The appliances, by address, that routes of the points lead to on the way to addresses.

    `outside` adds those of the default route: what it leads to matters to every destination on the internet.
    """
    routing, targets, found = Routing(estate), tuple(towards), dict[str, None]()
    for point in points:
        same = [each for each in targets if point.address and each.version == point.address.version]
        hops = [routing.next_hop(point, each) for each in same]
        routes = [route for hop in hops for route in (hop.route, *hop.doubtful) if route]
        routes += [each for each in routing.routes(point) if outside and each.prefix in _EVERYWHERE]
        for route in routes:
            found |= dict.fromkeys(route.next_hop_addresses if route.next_hop_type == HopType.APPLIANCE else ())
    return tuple(found)


def members_of(balancer: LoadBalancer) -> list[ResourceId]:
    """The network interfaces that a load balancer's pools and NAT rules list."""
    configurations = [each for listed in balancer.listed.values() for each in listed]
    configurations += [rule.target for rule in balancer.rules if rule.target]
    return [each.parent for each in dict.fromkeys(configurations) if each.type == ids.IP_CONFIGURATION and each.parent]


def is_outside(address: Address | None) -> bool:
    """Whether a destination lies on the internet; one that is not known may."""
    return address is None or is_public(address)


def _around(estate: Estate, nic: Nic) -> Iterator[ResourceId]:
    """A network interface's machine with all its interfaces, its NSG, and what its subnets and pools name."""
    vm = estate.vm_of(nic)
    if nic.vm and nic.vm.type in _MACHINES:
        yield nic.vm
    yield from vm.nics if vm else ()
    if nic.security_group:
        yield nic.security_group
    for configuration in nic.ip_configurations:
        if configuration.subnet and configuration.subnet.parent:
            yield configuration.subnet.parent
        subnet = estate.subnets.get(configuration.subnet) if configuration.subnet else None
        yield from _of_subnet(estate, subnet) if subnet else ()
        if configuration.public_ip:
            yield configuration.public_ip
        owners = (each.parent for each in (*configuration.pools, *configuration.inbound_nat_rules))
        yield from (owner for owner in owners if owner and owner.type == _BALANCER)


def _of_subnet(estate: Estate, subnet: Subnet) -> Iterator[ResourceId]:
    yield from filter(None, (subnet.security_group, subnet.route_table, subnet.nat_gateway))
    if subnet.nat_gateway and (gateway := estate.nat_gateways.get(subnet.nat_gateway)):
        yield from gateway.public_ips
