"""Checks of ways out: default outbound access, none, and second NICs without one."""

from typing import Any

import pytest

from tests.checks.audited import Body, Told, audited, nic, public_ip, ref, resource, subnet, table, told, vm, vnet

NONE = Told([], [])
WEB, DATA = ref("subnet", "vnet-1", "web"), ref("subnet", "vnet-1", "data")
NAT = {"natGateway": ref("nat", "NATGW")}
GATEWAY = resource("nat", "natgw", {"publicIpAddresses": [ref("public", "pip")]})
PRIVATE = {"defaultOutboundAccess": False}
TABLE = {"routeTable": ref("table", "rt")}
PUBLIC = {"publicIPAddress": ref("public", "pip")}
MACHINE = nic("n", "10.0.0.4", WEB, "vm")


def home(**properties: Any) -> Body:
    return vnet("vnet-1", subnet("web", "10.0.0.0/24", **properties))


def routed(*prefixes: str, hop: str = "10.9.0.4") -> list[Body]:
    kind = "VirtualAppliance" if hop else "None"
    return [home(**TABLE), MACHINE, table("rt", *((prefix, kind, hop) for prefix in prefixes))]


def balanced(*rules: str) -> list[Body]:
    front = {"name": "f", "properties": PUBLIC}
    pool = {"backendAddressPool": ref("pool", "lb", "p"), "protocol": "All"}
    fronts = {"id": "[resourceId('Microsoft.Network/loadBalancers/frontendIPConfigurations', 'lb', 'f')]"}
    listed = {kind: [{"name": "r", "properties": {**pool, "frontendIPConfigurations": [fronts]}}] for kind in rules}
    body = {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "p"}], **listed}
    member = {"loadBalancerBackendAddressPools": [ref("pool", "lb", "p")]}
    balancer = resource("balancer", "lb", body) | {"sku": {"name": "Standard"}}
    return [home(), balancer, public_ip("pip"), nic("n", "10.0.0.4", WEB, "vm", member)]


@pytest.mark.parametrize(
    ("resources", "complete", "default", "none"),
    [
        pytest.param([home(), MACHINE], True, Told(["web"], []), NONE, id="by default"),
        pytest.param([home()], True, NONE, NONE, id="nobody there"),
        pytest.param([home(), nic("n", "10.0.0.4", WEB)], True, NONE, NONE, id="no machine's"),
        pytest.param([home(**PRIVATE), MACHINE], True, NONE, Told(["web"], []), id="private"),
        pytest.param([home(**NAT), GATEWAY, MACHINE], True, NONE, NONE, id="NAT gateway"),
        pytest.param([home(**NAT), resource("nat", "natgw"), MACHINE], True, NONE, Told(["web"], []), id="no address"),
        pytest.param([home(**NAT), MACHINE], False, Told([], ["web"]), Told([], ["web"]), id="unseen NAT gateway"),
        pytest.param([home(), public_ip("pip"), nic("n", "10.0.0.4", WEB, "vm", PUBLIC)], True, NONE, NONE, id="own"),
        pytest.param(balanced("outboundRules"), True, NONE, NONE, id="outbound rule"),
        pytest.param(balanced(), True, NONE, Told(["web"], []), id="Standard without outbound rule"),
        pytest.param(routed("0.0.0.0/0"), True, NONE, NONE, id="to a firewall"),
        pytest.param(routed("0.0.0.0/1", "128.0.0.0/1"), True, NONE, NONE, id="to a firewall, in two parts"),
        pytest.param(routed("0.0.0.0/1"), True, Told(["web"], []), NONE, id="the other half only"),
        pytest.param(routed("0.0.0.0/0", hop=""), True, NONE, NONE, id="dropped, as is meant"),
        pytest.param([home(**TABLE), MACHINE], False, Told([], ["web"]), Told([], ["web"]), id="unseen route table"),
        pytest.param(
            [home(serviceEndpoints=[{"service": "Microsoft.Storage"}]), MACHINE],
            True,
            Told(["web"], []),
            NONE,
            id="service",
        ),
    ],
)
def test_ways_out_of_subnets(resources: list[Body], complete: bool, default: Told, none: Told) -> None:  # noqa: FBT001
    assert told("NET011", resources, complete=complete) == default
    assert told("NET013", resources, complete=complete) == none


def test_machines_are_counted_beside_what_does_not_change() -> None:
    nics = [nic(f"n{i}", f"10.0.0.{i}", WEB, f"vm-{i}") for i in range(4, 7)]
    (found,) = audited("NET011", [home(), *nics]).findings
    assert found.title == "Machines in subnet web of vnet-1 rely on default outbound access"
    assert found.because[0].text.startswith("for 3 machines (vm-4, vm-5, vm-6) there is nothing but")


def two(first: Body, second: Body, *others: Body, **properties: Any) -> list[Body]:
    both = vnet("vnet-1", subnet("web", "10.0.0.0/24", **first), subnet("data", "10.0.1.0/24", **second))
    nics = [
        nic("one", "10.0.0.4", WEB, "vm", primary=True),
        nic("two", "10.0.1.4", DATA, "vm", primary=False, **properties),
    ]
    return [both, *nics, vm("vm", "one", "two"), *others]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param(two({}, PRIVATE), Told(["two"], []), id="by the first only"),
        pytest.param(two({}, {}), NONE, id="by both"),
        pytest.param(two(PRIVATE, PRIVATE), NONE, id="by neither"),
        pytest.param(two(NAT, PRIVATE, GATEWAY), Told(["two"], []), id="a NAT gateway for the first"),
        pytest.param(two({}, PRIVATE | NAT, GATEWAY), NONE, id="a NAT gateway for the second"),
        pytest.param(two({}, NAT), Told([], ["two"]), id="unseen NAT gateway"),
        pytest.param(two({}, PRIVATE, enableIPForwarding=True), NONE, id="an appliance's inner side"),
        pytest.param(two({}, PRIVATE | TABLE, table("rt", ("0.0.0.0/0", "None", ""))), NONE, id="not meant to leave"),
    ],
)
def test_second_nics_without_a_way_out(resources: list[Body], expected: Told) -> None:
    assert told("NIC006", resources) == expected
