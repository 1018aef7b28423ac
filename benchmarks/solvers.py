"""Dead and redundant rules by general means: SMT (z3) and binary decision diagrams (CUDD, OxiDD).

All start from the same rules, already read, and answer with the same two sets of places.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import or_
from typing import Any

import z3

from diagnostics.network.anomalies.fate import Fate
from diagnostics.network.anomalies.reading import ANY, Reader, Reading, Said
from diagnostics.network.anomalies.rulelist import listed
from diagnostics.network.intervals import Span

type Answer = tuple[set[int], set[int]]
"""The places of the dead rules, and of the redundant ones; the dead are among them."""

type Method = Callable[[Sequence[Reading]], Answer]

_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51}
_WITH_PORTS = ("tcp", "udp")


def known(readings: Sequence[Reading]) -> bool:
    """Whether every name is known exactly."""
    return not any(reading.sources.doubts or reading.destinations.doubts for reading in readings)


def vmreach(reader: Reader, said: Said) -> Answer:
    """The product's own way: a reader that has read what the rules say."""
    rules = listed(said, reader)
    fates = [rules.fate(place) for place in range(len(said.allowing))]
    dead = {place for place, fate in enumerate(fates) if fate is Fate.DEAD}
    return dead, dead | {place for place, fate in enumerate(fates) if fate is Fate.REDUNDANT}


def secguru(readings: Sequence[Reading]) -> Answer:
    """As in K. Jayaraman et al., "Automated Analysis and Debugging of Network Connectivity Policies".

    Ranges over bit-vectors, one solver, push and pop around each question.
    """
    flow = _Flow(exact=False)
    matching = [flow.matches(reading) for reading in readings]
    allowed, behind = z3.BoolVal(val=False), []
    for match, reading in zip(reversed(matching), reversed(readings), strict=True):
        behind.append(allowed)
        allowed = z3.If(match, z3.BoolVal(reading.allows), allowed)
    dead, redundant, solver = set(), set(), z3.Solver()
    solver.add(flow.real())
    for place, (match, rest) in enumerate(zip(matching, reversed(behind), strict=True)):
        solver.push()
        solver.add(match)
        if solver.check() == z3.unsat:
            dead.add(place)
        else:
            solver.add(rest != z3.BoolVal(readings[place].allows))
            if solver.check() == z3.unsat:
                redundant.add(place)
        solver.pop()
        solver.add(z3.Not(match))
    return dead, dead | redundant


def tuned(readings: Sequence[Reading]) -> Answer:
    """z3 at its best: its finite-domain solver, used incrementally with assumptions, and every term named once.

    Prefixes are compared by their leading bits, not as numbers. What every question shares is stated once: which rule
    matches, and what the rules from each place on decide; so a question is two literals.
    """
    flow, solver = _Flow(exact=True), z3.SolverFor("QF_FD")
    solver.add(flow.real())
    matching = [z3.Bool(f"matches {place}") for place in range(len(readings))]
    decided = [z3.Bool(f"allowed from {place}") for place in range(len(readings) + 1)]
    solver.add(z3.Not(decided[-1]))
    for place, reading in enumerate(readings):
        solver.add(matching[place] == flow.matches(reading, solver))
        known = z3.Or if reading.allows else z3.And
        here = matching[place] if reading.allows else z3.Not(matching[place])
        solver.add(decided[place] == known(here, decided[place + 1]))
    dead, redundant = set(), set()
    for place, reading in enumerate(readings):
        rest = decided[place + 1]
        if solver.check(matching[place], z3.Not(rest) if reading.allows else rest) == z3.unsat:
            redundant.add(place)
            if solver.check(matching[place]) == z3.unsat:
                dead.add(place)
        solver.add(z3.Not(matching[place]))
    return dead, redundant


@dataclass
class _Flow:
    """Any flow as variables.

    Attributes:
        exact: whether prefixes are compared by their leading bits, and what is said twice gets a name.
    """

    exact: bool
    six: Any = field(default_factory=lambda: z3.Bool("six"))
    protocol: Any = field(default_factory=lambda: z3.BitVec("protocol", 8))
    source: Any = field(default_factory=lambda: (z3.BitVec("source4", 32), z3.BitVec("source6", 128)))
    destination: Any = field(default_factory=lambda: (z3.BitVec("destination4", 32), z3.BitVec("destination6", 128)))
    source_port: Any = field(default_factory=lambda: z3.BitVec("source port", 16))
    destination_port: Any = field(default_factory=lambda: z3.BitVec("destination port", 16))
    named: dict[Any, Any] = field(default_factory=dict)

    def real(self) -> Any:
        return z3.Or([self.protocol == number for number in _NUMBERS.values()])

    def matches(self, reading: Reading, solver: Any = None) -> Any:
        any_of = partial(self._any_of, solver)
        v4 = [
            any_of(self.source[0], reading.sources.v4.known),
            any_of(self.destination[0], reading.destinations.v4.known),
        ]
        v6 = [
            any_of(self.source[1], reading.sources.v6.known),
            any_of(self.destination[1], reading.destinations.v6.known),
        ]
        terms = [z3.If(self.six, z3.And(v6), z3.And(v4))]
        if reading.protocol != ANY:
            terms.append(self.protocol == _NUMBERS[reading.protocol])
        if reading.protocol in {ANY, *_WITH_PORTS}:
            ports = [
                any_of(self.source_port, reading.source_ports.known),
                any_of(self.destination_port, reading.destination_ports.known),
            ]
            portless = z3.And([self.protocol != _NUMBERS[name] for name in _WITH_PORTS])
            terms.append(z3.Or(portless, z3.And(ports)) if reading.protocol == ANY else z3.And(ports))
        return z3.And(terms)

    def _any_of(self, solver: Any, variable: Any, spans: Sequence[Span]) -> Any:
        found = [self._within(solver, variable, span) for span in spans]
        return found[0] if len(found) == 1 else z3.Or(found)

    def _within(self, solver: Any, variable: Any, span: Span) -> Any:
        first, last = span
        width = variable.size()
        if (first, last) == (0, 2**width - 1):
            return z3.BoolVal(val=True)
        if not self.exact:
            return z3.And(z3.UGE(variable, first), z3.ULE(variable, last))
        if (variable, span) not in self.named:
            name = z3.Bool(f"{variable} {first}-{last}")
            solver.add(
                name == z3.Or([_leading(variable, value, bits) for value, bits in _prefixes(first, last, width)])
            )
            self.named[variable, span] = name
        return self.named[variable, span]


def _leading(variable: Any, value: int, bits: int) -> Any:
    return z3.Extract(variable.size() - 1, variable.size() - bits, variable) == value


def _prefixes(first: int, last: int, width: int) -> Iterator[tuple[int, int]]:
    """A range as prefixes: the value of the leading bits, and how many they are."""
    while first <= last:
        free = min((first & -first).bit_length() - 1 if first else width, (last - first + 1).bit_length() - 1)
        yield first >> free, width - free
        first += 1 << free


WIDTHS = {"protocol": 8, "source": 128, "destination": 128, "source port": 16, "destination port": 16}
ORDERS = (
    ("protocol", "destination port", "source", "destination", "source port"),
    ("protocol", "source port", "destination port", "source", "destination"),
    ("source", "destination", "protocol", "destination port", "source port"),
    ("destination", "source", "protocol", "destination port", "source port"),
    ("protocol", "source", "destination", "destination port", "source port"),
    ("source", "protocol", "destination port", "destination", "source port"),
)
"""The orders of the variables that are tried; the family comes first, and the leading bit of each field."""


def cudd(order: Sequence[str], readings: Sequence[Reading]) -> Answer:
    """CUDD, through dd."""
    from dd import cudd as diagrams  # noqa: PLC0415

    manager = diagrams.BDD()
    manager.configure(reordering=False)
    names = ["six", *(f"{name} {bit}" for name in order for bit in range(WIDTHS[name]))]
    manager.declare(*names)
    variables = {name: manager.var(name) for name in names}
    rules = _Diagrams(manager.true, manager.false, variables, order).matches(readings)
    return _walk(readings, rules, manager.false, lambda diagram: diagram == manager.false)


def oxidd(order: Sequence[str], readings: Sequence[Reading]) -> Answer:
    """OxiDD, with complement edges and one thread."""
    from oxidd.bcdd import BCDDManager  # noqa: PLC0415

    manager = BCDDManager(1 << 22, 1 << 20, 1)
    names = ["six", *(f"{name} {bit}" for name in order for bit in range(WIDTHS[name]))]
    manager.add_vars(len(names))
    variables = {name: manager.var(place) for place, name in enumerate(names)}
    rules = _Diagrams(manager.true(), manager.false(), variables, order).matches(readings)
    return _walk(readings, rules, manager.false(), lambda diagram: not diagram.satisfiable())


def _walk(readings: Sequence[Reading], rules: Sequence[Any], false: Any, empty: Callable[[Any], bool]) -> Answer:
    """From the last rule to the first, what the rest allows; then from the first on, what is left to each."""
    allowed = [false]
    for reading, match in zip(reversed(readings), reversed(rules), strict=True):
        allowed.append(allowed[-1] | match if reading.allows else allowed[-1] & ~match)
    dead, redundant, taken = set(), set(), false
    for place, (reading, match) in enumerate(zip(readings, rules, strict=True)):
        own, rest = match & ~taken, allowed[len(rules) - place - 1]
        if empty(own):
            dead.add(place)
        elif empty(own & (~rest if reading.allows else rest)):
            redundant.add(place)
        taken |= match
    return dead, dead | redundant


@dataclass
class _Diagrams:
    """Rules as decision diagrams. IPv4 addresses share the leading variables of IPv6 ones."""

    true: Any
    false: Any
    variables: dict[str, Any]
    order: Sequence[str]
    made: dict[tuple[str, int, Span], Any] = field(default_factory=dict)

    def matches(self, readings: Sequence[Reading]) -> list[Any]:
        return [self._rule(reading) for reading in readings]

    def _rule(self, reading: Reading) -> Any:
        six = self.variables["six"]
        v4 = {"source": reading.sources.v4.known, "destination": reading.destinations.v4.known}
        v6 = {"source": reading.sources.v6.known, "destination": reading.destinations.v6.known}
        ports = {"source port": reading.source_ports.known, "destination port": reading.destination_ports.known}
        asked = reading.protocol
        with_ports = [(_NUMBERS[name],) * 2 for name in _WITH_PORTS if asked in {ANY, name}]
        portless = [
            (number,) * 2 for name, number in _NUMBERS.items() if name not in _WITH_PORTS and asked in {ANY, name}
        ]
        ends = (~six & self._product(v4, 32)) | (six & self._product(v6, 128))
        kinds = self._product({"protocol": with_ports, **ports}) | self._product({"protocol": portless})
        return ends & kinds

    def _product(self, fields: dict[str, Any], width: int = 0) -> Any:
        product = self.true
        for name in reversed([name for name in self.order if name in fields]):
            spans = [self._span(name, width or WIDTHS[name], span) for span in fields[name]]
            product = reduce(or_, spans, self.false) & product
        return product

    def _span(self, name: str, width: int, span: Span) -> Any:
        if (name, width, span) not in self.made:
            cubes = [self._cube(name, value, bits) for value, bits in _prefixes(*span, width)]
            self.made[name, width, span] = reduce(or_, cubes, self.false)
        return self.made[name, width, span]

    def _cube(self, name: str, value: int, bits: int) -> Any:
        cube = self.true
        for bit in reversed(range(bits)):
            variable = self.variables[f"{name} {bit}"]
            cube = (variable if value >> (bits - 1 - bit) & 1 else ~variable) & cube
        return cube
