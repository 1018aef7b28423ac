"""Endpoints without an NSG: what Azure makes of them depends on the SKU of their public address or load balancer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diagnostics.checks.exposure_seen import orphaned, without_group
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.internet_closing import Closing
from diagnostics.checks.internet_where import owner
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed
from diagnostics.findings import Confidence, Remedy
from diagnostics.network.estate import LoadBalancer, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.public import frontends, pool_members
from diagnostics.paste import az, bicep, links

FIRST_NSG = (
    "Give the network interface (or, better, its subnet) an NSG: an empty one keeps the internet out, and rules let in "
    "what is meant to be public."
)
_KIND = f"Microsoft.Network/networkSecurityGroups@{bicep.NETWORK}"
_DOC = f"{links.LEARN}/azure/virtual-network/ip-services/public-ip-addresses"


def first_group(nic: Nic) -> Closing:
    """An NSG for a NIC that has none."""
    name = f"nsg-{nic.id.name}"
    commands = az.lines(
        f"az network nsg create {az.placed(nic.id, name=name)}",
        f"az network nic update {az.arguments(ids=nic.id.text, network_security_group=name)}",
    )
    body: dict[str, bicep.Value] = {
        "name": name,
        "location": nic.location or bicep.Raw("resourceGroup().location"),
        "properties": {"securityRules": []},
    }
    said = f"properties.networkSecurityGroup.id of network interface {nic.id.name} is nsg.id"
    return Closing("", commands, bicep.resource("nsg", _KIND, body) + bicep.comment(said))


def closed_addresses(view: View) -> Iterator[Said]:
    """Network interfaces whose Standard public addresses and load balancers let nothing in, for want of an NSG."""
    ways: dict[ResourceId, dict[ResourceId, str]] = {}
    for point in view.estate.points:
        public = point.configuration.public_ip
        if public is None or orphaned(view, point.nic):
            continue
        bare, known = without_group(view, point), view.estate.public_ips.get(public)
        sku = known.sku.lower() if known else ""
        if bare is False or sku == "basic":
            continue
        missing = [*([] if sku else [f"the SKU of public IP {public.name}"]), *_subnet(point, bare=bare)]
        if missing:
            yield Unclear(owner(view, point.nic), tuple(missing))
        else:
            ways.setdefault(point.nic.id, {})[public] = f"public IP {public.name}"
    for balancer in view.estate.load_balancers.values():
        if balancer.sku.lower() == "standard":
            for point in _members(view, balancer):
                if without_group(view, point):
                    ways.setdefault(point.nic.id, {})[balancer.id] = f"load balancer {balancer.id.name}"
    yield from (_closed(view, view.estate.nics[nic], found) for nic, found in ways.items())


def _members(view: View, balancer: LoadBalancer) -> tuple[Point, ...]:
    """The endpoints that its rules for public addresses lead to."""
    pools = {
        rule.pool: None
        for rule in balancer.rules
        if rule.pool and any(front.public_ip for front in frontends(balancer, rule))
    }
    return tuple(dict.fromkeys(point for pool in pools for point in pool_members(view.estate, balancer, pool)))


def _subnet(point: Point, *, bare: bool | None) -> list[str]:
    subnet = point.configuration.subnet
    return [] if bare is not None else [f"subnet {subnet.name}" if subnet else f"the subnet of {point.nic.id.name}"]


def _closed(view: View, nic: Nic, ways: Mapping[ResourceId, str]) -> Found:
    told = first_group(nic)
    rule = f"az network nsg rule create {az.placed(nic.id, nsg_name=f'nsg-{nic.id.name}', name='allow-in')} "
    rule += '--priority 1000 --protocol Tcp --source-address-prefixes Internet --destination-port-ranges "$PORT"'
    some = sorted(ways.items(), key=lambda way: way[0].key)
    return Found(
        owner(view, nic),
        f"Nothing gets in to {owner(view, nic).name} through {listed(name for _, name in some)}: "
        f"no NSG stands at {nic.id.name}",
        (
            *(
                fact("sku", f"{name[0].upper()}{name[1:]} is Standard: closed until an NSG allows something.", way)
                for way, name in some
            ),
            fact("no-nsg", f"Neither {nic.id.name} nor its subnet has an NSG.", nic.id),
        ),
        Remedy(
            summary="If it is meant to be reached, give its NIC or subnet an NSG that allows exactly that. "
            "If it is only a way out, a NAT gateway is the better one.",
            az_cli=az.lines(told.az_cli, az.otherwise("then, for the port that is meant to be reached", rule)),
            bicep=told.bicep,
            doc_url=_DOC,
            portal_url=links.blade(nic.id, "networksecuritygroup"),
        ),
        (nic.id.name,),
        confidence=Confidence.LIKELY,
    )
