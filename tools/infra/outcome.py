"""What a check came to, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_WIDTHS = (16, 12, 44)


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check of one tool.

    Attributes:
        what: what the tool looked at.
        note: a few words for the table: what was counted, or why the check was skipped.
        output: what the tool said, told where the check failed or has something to tell all the same.
        wanted: whether a strict run fails when this check is skipped.
    """

    tool: str
    version: str
    what: str
    result: Result
    note: str = ""
    output: str = ""
    wanted: bool = True

    def __str__(self) -> str:
        """Its line of the table."""
        cells = (text.ljust(width) for text, width in zip((self.tool, self.version, self.what), _WIDTHS, strict=True))
        return " ".join([*cells, f"{self.result}: {self.note}" if self.note else self.result]).rstrip()


HEADER = (
    " ".join(text.ljust(width) for text, width in zip(("tool", "version", "what"), _WIDTHS, strict=True)) + " result"
)


def skipped(tool: str, what: str, why: str, *, version: str = "-", wanted: bool = True) -> Outcome:
    """A check that was not made."""
    return Outcome(tool, version, what, Result.SKIPPED, why, wanted=wanted)


def judged(tool: str, version: str, what: str, wrong: Iterable[str], *, note: str = "", output: str = "") -> Outcome:
    """A check that was made: it failed if anything was wrong."""
    if lines := [*wrong]:
        return Outcome(tool, version, what, Result.FAILED, note, "\n".join(lines))
    return Outcome(tool, version, what, Result.OK, note, output)


def report(outcomes: Iterable[Outcome], *, strict: bool, say: Callable[[str], None] = print) -> bool:
    """Print the table as the checks end, then what the tools said; whether all is well."""
    say(HEADER)
    ended: list[Outcome] = []
    for outcome in outcomes:
        say(str(outcome))
        ended.append(outcome)
    for outcome in ended:
        if outcome.output:
            say(f"\n{outcome.tool} {outcome.what}:\n{outcome.output}")
    bad = [*_bad(ended, strict=strict)]
    if bad:
        say("\n" + "\n".join(bad))
    return not bad


def _bad(outcomes: Iterable[Outcome], *, strict: bool) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.result is Result.FAILED:
            yield f"failed: {outcome.tool} {outcome.what}"
        elif outcome.result is Result.SKIPPED and outcome.wanted and strict:
            yield f"skipped, and nothing may be (--strict): {outcome.tool} {outcome.what}: {outcome.note}"
