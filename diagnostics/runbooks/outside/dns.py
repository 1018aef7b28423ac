"""The step about DNS: which servers a VM asks, and can it ask them?

Source: "Name resolution for resources in Azure virtual networks"; "What is IP address 168.63.129.16?".
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity, Step
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import VIRTUAL_MACHINE, ResourceId
from diagnostics.network.path import Kind
from diagnostics.network.prefixes import address_of
from diagnostics.network.security import Verdict
from diagnostics.paste import az
from diagnostics.paste.links import LEARN, blade
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.outside.dns_reading import Servers
from diagnostics.runbooks.outside.dns_servers import Asked, Judged, judge, servers_of
from diagnostics.runbooks.outside.outbound import awake
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.rules.denials import ROUTE_TABLE
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NAME = "DNS"
CHECK, NO_SUCH_NAME = "CON019", "CON006"
_DOC = f"{LEARN}/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances"


def dns(situation: Situation) -> Asking[Situation]:
    """Which DNS servers does the source ask, do they run, and do rules and routes let its questions through?"""
    machine, estate = situation.source, situation.survey.configured
    if machine is None:
        return (yield from done(situation, skipped(NAME, "the source was not found")))
    point = _sender(estate, machine)
    if point is None:
        text = f"which DNS servers {machine.id.name} asks is not known: no network interface of it is"
        return (yield from done(situation, inconclusive(NAME, text)))
    asked = servers_of(estate, point)
    if isinstance(asked, str):
        return (yield from done(situation, inconclusive(NAME, f"which DNS servers are asked is not known: {asked}")))
    reading = Servers(situation.survey, point.nic.id)
    for server in asked.servers:
        if address := address_of(server):
            yield from reading.find(address)
    known = awake(reading.estate, machine)
    judged = tuple(judge(known, machine, server) for server in dict.fromkeys(asked.servers))
    findings = tuple(_finding(situation, known, asked, judged, each) for each in _faults(judged))
    if any(finding.check == NO_SUCH_NAME for finding in situation.findings):
        # Why a name does not resolve comes before that it does not.
        situation, findings = replace(situation, findings=(*findings, *situation.findings)), ()
    return (yield from done(situation, _step(situation, asked, judged, tuple(reading.gaps)), findings))


def _sender(estate: Estate, machine: Machine) -> Point | None:
    """The primary IP configuration of its primary NIC: that one's servers a guest asks."""
    nics = [estate.nics.get(nic.id, nic) for nic in sorted(machine.read_nics, key=machine.is_secondary)]
    points = [Point(nic, each) for nic in nics[:1] for each in nic.ip_configurations]
    return min(points, key=lambda point: not point.configuration.primary, default=None)


def _bad(judged: tuple[Judged, ...]) -> tuple[Judged, ...]:
    return tuple(each for each in judged if each.verdict is Verdict.DENIED)


def _faults(judged: tuple[Judged, ...]) -> tuple[tuple[Judged, ...], ...]:
    """The servers that can't be asked, those together that one thing stands before: a rule, a route, no way out."""
    found = dict[object, list[Judged]]()
    for each in _bad(judged):
        reason = each.denial.reason if each.denial else None
        key = (reason.kind, reason.name, reason.resource) if reason else each.server
        found.setdefault(key, []).append(each)
    return tuple(map(tuple, found.values()))


def _step(situation: Situation, asked: Asked, judged: tuple[Judged, ...], gaps: tuple[str, ...]) -> Step:
    bad = _bad(judged)
    unknown = [each for each in judged if each.verdict is Verdict.UNKNOWN]
    evidence = (f"DNS servers of {asked.where}: {', '.join(asked.servers)}", *map(str, judged), *gaps)
    lost = _unresolved(situation)
    if bad:
        text = "; ".join(map(str, bad))
        rest = f"; {_still(judged)}" if len(bad) < len(judged) else ""
        return failed(NAME, f"{lost}{_number(bad, judged)} can't be asked: {text}{rest}", *evidence)
    if unknown:
        text = "; ".join(map(str, unknown))
        return inconclusive(NAME, f"{lost}whether all DNS servers can be asked is not known: {text}", *evidence)
    names = ", ".join(each.words for each in judged)
    end = ": asked, it does not know the name, or does not answer" if lost else ""
    return passed(NAME, f"{lost}nothing that is configured keeps {_source(situation)} from {names}{end}", *evidence)


def _unresolved(situation: Situation) -> str:
    """What the connectivity check said about a name, to begin with; empty where it said nothing of the kind."""
    found = next((finding for finding in situation.findings if finding.check == NO_SUCH_NAME), None)
    if found is None:
        return ""
    name = next((cause.name for cause in found.because if cause.name), "")
    return f"the connectivity check could not resolve {name or 'the name'}; "


def _resolved(situation: Situation) -> bool:
    """Whether a probe of a host name got through, which it can't unless the name resolved."""
    probed = situation.probed
    named = situation.address is None or address_of(situation.address) is None
    return named and probed is not None and probed.works is True


def _number(bad: tuple[Judged, ...], judged: tuple[Judged, ...]) -> str:
    if len(bad) < len(judged):
        return f"{len(bad)} of {len(judged)} DNS servers"
    return "the only DNS server" if len(judged) == 1 else f"all {len(judged)} DNS servers"


def _still(judged: tuple[Judged, ...]) -> str:
    """Which servers are left."""
    works = [each.words for each in judged if each.verdict is Verdict.ALLOWED]
    perhaps = [each.words for each in judged if each.verdict is Verdict.UNKNOWN]
    parts = [f"{', '.join(works)} still can" if works else "", f"of {', '.join(perhaps)} it is not known"]
    return "; ".join(part for part, known in zip(parts, (works, perhaps), strict=True) if known)


def _source(situation: Situation) -> str:
    return situation.source.id.name if situation.source else "the source"


def _finding(
    situation: Situation, estate: Estate, asked: Asked, judged: tuple[Judged, ...], fault: tuple[Judged, ...]
) -> Finding:
    """About the server where that is off, so that all that ask it are one fault; else about the machine that asks."""
    bad, words = fault[0], ", ".join(each.words for each in fault)
    reason, alone = bad.denial.reason if bad.denial else None, len(_bad(judged)) == len(judged)
    off = reason is not None and reason.kind in {Kind.POWER, Kind.LOAD_BALANCER}
    about = reason.resource if reason and off else situation.source.id if situation.source else None
    place = (reason.resource if reason else None) or asked.owner
    # Both are Azure's own words then: that the name did not resolve, and that the server's VM does not run.
    sure = alone and reason is not None and reason.kind is Kind.POWER and bool(_unresolved(situation))
    name, resolved = ", ".join(each.server for each in fault), _resolved(situation)
    found = said(
        situation,
        CHECK,
        f"{_source(situation)} can't ask DNS server{'s' if len(fault) > 1 else ''} {words}: {bad.text}",
        about=about,
        severity=Severity.HIGH if alone else Severity.MEDIUM,
        confidence=Confidence.PROVEN if sure else Confidence.POSSIBLE if resolved and alone else Confidence.LIKELY,
        cause=Cause(kind="dns-server", text=f"{words}: {bad.text}", name=name, resource_id=place.text),
        remedy=_remedy(estate, asked, bad),
    )
    because = [Cause(kind="dns-settings", text=f"DNS servers of {asked.where}", resource_id=asked.owner.text)]
    if resolved and alone:
        text = "The probed name resolved all the same: from a cache, or the guest has servers of its own"
        because.append(Cause(kind="probe", text=text))
    if not alone:
        text = f"{_still(judged)}: guests ask their servers in turn, so names resolve late or not at all"
        because.append(Cause(kind="dns-others", text=text))
    return msgspec.structs.replace(found, because=(*found.because, *because))


def _remedy(estate: Estate, asked: Asked, bad: Judged) -> Remedy:
    """What mends it, then how other servers are named."""
    remedy = _mended(estate, bad)
    change = az.otherwise("or name servers that can be asked", _change(asked))
    where = f"Or name other DNS servers at {asked.where.partition(',')[0]}: guests take them with their next DHCP lease"
    return msgspec.structs.replace(
        remedy,
        summary=f"{remedy.summary} {where}, or a restart.",
        az_cli=az.lines(remedy.az_cli, change),
        doc_url=remedy.doc_url or _DOC,
        portal_url=remedy.portal_url or blade(asked.owner, "dnsServers"),
    )


def _change(asked: Asked) -> str:
    rid = asked.owner
    kind = "nic" if rid.type.endswith("networkinterfaces") else "vnet"
    return f"az network {kind} update {az.placed(rid, name=rid.name)} --dns-servers ADDRESS"


def _mended(estate: Estate, bad: Judged) -> Remedy:
    denial = bad.denial
    reason = denial.reason if denial else None
    if denial is None or reason is None:
        return Remedy(summary=f"See that {bad.words} can be reached on port 53, UDP and TCP.", doc_url=_DOC)
    if reason.kind is Kind.POWER and reason.resource and reason.resource.type == VIRTUAL_MACHINE:
        text = f"Start {reason.resource.name}, the DNS server."
        return msgspec.structs.replace(remedies.start_vm(reason.resource), summary=text)
    if reason.kind is Kind.SECURITY_RULE and reason.resource:
        return _rule(estate, bad, reason.name, reason.resource)
    if reason.kind is Kind.ROUTE and reason.resource and reason.resource.type == ROUTE_TABLE:
        return _route(estate, bad, reason.name, reason.resource)
    return Remedy(summary=f"Mend this: {bad.text}.", doc_url=_DOC)


def _rule(estate: Estate, bad: Judged, name: str, group: ResourceId) -> Remedy:
    """The rule that denies questions; to Azure's own resolver only rules about AzurePlatformDNS apply."""
    known, flow = estate.security_groups.get(group), bad.flow
    rule = known.rule(name) if known else None
    inbound = rule is not None and rule.inbound
    prefix = "DefaultRule_" if rule and rule.default else "UserRule_"
    origin = "Inbound" if inbound else "Outbound"
    kind = IssueType.NETWORK_SECURITY_RULE
    issue = Issue(kind, kind.value, origin, "Error", (("RuleName", prefix + name),))
    found = Blocker(
        issue,
        owner=group,
        item=name,
        own=issue.own,
        group=known,
        source=str(flow.source) if flow else "",
        destination="AzurePlatformDNS" if bad.azures else bad.server,
        port=53,
        protocol="Udp",
    )
    remedy = remedies.row(issue).remedy(found)
    return msgspec.structs.replace(remedy, summary=f"{remedy.summary} TCP to port 53 as well: long answers need it.")


def _route(estate: Estate, bad: Judged, name: str, table: ResourceId) -> Remedy:
    known = estate.route_tables.get(table)
    route = known.route(name) if known else None
    kind = IssueType.USER_DEFINED_ROUTE
    issue = Issue(kind, kind.value, "Outbound", "Error", (("RouteType", "User"),))
    return remedies.row(issue).remedy(Blocker(issue, owner=table, item=name, route=route, destination=bad.server))
