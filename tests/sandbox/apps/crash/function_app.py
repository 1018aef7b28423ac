import azure.functions as func
import no_such_module  # type: ignore[import-not-found]

app = func.FunctionApp()
app.register_functions(no_such_module.blueprint)
