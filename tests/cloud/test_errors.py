import json
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceResponseError,
)

from diagnostics.cloud.errors import azure_errors, translated
from diagnostics.errors import (
    ChangedError,
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    PermanentError,
    TemporaryError,
    VmreachError,
)
from tests.cloud.conftest import Estate

HTML = "<html><head><title>Service Unavailable</title></head><body>" + "x" * 5_000 + "</body></html>"
WHERE = "/subscriptions/s/resourceGroups/g"
PLAIN = (
    f"The client 'c' does not have authorization to perform action 'a/b/read' over scope '{WHERE}' or it is invalid."
)


class Response:
    """As much of an HTTP response as an SDK's error looks at."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.status_code, self.reason, self.headers = status, "A Reason", headers or {}
        self._body = body if isinstance(body, str) else json.dumps(body)

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002 - part of the protocol
        return self._body


def error_of(status: int, body: Any, headers: dict[str, str] | None = None) -> VmreachError:
    response: Any = Response(status, body, headers)
    return translated(HttpResponseError(response=response), "doing it")


def inner(code: str | None, message: str | None, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


DETAILS = [{"code": "InvalidJson", "message": "Could not find member 'x'."}, {"code": "A", "message": None}]


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (400, inner("BadRequest", "Wrong."), PermanentError, "BadRequest: Wrong."),
        (400, {"code": "BadRequest", "message": "Wrong."}, PermanentError, "BadRequest: Wrong."),
        (400, inner("BadRequest", None), PermanentError, "BadRequest"),
        (400, inner(None, "Wrong."), PermanentError, "Wrong."),
        (400, inner("Bad", "Two\r\n  lines."), PermanentError, "Bad: Two lines."),
        (400, inner("Bad", "See.", details=DETAILS), PermanentError, "Bad: See. Could not find member 'x'."),
        (400, inner("RetryableError", "Later."), TemporaryError, "RetryableError: Later."),
        (400, {"error": "just text"}, PermanentError, "Operation returned an invalid status 'A Reason'"),
        (400, "null", PermanentError, "Operation returned an invalid status 'A Reason'"),
        (400, "", PermanentError, "Operation returned an invalid status 'A Reason'"),
        (401, inner("ExpiredAuthenticationToken", "Old."), ForbiddenError, "ExpiredAuthenticationToken: Old."),
        (403, inner("AuthorizationFailed", PLAIN), ForbiddenError, f"AuthorizationFailed: {PLAIN}"),
        (404, inner("ResourceNotFound", "Gone."), NotFoundError, "ResourceNotFound: Gone."),
        (408, "", TemporaryError, "Operation returned an invalid status 'A Reason'"),
        (409, inner("AnotherOperationInProgress", "Busy."), TemporaryError, "AnotherOperationInProgress: Busy."),
        (409, inner("InUse", "No."), PermanentError, "InUse: No."),
        (412, inner("PreconditionFailed", "Newer."), ChangedError, "PreconditionFailed: Newer."),
        (429, inner("TooManyRequests", "Slow."), TemporaryError, "TooManyRequests: Slow."),
        (500, inner("InternalServerError", "An error."), TemporaryError, "InternalServerError: An error."),
        (503, HTML, TemporaryError, "Operation returned an invalid status 'A Reason'"),
        (200, inner("SubnetIsFull", "Full.") | {"status": "Failed"}, OperationFailedError, "SubnetIsFull: Full."),
        (200, inner("RetryableError", "Later."), TemporaryError, "RetryableError: Later."),
        (200, {"status": "Failed"}, OperationFailedError, "Operation returned an invalid status 'A Reason'"),
    ],
)
def test_what_an_answer_means(status: int, body: Any, kind: type[VmreachError], text: str) -> None:
    error = error_of(status, body)
    assert (type(error), str(error)) == (kind, f"doing it: {text}")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    error = error_of(429, inner("TooManyRequests", "Slow."), headers)
    assert isinstance(error, TemporaryError)
    assert error.retry_after == seconds


LINKED = "does not have permission to perform action 'a/join/action' on the linked scope(s) '/s/x' or they are invalid."


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (PLAIN, ("a/b/read", WHERE)),
        (
            f"The client 'c' has permission to perform action 'w' on scope '{'y' * 900}'; however, it {LINKED}",
            ("a/join/action", "/s/x"),
        ),
        ("The subscription is disabled.", (None, None)),
    ],
)
def test_a_missing_right_is_named(message: str, named: tuple[str | None, str | None]) -> None:
    error = error_of(403, inner("AuthorizationFailed", message))
    assert isinstance(error, ForbiddenError)
    assert (error.action, error.scope) == named
    assert len(str(error)) < 700


def test_codes_are_trimmed() -> None:
    error = error_of(200, inner(" UnauthorizedForPeering", " No. "))
    assert isinstance(error, OperationFailedError)
    assert error.code == "UnauthorizedForPeering"


def half_an_answer() -> Exception:
    response: Any = Response(200, '{"prop')
    return IncompleteReadError("the connection was closed", response=response)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ServiceResponseError("Connection aborted."), "doing it: no answer: Connection aborted."),
        (half_an_answer(), "doing it: no answer: the connection was closed"),
        (
            ClientAuthenticationError("The identity endpoint is away."),
            "doing it: no token: The identity endpoint is away.",
        ),
    ],
)
def test_no_answer_is_temporary(error: Exception, text: str) -> None:
    with pytest.raises(TemporaryError) as caught, azure_errors("doing it"):
        raise error
    assert str(caught.value) == text


def test_our_own_errors_and_mistakes_go_through() -> None:
    for error in (PermanentError("ours"), KeyError("a mistake")):
        with pytest.raises(type(error)) as caught, azure_errors("doing it"):
            raise error
        assert caught.value is error


def test_no_token_is_temporary(estate: Estate) -> None:
    estate.sandbox.faults.add(path="/msi/token", status=400, times=99)
    with pytest.raises(TemporaryError, match="reading nic-shop-web-01: "):
        estate.nics().get(estate.id("nic-shop-web-01"))


def test_real_errors_of_azure(corpus: Path) -> None:
    files = sorted((corpus / "arm_error").glob("*.json"))
    assert files
    for file in files:
        body = json.loads(file.read_text())
        told = body.get("error", body)
        error = error_of(409, body)
        assert str(error).startswith(f"doing it: {told['code']}: ".replace(": :", ":").replace(":  ", ": ")), file.name
        assert "None" not in str(error)
        assert "\n" not in str(error)
        assert isinstance(error, TemporaryError) == told["code"].startswith("Retryable"), file.name


def test_real_exchanges_that_ended_in_an_error(corpus: Path) -> None:
    for file in sorted((corpus / "exchange_error").glob("*.json")):
        exchange = json.loads(file.read_text())
        error = error_of(exchange["status"], exchange["response_body"], exchange["response_headers"])
        if exchange["status"] == 404:
            assert isinstance(error, NotFoundError), file.name
        elif exchange["status"] >= 500 or exchange["status"] == 429:
            assert isinstance(error, TemporaryError), file.name
        assert "None:" not in str(error), file.name
