"""The marks that lines of plain output begin with."""

from __future__ import annotations

from enum import StrEnum

from diagnostics.network.security import Verdict


class Mark(StrEnum):
    """What stands before a line: good, bad, not known, worth a look, or good to know."""

    GOOD = "✓"
    BAD = "✗"
    UNKNOWN = "?"
    NOTE = "!"
    INFO = "·"

    @classmethod
    def of(cls, verdict: Verdict) -> Mark:
        """The mark of a verdict."""
        return {Verdict.ALLOWED: cls.GOOD, Verdict.DENIED: cls.BAD, Verdict.UNKNOWN: cls.UNKNOWN}[verdict]
