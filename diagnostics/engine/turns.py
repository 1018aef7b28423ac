"""Turns: what Azure does one of at a time for a machine, and a few of at a time for a region, is leased from the store.

The VM first, then a slot of its region: nobody waits for a VM while holding a slot, so two requests never wait for each
other. Leases end by themselves: a process that dies holds up nobody for longer than one check takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from zlib import crc32

from diagnostics.contracts import Clock, Leases
from diagnostics.errors import TemporaryError
from diagnostics.network.ids import region
from diagnostics.runbooks.probing import Probing, RunInGuest

_LOOK = timedelta(seconds=5)
"""Between two looks at a lease that another request has."""
_MARGIN = timedelta(minutes=1)
"""For clocks that differ, and for what comes between taking a lease and waiting for the answer."""
_PATIENCE = timedelta(minutes=6)
_RUN = timedelta(minutes=13)
"""What a run may submit questions for and then wait for the last answer: `functionTimeout` in host.json is 15 minutes,
the last question may wait one for its turn, and one is left."""


class PostponedError(TemporaryError):
    """The request is to come back as a new message: nothing failed, and nothing that was answered is lost."""


class NotItsTurnError(PostponedError):
    """Others have the machine, or the region, for longer than this run waits. Nothing was asked of Azure."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How much of Azure one request may have, and how long it waits.

    At the end of `patience` a last question waits for its `turn`, then `wait` for its answer: `in_one_run` makes them
    fit, as the defaults do.

    Attributes:
        slots: how many questions Network Watcher is asked at a time in a region of a subscription. Azure documents no
            limit for checks, and only one for writes of a subscription ("Azure Resource Manager throttling").
        wait: how long the adapters wait for an answer.
        turn: how long a question waits for its turn.
        patience: how long after its start a run submits questions; then it goes on when its message comes back.
    """

    slots: int = 4
    wait: timedelta = timedelta(minutes=7)
    turn: timedelta = timedelta(minutes=1)
    patience: timedelta = _PATIENCE

    @classmethod
    def in_one_run(cls, *, slots: int, wait: timedelta) -> Self:
        """Those with which a function ends in time: where an answer may take longer, the last is asked for sooner."""
        return cls(slots=slots, wait=wait, patience=min(_PATIENCE, max(_RUN - wait, timedelta())))


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one request."""

    holder: str
    leases: Leases
    clock: Clock
    manners: Manners

    def take(self, question: Probing[Any]) -> tuple[str, ...]:
        """Wait until it is this question's turn.

        Returns:
            The leases that were taken.

        Raises:
            NotItsTurnError: it takes too long; no lease is left.
        """
        give_up = self.clock.now() + self.manners.turn
        while (taken := self._taken(question)) is None:
            if self.clock.now() + _LOOK > give_up:
                self.give_back(_machine(question))
                what = f"{question.subject.name}, or its region {question.location}, is being checked for others"
                raise NotItsTurnError(what, retry_after=self.manners.turn.total_seconds())
            self.clock.sleep(_LOOK.total_seconds())
        return taken

    def prolong(self, question: Probing[Any]) -> tuple[str, ...]:
        """Hold the machine for a question that was submitted before, unless another request has it by now.

        Returns:
            The leases that may be this request's: which slot it had only the process knew that submitted it.
        """
        machine = _machine(question)
        for name in machine:
            self._lease(name)
        return machine + self._slots(question)

    def give_back(self, names: tuple[str, ...]) -> None:
        """The turn is over; what is another request's by now stays."""
        for name in names:
            self.leases.give_back(name, holder=self.holder)

    def _taken(self, question: Probing[Any]) -> tuple[str, ...] | None:
        """All that the question needs, or None. A machine that was had stays held meanwhile, and prolonged."""
        machine, slots = _machine(question), self._slots(question)
        if not all(map(self._lease, machine)):
            return None
        slot = next(filter(self._lease, slots), None)
        if slot is None:
            return None if slots else machine
        return (*machine, slot)

    def _lease(self, name: str) -> bool:
        now = self.clock.now()
        until = now + self.manners.wait + _MARGIN
        return self.leases.lease(name, holder=self.holder, now=now, until=until)

    def _slots(self, question: Probing[Any]) -> tuple[str, ...]:
        """The slots of a question for Network Watcher, of which a script in a guest takes none.

        Each request has an order of its own, so that not all look at the first slot first.
        """
        if not question.location or isinstance(question, RunInGuest):
            return ()
        place = region(question.location)
        count, first = self.manners.slots, crc32(self.holder.encode())
        numbers = ((first + number) % count for number in range(count))
        return tuple(f"slot-{place}-{question.subject.subscription}-{number}" for number in numbers)


def _machine(question: Probing[Any]) -> tuple[str, ...]:
    return (f"vm-{question.subject.key}",) if question.exclusive else ()
