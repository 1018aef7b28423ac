"""Which DNS servers a VM asks, and what becomes of its questions as everything is configured.

Sources: "Name resolution for resources in Azure virtual networks" (servers of a network interface stand in place of
those of its network); azure-mgmt-network, NetworkInterfaceDnsSettings (`AzureProvidedDNS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.path import Kind, Path, Reason
from diagnostics.network.prefixes import Address, address_of, is_public
from diagnostics.network.reach import reach
from diagnostics.network.security import Flow, Verdict
from diagnostics.network.tags import HOST
from diagnostics.runbooks.rules.denials import Denial, denials
from diagnostics.runbooks.rules.flows import sending
from diagnostics.runbooks.situation import Machine

AZURE = "168.63.129.16"
_AZURE_PROVIDED = "azureprovideddns"
_PORT = 53


@dataclass(frozen=True, slots=True)
class Asked:
    """The DNS servers that apply to a network interface.

    Attributes:
        servers: by address; Azure's own resolver where nothing else is configured.
        where: where they are configured, in words.
        owner: the network interface or virtual network that names them.
    """

    servers: tuple[str, ...]
    where: str
    owner: ResourceId


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a question to one server.

    Attributes:
        verdict: over UDP, which questions are asked with.
        text: why, in words.
        name: the machine or resource that has the address, or empty.
        denial: what stops it, where something does.
        flow: the question.
    """

    server: str
    verdict: Verdict
    text: str
    name: str = ""
    denial: Denial | None = None
    flow: Flow | None = None

    def __str__(self) -> str:
        return f"{self.words}: {self.text}"

    @property
    def words(self) -> str:
        """The server as people know it."""
        return f"{self.server} ({self.name})" if self.name else self.server

    @property
    def azures(self) -> bool:
        """Whether it is Azure's own resolver."""
        return (address := address_of(self.server)) is not None and address in HOST


def servers_of(estate: Estate, point: Point) -> Asked | str:
    """The servers that apply to an IP configuration's network interface; or why that is not known."""
    nic, subnet = point.nic, point.configuration.subnet
    named = f"network interface {nic.id.name}"
    if own := nic.dns_servers:
        if any(each.lower() == _AZURE_PROVIDED for each in own):
            return Asked((AZURE,), f"{named}, which asks for Azure's", nic.id)
        return Asked(own, f"{named}, in place of its virtual network's", nic.id)
    network = estate.network_of(subnet)
    if network is None:
        name = f"virtual network {subnet.parent.name}" if subnet and subnet.parent else f"the network of {nic.id.name}"
        return f"{named} names none, and those of {name} could not be read"
    if network.dns_servers:
        return Asked(network.dns_servers, f"virtual network {network.id.name}", network.id)
    return Asked((AZURE,), f"virtual network {network.id.name}, which names none: Azure's own", network.id)


def judge(estate: Estate, machine: Machine, server: str) -> Judged:
    """What becomes of a question from a machine to a server, over UDP; where only TCP is denied, that is told."""
    address = address_of(server)
    if address is None:
        return Judged(server, Verdict.UNKNOWN, "it is no IP address")
    if address.is_loopback:
        return Judged(server, Verdict.UNKNOWN, "the guest asks itself: what it does is not seen here")
    name = _owner(estate, address)
    point = sending(estate, machine, address)
    if point is None or point.address is None:
        return Judged(server, Verdict.UNKNOWN, f"{machine.id.name} has no IPv{address.version} address", name)
    udp = Flow(point.address, address, "Udp", _PORT)
    try:
        path = reach(estate, udp, source=point)
        tcp = reach(estate, Flow(point.address, address, "Tcp", _PORT), source=point)
    except ParseError as error:
        return Judged(server, Verdict.UNKNOWN, f"which way it takes is not clear: {error}", name)
    return _told(estate, Judged(server, Verdict.UNKNOWN, "", name, flow=udp), path, tcp)


def _told(estate: Estate, judged: Judged, path: Path, tcp: Path) -> Judged:
    """What the ways of both protocols come to."""
    if path.verdict is Verdict.DENIED:
        denial = next(denials(estate, path), None)
        if denial and (lost := _members_unseen(estate, denial)):
            text = f"which members load balancer {denial.reason.name} has is not known: {lost}"
            return replace(judged, text=text)
        text = denial.reason.text if denial else path.because[0].text
        text = f"on the way back, {text}" if denial and denial.back else text
        return replace(judged, verdict=Verdict.DENIED, text=text, denial=denial)
    open_ = [reason for reason in _all(path) if reason.verdict is Verdict.UNKNOWN and reason.kind is not Kind.GUEST]
    if open_ and path.verdict is Verdict.UNKNOWN:
        return replace(judged, text=open_[0].text)
    text = "it is there, and rules and routes let questions through" if judged.name else "rules and routes lead there"
    text = "no rule denies questions to it" if judged.azures else text
    if tcp.verdict is Verdict.DENIED:
        why = next((denial.reason.text for denial in denials(estate, tcp)), "")
        text += f"; but not over TCP, which long answers need: {why}"
    return replace(judged, verdict=Verdict.ALLOWED, text=text)


def _all(path: Path) -> Iterator[Reason]:
    yield from path.because
    yield from path.back.because if path.back else ()


def _owner(estate: Estate, address: Address) -> str:
    """What has the address, by the name that people know it by; empty where nothing that is known has it."""
    if address in HOST:
        return "Azure's own resolver"
    if is_public(address):
        return ""
    point = next(estate.at(address), None)
    if point is not None:
        vm = estate.vm_of(point.nic)
        return (vm.id if vm else point.nic.vm or point.nic.id).name
    balancers = (each for each in estate.load_balancers.values() for f in each.frontends if f.address == str(address))
    balancer = next(balancers, None)
    if balancer is not None:
        return f"load balancer {balancer.id.name}"
    firewalls = (each for each in estate.firewalls.values() if str(address) in each.addresses)
    return next((f"Azure Firewall {each.id.name}" for each in firewalls), "")


def _members_unseen(estate: Estate, denial: Denial) -> str:
    """Members that a load balancer lists by address, and that nothing in the estate has."""
    balancer = estate.load_balancers.get(denial.reason.resource) if denial.reason.resource else None
    if denial.reason.kind is not Kind.LOAD_BALANCER or balancer is None:
        return ""
    texts = [text for pool in balancer.pools.values() for text in pool]
    unseen = [text for text in texts if (address := address_of(text)) and not any(estate.at(address))]
    return ", ".join(unseen)
