"""A guest's interfaces, routes and rules, and what becomes of an answer from one of its addresses.

Linux picks a route by the rules in their order, whatever interface the address is on (ip-rule(8)); Windows sends from
an address only through its own interface ("Strong and weak host models"). Azure drops what leaves a network interface
that does not have the source address, unless IP forwarding is on there ("Create, change, or delete an Azure network
interface").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from diagnostics.network.model import same_address
from diagnostics.network.prefixes import Address

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of the guest.

    Attributes:
        index: None where it was not printed.
        addresses: with their prefix lengths: `10.0.2.4/24`.
        up: None where it was not printed.
    """

    name: str
    index: int | None = None
    addresses: tuple[str, ...] = ()
    up: bool | None = None

    def subnet_of(self, address: str) -> Network | None:
        """The subnet that it has an address in."""
        having = (text for text in self.addresses if same_address(text.partition("/")[0], address))
        return next((ipaddress.ip_network(text, strict=False) for text in having), None)


@dataclass(frozen=True, slots=True)
class GuestRoute:
    """A route of the guest.

    Attributes:
        gateway: empty for what is on the link itself.
        interface: its name; empty for a route that sends nowhere.
        kind: `unicast`, or what it does instead: `blackhole`, `unreachable`, `prohibit`, `throw`.
    """

    prefix: Network
    gateway: str
    interface: str
    metric: int = 0
    table: str = "main"
    kind: str = "unicast"

    @property
    def default(self) -> bool:
        """Whether it is for every destination."""
        return self.prefix.prefixlen == 0

    def __str__(self) -> str:
        to = "default" if self.default else str(self.prefix)
        via = f" via {self.gateway}" if self.gateway else ""
        on = f" on {self.interface}" if self.interface else ""
        table = f", table {self.table}" if self.table != "main" else ""
        kind = f"{self.kind} " if self.kind != "unicast" else ""
        return f"{kind}{to}{via}{on}, metric {self.metric}{table}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of Linux's policy routing.

    Attributes:
        source, destination: what it is for; None for all.
        inverted: whether it is for all but those.
        action: `lookup`, or what it does instead: `blackhole`, `unreachable`, `prohibit`, `nop`, `goto`.
        suppressed: routes of this prefix length or less do not count.
        special: what else it depends on, such as a mark: whether it applies can't be told from outside.
    """

    priority: int
    version: int
    source: Network | None = None
    destination: Network | None = None
    inverted: bool = False
    action: str = "lookup"
    table: str = "main"
    suppressed: int = -1
    special: str = ""

    def __str__(self) -> str:
        end = f"lookup {self.table}" if self.action == "lookup" else self.action
        to = f" to {self.destination}" if self.destination else ""
        not_ = "not " if self.inverted else ""
        return (
            f"{self.priority}: {not_}from {self.source or 'all'}{to}{f' {self.special}' if self.special else ''} {end}"
        )

    def applies(self, source: Address, peer: Address | None) -> bool:
        """Whether it is for what the source sends to the peer; without one, to anywhere."""
        if self.version != source.version:
            return False
        to = self.destination is None or (peer is not None and peer in self.destination)
        return ((self.source is None or source in self.source) and to) != self.inverted


@dataclass(frozen=True, slots=True)
class GuestRoutes:
    """What the script printed.

    Attributes:
        strong: whether an address sends through its own interface only, as on Windows.
        gaps: what could not be read, or was left out for size; each with the IP version that it is about.
    """

    interfaces: tuple[Interface, ...]
    routes: tuple[GuestRoute, ...]
    rules: tuple[Rule, ...] = ()
    strong: bool = False
    gaps: tuple[tuple[int, str], ...] = ()

    @property
    def defaults(self) -> tuple[GuestRoute, ...]:
        """The default routes."""
        return tuple(route for route in self.routes if route.default)

    def whole(self, version: int) -> bool:
        """Whether nothing of an IP version is missing."""
        return all(missing != version for missing, _ in self.gaps)

    def having(self, address: str) -> Interface | None:
        """The interface that has an address."""
        return next((each for each in self.interfaces if each.subnet_of(address)), None)


class Way(StrEnum):
    """What becomes of an answer.

    Astray is one that leaves by another interface although its own has a default route in some table; where its own
    has none, that is what is missing, and the way is none.
    """

    OUT = "out"
    SAME_SUBNET = "same subnet"
    ASTRAY = "by another interface"
    NONE = "none"
    DOWN = "interface down"
    NOT_CONFIGURED = "address not configured"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of an answer from an address.

    Attributes:
        interface: that has the address.
        route: that decides, where one does.
        rule: that leads to the route's table; None for the main one.
        certain: whether all was read that may decide.
    """

    way: Way
    interface: Interface | None = None
    route: GuestRoute | None = None
    rule: Rule | None = None
    certain: bool = True

    @property
    def good(self) -> bool:
        """Whether the answer leaves by the right interface."""
        return self.way in {Way.OUT, Way.SAME_SUBNET}


def judge(routes: GuestRoutes, address: str, peer: str = "") -> Judgement:
    """What becomes of an answer from an address.

    Args:
        routes: of the guest.
        address: an IP address that the guest should have.
        peer: who is answered; empty for somebody beyond all routes but the default ones.
    """
    interface, source = routes.having(address), ipaddress.ip_address(address)
    if interface is None:
        return Judgement(Way.NOT_CONFIGURED, certain=routes.whole(source.version))
    if interface.up is False:
        return Judgement(Way.DOWN, interface)
    to, subnet = _address(peer, source.version), interface.subnet_of(address)
    near = to is not None and subnet is not None and to in subnet
    if routes.strong:
        own = [route for route in routes.routes if route.interface == interface.name]
        route = None if near else _best(own, source.version, to)
        way = Way.SAME_SUBNET if near else Way.OUT if route else Way.NONE
        return Judgement(way, interface, route, certain=routes.whole(source.version))
    judgement = _by_rules(routes, interface, source, to)
    direct = judgement.way is Way.OUT and judgement.route is not None and not judgement.route.gateway
    return replace(judgement, way=Way.SAME_SUBNET, route=None) if near and direct else judgement


def _by_rules(routes: GuestRoutes, interface: Interface, source: Address, peer: Address | None) -> Judgement:
    certain = routes.whole(source.version)
    connected = [GuestRoute(net, "", interface.name) for net in (interface.subnet_of(str(source)),) if net]
    known = (*routes.routes, *connected)  # the kernel has that one by itself; it may have been left out for size
    for rule in sorted((r for r in routes.rules if r.applies(source, peer)), key=lambda rule: rule.priority):
        if rule.special or rule.action in {"goto", "nop"}:
            certain = certain and rule.action == "nop"
            continue
        if rule.action != "lookup":
            return Judgement(Way.NONE, interface, rule=rule, certain=certain)
        table = [r for r in known if r.table == rule.table and r.prefix.prefixlen > rule.suppressed]
        route = _best(table, source.version, peer, interface.name)
        if route is None or route.kind == "throw":
            continue
        reached = rule if rule.table != "main" else None
        return Judgement(_way(routes, route, interface, source.version), interface, route, reached, certain)
    return Judgement(Way.NONE, interface, certain=certain)


def _way(routes: GuestRoutes, route: GuestRoute, interface: Interface, version: int) -> Way:
    if route.kind != "unicast":
        return Way.NONE
    if route.interface == interface.name:
        return Way.OUT
    gateways = {each.interface for each in routes.defaults if each.prefix.version == version}
    return Way.ASTRAY if interface.name in gateways else Way.NONE


def _best(routes: Iterable[GuestRoute], version: int, peer: Address | None, preferred: str = "") -> GuestRoute | None:
    """The route with the longest prefix, then the lowest metric; of several gateways of one, the preferred one."""
    fitting = [r for r in routes if r.prefix.version == version and (peer in r.prefix if peer else r.default)]
    return min(fitting, key=lambda r: (-r.prefix.prefixlen, r.metric, r.interface != preferred), default=None)


def _address(text: str, version: int) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address if address.version == version else None
