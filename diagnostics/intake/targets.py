"""Which VM or NIC an alert is about.

Azure names it in a different place for every kind of alert, and a connection monitor's own id stands where others have
the VM. The places are looked at from the most to the least explicit; the first that names something is taken.

Source: Azure Monitor, "Common alert schema"; Network Watcher, "Connection monitor overview" (metric dimensions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from diagnostics.intake import wire
from diagnostics.intake.messages import Endpoint, Protocol, is_host_or_address, is_vm_name
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId

SOURCES = frozenset(
    {ids.VIRTUAL_MACHINE, ids.NETWORK_INTERFACE, ids.SCALE_SET, ids.SCALE_SET_VM, ids.SCALE_SET_NETWORK_INTERFACE}
)
_WORKSPACE = "microsoft.operationalinsights/workspaces"
_NAME_DIMENSIONS = ("resource", "computer")


@dataclass(frozen=True, slots=True)
class Target:
    """One connection to diagnose: a source, and the destination if the alert names one."""

    source: Endpoint
    destination: Endpoint | None = None
    protocol: Protocol | None = None


def of(alert: wire.Alert) -> tuple[Target, ...]:
    """The connections that an alert names, without repeats; empty where it names no VM or NIC."""
    for place in _PLACES:
        found = tuple(dict.fromkeys(place(alert)))
        if found:
            return found
    return ()


def listed(alert: wire.Alert) -> tuple[str, ...]:
    """What the alert says it is about, VM or not."""
    return tuple(filter(None, alert.essentials.alert_targets or alert.essentials.configuration_items or ()))


def _from_custom_properties(alert: wire.Alert) -> Iterator[Target]:
    """`vmId` and `nicId` are vmreach's own convention: whoever sets them in the alert rule means it."""
    for properties in (alert.custom, alert.context.get("properties")):
        lowered = {str(k).lower(): v for k, v in properties.items()} if isinstance(properties, Mapping) else {}
        for name in ("vmid", "nicid"):
            yield from _sources(lowered.get(name))


def _from_dimensions(alert: wire.Alert) -> Iterator[Target]:
    for group in wire.dimensions(alert.context):
        named = {name.lower(): value for name, value in group}
        source = _source(named.get("sourceresourceid"))
        if source:
            yield Target(source, _destination(named), _protocol(named.get("protocol")))
        else:
            others = (value for name, value in named.items() if not name.startswith("destination"))
            yield from (target for value in others for target in _sources(value))


def _from_targets(alert: wire.Alert) -> Iterator[Target]:
    for text in alert.essentials.alert_targets or ():
        yield from _sources(text)


def _from_activity(alert: wire.Alert) -> Iterator[Target]:
    authorization, properties = alert.context.get("authorization"), alert.context.get("properties")
    if isinstance(authorization, Mapping):
        yield from _sources(authorization.get("scope"))
    if isinstance(properties, Mapping):
        yield from _sources(properties.get("entity"))


def _from_results(alert: wire.Alert) -> Iterator[Target]:
    """Log v1 alerts embed the rows of the query; column `_ResourceId` says which resource a row is about."""
    results = alert.context.get("SearchResults") or alert.context.get("SearchResult")
    tables = results.get("tables") if isinstance(results, Mapping) else None
    for table in tables if isinstance(tables, list) else ():
        yield from _rows(table) if isinstance(table, Mapping) else ()


def _from_names(alert: wire.Alert) -> Iterator[Target]:
    """Names of computers, or ids, in log alerts: only there are configuration items the monitored machines."""
    for group in wire.dimensions(alert.context):
        yield from (_named(value) for name, value in group if name.lower() in _NAME_DIMENSIONS and is_vm_name(value))
    affected = alert.context.get("AffectedConfigurationItems")
    items = [*(affected if isinstance(affected, list) else ()), *(alert.essentials.configuration_items or ())]
    for item in items:
        yield from _sources(item)
    about = [rid for text in alert.essentials.alert_targets or () if (rid := ResourceId.maybe(text))]
    is_log = "log" in (alert.essentials.signal_type or "").lower().split()[:1]
    if is_log and all(rid.type in {_WORKSPACE, ""} for rid in about):
        own = {rid.name.lower() for rid in about}
        names = [item for item in items if isinstance(item, str) and is_vm_name(item) and item.lower() not in own]
        yield from map(_named, names)


_PLACES: tuple[Callable[[wire.Alert], Iterator[Target]], ...] = (
    _from_custom_properties,
    _from_dimensions,
    _from_targets,
    _from_activity,
    _from_results,
    _from_names,
)


def _source(text: object) -> Endpoint | None:
    rid = ResourceId.maybe(text)
    if rid is not None and rid.type == ids.IP_CONFIGURATION:
        rid = rid.parent
    return Endpoint(resource_id=rid.text) if rid is not None and rid.type in SOURCES else None


def _sources(text: object) -> Iterator[Target]:
    source = _source(text)
    if source:
        yield Target(source)


def _named(name: str) -> Target:
    return Target(Endpoint(name=name))


def _destination(named: Mapping[str, str]) -> Endpoint | None:
    resource = _source(named.get("destinationresourceid"))
    addresses = (_host(named.get(name, "")) for name in ("destinationip", "destinationaddress"))
    address = next(filter(is_host_or_address, addresses), None)
    port = named.get("destinationport", "")
    number = int(port) if port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65_536 else None
    if resource is None and address is None:
        return None
    return Endpoint(resource_id=resource.resource_id if resource else None, address=address, port=number)


def _host(text: str) -> str:
    """The host of what a connection monitor calls an address: of an HTTP test it may be a whole URL."""
    try:
        return (urlsplit(text).hostname or "") if "://" in text else text
    except ValueError:
        return ""


def _protocol(text: str | None) -> Protocol | None:
    try:
        return Protocol(text) if text else None
    except ValueError:
        return None


def _rows(table: Mapping[str, Any]) -> Iterator[Target]:
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return
    names = [str(column.get("name")).lower() if isinstance(column, Mapping) else "" for column in columns]
    wanted = {i for i, name in enumerate(names) if name in {"_resourceid", "resourceid"}}
    for row in rows:
        cells = row if isinstance(row, list) else []
        yield from (target for i, cell in enumerate(cells) if i in wanted for target in _sources(cell))
