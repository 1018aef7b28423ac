"""Checks of peerings: broken, half, out of sync, overlapping, with gateways that are not there."""

import pytest

from tests.checks.audited import Body, Told, audited, ref, resource, subnet, told, vnet

NONE = Told([], [])


def side(name: str, remote: str, state: str = "", **properties: object) -> Body:
    said = {"peeringState": state} if state else {}
    return {"name": name, "properties": {"remoteVirtualNetwork": ref("vnet", remote), **said, **properties}}


def network(name: str, prefix: str, *peerings: Body, subnets: tuple[Body, ...] = ()) -> Body:
    return vnet(name, *subnets, prefix=prefix, virtualNetworkPeerings=list(peerings))


def pair(one: str, other: str) -> list[Body]:
    hub, spoke = side("to-spoke", "SPOKE", one), side("to-hub", "HUB", other)
    return [network("hub", "10.0.0.0/16", hub), network("spoke", "10.1.0.0/16", spoke)]


@pytest.mark.parametrize(
    ("resources", "expected", "severities"),
    [
        pytest.param(pair("Connected", "Connected"), [], [], id="connected"),
        pytest.param(pair("", ""), [], [], id="in a template"),
        pytest.param(pair("Disconnected", "Disconnected"), ["to-spoke"], ["high"], id="both broken: one finding"),
        pytest.param(pair("Initiated", "disconnected"), ["to-hub"], ["high"], id="the broken side"),
        pytest.param(pair("Initiated", "Initiated"), ["to-spoke"], ["medium"], id="not made"),
        pytest.param(pair("Connected", "Initiated"), ["to-hub"], ["medium"], id="one side only"),
        pytest.param(
            [network("hub", "10.0.0.0/16", side("p", "gone", "Disconnected"))], ["p"], ["low"], id="a left-over"
        ),
        pytest.param(
            [network("hub", "10.0.0.0/16", side("p", "spoke", "Disconnected")), network("spoke", "10.1.0.0/16")],
            [],
            [],
            id="half: NET008 says so",
        ),
    ],
)
def test_peerings_that_are_not_connected(resources: list[Body], expected: list[str], severities: list[str]) -> None:
    found = audited("NET007", resources).findings
    assert [each.resource.name for each in found] == expected
    assert [each.severity for each in found] == severities


def test_a_broken_peering_with_a_network_that_may_exist_is_bad() -> None:
    (found,) = audited(
        "NET007", [network("hub", "10.0.0.0/16", side("p", "far", "Disconnected"))], complete=False
    ).findings
    assert found.severity == "high"


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([network("a", "10.0.0.0/16", side("p", "b")), network("b", "10.1.0.0/16")], ["p"], id="planned"),
        pytest.param(
            [network("a", "10.0.0.0/16", side("p", "b", "Disconnected")), network("b", "10.1.0.0/16")],
            ["p"],
            id="broken",
        ),
        pytest.param([network("a", "10.0.0.0/16", side("p", "b", "Initiated"))], [], id="the other is not known"),
        pytest.param(pair("", ""), [], id="both sides, in other case"),
        pytest.param(
            [network("a", "10.0.0.0/16", side("p", "b", "Connected")), network("b", "10.1.0.0/16")],
            [],
            id="Azure says that it is connected",
        ),
    ],
)
def test_halves_of_peerings(resources: list[Body], found: list[str]) -> None:
    assert told("NET008", resources) == Told(found, [])


@pytest.mark.parametrize(
    ("hub", "spoke", "found"),
    [
        pytest.param({"peeringSyncLevel": "FullyInSync"}, {}, [], id="in sync"),
        pytest.param({"peeringSyncLevel": "LocalNotInSync"}, {}, ["to-spoke"], id="Azure says so"),
        pytest.param(
            {"peeringSyncLevel": "RemoteNotInSync"}, {"peeringSyncLevel": "LocalNotInSync"}, ["to-spoke"], id="once"
        ),
        pytest.param({"remoteAddressSpace": {"addressPrefixes": ["10.1.0.0/17"]}}, {}, ["to-spoke"], id="too little"),
        pytest.param(
            {"remoteAddressSpace": {"addressPrefixes": ["10.1.0.0/17", "10.1.128.0/17"]}}, {}, [], id="in two parts"
        ),
        pytest.param(
            {"remoteAddressSpace": {"addressPrefixes": ["10.1.0.0/17"]}, "peeringSyncLevel": "FullyInSync"},
            {},
            [],
            id="a part is meant",
        ),
    ],
)
def test_peerings_out_of_sync(hub: Body, spoke: Body, found: list[str]) -> None:
    one, other = side("to-spoke", "spoke", "Connected", **hub), side("to-hub", "hub", "Connected", **spoke)
    resources = [network("hub", "10.0.0.0/16", one), network("spoke", "10.1.0.0/16", other)]
    assert told("NET010", resources) == Told(found, [])


def hub_of(*prefixes: str, state: str = "Connected") -> list[Body]:
    names = [f"spoke-{n}" for n in range(len(prefixes))]
    spokes = [network(name, prefix, side("to-hub", "hub", state)) for name, prefix in zip(names, prefixes, strict=True)]
    return [network("hub", "10.0.0.0/16", *(side(f"to-{name}", name, state) for name in names)), *spokes]


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(hub_of("10.1.0.0/16", "10.2.0.0/16"), [], id="apart"),
        pytest.param(hub_of("10.1.0.0/16", "10.1.128.0/17"), ["hub"], id="one in the other"),
        pytest.param(hub_of("10.1.0.0/16", "10.1.0.0/16", "10.1.0.0/24"), ["hub"], id="three are one finding"),
        pytest.param(hub_of("10.0.8.0/24"), ["hub"], id="the hub's own, told once"),
        pytest.param(hub_of("10.1.0.0/16", "10.1.0.0/16", state="Disconnected"), [], id="not connected"),
        pytest.param(hub_of("fd00::/48", "fd00:0:0:1::/64"), ["hub"], id="IPv6"),
    ],
)
def test_address_spaces_that_overlap(resources: list[Body], found: list[str]) -> None:
    assert told("NET012", resources) == Told(found, [])


GATEWAY = subnet("GatewaySubnet", "10.0.0.0/27")
OCCUPIED = subnet("gatewaysubnet", "10.0.0.0/27", ipConfigurations=[ref("nic", "of-a-gateway")])
PLACE = {"ipConfigurations": [{"name": "i", "properties": {"subnet": ref("subnet", "hub", "GatewaySubnet")}}]}
VPN = resource("nat", "vpn", {**PLACE, "gatewayType": "Vpn"}) | {"type": "Microsoft.Network/virtualNetworkGateways"}


@pytest.mark.parametrize(
    ("subnets", "transit", "others", "complete", "expected"),
    [
        pytest.param((OCCUPIED,), True, [], True, NONE, id="a gateway that shows in the subnet"),
        pytest.param((GATEWAY,), True, [VPN], True, NONE, id="a gateway"),
        pytest.param((GATEWAY,), True, [], False, Told([], ["to-hub"]), id="perhaps a gateway"),
        pytest.param((GATEWAY,), True, [], True, Told(["to-hub"], []), id="no gateway"),
        pytest.param((), True, [], False, Told(["to-hub"], []), id="no place for one"),
        pytest.param((subnet("RouteServerSubnet", "10.0.0.0/27"),), True, [], True, NONE, id="a route server"),
        pytest.param((GATEWAY,), False, [VPN], True, Told(["to-hub"], []), id="it is not shared"),
    ],
)
def test_gateways_that_are_not_there(
    subnets: tuple[Body, ...],
    transit: bool,  # noqa: FBT001
    others: list[Body],
    complete: bool,  # noqa: FBT001
    expected: Told,
) -> None:
    hub = network("hub", "10.0.0.0/16", side("p", "spoke", "Connected", allowGatewayTransit=transit), subnets=subnets)
    spoke = network("spoke", "10.1.0.0/16", side("to-hub", "hub", "Connected", useRemoteGateways=True))
    assert told("NET016", [hub, spoke, *others], complete=complete) == expected


def test_the_same_findings_come_in_whatever_order() -> None:
    resources = [*pair("Disconnected", "Disconnected"), *hub_of("10.1.0.0/16", "10.1.0.0/16")[1:]]
    one, other = (audited("NET007", each).findings for each in (resources, resources[::-1]))
    assert [found.finding_id for found in one] == [found.finding_id for found in other]
