"""HTTP triggers: routes, keys, requests and responses."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from sandbox.host.errors import InvocationError, StartError
from sandbox.host.functions import Function
from sandbox.host.invoker import Invoker
from sandbox.host.keys import Keys
from sandbox.host.routes import Route, parse_route
from sandbox.host.worker import Datum

_logger = logging.getLogger(__name__)
_HOP_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})  # the server sets its own


@dataclass(frozen=True, slots=True)
class HttpFunction:
    """A function with its route, methods (none means all) and authLevel in lower case."""

    function: Function
    route: Route
    path: str
    methods: frozenset[str]
    level: str

    @classmethod
    def read(cls, function: Function, prefix: str) -> "HttpFunction":
        """Raises StartError for a route that is not emulated."""
        properties = function.trigger.properties
        path = "/".join(part for part in (prefix, str(properties.get("route") or function.name).strip("/")) if part)
        try:
            route = parse_route(path)
        except ValueError as error:
            raise StartError(f"function {function.name}: {error}") from None
        methods = frozenset(str(method).upper() for method in properties.get("methods") or ())
        return cls(function, route, path, methods, str(properties.get("authLevel") or "function").lower())


class HttpFunctions:
    """Answers everything that is not under /admin/, as "Azure Functions HTTP trigger" describes."""

    def __init__(self, functions: Iterable[HttpFunction], keys: Keys, invoker: Invoker) -> None:
        self._functions = sorted(functions, key=lambda function: function.route.precedence)
        self._keys = keys
        self._invoker = invoker

    async def handle(self, request: web.Request) -> web.Response:
        """404 for an unknown route or method, 401 without the right key, 500 when the function fails.

        The log has the path alone: query strings carry keys.
        """
        started = time.monotonic()
        response = await self._answer(request)
        milliseconds = round((time.monotonic() - started) * 1000)
        _logger.info("%s %s %d (%d ms)", request.method, request.rel_url.raw_path, response.status, milliseconds)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        for candidate in self._functions:
            parameters = candidate.route.match(request.rel_url.raw_path)
            if parameters is None or (candidate.methods and request.method not in candidate.methods):
                continue
            if not self._keys.allow(request, candidate.level):
                return web.Response(status=401)
            return await self._invoke(candidate.function, request, parameters)
        return web.Response(status=404)

    async def _invoke(self, function: Function, request: web.Request, parameters: dict[str, str]) -> web.Response:
        data = await _request_datum(request, parameters)
        try:
            returned = await self._invoker.run(function, data, reason="This function was called via HTTP.")
            return _response(returned)
        except InvocationError:
            return web.Response(status=500)


async def _request_datum(request: web.Request, parameters: dict[str, str]) -> Datum:
    """Header names in lower case, repeated headers and parameters joined with commas, the body as bytes."""
    value = {
        "method": request.method,
        "url": str(request.url),
        "headers": {name.lower(): ",".join(request.headers.getall(name)) for name in request.headers},
        "query": {name: ",".join(request.query.getall(name)) for name in request.query},
        "params": parameters,
        "body": await request.read(),
    }
    return Datum(value, "http")


def _response(returned: Datum | None) -> web.Response:
    if returned is None or returned.kind is None:
        return web.Response(status=204)
    if returned.kind != "http":
        body = returned.value if isinstance(returned.value, bytes) else str(returned.value).encode()
        return web.Response(body=body, headers={"Content-Type": "text/plain; charset=utf-8"})
    value = returned.value
    headers = CIMultiDict(
        (name, header.value) for name, header in value["headers"].items() if name.lower() not in _HOP_HEADERS
    )
    for cookie in _cookies(value.get("cookies")):
        headers.add("Set-Cookie", cookie)
    return web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)


def _cookies(cookies: Any) -> list[str]:
    return [morsel.OutputString() for cookie in cookies or () for morsel in cookie.values()]
