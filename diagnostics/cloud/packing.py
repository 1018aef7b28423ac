"""Documents in table entities: compressed, in as many binary properties as they need."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

_PROPERTY = 60_000  # a binary property holds 64 KiB
_PROPERTIES = 15  # an entity holds 1 MiB


def pack(document: bytes) -> dict[str, bytes]:
    """The properties `body0`, `body1`, … that hold a document; raises ValueError for one above 900 kB compressed."""
    packed = zlib.compress(document, 6)
    parts = [packed[start : start + _PROPERTY] for start in range(0, len(packed), _PROPERTY)]
    if len(parts) > _PROPERTIES:
        raise ValueError(f"a document of {len(document)} bytes does not fit into a table entity")
    return {f"body{number}": part for number, part in enumerate(parts)}


def unpack(entity: Mapping[str, Any]) -> bytes:
    """The document that `pack` put into an entity."""
    parts: list[bytes] = []
    while (name := f"body{len(parts)}") in entity:
        parts.append(bytes(entity[name]))
    return zlib.decompress(b"".join(parts))
