"""POSTs that Azure takes its time over: submitted once, their answers collected by a ticket, from any process.

The ticket is what Azure's headers say about where the answer will be. It is not the continuation token of the SDK's
poller: that is a pickle, and loading a pickle from a table runs whatever somebody wrote into that table.

Sources: "Track asynchronous Azure operations"; recorded traffic of Network Watcher, which answers 202 with a Location,
or 200 with the answer at once and a Location all the same.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors, translated
from diagnostics.errors import BUSY, OperationFailedError, ParseError, PermanentError, TemporaryError
from diagnostics.network.decoding import decode

_LONGEST_PAUSE = 20.0  # seconds; Azure may ask for more, and the answer may be there long before
_LONGEST_TICKET = 30_000  # characters; a text in a table has up to 32,768
_NOTHING = frozenset({b"", b"null"})


class _Ticket(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an answer will be.

    Attributes:
        status: the URL of `Azure-AsyncOperation`, which tells how it goes.
        result: the URL of `Location`, which has the answer in the end.
        answer: the answer itself, compressed, where Azure gave it at once.
    """

    status: str = ""
    result: str = ""
    answer: bytes = b""


class _Error(msgspec.Struct, frozen=True):
    code: str | None = None
    message: str | None = None


class _Properties(msgspec.Struct, frozen=True):
    output: msgspec.Raw = msgspec.Raw(b"")


class _Status(msgspec.Struct, frozen=True):
    """What an `Azure-AsyncOperation` URL answers; Run Command has its output in it."""

    status: str
    error: _Error | None = None
    properties: _Properties | None = None


@dataclass(frozen=True, slots=True)
class Operations:
    """Submits and collects.

    Attributes:
        poll_seconds: between two looks, where Azure does not say.
        wait_seconds: how long to wait for an answer in one go.
    """

    clients: Clients
    poll_seconds: float
    wait_seconds: float

    def submit(self, client: Any, path: str, version: str, body: Mapping[str, Any] | None, doing: str) -> str:
        """POST once, never twice (azure-core would repeat it on 503: a check would run twice); returns the ticket."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - only what runs against Azure pays for it

        request = HttpRequest("POST", path, params={"api-version": version}, json=body)
        with azure_errors(doing):
            response = client.send_request(request, retry_total=0)
            response.raise_for_status()
        return _ticket(response, doing)

    def collect(self, client: Any, ticket: str, doing: str) -> bytes:
        """Wait for the answer; throttled and broken polls are waited out.

        Raises:
            TemporaryError: it has not ended within `wait_seconds`; the ticket stays good.
            NotFoundError: Azure does not know the operation any more.
            OperationFailedError: it failed; has Azure's code.
            PermanentError: it ended with another error, or the ticket is none of Azure's.
        """
        read = self._read(ticket, doing)
        if read.answer:
            return read.answer
        until = time.monotonic() + self.wait_seconds
        if read.status:
            output = self._await(client, read.status, until, doing, lambda response: _output(response, doing))
            if not read.result:
                return _said(output, doing)
        return _said(self._await(client, read.result, until, doing, _answer), doing)

    def _read(self, ticket: str, doing: str) -> _Ticket:
        """A ticket comes from a table: it must lead to Azure Resource Manager, for our token goes where it leads."""
        try:
            read = decode(ticket.encode(), _Ticket)
            read = msgspec.structs.replace(read, answer=zlib.decompress(read.answer) if read.answer else b"")
        except (ParseError, zlib.error):
            raise PermanentError(f"{doing}: its ticket can't be read") from None  # the text would show the ticket
        urls = [url for url in (read.status, read.result) if url]
        if not (read.answer or urls) or not all(map(self.clients.is_arm, urls)):
            raise PermanentError(f"{doing}: its ticket does not lead to Azure Resource Manager")
        return read

    def _await(self, client: Any, url: str, until: float, doing: str, ended: Callable[[Any], bytes | None]) -> bytes:
        """Look again and again until a response is the last one."""
        while True:
            trouble, pause = "", None
            try:
                response = _get(client, url, doing)
                if (body := ended(response)) is not None:
                    return body
                pause = _seconds(response.headers.get("Retry-After"))
            except TemporaryError as error:
                trouble, pause = f"; last: {error}", _seconds(str(error.retry_after))
            left = until - time.monotonic()
            if left <= 0:
                raise TemporaryError(f"{doing} has not ended within {self.wait_seconds:g} s{trouble}")
            time.sleep(min(pause or self.poll_seconds, _LONGEST_PAUSE, left))


def _get(client: Any, url: str, doing: str) -> Any:
    """One look. No error tells the URL: it may hold a signature that lets whoever has it look too."""
    from azure.core.exceptions import AzureError, HttpResponseError  # noqa: PLC0415
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    try:
        response = client.send_request(HttpRequest("GET", url), retry_total=0)  # the pauses are ours
        response.raise_for_status()
    except HttpResponseError as error:
        code = str(getattr(error.error, "code", None) or "").strip()
        if code.lower() in BUSY:  # the operation's end, though the status is that of throttling
            raise OperationFailedError(str(translated(error, doing)), code=code) from None
        raise translated(error, doing) from None
    except AzureError:
        raise TemporaryError(f"{doing}: the connection broke") from None
    return response


def _ticket(response: Any, doing: str) -> str:
    status, result = (response.headers.get(name, "") for name in ("Azure-AsyncOperation", "Location"))
    body: bytes = response.read().strip()
    if response.status_code == 200 and body not in _NOTHING:
        ticket = msgspec.json.encode(_Ticket(answer=zlib.compress(body))).decode()
        if len(ticket) <= _LONGEST_TICKET:
            return ticket
    if not (status or result):
        raise PermanentError(f"{doing}: Azure took it, and did not say where its answer will be")
    return msgspec.json.encode(_Ticket(status, result)).decode()


def _answer(response: Any) -> bytes | None:
    """The body behind a `Location`, once it is not 202 any more."""
    body: bytes = response.read()
    return None if response.status_code == 202 else body


def _output(response: Any, doing: str) -> bytes | None:
    """The output behind an `Azure-AsyncOperation`, empty where the answer is elsewhere; None while it goes on."""
    read = decode(response.read(), _Status)
    match read.status.lower():
        case "succeeded":
            return bytes(read.properties.output) if read.properties else b""
        case "failed" | "canceled":
            error = read.error or _Error()
            code = (error.code or read.status).strip()
            raise OperationFailedError(f"{doing}: {code}: {error.message or 'Azure does not say why'}", code=code)
    return None


def _said(body: bytes, doing: str) -> bytes:
    if body.strip() in _NOTHING:
        raise PermanentError(f"{doing} ended without an answer")
    return body


def _seconds(text: str | None) -> float | None:
    """What a `Retry-After` asks for; None for a date, for nothing, and for 0, which some services send."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if seconds > 0 else None
