"""Subnets, peerings, rules and routes that an export writes apart from what they belong to, in any order."""

from itertools import permutations
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from tests.network.reading.small import BODIES, body, flat, part, read, ref, rid, rule, told

WANTED = read(*BODIES)
NETWORK = next(each for each in BODIES if each["name"] == "v")
APART = {"v": ["subnets", "virtualNetworkPeerings"], "nsg-a": ["securityRules"], "rt": ["routes"]}


def apart(bodies: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """The bodies with their parts beside them."""
    found: list[dict[str, Any]] = []
    for each in bodies:
        kinds = APART.get(each["name"], [])
        found.append({**each, "properties": each["properties"] | {kind: [] for kind in kinds}})
        found += [child for kind in kinds for child in each["properties"][kind]]
    return found


ORDERS = {"behind": apart(BODIES), "before": apart(BODIES)[::-1], "as az prints them": flat(apart(BODIES))}


def sorted_rules(estate: Estate) -> Any:
    """An estate in which no order of reading is left."""
    networks = {k: sorted(str(s.id) for s in v.subnets) for k, v in estate.networks.items()}
    groups = {k: sorted(v.rules, key=lambda each: each.priority) for k, v in estate.security_groups.items()}
    return networks, groups, estate.route_tables, {k: v.peerings for k, v in estate.networks.items()}, estate.problems


@pytest.mark.parametrize("values", ORDERS.values(), ids=ORDERS)
def test_parts_written_apart(values: list[Any]) -> None:
    assert sorted_rules(read(values)) == sorted_rules(WANTED)


def test_a_part_replaces_the_one_of_the_same_name() -> None:
    newer = rule("ALLOW-WEB", 100, "Deny", destinationPortRange="80")
    (group,) = read(*BODIES, newer).security_groups.values()
    assert sorted((each.name, each.access) for each in group.rules) == [("ALLOW-WEB", "Deny"), ("deny-all", "Deny")]
    other = rule("allow-web", 100, direction="Outbound")
    assert len(next(iter(read(*BODIES, other).security_groups.values())).rules) == 3


def test_default_rules_written_apart_are_default_rules() -> None:
    given = rule("AllowVnetInBound", 65000, "Allow")
    given["id"] = given["id"].replace("/securityRules/", "/defaultSecurityRules/")
    (group,) = read(*BODIES, given).security_groups.values()
    assert [each.name for each in group.rules if each.default] == ["AllowVnetInBound"]


PARENTLESS = {
    "virtualNetworks/gone/subnets": {"addressPrefix": "10.7.0.0/24"},
    "virtualNetworks/gone/virtualNetworkPeerings": {"remoteVirtualNetwork": ref("virtualNetworks", "v")},
    "networkSecurityGroups/gone/securityRules": {"priority": 100},
    "routeTables/gone/routes": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"},
    "loadBalancers/gone/inboundNatRules": {"frontendPort": 22},
}


@pytest.mark.parametrize(("kind", "properties"), PARENTLESS.items())
def test_a_part_of_what_is_not_there(kind: str, properties: dict[str, Any]) -> None:
    assert told(part(kind, "x", **properties)) == [("$[0]", "belongs to gone, which is in none of the files")]


def test_a_nat_rule_written_apart() -> None:
    front = part("loadBalancers/lb/frontendIPConfigurations", "f", publicIPAddress=ref("publicIPAddresses", "pip"))
    balancer = body("loadBalancers", "lb", sku="Standard", frontendIPConfigurations=[front])
    nat = part(
        "loadBalancers/lb/inboundNatRules",
        "ssh",
        frontendIPConfiguration={"id": front["id"]},
        backendIPConfiguration=ref("networkInterfaces", "nic-a/ipConfigurations/ipconfig1"),
        protocol="Tcp",
        frontendPort=2222,
        backendPort=22,
    )
    whole = body("loadBalancers", "lb", sku="Standard", frontendIPConfigurations=[front], inboundNatRules=[nat])
    for values in permutations([balancer, nat, flat(nat)]):
        assert read(*values).load_balancers == read(whole).load_balancers


def test_a_peering_that_does_not_say_what_lies_behind_it() -> None:
    bare = part("virtualNetworks/v/virtualNetworkPeerings", "to-w", remoteVirtualNetwork=ref("virtualNetworks", "w"))
    bare["properties"]["peeringState"] = "Connected"
    other = body("virtualNetworks", "w", addressSpace={"addressPrefixes": ["10.9.0.0/16"]})
    network = read(apart((NETWORK,))[0], bare, other).networks[ResourceId.parse(rid("virtualNetworks", "v"))]
    assert [each.prefixes for each in network.peerings] == [("10.9.0.0/16",)]


def test_a_scale_set_s_nics_and_instances_are_read() -> None:
    scale_set = rid("virtualMachines", "x").replace(
        "virtualMachines/x", "virtualMachineScaleSets/web/virtualMachines/0"
    )
    nic = {**BODIES[1], "id": f"{scale_set}/networkInterfaces/nic", "name": "nic"}
    nic["properties"] = nic["properties"] | {"virtualMachine": {"id": scale_set}}
    vm = {**BODIES[3], "id": scale_set, "name": "0"}
    estate = read(nic, vm)
    assert [str(point.nic.vm) for point in estate.points] == [scale_set]
    assert [each.running for each in estate.vms.values()] == [True]
