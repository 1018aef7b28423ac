"""NICs: settings that are worth knowing of: public addresses, DNS servers of their own, accelerated networking."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Remedy, Severity
from diagnostics.network.ids import VIRTUAL_MACHINE, ResourceId
from diagnostics.network.model import Nic
from diagnostics.paste import az, links

_PUBLIC_DOC = f"{links.LEARN}/azure/virtual-network/ip-services/public-ip-addresses"
_DNS_DOC = f"{links.LEARN}/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances"
_FAST_DOC = f"{links.LEARN}/azure/virtual-network/accelerated-networking-overview"
_AZURES = "azureprovideddns"
_SIZE = re.compile(r"standard_([a-z])(\d+)(?:-\d+)?([a-z]*)(?:_v(\d+))?", re.IGNORECASE)
_SINCE: Mapping[str, int] = {"d": 3, "e": 3, "f": 2, "l": 2, "m": 1}
_CERTAIN = 4
_MOST = 20


@check("NIC007", "Public IP address straight on a network interface", Severity.INFO)
def public_nics(view: View) -> Iterator[Said]:
    """The machine has an address on the internet of its own: only its NSGs stand between.

    A load balancer, NAT gateway, Bastion or application gateway keeps the machine itself off the internet. What of it
    can be reached is told by the checks of exposure.
    """
    for nic in view.nics:
        publics = [each.public_ip for each in nic.ip_configurations if each.public_ip]
        if publics and not common.serves(nic):
            yield _public(view, nic, publics)


def _public(view: View, nic: Nic, publics: list[ResourceId]) -> Found:
    known = (view.estate.public_ips.get(each) for each in publics)
    addresses = {each.id: each.address for each in known if each and each.address}
    causes = tuple(
        fact("public-address", f"{nic.id.name} has public IP {each.name} {addresses.get(each, '')}".rstrip(), each)
        for each in publics
    )
    first = next(each for each in nic.ip_configurations if each.public_ip)
    place = az.placed(nic.id, nic_name=nic.id.name, name=first.name or "IPCONFIG")
    remedy = Remedy(
        summary=(
            "Take the public IP off if the machine need not be reached by it: Bastion lets people in, a load balancer "
            "leads to applications, a NAT gateway leads out."
        ),
        az_cli=f"az network nic ip-config update {place} --public-ip-address null",
        bicep=common.declared(
            common.NIC_KIND, nic.id, "leave publicIPAddress out of properties.ipConfigurations[].properties"
        ),
        doc_url=_PUBLIC_DOC,
        portal_url=links.blade(nic.id, "ipconfigurations"),
    )
    names = listed(each.name for each in publics)
    return Found(nic.id, f"Network interface {nic.id.name} has public IP {names} of its own", causes, remedy)


@check("NIC008", "Network interfaces with DNS servers of their own", Severity.INFO)
def own_servers(view: View) -> Iterator[Said]:
    """Their machines ask other DNS servers than the rest of the network: who changes the network's does not reach them.

    Servers of a network interface stand in place of its virtual network's ("Name resolution for resources in Azure
    virtual networks"). One finding tells of all network interfaces of a network that have the same ones.
    """
    found: dict[tuple[ResourceId, tuple[str, ...]], list[Nic]] = {}
    for nic in view.nics:
        if not nic.dns_servers or common.serves(nic):
            continue
        subnet = next((each.subnet for each in nic.ip_configurations if each.subnet), None)
        network = view.estate.network_of(subnet)
        if network is None:
            parent = subnet.parent if subnet else None
            yield Unclear(nic.id, (f"virtual network {parent.name}" if parent else "its virtual network",))
        elif (own := _servers(nic.dns_servers)) != _servers(network.dns_servers):
            found.setdefault((network.id, tuple(sorted(own))), []).append(nic)
    for (network_id, _), nics in found.items():
        yield _asking(view, network_id, nics)


def _servers(named: tuple[str, ...]) -> frozenset[str]:
    """The servers that are asked; none is Azure's own."""
    return frozenset(each for each in named if each.lower() != _AZURES)


def _asking(view: View, network: ResourceId, nics: list[Nic]) -> Found:
    own = listed(nics[0].dns_servers)
    usual = listed(view.estate.networks[network].dns_servers) or "Azure's own"
    names = listed(nic.id.name for nic in nics)
    causes = (
        fact("dns-servers", f"{names}: {own}", nics[0].id),
        fact("dns-servers", f"virtual network {network.name}: {usual}", network),
    )
    remedy = Remedy(
        summary=f"Let them take {network.name}'s servers, unless they are meant to ask others. A restart makes it so.",
        az_cli=az.lines(
            *(f"az network nic update {az.arguments(ids=nic.id.text)} --dns-servers null" for nic in nics[:_MOST])
        ),
        bicep=common.declared(common.NIC_KIND, nics[0].id, "properties.dnsSettings.dnsServers = []"),
        doc_url=_DNS_DOC,
        portal_url=links.blade(nics[0].id, "dnsservers"),
    )
    title = f"Network interfaces in {network.name} ask DNS servers of their own: {own}"
    return Found(network, title, causes, remedy, tuple(sorted(nics[0].dns_servers)))


@check("NIC009", "Accelerated networking is off where the VM's size has it", Severity.INFO)
def slow_nics(view: View) -> Iterator[Said]:
    """Packets go through the host's software switch: more latency, jitter and CPU for the same price.

    Only sizes that have it for sure count: series D, E, F, L and M of newer versions with at least 4 vCPUs
    ("Accelerated Networking overview"). One finding tells of all network interfaces in a network.
    """
    found: dict[ResourceId, list[Nic]] = {}
    for nic in view.nics:
        if nic.accelerated is not False or common.serves(nic):
            continue
        vm = view.vm_of(nic)
        home = view.estate.network_of(next((each.subnet for each in nic.ip_configurations), None))
        if vm and vm.id.type == VIRTUAL_MACHINE and accelerates(vm.size):
            found.setdefault(home.id if home else nic.id, []).append(nic)
    for about, nics in found.items():
        yield _slow(view, about, nics)


@lru_cache(maxsize=512)
def accelerates(size: str) -> bool:
    """Whether a VM size surely has accelerated networking: by its series, version and number of vCPUs."""
    read = _SIZE.fullmatch(size)
    if read is None:
        return False
    series, number, _, version = read.groups()
    since = _SINCE.get(series.lower())
    return since is not None and int(version or 1) >= since and int(number) >= _CERTAIN


def _slow(view: View, about: ResourceId, nics: list[Nic]) -> Found:
    pairs = [(nic, vm) for nic in nics if (vm := view.vm_of(nic))]
    causes = tuple(
        fact("accelerated-networking", f"{nic.id.name}: off, and {vm.id.name} is of size {vm.size}", nic.id)
        for nic, vm in pairs[:5]
    )
    if len(pairs) > len(causes):
        causes += (fact("accelerated-networking", f"and {len(pairs) - len(causes)} more"),)
    remedy = Remedy(
        summary="Switch it on; Azure may ask that the VM is deallocated first, and its guest needs the driver.",
        az_cli=az.lines(
            *(
                f"az network nic update {az.arguments(ids=nic.id.text)} --accelerated-networking true"
                for nic in nics[:_MOST]
            )
        ),
        bicep=common.declared(common.NIC_KIND, nics[0].id, "properties.enableAcceleratedNetworking = true"),
        doc_url=_FAST_DOC,
        portal_url=links.blade(nics[0].id, "overview"),
    )
    return Found(about, f"Accelerated networking is off for VMs of {called(about)} whose size has it", causes, remedy)
