"""Default routes past the firewall, and what is dropped or has no gateway."""

import pytest

from diagnostics.findings import Severity
from tests.checks.audited import Body, nic, ref, subnet, table, told, vm, vnet
from tests.checks.routed import EVERYTHING, NVA, WEB, appliance, gateway, network, peering, rt, severities, uses

HIGH, MEDIUM, LOW, INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
OUT = ("0.0.0.0/0", "Internet", "")
APP = [nic("nic-app", "10.0.3.5", ref("subnet", "vnet", "app"), "vm-app"), vm("vm-app", "nic-app")]


def beside(name: str = "app", *routes: tuple[str, str, str], **properties: object) -> list[Body]:
    """`web` sends to the appliance; another subnet has a table of its own."""
    other = uses(name, "10.0.3.0/24", "rt-other", **properties)
    host = [nic("nic-app", "10.0.3.5", ref("subnet", "vnet", name), "vm-app"), vm("vm-app", "nic-app")]
    return [network(other), rt(EVERYTHING), table("rt-other", *routes), *appliance(), *WEB, *host]


def dual(*routes: tuple[str, str, str]) -> list[Body]:
    """A subnet of both families whose IPv4 goes to the appliance."""
    both = {
        "name": "six",
        "properties": {"addressPrefixes": ["10.0.5.0/24", "fd00:1::/64"], "routeTable": ref("table", "six")},
    }
    host = [nic("nic-six", "10.0.5.5", ref("subnet", "vnet", "six"), "vm-six"), vm("vm-six", "nic-six")]
    return [network(both), rt(EVERYTHING), table("six", EVERYTHING, *routes), *appliance(), *WEB, *host]


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(beside("app", OUT), [MEDIUM], id="straight to the internet"),
        pytest.param(beside("app", EVERYTHING), [], id="to the appliance"),
        pytest.param(
            beside("app", ("0.0.0.0/1", NVA, "10.0.9.4"), ("128.0.0.0/1", NVA, "10.0.9.4")), [], id="in halves"
        ),
        pytest.param(beside("app", EVERYTHING, ("128.0.0.0/1", "Internet", "")), [MEDIUM], id="half of it past"),
        pytest.param(beside("app"), [MEDIUM], id="a table without default route"),
        pytest.param(
            beside("app", natGateway={"id": ref("nat", "nat")["id"]}), [LOW], id="which a NAT gateway shows is meant"
        ),
        pytest.param(beside("app", ("0.0.0.0/0", "None", "")), [], id="dropped"),
        pytest.param(beside("snet-appgw", OUT), [], id="an Application Gateway has to"),
        pytest.param(
            beside("mi", OUT, delegations=[{"properties": {"serviceName": "Microsoft.Sql/managedInstances"}}]),
            [],
            id="SQL Managed Instance has to",
        ),
        pytest.param([network(), rt(OUT), *WEB], [], id="nobody has a firewall"),
        pytest.param(dual(), [LOW], id="IPv6 without a route"),
        pytest.param(dual(("::/0", "Internet", "")), [MEDIUM], id="IPv6 to the internet"),
        pytest.param(dual(("::/0", "None", "")), [], id="IPv6 dropped"),
    ],
)
def test_past_the_firewall(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR008", resources) == found


def spokes(*routes: tuple[str, str, str], with_table: bool = True) -> list[Body]:
    """Three spokes of a hub; two send to its appliance, the third is `vnet`."""
    made = [vnet("hub", subnet("nva", "10.9.9.0/24"), prefix="10.9.0.0/16", virtualNetworkPeerings=[
        peering("one", "10.1.0.0/16"), peering("two", "10.2.0.0/16"), peering("vnet", "10.0.0.0/16")])]  # fmt: skip
    for number, name in enumerate(("one", "two"), 1):
        home = uses("app", f"10.{number}.1.0/24", f"rt-{name}")
        up = [peering("hub", "10.9.0.0/16")]
        made.append(vnet(name, home, prefix=f"10.{number}.0.0/16", virtualNetworkPeerings=up))
        made.append(table(f"rt-{name}", ("0.0.0.0/0", NVA, "10.9.9.4")))
    own = uses("web", "10.0.1.0/24") if with_table else subnet("web", "10.0.1.0/24")
    return [*made, vnet("vnet", own, virtualNetworkPeerings=[peering("hub", "10.9.0.0/16")]), rt(*routes), *WEB]


@pytest.mark.parametrize(
    ("check", "resources", "found"),
    [
        pytest.param("UDR008", spokes(OUT), ["rt"], id="a spoke past the hub's firewall"),
        pytest.param("UDR008", spokes(), ["rt"], id="a spoke without default route"),
        pytest.param("UDR008", spokes(("0.0.0.0/0", NVA, "10.9.9.4")), [], id="as the others"),
        pytest.param("UDR011", spokes(with_table=False), ["web"], id="a spoke without a table"),
        pytest.param("UDR009", spokes(OUT), [], id="not told twice"),
    ],
)
def test_spokes_of_a_hub_are_compared(check: str, resources: list[Body], found: list[str]) -> None:
    assert told(check, resources).found == found


def test_a_table_that_is_not_there_may_lead_past() -> None:
    resources = [each for each in beside("app", OUT) if each["name"] != "rt-other"]
    assert told("UDR008", resources) == ([], ["app"])


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ((OUT,), [LOW]),
        ((("0.0.0.0/1", "Internet", ""), ("128.0.0.0/1", "Internet", "")), [LOW, LOW]),
        ((("::/0", "Internet", ""),), [LOW]),
        ((("20.1.2.3/32", "Internet", ""),), []),
        ((("AzureMonitor", "Internet", ""),), []),
        ((EVERYTHING,), []),
    ],
)
def test_straight_to_the_internet(routes: tuple[tuple[str, str, str], ...], found: list[Severity]) -> None:
    assert severities("UDR009", [network(), rt(*routes), *WEB]) == found


def test_an_appliance_itself_goes_straight_to_the_internet() -> None:
    home = vnet("vnet", uses("web", "10.0.1.0/24"), uses("nva", "10.0.9.0/24", "rt-nva"))
    assert severities("UDR009", [home, rt(EVERYTHING), table("rt-nva", OUT), *appliance(), *WEB]) == []


def siblings(last: Body, *more: Body) -> list[Body]:
    """`web` and `app` send to the appliance; the last subnet is the question."""
    return [network(uses("app", "10.0.3.0/24"), last), rt(EVERYTHING), *appliance(), *WEB, *APP, *more]


BARE = subnet("bare", "10.0.4.0/24")
HOST = nic("nic-bare", "10.0.4.4", ref("subnet", "vnet", "bare"))


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(siblings(BARE, HOST), ["bare"], id="forgotten"),
        pytest.param(siblings(BARE), [], id="empty"),
        pytest.param(siblings(uses("bare", "10.0.4.0/24"), HOST), [], id="has it"),
        pytest.param(
            siblings(
                subnet("bare", "10.0.4.0/24", delegations=[{"properties": {"serviceName": "Microsoft.X/y"}}]), HOST
            ),
            [],
            id="delegated",
        ),
        pytest.param(siblings(subnet("GatewaySubnet", "10.0.4.0/24")), [], id="reserved"),
        pytest.param(
            siblings(BARE, {**HOST, "properties": {**HOST["properties"], "privateEndpoint": ref("nic", "pe")}}),
            [],
            id="private endpoints only",
        ),
        pytest.param([network(BARE), rt(EVERYTHING), *appliance(), *WEB, HOST], [], id="one of two is not most"),
    ],
)
def test_a_subnet_without_a_table(resources: list[Body], found: list[str]) -> None:
    assert told("UDR011", resources).found == found


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        pytest.param([("10.0.9.0/24", "None", "")], [MEDIUM], id="a subnet of the network"),
        pytest.param([("10.0.0.0/16", "None", "")], [MEDIUM], id="the network's own space"),
        pytest.param([("10.7.0.0/16", "None", "")], [MEDIUM], id="a peer"),
        pytest.param([("0.0.0.0/0", "None", "")], [LOW], id="the internet"),
        pytest.param([("::/0", "None", "")], [LOW], id="the internet of IPv6"),
        pytest.param([("10.0.0.0/8", "None", "")], [INFO], id="wider than what is near, so it takes none of that"),
        pytest.param([("10.0.9.4/32", "None", "")], [INFO], id="one address"),
        pytest.param([("203.0.113.0/24", "None", ""), ("Storage", "None", "")], [INFO], id="foreign, told once"),
        pytest.param([("10.0.9.0/24", "VnetLocal", "")], [], id="not dropped"),
        pytest.param(
            [("10.0.9.0/24", "None", ""), ("10.0.9.0/25", "VnetLocal", ""), ("10.0.9.128/25", "VnetLocal", "")],
            [INFO],
            id="which narrower routes undo",
        ),
    ],
)
def test_what_is_dropped(routes: list[tuple[str, str, str]], found: list[Severity]) -> None:
    home = network(peerings=(peering("partner", "10.7.0.0/16"),))
    assert severities("UDR007", [home, rt(*routes), *WEB]) == found


OFFICE = ("192.168.0.0/16", "VirtualNetworkGateway", "")
GATEWAY = subnet("GatewaySubnet", "10.0.0.0/27")
USING = peering("hub", "10.9.0.0/16", useRemoteGateways=True)


@pytest.mark.parametrize(
    ("resources", "complete", "said"),
    [
        pytest.param([network()], True, (["rt"], []), id="no gateway"),
        pytest.param([network()], False, (["rt"], []), id="no gateway subnet, so no gateway"),
        pytest.param([network(GATEWAY)], True, (["rt"], []), id="an empty gateway subnet"),
        pytest.param([network(GATEWAY)], False, ([], ["rt"]), id="gateways were not listed"),
        pytest.param([network(GATEWAY), gateway()], True, ([], []), id="its own"),
        pytest.param([network(peerings=(USING,))], True, ([], ["rt"]), id="that of a peer that is not there"),
        pytest.param([network(peerings=(peering("hub", "10.9.0.0/16"),))], True, (["rt"], []), id="a peer's, not used"),
    ],
)
def test_a_gateway_that_is_not_there(
    resources: list[Body], *, complete: bool, said: tuple[list[str], list[str]]
) -> None:
    assert told("UDR013", [*resources, rt(OFFICE), *WEB], complete=complete) == said


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([network(GATEWAY), gateway(), rt(disableBgpRoutePropagation=True)], ["rt"], id="cut off"),
        pytest.param([network(GATEWAY), gateway(), rt()], [], id="propagates"),
        pytest.param([network(), rt(disableBgpRoutePropagation=True)], [], id="no gateway"),
        pytest.param(
            [network(GATEWAY), gateway(), rt(OFFICE, disableBgpRoutePropagation=True)], [], id="a route there"
        ),
        pytest.param(
            [network(GATEWAY), gateway(), rt(EVERYTHING, disableBgpRoutePropagation=True)], [], id="by the appliance"
        ),
        pytest.param(
            [
                vnet("vnet", uses("web", "10.0.1.0/24"), uses("nva", "10.0.9.0/24", "rt-nva"), GATEWAY),
                gateway(),
                rt(EVERYTHING),
                table("rt-nva", OUT, disableBgpRoutePropagation=True),
                *appliance(),
            ],
            [],
            id="the appliance's own subnet",
        ),
    ],
)
def test_on_premises_cut_off(resources: list[Body], found: list[str]) -> None:
    assert told("UDR017", [*resources, *WEB]).found == found
