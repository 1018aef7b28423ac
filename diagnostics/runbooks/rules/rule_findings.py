"""Findings about rules that deny a flow: by configuration, or by Azure's own word; CON001 and CON015."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, SecurityRule
from diagnostics.network.path import Kind, Reason
from diagnostics.network.security import DEFAULTS, Verdict
from diagnostics.paste import az
from diagnostics.runbooks.diagnosis import blocked, connection, ends, said
from diagnostics.runbooks.owners import find_rule
from diagnostics.runbooks.questions import Asking
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.rules import witnesses
from diagnostics.runbooks.rules.denials import Denial, blocker, owner
from diagnostics.runbooks.rules.flows import Asked
from diagnostics.runbooks.rules.opinions import AZURE, Disagreement, Opinion, Side, Who, confirmed
from diagnostics.runbooks.situation import Situation

DISAGREEMENT = "CON015"
_ADMIN = "SecurityAdminRule_"
_DEFAULT_NAMES = frozenset(rule.name.lower() for rule in DEFAULTS)
_DOC = "https://learn.microsoft.com/azure/virtual-network/diagnose-network-traffic-filter-problem"


def denied_by_rule(
    situation: Situation, asked: Asked, denial: Denial, opinions: Sequence[Opinion]
) -> Asking[Finding | None]:
    """The finding for a rule that denies as it is configured: proven where Azure or the probe names the same."""
    reason, nic, estate = denial.reason, denial.nic, situation.survey.configured
    if nic is None:
        return None
    rule = _rule(estate, reason)
    inbound = rule is None or rule.inbound
    if reason.kind is Kind.ADMIN_RULE:
        name, own, group = f"{_ADMIN}{reason.name}", True, None
    else:
        name, own, group = reason.name, rule is None or not rule.default, reason.resource
    issue = _issue(name, own=own, inbound=inbound)
    speaking = confirmed(opinions, side, name) if (side := _side(asked, nic, inbound=inbound)) else ()
    cause = Cause(kind="security-rule", text=reason.text, name=reason.name, resource_id=group.text if group else "")
    because = (cause, *map(_witness, speaking))
    return (
        yield from _finding(situation, _exact(situation, asked, nic, issue, group), nic, because, proven=bool(speaking))
    )


def denied_by_azure(situation: Situation, asked: Asked, opinions: Sequence[Opinion]) -> Asking[tuple[Finding, ...]]:
    """Findings for what only Azure's own answers deny: an NSG that could not be read, an admin rule, a late change."""
    found = []
    for side, point in witnesses.sides(asked):
        here = [each for each in opinions if each.side is side]
        if any(each.who is Who.CONFIGURED and each.verdict is Verdict.DENIED for each in here):
            continue
        denying = [each for each in here if each.who in AZURE and each.verdict is Verdict.DENIED and each.rule]
        if not denying:
            continue
        first = denying[0]
        group = next(
            (rid for each in denying if each.rule == first.rule and (rid := ResourceId.maybe(each.group))), None
        )
        issue = _issue(first.rule, own=first.rule.lower() not in _DEFAULT_NAMES, inbound=side is Side.IN)
        cause = Cause(
            kind="security-rule",
            text=f"Azure's own answers: {first}",
            name=first.rule,
            resource_id=group.text if group else "",
        )
        also = (_witness(each) for each in confirmed(opinions, side, first.rule) if each is not first)
        exact = _exact(situation, asked, point.nic, issue, group)
        found.append((yield from _finding(situation, exact, point.nic, (cause, *also), proven=True)))
    return tuple(found)


def disagreed(situation: Situation, asked: Asked, found: Disagreement) -> Finding:
    """The finding for answers that contradict each other: nothing is proven by it, but something is not as it seems."""
    point = asked.destination if found.side is Side.IN and asked.destination else asked.source
    text = "; ".join(map(str, found.all))
    return said(
        situation,
        DISAGREEMENT,
        f"Answers about {connection(situation)} contradict each other: {found.title}",
        about=owner(situation, point.nic).id,
        severity=Severity.MEDIUM,
        confidence=Confidence.LIKELY,
        cause=Cause(kind="disagreement", text=text, resource_id=point.nic.id.text),
        fault=found.side,
        remedy=_look(found, point.nic.id),
        apart=ends(situation),
    )


def _exact(situation: Situation, asked: Asked, nic: Nic, issue: Issue, group: ResourceId | None) -> Blocker:
    """The rule with its NSG, as far as that is known."""
    known = situation.survey.configured.security_groups.get(group) if group else None
    made = blocker(asked, issue, owner(situation, nic))
    return replace(made, owner=group, item=issue.name, own=issue.own, group=known)


def _finding(
    situation: Situation, exact: Blocker, nic: Nic, because: tuple[Cause, ...], *, proven: bool
) -> Asking[Finding]:
    """The finding for a rule, under the id that the same rule has when a connectivity check names it.

    A check names a rule, seldom its NSG: where two NSGs have one of that name, its finding names neither.
    """
    at = owner(situation, nic)
    found = blocked(situation, exact, at.id, at.location)
    as_probed = yield from find_rule(Blocker(exact.issue, at.id), (nic,))
    return msgspec.structs.replace(
        found,
        finding_id=blocked(situation, as_probed, at.id, at.location).finding_id,
        because=because,
        confidence=Confidence.PROVEN if proven else Confidence.LIKELY,
    )


def _issue(name: str, *, own: bool, inbound: bool) -> Issue:
    """The issue that a connectivity check would name for a rule."""
    prefix = "" if name.lower().startswith(_ADMIN.lower()) else "UserRule_" if own else "DefaultRule_"
    kind, origin = IssueType.NETWORK_SECURITY_RULE, "Inbound" if inbound else "Outbound"
    return Issue(kind, kind.value, origin, "Error", (("RuleName", prefix + name),))


def _rule(estate: Estate, reason: Reason) -> SecurityRule | None:
    if reason.kind is Kind.ADMIN_RULE:
        named = (each.rule for each in estate.admin_rules if each.rule.name == reason.name)
        return next(named, None)
    group = estate.security_groups.get(reason.resource) if reason.resource else None
    found = group.rule(reason.name) if group else None
    return found or next((each for each in DEFAULTS if each.name.lower() == reason.name.lower()), None)


def _side(asked: Asked, nic: Nic, *, inbound: bool) -> Side | None:
    """Which side of the flow a rule of a network interface is asked at; None for an appliance on the way."""
    if not inbound and nic.id == asked.source.nic.id:
        return Side.OUT
    if inbound and asked.destination and nic.id == asked.destination.nic.id:
        return Side.IN
    return None


def _witness(opinion: Opinion) -> Cause:
    """What somebody else says of the same rule. A probe's word is told as the probe's own finding tells it."""
    if opinion.who is Who.PROBE:
        return Cause(kind="probe", text=f"Probed: {opinion.text.removeprefix(f'{opinion.rule}: ')}")
    return Cause(kind="azure", text=f"Azure says the same: {opinion}", name=opinion.rule)


def _look(found: Disagreement, nic: ResourceId) -> Remedy:
    command = "show-effective-route-table" if found.side is Side.WAY else "list-effective-nsg"
    return Remedy(summary=found.means, az_cli=f"az network nic {command} {az.placed(nic, name=nic.name)}", doc_url=_DOC)
