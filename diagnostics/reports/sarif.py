"""An audit as SARIF 2.1.0, which code scanning and editors show: a rule for each check, a result for each finding.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (OASIS); "SARIF support for code scanning"
(GitHub), which shows `security-severity` and asks for a physical location.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from diagnostics import __version__
from diagnostics.checks.audit import ANY, Audit, Unknown
from diagnostics.checks.catalogue import Check
from diagnostics.findings import Finding, Resource, Severity, fingerprint

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
_LINE_HASH = "primaryLocationLineHash"
"""The one that GitHub goes by. Without it, it hashes the line, and takes all that a rule finds in a file for one."""


def write(audit: Audit) -> str:
    """The log as text, in ASCII: whatever reads it, and on whatever console."""
    return json.dumps(document(audit), indent=2) + "\n"


def document(audit: Audit) -> dict[str, Any]:
    """The log: one run; what could not be told are notifications, and results of kind `open`."""
    places = {check.id: number for number, check in enumerate(audit.checks)}
    results = [_result(finding, places, audit.files) for finding in audit.findings]
    for each in audit.suppressed:
        why = f"{each.reason} (until {each.until})"
        results.append(
            {**_result(each.finding, places, audit.files), "suppressions": [{"kind": "external", "justification": why}]}
        )
    results += [_open(each, places, audit.files) for each in audit.unknown if each.check != ANY]
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


def _result(finding: Finding, places: Mapping[str, int], files: Mapping[str, str]) -> dict[str, Any]:
    because = " ".join(cause.text if cause.text.endswith(".") else f"{cause.text}." for cause in finding.because)
    text = f"{finding.title}. {because} {finding.remedy.summary}"
    return {
        "ruleId": finding.check,
        "ruleIndex": places[finding.check],
        "level": _LEVELS[finding.severity],
        "kind": "fail",
        "message": {"text": " ".join(text.split())},
        "locations": [_location(finding.resource, files)],
        "partialFingerprints": _prints(finding.finding_id),
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "severity": finding.severity,
            "confidence": finding.confidence,
            "azCli": finding.remedy.az_cli,
            "bicep": finding.remedy.bicep,
        },
    }


def _open(each: Unknown, places: Mapping[str, int], files: Mapping[str, str]) -> dict[str, Any]:
    """A resource of which a check could not tell: SARIF's kind `open`, whose level is always `none`."""
    text = f"{each.title}: not known of {each.resource.name}, for this is missing: {', '.join(each.missing)}"
    return {
        "ruleId": each.check,
        "ruleIndex": places[each.check],
        "level": "none",
        "kind": "open",
        "message": {"text": text},
        "locations": [_location(each.resource, files)],
        "partialFingerprints": _prints(fingerprint(each.check, each.resource.id, "unknown", *each.missing)),
    }


def _prints(text: str) -> dict[str, str]:
    return {_FINGERPRINT: text, _LINE_HASH: text}


def _notifications(audit: Audit) -> Iterator[dict[str, Any]]:
    """What could not be read, of which no check can tell anything."""
    for each in audit.unknown:
        if each.check == ANY:
            text = f"{each.resource.name}: {', '.join(each.missing)}"
            yield {"level": "warning", "message": {"text": text}, "descriptor": {"id": "could-not-be-read"}}


def _location(resource: Resource, files: Mapping[str, str]) -> dict[str, Any]:
    """The file that a resource was read from; else its id stands in for a path, for viewers that show only files."""
    logical = {"name": resource.name, "fullyQualifiedName": resource.id, "kind": "resource"}
    file = files.get(resource.id.lower())
    physical = {"artifactLocation": {"uri": _uri(file) if file else _quoted(resource.id)}, "region": {"startLine": 1}}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _uri(file: str) -> str:
    """A relative one is against the folder that the audit was run in: code scanning takes that for the repository's."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), safe="/~", errors="replace")


def _quoted(rid: str) -> str:
    return quote(rid.lstrip("/"), safe="/~", errors="replace")


def _semantic(version: str) -> str:
    """Python's spelling of a version in that of semver: `0.3.0.dev1` is `0.3.0-dev1`."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+)\.?(\w+)?", version)
    return f"{found[1]}-{found[2]}" if found and found[2] else found[1] if found else version
