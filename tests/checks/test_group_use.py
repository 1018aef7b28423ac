"""Where NSGs are used."""

import pytest

from tests.checks.audited import Body, audited, nic, nsg, ref, subnet, told, vnet
from tests.checks.rules_written import allow

ON: Body = {"networkSecurityGroup": ref("nsg", "NSG")}
AT = ref("subnet", "vnet", "web")


def on_subnet(*rules: Body, name: str = "web") -> list[Body]:
    return [nsg("nsg", *rules), vnet("vnet", subnet(name, "10.0.1.0/24", **ON))]


@pytest.mark.parametrize(
    ("listed", "complete", "expected"),
    [
        pytest.param([nsg("nsg")], True, (["nsg"], []), id="on nothing"),
        pytest.param([nsg("nsg")], False, ([], ["nsg"]), id="not known"),
        pytest.param(on_subnet(), True, ([], []), id="on a subnet, its id in another case"),
        pytest.param(on_subnet(), False, ([], []), id="on a subnet, not all is known"),
        pytest.param([nsg("nsg"), nic("nic", "10.0.1.4", AT, **ON)], True, ([], []), id="on a NIC"),
        pytest.param([nsg("nsg", subnets=[AT])], False, ([], []), id="on a subnet that is not seen"),
        pytest.param([nsg("nsg", subnets=[])], False, (["nsg"], []), id="its own body says so"),
    ],
)
def test_orphans(listed: list[Body], *, complete: bool, expected: tuple[list[str], list[str]]) -> None:
    assert told("NSG002", listed, complete=complete) == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(on_subnet(), ["nsg"], id="no rules"),
        pytest.param(on_subnet(allow("web", 100, "443")), [], id="a rule"),
        pytest.param([nsg("nsg")], [], id="on nothing: that is told by NSG002"),
    ],
)
def test_default_rules_only(listed: list[Body], expected: list[str]) -> None:
    assert told("NSG010", listed).found == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GatewaySubnet", ["high"]),
        ("gatewaysubnet", ["high"]),
        ("AzureFirewallSubnet", ["high"]),
        ("AzureFirewallManagementSubnet", ["high"]),
        ("RouteServerSubnet", ["medium"]),
        ("AzureBastionSubnet", []),
        ("web", []),
    ],
)
def test_subnets_that_must_not_have_one(name: str, expected: list[str]) -> None:
    assert [each.severity for each in audited("NSG014", on_subnet(name=name)).findings] == expected


def test_an_nsg_that_is_not_seen_is_on_the_subnet_all_the_same() -> None:
    assert told("NSG014", on_subnet(name="GatewaySubnet")[1:], complete=False).found == ["GatewaySubnet"]
