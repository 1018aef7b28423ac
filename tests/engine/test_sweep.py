"""The sweep: candidates are confirmed, the rest is done although something could not be, and that is said loudly."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagnostics.errors import ForbiddenError, NotFoundError, PermanentError, TemporaryError
from diagnostics.network.ids import ResourceId
from diagnostics.settings import RemediationMode
from tests.engine.house import ELSEWHERE, NIC, SUBSCRIPTION, House, nic_document

OUTSIDE = ResourceId.parse(NIC.text.replace(SUBSCRIPTION, ELSEWHERE))
FORBIDDEN = ForbiddenError("reading web-1: AuthorizationFailed")


def fleet(*names: str, mode: RemediationMode = RemediationMode.AUTO) -> House:
    """A house with these failed NICs, all of them candidates, and a healthy one."""
    house = House(mode)
    house.inventory.candidates = [house.nics.add(nic_document(name)) for name in names]
    return house


def loud(house: House, words: str) -> None:
    with pytest.raises(TemporaryError, match=words):
        house.engine.sweep()


@pytest.mark.parametrize("mode", list(RemediationMode), ids=[mode.value for mode in RemediationMode])
def test_failed_nics_are_told_and_put_forward_once(mode: RemediationMode) -> None:
    house = fleet("web-2", "web-3", mode=mode)
    for _ in range(3):
        house.engine.sweep()
        house.clock.forward(minutes=5)
    assert house.queue.told == house.teams.told == ["NIC001 open"] * 2
    wanted = set() if mode is RemediationMode.OFF else {"web-2", "web-3"}
    assert {request.resource.name for request in house.outbox.remediations} == wanted
    assert len({request.request_id for request in house.outbox.remediations}) == len(wanted)


def test_a_nic_that_fails_again_is_another_request() -> None:
    house = fleet("web-2")
    (nic,) = house.inventory.candidates
    for state in ("Failed", "Succeeded", "Failed"):
        house.nics.set_state(nic, state)
        house.engine.sweep()
        house.clock.forward(hours=1)
    assert house.queue.told == ["NIC001 open", "NIC001 resolved", "NIC001 open"]
    assert len({request.request_id for request in house.outbox.remediations}) == 2


@pytest.mark.parametrize("state", ["Succeeded", "Updating", "Deleting", "Canceled", ""])
def test_a_candidate_that_is_not_failed_any_more_is_nothing(state: str) -> None:
    house = fleet("web-2")
    house.nics.set_state(house.inventory.candidates[0], state)
    house.engine.sweep()
    assert (house.queue.sent, house.outbox.remediations, house.store.findings) == ([], [], {})


@pytest.mark.parametrize(
    "candidate",
    [pytest.param(ResourceId.parse(f"{NIC.text}-gone"), id="deleted"), pytest.param(OUTSIDE, id="out of scope")],
)
def test_a_candidate_that_is_gone_or_out_of_scope_is_nothing(candidate: ResourceId) -> None:
    house = fleet()
    house.inventory.candidates = [candidate]
    house.engine.sweep()
    assert (house.queue.sent, house.outbox.remediations) == ([], [])


@pytest.mark.parametrize("error", [TemporaryError("throttled"), FORBIDDEN, PermanentError("BadRequest")], ids=repr)
def test_one_that_cannot_be_read_does_not_keep_the_others_from_being_done(error: Exception) -> None:
    house = fleet("web-2", "web-3", "web-4")
    house.inventory.errors[house.inventory.candidates[1].key] = error
    loud(house, f"1 missed: web-3: {error}")
    assert [finding.resource.name for finding in house.queue.sent] == ["web-2", "web-4"]
    assert [request.resource.name for request in house.outbox.remediations] == ["web-2", "web-4"]


def test_a_sink_that_is_away_does_not_keep_the_others_from_being_done() -> None:
    house = fleet("web-2", "web-3")
    house.teams.failures = [TemporaryError("Teams is away")]
    loud(house, "1 missed: web-2: Teams is away")
    assert {request.resource.name for request in house.outbox.remediations} == {"web-2", "web-3"}
    house.engine.sweep()
    assert sorted(finding.resource.name for finding in house.teams.sent) == ["web-2", "web-3"]
    assert len(house.queue.sent) == 2


def test_a_queue_that_is_away_is_asked_again_by_the_next_sweep() -> None:
    house = fleet("web-2")
    house.outbox.failures = [TemporaryError("storage is away")]
    loud(house, "storage is away")
    house.engine.sweep()
    assert (len(house.queue.sent), len(house.outbox.remediations)) == (1, 1)


@pytest.mark.parametrize(
    ("become", "resolved"),
    [
        pytest.param(lambda house, nic: house.nics.set_state(nic, "Succeeded"), True, id="healed"),
        pytest.param(lambda house, nic: house.nics.documents.pop(nic.key), True, id="deleted"),
        pytest.param(lambda house, nic: house.nics.set_state(nic, "Updating"), False, id="being written"),
        pytest.param(lambda house, nic: (house, nic), False, id="failed still, and Resource Graph lags"),
    ],
)
def test_what_became_of_a_failed_nic(become: Callable[[House, ResourceId], object], *, resolved: bool) -> None:
    house = fleet("web-2")
    house.engine.sweep()
    become(house, house.inventory.candidates.pop())
    house.engine.sweep()
    house.engine.sweep()
    assert house.queue.told == house.teams.told == ["NIC001 open", "NIC001 resolved"][: 1 + resolved]


def test_a_failed_remediation_is_not_begun_anew_and_is_over_when_the_nic_heals() -> None:
    house = fleet("web-2")
    nic = house.inventory.candidates[0]
    house.engine.sweep()
    house.nics.endings = ["Failed"]
    house.remediate(house.outbox.remediations[0])
    house.engine.sweep()
    assert (house.queue.told, len(house.outbox.remediations)) == (["NIC001 open", "NIC001 remediation-failed"], 1)
    assert "provisioning state is Failed still" in house.steps("NIC001")
    house.nics.set_state(nic, "Succeeded")
    house.engine.sweep()
    assert house.queue.told[2:] == ["NIC001 resolved"]


def test_an_open_one_that_cannot_be_read_stays_open_and_the_others_are_closed() -> None:
    house = fleet("web-2", "web-3")
    house.engine.sweep()
    for nic in house.inventory.candidates:
        house.nics.set_state(nic, "Succeeded")
    house.inventory.errors[house.inventory.candidates[0].key] = FORBIDDEN
    loud(house, "1 missed: web-2: reading web-1: AuthorizationFailed")
    assert [finding.resource.name for finding in house.queue.sent[2:]] == ["web-3"]


def test_a_sink_that_is_away_does_not_keep_other_findings_from_being_closed() -> None:
    house = fleet("web-2", "web-3")
    house.engine.sweep()
    for nic in house.inventory.candidates:
        house.nics.set_state(nic, "Succeeded")
    house.teams.failures = [TemporaryError("Teams is away")]
    loud(house, "1 missed: web-2: Teams is away")
    assert [finding.resource.name for finding in house.queue.sent[2:]] == ["web-2", "web-3"]


def test_an_open_one_that_left_the_scopes_is_not_looked_at() -> None:
    house = fleet("web-2")
    house.engine.sweep()
    house.scopes = type(house.scopes).parse(ELSEWHERE)
    house.inventory.read.clear()
    house.engine.sweep()
    assert house.inventory.read == []
    assert house.queue.told == ["NIC001 open"]


def test_a_subscription_that_cannot_be_read_is_not_one_without_failed_nics() -> None:
    house = fleet("web-2")
    house.inventory.unread = [ELSEWHERE.upper()]
    loud(house, f"1 missed: subscription {ELSEWHERE} can't be read")
    assert house.queue.told == ["NIC001 open"]
    assert len(house.outbox.remediations) == 1


@pytest.mark.parametrize("answer", [NotFoundError("SubscriptionNotFound"), FORBIDDEN], ids=["404", "403"])
def test_nothing_is_closed_in_a_subscription_that_cannot_be_read(answer: Exception) -> None:
    house = fleet("web-2")
    house.engine.sweep()
    house.inventory.errors[house.inventory.candidates.pop().key] = answer
    house.inventory.unread = [SUBSCRIPTION]
    loud(house, f"1 missed: subscription {SUBSCRIPTION}")
    assert house.finding("NIC001").status == "open"


@pytest.mark.parametrize("question", ["failed_nics", "unreadable"])
def test_a_sweep_without_resource_graph_closes_nothing(question: str) -> None:
    house = fleet("web-2")
    house.engine.sweep()
    house.inventory.errors[question] = TemporaryError("Resource Graph is away")
    house.nics.set_state(house.inventory.candidates[0], "Succeeded")
    loud(house, "Resource Graph is away")
    assert house.queue.told == ["NIC001 open"]
