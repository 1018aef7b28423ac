"""Rows of codes over the endpoints of a fleet, as runs of columns that have the same code, and how rows combine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.network.fleet.bits import Bools, Ints, ragged

_COLUMN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows of codes; every row has a run that begins at column 0, and a run ends where the next one begins.

    Attributes:
        keys: row and column where each run begins, in one number (`row << 32 | column`), ascending.
        codes: the code of each run.
        begin: the first run of each row, and one number more.
        columns: how many columns every row has.
    """

    keys: Ints
    codes: Ints
    begin: Ints
    columns: int

    def __len__(self) -> int:
        return len(self.begin) - 1

    @property
    def lengths(self) -> Ints:
        """How many columns each run has."""
        first = self.keys & _COLUMN
        ends = np.append(first[1:], 0)
        ends[self.begin[1:] - 1] = self.columns
        found: Ints = ends - first
        return found

    def at(self, rows: Ints, columns: Ints) -> Ints:
        """The codes at places, one for each row and column."""
        return self.codes[self.runs_at(rows, columns)]

    def runs_at(self, rows: Ints, columns: Ints) -> Ints:
        """The numbers of the runs at places."""
        return np.searchsorted(self.keys, rows << 32 | columns, "right") - 1

    def row(self, row: int) -> Ints:
        """The codes of a whole row, one for each column."""
        first, end = self.begin[row : row + 2]
        return np.repeat(self.codes[first:end], self.lengths[first:end])

    def expanded(self, rows: Ints) -> tuple[Ints, Ints]:
        """All runs of some rows, row after row, and which of the rows each belongs to."""
        return ragged(self.begin[rows], self.begin[rows + 1] - self.begin[rows])

    def coded(self, change: Callable[[Ints], Ints]) -> Runs:
        """The same rows in other codes; runs that get the same code become one."""
        return made(self.keys, change(self.codes), self.columns)


def made(keys: Ints, codes: Ints, columns: int) -> Runs:
    """Rows from their runs; neighbours in a row that have the same code become one."""
    apart = np.ones(len(keys), np.bool_)
    apart[1:] = (codes[1:] != codes[:-1]) | ((keys[1:] & _COLUMN) == 0)
    keys, codes = keys[apart], codes[apart]
    starts = np.flatnonzero((keys & _COLUMN) == 0)
    return Runs(keys, codes, np.append(starts, len(keys)), columns)


type Turns = tuple[Ints, Ints]
"""A row: the columns where its code turns, ascending from 0, and the codes that it turns to."""


def turns(codes: Ints, first: int = 0) -> Turns:
    """A stretch of a row that is given column by column, from its first column on."""
    at = np.append(0, np.flatnonzero(codes[1:] != codes[:-1]) + 1)
    return at + first, codes[at].astype(np.int64)


def rows_of(rows: Iterable[Turns], columns: int) -> Runs:
    """Rows, one below the other."""
    keys: list[Ints] = []
    codes: list[Ints] = []
    for number, (at, turned) in enumerate(rows):
        keys.append(number << 32 | at)
        codes.append(turned)
    return made(np.concatenate(keys), np.concatenate(codes), columns)


def merged(
    one: Runs, one_rows: Ints, other: Runs, other_rows: Ints, combine: Callable[[Ints, Ints], Ints]
) -> tuple[Runs, Ints]:
    """Rows of two kinds laid over each other, pair by pair.

    Args:
        one: rows of one kind.
        one_rows: which of them meet others; pairs may repeat.
        other: rows of the other kind.
        other_rows: which of them they meet.
        combine: the codes of both, where they meet, to one code.

    Returns:
        A row for each different pair, and which of them each given pair has.
    """
    pairs, index = distinct(one_rows * len(other) + other_rows)
    mine, theirs = np.divmod(pairs, len(other))
    my_runs, my_owner = one.expanded(mine)
    their_runs, their_owner = other.expanded(theirs)
    mine_at = my_owner << 32 | (one.keys[my_runs] & _COLUMN)
    theirs_at = their_owner << 32 | (other.keys[their_runs] & _COLUMN)
    keys = _either(mine_at, theirs_at) if len(pairs) else np.zeros(0, np.int64)
    my_codes = one.codes[my_runs[np.searchsorted(mine_at, keys, "right") - 1]]
    their_codes = other.codes[their_runs[np.searchsorted(theirs_at, keys, "right") - 1]]
    return made(keys, combine(my_codes, their_codes), one.columns), index


def stacked(parts: Sequence[Runs]) -> Runs:
    """Rows of several kinds below each other."""
    offsets = np.cumsum([0, *(len(part) for part in parts)])
    keys = np.concatenate([part.keys + (int(offset) << 32) for part, offset in zip(parts, offsets[:-1], strict=True)])
    return made(keys, np.concatenate([part.codes for part in parts]), parts[0].columns)


def distinct(numbers: Ints) -> tuple[Ints, Ints]:
    """The different numbers, ascending, and which of them each one is."""
    different, index = np.unique(numbers, return_inverse=True)
    return different, index.reshape(-1)


def changes(values: Ints) -> Bools:
    """Where a list differs from what stands before; the first always does."""
    differ = np.ones(len(values), np.bool_)
    differ[1:] = values[1:] != values[:-1]
    return differ


def _either(one: Ints, other: Ints) -> Ints:
    """The numbers of two ascending rows, each once; a stable sort only merges what is in order already."""
    both = np.sort(np.concatenate([one, other]), kind="stable")
    kept: Ints = both[np.append(True, both[1:] != both[:-1])] if len(both) else both
    return kept
