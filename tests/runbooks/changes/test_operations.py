"""The events of one operation in the activity log are folded into one."""

from __future__ import annotations

import pytest

from diagnostics.runbooks.changes.operations import folded
from diagnostics.runbooks.questions import Event
from tests.runbooks.around import (
    FRONT,
    WEB_NIC,
    WEB_NSG,
    event,
)

NIC_WRITE = "networkInterfaces/write"
FOLDS: list[tuple[str, list[Event], list[str]]] = [
    (
        "start, acceptance and success are one",
        [
            event(-3, NIC_WRITE, WEB_NIC, "Started"),
            event(-2.9, NIC_WRITE, WEB_NIC, "Accepted"),
            event(-1, NIC_WRITE, WEB_NIC),
        ],
        ["Succeeded"],
    ),
    (
        "start and failure are one",
        [event(-3, NIC_WRITE, WEB_NIC, "Failed"), event(-5, NIC_WRITE, WEB_NIC, "Started")],
        ["Failed"],
    ),
    (
        "success wins over a failure just before",
        [event(-3, NIC_WRITE, WEB_NIC, "Failed"), event(-2.5, NIC_WRITE, WEB_NIC)],
        ["Succeeded"],
    ),
    (
        "a failure after a success is another",
        [event(-3, NIC_WRITE, WEB_NIC), event(-2.5, NIC_WRITE, WEB_NIC, "Failed")],
        ["Succeeded", "Failed"],
    ),
    ("an hour apart", [event(-90, NIC_WRITE, WEB_NIC), event(-30, NIC_WRITE, WEB_NIC)], ["Succeeded", "Succeeded"]),
    ("two people", [event(-3, NIC_WRITE, WEB_NIC), event(-2.9, NIC_WRITE, WEB_NIC, who="kim")], ["Succeeded"] * 2),
    ("told twice", [event(-3, NIC_WRITE, WEB_NIC), event(-3, NIC_WRITE.upper(), WEB_NIC)], ["Succeeded"]),
    ("no end", [event(-3, NIC_WRITE, WEB_NIC, "Started"), event(-2.9, NIC_WRITE, WEB_NIC, "Accepted")], ["Accepted"]),
    ("looking", [event(-3, "networkInterfaces/effectiveRouteTable/action", WEB_NIC)], []),
    ("permission asked", [event(-3, "virtualNetworks/subnets/join/action", FRONT)], []),
    ("policy", [event(-3, "Microsoft.Authorization/policies/audit/action", WEB_NSG)], []),
    ("a tag", [event(-3, "Microsoft.Resources/tags/write", WEB_NSG)], []),
]


@pytest.mark.parametrize(("events", "statuses"), [fold[1:] for fold in FOLDS], ids=[fold[0] for fold in FOLDS])
def test_the_events_of_an_operation_are_folded(events: list[Event], statuses: list[str]) -> None:
    assert [operation.event.status for operation in folded(events)] == statuses
