"""Rule lists to measure with: IPv4 and some IPv6, plural fields, port ranges, the same for the same seed."""

import ipaddress
import random
from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.network.model import SecurityRule

_PORTS = (
    "22",
    "53",
    "80",
    "443",
    "1433",
    "3389",
    "5985-5986",
    "6443",
    "8080-8090",
    "8000-8999",
    "0-1023",
    "1024-65535",
)
_WIDE = frozenset({"*", "0.0.0.0/0", "10.0.0.0/8", "::/0"})


@dataclass(frozen=True, slots=True)
class Style:
    """What the rules of a list are like.

    Attributes:
        networks: how many /16 networks the rules tell apart: with few, most rules lie in the shadow of others.
        odd_ports: whether every rule has port ranges of its own, instead of the usual ones.
    """

    name: str
    networks: int
    odd_ports: bool = False


STYLES = (Style("usual", 8), Style("crowded", 1), Style("scattered", 40, odd_ports=True))


def rule_list(count: int, style: Style, seed: int = 1) -> list[SecurityRule]:
    """A list of so many rules of one direction."""
    rng = random.Random(f"{count} {style.name} {seed}")  # noqa: S311 - the same list every time
    four, six = _four(rng, style.networks), _six(rng, style.networks)
    return [_rule(rng, number, four if rng.random() < 0.9 else six, style) for number in range(count)]


def _rule(rng: random.Random, number: int, pool: Sequence[str], style: Style) -> SecurityRule:
    sources, destinations, ports = _few(rng, pool), _few(rng, pool), _ports(rng, style)
    while _WIDE & {*sources} and _WIDE & {*destinations}:  # it would leave nothing to those behind it
        sources, destinations = _few(rng, pool), _few(rng, pool)
    return SecurityRule(
        name=f"rule-{number}",
        priority=100 + number,
        direction="Inbound",
        access=rng.choices(("Allow", "Deny"), (65, 35))[0],
        default=False,
        protocol=rng.choices(("Tcp", "Udp", "Icmp", "*"), (60, 25, 5, 10))[0],
        sources=sources,
        destinations=destinations,
        source_ports=("*",) if rng.random() < 0.95 else ("1024-65535",),
        destination_ports=ports,
    )


def _few(rng: random.Random, pool: Sequence[str]) -> tuple[str, ...]:
    if rng.random() < 0.12:
        return (rng.choice(("*", "::/0" if ":" in pool[0] else "0.0.0.0/0")),)
    return tuple(rng.sample(pool, rng.choice((1, 1, 1, 2, 3, 4))))


def _ports(rng: random.Random, style: Style) -> tuple[str, ...]:
    if not style.odd_ports:
        return ("*",) if rng.random() < 0.1 else tuple(rng.sample(_PORTS, rng.choice((1, 1, 1, 2, 3))))
    firsts = [rng.randrange(65_536) for _ in range(rng.choice((1, 1, 2, 3)))]
    return tuple(f"{first}-{min(65_535, first + rng.choice((0, 1, 10, 100, 5_000, 30_000)))}" for first in firsts)


def _four(rng: random.Random, networks: int) -> list[str]:
    """Networks, their subnets, both halves of these, and single addresses."""
    found = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} if networks > 1 else {"10.0.0.0/8"}
    for high in rng.sample(range(256), networks):
        found.add(f"10.{high}.0.0/16")
        for low in rng.sample(range(256), 3):
            subnet = f"10.{high}.{low}."
            found |= {f"{subnet}0/24", f"{subnet}0/25", f"{subnet}128/25"}
            found |= {f"{subnet}{rng.randrange(16) * 16}/28", f"{subnet}{rng.randrange(256)}"}
    public = [str(ipaddress.ip_network((rng.randrange(2**32) & ~0xFFFF, 16))) for _ in range(6 if networks > 1 else 0)]
    return sorted({*found, *public})


def _six(rng: random.Random, networks: int) -> list[str]:
    found = {"fd00::/8", "2001:db8::/32"}
    for high in rng.sample(range(1, 65_536), max(1, networks // 4)):
        found |= {f"fd00:{high:x}::/32", f"fd00:{high:x}::/33", f"fd00:{high:x}:8000::/33", f"fd00:{high:x}::4"}
    return sorted(found)
