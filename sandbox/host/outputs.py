"""Queue output bindings: what a function puts out becomes messages."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.queue.aio import QueueClient

from sandbox.host.errors import InvocationError, StartError
from sandbox.host.functions import RETURN, Binding, Function
from sandbox.host.storage import DEFAULT_CONNECTION, Storage, send
from sandbox.host.worker import Datum, Outcome


class Outputs:
    """The queues behind the output bindings of all functions.

    Raises StartError when a binding's queue or connection is not usable.
    """

    def __init__(self, functions: Iterable[Function], storage: Storage, *, base64_encoded: bool) -> None:
        self._base64 = base64_encoded
        self._queues = {
            (function.name, binding.name): _open(function, binding, storage)
            for function in functions
            for binding in function.outputs
            if binding.kind == "queue"
        }

    async def deliver(self, function: Function, outcome: Outcome) -> None:
        """Send everything, in the order of the bindings. Raises InvocationError when the storage refuses."""
        values = dict(outcome.outputs)
        if outcome.returned is not None:
            values[RETURN] = outcome.returned
        for binding in function.outputs:
            queue = self._queues.get((function.name, binding.name))
            if queue is None or binding.name not in values:
                continue
            for body in message_bodies(values[binding.name]):
                await self._send(queue, body)

    async def _send(self, queue: QueueClient, body: bytes) -> None:
        try:
            await send(queue, base64.b64encode(body).decode() if self._base64 else body.decode())
        except (AzureError, ValueError) as error:
            raise InvocationError(f"output to queue {queue.queue_name} failed: {error}") from error


def message_bodies(datum: Datum) -> Iterator[bytes]:
    """One body per message: a list gives one for each of its items."""
    value = json.loads(datum.value) if datum.kind == "json" else datum.value
    for item in value if isinstance(value, list) else [value]:
        if item is not None:
            yield _body(item)


def _body(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, dict) and item.keys() == {"id", "body"}:  # a QueueMessage, as the worker library writes it
        item = item["body"]
    return (item if isinstance(item, str) else json.dumps(item)).encode()


def _open(function: Function, binding: Binding, storage: Storage) -> QueueClient:
    name = str(binding.properties["queueName"])
    place = f"function {function.name}: output {binding.name}"
    if "{" in name:
        raise StartError(f'{place}: the binding expression in queueName "{name}" is not emulated')
    try:
        return storage.queue(str(binding.properties.get("connection") or DEFAULT_CONNECTION), name)
    except StartError as error:
        raise StartError(f"{place}: {error}") from None
