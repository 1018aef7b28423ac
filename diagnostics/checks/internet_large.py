"""The internet at large: which openings are to everybody, and not to an office, a partner or Azure's own services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import NamedTuple

from diagnostics.network.cells import elementary
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, V4_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.openings import Decider, Exposure, Opening
from diagnostics.network.prefixes import PRIVATE, AddressSet, Bounds, names_tag, read_prefix
from diagnostics.network.public import WayIn
from diagnostics.network.security import Context
from diagnostics.network.tags import Meaning

WIDE_V4 = 1 << 24
"""Public IPv4 addresses that are the internet at large: as many as a /8. Offices, partners and providers have less; who
writes the internet in pieces (two /1s, 8.0.0.0/5) has more."""

WIDE_V6 = 1 << 112
"""The same for IPv6: as many as a /16. Regional registries get /12s, the largest providers /19s."""

CLOUD = "azurecloud"
"""The tag of all public addresses of Azure, which anybody can rent; with a region behind a dot, of one region."""

_PUBLIC = ~PRIVATE
_NOBODY = AddressSet.none()
_OWN = "virtualnetwork"
# What the tag Internet leaves out, Azure's own blocks among it, is left open by a Deny of it, and is not the internet.
_LARGE = Context(Meaning(Bounds.exactly(_NOBODY)).of).prefix("Internet").must


class Open(NamedTuple):
    """Ports that are open to the internet at large, for one reason.

    Attributes:
        rules: those that open them; empty where none stands there.
        through: the public addresses, where they were asked for.
    """

    protocol: str
    ports: Intervals
    rules: tuple[Decider, ...]
    through: tuple[WayIn, ...] = ()


class Doubt(NamedTuple):
    """Ports that may be, and what would have to be known."""

    protocol: str
    ports: Intervals
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ports:
    """What is open to the internet at large, and what may be."""

    opens: tuple[Open, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def opened(self, wanted: Callable[[str], Intervals]) -> tuple[Open, ...]:
        """Those of some ports by protocol, cut to them."""
        cut = (each._replace(ports=each.ports & wanted(each.protocol)) for each in self.opens)
        return tuple(each for each in cut if each.ports)

    def may(self, wanted: Callable[[str], Intervals]) -> bool:
        """Whether some ports are open, or may be."""
        ports = [(each.protocol, each.ports) for each in self.opens] + [(d.protocol, d.ports) for d in self.doubts]
        return any(not held.isdisjoint(wanted(protocol)) for protocol, held in ports)

    def missing(self, wanted: Callable[[str], Intervals]) -> frozenset[str]:
        """What would have to be known of ports that may be open, and are not for sure."""
        found: frozenset[str] = frozenset()
        for each in self.doubts:
            left = each.ports & wanted(each.protocol)
            if left and left - self.of(each.protocol):
                found |= each.missing
        return told_once(found)

    def of(self, protocol: str) -> Intervals:
        """The open ports of a protocol."""
        return together(each.ports for each in self.opens if each.protocol == protocol)

    def without(self, rules: Iterable[SecurityRule]) -> Ports:
        """What is open for other reasons."""
        told = set(map(id, rules))
        return Ports(tuple(each for each in self.opens if told.isdisjoint(id(d.rule) for d in each.rules)), self.doubts)


def together(sets: Iterable[Intervals]) -> Intervals:
    """Every port of any of the sets."""
    return reduce(Intervals.__or__, sets, Intervals.none(PORTS_TOP))


def told_once(missing: frozenset[str]) -> frozenset[str]:
    """What is missing, without what follows: of a subnet that is not seen, the routes are not known either."""
    subnets = frozenset(word for word in missing if word.startswith("subnet "))
    again = frozenset(f"the {word}" for word in subnets)
    return frozenset(word for word in missing - again if not (subnets and word.startswith("the routes of ")))


def wide(addresses: AddressSet) -> bool:
    """Whether public addresses are so many that they are the internet at large."""
    return addresses.v4.count() >= WIDE_V4 or addresses.v6.count() >= WIDE_V6


def names_cloud(rule: SecurityRule) -> bool:
    """Whether a rule is for all of Azure, or all of a region of it."""
    return any(text.strip().lower().partition(".")[0] == CLOUD for text in rule.sources)


def at_large(*, cloud: bool = False) -> Context:
    """What words of rules mean to the internet at large, wherever they stand.

    Tags of Azure's services are none of it. Azure as a whole is none either; or, to see what it gets in to, everybody.
    A group of endpoints has a member of its own, since who is in it may change any day.
    """
    seen: dict[ResourceId, Bounds] = {}
    return Context(partial(_tag, cloud=cloud), partial(_member, seen))


class Large:
    """Tells which openings of an estate are to the internet at large."""

    def __init__(self, estate: Estate) -> None:
        self._tags = frozenset(_tags(estate))
        self._own: dict[int, tuple[SecurityRule, AddressSet]] = {}

    def judged(self, openings: Sequence[Opening]) -> Ports:
        """What of some openings is to the internet at large."""
        opens: list[Open] = []
        doubts: list[Doubt] = []
        narrow: dict[tuple[str, tuple[WayIn, ...]], list[tuple[Opening, AddressSet]]] = {}
        for each in openings:
            own = self._common(each.rules)
            sure = each.sources.must & own
            missing = frozenset[str]()
            is_open = wide(sure)
            if not is_open and wide(each.sources.may & own):
                missing = frozenset(word for word in each.sources.missing if word.lower() not in self._tags)
                is_open = not missing
            if is_open:
                opens.append(Open(each.protocol, each.ports, each.rules, _through(each)))
            elif missing:
                doubts.append(Doubt(each.protocol, each.ports, missing))
            if sure and not is_open:
                narrow.setdefault((each.protocol, _through(each)), []).append((each, sure))
        for some in narrow.values():
            opens += _joined(some)
        return Ports(tuple(opens), tuple(doubts))

    def may_open(self, group: SecurityGroup) -> bool:
        """Whether the sources of its rules are enough to be the internet at large; most NSGs are done with here."""
        own = {id(found): found for rule in group.rules if rule.inbound and rule.allows if (found := self.own(rule))}
        return wide(AddressSet.union(own.values()))

    def _common(self, rules: Iterable[Decider]) -> AddressSet:
        """The sources that all of the rules let in as a part of the internet."""
        found = _LARGE
        for each in rules:
            own = self.own(each.rule)
            found = found if own is _LARGE else own if found is _LARGE else found & own
        return found

    def own(self, rule: SecurityRule) -> AddressSet:
        """The sources that a rule names as a part of the internet, and not as Azure's or the own network's."""
        known = self._own.get(id(rule))
        if known is None:
            known = self._own[id(rule)] = rule, _sources(rule)
        return known[1]


def _sources(rule: SecurityRule) -> AddressSet:
    if rule.default:  # none of them lets the internet in, whatever VirtualNetwork is written out as
        return _NOBODY
    if not rule.sources and not rule.source_groups:
        return _LARGE
    found = [_source(text) for text in rule.sources]
    return _LARGE if any(each is _LARGE for each in found) else AddressSet.union(found) & _LARGE


def _source(text: str) -> AddressSet:
    read = read_prefix(text)
    if read is not None:
        return read if _LARGE - read else _LARGE
    # What is no name of a tag may stand for anything: an expression of a template that has no value.
    return _LARGE if text.strip().lower() == "internet" or not names_tag(text) else _NOBODY


def _through(opening: Opening) -> tuple[WayIn, ...]:
    return opening.through if isinstance(opening, Exposure) else ()


def _joined(some: Sequence[tuple[Opening, AddressSet]]) -> Iterator[Open]:
    """Ports for which several narrow openings are wide together, by the rules of them."""
    if not wide(AddressSet.union(sources for _, sources in some)):
        return
    for span in elementary((each.ports for each, _ in some), PORTS_TOP):
        here = [(each, sources) for each, sources in some if span[0] in each.ports]
        if here and wide(AddressSet.union(sources for _, sources in here)):
            rules = tuple(dict.fromkeys(rule for each, _ in here for rule in each.rules))
            yield Open(here[0][0].protocol, Intervals.of([span], PORTS_TOP), rules, _through(here[0][0]))


def _tag(name: str, *, cloud: bool) -> Bounds | None:
    word = name.strip().lower()
    if word == _OWN:
        return Bounds.exactly(PRIVATE)
    if word == "internet":
        return Bounds.exactly(_PUBLIC)
    if cloud and word.partition(".")[0] == CLOUD:
        return Bounds.exactly(_PUBLIC)
    return Bounds.exactly(_NOBODY) if names_tag(name) else None


def _member(seen: dict[ResourceId, Bounds], group: ResourceId) -> Bounds:
    if group not in seen:
        number = 240 << 24 | len(seen)  # nothing of anybody's is there
        seen[group] = Bounds.exactly(AddressSet(Intervals.of([(number, number)], V4_TOP), _NOBODY.v6))
    return seen[group]


def _tags(estate: Estate) -> Iterator[str]:
    """The service tags that rules name, lower-cased: none of them but `Internet` holds the internet at large."""
    groups: Iterable[SecurityGroup] = estate.security_groups.values()
    rules = [rule for group in groups for rule in group.rules] + [each.rule for each in estate.admin_rules]
    texts = {text.strip() for rule in rules for text in (*rule.sources, *rule.destinations)}
    yield "internet"
    yield from (text.lower() for text in texts if read_prefix(text) is None and names_tag(text))
