import json
import logging

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route("open/hello", auth_level=func.AuthLevel.ANONYMOUS)
def hello(req: func.HttpRequest) -> str:
    return f"hello {req.params.get('name', 'nobody')}"


@app.route("items/{id:int}/{part?}", methods=["GET", "DELETE"])
async def item(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("shop").warning("item %s is read", req.route_params["id"])
    return func.HttpResponse(json.dumps(dict(req.route_params)), mimetype="application/json")


@app.route("items/1/special", methods=["GET"])
def special(req: func.HttpRequest) -> str:
    return str(req.method)


@app.route("echo", methods=["POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"X-Seen": req.headers["x-given"], "Set-Cookie": "a=1; Path=/"}
    return func.HttpResponse(req.get_body(), status_code=201, headers=headers, mimetype="application/octet-stream")


@app.route("secret", auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest) -> str:
    return str(req.url)


@app.route("fails", auth_level=func.AuthLevel.ANONYMOUS)
def fails(req: func.HttpRequest) -> str:
    raise ValueError(req.params["why"])


@app.route("exits", auth_level=func.AuthLevel.ANONYMOUS)
async def exits(req: func.HttpRequest) -> str:
    raise SystemExit(req.params.get("code"))
