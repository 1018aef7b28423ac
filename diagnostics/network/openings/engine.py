"""Openings of endpoints and NSGs of an estate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self

from diagnostics.network.estate import Estate, Point
from diagnostics.network.filters import Filters
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.openings.alone import Alone
from diagnostics.network.openings.boxes import Space
from diagnostics.network.openings.exposing import Exposing, Way
from diagnostics.network.openings.found import Decider, Exposure, Opening
from diagnostics.network.openings.layout import Layouts
from diagnostics.network.openings.ports import Ports
from diagnostics.network.openings.ready import Reader
from diagnostics.network.openings.stands import Alike, Door, Found, Stands
from diagnostics.network.prefixes import Bounds
from diagnostics.network.reach import Reach
from diagnostics.network.routing import Routing
from diagnostics.network.security import Context

_OPEN = Door()


class Openings:
    """What the internet gets in to; for a whole estate, keep one: endpoints that are alike share their answer.

    Args:
        filters: the rules of the estate.
        estate: the estate that they are of.
        routing: its routes, where somebody has them already.
        matters: tells of a rule whether it is of interest what it lets in: openings in which another rule takes part
            are left out, and much work with them. Without it, all are told.
    """

    def __init__(
        self,
        filters: Filters,
        estate: Estate,
        routing: Routing | None = None,
        matters: Callable[[SecurityRule], bool] | None = None,
    ) -> None:
        self._estate, self._reader, self._short = estate, Reader(matters), matters is not None
        layouts = Layouts(self._reader)
        self._stands = Stands(filters, estate, self._reader, layouts)
        self._alone = Alone(layouts, short=self._short)
        self._exposing = Exposing(filters, estate, routing or Routing(estate))
        self._told: dict[Alike, tuple[Opening, ...]] = {}
        self._unions: dict[tuple[int, int], tuple[Bounds, Bounds, Bounds]] = {}
        self._known_wanted: dict[tuple[int, ...], bool] = {}
        self._by_few: dict[int, tuple[Opening, ...]] = {}

    @classmethod
    def of(cls, engine: Reach, matters: Callable[[SecurityRule], bool] | None = None) -> Self:
        """Those of the estate that an engine is for."""
        return cls(engine.filters, engine.estate, engine.routing, matters)

    def into(self, point: Point) -> tuple[Opening, ...]:
        """What rules let in to an endpoint from public addresses, whether or not one leads there.

        Security admin rules, the NSG of the subnet and the NSG of the NIC together; for an endpoint that has no address
        yet, what holds for any address of its subnet.
        """
        short = self._stands.short(point) if self._short else None
        if short and short.sure is short.most:
            return self._of_few(short.sure, short.space)
        alike = self._stands.at(point)
        found = self._told.get(alike)
        if found is None:
            found = self._told[alike] = self._openings(self._stands.let_in(alike, _OPEN), alike.space)
        return found

    def bounds(self, point: Point) -> tuple[tuple[Opening, ...], tuple[Opening, ...]] | None:
        """What of `into` is sure, and a bound of all of it, with less work; None where all rules have to be asked.

        Mostly both are the same.
        """
        short = self._stands.short(point) if self._short else None
        return (self._of_few(short.sure, short.space), self._of_few(short.most, short.space)) if short else None

    def _of_few(self, found: Found, space: Space) -> tuple[Opening, ...]:
        key = id(found)  # it is kept: that is not given away again
        if key not in self._by_few:
            self._by_few[key] = self._openings(found, space)
        return self._by_few[key]

    def admitted(self, group: SecurityGroup, context: Context) -> tuple[Opening, ...]:
        """What one NSG alone lets in from public addresses, to whatever destination."""
        found: dict[tuple[str, int, tuple[int, ...]], Bounds] = {}
        spaces = self._spaces(group)
        for space in spaces:
            for protocol, boxes in self._alone.admitted(group, context, space).items():
                for box in boxes:
                    if self._wanted(box.rules):
                        key, sources = (protocol, box.ports, box.rules), space.bounds(box)
                        found[key] = self._union(sources, found[key]) if key in found else sources
        ports, deciders = spaces[0].ports, self._deciders
        return tuple([Opening(key[0], ports[key[1]], sources, deciders(key[2])) for key, sources in found.items()])

    def _union(self, one: Bounds, other: Bounds) -> Bounds:
        """Sources of both families: the same ones come again and again."""
        key = id(one), id(other)  # both are kept: neither id is given away again
        if key not in self._unions:
            self._unions[key] = one, other, one | other
        return self._unions[key][2]

    def exposed(self, point: Point) -> tuple[Exposure, ...]:
        """What of an endpoint can be reached from the internet.

        What `into` says, as far as a public IP or a rule of a load balancer leads there, the answer gets back, and the
        VM is not known to be stopped. An answer that passes an appliance, or anything that is not seen through, leaves
        it open whether the source has use of it.
        """
        short = self._stands.short(point) if self._short else None
        if short and short.sure is short.most:
            return tuple(
                each
                for _, ways in self._exposing.doors(point, is_open=False)
                for each in self._exposures(point, short.sure, ways, short.space)
            )
        alike = self._stands.at(point)
        is_open = not alike.stand.groups
        return tuple(
            each
            for door, ways in self._exposing.doors(point, is_open=is_open)
            for each in self._exposures(point, self._stands.let_in(alike, door), ways, alike.space)
        )

    def _exposures(self, point: Point, found: Found, ways: Sequence[Way], space: Space) -> Iterator[Exposure]:
        for protocol, ports, box, through in self._exposing.cut(point, found, ways, space):
            if self._wanted(box.rules):
                yield Exposure(protocol, ports, space.bounds(box), self._deciders(box.rules), through)

    def _spaces(self, group: SecurityGroup) -> Sequence[Space]:
        """Those of the estate; own ones for an NSG of which that does not tell the ports apart."""
        known = self._stands.spaces
        if self._estate.security_groups.get(group.id) is group:
            return [*known.values()]
        if known[4].ports.tells(rule for rule in group.rules if rule.inbound):
            return [*known.values()]
        ports = Ports(group.rules)
        return [Space(version, ports) for version in known]

    def _openings(self, found: Found, space: Space) -> tuple[Opening, ...]:
        ports, bounds, deciders = space.ports, space.bounds, self._deciders
        return tuple(
            [
                Opening(protocol, ports[box.ports], bounds(box), deciders(box.rules))
                for protocol, boxes in found.items()
                for box in boxes
                if self._wanted(box.rules)
            ]
        )

    def _wanted(self, rules: tuple[int, ...]) -> bool:
        if not self._short:
            return True
        found = self._known_wanted.get(rules)
        if found is None:
            reader = self._reader
            found = self._known_wanted[rules] = all(reader.wanted(reader.deciders[n].rule) for n in rules)
        return found

    def _deciders(self, rules: tuple[int, ...]) -> tuple[Decider, ...]:
        return tuple(map(self._reader.deciders.__getitem__, rules))
