"""Posts findings to a Microsoft Teams channel through the webhook of a Workflows flow.

The address of such a flow is a secret (its query holds the signature, its path the workflow): it is never in a log, an
error, or the sink's repr.

Source: Microsoft Teams, "Create incoming webhooks with Workflows for Microsoft Teams".
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from diagnostics.errors import PermanentError, TemporaryError
from diagnostics.sinks.card import card, message
from diagnostics.webhook import SETTING, usable_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnostics.findings import Finding

__all__ = ["TeamsSink", "card", "message"]

_ACCEPTED = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED})
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_REFUSED = (
    f"the signature in {SETTING} is not valid any more, or the flow lets only users of its tenant in: "
    'set "Who can trigger the flow" to "Anyone" and copy its URL again'
)
_GONE = f"the flow was deleted or turned off: turn it on, or create one and put its URL into {SETTING}"
_ADVICE = {
    400: 'the flow does not understand the message: it has to start with "When a Teams webhook request is received"',
    401: _REFUSED,
    403: _REFUSED,
    404: _GONE,
    410: _GONE,
    413: "the message is too large for the flow",
}


class TeamsSink:
    """Sends every finding as one card to one channel.

    Args:
        url: the webhook's address as Teams shows it; https, or http to this machine.
        timeout: seconds to wait for the connection, and then for the answer.

    Raises:
        SettingsError: the address cannot be one of a Workflows flow; the text does not repeat it.
    """

    name = "teams"
    for_people = True

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self._host = usable_host(url.strip())
        self._url = url.strip()
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"TeamsSink({self._host!r})"

    def send(self, finding: Finding) -> None:
        """Post the finding's card. Accepted means queued: a flow that fails later says so in its own run history.

        Raises:
            TemporaryError: throttled, away or too slow; with the seconds that the other side asked to wait, if it did.
            PermanentError: refused, and will be again; says what to do about it.
        """
        status, retry_after = self._post(msgspec.json.encode(message(finding)))
        if status in _ACCEPTED:
            return
        where = f"Teams webhook at {self._host}: HTTP {status}"
        if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TemporaryError(where, retry_after=_seconds(retry_after, datetime.now(UTC)))
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise PermanentError(f"{where}: a redirect, which is not followed; check {SETTING}")
        raise PermanentError(f"{where}: {_ADVICE.get(status, f'unexpected; check {SETTING}')}")

    def _post(self, body: bytes) -> tuple[int, str]:
        """The answer's status and Retry-After."""
        import requests  # noqa: PLC0415 - a cold start pays only for what it runs

        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "vmreach"}
        try:
            with (
                _silence(),
                requests.post(
                    self._url,
                    data=body,
                    headers=headers,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,  # nobody reads the answer's body
                ) as response,
            ):
                return response.status_code, response.headers.get("Retry-After", "")
        except requests.RequestException as error:
            failure = type(error).__name__
            temporary = isinstance(error, requests.ConnectionError | requests.Timeout)
        # Raised out here, so that the library's error, whose text holds the URL, is not even this one's context.
        if temporary:
            raise TemporaryError(f"Teams webhook at {self._host}: {failure}")
        raise PermanentError(f"Teams webhook at {self._host}: {failure}; check {SETTING}")


def _seconds(retry_after: str, now: datetime) -> float | None:
    """What a Retry-After header asks for, in seconds from now: a number of them or a date (RFC 9110, 10.2.3)."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal() and len(text) <= len("86400000"):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(0.0, (until - now).total_seconds())


class _OtherThreads(logging.Filter):
    """Passes what other threads log."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps urllib3 quiet about this thread's request: at debug level it logs path and query, which are secret."""
    quiet = _OtherThreads()
    loggers = [logging.getLogger(name) for name in ("urllib3.connectionpool", "urllib3.util.retry")]
    for logger in loggers:
        logger.addFilter(quiet)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(quiet)
