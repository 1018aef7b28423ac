"""POST /api/alerts: Azure Monitor's action groups call it with the common alert schema."""

from __future__ import annotations

import azure.functions as func
import msgspec

from diagnostics.app import app

blueprint = func.Blueprint()


@blueprint.function_name("alerts")
@blueprint.route("alerts", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def alerts(req: func.HttpRequest) -> func.HttpResponse:
    """Take an alert in and answer at once; the diagnosis runs behind the queue."""
    answer = app().acceptor.accept(req.get_body())
    headers = {"Retry-After": "20"} if answer.status == 503 else None
    return func.HttpResponse(
        msgspec.json.encode(answer.body), status_code=answer.status, mimetype="application/json", headers=headers
    )
