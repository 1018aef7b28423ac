"""Messages come as base64 or as they are; both are read."""

import base64

import azure.functions as func
import pytest

from diagnostics.engine.engine import Delivery
from diagnostics.triggers.message import body, delivery

REQUEST = b'{"requestId": "r"}'


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (base64.b64encode(REQUEST), REQUEST),
        (base64.b64encode(REQUEST) + b"\n", REQUEST),
        (REQUEST, REQUEST),
        (b"  " + REQUEST, b"  " + REQUEST),
        (b"not base64!", b"not base64!"),
        ("größe".encode(), "größe".encode()),
        (b"", b""),
    ],
    ids=["base64", "with a line end", "plain JSON", "plain JSON, indented", "neither", "not ASCII", "empty"],
)
def test_a_body_is_read_whatever_its_encoding(text: bytes, read: bytes) -> None:
    assert body(func.QueueMessage(body=text)) == read


def test_a_delivery_is_known_by_its_message() -> None:
    assert delivery(func.QueueMessage(id="m1", body=b"")) == Delivery("m1", tries=1)
