"""Findings go out once: what the store knows decides whether there is news, and who still has to hear it.

Each edition of a finding (open, remediated, …) goes to each sink once. The store is written before and after every
delivery, so a run that is cut short anywhere goes on where it stopped when its message comes back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from diagnostics.contracts import Clock, Known, Sink, Store
from diagnostics.errors import ChangedError, PermanentError, TemporaryError
from diagnostics.findings import (
    Cause,
    Confidence,
    Finding,
    Remedy,
    Resource,
    Severity,
    Status,
    fingerprint,
)
from diagnostics.network.ids import ResourceId

_log = logging.getLogger(__name__)
_HOLD = timedelta(minutes=2)
_TRIES = 8
OVER = frozenset({Status.RESOLVED, Status.REMEDIATED})
SINK_REFUSES = "OPS002"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes findings.

    Attributes:
        portal: the Azure portal that links lead to.
        everybody: tells that a sink refuses findings, where not all sinks are among these.
    """

    store: Store
    sinks: Sequence[Sink]
    clock: Clock
    portal: str
    everybody: Publisher | None = None

    def only(self, *, for_people: bool) -> Publisher:
        """A publisher for those sinks that people read, or for the others."""
        return replace(self, sinks=[each for each in self.sinks if each.for_people is for_people], everybody=self)

    def publish(
        self, finding: Finding, *, holder: str, alert_id: str | None = None, edition: str | None = None
    ) -> Known:
        """Tell the sinks about a finding, if it is news to them, and remember it.

        Args:
            finding: what is wrong now.
            holder: the request that found it; the same request may go on with a delivery that was cut short.
            alert_id: the alert that led to it.
            edition: what there is to tell beyond the status, such as what a dry run would do.

        Raises:
            TemporaryError: a sink could not take it now; the others have it.
        """
        for _ in range(_TRIES):
            known = self._merged(finding, alert_id, edition)
            waiting = [sink for sink in self.sinks if sink.name not in known.delivered]
            if not waiting or self._held_by_another(known, holder):
                waiting = []
            else:
                known = replace(known, holder=holder, held_until=self.clock.now() + _HOLD)
            try:
                known = self.store.save(known)
            except ChangedError:
                continue
            return self._deliver(known, waiting)
        raise TemporaryError(f"finding {finding.finding_id} changes too often to be saved", retry_after=5)

    def _merged(self, finding: Finding, alert_id: str | None, edition: str | None) -> Known:
        """The finding with what is known of it: since when, who has it, which alerts led to it."""
        now = self.clock.now()
        old = self.store.finding(finding.finding_id)
        begins = old is None or (old.finding.status in OVER and finding.status is Status.OPEN)
        if old is not None and old.finding.status is Status.REMEDIATION_FAILED and finding.status is Status.OPEN:
            finding = msgspec.structs.replace(finding, status=Status.REMEDIATION_FAILED)
        first = now if old is None or begins else old.finding.first_seen_at
        finding = linked(msgspec.structs.replace(finding, first_seen_at=first, observed_at=now), self.portal)
        alerts = frozenset({alert_id} if alert_id else ())
        if old is None or begins:
            return Known(finding, edition or finding.status, alert_ids=alerts, version=old.version if old else "")
        alerts |= old.alert_ids
        if old.finding.status != finding.status or (edition is not None and edition != old.edition):
            # Whoever still delivers the edition before has nothing to do with this one.
            return Known(finding, edition or finding.status, alert_ids=alerts, version=old.version)
        # Every sink gets the edition as it was when it was news, also one that gets it late.
        same = msgspec.structs.replace(old.finding, observed_at=now)
        return replace(old, finding=same, alert_ids=alerts)

    def _held_by_another(self, known: Known, holder: str) -> bool:
        held = known.held_until is not None and known.held_until > self.clock.now()
        return held and known.holder != holder

    def _deliver(self, known: Known, waiting: Sequence[Sink]) -> Known:
        postponed: list[TemporaryError] = []
        refusals: list[tuple[Sink, PermanentError]] = []
        for sink in waiting:
            try:
                sink.send(known.finding)
            except TemporaryError as failure:
                postponed.append(failure)
            except PermanentError as failure:
                refusals.append((sink, failure))
            else:
                known = self._delivered(known, sink)
        if known.finding.check != SINK_REFUSES:
            for sink, refusal in refusals:
                self._announce(sink, refusal, known.finding)
            for sink in waiting:
                if sink.name in known.delivered:
                    self._works_again(sink, known.finding)
        if postponed:
            raise postponed[0]
        return known

    def _delivered(self, known: Known, sink: Sink) -> Known:
        """Note that a sink has it. Somebody else may have written the record meanwhile: only the mark is ours."""
        told = known.finding
        about = told.finding_id, sink.name, told.check, told.severity, told.status, told.resource.name
        _log.info("finding %s told to %s: %s %s, %s: %s", *about)  # infra/shared/queries.json reads it
        known = replace(known, delivered=known.delivered | {sink.name})
        for _ in range(_TRIES):
            if all(other.name in known.delivered for other in self.sinks):
                known = replace(known, holder="", held_until=None)
            try:
                return self.store.save(known)
            except ChangedError:
                current = self.store.finding(known.finding.finding_id)
                if current is None or _edition(current) != _edition(known):
                    return known
                known = replace(current, delivered=current.delivered | known.delivered)
        raise TemporaryError(f"finding {known.finding.finding_id} changes too often to be saved", retry_after=5)

    def _announce(self, sink: Sink, error: PermanentError, about: Finding) -> None:
        """A sink that refuses for good is a finding of its own, for the others."""
        _log.error("sink %s refuses finding %s: %s", sink.name, about.finding_id, error)
        (self.everybody or self).publish(_sink_refuses(sink, error), holder=about.request_id)

    def _works_again(self, sink: Sink, about: Finding) -> None:
        """A sink that refused and takes findings now: when it refuses again, that is news again."""
        known = self.store.finding(_refusal(sink))
        if known is not None and known.finding.status is Status.OPEN:
            resolved = msgspec.structs.replace(known.finding, status=Status.RESOLVED)
            (self.everybody or self).publish(resolved, holder=about.request_id)


def linked(finding: Finding, portal: str) -> Finding:
    """The finding with links into a portal such as `https://portal.azure.com`.

    A remedy names a page of the portal without its host, for which portal it is depends on the cloud; one that names
    none is linked to the finding's resource.
    """
    rid, page = ResourceId.maybe(finding.resource.id), finding.remedy.portal_url
    url = rid.portal_url(portal) if rid else ""
    there = f"{portal}{page}" if page.startswith("/") else page
    return msgspec.structs.replace(
        finding,
        resource=msgspec.structs.replace(finding.resource, portal_url=url or finding.resource.portal_url),
        remedy=msgspec.structs.replace(finding.remedy, portal_url=there or url),
    )


def _refusal(sink: Sink) -> str:
    """The id of the finding that a sink refuses."""
    return fingerprint(SINK_REFUSES, sink.name)


def _sink_refuses(sink: Sink, error: PermanentError) -> Finding:
    return Finding(
        finding_id=_refusal(sink),
        check=SINK_REFUSES,
        title=f"Findings do not reach {sink.name}",
        severity=Severity.HIGH,
        confidence=Confidence.PROVEN,
        resource=Resource(id="", name=sink.name, type="sink"),
        because=(Cause(kind="delivery", text=str(error), name=sink.name),),
        remedy=Remedy(summary=f"Mend the setting of sink {sink.name}; findings are on the findings queue meanwhile."),
    )


def _edition(known: Known) -> tuple[str, str]:
    """What was told, and of which episode: an edition of the episode before this one is another edition."""
    return known.edition, started(known)


def started(known: Known) -> str:
    """Tells this episode of a fault from earlier ones: when it was first seen."""
    first: datetime | None = known.finding.first_seen_at
    return first.isoformat() if first else ""
