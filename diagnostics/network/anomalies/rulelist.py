"""A list of rules in the order Azure goes through them, and what each of them is there for.

Flows are of four kinds: IPv4 or IPv6 at both ends, with ports (Tcp, Udp) or without (Icmp, Esp, Ah, …). Among flows of
one kind, what a rule matches is a product: of its protocols, its addresses at both ends and, where there are any, its
ports. Flows of which the two ends are of different families do not exist, so they keep no rule alive.

Source: "Azure Virtual Network FAQ" (which protocols there are: TCP, UDP, ICMP, ESP and AH) and "Network security groups
overview" (a rule names one of them, or any). A protocol that a rule names and nobody knows is one more, without ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import and_
from typing import Self

from diagnostics.network.anomalies.classes import Slice, slices
from diagnostics.network.anomalies.reading import ANY, Part, Reading
from diagnostics.network.anomalies.search import Search

_WITH_PORTS = ("tcp", "udp")
_WITHOUT_PORTS = ("icmp", "esp", "ah")

type Product = tuple[Sequence[Slice], int, int]
"""A rule among flows of one kind: its classes in each dimension, the rules that match some of its flows, and all."""


class Fate(StrEnum):
    """What a rule is there for."""

    NEEDED = "needed"
    """Without it, some flow would end otherwise."""
    REDUNDANT = "redundant"
    """It decides some flows; without it, all of them would end the same."""
    DEAD = "dead"
    """It decides no flow."""


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

    def takers(self, rule: int) -> int:
        """The rules before a rule that decide some of the flows that it matches, as bits."""
        before = (1 << rule) - 1
        return self._firsts(rule, before | 1 << self.count, before)

    def heirs(self, rule: int) -> int:
        """The rules behind a rule that would decide some of its flows without it, as bits."""
        others = ((2 << self.count) - 1) ^ (1 << rule)
        return self._firsts(rule, others, others & -(1 << rule))

    def holding(self, rule: int) -> int:
        """The rules that match every flow that a rule matches, as bits."""
        return reduce(and_, (every for _, _, every in self.products[rule]), -1)

    def _firsts(self, rule: int, others: int, wanted: int) -> int:
        found = 0
        for dimensions, some, every in self.products[rule]:
            found |= Search(dimensions, others & some, every).firsts(wanted & ~found)
        return found


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
    named = {reading.protocol for reading in readings} - {ANY, *_WITH_PORTS, *_WITHOUT_PORTS}
    portless = _protocols(readings, (*_WITHOUT_PORTS, *sorted(named)))
    carrying = _protocols(readings, _WITH_PORTS)
    ports = slices([each.source_ports for each in readings]), slices([each.destination_ports for each in readings])
    v4 = slices([each.sources.v4 for each in readings]), slices([each.destinations.v4 for each in readings])
    v6 = slices([each.sources.v6 for each in readings]), slices([each.destinations.v6 for each in readings])
    yield from ((carrying, *v4, *ports), (carrying, *v6, *ports), (portless, *v4), (portless, *v6))


def _protocols(readings: Sequence[Reading], names: Sequence[str]) -> Sequence[Slice]:
    """The classes of protocols, which are numbered in the order of their names."""
    numbers = {ANY: Part(((0, len(names) - 1),))} | {name: Part(((i, i),)) for i, name in enumerate(names)}
    return slices([numbers.get(reading.protocol, Part()) for reading in readings])
