"""What a rule matches, dimension by dimension, with the names of which nobody knows the addresses kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from diagnostics.errors import ParseError
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, V4_TOP, V6_TOP, Intervals, Span
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import Bounds, names_tag, read_prefix
from diagnostics.network.security import Context, ports

ANY = ""
_ANY = frozenset({"", "*", "any", "all"})


class Part(NamedTuple):
    """What a rule matches in one dimension.

    Attributes:
        known: what it matches for sure: sorted, disjoint ranges.
        unknown: for each name that is not known exactly, where it is not known what belongs to it.
    """

    known: tuple[Span, ...] = ()
    unknown: tuple[tuple[str, tuple[Span, ...]], ...] = ()


class Side(NamedTuple):
    """The addresses of one end, by family: the two never match each other.

    Attributes:
        names: what would have to be known to know them exactly.
    """

    v4: Part
    v6: Part
    names: frozenset[str] = frozenset()


ALL_PORTS = Part(((0, PORTS_TOP),))
EVERYWHERE = Side(Part(((0, V4_TOP),)), Part(((0, V6_TOP),)))


@dataclass(frozen=True, slots=True)
class Reading:
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
        return cls(rule.allows, sources=Side(v4, v6, frozenset({name})))

    @property
    def names(self) -> frozenset[str]:
        """What would have to be known to know exactly what it matches."""
        return self.sources.names | self.destinations.names


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rules in a context; what several rules say alike is read once."""

    context: Context
    _prefixes: dict[str, Bounds] = field(default_factory=dict)
    _sides: dict[tuple[tuple[str, ...], tuple[ResourceId, ...]], Side] = field(default_factory=dict)
    _ports: dict[tuple[str, ...], Part] = field(default_factory=dict)

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
        if (texts, groups) not in self._sides:
            named = {text.lower(): self._prefix(end, text) for text in texts}
            named |= {group.key: self.context.group(group) for group in groups}
            self._sides[texts, groups] = _side(named) if named else EVERYWHERE
        return self._sides[texts, groups]

    def _prefix(self, end: str, text: str) -> Bounds:
        """One name is one set, however it is written: its first spelling is looked up."""
        key = text.lower()
        if key not in self._prefixes:
            addresses = read_prefix(text)
            bounds = self.context.tag(text) if addresses is None else Bounds.exactly(addresses)
            if bounds is None and not names_tag(text):
                raise ParseError(f"{end} address: {text!r} is neither a prefix nor the name of a service tag")
            self._prefixes[key] = bounds or Bounds.unknown(text)
        return self._prefixes[key]

    def _port_part(self, end: str, texts: tuple[str, ...]) -> Part:
        if texts not in self._ports:
            try:
                self._ports[texts] = Part(ports(texts).spans)
            except ParseError as error:
                raise ParseError(f"{end} {error}") from None
        return self._ports[texts]


def _side(named: dict[str, Bounds]) -> Side:
    doubtful = {name: bounds.may - bounds.must for name, bounds in named.items() if not bounds.exact}
    missing = frozenset(name for key in doubtful for name in named[key].missing or {key})
    musts, doubts = [bounds.must for bounds in named.values()], doubtful.items()
    v4 = _part((must.v4 for must in musts), [(name, doubt.v4) for name, doubt in doubts], V4_TOP)
    v6 = _part((must.v6 for must in musts), [(name, doubt.v6) for name, doubt in doubts], V6_TOP)
    return Side(v4, v6, missing)


def _part(musts: Iterable[Intervals], doubts: Iterable[tuple[str, Intervals]], top: int) -> Part:
    known = Intervals.of((span for must in musts for span in must.spans), top)
    return Part(known.spans, tuple((name, doubt.spans) for name, doubt in doubts if doubt))
