"""What is told: openings that rules make, and what of them is exposed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from diagnostics.network.filters import Level
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import Bounds
from diagnostics.network.public import WayIn
from diagnostics.network.security import WITH_PORTS

_ANY = frozenset({"*", "any", "all"})


class Decider(NamedTuple):
    """A rule that lets something in.

    Attributes:
        group: the NSG; None for a security admin rule.
    """

    level: Level
    group: ResourceId | None
    rule: SecurityRule


class Opening(msgspec.Struct, frozen=True, gc=False):
    """Ports that some sources get in to, for the same reasons.

    Attributes:
        protocol: `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah`.
        ports: all for protocols without ports.
        sources: public addresses that get in for sure (must) and that may (may).
        rules: those that let them in or may do so, in the order in which they are asked; empty where none stands there.
    """

    protocol: str
    ports: Intervals
    sources: Bounds
    rules: tuple[Decider, ...]

    @property
    def sure(self) -> bool:
        """Whether some address gets in for sure."""
        return bool(self.sources.must)


class Exposure(Opening, frozen=True, gc=False):
    """An opening that public addresses lead to, and from which the answer gets back.

    Attributes:
        ports: of the endpoint itself.
        through: the public IPs and load balancer rules; empty where a load balancer that is not seen may lead in. Each
            has its public address, and its public port where that is another one: the first of several.
    """

    through: tuple[WayIn, ...] = ()


def reaches[O: Opening](openings: Iterable[O], protocol: str, ports: Intervals) -> tuple[O, ...]:
    """Openings for a protocol (`*` is any) cut to some ports; protocols without ports stay whole."""
    wanted, found = protocol.lower(), []
    for each in openings:
        own = each.protocol.lower()
        if wanted in {own, *_ANY}:
            common = each.ports & ports if own in WITH_PORTS else each.ports
            found += [each if common == each.ports else replace(each, ports=common)] if common else []
    return tuple(found)
