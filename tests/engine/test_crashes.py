"""The process dies at any point, and the message is delivered again: what comes out is what had come out anyway.

Queues deliver at least once, and a sink can't be told and marked as told in one step. So this is promised, for a death
right before or right after every call of the store, a sink, the outbox, Azure's inventory, its Network Watcher, Run
Command and its NICs:

- the store ends as it would have ended, and every NIC does;
- a PUT lands as often as it would have: once;
- each question of a request is submitted once to Azure; only if the process died between submitting one and noting its
  ticket, that one twice; and no lease outlives a check;
- every sink is told exactly once; only if the process died between telling one and marking that, that one twice;
- the same requests are enqueued, each once, or twice under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from diagnostics.engine.engine import Delivery
from diagnostics.errors import OperationFailedError, TemporaryError
from diagnostics.intake.messages import Endpoint
from diagnostics.runbooks.probing import RunInGuest, VerifyFlow
from diagnostics.settings import RemediationMode
from tests.engine.house import (
    BLOCKED,
    GROUP,
    NIC,
    SILENT,
    VM,
    WORKS,
    House,
    asked,
    nic_document,
    reput,
    vm_document,
)
from tests.fakes import Crash

_VMS = "providers/Microsoft.Compute/virtualMachines"
EIGHT = timedelta(minutes=8)


def diagnosis() -> House:
    house = House(answer=BLOCKED, nic="Failed")
    house.inventory.add(vm_document("web-1", "web-1", "web-2"))
    house.nics.add(nic_document("web-2"))
    return house


def standing(mode: RemediationMode = RemediationMode.AUTO) -> House:
    """A fault and a failed NIC have been told."""
    house = House(mode, answer=BLOCKED, nic="Failed")
    house.diagnose(asked())
    return house


def with_nics(**script: Any) -> Callable[[], House]:
    """As `standing`, with something scripted for the next PUT."""

    def make() -> House:
        house = standing()
        for name, value in script.items():
            setattr(house.nics, name, list(value) if isinstance(value, list) else value)
        return house

    return make


def healed() -> House:
    house = standing()
    house.nics.set_state(NIC, "Succeeded")
    return house


def gone() -> House:
    house = standing()
    del house.nics.documents[NIC.key]
    return house


def sweepable() -> House:
    house = House(nic="Failed")
    house.inventory.candidates = [NIC, house.nics.add(nic_document("web-2"))]
    return house


def probed() -> House:
    """Another VM, with scripts in guests, and an Azure that is busy at first."""
    house = House(answer=SILENT)
    house.policy = {"run_command": True}
    house.inventory.add(vm_document("web-2", "web-2"))
    house.nics.add(nic_document("web-2", "Succeeded", address="10.0.0.5"))
    house.watcher.others = {VerifyFlow: b'{"access":"Allow","ruleName":"defaultSecurityRules/AllowVnetOutBound"}'}
    house.guest.others = {
        RunInGuest: b'{"value":[{"code":"ProvisioningState/succeeded","message":"[stdout]\\n[stderr]"}]}'
    }
    house.watcher.refusals = [TemporaryError("RetryableError"), TemporaryError("429", retry_after=3)]
    return house


def to_web_2(house: House) -> None:
    house.diagnose(asked(destination=Endpoint(resource_id=f"{GROUP}/{_VMS}/web-2", port=443)))


def looked_at_again(answer: bytes) -> Callable[[], House]:
    """A fault has been told, and it is time to look again."""

    def make() -> House:
        house = House(answer=BLOCKED)
        house.diagnose(asked())
        house.clock.forward(minutes=15)
        house.watcher.answer = answer
        return house

    return make


def crowded() -> House:
    """Others have the VM for longer than anybody waits."""
    house = House(answer=BLOCKED)
    until = house.clock.now() + timedelta(minutes=5)
    house.store.memory.lease(f"vm-{VM.key}", holder="others", now=house.clock.now(), until=until)
    return house


def in_line(house: House) -> None:
    """Every message that carries the request is delivered, those too that are enqueued meanwhile."""
    number = 0
    while number <= sum(request.recheck is None for _, request in house.outbox.later):
        house.diagnose(asked(), f"m{number}")
        house.clock.forward(minutes=1)
        number += 1


def look(house: House) -> None:
    house.diagnose(house.outbox.later[0][1], "m2")


def diagnose(house: House) -> None:
    house.diagnose(asked())


def remediate(house: House) -> None:
    house.remediate(house.outbox.remediations[0], "m2")


def poison(house: House) -> None:
    house.engine.poison("remediation-requests", reput().to_json(), Delivery("p1"))


def tag(document: dict[str, Any]) -> None:
    document["tags"] = {"owner": "somebody else"}


def untag(document: dict[str, Any]) -> None:
    document["tags"] = {}


def fails_late() -> list[Exception]:
    return [OperationFailedError("SubnetIsFull: Subnet web is full", code="SubnetIsFull")]


SCENARIOS = {
    "a diagnosis with three findings": (diagnosis, diagnose, 0),
    "a diagnosis with many questions": (probed, to_web_2, 0),
    "a diagnosis that waits in line": (crowded, in_line, 0),
    "a later look that finds the fault gone": (looked_at_again(WORKS), look, 0),
    "a later look that finds it still there": (looked_at_again(BLOCKED), look, 0),
    "a later look that finds another fault": (looked_at_again(BLOCKED.replace(b"iptables", b"nftables")), look, 0),
    "a later look that can't tell": (looked_at_again(b"{}"), look, 0),
    "an alert that is over": (standing, House.close, 0),
    "a NIC put back": (standing, remediate, 1),
    "somebody else writes it meanwhile": (with_nics(meanwhile=[tag, untag]), remediate, 1),
    "a PUT that fails late": (with_nics(endings=fails_late()), remediate, 1),
    "a PUT that changes something": (with_nics(spoiled=tag), remediate, 1),
    "a NIC that healed": (healed, remediate, 0),
    "a NIC that is gone": (gone, remediate, 0),
    "a request refused": (House, lambda house: house.remediate(reput()), 0),
    "a dry run": (lambda: standing(RemediationMode.DRY_RUN), remediate, 0),
    "a message that failed every try": (House, poison, 0),
    "a sweep that finds two": (sweepable, lambda house: house.engine.sweep(), 0),
}


def world(house: House) -> dict[str, Any]:
    """All that must be the same: not who delivers until when, nor versions, nor in how many steps it came about."""
    findings = house.store.findings.values()
    known = {
        item.finding.finding_id: (
            item.finding.status,
            None if house.clock.slept else item.finding.first_seen_at,
            item.edition,
            item.delivered,
            item.alert_ids,
        )
        for item in findings
    }
    return {
        "findings": known,
        "requests": {key: state for key, (state, _, _) in house.store.requests.items()},
        "attempts": {key: attempt.ended for key, attempt in house.store.attempts.items()},
        "closed": house.store.closed,
        "nics": {key: {**document, "etag": ""} for key, document in house.nics.documents.items()},
        "enqueued": {request.request_id for request in house.outbox.remediations},
        "later": {request.request_id: after for after, request in house.outbox.later if request.recheck},
        "journal": house.store.memory.entries,
    }


def unmarked(log: list[str]) -> str:
    """The sink that was told at the point of death, and not marked as told; or nothing."""
    told = next((point for point in log[:-3:-1] if point.endswith("send after")), "")
    return told.partition(".")[0] if told == log[-1] or (told and log[-1] == "store.save before") else ""


def unnoted(log: list[str]) -> bool:
    """Whether at the point of death something had been submitted whose ticket was not noted."""
    return log[-1].endswith("submit after") or (log[-1] == "store.note before" and log[-2].endswith("submit after"))


def submitted(house: House) -> Counter[str]:
    return Counter(question.key for question in (*house.watcher.submitted, *house.guest.submitted))


@pytest.mark.parametrize(("make", "work", "puts"), SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_death_at_any_point_changes_nothing(
    make: Callable[[], House], work: Callable[[House], None], puts: int
) -> None:
    calm = make()
    begun = len(calm.calls.log)
    work(calm)
    points = len(calm.calls.log) - begun
    for point in range(points):
        house = make()
        house.calls.crash_at = begun + point
        with pytest.raises(Crash) as crash:
            work(house)
        twice, again = unmarked(house.calls.log), unnoted(house.calls.log)
        work(house)
        where = f"point {point} of {points}: {crash.value}"
        assert world(house) == world(calm), where
        assert len(house.nics.landed) == puts, where
        assert not submitted(calm) - submitted(house), where
        assert (submitted(house) - submitted(calm)).total() == again, where
        assert all(until - house.clock.now() <= EIGHT for _, until in house.store.memory.leased.values()), where
        for sink, expected in ((house.queue, calm.queue), (house.teams, calm.teams)):
            more = Counter(sink.told) - Counter(expected.told)
            assert not Counter(expected.told) - Counter(sink.told), where
            assert more.total() == (1 if twice == sink.name else 0), where
        assert max(Counter(r.request_id for r in house.outbox.remediations).values(), default=0) <= 2, where
    assert points > 10
    assert {owner for owner, _ in calm.store.memory.leased.values()} <= {"others"}


@pytest.mark.parametrize(("make", "work", "puts"), SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_message_delivered_again_after_it_was_done_changes_nothing(
    make: Callable[[], House], work: Callable[[House], None], puts: int
) -> None:
    house = make()
    work(house)
    before, told = world(house), [*house.queue.told]
    work(house)
    assert (world(house), house.queue.told, house.teams.told) == (before, told, told)
    assert len(house.nics.landed) == puts
