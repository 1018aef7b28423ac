"""The poison queues: a message that failed every try arrives here, and is announced."""

from __future__ import annotations

import azure.functions as func

from diagnostics.app import app
from diagnostics.triggers.message import body, delivery

blueprint = func.Blueprint()


@blueprint.function_name("poison_diagnosis")
@blueprint.queue_trigger("msg", "diagnosis-requests-poison", "AzureWebJobsStorage")
def poison_diagnosis(msg: func.QueueMessage) -> None:
    """Announce a diagnosis request that could not be answered."""
    app().engine.poison("diagnosis-requests", body(msg), delivery(msg))


@blueprint.function_name("poison_remediation")
@blueprint.queue_trigger("msg", "remediation-requests-poison", "AzureWebJobsStorage")
def poison_remediation(msg: func.QueueMessage) -> None:
    """Announce a remediation request that could not be carried out."""
    app().engine.poison("remediation-requests", body(msg), delivery(msg))


@blueprint.function_name("poison_closure")
@blueprint.queue_trigger("msg", "closure-requests-poison", "AzureWebJobsStorage")
def poison_closure(msg: func.QueueMessage) -> None:
    """Announce an alert's end that could not be noted."""
    app().engine.poison("closure-requests", body(msg), delivery(msg))
