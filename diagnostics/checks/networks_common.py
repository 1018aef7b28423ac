"""What the checks of networks, subnets and NICs share: which subnets are Azure's own, and who in one is a machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from diagnostics.checks.view import View
from diagnostics.network.estate import Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Subnet
from diagnostics.network.prefixes import names_tag
from diagnostics.network.routing import Candidate, HopType, NextHop
from diagnostics.paste import bicep

NETWORKS = "microsoft.network/virtualnetworks"
NICS = "microsoft.network/networkinterfaces"
VMS = "microsoft.compute/virtualmachines"
BALANCERS = "microsoft.network/loadbalancers"
FIREWALLS = "microsoft.network/azurefirewalls"
TABLES = "microsoft.network/routetables"
VNET_KIND = f"Microsoft.Network/virtualNetworks@{bicep.NETWORK}"
NIC_KIND = f"Microsoft.Network/networkInterfaces@{bicep.NETWORK}"

RESERVED: Mapping[str, int] = {
    "gatewaysubnet": 27,
    "azurefirewallsubnet": 26,
    "azurefirewallmanagementsubnet": 26,
    "azurebastionsubnet": 26,
    "routeserversubnet": 27,
}
"""The subnets whose names make them Azure's own, and the longest prefix that each is to have."""

_NO_GROUPS = (
    "microsoft.netapp/volumes",
    "microsoft.hardwaresecuritymodules/dedicatedhsms",
    "microsoft.baremetal/",
)
_ANYWHERE = ipaddress.ip_address("203.0.113.1")
"""Stands for the internet: no route of Azure's own speaks of it apart."""


def reserved(subnet: ResourceId | None) -> bool:
    """Whether a subnet is one of Azure's own: a gateway's, a firewall's, Bastion's, a route server's."""
    return subnet is not None and subnet.name.lower() in RESERVED


def takes_groups(subnet: Subnet) -> bool:
    """Whether an NSG can or should stand at a subnet: some services that it is handed to allow none."""
    if reserved(subnet.id):
        return False
    return not (subnet.delegations and any(each.lower().startswith(_NO_GROUPS) for each in subnet.delegations))


def serves(nic: Nic) -> bool:
    """Whether a NIC is of a service: a private endpoint's, whose older bodies tell by name alone, or a link service's.

    Azure AD Domain Services keeps its NICs with the customer, and its machines not.
    """
    if nic.private_endpoint or nic.private_link_service or nic.id.name.lower().startswith("aadds-"):
        return True
    for each in nic.ip_configurations:  # noqa: SIM110  asked of every NIC by many checks
        if each.name.lower().startswith("privateendpointipconfig"):
            return True
    return False


def secondary(view: View, nic: Nic) -> bool:
    """Whether it is another NIC of its VM than the primary one."""
    if nic.primary is not None:
        return not nic.primary
    vm = view.vm_of(nic)
    return vm is not None and vm.nics[:1] not in {(), (nic.id,)}


def is_machine(view: View, nic: Nic) -> bool:
    """Whether it is the NIC of a VM, as far as the estate shows."""
    return not serves(nic) and (nic.vm is not None or view.vm_of(nic) is not None)


def machines(view: View, subnet: ResourceId) -> Iterator[Point]:
    """The endpoints of VMs in a subnet by which a guest leaves it: its default gateway is at the primary NIC's."""
    for point in view.places.points_in(subnet):
        nic, each = point
        version_4 = ":" not in (each.address or "") and each.version.lower() != "ipv6"
        if version_4 and (nic.primary or not secondary(view, nic)) and is_machine(view, nic):
            yield point


def to_internet(view: View, point: Point) -> NextHop:
    """Where an endpoint's packets to the internet are sent."""
    return view.reach.routing.next_hop(point, _ANYWHERE)


def leaves_directly(hop: NextHop) -> bool | None:
    """Whether the next hop is the internet itself; None where that is not known.

    Routes for a service's prefixes alone, by tag or service endpoint, do not speak of the whole internet.
    """
    if any(not _for_service(each) for each in hop.doubtful) or (hop.missing and not hop.doubtful):
        return None
    return hop.route is not None and hop.route.next_hop_type == HopType.INTERNET


def _for_service(route: Candidate) -> bool:
    return route.next_hop_type == HopType.SERVICE_ENDPOINT or names_tag(route.prefix)


def peers(view: View, network: VirtualNetwork) -> Sequence[VirtualNetwork]:
    """The networks that one is connected with, as far as they are in the estate."""
    found = (view.estate.networks.get(each.remote) for each in network.peerings if each.connected)
    return tuple(filter(None, found))


def declared(kind: str, resource: ResourceId, text: str) -> str:
    """Where in Bicep a resource is changed: as a whole it stands where it is declared, and is shown as it is there."""
    return bicep.existing(kind, resource) + bicep.comment(f"where it is declared: {text}")
