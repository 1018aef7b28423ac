"""Elementary ranges: between two borders of the sets that rules name, all numbers fare alike, so one stands for all."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from diagnostics.network.estate import Point
from diagnostics.network.filters import Filters
from diagnostics.network.intervals import PORTS_TOP, V4_TOP, V6_TOP, Intervals, Span
from diagnostics.network.meaning import World
from diagnostics.network.path import Path
from diagnostics.network.prefixes import Address, AddressSet
from diagnostics.network.security import Terms


def elementary(sets: Iterable[Intervals], top: int) -> list[Span]:
    """The ranges of 0 to `top` that no set tells apart, in order."""
    starts = {0}
    for each in sets:
        for first, last in each:
            starts.add(first)
            starts.add(last + 1)
    ordered = sorted(start for start in starts if start <= top)
    return list(zip(ordered, [*(start - 1 for start in ordered[1:]), top], strict=True))


def terms_at(filters: Filters, point: Point, *, inbound: bool, world: World = World.BOUNDS) -> Iterator[Terms]:
    """The terms of every rule that speaks at an endpoint in a direction."""
    yield from (terms for _, terms in filters.admin_rules(point, inbound=inbound, world=world))
    for _, _, rules in filters.lists(point, inbound=inbound, world=world):
        yield from (terms for _, terms in rules or ())


def family(addresses: AddressSet, version: int) -> Intervals:
    """The part of a set in one address family."""
    return addresses.v4 if version == 4 else addresses.v6


def top_of(version: int) -> int:
    """The last address of a family, as a number."""
    return V4_TOP if version == 4 else V6_TOP


def port_cells(terms: Iterable[Terms]) -> tuple[list[Span], list[Span]]:
    """The elementary source ports and destination ports of rules."""
    listed = list(terms)
    sources = elementary((each.source_ports for each in listed), PORTS_TOP)
    return sources, elementary((each.destination_ports for each in listed), PORTS_TOP)


def address_at(number: int, version: int) -> Address:
    """The address with a number."""
    return ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)


def set_of(spans: Iterable[Span], version: int) -> AddressSet:
    """The addresses of ranges in one family."""
    v4, v6 = (spans, ()) if version == 4 else ((), spans)
    return AddressSet(Intervals.of(v4, V4_TOP), Intervals.of(v6, V6_TOP))


def for_all(path: Path, sample: Address) -> Path:
    """What was found for the one address that stands for many, said of all of them."""
    # The same digits may begin a prefix or be part of another address: those stay.
    alone = re.compile(rf"(?<![\w.:]){re.escape(str(sample))}(?![\w/:]|\.\d)")

    def said(text: str) -> str:
        return alone.sub("that address", text)

    because = (replace(r, text=said(r.text), missing=frozenset(map(said, r.missing))) for r in path.because)
    return replace(path, because=tuple(because))
