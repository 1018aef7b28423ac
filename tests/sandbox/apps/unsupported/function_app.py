import azure.functions as func

app = func.FunctionApp()


@app.timer_trigger(schedule="0 0 0 * * *", arg_name="timer")
@app.blob_output(arg_name="report", path="reports/today", connection="AzureWebJobsStorage")
def reporter(timer: func.TimerRequest, report: func.Out[str]) -> None:
    """Puts out a blob."""
