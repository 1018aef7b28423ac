"""NSGs that let the internet in, parted by the reasons: rules for every port, broad ranges, and all the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from operator import or_

import msgspec

from diagnostics.checks.internet_closing import Letting
from diagnostics.checks.internet_ports import WITH_PORTS, Doubt, Open, Ports, together
from diagnostics.checks.internet_seen import seen
from diagnostics.checks.services import held
from diagnostics.checks.view import View
from diagnostics.errors import ParseError
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.security import ports as written

NEARLY_ALL = 60_000
"""From as many ports of a protocol, a rule opens every port: whoever leaves out a few, or begins at 1024, means all."""

BROAD = 1_000
"""Ports in one range from which it is more than a service and its neighbours."""

_NONE = Intervals.none(PORTS_TOP)
_ALL = Intervals.all(PORTS_TOP)


@dataclass(frozen=True, slots=True)
class Group:
    """An NSG and what it opens to the internet at large.

    Attributes:
        every: the rules that open every port of a protocol.
        rest: what is open for other reasons.
        broad: of that, what broad ranges of rules open.
        swallowed: the services that nothing but those opens, as bits: one fault, which is told once.
        asked: the services of which something else is open, or may be.
    """

    group: SecurityGroup
    ports: Ports
    every: tuple[SecurityRule, ...]
    rest: Ports
    broad: tuple[Open, ...]
    swallowed: int
    asked: int
    _letting: dict[int, Letting] = field(default_factory=dict, init=False, repr=False, compare=False)

    def letting(self, rule: SecurityRule) -> Letting:
        """A rule with all ports that it opens; worked out once."""
        if id(rule) not in self._letting:
            opened = self.ports.by_rule.get(id(rule), {})
            self._letting[id(rule)] = Letting(self.group, rule, together(opened.values()))
        return self._letting[id(rule)]


def groups(view: View) -> tuple[Group, ...]:
    """The NSGs that open anything, or may."""
    return view.once(_groups)


def broad(opens: Sequence[Open]) -> tuple[Open, ...]:
    """What broad ranges of rules open: a range that all deciding rules name, of which many ports are really open."""
    by_rules: dict[tuple[object, ...], list[Open]] = {}
    for each in opens:
        if each.protocol in WITH_PORTS and each.rules:
            key = each.protocol, *(id(decider.rule) for decider in each.rules)
            by_rules.setdefault(key, []).append(each)
    found = []
    for some in by_rules.values():
        if sum(each.ports.count() for each in some) >= BROAD and (ranges := _broad_ranges(some)):
            found += [cut for each in some if (cut := msgspec.structs.replace(each, ports=each.ports & ranges)).ports]
    return tuple(found)


def narrow(ports: Ports, broad_ones: Iterable[Open]) -> int:
    """The services of which something is open that no broad range opens, as bits."""
    parts: dict[tuple[object, ...], Intervals] = {}
    for each in broad_ones:
        key = each.protocol, *(id(decider.rule) for decider in each.rules)
        parts[key] = parts.get(key, _NONE) | each.ports
    found = 0
    for each in ports.opens:
        part = parts.get((each.protocol, *(id(decider.rule) for decider in each.rules))) if parts else None
        found |= held(each.protocol, each.ports - part if part else each.ports)
    return found


def bits(every: Iterable[Open | Doubt]) -> int:
    """The services of which something is open, or may be, as bits."""
    return reduce(or_, (held(each.protocol, each.ports) for each in every), 0)


def opened_by(ports: Ports, rules: Iterable[SecurityRule]) -> tuple[Open, ...]:
    """What some rules open with TCP and UDP."""
    wanted = set(map(id, rules))
    found = (each for each in ports.opens if each.protocol in WITH_PORTS)
    return tuple(each for each in found if any(id(decider.rule) in wanted for decider in each.rules))


def _groups(view: View) -> tuple[Group, ...]:
    found = ((group, seen(view).alone(group)) for group in view.groups)
    return tuple(_group(group, ports) for group, ports in found if ports.opens or ports.doubts)


def _group(group: SecurityGroup, ports: Ports) -> Group:
    every = _every(ports)
    doubts = tuple(each for each in ports.doubts if each.ports.count() < NEARLY_ALL)
    rest = ports.without(every) if every else ports
    rest = replace(rest, doubts=doubts) if len(doubts) < len(ports.doubts) else rest
    broad_ones = broad(rest.opens)
    if not broad_ones:
        return Group(group, ports, every, rest, (), 0, rest.services)
    others, in_broad = narrow(rest, broad_ones), bits(broad_ones)
    doubtful = bits(doubts)
    return Group(group, ports, every, rest, broad_ones, in_broad & ~others, others | doubtful & ~in_broad)


def _every(ports: Ports) -> tuple[SecurityRule, ...]:
    """The rules that open every port of a protocol, or nearly every one."""
    if not any(ports.of(protocol).count() >= NEARLY_ALL for protocol in WITH_PORTS):
        return ()
    rules = {id(each.rule): each.rule for opened in ports.opens for each in opened.rules}
    opened = ports.by_rule.items()
    return tuple(rules[key] for key, own in opened if any(held.count() >= NEARLY_ALL for held in own.values()))


def long_spans(ports: Intervals) -> Intervals:
    """Broad ranges among some ports."""
    if ports.count() < BROAD:
        return _NONE
    return Intervals(tuple([span for span in ports.spans if span[1] - span[0] + 1 >= BROAD]), PORTS_TOP)


def _broad_ranges(some: Sequence[Open]) -> Intervals:
    """The ranges that all rules of some openings name, and of which enough ports are open."""
    open_ = together(each.ports for each in some)
    named = reduce(Intervals.__and__, (_ranges(decider.rule.destination_ports) for decider in some[0].rules))
    return Intervals.of((span for span in named if (Intervals((span,), PORTS_TOP) & open_).count() >= BROAD), PORTS_TOP)


@lru_cache(maxsize=1 << 12)
def _ranges(texts: tuple[str, ...]) -> Intervals:
    """The broad ranges that a rule names; a text that has no value is none."""
    found = [span for text in texts for span in _read(text)] if texts else list(_ALL)
    return long_spans(Intervals.of(found, PORTS_TOP))


def _read(text: str) -> Intervals:
    try:
        return written((text,))
    except ParseError:
        return _NONE
