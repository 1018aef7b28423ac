"""How to keep the internet out: the rule that lets it in made narrower, or a Deny above it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from diagnostics.checks.internet_ports import together
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.paste import az, bicep

_KIND = f"Microsoft.Network/networkSecurityGroups@{bicep.NETWORK}"
_CHILD = f"Microsoft.Network/networkSecurityGroups/securityRules@{bicep.NETWORK}"
_INSIDE = "VirtualNetwork"
_FROM_INSIDE = az.arguments(source_address_prefixes=_INSIDE)
_NO_SYMBOL, _NO_NAME = re.compile(r"\W", re.ASCII), re.compile(r"[^\w.-]+", re.ASCII)
_FIRST = 100
_LONGEST = 80
_SHOWN = 3


class Closing(NamedTuple):
    """What to do about rules, in words, as commands and as Bicep."""

    text: str
    az_cli: str
    bicep: str


class Letting(msgspec.Struct, frozen=True, dict=True):
    """A rule that lets the internet in.

    Attributes:
        ports: all that it opens, with TCP or UDP.
    """

    group: SecurityGroup
    rule: SecurityRule
    ports: Intervals

    @cached_property
    def narrowed(self) -> Closing:
        """The rule for fewer sources; the same whatever service it lets in."""
        return _narrowed(self.group.id, self.rule)

    @cached_property
    def above(self) -> int | None:
        """The nearest priority above the rule that no inbound rule has."""
        taken = {each.priority for each in self.group.rules if each.inbound}
        return next((n for n in range(self.rule.priority - 1, _FIRST - 1, -1) if n not in taken), None)


def closing(found: Iterable[Letting], ports: Mapping[str, Intervals], what: str) -> Closing:
    """What to do to close some ports, by protocol; `what` names them."""
    every, wanted = list(found), together(ports.values())
    narrow: list[Letting] = []
    wide: dict[str, Letting] = {}
    for each in every:
        first = wide.get(each.group.id.key)
        if each.ports <= wanted:
            narrow.append(each)
        elif first is None or each.rule.priority < first.rule.priority:
            wide[each.group.id.key] = each
    parts = [each.narrowed for each in narrow[:_SHOWN]] + [_denied(each, ports, what) for each in wide.values()]
    return Closing(
        " ".join(part.text for part in parts), az.lines(*(part.az_cli for part in parts)), _joined(parts, every)
    )


def spans(ports: Intervals) -> list[str]:
    """Ports as they are written in a rule."""
    return [str(first) if first == last else f"{first}-{last}" for first, last in ports]


def _joined(parts: list[Closing], every: list[Letting]) -> str:
    """Rules of one NSG stand under it; those of another go by the commands."""
    if not parts or len({each.group.id.key for each in every}) != 1:
        return ""
    return bicep.existing(_KIND, every[0].group.id, "nsg") + "".join(f"\n{part.bicep}" for part in parts if part.bicep)


def _narrowed(group: ResourceId, rule: SecurityRule) -> Closing:
    place = az.placed(group, nsg_name=group.name, name=rule.name)
    text = (
        f"Let rule {rule.name} of NSG {group.name} be for {_INSIDE} instead (or the addresses that need it): Azure "
        "Bastion, a VPN or a private endpoint then still get in."
    )
    commands = az.lines(
        f"az network nsg rule update {place} {_FROM_INSIDE}",
        az.otherwise("or, if nobody needs it", f"az network nsg rule delete {place}"),
    )
    return Closing(
        text, commands, bicep.resource(_symbol("narrow", rule), _CHILD, _body(rule, (_INSIDE,), rule.destination_ports))
    )


def _body(rule: SecurityRule, sources: Iterable[str], ports: Iterable[str]) -> dict[str, bicep.Value]:
    """An Allow rule with other sources or ports."""
    return {
        "parent": bicep.Raw("nsg"),
        "name": rule.name,
        "properties": {
            "priority": rule.priority,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": rule.protocol,
            **_listed("sourceAddressPrefix", sources),
            **_listed("sourcePortRange", rule.source_ports),
            **_destinations(rule),
            **_listed("destinationPortRange", ports),
        },
    }


def _denied(each: Letting, ports: Mapping[str, Intervals], what: str) -> Closing:
    """A Deny right above: the rule lets in other things too, which may be meant."""
    group, rule, priority = each.group.id, each.rule, each.above
    if priority is None:
        return _without(each, together(ports.values()), what)
    protocols = [protocol for protocol, wanted in ports.items() if wanted]
    protocol = protocols[0] if len(protocols) == 1 else "*"
    name = _NO_NAME.sub("-", f"deny-internet-{what}".lower())[:_LONGEST].strip("-.")
    wanted = [text for protocol in protocols for text in spans(ports[protocol])] or ["*"]
    wanted = list(dict.fromkeys(wanted))
    text = (
        f"Rule {rule.name} of NSG {group.name} opens more than that: narrow its sources or its ports, or deny {what} "
        f"from Internet above it, at priority {priority}."
    )
    place = az.placed(group, nsg_name=group.name, name=name, priority=str(priority), direction="Inbound")
    terms = az.arguments(access="Deny", protocol=protocol, source_address_prefixes="Internet")
    command = f"az network nsg rule create {place} {terms} --destination-port-ranges {' '.join(map(_word, wanted))}"
    body: dict[str, bicep.Value] = {
        "parent": bicep.Raw("nsg"),
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Inbound",
            "access": "Deny",
            "protocol": protocol,
            "sourceAddressPrefix": "Internet",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            **_listed("destinationPortRange", wanted),
        },
    }
    return Closing(text, command, bicep.resource("deny", _CHILD, body))


def _without(each: Letting, wanted: Intervals, what: str) -> Closing:
    """The rule without some ports, where there is no room above it."""
    group, rule, left = each.group.id, each.rule, spans(each.ports - wanted)
    text = f"Take {what} out of the ports of rule {rule.name} of NSG {group.name}, or narrow its sources."
    place = az.placed(group, nsg_name=group.name, name=rule.name)
    command = f"az network nsg rule update {place} --destination-port-ranges {' '.join(left)}"
    return Closing(text, command, bicep.resource(_symbol("narrow", rule), _CHILD, _body(rule, rule.sources, left)))


def _word(text: str) -> str:
    return f"'{text}'" if text == "*" else text


def _destinations(rule: SecurityRule) -> dict[str, bicep.Value]:
    if rule.destination_groups:
        ids: list[bicep.Value] = [{"id": each.text} for each in rule.destination_groups]
        return {"destinationApplicationSecurityGroups": ids}
    return _listed("destinationAddressPrefix", rule.destinations)


def _listed(field: str, texts: Iterable[str]) -> dict[str, bicep.Value]:
    every: list[bicep.Value] = [*texts]
    if len(every) > 1:
        return {f"{field[:-1]}xes" if field.endswith("x") else f"{field}s": every}
    return {field: every[0] if every else "*"}


def _symbol(verb: str, rule: SecurityRule) -> str:
    return _NO_SYMBOL.sub("_", f"{verb}_{rule.name}")
