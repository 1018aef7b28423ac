"""Who is told when NSGs, public addresses and routes change; and what keeps them from changing unseen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import counted, fact, listed
from diagnostics.findings import Remedy, Severity
from diagnostics.network.facts import ActivityAlert
from diagnostics.network.ids import ResourceId
from diagnostics.paste import az, links

ALERTS = "microsoft.insights/activitylogalerts"
_LOCKS = "microsoft.authorization/locks"
_SETTINGS = "microsoft.insights/diagnosticsettings"
_DOC = f"{links.LEARN}/azure/azure-monitor/alerts/alerts-create-activity-log-alert-rule"
_LOGS = "--logs '[{categoryGroup:allLogs,enabled:true}]'"
# What the portal fills in; with any other condition (caller, resourceId, …) an alert is for a part of the changes only.
_USUAL = frozenset({"level", "status"})


@dataclass(frozen=True, slots=True)
class _Change:
    """A change that somebody should be told of.

    Attributes:
        operations: all of them, as the activity log names them.
        of: the resources of an estate that it is about.
    """

    check: str
    what: str
    operations: tuple[str, ...]
    of: Callable[[View], Collection[ResourceId]]


def _groups(view: View) -> Collection[ResourceId]:
    return view.estate.security_groups


def _publics(view: View) -> Collection[ResourceId]:
    return view.estate.public_ips


def _tables(view: View) -> Collection[ResourceId]:
    return view.estate.route_tables


_NSG = "Microsoft.Network/networkSecurityGroups"
_RULE, _TABLE = f"{_NSG}/securityRules", "Microsoft.Network/routeTables"
_PUBLIC = "Microsoft.Network/publicIPAddresses"
_CHANGES = (
    _Change("ALR001", "changes of NSGs", (f"{_NSG}/write",), _groups),
    _Change("ALR002", "deletions of NSGs", (f"{_NSG}/delete",), _groups),
    _Change("ALR003", "changes of NSG rules", (f"{_RULE}/write", f"{_RULE}/delete"), _groups),
    _Change("ALR004", "changes of public IP addresses", (f"{_PUBLIC}/write",), _publics),
    _Change("ALR005", "deletions of public IP addresses", (f"{_PUBLIC}/delete",), _publics),
    _Change(
        "ALR006",
        "changes of route tables",
        (f"{_TABLE}/write", f"{_TABLE}/delete", f"{_TABLE}/routes/write", f"{_TABLE}/routes/delete"),
        _tables,
    ),
)
_ADVICE = """Nobody is told of {what}: an outage or an opening that they cause is found by its victims.

An alert of the activity log tells of them. One for the subscription, or for all its resource groups that have such
resources, is enough; one that fires on every administrative operation is, too."""


def _declare(change: _Change) -> None:
    def find(view: View) -> Iterator[Said]:
        return _untold(view, change)

    advice = _ADVICE.format(what=change.what)
    check(change.check, f"Nobody is told of {change.what}", Severity.LOW, advice)(find)


for _change in _CHANGES:
    _declare(_change)


@check("ALR007", "Alert of the activity log that tells nobody", Severity.LOW)
def told_to_nobody(view: View) -> Iterator[Said]:
    """The alert is switched off, or has no action group: it fires, and nobody hears it."""
    for alert in view.ordered(view.facts.activity_alerts):
        why = " and ".join(_silences(alert))
        if why and _about_network(alert):
            remedy = Remedy(
                summary="Switch it on and give it an action group, or delete it.",
                az_cli=_louder(alert),
                doc_url=_DOC,
                portal_url=links.blade(alert.id, "overview"),
            )
            cause = fact("alert", f"Alert {alert.id.name} {why}.", alert.id)
            yield Found(alert.id, f"Alert {alert.id.name} {why}", (cause,), remedy)


def _silences(alert: ActivityAlert) -> Iterator[str]:
    """Why an alert tells nobody; nothing if it tells somebody."""
    if not alert.enabled:
        yield "is switched off"
    if not alert.action_groups:
        yield "has no action group"


def _louder(alert: ActivityAlert) -> str:
    """What lets an alert tell somebody again."""
    place, command = az.placed(alert.id, name=alert.id.name), "az monitor activity-log alert"
    return az.lines(
        "" if alert.enabled else f"{command} update {place} --enabled true",
        "" if alert.action_groups else f"{command} action-group add {place} --action-group ACTION_GROUP_ID",
    )


@check("LOG001", "NSG without diagnostic setting", Severity.INFO)
def without_diagnostics(view: View) -> Iterator[Said]:
    """Without a diagnostic setting nobody sees afterwards which rules of an NSG were hit.

    One finding for a resource group names all of its NSGs.
    """
    having = {setting.target for setting in view.facts.diagnostic_settings.values() if setting.logs}
    for group, bare in _by_resource_group(rid for rid in view.estate.security_groups if rid not in having):
        if not view.facts.knows_all(_SETTINGS, group):
            yield Unclear(group, ("diagnostic settings of its NSGs",))
            continue
        create = "az monitor diagnostic-settings create --name to-workspace --workspace WORKSPACE_ID --resource"
        remedy = Remedy(
            summary="Send their logs (category group allLogs) to a workspace.",
            az_cli=az.lines(*(f"{create} {az.quoted(rid.text)} {_LOGS}" for rid in bare[:5])),
            doc_url=f"{links.LEARN}/azure/virtual-network/virtual-network-nsg-manage-log",
        )
        text = f"{counted(len(bare), 'NSG')} without: {listed(rid.name for rid in bare)}"
        title = f"NSGs of resource group {group.name} have no diagnostic setting"
        yield Found(group, title, (fact("diagnostic-setting", text, group),), remedy)


@check("LOC001", "NSG that no lock protects from deletion", Severity.INFO)
def without_lock(view: View) -> Iterator[Said]:
    """An NSG that is deleted by mistake takes its rules with it, and no lock keeps anybody from it.

    A lock on the resource group or subscription counts. One finding for a resource group names all of its NSGs.
    """
    scopes = [lock.scope for lock in view.facts.locks.values()]
    bare = (rid for rid in view.estate.security_groups if not _below(rid, scopes))
    for group, unlocked in _by_resource_group(bare):
        if not view.facts.knows_all(_LOCKS, group):
            yield Unclear(group, ("locks",))
            continue
        options = az.arguments(subscription=group.subscription, resource_group=group.name)
        remedy = Remedy(
            summary="Put a CanNotDelete lock on the resource group, or on the NSGs that matter. A ReadOnly lock stops "
            "vmreach, too: it could not put back a failed NIC.",
            az_cli=f"az lock create --name keep-network --lock-type CanNotDelete {options}",
            doc_url=f"{links.LEARN}/azure/azure-resource-manager/management/lock-resources",
            portal_url=links.blade(group, "locks"),
        )
        text = f"{counted(len(unlocked), 'NSG')} without: {listed(rid.name for rid in unlocked)}"
        title = f"No lock protects the NSGs of resource group {group.name}"
        yield Found(group, title, (fact("lock", text, group),), remedy)


def _untold(view: View, change: _Change) -> Iterator[Said]:
    """The subscriptions in which some resource changes without anybody being told."""
    alerts = [alert for alert in view.facts.activity_alerts.values() if alert.enabled and alert.action_groups]
    covering = [[scope.lower() for a in alerts if _fires(a, each) for scope in a.scopes] for each in change.operations]
    uncovered: dict[str, list[ResourceId]] = {}
    for rid in sorted(change.of(view), key=lambda rid: rid.key):
        if not all(_below(rid, scopes) for scopes in covering):
            uncovered.setdefault(rid.subscription, []).append(rid)
    for subscription, resources in uncovered.items():
        about = ResourceId.parse(f"/subscriptions/{subscription}")
        if view.facts.knows_all(ALERTS, about):
            yield _silent(about, change, resources)
        else:
            yield Unclear(about, ("alerts of the activity log",))


def _silent(about: ResourceId, change: _Change, resources: list[ResourceId]) -> Found:
    create = "az monitor activity-log alert create --action-group ACTION_GROUP_ID"
    commands = (
        f"{create} {az.arguments(name='tell-' + operation.rsplit('/', 2)[-2] + '-' + operation.rsplit('/', 1)[-1])} "
        f"{az.arguments(scope=about.text, resource_group='GROUP')} "
        f"--condition {az.quoted(f'category=Administrative and operationName={operation}')}"
        for operation in change.operations
    )
    remedy = Remedy(
        summary=f"Let an alert of the activity log, for the whole subscription, tell of {change.what}.",
        az_cli=az.lines(*commands),
        doc_url=_DOC,
    )
    text = f"No enabled alert with an action group covers {listed(rid.name for rid in resources)}."
    title = f"Nobody is told of {change.what} in subscription {about.subscription}"
    return Found(about, title, (fact("alert", text, about),), remedy)


def _fires(alert: ActivityAlert, operation: str) -> bool:
    """Whether an alert fires on every such operation in its scopes: on this one, or on all administrative ones."""
    if alert.narrowed or alert.others - _USUAL:
        return False
    if alert.operations:
        return operation.lower() in alert.operations
    return "administrative" in alert.categories


def _about_network(alert: ActivityAlert) -> bool:
    return any(_fires(alert, operation) for change in _CHANGES for operation in change.operations)


def _below(rid: ResourceId, scopes: Iterable[str]) -> bool:
    """Whether a resource is one of the scopes, or lies in one."""
    return any(rid.key == scope or rid.key.startswith(scope.rstrip("/") + "/") for scope in scopes)


def _by_resource_group(resources: Iterable[ResourceId]) -> Sequence[tuple[ResourceId, list[ResourceId]]]:
    found: dict[tuple[str, str], list[ResourceId]] = {}
    for rid in sorted(resources, key=lambda rid: rid.key):
        found.setdefault((rid.subscription, rid.resource_group.lower()), []).append(rid)
    return [(_group_of(rids[0]), rids) for rids in found.values()]


def _group_of(rid: ResourceId) -> ResourceId:
    return ResourceId.parse(f"/subscriptions/{rid.subscription}/resourceGroups/{rid.resource_group}")
