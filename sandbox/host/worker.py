"""The app inside Microsoft's Python worker library, with no gRPC in between.

The library wants its protobuf classes handed in; for indexing and its "native" invocations, any class that keeps what
it is given will do.
"""

import asyncio
import sys
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.bindings.datumdef import Datum as _Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from sandbox.host.errors import StartError


@dataclass(frozen=True, slots=True)
class Datum:
    """A value on its way to or from a function.

    `kind` is the worker library's word: string, bytes, json, http, list; None for no value.
    """

    value: Any
    kind: str | None

    def for_worker(self) -> Any:
        """The library's own class; an http value is a tree of them."""
        value = self.value
        if self.kind == "http":
            value = {key: _http_part(part) for key, part in value.items()}
        return _Datum(value, self.kind)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: what was returned and put out, or the error."""

    error: str | None
    returned: Datum | None = None
    outputs: Mapping[str, Datum] = field(default_factory=dict)


class Worker:
    """The app, running on an event loop and thread pool of its own.

    In Azure the host and the worker are two processes; a function that blocks its loop must not keep this host from
    renewing message leases.
    """

    def __init__(self, app: Path) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="worker", daemon=True).start()

    def index(self) -> list[Any]:
        """Import function_app and give its functions' metadata. Once per process.

        Raises StartError with the traceback when the import fails or there is nothing to host.
        """
        sys.path.insert(0, str(self._app))
        runtime.start_threadpool_executor()
        functions: list[Any] = asyncio.run_coroutine_threadsafe(_index(self._app), self._loop).result()
        return functions

    async def invoke(
        self, invocation_id: str, function_id: str, inputs: Mapping[str, Datum], metadata: Mapping[str, Datum]
    ) -> Outcome:
        """Run a function once: `def` in the thread pool, `async def` on the worker's loop."""
        call = _invoke(
            invocation_id,
            function_id,
            [(name, datum.for_worker()) for name, datum in inputs.items()],
            {name: datum.for_worker() for name, datum in metadata.items()},
        )
        return await self._call(call)

    async def _call[T](self, call: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._loop))


async def _index(app: Path) -> list[Any]:
    request = SimpleNamespace(
        request=SimpleNamespace(
            worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app)),
        ),
        properties={"host": "127.0.0.1", "protos": _protos()},
    )
    try:
        response = await runtime.worker_init_request(request)
    except SystemExit as error:
        raise StartError(f"function_app called sys.exit({error.code})") from error
    if response.result.status != _StatusResult.Success:
        exception = response.result.exception
        raise StartError(f"function_app cannot be loaded: {exception.message}\n{exception.stack_trace}")
    metadata = await runtime.functions_metadata_request(request)
    if not metadata.function_metadata_results:
        raise StartError(f"no functions found: {app / 'function_app.py'} is missing or registers none")
    return list(metadata.function_metadata_results)


async def _invoke(invocation_id: str, function_id: str, inputs: Sequence[Any], metadata: Mapping[str, Any]) -> Outcome:
    """An exit fails the invocation; in Azure it ends the worker process, which the host then starts again."""
    try:
        succeeded, returned, outputs, error, _ = await invocation_request_native(
            invocation_id, function_id, inputs, metadata
        )
    except SystemExit as exit_:
        return Outcome(f"SystemExit({exit_.code!r})")
    if not succeeded:
        return Outcome(error)
    return Outcome(
        None, _from_worker(returned), {name: _from_worker(datum) or Datum(None, None) for name, datum in outputs}
    )


def _from_worker(datum: Any) -> Datum | None:
    return None if datum is None else Datum(datum.value, datum.type)


def _http_part(part: Any) -> Any:
    """HttpRequestConverter reads `.value` of every leaf."""
    if isinstance(part, dict):
        return {name: _Datum(text, "string") for name, text in part.items()}
    return _Datum(part, "bytes" if isinstance(part, bytes) else "string")


class _Message(SimpleNamespace):
    """Stands in for a protobuf message: keeps the fields it is given."""


class _StatusResult(_Message):
    Failure, Success, Cancelled = 0, 1, 2


class _BindingInfo(_Message):
    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2


setattr(_BindingInfo, "in", 0)  # a keyword in Python, a direction in the protocol


def _protos() -> SimpleNamespace:
    plain = (
        "FunctionMetadataResponse",
        "RpcException",
        "RpcFunctionMetadata",
        "RpcRetryOptions",
        "WorkerInitResponse",
        "WorkerMetadata",
    )
    return SimpleNamespace(BindingInfo=_BindingInfo, StatusResult=_StatusResult, **dict.fromkeys(plain, _Message))
