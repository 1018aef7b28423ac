"""Network Watcher: where it is missing, and whether what flows is recorded."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Remedy, Severity
from diagnostics.network.estate import VirtualNetwork
from diagnostics.network.facts import FlowLog, Watcher
from diagnostics.network.ids import ResourceId, region
from diagnostics.paste import az, bicep, links

WATCHERS = "microsoft.network/networkwatchers"
FLOW_LOGS = "microsoft.network/networkwatchers/flowlogs"
_MONITORS = "microsoft.network/networkwatchers/connectionmonitors"
_GROUPS = "microsoft.network/networksecuritygroups"
_WATCHER_DOC = f"{links.LEARN}/azure/network-watcher/network-watcher-create"
_FLOW_DOC = f"{links.LEARN}/azure/network-watcher/vnet-flow-logs-overview"
_MIGRATE_DOC = f"{links.LEARN}/azure/network-watcher/nsg-flow-logs-migrate"
_LEAST_DAYS = 90


@check("WAT001", "Region without Network Watcher", Severity.LOW)
def regions(view: View) -> Iterator[Said]:
    """A region of a subscription has virtual networks and no Network Watcher: nothing there can be probed or recorded.

    Azure makes one by itself with the first virtual network, unless that was switched off ("Network Watcher, enable or
    disable").
    """
    watched = {(each.id.subscription, region(each.location)) for each in view.facts.watchers.values()}
    for (subscription, place), network in sorted(_regions(view).items()):
        if (subscription, place) in watched:
            continue
        if view.facts.knows_all(WATCHERS, network.id):
            yield _unwatched(subscription, place, network)
        else:
            yield Unclear(network.id, (f"the Network Watcher of {place}",))


@check("WAT002", "Network Watcher that is not in order", Severity.MEDIUM)
def states(view: View) -> Iterator[Said]:
    """The last operation on a Network Watcher failed: checks, flow logs and monitors of its region may not work."""
    for watcher in view.ordered(view.facts.watchers):
        if watcher.state.lower() == "failed":
            yield _broken(watcher)


@check("WAT003", "Virtual network without flow log", Severity.LOW)
def recorded(view: View) -> Iterator[Said]:
    """Nobody records what flows in the virtual network, so after an incident nobody can tell what came in.

    A flow log of the network, of each subnet with something in it, or of the NSG of each of these records it.
    """
    targets = {log.target for log in view.facts.flow_logs.values() if log.target}
    for network in view.networks:
        used = [subnet for subnet in network.subnets if view.places.points_in(subnet.id)]
        bare = [subnet.id for subnet in used if not {subnet.id, subnet.security_group} & targets]
        if network.id in targets or network.flow_logs or not bare:
            continue
        if view.facts.knows_all(FLOW_LOGS, network.id) or network.flow_logs is not None:
            yield _unrecorded(network, bare)
        else:
            yield Unclear(network.id, ("flow logs",))


@check("WAT004", "Flow log that is switched off", Severity.LOW)
def switched_off(view: View) -> Iterator[Said]:
    """A flow log is there and records nothing, so whoever counts on it finds nothing."""
    for log in view.ordered(view.facts.flow_logs):
        if not log.enabled:
            yield _flow_log(log, "is switched off", "Switch it on, or delete it.", _set(view, log, enabled="true"))


@check("WAT005", "Flow log that failed", Severity.MEDIUM)
def failed(view: View) -> Iterator[Said]:
    """The last operation on the flow log failed: its storage or its target is gone, or it may not write there."""
    for log in view.ordered(view.facts.flow_logs):
        if log.state.lower() == "failed":
            text = "Look for the error in the activity log: its storage account, its target or its permission is gone."
            yield _flow_log(log, "is in provisioning state Failed", text, _set(view, log, enabled="true"))


@check("WAT006", "Flow log kept for less than 90 days", Severity.LOW)
def kept_shortly(view: View) -> Iterator[Said]:
    """Intrusions are often found only months later; 90 days is what the benchmarks of the field ask for.

    A retention of 0 days keeps everything, whatever tools say that take it for none.
    """
    for log in view.ordered(view.facts.flow_logs):
        if log.enabled and 0 < log.retention_days < _LEAST_DAYS:
            text = f"Keep them for {_LEAST_DAYS} days at least, or for ever with 0."
            yield _flow_log(
                log, f"is kept for {log.retention_days} days", text, _set(view, log, retention=str(_LEAST_DAYS))
            )


@check("WAT007", "Flow log without traffic analytics", Severity.INFO)
def not_analysed(view: View) -> Iterator[Said]:
    """Without traffic analytics a flow log is a pile of files that nobody reads until it is too late."""
    for log in view.ordered(view.facts.flow_logs):
        if log.enabled and not log.analytics:
            text = "Send it to a Log Analytics workspace too."
            yield _flow_log(
                log, "has no traffic analytics", text, _set(view, log, traffic_analytics="true", workspace="ID")
            )


@check("WAT008", "Flow log of an NSG, which Azure retires", Severity.MEDIUM)
def of_groups(view: View) -> Iterator[Said]:
    """Flow logs of NSGs end on 30 September 2027, and no new ones can be made since 30 June 2025.

    Flow logs of virtual networks take their place ("Migrate from network security group flow logs").
    """
    for log in view.ordered(view.facts.flow_logs):
        if log.target and log.target.type == _GROUPS and log.enabled:
            text = "Make a flow log of the virtual network, then delete this one."
            options = az.arguments(location=_place(view, log), name=f"{log.id.name}-vnet", vnet="VNET_ID")
            create = f"az network watcher flow-log create {options} --storage-account STORAGE_ID"
            yield _flow_log(log, f"is of NSG {log.target.name}", text, create, _MIGRATE_DOC)


@check("WAT009", "Flow log of something that does not exist", Severity.LOW)
def of_nothing(view: View) -> Iterator[Said]:
    """The flow log's target was deleted: it records nothing."""
    known = {_GROUPS: view.estate.security_groups, "microsoft.network/virtualnetworks": view.estate.networks}
    for log in view.ordered(view.facts.flow_logs):
        if log.target is None or log.target in known.get(log.target.type, ()):
            continue
        if log.target.type in known and view.facts.knows_all(log.target.type, log.target):
            options = _named(view, log)
            commands = az.lines(
                f"az network watcher flow-log show {options}",
                az.otherwise("once nobody needs it", f"az network watcher flow-log delete {options}"),
            )
            yield _flow_log(log, f"is of {log.target.name}, which does not exist", "Delete it.", commands)


@check("WAT010", "Subscription without connection monitor", Severity.INFO)
def monitored(view: View) -> Iterator[Said]:
    """Nothing tries the connections that matter, so their loss is first noticed by those who need them."""
    running = {vm.subscription for vm in view.estate.vms}
    for subscription in sorted(running - {each.subscription for each in view.facts.connection_monitors}):
        rid = ResourceId.parse(f"/subscriptions/{subscription}")
        if not view.facts.knows_all(_MONITORS, rid):
            yield Unclear(rid, ("connection monitors",))
            continue
        create = (
            "az network watcher connection-monitor create --name NAME --location LOCATION --test-config-name tcp443"
        )
        remedy = Remedy(
            summary="Let a connection monitor try the connections that must not break.",
            az_cli=f"{create} --protocol Tcp --tcp-port 443 --endpoint-source-name VM --endpoint-source-resource-id ID "
            "--endpoint-dest-name TO --endpoint-dest-address ADDRESS",
            doc_url=f"{links.LEARN}/azure/network-watcher/connection-monitor-overview",
        )
        cause = fact("connection-monitor", "The subscription has VMs, and no connection monitor.", rid)
        yield Found(rid, f"Subscription {subscription} has no connection monitor", (cause,), remedy)


def _regions(view: View) -> dict[tuple[str, str], VirtualNetwork]:
    """The regions that have virtual networks, each with its first."""
    found: dict[tuple[str, str], VirtualNetwork] = {}
    for network in view.networks:
        if network.location:
            found.setdefault((network.id.subscription, region(network.location)), network)
    return found


def _unwatched(subscription: str, place: str, network: VirtualNetwork) -> Found:
    remedy = Remedy(
        summary=f"Enable Network Watcher for {place}: it costs nothing by itself.",
        az_cli="az network watcher configure --enabled true "
        + az.arguments(subscription=subscription, resource_group="NetworkWatcherRG", locations=place),
        bicep=bicep.resource(
            "watcher",
            f"Microsoft.Network/networkWatchers@{bicep.NETWORK}",
            {"name": f"NetworkWatcher_{place}", "location": place},
        ),
        doc_url=_WATCHER_DOC,
    )
    rid = ResourceId.parse(f"/subscriptions/{subscription}")
    cause = fact("region", f"{network.id.name} and perhaps others lie in {place}, which has no Network Watcher.", rid)
    return Found(
        rid, f"Region {place} of subscription {subscription} has no Network Watcher", (cause,), remedy, (place,)
    )


def _broken(watcher: Watcher) -> Found:
    remedy = Remedy(
        summary="Enable it once more; if it stays so, delete it and enable it anew.",
        az_cli="az network watcher configure --enabled true "
        + az.placed(watcher.id, locations=region(watcher.location)),
        doc_url=_WATCHER_DOC,
        portal_url=links.blade(watcher.id, "overview"),
    )
    title = f"Network Watcher {watcher.id.name} is in provisioning state {watcher.state}"
    cause = fact("provisioning-state", f"It is in state {watcher.state}.", watcher.id, watcher.state)
    return Found(watcher.id, title, (cause,), remedy)


def _unrecorded(network: VirtualNetwork, bare: list[ResourceId]) -> Found:
    create = az.placed(
        network.id,
        location=region(network.location) or "LOCATION",
        name=f"flow-{network.id.name}",
        vnet=network.id.text,
    )
    remedy = Remedy(
        summary="Make a flow log of the virtual network, into a storage account of the same region.",
        az_cli=f"az network watcher flow-log create {create} --storage-account STORAGE_ID --retention {_LEAST_DAYS}",
        doc_url=_FLOW_DOC,
        portal_url=links.blade(network.id, "flowLogs"),
    )
    text = f"No flow log is of the network; neither is one of {listed(map(called, bare))}, nor of its NSG."
    title = f"Virtual network {network.id.name} has no flow log"
    return Found(network.id, title, (fact("flow-log", text, network.id),), remedy)


def _flow_log(log: FlowLog, what: str, mend: str, command: str, doc: str = _FLOW_DOC) -> Found:
    remedy = Remedy(summary=mend, az_cli=command, doc_url=doc, portal_url=links.blade(log.id, "overview"))
    target = f" of {log.target.name}" if log.target else ""
    title = f"Flow log {log.id.name} {what}"
    return Found(log.id, title, (fact("flow-log", f"Flow log {log.id.name}{target} {what}.", log.id),), remedy)


def _set(view: View, log: FlowLog, **options: str) -> str:
    return f"az network watcher flow-log update {_named(view, log, **options)}"


def _named(view: View, log: FlowLog, **options: str) -> str:
    """The options that name a flow log, then others."""
    return az.arguments(subscription=log.id.subscription, location=_place(view, log), name=log.id.name, **options)


def _place(view: View, log: FlowLog) -> str:
    return region(view.facts.location(log.id)) or "LOCATION"
