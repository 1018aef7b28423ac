"""What stands around a network, as msgspec Structs: watchers, logs, alerts, locks; all fields may be missing."""

from __future__ import annotations

import msgspec

from diagnostics.network.reading.forms import Frontend
from diagnostics.network.wire import Flag, Ref


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    """Fields in camelCase, as ARM writes them."""


class StateProperties(_Camel, frozen=True):
    """`properties` of which only the state counts."""

    provisioning_state: str = ""


class Watched(_Camel, frozen=True):
    """A Network Watcher or a connection monitor: that it exists is all that is asked of it."""

    id: str
    location: str = ""
    properties: StateProperties = StateProperties()


class Retention(_Camel, frozen=True):
    """`retentionPolicy` of a flow log."""

    days: int = 0
    enabled: bool = False


class WatcherAnalytics(_Camel, frozen=True):
    """Traffic analytics of a flow log."""

    enabled: bool = False


class Analytics(_Camel, frozen=True):
    """`flowAnalyticsConfiguration` of a flow log."""

    network_watcher_flow_analytics_configuration: WatcherAnalytics | None = None


class FlowLogProperties(_Camel, frozen=True):
    """`properties` of a flow log."""

    target_resource_id: str = ""
    storage_id: str = ""
    enabled: bool = False
    retention_policy: Retention | None = None
    flow_analytics_configuration: Analytics | None = None
    provisioning_state: str = ""


class FlowLog(_Camel, frozen=True):
    """A flow log."""

    id: str
    properties: FlowLogProperties = FlowLogProperties()


class LogSetting(_Camel, frozen=True):
    """A category, or a group of categories, of a diagnostic setting."""

    category: str | None = None
    category_group: str | None = None
    enabled: bool = False


class DiagnosticProperties(_Camel, frozen=True):
    """`properties` of a diagnostic setting."""

    logs: tuple[LogSetting, ...] | None = None
    metrics: tuple[LogSetting, ...] | None = None


class DiagnosticSetting(_Camel, frozen=True):
    """A diagnostic setting."""

    id: str
    properties: DiagnosticProperties = DiagnosticProperties()


class Leaf(_Camel, frozen=True):
    """One comparison of an alert's condition."""

    field: str | None = None
    equals: str | None = None
    contains_any: tuple[str, ...] | None = None


class Term(_Camel, frozen=True):
    """One of the terms that all have to hold: a comparison, or several of which one has to."""

    field: str | None = None
    equals: str | None = None
    contains_any: tuple[str, ...] | None = None
    any_of: tuple[Leaf, ...] | None = None


class Condition(_Camel, frozen=True):
    """`condition` of an alert."""

    all_of: tuple[Term, ...] | None = None


class ActionGroup(_Camel, frozen=True):
    """A reference to an action group."""

    action_group_id: str = ""


class Actions(_Camel, frozen=True):
    """`actions` of an alert."""

    action_groups: tuple[ActionGroup, ...] | None = None


class AlertProperties(_Camel, frozen=True):
    """`properties` of an alert rule of the activity log."""

    scopes: tuple[str, ...] | None = None
    enabled: bool | None = None
    condition: Condition | None = None
    actions: Actions | None = None


class Alert(_Camel, frozen=True):
    """An alert rule of the activity log."""

    id: str
    properties: AlertProperties = AlertProperties()


class LockProperties(_Camel, frozen=True):
    """`properties` of a lock."""

    level: str = ""


class Lock(_Camel, frozen=True):
    """A management lock."""

    id: str
    properties: LockProperties = LockProperties()


class BastionProperties(_Camel, frozen=True):
    """`properties` of a bastion host."""

    ip_configurations: tuple[Frontend, ...] | None = None
    virtual_network: Ref | str | None = None
    enable_tunneling: Flag = None
    dns_name: str | None = None


class Bastion(_Camel, frozen=True):
    """A bastion host."""

    id: str
    properties: BastionProperties = BastionProperties()


class Said(_Camel, frozen=True):
    """A word of the activity log, with how it is shown."""

    value: str = ""


class Event(_Camel, frozen=True):
    """A row of the activity log."""

    event_timestamp: str
    resource_id: str | None = None
    resource_uri: str | None = None
    operation_name: Said | str | None = None
    status: Said | str | None = None
    caller: str | None = None
