import asyncio
from typing import Any, cast

import pytest
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from sandbox.host.config import QueueOptions
from sandbox.host.errors import InvocationError
from sandbox.host.functions import Binding, Function
from sandbox.host.invoker import Invoker
from sandbox.host.lease import Lease
from sandbox.host.queues import QueueListener
from sandbox.host.storage import Storage


class FakeQueue:
    """Counts receipts up, and notes what is done to it in the order in which it ends."""

    def __init__(self, name: str, done: list[str], *, slow: float = 0.0, broken: bool = False) -> None:
        self.queue_name = name
        self._done = done
        self._slow = slow
        self._broken = broken
        self._receipt = 0

    async def update_message(self, message: str, receipt: str, *, visibility_timeout: int) -> QueueMessage:
        await asyncio.sleep(self._slow)
        assert receipt == str(self._receipt)
        self._receipt += 1
        self._done.append(f"update {message} for {visibility_timeout}")
        return cast("QueueMessage", type("Updated", (), {"pop_receipt": str(self._receipt)}))

    async def send_message(self, text: str) -> None:
        if self._broken:
            raise AzureError("out of order")
        self._done.append(f"send {text} to {self.queue_name}")

    async def delete_message(self, message: str, receipt: str) -> None:
        self._done.append(f"delete {message} with {receipt}")


class FakeStorage:
    def __init__(self, *queues: FakeQueue) -> None:
        self._queues = {queue.queue_name: queue for queue in queues}

    def queue(self, _: str, name: str) -> FakeQueue:
        return self._queues[name]


def message(**fields: Any) -> QueueMessage:
    known = {"id": "m", "pop_receipt": "0", "content": "not base64", "dequeue_count": 1}
    times = dict.fromkeys(("inserted_on", "expires_on", "next_visible_on"))
    return cast("QueueMessage", type("Message", (), known | times | fields))


def test_a_release_waits_for_the_renewal_under_way() -> None:
    done: list[str] = []

    async def hold() -> str:
        queue = cast("QueueClient", FakeQueue("q", done, slow=0.2))
        async with Lease(queue, message(), 1) as lease:
            await asyncio.sleep(0.6)  # the renewal began after 0.5 s and takes 0.2
            assert lease.pop_receipt == "0"
        return lease.pop_receipt

    assert asyncio.run(hold()) == "1"
    assert done == ["update m for 1"]


class FailingInvoker:
    async def run(self, *_: object) -> None:
        raise InvocationError("on purpose")


def listen(storage: FakeStorage, options: QueueOptions) -> QueueListener:
    function = Function("f", "id", Binding("queueTrigger", "message", {"queueName": "q"}), ())
    return QueueListener(function, cast("Storage", storage), options, 1, cast("Invoker", FailingInvoker()))


def test_a_failed_message_is_shown_again_after_the_visibility_timeout() -> None:
    done: list[str] = []
    storage = FakeStorage(FakeQueue("q", done), FakeQueue("q-poison", done))
    asyncio.run(listen(storage, QueueOptions(visibility_timeout=30.0)).handle(message(content="YQ==")))
    assert done == ["update m for 30"]


@pytest.mark.parametrize("fields", [{}, {"content": "YQ==", "dequeue_count": 6}])
@pytest.mark.parametrize(
    ("broken", "expected"),
    [(False, ["send {content} to q-poison", "delete m with 0"]), (True, [])],
)
def test_a_message_is_deleted_only_after_its_copy_is_safe(
    fields: dict[str, Any], *, broken: bool, expected: list[str]
) -> None:
    done: list[str] = []
    storage = FakeStorage(FakeQueue("q", done), FakeQueue("q-poison", done, broken=broken))
    bad = message(**fields)
    asyncio.run(listen(storage, QueueOptions()).handle(bad))
    assert done == [text.format(content=bad.content) for text in expected]
