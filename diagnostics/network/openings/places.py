"""What the words of rules mean in one place, worked out once for all places where they say the same of public sources.

Only `VirtualNetwork` and `Internet` differ from place to place, and mostly in private addresses alone.
"""

from __future__ import annotations

from diagnostics.network.cells import family
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.meaning import World
from diagnostics.network.openings.boxes import Space
from diagnostics.network.openings.ready import Side
from diagnostics.network.prefixes import Bounds
from diagnostics.network.security import Context
from diagnostics.network.tags import Meaning

OWN_NETWORK = "VirtualNetwork"
type Sources = tuple[int, int, frozenset[str]]
"""Sources that something is for surely and perhaps, as numbers of sets; and what would have to be known to say more."""

_OWN_ADDRESS = frozenset({"the address of the endpoint"})

NO, UNPLACED, PERHAPS, YES = range(4)
"""Whether a rule is for an endpoint; `UNPLACED`: it depends on which address of its subnet that gets."""


class Words:
    """What words mean: of public sources, the same in many places."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str | ResourceId, Bounds] = {}
        self._sources: dict[int, dict[Side, Sources]] = {4: {}, 6: {}}

    def of(self, word: str | ResourceId) -> Bounds:
        """The addresses of a word, which is no prefix."""
        if word not in self._known:
            known = self._context
            if isinstance(word, str):
                self._known[word] = meant(known, word)
            else:
                self._known[word] = known.group(word)
        return self._known[word]

    def sources(self, side: Side, space: Space) -> Sources:
        """The public sources that a rule is for surely and perhaps, and what would have to be known to say more."""
        known = self._sources[space.version]
        found = known.get(side)
        if found is None:
            found = known[side] = self._named(side, space)
        return found

    def missing(self, side: Side) -> frozenset[str]:
        """What would have to be known to say which addresses a rule is for."""
        return frozenset[str]().union(*(self.of(word).missing for word in side.words))

    def _named(self, side: Side, space: Space) -> Sources:
        must = may = space.sources.add(family(side.plain, space.version))
        for bounds in map(self.of, side.words):
            sure, perhaps = space.public_of(bounds)
            must, may = space.sources.join(must, sure), space.sources.join(may, perhaps)
        return must, may, frozenset() if must == may else self.missing(side)


class Place:
    """What words mean in one subnet.

    Attributes:
        own: the tag `VirtualNetwork`.
        words: what is shared with other places.
    """

    def __init__(self, context: Context, words: Words) -> None:
        self._own_words = Words(context)
        self.own, self.words = self._own_words.of(OWN_NETWORK), words
        self._held: dict[tuple[Side, int], tuple[Intervals, Intervals]] = {}

    def holds(self, side: Side, version: int) -> tuple[Intervals, Intervals]:
        """The destinations that a rule is for, surely and perhaps."""
        key = side, version
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = self._holds(side, version)
        return found

    def _holds(self, side: Side, version: int) -> tuple[Intervals, Intervals]:
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


def meant(context: Context, tag: str) -> Bounds:
    """The addresses of a service tag."""
    return context.tag(tag) or Bounds.unknown(tag)


def in_world(context: Context, world: World) -> Context:
    """A context in which the network's own space is known exactly, and so is what is not in it."""
    own = meant(context, OWN_NETWORK)
    if own.exact:
        return context
    meaning = Meaning(Bounds.exactly(own.must if world is World.NARROW else own.may))
    internet = meant(context, "Internet")

    def tag(name: str) -> Bounds | None:
        known = name.lower() == "virtualnetwork" or (name.lower() == "internet" and not internet.exact)
        return meaning.of(name) if known else context.tag(name)

    return Context(tag, context.members)


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
