"""Rules parted by ports: of each part the same rules of a list speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import NamedTuple

from diagnostics.network.estate import EffectiveGroup
from diagnostics.network.filters import Level
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup
from diagnostics.network.openings.boxes import ALL_PORTS, LETS, PROTOCOLS
from diagnostics.network.openings.ports import ALL, NONE, Ports
from diagnostics.network.openings.ready import Reader, Ready
from diagnostics.network.security import WITH_PORTS, in_order


class Cell(NamedTuple):
    """Ports and source ports of which the same rules speak: a bit for each rule, the first one lowest."""

    rules: int
    ports: int
    source_ports: int


class Layouts:
    """Those of NSGs: each is parted once, at however many levels it stands."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[int, int], tuple[SecurityGroup | EffectiveGroup, Ports, dict[object, Layout]]] = {}

    def of(self, group: SecurityGroup | EffectiveGroup, level: Level, name: ResourceId, ports: Ports) -> Layout:
        """The inbound rules of an NSG, with the default ones."""
        key = id(group), id(ports)  # both are kept: neither id is given away again
        if key not in self._known:
            self._known[key] = group, ports, {}
        found, place = self._known[key][2], (level, name.text)
        if place not in found:
            first = next(iter(found.values()), None)
            if first:
                found[place] = first.again(self._reader.again(first.rules, level, name))
            else:
                rules = in_order(group.rules, inbound=True)
                found[place] = Layout(self._reader.ready(rules, level, name), ports)
        return found[place]


class Layout:
    """A list of rules, in their order; the same wherever it stands and whatever its words mean there.

    Attributes:
        ports: what the bits of its ports stand for.
        allowing: those that let something in.
        leads: of those, the ones of interest.
        unreadable: those whose ports cannot be read: of protocols with ports they match nothing for sure.
        plain: whether none has source ports.
    """

    def __init__(self, rules: Sequence[Ready], ports: Ports) -> None:
        self.rules, self.ports = rules, ports
        self.allowing = _bits([each.end == LETS for each in rules])
        self.leads = _bits([each.leads for each in rules])
        self.unreadable = _bits([bool(each.unreadable) for each in rules])
        self.plain = all(each.source_ports == ALL_PORTS for each in rules)

    @cached_property
    def cells(self) -> Mapping[str, tuple[Cell, ...]]:
        """By protocol; the very same for protocols of which the same rules speak."""
        return self._by_protocol(-1)

    @cached_property
    def opening(self) -> Mapping[str, tuple[Cell, ...]]:
        """Those in which a rule lets something in, with the rules up to the last that does."""
        return self._those(self.cells, self.allowing)

    @cached_property
    def leading(self) -> Mapping[str, tuple[Cell, ...]]:
        """The same by the rules of interest alone."""
        return self._those(self._by_protocol(self.leads), self.leads)

    def again(self, rules: Sequence[Ready]) -> Layout:
        """That of the same rules with other numbers."""
        found = copy(self)
        found.rules = rules
        return found

    def _by_protocol(self, last: int) -> dict[str, tuple[Cell, ...]]:
        """The cells of rules up to the last of some."""
        known: dict[tuple[bool, int], tuple[Cell, ...]] = {}
        found = {}
        named: dict[str, int] = {}
        for i, each in enumerate(self.rules):
            named[each.protocol] = named.get(each.protocol, 0) | 1 << i
        for protocol in PROTOCOLS:
            plain = protocol.lower()
            speaking = named.get("", 0) | named.get(plain, 0)
            key = plain in WITH_PORTS, speaking & up_to(speaking & last)
            if key not in known:
                known[key] = tuple(self._cells(key[1])) if key[0] else (Cell(key[1], ALL, ALL),)
            found[protocol] = known[key]
        return found

    @staticmethod
    def _those(cells: Mapping[str, tuple[Cell, ...]], allow: int) -> dict[str, tuple[Cell, ...]]:
        found = {id(own): _opening(own, allow) for own in cells.values()}
        return {protocol: found[id(own)] for protocol, own in cells.items()}

    def _cells(self, speaking: int) -> Iterator[Cell]:
        rules = self.rules[: speaking.bit_length()]
        named = [each.ports if speaking >> i & 1 else _NO_PORTS for i, each in enumerate(rules)]
        for here, some in cells(named):
            if self.plain:
                yield Cell(here, self.ports.add(some), ALL)
                continue
            sent = [each.source_ports if here >> i & 1 else _NO_PORTS for i, each in enumerate(rules)]
            for both, sources in cells(sent):
                yield Cell(both, self.ports.add(some), self.ports.add(sources))


_NO_PORTS = Intervals.none(PORTS_TOP)


def cells(sets: Sequence[Intervals], top: int = PORTS_TOP) -> Iterator[tuple[int, Intervals]]:
    """All numbers, parted by which of the sets hold them: a bit for each set."""
    changes: dict[int, int] = {0: 0}
    for i, each in enumerate(sets):
        for first, last in each.spans:
            changes[first] = changes.get(first, 0) ^ (1 << i)
            changes[last + 1] = changes.get(last + 1, 0) ^ (1 << i)
    found: dict[int, list[tuple[int, int]]] = {}
    here = begin = 0
    for start in sorted(changes):
        if start > begin and changes[start]:
            found.setdefault(here, []).append((begin, start - 1))
            begin = start
        here ^= changes[start]
    if begin <= top:
        found.setdefault(here, []).append((begin, top))
    for bits, spans in found.items():
        yield bits, Intervals(tuple(spans), top)


def _opening(own: Iterable[Cell], allow: int) -> tuple[Cell, ...]:
    found: dict[tuple[int, int], int] = {}
    for rules, ports, source_ports in own:
        if allowing := rules & allow:
            key = rules & up_to(allowing), source_ports
            found[key] = found.get(key, NONE) | ports
    return tuple(Cell(rules, ports, source_ports) for (rules, source_ports), ports in found.items())


def up_to(bits: int) -> int:
    """All bits up to the highest of some."""
    return (1 << bits.bit_length()) - 1


def _bits(flags: Sequence[bool]) -> int:
    found = 0
    for i, flag in enumerate(flags):
        if flag:
            found |= 1 << i
    return found
