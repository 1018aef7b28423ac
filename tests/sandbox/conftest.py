import base64
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from sandbox.azurite import Azurite

WAIT_SECONDS = 15.0


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    with Azurite() as azurite:
        yield azurite


@pytest.fixture(scope="session")
def apps() -> Path:
    """The folder of the tiny function apps."""
    return Path(__file__).parent / "apps"


def eventually[T](read: Callable[[], T | None], seconds: float = WAIT_SECONDS) -> T:
    """The first true value that `read` gives."""
    deadline = time.monotonic() + seconds
    while not (value := read()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.03)
    return value


class Queues:
    """Queues of Azurite, with messages in base64 as the Functions host has them."""

    def __init__(self, service: QueueServiceClient) -> None:
        self._service = service

    def put(self, queue: str, text: str | bytes, *, raw: bool = False) -> str:
        body = text.encode() if isinstance(text, str) else text
        client = self._service.get_queue_client(queue)
        with suppress(ResourceExistsError):
            client.create_queue()
        return str(client.send_message(body.decode() if raw else base64.b64encode(body).decode()).id)

    def take(self, queue: str) -> str:
        """The content of the next message, which is deleted."""
        client = self._service.get_queue_client(queue)

        def read() -> str | None:
            with suppress(ResourceNotFoundError):
                if (message := client.receive_message()) is not None:
                    client.delete_message(message)
                    return str(message.content)
            return None

        return eventually(read)

    def take_body(self, queue: str) -> bytes:
        return base64.b64decode(self.take(queue), validate=True)

    def count(self, queue: str) -> int:
        """All messages, the invisible ones too."""
        return self._service.get_queue_client(queue).get_queue_properties().approximate_message_count or 0


@pytest.fixture(scope="session")
def queues(azurite: Azurite) -> Iterator[Queues]:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        yield Queues(service)


@pytest.fixture(scope="session")
def wait() -> Callable[..., object]:
    return eventually
