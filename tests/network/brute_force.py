"""NSG semantics once more, written from the documentation and sharing no code with the product: slow and plain."""

import ipaddress
from collections.abc import Mapping

from diagnostics.network.model import SecurityRule

type Truths = Mapping[tuple[str, str], bool]
"""For each tag and address, whether the address is in the tag."""


def allowed(rules: list[SecurityRule], flow: dict[str, object], truths: Truths) -> bool:
    """Whether the first rule by priority that matches allows the flow; every rule list ends in one that matches."""
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if matches(rule, flow, truths):
            return rule.access == "Allow"
    raise AssertionError("no rule matches")


def matches(rule: SecurityRule, flow: dict[str, object], truths: Truths) -> bool:
    if rule.protocol not in {"*", flow["protocol"]}:
        return False
    if not any(in_prefix(str(flow["source"]), text, truths) for text in rule.sources):
        return False
    if not any(in_prefix(str(flow["destination"]), text, truths) for text in rule.destinations):
        return False
    if flow["protocol"] == "Icmp":
        return True
    return any(in_range(flow["source_port"], text) for text in rule.source_ports) and any(
        in_range(flow["destination_port"], text) for text in rule.destination_ports
    )


def in_prefix(address: str, text: str, truths: Truths) -> bool:
    if text == "*":
        return True
    if (text, address) in truths:
        return truths[text, address]
    network = ipaddress.ip_network(text)
    parsed = ipaddress.ip_address(address)
    return parsed.version == network.version and parsed in network


def in_range(port: object, text: str) -> bool:
    if text == "*":
        return True
    ends = [int(part) for part in text.split("-")]
    return isinstance(port, int) and ends[0] <= port <= ends[-1]
