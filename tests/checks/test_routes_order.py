"""Route tables that nothing uses, routes never taken, odd prefixes, and tables on reserved subnets."""

import pytest

from diagnostics.findings import Severity
from tests.checks.audited import Body, audited, ref, subnet, table, told, vnet
from tests.checks.routed import EVERYTHING, NVA, WEB, appliance, network, rt, severities, uses

HIGH, MEDIUM, LOW, INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
DROP = ("None", "")


@pytest.mark.parametrize(
    ("resources", "complete", "said"),
    [
        pytest.param([rt()], True, (["rt"], []), id="no subnet"),
        pytest.param([rt()], False, ([], ["rt"]), id="networks were not listed"),
        pytest.param([rt(subnets=[])], False, (["rt"], []), id="it says so itself"),
        pytest.param([rt(subnets=[ref("subnet", "other", "web")])], False, ([], []), id="one that is not there"),
        pytest.param([network(), rt()], True, ([], []), id="used"),
        pytest.param([network(), table("RT")], True, ([], []), id="used, in another case"),
    ],
)
def test_a_table_that_nothing_uses(resources: list[Body], *, complete: bool, said: tuple[list[str], list[str]]) -> None:
    assert told("UDR002", resources, complete=complete) == said


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        pytest.param([("20.0.0.0/23", *DROP), ("20.0.0.0/24", *DROP)], ["r2"], id="does the same as the wider"),
        pytest.param(
            [("20.0.0.0/23", "Internet", ""), ("20.0.0.0/24", *DROP), ("20.0.1.0/24", *DROP)], ["r1"], id="covered"
        ),
        pytest.param([("20.0.0.0/23", "Internet", ""), ("20.0.0.0/24", *DROP)], [], id="covered in part"),
        pytest.param([("20.0.0.0/24", "Internet", ""), ("20.0.0.7/24", *DROP)], ["r2"], id="the same with host bits"),
        pytest.param([EVERYTHING, ("10.0.2.0/24", NVA, "10.0.9.4")], [], id="it wins over the network's own route"),
        pytest.param([EVERYTHING, ("192.168.0.0/16", NVA, "10.0.9.4")], [], id="it wins over the system's drop"),
        pytest.param([EVERYTHING, ("20.0.0.0/8", NVA, "10.0.9.4")], ["r2"], id="nothing lies between"),
        pytest.param(
            [EVERYTHING, ("20.0.0.0/8", "Internet", ""), ("20.1.0.0/16", NVA, "10.0.9.4")],
            [],
            id="another lies between",
        ),
        pytest.param([EVERYTHING, ("AzureMonitor", NVA, "10.0.9.4")], [], id="a service tag"),
        pytest.param(
            [("::/0", *DROP), ("::/1", "Internet", ""), ("8000::/1", "Internet", "")], ["r1"], id="IPv6 in two halves"
        ),
    ],
)
def test_a_route_that_changes_nothing(routes: list[tuple[str, str, str]], found: list[str]) -> None:
    resources = [network(), rt(*routes), *appliance(), *WEB]
    findings = audited("UDR012", resources).findings
    assert [finding.because[0].name for finding in findings] == found


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("10.0.1.5/24", [LOW]),
        ("10.0.1.0/24", []),
        ("fd00::1/64", [LOW]),
        ("10.0.1.0-10.0.1.9", [MEDIUM]),
        ("*", [MEDIUM]),
        ("virtualnetwork", [MEDIUM]),
        ("AzurePlatformDNS", [MEDIUM]),
        ("sql.westeurope", []),
    ],
)
def test_prefixes_that_are_none(prefix: str, found: list[Severity]) -> None:
    assert severities("UDR019", [network(), rt((prefix, *DROP)), *WEB]) == found


MANAGEMENT = subnet("AzureFirewallManagementSubnet", "10.0.7.0/26")
OUT = ("0.0.0.0/0", "Internet", "")


@pytest.mark.parametrize(
    ("name", "routes", "found"),
    [
        pytest.param("GatewaySubnet", [EVERYTHING], [HIGH], id="gateway: default route"),
        pytest.param("gatewaysubnet", [("0.0.0.0/1", NVA, "10.0.9.4")], [HIGH], id="gateway: half of it, another case"),
        pytest.param("GatewaySubnet", [("10.0.1.0/24", NVA, "10.0.9.4")], [], id="gateway: a subnet by the firewall"),
        pytest.param("AzureFirewallSubnet", [EVERYTHING], [HIGH], id="firewall: not to the internet"),
        pytest.param("AzureFirewallSubnet", [OUT], [], id="firewall: to the internet"),
        pytest.param("AzureFirewallManagementSubnet", [EVERYTHING], [HIGH], id="management: not to the internet"),
        pytest.param("AzureBastionSubnet", [OUT], [HIGH], id="bastion: default route"),
        pytest.param("AzureBastionSubnet", [], [LOW], id="bastion: any table"),
        pytest.param("RouteServerSubnet", [], [HIGH], id="route server: any table"),
        pytest.param("web", [EVERYTHING], [], id="no reserved subnet"),
    ],
)
def test_tables_on_reserved_subnets(name: str, routes: list[tuple[str, str, str]], found: list[Severity]) -> None:
    assert severities("UDR014", [vnet("vnet", uses(name, "10.0.0.0/26")), rt(*routes)]) == found


@pytest.mark.parametrize(("name", "routes"), [("RouteServerSubnet", []), ("GatewaySubnet", [EVERYTHING])])
def test_a_table_is_taken_off_by_null(name: str, routes: list[tuple[str, str, str]]) -> None:
    (found,) = audited("UDR014", [vnet("vnet", uses(name, "10.0.0.0/26")), rt(*routes)]).findings
    assert found.remedy.az_cli.endswith(" --route-table null")


def test_a_gateway_needs_what_it_learnt() -> None:
    home = vnet("vnet", uses("GatewaySubnet", "10.0.0.0/26"))
    assert severities("UDR014", [home, rt(disableBgpRoutePropagation=True)]) == [HIGH]


def test_a_firewall_with_a_management_subnet_may_tunnel() -> None:
    home = vnet("vnet", uses("AzureFirewallSubnet", "10.0.0.0/26"), MANAGEMENT)
    assert severities("UDR014", [home, rt(EVERYTHING)]) == []


def test_a_table_of_a_reserved_subnet_that_is_not_there_is_unknown() -> None:
    assert told("UDR014", [vnet("vnet", uses("GatewaySubnet", "10.0.0.0/26"))]) == ([], ["GatewaySubnet"])
