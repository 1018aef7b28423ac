"""Next hops that do not pass traffic on."""

import pytest

from diagnostics.findings import Severity
from tests.checks.audited import Body, nic, ref, resource, subnet, table, told, vnet
from tests.checks.routed import (
    EVERYTHING,
    NVA,
    WEB,
    appliance,
    balancer,
    firewall,
    gateway,
    member,
    network,
    peering,
    rt,
    severities,
)

HIGH, MEDIUM, LOW, INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
TO_BALANCER = ("0.0.0.0/0", NVA, "10.0.9.10")
FIREWALLS = subnet("AzureFirewallSubnet", "10.0.8.0/26")
ECMP: Body = {
    "name": "r1",
    "properties": {
        "addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualApplianceEcmp",
        "nextHop": {"nextHopIpAddresses": ["10.0.9.4", "10.0.9.5"]},
    },
}


def hidden() -> Body:
    """A NIC of the appliances' subnet that shows no address."""
    made = nic("nic-off", "", ref("subnet", "vnet", "nva"))
    del made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    return made


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([network(), rt(EVERYTHING), *WEB], [HIGH], id="nobody in the subnet"),
        pytest.param([network(), rt(EVERYTHING)], [MEDIUM], id="but its subnets are empty"),
        pytest.param(
            [vnet("vnet", subnet("nva", "10.0.9.0/24")), rt(EVERYTHING)], [LOW], id="but the table is not used"
        ),
        pytest.param([network(), rt(EVERYTHING), *appliance(), *WEB], [], id="a NIC has it"),
        pytest.param([network(), rt(TO_BALANCER), balancer(), *WEB], [], id="an internal load balancer has it"),
        pytest.param(
            [network(FIREWALLS), rt(("0.0.0.0/0", NVA, "10.0.8.4")), firewall("10.0.8.4"), *WEB],
            [],
            id="a firewall has it",
        ),
        pytest.param([network(FIREWALLS), rt(("0.0.0.0/0", NVA, "10.0.8.4")), *WEB], [HIGH], id="firewall deleted"),
        pytest.param([network(), rt(("0.0.0.0/0", NVA, "10.0.200.4")), *WEB], [HIGH], id="in none of the subnets"),
        pytest.param([network(), rt(("0.0.0.0/0", "Internet", "")), *WEB], [], id="no appliance"),
        pytest.param([network(), table("rt", routes=[ECMP]), *appliance(), *WEB], [HIGH], id="one of equal hops"),
        pytest.param(
            [
                network(),
                rt(("10.0.0.0/8", NVA, "10.0.9.9"), ("10.0.0.0/9", "None", ""), ("10.128.0.0/9", "None", "")),
                *WEB,
            ],
            [],
            id="a route that never wins harms nobody",
        ),
        pytest.param(
            [network(), table("rt", routes=[{**ECMP, "name": "aks-nodepool1-vmss0000____102440024"}]), *WEB],
            [],
            id="AKS looks after it",
        ),
        pytest.param(
            [network(peerings=(peering("hub", "10.7.0.0/16"),)), rt(("0.0.0.0/0", NVA, "10.7.0.4")), *WEB],
            [],
            id="in a network that is not there",
        ),
    ],
)
def test_an_address_that_nobody_has(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR003", resources) == found


@pytest.mark.parametrize(
    ("resources", "complete"),
    [
        pytest.param([network(), rt(EVERYTHING), hidden(), *WEB], True, id="a NIC there shows no address"),
        pytest.param([network(), rt(EVERYTHING), *WEB], False, id="NICs were not listed"),
        pytest.param(
            [network(peerings=(peering("hub", "10.7.0.0/16"),)), rt(("0.0.0.0/0", NVA, "10.7.0.4")), *WEB],
            True,
            id="peer",
        ),
        pytest.param([network(), rt(("0.0.0.0/0", NVA, "")), *WEB], True, id="the route has no address"),
        pytest.param(
            [
                network(subnet("cloud", "10.0.7.0/24", delegations=[{"properties": {"serviceName": "PaloAlto/x"}}])),
                rt(("0.0.0.0/0", NVA, "10.0.7.4")),
                *WEB,
            ],
            True,
            id="a delegated subnet",
        ),
        pytest.param(
            [
                network(subnet("vmss", "10.0.7.0/24", ipConfigurations=[ref("nic", "elsewhere")])),
                rt(("0.0.0.0/0", NVA, "10.0.7.4")),
                *WEB,
            ],
            True,
            id="the subnet lists what is not there",
        ),
    ],
)
def test_what_may_have_the_address_makes_it_unknown(resources: list[Body], *, complete: bool) -> None:
    assert told("UDR003", resources, complete=complete) == ([], ["rt"])


def test_a_subnet_that_lists_all_that_is_in_it_proves_that_nobody_has_the_address() -> None:
    own = ref("nic", "nic-nva")["id"].replace("networkInterfaces'", "networkInterfaces/ipConfigurations'")
    listed = [{"id": own.replace("'nic-nva'", "'nic-nva', 'ipconfig1'")}]
    home = vnet(
        "vnet",
        subnet("web", "10.0.1.0/24", routeTable=ref("table", "rt")),
        subnet("nva", "10.0.9.0/24", ipConfigurations=listed),
    )
    resources = [home, rt(EVERYTHING), *appliance(address="10.0.9.7"), *WEB]
    assert told("UDR003", resources, complete=False) == (["rt"], [])


@pytest.mark.parametrize(
    ("power", "found", "unclear"),
    [
        ("running", [], []),
        ("deallocated", ["rt"], []),
        ("stopped", ["rt"], []),
        ("unknown", [], ["rt"]),
    ],
)
def test_an_appliance_that_does_not_run(power: str, found: list[str], unclear: list[str]) -> None:
    assert told("UDR004", [network(), rt(EVERYTHING), *appliance(power), *WEB]) == (found, unclear)


@pytest.mark.parametrize(("complete", "said"), [(True, (["rt"], [])), (False, ([], []))])
def test_a_nic_of_no_vm_runs_as_little(complete: bool, said: tuple[list[str], list[str]]) -> None:  # noqa: FBT001
    alone = nic("nic-nva", "10.0.9.4", ref("subnet", "vnet", "nva"))
    assert told("UDR004", [network(), rt(EVERYTHING), alone, *WEB], complete=complete) == said


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([rt(EVERYTHING), *appliance(forwards=False)], [HIGH], id="off"),
        pytest.param([rt(EVERYTHING), *appliance()], [], id="on"),
        pytest.param([rt(TO_BALANCER), balancer(), *member(forwards=False)], [HIGH], id="off behind a load balancer"),
        pytest.param([rt(TO_BALANCER), balancer(), *member()], [], id="on behind a load balancer"),
        pytest.param([table("RT", EVERYTHING), *appliance(forwards=False)], [HIGH], id="ids in another case"),
    ],
)
def test_a_next_hop_that_may_not_forward(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR005", [network(), *resources, *WEB]) == found


FAR = rt(("0.0.0.0/0", NVA, "10.50.0.4"))


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        pytest.param([network(), FAR], (["rt"], []), id="in no network near"),
        pytest.param([network(peerings=(peering("hub", "10.50.0.0/16"),)), FAR], ([], []), id="in a peer"),
        pytest.param(
            [network(peerings=(peering("hub", "10.50.0.0/16", peeringState="Disconnected"),)), FAR],
            (["rt"], []),
            id="the peering is not connected",
        ),
        pytest.param(
            [network(subnet("GatewaySubnet", "10.0.0.0/27")), gateway(), FAR], ([], []), id="perhaps behind a gateway"
        ),
        pytest.param([network(), rt(EVERYTHING)], ([], []), id="in reach: nobody has it, which UDR003 tells"),
    ],
)
def test_a_next_hop_out_of_reach(resources: list[Body], said: tuple[list[str], list[str]]) -> None:
    assert told("UDR015", [*resources, *WEB]) == said


def test_out_of_reach_is_not_told_as_nobody_too() -> None:
    assert told("UDR003", [network(), FAR, *WEB]) == ([], [])


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([balancer("Tcp", 443), *member()], [MEDIUM], id="one port only"),
        pytest.param([balancer(), *member()], [], id="all ports"),
        pytest.param([balancer()], [MEDIUM], id="an empty pool"),
        pytest.param([balancer(), *member("deallocated")], [MEDIUM], id="all members are off"),
        pytest.param([balancer(), *member("unknown")], [], id="it is not known whether they are"),
    ],
)
def test_a_load_balancer_that_passes_nothing_on(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR016", [network(), rt(TO_BALANCER), *resources, *WEB]) == found


def test_members_that_cannot_be_seen_are_unknown() -> None:
    hidden_pool = {"name": "nvas", "properties": {"backendIPConfigurations": [ref("nic", "elsewhere")]}}
    made = balancer()
    other = resource("balancer", "lb", {**made["properties"], "backendAddressPools": [hidden_pool]}, sku=made["sku"])
    assert told("UDR016", [network(), rt(TO_BALANCER), other, *WEB]) == ([], ["rt"])
