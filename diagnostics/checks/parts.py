"""How an audit may be parted among several processes: what belongs together, and what goes NSG by NSG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.checks.catalogue import Check

_BY_NSG = frozenset(f"NSG{number:03}" for number in (3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 18, 19, 20, 21, 22, 23))
"""Checks of the rules of each NSG by itself: whoever makes them looks at some NSGs, and somebody else at the others."""

_TOGETHER = ("INT", "EXP")
"""Families that share what they work out, and it is much: what the internet gets in to."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The checks of an audit.

    Attributes:
        by_nsg: those that may be made of some NSGs here, and of others there.
        whole: all others, those together that share what they work out; no part is empty.
    """

    by_nsg: Sequence[Check]
    whole: Sequence[Sequence[Check]]


def parts(made: Sequence[Check]) -> Parts:
    """The checks of an audit, parted."""
    by_nsg = [each for each in made if each.id in _BY_NSG]
    together = [each for each in made if each.id.startswith(_TOGETHER)]
    told = {each.id for each in (*by_nsg, *together)}
    return Parts(by_nsg, [part for part in (together, [each for each in made if each.id not in told]) if part])
