"""Fakes of what the engine needs beside Azure (fake_azure.py), in memory, behind the Protocols of contracts.py.

They do what the real ones do: versions and etags change with every write, a write of an old version is refused.
Every call passes through `Calls`, which can end the run right before or right after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate

from diagnostics.contracts import Attempt, Entry, Known, Listing
from diagnostics.engine.memory import Memory
from diagnostics.errors import ChangedError
from diagnostics.findings import Finding, Status
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, RemediationRequest

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
OVER = frozenset({Status.RESOLVED, Status.REMEDIATED})


class Crash(BaseException):
    """The process dies here: nothing in the code may catch it."""


class Calls:
    """Every call, in order: `store.save before`, …; the process dies at `crash_at`, and `at` a point things happen."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.crash_at: int | None = None
        self.at: dict[str, Callable[[], object]] = {}
        self._lock = threading.Lock()

    def point(self, name: str) -> None:
        with self._lock:
            self.log.append(name)
            if self.crash_at == len(self.log) - 1:
                raise Crash(name)
        self.at.pop(name, bool)()


def counted[**P, R](method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method whose beginning and end are points at which a run may be cut short."""

    @wraps(method)
    def run(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        label = f"{self.name}.{method.__name__}"
        self.calls.point(f"{label} before")
        result = method(self, *args, **kwargs)
        self.calls.point(f"{label} after")
        return result

    return run


class Clock:
    """A clock that stands until it is moved, or slept on: `meanwhile` is what others do while somebody sleeps."""

    time = NOON

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = bool

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds=seconds)
        self.meanwhile()

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


class Store:
    """The store, atomic: a record is read and written whole."""

    name = "store"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.requests: dict[str, tuple[str, str, datetime]] = {}
        self.findings: dict[str, Known] = {}
        self.alerts_of: dict[str, set[str]] = {}
        self.closed: dict[str, datetime] = {}
        self.ignored: dict[str, str] = {}
        self.attempts: dict[str, Attempt] = {}
        self.memory = Memory()
        self.busy = 0
        self._versions = 0
        self._lock = threading.RLock()

    @counted
    def begin(self, request_id: str, *, holder: str, now: datetime) -> bool:
        with self._lock:
            state, owner, since = self.requests.get(request_id, ("free", "", now))
            free = state == "free" or owner == holder or now - since > timedelta(minutes=30)
            if state == "done" or not free:
                return False
            self.requests[request_id] = ("running", holder, now)
            return True

    @counted
    def finish(self, request_id: str, *, now: datetime) -> None:
        self.requests[request_id] = ("done", "", now)

    @counted
    def finished(self, request_id: str) -> bool:
        return self.requests.get(request_id, ("",))[0] == "done"

    @counted
    def taken_on(self, request_id: str) -> bool:
        return request_id in self.requests

    @counted
    def entry(self, request_id: str, key: str) -> Entry | None:
        return self.memory.entry(request_id, key)

    @counted
    def note(self, request_id: str, key: str, entry: Entry) -> None:
        self.memory.note(request_id, key, entry)

    @counted
    def forget(self, request_id: str) -> None:
        self.memory.forget(request_id)

    @counted
    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        return self.memory.lease(name, holder=holder, now=now, until=until)

    @counted
    def give_back(self, name: str, *, holder: str) -> None:
        self.memory.give_back(name, holder=holder)

    @counted
    def release(self, request_id: str) -> None:
        with self._lock:
            state, _, since = self.requests.get(request_id, ("", "", NOON))
            if state == "running":
                self.requests[request_id] = ("free", "", since)

    @counted
    def finding(self, finding_id: str) -> Known | None:
        return self.findings.get(finding_id)

    @counted
    def save(self, known: Known) -> Known:
        key = known.finding.finding_id
        with self._lock:
            old = self.findings.get(key)
            if (old.version if old else "") != known.version or self._is_busy():
                raise ChangedError(f"finding {key} was changed by somebody else")
            self._versions += 1
            self.findings[key] = replace(known, version=str(self._versions))
            for alert_id in known.alert_ids:
                self.alerts_of.setdefault(alert_id, set()).add(key)
            return self.findings[key]

    @counted
    def open_findings(self, *, check: str) -> Sequence[Known]:
        found = (known for known in self.findings.values() if known.finding.check == check)
        return [known for known in found if known.finding.status not in OVER or known.holder]

    @counted
    def open_findings_of(self, checks: Collection[str]) -> Sequence[Known]:
        found = (known for known in self.findings.values() if known.finding.check in checks)
        return [known for known in found if known.finding.status not in OVER or known.holder]

    @counted
    def findings_of_alert(self, alert_id: str) -> Sequence[Known]:
        return [self.findings[key] for key in sorted(self.alerts_of.get(alert_id, ()))]

    @counted
    def close_alert(self, alert_id: str, *, resolved_at: datetime) -> None:
        self.closed[alert_id] = resolved_at

    @counted
    def closed_at(self, alert_id: str) -> datetime | None:
        return self.closed.get(alert_id)

    @counted
    def ignore(self, key: str, reason: str, *, alert_id: str | None, alert_rule: str | None, now: datetime) -> None:
        self.ignored[key] = f"{now:%H:%M} {alert_rule} {alert_id}: {reason}"

    @counted
    def attempt(self, request_id: str) -> Attempt | None:
        return self.attempts.get(request_id)

    @counted
    def save_attempt(self, attempt: Attempt, *, now: datetime) -> None:
        assert now.tzinfo is not None
        self.attempts[attempt.request_id] = attempt

    def _is_busy(self) -> bool:
        self.busy -= 1
        return self.busy >= 0


class Sink:
    """Keeps what it is sent; `failures` is what the next sends raise."""

    def __init__(self, name: str, calls: Calls, failures: Iterable[Exception] = ()) -> None:
        self.name, self.calls, self.for_people = name, calls, name == "teams"
        self.failures = list(failures)
        self.sent: list[Finding] = []

    @counted
    def send(self, finding: Finding) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(finding)

    @property
    def told(self) -> list[str]:
        """What it was sent, as `check status`."""
        return [f"{finding.check} {finding.status}" for finding in self.sent]


class Outbox:
    """Keeps what is enqueued; `later` what is to be delivered after some time."""

    name = "outbox"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.failures: list[Exception] = []
        self.diagnoses: list[DiagnosisRequest] = []
        self.later: list[tuple[timedelta, DiagnosisRequest]] = []
        self.closures: list[ClosureRequest] = []
        self.remediations: list[RemediationRequest] = []

    @counted
    def diagnosis(self, request: DiagnosisRequest, *, after: timedelta | None = None) -> None:
        self._fail()
        if after is None:
            self.diagnoses.append(request)
        else:
            self.later.append((after, request))

    @counted
    def closure(self, request: ClosureRequest) -> None:
        self._fail()
        self.closures.append(request)

    @counted
    def remediation(self, request: RemediationRequest) -> None:
        self._fail()
        self.remediations.append(request)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class Reports:
    """Keeps reports by name; `failures` is what the next ones raise."""

    name = "reports"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.failures: list[Exception] = []
        self.kept: dict[str, tuple[str, str]] = {}

    @counted
    def save(self, name: str, text: str, media_type: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.kept[name] = (text, media_type)


class Estates:
    """A whole estate that was listed before; `failures` is what the next listings raise."""

    name = "estates"

    def __init__(self, calls: Calls, listed: Listing | None = None, failures: Iterable[Exception] = ()) -> None:
        self.calls = calls
        self.listed = listed or Listing()
        self.failures = list(failures)

    @counted
    def listing(self) -> Listing:
        if self.failures:
            raise self.failures.pop(0)
        return self.listed
