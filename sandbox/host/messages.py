"""A storage message as the worker library wants it."""

import base64
import binascii
import json
import uuid
from datetime import UTC, datetime, timedelta

from azure.storage.queue import QueueMessage

from sandbox.host.worker import Datum

_WHITESPACE = str.maketrans("", "", " \t\r\n")  # .NET's Convert.FromBase64String skips these


def decode(content: str, *, base64_encoded: bool) -> bytes | None:
    """The body; None when `messageEncoding` is base64 and the content is not."""
    if not base64_encoded:
        return content.encode()
    try:
        return base64.b64decode(content.translate(_WHITESPACE), validate=True)
    except (binascii.Error, ValueError):
        return None


def body_datum(body: bytes, *, binary: bool = False) -> Datum:
    """Text when it is UTF-8 and the binding's dataType is not binary. Never json: the converter refuses that."""
    if not binary:
        try:
            return Datum(body.decode(), "string")
        except UnicodeDecodeError:
            pass
    return Datum(body, "bytes")


def metadata(message: QueueMessage) -> dict[str, Datum]:
    """Message metadata of "Azure Queue storage trigger for Azure Functions"; times are JSON strings."""
    times = {
        "InsertionTime": message.inserted_on,
        "ExpirationTime": message.expires_on,
        "NextVisibleTime": message.next_visible_on,
    }
    return {
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(str(message.dequeue_count), "json"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        **{name: _time(moment) for name, moment in times.items() if moment is not None},
    }


def made_up_metadata() -> dict[str, Datum]:
    """For a run that no message stands behind: an id, this moment and the first try."""
    now = datetime.now(UTC)
    return {
        "Id": Datum(str(uuid.uuid4()), "string"),
        "DequeueCount": Datum("1", "json"),
        "InsertionTime": _time(now),
        "ExpirationTime": _time(now + timedelta(days=7)),
        "NextVisibleTime": _time(now + timedelta(minutes=10)),
        "PopReceipt": Datum("", "string"),
    }


def _time(moment: datetime) -> Datum:
    return Datum(json.dumps(moment.astimezone(UTC).isoformat()), "json")
