"""Values of which Azure itself would not know what to make: they are read as unknown, and told.

Azure accepts some junk (a rule with the source `789` is in real exports), so none of this ends the reading.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network import wire
from diagnostics.network.ids import ResourceId
from diagnostics.network.prefixes import address_of, names_tag, read_prefix
from diagnostics.network.reading import doubts, forms
from diagnostics.network.reading.shapes import struct_in
from diagnostics.network.security import ports

_PREFIX = frozenset({"addressPrefix", "addressPrefixes"})
_ENDS = frozenset(
    {"sourceAddressPrefix", "sourceAddressPrefixes", "destinationAddressPrefix", "destinationAddressPrefixes"}
)
_PORTS = frozenset({"sourcePortRange", "sourcePortRanges", "destinationPortRange", "destinationPortRanges"})
_ADDRESSES = frozenset({"privateIPAddress", "ipAddress", "nextHopIpAddress", "nextHopIpAddresses"})
_REFERENCES = (wire.Ref, wire.VmNic)
_UNREADABLE = f"/subscriptions/{UUID(int=0)}/resourceGroups/unreadable/providers/Microsoft.Network/ids/unreadable"
# What most ids look like: to parse each of them a second time would take a third of all reading.
_USUAL_ID = re.compile(
    r"/subscriptions/[\w-]+/resourceGroups/\w[\w.()-]*/providers/\w[\w.]*(?:/(?!providers/)\w+/\w[\w.-]*)+",
    re.ASCII | re.IGNORECASE,
)
_TAGS_TOO = (wire.SecurityRuleProperties, wire.RouteProperties)


def found(read: msgspec.Struct, path: str = "") -> Iterator[tuple[str, str]]:
    """Where something does not fit, as a path with `properties` levels, and what is wrong with it."""
    for name, attribute, wrong in _plan(type(read)):
        value = getattr(read, attribute)
        if not value:
            continue
        for number, each in enumerate(value if type(value) is tuple else (value,)):
            if wrong is not None:
                text = wrong(each)
                if text:
                    yield _at(path, name, number, value), text
            elif isinstance(each, msgspec.Struct):
                yield from found(each, _at(path, name, number, value))


def mended[T: msgspec.Struct](read: T, *, inner: bool = False) -> T:
    """The same with ids and addresses that can be kept.

    What is referred to by no id is something that the estate does not show; what is no address is none that is shown.
    """
    changes: dict[str, Any] = {}
    for field in msgspec.structs.fields(type(read)):
        value = getattr(read, field.name)
        if isinstance(value, msgspec.Struct):
            changes[field.name] = mended(value, inner=True)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(
                mended(each, inner=True) if isinstance(each, msgspec.Struct) else each for each in value
            )
        elif field.name == "id" and inner and _resource_id(value):
            changes[field.name] = _UNREADABLE if isinstance(read, _REFERENCES) else ""
        elif isinstance(read, wire.IpConfigurationProperties) and field.name == "private_ip_address":
            changes[field.name] = None if value and _address(value) else value
    return msgspec.structs.replace(read, **changes) if changes else read


def _at(path: str, name: str, number: int, value: object) -> str:
    return f"{path}.{name}[{number}]" if isinstance(value, tuple) else f"{path}.{name}"


type _Judge = Callable[[str], str]


@cache
def _plan(kind: type[msgspec.Struct]) -> list[tuple[str, str, _Judge | None]]:
    """The fields to look into: name, attribute, and what says what is wrong with their texts; None for Structs."""
    hints = typing.get_type_hints(kind)
    fields = [
        (field.encode_name, field.name, _judge(kind, field.encode_name)) for field in msgspec.structs.fields(kind)
    ]
    return [each for each in fields if each[2] or any(_plan(inner) for inner in struct_in(hints[each[1]]))]


def _judge(kind: type[msgspec.Struct], name: str) -> Callable[[str], str] | None:
    if name in _PREFIX | _ENDS:
        if issubclass(kind, forms.AdminPrefix):
            return _prefix_tag_or_group
        return _prefix_or_tag if issubclass(kind, _TAGS_TOO) else _prefix
    if name in {"id", "targetResourceId"}:
        return _resource_id
    if name in _PORTS:
        return _port_range
    if name in _ADDRESSES:
        return _address
    enumeration = _ENUMERATIONS.get(kind, {}).get(name)
    return (lambda text: _known(text, enumeration)) if enumeration else None


_ENUMERATIONS: dict[type[msgspec.Struct], dict[str, tuple[str, ...]]] = {
    wire.SecurityRuleProperties: {"access": doubts.ACCESS, "direction": doubts.DIRECTION},
    forms.AdminRuleProperties: {"access": (*doubts.ACCESS, "AlwaysAllow"), "direction": doubts.DIRECTION},
}


def _resource_id(text: str) -> str:
    usual = len(text) < 1_000 and _USUAL_ID.fullmatch(text)
    return "" if not text or usual or ResourceId.maybe(text) else f"{text!r} is no resource id"


@cache
def _prefix(text: str) -> str:
    return "" if read_prefix(text) else f"{text!r} is no address prefix"


def _prefix_tag_or_group(text: str) -> str:
    """An admin rule may name a network group: who is in it, no configuration tells."""
    return "" if ResourceId.maybe(text) else _prefix_or_tag(text)


@cache
def _prefix_or_tag(text: str) -> str:
    return "" if read_prefix(text) or names_tag(text) else f"{text!r} is neither an address prefix nor a service tag"


@cache
def _port_range(text: str) -> str:
    try:
        ports([text])
    except ParseError:
        return f"{text!r} is no port range"
    return ""


@cache
def _address(text: str) -> str:
    return "" if address_of(text) else f"{text!r} is no address"


@cache
def _known(text: str, names: tuple[str, ...]) -> str:
    return "" if text.lower() in map(str.lower, names) else f"{text!r} is none of {', '.join(names)}"
