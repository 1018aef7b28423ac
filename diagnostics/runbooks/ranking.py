"""Many findings become a few causes: one for each fault, the surest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Severity, Status

_SUREST = list(Confidence)
_WORST = list(Severity)

HINDRANCES = frozenset({"CON013", "CON014", "CON021"})
"""Checks about what kept the runbook from looking: never the cause of an outage."""

_RULE, _ROUTE, _APPLIANCE = "CON001", "CON002", "CON018"
_DEFAULT_DENIALS = frozenset({"denyallinbound", "denyalloutbound"})


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each fault once, with all that speaks for it; surest first, then worst; then what is gone, hindrances last."""
    faults: dict[str, Finding] = {}
    for finding in findings:
        known = faults.get(finding.finding_id)
        faults[finding.finding_id] = together(known, finding) if known else finding
    alone = _without_their_routes(_without_consequences(list(faults.values())))
    return tuple(sorted(alone, key=_rank))


def _without_consequences(findings: list[Finding]) -> list[Finding]:
    """Where the networks know no way to each other, their default rules deny as well: no fault of its own.

    Tag VirtualNetwork is what the network knows by its peerings and gateways, and AllowVnetInBound lets nothing else in
    ("Virtual network service tags").
    """
    lost = any(finding.check == _ROUTE and not _routes(finding) for finding in findings)
    return [finding for finding in findings if not (lost and _by_default(finding))]


def _by_default(finding: Finding) -> bool:
    """Whether it blames default rules alone."""
    rules = {cause.name.lower() for cause in finding.because if cause.kind == "security-rule"}
    return finding.check == _RULE and bool(rules) and rules <= _DEFAULT_DENIALS


def _without_their_routes(findings: list[Finding]) -> Iterator[Finding]:
    """A route that leads to a bad appliance is no fault of its own: the appliance is, with all that was said of both.

    Network Watcher only says that the route is to blame.
    """
    appliances = [finding for finding in findings if finding.check == _APPLIANCE]
    for finding in findings:
        if finding.check == _APPLIANCE:
            same = (each for each in findings if each.check == _ROUTE and _routes(each) & _routes(finding))
            yield reduce(_absorbed, same, finding)
        elif finding.check != _ROUTE or not any(_routes(finding) & _routes(each) for each in appliances):
            yield finding


def _routes(finding: Finding) -> set[tuple[str, str]]:
    """The routes that a finding names, each with its table."""
    named = (cause for cause in finding.because if cause.kind == "route" and cause.name)
    return {(cause.name.lower(), cause.resource_id.lower()) for cause in named}


def _absorbed(finding: Finding, other: Finding) -> Finding:
    sure = min(finding.confidence, other.confidence, key=_SUREST.index)
    return msgspec.structs.replace(finding, because=_causes(finding, other), confidence=sure)


def _causes(first: Finding, second: Finding) -> tuple[Cause, ...]:
    """The causes of both, each once."""
    return tuple({(cause.kind, cause.text): cause for cause in (*first.because, *second.because)}.values())


def together(one: Finding, other: Finding) -> Finding:
    """Two findings of one fault: the surer one's words, the causes of both."""
    first, second = sorted((one, other), key=lambda finding: _SUREST.index(finding.confidence))
    told = sorted(_causes(first, second), key=lambda cause: cause.text.startswith("Checked again"))  # it came last
    ended = Status.RESOLVED in {one.status, other.status}  # a later look says that it is gone
    return msgspec.structs.replace(
        first,
        because=tuple(told),
        change=first.change or second.change,
        remedy=first.remedy if first.remedy.az_cli or not second.remedy.az_cli else second.remedy,
        status=Status.RESOLVED if ended else first.status,
    )


def _rank(finding: Finding) -> tuple[bool, bool, int, int]:
    hinders, gone = finding.check in HINDRANCES, finding.status is Status.RESOLVED
    return hinders, gone, _SUREST.index(finding.confidence), _WORST.index(finding.severity)
