"""An audit: all checks over one estate, with what its owner decided about them; always in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

import msgspec

from diagnostics.checks.catalogue import Check, catalogue
from diagnostics.checks.found import Found, Unclear
from diagnostics.checks.policy import Policy, Suppression, bad_tags
from diagnostics.checks.view import View
from diagnostics.findings import Cause, Finding, Resource, Severity, fingerprint
from diagnostics.network.estate import Estate
from diagnostics.network.facts import Facts
from diagnostics.network.ids import ResourceId

ANY = "*"
"""Stands for the check where something could not be read, so that no check can tell."""

RANKS = {severity: rank for rank, severity in enumerate(Severity)}
"""Of severities; 0 is the worst."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A resource of which a check could not tell, and what is missing.

    Attributes:
        check: its id; `*` where nothing can be told of the resource at all.
    """

    check: str
    title: str
    resource: Resource
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that is left out, why, and until which day."""

    finding: Finding
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        findings: the worst first, then by check and resource.
        unknown: by check and resource.
        suppressed: findings that are left out.
        checks: those that were made.
        files: by lower-cased id, the paths of the files that the resources of all these were read from, where known.
    """

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    suppressed: tuple[Suppressed, ...]
    checks: tuple[Check, ...]
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings that are as bad as a severity, or worse."""
        return tuple(finding for finding in self.findings if RANKS[finding.severity] <= RANKS[severity])


def audit(
    estate: Estate, policy: Policy | None = None, now: datetime | None = None, only: Sequence[str] | None = None
) -> Audit:
    """Make all checks over an estate.

    Args:
        estate: what to look at.
        policy: what its owner decided; by default nothing.
        now: the time: suppressions end by it, and rules are old by it. Without it, no suppression has ended.
        only: the ids of the checks to make; by default all.
    """
    decided, view = policy or Policy(), View(estate, now)
    made = [each for each in catalogue() if each.id not in decided.off and (only is None or each.id in only)]
    findings: dict[str, Finding] = {}
    unknown: list[Unknown] = [*_unread(estate)]
    suppressed: dict[str, Suppressed] = {}
    for each in made:
        for said in each.find(view):
            if isinstance(said, Unclear):
                resource = Resource.of(said.resource, estate.facts.location(said.resource))
                unknown.append(Unknown(each.id, each.title, resource, tuple(sorted(set(said.missing)))))
                continue
            finding, about = _finding(each, said, decided, estate.facts), said.resource
            ended = _day(now)
            standing = [*decided.about(each.id, about, estate.facts)]
            last = max(standing, key=lambda suppression: suppression.until, default=None)
            if last is not None and (ended is None or last.until >= ended):
                suppressed[finding.finding_id] = Suppressed(finding, last.reason, last.until)
            else:
                findings[finding.finding_id] = _come_back(finding, last)
    return Audit(
        tuple(sorted(findings.values(), key=_order)),
        tuple(sorted(unknown, key=lambda each: (each.check, each.resource.id.lower(), each.missing))),
        tuple(sorted(suppressed.values(), key=lambda each: _order(each.finding))),
        tuple(made),
        _files(estate.facts, [*findings.values(), *unknown, *(each.finding for each in suppressed.values())]),
    )


def _files(facts: Facts, about: Iterable[Finding | Unknown]) -> Mapping[str, str]:
    found = ((each.resource.id.lower(), ResourceId.maybe(each.resource.id)) for each in about)
    return {key: file for key, rid in found if rid and (file := facts.file(rid))}


def _finding(check: Check, said: Found, policy: Policy, facts: Facts) -> Finding:
    return Finding(
        finding_id=fingerprint(check.id, said.resource.key, *said.parts),
        check=check.id,
        title=said.title,
        severity=policy.severities.get(check.id) or said.severity or check.severity,
        confidence=said.confidence,
        resource=Resource.of(said.resource, facts.location(said.resource)),
        because=said.because,
        remedy=said.remedy,
    )


def _come_back(finding: Finding, ended: Suppression | None) -> Finding:
    """A finding whose suppression has ended says so."""
    if ended is None:
        return finding
    text = f"It was left out until {ended.until} ({ended.reason}); that day has passed."
    cause = Cause(kind="suppression", text=text, resource_id=finding.resource.id)
    return msgspec.structs.replace(finding, because=(*finding.because, cause))


def _unread(estate: Estate) -> Iterator[Unknown]:
    """What could not be read at all, or not as it was meant."""
    for problem in estate.problems:
        resource = Resource(id=problem.where, name=problem.where, type="")
        yield Unknown(ANY, "could not be read", resource, (problem.text,))
    for rid, text in bad_tags(estate.facts, {each.id for each in catalogue()}):
        yield Unknown(ANY, "suppression that is none", Resource.of(rid), (text,))


def _day(now: datetime | None) -> date | None:
    return now.date() if now else None


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return RANKS[finding.severity], finding.check, finding.resource.id.lower(), finding.title, finding.finding_id
