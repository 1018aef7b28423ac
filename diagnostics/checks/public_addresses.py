"""Public IPs, load balancers and NAT gateways: for nobody, of a retired SKU, in one zone only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed
from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.estate import LoadBalancer, NatGateway, PublicIp
from diagnostics.network.ids import SCALE_SET, ResourceId
from diagnostics.network.model import Subnet
from diagnostics.paste import az, bicep, links

_IP_DOC = f"{links.LEARN}/azure/virtual-network/ip-services/public-ip-addresses"
_BASIC_DOC = f"{links.LEARN}/azure/virtual-network/ip-services/public-ip-basic-upgrade-guidance"
_BALANCER_DOC = f"{links.LEARN}/azure/load-balancer/load-balancer-basic-upgrade-guidance"
_POOL_DOC = f"{links.LEARN}/azure/load-balancer/backend-pool-management"
_NAT_DOC = f"{links.LEARN}/azure/nat-gateway/nat-overview"
_NAT_GATEWAYS = "microsoft.network/natgateways"
_PUBLIC_KIND = f"Microsoft.Network/publicIPAddresses@{bicep.NETWORK}"
_BALANCER_KIND = f"Microsoft.Network/loadBalancers@{bicep.NETWORK}"
_NAT_KIND = f"Microsoft.Network/natGateways@{bicep.NETWORK}"
_RETIRED = "Azure retired SKU Basic on 30 September 2025"


def _publics(view: View) -> list[PublicIp]:
    return sorted(view.estate.public_ips.values(), key=lambda public: public.id.key)


def _balancers(view: View) -> list[LoadBalancer]:
    return sorted(view.estate.load_balancers.values(), key=lambda balancer: balancer.id.key)


@check("PIP002", "Public IP address that is attached to nothing", Severity.LOW)
def idle_addresses(view: View) -> Iterator[Said]:
    """Nothing uses the address, and it costs; whoever trusts it in a firewall or a DNS record trusts nobody.

    Once it is deleted, somebody else gets it: take it out of such lists first.
    """
    used = _used(view)
    for public in _publics(view):
        if public.attached or public.id in used:
            continue
        # Application gateways, firewalls, Bastion and gateways have some too: only Azure's own body tells of all.
        yield _idle(view, public) if public.attachment_known else Unclear(public.id, ("what it is attached to",))


def _used(view: View) -> frozenset[ResourceId]:
    """The public IPs that NICs, load balancers and NAT gateways name."""
    by_nics = {point.configuration.public_ip for point in view.estate.points}
    by_balancers = {front.public_ip for each in _balancers(view) for front in each.frontends}
    by_gateways = {public for each in view.estate.nat_gateways.values() for public in each.public_ips}
    return frozenset(filter(None, by_nics | by_balancers | by_gateways))


def _idle(view: View, public: PublicIp) -> Found:
    shown = public.address or "without an address yet"
    remedy = Remedy(
        summary=f"Delete {public.id.name} if nobody is to have it; take {shown} out of allow lists and DNS first.",
        az_cli=az.lines(
            f"az network public-ip show {az.arguments(ids=public.id.text)} -o json",
            az.otherwise("if nobody needs it", f"az network public-ip delete {az.arguments(ids=public.id.text)}"),
        ),
        doc_url=_IP_DOC,
        portal_url=links.blade(public.id, "overview"),
    )
    cause = fact("orphan", f"Azure says that nothing has public IP {public.id.name} ({shown})", public.id)
    # Older API versions do not tell of the NAT gateway that has it.
    sure = Confidence.PROVEN if view.facts.knows_all(_NAT_GATEWAYS) else Confidence.LIKELY
    title = f"Public IP address {public.id.name} is attached to nothing"
    return Found(public.id, title, (cause,), remedy, confidence=sure)


@check("PIP003", "Public IP address or load balancer of SKU Basic", Severity.MEDIUM)
def basic_skus(view: View) -> Iterator[Said]:
    """Azure retired SKU Basic on 30 September 2025: no support, no SLA, no zones.

    A Basic address is also open to the whole internet where no NSG stands.
    """
    for public in _publics(view):
        yield from _basic(public.id, public.sku, partial(_basic_address, public))
    for balancer in _balancers(view):
        yield from _basic(balancer.id, balancer.sku, partial(_basic_balancer, balancer))


def _basic(about: ResourceId, sku: str, remedy: partial[Remedy]) -> Iterator[Said]:
    if not sku:
        yield Unclear(about, ("its SKU",))
    elif sku.lower() == "basic":
        what = "Load balancer" if about.type == common.BALANCERS else "Public IP address"
        cause = fact("sku", f"it is of SKU {sku}; {_RETIRED}", about, sku)
        yield Found(about, f"{what} {about.name} is of SKU Basic", (cause,), remedy())


def _basic_address(public: PublicIp) -> Remedy:
    return Remedy(
        summary=(
            "Upgrade it to Standard: it keeps its address if that is static. It has to be detached for that, and is "
            "closed afterwards until an NSG allows what is to get in."
        ),
        az_cli=az.lines(
            f"az network public-ip update {az.arguments(ids=public.id.text)} --allocation-method Static",
            f"az network public-ip update {az.arguments(ids=public.id.text)} --sku Standard",
        ),
        bicep=common.declared(_PUBLIC_KIND, public.id, "sku.name = 'Standard', publicIPAllocationMethod = 'Static'"),
        doc_url=_BASIC_DOC,
        portal_url=links.blade(public.id, "configuration"),
    )


def _basic_balancer(balancer: LoadBalancer) -> Remedy:
    return Remedy(
        summary=(
            "Upgrade it with Microsoft's PowerShell module AzureBasicLoadBalancerUpgrade. Members of a Standard one "
            "have no way out of their own and let nothing in without an NSG: give them both first."
        ),
        az_cli=az.lines(
            f"az network lb show {az.arguments(ids=balancer.id.text)} -o json",
            az.otherwise(
                "in PowerShell",
                f"Start-AzBasicLoadBalancerUpgrade -ResourceGroupName {balancer.id.resource_group} "
                f"-BasicLoadBalancerName {balancer.id.name}",
            ),
        ),
        bicep=common.declared(_BALANCER_KIND, balancer.id, "sku = { name: 'Standard' }, by a new resource"),
        doc_url=_BALANCER_DOC,
        portal_url=links.blade(balancer.id, "overview"),
    )


@check("PIP004", "Public IP address that is in one zone only", Severity.INFO)
def zonal_addresses(view: View) -> Iterator[Said]:
    """The address is lost with its availability zone, even if machines in other zones go on.

    A Standard address without zones is zone-redundant where the region has zones; only a zonal one is not. A zonal
    machine has no use for more.
    """
    for public in _publics(view):
        if public.sku.lower() != "basic" and len(public.zones) == 1:
            yield _zonal(public)


def _zonal(public: PublicIp) -> Found:
    zones = listed(public.zones)
    remedy = Remedy(
        summary=(
            "Zones cannot be changed: make a new address in all zones, and move to it. Leave it if what has it stands "
            f"in zone {zones} only."
        ),
        az_cli=(
            "az network public-ip create "
            + az.placed(public.id, name=f"{public.id.name}-zr", sku="Standard", allocation_method="Static")
            + " --zone 1 2 3"
        ),
        bicep=common.declared(_PUBLIC_KIND, public.id, "a new one with zones = [ '1', '2', '3' ]"),
        doc_url=_IP_DOC,
        portal_url=links.blade(public.id, "properties"),
    )
    cause = fact("zones", f"its zones: {zones}", public.id)
    return Found(public.id, f"Public IP address {public.id.name} is in zone {zones} only", (cause,), remedy)


@check("PIP005", "Load balancer without members", Severity.LOW)
def empty_balancers(view: View) -> Iterator[Said]:
    """It leads to nobody: what comes to its frontend is lost, and a Standard one costs.

    A pool may be empty for a while when a scale set is at zero.
    """
    named = {rid.parent for point in view.estate.points for rid in point.configuration.inbound_nat_rules}
    for balancer in _balancers(view):
        if balancer.id in named or _has_members(view, balancer):
            continue
        # Azure's own body lists the members of each pool, those of scale sets too; a template's members name the pool.
        if view.facts.state(balancer.id) or _all_members_known(view):
            yield _memberless(balancer)
        else:
            yield Unclear(balancer.id, ("who its members are",))


def _has_members(view: View, balancer: LoadBalancer) -> bool:
    """Whether somebody is in one of its pools, or one of its NAT rules leads to somebody."""
    pools = balancer.pools
    named = any(pools[pool] or balancer.listed.get(pool) or view.estate.members.get(pool) for pool in pools)
    return named or any(rule.target for rule in balancer.rules)


def _all_members_known(view: View) -> bool:
    if not (view.facts.knows_all(common.NICS) and view.facts.knows_all(SCALE_SET)):
        return False
    return not any(rid.type == SCALE_SET for rid in view.facts.resources)


def _memberless(balancer: LoadBalancer) -> Found:
    pools = listed(pool.name for pool in balancer.pools)
    text = f"nobody is a member of {pools}" if pools else "it has no backend pool"
    rules = listed(rule.id.name for rule in balancer.rules)
    causes: tuple[Cause, ...] = (fact("backend-pool", text, balancer.id),)
    if rules:
        causes += (fact("load-balancer", f"its rules lead nowhere: {rules}", balancer.id),)
    remedy = Remedy(
        summary=f"Put members into a pool of {balancer.id.name}, or delete it.",
        az_cli=az.lines(
            f"az network lb address-pool list {az.placed(balancer.id, lb_name=balancer.id.name)} -o table",
            az.otherwise("if nobody needs it", f"az network lb delete {az.arguments(ids=balancer.id.text)}"),
        ),
        bicep=common.declared(
            _BALANCER_KIND, balancer.id, "members name the pool: properties.loadBalancerBackendAddressPools of a NIC"
        ),
        doc_url=_POOL_DOC,
        portal_url=links.blade(balancer.id, "backendPools"),
    )
    return Found(balancer.id, f"Load balancer {balancer.id.name} has no members", causes, remedy)


@check("PIP006", "NAT gateway without subnet or without public address", Severity.LOW)
def idle_gateways(view: View) -> Iterator[Said]:
    """On no subnet it serves nobody, and costs; without a public address its subnets have no way out at all.

    It comes before every other way out: a public IP or an outbound rule does not help then.
    """
    subnets: dict[ResourceId, list[Subnet]] = {}
    for _, subnet in view.subnets:
        if subnet.nat_gateway:
            subnets.setdefault(subnet.nat_gateway, []).append(subnet)
    for gateway in sorted(view.estate.nat_gateways.values(), key=lambda gateway: gateway.id.key):
        users = sorted({*gateway.subnets, *(subnet.id for subnet in subnets.get(gateway.id, ()))}, key=lambda r: r.key)
        known = view.facts.state(gateway.id) or view.facts.knows_all(common.NETWORKS)
        if not gateway.public_ips and not gateway.public_prefixes:
            yield _without_address(gateway, users)
        elif not users:
            yield _serves_nobody(gateway) if known else Unclear(gateway.id, ("the subnets that may use it",))


def _without_address(gateway: NatGateway, users: list[ResourceId]) -> Found:
    causes = [fact("public-address", "it has neither public IPs nor prefixes", gateway.id)]
    if users:
        names = listed(each.name for each in users)
        causes.append(fact("way-out", f"subnets that it is to lead out: {names}", users[0]))
    remedy = Remedy(
        summary=f"Give {gateway.id.name} a Standard public IP." if users else f"Delete {gateway.id.name}.",
        az_cli=az.lines(
            f"az network nat gateway update {az.arguments(ids=gateway.id.text)} --public-ip-addresses PUBLIC_IP"
            if users
            else az.otherwise(
                "if nobody needs it", f"az network nat gateway delete {az.arguments(ids=gateway.id.text)}"
            )
        ),
        bicep=common.declared(_NAT_KIND, gateway.id, "properties.publicIpAddresses = [ { id: publicIp.id } ]"),
        doc_url=_NAT_DOC,
        portal_url=links.blade(gateway.id, "outboundIp"),
    )
    severity = Severity.MEDIUM if users else Severity.LOW
    title = f"NAT gateway {gateway.id.name} has no public address"
    return Found(gateway.id, title, tuple(causes), remedy, ("address",), severity)


def _serves_nobody(gateway: NatGateway) -> Found:
    cause = fact("orphan", "no subnet names it", gateway.id)
    remedy = Remedy(
        summary=f"Associate {gateway.id.name} with the subnets that it is to lead out, or delete it.",
        az_cli=az.lines(
            f"az network vnet subnet update --ids SUBNET {az.arguments(nat_gateway=gateway.id.text)}",
            az.otherwise("if nobody needs it", f"az network nat gateway delete {az.arguments(ids=gateway.id.text)}"),
        ),
        bicep=common.declared(_NAT_KIND, gateway.id, "a subnet names it: properties.natGateway = { id: nat.id }"),
        doc_url=_NAT_DOC,
        portal_url=links.blade(gateway.id, "subnets"),
    )
    return Found(gateway.id, f"NAT gateway {gateway.id.name} is on no subnet", (cause,), remedy, ("subnets",))
