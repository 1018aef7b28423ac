"""What a rule of a list is there for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Fate(StrEnum):
    """What a rule is there for."""

    NEEDED = "needed"
    """Without it, some flow would end otherwise."""
    REDUNDANT = "redundant"
    """It decides some flows; without it, all of them would end the same."""
    DEAD = "dead"
    """It decides no flow."""


class Role(msgspec.Struct, frozen=True, gc=False):
    """What a rule does in its list.

    Attributes:
        takers: the rules before it that decide some of the flows that it matches, in order.
        heirs: if it is redundant, the rules behind it that would decide some of its flows without it, in order.
    """

    fate: Fate
    takers: Sequence[int]
    heirs: Sequence[int] = ()
