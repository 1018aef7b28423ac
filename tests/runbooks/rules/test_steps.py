"""The rule that decides about a flow, as it is configured, and flows of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from diagnostics.findings import Confidence, Outcome
from diagnostics.intake.messages import Protocol
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.probing import DiagnoseRules, VerifyFlow
from diagnostics.runbooks.questions import ReadServiceTags, Unread
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import steps as rule_steps
from tests.network.arm import Json, machine, nsg, ref
from tests.runbooks.azure import checked, hop, key, step, vm
from tests.runbooks.house import House, allow, deny, judged, nsgs, only

TO_WEB: dict[str, Any] = {
    "sourceApplicationSecurityGroups": [ref("applicationSecurityGroups", "webs")],
    "sourceAddressPrefix": None,
}
MEMBER: dict[str, Any] = {"applicationSecurityGroups": [ref("applicationSecurityGroups", "webs")]}
OUTBOUND: dict[str, Any] = {"direction": "Outbound"}


@dataclass(frozen=True)
class Trap:
    """NSGs as somebody may have them, and what becomes of web → sql:443."""

    house: House
    outcome: Outcome
    rule: str = ""
    group: str = ""


FAILED, PASSED, OPEN = Outcome.FAILED, Outcome.PASSED, Outcome.INCONCLUSIVE
TRAPS = {
    "no NSG at all": Trap(House(), PASSED),
    "default rules allow": Trap(nsgs([], []), PASSED),
    "deny in the subnet's NSG, allow in the NIC's": Trap(nsgs([deny()], [allow()]), FAILED, "deny", "nsg-b"),
    "allow in the subnet's NSG, deny in the NIC's": Trap(nsgs([allow()], [deny()]), FAILED, "deny", "nsg-sql"),
    "allow above deny": Trap(nsgs([allow(), deny()]), PASSED),
    "deny above allow": Trap(nsgs([deny("first", 90), allow()]), FAILED, "first", "nsg-b"),
    "another port in the plural field": Trap(nsgs([deny(destinationPortRanges=["80", "8443"])]), PASSED),
    "this port in the plural field": Trap(
        nsgs([deny(destinationPortRanges=["80", "440-450"])]), FAILED, "deny", "nsg-b"
    ),
    "a prefix in the plural field": Trap(
        nsgs([deny(sourceAddressPrefix=None, sourceAddressPrefixes=["192.168.0.0/16", "10.0.1.0/24"])]),
        FAILED,
        "deny",
        "nsg-b",
    ),
    "another protocol": Trap(nsgs([deny(protocol="Udp")]), PASSED),
    "the other direction": Trap(nsgs([deny(**OUTBOUND)]), PASSED),
    "out of the source": Trap(nsgs(on_a=[deny(**OUTBOUND)]), FAILED, "deny", "nsg-a"),
    "an application security group that it is not in": Trap(nsgs([deny(**TO_WEB)]), PASSED),
    "the tag VirtualNetwork": Trap(
        nsgs([deny("all", 4096, sourceAddressPrefix="VirtualNetwork")]), FAILED, "all", "nsg-b"
    ),
    "a tag that is not known": Trap(
        nsgs([deny(sourceAddressPrefix="AzureCloud.westeurope", destinationPortRange="443")]), OPEN
    ),
}


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
def test_the_rule_that_decides(trap: Trap) -> None:
    situation = judged(trap.house)
    assert step(situation, rule_steps.NAME).outcome is trap.outcome
    if not trap.rule:
        assert situation.findings == ()
        return
    finding = only(situation)
    assert (finding.check, finding.confidence) == ("CON001", Confidence.LIKELY)
    assert (finding.because[0].name, finding.because[0].resource_id) == (
        trap.rule,
        key("networkSecurityGroups", trap.group).text,
    )
    assert "priority" in finding.because[0].text
    assert "Network Watcher" not in finding.because[0].text
    assert trap.group in finding.remedy.az_cli


def test_a_private_tag_that_is_unknown_is_no_denial_and_azure_list_is_asked_for() -> None:
    house = TRAPS["a tag that is not known"].house
    azure = house.azure()
    situation = judged(house, azure=azure)
    assert "AzureCloud.westeurope" in step(situation, rule_steps.NAME).summary
    assert len(azure.of_type(ReadServiceTags)) == 1
    lost = "service tags azurecloud.westeurope: no list of service tags"
    assert step(situation, rule_steps.NAME).evidence[-1] == lost


def test_a_tag_is_known_once_azure_has_told_it() -> None:
    house = TRAPS["a tag that is not known"].house
    azure = house.azure()
    azure.tags = {"values": [{"name": "AzureCloud.westeurope", "properties": {"addressPrefixes": ["10.0.1.0/24"]}}]}
    assert only(judged(house, azure=azure)).because[0].name == "deny"


def test_members_of_an_application_security_group_are_met() -> None:
    house = nsgs([deny(**TO_WEB)])
    azure = house.azure()
    azure.change(machine("web", "v/a", "10.0.1.4", **MEMBER))
    assert only(judged(house, azure=azure)).because[0].name == "deny"


def test_default_deny_blocks_what_comes_from_outside_the_network() -> None:
    house = nsgs([])
    house.web = ("172.30.0.4",)
    azure = house.azure()
    by_check = {finding.check: finding for finding in judged(house, azure=azure).findings}
    assert by_check.keys() == {"CON001", "CON002"}  # nor does a route lead the answer back
    assert by_check["CON001"].because[0].name == "DenyAllInBound"
    assert "add a rule" in by_check["CON001"].remedy.summary


def test_a_forbidden_nsg_is_unknown() -> None:
    house = nsgs([])
    azure = house.azure()
    azure.change(
        Unread("refused.", "Microsoft.Network/networkSecurityGroups/read"), key("networkSecurityGroups", "nsg-b")
    )
    situation = judged(house, azure=azure)
    told = step(situation, rule_steps.NAME)
    assert (told.outcome, situation.findings) == (Outcome.INCONCLUSIVE, ())
    assert "depends on NSG nsg-b" in told.summary
    assert "networkSecurityGroups/read" in step(situation, gather.NAME).evidence[0]


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ([deny(protocol="Icmp")], FAILED),
        ([deny(protocol="Tcp")], PASSED),
        ([deny(protocol="*", destinationPortRange="22")], FAILED),
    ],
)
def test_icmp_has_no_port(rules: list[Json], outcome: Outcome) -> None:
    azure = nsgs(rules).azure()
    situation = judged(House(), port=None, protocol=Protocol.ICMP, azure=azure)
    assert step(situation, rule_steps.NAME).outcome is outcome
    assert azure.of_type(VerifyFlow) == []
    assert azure.of_type(DiagnoseRules) == []
    assert any("TCP and UDP only" in line for line in step(situation, rule_steps.OWN_ANSWERS).evidence)


SIX = House(
    {"nsg-b": [deny(sourceAddressPrefix="fd00:0:0:1::/64")]},
    on_b="nsg-b",
    web=("10.0.1.4", "fd00:0:0:1::4"),
    sql=("10.0.2.4", "fd00:0:0:2::4"),
)


def test_ipv6_is_asked_from_an_ipv6_address() -> None:
    azure = SIX.azure()
    situation = judged(SIX, "fd00:0:0:2::4", probe=None, azure=azure)
    assert only(situation).because[0].name == "deny"
    assert azure.of_type(VerifyFlow) == []
    assert {each.check.source for each in azure.of_type(DiagnoseRules)} == {"fd00:0:0:1::4"}
    assert step(judged(SIX, probe=None), rule_steps.NAME).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("address", "why"),
    [("fd00:0:0:2::4", "has no IPv6 address"), ("", "is not known"), ("db.corp", "db.corp is a name")],
)
def test_a_flow_that_there_is_not(address: str, why: str) -> None:
    situation = judged(House(), address)
    told = step(situation, rule_steps.NAME)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert why in told.summary
    assert step(situation, rule_steps.OWN_ANSWERS).outcome is Outcome.SKIPPED


def test_of_two_configurations_the_one_that_the_probe_shows_counts() -> None:
    house = nsgs([deny(sourceAddressPrefix="10.0.1.5")])
    house.web = ("10.0.1.4", "10.0.1.5")
    assert judged(house, probe=None).findings == ()
    second = checked("Unreachable", hop("10.0.1.5", "Source"), hop("10.0.2.4"))
    assert only(judged(house, probe=second)).because[0].name == "deny"


def test_the_second_address_of_the_destination_is_the_one_that_is_asked_about() -> None:
    house = nsgs([deny(destinationAddressPrefix="10.0.2.5")])
    house.sql = ("10.0.2.4", "10.0.2.5")
    assert judged(house).findings == ()
    assert only(judged(house, "10.0.2.5")).because[0].name == "deny"


def test_an_address_of_nobody_is_not_known() -> None:
    told = step(judged(House(), "10.0.2.77", to=None), rule_steps.NAME)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert "10.0.2.77" in told.summary


@pytest.mark.parametrize(
    ("second", "outcome"), [([deny()], Outcome.FAILED), ([allow()], Outcome.PASSED), (None, Outcome.INCONCLUSIVE)]
)
def test_the_nsgs_of_every_nic(second: list[Json] | None, outcome: Outcome) -> None:
    house = nsgs([], [])
    more = machine("sql-2", "v/fw", "10.0.9.9", nsg="nsg-2")
    more["properties"] |= {"primary": False, "virtualMachine": ref("virtualMachines", "vm-sql")}
    house.extra = (more, *([nsg("nsg-2", *second)] if second is not None else []))
    azure = house.azure()
    azure.change(vm("vm-sql", "sql", "sql-2"))
    situation = azure.run(gather.survey(azure.situation("vm-web", "vm-sql"), "10.0.9.9"))
    there = situation.destination
    assert there
    situation = azure.run(rule_steps.both_nics(situation, there, 443))
    told = step(situation, rule_steps.ALL_NICS)
    assert told.outcome is outcome
    assert [line.split(" (")[0] for line in told.evidence] == ["in to sql", "in to sql-2"]


def test_a_machine_asked_about_by_itself_is_judged_from_its_other_nic() -> None:
    house = nsgs([deny(sourceAddressPrefix="10.0.9.9")])
    more = machine("sql-2", "v/fw", "10.0.9.9")
    more["properties"] |= {"primary": False, "virtualMachine": ref("virtualMachines", "vm-sql")}
    house.extra = (more,)
    azure = house.azure()
    azure.change(vm("vm-sql", "sql", "sql-2"))
    situation = azure.run(gather.survey(azure.situation("vm-sql"), None))
    assert situation.source
    told = step(azure.run(rule_steps.both_nics(situation, situation.source, 443)), rule_steps.ALL_NICS)
    assert told.evidence[0].startswith("in to sql (10.0.2.4), tcp 443 from 10.0.9.9: denied, deny (priority 200)")


def test_ids_in_another_case_are_the_same() -> None:
    house = nsgs([deny()])
    azure = house.azure()
    home = azure.bodies[key("virtualNetworks", "v")]
    for each in home["properties"]["subnets"]:
        if "networkSecurityGroup" in each["properties"]:
            each["properties"]["networkSecurityGroup"]["id"] = each["properties"]["networkSecurityGroup"]["id"].upper()
    finding = only(judged(house, azure=azure))
    assert ResourceId.parse(finding.because[0].resource_id) == key("networkSecurityGroups", "nsg-b")
