"""What a fleet is asked about: protocol and destination port, and which rules speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from diagnostics.errors import ParseError
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityRule
from diagnostics.network.security import WITH_PORTS, ports

_ANY_PROTOCOL = frozenset({"", "*", "any", "all"})
_ALL = Intervals.all(PORTS_TOP)


class Service(NamedTuple):
    """Flows of a protocol to a destination port, from any source port.

    Attributes:
        protocol: `Tcp`, `Udp`, `Icmp`, `Esp` or `Ah`, in any case.
        port: None for protocols without ports, and for "any".
    """

    protocol: str
    port: int | None = None


class Speaking:
    """Which of the services rules speak of; the same words are looked at once.

    As `diagnostics.network.security` has it: ports count only for protocols that have them, and a rule with a port
    range that is none may match any port, and none for sure.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        numbered = [(1 << number, service, service.protocol.lower()) for number, service in enumerate(services)]
        self._services = numbered
        self._all = (1 << len(services)) - 1
        self._without_ports = sum(bit for bit, _, protocol in numbered if protocol not in WITH_PORTS)
        self._any_port = sum(bit for bit, service, _ in numbered if service.port is None) & ~self._without_ports
        self._ports: dict[str, int | None] = {}
        self._known: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[int, int]] = {}

    def of(self, rule: SecurityRule) -> tuple[int, int]:
        """The services whose flows a rule may match by protocol and ports, and those it matches for sure, as bits."""
        words = rule.protocol, rule.source_ports, rule.destination_ports
        found = self._known.get(words)
        if found is None:
            found = self._known[words] = self._look(*words)
        return found

    def _look(self, protocol: str, sources: tuple[str, ...], destinations: tuple[str, ...]) -> tuple[int, int]:
        spoken, whole, named = self._of_protocol(protocol.lower()), _is_all(sources), self._of_ports(destinations)
        if whole is None or named is None:
            return spoken, spoken & self._without_ports
        may, sure = (spoken & (each | self._without_ports) for each in named)
        return may, sure if whole else sure & self._without_ports

    def _of_protocol(self, protocol: str) -> int:
        if protocol in _ANY_PROTOCOL:
            return self._all
        return sum(bit for bit, _, asked in self._services if asked == protocol)

    def _of_ports(self, texts: tuple[str, ...]) -> tuple[int, int] | None:
        """The services whose port is one of these, perhaps and for sure; None where one of them cannot be read."""
        found = 0
        for text in texts or ("*",):
            if text not in self._ports:
                self._ports[text] = self._of_port(text)
            known = self._ports[text]
            if known is None:
                return None
            found |= known
        if not self._any_port:
            return found, found
        return found | self._any_port, found | (self._any_port if _is_all(texts) else 0)

    def _of_port(self, text: str) -> int | None:
        try:
            found = ports((text,))
        except ParseError:
            return None
        return sum(bit for bit, service, _ in self._services if service.port is not None and service.port in found)


def _is_all(texts: tuple[str, ...]) -> bool | None:
    """Whether ports are all ports; None where one of them cannot be read."""
    if texts == ("*",):
        return True
    try:
        return ports(texts) == _ALL
    except ParseError:
        return None
