"""Rules that let through more than they need."""

import pytest

from diagnostics.checks.audit import audit
from tests.checks.audited import Body, audited, estate, nic, nsg, ref, subnet, told, vm, vnet
from tests.checks.rules_written import HALVES, allow, deny, outbound


def around(*rules: Body, name: str = "web", own: Body | None = None) -> list[Body]:
    """An NSG with rules on the subnet of a VM; perhaps another one on its NIC."""
    guarded: Body = {"networkSecurityGroup": ref("nsg", "own")} if own else {}
    return [
        vnet("vnet", subnet(name, "10.0.1.0/24", networkSecurityGroup=ref("nsg", "nsg"))),
        nsg("nsg", *rules),
        nic("nic", "10.0.1.4", ref("subnet", "vnet", name), "vm", **guarded),
        vm("vm", "nic"),
        *([own] if own else []),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(outbound("out", 100, "Allow"), True, id="everything to everybody"),
        pytest.param(outbound("out", 100, "Allow", to="INTERNET", protocol="*"), True, id="the tag in another case"),
        pytest.param(outbound("out", 100, "Allow", to="::/0"), True, id="IPv6"),
        pytest.param(
            outbound(
                "out", 100, "Allow", "", destinationPortRanges=["0-65535"], to="", destinationAddressPrefixes=HALVES
            ),
            True,
            id="two /1s, plural",
        ),
        pytest.param(outbound("out", 100, "Allow", "443"), False, id="one port"),
        pytest.param(outbound("out", 100, "Allow", to="10.0.0.0/8"), False, id="inside"),
        pytest.param(outbound("out", 100, "Allow", to="AzureCloud"), False, id="a tag"),
        pytest.param(outbound("out", 100, "Deny"), False, id="a Deny"),
        pytest.param(allow("in", 100), False, id="inbound"),
    ],
)
def test_a_rule_of_ones_own_that_lets_everything_out(rule: Body, *, expected: bool) -> None:
    assert told("NSG016", around(rule)).found == ["nsg"] * expected


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(around(), id="the default rule does not count"),
        pytest.param([nsg("nsg", outbound("out", 100, "Allow"))], id="an NSG on nothing"),
        pytest.param(around(outbound("no", 90, "Deny", protocol="*"), outbound("out", 100, "Allow")), id="denied"),
    ],
)
def test_nothing_gets_out_by_it(listed: list[Body]) -> None:
    assert told("NSG016", listed).found == []


def test_what_is_told_as_open_is_not_told_as_redundant_too() -> None:
    made = audit(estate(around(outbound("out", 100, "Allow", to="Internet", protocol="*"))), only=["NSG004", "NSG016"])
    assert [each.check for each in made.findings] == ["NSG016"]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(around(), ["SSH (22), RDP (3389)"], id="the default rule lets it"),
        pytest.param(around(outbound("no", 100, "Deny", "22", "VirtualNetwork")), ["RDP (3389)"], id="one denied"),
        pytest.param(
            around(outbound("no", 100, "Deny", "", "virtualnetwork", destinationPortRanges=["22", "3389"])),
            [],
            id="both denied, plural ports, the tag in another case",
        ),
        pytest.param(around(outbound("no", 100, "Deny", "20-4000", "10.0.2.0/24")), [], id="not to the whole network"),
        pytest.param(around(outbound("no", 100, "Deny", protocol="*")), [], id="nothing gets out"),
        pytest.param(
            around(own=nsg("own", outbound("no", 100, "Deny", protocol="*"))), [], id="the NSG of the NIC closes it"
        ),
        pytest.param(around(name="AzureBastionSubnet"), [], id="Bastion has to"),
        pytest.param([nsg("nsg")], [], id="an NSG on nothing"),
    ],
)
def test_lateral_ways(listed: list[Body], expected: list[str]) -> None:
    found = audited("NSG017", listed).findings
    assert [each.because[0].text.partition(" gets")[0] for each in found] == expected


@pytest.mark.parametrize(
    ("rules", "priority"),
    [
        pytest.param([], "4096", id="above the default rule"),
        pytest.param([outbound("out", 200, "Allow", protocol="*")], "199", id="above one's own"),
        pytest.param([outbound("out", 100, "Allow", protocol="*")], "PRIORITY", id="no room"),
    ],
)
def test_the_deny_stands_above_what_lets_it_out(rules: list[Body], priority: str) -> None:
    (found,) = audited("NSG017", around(*rules)).findings
    assert f"--priority {priority} " in found.remedy.az_cli
    assert found.remedy.az_cli.startswith("# No priority is free") is (priority == "PRIORITY")


REST = deny("rest", 4000, protocol="*")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([allow("sql", 100, "1433", "VirtualNetwork"), REST], ["low"], id="a database"),
        pytest.param(
            [allow("ssh", 100, "", "virtualnetwork", destinationPortRanges=["22"]), REST], ["low"], id="plural"
        ),
        pytest.param([allow("ssh", 100, "22", "10.0.0.0/8"), REST], ["low"], id="a prefix that holds the network"),
        pytest.param([allow("all", 100, "*", "VirtualNetwork"), REST], ["info"], id="every port, as by default"),
        pytest.param([allow("ssh", 100, "22", "10.0.1.0/24"), REST], [], id="one subnet"),
        pytest.param([allow("web", 100, "443", "VirtualNetwork"), REST], [], id="HTTPS"),
        pytest.param([allow("ssh", 100, "22", "VirtualNetwork")], [], id="as by default"),
        pytest.param([allow("ssh", 100, "22"), REST], [], id="the internet too: others tell"),
        pytest.param([deny("no", 90, "22"), allow("ssh", 100, "22", "VirtualNetwork"), REST], [], id="a Deny above"),
    ],
)
def test_what_is_open_to_the_whole_network(rules: list[Body], expected: list[str]) -> None:
    assert [each.severity for each in audited("NSG018", around(*rules)).findings] == expected


def test_what_the_other_nsg_closes_is_not_open() -> None:
    rules = [allow("ssh", 100, "22", "VirtualNetwork"), REST]
    assert told("NSG018", around(*rules, own=nsg("own", deny("no", 100, "22")))).found == []
