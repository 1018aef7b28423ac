"""How checks say things: rules, routes and resources by name, causes, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable

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
    if len(texts) == 1 and not groups:  # as mostly
        return texts[0]
    return listed([*texts, *(f"ASG {group.name}" for group in groups)] if groups else texts or ("*",))


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
    hops = [*filter(None, (route.next_hop_address, *route.next_hop_addresses))]
    to = f" at {listed(dict.fromkeys(hops))}" if hops else ""
    said = text or f"route {route.name} for {route.prefix} leads to {route.next_hop_type}{to}"
    return Cause(kind="route", text=said, name=route.name, resource_id=table.id.text)


def fact(kind: str, text: str, about: ResourceId | None = None, name: str = "") -> Cause:
    """Anything else that decides."""
    return Cause(kind=kind, text=text, name=name, resource_id=about.text if about else "")


def listed(texts: Iterable[object], most: int = _NAMED) -> str:
    """Some names, and how many more there are: `a, b, c and 12 more`."""
    every = [*map(str, texts)]
    if len(every) <= most:
        return every[0] if len(every) == 1 else ", ".join(every)
    return f"{', '.join(every[:most])} and {len(every) - most} more"


def called(resource: SecurityGroup | RouteTable | ResourceId) -> str:
    """A resource by its name; a part of another with that one's: `snet-web of vnet-shop`."""
    rid = resource if isinstance(resource, ResourceId) else resource.id
    return f"{rid.name} of {rid.names[-2]}" if len(rid.names) > 1 else rid.name


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: `1 rule`, `2 rules`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
