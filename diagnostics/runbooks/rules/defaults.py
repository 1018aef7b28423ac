"""Whether AllowVnetInBound and AllowAzureLoadBalancerInBound are in force where a flow arrives.

Nobody can take a default rule away: what happens is that a rule of one's own stands above it and denies first.

Source: "Network security groups overview" (default security rules); "Azure Load Balancer health probes" (source
address 168.63.129.16).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity
from diagnostics.network.estate import Estate, LoadBalancer, Point
from diagnostics.network.filters import Filters, Rules
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import address_of
from diagnostics.network.public import pool_members
from diagnostics.network.security import Decision, Flow, Verdict, first_match
from diagnostics.paste import az, bicep
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.rules.flows import Asked
from diagnostics.runbooks.situation import Situation
from diagnostics.runbooks.survey import HealthProbe

CUT_PROBES = "CON022"
_VNET, _BALANCER = "AllowVnetInBound", "AllowAzureLoadBalancerInBound"
_PLATFORM = {4: ipaddress.ip_address("168.63.129.16"), 6: ipaddress.ip_address("fe80::1234:5678:9abc")}
_LEAST_PRIORITY, _LAST_OWN = 100, 4_096
_ALLOWS = "allow-health-probes"
_DOC = "https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview"


@dataclass(frozen=True, slots=True)
class _Cut:
    """A rule of one's own that denies what a load balancer's health probe sends."""

    group: SecurityGroup
    rule: SecurityRule


def in_force(estate: Estate, asked: Asked) -> Iterator[str]:
    """What becomes of the two default rules at the destination, one line for each NSG and rule."""
    point, flow = asked.destination, asked.flow
    if point is None:
        return
    probing = Flow(_PLATFORM[flow.destination.version], flow.destination, "Tcp", flow.destination_port)
    for _, group, rules in Filters(estate).lists(point, inbound=True):
        if group is None or rules is None:
            continue
        yield _vnet(group, rules, flow)
        if flow.destination_port is not None:
            yield _balancer(group, rules, probing)


def cut_probes(situation: Situation, asked: Asked) -> tuple[Finding, ...]:
    """A finding for each health probe of a load balancer that a rule at the destination keeps out.

    Where the destination is the frontend of a load balancer, at each of the members behind it.
    """
    estate, found = situation.survey.configured, {}
    for probe in situation.survey.health_probes:
        balancer = estate.load_balancers.get(probe.balancer)
        for point in _members(estate, balancer, probe, asked) if balancer else ():
            if cut := _cut(estate, point, probe):
                found[cut.group.id, cut.rule.name, probe.balancer] = _finding(situation, estate, point, probe, cut)
    return tuple(found.values())


def _members(estate: Estate, balancer: LoadBalancer, probe: HealthProbe, asked: Asked) -> Iterator[Point]:
    """The members of a pool that the flow is for: the destination itself, or all where it is the frontend."""
    in_front = any(address_of(front.address) == asked.flow.destination for front in balancer.frontends)
    for point in pool_members(estate, balancer, probe.pool):
        if point.address and (point == asked.destination or (asked.destination is None and in_front)):
            yield point


def _vnet(group: ResourceId, rules: Rules, flow: Flow) -> str:
    named = f"{_VNET} of {group.name}"
    matches = next((terms.match(flow) for rule, terms in rules if rule.name.lower() == _VNET.lower()), None)
    decision = first_match(rules, flow)
    if matches is False:
        return f"{named} does not speak of this flow: {flow.source} or its destination is not in VirtualNetwork here"
    if matches is None or decision is None or decision.verdict is Verdict.UNKNOWN:
        return f"{named}: whether it lets this flow in is not known"
    if decision.rule.name.lower() == _VNET.lower():
        return f"{named} is in force and lets this flow in"
    if decision.verdict is Verdict.DENIED:
        return f"{named} is cut for this flow: {_above(decision)} denies first"
    return f"{named} is in force; {_above(decision)} lets this flow in before it"


def _balancer(group: ResourceId, rules: Rules, probing: Flow) -> str:
    named = f"{_BALANCER} of {group.name}"
    decision, port = first_match(rules, probing), probing.destination_port
    if decision is None or decision.verdict is Verdict.UNKNOWN:
        return f"{named}: whether health probes reach port {port} is not known"
    if decision.verdict is Verdict.DENIED:
        return f"{named} is cut for port {port}: {_above(decision)} denies {probing.source} first"
    return f"{named} is in force for health probes from {probing.source} to port {port}"


def _above(decision: Decision) -> str:
    return f"rule {decision.rule.name} (priority {decision.rule.priority})"


def _cut(estate: Estate, point: Point, probe: HealthProbe) -> _Cut | None:
    """The rule of one's own that denies a health probe for sure."""
    assert point.address
    flow = Flow(_PLATFORM[point.address.version], point.address, "Tcp", probe.port)
    for stage in Filters(estate).inbound(point, flow).stages:
        group = estate.security_groups.get(stage.group) if stage.group else None
        if group and stage.rule and not stage.rule.default and stage.verdict is Verdict.DENIED:
            return _Cut(group, stage.rule)
    return None


def _finding(situation: Situation, estate: Estate, point: Point, probe: HealthProbe, cut: _Cut) -> Finding:
    vm = estate.vm_of(point.nic)
    name, group = cut.rule.name, cut.group.id
    text = (
        f"rule {name} (priority {cut.rule.priority}, Deny) of NSG {group.name} keeps out 168.63.129.16 on port "
        f"{probe.port}: health probe {probe.name} of load balancer {probe.balancer.name} gets no answer, so the load "
        f"balancer takes {point.nic.id.name} for down and sends it nothing new"
    )
    return said(
        situation,
        CUT_PROBES,
        f"NSG rule {name} cuts the health probes of load balancer {probe.balancer.name}",
        about=vm.id if vm else point.nic.vm or point.nic.id,
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        cause=Cause(kind="security-rule", text=text, name=name, resource_id=group.text),
        remedy=_remedy(cut, probe),
        apart=f"{group.key} {probe.balancer.key}",
    )


def _remedy(cut: _Cut, probe: HealthProbe) -> Remedy:
    group, own = cut.group.id, cut.rule
    priority = _free_above(cut)
    text = (
        f"Allow service tag AzureLoadBalancer to port {probe.port} above rule {own.name} of NSG {group.name}"
        + (f", at priority {priority}" if priority else f": no priority below {own.priority} is free, so move it down")
        + "; or narrow that rule. Nothing but Azure itself can send from 168.63.129.16."
    )
    if priority is None:
        return Remedy(summary=text, doc_url=_DOC)
    place = az.placed(group, nsg_name=group.name, name=_ALLOWS, priority=str(priority), direction="Inbound")
    terms = az.arguments(
        access="Allow",
        protocol="Tcp",
        source_address_prefixes="AzureLoadBalancer",
        destination_port_ranges=str(probe.port),
    )
    return Remedy(
        summary=text,
        az_cli=f"az network nsg rule create {place} {terms}",
        bicep=_bicep(group, priority, probe.port),
        doc_url=_DOC,
    )


def _free_above(cut: _Cut) -> int | None:
    """The nearest priority above a rule that no inbound rule has."""
    taken = {rule.priority for rule in cut.group.rules if rule.inbound}
    free = (number for number in range(cut.rule.priority - 1, _LEAST_PRIORITY - 1, -1) if number not in taken)
    return next(free, None) if cut.rule.priority <= _LAST_OWN else None


def _bicep(group: ResourceId, priority: int, port: int) -> str:
    kind = "Microsoft.Network/networkSecurityGroups"
    properties: dict[str, bicep.Value] = {
        "priority": priority,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "sourceAddressPrefix": "AzureLoadBalancer",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": str(port),
    }
    body: dict[str, bicep.Value] = {"parent": bicep.Raw("it"), "name": _ALLOWS, "properties": properties}
    rule = bicep.resource("allow", f"{kind}/securityRules@{bicep.NETWORK}", body)
    return bicep.existing(f"{kind}@{bicep.NETWORK}", group) + "\n" + rule
