"""What the words of rules mean in one place, worked out once for all places where they say the same of public sources.

Only `VirtualNetwork` and `Internet` differ from place to place, and mostly in private addresses alone.
"""

from __future__ import annotations

from diagnostics.network.cells import family
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.openings.boxes import PUBLIC
from diagnostics.network.openings.ready import Side
from diagnostics.network.prefixes import Bounds
from diagnostics.network.security import Context

OWN_NETWORK = "VirtualNetwork"
_OWN_ADDRESS = frozenset({"the address of the endpoint"})

NO, UNPLACED, PERHAPS, YES = range(4)
"""Whether a rule is for an endpoint; `UNPLACED`: it depends on which address of its subnet that gets."""


class Words:
    """What words mean: of public sources, the same in many places."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str | ResourceId, Bounds] = {}
        self._sources: dict[tuple[tuple[str | ResourceId, ...], int], tuple[Intervals, Intervals, frozenset[str]]] = {}

    def of(self, word: str | ResourceId) -> Bounds:
        """The addresses of a word."""
        if word not in self._known:
            known = self._context
            self._known[word] = known.group(word) if isinstance(word, ResourceId) else known.prefix(word)
        return self._known[word]

    def sources(self, side: Side, version: int) -> tuple[Intervals, Intervals, frozenset[str]]:
        """The public sources that a rule is for surely and perhaps, and what would have to be known to say more."""
        plain = family(side.plain, version)
        if not side.words:
            return plain, plain, frozenset()
        must, may, missing = self._named(side.words, version)
        must, may = (plain | must, plain | may) if plain else (must, may)
        return must, may, frozenset() if must == may else missing

    def missing(self, side: Side) -> frozenset[str]:
        """What would have to be known to say which addresses a rule is for."""
        return frozenset[str]().union(*(self.of(word).missing for word in side.words))

    def _named(self, words: tuple[str | ResourceId, ...], version: int) -> tuple[Intervals, Intervals, frozenset[str]]:
        if (words, version) not in self._sources:
            public = family(PUBLIC, version)
            must = may = Intervals.none(public.top)
            missing: frozenset[str] = frozenset()
            for bounds in map(self.of, words):
                must, may = must | family(bounds.must, version), may | family(bounds.may, version)
                missing |= bounds.missing
            self._sources[words, version] = must & public, may & public, missing
        return self._sources[words, version]


class Place:
    """What words mean in one subnet.

    Attributes:
        own: the tag `VirtualNetwork`.
        words: what is shared with other places.
    """

    def __init__(self, context: Context, words: Words) -> None:
        self._own_words = Words(context)
        self.own, self.words = self._own_words.of(OWN_NETWORK), words

    def holds(self, side: Side, version: int) -> tuple[Intervals, Intervals]:
        """The destinations that a rule is for, surely and perhaps."""
        must = may = family(side.plain, version)
        for word in side.words:
            local = isinstance(word, str) and word.lower() in {"virtualnetwork", "internet"}
            bounds = (self._own_words if local else self.words).of(word)
            must, may = must | family(bounds.must, version), may | family(bounds.may, version)
        return must, may

    def of(self, spot: int | Intervals, version: int) -> bool | None:
        """Whether a destination is in the virtual network for sure, or not; None where that is not known."""
        held = holds(family(self.own.must, version), family(self.own.may, version), spot)
        return {YES: True, NO: False}.get(held)


def unsaid(state: int, missing: frozenset[str]) -> frozenset[str]:
    """What would have to be known to say whether a rule is for an endpoint."""
    return (_OWN_ADDRESS if state == UNPLACED else missing) if state not in {NO, YES} else frozenset()


def holds(must: Intervals, may: Intervals, spot: int | Intervals) -> int:
    """Whether destinations hold an endpoint."""
    if isinstance(spot, int):
        return YES if spot in must else PERHAPS if spot in may else NO
    if spot <= must:
        return YES
    return NO if spot.isdisjoint(may) else UNPLACED if must == may else PERHAPS
