"""Reading a guest's routing table: text of Linux's `ip`, JSON of PowerShell, or `route print -4` in any language."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.decoding import convert, decode
from diagnostics.network.probes import GuestOutput
from diagnostics.runbooks.guest.frame import facts, sections, shown, unread
from diagnostics.runbooks.guest.routes import GuestRoute, GuestRoutes, Interface, Network, Rule

_NO_WAY = frozenset({"blackhole", "unreachable", "prohibit", "throw"})
_KINDS = _NO_WAY | {"unicast", "local", "broadcast", "multicast", "anycast", "nat"}
_RULE_ACTIONS = _NO_WAY - {"throw"} | {"nop"}
_SPECIAL = frozenset({"iif", "oif", "fwmark", "tos", "dsfield", "ipproto", "sport", "dport", "uidrange", "tun_id"})
_IP = r"\d{1,3}(?:\.\d{1,3}){3}"
# "On-link" is another text in every language, and often two words.
_PRINTED = re.compile(rf"\s*({_IP})\s+({_IP})\s+(\S.*?)\s+({_IP})\s+(\d+)\s*")


def read_routes(output: GuestOutput) -> GuestRoutes:
    """A guest's routing table in what the script printed; raises ParseError that names what does not fit."""
    found = sections(output)
    if "windows" in found:
        routes = _windows(found["windows"])
    elif "routeprint" in found:
        routes = _route_print(found["routeprint"])
    elif "addresses" in found:
        routes = _linux(found)
    else:
        why = unread(found[""]) or "neither `ip` nor PowerShell answered"
        raise ParseError(f"stdout: no routing table in it: {why}")
    if not any(interface.addresses for interface in routes.interfaces):
        raise ParseError("stdout: no interface in it has an address")
    return routes


class _Interface(msgspec.Struct, frozen=True):
    index: int = msgspec.field(name="ifIndex")
    name: str | None = msgspec.field(name="InterfaceAlias", default=None)
    up: bool | None = msgspec.field(name="Up", default=None)


class _Address(msgspec.Struct, frozen=True):
    index: int = msgspec.field(name="ifIndex")
    address: str = msgspec.field(name="IPAddress")
    length: int = msgspec.field(name="PrefixLength")


class _Windows(msgspec.Struct, frozen=True):
    interfaces: object
    addresses: object
    routes: object
    cut: int | None = None


class _Route(msgspec.Struct, frozen=True):
    index: int = msgspec.field(name="ifIndex")
    prefix: str = msgspec.field(name="DestinationPrefix")
    gateway: str | None = msgspec.field(name="NextHop", default=None)
    metric: int | None = msgspec.field(name="RouteMetric", default=None)


def items[T](value: object, kind: type[T], where: str) -> list[T]:
    """A list as ConvertTo-Json writes one: a list, its only member, or an object that holds it under `value`."""
    if isinstance(value, dict) and value.keys() == {"value", "Count"}:
        value = value["value"]
    listed = [] if value is None else value if isinstance(value, list) else [value]
    return [convert(item, kind, f"{where}[{number}]") for number, item in enumerate(listed)]


def _windows(lines: list[str]) -> GuestRoutes:
    read = convert(decode("\n".join(facts(lines)).encode(), dict[str, object]), _Windows)
    interfaces = items(read.interfaces, _Interface, "$.interfaces")
    addresses = items(read.addresses, _Address, "$.addresses")
    routes = items(read.routes, _Route, "$.routes")
    names = {each.index: each.name or f"interface {each.index}" for each in interfaces}
    indices = dict.fromkeys((*names, *(each.index for each in addresses), *(each.index for each in routes)))
    names = {index: names.get(index, f"interface {index}") for index in indices}
    return GuestRoutes(
        tuple(
            Interface(
                name,
                index,
                tuple(f"{_address(a.address)}/{a.length}" for a in addresses if a.index == index),
                _any_up([each.up for each in interfaces if each.index == index]),
            )
            for index, name in names.items()
        ),
        tuple(GuestRoute(_network(r.prefix), _hop(r.gateway or ""), names[r.index], r.metric or 0) for r in routes),
        strong=True,
        gaps=tuple((version, f"{read.cut} routes were left out for size") for version in (4, 6) if read.cut),
    )


def _any_up(states: list[bool | None]) -> bool | None:
    """An interface is there once for each family: it is up if one of them is."""
    known = [state for state in states if state is not None]
    return any(known) if known else None


def _route_print(lines: list[str]) -> GuestRoutes:
    """Windows before PowerShell 3: IPv4 only, and an interface goes by its address."""
    rows = [row.groups() for line in lines if (row := _PRINTED.fullmatch(line))]
    if not rows:
        raise ParseError(f"stdout: no route in what `route print -4` says: {shown(' '.join(lines))!r}")
    routes = [_printed(*row) for row in rows]
    links = [route for route in routes if not route.gateway and not route.default]
    interfaces = tuple(Interface(name, None, _own(name, links)) for name in dict.fromkeys(r.interface for r in routes))
    kept = tuple(route for route in routes if route.default or route.gateway)
    return GuestRoutes(interfaces, kept, strong=True, gaps=((6, "IPv6 was not read"),))


def _printed(prefix: str, mask: str, gateway: str, address: str, metric: str) -> GuestRoute:
    hop = gateway if re.fullmatch(_IP, gateway) else ""
    return GuestRoute(_network(f"{prefix}/{mask}"), hop, _address(address), int(metric))


def _own(name: str, links: list[GuestRoute]) -> tuple[str, ...]:
    """The addresses of the interface that goes by one of them: each has a route to itself."""
    here, own = [link.prefix for link in links if link.interface == name], ipaddress.ip_address(name)
    subnet = next((net for net in here if net.prefixlen < 32 and own in net), _network(name))
    hosts = [net.network_address for net in here if net.prefixlen == 32 and net.network_address in subnet]
    found = dict.fromkeys((own, *(host for host in hosts if host != subnet.broadcast_address)))
    return tuple(f"{address}/{subnet.prefixlen}" for address in found)


def _linux(found: dict[str, list[str]]) -> GuestRoutes:
    links = {
        name: (_number(index, name), flags.split(",")) for index, name, flags in _fields(found.get("links", []), 3)
    }
    on: dict[str, list[str]] = {}
    for name, address in _fields(found["addresses"], 2):
        host, _, length = address.partition("/")
        on.setdefault(name, []).append(f"{_address(host)}/{length or (128 if ':' in host else 32)}")
    interfaces = tuple(
        Interface(name, links[name][0] if name in links else None, tuple(on.get(name, ())), _up(links, name))
        for name in dict.fromkeys((*links, *on))
    )
    routes = [each for v in (4, 6) for line in facts(found.get(f"routes{v}", [])) for each in _routes(line, v)]
    rules = [_rule(line, v) for v in (4, 6) for line in facts(found.get(f"rules{v}", []))]
    for version in {4, 6} - {rule.version for rule in rules}:  # a kernel without policy routing has no rules
        rules.append(Rule(32_766, version))
    return GuestRoutes(interfaces, tuple(routes), tuple(rules), gaps=tuple(_gaps(found)))


def _fields(lines: list[str], count: int) -> Iterator[list[str]]:
    for line in facts(lines):
        fields = line.split()
        if len(fields) != count:
            raise ParseError(f"stdout: {line[:80]!r} does not have {count} fields")
        yield fields


def _up(links: dict[str, tuple[int, list[str]]], name: str) -> bool | None:
    return "UP" in links[name][1] if name in links else None


def _gaps(found: dict[str, list[str]]) -> Iterator[tuple[int, str]]:
    for what, version in itertools.product(("routes", "rules"), (4, 6)):
        lines = found.get(f"{what}{version}", ["!unread"])
        named = f"{what} of IPv{version}"
        if cut := next((line.split()[-1] for line in lines if line.startswith("!cut")), ""):
            yield version, f"{cut} {named} were left out for size"
        if why := unread(lines):
            yield version, f"{named}: {why}"


def _routes(line: str, version: int) -> Iterator[GuestRoute]:
    """The routes of a line of `ip -o route show`: several where it has several next hops."""
    head, *hops = re.split(r"\s*\\?\s*\bnexthop\b", line)
    words = head.replace("\\", " ").split()
    kind = words.pop(0) if words[0] in _KINDS else "unicast"
    prefix = _prefix(words[0] if words else "", version)
    told = _pairs(words[1:])
    metric = _number(told.get("metric", "0"), line)
    for each in map(_pairs, (hop.split() for hop in hops)) if hops else (told,):
        via = each.get("via", "")
        gateway = _hop(each.get(via, "") if via in {"inet", "inet6"} else via)
        yield GuestRoute(prefix, gateway, each.get("dev", ""), metric, told.get("table", "main"), kind)


def _rule(line: str, version: int) -> Rule:
    """A line of `ip rule show`: `32765:	from 10.0.2.4 lookup 101`."""
    head, _, rest = line.partition(":")
    words = rest.split()
    if not words:
        raise ParseError(f"stdout: {line[:80]!r} is no rule")
    inverted = words[0] == "not"
    told = _pairs(words[1:] if inverted else words)
    table = told.get("lookup") or told.get("table") or ""
    action = next((word for word in words if word in _RULE_ACTIONS), "goto" if "goto" in words else "lookup")
    if told.get("iif", "lo") != "lo" and not inverted:
        action = "nop"  # for what comes in by an interface: an answer comes from the guest itself
    special = " ".join(f"{key} {told[key]}" for key in told if key in _SPECIAL)
    if "l3mdev" in rest:  # the table depends on the interface
        special = special or "l3mdev"
    return Rule(
        _number(head, line),
        version,
        _selector(told.get("from", "all"), version),
        _selector(told.get("to", "all"), version),
        inverted,
        action,
        table or "main",
        _number(told.get("suppress_prefixlength", "-1"), line),
        special,
    )


def _pairs(words: list[str]) -> dict[str, str]:
    """Each word with the one behind it: `ip` writes keys and values in turn, with a lone flag now and then."""
    return dict(reversed(list(itertools.pairwise([*words, ""]))))


def _prefix(text: str, version: int) -> Network:
    return _network(("0.0.0.0/0" if version == 4 else "::/0") if text == "default" else text)


def _selector(text: str, version: int) -> Network | None:
    return None if text == "all" else _prefix(text, version)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ParseError(f"stdout: {text[:80]!r} is no prefix") from None


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        raise ParseError(f"stdout: {text[:80]!r} is no IP address") from None


def _hop(text: str) -> str:
    """The address alone, as it gets into commands; Windows writes 0.0.0.0 or :: for what is on the link."""
    address = _address(text) if text else ""
    return "" if not address or ipaddress.ip_address(address).is_unspecified else address


def _number(text: str, line: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ParseError(f"stdout: {text[:20]!r} in {line[:80]!r} is no number") from None
