import asyncio
import json
import logging
from typing import List  # noqa: UP035 - the worker library refuses Out[list[str]]

import azure.functions as func

app = func.FunctionApp()
STORAGE = "AzureWebJobsStorage"
log = logging.getLogger("app")
running: set[str | None] = set()


@app.queue_trigger(arg_name="message", queue_name="%UPPER_INPUT%", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="upper-out", connection="Other")
def upper(message: func.QueueMessage) -> str:
    return message.get_body().decode().upper()


@app.queue_trigger(arg_name="message", queue_name="about-in", connection=STORAGE)
@app.queue_output(arg_name="out", queue_name="about-out", connection=STORAGE)
async def about(message: func.QueueMessage, out: func.Out[List[str]]) -> None:  # noqa: UP006
    inserted, visible, expires = message.insertion_time, message.time_next_visible, message.expiration_time
    ordered = inserted and visible and expires and inserted < visible < expires
    out.set([json.dumps([message.id, message.dequeue_count, ordered, bool(message.pop_receipt)]), "second"])


@app.queue_trigger(arg_name="message", queue_name="bytes-in", connection=STORAGE, data_type=func.DataType.BINARY)
@app.queue_output(arg_name="out", queue_name="bytes-out", connection=STORAGE)
def reverse(message: func.QueueMessage, out: func.Out[bytes]) -> None:
    out.set(message.get_body()[::-1])


@app.queue_trigger(arg_name="message", queue_name="fails-in", connection=STORAGE)
def fails(message: func.QueueMessage) -> None:
    raise RuntimeError(f"try {message.dequeue_count}")


@app.queue_trigger(arg_name="message", queue_name="fails-in-poison", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="fails-out", connection=STORAGE)
def buried(message: func.QueueMessage) -> str:
    log.info("buried %s", message.id)
    return message.get_body().decode()


@app.queue_trigger(arg_name="message", queue_name="refused-poison", connection=STORAGE)
def refused(message: func.QueueMessage) -> None:
    raise RuntimeError(f"refused {message.dequeue_count}")


@app.queue_trigger(arg_name="message", queue_name="flaky-in", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="flaky-out", connection=STORAGE)
def flaky(message: func.QueueMessage) -> str:
    if message.dequeue_count == 1:
        raise RuntimeError("the first try fails")
    return "second try"


@app.queue_trigger(arg_name="message", queue_name="busy-in", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="busy-out", connection=STORAGE)
async def busy(message: func.QueueMessage) -> str:
    running.add(message.id)
    await asyncio.sleep(0.3)
    at_once = len(running)
    running.remove(message.id)
    return str(at_once)
