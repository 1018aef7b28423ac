"""When it happened, and how far from then something else was, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from diagnostics.intake import times
from diagnostics.runbooks.situation import Situation


def moment_of(situation: Situation) -> datetime:
    """The time of the alert, or now; never later than now, whatever the alert says."""
    return min(situation.moment, situation.conditions.now)


def measured_at(situation: Situation) -> datetime:
    """The time around which to measure: a later look asks how it is then, not how it was at the alert."""
    return situation.conditions.now if situation.request.recheck else moment_of(situation)


def occasion(situation: Situation) -> str:
    """What happened then: `the alert`, `the event`, or `now` where the request came of neither."""
    origin = situation.request.origin
    if times.read(origin.fired_at) is None:
        return "now"
    return "the event" if origin.kind == "event" else "the alert"


def distance(when: datetime, situation: Situation) -> str:
    """How far from it: `12 minutes before the alert`, `2 hours after the alert`, `12 minutes ago`."""
    moment, what = moment_of(situation), occasion(situation)
    length = span(abs(moment - when))
    if what == "now":
        return f"{length} ago"
    return f"{length} {'after' if when > moment else 'before'} {what}"


def span(length: timedelta) -> str:
    """`12 minutes`, `2 hours 5 minutes`, `3 days`: as exact as a person needs."""
    minutes = round(length.total_seconds() / 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return counted(days, "day") + (f" {counted(hours, 'hour')}" if hours else "")
    if hours:
        return counted(hours, "hour") + (f" {counted(minutes % 60, 'minute')}" if minutes % 60 else "")
    return counted(minutes, "minute") if minutes else "less than a minute"


def counted(number: int, noun: str) -> str:
    """`1 hour`, `12 hours`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
