"""What a queue trigger knows of its message."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from diagnostics.engine.engine import Delivery


def body(msg: func.QueueMessage) -> bytes:
    """The message's JSON: as it stands, or out of its base64.

    The host is told not to decode (host.json, messageEncoding): what it can't decode it would move to a poison queue
    and fail to decode again there, and nobody would hear of it. People send plain JSON, Event Grid and the Azure SDKs
    one or the other. JSON of an object starts with a brace, which base64 never does; what is neither is handed on as
    it came, to be refused with its text.
    """
    text = bytes(msg.get_body())
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        return text


def delivery(msg: func.QueueMessage) -> Delivery:
    """The message as the engine wants to know it."""
    from diagnostics.engine.engine import Delivery  # noqa: PLC0415 - a cold start pays only for what it runs

    return Delivery(str(msg.id), msg.dequeue_count or 1)
