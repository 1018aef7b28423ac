"""The NSG of AzureBastionSubnet: whether it lets through all that Azure Bastion needs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.rules_reading import first_of
from diagnostics.checks.rules_remedy import Wanted, add
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, rule_cause
from diagnostics.findings import Cause, Severity
from diagnostics.network.estate import VirtualNetwork
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule, Subnet
from diagnostics.network.openings import reaches
from diagnostics.network.prefixes import Address, AddressSet, Bounds, read_prefix
from diagnostics.network.security import Context, Decision, Flow, Terms, Verdict, first_match, in_order
from diagnostics.network.tags import HOST, PLATFORM, Meaning

_BASTION = "azurebastionsubnet"
_DOC = "/azure/bastion/bastion-nsg"
_PUBLIC = AddressSet.parse("20.45.0.10")
"""Stands for addresses of Azure's own where no list of service tags tells one: any rule for the internet holds it."""

_ANY_PORT = 50_000
_TO_VMS = (22, 3389)
_IN, _OUT = "Inbound", "Outbound"
_INTERNET = ipaddress.ip_address("8.8.8.8")


class _Need(NamedTuple):
    """What Azure Bastion needs: one of the ports is enough."""

    direction: str
    far: str
    ports: tuple[int, ...]
    why: str

    @property
    def inbound(self) -> bool:
        """Whether it has to be let in."""
        return self.direction == _IN


_NEEDS = (
    _Need(_IN, "Internet", (443,), "browsers get in to it"),
    _Need(_IN, "GatewayManager", (443,), "Azure manages it"),
    _Need(_IN, "AzureLoadBalancer", (443,), "its health is probed"),
    _Need(_IN, "VirtualNetwork", (8080,), "its instances talk to each other"),
    _Need(_IN, "VirtualNetwork", (5701,), "its instances talk to each other"),
    _Need(_OUT, "VirtualNetwork", _TO_VMS, "it reaches the VMs"),
    _Need(_OUT, "VirtualNetwork", (8080,), "its instances talk to each other"),
    _Need(_OUT, "VirtualNetwork", (5701,), "its instances talk to each other"),
    _Need(_OUT, "AzureCloud", (443,), "it stores diagnostics"),
    _Need(_OUT, "Internet", (80,), "it checks certificates and sessions"),
)
"""Source: "Working with NSG access and Azure Bastion"."""


@check("NSG015", "NSG of AzureBastionSubnet lacks a rule that Bastion needs", Severity.HIGH)
def bastion(view: View) -> Iterator[Said]:
    """Azure Bastion cannot be deployed or updated, or nobody gets through it, where its NSG stops what it needs.

    The list is Microsoft's ("Working with NSG access and Azure Bastion"); flows are tried, whatever rules are called.
    """
    for network, subnet in view.subnets:
        if subnet.id.name.lower() != _BASTION or subnet.security_group is None:
            continue
        group = view.estate.security_groups.get(subnet.security_group)
        if group is None:
            yield Unclear(subnet.id, (f"NSG {subnet.security_group.name}",))
        elif trial := _Trial.of(view, network, subnet, group):
            yield from _said(trial)
        else:
            yield Unclear(subnet.id, ("its prefix",))


def _said(trial: _Trial) -> Iterator[Said]:
    lacking: list[tuple[_Need, SecurityRule]] = []
    missing: set[str] = set()
    for need in _NEEDS:
        decisions = [*trial.decisions(need)]
        if trial.lets_some_in(need) or any(each.verdict is Verdict.ALLOWED for each in decisions):
            continue
        doubts = {name for each in decisions for name in each.missing if each.verdict is Verdict.UNKNOWN}
        missing |= doubts
        if decisions and not doubts:
            lacking.append((need, decisions[0].rule))
    if missing:
        yield Unclear(trial.subnet.id, tuple(sorted(missing)))
    if lacking:
        yield _lacks(trial, lacking)


@dataclass(frozen=True, slots=True)
class _Trial:
    """The NSG of one AzureBastionSubnet, and what its words mean there.

    Attributes:
        here: an address in the subnet.
        near: addresses of the network.
    """

    view: View
    network: VirtualNetwork
    subnet: Subnet
    group: SecurityGroup
    context: Context
    here: Address
    near: AddressSet

    @classmethod
    def of(cls, view: View, network: VirtualNetwork, subnet: Subnet, group: SecurityGroup) -> _Trial | None:
        """None for a subnet whose prefixes cannot be read."""
        here = first_of(_set(subnet.prefixes), 4)
        peered = [prefix for each in network.peerings if each.connected for prefix in each.prefixes]
        near = _set([*network.prefixes, *peered, *subnet.prefixes])
        meaning = Meaning(Bounds.exactly(near | HOST), view.estate.service_tags)

        def tag(text: str) -> Bounds | None:
            known = meaning.of(text)
            standing = text.strip().lower() in {"gatewaymanager", "azurecloud"}
            return Bounds.exactly(_PUBLIC) if known is None and standing else known

        return cls(view, network, subnet, group, Context(tag=tag), here, near) if here else None

    def lets_some_in(self, need: _Need) -> bool:
        """Whether some of the internet gets in to what it is for: to name who may is sound, and enough."""
        if need.far != "Internet" or not need.inbound:
            return False
        wanted = Intervals.of(((port, port) for port in need.ports), PORTS_TOP)
        admitted = self.view.openings.admitted(self.group, self.context)
        azure = self.context.prefix("GatewayManager").must | self.context.prefix("AzureCloud").must
        return any(each.sources.must - azure for each in reaches(admitted, "Tcp", wanted))

    def decisions(self, need: _Need) -> Iterator[Decision]:
        """What the NSG decides about the flows of a need, one after the other."""
        rules = in_order(self.group.rules, inbound=need.inbound)
        read = [(rule, Terms.lenient(rule, self.context)) for rule in rules]
        for port in need.ports:
            for far in self._far(need, [terms for _, terms in read]):
                source, destination = (far, self.here) if need.inbound else (self.here, far)
                if found := first_match(read, Flow(source, destination, "Tcp", port, _ANY_PORT)):
                    yield found

    def _far(self, need: _Need, terms: Sequence[Terms]) -> Iterator[Address]:
        """Addresses at the far end: of VMs, one in every part of the network that a rule names."""
        if need.far == "Internet":
            yield _INTERNET
        elif need.far == "AzureLoadBalancer":
            yield from filter(None, [first_of(PLATFORM, 4, 0)])
        elif need.far != "VirtualNetwork":
            yield from filter(None, [first_of(self.context.prefix(need.far).must, 4)])
        elif set(need.ports) != set(_TO_VMS):
            yield self.here
        else:
            named = (first_of(each.destinations.must & self.near, 4) for each in terms)
            yield from filter(None, [first_of(self.near, 4), *named])


def _set(prefixes: Sequence[str]) -> AddressSet:
    return AddressSet.union(read for text in prefixes if (read := read_prefix(text)))


def _lacks(trial: _Trial, lacking: Sequence[tuple[_Need, SecurityRule]]) -> Found:
    group, network = trial.group, trial.network.id.name
    causes = [_cause(group, need) for need, _ in lacking]
    causes += [rule_cause(group.id, rule) for rule in dict.fromkeys(rule for _, rule in lacking)]
    wanted = [_wanted(need) for need, _ in lacking]
    summary = f"Add to NSG {group.id.name} what Azure Bastion needs, above what denies it now."
    below = min(rule.priority for _, rule in lacking)
    # A Bastion for private use alone needs no internet, and what it is for cannot be seen here.
    private = {need for need, _ in lacking} == {_NEEDS[0]}
    title = f"NSG {group.id.name} of AzureBastionSubnet in {network} lacks what Bastion needs"
    return Found(
        group.id,
        title,
        tuple(causes),
        add(group, wanted, summary, _DOC, below),
        (network.lower(),),
        Severity.MEDIUM if private else None,
    )


def _cause(group: SecurityGroup, need: _Need) -> Cause:
    way = "in from" if need.inbound else "out to"
    ports = " or ".join(map(str, need.ports))
    return fact("security-rule", f"port {ports} does not get {way} {need.far}: {need.why}", group.id)


def _wanted(need: _Need) -> Wanted:
    way = "in" if need.inbound else "out"
    ports = tuple(map(str, need.ports))
    name = f"bastion-{way}-{need.far.lower()}-{'-'.join(ports)}"
    ends = (need.far, "*") if need.inbound else ("*", need.far)
    if need.far == "VirtualNetwork" and set(need.ports) != set(_TO_VMS):
        ends = (need.far, need.far)
    return Wanted(name, need.direction, *ends, ports)
