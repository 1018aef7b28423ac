"""How checks say things: rules, routes and resources by name, causes, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagnostics.findings import Cause
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Route, RouteTable, SecurityGroup, SecurityRule

_NAMED = 5


def named(rule: SecurityRule) -> str:
    """A rule by its name and what it does: `allow-ssh (inbound 100, Allow)`."""
    return f"{rule.name} ({rule.direction.lower()} {rule.priority}, {rule.access})"


def terms(rule: SecurityRule) -> str:
    """What a rule matches, as it is written: `Tcp from Internet to * port 22, 3389`."""
    sources, destinations = _end(rule.sources, rule.source_groups), _end(rule.destinations, rule.destination_groups)
    return f"{rule.protocol} from {sources} to {destinations} port {_end(rule.destination_ports, ())}"


def _end(texts: tuple[str, ...], groups: tuple[ResourceId, ...]) -> str:
    """One end of a rule, or its ports."""
    if groups:
        return listed([*texts, *(f"ASG {group.name}" for group in groups)])
    return _joined(texts) if texts else "*"


def rule_cause(group: ResourceId | None, rule: SecurityRule, text: str = "") -> Cause:
    """A rule as what decides: by default what it matches and does."""
    said = text or f"rule {named(rule)}: {terms(rule)}"
    where = group.text if group else ""
    return Cause(kind="security-rule", text=said, name=rule.name, resource_id=where)


class Causes:
    """Rules of an estate as what decides: each is written once, though it may decide about many others."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, Cause]] = {}

    def of(self, group: SecurityGroup, rule: SecurityRule) -> Cause:
        """A rule of an NSG."""
        here = self._known.setdefault(group.id.text, {})
        key = id(rule)  # the estate keeps it as long as this is there
        if key not in here:
            here[key] = rule_cause(group.id, rule)
        return here[key]


def route_cause(table: RouteTable, route: Route, text: str = "") -> Cause:
    """A route as what decides: by default where it leads."""
    return Cause(kind="route", text=text or _leading(route), name=route.name, resource_id=table.id.text)


def _leading(route: Route) -> str:
    hops = route.addresses
    to = f" at {_joined(hops)}" if hops else ""
    return f"route {route.name} for {route.prefix} leads to {route.next_hop_type}{to}"


def fact(kind: str, text: str, about: ResourceId | None = None, name: str = "") -> Cause:
    """Anything else that decides."""
    return Cause(kind=kind, text=text, name=name, resource_id=about.text if about else "")


def listed(texts: Iterable[object], most: int = _NAMED) -> str:
    """Some names, and how many more there are: `a, b, c and 12 more`."""
    return _joined([*map(str, texts)], most)


def _joined(texts: Sequence[str], most: int = _NAMED) -> str:
    number = len(texts)
    if number == 1:  # as mostly
        return texts[0]
    return ", ".join(texts) if number <= most else f"{', '.join(texts[:most])} and {number - most} more"


def called(resource: SecurityGroup | RouteTable | ResourceId) -> str:
    """A resource by its name; a part of another with that one's: `snet-web of vnet-shop`."""
    rid = resource if isinstance(resource, ResourceId) else resource.id
    return f"{rid.name} of {rid.names[-2]}" if len(rid.names) > 1 else rid.name


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: `1 rule`, `2 rules`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
