"""Numbers in columns, and where they lie between cuts. A column of IPv6 addresses has two words a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.intervals import V4_TOP

type Ints = NDArray[np.int64]
type Words = NDArray[np.uint64]
type Bools = NDArray[np.bool_]
type Addresses = NDArray[np.integer]
"""IPv4: shape (n,), best as uint32. IPv6: shape (n, 2), uint64, the leading 64 bits first."""

_HALF = 2**64 - 1
_MOST_CELLS = 2**20
"""Cells of a table that is still faster than a search: beyond, it does not stay in the processor's cache."""


def addresses(numbers: Iterable[int], version: int) -> Addresses:
    """A column of addresses of one family, given as numbers."""
    if version == 4:
        return np.fromiter(numbers, np.uint32)
    halves = [(number >> 64, number & _HALF) for number in numbers]
    return np.array(halves, np.uint64).reshape(-1, 2)


def checked(column: NDArray[np.generic], name: str) -> Addresses:
    """A column as addresses; raises ValueError for what is neither a column of IPv4 nor of IPv6 addresses."""
    if column.ndim == 2 and column.shape[1] == 2 and column.dtype == np.uint64:
        return column.astype(np.uint64, copy=False)
    if column.ndim != 1 or column.dtype.kind not in "iu":
        raise ValueError(f"{name}: {column.dtype} of shape {column.shape} are no addresses")
    if column.dtype != np.uint32 and len(column) and not 0 <= int(column.min()) <= int(column.max()) <= V4_TOP:
        raise ValueError(f"{name}: not all are IPv4 addresses")
    return column.astype(np.uint32, copy=False)


def version_of(column: Addresses) -> int:
    """The family of a column of addresses."""
    return 4 if column.ndim == 1 else 6


class Cuts:
    """Ranges that cover all addresses of a family: which one an address lies in.

    An address is its two halves. Where a half is cut at all borders of ranges, all values between two cuts fare alike:
    so the range is looked up in a table, by the class of either half.

    Args:
        starts: where each range begins, in order; the first is 0.
    """

    def __init__(self, starts: Sequence[int], version: int) -> None:
        bits = 16 if version == 4 else 64
        halves = [(start >> bits, start & ((1 << bits) - 1)) for start in starts]
        # Behind a leading half in which ranges begin, other than with it, comes another class.
        inside = {high for high, low in halves if low}
        behind = {high + 1 for high in inside if high + 1 < 1 << bits}
        highs, lows = sorted({*behind, *(high for high, _ in halves)}), sorted({0, *(low for _, low in halves)})
        row, column = ({cut: place for place, cut in enumerate(cuts)} for cuts in (highs, lows))
        self._cells = np.array([row[high] * len(lows) + column[low] for high, low in halves])
        self._ranges = self._table(len(highs) * len(lows))
        divided = np.array([high in inside for high in highs])
        self._place = _four(highs, lows) if version == 4 else _six(highs, lows, divided)

    def find(self, column: Addresses) -> Ints:
        """For each address, the place of its range."""
        cells = self._place(column)
        found = np.searchsorted(self._cells, cells, "right") - 1 if self._ranges is None else self._ranges.take(cells)
        return found.astype(np.int64, copy=False)

    def _table(self, cells: int) -> NDArray[np.int32] | None:
        """The range of each pair of classes; none where these are so many that a search is faster."""
        if cells > _MOST_CELLS:
            return None
        ranges = np.arange(len(self._cells), dtype=np.int32)
        return ranges.repeat(np.diff(self._cells, append=cells))


def _four(highs: Sequence[int], lows: Sequence[int]) -> Callable[[Addresses], NDArray[np.int32]]:
    """The cell of an IPv4 address: for a half of 16 bits, a table says at once which class it is in."""
    size = 1 << 16
    rows = (np.arange(len(highs), dtype=np.int32) * np.int32(len(lows))).repeat(np.diff(highs, append=size))
    columns = np.arange(len(lows), dtype=np.int32).repeat(np.diff(lows, append=size))
    return lambda values: rows.take(values >> np.uint32(16)) + columns.take(values & np.uint32(0xFFFF))


def _six(highs: Sequence[int], lows: Sequence[int], divided: Bools) -> Callable[[Addresses], Ints]:
    """The cell of an IPv6 address. Few leading halves are divided: only there the other half is looked at."""
    first, second = np.array(highs[1:], np.uint64), np.array(lows[1:], np.uint64)

    def place(values: Addresses) -> Ints:
        rows = np.searchsorted(first, values[:, 0], "right")
        cells, further = rows * len(lows), np.flatnonzero(divided[rows])
        cells[further] += np.searchsorted(second, values[further, 1], "right")
        return cells

    return place
