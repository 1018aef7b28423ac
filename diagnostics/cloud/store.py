"""What is remembered between runs, in six tables of the storage account.

Documents are packed into binary properties of at most 64 KiB, of which an entity holds 1 MiB ("Understanding the Table
service data model"). Writes that must not cross carry the version that was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from diagnostics.cloud.errors import azure_errors
from diagnostics.cloud.packing import pack, unpack
from diagnostics.cloud.tables import Tables
from diagnostics.contracts import Attempt, Entry, Known, NicDocument
from diagnostics.errors import ChangedError
from diagnostics.findings import Finding, Status
from diagnostics.network.decoding import decode

_ABANDONED = timedelta(minutes=30)
"""Longer than a function may run (host.json): a request that was begun before that has no one working on it."""
_UNRESOLVED = " or ".join(f"status eq '{status}'" for status in (Status.OPEN, Status.REMEDIATION_FAILED))
REQUESTS, FINDINGS, ALERTS, ATTEMPTS = "vmreachrequests", "vmreachfindings", "vmreachalerts", "vmreachattempts"
JOURNAL, LEASES = "vmreachjournal", "vmreachleases"


class _Document(msgspec.Struct, frozen=True):
    """What of a finding is packed: a flapping alert leads to more alert ids than a text property holds."""

    finding: Finding
    alert_ids: list[str]


class TableStore:
    """The store on Azure Tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def begin(self, request_id: str, *, holder: str, now: datetime) -> bool:
        """Take a request on, unless it is finished or another message that carries it is being worked on."""
        key = _key(request_id)
        entity = {"PartitionKey": key[:2], "RowKey": key, "state": "running", "holder": holder, "since": now}
        old = self._tables.get(REQUESTS, key[:2], key)
        if old is None:
            return self._tables.insert(REQUESTS, entity)
        free = old["state"] == "free" or old["holder"] == holder or now - old["since"] > _ABANDONED
        if old["state"] == "done" or not free:
            return False
        try:
            self._tables.replace(REQUESTS, entity, version=_version(old))
        except ChangedError:
            return False
        return True

    def finish(self, request_id: str, *, now: datetime) -> None:
        """The request is done."""
        key = _key(request_id)
        self._tables.upsert(
            REQUESTS, {"PartitionKey": key[:2], "RowKey": key, "state": "done", "holder": "", "since": now}
        )

    def finished(self, request_id: str) -> bool:
        """Whether the request is done."""
        key = _key(request_id)
        old = self._tables.get(REQUESTS, key[:2], key)
        return old is not None and old["state"] == "done"

    def taken_on(self, request_id: str) -> bool:
        """Whether anybody ever took the request on, whatever became of it."""
        key = _key(request_id)
        return self._tables.get(REQUESTS, key[:2], key) is not None

    def release(self, request_id: str) -> None:
        """Nobody works on the request any more."""
        key = _key(request_id)
        old = self._tables.get(REQUESTS, key[:2], key)
        if old is not None and old["state"] == "running":
            self._tables.replace(REQUESTS, {**old, "state": "free", "holder": ""}, version=_version(old))

    def finding(self, finding_id: str) -> Known | None:
        """What is known of a finding."""
        key = _key(finding_id)
        entity = self._tables.get(FINDINGS, key[:2], key)
        return None if entity is None else _known(entity)

    def save(self, known: Known) -> Known:
        """Remember a finding; raises ChangedError when the record is not the version that was read."""
        finding, key = known.finding, _key(known.finding.finding_id)
        entity = {
            "PartitionKey": key[:2],
            "RowKey": key,
            "findingId": finding.finding_id,
            "check": finding.check,
            "status": finding.status.value,
            "resource": finding.resource.id.lower(),
            "edition": known.edition,
            "delivered": ",".join(sorted(known.delivered)),
            "holder": known.holder,
            **({"heldUntil": known.held_until} if known.held_until else {}),
            **pack(msgspec.json.encode(_Document(finding, sorted(known.alert_ids)))),
        }
        # The links first: one that leads nowhere is passed over, a finding that no alert leads to would stay open.
        for alert_id in known.alert_ids:
            link = {"PartitionKey": f"of-{_key(alert_id)}", "RowKey": key, "findingId": finding.finding_id}
            self._tables.upsert(ALERTS, link)
        return replace(known, version=self._tables.write(FINDINGS, entity, version=known.version))

    def open_findings(self, *, check: str) -> Sequence[Known]:
        """All findings of a check that are not over, and those whose end some sink has not been told."""
        found = self._tables.query(FINDINGS, f"check eq @check and ({_UNRESOLVED} or holder ne '')", {"check": check})
        return [_known(entity) for entity in found]

    def open_findings_of(self, checks: Collection[str]) -> Sequence[Known]:
        """The same for several checks at once: a filter has room for fifteen comparisons, so that all are read."""
        found = self._tables.query(FINDINGS, f"{_UNRESOLVED} or holder ne ''", {})
        return [_known(entity) for entity in found if entity["check"] in checks]

    def findings_of_alert(self, alert_id: str) -> Sequence[Known]:
        """All findings that an alert led to."""
        rows = self._tables.query(ALERTS, "PartitionKey eq @key", {"key": f"of-{_key(alert_id)}"})
        return [known for row in rows if (known := self.finding(row["findingId"])) is not None]

    def close_alert(self, alert_id: str, *, resolved_at: datetime) -> None:
        """Remember when an alert was over."""
        self._tables.upsert(ALERTS, {"PartitionKey": "closed", "RowKey": _key(alert_id), "resolvedAt": resolved_at})

    def closed_at(self, alert_id: str) -> datetime | None:
        """When the alert was last over, or None."""
        entity = self._tables.get(ALERTS, "closed", _key(alert_id))
        return None if entity is None else entity["resolvedAt"]

    def ignore(self, key: str, reason: str, *, alert_id: str | None, alert_rule: str | None, now: datetime) -> None:
        """Record an alert that was ignored, and why."""
        entity = {
            "PartitionKey": "ignored",
            "RowKey": key,
            "reason": reason[:1_000],
            "alertId": (alert_id or "")[:1_000],
            "alertRule": (alert_rule or "")[:1_000],
            "at": now,
        }
        self._tables.upsert(ALERTS, entity)

    def attempt(self, request_id: str) -> Attempt | None:
        """A remediation that was started under this request, if any."""
        key = _key(request_id)
        entity = self._tables.get(ATTEMPTS, key[:2], key)
        if entity is None:
            return None
        return Attempt(request_id, NicDocument(decode(unpack(entity), dict[str, Any])), entity["ended"])

    def save_attempt(self, attempt: Attempt, *, now: datetime) -> None:
        """Remember a remediation and the resource as it was before."""
        key = _key(attempt.request_id)
        entity = {"PartitionKey": key[:2], "RowKey": key, "ended": attempt.ended, "at": now}
        self._tables.upsert(ATTEMPTS, {**entity, **pack(msgspec.json.encode(attempt.before.body))})

    def entry(self, request_id: str, key: str) -> Entry | None:
        """What is noted under a question's key."""
        entity = self._tables.get(JOURNAL, _key(request_id), _key(key))
        if entity is None:
            return None
        return Entry(entity["ticket"], unpack(entity) if "body0" in entity else None)

    def note(self, request_id: str, key: str, entry: Entry) -> None:
        """Note it, over what was there. An answer too large for a table is not: it is collected again by its ticket."""
        body = {} if entry.answer is None else _packed_if_it_fits(entry.answer)
        entity = {"PartitionKey": _key(request_id), "RowKey": _key(key), "ticket": entry.ticket, **body}
        self._tables.upsert(JOURNAL, entity)

    def forget(self, request_id: str) -> None:
        """The request is done: nobody will continue it."""
        for entity in self._tables.query(JOURNAL, "PartitionKey eq @key", {"key": _key(request_id)}):
            self._tables.delete(JOURNAL, entity, whatever=True)

    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Take a lease, or prolong one's own; of many at once, one has it."""
        key = _key(name)
        entity = {"PartitionKey": key[:2], "RowKey": key, "what": name[:1_000], "holder": holder, "until": until}
        old = self._tables.get(LEASES, key[:2], key)
        if old is None:
            return self._tables.insert(LEASES, entity)
        if old["holder"] != holder and old["until"] > now:
            return False
        try:
            self._tables.replace(LEASES, entity, version=_version(old))
        except ChangedError:
            return False
        return True

    def give_back(self, name: str, *, holder: str) -> None:
        """End a lease, if it is this holder's."""
        key = _key(name)
        old = self._tables.get(LEASES, key[:2], key)
        if old is not None and old["holder"] == holder:
            with suppress(ChangedError):  # it ended, and another has it since
                self._tables.delete(LEASES, old)


def _known(entity: Mapping[str, Any]) -> Known:
    with azure_errors("reading a finding"):
        document = decode(unpack(entity), _Document)
    return Known(
        finding=document.finding,
        edition=entity["edition"],
        delivered=frozenset(filter(None, entity["delivered"].split(","))),
        alert_ids=frozenset(document.alert_ids),
        holder=entity["holder"],
        held_until=entity.get("heldUntil"),
        version=_version(entity),
    )


def _packed_if_it_fits(document: bytes) -> dict[str, bytes]:
    try:
        return pack(document)
    except ValueError:
        return {}


def _version(entity: Mapping[str, Any]) -> str:
    return str(entity["version"])


def _key(text: str) -> str:
    """A row key for any text: Azure forbids slashes, # and ? and control characters in keys."""
    return hashlib.sha256(text.lower().encode()).hexdigest()[:40]
