"""Steps of a runbook: short ways to say how one ended."""

from __future__ import annotations

from diagnostics.findings import Hop, Outcome, Step
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.network.connectivity import Hop as ProbedHop


def passed(name: str, summary: str, *evidence: str) -> Step:
    """The step found nothing wrong."""
    return Step(name=name, outcome=Outcome.PASSED, summary=summary, evidence=evidence)


def failed(name: str, summary: str, *evidence: str) -> Step:
    """The step found something wrong."""
    return Step(name=name, outcome=Outcome.FAILED, summary=summary, evidence=evidence)


def inconclusive(name: str, summary: str, *evidence: str) -> Step:
    """The step could not tell: the summary says why."""
    return Step(name=name, outcome=Outcome.INCONCLUSIVE, summary=summary, evidence=evidence)


def skipped(name: str, summary: str) -> Step:
    """The step was not worth trying: the summary says why."""
    return Step(name=name, outcome=Outcome.SKIPPED, summary=summary)


def counted(name: str, summary: str, outcome: Outcome, check: ConnectivityCheck) -> Step:
    """A step that made a connectivity check: its counts and latency as evidence."""
    latency = (f"latency {check.latencies}",) if check.latencies else ()
    evidence = (f"connection status {check.raw_status or 'not given'}", check.lost, *latency)
    return Step(name=name, outcome=outcome, summary=summary, evidence=evidence)


def followed(name: str, summary: str, outcome: Outcome, check: ConnectivityCheck) -> Step:
    """A step that shows the path of a connectivity check, hop by hop."""
    return Step(name=name, outcome=outcome, summary=summary, hops=tuple(map(_hop, check.hops)))


def _hop(hop: ProbedHop) -> Hop:
    issues = tuple(f"{issue.raw_type} {issue.value}".strip() for issue in hop.issues)
    return Hop(type=hop.type, address=hop.address, resource_id=hop.resource_id, issues=issues)
