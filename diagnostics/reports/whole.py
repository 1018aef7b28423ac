"""The whole audit as JSON: every finding as on the findings queue, and all that could not be told."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from diagnostics.checks.audit import Audit, Suppressed, Unknown


def document(audit: Audit) -> dict[str, Any]:
    """`{"findings": […], "unknown": […], "checks": n}`, and `"suppressed"` where some were left out."""
    made: dict[str, Any] = {
        "findings": msgspec.to_builtins(audit.findings),
        "unknown": [_unknown(each) for each in audit.unknown],
        "checks": len(audit.checks),
    }
    if audit.suppressed:
        made["suppressed"] = [_suppressed(each) for each in audit.suppressed]
    return made


def write(audit: Audit) -> str:
    """The document as text, in ASCII: whatever reads it, and on whatever console."""
    return json.dumps(document(audit), indent=2) + "\n"


def _unknown(each: Unknown) -> dict[str, Any]:
    resource = msgspec.to_builtins(each.resource)
    return {"check": each.check, "title": each.title, "resource": resource, "missing": list(each.missing)}


def _suppressed(each: Suppressed) -> dict[str, Any]:
    return {
        "finding": msgspec.to_builtins(each.finding),
        "reason": each.reason,
        "until": each.until.isoformat(),
    }
