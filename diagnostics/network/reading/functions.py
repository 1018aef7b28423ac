"""The functions of ARM templates that need no deployment; what they cannot take raises whatever Python raises.

Source: "ARM template functions" (array, CIDR, comparison, lambda, logical, numeric, object, string).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import reduce
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID(int=0)

_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_LONGEST = 10_000  # Azure's own bound of what `range` makes


def _extension_id(of: str, kind: str, *names: str) -> str:
    namespace, *types = kind.split("/")
    path = "/".join(f"{one}/{other}" for one, other in zip(types, names, strict=True))
    return f"{of}/providers/{namespace}/{path}"


def _guid(*texts: Any) -> UUID:
    """Stands for the one that Azure makes of the same texts: as names hang on it, the same texts give the same one."""
    return uuid5(_NAMESPACE, "-".join(map(_text, texts)))


def _unique(*texts: Any) -> str:
    """The same in 13 letters and digits."""
    return _guid(*texts).hex[:13]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list | dict) else str(value)


def _concat(*parts: Any) -> Any:
    if all(isinstance(part, list) for part in parts):
        return [each for part in parts for each in part]
    return "".join(map(_text, parts))


def _format(pattern: str, *parts: Any) -> str:
    def part(match: re.Match[str]) -> str:
        value, form = parts[int(match[1])], match[2]
        if form is None:
            return _text(value)
        if not re.fullmatch(r"[dD]\d{0,2}", form):
            raise ValueError(form)
        return str(value).zfill(int(form[1:] or 0))

    return re.sub(r"\{(\d+)(?::([^}]*))?\}", part, pattern)


def _union(*parts: Any) -> Any:
    """Elements of lists once, in order; objects one in the other, of which the later one counts."""
    some = [part for part in parts if part is not None]
    if all(isinstance(part, list) for part in some):
        found: list[Any] = []
        for each in (each for part in some for each in part):
            if each not in found:
                found.append(each)
        return found
    return reduce(_merged, some)


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = {key: _merged(one[key], value) for key, value in other.items() if _both_objects(one.get(key), value)}
    return {**one, **other, **inner}


def _both_objects(one: Any, other: Any) -> bool:
    return isinstance(one, Mapping) and isinstance(other, Mapping)


def _intersection(*parts: Any) -> Any:
    first, *others = parts
    if isinstance(first, list):
        return [each for each in first if all(each in other for other in others)]
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, Mapping):
        return str(item).lower() in {key.lower() for key in container}
    return (str(item) if isinstance(container, str) else item) in container


def _try_get(found: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(found, Mapping):
            found = {each.lower(): value for each, value in found.items()}.get(str(key).lower())
        elif isinstance(found, list) and isinstance(key, int) and 0 <= key < len(found):
            found = found[key]
        else:
            return None
    return found


def _json(text: str) -> Any:
    """A text of JSON, in which lines may be comments: `loadTextContent` of Bicep takes files as they are."""
    return json.loads(_COMMENT.sub("", text))


def _bounded(count: int) -> int:
    if not 0 <= count <= _LONGEST:
        raise ValueError(count)
    return count


def _range(start: int, count: int) -> list[int]:
    return list(range(start, start + _bounded(count)))


def _index_of(of: Any, item: Any) -> int:
    if isinstance(of, str):
        return of.lower().find(item.lower())
    return int(of.index(item)) if item in of else -1


def _split(text: str, marks: Any) -> list[str]:
    every = marks if isinstance(marks, list) else [marks]
    return re.split("|".join(map(re.escape, every)), text)


def _take(of: Any, count: int) -> Any:
    return of[: max(count, 0)]


def _skip(of: Any, count: int) -> Any:
    return of[max(count, 0) :]


def _substring(text: str, start: int, length: int | None = None) -> str:
    if not 0 <= start <= start + (length or 0) <= len(text):
        raise ValueError(text)
    return text[start:] if length is None else text[start : start + length]


def _flattened(lists: list[Any]) -> list[Any]:
    return [each for some in lists for each in (some if isinstance(some, list) else [some])]


def _items(of: Mapping[str, Any]) -> list[Any]:
    return [{"key": key, "value": of[key]} for key in sorted(of, key=str.lower)]


def _to_object(items: list[Any], key: Callable[..., Any], value: Callable[..., Any] | None = None) -> Any:
    return {key(each): value(each) if value else each for each in items}


def _reduced(items: list[Any], start: Any, step: Callable[..., Any]) -> Any:
    for number, each in enumerate(items):
        start = step(start, each, number)
    return start


def _least(*values: Any) -> int:
    return int(min(*values) if len(values) > 1 else min(values[0]))


def _most(*values: Any) -> int:
    return int(max(*values) if len(values) > 1 else max(values[0]))


def _divided(one: int, other: int) -> int:
    if other == 0:
        raise ValueError(other)
    return abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)


def _subnet(network: str, bits: int, number: int) -> str:
    """`cidrSubnet('10.0.0.0/16', 24, 1)` is `10.0.1.0/24`."""
    whole = ip_network(network)
    if not whole.prefixlen <= bits <= whole.max_prefixlen or not 0 <= number < 1 << (bits - whole.prefixlen):
        raise ValueError(number)
    return f"{whole.network_address + (number << (whole.max_prefixlen - bits))}/{bits}"


def _host(network: str, number: int) -> str:
    """`cidrHost('10.0.1.0/24', 4)` is `10.0.1.5`: the first one that can be used has number 0."""
    whole = ip_network(network)
    found = whole.network_address + number + (1 if whole.num_addresses > 2 else 0)
    if number < 0 or ip_address(found) not in whole:
        raise ValueError(number)
    return str(found)


def _bool(value: Any) -> bool:
    return value.lower() in {"true", "1"} if isinstance(value, str) else bool(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "extensionresourceid": _extension_id,
    "deployment": lambda: {"name": "template", "location": ""},
    "uniquestring": _unique,
    "guid": lambda *texts: str(_guid(*texts)),
    "concat": _concat,
    "format": _format,
    "string": _text,
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": _split,
    "join": lambda items, mark: mark.join(map(_text, items)),
    "substring": _substring,
    "startswith": lambda text, start: text.lower().startswith(start.lower()),
    "endswith": lambda text, end: text.lower().endswith(end.lower()),
    "indexof": _index_of,
    "padleft": lambda text, length, fill=" ": _text(text).rjust(_bounded(length), fill),
    "json": _json,
    "int": int,
    "bool": _bool,
    "array": lambda value: value if isinstance(value, list) else [value],
    "createarray": lambda *items: list(items),
    "createobject": lambda *items: dict(zip(items[::2], items[1::2], strict=True)),
    "less": lambda one, other: one < other,
    "lessorequals": lambda one, other: one <= other,
    "greater": lambda one, other: one > other,
    "greaterorequals": lambda one, other: one >= other,
    "not": lambda value: not value,
    "empty": lambda value: not value,
    "true": lambda: True,
    "false": lambda: False,
    "null": lambda: None,
    "length": len,
    "contains": _contains,
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "take": _take,
    "skip": _skip,
    "range": _range,
    "union": _union,
    "shallowmerge": lambda parts: {key: value for part in parts for key, value in part.items()},
    "intersection": _intersection,
    "flatten": _flattened,
    "items": _items,
    "objectkeys": lambda of: sorted(of, key=str.lower),
    "tryget": _try_get,
    "map": lambda items, of: [of(each, number) for number, each in enumerate(items)],
    "filter": lambda items, wanted: [each for number, each in enumerate(items) if wanted(each, number)],
    "reduce": _reduced,
    "toobject": _to_object,
    "mapvalues": lambda of, value: {key: value(each) for key, each in of.items()},
    "add": lambda one, other: one + other,
    "sub": lambda one, other: one - other,
    "mul": lambda one, other: one * other,
    "div": _divided,
    "mod": lambda one, other: one - other * _divided(one, other),
    "min": _least,
    "max": _most,
    "cidrsubnet": _subnet,
    "cidrhost": _host,
}
