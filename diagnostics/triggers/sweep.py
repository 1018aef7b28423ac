"""Timer `%VMREACH_SWEEP_SCHEDULE%`."""

from __future__ import annotations

import azure.functions as func

from diagnostics.app import app

blueprint = func.Blueprint()


@blueprint.function_name("sweep")
@blueprint.timer_trigger("timer", "%VMREACH_SWEEP_SCHEDULE%", run_on_startup=False, use_monitor=True)
def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding passes it by name
    """Find failed network interfaces in scope."""
    app().engine.sweep()
