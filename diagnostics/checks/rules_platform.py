"""Rules of NSGs that stand above Azure's default ones, by what they cut: the network, load balancers, the platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.rules_reading import Spot, machine, ports_of, speaks, spots, unused
from diagnostics.checks.rules_remedy import Wanted, add, remove
from diagnostics.checks.rules_serving import Serving
from diagnostics.checks.rules_told import first_denies_all, own
from diagnostics.checks.view import View
from diagnostics.checks.words import counted, fact, listed, named, rule_cause
from diagnostics.findings import Cause, Severity
from diagnostics.network.estate import Point, VirtualNetwork
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import AddressSet, address_of
from diagnostics.network.security import Terms
from diagnostics.network.tags import HOST

_PLATFORM_DOC = "/azure/virtual-network/network-security-groups-overview#azure-platform-considerations"
_SHOWN = 3
_PLATFORM: Mapping[str, tuple[str, str]] = {
    "azureplatformdns": ("AzurePlatformDNS", "names that Azure's own DNS (168.63.129.16) resolves"),
    "azureplatformimds": ("AzurePlatformIMDS", "instance metadata (169.254.169.254), and with it managed identities"),
    "azureplatformlkm": ("AzurePlatformLKM", "activation of Windows"),
}
_DNS = "azureplatformdns"


@check("NSG011", "Own Deny stands above AllowVnetInBound", Severity.INFO)
def cuts_network(view: View) -> Iterator[Said]:
    """Azure lets everything in from the virtual network by default; the rule takes some of that away.

    That is how networks are parted on purpose. It is worse where no rule above lets anything of it in, and worst where
    that cuts a load balancer's service or a DNS server off.
    """
    serving = Serving(view)
    for group in view.groups:
        if all(rule.allows or not rule.inbound for rule in own(group)):
            continue
        first = first_denies_all(group)
        cuts: dict[SecurityRule, _Cut] = {}
        for spot in spots(view, group, inbound=True):
            for rule, cut in _cuts(view, spot, serving):
                odd = view.odd(group).get(rule)
                if rule != first and not (odd and odd.idle):
                    cuts.setdefault(rule, _Cut()).add(cut)
        yield from (_cut(group, rule, cut) for rule, cut in cuts.items())


@check("NSG013", "The first inbound rule denies everything", Severity.MEDIUM)
def nothing_gets_in(view: View) -> Iterator[Said]:
    """The lower priority number wins, so no rule behind it ever matches, and nothing gets in at all.

    Not even health probes of load balancers do. As a quarantine, with no Allow behind it, that may be meant.
    """
    for group in view.groups:
        if rule := first_denies_all(group):
            yield _nothing_gets_in(view, group, rule)


@check("NSG023", "Outbound rule cuts off Azure's platform", Severity.MEDIUM)
def cuts_platform(view: View) -> Iterator[Said]:
    """The rule denies a tag of the platform: without DNS no name resolves, without IMDS no managed identity works.

    NSGs pass these addresses by unless a rule names AzurePlatformDNS, AzurePlatformIMDS or AzurePlatformLKM ("Network
    security groups overview", Azure platform considerations). With DNS servers of one's own, denying Azure's is sound.
    """
    for group in view.groups:
        for rule in own(group):
            tags = [] if rule.allows or rule.inbound else _platform_tags(rule)
            odd = view.odd(group).get(rule)
            if tags and not (odd and odd.idle):
                yield _cuts_platform(view, group, rule, tags)


@dataclass(slots=True)
class _Cut:
    """What a Deny takes of what comes from the virtual network.

    Attributes:
        above: the rules above it that let some of it in.
        services: what cannot be reached by anybody because of it.
    """

    machines: dict[str, None] = field(default_factory=dict)
    above: dict[SecurityRule, None] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)

    def add(self, other: _Cut) -> None:
        """What it takes at another place."""
        self.machines |= other.machines
        self.above |= other.above
        self.services |= other.services


def _cuts(view: View, spot: Spot, serving: Serving) -> Iterator[tuple[SecurityRule, _Cut]]:
    """The Denies at a place that take from the virtual network, above the default rule."""
    above: list[tuple[SecurityRule, Terms]] = []
    for rule, terms in spot.rules:
        if rule.default:
            return
        if rule.allows:
            above.append((rule, terms))
        elif (taken := terms.sources.must & spot.network) and (points := _behind(spot, terms)):
            alike = [rule for rule, others in above if _meet(others, terms) and others.sources.may & taken]
            cut = _Cut(dict.fromkeys(machine(view, each) for each in points), dict.fromkeys(alike))
            if spot.network <= terms.sources.must:
                cut.services |= dict.fromkeys(_cut_off(points, terms, above, serving))
            yield rule, cut


def _behind(spot: Spot, terms: Terms) -> Sequence[Point]:
    """The endpoints that a rule is for."""
    if terms.destinations.must == AddressSet.all():
        return spot.points
    return [each for each in spot.points if each.address and terms.destinations.holds(each.address)]


def _meet(one: Terms, other: Terms) -> bool:
    """Whether two rules can be about the same protocol and port."""
    same = "" in {one.protocol, other.protocol} or one.protocol == other.protocol
    return same and bool(one.destination_ports & other.destination_ports)


def _cut_off(
    points: Sequence[Point], deny: Terms, above: Sequence[tuple[SecurityRule, Terms]], serving: Serving
) -> Iterator[str]:
    """The services that a Deny for the whole network takes, and to which no rule above it lets anybody in."""
    for point in points:
        for name, protocol, port in serving.at(point):
            let_in = any(terms.speaks_of(protocol, port) for _, terms in above)
            if deny.speaks_of(protocol, port) and not let_in:
                yield f"{name} ({protocol} {port})"


def _cut(group: SecurityGroup, rule: SecurityRule, cut: _Cut) -> Found:
    names = sorted(cut.machines)
    ports = listed(rule.destination_ports or ("*",))
    sources = listed(rule.sources or ("*",)) if not rule.source_groups else "application security groups"
    what = "every port" if ports == "*" else f"port {ports}"
    behind = f"{counted(len(names), 'machine')}: {listed(names, _SHOWN)}"
    text = f"it cuts {what} ({rule.protocol}) off from {sources}, of {behind}"
    causes: list[Cause] = [rule_cause(group.id, rule), fact("cut", text, group.id, rule.name)]
    causes += [rule_cause(group.id, other, f"above it, {named(other)} lets some of it in") for other in cut.above][:5]
    if not cut.above:
        causes.append(fact("cut", "nothing above it lets any of it in", group.id, rule.name))
    causes += [fact("service", f"nobody reaches {each} any more", group.id, each) for each in cut.services][:5]
    severity = Severity.HIGH if cut.services else Severity.INFO if cut.above or not _all(rule) else Severity.LOW
    summary = (
        f"If machines of the network need more than the rules above {rule.name} let in, add an Allow above it that "
        "names who and which port; if nothing is to be parted, delete it."
    )
    title = f"Rule {named(rule)} of NSG {group.id.name} cuts traffic of its virtual network"
    return Found(group.id, title, tuple(causes), remove(group, rule, summary), (rule.name.lower(),), severity)


def _all(rule: SecurityRule) -> bool:
    return not {"*", "0-65535"}.isdisjoint(rule.destination_ports or ("*",))


def _nothing_gets_in(view: View, group: SecurityGroup, rule: SecurityRule) -> Found:
    behind = [other for other in own(group) if other.inbound and other.allows and other != rule]
    text = "it denies everything, and no rule stands above it: what gets in ends here"
    causes = [rule_cause(group.id, rule), fact("cut", text, group.id, rule.name)]
    causes += [rule_cause(group.id, other, f"behind it, {named(other)} never matches") for other in behind[:5]]
    severity = None if behind else Severity.INFO
    if unused(view.use(group)):
        severity = Severity.LOW if behind else Severity.INFO
    if not behind:
        summary = f"If it is no quarantine, add what is to get in above {rule.name}, or delete it."
    else:
        summary = f"Give {rule.name} a priority behind what is to get in, such as 4096, or delete it."
    remedy = remove(group, rule, summary)
    title = f"NSG {group.id.name} lets nothing in: its first inbound rule, {named(rule)}, denies everything"
    return Found(group.id, title, tuple(causes), remedy, (rule.name.lower(),), severity)


def _platform_tags(rule: SecurityRule) -> list[str]:
    """The platform's tags that a rule names and really is about."""
    found = [tag for tag in _PLATFORM if tag in {text.strip().lower() for text in rule.destinations}]
    asks = (speaks(rule, "Udp") or speaks(rule, "Tcp")) and 53 in ports_of(rule)
    return [tag for tag in found if tag != _DNS or asks]


def _cuts_platform(view: View, group: SecurityGroup, rule: SecurityRule, tags: Sequence[str]) -> Found:
    causes = [rule_cause(group.id, rule)]
    causes += [fact("service-tag", f"it cuts off {_PLATFORM[tag][1]}", group.id, _PLATFORM[tag][0]) for tag in tags]
    severity = Severity.LOW if unused(view.use(group)) else None
    networks = [*_networks(view, group)]
    if [*tags] == [_DNS] and networks and all(map(_own_dns, networks)):
        severity = Severity.INFO
        causes.append(fact("dns", "its networks have DNS servers of their own", networks[0].id))
    names = listed(_PLATFORM[tag][0] for tag in tags)
    wanted = [Wanted(f"allow-{tag}", "Outbound", "*", _PLATFORM[tag][0], ("*",), "*") for tag in tags]
    summary = f"Delete rule {rule.name}, or allow {names} above it for the machines that need it."
    remedy = add(group, wanted, summary, _PLATFORM_DOC, rule.priority)
    title = f"Rule {named(rule)} of NSG {group.id.name} cuts off {names}"
    return Found(group.id, title, tuple(causes), remedy, (rule.name.lower(),), severity)


def _networks(view: View, group: SecurityGroup) -> Iterator[VirtualNetwork]:
    """The networks that an NSG is used in."""
    use = view.use(group)
    subnets = {*(subnet.id for subnet in use.subnets), *(point.configuration.subnet for point in use.points)}
    found = {network.id: network for subnet in subnets if (network := view.estate.network_of(subnet))}
    yield from found.values()


def _own_dns(network: VirtualNetwork) -> bool:
    """Whether a network has DNS servers of its own, and Azure's is not among them."""
    servers = [address_of(text) for text in network.dns_servers]
    return bool(servers) and not any(server in HOST for server in servers if server)
