"""An alert payload becomes diagnosis requests, a closure, or is ignored for a reason that can be told.

No request to Azure is made here: an action group waits for the answer.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from diagnostics.findings import fingerprint
from diagnostics.intake import targets, wire
from diagnostics.intake.messages import LONGEST_TEXT, ClosureRequest, DiagnosisRequest, Origin
from diagnostics.network.ids import ResourceId

_SAMPLE_IDS = ("12345678-1234-1234-1234-1234567890ab", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa")
_SAMPLE_RULE = re.compile(r"test-\w*alertrule", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The alert asks for these diagnoses, one for each connection it names."""

    requests: tuple[DiagnosisRequest, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """The alert is over."""

    request: ClosureRequest


@dataclass(frozen=True, slots=True)
class Ignored:
    """The alert names no VM. `key` identifies it, so that it is recorded once."""

    reason: str
    key: str
    alert_id: str | None
    alert_rule: str | None


def read(body: bytes, *, own_client_id: str | None = None) -> Accepted | Closed | Ignored:
    """What to do about an alert payload.

    The same payload always gives the same request ids, so that an alert delivered twice is one diagnosis.

    Args:
        body: the payload.
        own_client_id: the client id of vmreach's own identity; its own writes never start a diagnosis.

    Raises:
        ParseError: the payload isn't an alert.
    """
    alert = wire.read(body)
    core = alert.essentials
    alert_id = (core.alert_id or core.origin_alert_id or "")[:LONGEST_TEXT] or None
    if (core.monitor_condition or "").lower() == "resolved":
        return _closed(alert, alert_id)
    reason = _not_about_a_vm(alert)
    if own_client_id and wire.writer(alert.context) == own_client_id.lower():
        reason = "it is about a write of vmreach's own"
    found = () if reason else targets.of(alert)
    if not found:
        return _ignored(alert, alert_id, reason or _nothing_named(alert))
    if _is_a_test(alert, found):
        return _ignored(alert, alert_id, "the portal's 'Test action group' with sample resources: nothing to diagnose")
    fired_at = core.fired_date_time
    rule = core.alert_rule and core.alert_rule[:LONGEST_TEXT]
    signal = wire.signal(alert)
    origin = Origin(
        kind="alert",
        alert_id=alert_id,
        alert_rule=rule,
        signal=signal and signal[:LONGEST_TEXT],
        fired_at=fired_at and fired_at[:LONGEST_TEXT],
    )
    # Where an alert says neither which one it is nor when it fired, only its text tells it from the next one.
    occasion = fired_at or hashlib.sha256(body).hexdigest()
    unique: dict[str, DiagnosisRequest] = {}
    for target in found:
        request = _request(target, origin, occasion)
        unique.setdefault(request.request_id, request)
    return Accepted(tuple(unique.values()))


def _request(target: targets.Target, origin: Origin, occasion: str) -> DiagnosisRequest:
    source, destination = target.source, target.destination
    key = fingerprint(
        "diagnosis",
        origin.alert_id or origin.alert_rule or "",
        occasion,
        source.resource_id or source.name or "",
        (destination.resource_id or "") if destination else "",
        str(destination and (destination.address, destination.port)),
        target.protocol or "",
    )
    return DiagnosisRequest(
        request_id=key, source=source, destination=destination, protocol=target.protocol, origin=origin
    )


def _closed(alert: wire.Alert, alert_id: str | None) -> Closed | Ignored:
    core = alert.essentials
    if not alert_id:
        return _ignored(alert, None, "a resolved alert without an id closes nothing")
    key = fingerprint("closure", alert_id, core.fired_date_time or "", core.resolved_date_time or "")
    request = ClosureRequest(
        request_id=key,
        alert_id=alert_id,
        alert_rule=core.alert_rule and core.alert_rule[:LONGEST_TEXT],
        resolved_at=core.resolved_date_time and core.resolved_date_time[:LONGEST_TEXT],
    )
    return Closed(request)


def _ignored(alert: wire.Alert, alert_id: str | None, reason: str) -> Ignored:
    core = alert.essentials
    key = fingerprint("ignored", alert_id or "", core.alert_rule or "", core.fired_date_time or "")
    return Ignored(reason, key, alert_id, core.alert_rule)


def _not_about_a_vm(alert: wire.Alert) -> str | None:
    """Why this kind of alert is never about one VM, or None."""
    service = alert.service
    if service == "servicehealth":
        return "a service health alert names a service and regions, not a VM"
    if service == "costalerts" or alert.schema.lower().startswith("aip budget"):
        return "a cost alert is not about connectivity"
    if service == "resourcehealth" and str(alert.context.get("status")).lower() == "resolved":
        return "Resource Health says that the resource is available again"
    return None


def _nothing_named(alert: wire.Alert) -> str:
    """Why no VM was found, with what the alert is about and what to change."""
    kinds = {
        (rid.type or "subscription") if (rid := ResourceId.maybe(text)) else text for text in targets.listed(alert)
    }
    about = f"it is about {', '.join(sorted(kinds))}" if kinds else "it has no target"
    advice = "" if alert.common else "; turn on the common alert schema in the action group"
    if any("connectionmonitors" in kind for kind in kinds):
        advice += "; let the alert rule split on SourceResourceId, DestinationResourceId, DestinationAddress and -Port"
    return f"names no VM or network interface: {about[:300]}{advice}"


def _is_a_test(alert: wire.Alert, found: tuple[targets.Target, ...]) -> bool:
    """Whether the portal made this alert up ("Test action group"): sample ids, on sample resources in `test-RG`."""
    core = alert.essentials
    marks = (core.alert_id, core.origin_alert_id, str(alert.context.get("correlationId")), core.alert_rule)
    sample = any(str(mark).endswith(_SAMPLE_IDS) for mark in marks) or _SAMPLE_RULE.match(core.alert_rule or "")
    named = [target.source.resource for target in found]
    mock = all(
        (rid.resource_group.lower() == "test-rg" if rid else str(target.source.name).lower().startswith("test-"))
        for rid, target in zip(named, found, strict=True)
    )
    return bool(sample and mock)
