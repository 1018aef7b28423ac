"""JSON into Structs, with one kind of error: the path of what does not fit, why, and the value found there."""

from __future__ import annotations

import re
from threading import Lock
from typing import Any

import msgspec

from diagnostics.errors import ParseError

_AT = re.compile(r"(?P<why>.*) - at `(?:key in )?\$(?P<path>.*)`", re.DOTALL)
_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_SHOWN = 80

_PREPARING = Lock()
_PREPARED: set[object] = set()


def prepare(kind: object) -> None:
    """Has msgspec look at a type before a value is decoded as one; in one thread at a time, and once.

    Two threads that are the first to decode a type end the process with a segmentation fault: the second takes the
    description of the type that msgspec (0.22) is still filling for the first. The functions run in threads.
    """
    if kind not in _PREPARED:
        with _PREPARING:
            msgspec.json.Decoder(kind)
            _PREPARED.add(kind)


def decode[T](body: bytes, kind: type[T], where: str = "$") -> T:
    """Decode JSON; raises ParseError such as "$.source.port: Expected `int | null`, got `str`: 'https'"."""
    prepare(kind)
    try:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as error:
            # What comes behind the misfit was not read yet, and may be no JSON at all.
            misfit, value = error, msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"{where}: not readable as JSON: {error}") from None
    raise _parse_error(misfit, value, where)


def convert[T](value: object, kind: type[T], where: str = "$") -> T:
    """The same for JSON that is decoded already."""
    prepare(kind)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _parse_error(error, value, where) from None
    except UnicodeEncodeError as error:  # half of a surrogate pair, which `json` lets through
        raise ParseError(f"{where}: not readable as text: {error}") from None


def _parse_error(error: msgspec.ValidationError, value: object, where: str) -> ParseError:
    said = _AT.fullmatch(str(error))
    why, path = (said["why"], said["path"]) if said else (str(error), "")
    shown = repr(_at(value, path))
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "…"
    return ParseError(f"{where}{path}: {why}: {shown}")


def _at(value: Any, path: str) -> object:
    """The value at a path, as far as that can be followed."""
    for name, index in _PART.findall(path):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
        else:
            break
    return value
