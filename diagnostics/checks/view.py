"""An estate as checks look at it: whatever several of them need is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Self

from diagnostics.checks import words
from diagnostics.checks.routes_hops import Hops
from diagnostics.checks.routes_ways import Ways
from diagnostics.checks.rules_told import Odd, odd_rules
from diagnostics.network.anomalies import Anomaly, anomalies, common_services
from diagnostics.network.anomalies.axes import Services
from diagnostics.network.estate import Estate, Point, VirtualNetwork
from diagnostics.network.facts import Facts
from diagnostics.network.filters import Filters
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Route, RouteTable, SecurityGroup, SecurityRule, Subnet, Vm
from diagnostics.network.openings import Exposure, Opening, Openings
from diagnostics.network.owners import Owners
from diagnostics.network.places import Places, Use
from diagnostics.network.public import WayOut, way_out
from diagnostics.network.reach import Reach

_ID = attrgetter("id.key")


@dataclass(frozen=True)
class View:
    """An estate, the time, and what is worked out of them.

    Attributes:
        now: when the estate was read; None where that is not known, and nothing is told to be old then.
        causes: rules as what decides.
    """

    estate: Estate
    now: datetime | None = None
    causes: words.Causes = field(default_factory=words.Causes, repr=False, compare=False)
    _tables: dict[str, Use] = field(default_factory=dict, repr=False)
    _anomalies: dict[str, tuple[Anomaly, ...]] = field(default_factory=dict, repr=False)
    _admitted: dict[str, tuple[Opening, ...]] = field(default_factory=dict, repr=False)
    _odd: dict[str, Mapping[SecurityRule, Odd]] = field(default_factory=dict, repr=False)
    _ways: dict[object, WayOut] = field(default_factory=dict, repr=False)
    _once: dict[object, Any] = field(default_factory=dict, repr=False)

    @property
    def facts(self) -> Facts:
        """What stands around the network."""
        return self.estate.facts

    @cached_property
    def reach(self) -> Reach:
        """The engine: paths of flows; `reach.filters` and `reach.routing` are its parts."""
        return Reach(self.estate)

    @property
    def filters(self) -> Filters:
        """The rules at every endpoint."""
        return self.reach.filters

    @cached_property
    def openings(self) -> Openings:
        """What rules let in from the internet."""
        return Openings.of(self.reach)

    @cached_property
    def owners(self) -> Owners:
        """Who has which private address."""
        return Owners(self.estate)

    @cached_property
    def hops(self) -> Hops:
        """Where routes lead."""
        return Hops(self.estate, self.owners, self.places, self.reach.routing)

    @cached_property
    def ways(self) -> Ways:
        """Which subnets send what is for the internet to an appliance."""
        return Ways(self.estate, self.hops, self.places)

    @cached_property
    def places(self) -> Places:
        """Where NSGs and route tables are used."""
        return Places(self.estate, self.filters.context)

    @cached_property
    def groups(self) -> Sequence[SecurityGroup]:
        """Every NSG, by id."""
        return sorted(self.estate.security_groups.values(), key=_ID)

    @cached_property
    def tables(self) -> Sequence[RouteTable]:
        """Every route table, by id."""
        return sorted(self.estate.route_tables.values(), key=_ID)

    @cached_property
    def networks(self) -> Sequence[VirtualNetwork]:
        """Every virtual network, by id."""
        return sorted(self.estate.networks.values(), key=_ID)

    @cached_property
    def nics(self) -> Sequence[Nic]:
        """Every NIC, by id."""
        return sorted(self.estate.nics.values(), key=_ID)

    @property
    def subnets(self) -> Iterator[tuple[VirtualNetwork, Subnet]]:
        """Every subnet with its network, by id."""
        for network in self.networks:
            yield from ((network, subnet) for subnet in sorted(network.subnets, key=_ID))

    @staticmethod
    def ordered[T](of: Mapping[ResourceId, T]) -> Sequence[T]:
        """Resources by id, so that what is said of them has the same order however they were read."""
        return [of[rid] for rid in sorted(of, key=lambda rid: rid.key)]

    def once[T](self, work: Callable[[View], T]) -> T:
        """What a family of checks works out of it, when first asked for."""
        found: T | None = self._once.get(work)
        if found is None:
            found = self._once[work] = work(self)
        return found

    def forget(self) -> None:
        """Let go of what families worked out: some of it leads back here, and nothing would go but by the collector."""
        self._once.clear()

    def among(self, groups: Sequence[SecurityGroup]) -> Self:
        """The same with some of the NSGs, for checks that look at each by itself; what is worked out is shared.

        A check that looks elsewhere still sees all there is.
        """
        _ = self.reach, self.places, self._services  # else each would work them out
        found = copy(self)
        found.__dict__["groups"] = groups
        return found

    def use(self, of: SecurityGroup | RouteTable) -> Use:
        """Where an NSG or a route table is used."""
        if isinstance(of, SecurityGroup):
            return self.places.of_group(of)
        if of.id.key not in self._tables:
            self._tables[of.id.key] = self.places.of_table(of)
        return self._tables[of.id.key]

    def anomalies(self, group: SecurityGroup) -> tuple[Anomaly, ...]:
        """What is odd about the rules of an NSG."""
        if group.id.key not in self._anomalies:
            context = self.places.context(group)
            self._anomalies[group.id.key] = anomalies(group, context, faults=True, common=self._services)
        return self._anomalies[group.id.key]

    @cached_property
    def _services(self) -> Services | None:
        """The classes of the services of all rules, which are mostly few."""
        return common_services(rule for group in self.estate.security_groups.values() for rule in group.rules)

    def odd(self, group: SecurityGroup) -> Mapping[SecurityRule, Odd]:
        """What is wrong with the order of an NSG's rules: for each rule the one thing that says it best."""
        if group.id.key not in self._odd:
            self._odd[group.id.key] = odd_rules(group, self.anomalies(group), self.places.context(group))
        return self._odd[group.id.key]

    def admitted(self, group: SecurityGroup) -> tuple[Opening, ...]:
        """What an NSG alone lets in from the internet."""
        if group.id.key not in self._admitted:
            self._admitted[group.id.key] = self.openings.admitted(group, self.places.context(group))
        return self._admitted[group.id.key]

    def exposed(self, point: Point) -> tuple[Exposure, ...]:
        """What of an endpoint can be reached from the internet."""
        return self.openings.exposed(point)

    def way_out(self, point: Point) -> WayOut:
        """By which public address an endpoint leaves for IPv4 destinations; worked out once for all that are alike."""
        each, subnet = point.configuration, self.estate.subnet_of(point)
        # Without a subnet it is the NIC that is named as what is missing.
        alone = point if subnet is None or each.address in self._pooled else None
        public = each.public_ip.key if each.public_ip else ""
        where, six = subnet.id.key if subnet else "", ":" in (each.address or "")
        key = where, public, each.pools, each.inbound_nat_rules, six, alone
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = way_out(self.estate, point, 4)
        return found

    @cached_property
    def _pooled(self) -> frozenset[str]:
        """The addresses that load balancers name as members."""
        balancers = self.estate.load_balancers.values()
        return frozenset(text for each in balancers for texts in each.pools.values() for text in texts)

    def vm_of(self, nic: Nic) -> Vm | None:
        """The VM of a NIC, if it is in the estate."""
        return self.estate.vm_of(nic)

    @cached_property
    def appliances(self) -> Mapping[ResourceId, Nic]:
        """The NICs that a route names as next hop, and those that forward: what may be an appliance, by id."""
        hops = {address for table in self.tables for route in table.routes for address in _addresses(route)}
        return {
            nic.id: nic
            for nic in self.nics
            if nic.ip_forwarding or any(each.address in hops for each in nic.ip_configurations)
        }


def own_rules(group: SecurityGroup, *, inbound: bool) -> Sequence[SecurityRule]:
    """The rules of an NSG that somebody wrote, in a direction, in the order in which Azure goes through them."""
    own = (rule for rule in group.rules if not rule.default and rule.inbound == inbound)
    return sorted(own, key=lambda rule: rule.priority)


def _addresses(route: Route) -> tuple[str, ...]:
    return (route.next_hop_address, *route.next_hop_addresses)
