import json
import logging
import time
from typing import Any

import azure.functions as func

app = func.FunctionApp()
log = logging.getLogger("app")


def facts(timer: Any) -> str:
    return json.dumps([timer.past_due, sorted(timer.schedule_status), timer.schedule["AdjustForDST"]])


@app.timer_trigger(schedule="%EVERY%", arg_name="timer")
async def often(timer: func.TimerRequest) -> None:
    log.info("often %s", facts(timer))


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True, use_monitor=False)
def yearly(timer: func.TimerRequest) -> None:
    log.info("yearly %s", facts(timer))


@app.timer_trigger(schedule="* * * * * *", arg_name="timer")
def long(timer: func.TimerRequest) -> None:
    log.info("long starts, past due: %s", timer.past_due)
    time.sleep(1.2)
    log.info("long ends")
