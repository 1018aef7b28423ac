"""What iptables, nftables and firewalld say to a new TCP connection.

Only what is certain is said: a rule that depends on something else (a mark, a limit, a set) is passed over, and the
answer is then less sure. Source: iptables(8), iptables-extensions(8), firewalld.zone(5).
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

from diagnostics.runbooks.guest.verdict import Verdict

_END = {"ACCEPT": False, "DROP": True, "REJECT": True}
_PLAIN_MODULES = frozenset({"tcp", "comment", "conntrack", "state", "multiport", "addrtype"})
_TARGET = frozenset({"-j", "--jump", "-g", "--goto"})
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection: from whom, if that is known, to which port."""

    port: int
    source: str = ""


@dataclass(slots=True)
class _Walk:
    """A walk through the chains of iptables: remembers whether it passed over a rule that it can't judge."""

    packet: Packet
    chains: dict[str, list[str]] = field(default_factory=dict)
    sure: bool = True

    def end(self, chain: str, depth: int = 0) -> tuple[str, bool] | None:
        """The rule that decides in a chain, and whether it blocks; None if none does."""
        for line in self.chains.get(chain, ()):
            words = _words(line)
            target = next((after for word, after in itertools.pairwise(words) if word in _TARGET), "")
            fits = _fits(words, self.packet)
            if fits is False or not target:
                continue
            if fits is None:
                self.sure = False
                continue
            if target in _END:
                return line, _END[target]
            if target == "RETURN":
                return None
            if depth < _DEEPEST and (decided := self.end(target, depth + 1)):
                return decided
        return None


def iptables(lines: Iterable[str], packet: Packet) -> Verdict | None:
    """What the chain INPUT says, in the form of `iptables -S`; None where there is nothing of it."""
    walk, policy = _Walk(packet), ""
    for line in lines:
        words = line.split()
        if line.startswith("-P INPUT") and len(words) == 3:
            policy = words[2]
        elif line.startswith("-A ") and len(words) > 2:
            walk.chains.setdefault(words[1], []).append(line)
    if not policy:
        return None
    decided = walk.end("INPUT")
    if decided is None:
        text = f"policy {policy} of iptables chain INPUT"
        return Verdict(policy != "ACCEPT", text, sure=walk.sure)
    return Verdict(decided[1], f"iptables rule {decided[0]}", sure=walk.sure)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _fits(words: list[str], packet: Packet) -> bool | None:
    """Whether a rule is for the packet; None where that can't be told."""
    known: list[bool | None] = []
    rest, inverted = list(words[2:]), False
    while rest:
        option = rest.pop(0)
        if option == "!":
            inverted = True
            continue
        if option in _TARGET:
            break
        value = rest.pop(0) if rest and not rest[0].startswith("-") and rest[0] != "!" else ""
        answer = _option(option, value, packet)
        known.append(not answer if inverted and answer is not None else answer)
        inverted = False
    return False if False in known else None if None in known else True


def _option(option: str, value: str, packet: Packet) -> bool | None:
    match option:
        case "-p" | "--protocol":
            return value in {"tcp", "all", "6"}
        case "-m" | "--match":
            return True if value in _PLAIN_MODULES else None
        case "--comment":
            return True
        case "--dport" | "--dports" | "--destination-port":
            return in_ports(value.split(","), packet.port, ":")
        case "-s" | "--source":
            return _within(value, packet.source)
        case "--ctstate" | "--state":
            return "NEW" in value.split(",")
        case "-i" | "--in-interface":
            return False if value == "lo" else None
        case "--dst-type":
            return value == "LOCAL"
        case "--tcp-flags" | "--syn":
            return True if option == "--syn" else None
    return None


def nftables(lines: Iterable[str], packet: Packet) -> Verdict | None:
    """A guess at a native nftables ruleset, by its input policies and rules about ports: sure only of an empty one."""
    listed = list(lines)
    if listed == ["no rules"]:
        return Verdict(blocks=False, rule="nftables, which has no rules")
    for line in listed:
        ports = re.search(r"tcp dport (?:\{ ?([^}]*)\}|(\S+))", line)
        if not ports or not in_ports(re.split(r",\s*", (ports[1] or ports[2]).strip()), packet.port, "-"):
            continue
        if re.search(r"\b(accept|drop|reject)\b", line):
            return Verdict(not re.search(r"\baccept\b", line), f"nftables rule {line}", sure=False)
    if drops := [line for line in listed if "hook input" in line and "policy drop" in line]:
        return Verdict(blocks=True, rule=f"nftables chain with {drops[0]}", sure=False)
    return None


def firewalld(lines: Iterable[str], packet: Packet) -> Verdict | None:
    """What the active zones say: `public default 0 22/tcp 9090/tcp`, the number being that of rich rules.

    It is `?` where not all of the zone could be read.
    """
    verdicts = [each for line in lines if (each := _zone(line.split(), packet))]
    blocking = [verdict for verdict in verdicts if verdict.blocks]
    if not verdicts:
        return None
    first = blocking[0] if blocking else verdicts[0]
    return Verdict(first.blocks, first.rule, first.name, first.sure and len(blocking) in {0, len(verdicts)})


def _zone(words: list[str], packet: Packet) -> Verdict | None:
    if len(words) < 3:
        return None
    name, target, rich, *ports = words
    open_ = [port.removesuffix("/tcp") for port in ports if port.endswith("/tcp")]
    if target == "ACCEPT" or in_ports(open_, packet.port, "-"):
        return Verdict(blocks=False, rule=f"firewalld zone {name}", name=name)
    text = f"firewalld zone {name}, which does not open port {packet.port}"
    return Verdict(blocks=True, rule=text, name=name, sure=rich == "0")


def in_ports(texts: Iterable[str], port: int, dash: str) -> bool:
    """Whether a list of ports and ranges holds a port."""
    for text in texts:
        first, _, last = text.strip().partition(dash)
        if first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first):
            return True
    return False


def _within(prefix: str, source: str) -> bool | None:
    try:
        network = ipaddress.ip_network(prefix, strict=False)
        return network.prefixlen == 0 or (ipaddress.ip_address(source) in network if source else None)
    except ValueError:
        return None
