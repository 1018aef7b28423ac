"""How often a message may come back: work that gets on is no failure, and what never ends is gone on without."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from diagnostics.engine.engine import Delivery
from diagnostics.errors import TemporaryError
from tests.engine.house import BLOCKED, VM, House, asked
from tests.fakes import Crash


def test_a_diagnosis_that_takes_longer_than_a_run_goes_on_in_the_next() -> None:
    house = House(answer=BLOCKED)
    house.watcher.during = lambda: house.clock.forward(minutes=6.5)
    messages = [asked()]
    for number, request in enumerate(messages):
        house.diagnose(request, f"m{number}")
        messages += [again for after, again in house.outbox.later if not after]
        house.outbox.later = [each for each in house.outbox.later if each[0]]
    keys = [question.key for question in house.watcher.submitted]
    assert len(keys) == len(set(keys)) == len(messages) > 1
    assert (house.queue.told, house.store.memory.entries) == (["CON005 open"], {})


def in_line(crash_at: int | None = None) -> House:
    """Another has the VM for two minutes, and the run of message m1 dies at a point, if any."""
    house = House(answer=BLOCKED)
    until = house.clock.now() + timedelta(minutes=2)
    house.store.memory.lease(f"vm-{VM.key}", holder="r0", now=house.clock.now(), until=until)
    house.calls.crash_at = crash_at
    with suppress(Crash):
        house.diagnose(asked(), "m1")
    return house


@pytest.mark.parametrize("crash_at", range(len(in_line().calls.log)))
def test_a_run_cut_short_on_its_way_back_into_line_is_neither_lost_nor_told_twice(crash_at: int) -> None:
    house = in_line(crash_at)
    house.clock.forward(minutes=3)
    for message in ("m1", *(f"m{number}" for number, _ in enumerate(house.outbox.later, 2))):
        house.diagnose(asked(), message)
    assert (house.queue.told, len(house.watcher.asked)) == (["CON005 open"], 1)
    assert house.store.finished("r1")


HANGS = TemporaryError("it has not ended")


@pytest.mark.parametrize(
    ("turn", "check"),
    [
        pytest.param({"late": [HANGS] * 99}, "CON011", id="checks never end"),
        pytest.param({"refusals": [TemporaryError("429", retry_after=600)] * 99}, "CON011", id="Azure is always busy"),
    ],
)
def test_from_its_third_delivery_on_a_message_goes_on_without(turn: dict[str, Any], check: str) -> None:
    house = House()
    for name, errors in turn.items():
        setattr(house.watcher, name, errors)
    for tries in (1, 2):
        with pytest.raises(TemporaryError):
            house.engine.diagnose(asked().to_json(), Delivery("m1", tries))
    house.engine.diagnose(asked().to_json(), Delivery("m1", 3))
    assert [told.split()[0] for told in house.queue.told] == [check]
    assert (house.store.finished("r1"), house.store.memory.entries) == (True, {})


@pytest.mark.parametrize("method", ["metrics", "changes"])
def test_a_monitor_that_is_away_does_not_keep_the_cause_back(method: str) -> None:
    house = House(answer=BLOCKED)
    house.monitor.errors[method] = TemporaryError("503")
    house.engine.diagnose(asked().to_json(), Delivery("m1", 3))
    assert house.queue.told == ["CON005 open"]


def test_without_the_vm_itself_nothing_can_be_said() -> None:
    house = House()
    house.inventory.errors[VM.key] = TemporaryError("503")
    with pytest.raises(TemporaryError, match="503"):
        house.engine.diagnose(asked().to_json(), Delivery("m1", 5))
    assert house.queue.told == []


def test_waiting_in_line_is_waited_for_on_every_delivery() -> None:
    house = House(answer=BLOCKED)
    until = house.clock.now() + timedelta(minutes=2)
    house.store.memory.lease(f"vm-{VM.key}", holder="r0", now=house.clock.now(), until=until)
    house.engine.diagnose(asked().to_json(), Delivery("m1", 5))
    assert (house.queue.told, [again for _, again in house.outbox.later]) == ([], [asked()])
