"""What the activity log tells, operation by operation: Azure writes up to four events for one, a person did it once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import Event

SECURITY_GROUP = "microsoft.network/networksecuritygroups"
SECURITY_RULE = "microsoft.network/networksecuritygroups/securityrules"
ROUTE_TABLE = "microsoft.network/routetables"
ROUTE = "microsoft.network/routetables/routes"
NETWORK = "microsoft.network/virtualnetworks"
HEALTH = "microsoft.resourcehealth/healthevent"

_UNDER_WAY = frozenset({"started", "accepted"})
_NEAR = timedelta(minutes=1)
_LONGEST = timedelta(hours=2)
_AREAS = ("microsoft.network/", "microsoft.compute/", HEALTH)
# Actions that look, or that ask whether one may: no traffic changes by them.
_LOOKING = ("list", "get", "join", "effective", "retrieve", "check", "validate", "query", "generate", "assess", "read")
_NOUNS = {
    SECURITY_GROUP: "NSG",
    SECURITY_RULE: "rule",
    ROUTE_TABLE: "route table",
    ROUTE: "route",
    NETWORK: "virtual network",
    "microsoft.network/virtualnetworks/subnets": "subnet",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "peering",
    "microsoft.network/networkinterfaces": "network interface",
    "microsoft.network/publicipaddresses": "public IP address",
    "microsoft.network/publicipprefixes": "public IP prefix",
    "microsoft.network/natgateways": "NAT gateway",
    "microsoft.network/loadbalancers": "load balancer",
    "microsoft.network/loadbalancers/backendaddresspools": "backend pool",
    "microsoft.network/loadbalancers/inboundnatrules": "inbound NAT rule",
    "microsoft.network/azurefirewalls": "firewall",
    "microsoft.network/firewallpolicies": "firewall policy",
    "microsoft.network/virtualnetworkgateways": "virtual network gateway",
    "microsoft.network/networkmanagers": "network manager",
    "microsoft.compute/virtualmachines": "VM",
    "microsoft.compute/virtualmachines/extensions": "extension",
    "microsoft.compute/virtualmachinescalesets": "scale set",
    "microsoft.compute/virtualmachinescalesets/virtualmachines": "instance",
}
_DONE = {
    "write": "written",
    "delete": "deleted",
    "start": "started",
    "restart": "restarted",
    "poweroff": "powered off",
    "deallocate": "deallocated",
    "redeploy": "redeployed",
    "reimage": "reimaged",
    "reapply": "reapplied",
    "runcommand": "given a script to run",
    "commit": "deployed",
    "reset": "reset",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on a resource.

    Attributes:
        event: the one that says how it ended; the newest one, where none does.
        began: when its first event was.
    """

    event: Event
    began: datetime

    @property
    def resource(self) -> ResourceId:
        """What it was done to."""
        return self.event.resource

    @property
    def kind(self) -> str:
        """The type of what it was done to, in lower case."""
        return _split(self.event.operation)[0]

    @property
    def verb(self) -> str:
        """`write`, `delete`, or the name of an action such as `deallocate`; in lower case."""
        return _split(self.event.operation)[1]

    @property
    def failed(self) -> bool:
        """Whether it failed, so that it changed nothing, or not all that it was to change."""
        return self.event.status.lower() in {"failed", "canceled"}

    @property
    def who(self) -> str:
        """Who did it, as the log names them: a person, or an application by its id."""
        return self.event.who or "somebody whom the log does not name"

    def told(self, when: str) -> str:
        """Who did what when: `rule deny-rdp of nsg-web was written 12 minutes ago by alex@contoso.com`."""
        what, status = thing(self.resource), self.event.status.lower()
        if self.kind == HEALTH:
            return f"Azure reported on the health of {what} {when}: {self.verb}, {self.event.status}"
        done = _DONE.get(self.verb, f"acted on ({self.event.operation.removesuffix('/action').rsplit('/', 1)[-1]})")
        ending = ", and the log does not say how that ended" if status in _UNDER_WAY else ""
        return f"{what} was {done} {when} by {self.who}{', and that failed' if self.failed else ending}"


def thing(resource: ResourceId) -> str:
    """A resource by kind and name, and what it lies in: `rule deny-rdp of nsg-web`."""
    noun = _NOUNS.get(resource.type, "")
    within = f" of {resource.parent.name}" if resource.parent else ""
    return f"{noun} {resource.name}{within}".lstrip()


def folded(events: Iterable[Event]) -> tuple[Operation, ...]:
    """The operations that change something, oldest first, each once however many events tell of it.

    Source: "Azure Activity Log event schema": an operation has an event for its start and one for its success or
    failure; asynchronous ones are also `Accepted`, and a caller that repeats itself within a minute did one thing.
    """
    runs: dict[tuple[str, str, str], list[list[Event]]] = {}
    for event in sorted(set(filter(_changes, events)), key=lambda event: event.when):
        same = runs.setdefault((event.resource.key, event.operation.lower(), event.who.lower()), [])
        if same and _belongs(same[-1], event):
            same[-1].append(event)
        else:
            same.append([event])
    found = (Operation(_end(run), run[0].when) for same in runs.values() for run in same)
    return tuple(sorted(found, key=lambda operation: operation.event.when))


def _changes(event: Event) -> bool:
    kind, verb = _split(event.operation)
    return f"{kind}/".startswith(_AREAS) and not verb.startswith(_LOOKING)


def _belongs(run: list[Event], event: Event) -> bool:
    """Whether an event continues what a run of older ones tells."""
    near, starts = event.when - run[-1].when <= _NEAR, event.status.lower() == "started"
    ended = {each.status.lower() for each in run} - _UNDER_WAY
    if not ended:
        return near or (not starts and event.when - run[0].when <= _LONGEST)
    # What failed and then succeeded was tried again; what succeeded and then failed are two operations.
    return near and not starts and ("failed" in ended or event.status.lower() in ended | _UNDER_WAY)


def _end(run: list[Event]) -> Event:
    """The event that says how a run ended: success before failure, for it is what was changed in the end."""
    for status in ("succeeded", "failed"):
        if ending := [event for event in run if event.status.lower() == status]:
            return ending[0]
    return run[-1]


def _split(operation: str) -> tuple[str, str]:
    kind, _, verb = operation.lower().removesuffix("/action").rpartition("/")
    return kind, verb
