"""Checks that look at an estate for the same things: an audit by several processes keeps them together."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.checks.catalogue import Check

_TOGETHER = (("NSG",), ("INT", "EXP"))
"""Letters of families: the order of rules and what else NSGs say; what the internet gets in to. What takes longest is
first. All others take little, whatever they share."""


def parts(made: Sequence[Check]) -> list[list[Check]]:
    """The checks, those together that share what they work out; no part is empty, and what takes longest is first."""
    some = [[each for each in made if each.id.startswith(letters)] for letters in _TOGETHER]
    told = {each.id for part in some for each in part}
    return [part for part in (*some, [each for each in made if each.id not in told]) if part]
