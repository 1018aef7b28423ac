"""What to do about rules of NSGs: take one away, change it, or add some, as commands and as Bicep."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from diagnostics.checks.rules_told import FIRST, LAST
from diagnostics.findings import Remedy
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.paste import az, bicep, links

OVERVIEW = "/azure/virtual-network/network-security-groups-overview"
NO_ROOM = "# No priority is free there: give the rules before it other numbers first, then one of theirs for PRIORITY."
_KIND = f"Microsoft.Network/networkSecurityGroups@{bicep.NETWORK}"
_CHILD = f"Microsoft.Network/networkSecurityGroups/securityRules@{bicep.NETWORK}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule that an NSG lacks."""

    name: str
    direction: str
    source: str
    destination: str
    ports: tuple[str, ...]
    protocol: str = "Tcp"


def menu(*, inbound: bool) -> str:
    """Where in the portal rules of a direction are."""
    return "inboundSecurityRules" if inbound else "outboundSecurityRules"


def show(group: SecurityGroup, rule: SecurityRule) -> str:
    """Look at a rule."""
    return f"az network nsg rule show {_place(group, rule)}"


def delete(group: SecurityGroup, rule: SecurityRule) -> str:
    """Take a rule away, as a comment: somebody may need it still."""
    return _delete(_place(group, rule))


def _delete(place: str) -> str:
    return az.otherwise("once nobody needs it", f"az network nsg rule delete {place}")


def _place(group: SecurityGroup, rule: SecurityRule) -> str:
    rid = group.id
    return f"{_inside(rid.subscription, rid.resource_group, rid.name)} --name {az.quoted(rule.name)}"


@lru_cache(maxsize=1 << 12)  # an NSG has dozens of findings
def _inside(subscription: str, resource_group: str, name: str) -> str:
    return az.arguments(subscription=subscription, resource_group=resource_group, nsg_name=name)


def remove(group: SecurityGroup, rule: SecurityRule, summary: str, doc: str = OVERVIEW) -> Remedy:
    """Take a rule away, after a look at it."""
    place = _place(group, rule)
    return Remedy(
        summary=summary,
        az_cli=az.lines(f"az network nsg rule show {place}", _delete(place)),
        bicep=bicep.existing(_KIND, group.id) + _taken_out(rule.name),
        doc_url=links.LEARN + doc,
        portal_url=links.blade(group.id, menu(inbound=rule.inbound)),
    )


@lru_cache(maxsize=1 << 12)  # NSGs of one estate have rules of the same names
def _taken_out(name: str) -> str:
    return bicep.comment(f"take rule {bicep.quoted(name)} out of securityRules")


def change(group: SecurityGroup, rule: SecurityRule, summary: str, command: str, note: str) -> Remedy:
    """Change a rule; `command` is the options of `az network nsg rule update`, `note` the same where it is declared."""
    place = _place(group, rule)
    return Remedy(
        summary=summary,
        az_cli=az.lines(f"az network nsg rule show {place}", f"az network nsg rule update {place} {command}"),
        bicep=bicep.existing(_KIND, group.id) + bicep.comment(f"rule {bicep.quoted(rule.name)}: {note}"),
        doc_url=links.LEARN + OVERVIEW,
        portal_url=links.blade(group.id, menu(inbound=rule.inbound)),
    )


def move_above(group: SecurityGroup, rule: SecurityRule, other: SecurityRule, summary: str) -> Remedy:
    """Give a rule a priority above another; where none is free there, that has to be made first."""
    priority = free_above(group, other)
    if priority is None:
        text = f"{summary} No priority is free above {other.name}: renumber the rules before it first."
        place = az.placed(group.id, nsg_name=group.id.name)
        return Remedy(
            summary=text,
            az_cli=f"az network nsg rule list {place} -o table",
            doc_url=links.LEARN + OVERVIEW,
            portal_url=links.blade(group.id, menu(inbound=rule.inbound)),
        )
    return change(group, rule, summary, az.arguments(priority=str(priority)), f"priority: {priority}")


def add(group: SecurityGroup, wanted: Sequence[Wanted], summary: str, doc: str, below: int = LAST) -> Remedy:
    """Add rules, with free priorities above one where one is given."""
    numbers = _numbers(group, wanted, below)
    template = "" if all(numbers) else "param priority int\n\n"
    template += bicep.existing(_KIND, group.id)
    for place, (each, number) in enumerate(zip(wanted, numbers, strict=True), 1):
        template += "\n" + bicep.resource(f"rule{place}", _CHILD, _body(each, number))
    return Remedy(
        summary=summary,
        az_cli=az.lines("" if all(numbers) else NO_ROOM, *map(partial(_create, group), wanted, numbers)),
        bicep=template,
        doc_url=links.LEARN + doc,
        portal_url=links.blade(group.id, menu(inbound=wanted[0].direction == "Inbound")),
    )


def _create(group: SecurityGroup, each: Wanted, number: int | None) -> str:
    place = az.placed(group.id, nsg_name=group.id.name, name=each.name, priority=str(number or "PRIORITY"))
    terms = az.arguments(
        direction=each.direction,
        access="Allow",
        protocol=each.protocol,
        source_address_prefixes=each.source,
        destination_address_prefixes=each.destination,
    )
    ports = " ".join(map(shlex.quote, each.ports))
    return f"az network nsg rule create {place} {terms} --destination-port-ranges {ports}"


def free_above(group: SecurityGroup, other: SecurityRule) -> int | None:
    """The highest number above a rule that no rule of its direction has."""
    taken = {rule.priority for rule in group.rules if rule.inbound == other.inbound}
    top = min(other.priority, LAST + 1)
    return next((number for number in range(top - 1, FIRST - 1, -1) if number not in taken), None)


def _numbers(group: SecurityGroup, wanted: Iterable[Wanted], below: int) -> list[int | None]:
    """A free number for each, from low to high and as near to 100 as there is room."""
    taken = {(rule.inbound, rule.priority) for rule in group.rules}
    found: list[int | None] = []
    for each in wanted:
        inbound = each.direction == "Inbound"
        number = next((n for n in range(FIRST, below) if (inbound, n) not in taken), None)
        found.append(number)
        taken |= {(inbound, number)} if number else set()
    return found


def _body(each: Wanted, priority: int | None) -> dict[str, bicep.Value]:
    ports: list[bicep.Value] = [*each.ports]
    properties: dict[str, bicep.Value] = {
        "priority": priority or bicep.Raw("priority"),
        "direction": each.direction,
        "access": "Allow",
        "protocol": each.protocol,
        "sourceAddressPrefix": each.source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": each.destination,
        "destinationPortRanges": ports,
    }
    return {"parent": bicep.Raw("it"), "name": each.name, "properties": properties}
