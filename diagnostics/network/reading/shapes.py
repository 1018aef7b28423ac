"""Every way in which a resource is written, brought into the one that ARM's GET answers with.

`az` leaves out the level `properties`, writes null for what is absent, and its older versions spell `privateIpAddress`
what ARM spells `privateIPAddress`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.decoding import convert, prepare

_INNER = "properties"


def read[T: msgspec.Struct](raw: Mapping[str, Any], kind: type[T], where: str) -> T:
    """A resource as a Struct.

    Raises:
        ParseError: something in it does not fit; its path is the file's own.
    """
    prepare(kind)
    if _INNER in raw:
        try:
            return msgspec.convert(raw, kind)
        except (msgspec.ValidationError, UnicodeEncodeError):
            pass  # it may be only a null or the case of a key
    try:
        return convert(_fitted(raw, kind), kind)
    except ParseError as error:
        path, _, why = str(error).partition(": ")
        raise ParseError(f"{where}{spelled(raw, path.removeprefix('$'))}: {why}") from None


def spelled(raw: Mapping[str, Any], path: str) -> str:
    """A path as the resource itself is written: with or without the levels `properties`."""
    return path if isinstance(raw.get(_INNER), Mapping) else path.replace("." + _INNER, "")


def says_something(raw: Mapping[str, Any], kind: type[msgspec.Struct]) -> bool:
    """Whether it has any of the properties that are read; rows of `az resource list` have one state at most."""
    if _INNER not in _plan(kind) or isinstance(raw.get(_INNER), Mapping):
        return True
    inner = _plan(kind)[_INNER][1]
    assert inner, "properties are a Struct"
    known = _plan(inner).keys() - {"provisioningstate"}
    # Of some resources nothing but their existence is asked.
    return not known or any(key.lower() in known for key in raw if raw[key] is not None)


def _fitted(raw: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """The mapping with the keys that the Struct knows, in its spelling, and without nulls."""
    plan = _plan(kind)
    if _INNER in plan and not isinstance(raw.get(_INNER), Mapping):
        raw = {**raw, _INNER: raw}
    found = {}
    for key, value in raw.items():
        known = plan.get(key.lower())
        if known and value is not None:
            name, inner, many = known
            found[name] = _inside(value, inner, many=many) if inner else value
    return found


def _inside(value: object, inner: type, *, many: bool) -> object:
    if many:
        return [_one(each, inner) for each in value] if isinstance(value, list) else value
    return _one(value, inner)


def _one(value: object, inner: type) -> object:
    return _fitted(value, inner) if isinstance(value, Mapping) else value


@cache
def _plan(kind: type) -> dict[str, tuple[str, type | None, bool]]:
    """By lower-cased key: the key's spelling, the Struct behind it, and whether there are many."""
    hints = typing.get_type_hints(kind)
    return {
        field.encode_name.lower(): (field.encode_name, *_struct(hints[field.name]))
        for field in msgspec.structs.fields(kind)
    }


def _struct(hint: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The Struct in a type such as `Ref | None` or `tuple[Ref, ...] | None`."""
    if isinstance(hint, types.UnionType):
        return next((found for part in typing.get_args(hint) if (found := _struct(part))[0]), (None, False))
    if typing.get_origin(hint) in {tuple, list}:
        return _struct(typing.get_args(hint)[0])[0], True
    known = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    return (hint if known else None), False


def struct_in(hint: Any) -> tuple[type[msgspec.Struct], ...]:
    """The Struct in the type of a field, if there is one."""
    found, _ = _struct(hint)
    return (found,) if found else ()
