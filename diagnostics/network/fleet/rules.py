"""What rule lists decide about whole rows of flows: an endpoint on one side, every endpoint of the fleet on the other.

First match, with doubt, as in `diagnostics.network.security`: of a list, the rules that may match before the first that
matches for sure, and that one, say which ends are possible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diagnostics.network.fleet.bits import Bools, Ints, Words
from diagnostics.network.fleet.lists import Ends, Lists, Side, Terms
from diagnostics.network.fleet.runs import Runs, changes, distinct, made, merged
from diagnostics.network.fleet.words import OWN, OWN_PERHAPS, memberships
from diagnostics.network.meaning import World

_FLAGS = 5  # bits of what is known of an address in a place
_BLOCK = 2_048  # rows that are worked out at a time


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of codes, and which of them each of the given endpoints has."""

    runs: Runs
    index: Ints

    def over(self, other: Rows, combine: Callable[[Ints, Ints], Ints]) -> Rows:
        """Both together, endpoint by endpoint."""
        return Rows(*merged(self.runs, self.index, other.runs, other.index, combine))

    def coded(self, change: Callable[[Ints], Ints]) -> Rows:
        """The same in other codes."""
        return Rows(self.runs.coded(change), self.index)


class Reading:
    """All rule lists, and what the tags in them mean in every place.

    Args:
        states: what is known of every endpoint's address, a row for each place.
        shaky: the places where it is open of some address whether it is in `VirtualNetwork`.
    """

    def __init__(self, known: Lists, states: Runs, shaky: Bools) -> None:
        self.known, self.states, self.shaky = known, states, shaky
        flags, worlds = np.arange(1 << _FLAGS), (World.BOUNDS, World.NARROW, World.WIDE)
        meant = np.array([memberships(flags, world) for world in worlds])
        self._tags = np.where(meant.transpose(1, 0, 2).reshape(4, -1), ~np.uint64(0), np.uint64(0))

    def stage(self, lists: Ints, places: Ints, side: Side, positions: Ints) -> Stage:
        """Endpoints on a side of their flows, each with the list that is asked, and the place where it stands."""
        own, other = self.known.sides[side], self.known.sides[1 - side]
        contexts, context = merged(other.cut, lists, self.states, places, lambda cut, flags: cut << _FLAGS | flags)
        segments, flags = own.cut.at(lists, positions), self.states.at(places, positions)
        return Stage(self, lists, places, side, segments, flags, contexts, context)

    def named(self, terms: Terms, word: int, segments: Ints, lists: Ints, tags: Ints) -> tuple[Words, Words]:
        """The rules that name addresses for sure, and those that may.

        Args:
            terms: the side that the addresses are on.
            word: which word of the rules' bits.
            segments: where the addresses are.
            lists: whose rules.
            tags: the world that is asked about, and what is known of the addresses there, as one number.
        """
        own, public = terms.own[word][lists], terms.public[word][lists]
        sure, perhaps, public_sure, public_perhaps = (each[tags] for each in self._tags)
        must = terms.must[word][segments] | (sure & own) | (public_sure & public)
        return must, must | terms.perhaps[word][segments] | (perhaps & own) | (public_perhaps & public)


@dataclass(frozen=True, slots=True)
class Stage:
    """Endpoints and the one list that each of them asks.

    Attributes:
        own: the segment of the list that each endpoint's address is in.
        flags: what is known of its address in its place.
        contexts: a row for each list and place: the segments of the other side, with what is known of addresses there.
    """

    reading: Reading
    lists: Ints
    places: Ints
    side: Side
    own: Ints
    flags: Ints
    contexts: Runs
    context: Ints

    def rows(self, service: int) -> Rows:
        """What the lists make possible for a service, in both worlds that are open."""
        segments = self._alike(service)
        keys = (segments * len(self.contexts) + self.context) << _FLAGS | self.flags
        _, first, index = np.unique(keys, return_index=True, return_inverse=True)
        parts = [self._block(service, first[start : start + _BLOCK], start) for start in range(0, len(first), _BLOCK)]
        keys, codes = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Rows(made(keys, codes, self.contexts.columns), index.reshape(-1))

    def _alike(self, service: int) -> Ints:
        """Segments of a list that the same rules of the service name count as one; a number for each endpoint's."""
        used, index = distinct(self.own)
        terms, speaking = self.reading.known.sides[self.side], self.reading.known.speaking[service]
        lists = terms.cut.keys[used] >> 32
        words = [
            mask[used] & speaks[lists]
            for masks in (terms.must, terms.perhaps)
            for mask, speaks in zip(masks, speaking, strict=True)
        ]
        order = np.lexsort([*words, lists])
        differ = changes(lists[order])
        for word in words:
            differ |= changes(word[order])
        number = np.empty(len(used), np.int64)
        number[order] = np.cumsum(differ)
        return number[index]

    def _block(self, service: int, rows: Ints, start: int) -> tuple[Ints, Ints]:
        """Some rows, one for each endpoint given: where their runs begin, and the ends that are possible there."""
        runs, owner = self.contexts.expanded(self.context[rows])
        flags = self.contexts.codes[runs] & (1 << _FLAGS) - 1
        turning = self.reading.shaky[self.places[rows]][owner] & (_open(self.flags[rows])[owner] ^ _open(flags))
        mixed = _Block(self, service, rows, self.contexts.codes[runs] >> _FLAGS, flags, owner)
        narrow = mixed.possible(turning * 1)
        wide = narrow.copy()
        turned = np.flatnonzero(turning)
        wide[turned] = mixed.part(turned).possible(np.full(len(turned), 2))
        codes = np.zeros(len(owner), np.int64)
        for ends in Ends:
            codes |= ((narrow >> ends) & 1) << 2 * ends | ((wide >> ends) & 1) << 2 * ends + 1
        return (owner + start) << 32 | (self.contexts.keys[runs] & 0xFFFFFFFF), codes


@dataclass(frozen=True, slots=True)
class _Block:
    """Segments of rows: what is on the other side, and which row each belongs to."""

    stage: Stage
    service: int
    rows: Ints
    segments: Ints
    flags: Ints
    owner: Ints

    def part(self, chosen: Ints) -> _Block:
        return _Block(
            self.stage, self.service, self.rows, self.segments[chosen], self.flags[chosen], self.owner[chosen]
        )

    def possible(self, worlds: Ints) -> Ints:
        """The ends that are possible in each segment, as bits by `Ends`; worlds are 0 for bounds, 1 narrow, 2 wide."""
        stage = self.stage
        known, side = stage.reading.known, stage.side
        lists = stage.lists[self.rows]
        found = np.zeros(len(self.segments), np.int64)
        undecided = np.ones(len(self.segments), np.bool_)
        for word, speaking in enumerate(known.speaking[self.service]):
            own = [self._own(known.sides[side], word, lists, world) for world in range(3)]
            must_own, may_own = (np.stack(each)[worlds, self.owner] for each in zip(*own, strict=True))
            must, may = self._other(known.sides[1 - side], word, lists, worlds)
            may &= may_own & speaking[lists][self.owner]
            must &= must_own & known.sure[self.service][word][lists][self.owner]
            first = must & (~must + np.uint64(1))
            # Below the first sure one; where none is sure, the subtraction turns round to all.
            count = ((may & (first - np.uint64(1))) | first) * undecided
            for ends, masks in zip(Ends, known.ends, strict=True):
                found |= ((count & masks[word][lists][self.owner]) != 0) * (1 << ends)
            undecided &= must == 0
        # A list in which nothing matches cannot be one of Azure's: nothing is known of it.
        return np.where(found == 0, 1 << Ends.ALLOWED | 1 << Ends.DENIED, found)

    def _own(self, terms: Terms, word: int, lists: Ints, world: int) -> tuple[Words, Words]:
        stage = self.stage
        tags = world << _FLAGS | stage.flags[self.rows]
        return stage.reading.named(terms, word, stage.own[self.rows], lists, tags)

    def _other(self, terms: Terms, word: int, lists: Ints, worlds: Ints) -> tuple[Words, Words]:
        tags = worlds << _FLAGS | self.flags
        return self.stage.reading.named(terms, word, self.segments, lists[self.owner], tags)


def _open(flags: Ints) -> Bools:
    """Whether it is open if an address is in `VirtualNetwork`."""
    found: Bools = (flags & (OWN | OWN_PERHAPS)) == OWN_PERHAPS
    return found
