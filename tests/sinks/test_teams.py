"""Posting to a webhook: against a real HTTP server on loopback."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import pytest

from diagnostics.errors import PermanentError, SettingsError, TemporaryError, VmreachError
from diagnostics.findings import Confidence, Finding, Remedy, Resource, Severity
from diagnostics.sinks.teams import TeamsSink, message

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/workflows/0123hidden/triggers/manual/paths/invoke"
QUERY = "api-version=1&sp=%2Ftriggers&sig=S3cr3t-sig"
SECRETS = ("0123hidden", "workflows", "S3cr3t", "sig=", "api-version")
FINDING = Finding(
    finding_id="f1",
    check="NSG001",
    title="Port 443 is closed 🔥",
    severity=Severity.HIGH,
    confidence=Confidence.LIKELY,
    resource=Resource(id="/subscriptions/s", name="vm", type="x"),
    remedy=Remedy(summary="Open it."),
)


class Flow(ThreadingHTTPServer):
    """Answers as it is told, and remembers what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.headers, self.delay = 202, cast("dict[str, str]", {}), 0.0
        self.seen: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}?{QUERY}"


class Answer(BaseHTTPRequestHandler):
    server: Flow

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers.items()), body))
        time.sleep(self.server.delay)
        if not self.server.status:
            return
        self.send_response(self.server.status)
        for name, value in {"Content-Length": "0", **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as server:
        yield server


@contextmanager
def serving() -> Iterator[Flow]:
    with Flow() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def failure(sink: TeamsSink) -> VmreachError:
    with pytest.raises(VmreachError) as caught:
        sink.send(FINDING)
    return caught.value


def tells_no_secret(*texts: str) -> bool:
    return not any(secret in text for text in texts for secret in SECRETS)


@pytest.mark.parametrize("status", [200, 202])
def test_posts_the_message(flow: Flow, status: int) -> None:
    flow.status = status
    TeamsSink(flow.url + "\n").send(FINDING)
    [(path, headers, body)] = flow.seen
    assert path == f"{PATH}?{QUERY}"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body.decode()) == message(FINDING)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (204, PermanentError, "unexpected"),
        (302, PermanentError, "redirect"),
        (400, PermanentError, "webhook request is received"),
        (401, PermanentError, "Anyone"),
        (403, PermanentError, "Anyone"),
        (404, PermanentError, "deleted or turned off"),
        (410, PermanentError, "deleted or turned off"),
        (413, PermanentError, "too large"),
        (418, PermanentError, "unexpected"),
        (408, TemporaryError, "408"),
        (429, TemporaryError, "429"),
        (500, TemporaryError, "500"),
        (503, TemporaryError, "503"),
    ],
)
def test_answers(flow: Flow, status: int, kind: type[VmreachError], said: str) -> None:
    flow.status, flow.headers = status, {"Location": "/elsewhere"}
    error = failure(TeamsSink(flow.url))
    assert type(error) is kind
    assert said in str(error)
    assert tells_no_secret(str(error))
    assert len(flow.seen) == 1


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 400, None),
    ],
)
def test_retry_after(flow: Flow, retry_after: str, seconds: float | None) -> None:
    flow.status, flow.headers = 429, {"Retry-After": retry_after}
    error = failure(TeamsSink(flow.url))
    assert isinstance(error, TemporaryError)
    assert error.retry_after == seconds


def test_retry_after_as_a_date(flow: Flow) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    flow.status, flow.headers = 503, {"Retry-After": until}
    error = failure(TeamsSink(flow.url))
    assert isinstance(error, TemporaryError)
    assert error.retry_after is not None
    assert 90 < error.retry_after <= 100


def test_slow_dropped_and_refused_connections_are_temporary(flow: Flow) -> None:
    flow.delay = 0.3
    slow = failure(TeamsSink(flow.url, timeout=0.05))
    flow.delay, flow.status = 0.0, 0
    dropped = failure(TeamsSink(flow.url))
    with serving() as other:
        url = other.url
    refused = failure(TeamsSink(url))
    for error in (slow, dropped, refused):
        assert isinstance(error, TemporaryError)
        assert error.__cause__ is None
        assert error.__context__ is None
        assert tells_no_secret(repr(error), *traceback.format_exception(error))


def test_no_log_tells_the_address(flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sink = TeamsSink(flow.url)
    sink.send(FINDING)
    flow.status = 500
    failure(sink)
    assert tells_no_secret(caplog.text, repr(sink), str(sink))
    logging.getLogger("urllib3.connectionpool").debug("still heard")
    assert "still heard" in caplog.text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://contoso.webhook.office.com/webhookb2/S3cr3t", "Workflows"),
        ("https://CONTOSO.Webhook.Office.com./webhookb2/S3cr3t", "Workflows"),
        ("https://outlook.office.com/webhook/S3cr3t", "Workflows"),
        ("http://prod-1.westeurope.logic.azure.com/S3cr3t?sig=x", "https"),
        ("http://127.0.0.1.evil.example/S3cr3t", "https"),
        ("ftp://localhost/S3cr3t", "https"),
        ("@Microsoft.KeyVault(SecretUri=https://S3cr3t)", "Key Vault"),
        ("https://user:S3cr3t@host/x", "not a URL"),
        ("https://host:S3cr3t/x", "not a URL"),
        ("https://[::1/S3cr3t", "not a URL"),
        ("https://ho st/S3cr3t", "not a URL"),
        ("S3cr3t", "not a URL"),
        ("", "not a URL"),
    ],
)
def test_addresses_that_cannot_be_used(url: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        TeamsSink(url)
    assert said in str(caught.value)
    assert tells_no_secret(str(caught.value), *traceback.format_exception(caught.value)[-1:])
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "https://prod-1.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=y",
        "https://d.0a.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/x?sig=y",
        "http://127.0.0.1:8080/x",
        "http://[::1]:8080/x",
        "http://localhost/x",
    ],
)
def test_addresses_that_can_be_used(url: str) -> None:
    sink = TeamsSink(url)
    assert sink.name == "teams"
    assert tells_no_secret(repr(sink))
