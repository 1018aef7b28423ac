"""Circles, one-way paths, and peerings that do not take what is forwarded."""

import pytest

from diagnostics.findings import Severity
from tests.checks.audited import Body, audited, nic, ref, resource, subnet, table, told, vm, vnet
from tests.checks.routed import (
    EVERYTHING,
    NVA,
    WEB,
    appliance,
    firewall,
    gateway,
    network,
    peering,
    rt,
    severities,
    uses,
)

HIGH, MEDIUM, LOW, INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
TO_B = ("10.0.2.0/24", NVA, "10.0.9.4")
TO_WEB = ("10.0.1.0/24", NVA, "10.0.9.4")
DB = [nic("nic-db", "10.0.2.5", ref("subnet", "vnet", "db"), "vm-db"), vm("vm-db", "nic-db")]


def at_once(*routes: tuple[str, str, str]) -> list[Body]:
    """Everything in one subnet: clients, appliance, and the table."""
    home = vnet("vnet", uses("all", "10.0.9.0/24"), subnet("db", "10.0.2.0/24"))
    return [home, rt(*routes), *appliance(at="all")]


def two_nics(*, seen: bool = True) -> list[Body]:
    """An appliance with a leg in the clients' subnet and one outside."""
    home = vnet("vnet", uses("all", "10.0.9.0/24"), subnet("out", "10.0.2.0/24"))
    inside = nic("nic-in", "10.0.9.4", ref("subnet", "vnet", "all"), "vm-nva", enableIPForwarding=True)
    outside = [nic("nic-out", "10.0.2.4", ref("subnet", "vnet", "out"), "vm-nva")] if seen else []
    return [home, rt(EVERYTHING), inside, *outside, vm("vm-nva", "nic-in", "nic-out")]


def two_appliances(back: str) -> list[Body]:
    """Two appliances, each in a subnet with a table; the second's leads to an address."""
    home = vnet(
        "vnet", uses("one", "10.0.9.0/24", "rt-1"), uses("two", "10.0.8.0/24", "rt-2"), subnet("db", "10.0.2.0/24")
    )
    second = nic("nic-2", "10.0.8.4", ref("subnet", "vnet", "two"), "vm-2", enableIPForwarding=True)
    tables = [table("rt-1", ("10.0.2.0/24", NVA, "10.0.8.4")), table("rt-2", ("10.0.2.0/24", NVA, back))]
    return [home, *tables, *appliance(at="one"), second, vm("vm-2", "nic-2")]


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        pytest.param(at_once(EVERYTHING), (["rt"], []), id="its own subnet leads back to it"),
        pytest.param(at_once(("0.0.0.0/1", NVA, "10.0.9.4")), (["rt"], []), id="half of everything"),
        pytest.param(at_once(TO_B), (["rt"], []), id="for a subnet of the network"),
        pytest.param(at_once(("192.168.0.0/16", NVA, "10.0.9.4")), ([], []), id="what is behind it is sent on wrapped"),
        pytest.param(
            at_once(EVERYTHING, ("0.0.0.0/1", "Internet", ""), ("128.0.0.0/1", "Internet", "")), ([], []), id="halves"
        ),
        pytest.param([network(), rt(EVERYTHING), *appliance(), *WEB], ([], []), id="a subnet of its own"),
        pytest.param(two_nics(), ([], []), id="another way out"),
        pytest.param(two_nics(seen=False), ([], ["rt"]), id="perhaps another way out"),
        pytest.param(two_appliances("10.0.9.4"), (["rt-1", "rt-2"], []), id="two lead to each other"),
        pytest.param(two_appliances("10.0.7.4"), ([], []), id="the second leads elsewhere"),
        pytest.param(
            [
                vnet("vnet", uses("AzureFirewallSubnet", "10.0.9.0/26"), subnet("db", "10.0.2.0/24")),
                rt(TO_B),
                firewall(),
            ],
            (["rt"], []),
            id="a firewall to itself",
        ),
    ],
)
def test_circles(resources: list[Body], said: tuple[list[str], list[str]]) -> None:
    assert told("UDR006", resources) == said


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(two_nics(), [LOW], id="it has another way out"),
        pytest.param(two_nics(seen=False), [MEDIUM], id="it may have one"),
        pytest.param(at_once(EVERYTHING), [], id="a circle is told as that"),
        pytest.param(at_once(("10.244.0.0/24", NVA, "10.0.9.4")), [], id="pods behind a node"),
        pytest.param([network(), rt(EVERYTHING), *appliance(), *WEB], [], id="a subnet of its own"),
    ],
)
def test_an_appliance_among_those_whose_traffic_it_takes(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR020", resources) == found


def pair(*back: tuple[str, str, str], has_table: bool = True, hosts: bool = True) -> list[Body]:
    """`web` sends what is for `db` to the appliance; what `db` does is the question."""
    other = uses("db", "10.0.2.0/24", "rt-db") if has_table else subnet("db", "10.0.2.0/24")
    return [network(other), rt(TO_B), table("rt-db", *back), *appliance(), *WEB, *(DB if hosts else [])]


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(pair(has_table=False), [HIGH], id="no table on the way back"),
        pytest.param(
            pair(("0.0.0.0/0", NVA, "10.0.9.4")), [HIGH], id="everything is not enough: the network's own wins"
        ),
        pytest.param(pair(TO_WEB), [], id="back the same way"),
        pytest.param(pair(("10.0.0.0/16", NVA, "10.0.9.4")), [], id="back by the whole space"),
        pytest.param(
            pair(("10.0.1.0/25", NVA, "10.0.9.4"), ("10.0.1.128/25", NVA, "10.0.9.4")), [], id="back in halves"
        ),
        pytest.param(pair(("10.0.1.0/24", NVA, "10.0.9.99")), [HIGH], id="back by another"),
        pytest.param(pair(("10.0.1.0/24", "None", "")), [], id="not back at all is no asymmetry"),
        pytest.param(pair(has_table=False, hosts=False), [], id="nobody is there"),
    ],
)
def test_one_way_only(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR010", resources) == found


def test_a_table_on_the_way_back_that_is_not_there_is_unknown() -> None:
    resources = [each for each in pair(TO_WEB) if each["name"] != "rt-db"]
    assert told("UDR010", resources) == ([], ["rt"])


def spokes(*, second: bool) -> list[Body]:
    """Two spokes of a hub with an appliance; the second sends back through it, or does not."""
    hub = vnet("hub", subnet("nva", "10.9.9.0/24"), subnet("tools", "10.9.1.0/24"), prefix="10.9.0.0/16",
               virtualNetworkPeerings=[peering("one", "10.1.0.0/16"), peering("two", "10.2.0.0/16")])  # fmt: skip
    made = [hub]
    for number, name in enumerate(("one", "two"), 1):
        home = (
            uses("app", f"10.{number}.1.0/24", f"rt-{name}")
            if second or name == "one"
            else subnet("app", "10.2.1.0/24")
        )
        up = [peering("hub", "10.9.0.0/16")]
        made.append(vnet(name, home, prefix=f"10.{number}.0.0/16", virtualNetworkPeerings=up))
        made.append(table(f"rt-{name}", ("10.0.0.0/8", NVA, "10.9.9.4")))
        made += [
            nic(f"nic-{name}", f"10.{number}.1.4", ref("subnet", name, "app"), f"vm-{name}"),
            vm(f"vm-{name}", f"nic-{name}"),
        ]
    at = ref("subnet", "hub", "nva")
    return [*made, nic("nic-nva", "10.9.9.4", at, "vm-nva", enableIPForwarding=True), vm("vm-nva", "nic-nva")]


@pytest.mark.parametrize("second", [True, False])
def test_spokes_that_reach_each_other_only_through_the_hub_are_never_asymmetric(second: bool) -> None:  # noqa: FBT001
    assert told("UDR010", spokes(second=second)) == ([], [])


def premises(**properties: bool) -> list[Body]:
    """The gateway's subnet sends what is for `web` to the appliance; on-premises is 192.168.0.0/16."""
    local = {
        "type": "Microsoft.Network/localNetworkGateways",
        "name": "office",
        "properties": {"localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/16"]}},
    }
    ends = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": "[resourceId('Microsoft.Network/virtualNetworkGateways', 'gw')]"},
        "localNetworkGateway2": {"id": "[resourceId('Microsoft.Network/localNetworkGateways', 'office')]"},
    }
    vpn = {"type": "Microsoft.Network/connections", "name": "vpn", "properties": ends}
    home = network(uses("GatewaySubnet", "10.0.0.0/27", "rt-gw"))
    return [home, rt(EVERYTHING, **properties), table("rt-gw", TO_WEB), gateway(), local, vpn, *appliance(), *WEB]


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(premises(), ["rt"], id="answers take what the gateway learnt"),
        pytest.param(premises(disableBgpRoutePropagation=True), [], id="which is kept from them"),
    ],
)
def test_answers_to_on_premises(resources: list[Body], found: list[str]) -> None:
    assert [finding.resource.name for finding in audited("UDR010", resources).findings] == found


def spoke(*routes: tuple[str, str, str], allowed: bool = False) -> list[Body]:
    home = network(peerings=(peering("hub", "10.9.0.0/16", allowForwardedTraffic=allowed),))
    return [home, rt(*routes), *WEB]


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(spoke(("0.0.0.0/0", NVA, "10.9.0.4")), [HIGH], id="answers from the internet are forwarded"),
        pytest.param(spoke(("0.0.0.0/0", NVA, "10.9.0.4"), allowed=True), [], id="and let in"),
        pytest.param(spoke(("10.9.1.0/24", NVA, "10.9.0.4")), [], id="only what comes from the hub itself"),
        pytest.param(spoke(EVERYTHING), [], id="an appliance of its own network"),
        pytest.param(
            [
                network(
                    peerings=(peering("hub", "10.9.0.0/16", "RemoteVnetToHubPeering_1", allowForwardedTraffic=False),)
                ),
                rt(("0.0.0.0/0", NVA, "10.9.0.4")),
                *WEB,
            ],
            [],
            id="Virtual WAN looks after its own",
        ),
        pytest.param(spoke(("0.0.0.0/0", "Internet", "")), [], id="no appliance"),
    ],
)
def test_a_peering_that_refuses_what_is_forwarded(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR021", resources) == found


def test_the_gateways_subnet_sends_across_peerings_too() -> None:
    up = peering("hub", "10.9.0.0/16", allowForwardedTraffic=False)
    hub = vnet("hub", uses("GatewaySubnet", "10.9.0.0/27", "rt-gw"), subnet("nva", "10.9.9.0/24"), prefix="10.9.0.0/16",
               virtualNetworkPeerings=[peering("vnet", "10.0.0.0/16")])  # fmt: skip
    at = ref("subnet", "hub", "nva")
    box = nic("nic-hub", "10.9.9.4", at, "vm-hub", enableIPForwarding=True)
    resources = [
        network(peerings=(up,)),
        hub,
        table("rt-gw", ("10.0.0.0/16", NVA, "10.9.9.4")),
        box,
        vm("vm-hub", "nic-hub"),
    ]
    assert severities("UDR021", [*resources, *WEB]) == [HIGH]


PARTNER = peering("partner", "10.7.0.0/16")


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([network(peerings=(PARTNER,)), rt(EVERYTHING)], [INFO], id="straight to a peer"),
        pytest.param([network(peerings=(PARTNER,)), rt(EVERYTHING, ("10.7.0.0/16", NVA, "10.0.9.4"))], [], id="by it"),
        pytest.param(
            [network(peerings=(PARTNER,)), rt(EVERYTHING, ("10.0.0.0/8", NVA, "10.0.9.4"))], [INFO], id="wider"
        ),
        pytest.param(
            [network(peerings=(PARTNER,)), rt(EVERYTHING, disablePeeringRoute="All")], [], id="without peering routes"
        ),
        pytest.param(
            [network(peerings=(peering("hub", "10.9.0.0/16"),)), rt(("0.0.0.0/0", NVA, "10.9.0.4"))],
            [],
            id="the hub itself",
        ),
        pytest.param([network(peerings=(PARTNER,)), rt(("0.0.0.0/0", "Internet", ""))], [], id="no appliance"),
    ],
)
def test_traffic_to_peers_that_goes_past(resources: list[Body], found: list[Severity]) -> None:
    assert severities("UDR018", [*resources, *appliance(), *WEB]) == found


def test_a_resource_that_is_no_appliance_is_not_followed() -> None:
    assert told("UDR006", [resource("table", "rt"), network()]) == ([], [])
