"""Log lines on standard error, each with its level and the function it belongs to."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aiohttp.http_exceptions import HttpProcessingError
from azure_functions_runtime import invocation_id_cv

from sandbox.host.errors import StartError

# "Configure monitoring for Azure Functions": the levels of logLevel.
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_FORMAT = "%(asctime)s %(levelname)-8s [%(function)s] %(message)s"
_current: ContextVar[str] = ContextVar("current_function", default="host")
_names: dict[str, str] = {}


@contextmanager
def running(invocation_id: str, function: str) -> Iterator[None]:
    """Log lines of this invocation carry the function's name, on whatever thread they are written."""
    _names[invocation_id] = function
    token = _current.set(function)
    try:
        yield
    finally:
        _current.reset(token)
        del _names[invocation_id]


def configure(level: str) -> None:
    """Send the root logger to standard error at `level` of host.json; the Azure SDKs only from Warning.

    The SDKs log every request at Information, and the worker library its own workings. Raises StartError for an
    unknown level.
    """
    if level.lower() not in _LEVELS:
        raise StartError(f"host.json: logging.logLevel.default must be one of {', '.join(_LEVELS)}, not {level}")
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_name_function)
    logging.basicConfig(level=_LEVELS[level.lower()], format=_FORMAT, handlers=[handler])
    logging.getLogger("azure").setLevel(max(logging.WARNING, _LEVELS[level.lower()]))
    logging.getLogger("aiohttp.server").addFilter(_drop_malformed_request)


def _drop_malformed_request(record: logging.LogRecord) -> bool:
    """The server logs the line it could not parse, which may hold a key; the client gets it back in the answer."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
        record.msg, record.args = "a request was not HTTP and was refused", ()
    return True


def _name_function(record: logging.LogRecord) -> bool:
    """The worker library's variable is set in its threads and on its loop; ours on the host's loop."""
    record.function = _names.get(invocation_id_cv.get() or "", _current.get())
    return True
