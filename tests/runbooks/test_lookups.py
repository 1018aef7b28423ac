"""Which machine an address means: the one that has it, as far as all that may have it were read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagnostics.findings import Outcome
from diagnostics.intake.messages import Endpoint
from diagnostics.network.model import Nic
from diagnostics.runbooks.questions import Unread
from tests.runbooks.world import World, check, ended, net, summary, vm

ADDRESS = Endpoint(address="10.0.1.4", port=1433)
SQL_NIC, HIDDEN = net("networkInterfaces", "sql-nic"), net("networkInterfaces", "hidden-nic")
STEP = "Destination exists"


def elsewhere(nic: Nic) -> Nic:
    """The same in a virtual network that is not the source's."""
    (configuration,) = nic.ip_configurations
    return replace(nic, ip_configurations=(replace(configuration, subnet=net("virtualNetworks", "far/subnets/back")),))


def test_an_address_means_the_vm_that_has_it(world: World) -> None:
    world.answers["10.0.1.4"] = (SQL_NIC,)
    finding = world.diagnose(vm("web-1"), ADDRESS).findings[0]
    assert summary(finding, STEP) == "10.0.1.4 belongs to sql-1"


@pytest.mark.parametrize("place", [0, 7], ids=["refused", "behind the last that is read"])
def test_a_nic_that_was_not_read_may_be_meant_as_well(world: World, place: int) -> None:
    others = [net("networkInterfaces", f"spare-{number}") for number in range(place)]
    for other in others:
        world.nic(other.name, None, "10.0.7.7")
    world.answers[HIDDEN] = Unread("not allowed")
    world.answers[SQL_NIC] = elsewhere(world.answers[SQL_NIC])
    world.check = check("Unreachable")
    world.answers["10.0.1.4"] = (SQL_NIC, *others, HIDDEN)[: place + 2]
    finding = world.diagnose(vm("web-1"), ADDRESS).findings[0]
    assert ended(finding, STEP) is Outcome.INCONCLUSIVE
    assert summary(finding, STEP) == "10.0.1.4 belongs to sql-1, and perhaps to hidden-nic, which was not read"


def test_an_address_in_the_sources_own_network_is_meant_whatever_else_was_not_read(world: World) -> None:
    world.answers |= {HIDDEN: Unread("not allowed"), "10.0.1.4": (HIDDEN, SQL_NIC)}
    finding = world.diagnose(vm("web-1"), ADDRESS).findings[0]
    assert summary(finding, STEP) == "10.0.1.4 belongs to sql-1"
