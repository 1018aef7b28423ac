"""Where a named rule or route lies: Azure's answer names the rule, the fix needs its NSG."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Subnet
from diagnostics.runbooks.questions import Asking, ReadRouteTable, ReadSecurityGroup, ReadSubnet, Unread, ask
from diagnostics.runbooks.remedies import Blocker


def find_rule(blocker: Blocker, nics: tuple[Nic, ...]) -> Asking[Blocker]:
    """The NSG, of a NIC or its subnet, that holds the rule which the issue names.

    Where two NSGs have a rule of that name, neither is named. Every NSG has the default rules, so one of those is
    found only if every NSG could be read.
    """
    issue, found, unread = blocker.issue, [], []
    subnets, unread_subnets = yield from _subnets(nics)
    for group_id in _security_groups(nics, subnets):
        group = yield from ask(ReadSecurityGroup(group_id))
        if isinstance(group, Unread):
            unread.append(str(group))
        elif rule := group.rule(issue.name, issue.origin) or group.rule(issue.name):
            found.append((group_id, not rule.default))
    blocker = replace(blocker, item=issue.name, own=issue.own, unread=(*unread_subnets, *unread))
    if len(found) != 1 or (blocker.unread and not found[0][1]):
        return blocker
    return replace(blocker, owner=found[0][0], own=found[0][1])


def find_route(blocker: Blocker, nics: tuple[Nic, ...], address: str) -> Asking[Blocker]:
    """The route table of the NIC's subnet, and its route: by name, else the longest prefix that holds the address.

    The runbook's issue says that a user's route is to blame, seldom which.
    """
    subnets, unread = yield from _subnets(nics)
    for subnet in subnets:
        if subnet.route_table is None:
            continue
        table = yield from ask(ReadRouteTable(subnet.route_table))
        if isinstance(table, Unread):
            return replace(blocker, owner=subnet.route_table, unread=(*unread, str(table)))
        route = table.route(blocker.issue.name) or table.route_to(address)
        if route is not None:
            return replace(blocker, owner=table.id, item=route.name)
    return replace(blocker, item=blocker.issue.name, unread=unread)


def _security_groups(nics: tuple[Nic, ...], subnets: tuple[Subnet, ...]) -> tuple[ResourceId, ...]:
    groups = [*(subnet.security_group for subnet in subnets), *(nic.security_group for nic in nics)]
    return tuple(dict.fromkeys(group for group in groups if group))


def _subnets(nics: tuple[Nic, ...]) -> Asking[tuple[tuple[Subnet, ...], tuple[str, ...]]]:
    """The subnets of the NICs, and why others could not be read."""
    read, unread = [], []
    for subnet_id in dict.fromkeys(c.subnet for nic in nics for c in nic.ip_configurations if c.subnet):
        subnet = yield from ask(ReadSubnet(subnet_id))
        if isinstance(subnet, Unread):
            unread.append(str(subnet))
        else:
            read.append(subnet)
    return tuple(read), tuple(unread)
