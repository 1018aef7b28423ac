"""Bicep that compiles as it is: an existing resource, and the child of it that is new or changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from diagnostics.network.ids import ResourceId

NETWORK, COMPUTE, PRIVATE_DNS = "2024-05-01", "2024-07-01", "2020-06-01"
"""API versions."""

type Value = str | int | bool | Raw | list[Value] | dict[str, Value]


class Raw(str):
    """An expression: it stands as it is, without quotes."""

    __slots__ = ()


@lru_cache(maxsize=1 << 14)
def quoted(text: str) -> str:
    """A Bicep string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${").replace("\n", "\\n")
    return f"'{escaped.replace(chr(13), '')}'"


def existing(kind: str, resource: ResourceId, symbol: str = "it") -> str:
    """A resource that is there, to be the parent of what follows."""
    return _existing(kind, resource.name, symbol)


@lru_cache(maxsize=1 << 12)  # an NSG has dozens of findings
def _existing(kind: str, name: str, symbol: str) -> str:
    return f"resource {symbol} {quoted(kind)} existing = {{\n  name: {quoted(name)}\n}}\n"


def resource(symbol: str, kind: str, body: Mapping[str, Value]) -> str:
    """A resource with its body."""
    return f"resource {symbol} {quoted(kind)} = {_shown(dict(body), 0)}\n"


def comment(text: str) -> str:
    """A line for people; what it says may come from Azure."""
    return f"// {' '.join(text.split())}\n"


def _shown(value: Value, depth: int) -> str:
    if isinstance(value, str):  # as mostly
        return str(value) if isinstance(value, Raw) else quoted(value)
    if isinstance(value, int):
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if isinstance(value, dict):
        shown, (begin, end) = [f"{name}: {_shown(item, depth + 1)}" for name, item in value.items()], "{}"
    else:
        shown, (begin, end) = [_shown(item, depth + 1) for item in value], "[]"
    inner, outer = f"\n{'  ' * (depth + 1)}", f"\n{'  ' * depth}"
    return f"{begin}{inner}{inner.join(shown)}{outer}{end}" if shown else begin + end
