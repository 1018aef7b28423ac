"""Service tags: which addresses a name stands for, from Azure's own list and from where it is used.

Source: "Virtual network service tags"; the list is the weekly Service Tags JSON, or the answer of ARM's serviceTags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

import msgspec

from diagnostics.network.decoding import convert, decode
from diagnostics.network.prefixes import AddressSet, Bounds

HOST = AddressSet.parse("168.63.129.16")
"""Where Azure's platform answers every VM: DNS, DHCP, the agent's channel."""

INSTANCE_METADATA = AddressSet.parse("169.254.169.254")
"""Where a VM asks about itself."""

PLATFORM = AddressSet.union(map(AddressSet.parse, ("168.63.129.16", "fe80::1234:5678:9abc")))
"""Where Azure's load balancer probes come from, on every network."""

_NOT_INTERNET = AddressSet.union(
    map(
        AddressSet.parse,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.2.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "224.0.0.0/3",
        ),
    )
)
_INTERNET_V4 = AddressSet.parse("0.0.0.0/0") - _NOT_INTERNET
# Azure leaves blocks of its own out of the tag too, not everywhere the same ones.
_MICROSOFT = AddressSet.union(
    map(
        AddressSet.parse,
        ("13.96.0.0/13", "20.128.0.0/16", "25.0.0.0/8", "40.66.128.0/17", "52.132.0.0/14", "104.212.36.0/22"),
    )
)
_INTERNET_V6 = AddressSet.parse("2000::/3")
_INTERNET = _INTERNET_V4 | _INTERNET_V6
_NOT_MICROSOFT = _INTERNET - _MICROSOFT


class _Properties(msgspec.Struct, frozen=True, rename="camel"):
    address_prefixes: list[str] = []


class _Value(msgspec.Struct, frozen=True):
    name: str
    properties: _Properties = _Properties()


class _List(msgspec.Struct, frozen=True):
    values: list[_Value]


@dataclass(frozen=True, slots=True)
class ServiceTags:
    """Azure's list of service tags; names in any case.

    Attributes:
        prefixes: the prefixes of each tag, by its lower-cased name; read into a set when first asked for.
        names: how Azure spells each tag, by its lower-cased name.
    """

    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict, compare=False, kw_only=True)
    _sets: dict[str, AddressSet] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the list; raises ParseError with the path of what does not fit."""
        return cls._of(decode(body, _List))

    @classmethod
    def of(cls, value: object, where: str = "$") -> Self:
        """The same for JSON that is decoded already."""
        return cls._of(convert(value, _List, where))

    @classmethod
    def _of(cls, read: _List) -> Self:
        return cls(
            {value.name.lower(): tuple(value.properties.address_prefixes) for value in read.values},
            names={value.name.lower(): value.name for value in read.values},
        )

    def __or__(self, other: ServiceTags) -> ServiceTags:
        """Both lists; of a tag that is on both, the other's."""
        return ServiceTags({**self.prefixes, **other.prefixes}, names={**self.names, **other.names})

    def spelt(self, tag: str) -> str:
        """A tag as Azure spells it, where it is on the list."""
        return self.names.get(tag.lower(), tag)

    def addresses(self, tag: str) -> AddressSet | None:
        """The addresses of a tag, or None for one that is not on the list.

        Raises:
            ParseError: the list has something for this tag that is no prefix.
        """
        name = tag.lower()
        if name not in self.prefixes:
            return None
        if name not in self._sets:
            self._sets[name] = AddressSet.union(AddressSet.parse(text, f"tag {tag}") for text in self.prefixes[name])
        return self._sets[name]

    def each(self, tag: str) -> tuple[AddressSet, ...] | None:
        """The prefixes of a tag one by one, as long as they are written: to a route, their lengths count.

        Raises:
            ParseError: the list has something for this tag that is no prefix.
        """
        texts = self.prefixes.get(tag.lower())
        return None if texts is None else tuple(AddressSet.parse(text, f"tag {tag}") for text in texts)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What tags mean for one network interface.

    Attributes:
        virtual_network: `VirtualNetwork` there: own, peered and gateway-learnt space and 168.63.129.16 for sure; the
            prefixes of the subnet's user-defined routes perhaps.
        listed: Azure's list.
        tag_map: the expansions that Azure gave for this very interface (effective security rules); they win.
    """

    virtual_network: Bounds
    listed: ServiceTags = field(default_factory=ServiceTags)
    tag_map: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, tag: str) -> Bounds | None:
        """The addresses of a tag, or None for one that is not known."""
        name = tag.lower()
        told = next((prefixes for key, prefixes in self.tag_map.items() if key.lower() == name), None)
        if told is not None:
            return Bounds.exactly(AddressSet.union(AddressSet.parse(text, f"tag {tag}") for text in told))
        match name:
            case "virtualnetwork":
                return self.virtual_network
            case "internet":
                return _internet(self.virtual_network)
            case "azureloadbalancer":
                return Bounds.exactly(PLATFORM)
            case "azureplatformdns":
                return Bounds.exactly(HOST)
            case "azureplatformimds":
                return Bounds.exactly(INSTANCE_METADATA)
            case _:
                listed = self.listed.addresses(tag)
                return None if listed is None else Bounds.exactly(listed)


@lru_cache(maxsize=1 << 10)
def _internet(own: Bounds) -> Bounds:
    """Publicly routed space outside of the virtual network; Azure's own public ranges belong to it.

    Azure's expansions list 168.63.129.16 here too, though it is in `VirtualNetwork`: perhaps, as they are old.
    """
    return Bounds(_NOT_MICROSOFT - own.may, (_INTERNET - own.must) | HOST, frozenset({"Internet"}))
