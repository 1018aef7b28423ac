"""What Azure itself answered about a NIC or a network, and which one is meant."""

import json
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_files, read_objects
from diagnostics.network.security import Verdict
from tests.network.builders import ask
from tests.network.reading.small import BODIES, body, flat, read, ref, rid, told

NIC_A = ResourceId.parse(rid("networkInterfaces", "nic-a"))
ROUTES: list[dict[str, Any]] = [
    {
        "name": None,
        "source": "Default",
        "state": "Active",
        "addressPrefix": ["10.0.0.0/16"],
        "nextHopType": "VnetLocal",
        "nextHopIpAddress": [],
        "disableBgpRoutePropagation": False,
        "hasBgpOverride": False,
    },
    {"source": "User", "state": "Invalid", "addressPrefix": ["10.0.2.0/24"], "nextHopType": "None", "name": "old"},
]
GROUPS: list[dict[str, Any]] = [
    {
        "networkSecurityGroup": ref("networkSecurityGroups", "nsg-a"),
        "association": {"subnet": ref("virtualNetworks", "v/subnets/a")},
        "effectiveSecurityRules": [
            {
                "name": "securityRules/allow-web",
                "protocol": "Tcp",
                "sourcePortRange": "0-65535",
                "destinationPortRange": "443-443",
                "sourceAddressPrefix": "Internet",
                "expandedSourceAddressPrefix": ["1.0.0.0/8"],
                "destinationAddressPrefix": "0.0.0.0/0",
                "access": "Allow",
                "priority": 100,
                "direction": "Inbound",
            },
            {
                "name": "defaultSecurityRules/DenyAllInBound",
                "access": "Deny",
                "priority": 65500,
                "direction": "Inbound",
            },
        ],
        "tagMap": {"Internet": ["1.0.0.0/8"]},
    }
]


def files(*extra: tuple[str, Any]) -> Estate:
    return read_files([(name, json.dumps(value).encode()) for name, value in (*extra, ("all.json", list(BODIES)))])


BESIDE: dict[str, tuple[str, Any]] = {
    "the file is named after the NIC": ("routes/nic-a.json", {"value": ROUTES}),
    "… with something around": ("effective-routes_NIC-A (2).json", {"value": ROUTES, "nextLink": None}),
    "… after its VM": ("vm-a.json", ROUTES),
    "the id stands beside": ("x.json", {"networkInterface": {"id": str(NIC_A)}, "value": ROUTES}),
    "… in capitals": ("x.json", {"networkInterfaceId": str(NIC_A).upper(), "value": ROUTES}),
    "… beside a name": ("x.json", {"networkInterface": {"id": str(NIC_A)}, "effectiveRoutes": {"value": ROUTES}}),
    "several in a list": ("nic-b.json", [{"networkInterfaceId": str(NIC_A), "effectiveRoutes": ROUTES}]),
}


@pytest.mark.parametrize("given", BESIDE.values(), ids=BESIDE)
def test_effective_routes_and_whose_they_are(given: tuple[str, Any]) -> None:
    estate = files(given)
    assert estate.problems == ()
    assert list(estate.effective_routes) == [NIC_A]
    first, second = estate.effective_routes[NIC_A]
    assert (first.prefixes, first.next_hop_type, first.active) == (("10.0.0.0/16",), "VnetLocal", True)
    assert (second.name, second.active) == ("old", False)


@pytest.mark.parametrize("name", ["routes.json", "nic-c.json", "nic-a-and-nic-b.json", "nic-ab.json"])
def test_routes_of_nobody_in_particular_are_told(name: str) -> None:
    estate = files((name, {"value": ROUTES}))
    assert estate.effective_routes == {}
    assert [(problem.where, problem.text) for problem in estate.problems] == [
        (
            f"{name} $.value",
            "it is not said which NIC this is of: put its id beside it, or name the file after it",
        )
    ]


def test_the_longest_name_is_meant() -> None:
    longer = body("networkInterfaces", "nic-a-2", ipConfigurations=[])
    estate = files(("nic.json", longer), ("nic-a-2.json", ROUTES))
    assert [nic.name for nic in estate.effective_routes] == ["nic-a-2"]


def test_a_prefix_as_older_answers_write_it() -> None:
    old = [{**ROUTES[0], "addressPrefix": "10.0.0.0/16, 10.1.0.0/16", "nextHopIpAddress": "10.0.1.4"}]
    route = files(("nic-a.json", old)).effective_routes[NIC_A][0]
    assert (route.prefixes, route.next_hop_addresses) == (("10.0.0.0/16", "10.1.0.0/16"), ("10.0.1.4",))


def test_effective_routes_decide_instead_of_the_configuration() -> None:
    assert ask(read(*BODIES), "10.0.1.4", "10.0.2.4").because[0].name == "vm-b"
    gone = [{**ROUTES[0], "nextHopType": "None"}]
    hops = ask(files(("nic-a.json", gone)), "10.0.1.4", "10.0.2.4")
    assert (hops.verdict, hops.because[0].kind) == (Verdict.DENIED, "route")


def test_an_answer_with_a_row_that_cannot_be_read_is_left_out() -> None:
    estate = files(("nic-a.json", [*ROUTES, {**ROUTES[0], "nextHopType": 5}, 7]))
    assert estate.effective_routes == {}
    assert [problem.where for problem in estate.problems] == ["nic-a.json $[2].nextHopType", "nic-a.json $[3]"]


WHOSE: dict[str, tuple[str, Any]] = {
    "the file is named after the NIC": ("nic-a.json", {"value": GROUPS}),
    "they say it themselves": (
        "x.json",
        {"value": [GROUPS[0] | {"association": {"networkInterface": {"id": str(NIC_A)}}}]},
    ),
    "the id stands beside": ("x.json", {"networkInterfaceId": str(NIC_A), "effectiveNetworkSecurityGroups": GROUPS}),
}


@pytest.mark.parametrize("given", WHOSE.values(), ids=WHOSE)
def test_effective_rules_and_whose_they_are(given: tuple[str, Any]) -> None:
    estate = files(given)
    assert estate.problems == ()
    (group,) = estate.effective_groups[NIC_A]
    assert (group.id and group.id.name, group.tag_map) == ("nsg-a", {"Internet": ("1.0.0.0/8",)})
    assert [(rule.name, rule.default, rule.sources) for rule in group.rules] == [
        ("allow-web", False, ("1.0.0.0/8",)),
        ("DenyAllInBound", True, ()),
    ]


@pytest.mark.parametrize("tag_map", [None, "", {}])
def test_a_tag_map_that_says_nothing(tag_map: Any) -> None:
    estate = files(("nic-a.json", [GROUPS[0] | {"tagMap": tag_map}]))
    assert (estate.problems, len(estate.effective_groups)) == ((), 1)


def test_a_tag_of_which_a_prefix_cannot_be_read_is_left_to_what_is_known_of_it() -> None:
    tag_map = {"Internet": ["1.0.0.0/8"], "Sql": ["1.2.3.0/24", "a few"]}
    estate = files(("nic-a.json", [GROUPS[0] | {"tagMap": tag_map}]))
    assert list(estate.effective_groups[NIC_A][0].tag_map) == ["Internet"]


ADMIN = f"{rid('networkManagers', 'm')}/securityAdminConfigurations/c/ruleCollections/k/rules/no-ssh"
ADMIN_RULE: dict[str, Any] = {
    "id": ADMIN,
    "kind": "Custom",
    "properties": {
        "priority": 10,
        "access": "Deny",
        "direction": "Inbound",
        "protocol": "Tcp",
        "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ["22"],
    },
    "configurationDescription": "for all",
    "ruleCollectionAppliesToGroups": [{"networkGroupId": "…"}],
}
NETWORK = rid("virtualNetworks", "v")
IN_FORCE: dict[str, tuple[str, Any]] = {
    "the file is named after the network": ("admin v.json", {"value": [ADMIN_RULE], "skipToken": ""}),
    "the id stands beside": ("x.json", {"virtualNetworkId": NETWORK, "value": [ADMIN_RULE]}),
    "as az prints it": ("v.json", flat({"value": [ADMIN_RULE]})),
    "beside a name": ("x.json", {"virtualNetwork": {"id": NETWORK}, "effectiveSecurityAdminRules": [ADMIN_RULE]}),
}


@pytest.mark.parametrize("given", IN_FORCE.values(), ids=IN_FORCE)
def test_security_admin_rules_in_force(given: tuple[str, Any]) -> None:
    estate = files(given)
    assert estate.problems == ()
    (rule,) = estate.admin_rules
    assert (rule.rule.name, rule.rule.access, {str(each) for each in rule.networks}) == ("no-ssh", "Deny", {NETWORK})
    denied = ask(estate, "10.0.2.4", "10.0.1.4", 22)
    assert (denied.verdict, [reason.name for reason in denied.because][-1]) == (Verdict.DENIED, "no-ssh")


def test_rules_of_a_configuration_may_be_in_force() -> None:
    plain = {key: ADMIN_RULE[key] for key in ("id", "kind", "properties")} | {"name": "no-ssh"}
    running = [each for each in BODIES if each["name"] not in {"vm-b", "rt"}]
    estate = read(running, plain)
    assert estate.problems == ()
    assert ask(estate, "10.0.2.4", "10.0.1.4", 443).verdict is ask(read(running), "10.0.2.4", "10.0.1.4", 443).verdict
    open_ = ask(read([each for each in running if each["name"] != "nsg-a"], plain), "10.0.2.4", "10.0.1.4", 22)
    assert open_.verdict is Verdict.UNKNOWN


def test_an_empty_answer_says_that_no_rule_is_in_force() -> None:
    answer = {"virtualNetworkId": NETWORK, "effectiveSecurityAdminRules": []}
    estate = files(("v.json", answer), ("rule.json", {key: ADMIN_RULE[key] for key in ("id", "kind", "properties")}))
    assert (estate.admin_rules, estate.problems) == ((), ())


ENDPOINT = body("privateEndpoints", "pe", networkInterfaces=[ref("networkInterfaces", "nic-pe")])


def test_a_private_endpoint_names_its_nic() -> None:
    interface = body("networkInterfaces", "nic-pe", ipConfigurations=[])
    (nic,) = read_objects([[interface, ENDPOINT]]).nics.values()
    assert nic.private_endpoint == ResourceId.parse(ENDPOINT["id"])
    assert read_objects([[flat(ENDPOINT)], [flat(interface)]]).nics == {nic.id: nic}


def test_rules_in_force_with_an_id_that_is_none_are_told() -> None:
    estate = files(("v.json", {"value": [{**ADMIN_RULE, "id": "x"}]}))
    assert estate.admin_rules == ()
    assert [problem.where for problem in estate.problems] == ["v.json $.value[0].id"]


def test_an_answer_that_is_no_list_is_told() -> None:
    assert told({"networkInterfaceId": str(NIC_A), "effectiveRoutes": "none"}) == [
        ("$[0].effectiveRoutes", "'none' is no list of effective routes")
    ]
