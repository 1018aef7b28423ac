"""The hold on a message while its function runs."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from sandbox.host.waiting import pause

_logger = logging.getLogger(__name__)


class Lease:
    """Keeps a received message invisible until the block ends, renewing at half its time.

    When this process dies the message shows again after at most `seconds`. `pop_receipt` is the newest one: each
    renewal makes the last one worthless ("Update Message (Azure Storage)").
    """

    def __init__(self, queue: QueueClient, message: QueueMessage, seconds: int) -> None:
        self.pop_receipt: str = message.pop_receipt or ""
        self._queue = queue
        self._message_id: str = message.id
        self._seconds = seconds
        self._released = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._renewal = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Waits for a renewal under way, rather than cancelling it: its receipt would be lost, and so the message."""
        self._released.set()
        await self._renewal

    async def _renew(self) -> None:
        while not await pause(self._released, self._seconds / 2):
            try:
                # The id and not the message: given a message, the SDK writes its content again.
                updated = await self._queue.update_message(
                    self._message_id, self.pop_receipt, visibility_timeout=self._seconds
                )
                self.pop_receipt = updated.pop_receipt or ""
            except AzureError as error:
                _logger.warning("message %s: lease not renewed: %s", self._message_id, error)
