"""Ports that are open to the internet: as bits, by destination, and what is closed without a look at all rules."""

from functools import reduce
from itertools import product, starmap
from operator import or_

import pytest

from diagnostics.checks.internet_ports import EVERYTHING, Doubt, Open, Ports
from diagnostics.checks.internet_seen import seen
from diagnostics.checks.services import PROTOCOLS, SERVICES, as_bits, ports_of
from diagnostics.checks.view import View
from diagnostics.network.filters import Level
from diagnostics.network.intervals import Span
from diagnostics.network.model import SecurityRule
from diagnostics.network.openings import Decider
from diagnostics.network.prefixes import address_of
from diagnostics.network.reading import read_objects
from tests.network.drawn.choices import seeded
from tests.network.drawn.estates import estate as drawn

SOME: list[tuple[int | Span, ...]] = [
    (22,),
    (23,),
    (24,),
    (0,),
    (65535,),
    ((0, 65535),),
    (21, (3000, 4000)),
    ((23, 79),),
]


@pytest.mark.parametrize(("one", "other"), list(product(SOME, SOME)))
def test_without_a_bit_in_common_there_is_no_port_in_common(
    one: tuple[int | Span, ...], other: tuple[int | Span, ...]
) -> None:
    some, others = ports_of(*one), ports_of(*other)
    assert some.isdisjoint(others) or as_bits("Tcp", some) & as_bits("Tcp", others)


def test_each_port_of_a_service_has_a_bit_of_its_own() -> None:
    listening = {
        port for each in SERVICES for held in each.listens.values() for a, b in held for port in range(a, b + 1)
    }
    for port in listening:
        assert not as_bits("Udp", ports_of(port)) & as_bits("Udp", ~ports_of(port))


def test_no_two_protocols_share_a_bit() -> None:
    for one, other in product(PROTOCOLS, PROTOCOLS):
        assert bool(as_bits(one, EVERYTHING[one]) & as_bits(other, EVERYTHING[other])) == (one == other)


def _open(port: int, *destinations: str) -> Open:
    rule = SecurityRule("r", 100, "Inbound", "Allow", default=False, destinations=destinations)
    return Open("Tcp", ports_of(port), (Decider(Level.SUBNET, None, rule),))


def _bits(*ports: int) -> int:
    return reduce(or_, (as_bits("Tcp", ports_of(port)) for port in ports), 0)


@pytest.mark.parametrize(
    ("address", "ports"),
    [
        ("10.0.0.4", (22, 80, 443)),
        ("10.0.0.5", (80, 443)),
        ("2001:db8::4", (3389, 80, 443)),
        ("", (22, 3389, 80, 443)),
        ("nobody knows", (22, 3389, 80, 443)),
    ],
)
def test_openings_count_where_their_rules_lead(address: str, ports: tuple[int, ...]) -> None:
    opens = _open(22, "10.0.0.4/32"), _open(3389, "2001:db8::/64"), _open(80, "VirtualNetwork")
    known = Ports(opens, (Doubt("Tcp", ports_of(443), frozenset({"tag"})),))
    assert known.at(address_of(address)) == _bits(*ports)
    assert known.at(address_of(address), _bits(80, 22)) == _bits(*ports) & _bits(80, 22)


def test_nothing_open_is_nothing_anywhere() -> None:
    assert Ports().at(address_of("10.0.0.4")) == Ports().services == 0


@pytest.mark.parametrize("seed", range(60))
def test_what_one_nsg_closes_all_rules_together_do_not_open(seed: int) -> None:
    view = View(read_objects(drawn(seeded(seed)).documents))
    for group in view.groups:
        standing = seen(view).standing(group)
        doubtful = dict(standing.doubtful)
        for point in standing.use.points:
            opened = reduce(or_, starmap(as_bits, standing.into(point).every.items()), 0)
            assert opened & ~doubtful.get(point, 0) == 0
