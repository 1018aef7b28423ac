"""Scripts in guests, through Run Command.

Source: "Run scripts in your VM by using action Run Commands"; REST reference, Virtual Machines - Run Command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diagnostics.cloud import versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.operations import Operations
from diagnostics.errors import PermanentError, TemporaryError
from diagnostics.runbooks.probing import Probing, RunInGuest

# Azure's code for it is `Conflict`, as for much that does not pass by itself: only the text tells.
_BUSY = "run command extension execution is in progress"
_A_WHILE = 30.0  # seconds; a script takes at least 20


@dataclass(frozen=True, slots=True)
class AzureGuest:
    """Runs scripts in VMs and scale-set instances.

    Attributes:
        poll_seconds: between two looks, where Azure does not say.
        wait_seconds: how long to wait for the output in one go.
    """

    clients: Clients
    poll_seconds: float
    wait_seconds: float

    def submit(self, question: Probing[Any]) -> str:
        """Have the script run, once; returns the ticket of its output.

        Raises:
            TemporaryError: another script runs on the VM: Azure runs one at a time.
        """
        script = _asked(question).script
        body = {"commandId": script.shell.value, "script": list(script.lines)}
        client, path = self.clients.compute(script.vm.subscription), f"{script.vm}/runCommand"
        try:
            return self._operations.submit(client, path, versions.COMPUTE, body, _doing(question))
        except PermanentError as error:
            if _BUSY in str(error).lower():
                raise TemporaryError(str(error), retry_after=_A_WHILE) from error
            raise

    def collect(self, question: Probing[Any], ticket: str) -> bytes:
        """Wait for the output; raises what `Operations.collect` raises."""
        client = self.clients.compute(question.subject.subscription)
        return self._operations.collect(client, ticket, _doing(question))

    @property
    def _operations(self) -> Operations:
        return Operations(self.clients, self.poll_seconds, self.wait_seconds)


def _asked(question: Probing[Any]) -> RunInGuest:
    if not isinstance(question, RunInGuest):
        raise AssertionError(f"{type(question).__name__} is no question for a guest")  # noqa: TRY004 - a bug, not input
    return question


def _doing(question: Probing[Any]) -> str:
    """In words, for errors."""
    return f"Run Command on {question.subject.name} ({_asked(question).script.what})"
