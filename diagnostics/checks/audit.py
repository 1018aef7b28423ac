"""An audit: all checks over one estate, with what its owner decided about them; always in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from types import MappingProxyType
from typing import Self

import msgspec

from diagnostics.checks.catalogue import Check, catalogue
from diagnostics.checks.collector import at_rest
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.policy import Policy, Suppression, bad_tags, has_tags
from diagnostics.checks.view import View
from diagnostics.errors import VmreachError
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
    made = chosen(policy, only)
    return audited(estate, policy, now, made, [(made, None)])


def chosen(policy: Policy | None = None, only: Sequence[str] | None = None) -> list[Check]:
    """The checks of an audit: those that are not off, and of these, where only some are asked for, no others."""
    off = policy.off if policy else frozenset[str]()
    return [each for each in catalogue() if each.id not in off and (only is None or each.id in only)]


def audited(
    estate: Estate,
    policy: Policy | None,
    now: datetime | None,
    made: Sequence[Check],
    work: Iterable[tuple[Sequence[Check], slice | None]],
) -> Audit:
    """What one of several processes tells that make an audit together.

    Args:
        estate: what to look at.
        policy: what its owner decided.
        now: the time.
        made: the checks that this process makes.
        work: which of them to make next, and of which NSGs by their place among all, if not of all there is. What the
            others leave to this process shows while it goes on.
    """
    with at_rest():  # what the checks worked out is gone before the collector looks at what there is
        making = _Making.of(estate, policy or Policy(), now)
        view = making.view
        for checks, span in work:
            making.make(checks, view.among(view.groups[span]) if span else view)
        return making.audit(made)


def joined(parts: Sequence[Audit]) -> Audit:
    """One audit of the parts that several processes told; it is what one process had told.

    Args:
        parts: at least one.
    """
    first, *others = parts
    # What could not be read is no matter of a check, so each of them tells of it.
    unknown = chain(first.unknown, *([each for each in part.unknown if each.check != ANY] for part in others))
    checks = {each.id: each for part in parts for each in part.checks}
    return Audit(
        tuple(sorted(chain.from_iterable(part.findings for part in parts), key=_order)),
        tuple(sorted(dict.fromkeys(unknown), key=_order_of_unknown)),
        tuple(sorted(chain.from_iterable(part.suppressed for part in parts), key=lambda each: _order(each.finding))),
        tuple(checks[name] for name in sorted(checks)),
        {key: file for part in parts for key, file in part.files.items()},
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """An audit in the making; what is found twice is one finding."""

    policy: Policy
    view: View
    facts: Facts
    today: date | None
    resources: dict[str, tuple[Resource, bool]] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)
    suppressed: dict[str, Suppressed] = field(default_factory=dict)

    @classmethod
    def of(cls, estate: Estate, policy: Policy, now: datetime | None) -> Self:
        """One in which no check was made yet."""
        making = cls(policy, View(estate, now), estate.facts, now.date() if now else None)
        making.unknown.extend(_unread(estate))
        return making

    def make(self, checks: Iterable[Check], view: View) -> None:
        """Make checks. One that input keeps from its end is not known, and the others are made all the same."""
        for check in checks:
            try:
                for said in check.find(view):
                    self._take(check, said)
            except VmreachError as error:
                everything = Resource(id="", name="everything", type="")
                self.unknown.append(Unknown(check.id, check.title, everything, (str(error),)))

    def audit(self, made: Sequence[Check]) -> Audit:
        """What has come of it, in order; nothing can be made in it any more."""
        self.view.forget()
        findings, suppressed = self.findings.values(), self.suppressed.values()
        return Audit(
            tuple(sorted(findings, key=_order)),
            tuple(sorted(dict.fromkeys(self.unknown), key=_order_of_unknown)),
            tuple(sorted(suppressed, key=lambda each: _order(each.finding))),
            tuple(made),
            _files(self.facts, [*findings, *self.unknown, *(each.finding for each in suppressed)]),
        )

    def _take(self, check: Check, said: Said) -> None:
        resource, tagged = self.resources.get(said.resource.text) or self._resource(said.resource)
        if isinstance(said, Unclear):
            self.unknown.append(Unknown(check.id, check.title, resource, tuple(sorted(set(said.missing)))))
            return
        finding = _finding(check, said, self.policy, resource)
        if not (tagged or self.policy.suppressions):
            self.findings[finding.finding_id] = finding
            return
        standing = [*self.policy.about(check.id, said.resource, self.facts)]
        last = max(standing, key=lambda suppression: suppression.until) if standing else None
        if last is not None and (self.today is None or last.until >= self.today):
            self.suppressed[finding.finding_id] = Suppressed(finding, last.reason, last.until)
        else:
            self.findings[finding.finding_id] = _come_back(finding, last)

    def _resource(self, about: ResourceId) -> tuple[Resource, bool]:
        """A resource as findings name it, and whether its tags leave any out; many are about one, in one spelling."""
        found = Resource.of(about, self.facts.location(about)), has_tags(about, self.facts)
        self.resources[about.text] = found
        return found


def _files(facts: Facts, about: Iterable[Finding | Unknown]) -> Mapping[str, str]:
    if not any(each.file for each in facts.resources.values()):
        return {}
    texts = dict.fromkeys(each.resource.id for each in about)
    found = ((text.lower(), ResourceId.maybe(text)) for text in texts)
    return {key: file for key, rid in found if rid and (file := facts.file(rid))}


def _finding(check: Check, said: Found, policy: Policy, resource: Resource) -> Finding:
    return Finding(
        finding_id=fingerprint(check.id, said.resource.key, *said.parts),
        check=check.id,
        title=said.title,
        severity=policy.severities.get(check.id) or said.severity or check.severity,
        confidence=said.confidence,
        resource=resource,
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


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    return RANKS[finding.severity], finding.check, finding.resource.id.lower(), finding.title, finding.finding_id


def _order_of_unknown(each: Unknown) -> tuple[str, str, tuple[str, ...]]:
    return each.check, each.resource.id.lower(), each.missing
