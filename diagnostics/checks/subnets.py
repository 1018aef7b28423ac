"""Subnets: without NSG, too small, nearly full, empty, with service endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.estate import VirtualNetwork
from diagnostics.network.ids import SCALE_SET, ResourceId
from diagnostics.network.model import Subnet
from diagnostics.network.prefixes import read_prefix
from diagnostics.paste import az, links

_GROUP_DOC = f"{links.LEARN}/azure/virtual-network/network-security-groups-overview"
_SUBNET_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-manage-subnet"
_FAQ_DOC = f"{links.LEARN}/azure/virtual-network/virtual-networks-faq"
_SERVICE_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-service-endpoints-overview"
_KEPT = 5
"""Addresses of a subnet's prefix that Azure keeps for itself ("Azure Virtual Network FAQ")."""

_FULL = 0.9
_SILENT = ("appgw", "agw", "gateway", "apim", "ase")
_STANDING = frozenset(
    {
        SCALE_SET,
        "microsoft.network/applicationgateways",
        "microsoft.containerservice/managedclusters",
        "microsoft.apimanagement/service",
        "microsoft.web/hostingenvironments",
    }
)
_FILTERED_ENDPOINTS = frozenset({"enabled", "networksecuritygroupenabled"})


@check("NET002", "Subnet without NSG", Severity.MEDIUM)
def unfiltered_subnets(view: View) -> Iterator[Said]:
    """Nothing filters what reaches the machines of the subnet but their own NSGs, where they have any.

    A new machine there starts without protection. Azure's own subnets (gateway, firewall, Bastion, route server) and
    those of services that allow no NSG do not count.
    """
    for network, subnet in view.subnets:
        if subnet.security_group is None and common.takes_groups(subnet):
            yield _without_group(view, network, subnet)


def _without_group(view: View, network: VirtualNetwork, subnet: Subnet) -> Found:
    severity, why = _weight(view, subnet)
    causes = [fact("no-security-group", f"subnet {called(subnet.id)} names no NSG", subnet.id)]
    if why:
        causes.append(fact("members", why, subnet.id))
    remedy = Remedy(
        summary=f"Associate an NSG with subnet {called(subnet.id)}, with rules for what its machines are to be asked.",
        az_cli=f"az network vnet subnet update {az.arguments(ids=subnet.id.text)} --network-security-group NSG",
        bicep=common.declared(
            common.VNET_KIND, network.id, f"subnet {subnet.id.name}: properties.networkSecurityGroup = {{ id: nsg.id }}"
        ),
        doc_url=_GROUP_DOC,
        portal_url=links.blade(network.id, "subnets"),
    )
    return Found(subnet.id, f"Subnet {called(subnet.id)} has no NSG", tuple(causes), remedy, severity=severity)


def _weight(view: View, subnet: Subnet) -> tuple[Severity, str]:
    """How bad it is that a subnet has no NSG, by who is in it; and why."""
    nics = {point.nic.id: point.nic for point in view.places.points_in(subnet.id)}
    endpoints = [nic for nic in nics.values() if nic.private_endpoint]
    if nics and len(endpoints) == len(nics) and subnet.endpoint_policies.lower() not in _FILTERED_ENDPOINTS:
        return Severity.LOW, "only private endpoints are in it, to which its network policies let no NSG apply"
    if nics and all(nic.security_group for nic in nics.values()):
        return Severity.INFO, f"every network interface in it has an NSG of its own: {listed(r.name for r in nics)}"
    if not nics and _empty(view, subnet) and view.facts.knows_all(common.NICS):
        return Severity.LOW, "nothing is in it"
    return Severity.MEDIUM, ""


@check("NET014", "Subnet is nearly full", Severity.LOW)
def full_subnets(view: View) -> Iterator[Said]:
    """Soon nothing new fits in: scale sets, upgrades that need addresses beside the old ones, and failovers fail.

    Azure keeps 5 addresses of each prefix. A subnet's prefixes can be extended while machines are in it.
    """
    fronts = _frontends(view)
    for network, subnet in view.subnets:
        size = _usable(subnet)
        if common.reserved(subnet.id) or size <= 0:
            continue
        own = fronts.get(subnet.id, frozenset())
        most = len(view.places.points_in(subnet.id)) + len(subnet.used) + len(own)
        if most >= size * _FULL and (taken := _taken(view, subnet, own)) >= size * _FULL:
            yield _full(network, subnet, taken, size)


def _usable(subnet: Subnet) -> int:
    """The IPv4 addresses that a subnet has for machines."""
    sizes = (found.v4.count() for text in subnet.prefixes if (found := read_prefix(text)) and found.v4)
    return sum(max(size - _KEPT, 0) for size in sizes)


def _frontends(view: View) -> dict[ResourceId, frozenset[ResourceId]]:
    """The private frontends of load balancers, by subnet."""
    found: dict[ResourceId, set[ResourceId]] = {}
    for balancer in view.estate.load_balancers.values():
        for front in balancer.frontends:
            if front.subnet:
                found.setdefault(front.subnet, set()).add(front.id)
    return {subnet: frozenset(ids) for subnet, ids in found.items()}


def _taken(view: View, subnet: Subnet, fronts: frozenset[ResourceId]) -> int:
    """How many of its IPv4 addresses are in use, at least."""
    ids, others, nameless = {each.key for each in (*subnet.used, *fronts)}, set[str](), 0
    for point in view.places.points_in(subnet.id):
        each = point.configuration
        if ":" in (each.address or "") or each.version.lower() == "ipv6":
            others |= {each.id.key} if each.id else set()
        elif each.id:
            ids.add(each.id.key)
        else:
            nameless += 1
    shown = len(ids - others)
    return max(shown, nameless) if subnet.used else shown + nameless


def _full(network: VirtualNetwork, subnet: Subnet, taken: int, size: int) -> Found:
    prefixes = listed(subnet.prefixes)
    text = f"{min(taken, size)} of the {size} addresses of {prefixes} that machines can have are in use"
    remedy = Remedy(
        summary="Give it another prefix or a larger one, or take out what is not used: orphaned network interfaces.",
        az_cli=f"az network vnet subnet update {az.arguments(ids=subnet.id.text)} "
        f"--address-prefixes {' '.join(map(az.quoted, subnet.prefixes))} PREFIX",
        bicep=common.declared(
            common.VNET_KIND, network.id, f"subnet {subnet.id.name}: one prefix more in properties.addressPrefixes"
        ),
        doc_url=_FAQ_DOC,
        portal_url=links.blade(network.id, "subnets"),
    )
    cause = fact("addresses", text, subnet.id)
    return Found(subnet.id, f"Subnet {called(subnet.id)} ({prefixes}) is nearly full", (cause,), remedy)


@check("NET015", "Virtual network or subnet with nothing in it", Severity.INFO)
def empty_networks(view: View) -> Iterator[Said]:
    """Nobody uses it: address space is taken, and rules and routes go on to speak of it.

    A subnet that is handed to a service may be used without anything showing; such ones do not count, nor do Azure's
    own, nor those whose name says that an application gateway or the like is in them.
    """
    fronts, planned = _frontends(view), view.facts.knows_all(common.NICS) and not _unseen_members(view)
    for network in view.networks:
        free = [each for each in network.subnets if _empty(view, each) and each.id not in fronts]
        whole = len(free) == len(network.subnets) and not network.peerings
        if not free and not whole:
            continue
        # Azure's own body of a subnet lists what is in it; of a template all resources have to be known.
        if view.facts.state(network.id) or planned:
            yield _nothing(network, free, whole=whole)
        else:
            yield Unclear(network.id, ("what is in its subnets",))


def _empty(view: View, subnet: Subnet) -> bool:
    """Whether nothing shows in a subnet that would show."""
    seen = subnet.used or subnet.occupied or view.places.points_in(subnet.id)
    silent = any(word in subnet.id.name.lower() for word in _SILENT)
    return not (seen or silent or subnet.delegations or common.reserved(subnet.id))


def _unseen_members(view: View) -> bool:
    """Whether there are resources that stand in a subnet of which the estate does not tell which."""
    return any(rid.type in _STANDING for rid in view.facts.resources)


def _nothing(network: VirtualNetwork, free: list[Subnet], *, whole: bool) -> Found:
    names = listed(sorted(subnet.id.name for subnet in free))
    text = f"nothing is in {names}" if free else "it has no subnet"
    causes: tuple[Cause, ...] = (fact("orphan", text, network.id),)
    if whole:
        causes += (fact("peering", "and it is peered with no network", network.id),)
    summary = "Delete what nobody will use. Some services do not show here: look in the portal first."
    first = free[0].id if free else network.id
    command = f"network vnet delete {az.arguments(ids=network.id.text)}"
    if not whole:
        command = f"network vnet subnet delete {az.arguments(ids=first.text)}"
    remedy = Remedy(
        summary=summary,
        az_cli=az.lines(
            f"az network vnet subnet list {az.placed(network.id, vnet_name=network.id.name)} -o table",
            az.otherwise("if nobody needs it", f"az {command}"),
        ),
        doc_url=_SUBNET_DOC,
        portal_url=links.blade(network.id, "subnets"),
    )
    title = f"Virtual network {network.id.name} is empty" if whole else f"Empty subnets in {network.id.name}"
    return Found(network.id, title, causes, remedy, ("network" if whole else "subnets",), confidence=Confidence.LIKELY)


@check("NET017", "Subnet is too small for what Azure puts there", Severity.MEDIUM)
def small_subnets(view: View) -> Iterator[Said]:
    """Azure's own subnets have least sizes; below them a gateway, firewall or Bastion can't be made, or can't grow.

    AzureBastionSubnet and the firewall's subnets are to be /26 or larger, RouteServerSubnet /27; a GatewaySubnet may be
    smaller than /27, and then has no room for ExpressRoute beside a VPN.
    """
    for network, subnet in view.subnets:
        longest = common.RESERVED.get(subnet.id.name.lower())
        length = _length(subnet)
        if longest and length is not None and length > longest:
            yield _small(network, subnet, length, longest)


def _length(subnet: Subnet) -> int | None:
    """The length of its largest IPv4 prefix."""
    sizes = [found.v4.count() for text in subnet.prefixes if (found := read_prefix(text)) and found.v4]
    return 33 - max(sizes).bit_length() if sizes else None


def _small(network: VirtualNetwork, subnet: Subnet, length: int, longest: int) -> Found:
    gateway = subnet.id.name.lower() == "gatewaysubnet"
    text = f"its prefix is /{length}, and Microsoft asks for /{longest} or larger"
    remedy = Remedy(
        summary=f"Give it a prefix of /{longest} or larger; what is in it may have to be taken out for that.",
        az_cli=f"az network vnet subnet update {az.arguments(ids=subnet.id.text)} --address-prefixes PREFIX/{longest}",
        bicep=common.declared(
            common.VNET_KIND, network.id, f"subnet {subnet.id.name}: properties.addressPrefix of /{longest}"
        ),
        doc_url=_SUBNET_DOC,
        portal_url=links.blade(network.id, "subnets"),
    )
    return Found(
        subnet.id,
        f"Subnet {called(subnet.id)} is only /{length}",
        (fact("addresses", text, subnet.id),),
        remedy,
        severity=Severity.LOW if gateway else Severity.MEDIUM,
    )


@check("NET020", "Service endpoints where private endpoints are possible", Severity.INFO)
def service_endpoints(view: View) -> Iterator[Said]:
    """Machines reach the service at its public address: an NSG cannot tell one customer's storage from another's.

    A private endpoint leads to one resource only, by a private address that on-premises and peers reach too. Service
    endpoints cost nothing, and with endpoint policies they name the storage accounts that may be reached.
    """
    for network in view.networks:
        using = [subnet for subnet in network.subnets if subnet.service_endpoints]
        if using:
            yield _serving(network, using)


def _serving(network: VirtualNetwork, using: list[Subnet]) -> Found:
    causes = tuple(
        fact("service-endpoint", f"subnet {subnet.id.name}: {listed(sorted(subnet.service_endpoints))}", subnet.id)
        for subnet in sorted(using, key=lambda subnet: subnet.id.key)[:_KEPT]
    )
    names = listed(sorted(subnet.id.name for subnet in using))
    remedy = Remedy(
        summary=f"Make private endpoints for what {names} use, with their private DNS zones, then take these away.",
        az_cli=az.lines(
            *(
                f"az network vnet subnet update {az.arguments(ids=subnet.id.text)} --remove serviceEndpoints"
                for subnet in using[:1]
            )
        ),
        bicep=common.declared(common.VNET_KIND, network.id, f"subnets {names}: no properties.serviceEndpoints"),
        doc_url=_SERVICE_DOC,
        portal_url=links.blade(network.id, "serviceEndpoints"),
    )
    return Found(network.id, f"Subnets of {network.id.name} use service endpoints", causes, remedy)
