"""References of one resource to another: the ids that they name."""

from __future__ import annotations

from functools import lru_cache

from diagnostics.network import wire
from diagnostics.network.ids import ResourceId


def reference(read: wire.Ref | str | None) -> ResourceId | None:
    """The id that a reference names, if it is one; a text in its place is an expression of a template."""
    return named(read.id) if isinstance(read, wire.Ref) else None


def references(read: tuple[wire.Ref, ...] | None) -> tuple[ResourceId, ...]:
    """The ids that references name."""
    return tuple(rid for ref in read if (rid := named(ref.id))) if read else ()


# A subnet or an NSG is named by hundreds of NICs, and a NIC by its NSG, its subnet and its VM.
@lru_cache(maxsize=20_000)
def named(text: str) -> ResourceId | None:
    """The id in a text, if it is one."""
    return ResourceId.maybe(text)
