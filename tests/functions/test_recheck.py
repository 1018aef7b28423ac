"""What was found is looked at again, and told to be gone when it is."""

import json

import pytest

from diagnostics.intake import alerts
from sandbox.scenario import Probe
from tests.functions.conftest import Stack

WORKS = {"hops": [], "connectionStatus": "Reachable", "probesSent": 50, "probesFailed": 0}


def test_a_finding_that_is_gone_at_the_next_look_is_resolved(auto: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack enqueues no looks by itself (its tests wait for empty queues): this one is sent as the engine would."""
    scenario = auto.scenario("vm-to-vm-nsg")
    auto.alert(scenario.alert)
    found = auto.finding(check="CON001", resource="vm-orders-sql-01", status="open")
    read = alerts.read(json.dumps(scenario.alert).encode())
    assert isinstance(read, alerts.Accepted)
    look = read.requests[0].again((found["findingId"],))
    monkeypatch.setitem(scenario.probes, "connectivityCheck", [Probe(answer=WORKS)])
    for _ in range(2):
        auto.put("diagnosis-requests", look.to_json())
    gone = auto.finding(check="CON001", resource="vm-orders-sql-01", status="resolved")
    auto.settle()
    assert (gone["findingId"], gone["requestId"]) == (found["findingId"], look.request_id)
    assert gone["steps"][-1]["name"] == "Check again"
    assert [each["status"] for each in auto.all(findingId=found["findingId"])] == ["open", "resolved"]
    assert len(auto.cards(found["title"])) == 2
