"""Where NSGs are used: on nothing, with no rules of their own, and on subnets that must not have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.rules_remedy import OVERVIEW
from diagnostics.checks.rules_told import own
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Cause, Remedy, Severity
from diagnostics.network.model import SecurityGroup, Subnet
from diagnostics.network.places import Use
from diagnostics.paste import az, bicep, links

_SUBNETS = f"Microsoft.Network/virtualNetworks/subnets@{bicep.NETWORK}"
_FORBIDDEN: Mapping[str, tuple[Severity, str, str]] = {
    "gatewaysubnet": (
        Severity.HIGH,
        "NSGs on GatewaySubnet are not supported: the gateway may stop working",
        "/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings#gwsub",
    ),
    "azurefirewallsubnet": (
        Severity.HIGH,
        "Azure Firewall guards its subnet itself; an NSG on it is not supported, and may cut the firewall off",
        "/azure/firewall/firewall-faq",
    ),
    "azurefirewallmanagementsubnet": (
        Severity.HIGH,
        "Azure Firewall guards its subnets itself; an NSG may cut off what it is managed by",
        "/azure/firewall/firewall-faq",
    ),
    "routeserversubnet": (
        Severity.MEDIUM,
        "NSGs on RouteServerSubnet are not supported: Azure Route Server may lose who manages it, or its BGP peers",
        "/azure/route-server/route-server-faq",
    ),
}


@check("NSG002", "NSG attached to nothing", Severity.LOW)
def orphans(view: View) -> Iterator[Said]:
    """No subnet and no network interface has the NSG, so its rules guard nothing, whatever people believe of them."""
    for group in view.groups:
        use = view.use(group)
        if not use.known and not use.anywhere:
            yield Unclear(group.id, ("which subnets and network interfaces it is attached to",))
        elif not use.anywhere:
            yield _orphan(group)


@check("NSG010", "NSG with default rules only", Severity.INFO)
def only_defaults(view: View) -> Iterator[Said]:
    """Nobody wrote a rule: all of the network gets in, all gets out to the internet, and nothing comes in from there.

    That is a start, and seldom what is wanted in the end: Azure's default rules part nothing inside of a network.
    """
    for group in view.groups:
        use = view.use(group)
        if use.anywhere and not any(own(group)):
            yield _only_defaults(group, use)


@check("NSG014", "NSG on a subnet that must not have one", Severity.HIGH)
def forbidden_subnets(view: View) -> Iterator[Said]:
    """Azure runs the machines in this subnet itself, and an NSG on it is not supported: it can cut them off from Azure.

    For gateways: "About VPN Gateway configuration settings"; for the firewall: "Azure Firewall FAQ".
    """
    for _, subnet in view.subnets:
        kind = _FORBIDDEN.get(subnet.id.name.lower())
        if kind and subnet.security_group:
            severity, why, doc = kind
            yield _forbidden(subnet, subnet.security_group.name, severity, fact("subnet", why, subnet.id), doc)


def _orphan(group: SecurityGroup) -> Found:
    place = az.placed(group.id, name=group.id.name)
    text = "no subnet and no network interface refers to it"
    remedy = Remedy(
        summary="Attach it to the subnet that it was written for, or delete it.",
        az_cli=az.lines(
            f"az network nsg show {place} --query '[subnets, networkInterfaces]'",
            az.otherwise("if nothing is to have it", f"az network nsg delete {place}"),
        ),
        bicep=bicep.comment(f"take {bicep.quoted(group.id.name)} out, or name it in a subnet's networkSecurityGroup"),
        doc_url=links.LEARN + OVERVIEW,
        portal_url=links.blade(group.id, "subnets"),
    )
    return Found(group.id, f"NSG {group.id.name} is attached to nothing", (fact("use", text, group.id),), remedy)


def _only_defaults(group: SecurityGroup, use: Use) -> Found:
    users = [*(subnet.id for subnet in use.subnets), *(nic.id for nic in use.nics), *use.unseen]
    causes = (
        fact("security-rule", "it has no rules but the six that every NSG has", group.id),
        fact("use", f"it is attached to {listed(sorted(called(each) for each in users))}", group.id),
    )
    place = az.placed(group.id, nsg_name=group.id.name)
    remedy = Remedy(
        summary="Write down who needs what: Allow rules for that, and a Deny for the rest of the network below them.",
        az_cli=f"az network nsg rule create {place} --name deny-rest-of-network --priority 4096 --direction Inbound "
        "--access Deny --protocol '*' --source-address-prefixes VirtualNetwork --destination-port-ranges '*'",
        bicep=bicep.comment("securityRules: Allow rules for who needs what, and a Deny for VirtualNetwork at 4096"),
        doc_url=links.LEARN + OVERVIEW,
        portal_url=links.blade(group.id, "inboundSecurityRules"),
    )
    return Found(group.id, f"NSG {group.id.name} has default rules only", causes, remedy)


def _forbidden(subnet: Subnet, group: str, severity: Severity, why: Cause, doc: str) -> Found:
    network = subnet.id.names[0]
    place = az.placed(subnet.id, vnet_name=network, name=subnet.id.name)
    remedy = Remedy(
        summary=f"Take NSG {group} off subnet {subnet.id.name} of {network}.",
        az_cli=f"az network vnet subnet update {place} --remove networkSecurityGroup",
        bicep=bicep.comment(f"{_SUBNETS} {bicep.quoted(subnet.id.name)}: without networkSecurityGroup"),
        doc_url=links.LEARN + doc,
        portal_url=links.blade(subnet.id.parent, "subnets"),
    )
    causes = (fact("use", f"NSG {group} is on it", subnet.security_group, group), why)
    title = f"Subnet {called(subnet.id)} has NSG {group}, which it must not"
    return Found(subnet.id, title, causes, remedy, severity=severity)
