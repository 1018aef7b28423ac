"""A list of rules in the order Azure goes through them, and what each of them is there for.

Flows are of four kinds: IPv4 or IPv6 at both ends, with ports (Tcp, Udp) or without (Icmp, Esp, Ah, …). Among flows of
one kind, what a rule matches is a product: of its protocols, its addresses at both ends and, where there are any, its
ports. Flows of which the two ends are of different families do not exist, so they keep no rule alive.

Source: "Azure Virtual Network FAQ" (which protocols there are: TCP, UDP, ICMP, ESP and AH) and "Network security groups
overview" (a rule names one of them, or any). A protocol that a rule names and nobody knows is one more, without ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from diagnostics.network.anomalies.axes import Addresses, services
from diagnostics.network.anomalies.boxes import MOST, Boxes
from diagnostics.network.anomalies.classes import Slice, slices
from diagnostics.network.anomalies.edges import Edges
from diagnostics.network.anomalies.fate import Fate, Role
from diagnostics.network.anomalies.reading import (
    ANY,
    WITH_PORTS,
    WITHOUT_PORTS,
    Line,
    Part,
    Reader,
    Reading,
    Said,
)
from diagnostics.network.anomalies.search import Search

type Product = tuple[Sequence[Slice], int, int]
"""A rule among flows of one kind: its classes in each dimension, the rules that match some of its flows, and all."""


_FEW = 200  # among more rules, a search is faster than to compare each with each


@dataclass(frozen=True, slots=True)
class RuleList:
    """Rules in order. A flow that none of them matches is denied, as by the last default rule.

    Where a name is not known exactly, a flow counts that exists for some truth about it: what is said never to happen
    never happens, whatever the name stands for. The same name is the same set in every rule. Two shortcuts make more
    possible than is, so that a rule may go untold, but never wrongly told: two names are taken to know nothing of each
    other, and an address may be in a name as source and outside of it as destination of the same flow.

    Attributes:
        count: how many rules there are; bit `count` is that last rule.
        allowing: the rules that allow, as bits.
        products: for each rule, what it matches, for each kind of flows of which it matches any.
    """

    count: int
    allowing: int
    products: Sequence[Sequence[Product]]

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> Self:
        """The list of these rules."""
        ended = [*readings, Reading(allows=False)]
        allowing = sum(1 << number for number, reading in enumerate(ended) if reading.allows)
        kinds = [zip(*kind, strict=True) for kind in _kinds(ended)]
        return cls(len(readings), allowing, [_products(of_rule) for of_rule in zip(*kinds, strict=True)])

    def fate(self, rule: int) -> Fate:
        """What a rule is there for."""
        bit, end = 1 << rule, 1 << self.count
        others, before = (end << 1) - 1 ^ bit, bit - 1
        # Most dead rules are so because one other takes all of their flows of a kind: that is told without a search.
        if not (open_ := [product for product in self.products[rule] if not product[2] & before]):
            return Fate.DEAD
        contrary = ~self.allowing if self.allowing & bit else self.allowing
        if _finds(open_, others, others & ~before & contrary):
            return Fate.NEEDED
        return Fate.REDUNDANT if _finds(open_, before | end, end) else Fate.DEAD

    def role(self, rule: int) -> Role:
        """What a rule does."""
        fate = self.fate(rule)
        return Role(fate, self.takers(rule), self.heirs(rule) if fate is Fate.REDUNDANT else ())

    def takers(self, rule: int) -> list[int]:
        """The rules before a rule that decide some of the flows that it matches, in order."""
        before = (1 << rule) - 1
        return self._firsts(rule, before | 1 << self.count, before)

    def heirs(self, rule: int) -> list[int]:
        """The rules behind a rule that would decide some of its flows without it, in order."""
        end = 1 << self.count
        behind = end - (2 << rule)
        return self._firsts(rule, end * 2 - 1 ^ 1 << rule, behind)

    def within(self, inner: int, outer: int) -> bool:
        """Whether a rule matches every flow that another one, the inner, matches."""
        return all(every >> outer & 1 for _, _, every in self.products[inner])

    def _firsts(self, rule: int, others: int, wanted: int) -> list[int]:
        found = 0
        for dimensions, some, every in self.products[rule]:
            found |= Search(dimensions, others & some, every).firsts(wanted & ~found)
        return list(_numbers(found))


class Rules:
    """Rules in order, each looked at in the way that suits it: by boxes, or by a search where there are too many."""

    def __init__(self, said: Said, reader: Reader, boxes: Boxes | None) -> None:
        self._said, self._reader, self._boxes = said, reader, boxes

    @classmethod
    def of(
        cls, said: Said, reader: Reader, addresses: Addresses, services: Sequence[int] | None, most: int = MOST
    ) -> Self:
        """The list of rules.

        Args:
            said: what the rules say.
            reader: reads it where that has to be done rule by rule.
            addresses: the addresses of both ends.
            services: the services of each rule, if they are few enough to tell their classes.
            most: how many boxes the flows of a rule may fall into.
        """
        if services is None or len(services) > _FEW:
            return cls(said, reader, None)
        return cls(said, reader, Boxes.of(said, addresses, services, most))

    def role(self, rule: int) -> Role:
        """What a rule does."""
        return self._boxed(rule) or self._searched.role(rule)

    def brief(self, rule: int, *, conflicts: bool) -> Role:
        """The same, perhaps without the takers of a rule that is needed, where they make for no conflict with it.

        Args:
            rule: the rule.
            conflicts: whether there can be any: rules before it that say the contrary, and not only of its flows.
        """
        return (self._boxes and self._boxes.brief(rule, conflicts=conflicts)) or self._searched.role(rule)

    def fate(self, rule: int) -> Fate:
        """What a rule is there for."""
        role = self._boxed(rule)
        return role.fate if role else self._searched.fate(rule)

    def within(self, inner: int, outer: int) -> bool:
        """Whether a rule matches every flow that another one, the inner, matches."""
        return (self._boxes or self._searched).within(inner, outer)

    def _boxed(self, rule: int) -> Role | None:
        return self._boxes.role(rule) if self._boxes else None

    @cached_property
    def _searched(self) -> RuleList:
        return RuleList.of(self._reader.readings(self._said))


def listed(said: Said, reader: Reader, most: int = MOST) -> Rules:
    """Rules in order, by the way that suits them. Raises ParseError and PermanentError as a reader does."""
    if len(said.allowing) > _FEW:
        return Rules(said, reader, None)
    (held,) = services([said], None)
    return Rules.of(said, reader, Addresses([said], reader), held, most)


def _finds(products: Sequence[Product], others: int, wanted: int) -> bool:
    return any(Search(dimensions, others & some, every).finds(wanted) for dimensions, some, every in products)


def _products(kinds: Sequence[Sequence[Slice]]) -> list[Product]:
    """Of a rule's classes in each dimension, for each kind of flows."""
    found: list[Product] = []
    for dimensions in kinds:
        some = every = -1
        for each in dimensions:
            if not (some := some & each.some):
                break
            every &= each.every
        else:
            found.append((dimensions, some, every))
    return found


def _kinds(readings: Sequence[Reading]) -> Iterator[Sequence[Sequence[Slice]]]:
    """For each kind of flows, its dimensions."""
    named = {reading.protocol for reading in readings} - {ANY, *WITH_PORTS, *WITHOUT_PORTS}
    portless = _protocols(readings, (*WITHOUT_PORTS, *sorted(named)))
    carrying = _protocols(readings, WITH_PORTS)
    ports = (
        slices(_families(each.source_ports for each in readings)[0]),
        slices(_families(each.destination_ports for each in readings)[0]),
    )
    sources = _families(each.sources for each in readings)
    destinations = _families(each.destinations for each in readings)
    v4, v6 = zip(map(slices, sources), map(slices, destinations), strict=True)
    yield from ((carrying, *v4, *ports), (carrying, *v6, *ports), (portless, *v4), (portless, *v6))


def _families(lines: Iterable[Line]) -> tuple[list[Part], list[Part]]:
    """What each matches of IPv4, or of ports, and of IPv6; many rules match the same."""
    known: dict[tuple[Edges, ...], tuple[Part, Part]] = {}
    found: list[tuple[Part, Part]] = []
    for line in lines:
        parts = None if line.doubts else known.get(line.pieces)
        if parts is None:
            parts = line.families
            if not line.doubts:
                known[line.pieces] = parts
        found.append(parts)
    return [v4 for v4, _ in found], [v6 for _, v6 in found]


def _protocols(readings: Sequence[Reading], names: Sequence[str]) -> Sequence[Slice]:
    """The classes of protocols, which are numbered in the order of their names."""
    numbers = {ANY: Part(((0, len(names) - 1),))} | {name: Part(((i, i),)) for i, name in enumerate(names)}
    return slices([numbers.get(reading.protocol, Part()) for reading in readings])


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
