"""Queue `diagnosis-requests`."""

from __future__ import annotations

import azure.functions as func

from diagnostics.app import app
from diagnostics.triggers.message import body, delivery

blueprint = func.Blueprint()


@blueprint.function_name("diagnose")
@blueprint.queue_trigger("msg", "diagnosis-requests", "AzureWebJobsStorage")
def diagnose(msg: func.QueueMessage) -> None:
    """Work the runbook for one request."""
    app().engine.diagnose(body(msg), delivery(msg))
