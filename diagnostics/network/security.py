"""Network security groups: what one decides about a flow, by which rule, or what would have to be known to say so.

Source: "Network security groups overview" and "How network security groups filter network traffic".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple, Self

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import LAST_PRIORITY, SecurityGroup, SecurityRule
from diagnostics.network.prefixes import Address, AddressSet, Bounds, read_prefix, union

_PROTOCOLS = {"*": "", "any": "", "all": ""}
WITH_PORTS = frozenset({"tcp", "udp"})
_ALL_PORTS = Intervals.all(PORTS_TOP)

_NOTHING: frozenset[str] = frozenset()
ANYWHERE = Bounds.exactly(AddressSet.parse("*"))


type _Texts = tuple[tuple[str, ...], tuple[ResourceId, ...]]


class Verdict(StrEnum):
    """What becomes of a flow. Unknown is a value, never a denial."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow.

    Attributes:
        protocol: `Tcp`, `Udp`, `Icmp`, `Esp` or `Ah`, in any case.
        source_port, destination_port: None for protocols without ports, and for "any" source port.
    """

    source: Address
    destination: Address
    protocol: str = "Tcp"
    destination_port: int | None = None
    source_port: int | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What the words of a rule mean where it applies.

    Attributes:
        tag: the addresses of a service tag, or None for one that is not known here.
        members: the addresses of an application security group, or None for one that is not known here.
    """

    tag: Callable[[str], Bounds | None] = lambda _: None
    members: Callable[[ResourceId], Bounds | None] = lambda _: None
    _known: dict[_Texts, Bounds] = field(default_factory=dict, compare=False, repr=False)

    def addresses(self, prefixes: tuple[str, ...], groups: tuple[ResourceId, ...]) -> Bounds:
        """The addresses of one end of a rule: what many rules say alike is worked out once."""
        if not groups and (known := everywhere(prefixes)):
            return known
        key = prefixes, groups
        if key not in self._known:
            self._known[key] = union([*map(self.prefix, prefixes), *map(self.group, groups)])
        return self._known[key]

    def prefix(self, text: str) -> Bounds:
        """The addresses of a prefix or service tag; of what is neither, nothing is known but its name."""
        known = everywhere((text,))
        return known or self.tag(text) or Bounds.unknown(text)

    def group(self, group: ResourceId) -> Bounds:
        """The addresses of an application security group."""
        return self.members(group) or Bounds.unknown(group.name)


class Service(NamedTuple):
    """What a rule says of protocol and ports.

    Attributes:
        protocol: lower-cased; empty for any.
        bad: what of the ports is none: they may be any then.
    """

    protocol: str
    source_ports: Intervals
    destination_ports: Intervals
    bad: tuple[str, ...]


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What a rule matches, in a context.

    Attributes:
        protocol: lower-cased; empty for any.
        unreadable: port ranges that are none: whatever they stand for, the rule may match more than it says.
    """

    protocol: str
    sources: Bounds
    source_ports: Intervals
    destinations: Bounds
    destination_ports: Intervals
    unreadable: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rule: SecurityRule, context: Context) -> Self:
        """The terms of a rule; raises ParseError for a port range that is none."""
        protocol = rule.protocol.lower()
        return cls(
            protocol=_PROTOCOLS.get(protocol, protocol),
            sources=context.addresses(rule.sources, rule.source_groups),
            source_ports=ports(rule.source_ports),
            destinations=context.addresses(rule.destinations, rule.destination_groups),
            destination_ports=ports(rule.destination_ports),
        )

    @classmethod
    def lenient(cls, rule: SecurityRule, context: Context) -> Self:
        """The terms of a rule; where a port range of it is none, it may match any port, and none for sure."""
        sources = context.addresses(rule.sources, rule.source_groups)
        return cls.between(rule, sources, context.addresses(rule.destinations, rule.destination_groups))

    @classmethod
    def between(cls, rule: SecurityRule, sources: Bounds, destinations: Bounds) -> Self:
        """The same, where it is known what its ends mean."""
        protocol, near, far, bad = service_of(rule)
        names = frozenset(f"port range {text!r} of rule {rule.name}" for text in bad) if bad else _NOTHING
        return cls(protocol, sources, near, destinations, far, names)

    def match(self, flow: Flow) -> bool | None:
        """Whether the rule matches a flow; None where that is not known.

        Ports count for flows that have them: ICMP has none.
        """
        protocol = flow.protocol.lower()
        if self.protocol not in {"", protocol}:
            return False
        sure = True
        if protocol in WITH_PORTS:
            far = _port(flow.destination_port, self.destination_ports)
            near = False if far is False else _port(flow.source_port, self.source_ports)
            if near is False:
                return False
            sure = bool(far and near) and not self.unreadable
        held = self.sources.holds(flow.source)
        if held is False:
            return False
        there = self.destinations.holds(flow.destination)
        if there is False:
            return False
        return True if sure and held and there else None

    def speaks_of(self, protocol: str, port: int | None) -> bool:
        """Whether there can be flows of a protocol, and to a port where it has ports, that the rule matches."""
        plain = protocol.lower()
        if self.protocol not in {"", plain}:
            return False
        return plain not in WITH_PORTS or port is None or port in self.destination_ports

    def missing(self, flow: Flow) -> frozenset[str]:
        """What would have to be known to say whether it matches a flow."""
        names: set[str] = set()
        for what, addresses, address in (
            (self.sources.missing, self.sources, flow.source),
            (self.destinations.missing, self.destinations, flow.destination),
        ):
            names |= what if addresses.holds(address) is None else set()
        if flow.protocol.lower() in WITH_PORTS:
            names |= self.unreadable
            names |= {"source port"} if _port(flow.source_port, self.source_ports) is None else set()
            names |= {"destination port"} if _port(flow.destination_port, self.destination_ports) is None else set()
        return frozenset(names)


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What an NSG decides about a flow.

    Attributes:
        rule: the rule that decides: the first that matches for sure.
        doubtful: rules before it of which it is not known whether they match.
        missing: what would have to be known of them, where that makes a difference.
    """

    verdict: Verdict
    rule: SecurityRule
    doubtful: tuple[SecurityRule, ...] = ()
    missing: frozenset[str] = frozenset()


def decide(group: SecurityGroup, flow: Flow, *, inbound: bool, context: Context | None = None) -> Decision:
    """What an NSG decides: the rule with the lowest priority number that matches.

    A rule that only may match leaves the answer known as long as it would decide the same as the first that matches
    for sure; so an unknown service tag makes unknown only what depends on it.

    Raises:
        ParseError: a rule has a port range that is none.
    """
    known = context or Context()
    decision = first_match(((rule, Terms.of(rule, known)) for rule in in_order(group.rules, inbound=inbound)), flow)
    assert decision, "the last default rule matches everything"
    return decision


def first_match(rules: Iterable[tuple[SecurityRule, Terms]], flow: Flow) -> Decision | None:
    """What rules with their terms, in their order, decide; None where none of them matches for sure."""
    doubtful: list[SecurityRule] = []
    missing: frozenset[str] = frozenset()
    protocol = flow.protocol.lower()
    for rule, terms in rules:
        if terms.protocol and terms.protocol != protocol:
            continue
        matches = terms.match(flow)
        if matches:
            return _decision(rule, doubtful, missing)
        if matches is None:
            doubtful.append(rule)
            missing |= terms.missing(flow)
    return None


def in_order(rules: Iterable[SecurityRule], *, inbound: bool) -> Sequence[SecurityRule]:
    """The rules of a direction as Azure goes through them, with the default rules that every NSG has."""
    own = [rule for rule in rules if rule.inbound == inbound]
    # Own rules may have the names of default ones, which are there all the same; those have priorities of their own.
    named = {rule.name.lower() for rule in own if rule.default or rule.priority > LAST_PRIORITY}
    defaults = (rule for rule in DEFAULTS if rule.inbound == inbound and rule.name.lower() not in named)
    return sorted([*own, *defaults], key=attrgetter("priority"))


def service_of(rule: SecurityRule) -> Service:
    """The protocol and the ports of a rule: what many rules say alike is read once."""
    return _service(rule.protocol, rule.source_ports, rule.destination_ports)


def ports(texts: Iterable[str]) -> Intervals:
    """The ports of a rule: `443`, `1000-2000` or `*`; none given is all, as Azure takes it."""
    return _ports(tuple(texts))


@lru_cache(maxsize=1 << 14)
def _ports(texts: tuple[str, ...]) -> Intervals:
    found = Intervals.joined([_span(text) for text in texts], PORTS_TOP)
    return found if texts and found != _ALL_PORTS else _ALL_PORTS


def _decision(rule: SecurityRule, doubtful: list[SecurityRule], missing: frozenset[str]) -> Decision:
    if any(other.allows != rule.allows for other in doubtful):
        return Decision(Verdict.UNKNOWN, rule, tuple(doubtful), missing)
    return Decision(Verdict.ALLOWED if rule.allows else Verdict.DENIED, rule, tuple(doubtful))


@lru_cache(maxsize=1 << 14)
def _service(named: str, near: tuple[str, ...], far: tuple[str, ...]) -> Service:
    protocol = _PROTOCOLS.get(named.lower(), named.lower())
    bad = tuple(text for text in (*near, *far) if not _readable(text))
    if bad:
        return Service(protocol, _ALL_PORTS, _ALL_PORTS, bad)
    return Service(protocol, ports(near), ports(far), ())


@lru_cache(maxsize=1 << 16)  # rules of many NSGs, and of one NSG in many places, say the same
def everywhere(prefixes: tuple[str, ...]) -> Bounds | None:
    """The addresses of an end that means the same everywhere; None where it names a tag."""
    if not prefixes:
        return ANYWHERE
    read = []
    for text in prefixes:
        if (found := read_prefix(text)) is None:
            return None
        read.append(found)
    known = AddressSet.union(read)
    return Bounds(known, known)


def _port(port: int | None, allowed: Intervals) -> bool | None:
    """A flow whose port is not given has any: a rule for all ports matches it, another one may."""
    if allowed is _ALL_PORTS:
        return True
    if port is not None:
        return port in allowed
    return True if allowed == _ALL_PORTS else None


def _span(text: str) -> tuple[int, int]:
    plain = text.strip()
    if plain in {"*", ""}:
        return 0, PORTS_TOP
    first, _, last = plain.partition("-")
    try:
        span = int(first), int(last or first)
    except ValueError:
        raise ParseError(f"port range: {text!r} is none") from None
    if not 0 <= span[0] <= span[1] <= PORTS_TOP:
        raise ParseError(f"port range: {text!r} is none")
    return span


@lru_cache(maxsize=1 << 14)
def _readable(text: str) -> bool:
    try:
        _span(text)
    except ParseError:
        return False
    return True


def _default(name: str, priority: int, access: str, source: str, destination: str) -> SecurityRule:
    direction = "Inbound" if name.endswith("InBound") else "Outbound"
    return SecurityRule(name, priority, direction, access, default=True, sources=(source,), destinations=(destination,))


DEFAULTS = (
    _default("AllowVnetInBound", 65_000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowAzureLoadBalancerInBound", 65_001, "Allow", "AzureLoadBalancer", "*"),
    _default("DenyAllInBound", 65_500, "Deny", "*", "*"),
    _default("AllowVnetOutBound", 65_000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowInternetOutBound", 65_001, "Allow", "*", "Internet"),
    _default("DenyAllOutBound", 65_500, "Deny", "*", "*"),
)
"""The rules that every NSG has and nobody can take away ("Network security groups overview", default rules)."""
