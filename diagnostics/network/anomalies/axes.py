"""The dimensions of flows, cut where a rule begins or ends: what a rule matches in one is the bits of an integer.

Between two cuts, all values fare alike: they are one class. Where nobody knows whether they belong to a name, there are
values in none of the names, in each of them, and in each two: whoever looks for a flow that two given rules match, and
as few others as possible, needs no more, as rules only ever gain by belonging.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain, combinations
from typing import NamedTuple, Self

from diagnostics.errors import ParseError
from diagnostics.network.anomalies.edges import V6_BEGIN, Edges
from diagnostics.network.anomalies.reading import (
    ALL_PORTS,
    ANY,
    WITH_PORTS,
    WITHOUT_PORTS,
    Line,
    Reading,
    port_line,
)
from diagnostics.network.model import SecurityRule

LARGEST = 1 << 16
"""How many classes there may be in one dimension; with more, a search is faster."""

_COMMON = 64  # with more classes, it takes longer to compare sets of them

_OTHER = "*"  # any protocol that no rule names; a rule that says `*` is read as ANY


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

    def with_doubts(self, known: int, names: Iterable[str]) -> int:
        """Classes of all layers, with those of some of the names."""
        for name in names:
            known |= self.named[name]
        return known


class Cuts(NamedTuple):
    """Where the ranges of rules begin or end, of all rules that are to be told apart by the same classes.

    Attributes:
        size: how many classes there are.
        lines: the lines, kept so that no other gets the identity of one.
        known: for each line, by its identity, the classes that it matches for sure.
        doubts: for each range in doubt, its classes.
        v6: of addresses, all classes of IPv6.
    """

    size: int
    lines: Collection[Line]
    known: Mapping[int, int]
    doubts: Mapping[Edges, int]
    v6: int

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Self:
        """The classes of lines, which have most of their pieces in common: each is looked at once."""
        distinct = {id(line): line for line in lines}
        doubtful = set[Edges]().union(*[line.doubts.values() for line in distinct.values() if line.doubts])
        pieces = doubtful.union(*[line.pieces for line in distinct.values()])
        cuts = sorted(set().union(*pieces))
        bits = _numbered(cuts)
        held = {edges: bits[edges[1]] - bits[edges[0]] if len(edges) == 2 else _held(bits, edges) for edges in pieces}
        known = {
            key: held[line.pieces[0]] if len(line.pieces) == 1 else _together(held, line.pieces)
            for key, line in distinct.items()
        }
        size, behind = max(len(cuts) - 1, 0), bisect_left(cuts, V6_BEGIN)
        doubts = {each: held[each] for each in doubtful}
        return cls(size, distinct.values(), known, doubts, (1 << size) - 1 >> behind << behind)

    def with_all(self, lines: Sequence[Line]) -> Self:
        """These, if they know all of the lines; else those of the lines alone."""
        return self if self.known.keys() >= set(map(id, lines)) else self.of(lines)


class _Axis(NamedTuple):
    """One dimension of flows.

    Attributes:
        size: how many bits a set of its classes has.
        held: for each rule, the classes that it matches.
        v6: of addresses, all classes of IPv6.
    """

    size: int
    held: Sequence[int]
    v6: int

    @classmethod
    def of(cls, lines: Sequence[Line], cuts: Cuts) -> Self:
        """The classes of what rules match. Most have no doubts: their classes are the same in all layers."""
        size, v6 = cuts.size, cuts.v6
        held = list(map(cuts.known.__getitem__, map(id, lines)))
        doubtful = dict(chain.from_iterable([line.doubts.items() for line in lines if line.doubts]))
        if doubtful:
            layers = _Layers.of({name: cuts.doubts[each] for name, each in doubtful.items()}, size)
            each, possible = layers.each, layers.possible
            known = {some: some * each & possible for some in held}
            held = [
                layers.with_doubts(known[some], line.doubts) if line.doubts else known[some]
                for some, line in zip(held, lines, strict=True)
            ]
            size, v6 = size * layers.layers, v6 * each
        return cls(size, held, v6)


class Ends(NamedTuple):
    """The addresses of one end.

    Attributes:
        held: for each rule, the classes that it matches.
        v4, v6: all classes of a family.
    """

    held: Sequence[int]
    v4: int
    v6: int

    @classmethod
    def of(cls, lines: Sequence[Line], cuts: Cuts) -> Self:
        """One end of each rule. Raises TooManyError."""
        size, held, v6 = _Axis.of(lines, cuts)
        return cls(held, (1 << size) - 1 ^ v6, v6)


class Shared(NamedTuple):
    """What rules of one NSG have in common: they name the same addresses and ports at both ends, in and out.

    Attributes:
        addresses: the classes of addresses, of both ends.
        ports: the classes of destination ports.
    """

    addresses: Cuts
    ports: Cuts

    @classmethod
    def of(cls, readings: Sequence[Reading], common: Cuts | None = None) -> Self:
        """The classes of rules, of which those of ports may be known."""
        ends = chain([each.sources for each in readings], [each.destinations for each in readings])
        ports = [each.destination_ports for each in readings]
        return cls(Cuts.of(ends), common.with_all(ports) if common else Cuts.of(ports))


def common_ports(rules: Iterable[SecurityRule]) -> Cuts | None:
    """The classes of the destination ports of many rules: mostly those of a whole estate are few.

    None where they are not: then it is better that each NSG has its own.
    """
    lines = [ALL_PORTS]
    for texts in {rule.destination_ports for rule in rules}:
        with suppress(ParseError):
            lines.append(port_line("destination", texts))
    cuts = Cuts.of(lines)
    return cuts if cuts.size <= _COMMON else None


def services(readings: Sequence[Reading], cuts: Cuts) -> Sequence[int]:
    """For each rule, its protocols: those without ports, and those with ports, each with the classes of both ports.

    Raises:
        TooManyError: the ports are cut into too many classes.
    """
    size, ports = _ports(readings, cuts)
    protocols = [each.protocol for each in readings]
    named = {*protocols} - {ANY}
    carrying, portless = _told_apart(named.intersection(WITH_PORTS), WITH_PORTS), named.difference(WITH_PORTS)
    copies = {protocol: 1 << place * size for place, protocol in enumerate(carrying)}
    begin = len(carrying) * size
    alone = {protocol: 1 << place for place, protocol in enumerate(_told_apart(portless, WITHOUT_PORTS), start=begin)}
    copies[ANY], alone[ANY] = sum(copies.values()), sum(alone.values())
    both = {each: (copies.get(each, 0), alone.get(each, 0)) for each in (*named, ANY)}
    pairs = zip(map(both.__getitem__, protocols), ports, strict=True)
    return [carried * some | bare for (carried, bare), some in pairs]


def _told_apart(named: Collection[str], known: Collection[str]) -> list[str]:
    """Protocols that rules name, and one for all of the known ones that none does."""
    return [*sorted(named), *([] if set(known) <= set(named) else [_OTHER])]


def _ports(readings: Sequence[Reading], cuts: Cuts) -> tuple[int, Sequence[int]]:
    """How many classes of ports at both ends there are, and those of each rule: to each source, all destinations."""
    inner = _Axis.of([each.destination_ports for each in readings], cuts)
    if all(each.source_ports is ALL_PORTS for each in readings):
        return inner.size, inner.held
    lines = [each.source_ports for each in readings]
    outer = _Axis.of(lines, Cuts.of(lines))
    if outer.size * inner.size > LARGEST:
        raise TooManyError

    @cache
    def apart(sources: int) -> int:
        return sum([1 << place * inner.size for place in range(outer.size) if sources >> place & 1])

    pairs = zip(outer.held, inner.held, strict=True)
    return outer.size * inner.size, [apart(sources) * destinations for sources, destinations in pairs]


_POWERS = [1 << place for place in range(1 << 9)]


def _numbered(cuts: Sequence[int]) -> Mapping[int, int]:
    """The bit of each cut."""
    if len(cuts) <= len(_POWERS):  # nearly always
        return dict(zip(cuts, _POWERS, strict=False))
    return {cut: 1 << place for place, cut in enumerate(cuts)}


def _held(bits: Mapping[int, int], edges: Edges) -> int:
    """The classes of ranges; each class is the bit of the cut where it begins."""
    bit = bits.__getitem__
    return sum(map(bit, edges[1::2])) - sum(map(bit, edges[::2]))


def _together(held: Mapping[Edges, int], pieces: Sequence[Edges]) -> int:
    """The classes of several pieces."""
    found = 0
    for piece in pieces:
        found |= held[piece]
    return found
