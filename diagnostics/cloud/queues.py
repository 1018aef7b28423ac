"""Storage queues: where requests and findings go.

The Functions host expects base64 in its queues; plain text would go to poison without the function having run
("Azure Queue storage trigger for Azure Functions", message encoding).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from diagnostics.cloud.closing import close_with
from diagnostics.cloud.credentials import storage_credential, usable_storage
from diagnostics.cloud.errors import azure_errors
from diagnostics.cloud.quiet import hide_signatures
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, RemediationRequest
from diagnostics.settings import Storage

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

# An action group waits 10 seconds for its answer. By default the SDK would wait 15 seconds before its first retry.
_PATIENCE = {"retry_total": 2, "initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
_TIMEOUTS = {"connection_timeout": 2, "read_timeout": 10}
DIAGNOSIS, CLOSURE, REMEDIATION = "diagnosis-requests", "closure-requests", "remediation-requests"


class Queues:
    """Sends messages to queues of the storage account; makes a queue that is not there yet."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._clients: dict[str, QueueClient] = {}
        close_with(self, self._clients)
        self._lock = Lock()

    def send(self, queue: str, body: bytes, *, after: timedelta | None = None) -> None:
        """Send one message, base64-encoded, with no end to its life: it waits until somebody reads it.

        Args:
            queue: where to; it is made if it is not there.
            body: JSON.
            after: nobody sees it before this time is over; Azure takes up to seven days.
        """
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError  # noqa: PLC0415

        client = self._client(queue)
        hidden = None if after is None else round(after.total_seconds())
        send = partial(client.send_message, body.decode(), time_to_live=-1, visibility_timeout=hidden)
        with azure_errors(f"sending to queue {queue}"):
            try:
                send()
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another thread or instance made it just now
                    client.create_queue()
                send()

    def _client(self, queue: str) -> QueueClient:
        with self._lock:
            if queue not in self._clients:
                self._clients[queue] = self._made(queue)
            return self._clients[queue]

    def _made(self, queue: str) -> QueueClient:
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy  # noqa: PLC0415

        hide_signatures()
        options: dict[str, Any] = {"message_encode_policy": TextBase64EncodePolicy(), **_PATIENCE, **_TIMEOUTS}
        storage = self._storage
        with usable_storage():
            if storage.queue_uri:
                return QueueClient(storage.queue_uri, queue, credential=storage_credential(storage), **options)
            return QueueClient.from_connection_string(storage.connection_string, queue, **options)


@dataclass(frozen=True, slots=True)
class QueueOutbox:
    """Requests go to their queues."""

    queues: Queues

    def diagnosis(self, request: DiagnosisRequest, *, after: timedelta | None = None) -> None:
        """Enqueue on `diagnosis-requests`, to be delivered after some time where one is given."""
        self.queues.send(DIAGNOSIS, request.to_json(), after=after)

    def closure(self, request: ClosureRequest) -> None:
        """Enqueue on `closure-requests`."""
        self.queues.send(CLOSURE, request.to_json())

    def remediation(self, request: RemediationRequest) -> None:
        """Enqueue on `remediation-requests`."""
        self.queues.send(REMEDIATION, request.to_json())
