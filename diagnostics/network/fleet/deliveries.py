"""Who has the address of every endpoint in a virtual network: it, another one, something else, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.estate import Estate, Firewall, Point
from diagnostics.network.fleet.bits import Bools, Ints, ragged
from diagnostics.network.fleet.universe import Universe
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import Balanced, Owners
from diagnostics.network.public import targets, unseen_target

_NOWHERE: Ints = np.zeros(0, np.int64)


class Owner(IntEnum):
    """Who has the address of an endpoint.

    Attributes:
        ITSELF: the endpoint itself.
        ANOTHER: another endpoint.
        BALANCER: a load balancer in front of others.
        BALANCER_BEFORE: a load balancer that may lead to the endpoint, or to what is not in the estate.
    """

    ITSELF = 0
    ANOTHER = 1
    BALANCER = 2
    BALANCER_BEFORE = 3
    FIREWALL = 4
    NOBODY = 5


class Deliveries:
    """Who has the address of every endpoint of a fleet, network by network."""

    def __init__(self, estate: Estate, universe: Universe, owners: Owners) -> None:
        self._estate, self._universe, self._owners = estate, universe, owners
        homes: dict[str, list[int]] = {}
        for position, point in enumerate(universe.points):
            if subnet := point.configuration.subnet:
                homes.setdefault(subnet.key.rpartition("/subnets/")[0], []).append(position)
        self._homes = {home: np.array(found) for home, found in homes.items()}
        alike = [universe.number(at) == universe.number(at - 1) for at in range(1, len(universe))]
        begins = np.flatnonzero(np.append(True, ~np.array(alike, np.bool_)))
        self._sizes = np.diff(np.append(begins, len(universe)))
        self._begins, self._address = begins, np.repeat(np.arange(len(begins)), self._sizes)
        self._twins = [
            at for at, same in enumerate(alike, 1) if same and universe.points[at] == universe.points[at - 1]
        ]
        self._special = self._others()
        self._known: dict[tuple[str, ...], NDArray[np.int8]] = {}

    def to(self, networks: Sequence[ResourceId]) -> NDArray[np.int8]:
        """Who has each address in the first of the networks where someone has it, by `Owner`."""
        key = tuple(network.key for network in networks)
        if key not in self._known:
            self._known[key] = self._look(networks)
        return self._known[key]

    def within(self, network: ResourceId) -> Bools:
        """Of each address, whether an endpoint or a load balancer in a network has it."""
        found = np.zeros(len(self._universe), np.bool_)
        found[self._with(self._homes.get(network.key, _NOWHERE))] = True
        for position in self._special:
            address = self._universe.points[position].address
            found[position] = address is not None and self._owners.has(address, network)
        return found

    def _look(self, networks: Sequence[ResourceId]) -> NDArray[np.int8]:
        found = np.full(len(self._universe), Owner.NOBODY, np.int8)
        for network in reversed(networks):
            home = self._homes.get(network.key, _NOWHERE)
            _, first = np.unique(self._address[home], return_index=True)
            found[self._with(home)] = Owner.ANOTHER
            found[home[first]] = Owner.ITSELF
        for position in self._twins:
            if found[position - 1] == Owner.ITSELF:
                found[position] = Owner.ITSELF
        for position in self._special:
            found[position] = self._ask(self._universe.points[position], networks)
        return found

    def _with(self, home: Ints) -> Ints:
        """All endpoints, wherever they are, with an address that one of these has."""
        shared = self._address[home]
        return ragged(self._begins[shared], self._sizes[shared])[0]

    def _others(self) -> list[int]:
        """The endpoints whose address a load balancer or a firewall has too, in whichever network."""
        estate = self._estate
        others = {front.address for balancer in estate.load_balancers.values() for front in balancer.frontends}
        others |= {text for firewall in estate.firewalls.values() for text in firewall.addresses}
        return sorted({at for text in others if text for at in self._universe.within(text)})

    def _ask(self, point: Point, networks: Sequence[ResourceId]) -> Owner:
        address = point.address
        assert address
        match self._owners.find(address, networks):
            case Point() as owner:
                return Owner.ITSELF if owner == point else Owner.ANOTHER
            case Balanced() as balanced:
                return self._before(balanced, point)
            case Firewall():
                return Owner.FIREWALL
            case _:
                return Owner.NOBODY

    def _before(self, balanced: Balanced, point: Point) -> Owner:
        estate, rules = self._estate, balanced.balancer.rules
        members = {each for rule in rules for each in targets(estate, balanced.balancer, rule)}
        unseen = any(unseen_target(estate, balanced.balancer, rule) for rule in rules)
        return Owner.BALANCER_BEFORE if unseen or point in members else Owner.BALANCER
