import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="%NO_SUCH_QUEUE%", connection="AzureWebJobsStorage")
def unnamed(message: func.QueueMessage) -> None:
    """Names a setting that is not there."""


@app.timer_trigger(schedule="%NO_SUCH_SCHEDULE%", arg_name="timer")
def unscheduled(timer: func.TimerRequest) -> None:
    """Names another."""
