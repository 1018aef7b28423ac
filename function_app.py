"""The function app: registers the blueprints of diagnostics.triggers; nothing else."""

import azure.functions as func

from diagnostics.triggers import BLUEPRINTS

app = func.FunctionApp()
for blueprint in BLUEPRINTS:
    app.register_functions(blueprint)
