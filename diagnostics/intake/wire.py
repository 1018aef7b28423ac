"""Alert payloads as Azure Monitor sends them, brought into one form.

The common alert schema is what action groups should be set to; the older shapes (classic metric, log and activity-log
alerts, which arrive where somebody forgot the switch) carry enough to find the resource, so they are read too.

Source: Azure Monitor, "Common alert schema" and "Sample alert payloads". Every field is optional there in practice:
cost alerts send null for most of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.decoding import convert, decode

_COMMON = "azuremonitorcommonalertschema"
_ALERT_KEYS = frozenset({"schemaid", "data", "essentials", "alertcontext", "context", "alertrulename", "searchquery"})


class Essentials(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`data.essentials`: what all alerts share."""

    alert_id: str | None = None
    alert_rule: str | None = None
    signal_type: str | None = None
    monitor_condition: str | None = None
    monitoring_service: str | None = None
    alert_targets: list[str | None] | None = msgspec.field(default=None, name="alertTargetIDs")
    configuration_items: list[str | None] | None = None
    origin_alert_id: str | None = None
    fired_date_time: str | None = None
    resolved_date_time: str | None = None


class _Data(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    essentials: Essentials
    alert_context: dict[str, Any] | None = None
    custom_properties: dict[str, Any] | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert in one form, whatever schema it came in.

    Attributes:
        context: `alertContext`, or the part of an older payload that plays its role; of unknown shape.
        common: whether it came in the common alert schema.
    """

    essentials: Essentials
    context: Mapping[str, Any] = {}
    custom: Mapping[str, Any] = {}
    schema: str = ""
    common: bool = True

    @property
    def service(self) -> str:
        """What sent it, in one spelling: `Resource Health` and `ResourceHealth` are one."""
        return (self.essentials.monitoring_service or "").replace(" ", "").lower()


def read(body: bytes) -> Alert:
    """Read an alert payload.

    Raises:
        ParseError: it isn't JSON, isn't an alert, or a field of the common alert schema has the wrong type.
    """
    payload = decode(body, dict[str, Any])
    if not _ALERT_KEYS & {key.lower() for key in payload}:
        raise ParseError("$: not an alert of Azure Monitor: it has none of schemaId, data, essentials, context")
    schema = payload.get("schemaId")
    data = payload.get("data")
    if "data" in payload and not isinstance(data, dict):
        raise ParseError(f"$.data: expected an object, got {type(data).__name__}")
    inner = data.get("data") if isinstance(data, dict) and isinstance(data.get("data"), dict) else data
    if isinstance(schema, str) and schema.strip().lower() == _COMMON:
        return _common(payload, str(schema), "$.data" if "data" in payload else "$")
    if isinstance(inner, dict) and isinstance(inner.get("essentials"), dict):
        return _common({"data": inner}, str(schema or ""), "$.data.data" if inner is not data else "$.data")
    return _older(inner if isinstance(inner, dict) else payload, str(schema or ""))


def _common(payload: dict[str, Any], schema: str, where: str) -> Alert:
    data = convert(payload.get("data"), _Data, where)
    context, custom = data.alert_context or {}, data.custom_properties or {}
    return Alert(essentials=data.essentials, context=context, custom=custom, schema=schema)


def _older(data: dict[str, Any], schema: str) -> Alert:
    """Classic metric alerts have `context`, activity-log alerts `context.activityLog`, log alerts are flat."""
    context = _mapping(data.get("context"))
    activity = _mapping(context.get("activityLog"))
    core = activity or context or _mapping(data.get("alertContext")) or data
    target = core.get("resourceId")
    status = str(data.get("status") or "")
    essentials = Essentials(
        alert_id=_text(context.get("id")) or _text(core.get("eventDataId")),
        alert_rule=_text(context.get("name")) or _text(data.get("AlertRuleName")),
        signal_type=_signal(activity, core),
        monitor_condition="Resolved" if status.lower() in {"deactivated", "resolved"} else "Fired",
        monitoring_service=_text(activity.get("eventSource")),
        alert_targets=[target] if isinstance(target, str) else None,
        configuration_items=[item for item in _list(core.get("AffectedConfigurationItems")) if isinstance(item, str)],
        fired_date_time=_text(context.get("timestamp"))
        or _text(activity.get("eventTimestamp"))
        or _text(core.get("SearchIntervalEndtimeUtc")),
    )
    custom = _mapping(data.get("properties")) or _mapping(data.get("customProperties"))
    return Alert(essentials=essentials, context=core, custom=custom, schema=schema, common=False)


def _signal(activity: Mapping[str, Any], core: Mapping[str, Any]) -> str:
    if activity:
        return "Activity Log"
    return "Log" if "SearchQuery" in core else "Metric"


def writer(context: Mapping[str, Any]) -> str | None:
    """The client id, lower-cased, of whoever made the write that an activity-log alert is about.

    `claims` is a string that holds JSON there.
    """
    claims = context.get("claims")
    try:
        read = msgspec.json.decode(claims) if isinstance(claims, str) else claims
    except (msgspec.DecodeError, RecursionError):
        return None
    return str(_mapping(read).get("appid") or "").lower() or None


def signal(alert: Alert) -> str | None:
    """What an alert watches, in a few words; None where it does not say."""
    conditions = _list(_mapping(alert.context.get("condition")).get("allOf"))
    names = [_text(_mapping(condition).get("metricName")) for condition in conditions]
    metrics = list(dict.fromkeys(name for name in names if name))
    if metrics:
        return f"metric {', '.join(metrics)}"
    if alert.service == "resourcehealth":
        return "resource health"
    operation = alert.context.get("operationName")
    return _text(_mapping(operation).get("value") if isinstance(operation, dict) else operation)


def dimensions(context: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], ...]]:
    """The dimensions of each condition of an alert, as (name, value) pairs; one group per condition.

    Metric and log v2 alerts have `condition.allOf[].dimensions[]`, log v1 alerts `Dimensions[]`; either spells
    `name` and `value` with a capital sometimes.
    """
    for condition in _list(_mapping(context.get("condition")).get("allOf")):
        yield tuple(_pairs(_mapping(condition).get("dimensions")))
    for spelling in ("Dimensions", "dimensions"):
        yield tuple(_pairs(context.get(spelling)))


def _pairs(items: object) -> Iterator[tuple[str, str]]:
    for item in _list(items):
        lowered = {str(key).lower(): value for key, value in _mapping(item).items()}
        name, value = lowered.get("name"), lowered.get("value")
        if isinstance(name, str) and isinstance(value, str | int):
            yield name, str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
