"""The internet at large: which openings are to everybody, and not to an office, a partner or Azure's own services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial, reduce
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from diagnostics.checks.internet_ports import Doubt, Open, Ports
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
_SOURCES, _DESTINATIONS = attrgetter("sources"), attrgetter("destinations")
_NOBODY = AddressSet.none()
_OWN = "virtualnetwork"
# What the tag Internet leaves out, Azure's own blocks among it, is left open by a Deny of it, and is not the internet.
_LARGE = Context(Meaning(Bounds.exactly(_NOBODY)).of).prefix("Internet").must


def wide(addresses: AddressSet) -> bool:
    """Whether public addresses are so many that they are the internet at large."""
    return addresses.v4.count() >= WIDE_V4 or addresses.v6.count() >= WIDE_V6


def _perhaps_wide(sets: Iterable[AddressSet], others: tuple[int, int] = (0, 0)) -> bool:
    """Whether they are wide together if no address is in two of them: little work, and mostly the answer is no.

    Others may be taken together with them: as many addresses of each family.
    """
    v4, v6 = others
    for each in sets:
        v4, v6 = v4 + each.v4.count(), v6 + each.v6.count()
    return v4 >= WIDE_V4 or v6 >= WIDE_V6


def names_cloud(rule: SecurityRule) -> bool:
    """Whether a rule is for all of Azure, or all of a region of it."""
    return _cloud_among(rule.sources)


@lru_cache(maxsize=1 << 14)
def _cloud_among(sources: tuple[str, ...]) -> bool:
    return any(text.strip().lower().partition(".")[0] == CLOUD for text in sources)


def at_large(*, cloud: bool = False) -> Context:
    """What words of rules mean to the internet at large, wherever they stand.

    Tags of Azure's services are none of it. Azure as a whole is none either; or, to see what it gets in to, everybody.
    A group of endpoints has a member of its own, since who is in it may change any day.
    """
    seen: dict[ResourceId, Bounds] = {}
    return Context(partial(_tag, cloud=cloud), partial(_member, seen))


class _Sources(NamedTuple):
    """What of the sources of an opening is a part of the internet."""

    is_open: bool
    missing: frozenset[str]


class Large:
    """Tells which openings of an estate are to the internet at large."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._read: dict[str, AddressSet] = {}
        self._own: dict[tuple[str, ...], AddressSet] = {}
        self._shared: dict[tuple[int, ...], AddressSet] = {}
        self._known: dict[tuple[int, int], tuple[Bounds, AddressSet, _Sources]] = {}
        self._matters: dict[tuple[str, ...], bool] = {}
        self._left = (0, 0)

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(_texts(self._estate))

    @cached_property
    def names_any_cloud(self) -> bool:
        """Whether any rule of an NSG may be for all of Azure, or all of a region of it."""
        rules = chain.from_iterable(group.rules for group in self._estate.security_groups.values())
        return CLOUD in "\n".join(chain.from_iterable(map(_SOURCES, rules))).lower()

    def _tells(self, word: str) -> bool:
        """Whether a word is a service tag that rules name: none of them but `Internet` holds the internet at large."""
        named = names_tag(word) and read_prefix(word) is None
        return named and (word.lower() == "internet" or word.lower() in self._texts)

    def matters(self, rule: SecurityRule) -> bool:
        """Whether what a rule lets in can be to the internet at large by itself.

        Those of which it cannot have few addresses even if all of them are taken together.
        """
        if rule.default or not rule.sources:
            return not (rule.default or rule.source_groups)
        found = self._matters.get(rule.sources)
        if found is None:
            own = self.own(rule)
            left = self._left[0] + own.v4.count(), self._left[1] + own.v6.count()
            found = self._matters[rule.sources] = left[0] > WIDE_V4 // 2 or left[1] > WIDE_V6 // 2
            self._left = self._left if found else left
        return found

    def mattering(self, openings: Sequence[Opening]) -> Ports | None:
        """The same as `judged` of all openings, by those alone whose rules matter; None where they do not tell."""
        return self._judged(openings, self._left)

    def judged(self, openings: Sequence[Opening]) -> Ports:
        """What of some openings is to the internet at large."""
        return self._judged(openings) or Ports()

    def _judged(self, openings: Sequence[Opening], left: tuple[int, int] | None = None) -> Ports | None:
        opens: list[Open] = []
        doubts: list[Doubt] = []
        narrow: dict[tuple[str, tuple[WayIn, ...]], list[Opening]] = {}
        for each in openings:
            is_open, missing = self._sources(each)
            if is_open:
                opens.append(Open(each.protocol, each.ports, each.rules, _through(each)))
            elif missing:
                doubts.append(Doubt(each.protocol, each.ports, missing))
            if not is_open and each.sources.must:
                narrow.setdefault((each.protocol, _through(each)), []).append(each)
        for some in narrow.values():
            if _perhaps_wide((each.sources.must for each in some), left or (0, 0)):
                own = [(each, each.sources.must & self._common(each.rules)) for each in some]
                if left is None:
                    opens += _joined(own)
                elif _perhaps_wide((sources for _, sources in own), left):
                    return None
        return Ports(tuple(opens), tuple(doubts))

    def may_open(self, group: SecurityGroup) -> bool:
        """Whether the sources of its rules are enough to be the internet at large; most NSGs are done with here."""
        letting = [rule for rule in group.rules if rule.allows and rule.inbound and not rule.default]
        known = self._read  # mostly one of them is written like one that was there before
        if any(known.get(text) is _LARGE for rule in letting for text in rule.sources):
            return True
        if any(not rule.sources and not rule.source_groups for rule in letting):
            return True
        texts = {text for rule in letting for text in rule.sources}
        named = [self._source(text) for text in texts]
        if any(each is _LARGE for each in named):
            return True
        return _perhaps_wide(named) and wide(AddressSet.union(named) & _LARGE)

    def _sources(self, opening: Opening) -> _Sources:
        """Openings share their sources, so each set of them is judged once."""
        own, told = self._common(opening.rules), opening.sources
        key = id(told), id(own)  # both are kept: neither id is given away again
        if key not in self._known:
            missing = frozenset[str]()
            is_open = wide(told.must) and wide(told.must & own)
            if not is_open and wide(told.may) and wide(told.may & own):
                missing = frozenset(word for word in told.missing if not self._tells(word))
                is_open = not missing
            self._known[key] = told, own, _Sources(is_open, missing)
        return self._known[key][2]

    def _common(self, rules: Sequence[Decider]) -> AddressSet:
        """The sources that all of the rules let in as a part of the internet."""
        every = [own for each in rules if (own := self.own(each.rule)) is not _LARGE]
        if len(every) <= 1:
            return every[0] if every else _LARGE
        key = tuple(map(id, every))
        if key not in self._shared:
            self._shared[key] = reduce(AddressSet.__and__, every)
        return self._shared[key]

    def own(self, rule: SecurityRule) -> AddressSet:
        """The sources that a rule names as a part of the internet, and not as Azure's or the own network's."""
        if rule.default:  # none of them lets the internet in, whatever VirtualNetwork is written out as
            return _NOBODY
        if not rule.sources and not rule.source_groups:
            return _LARGE
        known = self._own.get(rule.sources)
        if known is None:
            found = [self._source(text) for text in rule.sources]
            is_large = any(each is _LARGE for each in found)
            known = self._own[rule.sources] = _LARGE if is_large else AddressSet.union(found) & _LARGE
        return known

    def _source(self, text: str) -> AddressSet:
        known = self._read.get(text)
        if known is None:
            known = self._read[text] = _source(text)
        return known


def _source(text: str) -> AddressSet:
    read = read_prefix(text)
    if read is not None:
        return read if not (read.v4 and read.v6) or _LARGE - read else _LARGE
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


def _texts(estate: Estate) -> Iterator[str]:
    """What rules name as sources and destinations, lower-cased."""
    groups: Iterable[SecurityGroup] = estate.security_groups.values()
    rules = chain((rule for group in groups for rule in group.rules), (each.rule for each in estate.admin_rules))
    listed = list(rules)
    ends = {*map(_SOURCES, listed), *map(_DESTINATIONS, listed)}
    yield from (text.strip().lower() for text in set[str]().union(*ends))
