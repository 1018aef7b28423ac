"""Queue `closure-requests`."""

from __future__ import annotations

import azure.functions as func

from diagnostics.app import app
from diagnostics.triggers.message import body, delivery

blueprint = func.Blueprint()


@blueprint.function_name("close")
@blueprint.queue_trigger("msg", "closure-requests", "AzureWebJobsStorage")
def close(msg: func.QueueMessage) -> None:
    """An alert is over: resolve its findings."""
    app().engine.close(body(msg), delivery(msg))
