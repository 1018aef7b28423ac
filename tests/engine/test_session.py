"""One diagnosis without store, sinks and queues, watched as it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from diagnostics.engine.session import work
from diagnostics.errors import OutOfScopeError, TemporaryError
from diagnostics.findings import Step
from diagnostics.intake.messages import Endpoint
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.probing import CheckConnectivity, Probing, RunInGuest
from diagnostics.runbooks.questions import Question, Tell
from diagnostics.runbooks.situation import Conditions
from tests.engine.house import BLOCKED, ELSEWHERE, GROUP, SUBSCRIPTION, VM, House, asked, nic_document, vm_document

OUTSIDE = Endpoint(address="example.com", port=443)


class Watching:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Question[Any] | Step] = []

    def asking(self, question: Question[Any]) -> None:
        self.heard.append(question)

    def ended(self, step: Step) -> None:
        self.heard.append(step)


def house(answer: bytes | Exception = BLOCKED) -> House:
    made = House(answer=answer)
    made.inventory.add(vm_document("web-2"))
    made.nics.add(nic_document("web-2", "Succeeded", address="10.0.0.5"))
    return made


def diagnose(house: House, watch: Watching | None = None, *, run_command: bool = False, **more: Any) -> Diagnosis:
    to = Endpoint(resource_id=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-2", port=443)
    return work(
        asked(**{"destination": to} | more),
        Conditions(house.clock.now(), OUTSIDE, run_command),
        inventory=house.inventory,
        watcher=house.watcher,
        guest=house.guest,
        monitor=house.monitor,
        scopes=house.scopes,
        clock=house.clock,
        watch=watch,
    )


def test_a_diagnosis_needs_no_store_sink_or_queue() -> None:
    home = house()
    found = diagnose(home)
    assert (found.findings[0].check, found.works) == ("CON005", False)
    assert {point.partition(".")[0] for point in home.calls.log} <= {"inventory", "watcher", "monitor"}


def test_it_is_the_diagnosis_that_the_engine_makes() -> None:
    home, other = house(), house()
    other.diagnose(asked(destination=Endpoint(resource_id=f"{VM.text[:-1]}2", port=443)))
    assert [finding.finding_id for finding in diagnose(home).findings] == [f.finding_id for f in other.queue.sent]


def test_whoever_watches_hears_each_question_before_and_each_step_after() -> None:
    home, watch = house(), Watching()
    found = diagnose(home, watch)
    steps = [heard for heard in watch.heard if isinstance(heard, Step)]
    assert tuple(steps) == found.steps
    assert not any(isinstance(heard, Tell) for heard in watch.heard)
    checks = [heard for heard in watch.heard if isinstance(heard, CheckConnectivity)]
    assert checks == [question for question in home.watcher.submitted if isinstance(question, CheckConnectivity)]
    assert watch.heard.index(checks[0]) < [getattr(heard, "name", "") for heard in watch.heard].index("TCP ping")


def test_a_question_is_heard_of_before_its_answer_is_there() -> None:
    home, watch = house(), Watching()
    home.watcher.during = lambda: seen.append(watch.heard[-1])
    seen: list[object] = []
    diagnose(home, watch)
    assert seen == home.watcher.submitted


@pytest.mark.parametrize("allowed", [True, False])
def test_scripts_run_in_guests_only_where_that_is_allowed(*, allowed: bool) -> None:
    home = house()
    home.guest.others = {RunInGuest: b'{"value":[]}'}
    diagnose(home, run_command=allowed)
    assert bool(home.guest.submitted) is allowed


def test_out_of_scope_is_refused_before_anything_is_read() -> None:
    home = house()
    with pytest.raises(OutOfScopeError, match=ELSEWHERE):
        diagnose(home, source=ResourceId.parse(VM.text.replace(SUBSCRIPTION, ELSEWHERE)))
    assert home.calls.log == []


def test_nobody_brings_the_request_back_so_patience_is_long() -> None:
    home = house()
    home.watcher.refusals = [TemporaryError("429", retry_after=60)] * 50
    diagnose(home)
    assert sum(home.clock.slept) == 50 * 60


def test_what_never_ends_is_gone_on_without() -> None:
    home = house()
    home.watcher.late = [TemporaryError("it has not ended")] * 99
    found = diagnose(home)
    assert found.works is None
    assert any("it has not ended" in step.summary for step in found.steps)


@pytest.mark.parametrize("run", range(2))
def test_each_call_starts_anew(run: int) -> None:
    home = house()
    for _ in range(run + 1):
        diagnose(home)
    probing: list[Probing[Any]] = home.watcher.submitted
    assert len(probing) == (run + 1) * len(set(probing))
