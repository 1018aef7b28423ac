"""Rules of NSGs that stand above Azure's default ones, by what they cut: the network, load balancers, the platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from operator import itemgetter

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.rules_reading import Spot, machine, overlap, ports_of, speaks, spots, unused
from diagnostics.checks.rules_remedy import Wanted, add, remove
from diagnostics.checks.rules_serving import Serving
from diagnostics.checks.rules_told import first_denies_all, own
from diagnostics.checks.view import View
from diagnostics.checks.words import counted, fact, listed, named, rule_cause
from diagnostics.findings import Cause, Severity
from diagnostics.network.estate import Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import AddressSet, address_of
from diagnostics.network.security import everywhere
from diagnostics.network.tags import HOST

_PLATFORM_DOC = "/azure/virtual-network/network-security-groups-overview#azure-platform-considerations"
_SHOWN = 3
_PLATFORM: Mapping[str, tuple[str, str]] = {
    "azureplatformdns": ("AzurePlatformDNS", "names that Azure's own DNS (168.63.129.16) resolves"),
    "azureplatformimds": ("AzurePlatformIMDS", "instance metadata (169.254.169.254), and with it managed identities"),
    "azureplatformlkm": ("AzurePlatformLKM", "activation of Windows"),
}
_DNS = "azureplatformdns"
_ALL = AddressSet.parse("*")


type _Number = tuple[int, int]


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
        yield from (_cut(group, rule, cut) for rule, cut in _Cutting(view, group, serving).told())


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
            if tags and not ((odd := view.odd(group).get(rule)) and odd.idle):
                yield _cuts_platform(view, group, rule, tags)


type _Allow = tuple[int, SecurityRule, AddressSet | None]
"""An Allow with its place, and whom both it and a Deny name, where that is the same everywhere."""


@dataclass(slots=True)
class _Cut:
    """What a Deny takes of what comes from the virtual network.

    Attributes:
        first: the number of the first place where it does.
        above: the rules above it that let some of it in, by their place.
        services: what cannot be reached by anybody because of it.
    """

    first: int
    machines: dict[str, None] = field(default_factory=dict)
    above: dict[int, SecurityRule] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)


class _Cutting:
    """What the Denies of one NSG take of what comes from the virtual network.

    Without those that decide nothing, and the one by which nothing gets in at all. Rules go by their place.
    """

    def __init__(self, view: View, group: SecurityGroup, serving: Serving) -> None:
        self._view, self._serving = view, serving
        self._ordered = view.filters.ordered(group, inbound=True)
        self._rules, self._services = self._ordered.rules, self._ordered.services
        self._first, self._odd = first_denies_all(group), view.odd(group)
        self._idle = {odd.rule.name for odd in self._odd.values() if odd.idle}  # sooner asked than a rule is hashed
        self._spots = [*spots(view, group, inbound=True)]
        self._numbers = [[_number(point.configuration.address) for point in spot.points] for spot in self._spots]
        self._names: dict[int, Sequence[str]] = {}
        self._all = [number for numbers in self._numbers for number in numbers]

    def told(self) -> Iterator[tuple[SecurityRule, _Cut]]:
        """What they take, in the order in which one who goes from place to place comes upon it."""
        found = [(cut.first, place, cut) for place in self._denies() if (cut := self._taken(place))]
        for _, place, cut in sorted(found, key=itemgetter(0, 1)):
            yield self._rules[place], cut

    def _denies(self) -> Iterator[int]:
        """The Denies that count, above the default rules."""
        for place, rule in enumerate(self._rules):
            if rule.default:
                return
            if not (rule.allows or rule == self._first or (rule.name in self._idle and self._does_nothing(rule))):
                yield place

    def _does_nothing(self, rule: SecurityRule) -> bool:
        return (odd := self._odd.get(rule)) is not None and odd.idle

    def _taken(self, place: int) -> _Cut | None:
        """What a Deny takes at one place after the other."""
        rule, cut = self._rules[place], None
        sources = _known(rule.sources, rule.source_groups)
        destinations = _known(rule.destinations, rule.destination_groups)
        if destinations and not _behind(self._all, destinations):  # mostly the same at all places
            return None
        allows: Sequence[_Allow] = ()
        crosses: dict[int, bool] = {}
        for number, spot in enumerate(self._spots):
            behind = _behind(self._numbers[number], destinations or spot.destinations(place).must)
            if not behind:
                continue
            denied, key = sources or spot.sources(place).must, id(spot.network if sources else spot.context)
            if fresh := key not in crosses:
                crosses[key] = overlap(denied, spot.network)
            if crosses[key]:
                if cut is None:
                    cut, allows = _Cut(number), [*self._alike(place, sources)]
                self._add(cut, number, place, behind, denied)
                _let_in(cut, spot, denied, allows, fresh=fresh)
        return cut

    def _add(self, cut: _Cut, number: int, place: int, behind: Sequence[int], denied: AddressSet) -> None:
        """The endpoints behind a Deny at a place, and their services where it takes the whole network."""
        spot = self._spots[number]
        if number not in self._names:
            self._names[number] = [machine(self._view, point) for point in spot.points]
        names = self._names[number]
        for each in behind:
            cut.machines[names[each]] = None
        if self._serving.anything and spot.network <= denied:
            for each in behind:
                cut.services |= dict.fromkeys(self._cut_off(spot.points[each], place))

    def _cut_off(self, point: Point, place: int) -> Iterator[str]:
        """The services that a Deny for the whole network takes, and to which no rule above it lets anybody in."""
        for name, protocol, port in self._serving.at(point):
            about = self._ordered.about(protocol.lower(), port)
            if place in about and not any(self._rules[each].allows for each in about if each < place):
                yield f"{name} ({protocol} {port})"

    def _alike(self, place: int, denied: AddressSet | None) -> Iterator[_Allow]:
        """The Allows above a Deny that may be about the same."""
        spoken, _, ports, _ = self._services[place]
        for each, (other, _, others, _) in enumerate(self._services[:place]):
            rule = self._rules[each]
            if not rule.allows or (spoken and other and spoken != other) or ports.isdisjoint(others):
                continue
            allowed = _known(rule.sources, rule.source_groups) if denied else None
            common = allowed & denied if allowed and denied else None
            if common is None or common:
                yield each, rule, common


def _let_in(cut: _Cut, spot: Spot, denied: AddressSet, allows: Sequence[_Allow], *, fresh: bool) -> None:
    """The Allows above a rule that let some in of what it takes of the network; once found, they need no look."""
    for place, rule, common in allows:
        if place not in cut.above and (fresh or common is None):
            taken = spot.sources(place).may & denied if common is None else common
            if overlap(taken, spot.network):
                cut.above[place] = rule


def _known(texts: tuple[str, ...], groups: tuple[ResourceId, ...]) -> AddressSet | None:
    """The addresses of one end, where they are the same everywhere."""
    found = None if groups else everywhere(texts)
    return found.must if found else None


def _behind(numbers: Sequence[_Number | None], destinations: AddressSet) -> Sequence[int]:
    """Which endpoints a rule for some destinations is for."""
    if destinations is _ALL or destinations == _ALL:
        return range(len(numbers))
    v4, v6 = destinations.v4, destinations.v6
    if len(v4.spans) == 1 and not v6.spans:  # as mostly
        first, last = v4.spans[0]
        return [place for place, each in enumerate(numbers) if each and first <= each[0] <= last and each[1] == 4]
    return [place for place, each in enumerate(numbers) if each and each[0] in (v4 if each[1] == 4 else v6)]


@lru_cache(maxsize=1 << 15)
def _number(text: str | None) -> _Number | None:
    """An address as a number, and its version."""
    address = address_of(text)
    return (int(address), address.version) if address else None


def _cut(group: SecurityGroup, rule: SecurityRule, cut: _Cut) -> Found:
    names = sorted(cut.machines)
    ports = listed(rule.destination_ports or ("*",))
    sources = listed(rule.sources or ("*",)) if not rule.source_groups else "application security groups"
    what = "every port" if ports == "*" else f"port {ports}"
    behind = f"{counted(len(names), 'machine')}: {listed(names, _SHOWN)}"
    text = f"it cuts {what} ({rule.protocol}) off from {sources}, of {behind}"
    causes: list[Cause] = [rule_cause(group.id, rule), fact("cut", text, group.id, rule.name)]
    causes += [
        rule_cause(group.id, other, f"above it, {named(other)} lets some of it in")
        for other in islice(dict.fromkeys(cut.above.values()), 5)
    ]
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
    named_here = {text.strip().lower() for text in rule.destinations}
    found = [tag for tag in _PLATFORM if tag in named_here]
    if not found:
        return []
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
