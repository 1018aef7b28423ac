"""Connections end with the adapter that opened them."""

from __future__ import annotations

import weakref
from collections.abc import MutableMapping
from typing import Any


def close_with(owner: object, clients: MutableMapping[Any, Any]) -> None:
    """Close all clients in the mapping, then, when the owner is gone or the process ends."""
    weakref.finalize(owner, _close, clients)


def _close(clients: MutableMapping[Any, Any]) -> None:
    while clients:
        _, client = clients.popitem()
        client.close()
