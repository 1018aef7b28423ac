"""The dimensions of flows, cut where a rule begins or ends: what a rule matches in one is the bits of an integer.

Between two cuts, all values fare alike: they are one class. Where nobody knows whether they belong to a name, there are
values in none of the names, in each of them, and in each two: whoever looks for a flow that two given rules match, and
as few others as possible, needs no more, as rules only ever gain by belonging.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain, combinations
from typing import NamedTuple, Self

from diagnostics.errors import ParseError
from diagnostics.network.anomalies.edges import V6_BEGIN, Edges, plain_edges
from diagnostics.network.anomalies.reading import (
    ANY,
    EVERY,
    WITH_PORTS,
    WITHOUT_PORTS,
    Ports,
    Reader,
    Said,
    Service,
    Side,
    Word,
    port_line,
    protocol_of,
)
from diagnostics.network.model import SecurityRule

LARGEST = 1 << 16
"""How many classes there may be in one dimension; with more, a search is faster."""

_COMMON = 160  # with more classes, it takes longer to compare sets of them
_FEW = 3  # the classes of so many names in doubt are not dear to have at both ends

_OTHER = "*"  # any protocol that no rule names; a rule that says `*` is read as ANY
_NOTHING = frozenset[str]()


class TooManyError(Exception):
    """There are too many classes in one dimension to write down."""


class _Layers(NamedTuple):
    """Classes of values over and over: those in no name in doubt, those in each name, and those in each two.

    Attributes:
        layers: how many there are.
        each: the first class of every layer.
        possible: in every layer, the classes that may be in its names.
        named: for each name, the classes that may be in it, in the layers that are of it.
    """

    layers: int
    each: int
    possible: int
    named: Mapping[str, int]

    @classmethod
    def of(cls, doubts: Mapping[str, int], size: int) -> Self:
        """The layers of names, each with the classes that may be in it. Raises TooManyError."""
        if (len(doubts) + 1) ** 2 * size > LARGEST * 2:
            raise TooManyError
        two = [((one, other), both) for one, other in combinations(doubts, 2) if (both := doubts[one] & doubts[other])]
        held = [((), (1 << size) - 1), *(((name,), where) for name, where in doubts.items()), *two]
        named, each, possible = dict.fromkeys(doubts, 0), 0, 0
        for place, (names, where) in enumerate(held):
            each |= 1 << place * size
            possible |= where << place * size
            for name in names:
                named[name] |= where << place * size
        return cls(len(held), each, possible, named)


class _Cuts(NamedTuple):
    """Where sets of values begin or end.

    Attributes:
        size: how many classes there are.
        bits: the class that begins at each cut.
        v6: of addresses, all classes of IPv6.
    """

    size: int
    bits: Mapping[int, int]
    v6: int

    @classmethod
    def of(cls, sets: Iterable[Edges]) -> Self:
        """The classes that tell sets apart."""
        cuts = sorted(set().union(*sets))
        size, behind = max(len(cuts) - 1, 0), bisect_left(cuts, V6_BEGIN)
        return cls(size, _numbered(cuts), (1 << size) - 1 >> behind << behind)

    def held(self, edges: Edges) -> int:
        """The classes of a set; each class is the bit of the cut where it begins."""
        bits = self.bits
        return sum([bits[edge] for edge in edges[1::2]]) - sum([bits[edge] for edge in edges[::2]])


class Ends(NamedTuple):
    """The addresses of one end.

    Attributes:
        held: for each rule, the classes that it matches.
        v4, v6: all classes of a family.
    """

    held: Sequence[int]
    v4: int
    v6: int


class _Words(NamedTuple):
    """What words match.

    Attributes:
        held: for each word, the classes that it matches.
        size: how many classes there are.
        v6: all classes of IPv6.
    """

    held: Mapping[Word, int]
    size: int
    v6: int


class Addresses:
    """The addresses of rules that name much the same at both ends, in and out: all of an NSG."""

    def __init__(self, lists: Sequence[Said], reader: Reader) -> None:
        """Those of rules, as a reader reads them, which may raise ParseError or PermanentError."""
        words = dict.fromkeys(chain.from_iterable(chain.from_iterable([said.sides for said in lists])))
        plain = dict(zip(words, map(plain_edges, words), strict=True))
        names = {word: reader.piece(word) for word, edges in plain.items() if edges is None}
        self._known = {word: names[word].known if edges is None else edges for word, edges in plain.items()}
        self._doubtful = {word: piece for word, piece in names.items() if piece.doubt}

    def missing(self, said: Said) -> Sequence[frozenset[str]]:
        """For each rule, what would have to be known to know exactly what it matches."""
        clear = {*self._doubtful}.isdisjoint
        return [
            _NOTHING if clear(near) and clear(far) else self._missing(near + far)
            for near, far in zip(said.sources, said.destinations, strict=True)
        ]

    def ends(self, sides: Sequence[Side]) -> Ends:
        """The classes of one end of rules. Raises TooManyError."""
        held, size, v6 = self._all if len(self._doubtful) <= _FEW else self._layered({*chain.from_iterable(sides)})
        classes = [held[side[0]] if len(side) == 1 else _together(held, side) for side in sides]
        return Ends(classes, (1 << size) - 1 ^ v6, v6)

    def _missing(self, side: Side) -> frozenset[str]:
        return _NOTHING.union(*[self._doubtful[word].missing for word in side if word in self._doubtful])

    @cached_property
    def _all(self) -> _Words:
        return self._layered(self._known)

    def _layered(self, words: Collection[Word]) -> _Words:
        """The classes of words. Most have no doubts: their classes are the same in all layers."""
        cuts = self._cuts
        doubtful = {word: piece for word, piece in self._doubtful.items() if word in words}
        if not doubtful:
            return _Words(self._sure, cuts.size, cuts.v6)
        doubts = {piece.name: cuts.held(piece.doubt) for piece in doubtful.values()}
        layers, each, possible, named = _Layers.of(doubts, cuts.size)
        held = {word: classes * each & possible for word, classes in self._sure.items()}
        for word, piece in doubtful.items():
            held[word] |= named[piece.name]
        return _Words(held, cuts.size * layers, cuts.v6 * each)

    @cached_property
    def _cuts(self) -> _Cuts:
        return _Cuts.of([*self._known.values(), *[piece.doubt for piece in self._doubtful.values()]])

    @cached_property
    def _sure(self) -> Mapping[Word, int]:
        """The classes that words match for sure."""
        bits, held = self._cuts.bits, self._cuts.held
        return {
            word: bits[edges[1]] - bits[edges[0]] if len(edges) == 2 else held(edges)
            for word, edges in self._known.items()
        }


class Services(dict[Service, int]):
    """Protocols without ports, and those with ports, each with the classes of both ports; all as they are written.

    For each service, its classes, worked out when it is first asked for; KeyError for one that is not known here.

    Attributes:
        size: how many classes there are.
    """

    def __init__(self, protocols: Iterable[str], near: Iterable[Ports], far: Iterable[Ports]) -> None:
        """The classes of services. Raises ParseError for a port range that is none, and TooManyError."""
        super().__init__()
        (sources, outer), (self._far, inner) = _ports("source", near), _ports("destination", far)
        size, plain = outer * inner, {text: protocol_of(text) for text in protocols}
        named = {*plain.values()} - {ANY}
        carrying = _told_apart(named.intersection(WITH_PORTS), WITH_PORTS)
        portless = _told_apart(named.difference(WITH_PORTS), WITHOUT_PORTS)
        self.size = size * len(carrying) + len(portless)
        if self.size > LARGEST:
            raise TooManyError
        copies = {protocol: 1 << place * size for place, protocol in enumerate(carrying)}
        alone = {protocol: 1 << place for place, protocol in enumerate(portless, start=len(carrying) * size)}
        copies[ANY], alone[ANY] = sum(copies.values()), sum(alone.values())
        # For each protocol, its classes that have no ports, and the first of those that have; for each text of source
        # ports, the first of all destination ports to each.
        self._bare = {text: alone.get(protocol, 0) for text, protocol in plain.items()}
        self._carrying = {text: copies.get(protocol, 0) for text, protocol in plain.items()}
        self._near = {texts: _spread(classes, outer, inner) for texts, classes in sources.items()}

    def __missing__(self, service: Service) -> int:
        """The classes of a service that has not been asked for yet."""
        protocol, near, far = service
        found = self._carrying[protocol] * self._near[near] * self._far[far] | self._bare[protocol]
        self[service] = found
        return found

    def held(self, said: Said) -> Sequence[int]:
        """For each rule, the classes of its service. Raises KeyError for one that is not known here."""
        return [self[service] for service in said.services]


def common_services(rules: Iterable[SecurityRule]) -> Services | None:
    """The classes of the services of many rules, but of those about source ports: mostly those of an estate are few.

    None where they are not: then it is better that each NSG has its own.
    """
    listed = [*rules]
    far = filter(_readable, {EVERY, *[rule.destination_ports for rule in listed]})
    try:
        common = Services({"*", *[rule.protocol for rule in listed]}, [EVERY], far)
    except TooManyError:
        return None
    return common if common.size <= _COMMON else None


def services(lists: Sequence[Said], common: Services | None) -> Sequence[Sequence[int] | None]:
    """For each list the classes of the services of its rules; None where there are too many.

    Args:
        lists: rules of one NSG, in and out.
        common: the classes of services of these and other rules, where they are known.

    Raises:
        ParseError: a port range is none.
    """
    if common is not None:
        with suppress(KeyError):
            return [common.held(said) for said in lists]
    named = {*chain.from_iterable(said.services for said in lists)}
    try:
        own = Services({text for text, _, _ in named}, {near for _, near, _ in named}, {far for _, _, far in named})
    except TooManyError:
        return [None for _ in lists]
    return [own.held(said) for said in lists]


def _readable(texts: Ports) -> bool:
    try:
        port_line("destination", texts)
    except ParseError:
        return False
    return True


def _ports(end: str, texts: Iterable[Ports]) -> tuple[Mapping[Ports, int], int]:
    """The classes of ports at one end, and how many there are."""
    sets = {each: port_line(end, each).pieces[0] for each in texts}
    cuts = _Cuts.of(sets.values())
    return {each: cuts.held(edges) for each, edges in sets.items()}, cuts.size


def _spread(classes: int, outer: int, inner: int) -> int:
    """The first of the inner classes to each of some of the outer ones."""
    return sum([1 << place * inner for place in range(outer) if classes >> place & 1])


def _told_apart(named: Collection[str], known: Collection[str]) -> list[str]:
    """Protocols that rules name, and one for all of the known ones that none does."""
    return [*sorted(named), *([] if set(known) <= set(named) else [_OTHER])]


_POWERS = [1 << place for place in range(1 << 9)]


def _numbered(cuts: Sequence[int]) -> Mapping[int, int]:
    """The bit of each cut."""
    if len(cuts) <= len(_POWERS):  # nearly always
        return dict(zip(cuts, _POWERS, strict=False))
    return {cut: 1 << place for place, cut in enumerate(cuts)}


def _together(held: Mapping[Word, int], side: Side) -> int:
    """The classes of several words."""
    found = 0
    for word in side:
        found |= held[word]
    return found
