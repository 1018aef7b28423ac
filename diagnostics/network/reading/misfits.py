"""Values of which Azure itself would not know what to make: they are read as unknown, and told.

Azure accepts some junk (a rule with the source `789` is in real exports), so none of this ends the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network import wire
from diagnostics.network.prefixes import address_of, names_tag, read_prefix
from diagnostics.network.reading import forms
from diagnostics.network.security import ports

_PREFIX = frozenset({"addressPrefix", "addressPrefixes"})
_ENDS = frozenset(
    {"sourceAddressPrefix", "sourceAddressPrefixes", "destinationAddressPrefix", "destinationAddressPrefixes"}
)
_PORTS = frozenset({"sourcePortRange", "sourcePortRanges", "destinationPortRange", "destinationPortRanges"})
_ADDRESSES = frozenset({"privateIPAddress", "ipAddress", "nextHopIpAddress", "nextHopIpAddresses"})
_TAGS_TOO = (wire.SecurityRuleProperties, wire.RouteProperties, forms.AdminPrefix)


def found(read: msgspec.Struct, path: str = "") -> Iterator[tuple[str, str]]:
    """Where something does not fit, as a path with `properties` levels, and what is wrong with it."""
    for name, attribute, wrong in _plan(type(read)):
        value = getattr(read, attribute)
        for where, each in _each(value, f"{path}.{name}"):
            if isinstance(each, msgspec.Struct):
                yield from found(each, where)
            elif wrong and isinstance(each, str) and each and (text := wrong(each)):
                yield where, text


def _each(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, tuple):
        yield from ((f"{path}[{number}]", each) for number, each in enumerate(value))
    elif value is not None:
        yield path, value


@cache
def _plan(kind: type[msgspec.Struct]) -> list[tuple[str, str, Callable[[str], str] | None]]:
    """The fields to look into: name, attribute, and what says what is wrong with its text."""
    fields = ((field.encode_name, field.name) for field in msgspec.structs.fields(kind))
    return [(name, attribute, _judge(kind, name)) for name, attribute in fields]


def _judge(kind: type[msgspec.Struct], name: str) -> Callable[[str], str] | None:
    if name in _PREFIX | _ENDS:
        return _prefix_or_tag if issubclass(kind, _TAGS_TOO) else _prefix
    if name in _PORTS:
        return _port_range
    if name in _ADDRESSES:
        return _address
    enumeration = _ENUMERATIONS.get(kind, {}).get(name)
    return (lambda text: _known(text, enumeration)) if enumeration else None


_ENUMERATIONS: dict[type[msgspec.Struct], dict[str, tuple[str, ...]]] = {
    wire.SecurityRuleProperties: {"access": ("Allow", "Deny"), "direction": ("Inbound", "Outbound")},
    forms.AdminRuleProperties: {"access": ("Allow", "Deny", "AlwaysAllow"), "direction": ("Inbound", "Outbound")},
}


@cache
def _prefix(text: str) -> str:
    return "" if read_prefix(text) else f"{text!r} is no address prefix"


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
