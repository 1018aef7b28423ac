"""The endpoints of a fleet in the order of their addresses, so that a range of addresses is a range of endpoints."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from diagnostics.network.estate import Estate, Point
from diagnostics.network.fleet.bits import Bools
from diagnostics.network.intervals import V4_TOP
from diagnostics.network.prefixes import AddressSet, address_of, read_prefix

type Ranges = tuple[tuple[int, int], ...]
"""Positions of endpoints, first and behind the last: sorted, apart from each other, none of them empty."""

_OCTETS = {str(number): number for number in range(256)}
_LENGTHS = {str(number): number for number in range(33)}


class Universe:
    """Every endpoint with an address, IPv4 before IPv6.

    Attributes:
        points: the endpoints in the order of their addresses.
        apart: those that have no address; their positions come after all others.
        split: how many endpoints have an IPv4 address.
    """

    def __init__(self, estate: Estate) -> None:
        placed, apart = [], []
        for number, point in enumerate(estate.points):
            if (place := _number(point.configuration.address)) is not None:
                placed.append((place, number, point))
            else:
                apart.append(point)
        placed.sort()
        self.points: tuple[Point, ...] = tuple(point for _, _, point in placed)
        self.apart = tuple(apart)
        addresses = [place for place, _, _ in placed]
        self.split = bisect_left(addresses, (6, 0))
        self._v4 = [address for _, address in addresses[: self.split]]
        self._v6 = [address for _, address in addresses[self.split :]]
        self._prefixes: dict[str, Ranges | None] = {}

    def __len__(self) -> int:
        return len(self.points)

    def number(self, position: int) -> int:
        """The address of an endpoint, as a number."""
        return self._v4[position] if position < self.split else self._v6[position - self.split]

    def holds(self, addresses: AddressSet) -> Ranges:
        """The endpoints with one of the addresses."""
        return joined([*(self._v4_range(*span) for span in addresses.v4), *(self._v6_range(*s) for s in addresses.v6)])

    def prefix(self, text: str) -> Ranges | None:
        """The endpoints with an address in a prefix; None where the text is no prefix."""
        if text not in self._prefixes:
            self._prefixes[text] = self._read(text)
        return self._prefixes[text]

    def marked(self, addresses: AddressSet) -> Bools:
        """Of every endpoint, whether it has one of the addresses."""
        marks = np.zeros(len(self), np.bool_)
        for first, end in self.holds(addresses):
            marks[first:end] = True
        return marks

    def position(self, point: Point) -> int:
        """Where an endpoint is; raises KeyError for one that is not of this estate."""
        return self._positions[point.nic.id.key, point.configuration.name, point.configuration.address]

    @cached_property
    def _positions(self) -> dict[tuple[str, str, str | None], int]:
        everyone = enumerate((*self.points, *self.apart))
        return {(p.nic.id.key, p.configuration.name, p.configuration.address): number for number, p in everyone}

    def within(self, text: str) -> Iterator[int]:
        """The endpoints with an address in a prefix, one by one; none where the text is no prefix."""
        return (position for first, end in self.prefix(text) or () for position in range(first, end))

    def starts(self, numbers: Iterable[int], version: int) -> list[int]:
        """Where the endpoints with these addresses or later ones begin."""
        if version == 4:
            return [bisect_left(self._v4, number) for number in numbers]
        return [self.split + bisect_left(self._v6, number) for number in numbers]

    def _read(self, text: str) -> Ranges | None:
        """Prefixes are many, and nearly all of them are plain: those are read without further ado."""
        address, slash, length = text.partition("/")
        bits = _LENGTHS.get(length) if slash else 32
        number = _v4(address)
        if number is None or bits is None:
            known = read_prefix(text)
            return None if known is None else self.holds(known)
        rest = V4_TOP >> bits
        return joined([self._v4_range(number & ~rest, number | rest)])

    def _v4_range(self, first: int, last: int) -> tuple[int, int]:
        return bisect_left(self._v4, first), bisect_right(self._v4, last)

    def _v6_range(self, first: int, last: int) -> tuple[int, int]:
        return self.split + bisect_left(self._v6, first), self.split + bisect_right(self._v6, last)


def joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges in one form: sorted, joined where they meet or overlap, without empty ones."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if first == end:
            continue
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((first, end))
    return tuple(found)


def _number(text: str | None) -> tuple[int, int] | None:
    """Family and number of an address."""
    if text and (number := _v4(text)) is not None:
        return 4, number
    address = address_of(text)
    return (address.version, int(address)) if address else None


def _v4(text: str) -> int | None:
    """An IPv4 address in its usual form; None for anything else."""
    parts = text.split(".")
    if len(parts) != 4:
        return None
    try:
        a, b, c, d = (_OCTETS[part] for part in parts)
    except KeyError:
        return None
    return a << 24 | b << 16 | c << 8 | d
