"""What came of probing a connection, and what that means."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.findings import Outcome
from diagnostics.network.connectivity import ConnectionStatus, ConnectivityCheck

_SLIGHT = 0.05
"""Loss below this is told, but a retransmission hides it: TCP connects all the same."""


@dataclass(frozen=True, slots=True)
class Probed:
    """A connectivity check: its answer, or why there is none.

    Attributes:
        why: why there is no answer, or why it proves nothing.
        tried: whether a check was worth making at all.
        forbidden: whether a permission is all that was missing.
        came_back: whether an earlier check of the same connection failed.
    """

    answer: ConnectivityCheck | None = None
    why: str = ""
    tried: bool = True
    forbidden: bool = False
    came_back: bool = False

    @property
    def outcome(self) -> Outcome:
        """How a step that shows it ends."""
        answer = self.answer
        if not self.tried:
            return Outcome.SKIPPED
        if answer is None or self.why or not answer.conclusive:
            return Outcome.INCONCLUSIVE
        return Outcome.PASSED if answer.reachable and not lossy(answer) else Outcome.FAILED

    @property
    def works(self) -> bool | None:
        """Whether the connection works; None where that is not known."""
        return {Outcome.PASSED: True, Outcome.FAILED: False}.get(self.outcome)

    @property
    def silent(self) -> bool:
        """Whether no probe was answered."""
        return self.outcome is Outcome.FAILED and self.answer is not None and not self.answer.reachable


def lossy(answer: ConnectivityCheck) -> bool:
    """Whether it loses probes: Azure calls a check `Reachable` of which 60 of 100 probes failed."""
    if answer.status is ConnectionStatus.DEGRADED:
        return True
    return answer.reachable and answer.probes_failed > _SLIGHT * answer.probes_sent
