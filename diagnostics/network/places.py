"""Where NSGs and route tables are used: their subnets, NICs and endpoints, and what the words of rules mean there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.meaning import context_at
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet
from diagnostics.network.prefixes import Bounds
from diagnostics.network.security import Context
from diagnostics.network.tags import Meaning


@dataclass(frozen=True, slots=True)
class Use:
    """Where an NSG or route table is used, as far as the estate shows.

    Attributes:
        subnets, nics: those that refer to it.
        points: the endpoints that it stands at, each once.
        unseen: what its own body says it is attached to, and is not in the estate.
        known: whether it is known that there is no more: its own body says what it is attached to, or everything that
            could refer to it was listed.
    """

    subnets: tuple[Subnet, ...] = ()
    nics: tuple[Nic, ...] = ()
    points: tuple[Point, ...] = ()
    unseen: tuple[ResourceId, ...] = ()
    known: bool = False

    @property
    def anywhere(self) -> bool:
        """Whether anything uses it."""
        return bool(self.subnets or self.nics or self.unseen)


class Places:
    """The uses of every NSG and route table of an estate, worked out once.

    Args:
        estate: the estate.
        context: tells what words mean at an endpoint, where somebody knows that already.
    """

    def __init__(self, estate: Estate, context: Callable[[Point], Context] | None = None) -> None:
        self._estate, self._context = estate, context or partial(context_at, estate)
        self._contexts: dict[str, Context] = {}
        self._uses: dict[str, tuple[SecurityGroup, Use]] = {}

    def of_group(self, group: SecurityGroup) -> Use:
        """Where an NSG is used."""
        known = self._uses.get(group.id.key)
        if known is None or known[0] is not group:
            known = self._uses[group.id.key] = group, self._of_group(group)
        return known[1]

    def _of_group(self, group: SecurityGroup) -> Use:
        subnets = tuple(self._subnets_by_group.get(group.id.key, ()))
        nics = tuple(self._nics_by_group.get(group.id.key, ()))
        points = [point for subnet in subnets for point in self.points_in(subnet.id)]
        points += [Point(nic, each) for nic in nics for each in nic.ip_configurations]
        seen = {*(subnet.id.key for subnet in subnets), *(nic.id.key for nic in nics)}
        unseen = tuple(each for each in group.attached or () if each.key not in seen)
        known = group.attached is not None or self._all_listed("nics", "networks")
        return Use(subnets, nics, _once(points), unseen, known)

    def of_table(self, table: RouteTable) -> Use:
        """Where a route table is used."""
        subnets = tuple(self._subnets_by_table.get(table.id.key, ()))
        points = tuple(point for subnet in subnets for point in self.points_in(subnet.id))
        seen = {subnet.id.key for subnet in subnets}
        unseen = tuple(each for each in table.attached or () if each.key not in seen)
        return Use(subnets, (), points, unseen, table.attached is not None or self._all_listed("networks"))

    def points_in(self, subnet: ResourceId) -> tuple[Point, ...]:
        """The endpoints in a subnet."""
        return self._points_by_subnet.get(subnet.key, ())

    def context(self, group: SecurityGroup) -> Context:
        """What tags mean where an NSG is used, if that is one subnet; who is in an ASG may change any day.

        Used nowhere, or in several subnets, its rules are judged by what they mean everywhere.
        """
        if group.id.key not in self._contexts:
            stands = [(point.configuration.subnet, point) for point in self.of_group(group).points]
            points = {subnet.key if subnet else "": point for subnet, point in stands}
            subnets = {*points, *(subnet.id.key for subnet in self._subnets_by_group.get(group.id.key, ()))}
            (alone,) = points.values() if len(points) == len(subnets) == 1 else (None,)
            tag = self._context(alone).tag if alone else self._anywhere.of
            self._contexts[group.id.key] = Context(tag=tag)
        return self._contexts[group.id.key]

    @cached_property
    def _anywhere(self) -> Meaning:
        return Meaning(Bounds.unknown("VirtualNetwork"), self._estate.service_tags)

    @cached_property
    def _points_by_subnet(self) -> Mapping[str, tuple[Point, ...]]:
        found: dict[str, list[Point]] = {}
        for point in self._estate.points:
            if point.configuration.subnet:
                found.setdefault(point.configuration.subnet.key, []).append(point)
        return {subnet: tuple(points) for subnet, points in found.items()}

    @cached_property
    def _subnets_by_group(self) -> Mapping[str, list[Subnet]]:
        found: dict[str, list[Subnet]] = {}
        for subnet in self._estate.subnets.values():
            if subnet.security_group:
                found.setdefault(subnet.security_group.key, []).append(subnet)
        return found

    @cached_property
    def _subnets_by_table(self) -> Mapping[str, list[Subnet]]:
        found: dict[str, list[Subnet]] = {}
        for subnet in self._estate.subnets.values():
            if subnet.route_table:
                found.setdefault(subnet.route_table.key, []).append(subnet)
        return found

    @cached_property
    def _nics_by_group(self) -> Mapping[str, list[Nic]]:
        found: dict[str, list[Nic]] = {}
        for nic in self._estate.nics.values():
            if nic.security_group:
                found.setdefault(nic.security_group.key, []).append(nic)
        return found

    def _all_listed(self, *fields: str) -> bool:
        kinds = {"nics": "microsoft.network/networkinterfaces", "networks": "microsoft.network/virtualnetworks"}
        return all(self._estate.facts.knows_all(kinds[field]) for field in fields)


def _once(points: Sequence[Point]) -> tuple[Point, ...]:
    """Each endpoint once. Mostly their names tell all of them apart, and need less work than whole configurations."""
    if len({(each.nic.id.key, each.configuration.name) for each in points}) == len(points):
        return tuple(points)
    return tuple({(each.nic.id, each.configuration): each for each in points}.values())
