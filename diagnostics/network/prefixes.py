"""Sets of IPv4 and IPv6 addresses: of prefixes, of everything, and of what is known only in part."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Self

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.intervals import V4_TOP, V6_TOP, Intervals, Span

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TAG = re.compile(r"[A-Za-z][\w.-]*")
_ANYTHING = frozenset({"*", "any", "all"})
# Python takes no octet with a zero before it: it may be meant as octal.
_OCTETS = {str(number): number for number in range(256)}
_LENGTHS = {text: number for number in range(33) for text in (str(number), f"{number:02}")}
_NO_V4, _NO_V6 = Intervals.none(V4_TOP), Intervals.none(V6_TOP)
_ALL_V4, _ALL_V6 = Intervals.all(V4_TOP), Intervals.all(V6_TOP)


class AddressSet(msgspec.Struct, frozen=True, gc=False):
    """A set of addresses, known exactly. The two families never match each other."""

    v4: Intervals
    v6: Intervals

    @classmethod
    def none(cls) -> Self:
        """No address."""
        return cls(_NO_V4, _NO_V6)

    @classmethod
    def all(cls) -> Self:
        """Every address of both families."""
        return cls(_ALL_V4, _ALL_V6)

    @classmethod
    def parse(cls, text: str, where: str = "prefix") -> AddressSet:
        """The addresses of one prefix: `10.0.0.0/8`, `10.0.0.4`, `2001:db8::/32`, `10.0.0.4-10.0.0.9`, or `*`.

        `0.0.0.0/0` is all of IPv4 only, `::/0` all of IPv6; host bits are masked away, as Azure does.

        Raises:
            ParseError: it is none of these, such as a service tag, or the `789` that Azure once accepted.
        """
        found = read_prefix(text)
        if found is None:
            raise ParseError(f"{where}: {text!r} is no address prefix")
        return found

    @classmethod
    def union(cls, sets: Iterable[Self]) -> Self:
        """Every address of any of the sets."""
        listed = sets if type(sets) is list else list(sets)
        if len(listed) == 1:
            return listed[0]
        v4: list[Span] = []
        v6: list[Span] = []
        for each in listed:
            v4 += each.v4.spans
            if each.v6.spans:
                v6 += each.v6.spans
        return cls(Intervals.joined(v4, V4_TOP) if v4 else _NO_V4, Intervals.joined(v6, V6_TOP) if v6 else _NO_V6)

    def __contains__(self, address: Address) -> bool:
        held = self.v4 if isinstance(address, ipaddress.IPv4Address) else self.v6
        if len(held.spans) == 1:
            first, last = held.spans[0]
            return first <= int(address) <= last
        return int(address) in held if held.spans else False

    def __bool__(self) -> bool:
        return bool(self.v4.spans or self.v6.spans)

    def __or__(self, other: Self) -> Self:
        return self._of(self.v4 | other.v4, self.v6 | other.v6)

    def __and__(self, other: Self) -> Self:
        return self._of(self.v4 & other.v4, self.v6 & other.v6 if self.v6.spans else self.v6)

    def __sub__(self, other: Self) -> Self:
        return self._of(self.v4 - other.v4, self.v6 - other.v6)

    def __invert__(self) -> Self:
        return type(self)(~self.v4, ~self.v6)

    def __le__(self, other: Self) -> bool:
        """Whether every address of this set is in the other."""
        return self.v4 <= other.v4 and self.v6 <= other.v6

    def prefixes(self) -> tuple[str, ...]:
        """The set in the fewest prefixes, IPv4 first."""
        return (
            *_summary(self.v4, ipaddress.IPv4Address, ipaddress.summarize_address_range),
            *_summary(self.v6, ipaddress.IPv6Address, ipaddress.summarize_address_range),
        )

    def _of(self, v4: Intervals, v6: Intervals) -> Self:
        """The same object where nothing is different, as mostly: then it is found to be the same at once."""
        return self if v4 is self.v4 and v6 is self.v6 else type(self)(v4, v6)


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """A set of addresses between two exact ones: `must ⊆ set ⊆ may`. Where both are the same, it is known exactly.

    So an unknown service tag is neither empty nor everything, and what is computed with it stays honest.

    Attributes:
        must: addresses that are in it for sure.
        may: addresses that can be in it; any other is outside for sure.
        missing: what would have to be known to say more, such as the name of a service tag.
    """

    must: AddressSet
    may: AddressSet
    missing: frozenset[str] = frozenset()

    @classmethod
    def exactly(cls, known: AddressSet) -> Self:
        """A set that is known."""
        return cls(known, known)

    @classmethod
    def unknown(cls, name: str, within: AddressSet | None = None) -> Self:
        """A set of which nothing is known but its name, and perhaps what it lies within."""
        return cls(AddressSet.none(), within if within is not None else AddressSet.all(), frozenset({name}))

    @property
    def exact(self) -> bool:
        """Whether it is known exactly."""
        return self.must is self.may or self.must == self.may

    def holds(self, address: Address) -> bool | None:
        """Whether an address is in it; None where that is not known."""
        if address in self.must:
            return True
        return None if self.may is not self.must and address in self.may else False

    def __or__(self, other: Self) -> Self:
        return self._made(self.must | other.must, self.may | other.may, other)

    def __and__(self, other: Self) -> Self:
        return self._made(self.must & other.must, self.may & other.may, other)

    def __sub__(self, other: Self) -> Self:
        return self & ~other

    def __invert__(self) -> Self:
        return type(self)(~self.may, ~self.must, self.missing)

    def _made(self, must: AddressSet, may: AddressSet, other: Self) -> Self:
        """What is missing counts only as long as it makes a difference."""
        return type(self)(must, may, frozenset() if must == may else self.missing | other.missing)


@lru_cache(maxsize=1 << 16)
def address_of(text: str | None) -> Address | None:
    """The address in a text, or None where it holds none."""
    if not text:
        return None
    if "/" not in text and (span := _plain_span(text)):
        return ipaddress.IPv4Address(span[0])
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether the internet routes an address, as far as its kind tells."""
    return address not in PRIVATE


@lru_cache(maxsize=1 << 16)  # the same few thousand prefixes are asked for over and over
def read_prefix(text: str) -> AddressSet | None:
    """The addresses of a prefix, or None where the text is none, such as a service tag."""
    return _read(text.strip())


def names_tag(text: str) -> bool:
    """Whether a text can be the name of a service tag: `Sql.WestEurope`, but not the `789` that Azure once accepted."""
    return _TAG.fullmatch(text.strip()) is not None


def union(sets: Iterable[Bounds]) -> Bounds:
    """Every address of any of the sets."""
    listed = list(sets)
    if len(listed) == 1:
        return listed[0]
    must = AddressSet.union(each.must for each in listed)
    if all(each.exact for each in listed):
        return Bounds.exactly(must)
    may = AddressSet.union(each.may for each in listed)
    names = frozenset(name for each in listed for name in each.missing)
    return Bounds(must, may, frozenset() if must == may else names)


def _read(text: str) -> AddressSet | None:
    if text.lower() in _ANYTHING:
        return AddressSet.all()
    if span := _plain_span(text):
        return AddressSet(Intervals((span,), V4_TOP), _NO_V6)
    try:
        first, last = _ends(text)
    except ValueError:
        return None
    spans = ((int(first), int(last)),)
    if first.version == 4:
        return AddressSet(Intervals(spans, V4_TOP), _NO_V6)
    return AddressSet(_NO_V4, Intervals(spans, V6_TOP))


def _plain_span(text: str) -> Span | None:
    """First and last number of what most prefixes look like; an object for each address takes ten times as long."""
    address, slash, length = text.partition("/")
    if (bits := _LENGTHS.get(length) if slash else 32) is None:
        return None
    try:
        one, two, three, four = map(_OCTETS.__getitem__, address.split("."))
    except (KeyError, ValueError):  # not four of them
        return None
    number, others = one << 24 | two << 16 | three << 8 | four, (1 << 32 - bits) - 1
    return number & ~others, number | others


def _ends(text: str) -> tuple[Address, Address]:
    """First and last address of a prefix, an address or a range."""
    if "-" in text:
        begin, end = (ipaddress.ip_address(part.strip()) for part in text.split("-", 1))
        if begin.version != end.version or int(begin) > int(end):
            raise ValueError(text)
        return begin, end
    if text.isdecimal():  # Python reads 789 as 0.0.3.21; nobody who wrote it meant that
        raise ValueError(text)
    network = ipaddress.ip_network(text, strict=False)
    return network[0], network[-1]


def _summary[A: Address](
    spans: Intervals, make: Callable[[int], A], summarize: Callable[[A, A], Iterable[object]]
) -> Iterable[str]:
    for first, last in spans:
        yield from map(str, summarize(make(first), make(last)))


PRIVATE = AddressSet.union(
    map(
        AddressSet.parse,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "224.0.0.0/3",
            "::/3",
            "4000::/2",
            "8000::/1",
        ),
    )
)
"""What is routed nowhere on the internet: special-purpose registries of IANA, and Azure's own platform address."""
