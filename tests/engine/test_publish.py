"""The publisher: every edition of a finding reaches every sink once."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import msgspec
import pytest

from diagnostics.engine.publish import Publisher
from diagnostics.errors import PermanentError, TemporaryError
from diagnostics.findings import Confidence, Finding, Remedy, Resource, Severity, Status, Step
from diagnostics.runbooks import step
from tests.engine.house import BLOCKED, VM, House, asked
from tests.fakes import Sink

FINDING = Finding(
    finding_id="f1",
    check="NSG001",
    title="Port 443 is closed",
    severity=Severity.HIGH,
    confidence=Confidence.LIKELY,
    resource=Resource.of(VM),
    remedy=Remedy(summary="Open it."),
)


def publisher(house: House) -> Publisher:
    return Publisher(house.store, [house.queue, house.teams], house.clock, "https://portal.azure.com")


def stands(status: Status, *steps: Step) -> Finding:
    return msgspec.structs.replace(FINDING, status=status, steps=steps)


def test_a_finding_goes_out_with_its_times_and_link() -> None:
    house = House()
    known = publisher(house).publish(FINDING, holder="r1")
    (sent,) = house.queue.sent
    assert (sent.first_seen_at, sent.observed_at) == (house.clock.now(), house.clock.now())
    assert sent.resource.portal_url == f"https://portal.azure.com/#@/resource{VM.text}" == sent.remedy.portal_url
    assert known.delivered == {"queue", "teams"}


def test_the_log_says_once_which_sink_has_what(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    with caplog.at_level("INFO", "diagnostics"):
        for _ in range(2):
            publisher(house).publish(FINDING, holder="r1")
    told = [text for text in caplog.messages if text.startswith("finding ")]
    assert told == [f"finding f1 told to {sink}: NSG001 high, open: {VM.name}" for sink in ("queue", "teams")]


@pytest.mark.parametrize("down", ["queue", "teams"])
def test_a_sink_that_is_away_is_told_later_and_the_other_one_once(down: str) -> None:
    house = House(answer=BLOCKED)
    sinks = {"queue": house.queue, "teams": house.teams}
    sinks[down].failures = [TemporaryError("away", retry_after=9), TemporaryError("away still")]
    for _ in range(2):
        with pytest.raises(TemporaryError, match="away"):
            house.diagnose(asked())
    house.diagnose(asked())
    house.diagnose(asked("r2"), "m2")
    assert (len(house.queue.sent), len(house.teams.sent)) == (1, 1)


def test_a_sink_that_is_away_when_a_fault_ends_is_told_later() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked())
    house.teams.failures = [TemporaryError("away")]
    with pytest.raises(TemporaryError, match="away"):
        house.close("a1")
    house.close("a1")
    assert house.queue.told == house.teams.told
    assert house.teams.sent[-1].status == "resolved"


@pytest.mark.parametrize(
    ("bad", "good"), [("queue", "teams"), ("teams", "queue")], ids=["the queue refuses", "Teams refuses"]
)
def test_a_sink_that_refuses_for_good_is_a_finding_for_the_other_told_once(bad: str, good: str) -> None:
    house = House(answer=BLOCKED)
    sinks = {"queue": house.queue, "teams": house.teams}
    sinks[bad].failures = [PermanentError("HTTP 410: the flow was deleted")] * 20
    house.diagnose(asked("r1"), "m1")
    house.diagnose(asked("r2", "a2"), "m2")
    house.close("a3")
    assert sinks[bad].sent == []
    assert sorted(finding.check for finding in sinks[good].sent) == sorted({f.check for f in sinks[good].sent})
    assert house.finding("OPS002").because[0].text == "HTTP 410: the flow was deleted"
    assert "OPS002 open" in sinks[good].told


def test_a_sink_that_refused_hears_of_it_when_it_is_mended() -> None:
    house = House(answer=BLOCKED)
    house.teams.failures = [PermanentError("HTTP 410")] * 2
    house.diagnose(asked("r1"), "m1")
    house.clock.forward(minutes=3)
    house.diagnose(asked("r2", "a2"), "m2")
    assert house.teams.told == ["CON005 open", "OPS002 resolved"]
    assert house.queue.told == ["CON005 open", "OPS002 open", "OPS002 resolved"]


def test_a_sink_that_refuses_again_after_it_was_mended_is_news_again() -> None:
    house = House()
    for number, failures in enumerate(([PermanentError("HTTP 410")] * 2, [], [PermanentError("HTTP 413")] * 2)):
        house.teams.failures = [*failures]
        publisher(house).publish(msgspec.structs.replace(FINDING, finding_id=f"f{number}"), holder=f"r{number}")
        house.clock.forward(hours=1)
    told = [f"{finding.status}: {finding.because[0].text}" for finding in house.queue.sent if finding.check == "OPS002"]
    assert told == ["open: HTTP 410", "resolved: HTTP 410", "open: HTTP 413"]


def test_a_refusal_that_cannot_be_told_now_keeps_no_sink_from_being_told() -> None:
    house = House()
    house.queue.failures = [PermanentError("HTTP 413"), PermanentError("HTTP 413")]
    third = Sink("third", house.calls)
    sinks = [house.queue, house.teams, third]
    house.teams.failures = [TemporaryError("away")] * 2
    with pytest.raises(TemporaryError, match="away"):
        Publisher(house.store, sinks, house.clock, "").publish(FINDING, holder="r1")
    assert third.told == ["NSG001 open", "OPS002 open"]


def test_a_sink_that_is_away_keeps_no_finding_from_the_others_and_no_nic_from_being_healed() -> None:
    house = House(answer=BLOCKED, nic="Failed")
    house.teams.failures = [TemporaryError("away")] * 9
    with pytest.raises(TemporaryError, match="away"):
        house.diagnose(asked())
    assert house.queue.told == ["CON005 open", "NIC001 open"]
    assert len(house.outbox.remediations) == 1


def test_a_sink_that_is_away_keeps_no_finding_from_being_resolved() -> None:
    house = House(answer=BLOCKED)
    house.diagnose(asked("r1", "a1"), "m1")
    publisher(house).publish(FINDING, holder="r2", alert_id="a1")
    house.teams.failures = [TemporaryError("away")] * 2
    with pytest.raises(TemporaryError, match="away"):
        house.close("a1")
    assert sorted(house.queue.told[2:]) == ["CON005 resolved", "NSG001 resolved"]


def test_a_delivery_under_way_is_left_alone_until_its_holder_had_time() -> None:
    house = House()
    house.teams.failures = [TemporaryError("away")]
    with pytest.raises(TemporaryError):
        publisher(house).publish(FINDING, holder="r1")
    publisher(house).publish(FINDING, holder="r2")
    assert house.teams.sent == []
    house.clock.forward(minutes=2, seconds=1)
    publisher(house).publish(FINDING, holder="r2")
    assert (len(house.queue.sent), len(house.teams.sent)) == (1, 1)


@pytest.mark.parametrize(
    ("story", "told"),
    [
        pytest.param(["open", "open"], ["open"], id="no news"),
        pytest.param(["open", "resolved", "resolved"], ["open", "resolved"], id="resolved once"),
        pytest.param(["open", "remediated", "open"], ["open", "remediated", "open"], id="it comes back"),
        pytest.param(
            ["open", "remediation-failed", "open", "open"], ["open", "remediation-failed"], id="a failure stays"
        ),
        pytest.param(
            ["open", "remediation-failed", "remediated"],
            ["open", "remediation-failed", "remediated"],
            id="a second attempt works",
        ),
        pytest.param(
            ["open", "remediation-failed", "resolved"], ["open", "remediation-failed", "resolved"], id="it heals itself"
        ),
    ],
)
def test_what_is_news(story: list[str], told: list[str]) -> None:
    house = House()
    for number, status in enumerate(story):
        publisher(house).publish(stands(Status(status)), holder=f"r{number}")
    assert [finding.status for finding in house.queue.sent] == told
    assert [finding.status for finding in house.teams.sent] == told


def test_who_delivers_late_tells_what_was_news_then() -> None:
    house = House()
    house.teams.failures = [TemporaryError("away")]
    news = stands(Status.REMEDIATION_FAILED, step.failed("PUT", "SubnetIsFull"))
    with pytest.raises(TemporaryError):
        publisher(house).publish(news, holder="r1")
    house.clock.forward(minutes=5)
    publisher(house).publish(FINDING, holder="the sweep")
    assert house.teams.sent[0].steps == news.steps == house.queue.sent[0].steps


@pytest.mark.parametrize(("busy", "told"), [(0, 1), (7, 1), (8, 0)])
def test_a_record_that_others_write_all_the_time_is_tried_again_a_few_times(busy: int, told: int) -> None:
    house = House()
    house.store.busy = busy
    with contextlib.nullcontext() if told else pytest.raises(TemporaryError, match="changes too often"):
        publisher(house).publish(FINDING, holder="r1")
    assert (len(house.queue.sent), len(house.teams.sent)) == (told, told)


def test_the_mark_of_an_earlier_time_is_not_taken_for_one_of_this_time() -> None:
    house = House()

    class Slow(Sink):
        """The fault ends and comes back while this one is being told of its first time."""

        def send(self, finding: Finding) -> None:
            super().send(finding)
            if len(self.sent) == 1:
                house.clock.forward(minutes=1)
                others = Publisher(house.store, [house.teams], house.clock, "")
                others.publish(stands(Status.RESOLVED), holder="r2")
                house.clock.forward(minutes=1)
                others.publish(FINDING, holder="r3")

    slow = Slow("slow", house.calls)
    Publisher(house.store, [slow, house.teams], house.clock, "").publish(FINDING, holder="r1")
    assert "slow" not in house.store.findings["f1"].delivered
    house.clock.forward(minutes=3)
    Publisher(house.store, [slow, house.teams], house.clock, "").publish(FINDING, holder="r4")
    times = [finding.first_seen_at for finding in slow.sent]
    assert times[1:] == [house.clock.now() - timedelta(minutes=3)]


@pytest.mark.parametrize("racers", [2, 4])
def test_publishers_that_race_tell_every_sink_once(racers: int) -> None:
    for _ in range(20):
        house, errors = House(), list[BaseException]()
        barrier = threading.Barrier(racers)

        def race(
            holder: str,
            house: House = house,
            barrier: threading.Barrier = barrier,
            errors: list[BaseException] = errors,
        ) -> None:
            barrier.wait()
            try:
                publisher(house).publish(FINDING, holder=holder, alert_id=holder)
            except TemporaryError as error:
                errors.append(error)

        threads = [threading.Thread(target=race, args=(f"r{number}",)) for number in range(racers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert (house.queue.told, house.teams.told, errors) == (["NSG001 open"], ["NSG001 open"], [])
        assert house.store.findings["f1"].alert_ids == {f"r{number}" for number in range(racers)}
