"""Recorded conversations with Azure: every answer of Network Watcher, with the configuration that it was given for.

A recording is all that one test of another project said to Azure, in order; its parts lie in several files of the
corpus. What was read or written before an answer, or elsewhere in the same recording if nothing was, is the
configuration that the answer is about.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_objects, template
from diagnostics.network.reading.home import GROUP, SUBSCRIPTION

OPERATIONS = frozenset(
    {
        "ipflowverify",
        "nexthop",
        "effectivenetworksecuritygroups",
        "effectiveroutetable",
        "securitygroupview",
        "connectivitycheck",
        "networkconfigurationdiagnostic",
    }
)
_IGNORED = frozenset({"service_tags", "spec_example", "spec_example_monitor", "metrics", "alert_rule", "activity_log"})
# The Java recordings keep no request bodies. Their test is the one of the .NET edition, whose recordings do.
_SAME_TEST = {
    "nexthop": {"sourceIPAddress": "10.0.0.4", "destinationIPAddress": "8.8.8.8"},
    "ipflowverify": {
        "direction": "Outbound",
        "protocol": "TCP",
        "localPort": "443",
        "remotePort": "443",
        "localIPAddress": "10.0.0.4",
        "remoteIPAddress": "8.8.8.8",
    },
}
_JAVA = "testNetworkWatcherFunctions.json"

type Recording = tuple[str, str, str]
"""The repository, the path in it, and the commit."""


@dataclass(frozen=True)
class Step:
    """One request and its answer."""

    file: str
    number: int
    method: str
    url: str
    status: int
    asked: Any
    said: Any

    @property
    def operation(self) -> str:
        return self.url.rsplit("/", 1)[-1].lower()


@dataclass(frozen=True)
class Answer:
    """What Azure answered, and all that is known of the configuration.

    Attributes:
        where: the recording's file and step.
        operation: the last part of the address that was asked, lower-cased.
    """

    where: str
    operation: str
    url: str
    asked: dict[str, Any]
    said: Any
    documents: tuple[Any, ...]
    recording: Recording

    def estate(self) -> Estate:
        return read_objects(self.documents)

    def point(self, known: Estate) -> Point | None:
        """The endpoint that it is about: of the NIC or VM that was asked about, the one with the local address."""
        local = self.asked.get("localIPAddress") or self.asked.get("sourceIPAddress")
        target = self.asked.get("targetNicResourceId") or self.asked.get("targetResourceId")
        mine = points_of(known, target or self.url.rsplit("/", 1)[0])
        return next((point for point in mine if local in {None, point.configuration.address}), next(iter(mine), None))


def points_of(known: Estate, text: object) -> list[Point]:
    """The endpoints of a VM, a NIC or an IP configuration."""
    target = ResourceId.maybe(text)
    if target is None:
        return []
    vms = {point.nic.id: vm.id for point in known.points if (vm := known.vm_of(point.nic))}
    return [
        each for each in known.points if target.within(each.nic.id) or target in {each.nic.vm, vms.get(each.nic.id)}
    ]


@cache
def answers(corpus: Path) -> tuple[Answer, ...]:
    """Every answer once, though the corpus has many of them in several files and several editions of a recording."""
    found: dict[str, Answer] = {}
    for recording, steps in recordings(corpus).items():
        for answer in _answers(recording, steps):
            key = json.dumps([answer.operation, answer.url.lower(), answer.asked, answer.said], sort_keys=True)
            if key not in found or len(found[key].documents) < len(answer.documents):
                found[key] = answer
    return tuple(sorted(found.values(), key=lambda answer: answer.where))


@cache
def recordings(corpus: Path) -> dict[Recording, list[Step]]:
    """The steps of each recording, in order."""
    found: dict[Recording, dict[int, Step]] = defaultdict(dict)
    for line in (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        file = corpus / row["file"]
        if row["class"] in _IGNORED or not file.is_file():
            continue
        key = row["repo"], row["path"], row["commit"]
        for step in _steps(row, json.loads(file.read_text(encoding="utf-8"))):
            # A whole recording tells more of a step than a body alone.
            if row["class"] == "sequence" or step.number not in found[key]:
                found[key][step.number] = step
    return {key: [steps[number] for number in sorted(steps)] for key, steps in found.items()}


def _steps(row: dict[str, Any], value: Any) -> Iterator[Step]:
    if isinstance(value, list):
        for each in value:
            yield _step(row["file"], each["step"], each)
    elif "step" not in row:
        return
    elif "response_body" in value:
        yield _step(row["file"], row["step"], value)
    else:
        url = row["url"].split("?")[0]
        yield Step(row["file"], row["step"], row["method"], url, row["status"], None, value)


def _step(file: str, number: int, raw: dict[str, Any]) -> Step:
    url = (raw.get("url") or "").split("?")[0]
    return Step(file, number, raw["method"], url, raw["status"], raw.get("request_body"), raw.get("response_body"))


def _answers(recording: Recording, steps: list[Step]) -> Iterator[Answer]:
    for at, step in enumerate(steps):
        if step.method != "POST" or step.operation not in OPERATIONS:
            continue
        said = step.said if step.status == 200 else _polled(steps[at + 1 :])
        if isinstance(said, dict) and "error" not in said:
            asked = step.asked or (_of_same_test(step, steps) if recording[1].endswith(_JAVA) else {})
            earlier = [each for each in steps[:at] if each.said is not None]
            documents = tuple(_documents(earlier or [each for each in steps if each is not step]))
            url = step.url.removeprefix("https://management.azure.com")
            yield Answer(f"{step.file}#{step.number}", step.operation, url, asked, said, documents, recording)


def _polled(later: Iterable[Step]) -> Any:
    """The result of an operation that went on: what the polling behind it ended with."""
    polls = takewhile(lambda each: "/operationresults/" in each.url.lower(), later)
    return next((each.said for each in polls if each.status == 200), None)


def _of_same_test(step: Step, steps: Iterable[Step]) -> dict[str, Any]:
    """A question that was not kept: about the NIC of the VM that the same recording looked at."""
    views = (each.said for each in steps if each.operation == "securitygroupview" and each.said)
    seen = next((nic["id"] for view in views for nic in view["networkInterfaces"]), None)
    known = _SAME_TEST.get(step.operation, {})
    return known and {"targetResourceId": seen} | known


def _documents(steps: Iterable[Step]) -> Iterator[Any]:
    """The bodies that say something about configuration."""
    for step in steps:
        if step.method == "PUT" and "/deployments/" in step.url:
            yield from _deployed(step)
        elif step.method in {"GET", "PUT"} and step.status in {200, 201} and {"id", "value"} & {*(step.said or ())}:
            yield step.said


def _deployed(step: Step) -> Iterator[Any]:
    """What a template made: its resources, in the group that it was deployed to."""
    properties = (step.asked or {}).get("properties") or {}
    given = {name: each.get("value") for name, each in (properties.get("parameters") or {}).items()}
    scope = ResourceId.parse(step.url.removeprefix("https://management.azure.com"))
    for found in template.resources(properties.get("template") or {}, "$", given):
        if isinstance(found, template.Found):
            text = json.dumps(found.raw).replace(SUBSCRIPTION, scope.subscription)
            yield json.loads(text.replace(f"/resourceGroups/{GROUP}/", f"/resourceGroups/{scope.resource_group}/"))
