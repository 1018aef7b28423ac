"""Findings about the way that a flow takes: routes, appliances, peerings, and what else the engine says against it."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity
from diagnostics.network.connectivity import ConnectivityCheck, Issue, IssueType
from diagnostics.network.estate import Peering
from diagnostics.network.ids import NETWORK_INTERFACE, VIRTUAL_MACHINE, ResourceId
from diagnostics.network.model import Nic, Route
from diagnostics.network.owners import lies_in
from diagnostics.network.path import Kind, Reason
from diagnostics.paste import az, bicep
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import blocked, connection, said
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.rules.denials import ROUTE_TABLE, Denial, blocker, owner
from diagnostics.runbooks.rules.flows import Asked
from diagnostics.runbooks.situation import Situation

ROUTE, OTHER, NO_WAY_OUT, BAD_APPLIANCE = "CON002", "CON010", "CON017", "CON018"
_NETWORK = "microsoft.network/virtualnetworks"
_LEARN = "https://learn.microsoft.com/azure/virtual-network"


def denied_on_the_way(
    situation: Situation, asked: Asked, denial: Denial, probe: ConnectivityCheck | None
) -> Finding | None:
    """The finding for what is no rule; None where another step has one for it (a machine that is off, no way out)."""
    reason = denial.reason
    surer = probe is not None and any(issue.type is IssueType.USER_DEFINED_ROUTE for _, issue in probe.issues)
    sure = Confidence.PROVEN if surer else Confidence.LIKELY
    match reason.kind:
        case Kind.ROUTE if reason.resource and reason.resource.type == _NETWORK:
            return _peering(situation, reason)
        case Kind.ROUTE:
            return _route(situation, asked, denial, sure)
        case Kind.APPLIANCE:
            return _appliance(situation, denial)
        case Kind.POWER | Kind.LOAD_BALANCER if denial.passing and denial.route:
            return _appliance(situation, denial)
        case Kind.POWER:
            return None if _is_known_off(situation, denial) else _other(situation, denial)
        case Kind.WAY_OUT:
            known = any(finding.check == NO_WAY_OUT for finding in situation.findings)
            return None if known else _no_way_out(situation, denial)
        case _:
            return _other(situation, denial)


def _route(situation: Situation, asked: Asked, denial: Denial, sure: Confidence) -> Finding | None:
    """A route that drops it, under the id that a connectivity check's issue about it has."""
    if denial.nic is None:
        return None
    reason, at = denial.reason, owner(situation, denial.nic)
    guilty = reason if reason.resource and reason.resource.type == ROUTE_TABLE else denial.route
    kind = "User" if guilty else "System"
    issue = Issue(IssueType.USER_DEFINED_ROUTE, "UserDefinedRoute", "Outbound", "Error", (("RouteType", kind),))
    made = replace(blocker(asked, issue, at), network=_network(situation, denial.nic))
    if guilty:
        made = replace(made, owner=guilty.resource, item=guilty.name, route=_read(situation, guilty))
    found = blocked(situation, made, at.id, at.location)
    place = guilty.resource.text if guilty and guilty.resource else denial.nic.id.text
    text = f"on the way back, {reason.text}" if denial.back else reason.text
    causes = [Cause(kind="route", text=text, name=guilty.name if guilty else "", resource_id=place)]
    peering = None if guilty else _unconnected(situation, asked, denial)
    if peering:
        told = f"peering {peering.name} with {peering.remote.name} is {peering.state or 'in no known state'}"
        text = f"{told}, not Connected, so the networks know no way to each other"
        causes.append(Cause(kind="peering", text=text, name=peering.name, resource_id=peering.remote.text))
    return msgspec.structs.replace(found, because=tuple(causes), confidence=sure)


def _unconnected(situation: Situation, asked: Asked, denial: Denial) -> Peering | None:
    """A peering of the network there that would lead to the other end if it were connected."""
    home = _network(situation, denial.nic) if denial.nic else None
    network = situation.survey.configured.networks.get(home) if home else None
    wanted = asked.flow.source if denial.back else asked.flow.destination
    peerings = network.peerings if network else ()
    return next((each for each in peerings if not each.connected and lies_in(wanted, each.prefixes)), None)


def _network(situation: Situation, nic: Nic) -> ResourceId | None:
    """The virtual network that a network interface is in."""
    subnets = (each.subnet for each in nic.ip_configurations if each.subnet)
    home = situation.survey.configured.network_of(next(subnets, None))
    return home.id if home else None


def _read(situation: Situation, guilty: Reason) -> Route | None:
    """A user-defined route as it was read."""
    table = situation.survey.configured.route_tables.get(guilty.resource) if guilty.resource else None
    return table.route(guilty.name) if table else None


def _appliance(situation: Situation, denial: Denial) -> Finding:
    """A next hop that is missing, off or not forwarding, with the route that leads there."""
    reason, route, subject = denial.reason, denial.route, _subject(denial)
    table = route.resource if route else None
    named = f"route {route.name} of route table {table.name}" if route and table else ""
    text = f"on the way back, {reason.text}" if denial.back else reason.text
    about = subject or table or (situation.source.id if situation.source else None)
    led = f"Route {route.name} leads {connection(situation)}" if route else f"{connection(situation)} is led"
    found = said(
        situation,
        BAD_APPLIANCE,
        f"{led} to {_what(reason)}",
        about=about,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(kind="appliance", text=text, name=reason.name, resource_id=about.text if about else ""),
        remedy=_mended(situation, denial),
    )
    if not route or not table:
        return found
    leads = Cause(kind="route", text=f"{named}: {route.text}", name=route.name, resource_id=table.text)
    return msgspec.structs.replace(found, because=(*found.because, leads))


def _subject(denial: Denial) -> ResourceId | None:
    """The appliance itself, where there is one; a subnet or a network is none."""
    rid = denial.reason.resource
    return rid if rid and "virtualnetworks" not in rid.type else None


def _what(reason: Reason) -> str:
    """The appliance and what is the matter with it, for a title."""
    if reason.kind is Kind.POWER:
        return f"appliance {reason.name}, which does not run"
    if reason.kind is Kind.LOAD_BALANCER:
        return f"load balancer {reason.name}, behind which no member is there to answer"
    if reason.resource and reason.resource.type == NETWORK_INTERFACE:
        return f"{reason.name}, which does not forward"
    if reason.text.startswith("next hop"):
        return f"{reason.name}, which nothing has"
    return f"appliance {reason.name}: {reason.text}"


def _mended(situation: Situation, denial: Denial) -> Remedy:
    reason, route = denial.reason, denial.route
    if reason.kind is Kind.POWER and reason.resource:
        lead = f", or lead route {route.name} elsewhere" if route else ""
        return msgspec.structs.replace(
            remedies.start_vm(reason.resource), summary=f"Start appliance {reason.resource.name}{lead}."
        )
    if reason.resource and reason.resource.type == NETWORK_INTERFACE:
        return _forwarding(reason.resource)
    found = Blocker(
        _ROUTE_ISSUE,
        owner=route.resource if route else None,
        item=route.name if route else "",
        route=_read(situation, route) if route else None,
    )
    return remedies.row(_ROUTE_ISSUE).remedy(found)


_ROUTE_ISSUE = Issue(IssueType.USER_DEFINED_ROUTE, "UserDefinedRoute", "Outbound", "Error", (("RouteType", "User"),))


def _forwarding(nic: ResourceId) -> Remedy:
    text = (
        f"Switch IP forwarding on at {nic.name}: without it, Azure drops what is not addressed to it. Inside the "
        "appliance, its operating system has to forward as well (net.ipv4.ip_forward, or routing on Windows)."
    )
    return Remedy(
        summary=text,
        az_cli=f"az network nic update {az.placed(nic, name=nic.name)} --ip-forwarding true",
        bicep=bicep.comment(f"network interface {nic.name}: properties.enableIPForwarding: true"),
        doc_url=f"{_LEARN}/virtual-network-network-interface#enable-or-disable-ip-forwarding",
    )


def _peering(situation: Situation, reason: Reason) -> Finding:
    """A peering that does not take what is forwarded, or a network without the gateway that a route leads to."""
    network = reason.resource
    assert network
    remedy = Remedy(
        summary=f"See the routes of network {network.name}: one leads to a virtual network gateway that is not there.",
        doc_url=f"{_LEARN}/diagnose-network-routing-problem",
    )
    if reason.name != network.name:
        named = az.placed(network, vnet_name=network.name, name=reason.name)
        remedy = Remedy(
            summary=f"Let peering {reason.name} of {network.name} take forwarded traffic (allowForwardedTraffic).",
            az_cli=f"az network vnet peering update {named} --set allowForwardedTraffic=true",
            bicep=bicep.comment(f"peering {reason.name} of {network.name}: properties.allowForwardedTraffic: true"),
            doc_url=f"{_LEARN}/virtual-network-manage-peering",
        )
    return said(
        situation,
        ROUTE,
        f"{connection(situation)} does not get through: {reason.text}",
        about=network,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(kind="route", text=reason.text, name=reason.name, resource_id=network.text),
        remedy=remedy,
    )


def _no_way_out(situation: Situation, denial: Denial) -> Finding:
    nic = denial.nic
    return said(
        situation,
        NO_WAY_OUT,
        f"{connection(situation)}: {denial.reason.text}",
        about=owner(situation, nic).id if nic else None,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(kind="way-out", text=denial.reason.text, name="", resource_id=nic.id.text if nic else ""),
        remedy=remedies.way_out(),
    )


def _other(situation: Situation, denial: Denial) -> Finding:
    reason = denial.reason
    about = owner(situation, denial.nic).id if denial.nic else reason.resource
    text = reason.text if reason.kind is not Kind.RETURN else f"on the way back, {reason.text}"
    return said(
        situation,
        OTHER,
        f"{connection(situation)} does not get through: {text}",
        about=about or (situation.source.id if situation.source else None),
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(
            kind=reason.kind, text=text, name=reason.name, resource_id=reason.resource.text if reason.resource else ""
        ),
        remedy=remedies.look_again(f"{text[:1].upper()}{text[1:]}: change that, then check again."),
    )


def _is_known_off(situation: Situation, denial: Denial) -> bool:
    """Whether the machine that is off is one of the two that have a finding for that already."""
    ends = {machine.id for machine in (situation.source, situation.destination) if machine}
    rid = denial.reason.resource
    return rid is not None and rid.type == VIRTUAL_MACHINE and rid in ends
