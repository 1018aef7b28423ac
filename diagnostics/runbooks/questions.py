"""What a runbook may ask of the world, as data.

A runbook is a generator: it yields questions and is sent answers. So it stays pure (no SDK, no HTTP, no clock), a test
answers from a dictionary, and the engine decides how, when and with whose permission a question is answered. Questions
that Azure takes its time over are in `probing`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diagnostics.findings import Step
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm


class Question[T]:
    """Something to find out; T is the type of the answer."""


@dataclass(frozen=True, slots=True)
class Unread:
    """The answer to a question that could not be answered: never the same as "nothing found".

    Attributes:
        reason: one sentence.
        action: the permission to grant, if that is what is missing.
        scope: where to grant it.
        missing: whether the resource does not exist, as far as this identity may know.
    """

    reason: str
    action: str = ""
    scope: str = ""
    missing: bool = False

    def __str__(self) -> str:
        grant = f" Grant {self.action}" + (f" on {self.scope}." if self.scope else ".") if self.action else ""
        return self.reason + grant


@dataclass(frozen=True, slots=True)
class ReadVm(Question[Vm]):
    """A VM with its power state."""

    vm: ResourceId


@dataclass(frozen=True, slots=True)
class ReadNic(Question[Nic]):
    """A network interface."""

    nic: ResourceId


@dataclass(frozen=True, slots=True)
class ReadSubnet(Question[Subnet]):
    """A subnet."""

    subnet: ResourceId


@dataclass(frozen=True, slots=True)
class ReadSecurityGroup(Question[SecurityGroup]):
    """A network security group."""

    group: ResourceId


@dataclass(frozen=True, slots=True)
class ReadRouteTable(Question[RouteTable]):
    """A route table."""

    table: ResourceId


@dataclass(frozen=True, slots=True)
class ReadBody(Question[Any]):
    """A resource as Azure shows it, whole: JSON as Python values. A VM comes with its instance view."""

    resource: ResourceId


@dataclass(frozen=True, slots=True)
class FindVms(Question[tuple[ResourceId, ...]]):
    """The VMs in scope with a name."""

    name: str


@dataclass(frozen=True, slots=True)
class FindByAddress(Question[tuple[ResourceId, ...]]):
    """The NICs, load balancers and firewalls in scope that have a private address, as Resource Graph knows them.

    Candidates: Resource Graph lags, and networks may overlap.
    """

    address: str


@dataclass(frozen=True, slots=True)
class FindWatcher(Question[ResourceId]):
    """The Network Watcher of a region; Unread with `missing` where there is none."""

    subscription: str
    location: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A VM extension.

    Attributes:
        publisher, type: tell which one it is; its name can be anything.
        state: provisioning state, as Azure spells it.
    """

    name: str
    publisher: str
    type: str
    state: str


@dataclass(frozen=True, slots=True)
class ReadExtensions(Question[tuple[Extension, ...]]):
    """The extensions of a VM."""

    vm: ResourceId


@dataclass(frozen=True, slots=True)
class ReadServiceTags(Question[Any]):
    """Azure's list of service tags as its API answers it, for NSG rules and routes of a region."""

    subscription: str
    location: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a metric at a time; None where Azure has none for it (the newest minute, a VM that is off)."""

    when: datetime
    average: float | None = None
    maximum: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A metric over time, oldest value first. `unit` as Azure names it: `Percent`, `Bytes`, `Count`."""

    name: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class ReadMetrics(Question[tuple[Series, ...]]):
    """Metrics of a resource, one value a minute.

    Attributes:
        filter: on dimensions, as the Metrics API takes it: `ConnectionState eq 'Failed'`; empty for none.
    """

    resource: ResourceId
    names: tuple[str, ...]
    since: datetime
    until: datetime
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A write, delete or action in the activity log.

    Attributes:
        operation: `Microsoft.Network/networkSecurityGroups/securityRules/write`.
        who: the caller: a person's name, or the id of an application.
        resource: what was written, as the log names it.
        status: `Succeeded`, `Failed`, `Accepted`, `Started`.
    """

    when: datetime
    who: str
    operation: str
    resource: ResourceId
    status: str


@dataclass(frozen=True, slots=True)
class ReadChanges(Question[tuple[Event, ...]]):
    """What the activity log says about a resource and what is nested in it, newest first."""

    resource: ResourceId
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Tell(Question[None]):
    """Not a question: a step is done, for whoever watches."""

    step: Step


type Asking[T] = Generator[Question[Any], Any, T]
"""A part of a runbook: asks questions and returns T."""


def ask[T](question: Question[T]) -> Asking[T | Unread]:
    """Has a question answered, when delegated to with `yield from`."""
    answer: T | Unread = yield question
    return answer


def watched[T](runbook: Asking[T], seen: Callable[[Question[Any], Any], object]) -> Asking[T]:
    """A runbook whose questions and answers are seen by a function as they pass."""
    try:
        question = next(runbook)
        while True:
            answer = yield question
            seen(question, answer)
            question = runbook.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


def answer_all[T](runbook: Asking[T], answer: Callable[[Question[Any]], Any]) -> T:
    """Run a runbook to its end, answering its questions with a function. The same question is asked once."""
    answers: dict[Question[Any], Any] = {}
    try:
        question = next(runbook)
        while True:
            if question not in answers:
                answers[question] = answer(question)
            question = runbook.send(answers[question])
    except StopIteration as end:
        result: T = end.value
        return result
