"""What an audit has to tell people: one digest, for a fleet has thousands of findings. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Resource, Severity, Status, fingerprint

DIGEST = "OPS003"
_SHOWN = 5


class Noted(msgspec.Struct, frozen=True):
    """What an audit set out to tell, by finding ids: an audit that is cut short leaves it to the next one."""

    new: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()


def edition(finding: Finding) -> str:
    """What is told of a finding: that another severity holds now, or that its suppression has ended, is news."""
    if finding.status is not Status.OPEN:
        return finding.status
    ended = (cause.text for cause in finding.because if cause.kind == "suppression")
    return " ".join((finding.status, finding.severity, *ended))[:1_000]


@dataclass(frozen=True, slots=True)
class News:
    """What an audit has to tell.

    Attributes:
        new: findings that were not told yet, the worst first.
        resolved: ids of those that are gone.
        known: those that were told by an earlier audit, and stand still.
        unknown: of how many resources and lists it can't be told.
        where: where the whole report is, in words.
    """

    new: Sequence[Finding]
    resolved: frozenset[str]
    known: Sequence[Finding]
    unknown: int
    where: str

    @property
    def edition(self) -> str:
        """Tells this news from other news: the same news is told once, however often it comes."""
        new = sorted(f"{finding.finding_id} {edition(finding)}" for finding in self.new)
        return fingerprint(DIGEST, "new", *new, "resolved", *sorted(self.resolved))

    def noted(self) -> Noted:
        """The same by ids."""
        return Noted(frozenset(finding.finding_id for finding in self.new), self.resolved)


def digest(news: News) -> Finding:
    """The news as a finding: open while anything stands, as severe as the worst that is new."""
    title = f"Audit: {len(news.new)} new, {len(news.resolved)} resolved, {len(news.known)} known"
    return Finding(
        finding_id=fingerprint(DIGEST, "audit"),
        check=DIGEST,
        title=title,
        severity=news.new[0].severity if news.new else Severity.INFO,
        status=Status.OPEN if news.new or news.known else Status.RESOLVED,
        confidence=Confidence.PROVEN,
        resource=Resource(id="", name="all in VMREACH_SCOPES", type="estate"),
        because=tuple(_causes(news)),
        remedy=Remedy(summary=f"The whole report is {news.where}."),
    )


def _causes(news: News) -> Iterator[Cause]:
    """No more than a card has room for."""
    if news.new:
        yield Cause(kind="count", text=f"New: {_counted(news.new)}.")
    for finding in news.new[:_SHOWN]:
        yield Cause(kind="finding", text=f"{finding.severity} {finding.check}: {finding.title}")
    if news.known:
        yield Cause(kind="count", text=f"Known already: {_counted(news.known)}.")
    if news.unknown:
        text = f"Not known: {news.unknown}. The report says of what, and what is missing."
        yield Cause(kind="count", text=text)


def _counted(findings: Iterable[Finding]) -> str:
    many = Counter(finding.severity for finding in findings)
    return ", ".join(f"{many[severity]} {severity}" for severity in Severity if many[severity])
