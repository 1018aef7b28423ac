"""Who has a private address in a virtual network: an endpoint, a load balancer, a firewall, or nobody known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diagnostics.network.estate import Estate, Firewall, Frontend, LoadBalancer, Point, VirtualNetwork
from diagnostics.network.gateways import learnt
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Subnet
from diagnostics.network.prefixes import Address, address_of, read_prefix


@dataclass(frozen=True, slots=True)
class Balanced:
    """A private frontend of a load balancer."""

    balancer: LoadBalancer
    frontend: Frontend


type Owner = Point | Balanced | Firewall


class Owners:
    """Who has which private address, in which virtual network."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._frontends: dict[Address, list[Balanced]] = {}
        self._firewalls: dict[Address, list[Firewall]] = {}
        for balancer in estate.load_balancers.values():
            for frontend in balancer.frontends:
                if address := address_of(frontend.address):
                    self._frontends.setdefault(address, []).append(Balanced(balancer, frontend))
        for firewall in estate.firewalls.values():
            for text in firewall.addresses:
                if address := address_of(text):
                    self._firewalls.setdefault(address, []).append(firewall)

    def find(self, address: Address, networks: Iterable[ResourceId]) -> Owner | None:
        """The owner of an address in the first of the networks where it has one."""
        for network in networks:
            if found := self._in(address, network):
                return found
        return next(iter(self._firewalls.get(address, ())), None)

    def has(self, address: Address, network: ResourceId) -> bool:
        """Whether an endpoint or a private frontend in a network has an address."""
        return self._in(address, network) is not None

    def frontends(self, address: Address) -> Sequence[Balanced]:
        """The private frontends with an address; more than one where networks overlap."""
        return self._frontends.get(address, ())

    def _in(self, address: Address, network: ResourceId) -> Owner | None:
        if point := self._estate.in_network(address, network):
            return point
        fronts = self._frontends.get(address, ())
        return next((each for each in fronts if each.frontend.subnet and each.frontend.subnet.within(network)), None)

    def may_have_more(self, point: Point) -> bool:
        """Whether the VM of an endpoint has NICs that are not in the estate, or is itself not in it."""
        vm = self._estate.vm_of(point.nic)
        return point.nic.vm is not None if vm is None else any(nic not in self._estate.nics for nic in vm.nics)

    def subnet(self, address: Address, networks: Iterable[ResourceId]) -> Subnet | None:
        """The subnet that an address lies in, in the first of the networks where it lies in one."""
        known = (self._estate.networks.get(network) for network in networks)
        return next((subnet for network in known if network and (subnet := subnet_with(network, address))), None)

    def out_of_reach(self, address: Address, networks: Sequence[ResourceId]) -> bool:
        """Whether the address of a next hop is in none of a network and its peers, and no gateway leads on.

        Network Watcher calls the next hop of such a route None: what is sent there is dropped.
        """
        home = self._estate.networks.get(networks[0]) if networks else None
        if home is None or learnt(self._estate, home).exists is not False:
            return False
        peerings = [each for each in home.peerings if each.connected]
        if any(each.synced is False or not each.prefixes for each in peerings):
            return False
        peers = [found for each in peerings if (found := self._estate.networks.get(each.remote))]
        spaces = [home.prefixes, *(each.prefixes for each in peerings), *(each.prefixes for each in peers)]
        return not any(lies_in(address, space) for space in spaces)


def subnet_with(network: VirtualNetwork, address: Address) -> Subnet | None:
    """The subnet of a virtual network that an address lies in."""
    return next((subnet for subnet in network.subnets if lies_in(address, subnet.prefixes)), None)


def lies_in(address: Address, prefixes: Iterable[str]) -> bool:
    """Whether an address lies in one of the prefixes."""
    return any(address in read for text in prefixes if (read := read_prefix(text)))
