"""All of it together: simulated Azure, real storage, and the function app on a local host."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from sandbox.arm import Sandbox
from sandbox.azurite import Azurite
from sandbox.host.launcher import FunctionsHost
from sandbox.scenario import Scenario

APP = Path(__file__).parent.parent

_QUEUES = "AzureFunctionsJobHost__extensions__queues__"
# What is minutes in Azure is moments here, so that a person can watch it.
_FAST = {
    "VMREACH_POLL_SECONDS": "0.2",
    "VMREACH_RECHECK_MINUTES": "0",
    f"{_QUEUES}visibilityTimeout": "00:00:02",
    f"{_QUEUES}maxPollingInterval": "00:00:00.250",
}


class Stack:
    """The whole application on loopback, as a context manager; nothing is left running.

    Args:
        scenarios: the estates that exist.
        settings: app settings over the defaults of the sandbox.
        azure_port: where the simulated Azure listens; 0 for any free port.
        functions_port: where the function app listens; 0 for any free port.
        operation_seconds: how long a long-running operation of Azure takes.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        settings: Mapping[str, str] | None = None,
        *,
        azure_port: int = 0,
        functions_port: int = 0,
        operation_seconds: float = 0.6,
    ) -> None:
        self.azure = Sandbox(scenarios, azure_port, operation_seconds)
        self.storage = Azurite()
        self._settings = settings or {}
        self._functions_port = functions_port
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.azure)
            starting.enter_context(self.storage)
            self.functions = FunctionsHost(APP, self._environment(), port=self._functions_port)
            starting.enter_context(self.functions)
            self._exits = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def findings(self) -> Iterator[bytes]:
        """The messages of queue `findings` that wait there now, decoded; each is taken off the queue."""
        with QueueClient.from_connection_string(self.storage.connection_string, "findings") as queue:
            try:
                for message in queue.receive_messages(messages_per_page=32):
                    yield base64.b64decode(message.content)
                    queue.delete_message(message)
            except ResourceNotFoundError:
                return  # nothing was ever put there, so the queue is not there yet

    def _environment(self) -> dict[str, Any]:
        return {
            **self.azure.environment(),
            "AzureWebJobsStorage": self.storage.connection_string,
            "VMREACH_REMEDIATION_MODE": "auto",
            "VMREACH_SWEEP_SCHEDULE": "0 */15 * * * *",
            "VMREACH_AUDIT_SCHEDULE": "0 0 5 * * *",
            **_FAST,
            **self._settings,
        }
