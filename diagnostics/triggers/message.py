"""What a queue trigger knows of its message."""

from __future__ import annotations

import azure.functions as func

from diagnostics.engine.engine import Delivery


def delivery(msg: func.QueueMessage) -> Delivery:
    """The message as the engine wants to know it."""
    return Delivery(str(msg.id))
