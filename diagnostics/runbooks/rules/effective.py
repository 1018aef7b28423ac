"""The estate as Azure says that it works at one NIC: its effective security rules in place of what is configured.

Source: "Diagnose a virtual machine network traffic filter problem"; azure-mgmt-network, EffectiveNetworkSecurityGroup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.network.estate import AdminRule, EffectiveGroup, Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.reading import read_objects


def as_it_works(estate: Estate, point: Point, answer: object) -> tuple[Estate, Point]:
    """The estate in which an endpoint has the rules of Azure's answer, and that endpoint in it.

    Args:
        estate: as it is configured.
        point: the endpoint; of its NIC, Azure answered.
        answer: effective security rules, as JSON.

    Raises:
        ParseError: the answer cannot be read whole.
    """
    rows = _rows(answer)
    groups = _groups(point, [row for row in rows if not _manager(row)])
    on_nic, on_subnet = (next((each for each in groups if each.on_subnet is where), None) for where in (False, True))
    written = {point.nic.id: replace(point.nic, security_group=_id(point, on_nic))}
    networks = dict(estate.networks)
    if (home := estate.network_of(point.configuration.subnet)) and (subnet := estate.subnet_of(point)):
        changed = replace(subnet, security_group=_id(point, on_subnet))
        networks[home.id] = replace(home, subnets=tuple(changed if s.id == subnet.id else s for s in home.subnets))
    known = {_id(point, each): _group(estate, point, each) for each in (on_nic, on_subnet) if each}
    told = replace(
        estate,
        nics={**estate.nics, **written},
        networks=networks,
        security_groups={**estate.security_groups, **{rid: group for rid, group in known.items() if rid}},
        effective_groups={point.nic.id: groups},
        admin_rules=_admin_rules(point, rows),
    )
    return told, point._replace(nic=written[point.nic.id])


def _rows(answer: object) -> list[Mapping[str, Any]]:
    listed = answer.get("value") if isinstance(answer, Mapping) else answer
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not all(isinstance(r, Mapping) for r in listed):
        raise ParseError("effective security rules: the answer is no list of NSGs")
    return list(listed)


def _groups(point: Point, rows: Sequence[Mapping[str, Any]]) -> tuple[EffectiveGroup, ...]:
    """The rows, read; an association that names another NIC is none of this one's."""
    read = read_objects([{"networkInterfaceId": point.nic.id.text, "effectiveNetworkSecurityGroups": list(rows)}])
    if read.problems or point.nic.id not in read.effective_groups:
        why = "; ".join(f"{each.where}: {each.text}" for each in read.problems) or "the answer is about another NIC"
        raise ParseError(f"effective security rules of {point.nic.id.name}: {why}")
    return read.effective_groups[point.nic.id]


def _manager(row: Mapping[str, Any]) -> ResourceId | None:
    """The network manager whose security admin rules a row holds; None for an NSG."""
    association = row.get("association")
    manager = association.get("networkManager") if isinstance(association, Mapping) else None
    return ResourceId.maybe(manager.get("id")) if isinstance(manager, Mapping) else None


def _admin_rules(point: Point, rows: Sequence[Mapping[str, Any]]) -> tuple[AdminRule, ...]:
    home = point.configuration.subnet.parent if point.configuration.subnet else None
    managed = [(manager, row) for row in rows if (manager := _manager(row))]
    return tuple(
        AdminRule(manager, rule, frozenset({home}))
        for manager, row in managed
        for group in _groups(point, [{key: value for key, value in row.items() if key != "association"}])
        for rule in group.rules
        if home
    )


def _id(point: Point, group: EffectiveGroup | None) -> ResourceId | None:
    """The NSG of Azure's answer; one that is not named stands under the NIC's own id."""
    return None if group is None else group.id or point.nic.id


def _group(estate: Estate, point: Point, told: EffectiveGroup) -> SecurityGroup:
    rid = _id(point, told)
    assert rid
    configured = estate.security_groups.get(rid)
    return SecurityGroup(rid, tuple(_whole(rule, configured) for rule in told.rules))


def _whole(rule: SecurityRule, configured: SecurityGroup | None) -> SecurityRule:
    """A rule with the application security groups of its source and destination, which Azure's answer leaves out."""
    known = configured.rule(rule.name, rule.direction) if configured else None
    if known is None:
        return rule
    return replace(
        rule,
        source_groups=() if rule.sources else known.source_groups,
        destination_groups=() if rule.destinations else known.destination_groups,
    )
