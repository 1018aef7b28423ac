"""What a rule matches, dimension by dimension, with the names of which nobody knows the addresses kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, Self

from diagnostics.errors import ParseError
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, V4_TOP, V6_TOP, Intervals, Span
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import Bounds, names_tag, read_prefix
from diagnostics.network.security import Context, ports

ANY = ""
WITH_PORTS = ("tcp", "udp")
WITHOUT_PORTS = ("icmp", "esp", "ah")
_ANY = frozenset({"", "*", "any", "all"})


class Part(NamedTuple):
    """What a rule matches in one dimension.

    Attributes:
        known: what it matches for sure: sorted, disjoint ranges.
        unknown: for each name that is not known exactly, where it is not known what belongs to it.
    """

    known: tuple[Span, ...] = ()
    unknown: tuple[tuple[str, tuple[Span, ...]], ...] = ()


class Ranges(NamedTuple):
    """Ranges of numbers: where each begins, and where it is over."""

    firsts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @classmethod
    def of(cls, spans: Sequence[Span], v6: Sequence[Span] = ()) -> Self:
        """Ranges, and those of IPv6 behind them."""
        firsts = [first for first, _ in spans] + [first + V6_BEGIN for first, _ in v6]
        return cls(tuple(firsts), tuple([last + 1 for _, last in spans] + [last + 1 + V6_BEGIN for _, last in v6]))


V6_BEGIN = V4_TOP + 2
"""Where IPv6 begins on one line of numbers with IPv4: no range reaches from one into the other."""


class Line(NamedTuple):
    """What a rule matches in one dimension, both families of addresses behind each other.

    Attributes:
        known: what it matches for sure.
        doubts: for each name that is not known exactly, where it is not known what belongs to it.
    """

    known: Ranges
    doubts: Mapping[str, Ranges]

    @classmethod
    def of(cls, part: Part, v6: Part | None = None) -> Self:
        """The line of ports, or of the addresses of both families."""
        behind = v6 or NOTHING
        one, other = dict(part.unknown), dict(behind.unknown)
        doubts = {name: Ranges.of(one.get(name, ()), other.get(name, ())) for name in {**one, **other}}
        return cls(Ranges.of(part.known, behind.known), doubts)


class Side(NamedTuple):
    """The addresses of one end, by family: the two never match each other.

    Attributes:
        line: both families on one line.
        names: what would have to be known to know them exactly.
    """

    v4: Part
    v6: Part
    line: Line
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, v4: Part, v6: Part, names: frozenset[str] = frozenset()) -> Self:
        """The addresses of both families."""
        return cls(v4, v6, Line.of(v4, v6), names)


NOTHING = Part()
ALL_PORTS = Part(((0, PORTS_TOP),))
EVERYWHERE = Side.of(Part(((0, V4_TOP),)), Part(((0, V6_TOP),)))


class Reading(NamedTuple):
    """What a rule matches.

    Attributes:
        protocol: lower-cased; empty for any.
    """

    allows: bool
    protocol: str = ANY
    sources: Side = EVERYWHERE
    destinations: Side = EVERYWHERE
    source_ports: Part = ALL_PORTS
    destination_ports: Part = ALL_PORTS

    @classmethod
    def unknown(cls, rule: SecurityRule) -> Self:
        """A rule that cannot be read: it may match any flow, and none for sure."""
        name = f"rule {rule.name}"
        v4, v6 = (Part((), ((name, part.known),)) for part in (EVERYWHERE.v4, EVERYWHERE.v6))
        return cls(rule.allows, sources=Side.of(v4, v6, frozenset({name})))

    @property
    def names(self) -> frozenset[str]:
        """What would have to be known to know exactly what it matches."""
        return self.sources.names | self.destinations.names if self.destinations.names else self.sources.names


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rules in a context; what several rules say alike is read once."""

    context: Context
    _prefixes: dict[str, Bounds] = field(default_factory=dict)
    _sides: dict[tuple[tuple[str, ...], tuple[ResourceId, ...]], Side] = field(default_factory=dict)

    def read(self, rule: SecurityRule) -> Reading:
        """What a rule matches.

        Raises:
            ParseError: one of its port ranges is none, or one of its addresses neither a prefix nor the name of a
                service tag; it names rule, field and value.
        """
        try:
            protocol = rule.protocol.strip().lower()
            return Reading(
                allows=rule.allows,
                protocol=ANY if protocol in _ANY else protocol,
                sources=self._side("source", rule.sources, rule.source_groups),
                destinations=self._side("destination", rule.destinations, rule.destination_groups),
                source_ports=self._port_part("source", rule.source_ports),
                destination_ports=self._port_part("destination", rule.destination_ports),
            )
        except ParseError as error:
            raise ParseError(f"rule {rule.name}: {error}") from None

    def _side(self, end: str, texts: tuple[str, ...], groups: tuple[ResourceId, ...]) -> Side:
        side = None if groups else _plain_side(texts)
        if side is None and (side := self._sides.get((texts, groups))) is None:
            named = {text.lower(): self._prefix(end, text) for text in texts}
            named |= {group.key: self.context.group(group) for group in groups}
            side = self._sides[texts, groups] = _side(tuple(named.items()))
        return side

    def _prefix(self, end: str, text: str) -> Bounds:
        """One name is one set, however it is written: its first spelling is looked up."""
        key = text.lower()
        if key not in self._prefixes:
            addresses = _plain(text)
            bounds = self.context.tag(text) if addresses is None else Bounds.exactly(addresses)
            if bounds is None and not names_tag(text):
                raise ParseError(f"{end} address: {text!r} is neither a prefix nor the name of a service tag")
            self._prefixes[key] = bounds or Bounds.unknown(text)
        return self._prefixes[key]

    def _port_part(self, end: str, texts: tuple[str, ...]) -> Part:
        try:
            return _plain_ports(texts)
        except ParseError as error:
            raise ParseError(f"{end} {error}") from None


# Whatever the context, plain prefixes and ports are the same; NSGs of one network have them in common.
_plain = lru_cache(maxsize=1 << 16)(read_prefix)


@lru_cache(maxsize=1 << 16)
def _plain_ports(texts: tuple[str, ...]) -> Part:
    part = Part(ports(texts).spans)
    return ALL_PORTS if part == ALL_PORTS else part


@lru_cache(maxsize=1 << 16)
def _plain_side(texts: tuple[str, ...]) -> Side | None:
    """The addresses of prefixes; None where one of them is a name. None given are all."""
    sets = [found for text in texts if (found := _plain(text))]
    if len(sets) < len(texts):
        return None
    if not sets:
        return EVERYWHERE
    return Side.of(_known([each.v4 for each in sets], V4_TOP), _known([each.v6 for each in sets], V6_TOP))


# NSGs of one network say the same words of the same addresses; most are few, and Azure's tags dear to put together.
@lru_cache(maxsize=1 << 12)
def _side(named: tuple[tuple[str, Bounds], ...]) -> Side:
    """The addresses of names and prefixes."""
    doubtful = [(name, bounds.may - bounds.must) for name, bounds in named if not bounds.exact]
    missing = frozenset(what for name, bounds in named if not bounds.exact for what in bounds.missing or {name})
    v4 = _known([bounds.must.v4 for _, bounds in named], V4_TOP), [(name, doubt.v4) for name, doubt in doubtful]
    v6 = _known([bounds.must.v6 for _, bounds in named], V6_TOP), [(name, doubt.v6) for name, doubt in doubtful]
    return Side.of(_doubted(*v4), _doubted(*v6), missing)


def _known(sets: Sequence[Intervals], top: int) -> Part:
    some = [each for each in sets if each]
    if not some:
        return NOTHING
    return Part(some[0].spans if len(some) == 1 else Intervals.of(chain.from_iterable(some), top).spans)


def _doubted(part: Part, doubts: Iterable[tuple[str, Intervals]]) -> Part:
    unknown = tuple((name, doubt.spans) for name, doubt in doubts if doubt)
    return Part(part.known, unknown) if unknown else part
