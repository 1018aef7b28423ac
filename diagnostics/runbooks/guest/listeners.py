"""What a destination's guest said about a port: what listens on it, and what its own firewall says."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.decoding import convert, decode
from diagnostics.network.probes import GuestOutput
from diagnostics.runbooks.guest import chains, windows_firewall
from diagnostics.runbooks.guest.chains import Packet
from diagnostics.runbooks.guest.frame import facts, sections, unread
from diagnostics.runbooks.guest.tables import items
from diagnostics.runbooks.guest.verdict import Verdict
from diagnostics.runbooks.guest.windows_firewall import FirewallRule, Profile

_NETSTAT = re.compile(r"\s*TCP\s+(\S+):(\d+)\s+(?:0\.0\.0\.0:0|\[::\]:0)\s.*")


@dataclass(frozen=True, slots=True)
class Listening:
    """What was said.

    Attributes:
        addresses: on which something listens; `0.0.0.0`, `::` and `*` are all of them.
        unread: why the listeners could not be read; empty where they could.
        forwarded: rules of the guest that hand the port on, as containers do: then nothing needs to listen.
        firewall: what it says; None where that can't be told.
    """

    addresses: tuple[str, ...]
    unread: str = ""
    forwarded: tuple[str, ...] = ()
    firewall: Verdict | None = None

    def on(self, address: str | None) -> bool:
        """Whether something listens on an address, or on any but the loopback where none is given."""
        return any(_covers(each, address) for each in self.addresses)


def read_listening(output: GuestOutput, packet: Packet) -> Listening:
    """What the script printed about the port of a packet; raises ParseError that names what does not fit."""
    found = sections(output)
    if "windows" in found:
        return _windows(found["windows"], packet)
    if "netstat" in found:
        rows = [row for line in found["netstat"] if (row := _NETSTAT.fullmatch(line))]
        here = dict.fromkeys(_bare(row[1]) for row in rows if row[2] == str(packet.port))
        return Listening(tuple(here), unread(found["netstat"]))
    if "listening" not in found:
        raise ParseError("stdout: no listeners in it")
    lines = found["listening"]
    return Listening(
        tuple(dict.fromkeys(map(_bare, facts(lines)))),
        unread(lines),
        tuple(found.get("forwarded", ())),
        _linux_firewall(found, packet),
    )


class _Windows(msgspec.Struct, frozen=True):
    listening: object
    profiles: object
    rules: object
    active: object = None
    state: str | None = None
    cut: int = 0


def _windows(lines: list[str], packet: Packet) -> Listening:
    read = convert(decode("\n".join(facts(lines)).encode(), dict[str, object]), _Windows)
    verdict = windows_firewall.judge(
        items(read.profiles, Profile, "$.profiles"),
        items(read.active, str, "$.active"),
        items(read.rules, FirewallRule, "$.rules"),
        packet.source,
        state=read.state or "",
        cut=read.cut,
    )
    addresses = items(read.listening, str, "$.listening")
    return Listening(tuple(dict.fromkeys(map(_bare, addresses))), firewall=verdict)


def _linux_firewall(found: dict[str, list[str]], packet: Packet) -> Verdict | None:
    """The word of firewalld where it runs, else of iptables, else of nftables: each has the other's rules in it."""
    if "firewalld" in found:  # with no zone in it nothing is known: its rules are not in iptables' own
        return chains.firewalld(found["firewalld"], packet)
    lines = found.get("iptables", [])
    verdict = chains.iptables(facts(lines), packet)
    if verdict and any(line.startswith("-A ") for line in lines):
        cut = any(line.startswith("!cut") for line in lines)
        keeper = " (kept by ufw)" if any(" ufw-" in line for line in lines) and "ufw-" not in verdict.rule else ""
        return Verdict(verdict.blocks, verdict.rule + keeper, verdict.name, verdict.sure and not cut)
    rules = found.get("nft", [])
    native = chains.nftables(facts(rules), packet)
    if native is None and verdict and unread(rules):  # what nftables says as well is not known
        return replace(verdict, sure=False)
    return native or verdict


def _covers(listener: str, address: str | None) -> bool:
    if listener == "*":
        return True
    try:
        own = ipaddress.ip_address(listener)
        wanted = ipaddress.ip_address(address) if address else None
    except ValueError:
        return False
    if own.is_unspecified:  # on :: it takes IPv4 as well, as all but a few programs leave it
        return own.version == 6 or wanted is None or wanted.version == 4
    return own == wanted if wanted else not own.is_loopback


def _bare(text: str) -> str:
    """The address of a listener without brackets, zone, and IPv4 in IPv6."""
    bare = text.strip().strip("[]").partition("%")[0].strip("[]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return bare
    return str(getattr(address, "ipv4_mapped", None) or address)
