"""Where a named rule or route lies: Azure's answer names the rule, the fix needs its NSG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Subnet
from diagnostics.runbooks.questions import Asking, ReadRouteTable, ReadSecurityGroup, ReadSubnet, Unread, ask
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine


def find_rule(blocker: Blocker, machine: Machine) -> Asking[Blocker]:
    """The NSG, of a subnet or NIC of the machine, that holds the rule which the issue names.

    Own rules before default rules: every NSG has the default ones, so their name finds only the first NSG. Where two
    NSGs have a rule of that name, neither is named.
    """
    name, direction = blocker.issue.value, blocker.issue.origin
    found: list[tuple[ResourceId, bool]] = []
    for group_id in (yield from _security_groups(machine)):
        group = yield from ask(ReadSecurityGroup(group_id))
        rule = None if isinstance(group, Unread) else group.rule(name, direction) or group.rule(name)
        if rule is not None:
            found.append((group_id, not rule.default))
    if len(found) != 1:
        return replace(blocker, item=name)
    owner, own = found[0]
    return replace(blocker, owner=owner, item=name, own=own)


def find_route(blocker: Blocker, machine: Machine, address: str) -> Asking[Blocker]:
    """The route table of the machine's subnet, and its route with the longest prefix that holds the address.

    The runbook's issue says that a route is to blame, seldom which.
    """
    for subnet in (yield from _subnets(machine)):
        if subnet.route_table is None:
            continue
        table = yield from ask(ReadRouteTable(subnet.route_table))
        if isinstance(table, Unread):
            return replace(blocker, owner=subnet.route_table)
        route = table.route_to(address)
        if route is not None:
            return replace(blocker, owner=table.id, item=route.name)
    return blocker


def _security_groups(machine: Machine) -> Asking[tuple[ResourceId, ...]]:
    subnets = yield from _subnets(machine)
    groups = [*(subnet.security_group for subnet in subnets), *(nic.security_group for nic in machine.read_nics)]
    return tuple(dict.fromkeys(group for group in groups if group))


def _subnets(machine: Machine) -> Asking[tuple[Subnet, ...]]:
    read = []
    for subnet_id in _subnet_ids(machine):
        subnet = yield from ask(ReadSubnet(subnet_id))
        if not isinstance(subnet, Unread):
            read.append(subnet)
    return tuple(read)


def _subnet_ids(machine: Machine) -> Iterator[ResourceId]:
    configurations = (c for nic in machine.read_nics for c in nic.ip_configurations)
    yield from dict.fromkeys(c.subnet for c in configurations if c.subnet)
