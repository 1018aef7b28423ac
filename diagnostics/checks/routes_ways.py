"""Where subnets send what is for the internet, and which of them have reasons of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from diagnostics.checks.routes_hops import RESERVED, Hop, Hops, Side
from diagnostics.network.estate import Estate, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Route, Subnet
from diagnostics.network.places import Places
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.routes import HopType, kind

_HALVES = {
    4: (AddressSet.parse("0.0.0.0/1"), AddressSet.parse("128.0.0.0/1")),
    6: (AddressSet.parse("::/1"), AddressSet.parse("8000::/1")),
}
# An Application Gateway must reach the internet directly, and so must these.
_GATEWAY_WORDS = ("appgw", "agw", "appgateway", "applicationgateway", "application-gateway", "app-gateway")
_OWN_WAY = frozenset(
    {
        "microsoft.network/applicationgateways",
        "microsoft.sql/managedinstances",
        "microsoft.databricks/workspaces",
        "microsoft.apimanagement/service",
        "microsoft.avs/privateclouds",
        "microsoft.network/dnsresolvers",
        "paloaltonetworks.cloudngfw/firewalls",
    }
)


class Default(NamedTuple):
    """The routes of a table for each half of all addresses of a family; None where the system's own is taken."""

    halves: tuple[Route | None, Route | None]

    def to(self, hop: HopType) -> tuple[Route, ...]:
        """Those that lead to a type of next hop, each once."""
        found = (route for route in self.halves if route and route.next_hop_type and kind(route.next_hop_type) == hop)
        return tuple(dict.fromkeys(found))

    @property
    def whole(self) -> bool:
        """Whether both halves go to appliances."""
        return all(route and kind(route.next_hop_type) == HopType.APPLIANCE for route in self.halves)


@dataclass(frozen=True, slots=True)
class Example:
    """Who sends what is for the internet to an appliance, where a subnet could do the same.

    Attributes:
        hop: the appliance.
        who: one of those that do.
        most: whether at least as many do as do not.
        nearly_all: whether more do than do not.
    """

    hop: Hop
    who: str
    most: bool
    nearly_all: bool


class Ways:
    """The ways to the internet of an estate's subnets, as routes tell them."""

    def __init__(self, estate: Estate, hops: Hops, places: Places) -> None:
        self._estate, self._hops, self._places = estate, hops, places
        self._defaults: dict[tuple[str, int], Default] = {}
        self._examples: dict[str, Example | None] = {}
        self._specials: dict[str, bool] = {}
        self._ordinary: dict[str, tuple[Subnet, ...]] = {}

    def default(self, side: Side, version: int = 4) -> Default:
        """Where a side's table sends everything; of two routes for a half the narrower one counts."""
        key = side.table.id.key if side.table else "", version
        if key not in self._defaults:
            first, second = (_best(side.table.routes if side.table else (), half) for half in _HALVES[version])
            self._defaults[key] = Default((first, second))
        return self._defaults[key]

    def appliance(self, side: Side) -> Hop | None:
        """The appliance that everything for the internet goes to."""
        default = self.default(side)
        if not default.whole:
            return None
        route = default.to(HopType.APPLIANCE)[0]
        text = route.next_hop_address or next(iter(route.next_hop_addresses), "")
        return self._hops.at(text, side.network)

    def ordinary(self, side: Side) -> tuple[Subnet, ...]:
        """The subnets of a side that have no reason of their own to go another way than the others."""
        key = side.subnets[0].id.key  # no two sides have a subnet in common
        found = self._ordinary.get(key)
        if found is None:
            found = self._ordinary[key] = tuple(each for each in side.subnets if not self._is_special(each))
        return found

    def example(self, network: VirtualNetwork) -> Example | None:
        """Who sends to an appliance: other subnets of a network, or of networks that share a peer with it."""
        if network.id.key not in self._examples:
            self._examples[network.id.key] = self._own_example(network) or self._peers_example(network)
        return self._examples[network.id.key]

    @cached_property
    def appliance_subnets(self) -> frozenset[ResourceId]:
        """The subnets in which appliances stand."""
        found: set[ResourceId] = set()
        for table in self._estate.route_tables.values():
            for lead in self._hops.leads(table):
                if lead.hop.owner:
                    found |= {subnet.id for subnet in self._hops.exits(lead.hop)[0]}
                    found |= {lead.hop.subnet.id} if lead.hop.subnet else set()
        return frozenset(found)

    def _is_special(self, subnet: Subnet) -> bool:
        if subnet.id.key not in self._specials:
            self._specials[subnet.id.key] = self._special(subnet)
        return self._specials[subnet.id.key]

    def _special(self, subnet: Subnet) -> bool:
        name = subnet.id.name.lower()
        if name in RESERVED or any(word in name for word in _GATEWAY_WORDS) or subnet.id in self.appliance_subnets:
            return True
        # A part's type goes on from that of what it is a part of.
        owners = {part.rpartition("/")[0] for part in {rid.type for rid in subnet.used if len(rid.names) > 1}}
        if owners & _OWN_WAY or _OWN_WAY & {service.lower() for service in subnet.delegations}:
            return True
        points = self._places.points_in(subnet.id)
        return bool(points) and all(point.nic.private_endpoint for point in points)

    def _counted(self, network: VirtualNetwork) -> tuple[list[tuple[Side, Hop]], int]:
        """The sides that send to an appliance, and how many subnets do not."""
        sending, others = [], 0
        for side in self._hops.sides_in(network.id):
            ordinary = self.ordinary(side)
            hop = self.appliance(side)
            if hop and ordinary:
                sending.append((side, hop))
            elif side.unseen is None:
                others += sum(not subnet.delegations and not self._hops.empty(subnet) for subnet in ordinary)
        return sending, others

    def _own_example(self, network: VirtualNetwork) -> Example | None:
        sending, others = self._counted(network)
        if not sending:
            return None
        side, hop = sending[0]
        number = sum(len(self.ordinary(each)) for each, _ in sending)
        return Example(hop, f"subnet {self.ordinary(side)[0].id.name}", number >= others, number > others)

    def _peers_example(self, network: VirtualNetwork) -> Example | None:
        """Other spokes of the same hub, whose appliance stands in it."""
        for hub in (each.remote for each in network.peerings if each.connected):
            spokes = [each for each in self._spokes.get(hub, ()) if each.network.id != network.id]
            if spokes:
                hop = self._hops.at(spokes[0].hop.text, network)
                known = self._estate.networks.get(hub)
                peers = {each.remote for each in known.peerings if each.connected} if known else set()
                others = len({rid for rid in peers if rid in self._estate.networks} - {network.id}) - len(spokes)
                who = f"virtual network {spokes[0].network.id.name}"
                return Example(hop, who, len(spokes) >= others, len(spokes) > others)
        return None

    @cached_property
    def _spokes(self) -> Mapping[ResourceId, Sequence[_Spoke]]:
        """By hub: the networks that send what is for the internet to an appliance in it."""
        found: dict[ResourceId, dict[ResourceId, _Spoke]] = {}
        for side, hop in self._to_peers():
            if hop.home:
                found.setdefault(hop.home, {}).setdefault(side.network.id, _Spoke(side.network, hop))
        return {hub: list(spokes.values()) for hub, spokes in found.items()}

    def _to_peers(self) -> Iterator[tuple[Side, Hop]]:
        for side in self._hops.sides:
            hop = self.appliance(side)
            if hop and hop.home != side.network.id and self.ordinary(side):
                yield side, hop


class _Spoke(NamedTuple):
    network: VirtualNetwork
    hop: Hop


def _best(routes: Sequence[Route], half: AddressSet) -> Route | None:
    """The narrowest route that takes a half as a whole."""
    fitting = [(read.v4.count() + read.v6.count(), route) for route in routes if (read := _covering(route, half))]
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _covering(route: Route, half: AddressSet) -> AddressSet | None:
    # Only few routes of a table are so short; the others need not be read.
    if not route.prefix.strip().endswith(("/0", "/1")):
        return None
    read = read_prefix(route.prefix)
    return read if read and half <= read else None
