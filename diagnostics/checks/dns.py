"""DNS servers of virtual networks and NICs: which are asked, who has their addresses; alone, absent, off, far away.

Source: "Name resolution for resources in Azure virtual networks".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.estate import Firewall, Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Subnet, Vm
from diagnostics.network.owners import Balanced, Owner, lies_in, subnet_with
from diagnostics.network.prefixes import Address, address_of
from diagnostics.network.tags import HOST
from diagnostics.paste import az, links

DOC = f"{links.LEARN}/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances"
_AZURES = "azureprovideddns"
_RESOLVER = "microsoft.network/dnsresolvers"
_LISTS = (common.NICS, common.BALANCERS, common.FIREWALLS)


@dataclass(frozen=True, slots=True)
class Server:
    """A DNS server that a virtual network, or NICs in it, name.

    Attributes:
        nics: those that name it in place of the network; none where the network itself does.
        near: the network, then those that it is connected with.
        home: the network whose space has the address; None where none has that is near and known.
        unseen: a peer whose space has the address, and that is not in the estate.
        owner: who has it, as far as is known.
    """

    network: VirtualNetwork
    address: Address
    nics: tuple[Nic, ...]
    near: tuple[VirtualNetwork, ...]
    home: VirtualNetwork | None
    unseen: ResourceId | None
    owner: Owner | None

    @property
    def subnet(self) -> Subnet | None:
        """The subnet that it lies in."""
        return subnet_with(self.home, self.address) if self.home else None

    @property
    def resolver(self) -> bool:
        """Whether it lies in a subnet of Azure DNS Private Resolver."""
        subnet = self.subnet
        return subnet is not None and any(each.lower() == _RESOLVER for each in subnet.delegations)

    @property
    def asker(self) -> str:
        """Who names it."""
        if not self.nics:
            return f"virtual network {self.network.id.name}"
        names = listed(nic.id.name for nic in self.nics)
        return f"network interface {names}" if len(self.nics) == 1 else f"network interfaces {names}"


def named(servers: tuple[str, ...]) -> tuple[Address, ...]:
    """The servers that somebody chose: Azure's own is none of them."""
    read = (address_of(each) for each in dict.fromkeys(servers) if each.lower() != _AZURES)
    return tuple(each for each in read if each and each not in HOST and not each.is_loopback)


def asked(view: View) -> Mapping[ResourceId, tuple[Server, ...]]:
    """The DNS servers of every virtual network: its own, and those that its NICs name instead."""
    by_network: dict[ResourceId, dict[Address, list[Nic]]] = {}
    for nic in view.nics:
        if nic.dns_servers and not common.serves(nic):
            home = view.estate.network_of(next((each.subnet for each in nic.ip_configurations if each.subnet), None))
            of_home = by_network.setdefault(home.id, {}) if home else {}
            for address in named(nic.dns_servers):
                of_home.setdefault(address, []).append(nic)
    found: dict[ResourceId, tuple[Server, ...]] = {}
    for network in view.networks:
        own = dict[Address, tuple[Nic, ...]].fromkeys(named(network.dns_servers), ())
        others = {each: tuple(nics) for each, nics in by_network.get(network.id, {}).items() if each not in own}
        if own or others:
            found[network.id] = tuple(_server(view, network, each, nics) for each, nics in (own | others).items())
    return found


def _server(view: View, network: VirtualNetwork, address: Address, nics: tuple[Nic, ...]) -> Server:
    near = (network, *common.peers(view, network))
    home = next((each for each in near if lies_in(address, each.prefixes)), None)
    far = (each for each in network.peerings if each.remote not in view.estate.networks)
    unseen = next((each.remote for each in far if lies_in(address, each.prefixes)), None) if home is None else None
    owner = view.owners.find(address, [each.id for each in near])
    return Server(network, address, nics, near, home, unseen, owner)


@check("NET003", "Only one DNS server", Severity.LOW)
def single_servers(view: View) -> Iterator[Said]:
    """While the one machine restarts, nothing in the network resolves a name.

    Azure Firewall, a load balancer, DNS Private Resolver and Azure's own resolver are many machines behind one address:
    one of those is enough.
    """
    for servers in view.once(asked).values():
        own = [each for each in servers if not each.nics]
        if len(own) == 1 and len(own[0].network.dns_servers) == 1:
            yield from _single(own[0])


def _single(server: Server) -> Iterator[Said]:
    if server.resolver or isinstance(server.owner, Balanced | Firewall):
        return
    if server.unseen:
        yield Unclear(server.network.id, (f"what has {server.address} in {server.unseen.name}",))
    elif server.owner is None and server.home:
        return  # nobody has it, or nobody that is known: NET005 says so
    else:
        whose = f"it is {_machine(server.owner)}" if server.owner else "it is outside of what is known"
        network = server.network.id
        remedy = Remedy(
            summary=f"Name a second server, in another zone or place than {server.address}.",
            az_cli=f"az network vnet update {az.arguments(ids=network.text)} --dns-servers {server.address} SECOND",
            bicep=_declared(network, "two addresses"),
            doc_url=DOC,
            portal_url=links.blade(network, "dnsservers"),
        )
        cause = fact("dns-servers", f"the only DNS server of {network.name} is {server.address}; {whose}", network)
        sure = Confidence.PROVEN if server.owner else Confidence.POSSIBLE
        title = f"Virtual network {network.name} has one DNS server only: {server.address}"
        yield Found(network, title, (cause,), remedy, confidence=sure)


def _machine(owner: Owner) -> str:
    if isinstance(owner, Point):
        return owner.nic.vm.name if owner.nic.vm else owner.nic.id.name
    return owner.balancer.id.name if isinstance(owner, Balanced) else owner.id.name


def _declared(network: ResourceId, text: str) -> str:
    return common.declared(common.VNET_KIND, network, f"properties.dhcpOptions.dnsServers: {text}")


@check("NET005", "DNS server that does not exist or does not run", Severity.HIGH)
def absent_servers(view: View) -> Iterator[Said]:
    """Questions go to an address in a known network that nobody has, or to a machine that is off: names do not resolve.

    Where another server is left, guests wait for this one first, some seconds for each name.
    """
    off, every = dict[ResourceId, list[Server]](), view.once(asked)
    for network, servers in every.items():
        fates = [(server, fate(view, server)) for server in servers]
        left = any(told is None for _, told in fates)
        for server, told in fates:
            if isinstance(told, Vm):
                off.setdefault(told.id, []).append(server)
            elif isinstance(told, Unclear):
                yield told
            elif told is not None:
                yield _nobody(network, server, told, left=left)
    for vm, asking in off.items():
        alone = any(not _others(view, every[server.network.id], server) for server in asking)
        yield _off(view, vm, asking, alone=alone)


def fate(view: View, server: Server) -> Vm | Cause | Unclear | None:
    """What is wrong with a server: a VM that is off, why nobody has its address, what is not known; None if nothing."""
    if isinstance(server.owner, Balanced | Firewall) or server.resolver:
        return None
    if isinstance(server.owner, Point):
        return _running(view, server, server.owner)
    if server.unseen:
        return Unclear(server.network.id, (f"what has {server.address} in {server.unseen.name}",))
    return _missing(view, server, server.home) if server.home else None


def _running(view: View, server: Server, point: Point) -> Vm | Unclear | None:
    vm = view.vm_of(point.nic)
    if common.serves(point.nic):
        return None
    if vm is None:
        return Unclear(server.network.id, (f"whether what has {server.address} runs ({point.nic.id.name})",))
    if vm.running is None:
        return Unclear(server.network.id, (f"the power state of {vm.id.name}",))
    return None if vm.running else vm


def _missing(view: View, server: Server, home: VirtualNetwork) -> Cause | Unclear | None:
    """Nobody that is known has the address; whether there is nobody."""
    subnet = server.subnet
    if subnet is None and view.facts.knows_all(common.NETWORKS):
        return fact("absent", f"{server.address} is in {home.id.name}, and in none of its subnets", home.id)
    if subnet is None or subnet.delegations:
        return None
    hidden = any(point.address is None for point in view.places.points_in(subnet.id)) or _unseen(view, subnet)
    if hidden or not all(view.facts.knows_all(kind) for kind in _LISTS):
        return Unclear(server.network.id, (f"what has {server.address} in subnet {called(subnet.id)}",))
    return fact("absent", f"nobody has {server.address} in subnet {called(subnet.id)}", subnet.id)


def _unseen(view: View, subnet: Subnet) -> bool:
    """Whether its body lists an IP configuration that is not in the estate."""
    return any(each not in view.estate.configurations for each in subnet.used)


def _nobody(network: ResourceId, server: Server, cause: Cause, *, left: bool) -> Found:
    asking = fact("dns-servers", f"{server.asker} asks {server.address}", (server.nics or (server.network,))[0].id)
    rest = " ".join(str(each) for each in named(server.network.dns_servers) if each != server.address)
    about = server.nics[0].id if server.nics else network
    verb = "nic update" if server.nics else "vnet update"
    remedy = Remedy(
        summary=f"Take {server.address} out, or put the server back; machines take it over with their next DHCP lease.",
        az_cli=f"az network {verb} {az.arguments(ids=about.text)} --dns-servers {rest or 'SERVER'}",
        bicep=_declared(network, f"without {server.address}"),
        doc_url=DOC,
        portal_url=links.blade(about, "dnsservers"),
    )
    title = f"DNS server {server.address} of {server.asker} does not exist"
    severity = Severity.MEDIUM if left else Severity.HIGH
    return Found(network, title, (asking, cause), remedy, (str(server.address),), severity)


def _off(view: View, vm: ResourceId, asking: list[Server], *, alone: bool) -> Found:
    first = asking[0].network.id
    address, state = asking[0].address, view.estate.vms[vm].power_state
    causes = (
        fact("power-state", f"{vm.name}, which has {address}, is {state}", vm, state or ""),
        fact("dns-servers", f"asked by {listed(server.asker for server in asking)}", first),
    )
    remedy = Remedy(
        summary=f"Start {vm.name}, or take {address} out of the DNS servers.",
        az_cli=az.lines(
            az.on_vm("start", vm),
            az.otherwise(
                "or take it out", f"az network vnet update {az.arguments(ids=first.text)} --dns-servers SERVER"
            ),
        ),
        bicep=_declared(first, f"without {address}, if it is to stay off"),
        doc_url=DOC,
        portal_url=links.blade(vm, "overview"),
    )
    title = f"DNS server {vm.name} ({address}) does not run"
    return Found(vm, title, causes, remedy, ("dns",), Severity.HIGH if alone else Severity.MEDIUM)


def _others(view: View, servers: tuple[Server, ...], server: Server) -> bool:
    """Whether who asks a server has another one, of which nothing bad is known."""
    same = (each for each in servers if each.address != server.address and each.nics == server.nics)
    return any(fate(view, each) is None for each in same)


@check("NET006", "All DNS servers are outside of the network and its peers", Severity.INFO)
def far_servers(view: View) -> Iterator[Said]:
    """Every name is asked for over a VPN, ExpressRoute or the internet: without that way nothing resolves at all.

    Such servers know Azure's private zones only if they forward to a resolver in Azure. A DNS server in a hub, a
    firewall that is a DNS proxy or DNS Private Resolver answers nearby.
    """
    for servers in view.once(asked).values():
        own = [each for each in servers if not each.nics]
        every = bool(own) and len(own) == len(own[0].network.dns_servers) and not _behind_hub(own[0].network)
        if every and not any(each.home or each.unseen or each.owner for each in own):
            yield _far(own)


def _behind_hub(network: VirtualNetwork) -> bool:
    """Whether it is peered with a virtual hub: what else is behind that does not show in the peering."""
    return any(each.remote.name.lower().startswith("hv_") for each in network.peerings)


def _far(servers: list[Server]) -> Found:
    network, names = servers[0].network.id, listed(each.address for each in servers)
    near = listed(each.id.name for each in servers[0].near)
    remedy = Remedy(
        summary="Name a resolver in the network or a peer, which forwards what it does not know to these.",
        az_cli=f"az network vnet update {az.arguments(ids=network.text)} --dns-servers RESOLVER",
        bicep=_declared(network, "a resolver nearby"),
        doc_url=DOC,
        portal_url=links.blade(network, "dnsservers"),
    )
    cause = fact("dns-servers", f"{names}: none is in {near} or in another peer of it", network)
    return Found(network, f"All DNS servers of {network.name} are elsewhere: {names}", (cause,), remedy)
