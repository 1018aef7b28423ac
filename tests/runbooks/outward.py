"""web-1 in front of the internet, as a situation of bodies; what is between them a test says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from diagnostics.findings import Finding, Outcome, Step
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_objects
from diagnostics.runbooks.questions import (
    Asking,
    FindByAddress,
    Point,
    Question,
    ReadBody,
    ReadMetrics,
    ReadServiceTags,
    Series,
    Tell,
    Unread,
    answer_all,
)
from diagnostics.runbooks.situation import Conditions, Machine, Situation
from diagnostics.runbooks.survey import Survey
from tests.network.arm import Json, body, machine, network, part, ref, rid, rule, subnet
from tests.runbooks.azure import vm

__all__ = [
    "Json",
    "Outside",
    "at",
    "body",
    "home",
    "key",
    "machine",
    "network",
    "part",
    "ref",
    "rid",
    "rule",
    "step",
    "subnet",
    "table",
    "told",
    "vm",
    "web",
]

MOMENT = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)
WEB, GOOGLE = "10.0.1.4", "8.8.8.8"


def key(kind: str, name: str) -> ResourceId:
    return ResourceId.parse(rid(kind, name))


def table(name: str, **routes: str) -> Json:
    """A route table: name → `prefix type [address]`."""
    listed = []
    for route, said in routes.items():
        prefix, leads, *address = said.split()
        hop = {"nextHopIpAddress": address[0]} if address else {}
        listed.append({"name": route, "properties": {"addressPrefix": prefix, "nextHopType": leads} | hop})
    return body("routeTables", name, routes=listed)


def web(*addresses: str, **more: Any) -> Json:
    """The source's network interface."""
    nic = machine("web", "v/a", *(addresses or (WEB,)), **more)
    return nic | {"properties": nic["properties"] | {"virtualMachine": ref("virtualMachines", "web-1")}}


def home(*others: Json, table: str = "", nsg: str = "", dns: Iterable[str] = (), **more: Any) -> Json:
    """The source's virtual network, with subnet `a`."""
    made = network(
        "v", "10.0.0.0/16 fd00:1::/48", subnet("a", "10.0.1.0/24", "fd00:1::/64", table=table, nsg=nsg, **more), *others
    )
    options = {"dhcpOptions": {"dnsServers": list(dns)}} if dns else {}
    return made | {"properties": made["properties"] | options}


@dataclass
class Outside:
    """Answers from bodies and metrics; `asked` keeps every question.

    Attributes:
        surveyed: what the survey has; `elsewhere` what has to be asked for.
        metrics: values by resource name, metric and filter: totals or averages, the last one at the moment.
    """

    surveyed: tuple[Json, ...]
    elsewhere: tuple[Json, ...] = ()
    unread: tuple[tuple[ResourceId, Unread], ...] = ()
    refused: Unread | None = None
    metrics: dict[tuple[str, str, str], list[float | None]] = field(default_factory=dict)
    asked: list[Question[Any]] = field(default_factory=list)
    address: str | None = GOOGLE
    findings: tuple[Finding, ...] = ()

    def situation(self) -> Situation:
        estate = read_objects(self.surveyed)
        assert not estate.problems, estate.problems
        web_1 = key("virtualMachines", "web-1")
        nics = tuple((nic.id, nic) for nic in estate.nics.values() if nic.vm == web_1)
        found = estate.vms.get(web_1, Unread("not read"))
        end = Endpoint(address=self.address or "www.example.com", port=443)
        origin = Origin(kind="alert", fired_at=MOMENT.isoformat())
        return Situation(
            DiagnosisRequest(request_id="r1", source=Endpoint(resource_id=web_1.text), destination=end, origin=origin),
            Conditions(MOMENT + timedelta(minutes=2), Endpoint(address="www.example.com", port=443)),
            Problem.VM_TO_INTERNET,
            "as asked",
            Machine(web_1, found, nics),
            None,
            findings=self.findings,
            survey=Survey(estate, self.unread),
        )

    def run(self, asking: Asking[Situation]) -> Situation:
        return answer_all(asking, self)

    def __call__(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        match question:
            case Tell():
                return None
            case ReadServiceTags():
                return Unread("no list of service tags")
            case ReadBody(wanted):
                found = (each for each in self.elsewhere if ResourceId.parse(each["id"]) == wanted)
                return next(found, Unread(f"{wanted.name} was not found", missing=True))
            case FindByAddress(address):
                return self.refused or tuple(self._with(address))
            case ReadMetrics():
                return self._series(question)
        raise AssertionError(question)

    def _with(self, address: str) -> Iterable[ResourceId]:
        for each in self.elsewhere:
            listed = each["properties"].get("ipConfigurations") or each["properties"].get("frontendIPConfigurations")
            if any(found["properties"].get("privateIPAddress") == address for found in listed or ()):
                yield ResourceId.parse(each["id"])

    def _series(self, question: ReadMetrics) -> Any:
        if self.refused:
            return self.refused
        found = []
        for name in question.names:
            values = self.metrics.get((question.resource.name, name, question.filter), [])
            points = [
                Point(question.until - timedelta(minutes=len(values) - n), average=value, total=value)
                for n, value in enumerate(values)
            ]
            found.append(Series(name, "Count", tuple(points)))
        return tuple(found)


def step(situation: Situation, name: str) -> Step:
    return next(each for each in situation.steps if each.name == name)


def told(situation: Situation, name: str) -> tuple[Outcome, str]:
    found = step(situation, name)
    return found.outcome, f"{found.summary} | {' | '.join(found.evidence)}"


def at(situation: Situation, **changes: Any) -> Situation:
    return replace(situation, **changes)
