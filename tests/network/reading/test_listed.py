"""Of which types everything is known: what was listed, and what the caller says."""

import json
from typing import Any

import pytest

from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_files, read_objects
from tests.network.reading.small import BODIES, body, flat, nic, row, table

NIC, NSG = "microsoft.network/networkinterfaces", "microsoft.network/networksecuritygroups"
ONE, GROUP = nic("nic-a", "10.0.1.4", "a", "vm-a"), body("networkSecurityGroups", "n", securityRules=[])
STUB = {"id": ONE["id"], "name": "nic-a", "type": ONE["type"], "location": "westeurope", "properties": None}
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

LISTED: dict[str, tuple[Any, set[str]]] = {
    "az list": ([flat(ONE)], {NIC}),
    "a page": ({"value": [ONE]}, {NIC}),
    "the last page": ({"value": [ONE], "nextLink": None}, {NIC}),
    "a page that others follow": ({"value": [ONE], "nextLink": "https://management.azure.com/x"}, set()),
    "two types": ({"value": [ONE, GROUP]}, {NIC, NSG}),
    "pages in a list": ([{"value": [ONE]}, {"value": [GROUP]}], {NIC, NSG}),
    "Resource Graph": ({"count": 1, "data": [row(ONE)], "resultTruncated": "false"}, {NIC}),
    "Resource Graph, truncated": ({"count": 1, "data": [row(ONE)], "resultTruncated": "true"}, set()),
    "Resource Graph, more to come": ({"count": 1, "data": [row(ONE)], "$skipToken": "x"}, set()),
    "its older table": ({"data": table([row(ONE)])}, {NIC}),
    "its older table by itself": (table([row(ONE)]), {NIC}),
    "a body": (ONE, set()),
    "az show": (flat(ONE), set()),
    "a scenario": ({"name": "x", "resources": [ONE]}, set()),
    "a template": ({"$schema": SCHEMA, "resources": [{"type": ONE["type"], "name": "nic-a"}]}, set()),
    "az resource list": ([STUB], set()),
    "a row that cannot be read": ([ONE, {**ONE, "properties": {"ipConfigurations": 5}}], set()),
    "a type of no concern": (
        [{"id": ONE["id"].replace("networkInterfaces", "ipGroups")}],
        {"microsoft.network/ipgroups"},
    ),
}


@pytest.mark.parametrize(("value", "wanted"), LISTED.values(), ids=LISTED)
def test_what_counts_as_listed(value: Any, wanted: set[str]) -> None:
    assert read_objects([value]).facts.listed == wanted


WATCHER = "microsoft.network/networkwatchers"
NAMES = {
    "nic": NIC,
    "networkInterfaces": NIC,
    "estate/sub-1/nsg": NSG,
    "networkSecurityGroups": NSG,
    "route-table": "microsoft.network/routetables",
    "routeTables": "microsoft.network/routetables",
    "vnet": "microsoft.network/virtualnetworks",
    "virtualNetworks": "microsoft.network/virtualnetworks",
    "public-ip": "microsoft.network/publicipaddresses",
    "publicIPAddresses": "microsoft.network/publicipaddresses",
    "nat-gateway": "microsoft.network/natgateways",
    "natGateways": "microsoft.network/natgateways",
    "lb": "microsoft.network/loadbalancers",
    "loadBalancers": "microsoft.network/loadbalancers",
    "private-endpoint": "microsoft.network/privateendpoints",
    "privateEndpoints": "microsoft.network/privateendpoints",
    "vm": "microsoft.compute/virtualmachines",
    "virtualMachines": "microsoft.compute/virtualmachines",
    "vnet-gateway": "",
    "virtualNetworkGateways": "",
    "firewall": "microsoft.network/azurefirewalls",
    "azureFirewalls": "microsoft.network/azurefirewalls",
    "bastion": "microsoft.network/bastionhosts",
    "bastionHosts": "microsoft.network/bastionhosts",
    "network-watcher": WATCHER,
    "networkWatchers": WATCHER,
    "flow-log": "",
    "flow-logs": "",
    "flowLogs": "",
    "connection-monitor": "",
    "diagnostic-settings": "",
    "activity-log-alert": "microsoft.insights/activitylogalerts",
    "activity-log-alerts": "microsoft.insights/activitylogalerts",
    "activityLogAlerts": "microsoft.insights/activitylogalerts",
    "lock": "microsoft.authorization/locks",
    "locks": "microsoft.authorization/locks",
    "nsg-rules": "",
    "activity-log": "",
    "vnet-peering": "",
}
EMPTY: list[Any] = [[], {"value": []}, {"count": 0, "data": []}, {"data": {"columns": [{"name": "id"}], "rows": []}}]


@pytest.mark.parametrize(("stem", "wanted"), NAMES.items(), ids=NAMES)
def test_the_name_of_a_file_says_what_there_is_none_of(stem: str, wanted: str) -> None:
    for value in EMPTY:
        facts = read_files([(f"{stem}.json", json.dumps(value).encode())]).facts
        assert facts.listed == ({wanted} if wanted else set())


@pytest.mark.parametrize("value", [{"value": [], "nextLink": "https://x"}, {"resources": []}, None, {}], ids=repr)
def test_an_empty_page_that_others_follow_is_not_all(value: Any) -> None:
    assert read_files([("nic.json", json.dumps(value).encode())]).facts.listed == set()


def test_what_is_listed_in_parts_is_never_all() -> None:
    flow_log = body("networkWatchers/w/flowLogs", "f", enabled=True)
    facts = read_objects([[flow_log]]).facts
    assert (len(facts.flow_logs), len(facts.listed)) == (1, 0)


def test_an_empty_file_says_nothing() -> None:
    assert read_files([("nic.json", b"")]).facts.listed == set()


def test_the_caller_knows_better() -> None:
    files = [("x.json", json.dumps([ONE]).encode())]
    facts = read_files(files, listed=frozenset({"Microsoft.Network/networkSecurityGroups"})).facts
    assert facts.listed == {NSG}
    assert not facts.listed_in
    assert not facts.complete
    assert not facts.knows_all("x")
    assert read_files(files, complete=True).facts.knows_all("x")
    assert read_objects(BODIES, complete=True).facts.complete
    assert read_objects(BODIES, listed={NSG}).facts.listed == {NSG}


def test_a_type_with_a_body_that_cannot_be_read_is_not_known_whoever_says_so() -> None:
    files = [("x.json", json.dumps([ONE, {**ONE, "properties": {"ipConfigurations": 5}}]).encode())]
    assert read_files(files, listed={NIC, NSG}).facts.listed == {NSG}


def test_a_row_that_only_exists_is_not_all_that_there_is_to_know() -> None:
    other = {**STUB, "id": ONE["id"].replace("nic-a", "nic-b"), "name": "nic-b"}
    assert read_objects([[ONE, other]]).facts.listed == set()
    assert read_objects([[STUB], [ONE]]).facts.listed == {NIC}


FAR = json.loads(json.dumps(GROUP).replace(ONE["id"].split("/")[2], "22222222-0000-0000-0000-000000000000"))
HERE, THERE = (ResourceId.parse(each["id"]) for each in (GROUP, FAR))
SEVERAL: dict[str, tuple[list[tuple[str, Any]], set[str], tuple[bool, bool]]] = {
    "both kinds of one subscription": ([("nic", [ONE]), ("nsg", [GROUP])], {NIC, NSG}, (True, True)),
    "NSGs of both, NICs of one": ([("nic", [ONE]), ("nsg", [GROUP, FAR])], {NSG}, (True, False)),
    "NSGs of both, in a file each": ([("nic", [ONE]), ("a", [GROUP]), ("b", [FAR])], {NSG}, (True, False)),
    "no NICs, nobody knows of which": ([("nic", []), ("nsg", [GROUP, FAR])], {NSG}, (False, False)),
    "no NICs of the only one": ([("nic", []), ("nsg", [GROUP])], {NIC, NSG}, (True, True)),
}


@pytest.mark.parametrize(("files", "listed", "nics"), SEVERAL.values(), ids=SEVERAL)
def test_a_list_of_one_subscription_says_nothing_of_another(
    files: list[tuple[str, Any]], listed: set[str], nics: tuple[bool, bool]
) -> None:
    facts = read_files((f"{name}.json", json.dumps(value).encode()) for name, value in files).facts
    assert facts.listed == listed
    assert (facts.knows_all(NIC, HERE), facts.knows_all(NIC, THERE)) == nics
    assert facts.knows_all(NIC) == (NIC in listed)


def test_facts_say_which_file_a_resource_and_its_parts_stand_in() -> None:
    files = [("infra/a.json", json.dumps([GROUP]).encode()), ("infra/b.json", json.dumps([ONE]).encode())]
    facts = read_files(files, paths=True).facts
    assert facts.file(HERE) == facts.file(ResourceId.parse(f"{HERE}/securityRules/r")) == "infra/a.json"
    assert (facts.file(ResourceId.parse(ONE["id"])), facts.file(THERE)) == ("infra/b.json", "")
    assert facts == read_files(files).facts
    assert read_files(files).facts.file(HERE) == ""
