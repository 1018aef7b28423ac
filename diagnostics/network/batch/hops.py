"""The next hops of many addresses at once."""

from __future__ import annotations

import numpy as np

from diagnostics.network.batch.columns import Addresses, Cuts, Ints, checked, version_of
from diagnostics.network.routing import Table

_AT_ONCE = 2**16
"""Addresses whose columns stay in the processor's cache."""


def next_hops(table: Table, addresses: Addresses) -> Ints:
    """For each address, the place of its next hop in `table.hops`.

    Args:
        table: of the family of the addresses.
        addresses: IPv4: integers, shape (n,), best as uint32. IPv6: uint64, shape (n, 2), the leading 64 bits first.

    Raises:
        ValueError: these are no addresses.
    """
    column = checked(addresses, "addresses")
    cuts, found = Cuts(table.starts, version_of(column)), np.empty(len(column), np.int64)
    for begin in range(0, len(column), _AT_ONCE):
        rows = slice(begin, begin + _AT_ONCE)
        found[rows] = cuts.find(column[rows])
    return found
