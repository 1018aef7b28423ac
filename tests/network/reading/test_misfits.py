"""What Azure itself would not know what to make of: told where it stands, read as unknown, and never a crash."""

from typing import Any

import pytest

from diagnostics.network.exposure import exposure
from diagnostics.network.security import Verdict
from tests.network.builders import ask
from tests.network.reading.small import BODIES, Json, body, flat, nic, part, read, ref, rid, rule, told, vm


def nsg(**terms: Any) -> Json:
    odd = rule("odd", 100)
    odd["properties"] = {key: value for key, value in (odd["properties"] | terms).items() if value is not None}
    return body("networkSecurityGroups", "nsg-a", securityRules=[odd])


def subnet(**properties: Any) -> Json:
    own = part("virtualNetworks/v/subnets", "a", **properties)
    return body("virtualNetworks", "v", addressSpace={"addressPrefixes": ["10.0.0.0/16"]}, subnets=[own])


def table(**properties: Any) -> Json:
    return body("routeTables", "rt", routes=[part("routeTables/rt/routes", "odd", **properties)])


RULE, SUBNET, ROUTE = (
    ".properties.securityRules[0].properties",
    ".properties.subnets[0].properties",
    ".properties.routes[0]",
)
ADDRESS = ".properties.ipConfigurations[0].properties.privateIPAddress"
JUNK: dict[str, tuple[Json, str, str]] = {
    "a prefix that Azure once took": (
        nsg(sourceAddressPrefix="789"),
        f"{RULE}.sourceAddressPrefix",
        "'789' is neither an address prefix nor a service tag",
    ),
    "one of several": (
        nsg(destinationAddressPrefix=None, destinationAddressPrefixes=["10.0.0.0/8", "10.0.0.0/33"]),
        f"{RULE}.destinationAddressPrefixes[1]",
        "'10.0.0.0/33' is neither an address prefix nor a service tag",
    ),
    "a port that is none": (
        nsg(destinationPortRange="99999"),
        f"{RULE}.destinationPortRange",
        "'99999' is no port range",
    ),
    "a range upside down": (
        nsg(sourcePortRange=None, sourcePortRanges=["1", "90-80"]),
        f"{RULE}.sourcePortRanges[1]",
        "'90-80' is no port range",
    ),
    "an access that is none": (nsg(access="Maybe"), f"{RULE}.access", "'Maybe' is none of Allow, Deny"),
    "a direction that is none": (nsg(direction="Up"), f"{RULE}.direction", "'Up' is none of Inbound, Outbound"),
    "a priority as text": (
        nsg(priority="high"),
        f"{RULE}.priority",
        "Expected `int`, got `str`: 'high'",
    ),
    "a subnet's prefix": (subnet(addressPrefix="10.0.1.0/24/8"), f"{SUBNET}.addressPrefix", "is no address prefix"),
    "a subnet's NSG": (
        subnet(addressPrefix="10.0.1.0/24", networkSecurityGroup={"id": "nsg-a"}),
        f"{SUBNET}.networkSecurityGroup.id",
        "'nsg-a' is no resource id",
    ),
    "a subnet's id": (
        body("virtualNetworks", "v", subnets=[{"id": "a", "name": "a", "properties": {}}]),
        ".properties.subnets[0].id",
        "'a' is no resource id",
    ),
    "a route's prefix": (
        table(addressPrefix="10.0.0.1:8080", nextHopType="None"),
        f"{ROUTE}.properties.addressPrefix",
        "is neither an address prefix nor a service tag",
    ),
    "a route's next hop": (
        table(addressPrefix="0.0.0.0/0", nextHopType="VirtualAppliance", nextHopIpAddress="firewall"),
        f"{ROUTE}.properties.nextHopIpAddress",
        "'firewall' is no address",
    ),
    "an address": (nic("nic-a", "10.0.1.400", "a", "vm-a"), ADDRESS, "'10.0.1.400' is no address"),
    "IP configurations that are no list": (
        body("networkInterfaces", "nic-a", ipConfigurations=7),
        ".properties.ipConfigurations",
        "Expected `array | null`, got `int`: 7",
    ),
    "a flag that is none": (
        body("networkInterfaces", "nic-a", enableIPForwarding="yes"),
        ".properties.enableIPForwarding",
        "Expected `bool | null`, got `str`: 'yes'",
    ),
    "a connection of no gateway": (
        body("connections", "c", virtualNetworkGateway1={"id": "x"}),
        ".properties.virtualNetworkGateway1.id",
        "'x' is no resource id",
    ),
    "a VM's NIC": (
        body("virtualMachines", "vm-a", networkProfile={"networkInterfaces": [{"id": "nic-a"}]}),
        ".properties.networkProfile.networkInterfaces[0].id",
        "'nic-a' is no resource id",
    ),
}


@pytest.mark.parametrize(("given", "path", "text"), JUNK.values(), ids=JUNK)
def test_junk_is_told_where_it_stands(given: Json, path: str, text: str) -> None:
    ((where, said),) = told(given)
    assert where == f"$[0]{path}"
    assert said.endswith(text)


@pytest.mark.parametrize(("given", "path", "text"), JUNK.values(), ids=JUNK)
def test_the_place_is_spelled_as_the_file_is(given: Json, path: str, text: str) -> None:
    ((where, said),) = told({"value": [flat(given)]})
    assert where == f"$[0].value[0]{path.replace('.properties', '')}"
    assert said.endswith(text)


def test_an_id_that_is_none_ends_nothing() -> None:
    bad = {"id": "/subscriptions/x/../y", "type": "Microsoft.Network/networkInterfaces", "properties": {}}
    estate = read(bad, *BODIES)
    assert [problem.where for problem in estate.problems] == ["$[0].id"]
    assert len(estate.nics) == 2


OPEN: dict[str, Json] = {
    "a source": nsg(sourceAddressPrefix="789"),
    "a port": nsg(destinationPortRange="99999"),
    "an access": nsg(access="Maybe"),
    "a direction": nsg(direction="Up"),
}


def test_what_comes_first_needs_no_rule_that_cannot_be_read() -> None:
    both = nsg(access="Maybe")
    both["properties"]["securityRules"].append(rule("deny", 90))
    assert [reason.name for reason in ask(read(RUNNING, both), "10.0.2.4", "10.0.1.4").because] == ["deny"]
    assert ask(read(RUNNING, nsg(access="allow")), "10.0.2.4", "10.0.1.4").verdict is Verdict.ALLOWED


@pytest.mark.parametrize("odd", OPEN.values(), ids=OPEN)
def test_a_rule_that_cannot_be_read_leaves_open_what_it_may_decide(odd: Json) -> None:
    answer = ask(read(RUNNING, odd), "10.0.2.4", "10.0.1.4")
    assert answer.verdict is Verdict.UNKNOWN
    assert [reason.resource and reason.resource.name for reason in answer.because] == ["nsg-a"]


ASSOCIATIONS = ["networkSecurityGroup", "routeTable"]


@pytest.mark.parametrize("association", ASSOCIATIONS)
def test_what_is_associated_by_no_id_does_not_count_as_absent(association: str) -> None:
    network = subnet(addressPrefix="10.0.1.0/24", **{association: {"id": "what it was called"}})
    other = part("virtualNetworks/v/subnets", "b", addressPrefix="10.0.2.0/24")
    machines = [nic("nic-a", "10.0.1.4", "a", "vm-a"), nic("nic-b", "10.0.2.4", "b", "vm-b")]
    estate = read(network, other, machines, vm("vm-a", "nic-a"), vm("vm-b", "nic-b"))
    assert ask(estate, "10.0.1.4", "10.0.2.4").verdict is Verdict.UNKNOWN


RUNNING = [*(each for each in BODIES if each["name"] not in {"nsg-a", "vm-b", "rt"}), body("routeTables", "rt")]
NOTHING = [{"id": ""}, {"id": None}, {}, None]


@pytest.mark.parametrize("empty", NOTHING, ids=str)
def test_a_reference_to_nothing_is_none(empty: Any) -> None:
    estate = read(subnet(addressPrefix="10.0.1.0/24", networkSecurityGroup=empty, routeTable=ref("routeTables", "rt")))
    assert estate.problems == ()
    ((network),) = estate.networks.values()
    assert (network.subnets[0].security_group, str(network.subnets[0].route_table)) == (None, rid("routeTables", "rt"))


def test_an_address_that_is_none_is_none_that_is_shown() -> None:
    (read_nic,) = read(nic("nic-a", "10.0.1.400", "a", "vm-a")).nics.values()
    assert [each.address for each in read_nic.ip_configurations] == [None]


def test_default_rules_are_as_azure_has_them_whatever_a_file_says() -> None:
    odd = rule("DenyAllInBound", 65_500, "Allow", destinationPortRange="99999")
    group = body("networkSecurityGroups", "nsg-a", defaultSecurityRules=[odd])
    (made,) = read(group).security_groups.values()
    assert [(each.access, each.destination_ports, each.default) for each in made.rules] == [("Deny", ("*",), True)]
    assert ask(read(RUNNING, group), "10.0.2.4", "10.0.1.4").verdict is Verdict.ALLOWED


def test_ports_of_a_load_balancer_that_are_none() -> None:
    odd = part("loadBalancers/lb/loadBalancingRules", "odd", frontendPort=70_000, backendPort=443)
    assert told(body("loadBalancers", "lb", loadBalancingRules=[odd])) == [
        ("$[0].properties.loadBalancingRules", "odd: its ports are none")
    ]


def test_a_prefix_that_is_none_ends_no_question_about_the_subnet() -> None:
    network = subnet(addressPrefixes=["10.0.1.0/24", "a few more"])
    estate = read(
        network, nic("nic-a", "10.0.1.4", "a", "vm-a", publicIPAddress=ref("publicIPAddresses", "pip")), BODIES[-2]
    )
    assert exposure(estate, estate.points[0]) == ()


def test_half_a_character_is_told() -> None:
    ((where, _),) = told(body("publicIPAddresses", "p", ipAddress="\ud800"))
    assert where == "$[0].properties.ipAddress"
