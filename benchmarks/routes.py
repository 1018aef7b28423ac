"""A million look-ups of next hops in a route table of 400 routes: in columns, and one by one in a radix tree."""

import random
import socket
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytricia

from benchmarks.timing import CONSOLE, at_least, measured, ratios
from diagnostics.network.batch import next_hops
from diagnostics.network.batch.columns import addresses
from diagnostics.network.cells import address_at, top_of
from diagnostics.network.estate import Estate, Point, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Route, RouteTable, Subnet
from diagnostics.network.routing import Routing, Table

_LOOKUPS, _ROUTES = 1_000_000, 400
_OURS, _ALONE = "batch, from the table", "Table.of, one by one"
_TREES = ("pytricia, from texts", "pytricia, from bytes")
_GROUP = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg/providers/Microsoft.Network"
_SPACES = {4: ("10.0.0.0/16", "10.0.0.0/8", (12, 32)), 6: ("fd00::/48", "fd00::/16", (24, 64))}
"""By family: a network, where the prefixes of its routes lie, and how long they are, a few single addresses apart."""


def main() -> None:
    """Measure, and print a table for each family of addresses."""
    for version in _SPACES:
        rng = random.Random(version)  # noqa: S311 - the same routes and addresses every time
        routing, point = _subnet(rng, version)
        table = routing.table(point, version)
        numbers = [_near(rng, table, version) for _ in range(_LOOKUPS)]
        found = measured(_candidates(table, _tree(routing, point, version), numbers, version), rounds=8)
        routes = [table.hops[place].route for place in found[_OURS].answer]
        for name, each in found.items():
            answer = each.answer if name in _TREES else [table.hops[place].route for place in each.answer]
            assert answer == routes, f"{name} answers otherwise"
        CONSOLE.print(ratios(f"{_LOOKUPS:,} next hops in {_ROUTES} routes, IPv{version}", found, _OURS))
        for tree in _TREES:
            what = f"{_LOOKUPS:,} next hops in {_ROUTES} routes, IPv{version}, than {tree}"
            at_least(what, 10, found[tree].seconds / found[_OURS].seconds)


def _candidates(table: Table, tree: Any, numbers: Sequence[int], version: int) -> dict[str, Callable[[], Any]]:
    """All of them get the addresses in the form they take."""
    column = addresses(numbers, version)
    texts = [str(address_at(number, version)) for number in numbers]
    packed = [address_at(number, version).packed for number in numbers]
    places = {id(hop): place for place, hop in enumerate(table.hops)}
    return {
        _OURS: partial(next_hops, table, column),
        _ALONE: lambda: [places[id(table.of(number))] for number in numbers],
        _TREES[0]: lambda: [tree[text] for text in texts],
        _TREES[1]: lambda: [tree[text] for text in packed],
    }


def _tree(routing: Routing, point: Point, version: int) -> Any:
    """The same routes in a radix tree; of those for one prefix, the strongest comes last and stays."""
    tree = pytricia.PyTricia(*((32,) if version == 4 else (128, socket.AF_INET6)))
    for route in reversed(routing.routes(point)):
        if ip_network(route.prefix).version == version:
            tree[route.prefix] = route
    tree.freeze()
    return tree


def _near(rng: random.Random, table: Table, version: int) -> int:
    """Any address, but mostly one near to where a route begins or ends."""
    if rng.random() < 0.1:
        return rng.randint(0, top_of(version))
    return min(top_of(version), max(0, rng.choice(table.starts) + rng.randint(-300, 300)))


def _subnet(rng: random.Random, version: int) -> tuple[Routing, Point]:
    """An endpoint in a subnet with a full route table."""
    space, around, lengths = _SPACES[version]
    network, table = (ResourceId.parse(f"{_GROUP}/{kind}/one") for kind in ("virtualNetworks", "routeTables"))
    subnet = ResourceId.parse(f"{network}/subnets/one")
    nic = Nic(
        ResourceId.parse(f"{_GROUP}/networkInterfaces/one"), "", "Succeeded", None, None, None,
        (IpConfiguration("one", ip_network(space)[4].compressed, subnet, primary=True),),
    )  # fmt: skip
    estate = Estate(
        networks={network: VirtualNetwork(network, (space,), (Subnet(subnet, (space,), None, table),))},
        nics={nic.id: nic},
        route_tables={table: RouteTable(table, _routes(rng, around, lengths))},
    )
    return Routing(estate), estate.points[0]


def _routes(rng: random.Random, around: str, lengths: tuple[int, int]) -> tuple[Route, ...]:
    whole = ip_network(around)
    prefixes: set[str] = {around}
    while len(prefixes) < _ROUTES:
        address = whole[rng.randrange(whole.num_addresses)]
        length = rng.randint(*lengths) if rng.random() < 0.9 else whole.max_prefixlen
        prefixes.add(str(ip_network((address, length), strict=False)))
    return tuple(
        Route(f"to-{number}", prefix, "VirtualAppliance", f"10.0.0.{number % 200 + 4}")
        for number, prefix in enumerate(sorted(prefixes))
    )
