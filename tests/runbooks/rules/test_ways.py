"""Routes, appliances, peerings and machines that keep a flow from getting through."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from diagnostics.findings import Outcome, Severity
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import steps as rule_steps
from tests.network.arm import machine, network, ref, subnet
from tests.runbooks.azure import key, step, vm
from tests.runbooks.house import APPLIANCE, SILENT, VIA, House, deny, judged, nsgs, nva, only


@dataclass(frozen=True)
class Way:
    """A way that goes wrong, and the finding about it."""

    house: House
    check: str
    names: str
    remedy: str


WAYS = {
    "a route to None": Way(House(routes={"hole": "10.0.2.0/24 None"}), "CON002", "hole", "route table rt"),
    "a route to None on the way back": Way(House(back={"hole": "10.0.1.0/24 None"}), "CON002", "hole", "rt-back"),
    "an appliance that is off": Way(
        House(routes=VIA, extra=nva(state="deallocated")), "CON018", "vm-nva", "Start appliance vm-nva"
    ),
    "an appliance that does not forward": Way(
        House(routes=VIA, extra=nva(forwards=False)), "CON018", "nva", "IP forwarding"
    ),
    "an appliance that is not there": Way(House(routes=VIA), "CON018", APPLIANCE, "via-nva"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_is_wrong_on_the_way(way: Way) -> None:
    situation = judged(way.house)
    assert step(situation, rule_steps.NAME).outcome is Outcome.FAILED
    finding = only(situation)
    assert (finding.check, finding.because[0].name, finding.severity) == (way.check, way.names, Severity.HIGH)
    assert way.remedy in f"{finding.remedy.summary} {finding.remedy.az_cli}"


@pytest.mark.parametrize("name", [name for name in WAYS if "appliance" in name])
def test_an_appliance_is_told_with_its_route_and_table(name: str) -> None:
    finding = only(judged(WAYS[name].house))
    route = finding.because[-1]
    assert (route.name, route.resource_id) == ("via-nva", key("routeTables", "rt").text)
    assert "route table rt" in route.text
    assert APPLIANCE in route.text


def test_an_appliance_that_forwards_leaves_it_open() -> None:
    situation = judged(House(routes=VIA, extra=nva()))
    told = step(situation, rule_steps.NAME)
    assert (told.outcome, situation.findings) == (Outcome.INCONCLUSIVE, ())
    assert "vm-nva" in told.summary


def peered() -> House:
    far = network("w", "10.8.0.0/16", subnet("x", "10.8.1.0/24"), peers={"v": "10.0.0.0/16"})
    there = machine("far", "w/x", "10.8.1.4"), vm("vm-far", "far")
    return House(peers={"w": "10.8.0.0/16"}, extra=(far, *there))


@pytest.mark.parametrize("state", ["Connected", "Disconnected", "Initiated"])
def test_a_peering_that_is_not_connected(state: str) -> None:
    house = peered()
    azure = house.azure()
    for name in ("v", "w"):
        azure.bodies[key("virtualNetworks", name)]["properties"]["virtualNetworkPeerings"][0]["properties"][
            "peeringState"
        ] = state
    situation = judged(house, "10.8.1.4", to="vm-far", azure=azure)
    if state == "Connected":
        assert situation.findings == ()
        return
    finding = next(each for each in situation.findings if each.check == "CON002")
    assert any(f"peering to-w with w is {state}" in cause.text for cause in finding.because)


def test_a_destination_that_is_off_has_its_finding_elsewhere() -> None:
    situation = judged(House(sql_state="deallocated"))
    assert step(situation, rule_steps.NAME).outcome is Outcome.FAILED
    assert "deallocated" in step(situation, rule_steps.NAME).summary
    assert situation.findings == ()


def test_a_peering_that_does_not_take_what_an_appliance_forwards() -> None:
    hub = network("hub", "10.9.0.0/16", subnet("fw", "10.9.1.0/24"), peers={"v": "10.0.0.0/16", "w": "10.8.0.0/16"})
    far = network("w", "10.8.0.0/16", subnet("x", "10.8.1.0/24"), peers={"hub": "10.9.0.0/16"})
    forwarding = machine("nva", "hub/fw", "10.9.1.4")
    forwarding["properties"]["enableIPForwarding"] = True
    ends = machine("far", "w/x", "10.8.1.4"), vm("vm-far", "far"), forwarding, vm("vm-nva", "nva")
    house = House(
        routes={"spokes": "10.8.0.0/16 VirtualAppliance 10.9.1.4"},
        peers={"hub": "10.9.0.0/16"},
        extra=(hub, far, *ends),
    )
    found = [
        each
        for each in judged(house, "10.8.1.4", to="vm-far").findings
        if "takes" in each.title or "take" in each.title
    ]
    (finding,) = found
    assert (finding.check, finding.resource.name) == ("CON002", "w")
    assert "--vnet-name w --name to-hub --set allowForwardedTraffic=true" in finding.remedy.az_cli


@pytest.mark.parametrize("known", [False, True])
def test_no_way_out_is_said_once(known: bool) -> None:  # noqa: FBT001
    azure = House().azure()
    azure.bodies[key("virtualNetworks", "v")]["properties"]["subnets"][0]["properties"]["defaultOutboundAccess"] = False
    situation = azure.situation("vm-web")
    situation = azure.run(gather.survey(situation, "203.0.113.9"))
    first = azure.run(rule_steps.security(situation, "203.0.113.9", 443, SILENT))
    assert only(first).check == "CON017"
    if known:
        again = azure.run(rule_steps.security(first, "203.0.113.9", 443, SILENT))
        assert len(again.findings) == 1


def test_what_a_guest_has_to_know_is_no_fault_of_the_rules() -> None:
    house = nsgs([])
    more = machine("sql-2", "v/fw", "10.0.9.9")
    more["properties"] |= {"primary": False, "virtualMachine": ref("virtualMachines", "vm-sql")}
    house.extra = (more,)
    azure = house.azure()
    azure.change(vm("vm-sql", "sql", "sql-2"))
    told = step(judged(house, "10.0.9.9", azure=azure), rule_steps.NAME)
    assert told.outcome is Outcome.PASSED
    assert "sql-2 is a secondary NIC" in told.summary


def test_without_a_survey_nothing_is_taken_for_known() -> None:
    azure = nsgs([deny()]).azure()
    situation = azure.run(rule_steps.security(azure.situation("vm-web", "vm-sql"), "10.0.2.4", 443, None))
    assert step(situation, rule_steps.NAME).outcome is Outcome.INCONCLUSIVE
    assert situation.findings == ()


def test_both_a_route_and_a_rule_are_told() -> None:
    house = nsgs([deny()])
    house.routes = {"hole": "10.0.2.0/24 None"}
    assert {finding.check for finding in judged(house).findings} == {"CON001", "CON002"}
