"""Network Watchers and flow logs."""

from typing import Any

import pytest

from tests.checks.audited import Body, audited, nic, nsg, ref, resource, subnet, told, vm, vnet

NETWORK = "Microsoft.Network"
VNET = vnet("v", subnet("web", "10.0.1.0/24", networkSecurityGroup=ref("nsg", "n")), subnet("empty", "10.0.2.0/24"))
NIC = nic("nic-1", "10.0.1.4", ref("subnet", "v", "web"))
OTHER_NIC = nic("nic-2", "10.0.2.4", ref("subnet", "v", "empty"))
SAYING = {**VNET, "properties": {**VNET["properties"], "flowLogs": [ref("vnet", "v")]}}
NSG_ID, VNET_ID = ref("nsg", "n")["id"], ref("vnet", "v")["id"]
SUBNET_ID = ref("subnet", "v", "web")["id"]


def watcher(location: str = "westeurope", state: str = "Succeeded", name: str = "w") -> Body:
    properties = {"provisioningState": state}
    return {"type": f"{NETWORK}/networkWatchers", "name": name, "location": location, "properties": properties}


def log(target: str = VNET_ID, **properties: Any) -> Body:
    inside = {"targetResourceId": target, "enabled": True, **properties}
    return {"type": f"{NETWORK}/networkWatchers/flowLogs", "name": "w/flow", "properties": inside}


@pytest.mark.parametrize(
    ("resources", "complete", "found", "unclear"),
    [
        pytest.param([VNET], True, 1, 0, id="none"),
        pytest.param([VNET, watcher("West Europe")], True, 0, 0, id="the region in another spelling"),
        pytest.param([VNET, watcher("northeurope")], True, 1, 0, id="of another region"),
        pytest.param([VNET], False, 0, 1, id="not exported"),
        pytest.param([nsg("n")], True, 0, 0, id="no network there"),
        pytest.param([VNET, vnet("v2"), vnet("v3", prefix="10.9.0.0/16")], True, 1, 0, id="a region once"),
    ],
)
def test_regions(resources: list[Body], found: int, unclear: int, *, complete: bool) -> None:
    said = told("WAT001", resources, complete=complete)
    assert (len(said.found), len(said.unclear)) == (found, unclear)


@pytest.mark.parametrize(
    ("state", "found"), [("Succeeded", []), ("succeeded", []), ("Failed", ["w"]), ("Updating", [])]
)
def test_the_state_of_a_watcher(state: str, found: list[str]) -> None:
    assert told("WAT002", [watcher(state=state)]).found == found


@pytest.mark.parametrize(
    ("resources", "complete", "found", "unclear"),
    [
        pytest.param([VNET, NIC], True, ["v"], [], id="none"),
        pytest.param([VNET, NIC], False, [], ["v"], id="not exported"),
        pytest.param([VNET, NIC, log()], True, [], [], id="of the network"),
        pytest.param([VNET, NIC, log(VNET_ID.replace("virtualNetworks", "VIRTUALNETWORKS"))], True, [], [], id="case"),
        pytest.param([VNET], True, [], [], id="nothing in it"),
        pytest.param([VNET, NIC, log(SUBNET_ID)], True, [], [], id="nothing in the other subnet"),
        pytest.param([VNET, NIC, OTHER_NIC, log(SUBNET_ID)], True, ["v"], [], id="of one subnet of two"),
        pytest.param([vnet("v", VNET["properties"]["subnets"][0]), NIC, log(SUBNET_ID)], True, [], [], id="of each"),
        pytest.param([vnet("v", VNET["properties"]["subnets"][0]), NIC, log(NSG_ID)], True, [], [], id="of its NSG"),
        pytest.param([SAYING, NIC], False, [], [], id="the network says so"),
    ],
)  # fmt: skip
def test_what_flows_is_recorded(resources: list[Body], found: list[str], unclear: list[str], *, complete: bool) -> None:
    said = told("WAT003", resources, complete=complete)
    assert (said.found, said.unclear) == (found, unclear)


def analytics(*, on: bool) -> dict[str, Any]:
    return {"flowAnalyticsConfiguration": {"networkWatcherFlowAnalyticsConfiguration": {"enabled": on}}}


def kept(days: int, *, enabled: bool = True) -> dict[str, Any]:
    return {"retentionPolicy": {"days": days, "enabled": enabled}}


@pytest.mark.parametrize(
    ("check", "properties", "found"),
    [
        ("WAT004", {"enabled": False}, True),
        ("WAT004", {}, False),
        ("WAT005", {"provisioningState": "failed"}, True),
        ("WAT005", {"provisioningState": "Succeeded"}, False),
        ("WAT006", kept(89), True),
        ("WAT006", kept(90), False),
        ("WAT006", kept(0), False),
        ("WAT006", kept(30, enabled=False), False),
        ("WAT006", {}, False),
        ("WAT006", {**kept(30), "enabled": False}, False),
        ("WAT007", {}, True),
        ("WAT007", analytics(on=False), True),
        ("WAT007", analytics(on=True), False),
        ("WAT007", {"enabled": False}, False),
    ],
)
def test_flow_logs(check: str, properties: dict[str, Any], *, found: bool) -> None:
    assert told(check, [VNET, NIC, log(**properties)]).found == (["flow"] if found else [])


@pytest.mark.parametrize(
    ("target", "properties", "found"),
    [(NSG_ID, {}, True), (NSG_ID, {"enabled": False}, False), (VNET_ID, {}, False)],
)
def test_flow_logs_of_nsgs_end(target: str, properties: dict[str, Any], *, found: bool) -> None:
    assert bool(told("WAT008", [nsg("n"), log(target, **properties)]).found) is found


@pytest.mark.parametrize(
    ("resources", "complete", "found"),
    [
        ([log(NSG_ID)], True, True),
        ([log(NSG_ID)], False, False),
        ([log(NSG_ID), nsg("n")], True, False),
        ([log(VNET_ID)], True, True),
        ([log(SUBNET_ID)], True, False),
    ],
)
def test_a_flow_log_of_nothing(resources: list[Body], *, complete: bool, found: bool) -> None:
    assert bool(told("WAT009", resources, complete=complete).found) is found


@pytest.mark.parametrize(
    ("resources", "complete", "found", "unclear"),
    [
        ([vm("m", "nic-1")], True, 1, 0),
        ([vm("m", "nic-1")], False, 0, 1),
        ([vm("m", "nic-1"), resource("vnet", "v")], True, 1, 0),
        ([VNET], True, 0, 0),
        ([vm("m", "nic-1"), {"type": f"{NETWORK}/networkWatchers/connectionMonitors", "name": "w/m"}], True, 0, 0),
    ],
)
def test_connections_are_tried(resources: list[Body], found: int, unclear: int, *, complete: bool) -> None:
    said = told("WAT010", resources, complete=complete)
    assert (len(said.found), len(said.unclear)) == (found, unclear)


def test_a_connection_monitor_is_made_with_all_that_it_needs() -> None:
    (found,) = audited("WAT010", [vm("m", "nic-1")]).findings
    assert "--protocol Tcp --tcp-port 443" in found.remedy.az_cli
    assert "--endpoint-dest-name TO --endpoint-dest-address ADDRESS" in found.remedy.az_cli
