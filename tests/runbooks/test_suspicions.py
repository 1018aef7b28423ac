"""What is said of a connection that fails for no reason that a step found, where its ends are plainly odd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.intake.messages import Endpoint, Protocol
from diagnostics.network.model import IpConfiguration, Nic
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.situation import Machine, Situation
from diagnostics.runbooks.suspicions import suspicion
from tests.network.arm import machine, network, subnet
from tests.runbooks.azure import Azure
from tests.runbooks.house import House, judged
from tests.runbooks.world import World, check, net, vm
from tests.runbooks.world import subnet as subnet_id

DEAD = check("Unreachable")


def aimed(address: str, azure: Azure | None = None) -> Situation:
    """web's request for an address that no machine is known to have, surveyed."""
    situation = judged(House(), address, to=None, azure=azure)
    end = Endpoint(address=address, port=443)
    return replace(situation, request=replace_destination(situation, end), destination=None)


def replace_destination(situation: Situation, end: Endpoint) -> Any:
    return type(situation.request)(
        request_id="r", source=situation.request.source, destination=end, origin=situation.request.origin
    )


def told(situation: Situation) -> str:
    found = suspicion(situation)
    return found.text if found else ""


ADDRESSES = {
    "10.0.2.9": "no machine that is known has the address 10.0.2.9",
    "10.0.2.4": "",
    "10.0.2.1": "10.0.2.1 is the default gateway of subnet b of v, which answers no probe",
    "10.9.9.9": "",
    "fd00:0:0:2::9": "vm-web has no IPv6 address",
}


@pytest.mark.parametrize(("address", "text"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_somebodys(address: str, text: str) -> None:
    assert told(aimed(address)) == text


def test_who_else_has_the_address_is_not_meant_where_networks_overlap() -> None:
    house = House()
    lab = network("lab", "10.0.0.0/16", subnet("c", "10.0.2.0/24"))
    azure = replace(house, extra=(lab, machine("far", "lab/c", "10.0.2.9"))).azure()
    assert "no machine that is known has the address" in told(aimed("10.0.2.9", azure))


def test_an_address_may_be_that_of_what_could_not_be_read() -> None:
    situation = aimed("10.0.2.9")
    unread = ((net("networkInterfaces", "hidden"), Unread("not allowed")),)
    assert told(replace(situation, survey=replace(situation.survey, unread=unread))) == ""


def test_a_vm_that_does_not_exist_is_not_probed_by_its_id(world: World, sql: Endpoint) -> None:
    world.answers[vm("sql-1")] = Unread("ResourceNotFound", missing=True)
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, world.probes) == ("CON011", [])
    assert finding.title == "Could not tell why web-1 → sql-1:1433 fails: sql-1 does not exist"
    assert "If it was deleted" in finding.remedy.summary


def test_a_vm_that_does_not_exist_is_probed_by_an_address(world: World) -> None:
    world.answers[vm("sql-1")], world.check = Unread("ResourceNotFound", missing=True), DEAD
    finding = world.only(vm("web-1"), Endpoint(resource_id=vm("sql-1").text, address="10.0.1.4", port=1433))
    assert (finding.check, finding.title) == ("CON009", "web-1 → sql-1:1433 is unreachable: sql-1 does not exist")


def test_a_ping_that_is_not_answered_says_little(world: World, sql: Endpoint) -> None:
    world.check = DEAD
    finding = world.only(vm("web-1"), sql, protocol=Protocol.ICMP)
    assert finding.title == "web-1 → sql-1 is unreachable: it was probed by ICMP, which many guests do not answer"
    assert "by TCP" in finding.remedy.summary


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [("pe-vault", "pe belongs to private endpoint pe-vault"), (None, "network interface pe is attached to no VM")],
    ids=["a private endpoint's", "nobody's"],
)
def test_a_nic_without_a_vm(endpoint: str | None, text: str) -> None:
    key, owner = net("networkInterfaces", "pe"), net("privateEndpoints", endpoint) if endpoint else None
    configuration = IpConfiguration("ipconfig1", "10.0.2.9", subnet_id("b"), primary=True)
    nic = Nic(key, "westeurope", "Succeeded", None, None, None, (configuration,), private_endpoint=owner)
    situation = aimed("10.9.9.9")
    situation = replace(situation, destination=Machine(key, Unread("pe is attached to no VM"), ((key, nic),), key))
    assert told(situation) == text


NAMES = {
    "an NSG": (Endpoint(resource_id=net("networkSecurityGroups", "nsg").text, port=80), "web-1 → nsg:80"),
    "an IPv6 address": (Endpoint(address="2001:db8::9", port=80), "web-1 → [2001:db8::9]:80"),
    "a name": (Endpoint(name="nobody", port=22), "web-1 → nobody:22"),
}


@pytest.mark.parametrize(("end", "named"), NAMES.values(), ids=NAMES)
def test_what_is_no_machine_keeps_its_name(world: World, end: Endpoint, named: str) -> None:
    world.check = DEAD
    assert named in world.only(vm("web-1"), end).title
