"""Findings: what is wrong, on which resource, because of what, how sure, how severe, and what to do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal, Self

import msgspec

from diagnostics.network.ids import ResourceId

QUEUE_LIMIT = 48 * 1024
"""Bytes of a queue message before base64 encoding (Azure Queue Storage: 64 KiB encoded)."""


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Status(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    REMEDIATED = "remediated"
    REMEDIATION_FAILED = "remediation-failed"


class Confidence(StrEnum):
    """How sure: `proven` was read from Azure itself, `likely` explains all that was seen, `possible` fits it."""

    PROVEN = "proven"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Outcome(StrEnum):
    """How a step of a runbook ended. Inconclusive is never a pass: something could not be read or tried."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


class _Record(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel", omit_defaults=False):
    """What all parts of a finding share: immutable, camelCase on the wire."""


class Resource(_Record, frozen=True, kw_only=True, gc=False):
    """The resource that a finding is about. Empty strings where an id does not say."""

    id: str
    name: str
    type: str
    subscription_id: str = ""
    resource_group: str = ""
    location: str = ""
    portal_url: str = ""

    @classmethod
    def of(cls, resource_id: ResourceId, location: str = "") -> Self:
        """The resource with this id."""
        return cls(
            id=resource_id.text,
            name=resource_id.name,
            type=resource_id.type,
            subscription_id=resource_id.subscription,
            resource_group=resource_id.resource_group,
            location=location,
        )


class Cause(_Record, frozen=True, kw_only=True, gc=False):
    """One thing that decided, in words and by name.

    Attributes:
        kind: `security-rule`, `route`, `usage`, `firewall`, `dns-name`, `provisioning-state`, `power-state`, `probe`, …
        text: one sentence.
        name: the name of the rule, route, firewall, …; empty where it has none.
        resource_id: where it lies, if known.
    """

    kind: str
    text: str
    name: str = ""
    resource_id: str = ""


class Hop(_Record, frozen=True, kw_only=True, gc=False):
    """One hop of a probe, as a step's evidence shows it."""

    type: str
    address: str = ""
    resource_id: str = ""
    issues: tuple[str, ...] = ()


class Step(_Record, frozen=True, kw_only=True, gc=False):
    """One step of a runbook and how it ended.

    Attributes:
        evidence: what was seen, one fact a line.
        hops: the path of the step's probe; empty for steps that probe nothing.
    """

    name: str
    outcome: Outcome
    summary: str
    evidence: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()


class Remedy(_Record, frozen=True, kw_only=True, gc=False):
    """What to do about it: in words, as an `az` command, as Bicep, and where to read on. Empty where there is none."""

    summary: str
    az_cli: str = ""
    bicep: str = ""
    doc_url: str = ""
    portal_url: str = ""


class Change(_Record, frozen=True, kw_only=True, gc=False):
    """Who changed the resource last, from the activity log."""

    when: datetime
    who: str
    operation: str


class Finding(_Record, frozen=True, kw_only=True, gc=False):
    """What is wrong. See docs/schemas/finding.json for the wire form.

    `finding_id` is a fingerprint: the same fault on the same resource for the same reason has the same id in every
    run, so that a finding seen twice is one finding.
    """

    schema_version: Literal["1.0"] = "1.0"
    finding_id: str
    check: str
    title: str
    severity: Severity
    status: Status = Status.OPEN
    confidence: Confidence
    resource: Resource
    because: tuple[Cause, ...] = ()
    steps: tuple[Step, ...] = ()
    remedy: Remedy
    change: Change | None = None
    request_id: str = ""
    first_seen_at: datetime | None = None
    observed_at: datetime | None = None

    def to_json(self, limit: int = QUEUE_LIMIT) -> bytes:
        """The wire form in at most `limit` bytes; what has to go for it goes from the least important, and is counted.

        Evidence of the steps goes first, then hops, then causes from the end, and at last the steps.
        """
        for smaller in _smaller_and_smaller(self):
            body = msgspec.json.encode(smaller)
            if len(body) <= limit:
                return body
        raise ValueError(f"finding {self.finding_id} does not fit into {limit} bytes")


def fingerprint(check: str, resource: str, *parts: str) -> str:
    """A stable id for a fault: check, resource and what tells it apart, whatever their case. 32 hexadecimal digits."""
    text = "\x1f".join((check, resource, *parts)).lower()  # what stands between them is no letter: each is as alone
    return sha256(text.encode()).hexdigest()[:32]


_WORDS = 400
_KEPT = 12
_LONGEST_ID = 1_024


def _smaller_and_smaller(finding: Finding) -> tuple[Finding, ...]:
    """The finding, then with less and less detail: to be tried in order."""
    replace, change = msgspec.structs.replace, finding.change
    counted = tuple(
        replace(step, evidence=(f"({len(step.evidence)} facts left out for size)",)) if step.evidence else step
        for step in finding.steps
    )
    without_evidence = replace(finding, steps=counted)
    without_hops = replace(without_evidence, steps=tuple(replace(step, hops=()) for step in counted))
    left_out = len(finding.because) - _KEPT
    more = (Cause(kind="left-out", text=f"{left_out} more causes left out for size"),) if left_out > 0 else ()
    few_causes = replace(
        without_hops,
        because=tuple(map(_cut_cause, finding.because[:_KEPT])) + more,
        title=_cut(finding.title),
        remedy=Remedy(summary=_cut(finding.remedy.summary), doc_url=finding.remedy.doc_url),
        change=change and replace(change, who=_cut(change.who), operation=_cut(change.operation)),
        request_id=_cut(finding.request_id),
    )
    few_steps = replace(
        few_causes,
        steps=tuple(Step(name=_cut(s.name), outcome=s.outcome, summary=_cut(s.summary)) for s in counted[:_KEPT]),
    )
    barest = replace(few_steps, steps=(), because=few_steps.because[:1])
    return finding, without_evidence, without_hops, few_causes, few_steps, barest


def _cut_cause(cause: Cause) -> Cause:
    # Half an id names another resource, or none.
    where = cause.resource_id if len(cause.resource_id) <= _LONGEST_ID else ""
    return Cause(kind=_cut(cause.kind), text=_cut(cause.text), name=_cut(cause.name), resource_id=where)


def _cut(text: str) -> str:
    return text if len(text) <= _WORDS else text[: _WORDS - 1] + "…"
