"""Queue `remediation-requests`."""

from __future__ import annotations

import azure.functions as func

from diagnostics.app import app
from diagnostics.triggers.message import body, delivery

blueprint = func.Blueprint()


@blueprint.function_name("remediate")
@blueprint.queue_trigger("msg", "remediation-requests", "AzureWebJobsStorage")
def remediate(msg: func.QueueMessage) -> None:
    """Put one failed network interface back."""
    app().engine.remediate(body(msg), delivery(msg))
