"""What rules let in from the internet at large: openings of an estate, judged, with as little work as that takes."""

from __future__ import annotations

from collections.abc import Callable

from diagnostics.checks.internet_large import Large
from diagnostics.checks.internet_ports import Ports
from diagnostics.network.estate import Point
from diagnostics.network.model import SecurityGroup
from diagnostics.network.openings import Opening, Openings
from diagnostics.network.reach import Reach
from diagnostics.network.security import Context


class Judged:
    """What is open to the internet at large, by the rules of one NSG or by all rules at an endpoint together.

    Mostly those rules tell that can by themselves let the internet at large in; all rules are asked only where they do
    not.

    Args:
        large: tells what is open to the internet at large.
        reach: the engine of the estate.
        whole: the openings by all rules.
    """

    def __init__(self, large: Large, reach: Reach, whole: Callable[[], Openings]) -> None:
        self._large, self._short, self._whole = large, Openings.of(reach, large.matters), whole
        self._known: dict[int, tuple[tuple[Opening, ...], Ports | None]] = {}
        self._into: dict[tuple[str, str], Ports] = {}
        self._bounds: dict[tuple[str, str], tuple[Ports, Ports] | None] = {}

    def admitted(self, group: SecurityGroup, words: Context) -> Ports:
        """What one NSG alone lets in, to whatever destination."""
        found = self._large.mattering(self._short.admitted(group, words))
        return self._large.judged(self._whole().admitted(group, words)) if found is None else found

    def exposed(self, point: Point) -> Ports:
        """What of an endpoint can be reached."""
        found = self._large.mattering(self._short.exposed(point))
        return self._large.judged(self._whole().exposed(point)) if found is None else found

    def into(self, point: Point) -> Ports:
        """What all rules at an endpoint let in together, whether or not a public address leads there."""
        key = key_of(point)
        if key not in self._into:
            self._into[key] = self._together(point, self._short.into(point))
        return self._into[key]

    def bounds(self, point: Point) -> tuple[Ports, Ports] | None:
        """A part of that, and what it is a part of, with less work; None where all rules have to be asked."""
        key = key_of(point)
        if key not in self._bounds:
            bounds = self._short.bounds(point)
            self._bounds[key] = (self._together(point, bounds[0]), self._together(point, bounds[1])) if bounds else None
        return self._bounds[key]

    def _together(self, point: Point, openings: tuple[Opening, ...]) -> Ports:
        """What some openings of an endpoint are; those that are alike have the very same openings."""
        known = self._known.get(id(openings))
        if known is None:
            known = self._known[id(openings)] = openings, self._large.mattering(openings)
        return self._large.judged(self._whole().into(point)) if known[1] is None else known[1]


def key_of(point: Point) -> tuple[str, str]:
    """What tells endpoints apart."""
    return point.nic.id.key, point.configuration.name
