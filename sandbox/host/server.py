"""The host: everything put together, from the settings to a clean stop."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.host import logs
from sandbox.host.admin import Admin
from sandbox.host.config import HostConfig, load_config, load_settings
from sandbox.host.errors import StartError
from sandbox.host.functions import Function, read_functions
from sandbox.host.invoker import Invoker
from sandbox.host.keys import Keys
from sandbox.host.outputs import Outputs
from sandbox.host.queues import QueueListener
from sandbox.host.storage import Storage
from sandbox.host.timers import TimerListener
from sandbox.host.web import HttpFunction, HttpFunctions
from sandbox.host.worker import Worker

_logger = logging.getLogger(__name__)
_MAX_BODY = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """The command line. Port 0 is any free one; times in seconds."""

    app: Path
    port: int = 0
    ready_file: Path | None = None
    lease_seconds: int = 10
    grace_seconds: float = 10.0


def load(options: Options) -> "Host":
    """Read settings and host.json, import the app, check every binding. Raises StartError.

    The settings become this process's environment and the app's folder its current one, as for a worker in Azure.
    """
    app = options.app.resolve()
    settings = load_settings(app, os.environ)
    config = load_config(app, settings)
    logs.configure(config.log_level)
    os.environ.update(settings)
    os.chdir(app)
    worker = Worker(app)
    return Host(options, config, read_functions(worker.index(), settings), settings, worker)


class Host:
    """A loaded app."""

    def __init__(
        self,
        options: Options,
        config: HostConfig,
        functions: Sequence[Function],
        settings: Mapping[str, str],
        worker: Worker,
    ) -> None:
        self._options = options
        self._config = config
        self._functions = functions
        self._settings = settings
        self._worker = worker

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT, then finish what runs, for `grace_seconds` at most. Raises StartError."""
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        storage = Storage(self._settings)
        try:
            await self._serve(storage, stop)
        finally:
            await storage.close()

    async def _serve(self, storage: Storage, stop: asyncio.Event) -> None:
        outputs = Outputs(self._functions, storage, base64_encoded=self._config.queues.base64)
        invoker = Invoker(self._worker, outputs)
        queues = [
            QueueListener(function, storage, self._config.queues, self._options.lease_seconds, invoker)
            for function in self._of_kind("queueTrigger")
        ]
        timers = [TimerListener(function, invoker) for function in self._of_kind("timerTrigger")]
        routes = [HttpFunction.read(function, self._config.route_prefix) for function in self._of_kind("httpTrigger")]
        keys = Keys.from_settings(self._settings)
        by_name = {function.name: function for function in self._functions}
        admin = Admin(by_name, {timer.function.name: timer for timer in timers}, keys, invoker)
        await asyncio.gather(*(listener.prepare() for listener in queues))
        runner, url = await self._listen(HttpFunctions(routes, keys, invoker), admin)
        self._announce(url, keys, routes, [*queues, *timers])
        tasks = [asyncio.create_task(queue.run(stop)) for queue in queues]
        tasks += [asyncio.create_task(timer.run(stop)) for timer in timers]
        await _stopped(stop, tasks)
        await self._finish(tasks, runner.cleanup(), admin.drain())

    def _of_kind(self, kind: str) -> list[Function]:
        return [function for function in self._functions if function.trigger.kind == kind]

    async def _listen(self, functions: HttpFunctions, admin: Admin) -> tuple[web.AppRunner, str]:
        application = web.Application(client_max_size=_MAX_BODY)
        admin.add_routes(application.router)
        application.router.add_route("*", "/{path:.*}", functions.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=self._options.grace_seconds)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._options.port).start()
        except OSError as error:
            raise StartError(f"port {self._options.port}: {error}") from error
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"

    def _announce(
        self, url: str, keys: Keys, routes: Sequence[HttpFunction], listeners: Sequence[QueueListener | TimerListener]
    ) -> None:
        lines = [f"{r.function.name}: [{','.join(sorted(r.methods)) or 'all methods'}] {url}/{r.path}" for r in routes]
        lines += [f"{listener.function.name}: {listener}" for listener in listeners]
        ready = {
            "ready": True,
            "url": url,
            "functionKey": keys.function,
            "masterKey": keys.master,
            "functions": [function.name for function in self._functions],
        }
        text = json.dumps(ready)
        sys.stdout.write("\n".join(["Functions:", *(f"  {line}" for line in lines), text, ""]))
        sys.stdout.flush()
        if self._options.ready_file is not None:
            _write_whole(self._options.ready_file, text)

    async def _finish(self, listeners: Sequence[asyncio.Task[None]], *rest: Coroutine[Any, Any, None]) -> None:
        _logger.info("stopping")
        tasks = [*listeners, *(asyncio.create_task(part) for part in rest)]
        done, unfinished = await asyncio.wait(tasks, timeout=self._options.grace_seconds)
        if unfinished:
            _logger.warning("functions still run after %g s; their messages show again", self._options.grace_seconds)
        for task in done:
            task.result()


async def _stopped(stop: asyncio.Event, listeners: Sequence[asyncio.Task[None]]) -> None:
    """Until `stop`, or a listener ends by an error, which is a bug of this host."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, *listeners], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await waiting


def _write_whole(path: Path, text: str) -> None:
    """Never to be read half-written."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
