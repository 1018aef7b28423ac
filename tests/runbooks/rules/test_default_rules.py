"""Whether AllowVnetInBound and AllowAzureLoadBalancerInBound are in force, and health probes that are cut."""

from __future__ import annotations

import pytest

from diagnostics.runbooks.rules import steps as rule_steps
from tests.network.arm import Json, body, part, ref
from tests.runbooks.azure import step
from tests.runbooks.house import ARRIVES, House, allow, deny, judged, nsgs, only

EVIDENCE = {
    "in force": ([], "AllowVnetInBound of nsg-b is in force and lets this flow in"),
    "cut": ([deny()], "AllowVnetInBound of nsg-b is cut for this flow: rule deny (priority 200) denies first"),
    "before it": (
        [allow()],
        "AllowVnetInBound of nsg-b is in force; rule allow (priority 100) lets this flow in before it",
    ),
    "probes in force": (
        [],
        "AllowAzureLoadBalancerInBound of nsg-b is in force for health probes from 168.63.129.16 to port 443",
    ),
    "probes cut": (
        [deny()],
        "AllowAzureLoadBalancerInBound of nsg-b is cut for port 443: rule deny (priority 200) denies 168.63.129.16 first",  # noqa: E501
    ),
    "probes spared": (
        [deny(sourceAddressPrefix="10.0.0.0/8")],
        "AllowAzureLoadBalancerInBound of nsg-b is in force for health probes from 168.63.129.16 to port 443",
    ),
}


@pytest.mark.parametrize(("rules", "line"), EVIDENCE.values(), ids=EVIDENCE)
def test_the_two_default_rules_are_told(rules: list[Json], line: str) -> None:
    assert line in step(judged(nsgs(rules)), rule_steps.NAME).evidence


def test_every_nsg_on_the_way_has_its_line() -> None:
    told = step(judged(nsgs([allow()], [], [])), rule_steps.NAME)
    wanted = ("NSG nsg-a of the subnet", "NSG nsg-b of the subnet", "NSG nsg-sql of the network interface")
    assert all(any(group in line for line in told.evidence) for group in wanted)
    assert any("rule allow (priority 100, Allow) of NSG nsg-b" in line for line in told.evidence)


def balanced(*rules: Json, port: int = 8080) -> House:
    pool = ref("loadBalancers", "lb/backendAddressPools/pool")
    lb = body(
        "loadBalancers",
        "lb",
        sku="Standard",
        frontendIPConfigurations=[
            part("loadBalancers/lb/frontendIPConfigurations", "f", subnet=ref("virtualNetworks", "v/subnets/b"))
        ],
        backendAddressPools=[part("loadBalancers/lb/backendAddressPools", "pool")],
        probes=[part("loadBalancers/lb/probes", "alive", protocol="Tcp", port=port)],
        loadBalancingRules=[
            part(
                "loadBalancers/lb/loadBalancingRules",
                "web",
                protocol="Tcp",
                frontendPort=443,
                backendPort=443,
                probe=ref("loadBalancers", "lb/probes/alive"),
                backendAddressPool=pool,
            )
        ],
    )
    return House(
        {"nsg-b": list(rules)}, on_b="nsg-b", sql_more={"loadBalancerBackendAddressPools": [pool]}, extra=(lb,)
    )


@pytest.mark.parametrize(
    ("rules", "cut"),
    [
        ([deny(destinationPortRange="8080")], True),
        ([deny(destinationPortRange="8081")], False),
        ([allow(sourceAddressPrefix="AzureLoadBalancer"), deny(destinationPortRange="8080")], False),
        ([deny(sourceAddressPrefix="10.0.0.0/8", destinationPortRange="8080")], False),
        ([], False),
    ],
)
def test_a_rule_that_cuts_health_probes(rules: list[Json], cut: bool) -> None:  # noqa: FBT001
    situation = judged(balanced(*rules), probe=ARRIVES)
    assert [finding.check for finding in situation.findings] == (["CON022"] if cut else [])
    for finding in situation.findings:
        assert finding.resource.name == "vm-sql"
        assert "--source-address-prefixes AzureLoadBalancer" in finding.remedy.az_cli
        assert "--priority 199" in finding.remedy.az_cli
        assert "priority: 199" in finding.remedy.bicep


def test_no_priority_is_made_up_where_none_is_free() -> None:
    rules = [deny("first", 100, destinationPortRange="8080")]
    finding = only(judged(balanced(*rules), probe=ARRIVES))
    assert finding.remedy.az_cli == ""
    assert "no priority below 100 is free" in finding.remedy.summary
