"""The audit of everything in scope: reports for people, findings one by one for other systems, a digest for Teams.

What an audit wants to tell is noted before anything is told, and each finding's record says who has it: an audit that
is cut short anywhere is made up for by the next one, and one that finds nothing new writes no record.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from diagnostics.checks.audit import ANY, Audit, audit
from diagnostics.checks.policy import Policy
from diagnostics.checks.provisioning import FAILED_NIC
from diagnostics.contracts import Clock, Entry, Estates, Known, Reports, Store
from diagnostics.engine.digest import News, Noted, digest, edition
from diagnostics.engine.estates import Around, Looked
from diagnostics.engine.gate import Gate
from diagnostics.engine.publish import OVER, Publisher
from diagnostics.errors import OutOfScopeError, TemporaryError, VmreachError
from diagnostics.findings import Finding, Severity, Status
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.reports import MEDIA_TYPES, WRITERS, Form

_log = logging.getLogger(__name__)
_NAME, _NEWS, _LOGGED = "audit", "news", 50
_LONGEST = timedelta(minutes=16)  # a minute more than a function may run (host.json)
_TELLING = timedelta(minutes=12)  # after its start an audit tells nothing more: what is left, the next one tells
_ENDINGS = {Form.TABLE: "txt", Form.JSON: "json", Form.SARIF: "sarif", Form.CSV: "csv"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner decided about audits.

    Attributes:
        policy: severities, checks that are off, suppressions.
        severity: findings below it are told to nobody, though reports have them; None for telling none at all.
        place: where reports are, in words; empty where none are written.
    """

    policy: Policy = field(default_factory=Policy)
    severity: Severity | None = Severity.MEDIUM
    place: str = ""


@dataclass(frozen=True, slots=True)
class Auditor:
    """Audits everything in scope.

    Attributes:
        publisher: tells systems each finding.
        digests: tells people the digest.
        reports: where reports go; None for nowhere.
    """

    rules: Rules
    estates: Estates
    store: Store
    publisher: Publisher
    digests: Publisher
    reports: Reports | None
    clock: Clock
    gate: Gate

    def run(self, *, holder: str) -> None:
        """Audit once, unless another audit is running.

        Args:
            holder: tells this run from others.

        Raises:
            TemporaryError: something could not be written or told; all else was.
        """
        now = self.clock.now()
        if not self.store.lease(_NAME, holder=holder, now=now, until=now + _LONGEST):
            _log.info("audit: another one is running")
            return
        try:
            self._audit(now)
        finally:
            self.store.give_back(_NAME, holder=holder)

    def _audit(self, now: datetime) -> None:
        missed: dict[str, str] = {}
        looked = Looked.at(self.estates.listing(), lambda subscription: self._in_scope(subscription, missed))
        made = audit(looked.estate, self.rules.policy, now)
        self._report(made, now, missed)
        for problem in looked.estate.problems[:_LOGGED]:  # the report has all
            _log.warning("audit: not read: %r", f"{problem.where}: {problem.text}")
        many = len(made.findings), len(made.unknown), len(looked.estate.problems)
        _log.info("audit: %d findings, %d not known, %d not read", *many)
        if self.rules.severity is not None:
            missed |= self._tell(made, looked, now, self.rules.severity)
        if missed:
            raise TemporaryError(f"audit: {len(missed)} missed: {'; '.join([*missed.values()][:5])}")

    def _report(self, made: Audit, now: datetime, missed: dict[str, str]) -> None:
        """Every form, under the time of the audit and as the latest."""
        if self.reports is None:
            return
        for form, write in WRITERS.items():
            text = write(made)
            for name in (_stamp(now), "latest"):
                path = f"{_NAME}/{name}.{_ENDINGS[form]}"
                try:
                    self.reports.save(path, text, MEDIA_TYPES[form])
                except VmreachError as error:
                    missed[path] = f"report {path}: {error}"

    def _tell(self, made: Audit, looked: Looked, now: datetime, severity: Severity) -> dict[str, str]:
        """Tell what is news; what was missed in it."""
        missed: dict[str, str] = {}
        bad = [each for each in made.at_least(severity) if each.check != FAILED_NIC]  # that is the sweep's
        checks = {check.id for check in made.checks} - {FAILED_NIC}
        known = {each.finding.finding_id: each for each in self.store.open_findings_of(checks)}
        gone = [*self._gone(made, looked, known, missed)]
        news = self._news(bad, known, gone, made, _stamp(now))
        people_hear = bool(self.digests.sinks and (news.new or news.resolved))
        if people_hear:
            self.store.note(_NAME, _NEWS, Entry(_stamp(now), msgspec.json.encode(news.noted())))
        waiting = [*gone, *(each for each in bad if _is_to_tell(each, known.get(each.finding_id)))]
        self._publish(waiting, now + _TELLING, missed)
        if people_hear:
            self._send_digest(news, missed)
        return missed

    def _gone(
        self, made: Audit, looked: Looked, known: Mapping[str, Known], missed: dict[str, str]
    ) -> Iterator[Finding]:
        """What is over: its check was made, can tell of its resource, and does not find it any more."""
        found = {each.finding_id for each in (*made.findings, *(each.finding for each in made.suppressed))}
        unclear, blind = _unclear(made), _blind(made)
        for finding_id, each in known.items():
            if finding_id in found:
                continue
            if each.finding.status in OVER:  # some sink has not heard it
                yield each.finding
                continue
            if each.finding.check in blind:
                continue
            about = ResourceId.maybe(each.finding.resource.id)
            told = about and looked.tells(about) and not unclear.get(each.finding.check, Around()).touches(about)
            if about and told and self._in_scope(about, missed):
                yield msgspec.structs.replace(each.finding, status=Status.RESOLVED)

    def _in_scope(self, resource: ResourceId, missed: dict[str, str]) -> bool:
        """What is not in scope, or left the scopes, is not looked at: nobody knows what became of it."""
        try:
            self.gate.require(resource)
        except OutOfScopeError:
            return False
        except VmreachError as error:
            missed["scopes"] = f"scopes: {error}"
            return False
        return True

    def _news(
        self, bad: Sequence[Finding], known: Mapping[str, Known], gone: Sequence[Finding], made: Audit, stamp: str
    ) -> News:
        """What there is to tell people, with what an audit that was cut short had set out to tell."""
        left = self._left()
        new = {each.finding_id for each in bad if _is_new(each, known.get(each.finding_id))} | left.new
        resolved = {each.finding_id for each in gone} | left.resolved
        place = self.rules.place
        return News(
            new=[each for each in bad if each.finding_id in new],
            resolved=frozenset(resolved - {each.finding_id for each in bad}),
            known=[each for each in bad if each.finding_id not in new],
            unknown=len(made.unknown),
            where=f"{_NAME}/{stamp} in {place}" if place else "not kept anywhere: set VMREACH_REPORTS_CONTAINER",
        )

    def _left(self) -> Noted:
        entry = self.store.entry(_NAME, _NEWS) if self.digests.sinks else None
        return decode(entry.answer, Noted) if entry and entry.answer else Noted()

    def _publish(self, waiting: Sequence[Finding], until: datetime, missed: dict[str, str]) -> None:
        """Tell each on its own, for as long as there is time."""
        for number, finding in enumerate(waiting):
            if self.clock.now() >= until:
                missed["time"] = f"{len(waiting) - number} findings not told yet, for the time is up"
                return
            try:
                self.publisher.publish(finding, holder=finding.finding_id, edition=edition(finding))
            except VmreachError as error:
                missed[finding.finding_id] = f"{finding.check} {finding.resource.name}: {error}"

    def _send_digest(self, news: News, missed: dict[str, str]) -> None:
        """Tell people; what is noted stays so until all is told, so that no second digest counts it again."""
        finding = digest(news)
        try:
            self.digests.publish(finding, holder=finding.finding_id, edition=news.edition)
        except VmreachError as error:
            missed[finding.finding_id] = f"digest: {error}"
        if not missed:
            self.store.forget(_NAME)


def _stamp(now: datetime) -> str:
    """A time as it is part of a name."""
    return f"{now:%Y-%m-%dT%H%M%SZ}"


def _is_new(finding: Finding, known: Known | None) -> bool:
    return known is None or known.finding.status in OVER or known.edition != edition(finding)


def _is_to_tell(finding: Finding, known: Known | None) -> bool:
    """Whether it is new, or some sink does not have it yet."""
    return known is None or bool(known.holder) or _is_new(finding, known)


def _unclear(made: Audit) -> Mapping[str, Around]:
    """The resources of which each check can't tell."""
    found: dict[str, Around] = {}
    for each in made.unknown:
        if each.check != ANY and (rid := ResourceId.maybe(each.resource.id)):
            found.setdefault(each.check, Around()).add(rid)
    return found


def _blind(made: Audit) -> frozenset[str]:
    """The checks that did not come to their end: what they do not find may be there all the same."""
    return frozenset(each.check for each in made.unknown if each.check != ANY and not each.resource.id)
