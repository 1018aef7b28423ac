"""What tags mean, told by positions: which endpoints the tags `VirtualNetwork` and `Internet` hold in each place.

`diagnostics.network.meaning` and `tags` decide what the words mean; here they are only brought into another form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.network.estate import Estate, Point
from diagnostics.network.fleet.bits import Bools, Ints
from diagnostics.network.fleet.runs import Runs, made
from diagnostics.network.fleet.universe import Ranges, Universe, joined
from diagnostics.network.ids import ResourceId
from diagnostics.network.meaning import World, virtual_network
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import Context
from diagnostics.network.tags import Meaning

OWN, OWN_PERHAPS, PUBLIC, PUBLIC_PERHAPS, PUBLIC_ANYWAY = 1, 2, 4, 8, 16
"""What is known of an address: in the tag `VirtualNetwork` for sure, perhaps; in what `Internet` is cut out of for
sure, perhaps; in `Internet` perhaps, even if it is in `VirtualNetwork`."""

_NOWHERE, _EVERYWHERE = Meaning(Bounds.exactly(AddressSet.none())), Meaning(Bounds.exactly(AddressSet.all()))


@dataclass(frozen=True, slots=True)
class AddressTerm:
    """The addresses of one side of a rule.

    Attributes:
        must: endpoints that it names for sure, tags of the place apart.
        perhaps: endpoints that it may name beyond those.
        own, public: whether it names `VirtualNetwork`, `Internet`: these are other addresses in every place.
    """

    must: Ranges
    perhaps: Ranges
    own: bool = False
    public: bool = False

    @property
    def empty(self) -> bool:
        """Whether it names no endpoint of the fleet, wherever it stands."""
        return not (self.must or self.perhaps or self.own or self.public)


class Glossary:
    """The words of rules, looked up once each."""

    def __init__(self, estate: Estate, universe: Universe) -> None:
        self._estate, self._universe = estate, universe
        self._words: dict[str, AddressTerm] = {}
        self._tags = Context(tag=Meaning(_NOWHERE.virtual_network, estate.service_tags).of)

    def term(
        self, texts: Sequence[str], groups: Sequence[ResourceId], told: Mapping[str, tuple[str, ...]]
    ) -> AddressTerm:
        """The addresses of prefixes, tags and application security groups together; none of them is all."""
        if len(texts) == 1 and not groups and not told:
            return self._word(texts[0])
        parts = [(self._told(text, told) if told else None) or self._word(text) for text in texts]
        parts += [self._group(group) for group in groups]
        if not parts:
            return self._word("*")
        if len(parts) == 1:
            return parts[0]
        must = joined([span for part in parts for span in part.must])
        perhaps = without(joined([span for part in parts for span in part.perhaps]), must)
        return AddressTerm(must, perhaps, any(part.own for part in parts), any(part.public for part in parts))

    def _word(self, text: str) -> AddressTerm:
        found = self._words.get(text)
        if found is None:
            found = self._words[text] = self._look_up(text)
        return found

    def _look_up(self, text: str) -> AddressTerm:
        if (known := self._universe.prefix(text)) is not None:
            return AddressTerm(known, ())
        match text.lower():
            case "virtualnetwork":
                return AddressTerm((), (), own=True)
            case "internet":
                return AddressTerm((), (), public=True)
            case _:
                return self._bounds(self._tags.prefix(text))

    def _told(self, text: str, told: Mapping[str, tuple[str, ...]]) -> AddressTerm | None:
        """What Azure said that a tag means at this very NIC."""
        if self._universe.prefix(text) is not None:
            return None
        meant = Meaning(_NOWHERE.virtual_network, tag_map=told)
        named = any(key.lower() == text.lower() for key in told)
        return self._bounds(meant.of(text) or Bounds.unknown(text)) if named else None

    def _group(self, group: ResourceId) -> AddressTerm:
        members = self._estate.members.get(group, ())
        addresses = (point.configuration.address for point in members)
        return AddressTerm(joined(span for text in addresses if text for span in self._universe.prefix(text) or ()), ())

    def _bounds(self, bounds: Bounds) -> AddressTerm:
        must = self._universe.holds(bounds.must)
        return AddressTerm(must, without(self._universe.holds(bounds.may), must))


class Places:
    """The places whose tags differ: a network with a route table, or a NIC that Azure told about."""

    def __init__(self, estate: Estate, universe: Universe) -> None:
        self._estate, self._universe = estate, universe
        plain, left = _NOWHERE.of("Internet"), _EVERYWHERE.of("Internet")
        assert plain
        assert left
        known = (plain.must, PUBLIC), (plain.may, PUBLIC_PERHAPS), (left.may, PUBLIC_ANYWAY)
        self._public = [(universe.holds(addresses), flag) for addresses, flag in known]
        self._runs: list[dict[int, int]] = []
        self.shaky: list[bool] = []

    def add(self, point: Point, told: Mapping[str, tuple[str, ...]]) -> int:
        """A new place, where this endpoint is; its number."""
        own = virtual_network(self._estate, point)
        known = [(self._universe.holds(own.must), OWN), (self._universe.holds(own.may), OWN_PERHAPS)]
        turns: dict[int, int] = {0: 0}
        for ranges, flag in (*known, *self._public):
            for border in (border for span in ranges for border in span):
                turns[border] = turns.get(border, 0) ^ flag
        self._runs.append(turns)
        self.shaky.append(known[0][0] != known[1][0] and all(key.lower() != "virtualnetwork" for key in told))
        return len(self._runs) - 1

    def states(self) -> Runs:
        """What is known of every endpoint's address: a row of flags for each place."""
        keys: list[int] = []
        flags: list[int] = []
        for place, turns in enumerate(self._runs):
            held = 0
            for border in sorted(turns):
                held ^= turns[border]
                if border < len(self._universe):
                    keys.append(place << 32 | border)
                    flags.append(held)
        return made(np.array(keys, np.int64), np.array(flags, np.int64), len(self._universe))


def memberships(flags: Ints, world: World) -> tuple[Bools, Bools, Bools, Bools]:
    """Whether an address is in `VirtualNetwork` for sure, perhaps, in `Internet` for sure, perhaps."""
    sure, perhaps = (flags & OWN) != 0, (flags & OWN_PERHAPS) != 0
    sure, perhaps = (perhaps if world is World.WIDE else sure), (sure if world is World.NARROW else perhaps)
    public, public_perhaps = ((flags & PUBLIC) != 0) & ~perhaps, ((flags & PUBLIC_PERHAPS) != 0) & ~sure
    return sure, perhaps, public, public_perhaps | ((flags & PUBLIC_ANYWAY) != 0)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """What is left of ranges without others."""
    if not ranges or not taken:
        return ranges
    left: list[tuple[int, int]] = []
    for first, end in ranges:
        begin = first
        for cut, upto in taken:
            if upto <= begin or cut >= end:
                continue
            if cut > begin:
                left.append((begin, cut))
            begin = upto
        if begin < end:
            left.append((begin, end))
    return tuple(left)
