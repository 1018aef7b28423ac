"""Azure Monitor: metric values and the activity log, as the scenario tells them.

Sources: REST references "Metrics - List" and "Activity Logs - List" (the filter shapes that are accepted); "Supported
metrics" of virtual machines, load balancers and NAT gateways; a recorded log, whose filter on a VM's id also finds
what is nested in the VM.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sandbox.arm.reads import Reads
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request
from sandbox.arm.world import World
from sandbox.scenario import Metric

type Dimensions = dict[str, set[str]]

_VM_METRICS = (
    "Percentage CPU", "Available Memory Bytes", "Available Memory Percentage", "VmAvailabilityMetric", "Inbound Flows",
    "Outbound Flows", "Network In Total", "Network Out Total", "CPU Credits Remaining", "CPU Credits Consumed",
)  # fmt: skip

_SNAT_PORTS = ("FrontendIPAddress", "BackendIPAddress", "ProtocolType", "IsAwaitingRemoval")

# The metrics of a resource type, each with the dimensions that a filter may name.
_KNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "microsoft.compute/virtualmachines": dict.fromkeys(_VM_METRICS, ()),
    "microsoft.network/loadbalancers": {
        "VipAvailability": ("FrontendIPAddress", "FrontendPort"),
        "DipAvailability": ("ProtocolType", "BackendPort", "FrontendIPAddress", "FrontendPort", "BackendIPAddress"),
        "ByteCount": ("FrontendIPAddress", "FrontendPort", "Direction"),
        "PacketCount": ("FrontendIPAddress", "FrontendPort", "Direction"),
        "SYNCount": ("FrontendIPAddress", "FrontendPort", "Direction"),
        "SnatConnectionCount": ("FrontendIPAddress", "BackendIPAddress", "ConnectionState"),
        "AllocatedSnatPorts": _SNAT_PORTS,
        "UsedSnatPorts": _SNAT_PORTS,
    },
    "microsoft.network/natgateways": {
        "ByteCount": ("Protocol", "Direction"),
        "PacketCount": ("Protocol", "Direction"),
        "PacketDropCount": (),
        "SNATConnectionCount": ("Protocol", "ConnectionState"),
        "TotalConnectionCount": ("Protocol",),
        "DatapathAvailability": (),
    },
}
_AGGREGATIONS = {"average", "minimum", "maximum", "total", "count"}
_DIMENSION = re.compile(r"\s*(\w+)\s+eq\s+'([^']*)'\s*", re.IGNORECASE)
_INTERVAL = re.compile(r"PT(\d+)([MH])|P(\d+)D", re.IGNORECASE)

_TERM = re.compile(r"\s*(\w+)\s+(eq|ge|le)\s+'([^']*)'\s*", re.IGNORECASE)
_SECONDARY = {"resourceuri", "resourcegroupname", "resourceprovider", "correlationid"}
_RETENTION = timedelta(days=90)


class Monitor:
    """Metrics and the activity log of every scenario."""

    def __init__(self, world: World, reads: Reads) -> None:
        self._world = world
        self._reads = reads

    def metrics(self, request: Request) -> Reply:
        """GET {resource}/providers/Microsoft.Insights/metrics. A metric without a script has an empty series."""
        target = Path.parse(request.path.scope)
        body = self._world.get(target)
        start, end = _timespan(request.query.get("timespan", ""))
        step = _interval(request.query.get("interval", "PT1M"))
        wanted = [name for name in request.query.get("metricnames", "").split(",") if name]
        aggregations = [name.strip().lower() for name in request.query.get("aggregation", "Average").split(",")]
        if not set(aggregations) <= _AGGREGATIONS:
            raise ArmError(400, "BadRequest", f"Invalid aggregation: {request.query['aggregation']}")
        dimensions = _dimensions(request.query.get("$filter", ""))
        scripted = self._scripted(body["id"], dimensions)
        values = []
        for name in wanted or list(scripted):
            _require_known(body, name, dimensions)
            found = scripted.get(name.lower()) or [Metric(body["id"], name, "Unspecified", {})]
            values.append(_metric_body(body, found, lambda each: _points(each, aggregations, start, end, step)))
        span = f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"
        about = {"namespace": target.type, "resourceregion": body["location"]}
        return Reply(
            {"cost": 0, "timespan": span, "interval": request.query.get("interval", "PT1M")} | about | {"value": values}
        )

    def _scripted(self, resource_id: str, dimensions: Dimensions) -> dict[str, list[Metric]]:
        """The metrics of a resource by name, those written down for what a filter selects: one series for each."""
        scenario = self._world.scenario_of(resource_id)
        found: dict[str, list[Metric]] = {}
        for metric in scenario.metrics if scenario else []:
            own = _dimensions(metric.filter)
            selected = own.keys() == dimensions.keys() and all(
                own[name] <= values or "*" in values for name, values in dimensions.items()
            )
            if metric.resource.lower() == resource_id.lower() and selected:
                found.setdefault(metric.name.lower(), []).append(metric)
        return found

    def activity_log(self, request: Request) -> Reply:
        """GET …/eventtypes/management/values with one of the documented filters; newest event first."""
        self._world.require_scope(request.path)
        after, before, conditions = _parse_filter(request.query.get("$filter", ""))
        scenario = self._world.scenario_of(request.path.scope)
        events = [
            event
            for event in (scenario.activity_log if scenario else [])
            if after <= datetime.fromisoformat(event["eventTimestamp"]) <= before and _meets(event, conditions)
        ]
        events.sort(key=lambda event: str(event["eventTimestamp"]), reverse=True)
        columns = {name.strip() for name in request.query.get("$select", "").split(",") if name.strip()}
        return self._reads.page(request, [_select(event, columns) for event in events])


def _timespan(text: str) -> tuple[datetime, datetime]:
    """``start/end``; without one, the last hour."""
    if not text:
        now = datetime.now(UTC)
        return now - timedelta(hours=1), now
    try:
        start, end = (datetime.fromisoformat(part).astimezone(UTC) for part in text.split("/"))
    except ValueError:
        raise ArmError(400, "BadRequest", f"Invalid timespan: {text}") from None
    return start, end


def _interval(text: str) -> timedelta:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise ArmError(400, "BadRequest", f"Invalid time grain: {text}")
    if found[3]:
        return timedelta(days=int(found[3]))
    return timedelta(minutes=int(found[1])) * (60 if found[2].upper() == "H" else 1)


def _dimensions(text: str) -> Dimensions:
    """What a filter wants of each dimension; names and values in lower case."""
    wanted: Dimensions = {}
    for part in re.split(r"\s+(?:and|or)\s+", text, flags=re.IGNORECASE) if text else ():
        term = _DIMENSION.fullmatch(part.strip("() "))
        if term is None:
            raise ArmError(400, "BadRequest", f"Invalid filter: {text}")
        wanted.setdefault(term[1].lower(), set()).add(term[2].lower())
    return wanted


def _require_known(body: Json, name: str, dimensions: Dimensions) -> None:
    """400 for a metric that the resource type does not have, or a dimension that the metric does not have."""
    kinds = _KNOWN.get(body["type"].lower())
    if kinds is None:
        return
    known = next((own for metric, own in kinds.items() if metric.lower() == name.lower()), None)
    if known is None:
        provider, _, kind = body["type"].partition("/")
        text = f"Failed to find metric configuration for provider: {provider}, resource Type: {kind}, metric: {name}, "
        raise ArmError(400, "BadRequest", f"{text}Valid metrics: {','.join(kinds)}")
    if not dimensions.keys() <= {dimension.lower() for dimension in known}:
        asked, supported = ",".join(sorted(dimensions)), ",".join(known)
        text = f"Metric: {name} does not support requested dimension combination: {asked}, supported ones are: "
        raise ArmError(400, "BadRequest", text + supported)


def _points(metric: Metric, aggregations: list[str], start: datetime, end: datetime, step: timedelta) -> list[Json]:
    """One point a step, ending at the end of the timespan; a gap is a point without a value, as Azure answers it."""
    length = max((len(values) for values in metric.values.values()), default=0)
    points = []
    for age in range(length, 0, -1):
        when = end - age * step
        if when < start:
            continue
        point: Json = {"timeStamp": f"{when:%Y-%m-%dT%H:%M:00Z}"}
        for name in aggregations:
            values = metric.values.get(name, [])
            if age <= len(values) and values[-age] is not None:
                point[name] = values[-age]
        points.append(point)
    return points


def _metric_body(body: Json, metrics: list[Metric], points: Callable[[Metric], list[Json]]) -> Json:
    name = metrics[0].name
    return {
        "id": f"{body['id']}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": metrics[0].unit,
        "timeseries": [_series(metric, data) for metric in metrics if (data := points(metric))],
        "errorCode": "Success",
    }


def _series(metric: Metric, data: list[Json]) -> Json:
    about = [
        {"name": {"value": name, "localizedValue": name}, "value": value}
        for name, values in _dimensions(metric.filter).items()
        for value in sorted(values)
    ]
    return {"metadatavalues": about, "data": data}


def _parse_filter(text: str) -> tuple[datetime, datetime, dict[str, str]]:
    """From, until, and at most one other condition; anything else is 400, as Azure refuses it."""
    terms = [_TERM.fullmatch(part) for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE)]
    times: dict[str, datetime] = {}
    conditions: dict[str, str] = {}
    for term in terms:
        name, operator, value = (term[1].lower(), term[2].lower(), term[3]) if term else ("", "", "")
        if name == "eventtimestamp" and operator in ("ge", "le"):
            times[operator] = _time(value)
        elif name in _SECONDARY and operator == "eq" and not conditions:
            conditions[name] = value
        elif not (name == "eventchannels" and operator == "eq"):
            raise ArmError(400, "BadRequest", f"The filter '{text}' is not supported.")
    if "ge" not in times:
        raise ArmError(400, "BadRequest", "The filter must have a start time: eventTimestamp ge '…'.")
    if times["ge"] < datetime.now(UTC) - _RETENTION:
        raise ArmError(400, "BadRequest", "The start time cannot be more than 90 day(s) in the past.")
    return times["ge"], times.get("le", datetime.max.replace(tzinfo=UTC)), conditions


def _time(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ArmError(400, "BadRequest", f"'{text}' is not a time.") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _meets(event: Json, conditions: dict[str, str]) -> bool:
    has = {
        "resourceuri": event.get("resourceId", ""),
        "resourcegroupname": event.get("resourceGroupName", ""),
        "resourceprovider": event.get("resourceProviderName", {}).get("value", ""),
        "correlationid": event.get("correlationId", ""),
    }
    within = f"{has['resourceuri']}/".lower().startswith(f"{conditions.get('resourceuri', '').rstrip('/')}/".lower())
    others = {name: value for name, value in conditions.items() if name != "resourceuri"}
    return within and all(has[name].lower() == value.lower() for name, value in others.items())


def _select(event: Json, columns: set[str]) -> Json:
    return {name: value for name, value in event.items() if not columns or name in columns}
