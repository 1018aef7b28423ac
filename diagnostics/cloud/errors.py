"""Errors of the Azure SDKs become vmreach's own: temporary, permanent, forbidden, not found, changed, failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from diagnostics.errors import (
    BUSY,
    ChangedError,
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    PermanentError,
    TemporaryError,
    VmreachError,
)

_LINKED = re.compile(r"perform action(?:\(s\))? '([^']+)' on the linked scope(?:\(s\))? '([^']+)'")
_PLAIN = re.compile(r"perform action(?:\(s\))? '([^']+)' over scope '([^']+)'")
_LONGEST = 600


@contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turn what an SDK raises inside into an error of vmreach's that says what was being done."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - only what runs against Azure pays for it

    try:
        yield
    except AzureError as error:
        raise translated(error, doing) from error


def translated(error: Exception, doing: str) -> VmreachError:
    """The error of vmreach's that an SDK's error means."""
    from azure.core.exceptions import ClientAuthenticationError, DecodeError, HttpResponseError  # noqa: PLC0415

    said = _said(error)
    message = f"{doing}: {said[:_LONGEST]}"
    if not isinstance(error, HttpResponseError) or error.response is None or isinstance(error, DecodeError):
        # No answer, or half of one: a connection that broke, a token that could not be had just now.
        kind = "no token" if isinstance(error, ClientAuthenticationError) else "no answer"
        return TemporaryError(f"{doing}: {kind}: {said[:_LONGEST]}")
    if error.status_code in {401, 403}:
        named = _LINKED.search(said) or _PLAIN.search(said)
        return ForbiddenError(message, action=named and named[1], scope=named and named[2])
    code = str(getattr(error.error, "code", None) or getattr(error, "error_code", None) or "").strip()
    return _by_status(error.status_code or 0, code, message, _retry_after(error))


def _by_status(status: int, code: str, message: str, retry_after: float | None) -> VmreachError:
    if status == 404:
        return NotFoundError(message)
    if status == 412:
        return ChangedError(message)
    if status in {408, 429} or status >= 500 or code.lower() in BUSY:
        return TemporaryError(message, retry_after=retry_after)
    if status < 400:  # the request was taken, and the operation that it started failed
        return OperationFailedError(message, code=code or "Failed")
    return PermanentError(message)


def _said(error: Exception) -> str:
    """Azure's code, message and details in one line, without the pages that some errors carry."""
    inner = getattr(error, "error", None)
    details = [getattr(detail, "message", None) for detail in getattr(inner, "details", None) or ()]
    told = " ".join(str(text) for text in dict.fromkeys([getattr(inner, "message", None), *details]) if text)
    text = ": ".join(part for part in (getattr(inner, "code", None), told) if part)
    return " ".join((text or str(getattr(error, "message", None) or error)).split())


def _retry_after(error: Exception) -> float | None:
    """Seconds of a `Retry-After` header."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return float(headers.get("Retry-After", ""))
    except ValueError:
        return None
