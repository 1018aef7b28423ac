"""What a TCP ping from inside a guest said, attempt by attempt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diagnostics.errors import ParseError
from diagnostics.network.probes import GuestOutput
from diagnostics.runbooks.guest.frame import facts, sections, unread


class Result(StrEnum):
    """How an attempt to connect ended."""

    OPEN = "open"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    NAME = "name"
    OTHER = "other"


WORDS = {
    Result.REFUSED: "connection refused",
    Result.TIMEOUT: "no answer in time",
    Result.UNREACHABLE: "host or network unreachable",
    Result.FORBIDDEN: "the guest itself did not let it out",
    Result.NAME: "the name does not resolve",
    Result.OTHER: "failed",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    Attributes:
        latency: in milliseconds, of one that succeeded.
        said: what the guest said, for what is none of the known results.
    """

    result: Result
    latency: float | None = None
    said: str = ""

    def __str__(self) -> str:
        if self.latency is not None:
            return f"open, {self.latency:.1f} ms"
        return self.said or WORDS.get(self.result, self.result)


@dataclass(frozen=True, slots=True)
class Attempts:
    """All attempts.

    Attributes:
        resolved: the address that the name resolved to; empty where an address was given, or it did not.
    """

    each: tuple[Attempt, ...]
    resolved: str = ""

    @property
    def latencies(self) -> tuple[float, ...]:
        """Of those that succeeded."""
        return tuple(attempt.latency for attempt in self.each if attempt.latency is not None)

    def only(self, result: Result) -> bool:
        """Whether every attempt ended like this."""
        return all(attempt.result is result for attempt in self.each)


def read_attempts(output: GuestOutput) -> Attempts:
    """The attempts in what the script printed; raises ParseError that names what does not fit."""
    lines = sections(output).get("attempts", [])
    resolved = next((line.removeprefix("at ") for line in lines if line.startswith("at ")), "")
    each = tuple(_attempt(line) for line in facts(lines) if not line.startswith("at "))
    if not each:
        raise ParseError(f"stdout: no attempt in it: {unread(lines) or 'the script says nothing of them'}")
    return Attempts(each, resolved)


def _attempt(line: str) -> Attempt:
    number, _, rest = line.partition(" ")
    kind, _, said = rest.partition(" ")
    result = next((member for member in Result if member == kind), None)
    if not number.isdigit() or result is None:
        raise ParseError(f"stdout: {line[:80]!r} is no attempt")
    if result is not Result.OPEN:
        return Attempt(result, said=said.strip())
    if not said.strip().isdigit():
        raise ParseError(f"stdout: {said[:80]!r} in {line[:80]!r} is no time in microseconds")
    return Attempt(result, int(said) / 1000)
