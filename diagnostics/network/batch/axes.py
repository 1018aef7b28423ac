"""One dimension of flows, cut where a rule begins or ends: between two cuts, all values fare alike, as one class.

Rules are bits, 64 in a word, bit 0 of word 0 for the first: of a class are known the rules that match it for sure, and
those that may. What several dimensions say together is the bits that all of them share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import xor
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.batch.columns import Addresses, Bools, Cuts, Ints, Words
from diagnostics.network.batch.flows import Flows
from diagnostics.network.cells import elementary, family, top_of
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.prefixes import AddressSet
from diagnostics.network.security import WITH_PORTS, Terms

_MOST = 2**16
"""Classes of two dimensions that are taken together: their words are to stay in the processor's cache."""

_ALL_PORTS = Intervals.all(PORTS_TOP)


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension.

    Attributes:
        find: for each flow, the place of its class.
        sure, may: for each word, a row: the word of each class.
        doubtful: for each class, whether there are rules that may match it, and may not; None where there never are.
    """

    find: Callable[[Flows], Ints]
    sure: Words
    may: Words
    doubtful: Bools | None

    @classmethod
    def of(cls, find: Callable[[Flows], Ints], sure: Words, may: Words) -> Self:
        """A dimension whose classes are known."""
        doubtful = (sure != may).any(axis=0)
        return cls(find, sure, may, doubtful if doubtful.any() else None)

    def __len__(self) -> int:
        return int(self.sure.shape[1])

    def with_(self, other: Self) -> Self:
        """Two dimensions as one, whose classes are the pairs of theirs."""

        def find(flows: Flows) -> Ints:
            return self.find(flows) * len(other) + other.find(flows)

        sure = _pairs(self.sure, other.sure)
        exact = self.doubtful is None and other.doubtful is None
        return type(self).of(find, sure, sure if exact else _pairs(self.may, other.may))

    def with_none(self) -> Self:
        """With one more class, which no rule matches."""
        sure, may = (np.pad(each, ((0, 0), (0, 1))) for each in (self.sure, self.may))
        return type(self).of(self.find, sure, may)


def axes(terms: Sequence[Terms], versions: tuple[int, int], names: Sequence[str]) -> list[Axis]:
    """The dimensions of flows between two families of addresses; small ones are taken together.

    The last class of the first one is that of no rule at all, for flows about which nothing is asked any more.
    """
    found = [
        _protocols(terms, names),
        _ports([each.source_ports for each in terms], names, lambda flows: flows.source_ports),
        _ports([each.destination_ports for each in terms], names, lambda flows: flows.destination_ports),
        _ends([(s.sources.must, s.sources.may) for s in terms], versions[0], lambda flows: flows.sources),
        _ends(
            [(s.destinations.must, s.destinations.may) for s in terms], versions[1], lambda flows: flows.destinations
        ),
    ]
    while len(found) > 1:
        found.sort(key=len)
        if len(found[0]) * len(found[1]) > _MOST:
            break
        found[:2] = [found[0].with_(found[1])]
    return [found[0].with_none(), *found[1:]]


def _pairs(mine: Words, theirs: Words) -> Words:
    """What two dimensions share, for all pairs of their classes."""
    return (mine[:, :, None] & theirs[:, None, :]).reshape(len(mine), mine.shape[1] * theirs.shape[1])


def words(masks: Sequence[int], rules: int) -> Words:
    """Rules as words: a row for each word, a column for each mask."""
    size = 8 * -(-rules // 64)
    packed = np.frombuffer(b"".join(mask.to_bytes(size, "little") for mask in masks), "<u8")
    return np.ascontiguousarray(packed.reshape(len(masks), -1).T, np.uint64)


def _ends(terms: Sequence[tuple[AddressSet, AddressSet]], version: int, column: Callable[[Flows], Addresses]) -> Axis:
    musts, mays = ([family(held[which], version) for held in terms] for which in (0, 1))
    starts = _starts([*musts, *mays], top_of(version))
    cuts, (sure, may) = Cuts(starts, version), (words(_masks(each, starts), len(terms)) for each in (musts, mays))
    return Axis.of(lambda flows: cuts.find(column(flows)), sure, may)


def _ports(ports: Sequence[Intervals], names: Sequence[str], column: Callable[[Flows], NDArray[np.integer]]) -> Axis:
    """Behind the classes of ports come two more: of no port, and of protocols without ports."""
    starts, every = _starts(ports, PORTS_TOP), (1 << len(ports)) - 1
    known = _masks(ports, starts)
    of_all = sum(1 << rule for rule, each in enumerate(ports) if each == _ALL_PORTS)
    of_port = np.repeat(np.arange(len(starts)), np.diff([*starts, PORTS_TOP + 1]))
    of_port = np.append(of_port, len(starts))  # which port -1 finds
    portless = np.array([name not in WITH_PORTS for name in names])

    def find(flows: Flows) -> Ints:
        found = of_port[column(flows)]
        without = portless[flows.protocols]
        return np.where(without, len(starts) + 1, found) if without.any() else found

    return Axis.of(find, words([*known, of_all, every], len(ports)), words([*known, every, every], len(ports)))


def _protocols(terms: Sequence[Terms], names: Sequence[str]) -> Axis:
    """Here counts too that a rule with an unreadable port range matches no port for sure."""
    mays = [_bits(each.protocol in {"", name} for each in terms) for name in names]
    readable = _bits(not each.unreadable for each in terms)
    sures = [may & readable if name in WITH_PORTS else may for name, may in zip(names, mays, strict=True)]
    return Axis.of(lambda flows: flows.protocols.astype(np.int64), words(sures, len(terms)), words(mays, len(terms)))


def _starts(sets: Iterable[Intervals], top: int) -> list[int]:
    return [first for first, _ in elementary(sets, top)]


def _masks(sets: Sequence[Intervals], starts: Sequence[int]) -> list[int]:
    """For each range, the rules that match it: turned on where a set begins, and off behind its end."""
    turns: dict[int, int] = defaultdict(int)
    for rule, each in enumerate(sets):
        for first, last in each:
            turns[first] ^= 1 << rule
            turns[last + 1] ^= 1 << rule
    return list(accumulate((turns.get(start, 0) for start in starts), xor))


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)
