"""A million flows through a thousand rules: in columns, rule by rule with numpy, and one flow after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.flow_columns import flow_columns, listed
from benchmarks.rule_lists import STYLES, Style, rule_list
from benchmarks.timing import CONSOLE, Measured, about, measured, shown, table_of
from diagnostics.network.batch import PROTOCOLS, VERDICTS, Decider, Flows
from diagnostics.network.intervals import Intervals
from diagnostics.network.model import SecurityRule
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import WITH_PORTS, Context, Flow, Terms, first_match, in_order

_FLOWS, _IN_LOOP, _ALONE = 1_000_000, 100_000, 1_000
_READY, _ANEW = "batch, rules made ready before", "batch, from the rules"
_LOOP, _EACH = "numpy, rule by rule", "first_match, flow by flow"
_TAGS = {
    "VirtualNetwork": ("10.0.0.0/8", "fd00::/8"),
    "AzureLoadBalancer": ("168.63.129.16", "fe80::1234:5678:9abc"),
}
_KNOWN = {name: Bounds.exactly(AddressSet.union(map(AddressSet.parse, texts))) for name, texts in _TAGS.items()}
_OWN_RULES = 997  # with the three default rules of a direction: a thousand

type Rules = Sequence[tuple[SecurityRule, Terms]]
type Answers = tuple[NDArray[Any], NDArray[Any]]
"""Of each flow, the place of the rule that decides, and of the verdict."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A list of rules and flows through it."""

    name: str
    rules: Rules
    flows: Flows

    @classmethod
    def of(cls, style: Style, version: int = 4, *, tags: bool = True) -> _Case:
        context = Context(tag=_KNOWN.get) if tags else Context()
        rules = [(r, Terms.of(r, context)) for r in in_order(rule_list(_OWN_RULES, style), inbound=True)]
        name = f"“{style.name}”, IPv{version}{'' if tags else ', tags unknown'}"
        return cls(name, rules, flow_columns([terms for _, terms in rules], version, _FLOWS))

    @property
    def exact(self) -> bool:
        return all(terms.sources.exact and terms.destinations.exact for _, terms in self.rules)


def main() -> None:
    """Measure, and print a table for each case."""
    usual = STYLES[0]
    slowest = 0.0
    for case in (*map(_Case.of, STYLES), _Case.of(usual, 6), _Case.of(usual, tags=False)):
        found = _measured(case)
        _print(case, found)
        slowest = max(slowest, found[_READY].seconds if case.exact and case.flows.versions == (4, 4) else 0)
    about(f"{_FLOWS:,} flows through {_OWN_RULES + 3:,} rules, IPv4, slowest style", 0.2, slowest)


def _measured(case: _Case) -> dict[str, Measured[Answers]]:
    decider = Decider.of(case.rules)
    decider.decide(case.flows)
    alone = listed(case.flows, _ALONE)
    candidates: dict[str, Callable[[], Answers]] = {
        _READY: lambda: _answers(decider, case.flows),
        _ANEW: lambda: _answers(Decider.of(case.rules), case.flows),
        _EACH: partial(_alone, case.rules, alone),
    }
    if case.exact and case.flows.versions == (4, 4):
        candidates[_LOOP] = partial(_rule_by_rule, case.rules, next(case.flows.parts(_IN_LOOP))[1])
    found = measured(candidates)
    for name, each in found.items():
        for ours, theirs in zip(found[_READY].answer, each.answer, strict=True):
            assert np.array_equal(ours[: len(theirs)], theirs), f"{name} answers otherwise"
    return found


def _print(case: _Case, found: dict[str, Measured[Answers]]) -> None:
    table = table_of(
        f"Flows through {len(case.rules):,} rules, style {case.name}", "", "flows", "ms", "ns a flow", "ratio"
    )
    base = found[_READY].seconds / _FLOWS
    for name, each in found.items():
        flows = len(each.answer[0])
        own = each.seconds / flows
        table.add_row(name, f"{flows:,}", shown(each.seconds * 1e3), shown(own * 1e9), shown(own / base))
    CONSOLE.print(table)


def _answers(decider: Decider, flows: Flows) -> Answers:
    found = decider.decide(flows)
    return found.rules, found.verdicts


def _alone(rules: Rules, flows: Sequence[Flow]) -> Answers:
    places = {rule.name: place for place, (rule, _) in enumerate(rules)}
    found = [first_match(rules, flow) for flow in flows]
    deciding = np.array([places[each.rule.name] if each else -1 for each in found])
    return deciding, np.array([VERDICTS.index(each.verdict) if each else -1 for each in found])


def _rule_by_rule(rules: Rules, flows: Flows) -> Answers:
    """As one would write it with numpy; what is decided is left out of what follows."""
    deciding = np.full(len(flows), -1)
    left = np.arange(len(flows))
    with_ports = np.array([name in WITH_PORTS for name in PROTOCOLS])
    for place, (_, terms) in enumerate(rules):
        protocols = flows.protocols[left]
        match = np.ones(len(left), np.bool_)
        if terms.protocol:
            match &= protocols == PROTOCOLS.index(terms.protocol)
        match &= _within(flows.sources[left], terms.sources.must.v4)
        match &= _within(flows.destinations[left], terms.destinations.must.v4)
        ports = _within(flows.source_ports[left], terms.source_ports)
        ports &= _within(flows.destination_ports[left], terms.destination_ports)
        match &= ports | ~with_ports[protocols]
        deciding[left[match]] = place
        left = left[~match]
    allowing = np.array([rule.allows for rule, _ in rules])
    return deciding, np.where(allowing[deciding], 0, 1)


def _within(values: NDArray[Any], ranges: Intervals) -> NDArray[np.bool_]:
    found = np.zeros(len(values), np.bool_)
    for first, last in ranges:
        found |= (values >= first) & (values <= last)
    return found
