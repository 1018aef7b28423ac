"""An audit as SARIF 2.1.0, which code scanning and editors show: a rule for each check, a result for each finding.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (OASIS); "SARIF support for code scanning"
(GitHub), which shows `security-severity` and asks for a physical location.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from diagnostics import __version__
from diagnostics.checks.audit import ANY, Audit, Unknown
from diagnostics.checks.catalogue import Check
from diagnostics.findings import Finding, Resource, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
"""What GitHub sorts by; its bands are those of CVSS."""

_FINGERPRINT = "vmreach/v1"


def write(audit: Audit) -> str:
    """The log as text."""
    return msgspec.json.format(msgspec.json.encode(document(audit)), indent=2).decode() + "\n"


def document(audit: Audit) -> dict[str, Any]:
    """The log: one run; what could not be told are notifications, and results of kind `open`."""
    places = {check.id: number for number, check in enumerate(audit.checks)}
    results = [_result(finding, places) for finding in audit.findings]
    for each in audit.suppressed:
        why = f"{each.reason} (until {each.until})"
        results.append({**_result(each.finding, places), "suppressions": [{"kind": "external", "justification": why}]})
    results += [_open(each, places) for each in audit.unknown if each.check != ANY]
    driver = {
        "name": "vmreach",
        "version": __version__,
        "semanticVersion": _semantic(__version__),
        "rules": [_rule(check) for check in audit.checks],
    }
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": [*_notifications(audit)]}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results, "columnKind": "utf16CodeUnits"}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in re.findall(r"\w+", check.title)),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": f"{check.advice}\n\nExamples, and how to mend it: docs/checks.md, section {check.id}."},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"security-severity": _SCORES[check.severity], "tags": ["azure", "network", "security"]},
    }


def _result(finding: Finding, places: Mapping[str, int]) -> dict[str, Any]:
    because = " ".join(cause.text if cause.text.endswith(".") else f"{cause.text}." for cause in finding.because)
    text = f"{finding.title}. {because} {finding.remedy.summary}"
    return {
        "ruleId": finding.check,
        "ruleIndex": places[finding.check],
        "level": _LEVELS[finding.severity],
        "kind": "fail",
        "message": {"text": " ".join(text.split())},
        "locations": [_location(finding.resource)],
        "partialFingerprints": {_FINGERPRINT: finding.finding_id},
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "severity": finding.severity,
            "confidence": finding.confidence,
            "azCli": finding.remedy.az_cli,
            "bicep": finding.remedy.bicep,
        },
    }


def _open(each: Unknown, places: Mapping[str, int]) -> dict[str, Any]:
    """A resource of which a check could not tell: SARIF's kind `open`, whose level is always `none`."""
    text = f"{each.title}: not known of {each.resource.name}, for this is missing: {', '.join(each.missing)}"
    return {
        "ruleId": each.check,
        "ruleIndex": places[each.check],
        "level": "none",
        "kind": "open",
        "message": {"text": text},
        "locations": [_location(each.resource)],
    }


def _notifications(audit: Audit) -> Iterator[dict[str, Any]]:
    """What could not be read, of which no check can tell anything."""
    for each in audit.unknown:
        if each.check == ANY:
            text = f"{each.resource.name}: {', '.join(each.missing)}"
            yield {"level": "warning", "message": {"text": text}, "descriptor": {"id": "could-not-be-read"}}


def _location(resource: Resource) -> dict[str, Any]:
    """A resource is no file: its id stands in for a path, as viewers that show only files want one."""
    logical = {"name": resource.name, "fullyQualifiedName": resource.id, "kind": "resource"}
    uri = re.sub(r"[^A-Za-z0-9/._~-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), resource.id)
    physical = {"artifactLocation": {"uri": uri.lstrip("/")}, "region": {"startLine": 1}}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _semantic(version: str) -> str:
    """Python's spelling of a version in that of semver: `0.3.0.dev1` is `0.3.0-dev1`."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+)\.?(\w+)?", version)
    return f"{found[1]}-{found[2]}" if found and found[2] else found[1] if found else version
