"""The host is killed in the middle of a remediation and started again: one write, one healed NIC, one finding."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.arm import Fault
from tests.conftest import Wait
from tests.functions.conftest import Stack

NIC = "nic-shop-web-01"


@pytest.fixture
def stack(eventually: Wait) -> Iterator[Stack]:
    with Stack(eventually, lease_seconds=2, VMREACH_REMEDIATION_MODE="auto") as stack:
        yield stack


def killed_when(stack: Stack, arrived: Callable[[], bool]) -> None:
    assert stack.alert(stack.scenario("internet-failed-nic").alert).status_code == 202
    stack.eventually(arrived)
    stack.host.kill()


def healed_once(stack: Stack, tries: list[int]) -> None:
    remediated = stack.finding(check="NIC001", status="remediated")
    stack.settle()
    assert [call.status for call in stack.puts()] == tries
    assert stack.sandbox.resource(stack.id(NIC))["properties"]["provisioningState"] == "Succeeded"
    assert {finding["findingId"] for finding in stack.all(resource=NIC)} == {remediated["findingId"]}
    assert [finding["status"] for finding in stack.all(resource=NIC)] == ["open", "remediated"]
    assert len(stack.cards(NIC)) == 2  # open, remediated: each edition of the finding is told once
    assert stack.all(check="OPS001") == []


def test_killed_between_the_put_and_its_verification(stack: Stack) -> None:
    nic = stack.id(NIC)
    stack.sandbox.hold(nic)
    killed_when(stack, lambda: bool(stack.puts()))
    assert stack.sandbox.resource(nic)["properties"]["provisioningState"] == "Updating"
    stack.sandbox.release(nic)
    stack.started()
    healed_once(stack, [200])


def test_killed_before_the_put_reached_azure(stack: Stack) -> None:
    lost: Fault = stack.sandbox.faults.add(method="PUT", delay=1.0, drop=True)
    killed_when(stack, lambda: lost.times == 0)
    stack.started()
    healed_once(stack, [0, 200])


def test_killed_while_the_put_is_on_its_way(stack: Stack) -> None:
    late: Fault = stack.sandbox.faults.add(method="PUT", delay=1.0)
    killed_when(stack, lambda: late.times == 0)
    stack.started()
    healed_once(stack, [200])
