"""What a next hop makes of flows to a range of endpoints, as far as routes alone can tell.

The same as `diagnostics.network.walk` makes of each flow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from diagnostics.network.estate import Estate, Firewall, Point, VirtualNetwork
from diagnostics.network.fleet.bits import Bools, Ints
from diagnostics.network.fleet.codes import BITS, DOUBTED, SETTLED, Code
from diagnostics.network.fleet.deliveries import Deliveries, Owner
from diagnostics.network.fleet.universe import Universe
from diagnostics.network.gateways import learnt
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import Balanced, Owners
from diagnostics.network.prefixes import PRIVATE, address_of
from diagnostics.network.public import targets, way_out
from diagnostics.network.routing import Candidate, HopType, NextHop
from diagnostics.network.security import Verdict

type Obstacle = Point | Balanced
"""What stands at the next hop of a route: an appliance, or a load balancer before appliances."""

_VERDICTS = {Verdict.ALLOWED: Code.ALLOWED, Verdict.DENIED: Code.DENIED, Verdict.UNKNOWN: Code.UNKNOWN}


class Way(Enum):
    """Which way of a connection is followed."""

    THERE = "the question"
    BACK = "the answer: no rule is asked, no way out is needed, and it has to come to its source"


def _by_owner(*codes: Code) -> Ints:
    return np.array(codes, np.int64)


_DELIVERED = {
    Way.THERE: _by_owner(Code.ARRIVES, Code.DENIED, Code.DENIED, Code.ASK, Code.UNKNOWN, Code.UNKNOWN),
    Way.BACK: _by_owner(Code.ALLOWED, Code.DENIED, Code.DENIED, Code.ASK, Code.UNKNOWN, Code.UNKNOWN),
}
"""What is delivered, by who has the address."""
_ASTRAY = _by_owner(Code.ALLOWED, Code.DENIED, Code.DENIED, Code.ASK, Code.UNKNOWN, Code.DENIED)
"""An answer that is delivered in one network: where nobody has the address, its source is not."""
_UNSEEN = {
    Way.THERE: _by_owner(Code.DOUBTED, Code.DENIED, *[Code.UNKNOWN] * 4),
    Way.BACK: _by_owner(Code.UNKNOWN, Code.DENIED, *[Code.UNKNOWN] * 4),
}
"""What takes routes that cannot be seen: at best they lead to the end."""


@dataclass(frozen=True, slots=True)
class Travel:
    """How flows come to a next hop.

    Attributes:
        version: of their addresses.
        inside: of what is sent on for others, whether it came from the own network; None for what is the own.
    """

    way: Way
    version: int
    inside: bool | None = None


class Hops:
    """Follows routes to their next hops."""

    def __init__(self, estate: Estate, universe: Universe) -> None:
        self._estate, self._universe, self.owners = estate, universe, Owners(estate)
        self._deliveries = Deliveries(estate, universe, self.owners)
        self._public = ~universe.marked(PRIVATE)
        known = [address for each in estate.public_ips.values() if (address := address_of(each.address))]
        self._ours = np.zeros(len(universe), np.bool_)
        self._ours[[at for address in known for at in universe.within(str(address))]] = True
        self._numbers: dict[tuple[str, ...], int] = {}
        self._obstacles: list[tuple[Obstacle, ...]] = []
        self._networks: dict[str, VirtualNetwork | None] = {}
        self._gateways: dict[ResourceId, Code] = {}
        self._at_hop: dict[tuple[str, ResourceId | None], Obstacle | Code] = {}

    @property
    def lead_out(self) -> bool:
        """Whether any endpoint has a public address of its own, which routes to the internet may be taken to."""
        return bool(self._public.any())

    def obstacles(self, number: int) -> tuple[Obstacle, ...]:
        """What stands in the way that has a number."""
        return self._obstacles[number - 1]

    def codes(self, point: Point, hop: NextHop, span: slice, travel: Travel) -> Ints | Code:
        """What becomes of flows from an endpoint to a range of endpoints, with the numbers of obstacles above it."""
        routes = [route for route in (hop.route, *(hop.doubtful if hop.missing else ())) if route]
        ends = [end for route in routes for end in self._ends(point, route, span, travel)]
        if len(ends) == 1 and not hop.missing and travel.inside is None and not isinstance(ends[0], (Point, Balanced)):
            return ends[0]
        found = np.zeros(span.stop - span.start, np.int64)
        obstacles: list[Obstacle] = []
        for end in ends:
            if isinstance(end, (Point, Balanced)):
                obstacles.append(end)
            else:
                found |= np.left_shift(1, end)
        if not routes:
            found |= 1 << (Code.UNKNOWN if hop.missing else Code.DENIED)
        numbers = self._before(obstacles, found, span, travel)
        doubted = (numbers > 0) | (travel.inside is not None) | bool(hop.missing and len(routes) == 1)
        settled = SETTLED[np.where(found == 0, 1 << Code.DENIED, found)]
        codes: Ints = np.where(doubted, DOUBTED[settled], settled) | numbers << BITS
        return codes

    def unseen(self, point: Point, way: Way) -> Ints:
        """What becomes of flows to every endpoint by routes of an endpoint that cannot be seen."""
        return _UNSEEN[way][self._deliveries.to(self._near(point))]

    def _before(self, obstacles: list[Obstacle], found: Ints, span: slice, travel: Travel) -> Ints:
        """The numbers of what stands in the way; to the addresses of its own NIC an appliance is no obstacle."""
        numbers = np.full(len(found), self._number(obstacles), np.int64)
        owned = [self._own(obstacle, span, travel) for obstacle in obstacles]
        for at in {at for mine in owned for at in mine}:
            for mine in owned:
                found[at] |= 1 << mine[at] if at in mine else 0
            others = [obstacle for obstacle, mine in zip(obstacles, owned, strict=True) if at not in mine]
            numbers[at] = self._number(others)
        return numbers

    def _own(self, obstacle: Obstacle, span: slice, travel: Travel) -> dict[int, Code]:
        """The endpoints in a range with an address that an appliance's NIC has, and what comes of flows to them."""
        found: dict[int, Code] = {}
        for appliance in [obstacle] if isinstance(obstacle, Point) else self._behind(obstacle):
            for each in appliance.nic.ip_configurations:
                for at in self._universe.within(each.address or ""):
                    itself = self._universe.points[at] == Point(appliance.nic, each)
                    code = _DELIVERED[travel.way][Owner.ITSELF if itself else Owner.ANOTHER]
                    if span.start <= at < span.stop:
                        found.setdefault(at - span.start, Code(code) if isinstance(obstacle, Point) else Code.ASK)
        return found

    def _behind(self, balanced: Balanced) -> Iterator[Point]:
        """All appliances that a load balancer may lead to, with one service or another."""
        for rule in balanced.balancer.rules:
            yield from targets(self._estate, balanced.balancer, rule)

    def _ends(self, point: Point, route: Candidate, span: slice, travel: Travel) -> Iterator[Ints | Code | Obstacle]:
        network = self._network(point)
        match route.next_hop_type:
            case HopType.UNSEEN:
                yield self.unseen(point, travel.way)[span]
            case HopType.NONE:
                yield Code.DENIED
            case HopType.VNET_LOCAL:
                parent = network.id if network else point.configuration.subnet and point.configuration.subnet.parent
                yield self._delivered([parent] if parent else [], span, travel)
            case HopType.PEERING if route.origin and network:
                refused = self._refuses(network, route.origin, travel)
                yield Code.DENIED if refused else self._delivered([route.origin], span, travel)
            case HopType.PEERING | HopType.INTERFACE_ENDPOINT:
                yield self._nearby(point, span, travel)
            case HopType.APPLIANCE:
                yield from self._next_hops(point, route, travel)
            case HopType.GATEWAY:
                yield self._gateway(network)
            case HopType.SERVICE_ENDPOINT:
                yield Code.DENIED if travel.way is Way.BACK else Code.ALLOWED
            case HopType.INTERNET:
                yield self._internet(point, span, travel)
            case _:
                yield Code.UNKNOWN

    def _network(self, point: Point) -> VirtualNetwork | None:
        subnet = point.configuration.subnet
        key = subnet.key if subnet else ""
        if key not in self._networks:
            self._networks[key] = self._estate.network_of(subnet)
        return self._networks[key]

    def _delivered(self, networks: Sequence[ResourceId], span: slice, travel: Travel) -> Ints:
        alone = travel.way is Way.BACK and len(networks) == 1
        return (_ASTRAY if alone else _DELIVERED[travel.way])[self._deliveries.to(networks)[span]]

    def _near(self, point: Point) -> list[ResourceId]:
        """The network of an endpoint and those that it is peered with."""
        subnet, network = point.configuration.subnet, self._network(point)
        if network is None:
            return [subnet.parent] if subnet and subnet.parent else []
        return [network.id, *(each.remote for each in network.peerings if each.connected)]

    def _nearby(self, point: Point, span: slice, travel: Travel) -> Ints:
        """To the first of a network and its peers that has the address."""
        network, networks = self._network(point), self._near(point)
        codes, taken = self._delivered(networks, span, travel), np.zeros(span.stop - span.start, np.bool_)
        for each in networks if network and travel.inside is False else ():
            there: Bools = self._deliveries.within(each)[span] & ~taken
            if network and self._refuses(network, each, travel):
                codes[there] = Code.DENIED
            taken |= there
        return codes

    def _refuses(self, network: VirtualNetwork, into: ResourceId | None, travel: Travel) -> bool:
        """Whether another network does not take what was forwarded for others."""
        remote = self._estate.networks.get(into) if into else None
        if travel.inside is not False or remote is None or remote.id == network.id:
            return False
        back = next((peering for peering in remote.peerings if peering.remote == network.id), None)
        return back is not None and not back.allows_forwarded

    def _next_hops(self, point: Point, route: Candidate, travel: Travel) -> Iterator[Ints | Code | Obstacle]:
        if not route.next_hop_addresses:
            yield Code.UNKNOWN
        network, where = self._network(point), point.configuration.subnet
        for text in route.next_hop_addresses:
            key = text, network.id if network else where
            if key not in self._at_hop:
                self._at_hop[key] = self._find(text, self._near(point))
            found = self._at_hop[key]
            yield Code.DENIED if network and self._beyond(network, found, travel) else found

    def _beyond(self, network: VirtualNetwork, found: Obstacle | Code, travel: Travel) -> bool:
        """Whether an obstacle is in a network that does not take what was forwarded for others."""
        if isinstance(found, Code):
            return False
        subnet = found.frontend.subnet if isinstance(found, Balanced) else found.configuration.subnet
        return self._refuses(network, subnet.parent if subnet else None, travel)

    def _gateway(self, network: VirtualNetwork | None) -> Code:
        """What is behind a gateway is not seen; where there is none, nothing gets through."""
        if network is None:
            return Code.UNKNOWN
        if network.id not in self._gateways:
            exists = learnt(self._estate, network).exists
            self._gateways[network.id] = Code.DENIED if exists is False else Code.UNKNOWN
        return self._gateways[network.id]

    def _find(self, text: str, networks: list[ResourceId]) -> Obstacle | Code:
        """What is at the address of a next hop."""
        address = address_of(text)
        match self.owners.find(address, networks) if address else None:
            case Point() | Balanced() as obstacle:
                return obstacle
            case Firewall():
                return Code.UNKNOWN
            case _:
                known = self.owners
                lost = address and (known.subnet(address, networks) or known.out_of_reach(address, networks))
                return Code.DENIED if lost else Code.UNKNOWN

    def _internet(self, point: Point, span: slice, travel: Travel) -> Ints | Code:
        public = self._public[span]
        if travel.way is Way.BACK or not public.any():
            return Code.DENIED
        code = _VERDICTS[way_out(self._estate, point, travel.version).verdict]
        # An address of the estate's own is reached from outside, through a public address.
        return np.where(public, np.where(self._ours[span], Code.ASK, code), Code.DENIED)

    def _number(self, obstacles: list[Obstacle]) -> int:
        if not obstacles:
            return 0
        named = {_name(each): each for each in obstacles}
        key = tuple(sorted(named))
        if key not in self._numbers:
            self._obstacles.append(tuple(named.values()))
            self._numbers[key] = len(self._obstacles)
        return self._numbers[key]


def _name(obstacle: Obstacle) -> str:
    if isinstance(obstacle, Balanced):
        return obstacle.frontend.id.key
    return f"{obstacle.nic.id.key} {obstacle.configuration.name} {obstacle.configuration.address}"
