"""Rules of NSGs that let through more than they need: out to the whole internet, and within the whole network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.rules_reading import (
    EVERY_PORT,
    Spot,
    alike,
    any_protocol,
    decided,
    first_of,
    internet,
    lets_everything_out,
    names_network,
    ports_of,
    sensitive,
    sources,
    spots,
    unused,
)
from diagnostics.checks.rules_remedy import OVERVIEW, change, menu
from diagnostics.checks.rules_told import own
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, named, rule_cause
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import Point
from diagnostics.network.filters import Level, group_at
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.security import DEFAULTS, Flow, Verdict
from diagnostics.paste import az, bicep, links

_LATERAL: Mapping[int, str] = {22: "SSH", 3389: "RDP"}
_BASTION = "azurebastionsubnet"
_DEFAULT = next(rule for rule in DEFAULTS if rule.name == "AllowVnetOutBound")


@check("NSG016", "Outbound rule lets everything out to the internet", Severity.LOW)
def open_outbound(view: View) -> Iterator[Said]:
    """Somebody's own rule lets every port out to every address, so whatever gets in can call home and take data along.

    Azure's default rule AllowInternetOutBound does the same where nothing stands above it: it does not count here.
    """
    for group in view.groups:
        if unused(view.use(group)):
            continue
        for rule in own(group):
            if lets_everything_out(rule) and _works(view, group, rule):
                yield _open_outbound(group, rule)


@check("NSG017", "Management ports open from machine to machine", Severity.INFO)
def lateral(view: View) -> Iterator[Said]:
    """SSH or RDP is let out to the whole virtual network, so whoever has one machine can try all others.

    Azure's default rule AllowVnetOutBound lets it; jump hosts need it, others mostly do not (PSRule for Azure,
    Azure.NSG.LateralTraversal).
    """
    for group in view.groups:
        found: dict[int, SecurityRule] = {}
        if any(_by_default(view, point) for point in alike(view.use(group).points)):
            found = dict.fromkeys(_LATERAL, _DEFAULT)
        for spot in () if found else spots(view, group, inbound=False):
            if spot.subnet and spot.subnet.name.lower() == _BASTION:
                continue
            for port in _LATERAL:
                if port not in found and (rule := _lets_out(view, spot, port)):
                    found[port] = rule
        if found:
            yield _lateral(group, found)


@check("NSG018", "Management or data port open to the whole virtual network", Severity.LOW)
def open_to_network(view: View) -> Iterator[Said]:
    """Somebody's own rule opens what is for administration or data to every machine of the network and its peers.

    Where the default rule AllowVnetInBound would do the same, the rule changes nothing, and is not told here.
    """
    for group in view.groups:
        if unused(view.use(group)):
            continue
        for rule in own(group):
            names = sensitive(rule) if rule.inbound and rule.allows else []
            if names and _opens(group, rule) and _works(view, group, rule) and _for_network(view, group, rule):
                yield _open_to_network(group, rule, names)


def _works(view: View, group: SecurityGroup, rule: SecurityRule) -> bool:
    odd = view.odd(group).get(rule)
    return odd is None or not odd.idle


def _open_outbound(group: SecurityGroup, rule: SecurityRule) -> Found:
    summary = (
        f"Narrow rule {rule.name} to the addresses, tags and ports that are needed, with a Deny for Internet below it; "
        "or send what goes out through a firewall."
    )
    command = "--destination-address-prefixes AzureCloud --destination-port-ranges 443"
    note = "destinationAddressPrefix and destinationPortRange: what is needed"
    remedy = change(group, rule, summary, command, note)
    title = f"Rule {named(rule)} of NSG {group.id.name} lets everything out to the internet"
    return Found(group.id, title, (rule_cause(group.id, rule),), remedy, (rule.name.lower(),))


def _by_default(view: View, point: Point) -> bool:
    """Whether nobody wrote an outbound rule at an endpoint: no need to ask the engine then, as with most machines."""
    subnet = point.configuration.subnet
    if point.nic.private_endpoint or subnet is None or subnet.name.lower() == _BASTION:
        return False
    ids = [group_at(view.estate, point, level) for level in (Level.SUBNET, Level.NIC)]
    groups = [view.estate.security_groups.get(each) for each in ids if each]
    if view.estate.admin_rules or point.nic.id in view.estate.effective_groups:
        return False
    return all(each is not None and all(rule.inbound for rule in own(each)) for each in groups)


def _lets_out(view: View, spot: Spot, port: int) -> SecurityRule | None:
    """The rule that lets a port out to every address of the network, if all rules that stand there do."""
    network = AddressSet(spot.network.v4, AddressSet.none().v6)
    sample = first_of(network, 4)
    for point in alike(spot.points) if sample else ():
        if point.address is None or point.address.version != 4 or sample is None:
            continue
        flow = Flow(point.address, sample, "Tcp", port)
        rule = _rule_for_all(spot, network, flow)
        if rule and view.filters.outbound(point, flow).verdict is not Verdict.DENIED:
            return rule
    return None


def _rule_for_all(spot: Spot, network: AddressSet, flow: Flow) -> SecurityRule | None:
    """The first rule that lets a flow out, if all of the network is let out to."""
    taken = [*decided(spot.rules, network, flow, inbound=False)]
    allowed = AddressSet.union(each for rule, each in taken if rule.allows)
    return next((rule for rule, _ in taken if rule.allows), None) if network <= allowed else None


def _lateral(group: SecurityGroup, found: Mapping[int, SecurityRule]) -> Found:
    names = listed(f"{_LATERAL[port]} ({port})" for port in found)
    place = az.placed(group.id, nsg_name=group.id.name, name="deny-lateral")
    remedy = Remedy(
        summary=f"Unless these are jump hosts, deny {names} to VirtualNetwork above the rule that lets it out.",
        az_cli=f"az network nsg rule create {place} --priority {_free(group)} --direction Outbound --access Deny "
        f"--protocol Tcp --destination-address-prefixes VirtualNetwork "
        f"--destination-port-ranges {' '.join(map(str, found))}",
        bicep=bicep.comment(f"an outbound Deny for ports {' and '.join(map(str, found))} to VirtualNetwork"),
        doc_url=links.LEARN + OVERVIEW,
        portal_url=links.blade(group.id, menu(inbound=False)),
    )
    title = f"NSG {group.id.name} lets management ports out to its whole virtual network"
    causes = tuple(rule_cause(group.id, rule) for rule in dict.fromkeys(found.values()))
    ports = fact("port", f"{names} gets out to every address of the virtual network", group.id)
    return Found(group.id, title, (ports, *causes), remedy)


def _free(group: SecurityGroup) -> int:
    taken = {rule.priority for rule in group.rules if not rule.inbound}
    return next(number for number in range(100, 70_000) if number not in taken)


def _opens(group: SecurityGroup, rule: SecurityRule) -> bool:
    """Whether a Deny behind it would keep out some of what it lets in: else AllowVnetInBound does the same."""
    behind = (other for other in own(group) if other.inbound and not other.allows and other.priority > rule.priority)
    return any(ports_of(other) & ports_of(rule) and _meet(other, rule) for other in behind)


def _meet(one: SecurityRule, other: SecurityRule) -> bool:
    return any_protocol(one) or any_protocol(other) or one.protocol.lower() == other.protocol.lower()


def _for_network(view: View, group: SecurityGroup, rule: SecurityRule) -> bool:
    """Whether its sources are a whole virtual network, and not the internet, of which others tell."""
    named_sources = sources(rule)
    if internet(named_sources):
        return False
    if not names_network(rule.sources) and not any(space <= named_sources for space in _spaces(view, group)):
        return False
    points = view.use(group).points
    return not points or any(_lets_in(view, point, rule) for point in alike(points))


def _lets_in(view: View, point: Point, rule: SecurityRule) -> bool:
    """Whether all rules at an endpoint let in one of the ports, asked of one address and the first of the ports."""
    address, network = point.address, view.filters.context(point).prefix("VirtualNetwork").must
    sample = first_of(network, address.version) if address else None
    if sample is None or address is None:
        return True
    flows = (Flow(sample, address, "Tcp", port, 50_000) for port, _ in ports_of(rule))
    return any(view.filters.inbound(point, flow).verdict is not Verdict.DENIED for flow in flows)


def _spaces(view: View, group: SecurityGroup) -> Iterator[AddressSet]:
    """The address spaces of the networks that an NSG is used in."""
    use = view.use(group)
    subnets = {*(subnet.id for subnet in use.subnets), *(point.configuration.subnet for point in use.points)}
    networks = {network.id: network for subnet in subnets if (network := view.estate.network_of(subnet))}
    for network in networks.values():
        yield AddressSet.union(read for text in network.prefixes if (read := read_prefix(text)))


def _open_to_network(group: SecurityGroup, rule: SecurityRule, names: list[str]) -> Found:
    every = ports_of(rule) == EVERY_PORT
    what = "every port" if every else listed(names)
    summary = f"Name in rule {rule.name} the subnets or application security groups that need {what}, not the network."
    command = "--source-address-prefixes 10.0.0.0/24"
    remedy = change(group, rule, summary, command, "sourceAddressPrefix: the subnet that needs it")
    title = f"Rule {named(rule)} of NSG {group.id.name} opens {what} to the whole virtual network"
    opened = fact("port", f"it opens {listed(names)}", group.id, rule.name)
    severity = Severity.INFO if every else None
    return Found(group.id, title, (rule_cause(group.id, rule), opened), remedy, (rule.name.lower(),), severity)
