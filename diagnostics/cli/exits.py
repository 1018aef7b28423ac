"""How the command line ends."""

from __future__ import annotations

from enum import IntEnum

from diagnostics.network.security import Verdict


class Exit(IntEnum):
    """Exit codes; docs/cli.md says what each command means by them."""

    GOOD = 0
    FOUND = 1
    BAD = 2
    UNKNOWN = 3

    @classmethod
    def of(cls, verdict: Verdict) -> Exit:
        """The code of a verdict."""
        return {Verdict.ALLOWED: cls.GOOD, Verdict.DENIED: cls.FOUND, Verdict.UNKNOWN: cls.UNKNOWN}[verdict]

    @classmethod
    def among(cls, *, found: bool, unknown: bool) -> Exit:
        """The code of a search: something was found, else something is not known, else nothing."""
        if found:
            return cls.FOUND
        return cls.UNKNOWN if unknown else cls.GOOD
