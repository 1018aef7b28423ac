"""Checks of public IPs, load balancers and NAT gateways."""

from typing import Any

import pytest

from tests.checks.audited import Body, Told, audited, nic, public_ip, ref, resource, subnet, told, vnet

NONE = Told([], [])
AZURES: Body = {"provisioningState": "Succeeded"}
NAT = {"publicIpAddresses": [ref("public", "pip")]}
RESOURCES = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network"
PREFIX = {"publicIpPrefixes": [{"id": f"{RESOURCES}/publicIPPrefixes/p"}]}
WEB = ref("subnet", "vnet-1", "web")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param([public_ip("pip", **AZURES)], Told(["pip"], []), id="Azure says so"),
        pytest.param([public_ip("pip")], Told([], ["pip"]), id="a template does not say"),
        pytest.param([public_ip("pip"), resource("nat", "n", NAT)], NONE, id="a NAT gateway has it"),
        pytest.param([public_ip("pip", natGateway=ref("nat", "n"), **AZURES)], NONE, id="it says a NAT gateway has it"),
        pytest.param([public_ip("pip", ipConfiguration=ref("firewall", "fw"), **AZURES)], NONE, id="a firewall has it"),
        pytest.param(
            [public_ip("PIP"), nic("n", "10.0.0.4", WEB, "", {"publicIPAddress": ref("public", "pip")})],
            NONE,
            id="a NIC has it, in other case",
        ),
    ],
)
def test_public_addresses_for_nobody(resources: list[Body], expected: Told) -> None:
    assert told("PIP002", resources, complete=False) == expected


def balancer(sku: str = "Standard", **properties: Any) -> Body:
    body = resource("balancer", "lb", dict(properties))
    return body | ({"sku": {"name": sku}} if sku else {})


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([public_ip("pip", sku="basic")], Told(["pip"], [])),
        ([public_ip("pip")], NONE),
        ([resource("public", "pip")], Told([], ["pip"])),
        ([balancer("Basic")], Told(["lb"], [])),
        ([balancer("Gateway")], NONE),
        ([balancer("")], Told([], ["lb"])),
    ],
)
def test_retired_skus(resources: list[Body], expected: Told) -> None:
    assert told("PIP003", resources) == expected


@pytest.mark.parametrize(("zones", "found"), [(["1"], ["pip"]), (["1", "2", "3"], []), ([], [])])
def test_addresses_in_one_zone(zones: list[str], found: list[str]) -> None:
    assert told("PIP004", [public_ip("pip") | {"zones": zones}]).found == found
    assert told("PIP004", [public_ip("pip", sku="Basic") | {"zones": zones}]) == NONE


POOLS: Body = {"backendAddressPools": [{"name": "p"}]}
OF_SCALE_SET = {"backendIPConfigurations": [ref("nic", "of-a-scale-set")]}
LISTED: Body = {"backendAddressPools": [{"name": "p", "properties": OF_SCALE_SET}]}
BY_ADDRESS = [{"name": "a", "properties": {"ipAddress": "10.0.0.9"}}]
ADDRESSED: Body = {"backendAddressPools": [{"name": "p", "properties": {"loadBalancerBackendAddresses": BY_ADDRESS}}]}
MEMBER = {"loadBalancerBackendAddressPools": [ref("pool", "lb", "p")]}
NAT_RULE = "[resourceId('Microsoft.Network/loadBalancers/inboundNatRules', 'LB', 'ssh')]"
SCALE_SET = {"type": "Microsoft.Compute/virtualMachineScaleSets", "name": "vmss", "properties": {}}


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([balancer(**POOLS)], True, Told(["lb"], []), id="an empty pool"),
        pytest.param([balancer(**POOLS)], False, Told([], ["lb"]), id="its members may be unknown"),
        pytest.param([balancer(**POOLS, **AZURES)], False, Told(["lb"], []), id="Azure lists none"),
        pytest.param([balancer(**POOLS), SCALE_SET], True, Told([], ["lb"]), id="a scale set may join"),
        pytest.param([balancer(**LISTED)], True, NONE, id="listed"),
        pytest.param([balancer(**ADDRESSED)], True, NONE, id="by address"),
        pytest.param([balancer(**POOLS), nic("n", "10.0.0.4", WEB, "", MEMBER)], True, NONE, id="by its own word"),
        pytest.param(
            [balancer(), nic("n", "10.0.0.4", WEB, "", {"loadBalancerInboundNatRules": [{"id": NAT_RULE}]})],
            True,
            NONE,
            id="an inbound NAT rule",
        ),
    ],
)
def test_load_balancers_without_members(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("PIP005", resources, complete=complete) == expected


SIXTH: Body = {"publicIpAddressesV6": [ref("public", "pip-6")]}
USED = vnet("vnet-1", subnet("web", "10.0.0.0/24", natGateway=ref("nat", "NAT")))


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([resource("nat", "nat", NAT)], True, Told(["nat"], []), id="on no subnet"),
        pytest.param([resource("nat", "nat", NAT)], False, Told([], ["nat"]), id="perhaps on one"),
        pytest.param([resource("nat", "nat", NAT | AZURES)], False, Told(["nat"], []), id="Azure names none"),
        pytest.param([resource("nat", "nat", NAT | {"subnets": [WEB]})], False, NONE, id="it names one"),
        pytest.param([USED, resource("nat", "nat", PREFIX)], True, NONE, id="with a prefix"),
        pytest.param([USED, resource("nat", "nat", SIXTH)], True, NONE, id="with an address of IPv6"),
        pytest.param([USED, resource("nat", "nat", {})], False, Told(["nat"], []), id="without address"),
    ],
)
def test_nat_gateways_for_nobody(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("PIP006", resources, complete=complete) == expected


@pytest.mark.parametrize(("others", "severity"), [([USED], "medium"), ([], "low")])
def test_a_nat_gateway_without_address_is_worse_where_a_subnet_uses_it(others: list[Body], severity: str) -> None:
    (found,) = audited("PIP006", [*others, resource("nat", "nat", {})]).findings
    assert found.severity == severity
