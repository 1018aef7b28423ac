"""What stands around a network, from its Structs to what the estate's facts hold; and which types are read as what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.network.facts import (
    ActivityAlert,
    Bastion,
    Common,
    ConnectionMonitor,
    DiagnosticSetting,
    FlowLog,
    Lock,
    Watcher,
    Written,
)
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import fact_forms, forms
from diagnostics.network.reading.kinds import Kind
from diagnostics.network.references import reference

_OPERATION, _CATEGORY = "operationname", "category"
_DONE = frozenset({"succeeded", "accepted"})
# What the activity log says of changes that succeed.
_SUCCESS = {
    "status": frozenset({"started", "accepted", "succeeded"}),
    "level": frozenset({"informational", "verbose"}),
}


def common(raw: Mapping[str, Any], rid: ResourceId) -> Common:
    """What every resource has; an expression of a template tells nothing."""
    properties = _get(raw, "properties")
    inside = isinstance(properties, Mapping)
    tags, zones = _get(raw, "tags"), _get(raw, "zones")
    return Common(
        rid,
        location=_plain(_get(raw, "location")),
        state=_plain(_get(properties if inside else raw, "provisioningState")),
        tags={key: _plain(value) for key, value in tags.items()} if isinstance(tags, Mapping) else {},
        zones=tuple(str(each) for each in zones) if isinstance(zones, list) else (),
    )


def together(earlier: Common, later: Common) -> Common:
    """What two bodies of one resource come to: the later one counts in what it says."""
    return Common(
        later.id,
        later.location or earlier.location,
        later.state or earlier.state,
        later.tags or earlier.tags,
        later.zones or earlier.zones,
        later.file or earlier.file,
    )


def parts(network: forms.Network, rid: ResourceId) -> Iterator[Common]:
    """The states of a network's subnets and peerings."""
    for kind, listed in (
        ("subnets", network.properties.subnets),
        ("virtualNetworkPeerings", network.properties.virtual_network_peerings),
    ):
        for each in listed or ():
            if found := ResourceId.maybe(each.id or f"{rid}/{kind}/{each.name}"):
                yield Common(found, state=_plain(each.properties.provisioning_state))


def _get(raw: Mapping[str, Any], name: str) -> Any:
    if name in raw:
        return raw[name]
    lowered = name.lower()
    return next((raw[key] for key in raw if key.lower() == lowered), None)


def _plain(value: object) -> str:
    return value if isinstance(value, str) and not value.startswith("[") else ""


def _watcher(read: fact_forms.Watched) -> Watcher:
    return Watcher(ResourceId.parse(read.id, "$.id"), read.location, read.properties.provisioning_state)


def _monitor(read: fact_forms.Watched) -> ConnectionMonitor:
    return ConnectionMonitor(ResourceId.parse(read.id, "$.id"), read.location)


def _flow_log(read: fact_forms.FlowLog) -> FlowLog:
    properties, kept = read.properties, read.properties.retention_policy
    outer = properties.flow_analytics_configuration
    analytics = outer.network_watcher_flow_analytics_configuration if outer else None
    return FlowLog(
        id=ResourceId.parse(read.id, "$.id"),
        target=ResourceId.maybe(properties.target_resource_id),
        enabled=properties.enabled,
        state=properties.provisioning_state,
        storage=ResourceId.maybe(properties.storage_id),
        retention_days=kept.days if kept and kept.enabled else 0,
        analytics=bool(analytics and analytics.enabled),
    )


def _diagnostic_setting(read: fact_forms.DiagnosticSetting) -> DiagnosticSetting:
    # Azure's list for a subscription leaves out the first slash.
    rid = ResourceId.parse(f"/{read.id.lstrip('/')}", "$.id")
    target = ResourceId.parse(_extended(rid.text), "$.id")
    enabled = (each for each in read.properties.logs or () if each.enabled)
    names = (name for each in enabled for name in (each.category, each.category_group) if name)
    return DiagnosticSetting(rid, target, frozenset(map(str.lower, names)))


def _extended(text: str) -> str:
    """What an extension resource stands on: its id before the last provider."""
    return text[: text.lower().rfind("/providers/")]


def _alert(read: fact_forms.Alert) -> ActivityAlert:
    properties = read.properties
    terms = (properties.condition.all_of if properties.condition else None) or ()
    named, others = _named_by(terms)
    groups = (properties.actions.action_groups if properties.actions else None) or ()
    return ActivityAlert(
        id=ResourceId.parse(read.id, "$.id"),
        scopes=properties.scopes or (),
        enabled=properties.enabled is not False,
        operations=named[_OPERATION],
        categories=named[_CATEGORY],
        others=others,
        narrowed=any(map(_narrows, terms)),
        action_groups=tuple(rid for each in groups if (rid := ResourceId.maybe(each.action_group_id))),
    )


def _narrows(term: fact_forms.Term) -> bool:
    """Whether a term leaves out what succeeds: in each of its comparisons, by its status or level."""
    return all(map(_leaves_out, term.any_of or (term,)))


def _leaves_out(leaf: fact_forms.Leaf | fact_forms.Term) -> bool:
    values = {text.lower() for text in (leaf.equals, *(leaf.contains_any or ())) if text}
    success = _SUCCESS.get((leaf.field or "").lower())
    return bool(values) and success is not None and values.isdisjoint(success)


def _named_by(terms: Iterable[fact_forms.Term]) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """The operations and categories that an alert fires on, and the fields of all its other terms.

    A field of which two terms leave nothing counts among the others: as no name at all it would stand for any.
    """
    named: dict[str, frozenset[str]] = {_OPERATION: frozenset(), _CATEGORY: frozenset()}
    others: set[str] = set()
    for term in terms:
        leaves = term.any_of or (term,)
        fields = {(leaf.field or "").lower() for leaf in leaves}
        field = fields.pop() if len(fields) == 1 else ""
        if field not in named:
            others |= fields | ({field} if field else set())
            continue
        values = frozenset(
            text.lower() for leaf in leaves for text in (leaf.equals, *(leaf.contains_any or ())) if text
        )
        both = values & named[field] if named[field] else values
        others |= set() if both else {field}
        named[field] = both or named[field]
    return named, frozenset(others - {""})


def _lock(read: fact_forms.Lock) -> Lock:
    rid = ResourceId.parse(read.id, "$.id")
    return Lock(rid, _extended(rid.key), read.properties.level)


def _bastion(read: fact_forms.Bastion) -> Bastion:
    subnets = (reference(each.properties.subnet) for each in read.properties.ip_configurations or ())
    network = reference(read.properties.virtual_network)
    return Bastion(ResourceId.parse(read.id, "$.id"), next(filter(None, subnets), None), network)


def written(read: fact_forms.Event) -> Written | None:
    """A write that was done or accepted; None for all else that the activity log tells of.

    Raises:
        ParseError: the time is none.
    """
    operation, rid = _said(read.operation_name), ResourceId.maybe(read.resource_id or read.resource_uri)
    if rid is None or not operation.lower().endswith("/write") or _said(read.status).lower() not in _DONE:
        return None
    return Written(rid, _moment(read.event_timestamp), read.caller or "", operation)


def _moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ParseError(f"$.eventTimestamp: {text!r} is no time") from None


def _said(read: fact_forms.Said | str | None) -> str:
    return read.value if isinstance(read, fact_forms.Said) else read or ""


def older_flow_log(value: Mapping[str, Any]) -> dict[str, Any]:
    """What Network Watcher told of an NSG before flow logs were resources: it has its target's id for its own."""
    inner = value.get("properties")
    said = {**value, **(inner if isinstance(inner, Mapping) else {})}
    return {"id": _get(value, "targetResourceId"), "properties": {k: v for k, v in said.items() if k != "properties"}}


FLOW_LOGS = "microsoft.network/networkwatchers/flowlogs"
KINDS = {
    "microsoft.network/networkwatchers": Kind(fact_forms.Watched, "watchers", _watcher),
    FLOW_LOGS: Kind(fact_forms.FlowLog, "flow_logs", _flow_log),
    "microsoft.network/networkwatchers/connectionmonitors": Kind(fact_forms.Watched, "connection_monitors", _monitor),
    "microsoft.insights/diagnosticsettings": Kind(
        fact_forms.DiagnosticSetting, "diagnostic_settings", _diagnostic_setting
    ),
    "microsoft.insights/activitylogalerts": Kind(fact_forms.Alert, "activity_alerts", _alert),
    "microsoft.authorization/locks": Kind(fact_forms.Lock, "locks", _lock),
    "microsoft.network/bastionhosts": Kind(fact_forms.Bastion, "bastions", _bastion),
}
FIELDS = frozenset(kind.field for kind in KINDS.values())
"""Where the facts keep them."""
