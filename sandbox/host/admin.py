"""The admin endpoints of the Functions host that people and scripts use."""

import asyncio
import json
import logging
from collections.abc import Mapping

import azure_functions_runtime.version
from aiohttp import web

from sandbox.host.errors import InvocationError
from sandbox.host.functions import Function
from sandbox.host.invoker import Invoker
from sandbox.host.keys import Keys
from sandbox.host.messages import body_datum, made_up_metadata
from sandbox.host.timers import TimerListener

_VERSION = f"sandbox, azure-functions-runtime {azure_functions_runtime.version.VERSION}"


class Admin:
    """`/admin/functions/{name}` and `/admin/host/status`; both want the master key."""

    def __init__(
        self, functions: Mapping[str, Function], timers: Mapping[str, TimerListener], keys: Keys, invoker: Invoker
    ) -> None:
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._timers = timers
        self._keys = keys
        self._invoker = invoker
        self._running: set[asyncio.Task[None]] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Before any route that catches all paths."""
        router.add_get("/admin/host/status", self._status)
        router.add_post("/admin/functions/{name}", self._run)

    async def drain(self) -> None:
        """Wait for the runs that were asked for."""
        if self._running:
            await asyncio.wait(self._running)

    async def _status(self, request: web.Request) -> web.Response:
        if not self._keys.allow(request, "admin"):
            return web.Response(status=401)
        names = [function.name for function in self._functions.values()]
        return web.json_response({"state": "Running", "version": _VERSION, "functions": names})

    async def _run(self, request: web.Request) -> web.Response:
        """Start the function and answer 202 at once: "Manually run a non HTTP-triggered function".

        A timer started so may overlap a scheduled run, as in Azure.
        """
        if not self._keys.allow(request, "admin"):
            return web.Response(status=401)
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            return web.Response(status=404)
        if function.trigger.kind == "httpTrigger":
            return web.Response(status=400, text="call an HTTP function by its URL")
        text = _input(await request.read())
        if text is None:
            return web.Response(status=400, text='the body must be JSON: {"input": "…"}')
        task = asyncio.create_task(self._invoke(function, text))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return web.Response(status=202)

    async def _invoke(self, function: Function, text: str) -> None:
        timer = self._timers.get(function.name)
        data = body_datum(text.encode()) if timer is None else timer.data()
        metadata = made_up_metadata() if timer is None else {}
        try:
            await self._invoker.run(function, data, metadata, "This function was programmatically called.")
        except InvocationError:
            pass  # logged; there is no one left to tell
        except Exception:
            logging.getLogger(__name__).exception("function %s", function.name)


def _input(body: bytes) -> str | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    value = document.get("input", "") if isinstance(document, dict) else None
    return value if isinstance(value, str) else None
