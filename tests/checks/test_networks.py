"""Checks of virtual networks: DDoS protection, encryption, and a Bastion to come in by."""

from typing import Any

import pytest

from tests.checks.audited import Body, Told, nic, public_ip, ref, resource, subnet, told, vnet

NONE = Told([], [])
WEB = ref("subnet", "vnet-1", "web")
OCCUPIED = subnet("GatewaySubnet", "10.0.1.0/27", ipConfigurations=[WEB])


def inhabited(machines: int, **properties: Any) -> list[Body]:
    home = vnet("vnet-1", subnet("web", "10.0.0.0/24"), **properties)
    return [home, *(nic(f"n{i}", f"10.0.0.{4 + i}", WEB, f"vm-{i}") for i in range(machines))]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param(inhabited(2, encryption={"enabled": False}), Told(["vnet-1"], []), id="off"),
        pytest.param(inhabited(2, encryption={"enabled": True}), NONE, id="on"),
        pytest.param(inhabited(2), Told([], ["vnet-1"]), id="not said"),
        pytest.param(inhabited(1, encryption={"enabled": False}), NONE, id="nobody to talk to"),
    ],
)
def test_networks_without_encryption(resources: list[Body], expected: Told) -> None:
    assert told("NET019", resources) == expected


def bastion(network: str) -> Body:
    inner = {"subnet": ref("subnet", network, "AzureBastionSubnet")}
    listed = {"ipConfigurations": [{"name": "ip", "properties": inner}]}
    return resource("firewall", "bas", listed) | {"type": "Microsoft.Network/bastionHosts"}


def peered(state: str) -> Body:
    inner = {"remoteVirtualNetwork": ref("vnet", "HUB"), "peeringState": state}
    return {"virtualNetworkPeerings": [{"name": "to-hub", "properties": inner}]}


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param(inhabited(1), True, Told(["vnet-1"], []), id="none"),
        pytest.param(inhabited(1), False, Told([], ["vnet-1"]), id="not known"),
        pytest.param(inhabited(0), True, NONE, id="no machines"),
        pytest.param([*inhabited(1), bastion("vnet-1")], False, NONE, id="in it"),
        pytest.param([*inhabited(1, **peered("Connected")), bastion("hub")], True, NONE, id="in a peer"),
        pytest.param(
            [*inhabited(1, **peered("Disconnected")), bastion("hub")], True, Told(["vnet-1"], []), id="behind nothing"
        ),
        pytest.param(
            [
                vnet(
                    "vnet-1",
                    subnet("web", "10.0.0.0/24"),
                    subnet("GatewaySubnet", "10.0.1.0/27", ipConfigurations=[WEB]),
                ),
                nic("n", "10.0.0.4", WEB, "vm"),
            ],
            True,
            NONE,
            id="a gateway to come in by",
        ),
    ],
)
def test_networks_without_bastion(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NET021", resources, complete=complete) == expected


def protected(mode: str, **network: Any) -> list[Body]:
    settings: Body = {"ddosSettings": {"protectionMode": mode}} if mode else {}
    public = {"publicIPAddress": ref("public", "pip")}
    return [
        vnet("vnet-1", subnet("web", "10.0.0.0/24"), **network),
        public_ip("pip", **settings),
        nic("n", "10.0.0.4", WEB, "vm", public),
    ]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param(protected("", enableDdosProtection=False), Told(["vnet-1"], []), id="neither"),
        pytest.param(protected("", enableDdosProtection=True), NONE, id="a plan"),
        pytest.param(protected("Enabled", enableDdosProtection=False), NONE, id="the address itself"),
        pytest.param(protected(""), Told([], ["vnet-1"]), id="not said"),
        pytest.param([vnet("vnet-1", enableDdosProtection=False)], NONE, id="no public address"),
    ],
)
def test_networks_without_ddos_protection(resources: list[Body], expected: Told) -> None:
    assert told("NET018", resources) == expected
