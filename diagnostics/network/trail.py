"""One way that a flow may take, step by step, and how several ways become one path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from diagnostics.network.estate import Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.path import Hop, Kind, Path, Reason, together
from diagnostics.network.security import Flow, Verdict


class Exit(StrEnum):
    """How a flow left what can be seen."""

    NONE = ""
    INTERNET = "Internet"
    GATEWAY = "VirtualNetworkGateway"
    SERVICE = "VirtualNetworkServiceEndpoint"
    APPLIANCE = "VirtualAppliance"
    NOBODY = "a network where nothing known has the address"
    NEARBY = "a network nearby where nothing known has the address"


@dataclass(frozen=True, slots=True)
class Step:
    """A place on a trail, and what was decided there."""

    type: str
    address: str = ""
    resource: ResourceId | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def place(self) -> tuple[object, ...]:
        """What makes it the same place."""
        return self.type, self.address, self.resource


@dataclass(frozen=True, slots=True)
class Trail:
    """One way that a flow may take.

    Attributes:
        flow: as it is at the last step: addresses and port may be translated on the way.
        end: where it is delivered, if it is.
        appliances: the VMs or firewalls that it passed.
        forks: why it is not known that it is this way and no other.
        public: whether it came in through a public address.
    """

    flow: Flow
    steps: tuple[Step, ...] = ()
    end: Point | None = None
    exit: Exit = Exit.NONE
    appliances: tuple[ResourceId, ...] = ()
    forks: tuple[Reason, ...] = ()
    public: bool = False

    def to(self, step: Step) -> Self:
        """The trail with one step more."""
        return replace(self, steps=(*self.steps, step))

    def noting(self, *reasons: Reason) -> Self:
        """The trail with more said about its last step."""
        last = self.steps[-1]
        return replace(self, steps=(*self.steps[:-1], replace(last, reasons=(*last.reasons, *reasons))))

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All that was decided on it, in order."""
        return tuple(reason for step in self.steps for reason in step.reasons)

    @property
    def verdict(self) -> Verdict:
        """What becomes of a flow that takes this way."""
        return together(reason.verdict for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Round:
    """A way there, the way back for it, and what the way back means for the connection."""

    there: Trail
    back: Path | None = None
    answer: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All that was decided, there and back."""
        return (*self.there.reasons, *self.answer)

    @property
    def verdict(self) -> Verdict:
        """What becomes of the connection."""
        return together(reason.verdict for reason in self.reasons)


def as_path(rounds: Sequence[Round]) -> Path:
    """The one path of all ways that a flow may take: known where all of them end alike."""
    verdicts = {each.verdict for each in rounds}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.UNKNOWN
    forks = unique(fork for each in rounds for fork in each.there.forks) if verdict is Verdict.UNKNOWN else ()
    because = unique(reason for each in rounds for reason in each.reasons if reason.verdict is verdict)
    decisive = next((each.back for each in rounds if each.verdict is verdict), rounds[0].back)
    return Path(verdict, unique((*forks, *because)), _hops([each.there.steps for each in rounds]), decisive)


def forked[T](trail: Trail, ways: Iterable[T], what: str) -> Trail:
    """The trail, which is one of several: what decides between them is not seen."""
    if len(list(ways)) < 2:
        return trail
    reason = Reason(Kind.ROUTE, Verdict.UNKNOWN, f"the ways differ by {what}", missing=frozenset({what}))
    return replace(trail, forks=(*trail.forks, reason))


def unique[T](items: Iterable[T]) -> tuple[T, ...]:
    """The items in their order, each once."""
    return tuple(dict.fromkeys(items))


def _hops(ways: Sequence[tuple[Step, ...]]) -> tuple[Hop, ...]:
    """Ways that begin alike share their first hops."""
    places: dict[tuple[object, ...], Hop] = {}
    for way in ways:
        before: tuple[object, ...] = ()
        for step in way:
            place = (*before, step.place)
            known = places.get(place) or Hop(str(len(places) + 1), step.type, step.address, step.resource)
            places[place] = replace(known, reasons=unique((*known.reasons, *step.reasons)))
            if before:
                previous = places[before]
                places[before] = replace(previous, next=unique((*previous.next, known.id)))
            before = place
    return tuple(places.values())
