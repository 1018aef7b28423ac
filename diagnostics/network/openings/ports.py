"""Sets of ports as bits: between two borders that rules name, one bit stands for all ports."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter
from typing import Self

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate
from diagnostics.network.intervals import PORTS_TOP, Intervals, Span
from diagnostics.network.model import SecurityRule
from diagnostics.network.security import ports

NONE, ALL = 0, -1
"""No port, and every port: the bits behind the last border are all the same."""


_SOURCE_PORTS, _PORTS = attrgetter("source_ports"), attrgetter("destination_ports")


class Ports:
    """The ports that some rules tell apart."""

    def __init__(self, rules: Iterable[SecurityRule]) -> None:
        listed = list(rules)
        named = {*map(_SOURCE_PORTS, listed), *map(_PORTS, listed)}
        self._texts = {text for texts in named for text in texts}
        borders = {border for text in self._texts for first, last in _spans(text) for border in (first, last + 1)}
        self._begins = sorted((borders | {0}) - {PORTS_TOP + 1})
        self._sets: dict[int, Intervals] = {}
        self._bits: dict[tuple[Span, ...], int] = {}

    @classmethod
    def of(cls, estate: Estate) -> Self:
        """Those that the rules of an estate tell apart."""
        lists = [group.rules for group in estate.security_groups.values()]
        lists += [group.rules for groups in estate.effective_groups.values() for group in groups]
        own = [rule for rules in lists for rule in rules if rule.inbound]
        return cls([*own, *(each.rule for each in estate.admin_rules)])

    def tells(self, rules: Iterable[SecurityRule]) -> bool:
        """Whether it tells apart the ports of some rules."""
        known = self._texts
        return all(text in known for rule in rules for text in (*rule.source_ports, *rule.destination_ports))

    def add(self, known: Intervals) -> int:
        """The bits of a set whose borders rules name."""
        found = self._bits.get(known.spans)
        if found is None:
            found = sum(self._below(last + 1) - self._below(first) for first, last in known.spans)
            self._bits[known.spans] = found
        return found

    def __getitem__(self, bits: int) -> Intervals:
        found = self._sets.get(bits)
        if found is None:
            found = self._sets[bits] = Intervals(tuple(self._runs(bits)), PORTS_TOP)
        return found

    def _below(self, border: int) -> int:
        """What to take away for all ports from a border on; nothing where none is behind it."""
        return 1 << bisect_left(self._begins, border) if border <= PORTS_TOP else 0

    def _runs(self, bits: int) -> Iterable[Span]:
        start = 0
        while bits:
            zeros = (bits & -bits).bit_length() - 1
            bits >>= zeros
            ones = (~bits & -~bits).bit_length() - 1  # of all ones, none is behind the last
            begin, start = start + zeros, start + zeros + ones
            if ~bits == 0:
                yield self._begins[begin], PORTS_TOP
                return
            yield self._begins[begin], self._begins[start] - 1
            bits >>= ones


def _spans(text: str) -> tuple[Span, ...]:
    """The ports of a text; none where it cannot be read: then they are taken for all."""
    try:
        return ports((text,)).spans
    except ParseError:
        return ()
