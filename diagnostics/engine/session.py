"""One diagnosis, worked from its request to its result: for the engine and for the command line alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from diagnostics.contracts import Clock, Inventory, Journal, Leases, Monitor, Prober, Watcher
from diagnostics.engine.answers import Answers
from diagnostics.engine.gate import Gate
from diagnostics.engine.memory import Memory
from diagnostics.engine.probes import Probes
from diagnostics.engine.turns import Manners, Turns
from diagnostics.findings import Step
from diagnostics.intake.messages import DiagnosisRequest
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.questions import Question, Tell, answer_all
from diagnostics.runbooks.runbook import diagnose
from diagnostics.runbooks.situation import Conditions
from diagnostics.scopes import Scopes


class Listener(Protocol):
    """Whoever watches a diagnosis as it goes on."""

    def asking(self, question: Question[Any]) -> None:
        """A question is about to be answered; that may take minutes."""

    def ended(self, step: Step) -> None:
        """A step is done."""


class Nobody:
    """Watches nothing."""

    def asking(self, question: Question[Any]) -> None:
        """A question is about to be answered."""

    def ended(self, step: Step) -> None:
        """A step is done."""


@dataclass(frozen=True, slots=True)
class Session:
    """What diagnoses are worked with.

    Attributes:
        guest: runs scripts in guests, where the conditions of a diagnosis allow that.
        journal, leases: the store, or a `Memory`.
    """

    inventory: Inventory
    watcher: Watcher
    guest: Prober
    monitor: Monitor
    gate: Gate
    clock: Clock
    journal: Journal
    leases: Leases
    manners: Manners

    def work(
        self, request: DiagnosisRequest, conditions: Conditions, watch: Listener, *, insist: bool = True
    ) -> Diagnosis:
        """Work a request through.

        Args:
            request: what is asked.
            conditions: what the diagnosis may do.
            watch: hears of its questions and steps.
            insist: whether a question that Azure does not answer now ends the run, to be asked again in the next.

        Raises:
            OutOfScopeError: it names a resource out of scope.
            TemporaryError: something is away, throttled or takes long: what was asked is in the journal.
        """
        for resource in request.resources:
            self.gate.require(resource)
        probes = self._probes(request, conditions)
        answers = Answers(self.inventory, self.watcher, self.monitor, probes, self.gate, insist)

        def answer(question: Question[Any]) -> object:
            if isinstance(question, Tell):
                watch.ended(question.step)
                return None
            watch.asking(question)
            return answers(question)

        return answer_all(diagnose(request, conditions), answer)

    def _probes(self, request: DiagnosisRequest, conditions: Conditions) -> Probes:
        turns = Turns(request.request_id, self.leases, self.clock, self.manners)
        return Probes(
            request.request_id,
            self.watcher,
            self.guest if conditions.run_command else None,
            self.journal,
            turns,
            self.clock,
            self.clock.now() + self.manners.patience,
        )


def work(
    request: DiagnosisRequest,
    conditions: Conditions,
    *,
    inventory: Inventory,
    watcher: Watcher,
    guest: Prober,
    monitor: Monitor,
    scopes: Scopes,
    clock: Clock,
    watch: Listener | None = None,
    manners: Manners | None = None,
) -> Diagnosis:
    """Work one request through with nothing remembered beyond this call; raises as `Session.work`.

    Nobody would bring the request back, so what Azure does not answer now is gone on without.
    """
    memory, gate = Memory(), Gate(scopes, inventory, clock)
    manners = manners or Manners(patience=timedelta(hours=1))
    session = Session(inventory, watcher, guest, monitor, gate, clock, memory, memory, manners)
    return session.work(request, conditions, watch or Nobody(), insist=False)
