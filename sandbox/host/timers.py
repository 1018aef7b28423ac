"""Timer triggers: NCRONTAB schedules in UTC."""

import asyncio
import json
import logging
import re
from datetime import UTC, datetime, timedelta

from croniter import croniter

from sandbox.host.errors import InvocationError, StartError
from sandbox.host.functions import Function
from sandbox.host.invoker import Invoker
from sandbox.host.waiting import pause
from sandbox.host.worker import Datum

_FIELDS = (5, 6)  # the Azure host takes five too, and puts second 0 before them
_ALLOWED = re.compile(r"[0-9A-Za-z*,/ \t-]+")
_LATE = timedelta(seconds=1)
_LONGEST_SLEEP = 30.0  # so that a suspended machine notices the time that passed
_NEVER = "0001-01-01T00:00:00"


class TimerListener:
    """Runs one function on its schedule, never twice at once; occurrences during a long run are skipped.

    From "Timer trigger for Azure Functions". IsPastDue is true for a run that starts a second or more late, as after
    a suspended machine wakes; runs missed while the host was down are not known to it.
    """

    def __init__(self, function: Function, invoker: Invoker) -> None:
        properties = function.trigger.properties
        self.function = function
        self._invoker = invoker
        self._schedule = str(properties["schedule"]).strip()
        self._run_on_startup = bool(properties.get("runOnStartup"))
        self._monitored = properties.get("useMonitor") is not False
        self._last: datetime | None = None
        try:
            next_occurrence(self._schedule, datetime.now(UTC))
        except ValueError as error:
            raise StartError(f"function {function.name}: schedule: {error}") from None

    def __str__(self) -> str:
        return f"timerTrigger {self._schedule}"

    async def run(self, stop: asyncio.Event) -> None:
        """Fire on schedule until `stop`."""
        if self._run_on_startup:
            await self._fire(datetime.now(UTC))
        while not stop.is_set():
            due = next_occurrence(self._schedule, datetime.now(UTC))
            while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
                if await pause(stop, min(left, _LONGEST_SLEEP)):
                    return
            await self._fire(due)

    async def _fire(self, due: datetime) -> None:
        data = self.data(past_due=datetime.now(UTC) - due >= _LATE)
        self._last = datetime.now(UTC)
        try:
            await self._invoker.run(self.function, data, reason="Timer fired")
        except InvocationError:
            pass  # logged; a timer has no retries
        except Exception:
            logging.getLogger(__name__).exception("timer %s", self.function.name)

    def data(self, *, past_due: bool = False) -> Datum:
        """What the function gets; ScheduleStatus is null when useMonitor is off."""
        now = datetime.now(UTC)
        status = {
            "Last": self._last.isoformat() if self._last else _NEVER,
            "Next": next_occurrence(self._schedule, now).isoformat(),
            "LastUpdated": self._last.isoformat() if self._last else _NEVER,
        }
        value = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status if self._monitored else None,
            "IsPastDue": past_due,
        }
        return Datum(json.dumps(value), "json")


def next_occurrence(schedule: str, after: datetime) -> datetime:
    """The first moment later than `after`.

    Like NCrontab and unlike cron, a day has to match both its fields. Raises ValueError for what is not NCRONTAB,
    among it a TimeSpan, which Azure takes on App Service plans alone.
    """
    if len(schedule.split()) not in _FIELDS or not _ALLOWED.fullmatch(schedule):
        raise ValueError(
            f'"{schedule}" is not an NCRONTAB expression of six fields: second minute hour day month weekday'
        )
    moment: datetime = croniter(
        schedule, after, ret_type=datetime, day_or=False, second_at_beginning=len(schedule.split()) == max(_FIELDS)
    ).get_next()
    return moment
