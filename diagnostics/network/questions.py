"""A flow as people write it: `vm1` to `vm2:3389/tcp`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diagnostics.errors import ParseError
from diagnostics.network.endpoints import Endpoint, candidates
from diagnostics.network.estate import Estate
from diagnostics.network.intervals import PORTS_TOP
from diagnostics.network.prefixes import address_of
from diagnostics.network.security import WITH_PORTS, Flow

PROTOCOLS = ("tcp", "udp", "icmp", "esp", "ah")
"""What NSG rules tell apart ("Network security groups overview")."""

_PROTOCOL = re.compile(rf"(?P<end>.*)/(?P<protocol>{'|'.join(PROTOCOLS)})", re.IGNORECASE)
_BRACKETS = re.compile(r"\[(?P<end>[^\]]*)\](?::(?P<port>.*))?")
_PORT = re.compile(r"(?P<end>[^:]*):(?P<port>[^:]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a flow goes, as it was written: an endpoint, a port where the protocol has ports, a protocol."""

    endpoint: str
    port: int | None
    protocol: str


@dataclass(frozen=True, slots=True)
class Question:
    """A flow whose fate is asked for, and what its ends are in the estate."""

    flow: Flow
    source: Endpoint
    destination: Endpoint


def parse_target(text: str, where: str = "destination") -> Target:
    """Read `endpoint[:port][/protocol]`; tcp where none is given, IPv6 with a port in brackets.

    Raises:
        ParseError: no port where the protocol has ports, one where it has none, or something that is no port.
    """
    plain = text.strip()
    match = _PROTOCOL.fullmatch(plain)
    end, protocol = (match["end"], match["protocol"].lower()) if match else (plain, "tcp")
    end, written = split(end)
    if not end:
        raise ParseError(f"{where}: {text!r} names no endpoint")
    if protocol not in WITH_PORTS:
        if written is not None:
            raise ParseError(f"{where}: {text!r} has a port, but {protocol} has none: write {end}/{protocol}")
        return Target(end, None, protocol)
    if not written:
        shown = f"[{end}]" if ":" in end else end
        other = "" if protocol == "udp" else f" ({end}/icmp for ICMP)"
        raise ParseError(f"{where}: {text!r} has no port: write {shown}:443/{protocol}{other}")
    return Target(end, port(written, f"{where}: {text!r}"), protocol)


def parse_flow(
    estate: Estate,
    source: str,
    destination: str,
    *,
    source_port: int | None = None,
    names: tuple[str, str] = ("source", "destination"),
) -> Question:
    """The flow between two ends of an estate.

    Where both have addresses of both families, the source's primary one decides; else the family that they share.

    Args:
        estate: where the ends are looked up.
        source: a name, an id or an address.
        destination: the same with port and protocol, as `parse_target` reads it.
        source_port: the port that it comes from; None is any.
        names: the arguments that they came from, named in errors.

    Raises:
        ParseError: an end is not found or means several things, or they have no family of addresses in common.
    """
    target = parse_target(destination, names[1])
    if source_port is not None and target.protocol not in WITH_PORTS:
        raise ParseError(f"{names[0]}: a source port was given, but {target.protocol} has no ports")
    if split(source.strip())[1] is not None:
        raise ParseError(f"{names[0]}: {source!r} has a port: the port that a flow comes from is given on its own")
    ours = candidates(estate, source, names[0], leaving=True)
    theirs = candidates(estate, target.endpoint, names[1])
    for one in ours:
        for other in theirs:
            if one.address.version == other.address.version:
                flow = Flow(one.address, other.address, target.protocol.capitalize(), target.port, source_port)
                return Question(flow, one, other)
    families = f"{source!r} has IPv{ours[0].address.version} addresses only, {target.endpoint!r} has none of these"
    raise ParseError(f"{names[1]}: {families}")


def port(text: str, where: str) -> int:
    """A port, 1 to 65535; raises ParseError for anything else."""
    if text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= PORTS_TOP:
        return int(text)
    if "/" in text and text.partition("/")[0].isdecimal():
        raise ParseError(f"{where}: {text.partition('/')[2]!r} is none of the protocols {', '.join(PROTOCOLS)}")
    raise ParseError(f"{where}: {text!r} is no port (1 to {PORTS_TOP})")


def split(text: str) -> tuple[str, str | None]:
    """Endpoint and port of a text. Names and ids hold no colon, IPv6 addresses do: with a port, they need brackets."""
    if match := _BRACKETS.fullmatch(text):
        return match["end"], match["port"]
    if address_of(text) is None and (match := _PORT.fullmatch(text)):
        return match["end"], match["port"]
    return text, None
