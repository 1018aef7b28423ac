"""The step about CPU and memory of both machines around the alert, as Azure Monitor measured them from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Step, fingerprint
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks import remedies
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.moments import measured_at
from diagnostics.runbooks.questions import Asking, Point, ReadMetrics, Series, Unread, ask
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NAME = "CPU and memory"
CPU, BYTES, PERCENT = "Percentage CPU", "Available Memory Bytes", "Available Memory Percentage"
_CLASSIC = (CPU, BYTES)
_BEFORE, _AFTER, _JUDGED, _SUCCESSIVE = timedelta(minutes=30), timedelta(minutes=5), timedelta(minutes=10), 3
_MINUTE = timedelta(minutes=1)
_MIB = 1024 * 1024
_PLENTY = 20.0
"""Per cent: a small VM that has so much of its memory left does not run out of it, however few bytes that is."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """When a metric tells that something is used up.

    Attributes:
        average: over the ten minutes before the moment.
        minute: in three successive minutes.
        notable: worth telling; of "Azure Monitor Baseline Alerts", virtual machines.
        above: whether more is worse.
        shown: a value in words.
    """

    metric: str
    average: float
    minute: float
    notable: float
    above: bool
    shown: Callable[[float], str]

    def beyond(self, value: float, limit: float) -> bool:
        """Whether a value is as bad as a limit."""
        return value >= limit if self.above else value < limit


_CPU = _Limit(CPU, 95.0, 98.0, 80.0, above=True, shown=lambda value: f"{value:.1f} %")
_SHARE = _Limit(PERCENT, 5.0, 5.0, 10.0, above=False, shown=lambda value: f"{value:.1f} % available")
_FREE = _Limit(
    BYTES, 256 * _MIB, 256 * _MIB, 1e9, above=False, shown=lambda value: f"{value / _MIB:,.0f} MiB available"
)
_KINDS = ((IssueType.CPU, (_CPU,)), (IssueType.MEMORY, (_SHARE, _FREE)))
_WORDS = {IssueType.CPU: "CPU", IssueType.MEMORY: "memory"}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a metric says about the ten minutes before the moment.

    Attributes:
        used_up: whether it is beyond its limit, on average or for minutes on end.
        told: the values in words.
    """

    limit: _Limit
    average: float
    used_up: bool
    told: str

    @property
    def notable(self) -> bool:
        """Whether Azure's own baseline would warn of it."""
        return self.limit.beyond(self.average, self.limit.notable)


@dataclass(frozen=True, slots=True)
class _Usage:
    """CPU or memory of a machine: what its metrics say, or why nothing is known."""

    machine: Machine
    kind: IssueType
    readings: tuple[_Reading, ...] = ()
    unknown: str = ""

    @property
    def used_up(self) -> _Reading | None:
        """The metric by which it is used up."""
        plenty = any(r.limit is _SHARE and r.average >= _PLENTY for r in self.readings)
        return next((r for r in self.readings if r.used_up and not (plenty and r.limit is _FREE)), None)

    @property
    def words(self) -> str:
        """`CPU of sql-1`."""
        return f"{_WORDS[self.kind]} of {self.machine.id.name}"

    @property
    def evidence(self) -> tuple[str, ...]:
        """A line for each metric."""
        if self.unknown:
            return (f"{self.words}: {self.unknown}",)
        return tuple(f"{self.words}: {each.told}{_warning(each)}" for each in self.readings)


def usage(situation: Situation) -> Asking[Situation]:
    """Was CPU or memory of either machine used up when it happened? It fits an outage; it seldom is proof."""
    machines = _running(situation)
    if not machines:
        return (yield from done(situation, skipped(NAME, "no VM is known to run that could be measured")))
    found: list[_Usage] = []
    for machine in machines:
        found += yield from _measured(situation, machine)
    findings = tuple(_finding(situation, use) for use in found if use.used_up and not _checked(situation, use))
    return (yield from done(situation, _step(situation, found), findings))


def _running(situation: Situation) -> tuple[Machine, ...]:
    """The VMs that could be read and are not off: a VM that is off has no metrics."""
    ends = {end.id: end for end in (situation.source, situation.destination) if end}
    return tuple(end for end in ends.values() if not isinstance(end.vm, Unread) and end.vm.running is not False)


def _measured(situation: Situation, machine: Machine) -> Asking[list[_Usage]]:
    moment, now = measured_at(situation), situation.conditions.now
    since, until = moment - _BEFORE, min(moment + _AFTER, now)
    answer = yield from ask(ReadMetrics(machine.id, (*_CLASSIC, PERCENT), since, until))
    if isinstance(answer, Unread) and not answer.action and not answer.missing:
        # Azure refuses the whole question for one metric that it does not know for this VM.
        answer = yield from ask(ReadMetrics(machine.id, _CLASSIC, since, until))
    if isinstance(answer, Unread):
        return [_Usage(machine, kind, unknown=str(answer)) for kind, _ in _KINDS]
    return [_use(machine, kind, limits, answer, (since, moment, until)) for kind, limits in _KINDS]


def _use(
    machine: Machine,
    kind: IssueType,
    limits: Iterable[_Limit],
    answer: tuple[Series, ...],
    times: tuple[datetime, datetime, datetime],
) -> _Usage:
    since, moment, until = times
    series = {each.name.lower(): each.points for each in answer}
    found = [_reading(limit, series.get(limit.metric.lower(), ()), moment) for limit in limits]
    readings = tuple(reading for reading in found if reading)
    if readings:
        return _Usage(machine, kind, readings)
    names = " or ".join(limit.metric for limit in limits)
    text = f"Azure has no values of {names} for it between {since:%H:%M} and {until:%H:%M} UTC"
    return _Usage(machine, kind, unknown=text)


def _reading(limit: _Limit, points: Iterable[Point], moment: datetime) -> _Reading | None:
    """What a metric says; None where it has no values near the moment. A gap is no zero."""
    values = [(p.when, p.average) for p in sorted(points, key=lambda p: p.when) if p.average is not None]
    late = [(when, value) for when, value in values if when >= moment - _JUDGED]
    before = [value for when, value in late if when < moment]
    if not late:
        return None
    mean = _mean(before or [value for _, value in late])
    minutes = _longest(limit, late)
    when = "10 minutes before" if before else "minutes after"
    told = f"average {limit.shown(mean)} in the {when} {moment:%H:%M} UTC"
    if earlier := [value for when, value in values if when < moment - _JUDGED]:
        told += f", {limit.shown(_mean(earlier))} in the 20 minutes before that"
    if sustained := minutes >= _SUCCESSIVE:
        told += f"; {minutes} minutes on end {'at or above' if limit.above else 'below'} {limit.shown(limit.minute)}"
    used_up = sustained or (bool(before) and limit.beyond(mean, limit.average))
    return _Reading(limit, mean, used_up, told)


def _longest(limit: _Limit, values: Iterable[tuple[datetime, float]]) -> int:
    """The most successive minutes that are beyond the limit."""
    longest, run, last = 0, 0, None
    for when, value in values:
        if not limit.beyond(value, limit.minute):
            run = 0
        else:
            run = run + 1 if last is not None and run and when - last <= _MINUTE else 1
        longest, last = max(longest, run), when
    return longest


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _warning(reading: _Reading) -> str:
    if reading.used_up or not reading.notable:
        return ""
    over = "above" if reading.limit.above else "below"
    return f" ({over} {reading.limit.shown(reading.limit.notable)}, where Azure's baseline alerts warn)"


def _step(situation: Situation, found: list[_Usage]) -> Step:
    evidence = [line for use in found for line in use.evidence]
    used_up = [use for use in found if use.used_up]
    against = [use for use in found if use.readings and not use.used_up and _checked(situation, use)]
    if used_up:
        return failed(NAME, "; ".join(_exhausted(situation, use) for use in used_up), *evidence)
    if against:
        text = "Azure Monitor contradicts the connectivity check, which says that it is used up"
        return inconclusive(NAME, "; ".join(f"{u.words}: {text}: {u.readings[0].told}" for u in against), *evidence)
    if unknown := [use for use in found if use.unknown]:
        reasons = dict.fromkeys(use.unknown for use in unknown)
        texts = (f"{_list(use.words for use in unknown if use.unknown == each)}: {each}" for each in reasons)
        return inconclusive(NAME, "; ".join(texts), *evidence)
    highest = max(reading.average for use in found for reading in use.readings if reading.limit is _CPU)
    names = _list(dict.fromkeys(use.machine.id.name for use in found))
    text = f"neither CPU nor memory of {names} is used up; CPU is at {_CPU.shown(highest)} at most"
    return passed(NAME, text, *evidence)


def _exhausted(situation: Situation, use: _Usage) -> str:
    told = use.used_up.told if use.used_up else ""
    confirmed = ", as the connectivity check says" if _checked(situation, use) else ""
    return f"{use.words} is used up{confirmed}: {told}"


def _checked(situation: Situation, use: _Usage) -> Finding | None:
    """The finding in which the connectivity check itself says so."""
    check = remedies.row(_issue(use.kind, "")).check
    subject = use.machine.id.key
    return next((f for f in situation.findings if f.check == check and f.resource.id.lower() == subject), None)


def _finding(situation: Situation, use: _Usage) -> Finding:
    reading = use.used_up
    if reading is None:
        raise AssertionError(f"{use.words} is not used up")
    vm, value = use.machine.id, reading.limit.shown(reading.average)
    issue = _issue(use.kind, value)
    row = remedies.row(issue)
    text = f"Azure Monitor, {reading.limit.metric} of {vm.name}: {reading.told}"
    remedy = row.remedy(Blocker(issue, at=vm))
    found = said(
        situation,
        row.check,
        row.title.format_map({"at": vm.name}),
        about=vm,
        severity=row.severity,
        confidence=Confidence.POSSIBLE,
        cause=Cause(kind=row.kind, text=text, name=value, resource_id=vm.text),
        remedy=msgspec.structs.replace(remedy, az_cli=f"{remedy.az_cli}\n{_command(vm, reading, situation)}".strip()),
    )
    # The value differs in every run, the fault does not; an issue of the check that names no value has this id too.
    same = fingerprint(row.check, vm.key, use.kind, "", vm.key)
    return msgspec.structs.replace(found, finding_id=same)


def _issue(kind: IssueType, value: str) -> Issue:
    return Issue(kind, kind.value, "Local", "Error", (("Usage", value),) if value else ())


def _command(vm: ResourceId, reading: _Reading, situation: Situation) -> str:
    moment = measured_at(situation)
    options = remedies.arguments(
        resource=vm.text,
        metrics=reading.limit.metric,
        interval="PT1M",
        start_time=f"{moment - _BEFORE:%Y-%m-%dT%H:%M:%SZ}",
        end_time=f"{moment + _AFTER:%Y-%m-%dT%H:%M:%SZ}",
    )
    return f"az monitor metrics list {options} --aggregation Average"


def _list(texts: Iterable[str]) -> str:
    return " and ".join(texts)
