"""The runbook's table: from the type of an issue to what is wrong and what to do about it.

Sources: "Troubleshoot Azure VM connectivity problems", step "Fix the issue in the connectivity check result"; Network
Watcher, "Connection monitor overview", issues that it detects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from diagnostics.findings import Confidence, Remedy, Severity
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.runbooks.remedies import firewalls, guest, machines, routes, rules, watching
from diagnostics.runbooks.remedies.blocker import Blocker


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        check: the id of the finding's check.
        kind: of the finding's cause.
        title: with `{name}` for what the issue names, `{at}` for the VM, `{connection}` and `{type}`.
        remedy: makes the remedy for a blocker.
        named: the title where the issue names something, if that is another.
    """

    check: str
    kind: str
    title: str
    severity: Severity
    confidence: Confidence
    remedy: Callable[[Blocker], Remedy]
    named: str = ""


def row(issue: Issue) -> Row:
    """The row for an issue; a type without a row of its own has the last one."""
    found = _row(issue)
    return replace(found, title=found.named) if found.named and issue.name else found


def _row(issue: Issue) -> Row:
    if issue.type is IssueType.USER_DEFINED_ROUTE and not issue.own:
        return _SYSTEM_ROUTE
    if issue.type is IssueType.NETWORK_SECURITY_RULE:
        if issue.name.lower().startswith(rules.ADMIN_RULE):
            return _ADMIN_RULE
        return _RULE if issue.own else _DEFAULT_RULE
    if issue.type is IssueType.UNKNOWN and machines.is_state(issue.raw_type):
        return _VM_STATE
    return _TABLE.get(issue.type, _OTHER)


_HIGH, _MEDIUM = Severity.HIGH, Severity.MEDIUM
_PROVEN, _LIKELY, _POSSIBLE = Confidence.PROVEN, Confidence.LIKELY, Confidence.POSSIBLE

_RULE = Row("CON001", "security-rule", "NSG rule {name} blocks {connection}", _HIGH, _PROVEN, rules.security_rule)
_DEFAULT_RULE = replace(_RULE, title="No NSG rule allows {connection}: default rule {name} blocks it")
_ADMIN_RULE = replace(_RULE, title="Security admin rule {name} blocks {connection}")
_ROUTE = Row("CON002", "route", "User-defined route {name} leads {connection} astray", _HIGH, _PROVEN, routes.route)
_SYSTEM_ROUTE = replace(_ROUTE, title="No route leads {connection} anywhere", remedy=routes.with_peerings)
_VM_STATE = Row("VM001", "power-state", "VM {at} is not running ({type})", _HIGH, _PROVEN, machines.vm_state)
_OTHER = Row(
    "CON010",
    "issue",
    "Azure reports an issue of type {type} on the path {connection}",
    _MEDIUM,
    _POSSIBLE,
    machines.other,
)

_TABLE = {
    IssueType.USER_DEFINED_ROUTE: _ROUTE,
    IssueType.NO_ROUTE_LEARNED: replace(
        _ROUTE, title="No gateway has learned a route for {connection}", remedy=routes.not_learned
    ),
    IssueType.CPU: Row(
        "CON003",
        "usage",
        "CPU of {at} is exhausted",
        _MEDIUM,
        _LIKELY,
        guest.usage("CPU"),
    ),
    IssueType.MEMORY: Row(
        "CON004",
        "usage",
        "Memory of {at} is exhausted",
        _MEDIUM,
        _LIKELY,
        guest.usage("Memory"),
    ),
    IssueType.GUEST_FIREWALL: Row(
        "CON005",
        "firewall",
        "A firewall inside {at} blocks {connection}",
        _HIGH,
        _LIKELY,
        firewalls.guest_firewall,
        "The firewall inside {at} ({name}) blocks {connection}",
    ),
    IssueType.DNS_RESOLUTION: Row(
        "CON006", "dns-name", "The name {name} does not resolve on {at}", _HIGH, _PROVEN, guest.dns
    ),
    IssueType.SOCKET_ERROR: Row(
        "CON007", "socket", "The source port of the check is in use on {at}", Severity.LOW, _PROVEN, guest.socket
    ),
    IssueType.NO_LISTENER: Row(
        "CON008", "listener", "Nothing listens at the end of {connection}", _HIGH, _LIKELY, guest.listener
    ),
    IssueType.AGENT_STOPPED: Row(
        "CON012",
        "agent",
        "The Network Watcher agent on {at} has stopped",
        _MEDIUM,
        _PROVEN,
        watching.agent_stopped,
    ),
    IssueType.PORT_THROTTLED: replace(
        _OTHER, title="Azure throttles ports of {at}, on {connection}", confidence=_LIKELY, remedy=machines.throttled
    ),
    IssueType.PLATFORM: replace(
        _OTHER,
        title="Azure reports a fault of its own platform at {at}, on {connection}",
        severity=_HIGH,
        confidence=_LIKELY,
        remedy=machines.platform,
    ),
}
