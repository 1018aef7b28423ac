"""What stands around the network: who watches it, who is told of changes, and what every resource has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from diagnostics.network.ids import ResourceId


def _no_tags() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Common:
    """What every top-level resource has, of whatever type.

    Attributes:
        state: `properties.provisioningState` as Azure spells it; empty where the body does not say.
        tags: as they are written; Azure compares their names in any case.
        zones: availability zones.
        file: the path of the file that it was read from; empty where it was read from none. It is about the export.
    """

    id: ResourceId
    location: str = ""
    state: str = ""
    tags: Mapping[str, str] = field(default_factory=_no_tags)
    zones: tuple[str, ...] = ()
    file: str = field(default="", compare=False)

    def tag(self, name: str) -> str | None:
        """The value of a tag, its name in any case; None where it has none."""
        return next((value for key, value in self.tags.items() if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Watcher:
    """A Network Watcher: one for a region of a subscription."""

    id: ResourceId
    location: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class FlowLog:
    """A flow log.

    Attributes:
        id: its own; where an older answer of Network Watcher has none, its target's.
        target: the virtual network, subnet, NIC or NSG whose flows it records.
        retention_days: how long; 0 where the policy is off, which keeps them for ever.
        analytics: whether traffic analytics is on.
    """

    id: ResourceId
    target: ResourceId | None
    enabled: bool
    state: str = ""
    storage: ResourceId | None = None
    retention_days: int = 0
    analytics: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionMonitor:
    """A connection monitor of Network Watcher."""

    id: ResourceId
    location: str = ""


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """A diagnostic setting.

    Attributes:
        target: the resource whose logs it sends on.
        logs: the categories and category groups of logs that are enabled, lower-cased.
    """

    id: ResourceId
    target: ResourceId
    logs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ActivityAlert:
    """An alert rule of the activity log.

    Attributes:
        scopes: subscriptions, resource groups or resources that it is for, as texts.
        operations: the `operationName`s it fires on, lower-cased; empty where it names none.
        categories: the `category`s it fires on, lower-cased.
        others: the fields of its further conditions, lower-cased (`level`, `status`, `caller`, …): with one of them it
            may fire on less.
        narrowed: whether a status or level keeps it from firing on what succeeds: `status` Failed, `level` Error.
        action_groups: whom it tells; an alert without any tells nobody.
    """

    id: ResourceId
    scopes: tuple[str, ...]
    enabled: bool
    operations: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    narrowed: bool = False
    action_groups: tuple[ResourceId, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock.

    Attributes:
        scope: what it is on, in lower case: a subscription, a resource group or a resource; it holds for all below.
        level: `CanNotDelete` or `ReadOnly`.
    """

    id: ResourceId
    scope: str
    level: str


@dataclass(frozen=True, slots=True)
class Bastion:
    """An Azure Bastion host.

    Attributes:
        subnet: its AzureBastionSubnet; None for the Developer SKU, which stands by a virtual network.
    """

    id: ResourceId
    subnet: ResourceId | None = None
    network: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A write that the activity log tells of.

    Attributes:
        resource: what was written: an NSG rule, a route, an NSG, …
        who: the caller, as Azure names it.
    """

    resource: ResourceId
    when: datetime
    who: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. How much was listed is about the export, not about the network: it makes no two facts different.

    Attributes:
        resources: what every resource of the estate has, whatever its type, by id.
        listed: lower-cased types of which everything was listed: of these, what is not there does not exist.
        listed_in: types, each with a lower-cased subscription of which that is so, though it need not be so of others.
        complete: whether that holds for every type.
        writes: the oldest first.
    """

    resources: Mapping[ResourceId, Common] = field(default_factory=lambda: MappingProxyType({}))
    watchers: Mapping[ResourceId, Watcher] = field(default_factory=lambda: MappingProxyType({}))
    flow_logs: Mapping[ResourceId, FlowLog] = field(default_factory=lambda: MappingProxyType({}))
    connection_monitors: Mapping[ResourceId, ConnectionMonitor] = field(default_factory=lambda: MappingProxyType({}))
    diagnostic_settings: Mapping[ResourceId, DiagnosticSetting] = field(default_factory=lambda: MappingProxyType({}))
    activity_alerts: Mapping[ResourceId, ActivityAlert] = field(default_factory=lambda: MappingProxyType({}))
    locks: Mapping[ResourceId, Lock] = field(default_factory=lambda: MappingProxyType({}))
    bastions: Mapping[ResourceId, Bastion] = field(default_factory=lambda: MappingProxyType({}))
    writes: tuple[Written, ...] = ()
    listed: frozenset[str] = field(default=frozenset(), compare=False)
    listed_in: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)
    complete: bool = field(default=False, compare=False)

    def knows_all(self, kind: str, about: ResourceId | None = None) -> bool:
        """Whether of a type everything is known, so that what is not there does not exist.

        Args:
            kind: the type, lower-cased.
            about: what is asked about, where only what lies in the same subscription counts.
        """
        if self.complete or kind in self.listed:
            return True
        return about is not None and (kind, about.subscription) in self.listed_in

    def file(self, resource: ResourceId) -> str:
        """The path of the file that a resource, or what it lies in, was read from; empty for none."""
        here: ResourceId | None = resource
        while here is not None:
            if (common := self.resources.get(here)) and common.file:
                return common.file
            here = here.parent
        return ""

    def state(self, resource: ResourceId) -> str:
        """The provisioning state of a resource; empty where it is not known."""
        common = self.resources.get(resource)
        return common.state if common else ""

    def location(self, resource: ResourceId) -> str:
        """The region of a resource; empty where it is not known."""
        common = self.resources.get(resource)
        return common.location if common else ""
