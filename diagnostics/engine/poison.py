"""A message that failed every try becomes a finding: nothing disappears silently."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import msgspec

from diagnostics.errors import ParseError
from diagnostics.findings import Cause, Confidence, Finding, Remedy, Resource, Severity, Step, fingerprint
from diagnostics.findings import Outcome as StepOutcome
from diagnostics.intake.messages import decode
from diagnostics.network.ids import ResourceId

NOT_PROCESSED = "OPS001"
_KEPT = 24_000
"""Bytes of a message that a finding keeps, as JSON: half of what fits into a queue message."""


def undelivered(queue: str, body: bytes) -> tuple[str | None, Finding]:
    """The finding for a message of `<queue>-poison`, with the message itself, and the id of the request in it."""
    fields = _fields(body)
    request_id = fields.get("requestId") if isinstance(fields.get("requestId"), str) else None
    resource = _resource(fields)
    text = body.decode("utf-8", "replace")
    about = f" for {resource.name}" if resource else ""
    finding = Finding(
        finding_id=fingerprint(NOT_PROCESSED, queue, request_id or text),
        check=NOT_PROCESSED,
        title=f"A message of queue {queue}{about} could not be processed",
        severity=Severity.HIGH,
        confidence=Confidence.PROVEN,
        resource=Resource.of(resource) if resource else Resource(id="", name=queue, type="queue"),
        because=(
            Cause(
                kind="message",
                text=f"It failed every try and was moved to {queue}-poison; the function's log says why.",
                name=request_id or "",
            ),
        ),
        steps=(Step(name="Message", outcome=StepOutcome.FAILED, summary="as it arrived", evidence=(_kept(text),)),),
        remedy=Remedy(
            summary=(
                f"Look in Application Insights at why the function that reads {queue} failed, and mend the cause. "
                f"Then put the message, which is the evidence of this finding, on {queue} again, as base64."
            )
        ),
        request_id=request_id or "",
    )
    return request_id, finding


def _kept(text: str) -> str:
    """As much of a message as a finding can carry: a character takes up to six bytes there."""
    fits = bisect_right(range(len(text) + 1), _KEPT, key=lambda length: len(msgspec.json.encode(text[:length]))) - 1
    return text if fits == len(text) else f"{text[:fits]}… ({len(text) - fits} characters left out)"


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = decode(body, Any)
    except ParseError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _resource(fields: Mapping[str, Any]) -> ResourceId | None:
    source = fields.get("source")
    named = source.get("resourceId") if isinstance(source, dict) else None
    return (
        ResourceId.maybe(named) or ResourceId.maybe(fields.get("resourceId")) or ResourceId.maybe(fields.get("subject"))
    )
