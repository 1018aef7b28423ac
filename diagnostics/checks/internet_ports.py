"""Ports that are open to the internet at large, or may be: by which rules, to which addresses, of which services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import starmap
from operator import or_

import msgspec

from diagnostics.checks.services import PROTOCOLS, as_bits, held
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityRule
from diagnostics.network.openings import Decider
from diagnostics.network.prefixes import Address, AddressSet, read_prefix
from diagnostics.network.public import WayIn

WITH_PORTS = ("Tcp", "Udp")
_NO_PORTS = Intervals.none(PORTS_TOP)

type Wanted = Mapping[str, Intervals]
"""Ports by protocol, as openings spell it."""

EVERYTHING: Wanted = {protocol: Intervals.all(PORTS_TOP) for protocol in PROTOCOLS}
"""Every port of every protocol."""


class Open(msgspec.Struct, frozen=True, gc=False):
    """Ports that are open to the internet at large, for one reason.

    Attributes:
        rules: those that open them; empty where none stands there.
        through: the public addresses, where they were asked for.
    """

    protocol: str
    ports: Intervals
    rules: tuple[Decider, ...]
    through: tuple[WayIn, ...] = ()


class Doubt(msgspec.Struct, frozen=True, gc=False):
    """Ports that may be, and what would have to be known."""

    protocol: str
    ports: Intervals
    missing: frozenset[str]


@dataclass(frozen=True)
class Ports:
    """What is open to the internet at large, and what may be."""

    opens: tuple[Open, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @cached_property
    def surely(self) -> Wanted:
        """The ports that are open."""
        return by_protocol(self.opens)

    @cached_property
    def every(self) -> Wanted:
        """The ports that are open, or may be."""
        return by_protocol((*self.opens, *self.doubts)) if self.doubts else self.surely

    @cached_property
    def services(self) -> int:
        """The services of which a port is open, or may be, as bits."""
        return reduce(or_, starmap(held, self.every.items()), 0)

    @cached_property
    def by_rule(self) -> Mapping[int, Wanted]:
        """What each rule opens with TCP and UDP, by its identity."""
        found: dict[int, dict[str, Intervals]] = {}
        for each in self.opens:
            for decider in each.rules if each.protocol in WITH_PORTS else ():
                own = found.setdefault(id(decider.rule), {})
                own[each.protocol] = own[each.protocol] | each.ports if each.protocol in own else each.ports
        return found

    def opened(self, wanted: Wanted) -> tuple[Open, ...]:
        """Those of some ports, cut to them."""
        found = []
        for each in self.opens:
            ports = wanted.get(each.protocol)
            if ports is not None and not each.ports.isdisjoint(ports):
                found.append(Open(each.protocol, each.ports & ports, each.rules, each.through))
        return tuple(found)

    def may(self, wanted: Wanted) -> bool:
        """Whether some ports are open, or may be."""
        every = self.every
        for protocol, ports in wanted.items():
            own = every.get(protocol)
            if own is not None and not own.isdisjoint(ports):
                return True
        return False

    def missing(self, wanted: Wanted) -> frozenset[str]:
        """What would have to be known of ports that may be open, and are not for sure."""
        found: frozenset[str] = frozenset()
        for each in self.doubts:
            left = each.ports & wanted.get(each.protocol, _NO_PORTS)
            if left and left - self.of(each.protocol):
                found |= each.missing
        return told_once(found) if found else found

    def at(self, address: Address | None, among: int = -1) -> int:
        """The ports that are open to an address or may be, as far as rules name destinations; without one, to any.

        They are bits (see `as_bits`), and so are those that are asked for: by default all.
        """
        anywhere, somewhere = self._destinations
        found = anywhere & among
        for addresses, ports in somewhere:
            more = ports & among
            if more & ~found and (address is None or address in addresses):
                found |= more
        return found

    @cached_property
    def _destinations(self) -> tuple[int, tuple[tuple[AddressSet, int], ...]]:
        """The ports, as bits, that are open to any address for all that is known, and those to some addresses."""
        anywhere, somewhere = 0, dict[AddressSet, int]()
        for each in self.opens:
            addresses, ports = _leads_to(each), as_bits(each.protocol, each.ports)
            if addresses is None:
                anywhere |= ports
            else:
                somewhere[addresses] = somewhere.get(addresses, 0) | ports
        for doubt in self.doubts:
            anywhere |= as_bits(doubt.protocol, doubt.ports)
        return anywhere, tuple(somewhere.items())

    def of(self, protocol: str) -> Intervals:
        """The open ports of a protocol."""
        return self.surely.get(protocol, _NO_PORTS)

    def without(self, rules: Iterable[SecurityRule]) -> Ports:
        """What is open for other reasons."""
        told = set(map(id, rules))
        return Ports(tuple(each for each in self.opens if told.isdisjoint(id(d.rule) for d in each.rules)), self.doubts)


def by_protocol(every: Iterable[Open | Doubt]) -> dict[str, Intervals]:
    """The ports of each protocol."""
    found: dict[str, Intervals] = {}
    for each in every:
        known = found.get(each.protocol)
        found[each.protocol] = each.ports if known is None else known | each.ports
    return found


def together(sets: Iterable[Intervals]) -> Intervals:
    """Every port of any of the sets."""
    return reduce(Intervals.__or__, sets, Intervals.none(PORTS_TOP))


def told_once(missing: frozenset[str]) -> frozenset[str]:
    """What is missing, without what follows: of a subnet that is not seen, the routes are not known either."""
    subnets = frozenset(word for word in missing if word.startswith("subnet "))
    again = frozenset(f"the {word}" for word in subnets)
    return frozenset(word for word in missing - again if not (subnets and word.startswith("the routes of ")))


def _leads_to(opened: Open) -> AddressSet | None:
    """The addresses that the rules of an opening can be for; None where words or groups of endpoints tell that."""
    found = []
    for decider in opened.rules:
        rule = decider.rule
        read = None if rule.destination_groups or not rule.destinations else _plain(rule.destinations)
        if read is None:
            return None
        found.append(read)
    return AddressSet.union(found) if found else None


@lru_cache(maxsize=1 << 14)
def _plain(texts: tuple[str, ...]) -> AddressSet | None:
    found = [read_prefix(text) for text in texts]
    return None if None in found else AddressSet.union(each for each in found if each is not None)
