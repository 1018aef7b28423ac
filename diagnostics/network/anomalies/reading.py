"""What a rule matches, dimension by dimension, with the names of which nobody knows the addresses kept apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import batched
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

ANY = ""
WITH_PORTS = ("tcp", "udp")
WITHOUT_PORTS = ("icmp", "esp", "ah")
_EVERY = ("*",)
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
        names: what would have to be known to know it exactly.
    """

    pieces: tuple[Edges, ...]
    doubts: Mapping[str, Edges] = MappingProxyType({})
    names: frozenset[str] = frozenset()

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

    @classmethod
    def unknown(cls, rule: SecurityRule) -> Self:
        """A rule that cannot be read: it may match any flow, and none for sure."""
        name = f"rule {rule.name}"
        return cls(rule.allows, sources=Line((), {name: sets.EVERYWHERE}, frozenset({name})))

    @property
    def names(self) -> frozenset[str]:
        """What would have to be known to know exactly what it matches."""
        return self.sources.names | self.destinations.names if self.destinations.names else self.sources.names


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rules in a context; what several rules say alike is read once."""

    context: Context
    _prefixes: dict[str, _Piece] = field(default_factory=dict)
    _sides: dict[tuple[tuple[str, ...], tuple[ResourceId, ...]], Line] = field(default_factory=dict)

    def read(self, rule: SecurityRule) -> Reading:
        """What a rule matches.

        Raises:
            ParseError: one of its port ranges is none, or one of its addresses neither a prefix nor the name of a
                service tag; it names rule, field and value.
            PermanentError: the list of service tags has something for one of its tags that is no prefix.
        """
        near = None if rule.source_groups else _plain_side(rule.sources)
        far = None if rule.destination_groups else _plain_side(rule.destinations)
        try:
            return Reading(
                rule.allows,
                _protocol(rule.protocol),
                near or self._side("source", rule.sources, rule.source_groups),
                far or self._side("destination", rule.destinations, rule.destination_groups),
                ALL_PORTS if rule.source_ports == _EVERY else port_line("source", rule.source_ports),
                port_line("destination", rule.destination_ports),
            )
        except ParseError as error:
            raise ParseError(f"rule {rule.name}: {error}") from None

    def _side(self, end: str, texts: tuple[str, ...], groups: tuple[ResourceId, ...]) -> Line:
        """One end that names a service tag or an application security group."""
        if (side := self._sides.get((texts, groups))) is None:
            named = {text.lower(): self._prefix(end, text) for text in texts}
            named |= {group.key: _piece(self.context.group(group)) for group in groups}
            side = self._sides[texts, groups] = _side(named)
        return side

    def _prefix(self, end: str, text: str) -> _Piece:
        """One name is one set, however it is written: its first spelling is looked up."""
        key = text.lower()
        if key not in self._prefixes:
            edges = plain_edges(text)
            self._prefixes[key] = _Piece(edges) if edges is not None else _piece(self._tag(end, text))
        return self._prefixes[key]

    def _tag(self, end: str, text: str) -> Bounds:
        try:
            bounds = self.context.tag(text)
        except ParseError as error:  # the list of service tags is wrong, not the rule
            raise PermanentError(f"service tags: {error}") from None
        if bounds is None and not names_tag(text):
            raise ParseError(f"{end} address: {text!r} is neither a prefix nor the name of a service tag")
        return bounds or Bounds.unknown(text)


class _Piece(msgspec.Struct, frozen=True, gc=False):
    """The addresses of one name or prefix.

    Attributes:
        known: those that it has for sure.
        doubt: those that it may have.
        missing: what would have to be known to know them exactly; perhaps nothing that has a name of its own.
    """

    known: Edges
    doubt: Edges = ()
    missing: frozenset[str] = frozenset()


# Whatever the context, plain prefixes and ports are the same; NSGs of one network have them in common.
@lru_cache(maxsize=1 << 16)
def port_line(end: str, texts: tuple[str, ...]) -> Line:
    """The ports at one end. Raises ParseError for a range that is none."""
    try:
        edges = of_spans(ports(texts).spans)
    except ParseError as error:
        raise ParseError(f"{end} {error}") from None
    return ALL_PORTS if edges == ALL_PORTS.pieces[0] else Line((edges,))


@lru_cache(maxsize=1 << 10)
def _protocol(text: str) -> str:
    plain = text.strip().lower()
    return ANY if plain in _ANY else plain


@lru_cache(maxsize=1 << 16)
def _plain_side(texts: tuple[str, ...]) -> Line | None:
    """The addresses of prefixes; None where one of them is a name. None given are all."""
    if not texts:
        return EVERYWHERE
    pieces = tuple(filter(None, map(plain_edges, texts)))  # no prefix is empty
    if len(pieces) < len(texts):
        return None
    return Line(pieces)


# NSGs of one network say the same words of the same addresses; most are few, and Azure's tags dear to put together.
@lru_cache(maxsize=1 << 12)
def _piece(bounds: Bounds) -> _Piece:
    known = of_addresses(bounds.must)
    return _Piece(known) if bounds.exact else _Piece(known, of_addresses(bounds.may - bounds.must), bounds.missing)


def _side(named: Mapping[str, _Piece]) -> Line:
    """The addresses of names and prefixes."""
    doubts = {name: piece.doubt for name, piece in named.items() if piece.doubt}
    missing = frozenset(what for name in doubts for what in named[name].missing or {name})
    return Line(tuple(piece.known for piece in named.values() if piece.known), doubts, missing)
