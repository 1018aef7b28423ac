"""The rules of an NSG in a direction, of which only those are read that a question can be about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diagnostics.network.model import SecurityRule
from diagnostics.network.security import (
    WITH_PORTS,
    Context,
    Flow,
    Service,
    Terms,
    everywhere,
    in_order,
    service_of,
)

_MOST = 64


class Ordered:
    """The rules of an NSG in a direction, as Azure goes through them; the ends of each are read when first asked for.

    Attributes:
        rules: in order, with the default ones.
        services: what each says of protocol and ports.
    """

    __slots__ = ("_about", "_terms", "rules", "services")

    def __init__(self, rules: Iterable[SecurityRule], *, inbound: bool) -> None:
        self.rules: Sequence[SecurityRule] = in_order(rules, inbound=inbound)
        self.services: Sequence[Service] = [service_of(rule) for rule in self.rules]
        self._terms: dict[int, Terms | None] = {}
        self._about: dict[tuple[str, int | None], Sequence[int]] = {}

    def about(self, protocol: str, port: int | None) -> Sequence[int]:
        """The places of the rules that can match flows of a protocol, lower-cased, to a port where it has ports."""
        key = protocol, port
        if key not in self._about:
            if len(self._about) == _MOST:  # somebody asks about one port after the other
                self._about.clear()
            wanted = port if protocol in WITH_PORTS else None
            self._about[key] = [
                place
                for place, (spoken, _, ports, _) in enumerate(self.services)
                if (not spoken or spoken == protocol) and (wanted is None or wanted in ports)
            ]
        return self._about[key]

    def asked(self, flow: Flow, context: Context) -> Iterator[tuple[SecurityRule, Terms]]:
        """The rules that can match a flow, with what they mean at one place."""
        for place in self.about(flow.protocol.lower(), flow.destination_port):
            yield self.rules[place], self.terms(place, context)

    def at(self, context: Context) -> tuple[tuple[SecurityRule, Terms], ...]:
        """All rules, with what they mean at one place."""
        return tuple((rule, self.terms(place, context)) for place, rule in enumerate(self.rules))

    def terms(self, place: int, context: Context) -> Terms:
        """What a rule matches, by its place in the order."""
        if place not in self._terms:
            self._terms[place] = self._everywhere(place)
        return self._terms[place] or Terms.lenient(self.rules[place], context)

    def _everywhere(self, place: int) -> Terms | None:
        """What a rule matches wherever it stands; None where it names a tag or an application security group."""
        rule = self.rules[place]
        sources = None if rule.source_groups else everywhere(rule.sources)
        destinations = None if rule.destination_groups or not sources else everywhere(rule.destinations)
        return Terms.between(rule, sources, destinations) if sources and destinations else None
