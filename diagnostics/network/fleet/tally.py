"""How many pairs are allowed and denied: by the lengths of runs where the destination has no say, else bit by bit."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from diagnostics.network.fleet.bits import Bools, Bytes, Ints, from_turns, ragged, transposed
from diagnostics.network.fleet.codes import Code
from diagnostics.network.fleet.rules import Rows
from diagnostics.network.fleet.runs import Runs, distinct

_WINDOW = 512  # destinations that are looked at together
_CHUNK = 8_192  # sources of those

_TURNING = (Code.ARRIVES, Code.DOUBTED, Code.SPLIT)


def tally(sources: Rows, ends: Rows) -> tuple[int, int]:
    """How many pairs are allowed and denied; what only `Reach` can tell is neither.

    Args:
        sources: what becomes of the flows of every source.
        ends: what every destination makes of what is delivered there.
    """
    weights = np.bincount(sources.index, minlength=len(sources.runs))[sources.runs.keys >> 32] * sources.runs.lengths
    allowed, denied = (int(weights[sources.runs.codes == code].sum()) for code in (Code.ALLOWED, Code.DENIED))
    for window, concerned in _windows(sources):
        for start in range(0, len(concerned), _CHUNK):
            some = concerned[start : start + _CHUNK]
            passing = _Tile(sources, some, window)
            ending = _Tile(ends, window, some)
            allowed += passing.meet(ending, (Code.ARRIVES, Code.SPLIT), Code.ALLOWED)
            denied += passing.meet(ending, (Code.ARRIVES, Code.DOUBTED), Code.DENIED)
    return allowed, denied


def _windows(sources: Rows) -> Iterator[tuple[Ints, Ints]]:
    """Destinations next to each other, and the sources whose flows to any of them may be delivered."""
    runs = sources.runs
    chosen = np.flatnonzero(np.isin(runs.codes, _TURNING))
    first = (runs.keys[chosen] & 0xFFFFFFFF) // _WINDOW
    last = ((runs.keys[chosen] & 0xFFFFFFFF) + runs.lengths[chosen] - 1) // _WINDOW
    window, which = ragged(first, last - first + 1)
    pairs, _ = distinct(window * len(runs) + (runs.keys[chosen] >> 32)[which])
    windows, rows = np.divmod(pairs, len(runs))
    for each in distinct(windows)[0]:
        marks = np.zeros(len(runs), np.bool_)
        marks[rows[windows == each]] = True
        columns = np.arange(each * _WINDOW, min((each + 1) * _WINDOW, runs.columns))
        yield columns, np.flatnonzero(marks[sources.index])


class _Tile:
    """Some endpoints' rows, cut down to some columns."""

    def __init__(self, rows: Rows, chosen: Ints, columns: Ints) -> None:
        self._runs, self._columns = rows.runs, columns
        self._rows, self._index = distinct(rows.index[chosen])
        first = rows.runs.runs_at(self._rows, columns[:1])
        count = rows.runs.runs_at(self._rows, columns[-1:]) - first + 1
        self._parts, self._owner = ragged(first, count)
        self._begin = np.cumsum(count) - count

    def marked(self, codes: Collection[int]) -> Bytes:
        """Where one of the codes is, as packed bits: a row for each endpoint."""
        inside: Bools = np.isin(self._runs.codes[self._parts], list(codes))
        turns = inside.copy()
        turns[1:] ^= inside[:-1]
        turns[self._begin] = inside[self._begin]
        at = np.searchsorted(self._columns, self._runs.keys[self._parts] & 0xFFFFFFFF)
        at[self._begin] = 0
        kept = turns & (at < len(self._columns))
        return from_turns(len(self._rows), self._owner[kept], at[kept], len(self._columns))[self._index]

    def meet(self, ends: _Tile, codes: Collection[int], end: Code) -> int:
        """How many pairs have one of the codes, and the destination's end."""
        passing, ending = self.marked(codes), ends.marked((end,))
        short = -len(ending) % 64
        turned = transposed(np.pad(ending, ((0, short), (0, 0))))
        return int(np.bitwise_count(passing & turned[: len(passing)]).sum())


def rows_with(runs: Runs, codes: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """The runs of some codes: row, first column, and behind the last."""
    for run in np.flatnonzero(np.isin(runs.codes, list(codes))):
        first = int(runs.keys[run] & 0xFFFFFFFF)
        yield int(runs.keys[run] >> 32), first, first + int(runs.lengths[run])
