"""Questions that take their time, asked with manners: once for each message, in turn, again only when Azure is busy.

A ticket is noted as soon as Azure has given it, so a message that comes back collects what is under way. One gap is
left: a process that dies, or a connection that breaks, after Azure took a question and before its ticket is noted. The
question is then asked a second time. Azure has no request id that would prevent it, and these questions change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from diagnostics.contracts import Clock, Entry, Journal, Prober
from diagnostics.engine.turns import PostponedError, Turns
from diagnostics.errors import (
    BUSY,
    NotFoundError,
    OperationFailedError,
    ParseError,
    PermanentError,
    TemporaryError,
    VmreachError,
)
from diagnostics.runbooks.probing import Probing, RunInGuest

_FIRST_DELAY = 5.0


@dataclass(frozen=True, slots=True)
class Probes:
    """Asks for one request.

    Attributes:
        guest: None where scripts in guests are not allowed.
        until: how long this run may submit questions.
    """

    request_id: str
    watcher: Prober
    guest: Prober | None
    journal: Journal
    turns: Turns
    clock: Clock
    until: datetime
    _answered: list[str] = field(default_factory=list)  # the keys of what this run got an answer to

    def answer(self, question: Probing[Any]) -> object:
        """The answer, from the journal where it is there already.

        Raises:
            TemporaryError: Azure is busy, or has no answer yet; what was submitted stays submitted.
            PostponedError: the rest is for another run: it is not this question's turn, or this run took its time.
            PermanentError: there is no answer to be had.
        """
        prober = self.guest if isinstance(question, RunInGuest) else self.watcher
        if prober is None:
            raise PermanentError("scripts in guests are not allowed: VMREACH_RUN_COMMAND is off")
        entry = self.journal.entry(self.request_id, question.key)
        if entry is None or entry.answer is None:
            entry = self._asked(prober, question, entry)
        assert entry.answer is not None
        return question.read(entry.answer)

    def _asked(self, prober: Prober, question: Probing[Any], entry: Entry | None) -> Entry:
        """Submit and collect it, again and again while Azure is busy: as Azure says, else 5, 10, 20, … s later."""
        delay = _FIRST_DELAY
        while True:
            try:
                if entry is None:
                    ticket, turn = self._submitted(prober, question)
                else:
                    ticket, turn = entry.ticket, self.turns.prolong(question)
                return self._collected(prober, question, ticket, turn)
            except _BusyError as busy:
                entry = None
                self._wait(busy.retry_after or delay, busy)
                delay *= 2

    def _submitted(self, prober: Prober, question: Probing[Any]) -> tuple[str, tuple[str, ...]]:
        """Submit it when it is its turn; returns the ticket, and the leases that go with it."""
        if self.clock.now() > self.until:
            # Where a run got on, coming back is no failure. Where it did not, only so many tries are left.
            kind = PostponedError if self._answered else TemporaryError
            raise kind(f"{question.subject.name} was not asked: Azure took long with what was asked before")
        turn = self.turns.take(question)
        try:
            ticket = prober.submit(question)
        except TemporaryError as error:
            self.turns.give_back(turn)  # others need not wait while this one does
            raise _BusyError(str(error), retry_after=error.retry_after) from error
        except VmreachError:
            self.turns.give_back(turn)
            raise
        self.journal.note(self.request_id, question.key, Entry(ticket))
        return ticket, turn

    def _collected(self, prober: Prober, question: Probing[Any], ticket: str, turn: tuple[str, ...]) -> Entry:
        """Wait for the answer. What has not ended yet keeps its turn: it is under way, and its leases end in time."""
        try:
            entry = Entry(ticket, prober.collect(question, ticket))
        except (PermanentError, ParseError) as error:
            self.turns.give_back(turn)
            raise _meaning(error) from error
        self.journal.note(self.request_id, question.key, entry)
        self._answered.append(question.key)
        self.turns.give_back(turn)
        return entry

    def _wait(self, seconds: float, error: TemporaryError) -> None:
        if (self.until - self.clock.now()).total_seconds() < seconds:
            raise TemporaryError(str(error), retry_after=seconds) from error
        self.clock.sleep(seconds)


class _BusyError(TemporaryError):
    """Azure did not do what was asked, because it does something else: to be asked again."""


def _meaning(error: PermanentError | ParseError) -> VmreachError:
    """What it means that an answer can't be collected."""
    if isinstance(error, OperationFailedError) and error.code.lower() in BUSY:
        # Azure took it and did not do it, as the machine was busy for somebody else: no check was made.
        return _BusyError(str(error))
    if isinstance(error, NotFoundError):
        return PermanentError(f"{error}: it was asked, and its answer is not to be had any more")
    return error
