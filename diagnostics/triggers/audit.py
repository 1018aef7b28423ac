"""Timer `%VMREACH_AUDIT_SCHEDULE%`."""

from __future__ import annotations

import azure.functions as func

from diagnostics.app import app

blueprint = func.Blueprint()


@blueprint.function_name("audit")
@blueprint.timer_trigger("timer", "%VMREACH_AUDIT_SCHEDULE%", run_on_startup=False, use_monitor=True)
def audit(timer: func.TimerRequest, context: func.Context) -> None:  # noqa: ARG001 - the binding passes it by name
    """Make all checks over everything in scope."""
    app().engine.audit(holder=context.invocation_id)
