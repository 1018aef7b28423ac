"""Sets of ports, or of the addresses of both families on one line, as the numbers where they begin and are over."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import batched

from diagnostics.network.intervals import V4_TOP, Span
from diagnostics.network.prefixes import AddressSet, read_prefix

type Edges = tuple[int, ...]
"""Sorted, disjoint ranges of numbers: where each begins and where it is over, in turn."""

V6_BEGIN = V4_TOP + 2
"""Where IPv6 begins on one line of numbers with IPv4: no range reaches from one into the other."""


def of_spans(spans: Iterable[Span], begin: int = 0) -> Edges:
    """Sorted, disjoint ranges, told from where the line begins for them."""
    if not begin:  # then a range begins with a number that is there already
        return tuple([edge for first, last in spans for edge in (first, last + 1)])
    return tuple([edge + begin for first, last in spans for edge in (first, last + 1)])


def of_addresses(addresses: AddressSet) -> Edges:
    """The addresses of both families; mostly there are none of IPv6."""
    v4, v6 = addresses.v4.spans, addresses.v6.spans
    return of_spans(v4) + of_spans(v6, V6_BEGIN) if v6 else of_spans(v4)


@lru_cache(maxsize=1 << 16)
def plain_edges(text: object) -> Edges | None:
    """The addresses of a prefix; None for what is none."""
    found = read_prefix(text) if isinstance(text, str) else None
    return None if found is None else of_addresses(found)


def merged(pieces: Sequence[Edges]) -> Edges:
    """All that is in any of the pieces."""
    if len(pieces) == 1:
        return pieces[0]
    # Most are of one range, and need not be taken apart.
    spans = [span for piece in pieces for span in ((piece,) if len(piece) == 2 else batched(piece, 2, strict=True))]
    spans.sort()
    found: list[int] = []
    for first, end in spans:
        if not found or first > found[-1]:
            found += (first, end)
        elif end > found[-1]:
            found[-1] = end
    return tuple(found)


def covers(outer: Edges, inner: Edges) -> bool:
    """Whether all of a set lies in another."""
    if not inner:
        return True
    if not outer or inner[0] < outer[0] or outer[-1] < inner[-1]:  # mostly its ends tell already that it does not
        return False
    for first, end in batched(inner, 2, strict=True):
        place = bisect_right(outer, first)
        # An odd place is inside of a range; what begins there has to be over with it.
        if not place & 1 or end > outer[place]:
            return False
    return True


EVERYWHERE = of_addresses(AddressSet.all())
