"""Rows of bits, packed: sets of columns as 64-bit words and bytes, the lowest bit first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

type Ints = NDArray[np.int64]
type Words = NDArray[np.uint64]
type Bytes = NDArray[np.uint8]
type Bools = NDArray[np.bool_]

_TURNS = tuple(
    (np.uint64(shift), np.uint64(mask))
    for shift, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0))
)
_DOUBLINGS = tuple(np.uint64(1 << power) for power in range(6))


def width(columns: int) -> int:
    """How many bytes a row of so many bits takes: whole words."""
    return -(-columns // 64) * 8


def from_turns(count: int, row: Ints, column: Ints, columns: int) -> Bytes:
    """Packed rows, each a set of runs: every run begins, and ends, where a row turns.

    Args:
        count: how many rows.
        row: the row of each turn, ascending.
        column: its column, ascending in each row and below `columns`.
        columns: how many columns a row has.
    """
    words = width(columns) // 8
    bits = np.zeros(count * words, np.uint64)
    if len(row):
        place = row * words + (column >> 6)
        first = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
        marks = np.left_shift(np.uint64(1), (column & 63).astype(np.uint64))
        bits[place[first]] = np.bitwise_xor.reduceat(marks, first)
    return _filled(bits.reshape(count, words), columns)


def _filled(marks: Words, columns: int) -> Bytes:
    """Between a mark and the next one, every bit is set."""
    for shift in _DOUBLINGS:
        marks ^= marks << shift
    carry = np.bitwise_xor.accumulate(marks >> np.uint64(63), axis=1)
    marks[:, 1:] ^= np.negative(carry[:, :-1])
    if columns % 64:
        marks[:, -1] &= np.uint64((1 << columns % 64) - 1)
    return marks.view(np.uint8)


def transposed(block: Bytes) -> Bytes:
    """Rows become columns: of a block of 8n rows of m bytes, one of 8m rows of n bytes.

    Eight rows of a byte each are one word, turned in three exchanges of bits.
    """
    rows, length = block.shape
    tiles = np.ascontiguousarray(block.reshape(rows // 8, 8, length).transpose(2, 0, 1)).view(np.uint64)
    for shift, mask in _TURNS:
        exchange = (tiles ^ (tiles >> shift)) & mask
        tiles ^= exchange ^ (exchange << shift)
    turned = tiles.view(np.uint8).reshape(length, rows // 8, 8)
    return np.ascontiguousarray(turned.transpose(0, 2, 1)).reshape(length * 8, rows // 8)


def ragged(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """The numbers `first[i] … first[i] + count[i] - 1` of every i in turn, and which i each belongs to."""
    owner = np.repeat(np.arange(len(first)), count)
    begin = np.cumsum(count) - count
    return np.arange(len(owner)) - begin[owner] + first[owner], owner
