import logging
import os
import time

import azure.functions as func

app = func.FunctionApp()
STORAGE = "AzureWebJobsStorage"
log = logging.getLogger("app")


@app.queue_trigger(arg_name="message", queue_name="slow-in", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="slow-out", connection=STORAGE)
def slow(message: func.QueueMessage) -> str:
    log.info("slow starts")
    time.sleep(float(os.environ["SLOW_SECONDS"]))
    return f"try {message.dequeue_count}"


@app.queue_trigger(arg_name="message", queue_name="blocking-in", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="blocking-out", connection=STORAGE)
async def blocking(message: func.QueueMessage) -> str:
    time.sleep(float(os.environ["SLOW_SECONDS"]))  # noqa: ASYNC251 - what a function should not do
    return f"try {message.dequeue_count}"
