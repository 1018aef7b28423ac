"""Event Grid events about network interfaces become diagnosis requests.

Event Grid delivers them straight to queue `diagnosis-requests`: a NIC whose write failed is worth a look at once.

Source: Event Grid, "Azure subscription as an Event Grid source" (event and CloudEvents schema).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.findings import fingerprint
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem
from diagnostics.network.decoding import decode
from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId

_WRITE_FAILED = "microsoft.resources.resourcewritefailure"


def read(body: bytes, *, own_client_id: str | None = None) -> DiagnosisRequest | None:
    """Read a message of queue `diagnosis-requests`: a request, or an event of Event Grid.

    Args:
        body: the message.
        own_client_id: the client id of vmreach's own identity; its own writes never start a diagnosis.

    Returns:
        The request, or None for an event that asks for nothing (another type, another resource, our own write).

    Raises:
        ParseError: neither a request nor an event.
    """
    fields = decode(body, Any)
    if not isinstance(fields, Mapping):
        raise ParseError(f"$: expected an object, got {type(fields).__name__}")
    # Only what is an event by its form may be passed over; anything else is a request, or refused as none.
    kind = fields.get("eventType") or (fields.get("type") if "specversion" in fields else None)
    if not isinstance(kind, str) or not kind.lower().startswith("microsoft."):
        return DiagnosisRequest.read(body)
    if kind.lower() != _WRITE_FAILED:
        return None
    return _write_failure(fields, own_client_id)


def _write_failure(event: Mapping[str, Any], own_client_id: str | None) -> DiagnosisRequest | None:
    nic = ResourceId.parse(event.get("subject"), "$.subject")
    data = event.get("data")
    claims = data.get("claims") if isinstance(data, Mapping) else None
    writer = claims.get("appid") if isinstance(claims, Mapping) else None
    if nic.type != NETWORK_INTERFACE:
        return None
    if own_client_id and isinstance(writer, str) and writer.lower() == own_client_id.lower():
        return None
    event_id, when = event.get("id"), event.get("eventTime") or event.get("time")
    if not isinstance(event_id, str) or not event_id:
        raise ParseError(f"$.id: {event_id!r} is not the id of an event")
    origin = Origin(kind="event", alert_id=event_id, fired_at=when if isinstance(when, str) else None)
    return DiagnosisRequest(
        request_id=fingerprint("event", event_id, nic.key),
        problem=Problem.VM_TO_INTERNET,
        source=Endpoint(resource_id=nic.text),
        origin=origin,
    )
