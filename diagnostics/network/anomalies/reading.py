"""What a rule matches, dimension by dimension, with the names of which nobody knows the addresses kept apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import batched, chain
from types import MappingProxyType
from typing import NamedTuple, Self

import msgspec

from diagnostics.errors import ParseError, PermanentError
from diagnostics.network.anomalies import edges as sets
from diagnostics.network.anomalies.edges import V6_BEGIN, Edges, merged, of_addresses, of_spans, plain_edges
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Span
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import Bounds, names_tag
from diagnostics.network.security import Context, ports

type Ports = tuple[str, ...]
"""The ports of one end of a rule, as they are written."""

type Service = tuple[str, Ports, Ports]
"""Protocol, source ports and destination ports of a rule, as they are written."""

type Word = str | ResourceId | Piece
"""What the addresses of one end of a rule are named by: a prefix or service tag, or an application security group."""

type Side = tuple[Word, ...]
"""One end of a rule."""

ANY = ""
WITH_PORTS = ("tcp", "udp")
WITHOUT_PORTS = ("icmp", "esp", "ah")
EVERY = ("*",)
_ANY = frozenset({"", "*", "any", "all"})


class Part(NamedTuple):
    """What a rule matches in one dimension.

    Attributes:
        known: what it matches for sure: sorted, disjoint ranges.
        unknown: for each name that is not known exactly, where it is not known what belongs to it.
    """

    known: tuple[Span, ...] = ()
    unknown: tuple[tuple[str, tuple[Span, ...]], ...] = ()


class Line(msgspec.Struct, frozen=True, gc=False):
    """What a rule matches in one dimension: ports, or the addresses of one end, both families behind each other.

    Attributes:
        pieces: what it matches for sure, in one or several sets, which may overlap: each prefix is one, as many rules
            of an NSG name the same ones.
        doubts: for each name that is not known exactly, where it is not known what belongs to it.
    """

    pieces: tuple[Edges, ...]
    doubts: Mapping[str, Edges] = MappingProxyType({})

    @property
    def edges(self) -> Edges:
        """What it matches for sure, in one set."""
        return merged(self.pieces)

    @property
    def known(self) -> tuple[Span, ...]:
        """The ports that it matches for sure."""
        return self.v4.known

    @property
    def v4(self) -> Part:
        """What it matches of IPv4, or of ports."""
        return self.families[0]

    @property
    def v6(self) -> Part:
        """What it matches of IPv6."""
        return self.families[1]

    @property
    def families(self) -> tuple[Part, Part]:
        """What it matches of IPv4, or of ports, and of IPv6."""
        v4, v6 = _parted(self.edges)
        if not self.doubts:
            return Part(v4), Part(v6)
        doubts = [(name, _parted(edges)) for name, edges in self.doubts.items()]
        return (
            Part(v4, tuple((name, found) for name, (found, _) in doubts if found)),
            Part(v6, tuple((name, found) for name, (_, found) in doubts if found)),
        )


def _parted(edges: Edges) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The ranges of each family, told from where it begins."""
    cut = bisect_left(edges, V6_BEGIN)
    v4 = tuple([(first, over - 1) for first, over in batched(edges[:cut], 2, strict=True)])
    if cut == len(edges):
        return v4, ()
    last = V6_BEGIN + 1
    return v4, tuple([(first - V6_BEGIN, over - last) for first, over in batched(edges[cut:], 2, strict=True)])


ALL_PORTS = Line(((0, PORTS_TOP + 1),))
EVERYWHERE = Line((sets.EVERYWHERE,))


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a rule matches.

    Attributes:
        protocol: lower-cased; empty for any.
    """

    allows: bool
    protocol: str = ANY
    sources: Line = EVERYWHERE
    destinations: Line = EVERYWHERE
    source_ports: Line = ALL_PORTS
    destination_ports: Line = ALL_PORTS


class Piece(msgspec.Struct, frozen=True, gc=False):
    """The addresses of one prefix or name.

    Attributes:
        known: those that it has for sure.
        doubt: those that it may have.
        name: what it is called, if it has any in doubt.
        missing: what would have to be known to know them exactly.
    """

    known: Edges
    doubt: Edges = ()
    name: str = ""
    missing: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, bounds: Bounds) -> Self:
        """The addresses of a name."""
        known, doubt = _parts(bounds)
        return cls(known, doubt, name, bounds.missing or frozenset({name})) if doubt else cls(known)


class Said(NamedTuple):
    """What rules in order say, dimension by dimension, as it is written."""

    allowing: Sequence[bool]
    services: list[Service]
    sources: list[Side]
    destinations: list[Side]

    @classmethod
    def of(cls, rules: Sequence[SecurityRule]) -> Self:
        """What the rules say."""
        return cls(
            [rule.allows for rule in rules],
            [(rule.protocol, rule.source_ports, rule.destination_ports) for rule in rules],
            [rule.sources + rule.source_groups or EVERY for rule in rules],
            [rule.destinations + rule.destination_groups or EVERY for rule in rules],
        )

    def hide(self, number: int, name: str) -> None:
        """Take a rule for one that cannot be read: it may match any flow, and none for sure."""
        self.services[number] = ("*", EVERY, EVERY)
        self.sources[number] = (Piece((), sets.EVERYWHERE, name, frozenset({name})),)
        self.destinations[number] = EVERY

    @property
    def sides(self) -> Iterator[Side]:
        """Both ends of each rule."""
        return chain.from_iterable(zip(self.sources, self.destinations, strict=True))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rules in a context; what several rules say alike is read once."""

    context: Context
    _pieces: dict[str, Piece] = field(default_factory=dict)
    _lines: dict[Side, Line] = field(default_factory=dict)

    def read(self, rule: SecurityRule) -> Reading:
        """What a rule matches.

        Raises:
            ParseError: one of its port ranges is none, or one of its addresses neither a prefix nor the name of a
                service tag; it names rule, field and value.
            PermanentError: the list of service tags has something for one of its tags that is no prefix.
        """
        try:
            (reading,) = self.readings(Said.of([rule]))
        except ParseError as error:
            raise ParseError(f"rule {rule.name}: {error}") from None
        return reading

    def readings(self, said: Said) -> list[Reading]:
        """What rules match. Raises the same errors, without the names of rules."""
        return [
            Reading(
                allows,
                protocol_of(protocol),
                self._line("source", source),
                self._line("destination", destination),
                port_line("source", near),
                port_line("destination", far),
            )
            for allows, (protocol, near, far), source, destination in zip(*said, strict=True)
        ]

    def piece(self, word: Word) -> Piece:
        """The addresses of a prefix or name. Raises the same errors, without the names of rule and field."""
        if isinstance(word, Piece):
            return word
        if isinstance(word, ResourceId):
            return Piece.of(word.key, self.context.group(word))
        if (edges := plain_edges(word)) is not None:
            return Piece(edges)
        # One name is one set, however it is written: its first spelling is looked up.
        key = word.lower()
        if key not in self._pieces:
            self._pieces[key] = Piece.of(key, self._tag(word))
        return self._pieces[key]

    def _line(self, end: str, side: Side) -> Line:
        """One end of a rule."""
        if (line := self._lines.get(side)) is None:
            try:
                pieces = [*map(self.piece, side)]
            except ParseError as error:
                raise ParseError(f"{end} {error}") from None
            doubtful = [piece for piece in pieces if piece.doubt]
            line = self._lines[side] = Line(
                tuple([piece.known for piece in pieces if piece.known]), {piece.name: piece.doubt for piece in doubtful}
            )
        return line

    def _tag(self, text: str) -> Bounds:
        try:
            bounds = self.context.tag(text)
        except ParseError as error:  # the list of service tags is wrong, not the rule
            raise PermanentError(f"service tags: {error}") from None
        if bounds is None and not names_tag(text):
            raise ParseError(f"address: {text!r} is neither a prefix nor the name of a service tag")
        return bounds or Bounds.unknown(text)


# Whatever the context, ports are the same; NSGs of one network have them in common.
@lru_cache(maxsize=1 << 16)
def port_line(end: str, texts: tuple[str, ...]) -> Line:
    """The ports at one end. Raises ParseError for a range that is none."""
    try:
        edges = of_spans(ports(texts).spans)
    except ParseError as error:
        raise ParseError(f"{end} {error}") from None
    return ALL_PORTS if edges == ALL_PORTS.pieces[0] else Line((edges,))


@lru_cache(maxsize=1 << 10)
def protocol_of(text: str) -> str:
    """A protocol, lower-cased; empty for any."""
    plain = text.strip().lower()
    return ANY if plain in _ANY else plain


# NSGs of one network say the same words of the same addresses; most are few, and Azure's tags dear to put together.
@lru_cache(maxsize=1 << 12)
def _parts(bounds: Bounds) -> tuple[Edges, Edges]:
    """The addresses that are in a set for sure, and those that may be."""
    return of_addresses(bounds.must), () if bounds.exact else of_addresses(bounds.may - bounds.must)
