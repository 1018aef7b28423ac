"""Which rules stand at every endpoint of a fleet, and what they decide about its flows with all others.

The same lists in the same places as `diagnostics.network.filters` asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from diagnostics.network.estate import EffectiveGroup, Estate, Point
from diagnostics.network.filters import UNSEEN as NOT_SEEN
from diagnostics.network.filters import Level, group_at
from diagnostics.network.fleet.bits import Ints
from diagnostics.network.fleet.lists import OPEN, SILENT, UNSEEN, Book, Side
from diagnostics.network.fleet.rules import Reading, Rows, Stage
from diagnostics.network.fleet.services import Service
from diagnostics.network.fleet.universe import Universe
from diagnostics.network.fleet.words import Glossary, Places
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.security import in_order

_OUT, _IN = 0, 1
_ALLOW, _DENY = 0b0011, 0b1100
_OUTBOUND, _INBOUND = slice(1, 4), slice(4, 7)
_NO_LISTS = np.array([[OPEN], [OPEN], [SILENT]])
_FILTERED_ENDPOINTS = frozenset({"enabled", "networksecuritygroupenabled"})
_NAMED = "virtualnetwork"


@dataclass(frozen=True, slots=True)
class Gate:
    """Endpoints, and all that is asked about their flows in one direction.

    Attributes:
        stages: the NSGs.
        admin: security admin rules, before them; None where there are none in the whole fleet.
    """

    stages: tuple[Stage, ...]
    admin: Stage | None

    def verdicts(self, service: int) -> Rows:
        """What the rules decide about a service: rows of 1 for allowed, 2 denied, 3 unknown."""
        rows = self.stages[0].rows(service)
        for stage in self.stages[1:]:
            rows = rows.over(stage.rows(service), _both)
        if self.admin:
            rows = self.admin.rows(service).over(rows, _before)
        return rows.coded(_verdicts)


@dataclass(frozen=True, slots=True)
class _Told:
    """What Azure said of the rules at a NIC; nothing of most."""

    nic: ResourceId | None
    groups: tuple[EffectiveGroup, ...]
    tags: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, estate: Estate, point: Point) -> Self:
        groups = estate.effective_groups.get(point.nic.id)
        if groups is None:
            return cls(None, (), {})
        tags = {tag: prefixes for group in groups for tag, prefixes in group.tag_map.items()}
        return cls(point.nic.id, groups, tags)


_UNTOLD = _Told(None, (), {})


class Gates:
    """The lists of every endpoint: by direction; of the subnet, of the NIC, and admin rules."""

    def __init__(self, estate: Estate, universe: Universe, services: Sequence[Service]) -> None:
        self._estate, self._count = estate, len(universe)
        self._book = Book(Glossary(estate, universe), services)
        self._places = Places(estate, universe)
        self._known: dict[object, int] = {}
        self._relevant: dict[int, list[SecurityRule]] = {}
        self._untold: tuple[dict[str, int], dict[str, int]] = {}, {}
        self._around: dict[str, tuple[int, ...]] = {}
        everyone = (*universe.points, *universe.apart)
        rows = [self._row(point) for point in everyone]
        self._rows = np.array(rows, np.int64).reshape(-1, 7).T
        self._unfiltered = np.array([_unfiltered(estate, point) for point in everyone], np.bool_)
        shaky = np.array(self._places.shaky, np.bool_)
        self._reading = Reading(self._book.lists(self._count), self._places.states(), shaky)

    def own(self, *, inbound: bool) -> Gate:
        """Every endpoint, with its own rules about what comes in from all others, or goes out to them."""
        everyone = np.arange(self._count)
        if not inbound:
            return self._gate(everyone, self._rows[_OUTBOUND], Side.SOURCE, everyone)
        lists = np.where(self._unfiltered[: self._count], _NO_LISTS, self._rows[_INBOUND][:, : self._count])
        return self._gate(everyone, lists, Side.DESTINATION, everyone)

    def through(self, position: int, sources: Ints, *, inbound: bool) -> Gate:
        """Sources of flows to every endpoint, and the rules of an appliance that the flows pass in or out of."""
        lists = self._rows[_INBOUND if inbound else _OUTBOUND]
        return self._gate(np.full(len(sources), position), lists, Side.SOURCE, sources)

    def _gate(self, where: Ints, rows: Ints, side: Side, positions: Ints) -> Gate:
        place, lists = self._rows[0, where], rows[:, where]
        subnet, nic, admin = (
            self._reading.stage(each, np.where(each > SILENT, place, 0), side, positions) for each in lists
        )
        return Gate((nic, subnet), admin if (lists[2] != SILENT).any() else None)

    def _row(self, point: Point) -> tuple[int, ...]:
        """The place, and the lists of subnet, NIC and administrators, out and in."""
        nic, subnet, known_groups = point.nic, point.configuration.subnet, self._estate.effective_groups
        if subnet is None or (known_groups and nic.id in known_groups):
            told = _Told.of(self._estate, point)
            around = self._surroundings(point, told)
        else:
            told = _UNTOLD
            if (known := self._around.get(subnet.key)) is None:
                known = self._around[subnet.key] = self._surroundings(point, told)
            around = known
        place, subnet_out, admin_out, subnet_in, admin_in = around
        group = nic.security_group if told is _UNTOLD else group_at(self._estate, point, Level.NIC)
        nic_out, nic_in = (self._group(group, told, way, on_subnet=False) for way in (_OUT, _IN))
        return place, subnet_out, nic_out, admin_out, subnet_in, nic_in, admin_in

    def _surroundings(self, point: Point, told: _Told) -> tuple[int, ...]:
        """What the subnet of an endpoint makes of it: the place, and the lists that do not stand at the NIC."""
        found = [self._place(point, told)]
        for way in (_OUT, _IN):
            group = group_at(self._estate, point, Level.SUBNET)
            found += [self._group(group, told, way, on_subnet=True), self._admin(point, told, way)]
        return tuple(found)

    def _place(self, point: Point, told: _Told) -> int:
        subnet = self._estate.subnet_of(point)
        network = self._estate.network_of(point.configuration.subnet)
        named = any(tag.lower() == _NAMED for tag in told.tags)
        key = "place", network.id if network else None, subnet.route_table if subnet else None, named
        if key not in self._known:
            self._known[key] = self._places.add(point, told.tags)
        return self._known[key]

    def _group(self, group: ResourceId | None, told: _Told, way: int, *, on_subnet: bool) -> int:
        """The list of an NSG in a direction."""
        if group is None or group is NOT_SEEN:
            return OPEN if group is None else UNSEEN
        if told is _UNTOLD and (number := self._untold[way].get(group.key)) is not None:
            return number
        found = self._written(group, told, way, on_subnet=on_subnet)
        if told is _UNTOLD:
            self._untold[way][group.key] = found
        return found

    def _written(self, group: ResourceId, told: _Told, way: int, *, on_subnet: bool) -> int:
        rules: SecurityGroup | EffectiveGroup | None = self._estate.security_groups.get(group)
        if rules is None:
            rules = next((each for each in told.groups if each.on_subnet == on_subnet), None)
        if rules is None:
            return UNSEEN
        key = id(rules), way, told.nic
        if key not in self._known:
            if id(rules) not in self._relevant:
                self._relevant[id(rules)] = self._book.relevant(rules.rules)
            found = in_order(self._relevant[id(rules)], inbound=way == _IN)
            self._known[key] = self._book.group(found, told.tags)
        return self._known[key]

    def _admin(self, point: Point, told: _Told, way: int) -> int:
        """The list of the admin rules that are applied to an endpoint's network."""
        subnet = point.configuration.subnet
        parent = subnet.parent if subnet and self._estate.admin_rules else None
        here = [each for each in self._estate.admin_rules if parent and parent in each.networks | each.perhaps]
        own = (each for each in here if each.rule.inbound == (way == _IN))
        ordered = [(each.rule, parent in each.networks) for each in sorted(own, key=lambda each: each.rule.priority)]
        if not ordered:
            return SILENT
        key = "admin", parent, way, told.nic
        if key not in self._known:
            self._known[key] = self._book.admin(ordered, told.tags)
        return self._known[key]


def _unfiltered(estate: Estate, point: Point) -> bool:
    """Whether it is a private endpoint whose subnet does not let NSGs filter what comes in."""
    if not point.nic.private_endpoint:
        return False
    subnet = estate.subnet_of(point)
    return subnet is None or subnet.endpoint_policies.lower() not in _FILTERED_ENDPOINTS


def _both(one: Ints, other: Ints) -> Ints:
    """Allowed if both may allow, denied if one may deny; in each of the two worlds."""
    return (one & other & _ALLOW) | ((one | other) & _DENY)


def _before(admin: Ints, behind: Ints) -> Ints:
    """What admin rules end themselves, and what they hand on."""
    passed = (admin >> 4) & 0b11
    return (admin & 0b1111) | (behind & (passed | passed << 2))


def _verdicts(codes: Ints) -> Ints:
    """Whatever is possible in one of the worlds is."""
    found: Ints = ((codes & _ALLOW) != 0) * 1 | ((codes & _DENY) != 0) * 2
    return found
