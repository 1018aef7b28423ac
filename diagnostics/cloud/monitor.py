"""Azure Monitor: what was measured, and who changed what.

Sources: REST references "Metrics - List" and "Activity Logs - List"; "Azure activity log event schema".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from diagnostics.cloud import arm, versions
from diagnostics.cloud.clients import Clients
from diagnostics.errors import PermanentError
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import Event, Point, ReadChanges, ReadMetrics, Series

_LOG = "providers/Microsoft.Insights/eventtypes/management/values"
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
# Who it was, where an event has no caller: a person by the name they sign in with, else an application by its id.
_NAMES = (f"{_CLAIMS}/upn", f"{_CLAIMS}/name", "upn", "unique_name", "name", "appid")


class _Localized(msgspec.Struct, frozen=True):
    value: str | None = None


type _Text = _Localized | str | None
"""A text and its translation, or the text alone."""


class _Value(msgspec.Struct, frozen=True, rename="camel"):
    time_stamp: datetime
    average: float | None = None
    maximum: float | None = None
    total: float | None = None


class _Timeseries(msgspec.Struct, frozen=True):
    data: tuple[_Value, ...] | None = None


class _Metric(msgspec.Struct, frozen=True, rename="camel"):
    name: _Text
    unit: str | None = None
    timeseries: tuple[_Timeseries, ...] | None = None
    error_code: str | None = None
    error_message: str | None = None


class _Metrics(msgspec.Struct, frozen=True):
    value: tuple[_Metric, ...]


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    event_timestamp: datetime
    caller: str | None = None
    claims: Any = None
    operation_name: _Text = None
    resource_id: str | None = None
    status: _Text = None


class _Events(arm.Page, frozen=True, kw_only=True):
    value: tuple[_Event, ...]


@dataclass(frozen=True, slots=True)
class AzureMonitor:
    """Reads metrics and the activity log."""

    clients: Clients

    def metrics(self, question: ReadMetrics) -> Sequence[Series]:
        """The metrics, one value a minute; of several time series that a filter selects, one is made.

        Raises:
            PermanentError: Azure could not read one of them: that is not the same as one without values.
        """
        resource, doing = question.resource, f"reading metrics of {question.resource.name}"
        query = {
            "api-version": versions.METRICS,
            "timespan": f"{_time(question.since)}/{_time(question.until)}",
            "interval": "PT1M",
            "metricnames": ",".join(question.names),
            "aggregation": "Average,Maximum,Total",
        }
        if question.filter:
            query["$filter"] = question.filter
        client = self.clients.network(resource.subscription)
        body = arm.get(client, f"{resource}/providers/Microsoft.Insights/metrics", query, doing)
        return tuple(_series(metric, doing) for metric in decode(body, _Metrics).value)

    def changes(self, question: ReadChanges) -> Sequence[Event]:
        """What the activity log has about a resource and, as recorded answers show, about what is nested in it."""
        resource = question.resource
        times = f"eventTimestamp ge '{_time(question.since)}' and eventTimestamp le '{_time(question.until)}'"
        query = {"api-version": versions.ACTIVITY_LOG, "$filter": f"{times} and resourceUri eq '{resource}'"}
        pages = arm.pages(
            self.clients,
            self.clients.network(resource.subscription),
            f"/subscriptions/{resource.subscription}/{_LOG}",
            query,
            kind=_Events,
            doing=f"reading the activity log of {resource.name}",
        )
        events = (_event(read, resource) for page in pages for read in page.value)
        return tuple(sorted(events, key=lambda event: event.when, reverse=True))


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _series(read: _Metric, doing: str) -> Series:
    name = _text(read.name)
    if read.error_code and read.error_code.lower() != "success":
        raise PermanentError(f"{doing}: {name}: {read.error_code}: {read.error_message or 'Azure does not say why'}")
    at: dict[datetime, list[_Value]] = {}
    for each in read.timeseries or ():
        for value in each.data or ():
            at.setdefault(_aware(value.time_stamp), []).append(value)
    return Series(name, read.unit or "", tuple(_point(when, at[when]) for when in sorted(at)))


def _point(when: datetime, values: Sequence[_Value]) -> Point:
    """One minute of all time series: the mean of their averages, the highest maximum, the sum of their totals.

    The mean does not weigh them: how many measurements each had is not asked for.
    """
    averages = _known(value.average for value in values)
    maxima = _known(value.maximum for value in values)
    totals = _known(value.total for value in values)
    mean = sum(averages) / len(averages) if averages else None
    return Point(when, mean, max(maxima, default=None), sum(totals) if totals else None)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _event(read: _Event, asked: ResourceId) -> Event:
    """An event; one whose resource can't be read is about what was asked for, for Azure answered so."""
    return Event(
        when=_aware(read.event_timestamp),
        who=read.caller or next(_claimed(read.claims), ""),
        operation=_text(read.operation_name),
        resource=ResourceId.maybe(read.resource_id) or asked,
        status=_text(read.status),
    )


def _claimed(claims: object) -> Iterator[str]:
    if isinstance(claims, Mapping):
        yield from (name for key in _NAMES if isinstance(name := claims.get(key), str) and name)


def _text(text: _Text) -> str:
    return (text.value if isinstance(text, _Localized) else text) or ""


def _aware(when: datetime) -> datetime:
    """In UTC; Azure means UTC where it does not say."""
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
