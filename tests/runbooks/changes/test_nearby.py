"""Which resources are looked at for changes, and in which order."""

from __future__ import annotations

import pytest

from diagnostics.intake.messages import Problem
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.changes.nearby import relevant
from diagnostics.runbooks.situation import Situation
from tests.runbooks.around import (
    NAT,
    NAT_IP,
    SQL,
    SQL_NIC,
    SQL_NIC_2,
    SQL_NSG,
    SQL_NSG_2,
    TABLE,
    VNET,
    WEB,
    WEB_NIC,
    WEB_NSG,
    net,
    situation,
    vm,
)
from tests.runbooks.changes.test_changes import APPLIANCE, BY_ADMIN


@pytest.mark.parametrize(
    ("at_hand", "wanted"),
    [
        (situation(), [SQL_NSG, WEB_NSG, TABLE, SQL, WEB, SQL_NIC, WEB_NIC, VNET, SQL_NSG_2, SQL_NIC_2]),
        (
            situation(address="10.0.1.5"),
            [SQL_NSG_2, WEB_NSG, TABLE, SQL, WEB, SQL_NIC_2, WEB_NIC, VNET, SQL_NSG, SQL_NIC],
        ),
        (
            situation(alone=True, problem=Problem.VM_TO_INTERNET),
            [WEB_NSG, TABLE, WEB, WEB_NIC, NAT, NAT_IP, VNET],
        ),
        (situation(APPLIANCE, alone=True), [vm("nva"), WEB, WEB_NSG, TABLE, WEB_NIC, VNET]),
        (situation(BY_ADMIN, alone=True), [net("networkManagers/avnm"), SQL, WEB_NSG, TABLE, WEB, WEB_NIC, VNET]),
    ],
    ids=["both", "second NIC is meant", "internet", "appliance that is blamed", "admin rule's network manager"],
)
def test_the_resources_whose_changes_matter_nearest_first(at_hand: Situation, wanted: list[ResourceId]) -> None:
    assert list(relevant(at_hand)) == wanted
