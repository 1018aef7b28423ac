"""Putting a failed NIC back: when it is done, what is said, and what is never done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from diagnostics.engine.engine import Delivery
from diagnostics.errors import (
    ForbiddenError,
    OperationFailedError,
    OutOfScopeError,
    ParseError,
    PermanentError,
    TemporaryError,
)
from diagnostics.intake.messages import RemediationRequest
from diagnostics.network.ids import ResourceId
from diagnostics.remediation.reput_nic import writable
from diagnostics.settings import RemediationMode
from tests.engine.house import ELSEWHERE, NIC, SUBSCRIPTION, VM, House, asked, nic_document, reput

OFF, DRY_RUN, APPROVE, AUTO = RemediationMode
LINKED = ForbiddenError(
    "putting web-1 back: LinkedAuthorizationFailed: no permission on the linked scope",
    action="Microsoft.Network/virtualNetworks/subnets/join/action",
    scope="/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/web",
)
FULL = OperationFailedError("putting web-1 back: SubnetIsFull: Subnet web is full", code="SubnetIsFull")


def state(house: House, nic: ResourceId = NIC) -> str:
    return str(house.nics.documents[nic.key]["properties"]["provisioningState"])


def tag(document: dict[str, Any]) -> None:
    document["tags"]["touched"] = "yes"


def retag_and(new_state: str) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        tag(document)
        document["properties"]["provisioningState"] = new_state

    return edit


@pytest.mark.parametrize("file", ["plain", "load-balanced"])
def test_a_failed_nic_is_put_back_as_it_was(file: str) -> None:
    house = House()
    house.nics.add(before := nic_document(file=file))
    house.remediate(reput())
    assert house.nics.landed == [writable(before)]
    assert (state(house), house.queue.told, house.teams.told) == ("Succeeded", *[["NIC001 remediated"]] * 2)
    assert "Failed → Succeeded, no writable property changed" in house.steps("NIC001")
    assert house.store.attempts["r1"].before.body == before


@pytest.mark.parametrize(
    ("mode", "approved_by", "puts", "told"),
    [
        pytest.param(OFF, None, 0, "REM001 resolved", id="off"),
        pytest.param(OFF, "ops@example.com", 0, "REM001 resolved", id="off, whoever approves"),
        pytest.param(DRY_RUN, None, 0, "NIC001 open", id="dry-run"),
        pytest.param(DRY_RUN, "ops@example.com", 0, "NIC001 open", id="dry-run, whoever approves"),
        pytest.param(APPROVE, None, 0, "NIC001 open", id="approve"),
        pytest.param(APPROVE, "  ", 0, "NIC001 open", id="approve, by nobody"),
        pytest.param(APPROVE, "ops@example.com", 1, "NIC001 remediated", id="approved"),
        pytest.param(AUTO, None, 1, "NIC001 remediated", id="auto"),
    ],
)
def test_what_a_mode_allows(mode: RemediationMode, approved_by: str | None, puts: int, told: str) -> None:
    house = House(mode, nic="Failed")
    for message in ("m1", "m1", "m2"):
        house.remediate(reput(approved_by=approved_by), message)
    assert len(house.nics.landed) == puts
    assert house.queue.told == house.teams.told == [told]


def test_a_dry_run_shows_what_would_be_sent() -> None:
    house = House(DRY_RUN, nic="Failed")
    house.remediate(reput())
    (sent,) = house.queue.sent
    evidence = sent.steps[-1].evidence
    assert json.loads(evidence[-1]) == writable(house.nics.documents[NIC.key])
    assert evidence[0] == f"If-Match: {house.nics.documents[NIC.key]['etag']}"


def test_an_approval_comes_under_the_same_request_id() -> None:
    house = House(APPROVE, nic="Failed")
    house.diagnose(asked())
    (request,) = house.outbox.remediations
    house.remediate(request, "m2")
    approved = json.loads(request.to_json()) | {"approvedBy": "ops@example.com"}
    house.remediate(RemediationRequest.read(json.dumps(approved).encode()), "m3")
    house.remediate(request, "m4")
    assert house.queue.told == ["NIC001 open", "NIC001 open", "NIC001 remediated"]
    assert "approved by ops@example.com" in house.steps("NIC001")


def test_a_nic_of_which_a_dry_run_was_told_is_healed_once_the_mode_allows_it() -> None:
    house = House(DRY_RUN, nic="Failed")
    for number, mode in enumerate((DRY_RUN, DRY_RUN, APPROVE, APPROVE, AUTO, AUTO)):
        house.mode = mode
        house.remediate(reput(), f"m{number}")
    assert house.queue.told == ["NIC001 open", "NIC001 open", "NIC001 remediated"]
    assert len(house.nics.landed) == 1


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ("Succeeded", "its provisioning state is Succeeded, not Failed"),
        ("Canceled", "its provisioning state is Canceled, not Failed"),
        ("", "its provisioning state is not given, not Failed"),
    ],
)
def test_what_is_not_failed_is_not_touched(now: str, why: str) -> None:
    house = House(nic=now)
    house.remediate(reput())
    assert (house.nics.landed, house.queue.told) == ([], ["REM001 resolved"])
    assert why in house.finding("REM001").title


@pytest.mark.parametrize("now", ["Updating", "Deleting"])
def test_what_is_being_written_is_waited_for(now: str) -> None:
    house = House(nic=now)
    with pytest.raises(TemporaryError, match=now):
        house.remediate(reput())
    assert (house.nics.landed, house.queue.told) == ([], [])
    house.nics.set_state(NIC, "Failed")
    house.remediate(reput())
    assert house.queue.told == ["NIC001 remediated"]


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        pytest.param(lambda house: house.nics.set_state(NIC, "Succeeded"), "resolved", id="it healed"),
        pytest.param(lambda house: house.nics.documents.clear(), "resolved", id="it is gone"),
        pytest.param(lambda house: house.nics.set_state(NIC, "Canceled"), "open", id="it is neither"),
    ],
)
def test_what_became_of_a_nic_before_its_turn_closes_its_finding(
    break_it: Callable[[House], object], told: str
) -> None:
    house = House(nic="Failed")
    house.diagnose(asked())
    break_it(house)
    house.remediate(house.outbox.remediations[0], "m2")
    assert house.finding("NIC001").status == told
    assert house.nics.landed == []


@pytest.mark.parametrize(
    "resource", [VM, ResourceId.parse(f"{VM.text}/providers/Microsoft.Insights/diagnosticSettings/x")]
)
def test_only_network_interfaces_are_put_back(resource: ResourceId) -> None:
    house = House()
    house.remediate(reput(nic=resource))
    assert house.queue.told == ["REM001 resolved"]
    assert "not a network interface" in house.finding("REM001").title
    assert not any(point.startswith("nics") for point in house.calls.log)


def test_out_of_scope_is_refused_before_anything_is_read() -> None:
    house = House(nic="Failed")
    with pytest.raises(OutOfScopeError, match=ELSEWHERE):
        house.remediate(reput(nic=ResourceId.parse(NIC.text.replace(SUBSCRIPTION, ELSEWHERE))))
    assert house.calls.log == []


@pytest.mark.parametrize(
    ("meanwhile", "puts", "told", "said"),
    [
        pytest.param([tag], 1, "remediated", "no writable property changed", id="once, still Failed"),
        pytest.param([tag, tag], 1, "remediated", "no writable property changed", id="twice, still Failed"),
        pytest.param([tag] * 3, 0, "remediation-failed", "changed it 3 times", id="all the time"),
        pytest.param([retag_and("Succeeded")], 0, "resolved", "it is Succeeded now", id="healed"),
        pytest.param([retag_and("Canceled")], 0, "remediation-failed", "it is Canceled now", id="neither"),
    ],
)
def test_somebody_else_changes_it_meanwhile(
    meanwhile: list[Callable[[dict[str, Any]], None]], puts: int, told: str, said: str
) -> None:
    house = House(nic="Failed")
    house.nics.meanwhile = [*meanwhile]
    house.remediate(reput())
    assert (len(house.nics.landed), house.queue.told) == (puts, [f"NIC001 {told}"])
    assert said in house.steps("NIC001")
    assert house.nics.documents[NIC.key]["tags"] == {"owner": "shop", "touched": "yes"}


@pytest.mark.parametrize("point", ["nics.settled after", "store.save_attempt after", "nics.put landed"])
def test_somebody_else_deletes_it_meanwhile(point: str) -> None:
    house = House(nic="Failed")
    house.diagnose(asked())
    house.calls.at[point] = house.nics.documents.clear
    house.remediate(house.outbox.remediations[0], "m2")
    assert house.queue.told == house.teams.told == ["NIC001 open", "NIC001 resolved"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param({"endings": [FULL]}, "SubnetIsFull: Subnet web is full", id="the operation fails late"),
        pytest.param({"endings": ["Failed"]}, "provisioning state is Failed still", id="the poller says nothing"),
        pytest.param({"endings": [""]}, "provisioning state is not given still", id="no state at all"),
        pytest.param({"refusals": [PermanentError("InvalidResourceReference")]}, "InvalidResourceReference", id="400"),
        pytest.param({"refusals": [LINKED]}, f"grant {LINKED.action} on {LINKED.scope}", id="a permission is missing"),
        pytest.param(
            {"spoiled": lambda document: document["properties"].update(enableAcceleratedNetworking=False)},
            "$.properties.enableAcceleratedNetworking: True became False",
            id="a property is lost",
        ),
        pytest.param({"spoiled": lambda document: document.pop("tags")}, "$.tags", id="the tags are lost"),
    ],
)
def test_what_did_not_work_is_said_in_azures_words(script: dict[str, Any], said: str) -> None:
    house = House(nic="Failed")
    for name, value in script.items():
        setattr(house.nics, name, value)
    for message in ("m1", "m1", "m2"):
        house.remediate(reput(), message)
    assert house.queue.told == house.teams.told == ["NIC001 remediation-failed"]
    assert said in house.steps("NIC001")
    assert len(house.nics.landed) == (0 if "refusals" in script else 1)


@pytest.mark.parametrize("tries", [1, 3])
def test_a_put_that_azure_cannot_take_now_is_tried_again(tries: int) -> None:
    house = House(nic="Failed")
    house.nics.refusals = [TemporaryError("RetryableErrorDueToAnotherOperation", retry_after=10)] * tries
    for _ in range(tries):
        with pytest.raises(TemporaryError):
            house.remediate(reput())
    house.remediate(reput())
    assert (len(house.nics.landed), house.queue.told) == (1, ["NIC001 remediated"])


def test_a_put_that_takes_longer_than_anybody_waits_is_not_sent_again() -> None:
    house = House(nic="Failed")
    house.nics.endings = [TemporaryError("the PUT of web-1 has not ended within 60 s")]
    with pytest.raises(TemporaryError):
        house.remediate(reput())
    house.nics.set_state(NIC, "Succeeded")
    house.remediate(reput())
    assert (len(house.nics.landed), house.queue.told) == (1, ["NIC001 remediated"])


@pytest.mark.parametrize(
    ("mode", "told"), [(OFF, "REM001 resolved"), (DRY_RUN, "NIC001 open"), (APPROVE, "NIC001 open")]
)
def test_a_run_that_goes_on_obeys_the_mode_of_now(mode: RemediationMode, told: str) -> None:
    house = House(nic="Failed")
    house.nics.refusals = [TemporaryError("throttled")]
    with pytest.raises(TemporaryError):
        house.remediate(reput())
    house.mode = mode
    house.remediate(reput())
    assert (house.nics.landed, house.queue.told) == ([], [told])


@pytest.mark.parametrize("body", [b"", b"null", b'{"requestId":"r","action":"delete","resourceId":"/x","reason":{}}'])
def test_junk_is_an_error_and_touches_nothing(body: bytes) -> None:
    house = House()
    with pytest.raises(ParseError):
        house.engine.remediate(body, Delivery("m1"))
    assert house.calls.log == []
