"""Questions that take their time: in turn, once for each request, again only while Azure is busy."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from diagnostics.contracts import Entry
from diagnostics.engine.probes import Probes
from diagnostics.engine.turns import Manners, NotItsTurnError, PostponedError, Turns
from diagnostics.errors import (
    NotFoundError,
    OperationFailedError,
    ParseError,
    PermanentError,
    TemporaryError,
    VmreachError,
)
from diagnostics.intake.messages import Protocol
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Direction, FlowCheck, GuestScript, RuleCheck, Shell
from diagnostics.runbooks.probing import (
    CheckConnectivity,
    DiagnoseRules,
    Probing,
    ReadEffectiveRules,
    RunInGuest,
    VerifyFlow,
)
from tests.engine.house import BLOCKED, ELSEWHERE, NIC, SUBSCRIPTION, VM, WORKS, House
from tests.fakes import NOON, Clock

OTHER = ResourceId.parse(f"{VM.text}2")
FAR = ResourceId.parse(VM.text.replace(SUBSCRIPTION, ELSEWHERE))
BUSY = TemporaryError("RetryableError: A retryable error occurred.")
EIGHT = timedelta(minutes=8)


def check(vm: ResourceId = VM, location: str = "westeurope", attempt: int = 1) -> CheckConnectivity:
    return CheckConnectivity(Probe(vm, location, "10.0.0.5", 443, Protocol.TCP), attempt)


def flow(vm: ResourceId = VM, location: str = "westeurope") -> VerifyFlow:
    return VerifyFlow(FlowCheck(vm, location, None, Direction.OUTBOUND, "Tcp", "10.0.0.4", "10.0.0.5", None, 443))


RULES = DiagnoseRules(RuleCheck(NIC, "westeurope", Direction.INBOUND, "Tcp", "10.0.0.4", "10.0.0.5", 443))
SCRIPT = RunInGuest(GuestScript(VM, "westeurope", Shell.LINUX, ("ip route",), "the routing table"))
EFFECTIVE = ReadEffectiveRules(NIC)


def probes(house: House, holder: str = "r1", *, guest: bool = True, **manners: Any) -> Probes:
    bounds = Manners(**manners)
    turns = Turns(holder, house.store, house.clock, bounds)
    until = house.clock.now() + bounds.patience
    scripts = house.guest if guest else None
    return Probes(holder, house.watcher, scripts, house.store, turns, house.clock, until)


def held(house: House) -> dict[str, str]:
    """Who holds what, by the first word of a lease and by how long it lasts from now."""
    leased = {name: owner for name, (owner, until) in house.store.memory.leased.items() if until > house.clock.now()}
    return {name.partition("-")[0]: owner for name, owner in leased.items()}


def occupied(house: House, *questions: Probing[Any], slots: int = 1) -> House:
    """Others have the turns of these questions, for eight minutes."""
    for number, question in enumerate(questions):
        Turns(f"other{number}", house.store, house.clock, Manners(slots=slots)).take(question)
    return house


def test_a_question_is_asked_in_turn_and_noted_before_it_is_waited_for() -> None:
    house = House()
    assert probes(house).answer(check()) == check().read(WORKS)
    done = [point.removesuffix(" before") for point in house.calls.log if point.endswith("before")]
    before = ["store.entry", "store.lease", "store.lease", "watcher.submit", "store.note"]
    assert done == [*before, "watcher.collect", "store.note", "store.give_back", "store.give_back"]
    assert held(house) == {}


def test_what_was_answered_is_read_from_the_journal() -> None:
    house = House(answer=BLOCKED)
    first = probes(house).answer(check())
    house.watcher.answer = WORKS
    assert probes(house).answer(check()) == first
    assert (len(house.watcher.submitted), house.calls.log.count("watcher.collect before")) == (1, 1)


def test_what_another_request_was_answered_is_not_ones_own() -> None:
    house = House()
    for holder in ("r1", "r2", "r1"):
        probes(house, holder).answer(check())
        probes(house, holder).answer(check(attempt=2))
    assert len(house.watcher.submitted) == 4


def test_what_is_under_way_is_collected_and_not_asked_again() -> None:
    house = House(answer=BLOCKED)
    house.watcher.late = [TemporaryError("it has not ended"), TemporaryError("it has not ended")]
    for _ in range(2):
        with pytest.raises(TemporaryError, match="has not ended"):
            probes(house).answer(check())
        assert held(house) == {"vm": "r1", "slot": "r1"}
        house.clock.forward(minutes=1)
    assert probes(house).answer(check()) == check().read(BLOCKED)
    assert (len(house.watcher.submitted), held(house)) == (1, {})


def test_what_never_ends_holds_nobody_up_for_long() -> None:
    house = House()
    house.watcher.late = [TemporaryError("it has not ended")]
    with pytest.raises(TemporaryError):
        probes(house).answer(check())
    with pytest.raises(NotItsTurnError):
        probes(house, "r2").answer(check())
    house.clock.forward(minutes=7)
    assert probes(house, "r2").answer(check()) == check().read(WORKS)


def test_collecting_does_not_take_the_machine_from_another_request() -> None:
    house = House()
    house.watcher.late = [TemporaryError("it has not ended")]
    with pytest.raises(TemporaryError):
        probes(house).answer(check())
    house.clock.forward(minutes=9)
    house.store.lease(f"vm-{VM.key}", holder="r2", now=house.clock.now(), until=house.clock.now() + EIGHT)
    assert probes(house).answer(check()) == check().read(WORKS)
    assert held(house) == {"vm": "r2"}


def test_an_answer_that_azure_has_no_more_is_not_asked_for_again() -> None:
    house = House()
    house.store.note("r1", check().key, Entry("https://arm.example/operations/old"))
    for _ in range(2):
        with pytest.raises(
            PermanentError, match="OperationNotFound: it was asked, and its answer is not to be had"
        ) as e:
            probes(house).answer(check())
        assert not isinstance(e.value, NotFoundError)  # it is no resource that is missing
    assert (house.watcher.submitted, held(house)) == ([], {})


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OperationFailedError("InternalServerError", code="InternalServerError"), id="it fails"),
        pytest.param(ParseError("$.status: Expected `str`, got `int`: 1"), id="it can't be read"),
    ],
)
@pytest.mark.parametrize("when", ["refusals", "late"])
def test_a_check_that_fails_gives_its_turn_back(when: str, error: VmreachError) -> None:
    house = House()
    setattr(house.watcher, when, [error])
    with pytest.raises(type(error)):
        probes(house).answer(check())
    assert held(house) == {}


def test_what_azure_refuses_is_not_noted() -> None:
    house = House()
    house.watcher.refusals = [PermanentError("AgentNotInstalled")]
    with pytest.raises(PermanentError, match="AgentNotInstalled"):
        probes(house).answer(check())
    assert (house.store.memory.entries, held(house)) == ({}, {})
    assert probes(house).answer(check()) == check().read(WORKS)


def test_scripts_that_are_not_allowed_take_no_turn() -> None:
    house = House()
    with pytest.raises(PermanentError, match="VMREACH_RUN_COMMAND is off"):
        probes(house, guest=False).answer(SCRIPT)
    assert house.calls.log == []


@pytest.mark.parametrize(
    ("refusals", "slept"),
    [
        pytest.param([BUSY], [5], id="once"),
        pytest.param([BUSY] * 6, [5, 10, 20, 40, 80, 160], id="twice as long each time"),
        pytest.param([TemporaryError("429", retry_after=17)] * 3, [17, 17, 17], id="as Azure says"),
        pytest.param([TemporaryError("429", retry_after=17), BUSY, BUSY], [17, 10, 20], id="as Azure says once"),
        pytest.param([TemporaryError("429", retry_after=0)] * 2, [5, 10], id="Azure says nothing of use"),
    ],
)
def test_while_azure_is_busy_it_is_asked_again(refusals: list[Exception], slept: list[float]) -> None:
    house = House()
    house.watcher.refusals = [*refusals]
    assert probes(house).answer(check()) == check().read(WORKS)
    assert (house.clock.slept, len(house.watcher.submitted)) == (slept, 1)


@pytest.mark.parametrize("times", [1, 3])
def test_a_check_that_met_another_one_in_azure_did_nothing_and_is_asked_again(times: int) -> None:
    house = House()
    collided = OperationFailedError("RetryableError: A retryable error occurred.", code="RetryableError")
    house.watcher.late = [collided] * times
    assert probes(house).answer(check()) == check().read(WORKS)
    assert house.clock.slept == [5, 10, 20][:times]
    assert (len(house.watcher.submitted), held(house)) == (1 + times, {})


def test_one_that_met_another_and_whose_message_came_back_is_asked_again_too() -> None:
    house = House()
    house.watcher.late = [TemporaryError("it has not ended")]
    with pytest.raises(TemporaryError):
        probes(house).answer(check())
    house.watcher.late = [OperationFailedError("RetryableError", code="RetryableError")]
    assert probes(house).answer(check()) == check().read(WORKS)
    assert (len(house.watcher.submitted), house.clock.slept) == (2, [5])


def test_others_need_not_wait_while_azure_is_busy() -> None:
    house = House()
    house.watcher.refusals = [BUSY]
    seen: list[dict[str, str]] = []
    house.clock.meanwhile = lambda: seen.append(held(house))
    probes(house).answer(check())
    assert seen == [{}]


@pytest.mark.parametrize(
    ("refusal", "again", "waited"),
    [
        pytest.param(BUSY, 320, 315, id="RetryableError"),
        pytest.param(TemporaryError("429", retry_after=50), 50, 350, id="429"),
        pytest.param(TemporaryError("429", retry_after=3_600), 3_600, 0, id="429 for an hour"),
    ],
)
def test_patience_ends_and_the_message_comes_back(refusal: TemporaryError, again: float, waited: float) -> None:
    house = House()
    house.watcher.refusals = [refusal] * 99
    with pytest.raises(TemporaryError, match=str(refusal)) as postponed:
        probes(house).answer(check())
    assert (postponed.value.retry_after, sum(house.clock.slept)) == (again, waited)
    assert (house.store.memory.entries, held(house)) == ({}, {})


def test_a_run_that_took_long_submits_nothing_more_but_collects() -> None:
    house = House()
    house.watcher.late = [TemporaryError("it has not ended")]
    run = probes(house)
    with pytest.raises(TemporaryError):
        run.answer(check())
    house.clock.forward(minutes=7)
    assert run.answer(check()) == check().read(WORKS)
    with pytest.raises(PostponedError, match="was not asked: Azure took long"):
        run.answer(check(attempt=2))


def test_a_run_that_took_long_and_got_nowhere_has_failed() -> None:
    """Coming back as a new message would go on for ever: this one counts its tries."""
    house = House()
    run = probes(house)
    house.clock.forward(minutes=7)
    with pytest.raises(TemporaryError, match="was not asked: Azure took long") as failed:
        run.answer(check())
    assert not isinstance(failed.value, PostponedError)


@pytest.mark.parametrize(
    ("others", "question", "waits"),
    [
        pytest.param([check()], check(), True, id="a check of the same VM"),
        pytest.param([SCRIPT], check(), True, id="a script in the same VM"),
        pytest.param([check(location="")], SCRIPT, True, id="a script while the VM checks"),
        pytest.param([check()], check(OTHER), True, id="the region is full"),
        pytest.param([check()], check(OTHER, "West Europe"), True, id="the region is full, in other words"),
        pytest.param([flow(OTHER)], check(), True, id="the region is full of other questions"),
        pytest.param([check()], flow(), True, id="the region is full for other questions"),
        pytest.param([check()], RULES, True, id="the region is full for NSG diagnostics"),
        pytest.param([check()], check(OTHER, "northeurope"), False, id="another region"),
        pytest.param([check()], check(FAR), False, id="another subscription"),
        pytest.param([check()], EFFECTIVE, False, id="a question that no Network Watcher answers"),
        pytest.param([check(OTHER)], SCRIPT, False, id="a script needs no Network Watcher"),
        pytest.param([SCRIPT], flow(), False, id="IP flow verify needs no quiet VM"),
    ],
)
def test_whose_turn_it_is(others: list[Probing[Any]], question: Probing[Any], *, waits: bool) -> None:
    house = occupied(House(), *others)
    turns = Turns("r1", house.store, house.clock, Manners(slots=1))
    if waits:
        with pytest.raises(NotItsTurnError, match="is being checked for others"):
            turns.take(question)
    else:
        turns.take(question)
    assert sum(house.clock.slept) == (60 if waits else 0)
    assert "r1" not in held(house).values() or not waits


@pytest.mark.parametrize("slots", [1, 2, 4, 100])
def test_so_many_at_a_time_and_no_more(slots: int) -> None:
    house = House()
    for number in range(slots):
        Turns(f"r{number}", house.store, house.clock, Manners(slots=slots)).take(flow())
    with pytest.raises(NotItsTurnError):
        Turns("one more", house.store, house.clock, Manners(slots=slots)).take(flow())


def test_a_turn_comes_when_another_ends() -> None:
    house = occupied(House(), check())

    def meanwhile() -> None:
        if len(house.clock.slept) == 4:
            house.store.memory.leased.clear()

    house.clock.meanwhile = meanwhile
    assert probes(house, slots=1).answer(check()) == check().read(WORKS)
    assert house.clock.slept == [5] * 4


def test_what_a_dead_process_left_ends_by_itself() -> None:
    house = occupied(House(), check())
    house.clock.forward(minutes=7, seconds=30)
    assert probes(house, slots=1).answer(check()) == check().read(WORKS)
    assert sum(house.clock.slept) == 30


def test_a_machine_that_is_waited_with_stays_ones_own() -> None:
    """Waiting for a slot takes longer than a lease lasts: the lease of the VM is prolonged."""
    house = House()
    house.store.lease(f"slot-westeurope-{SUBSCRIPTION}-0", holder="other", now=NOON, until=NOON + timedelta(hours=1))
    taken: list[bool] = []
    house.clock.meanwhile = lambda: taken.append(
        house.store.lease(f"vm-{VM.key}", holder="r2", now=house.clock.now(), until=house.clock.now())
    )
    turn = timedelta(minutes=70)
    assert Turns("r1", house.store, house.clock, Manners(slots=1, turn=turn)).take(check())
    assert (any(taken), len(taken)) == (False, 720)


class Patient(Clock):
    """Time stands still, and whoever waits lets others go on."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10_000)

    def now(self) -> datetime:
        return NOON


@pytest.mark.parametrize("slots", [1, 2])
def test_many_at_once_all_get_their_turn_and_never_too_many(slots: int) -> None:
    house, lock, running, most = House(), threading.Lock(), [0], [0]
    house.clock = Patient()

    def during() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.001)
        with lock:
            running[0] -= 1

    house.watcher.during = during
    machines = [VM, OTHER, VM, OTHER, VM, OTHER, VM, OTHER]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda item: probes(house, f"r{item[0]}", slots=slots).answer(check(item[1])), enumerate(machines)
            )
        )
    assert (len(answers), len(house.watcher.submitted), held(house)) == (8, 8, {})
    assert most[0] <= slots
