"""Virtual networks: DDoS protection, encryption, and a Bastion to come in by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import Point, VirtualNetwork
from diagnostics.network.gateways import learnt
from diagnostics.network.ids import ResourceId
from diagnostics.paste import az, links

_DDOS_DOC = f"{links.LEARN}/azure/ddos-protection/ddos-protection-overview"
_ENCRYPTION_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-encryption-overview"
_BASTION_DOC = f"{links.LEARN}/azure/bastion/bastion-overview"
_BASTIONS = "microsoft.network/bastionhosts"


@check("NET018", "No DDoS protection where machines have public addresses", Severity.INFO)
def unprotected(view: View) -> Iterator[Said]:
    """A flood at a public address takes down what stands behind it; Azure's basic protection guards its platform first.

    The network may be in a DDoS protection plan, or each public IP address be protected by itself. Networks without
    public addresses need neither.
    """
    publics = _publics(view)
    for network in view.networks:
        open_ = sorted(publics.get(network.id, ()), key=lambda rid: rid.key)
        if network.ddos or not open_:
            continue
        yield Unclear(network.id, ("DDoS protection",)) if network.ddos is None else _flooded(network, open_)


def _publics(view: View) -> Mapping[ResourceId, set[ResourceId]]:
    """The public IPs that lead into each network, of NICs and of load balancers before them, that protect nothing."""
    found: dict[ResourceId, set[ResourceId]] = {}
    add = partial(_add, view, found)
    for point in view.estate.points:
        if point.configuration.public_ip:
            add(point, point.configuration.public_ip)
    for balancer in view.estate.load_balancers.values():
        publics = [front.public_ip for front in balancer.frontends if front.public_ip]
        members = (view.estate.members.get(pool, ())[:1] for pool in balancer.pools) if publics else ()
        for point in (member for each in members for member in each):
            for public in publics:
                add(point, public)
    return found


def _add(view: View, found: dict[ResourceId, set[ResourceId]], point: Point, public: ResourceId) -> None:
    network, known = view.estate.network_of(point.configuration.subnet), view.estate.public_ips.get(public)
    if network and not (known and known.ddos.lower() == "enabled"):
        found.setdefault(network.id, set()).add(public)


def _flooded(network: VirtualNetwork, publics: list[ResourceId]) -> Found:
    names = listed(each.name for each in publics)
    remedy = Remedy(
        summary=f"Put {network.id.name} into a DDoS protection plan if it is worth it, or protect each public IP.",
        az_cli=az.lines(
            f"az network vnet update {az.arguments(ids=network.id.text, ddos_protection='true')} "
            "--ddos-protection-plan PLAN",
            az.otherwise(
                "or one address",
                f"az network public-ip update {az.arguments(ids=publics[0].text)} --ddos-protection-mode Enabled",
            ),
        ),
        bicep=common.declared(
            common.VNET_KIND, network.id, "properties.enableDdosProtection = true, ddosProtectionPlan = { id: plan.id }"
        ),
        doc_url=_DDOS_DOC,
        portal_url=links.blade(network.id, "ddosProtection"),
    )
    causes = (
        fact("ddos", f"{network.id.name} is in no DDoS protection plan", network.id),
        fact("public-address", f"public IPs that lead into it, without protection of their own: {names}", publics[0]),
    )
    return Found(network.id, f"No DDoS protection for the public addresses of {network.id.name}", causes, remedy)


@check("NET019", "Virtual network encryption is off", Severity.INFO)
def unencrypted(view: View) -> Iterator[Said]:
    """What machines of the network say to each other, and to peers, is not encrypted on Azure's wires.

    It costs nothing, and works between machines of sizes that support it, with accelerated networking. Networks with
    fewer than two machines do not count.
    """
    for network in view.networks:
        if network.encryption or not _talks(view, network):
            continue
        yield Unclear(network.id, ("encryption",)) if network.encryption is None else _plain(network)


def _talks(view: View, network: VirtualNetwork) -> bool:
    """Whether there are at least two machines in a network."""
    owners = set[ResourceId]()
    for subnet in network.subnets:
        for point in common.machines(view, subnet.id):
            vm = view.vm_of(point.nic)
            owners.add((vm.id if vm else point.nic.vm) or point.nic.id)
            if len(owners) > 1:
                return True
    return False


def _plain(network: VirtualNetwork) -> Found:
    remedy = Remedy(
        summary=f"Enable encryption for {network.id.name}; machines take part once they were stopped and started.",
        az_cli=f"az network vnet update {az.arguments(ids=network.id.text)} --enable-encryption true "
        "--encryption-enforcement-policy AllowUnencrypted",
        bicep=common.declared(
            common.VNET_KIND,
            network.id,
            "properties.encryption = { enabled: true, enforcement: 'AllowUnencrypted' }",
        ),
        doc_url=_ENCRYPTION_DOC,
        portal_url=links.blade(network.id, "overview"),
    )
    cause = fact("encryption", "its encryption is not enabled", network.id)
    return Found(network.id, f"Encryption is off in virtual network {network.id.name}", (cause,), remedy)


@check("NET021", "No Bastion within reach of machines", Severity.INFO)
def no_bastion(view: View) -> Iterator[Said]:
    """Nobody comes to the machines' desktops and shells without a public address, or a gateway from outside.

    A Bastion in the network itself or in one that it is peered with would do, and lets their management ports be closed
    to the internet. Networks with a VPN or ExpressRoute gateway within reach do not count.
    """
    homes = {home for each in view.facts.bastions.values() if (home := each.network or _parent(each.subnet))}
    for network in view.networks:
        near = {network.id, *(each.remote for each in network.peerings if each.connected)}
        if near & homes or not _inhabited(view, network) or learnt(view.estate, network).exists is not False:
            continue
        if view.facts.knows_all(_BASTIONS):
            yield _unreached(network, peered=len(near) > 1)
        else:
            yield Unclear(network.id, ("Bastion hosts",))


def _parent(subnet: ResourceId | None) -> ResourceId | None:
    return subnet.parent if subnet else None


def _inhabited(view: View, network: VirtualNetwork) -> bool:
    """Whether there is a machine in a network."""
    return any(True for subnet in network.subnets for _ in common.machines(view, subnet.id))


def _unreached(network: VirtualNetwork, *, peered: bool) -> Found:
    place = az.placed(network.id, name=f"bas-{network.id.name}", vnet_name=network.id.name)
    remedy = Remedy(
        summary=f"Put a Bastion into {network.id.name}, or into a hub that it is peered with.",
        az_cli=az.lines(
            f"az network vnet subnet create {az.placed(network.id, vnet_name=network.id.name)} "
            "--name AzureBastionSubnet --address-prefixes PREFIX/26",
            f"az network bastion create {place} --public-ip-address PUBLIC_IP --sku Basic",
        ),
        bicep=common.declared(common.VNET_KIND, network.id, "a subnet AzureBastionSubnet of /26, with a bastionHosts"),
        doc_url=_BASTION_DOC,
        portal_url=links.blade(network.id, "bastionHost"),
    )
    where = "in it or in a network that it is peered with" if peered else "in it, and it has no peers"
    cause = fact("bastion", f"there is no Bastion {where}, and no gateway to come in by", network.id)
    return Found(network.id, f"No Bastion within reach of machines in {network.id.name}", (cause,), remedy)
