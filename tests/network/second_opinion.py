"""NSG semantics as formulas for z3, written from the documentation and sharing no code with the product."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import z3

from diagnostics.network.model import SecurityRule
from diagnostics.network.security import Flow

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51}


@dataclass
class Opinion:
    """Any flow, as z3's variables, and what rules make of it.

    Attributes:
        tags: the prefixes of service tags; any other name may hold anything, but the same in every rule.
    """

    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    six: z3.BoolRef = field(default_factory=lambda: z3.Bool("six"))
    source: z3.BitVecRef = field(default_factory=lambda: z3.BitVec("source", 128))
    destination: z3.BitVecRef = field(default_factory=lambda: z3.BitVec("destination", 128))
    protocol: z3.BitVecRef = field(default_factory=lambda: z3.BitVec("protocol", 8))
    source_port: z3.BitVecRef = field(default_factory=lambda: z3.BitVec("source port", 16))
    destination_port: z3.BitVecRef = field(default_factory=lambda: z3.BitVec("destination port", 16))

    @property
    def real(self) -> z3.BoolRef:
        """What makes the variables a flow: IPv4 addresses have 32 bits, and there are five protocols."""
        short = z3.And(z3.ULE(self.source, 2**32 - 1), z3.ULE(self.destination, 2**32 - 1))
        return z3.And(z3.Or(self.six, short), z3.Or([self.protocol == number for number in NUMBERS.values()]))

    def matches(self, rule: SecurityRule) -> z3.BoolRef:
        with_ports = z3.Or(self.protocol == NUMBERS["tcp"], self.protocol == NUMBERS["udp"])
        return z3.And(
            z3.BoolVal(val=True) if rule.protocol == "*" else self.protocol == NUMBERS[rule.protocol.lower()],
            z3.Or([self._within(self.source, text) for text in rule.sources]),
            z3.Or([self._within(self.destination, text) for text in rule.destinations]),
            z3.Or(z3.Not(with_ports), z3.Or([_in_range(self.source_port, text) for text in rule.source_ports])),
            z3.Or(
                z3.Not(with_ports), z3.Or([_in_range(self.destination_port, text) for text in rule.destination_ports])
            ),
        )

    def allowed(self, rules: Sequence[SecurityRule]) -> z3.BoolRef:
        """Whether the first rule that matches, of rules in order, allows the flow."""
        answer = z3.BoolVal(val=False)
        for rule in reversed(rules):
            answer = z3.If(self.matches(rule), z3.BoolVal(val=rule.access == "Allow"), answer)
        return answer

    def decided_by(self, rules: Sequence[SecurityRule], place: int) -> z3.BoolRef:
        before = [z3.Not(self.matches(rule)) for rule in rules[:place]]
        return z3.And(*before, self.matches(rules[place]))

    def dead(self, rules: Sequence[SecurityRule]) -> set[str]:
        return {rule.name for place, rule in enumerate(rules) if not self.flow(self.decided_by(rules, place))}

    def redundant(self, rules: Sequence[SecurityRule]) -> set[str]:
        """Rules without which everything ends the same; dead ones are among them."""
        everything = self.allowed(rules)
        without = {rule.name: self.allowed([*rules[:place], *rules[place + 1 :]]) for place, rule in enumerate(rules)}
        return {name for name, rest in without.items() if not self.flow(everything != rest)}

    def flow(self, formula: z3.BoolRef) -> Flow | None:
        """A flow of which the formula holds, or None where there is none."""
        solver = z3.Solver()
        solver.add(self.real, formula)
        if solver.check() == z3.unsat:
            return None
        model = solver.model()
        address = ipaddress.IPv6Address if z3.is_true(model.eval(self.six)) else ipaddress.IPv4Address
        names = {number: name for name, number in NUMBERS.items()}
        protocol = names[_value(model, self.protocol)]
        ports = _value(model, self.destination_port), _value(model, self.source_port)
        return Flow(
            address(_value(model, self.source)),
            address(_value(model, self.destination)),
            protocol,
            *(ports if protocol in {"tcp", "udp"} else (None, None)),
        )

    def holds(self, formula: z3.BoolRef, flow: Flow) -> bool:
        """Whether a formula holds of one flow."""
        values = [
            (self.six, z3.BoolVal(val=flow.source.version == 6)),
            (self.source, z3.BitVecVal(int(flow.source), 128)),
            (self.destination, z3.BitVecVal(int(flow.destination), 128)),
            (self.protocol, z3.BitVecVal(NUMBERS[flow.protocol.lower()], 8)),
            (self.source_port, z3.BitVecVal(flow.source_port or 0, 16)),
            (self.destination_port, z3.BitVecVal(flow.destination_port or 0, 16)),
        ]
        return bool(z3.is_true(z3.simplify(z3.substitute(formula, *values))))

    def _within(self, address: z3.BitVecRef, text: str) -> z3.BoolRef:
        if text == "*":
            return z3.BoolVal(val=True)
        if text in self.tags:
            return z3.Or([self._within(address, prefix) for prefix in self.tags[text]])
        if text.isalpha():
            return z3.Function(text, z3.BoolSort(), z3.BitVecSort(128), z3.BoolSort())(self.six, address)
        network = ipaddress.ip_network(text)
        inside = z3.And(z3.UGE(address, int(network[0])), z3.ULE(address, int(network[-1])))
        return z3.And(self.six == z3.BoolVal(val=network.version == 6), inside)


def _in_range(port: z3.BitVecRef, text: str) -> z3.BoolRef:
    first, _, last = (text if text != "*" else "0-65535").partition("-")
    return z3.And(z3.UGE(port, int(first)), z3.ULE(port, int(last or first)))


def _value(model: z3.ModelRef, variable: z3.BitVecRef) -> int:
    return int(model.eval(variable, model_completion=True).as_long())
