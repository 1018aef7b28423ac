"""Which lists of Azure Resource Manager tell how the network is configured, and where and how each is asked for.

Sources: the REST references of the list operations of Microsoft.Network, Microsoft.Compute and Microsoft.Insights;
"Resources - List", "Management Locks", "Diagnostic Settings - List".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from diagnostics.cloud import versions
from diagnostics.network.ids import ResourceId

GROUPS, VNETS = "Microsoft.Network/networkSecurityGroups", "Microsoft.Network/virtualNetworks"
WATCHERS = "Microsoft.Network/networkWatchers"
FLOW_LOGS, MONITORS = f"{WATCHERS}/flowLogs", f"{WATCHERS}/connectionMonitors"
VMS, SCALE_SETS = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets"
SET_VMS = f"{SCALE_SETS}/virtualMachines"
SET_NICS = f"{SET_VMS}/networkInterfaces"
SET_IPS = f"{SET_NICS}/ipConfigurations/publicIPAddresses"
STATES = f"{VMS}/instanceView"
ALERTS, LOCKS = "Microsoft.Insights/activityLogAlerts", "Microsoft.Authorization/locks"
SETTINGS = "Microsoft.Insights/diagnosticSettings"
CANDIDATES = "Microsoft.Resources/subscriptions/resources"

TOP = (
    "Microsoft.Network/networkInterfaces",
    GROUPS,
    "Microsoft.Network/routeTables",
    VNETS,
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/bastionHosts",
    WATCHERS,
    VMS,
    SCALE_SETS,
    ALERTS,
    LOCKS,
)
"""The types that a subscription, and a resource group, has a list of."""

BY_GROUP = (
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Network/localNetworkGateways",
    "Microsoft.Network/connections",
)
"""The types that only a resource group has a list of: which groups have any, the list of all resources tells."""

WIDE = (WATCHERS, FLOW_LOGS, MONITORS, ALERTS)
"""What is for a whole subscription, whatever resource group it stands in."""

PARTS: Mapping[str, tuple[str, ...]] = {
    WATCHERS: (FLOW_LOGS, MONITORS),
    SCALE_SETS: (SET_VMS, SET_NICS, SET_IPS),
    GROUPS: (SETTINGS,),
    CANDIDATES: BY_GROUP,
}
"""The types that are listed for each resource of another type: they are not all there where those are not."""

ALL = frozenset((*TOP, *BY_GROUP, *(part for parts in PARTS.values() for part in parts)))


@dataclass(frozen=True, slots=True)
class Place:
    """A subscription or a resource group that lists are asked of.

    Attributes:
        within: the scopes in it; what lies in none of them is left out.
    """

    path: str
    within: tuple[ResourceId, ...]

    @property
    def is_subscription(self) -> bool:
        """Whether it is a whole one."""
        return self.path.count("/") == 2

    @property
    def is_whole(self) -> bool:
        """Whether everything in it is in scope."""
        return any(scope.key == self.path.lower() for scope in self.within)

    def holds(self, found: ResourceId) -> bool:
        """Whether what was found there is in scope."""
        return any(found.within(scope) for scope in self.within)

    def bears(self, lock: ResourceId) -> bool:
        """Whether a lock holds for something in scope: what is locked passes it on to all that lies in it."""
        locked = ResourceId.maybe(lock.text.lower().rpartition("/providers/")[0])
        return locked is not None and any(locked.within(scope) or scope.within(locked) for scope in self.within)

    def __str__(self) -> str:
        """In words."""
        _, _, subscription, *group = self.path.split("/")
        return f"{group[1]} in {subscription}" if group else subscription


@dataclass(frozen=True, slots=True)
class Ask:
    """A list to ask for.

    Attributes:
        kind: the type of what it lists, as Azure spells it.
        path: where the list is; where the resource itself is, if only one is asked for.
        of: what it is the list of, in words.
        keeps: which of what it lists count.
        single: whether one resource is asked for.
    """

    kind: str
    path: str
    place: Place
    of: str
    keeps: Callable[[ResourceId], bool]
    more: Mapping[str, str] = field(default_factory=dict)
    single: bool = False

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the path."""
        return {"api-version": version(self.kind), **self.more}

    @property
    def words(self) -> str:
        """What it lists."""
        return f"{self.kind.rpartition('/')[2]} of {self.of}"


def version(kind: str) -> str:
    """The api-version to list a type at."""
    match kind:
        case "Microsoft.Authorization/locks":
            return versions.LOCKS
        case "Microsoft.Insights/activityLogAlerts":
            return versions.ACTIVITY_LOG_ALERTS
        case "Microsoft.Insights/diagnosticSettings":
            return versions.DIAGNOSTIC_SETTINGS
        case "Microsoft.Resources/subscriptions/resources":
            return versions.RESOURCES
    if kind in {SET_NICS, SET_IPS}:
        return versions.SCALE_SET_NETWORK
    return versions.COMPUTE if kind.startswith("Microsoft.Compute/") else versions.NETWORK


def of_place(place: Place) -> Iterator[Ask]:
    """What a place is asked for."""
    for kind in TOP if place.is_subscription else (*TOP, *BY_GROUP):
        keeps = place.bears if kind == LOCKS else place.holds
        yield Ask(kind, f"{place.path}/providers/{kind}", place, str(place), keeps)
    if place.is_subscription:
        sought = " or ".join(f"resourceType eq '{kind}'" for kind in BY_GROUP)
        yield Ask(CANDIDATES, f"{place.path}/resources", place, str(place), place.holds, {"$filter": sought})


def of_watcher(watcher: ResourceId, place: Place) -> Iterator[Ask]:
    """What a Network Watcher is asked for."""
    for kind in (FLOW_LOGS, MONITORS):
        yield Ask(kind, f"{watcher}/{kind.rpartition('/')[2]}", place, watcher.name, place.holds)


def of_scale_set(scale_set: ResourceId, place: Place) -> Iterator[Ask]:
    """What a uniform scale set is asked for; of a flexible one, all that is there is in the lists of VMs and NICs."""
    view = {"$expand": "instanceView"}
    yield Ask(SET_VMS, f"{scale_set}/virtualMachines", place, scale_set.name, place.holds, view)
    yield Ask(SET_NICS, f"{scale_set}/networkInterfaces", place, scale_set.name, place.holds)
    yield Ask(SET_IPS, f"{scale_set}/publicIPAddresses", place, scale_set.name, place.holds)


def of_groups(resources: Iterable[ResourceId], place: Place) -> Iterator[Ask]:
    """What the resource groups of these resources are asked for, each once."""
    for group in {found.resource_group.lower(): found.resource_group for found in resources}.values():
        path = f"/subscriptions/{place.path.split('/')[2]}/resourceGroups/{group}"
        for kind in BY_GROUP:
            yield Ask(kind, f"{path}/providers/{kind}", place, f"{group} in {place}", place.holds)


def of_security_group(group: ResourceId, place: Place) -> Ask:
    """Its diagnostic settings: there is no list of those of several resources."""
    return Ask(SETTINGS, f"{group}/providers/{SETTINGS}", place, group.name, place.holds)


def power_states(vms: Iterable[ResourceId], place: Place) -> Iterator[Ask]:
    """The power states of VMs: a subscription lists them, a resource group does not."""
    known = dict.fromkeys(vms)
    if place.is_subscription and known:
        path = f"{place.path}/providers/{VMS}"
        yield Ask(STATES, path, place, str(place), known.__contains__, {"statusOnly": "true"})
        return
    for vm in known:
        yield Ask(STATES, vm.text, place, vm.name, place.holds, {"$expand": "instanceView"}, single=True)
