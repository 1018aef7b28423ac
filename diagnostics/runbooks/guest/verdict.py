"""What a guest's own firewall says to a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it blocks.

    Attributes:
        rule: what decides, in words; with its name where it has one.
        name: of the rule, where it has one.
        sure: whether nothing that may decide otherwise was passed over.
    """

    blocks: bool
    rule: str
    name: str = ""
    sure: bool = True
