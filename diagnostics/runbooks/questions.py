"""What a runbook may ask of the world, as data.

A runbook is a generator: it yields questions and is sent answers. So it stays pure (no SDK, no HTTP, no clock), a test
answers from a dictionary, and the engine decides how, when and with whose permission a question is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from diagnostics.network.connectivity import ConnectivityCheck, Probe
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
class FindVms(Question[tuple[ResourceId, ...]]):
    """The VMs in scope with a name."""

    name: str


@dataclass(frozen=True, slots=True)
class CheckConnectivity(Question[ConnectivityCheck]):
    """A connectivity check of Network Watcher."""

    probe: Probe


type Asking[T] = Generator[Question[Any], Any, T]
"""A part of a runbook: asks questions and returns T."""


def ask[T](question: Question[T]) -> Asking[T | Unread]:
    """Has a question answered, when delegated to with `yield from`."""
    answer: T | Unread = yield question
    return answer


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
