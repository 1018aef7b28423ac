"""NSG rules in short: who, which port, and whatever else differs from an inbound TCP rule."""

from typing import Any

from tests.checks.audited import Body, rule

HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
"""All of IPv4, as two prefixes."""


def allow(name: str, priority: int, port: str = "*", source: str = "*", **terms: Any) -> Body:
    """A rule that lets something in."""
    return rule(name, priority, "Allow", **_terms(port, source, terms))


def deny(name: str, priority: int, port: str = "*", source: str = "*", **terms: Any) -> Body:
    """A rule that keeps something out."""
    return rule(name, priority, "Deny", **_terms(port, source, terms))


def outbound(name: str, priority: int, access: str, port: str = "*", to: str = "*", **terms: Any) -> Body:
    """A rule about what goes out."""
    there = {"direction": "Outbound", "destinationAddressPrefix": to}
    return rule(name, priority, access, **_terms(port, "*", {**there, **terms}))


def halves(name: str, priority: int, access: str, port: str = "*", **terms: Any) -> Body:
    """A rule for all of IPv4, as two prefixes."""
    several = {"sourceAddressPrefixes": HALVES, "protocol": "*", **terms}
    return rule(name, priority, access, destinationPortRange=port, **several)


def _terms(port: str, source: str, others: Body) -> Body:
    return {"destinationPortRange": port, "sourceAddressPrefix": source, **others}
