"""A message that Azure never answers in full ends as a diagnosis of what is known, before it has failed every try."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from diagnostics.intake import alerts
from tests.functions.conftest import Stack

CHECK = "/connectivityCheck"


@pytest.fixture
def never(auto: Stack) -> Iterator[None]:
    """Azure is too busy for connectivity checks, and says so for an hour."""
    fault = auto.sandbox.faults.add(method="POST", path=CHECK, status=429, headers={"Retry-After": "3600"}, times=99)
    yield
    fault.times = 0


@pytest.mark.usefixtures("never")
def test_the_last_delivery_goes_on_without_what_azure_does_not_answer(auto: Stack) -> None:
    read = alerts.read(json.dumps(auto.scenario("healthy").alert).encode())
    assert isinstance(read, alerts.Accepted)
    request = msgspec.structs.replace(read.requests[0], request_id="never answered")
    before = len(auto.all(check="OPS001"))
    auto.put("diagnosis-requests", request.to_json())
    finding = auto.finding(requestId=request.request_id)
    auto.settle()
    assert finding["check"] == "CON011"
    (ping,) = [step for step in finding["steps"] if step["name"] == "TCP ping"]
    assert (ping["outcome"], "Network Watcher could not make it" in ping["summary"]) == ("inconclusive", True)
    assert len(auto.all(check="OPS001")) == before
