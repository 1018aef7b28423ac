"""The whole estate as it was listed, and whether what is not found in it any more is gone.

Azure leaves out what this identity may not read, and a list may fail: that a resource isn't there proves nothing unless
all of its type was listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from diagnostics.contracts import Listing
from diagnostics.network.estate import Estate, Problem
from diagnostics.network.facts import Facts
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_files

_INSIDE = re.compile(r"\.value\[\d+\]\.")
"""In a place that is part of a resource; a problem anywhere else may be a whole resource that nobody knows of."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a listing comes to.

    Attributes:
        estate: with what could not be listed among its problems; its facts take for listed only what is all there, in
            subscriptions that are in scope as a whole: what else is in the others may use what was listed.
        kinds: lower-cased types that have a list of their own.
        unsure: of these, those of which something is missing or could not be read.
        unreadable: of these, those of which a body could not be read.
        lost: whether something could not be read of which not even the type is known.
    """

    estate: Estate
    kinds: frozenset[str]
    unsure: frozenset[str]
    unreadable: frozenset[str]
    lost: bool

    @classmethod
    def at(cls, listing: Listing, holds: Callable[[ResourceId], bool] = lambda _: True) -> Looked:
        """Read it.

        Args:
            listing: what was listed.
            holds: whether a subscription is in scope as a whole.
        """
        kinds = listing.listed | listing.partial
        # As if all had been listed whole, for of what was, the reader leaves out what it could not read.
        read = read_files(listing.pages, listed=kinds)
        unreadable = kinds - read.facts.listed
        whole = listing.listed - unreadable
        unread = (Problem(what, why) for what, why in listing.unread)
        facts = _told(read.facts, whole, holds)
        lost = any(not _INSIDE.search(problem.where) for problem in read.problems)
        return cls(
            replace(read, facts=facts, problems=(*read.problems, *unread)), kinds, kinds - whole, unreadable, lost
        )

    def tells(self, resource: ResourceId) -> bool:
        """Whether it tells all about a resource: what it looks like now, or that it does not exist any more.

        A subnet comes in the body of its network. Of a resource group or subscription any list may tell something.
        """
        own: ResourceId | None = resource
        while own is not None and own.type not in self.kinds:
            own = own.parent
        if self.lost or own is None:
            return not self.lost and not self.unsure
        if own in self.estate.facts.resources:
            return own.type not in self.unreadable
        return own.type not in self.unsure


def _told(facts: Facts, kinds: frozenset[str], holds: Callable[[ResourceId], bool]) -> Facts:
    """The facts, with what is all there of all that there is, and not only of what is in scope."""
    places = {rid.subscription for rid in facts.resources}
    whole = {place for place in sorted(places) if holds(ResourceId.parse(f"/subscriptions/{place}"))}
    pairs = frozenset((kind, place) for kind in kinds for place in whole)
    return replace(facts, listed=kinds if whole == places else frozenset(), listed_in=pairs)


@dataclass(frozen=True, slots=True)
class Around:
    """Resources with all that holds them, by key."""

    _own: set[str] = field(default_factory=set)
    _holders: set[str] = field(default_factory=set)

    def add(self, resource: ResourceId) -> None:
        """One more."""
        self._own.add(resource.key)
        self._holders.update(_upwards(resource))

    def touches(self, resource: ResourceId) -> bool:
        """Whether one of them is the resource, lies in it, or holds it."""
        return resource.key in self._holders or not self._own.isdisjoint(_upwards(resource))


def _upwards(resource: ResourceId) -> Iterator[str]:
    """The keys of a resource and of all paths above it."""
    key = resource.key
    while key:
        yield key
        key = key.rpartition("/")[0]
