"""What machines serve others of their network: a load balancer's service, or DNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from diagnostics.checks.view import View
from diagnostics.network.estate import BalancingRule, LoadBalancer, Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.prefixes import address_of
from diagnostics.network.public import frontends, pool_members

_DNS_PORT = 53


class Service(NamedTuple):
    """What others ask a machine for."""

    name: str
    protocol: str
    port: int


def members_of(view: View, balancer: LoadBalancer, pool: ResourceId) -> Sequence[Point]:
    """The members of a backend pool: mostly all by their own word, and then there is nothing to put together."""
    told = balancer.pools.get(pool)
    return pool_members(view.estate, balancer, pool) if told else view.estate.members.get(pool, ())


class Serving:
    """The services of an estate's machines, as far as its configuration tells them."""

    def __init__(self, view: View) -> None:
        self._view = view

    def at(self, point: Point) -> Sequence[Service]:
        """What an endpoint serves."""
        return self._found.get((point.nic.id, point.configuration.name), ())

    @property
    def anything(self) -> bool:
        """Whether any endpoint serves anything."""
        return bool(self._found)

    @cached_property
    def _found(self) -> Mapping[tuple[ResourceId, str], list[Service]]:
        found: dict[tuple[ResourceId, str], list[Service]] = {}
        for point, service in (*self._balanced(), *self._dns()):
            found.setdefault((point.nic.id, point.configuration.name), []).append(service)
        return found

    def _balanced(self) -> Iterator[tuple[Point, Service]]:
        """Members of pools behind a private frontend, with the port that it leads to."""
        for balancer in self._view.estate.load_balancers.values():
            for rule in balancer.rules:
                port = rule.backend_port or rule.ports[0]
                if port and rule.pool and _private(balancer, rule):
                    protocol = "Udp" if rule.protocol.lower() == "udp" else "Tcp"
                    service = Service(f"the service of load balancer {balancer.id.name}", protocol, port)
                    members = members_of(self._view, balancer, rule.pool)
                    yield from ((point, service) for point in members)

    def _dns(self) -> Iterator[tuple[Point, Service]]:
        """DNS servers that networks name."""
        seen: set[tuple[ResourceId, str]] = set()
        for network in self._view.networks:
            for text in network.dns_servers:
                point = self._server(network, text)
                if point and (point.nic.id, point.configuration.name) not in seen:
                    seen.add((point.nic.id, point.configuration.name))
                    yield point, Service("the DNS server", "Udp", _DNS_PORT)

    def _server(self, network: VirtualNetwork, text: str) -> Point | None:
        """The endpoint in a network, or one next to it, that has an address."""
        address = address_of(text)
        if address is None:
            return None
        near = [network.id, *(peering.remote for peering in network.peerings if peering.connected)]
        found = (self._view.estate.in_network(address, each) for each in near)
        return next(filter(None, found), None)


def _private(balancer: LoadBalancer, rule: BalancingRule) -> bool:
    return any(frontend.public_ip is None and frontend.subnet for frontend in frontends(balancer, rule))
