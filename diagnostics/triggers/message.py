"""What a queue trigger knows of its message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from diagnostics.engine.engine import Delivery


def delivery(msg: func.QueueMessage) -> Delivery:
    """The message as the engine wants to know it."""
    from diagnostics.engine.engine import Delivery  # noqa: PLC0415 - a cold start pays only for what it runs

    return Delivery(str(msg.id))
