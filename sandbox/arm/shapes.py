"""Request bodies held against the TypedDicts that the SDK ships for its own request bodies (``azure.mgmt.*.types``).

Microsoft.Network refuses members that it does not know and values of the wrong type, and names the place; so a client
that sends a NIC with a misspelt property learns it here and not in production.
"""

import enum
import functools
from collections.abc import Iterator
from datetime import datetime
from types import ModuleType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import typing_extensions

from sandbox.arm.wire import ArmError, Json

type Problem = tuple[str, str]

_ANYTHING: tuple[Any, ...] = (Any, object)


class Shapes:
    """The shapes of one SDK package: its ``types`` module, with the enumerations of its ``models`` module."""

    def __init__(self, types: ModuleType, models: ModuleType) -> None:
        self._names = vars(typing_extensions) | vars(models) | vars(types) | {"datetime": datetime}
        self._types = types
        self._hints = functools.cache(self._read_hints)

    def _read_hints(self, shape: Any) -> dict[str, Any]:
        return typing_extensions.get_type_hints(shape, globalns=self._names, localns=self._names, include_extras=True)

    def problems(self, shape: str, body: Any, known: Any = None) -> list[Problem]:
        """What is wrong with a body, as (path, message). `known` is the stored resource: what it has is not unknown."""
        return list(self._check(getattr(self._types, shape), body, known, ""))

    def require(self, shape: str, body: Any, known: Any = None) -> None:
        """400 InvalidRequestFormat, one detail per problem, in the words of Microsoft.Network."""
        found = self.problems(shape, body, known)
        if found:
            details = [{"code": "InvalidJson", "message": f"{text} Path '{path}'."} for path, text in found]
            raise ArmError(400, "InvalidRequestFormat", "Cannot parse the request.", details)

    def _check(self, shape: Any, value: Any, known: Any, path: str) -> Iterator[Problem]:
        origin, arguments = get_origin(shape), get_args(shape)
        if (value == known and value is not None) or shape in _ANYTHING:
            return
        if origin in (Required, NotRequired, Annotated):
            yield from self._check(arguments[0], value, known, path)
        elif origin is Union:
            yield from self._check_union(arguments, value, known, path)
        elif origin is Literal:
            if value not in arguments:
                yield path, f"Value {value!r} is not one of {arguments}."
        elif origin is list:
            yield from self._check_list(arguments[0], value, known, path)
        elif origin is dict:
            yield from self._check_dict(arguments[1], value, known, path)
        elif typing_extensions.is_typeddict(shape):
            yield from self._check_object(shape, value, known, path)
        elif not _is_scalar(shape, value):
            yield path, f"Could not convert {_kind(value)} to {shape.__name__}."

    def _check_union(self, options: tuple[Any, ...], value: Any, known: Any, path: str) -> Iterator[Problem]:
        names = next((o for o in options if isinstance(o, type) and issubclass(o, enum.Enum)), None)
        if names is not None:
            if not isinstance(value, str) or value.lower() not in {str(name.value).lower() for name in names}:
                yield path, f"Requested value {value!r} was not found in {names.__name__}."
            return
        found = [list(self._check(option, value, known, path)) for option in options if option is not type(None)]
        if found and [] not in found and not (value is None and type(None) in options):
            yield from found[0]

    def _check_list(self, item: Any, value: Any, known: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield path, f"Could not convert {_kind(value)} to array."
            return
        for index, element in enumerate(value):
            yield from self._check(item, element, _counterpart(known, element), f"{path}[{index}]")

    def _check_dict(self, item: Any, value: Any, known: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, f"Could not convert {_kind(value)} to object."
            return
        for name, element in value.items():
            yield from self._check(item, element, _member(known, name), _join(path, name))

    def _check_object(self, shape: Any, value: Any, known: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, f"Could not convert {_kind(value)} to object."
            return
        hints = self._hints(shape)
        for name, element in value.items():
            if element is None and get_origin(hints.get(name)) is not Required and name in hints:
                continue  # null is as good as left out
            if name in hints:
                yield from self._check(hints[name], element, _member(known, name), _join(path, name))
            elif not isinstance(known, dict) or name not in known:
                yield _join(path, name), f"Could not find member '{name}' on object of type '{shape.__name__}'."
        for name, hint in hints.items():
            if get_origin(hint) is Required and name not in value:
                yield _join(path, name), f"Required property '{name}' not found in JSON."


@functools.cache
def network() -> Shapes:
    """The shapes of azure-mgmt-network; a megabyte of types, so imported when first asked for."""
    from azure.mgmt.network import models, types  # noqa: PLC0415

    return Shapes(types, models)


@functools.cache
def compute() -> Shapes:
    """The shapes of azure-mgmt-compute."""
    from azure.mgmt.compute import models, types  # noqa: PLC0415

    return Shapes(types, models)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _member(known: Any, name: str) -> Any:
    return known.get(name) if isinstance(known, dict) else None


def _counterpart(known: Any, element: Any) -> Json | None:
    """The stored element of a list that a sent one stands for: nested resources are known by their name."""
    if not isinstance(known, list) or not isinstance(element, dict) or "name" not in element:
        return None
    return next((item for item in known if isinstance(item, dict) and item.get("name") == element["name"]), None)


def _is_scalar(shape: Any, value: Any) -> bool:
    if shape in (int, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str if shape in (str, datetime) or issubclass(shape, enum.Enum) else shape)
