"""Rules parted by ports: of each part the same rules of a list speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import cached_property
from typing import NamedTuple

from diagnostics.network.estate import EffectiveGroup
from diagnostics.network.filters import Level
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.openings.boxes import ALL_PORTS, LETS, PROTOCOLS
from diagnostics.network.openings.ports import ALL, NONE, Ports
from diagnostics.network.openings.ready import Reader, Ready
from diagnostics.network.security import WITH_PORTS, in_order


class Cell(NamedTuple):
    """Ports and source ports of which the same rules speak: a bit for each rule, the first one lowest."""

    rules: int
    ports: int
    source_ports: int


class Spoken(NamedTuple):
    """The cells of protocols of which the same rules speak."""

    protocols: Sequence[str]
    with_ports: bool
    cells: Sequence[Cell]


class Layouts:
    """Those of NSGs: each is parted once, at however many levels it stands."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[int, int], dict[object, Inbound]] = {}

    def of(self, group: SecurityGroup | EffectiveGroup, level: Level, name: ResourceId, ports: Ports) -> Inbound:
        """The inbound rules of an NSG."""
        alike = self._known.setdefault((id(group), id(ports)), {})  # both are kept: neither id is given away again
        found = alike.get((level, name.text))
        if found is None:
            like = next(iter(alike.values()), None)
            found = alike[level, name.text] = Inbound(self._reader, group, level, name, ports, like=like)
        return found


class Inbound:
    """The inbound rules of an NSG at a level, with the default ones; each list is made when first asked for.

    Args:
        like: the same NSG at another level, or with its id in another spelling.
    """

    def __init__(
        self,
        reader: Reader,
        group: SecurityGroup | EffectiveGroup,
        level: Level,
        name: ResourceId,
        ports: Ports,
        *,
        like: Inbound | None,
    ) -> None:
        self._reader, self._group, self._level, self._name, self._ports = reader, group, level, name, ports
        self._like = like

    @cached_property
    def whole(self) -> Layout:
        """All of them."""
        head = self.short.rules
        if self._like:
            known = self._like.whole
            return known.again((*head, *self._reader.again(known.rules[len(head) :], self._level, self._name)))
        rules = self._ordered[len(self._of_interest) :]
        return Layout((*head, *self._reader.ready(rules, self._level, self._name)), self._ports)

    @cached_property
    def short(self) -> Layout:
        """Those up to the last of interest: what others let in is left out, behind it nothing else is let in."""
        if self._like:
            known = self._like.short
            return known.again(self._reader.again(known.rules, self._level, self._name))
        rules = self._reader.ready(self._of_interest, self._level, self._name)
        return Layout(rules, self._ports, short=True)

    @cached_property
    def _ordered(self) -> Sequence[SecurityRule]:
        return in_order(self._group.rules, inbound=True)

    @cached_property
    def _of_interest(self) -> Sequence[SecurityRule]:
        return self._reader.of_interest(self._ordered)


class Layout:
    """A list of rules, in their order; the same wherever it stands and whatever its words mean there.

    Attributes:
        ports: what the bits of its ports stand for.
        allowing: those that let something in; of a short list, those of interest.
        ignored: those of a short list that let something in that is of no interest: that is out of it.
        unreadable: those whose ports cannot be read: of protocols with ports they match nothing for sure.
    """

    def __init__(self, rules: Sequence[Ready], ports: Ports, *, short: bool = False) -> None:
        self.rules, self.ports = rules, ports
        self.allowing = self.ignored = self.unreadable = 0
        for i, each in enumerate(rules):
            if each.end == LETS:
                if short and not each.leads:
                    self.ignored |= 1 << i
                else:
                    self.allowing |= 1 << i
            if each.unreadable:
                self.unreadable |= 1 << i

    @cached_property
    def cells(self) -> Sequence[Spoken]:
        """All of them."""
        return self._by_protocol(-1)

    @cached_property
    def opening(self) -> Sequence[Spoken]:
        """Those in which a rule lets something in, with the rules up to the last that does."""
        return self._by_protocol(self.allowing)

    def again(self, rules: Sequence[Ready]) -> Layout:
        """That of the same rules with other numbers."""
        found = copy(self)
        found.rules = rules
        return found

    def _by_protocol(self, last: int) -> list[Spoken]:
        """The cells of rules up to the last of some; where none of these speaks is only told of all rules."""
        alike: dict[tuple[bool, int], list[str]] = {}
        named: dict[str, int] = {}
        for i, each in enumerate(self.rules):
            named[each.protocol] = named.get(each.protocol, 0) | 1 << i
        for protocol in PROTOCOLS:
            plain = protocol.lower()
            speaking = named.get("", 0) | named.get(plain, 0)
            alike.setdefault((plain in WITH_PORTS, speaking & up_to(speaking & last)), []).append(protocol)
        found = []
        for (with_ports, speaking), protocols in alike.items():
            cells = self._cells(speaking, last) if with_ports else (Cell(speaking, ALL, ALL),)
            found.append(Spoken(protocols, with_ports, [cell for cell in cells if cell.rules or last == -1]))
        return found

    def _cells(self, speaking: int, last: int) -> Iterator[Cell]:
        for rules, ports in _parted(speaking, last, self._bits):
            if not self._source_bits:
                yield Cell(rules, ports, ALL)
                continue
            for both, source_ports in _parted(rules, last, self._source_bits):
                yield Cell(both, ports, source_ports)

    @cached_property
    def _bits(self) -> Sequence[int]:
        """The ports of each rule."""
        return [self.ports.add(each.ports) for each in self.rules]

    @cached_property
    def _source_bits(self) -> Sequence[int]:
        """The source ports of each rule; empty where none has any."""
        plain = all(each.source_ports == ALL_PORTS for each in self.rules)
        return [] if plain else [self.ports.add(each.source_ports) for each in self.rules]


def _parted(speaking: int, last: int, bits: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Ports by the rules that are for them, up to the last of some rules: where none of these is, by none."""
    found = {0: ALL}
    while speaking:
        i = speaking.bit_length() - 1
        bit, ports = 1 << i, bits[i]
        speaking ^= bit
        parts = {}
        for behind, own in found.items():
            here = own & ports if behind or bit & last else NONE
            if here:
                parts[behind | bit] = here
            if here != own:
                parts[behind] = own ^ here
        found = parts
    return sorted(found.items(), key=_first_port) if len(found) > 1 else found.items()


def _first_port(part: tuple[int, int]) -> int:
    return part[1] & -part[1]


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


def up_to(bits: int) -> int:
    """All bits up to the highest of some."""
    return (1 << bits.bit_length()) - 1
