"""The step that reads the activity log: what was changed on the path before it failed, by whom, what it explains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from diagnostics.findings import Cause, Change, Finding, Step
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.changes.explaining import Ranked, explaining, rank
from diagnostics.runbooks.changes.nearby import relevant, unknown_subnets
from diagnostics.runbooks.changes.operations import thing
from diagnostics.runbooks.moments import counted, distance, moment_of, occasion
from diagnostics.runbooks.questions import Asking, Event, ReadChanges, Unread, ask
from diagnostics.runbooks.situation import Situation, done
from diagnostics.runbooks.step import failed, inconclusive, passed, skipped

NAME = "What changed"
_MOST = 20
_LISTED = 25
_AFTERWARDS = timedelta(hours=1)
_LAG = timedelta(minutes=20)
"""How long an operation may take to appear ("Azure Monitor activity log": within 3 to 20 minutes)."""


@dataclass(frozen=True, slots=True)
class _Log:
    """What the activity log says of the resources that were looked at, and of which it was not known."""

    read: tuple[ResourceId, ...] = ()
    events: tuple[Event, ...] = ()
    unread: tuple[tuple[ResourceId, Unread], ...] = ()
    left_out: tuple[ResourceId, ...] = ()
    subnets: tuple[ResourceId, ...] = ()

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is not known, a line for each reason."""
        reasons = dict.fromkeys(str(why) for _, why in self.unread)
        lines = [f"not known for {_names(r for r, why in self.unread if str(why) == each)}: {each}" for each in reasons]
        if self.left_out:
            lines.append(f"{len(self.left_out)} more resources on the path were not looked at: {_names(self.left_out)}")
        if self.subnets:
            lines.append(f"not known which NSG and route table they have: subnets {_names(self.subnets)}")
        return tuple(lines)


def changes(situation: Situation) -> Asking[Situation]:
    """Look for what was changed on the path; what explains a finding is told in that finding."""
    wanted = relevant(situation)
    if not wanted:
        step = skipped(NAME, "neither end is known, so it is not known what is on the path")
        return (yield from done(situation, step))
    log = yield from _read(situation, wanted)
    ranked = rank(log.events, situation.findings, moment_of(situation), situation.survey.configured)
    findings = tuple(_with_change(finding, ranked, situation) for finding in situation.findings)
    return (yield from done(replace(situation, findings=findings), _step(situation, log, ranked)))


def _read(situation: Situation, wanted: tuple[ResourceId, ...]) -> Asking[_Log]:
    """Ask the log of each resource; of a subscription that refuses it, once."""
    moment = moment_of(situation)
    since, until = moment - situation.conditions.history, min(moment + _AFTERWARDS, situation.conditions.now)
    events: list[Event] = []
    read, unread, refused = [], [], dict[str, Unread]()
    for resource in wanted[:_MOST]:
        answer = refused.get(resource.subscription) or (yield from ask(ReadChanges(resource, since, until)))
        if isinstance(answer, Unread):
            unread.append((resource, answer))
            if answer.action:  # the log is a subscription's: its next resource would be refused as well
                refused[resource.subscription] = answer
        else:
            read.append(resource)
            events += answer
    return _Log(tuple(read), tuple(events), tuple(unread), wanted[_MOST:], unknown_subnets(situation))


def _step(situation: Situation, log: _Log, ranked: tuple[Ranked, ...]) -> Step:
    lines = [_line(each, situation) for each in ranked[:_LISTED]]
    if len(ranked) > _LISTED:
        lines.append(f"{len(ranked) - _LISTED} more changes, further away")
    looked = (f"looked at: {', '.join(map(thing, log.read))}",) if log.read else ()
    evidence = (*lines, *log.gaps, *looked)
    if ranked and ranked[0].explains:
        return failed(NAME, f"{_sentence(ranked[0], situation)}: {ranked[0].best.why}", *evidence)
    if not log.read:
        return inconclusive(NAME, f"the activity log could not be read: {log.unread[0][1]}", *evidence)
    text = _unexplaining(situation, ranked)
    if log.gaps:
        return inconclusive(NAME, f"{text}, as far as is known: {log.gaps[0]}", *evidence)
    return passed(NAME, text + _late(situation), *evidence)


def _unexplaining(situation: Situation, ranked: tuple[Ranked, ...]) -> str:
    """What there is to say where no change explains a finding."""
    span = f"in the {_hours(situation)} before {occasion(situation)}"
    before = [each for each in ranked if not each.after]
    if not before:
        more = f"; {len(ranked)} after it" if ranked else ""
        return f"nothing on the path was changed {span}{more}"
    count = "1 change" if len(before) == 1 else f"{len(before)} changes"
    verdict = ", none of which explains what was found" if situation.findings else ""
    nearest = max(before, key=lambda each: each.when)
    return f"{count} on the path {span}{verdict}; the nearest: {_sentence(nearest, situation)}"


def _with_change(finding: Finding, ranked: tuple[Ranked, ...], situation: Situation) -> Finding:
    """The finding with the change that explains it best, if one does. That makes it no surer."""
    found = explaining(finding, ranked)
    if found is None:
        return finding
    change, best = found
    event, sentence = change.event, _sentence(change, situation)
    cause = Cause(
        kind="change",
        text=f"{sentence[0].upper()}{sentence[1:]}: {best.why}",
        name=event.resource.name,
        resource_id=event.resource.text,
    )
    told = Change(when=change.when, who=change.operation.who, operation=event.operation)
    return msgspec.structs.replace(finding, change=told, because=(*finding.because, cause))


def _line(ranked: Ranked, situation: Situation) -> str:
    when = f"{ranked.when:%Y-%m-%d %H:%M} UTC"
    return f"{when}: {_sentence(ranked, situation)} ({ranked.event.operation}): {ranked.best.why}"


def _sentence(ranked: Ranked, situation: Situation) -> str:
    """`rule deny-rdp of nsg-web was written 12 minutes before the alert by alex@contoso.com`."""
    return ranked.operation.told(distance(ranked.when, situation))


def _hours(situation: Situation) -> str:
    return counted(round(situation.conditions.history.total_seconds() / 3600), "hour")


def _late(situation: Situation) -> str:
    fresh = situation.conditions.now - moment_of(situation) < _LAG
    return " (the log lags: what was done in the last 20 minutes may not be in it yet)" if fresh else ""


def _names(resources: Iterable[ResourceId]) -> str:
    return ", ".join(resource.name for resource in resources)
