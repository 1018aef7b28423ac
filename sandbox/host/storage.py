"""Queues of the storage accounts that the app's settings name."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sandbox.azurite import ACCOUNT, ACCOUNT_KEY
from sandbox.host.errors import StartError

_DEVELOPMENT_STORAGE = (
    f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
    f"QueueEndpoint=http://127.0.0.1:10001/{ACCOUNT};"
)
_RETRY: dict[str, Any] = {"retry_total": 2, "initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
DEFAULT_CONNECTION = "AzureWebJobsStorage"


class Storage:
    """One service client per connection setting, closed together."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}

    def queue(self, connection: str, name: str) -> QueueClient:
        """A client that sends and receives text as it is. Raises StartError when the connection is not usable."""
        text = connection_string(self._settings, connection)
        if text not in self._services:
            try:
                self._services[text] = QueueServiceClient.from_connection_string(text, **_RETRY)
            except ValueError as error:
                raise StartError(f"the setting {connection} is not a connection string: {error}") from None
        return self._services[text].get_queue_client(name)

    async def close(self) -> None:
        """Close all connections."""
        for service in self._services.values():
            await service.close()


def connection_string(settings: Mapping[str, str], connection: str) -> str:
    """The value of the setting, or of the one named AzureWebJobs + its name, as Azure looks it up.

    Raises StartError when neither is set, naming identity-based connections, which Azurite does not take.
    """
    for name in (connection, f"AzureWebJobs{connection}"):
        if text := settings.get(name):
            return _DEVELOPMENT_STORAGE if text.strip(" ;").lower() == "usedevelopmentstorage=true" else text
        if any(key.startswith(f"{name}__") for key in settings):
            raise StartError(f"the connection {name} is identity-based (settings {name}__…), which is not emulated")
    raise StartError(f"the connection setting {connection} is not set")


async def ensure(queue: QueueClient) -> None:
    """Create the queue when it is missing."""
    with suppress(ResourceExistsError):
        await queue.create_queue()


async def send(queue: QueueClient, text: str) -> None:
    """Put a message, creating the queue on demand."""
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        await ensure(queue)
        await queue.send_message(text)
