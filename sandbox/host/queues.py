"""Queue triggers: polling, leases, retries and poison queues.

Rules are from "Azure Queue storage trigger for Azure Functions" (polling algorithm, concurrency, poison messages)
and, where that is silent, from the QueueListener and QueueProcessor of Azure.WebJobs.Extensions.Storage.Queues.
"""

import asyncio
import logging

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from sandbox.host.config import MIN_POLLING_SECONDS, QueueOptions
from sandbox.host.errors import InvocationError, StartError
from sandbox.host.functions import Function
from sandbox.host.invoker import Invoker
from sandbox.host.lease import Lease
from sandbox.host.messages import body_datum, decode, metadata
from sandbox.host.storage import DEFAULT_CONNECTION, Storage, ensure, send
from sandbox.host.waiting import pause

_logger = logging.getLogger(__name__)
_POISON_SUFFIX = "-poison"
_MAX_NAME = 63


class QueueListener:
    """Feeds one function from its queue.

    A message is deleted only after its function succeeded or its copy lies in the poison queue, so that none is lost
    whenever the process dies; it may run twice.
    """

    def __init__(
        self, function: Function, storage: Storage, options: QueueOptions, lease_seconds: int, invoker: Invoker
    ) -> None:
        self.function = function
        self._options = options
        self._lease_seconds = lease_seconds
        self._invoker = invoker
        self._running: set[asyncio.Task[None]] = set()
        self._binary = str(function.trigger.properties.get("dataType", "")).lower() == "binary"
        name = str(function.trigger.properties["queueName"])
        connection = str(function.trigger.properties.get("connection") or DEFAULT_CONNECTION)
        try:
            self._queue = storage.queue(connection, name)
            self._poison = storage.queue(connection, name + _POISON_SUFFIX) if _has_poison_queue(name) else None
        except StartError as error:
            raise StartError(f"function {function.name}: {error}") from None

    def __str__(self) -> str:
        return f"queueTrigger {self._queue.queue_name}"

    async def prepare(self) -> None:
        """Create the queue when it is missing. Raises StartError when the storage does not answer or refuses."""
        try:
            await ensure(self._queue)
        except AzureError as error:
            raise StartError(f"function {self.function.name}: queue {self._queue.queue_name}: {error}") from error

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop`, then let the messages at hand finish."""
        delay = MIN_POLLING_SECONDS
        while not stop.is_set():
            messages = await self._receive()
            for message in messages:
                self._start(message)
            delay = MIN_POLLING_SECONDS if messages else min(delay * 2, self._options.max_polling_interval)
            await pause(stop, delay)
            await self._wait_for_room(stop)
        if self._running:
            await asyncio.wait(self._running)

    async def _wait_for_room(self, stop: asyncio.Event) -> None:
        """The next batch is fetched when no more than newBatchThreshold messages are left of the last ones."""
        while len(self._running) > self._options.new_batch_threshold and not stop.is_set():
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _receive(self) -> list[QueueMessage]:
        size = self._options.batch_size
        pages = self._queue.receive_messages(messages_per_page=size, visibility_timeout=self._lease_seconds).by_page()
        try:
            # One page alone: the SDK's iterator would go on asking until the queue is empty.
            return [message async for message in await anext(pages)]
        except (StopAsyncIteration, ResourceNotFoundError):
            return []
        except AzureError as error:
            _logger.warning("queue %s cannot be read: %s", self._queue.queue_name, error)
            return []

    def _start(self, message: QueueMessage) -> None:
        task = asyncio.create_task(self.handle(message))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def handle(self, message: QueueMessage) -> None:
        """Run the function on one received message and settle the message. Never raises: it would show again."""
        try:
            await self._process(message)
        except AzureError as error:
            _logger.warning("message %s shows again when its lease ends: %s", message.id, error)
        except Exception:
            _logger.exception("message %s shows again when its lease ends", message.id)

    async def _process(self, message: QueueMessage) -> None:
        tries = message.dequeue_count or 0
        if self._poison is not None and tries > self._options.max_dequeue_count:
            await self._bury(message, message.pop_receipt or "", "its tries ended without a result")
            return
        body = decode(message.content, base64_encoded=self._options.base64)
        if body is None:
            await self._bury(message, message.pop_receipt or "", "it is not base64 (messageEncoding in host.json)")
            return
        async with Lease(self._queue, message, self._lease_seconds) as lease:
            succeeded = await self._invoke(message, body)
        if succeeded:
            await self._queue.delete_message(message.id, lease.pop_receipt)
        else:
            await self._retry_or_bury(message, lease.pop_receipt)

    async def _invoke(self, message: QueueMessage, body: bytes) -> bool:
        reason = f"New queue message detected on '{self._queue.queue_name}'."
        try:
            data = body_datum(body, binary=self._binary)
            await self._invoker.run(self.function, data, metadata(message), reason)
        except InvocationError:
            return False
        return True

    async def _retry_or_bury(self, message: QueueMessage, receipt: str) -> None:
        """A poison queue has none of its own: its message stays invisible for a lease, against a fast endless loop."""
        if self._poison is None:
            return
        if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._bury(message, receipt, f"it failed {message.dequeue_count} times")
            return
        delay = int(self._options.visibility_timeout)
        await self._queue.update_message(message.id, receipt, visibility_timeout=delay)

    async def _bury(self, message: QueueMessage, receipt: str, reason: str) -> None:
        """Copy first, delete second."""
        if self._poison is None:
            _logger.error("message %s of %s is left: %s", message.id, self._queue.queue_name, reason)
            return
        _logger.error("message %s moves to %s: %s", message.id, self._poison.queue_name, reason)
        await send(self._poison, message.content)
        await self._queue.delete_message(message.id, receipt)


def _has_poison_queue(name: str) -> bool:
    return not name.endswith(_POISON_SUFFIX) and len(name + _POISON_SUFFIX) <= _MAX_NAME
