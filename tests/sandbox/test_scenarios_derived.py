"""How a scenario is derived from another, and what is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sandbox import effective
from sandbox.arm.world import World
from sandbox.derive import derive
from sandbox.names import Names
from sandbox.scenario import DERIVED, ESTATES, Scenario, ScenarioError, all_scenarios, scenarios

ORDERS: dict[str, Any] = msgspec.json.decode((ESTATES / "vm-to-vm-nsg.json").read_bytes())
OWN = {"name": "mine", "title": "t", "story": "s", "problem": "vm-to-vm", "expected": ORDERS["expected"]}
ALL = all_scenarios()
RULE = {"protocol": "Tcp", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "1433"}
DENY = {"in": "nsg-orders-web", "list": "securityRules", "name": "deny-x"}


def derived(**told: Any) -> dict[str, Any]:
    return derive(ORDERS, OWN | told)


def resource(document: dict[str, Any], name: str) -> Any:
    return Names(document).body(name)


def test_all_are_there_and_the_whole_estates_are_what_they_were() -> None:
    assert len(scenarios()) == 5
    assert len(ALL) == 5 + len(list(DERIVED.glob("*.json"))) >= 24
    assert [s.name for s in ALL[5:]] == [path.stem for path in sorted(DERIVED.glob("*.json"))]
    assert len({s.name for s in ALL}) == len({s.subscription for s in ALL}) == len(ALL)


def test_all_fit_into_one_sandbox() -> None:
    world = World(ALL)
    assert len(world.resources) == sum(
        len(s.resources) + sum(len(bodies) for bodies in s.extensions.values()) for s in ALL
    )


def test_nothing_of_the_base_subscription_is_left() -> None:
    text = msgspec.json.encode(derived()).decode()
    assert "3f2b8c71-5a0e-4d66-9c1b-7e4d20a9f815" not in text
    assert derived() == derived()  # ids are the same in every run


def test_a_rule_is_added_whole_and_changed_by_its_name() -> None:
    document = derived(
        add=[DENY | {"properties": RULE | {"access": "Deny", "priority": 100, "direction": "Outbound"}}],
        change=[
            {"resource": "deny-x", "set": {"properties.priority": 200}, "remove": ["properties.provisioningState"]}
        ],
    )
    rule = resource(document, "nsg-orders-web/deny-x")
    assert rule["id"] == resource(document, "nsg-orders-web")["id"] + "/securityRules/deny-x"
    assert rule["properties"]["priority"] == 200
    assert "provisioningState" not in rule["properties"]
    assert rule["properties"]["destinationPortRanges"] == []


def test_a_step_of_a_path_is_the_name_of_an_item() -> None:
    path = "properties.ipConfigurations.ipconfig1.properties.privateIPAddress"
    nic = resource(derived(change=[{"resource": "nic-orders-web-01", "set": {path: "10.20.1.9"}}]), "nic-orders-web-01")
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.20.1.9"


def test_a_copy_has_ids_of_its_own_and_azure_knows_who_points_at_what() -> None:
    document = derived(
        add=[
            {"like": "nic-orders-web-01", "name": "nic-2"},
            {
                "like": "vm-orders-web-01",
                "name": "vm-2",
                "set": {"properties.networkProfile.networkInterfaces": [{"id": "{nic-2}"}]},
            },
        ],
    )
    nic, subnet = resource(document, "nic-2"), resource(document, "snet-web")
    assert nic["properties"]["ipConfigurations"][0]["id"].endswith("/nic-2/ipConfigurations/ipconfig1")
    assert nic["properties"]["virtualMachine"] == {"id": resource(document, "vm-2")["id"]}
    assert {"id": nic["properties"]["ipConfigurations"][0]["id"]} in subnet["properties"]["ipConfigurations"]


def test_a_new_group_has_the_default_rules_and_knows_its_nic() -> None:
    document = derived(
        add=[{"type": "Microsoft.Network/networkSecurityGroups", "name": "nsg-new"}],
        change=[{"resource": "nic-orders-sql-01", "set": {"properties.networkSecurityGroup": {"id": "{nsg-new}"}}}],
    )
    group, nic = resource(document, "nsg-new"), resource(document, "nic-orders-sql-01")
    assert [rule["properties"]["priority"] for rule in group["properties"]["defaultSecurityRules"]][:3] == [
        65000, 65001, 65500,
    ]  # fmt: skip
    assert group["properties"]["networkInterfaces"] == [{"id": nic["id"]}]
    groups = next(e["answer"] for e in document["probes"][effective.KINDS[0]] if e["match"]["nic"] == nic["id"])
    own, subnets = (each["association"] for each in groups["value"])
    assert (own, list(subnets)) == ({"networkInterface": {"id": nic["id"]}}, ["subnet"])


def test_what_is_deleted_is_gone_extensions_too() -> None:
    document = derived(delete=["deny-lateral-movement", "vm-orders-web-01/AzureNetworkWatcherExtension"])
    assert "deny-lateral-movement" not in msgspec.json.encode(document["resources"]).decode()
    assert [len(bodies) for bodies in document["extensions"].values()] == [1, 1]


def test_dimensions_of_the_alert() -> None:
    document = derived(
        alert={"dimensions": {"DestinationPort": "22", "DestinationResourceId": None, "New": "{snet-web}"}}
    )
    criterion = document["alert"]["data"]["alertContext"]["condition"]["allOf"][0]
    values = {each["name"]: each["value"] for each in criterion["dimensions"]}
    assert (values["DestinationPort"], values["New"]) == ("22", resource(document, "snet-web")["id"])
    assert "DestinationResourceId" not in values


def test_own_answers_come_first_and_hops_are_joined() -> None:
    hops = [
        {"type": "Source", "rtt": [1, 2, 3], "linkIssues": [{"type": "Platform"}]},
        {"type": "Internet", "resourceId": "{vm-orders-sql-01}"},
    ]
    entry = {"match": {"source": "vm-orders-web-01"}, "answer": {"hops": hops, "connectionStatus": "Unreachable"}}
    first, *others = derived(probes={"connectivityCheck": [entry]})["probes"]["connectivityCheck"]
    source, last = first["answer"]["hops"]
    assert len(others) == len(ORDERS["probes"]["connectivityCheck"])
    assert source["nextHopIds"] == [last["id"]]
    assert source["links"][0]["issues"] == [{"type": "Platform"}]
    assert source["links"][0]["properties"]["roundTripTimeAvg"] == 2
    assert last["previousLinks"][0]["nextHopId"] == source["id"]
    assert last["resourceId"].endswith("/vm-orders-sql-01")


@pytest.mark.parametrize(("shell", "codes"), [("windows", ["StdOut", "StdErr"]), ("linux", ["ProvisioningState"])])
def test_what_a_script_prints(shell: str, codes: list[str]) -> None:
    entry = {"match": {"vm": "vm-orders-sql-01"}, "answer": {shell: ["one", {"two": 2}]}}
    (found,) = derived(probes={"runCommand": [entry]})["probes"]["runCommand"]
    statuses = found["answer"]["value"]
    assert all(code in status["code"] for code, status in zip(codes, statuses, strict=True))
    assert 'one\n{"two": 2}' in statuses[0]["message"]


def test_an_event_is_written_out() -> None:
    told = {"minutesBefore": 12, "caller": "me@contoso.example", "operationName": "Microsoft.Network/routeTables/write"}
    (event,) = derived(activityLog=[told | {"resourceId": "{nsg-orders-web}"}])["activityLog"]
    assert event["eventTimestamp"].startswith("2026-11-20T09:02:22")
    assert (event["caller"], event["status"]["value"], event["resourceGroupName"]) == (
        "me@contoso.example", "Succeeded", "rg-orders-prod-weu",
    )  # fmt: skip


def test_a_metric_replaces_the_bases_of_the_same_name() -> None:
    told = {"resource": "vm-orders-sql-01", "name": "Percentage CPU", "unit": "Percent", "values": {"average": [99.0]}}
    document = derived(metrics=[told])
    same = [m for m in document["metrics"] if m["name"] == told["name"] and m["resource"].endswith("sql-01")]
    assert [m["values"] for m in same] == [{"average": [99.0]}]
    assert len(document["metrics"]) == len(ORDERS["metrics"])


def effective_of(nic: str, kind: str) -> list[dict[str, Any]]:
    document = derived()
    entries = document["probes"][kind]
    (found,) = [entry["answer"]["value"] for entry in entries if entry["match"]["nic"].endswith(f"/{nic}")]
    return list(found)


def test_members_of_a_group_are_addresses_of_either_version() -> None:
    asg = {"type": "Microsoft.Network/applicationSecurityGroups", "name": "asg-both", "properties": {}}
    nic = "nic-orders-sql-01"
    first = "properties.ipConfigurations.0.properties"
    six: dict[str, Any] = {"name": "six", "list": "ipConfigurations", "in": nic}
    subnet = next(b for b in ORDERS["resources"] if b["name"] == nic)["properties"]["ipConfigurations"][0]
    six["properties"] = {
        "privateIPAddress": "fd00:50::4", "privateIPAddressVersion": "IPv6",
        "subnet": subnet["properties"]["subnet"], "applicationSecurityGroups": [{"id": "{asg-both}"}],
    }  # fmt: skip
    rule = {
        "in": "nsg-orders-data", "list": "securityRules", "name": "to-both",
        "properties": {
            "protocol": "Tcp", "access": "Allow", "priority": 4000, "direction": "Inbound",
            "sourceAddressPrefix": "*", "destinationPortRange": "443",
            "destinationApplicationSecurityGroups": [{"id": "{asg-both}"}],
        },
    }  # fmt: skip
    change = {"resource": nic, "set": {f"{first}.applicationSecurityGroups": [{"id": "{asg-both}"}]}}
    document = derived(add=[asg, six, rule], change=[change])
    listed = [e["answer"]["value"] for e in document["probes"][effective.KINDS[0]] if e["match"]["nic"].endswith(nic)]
    (found,) = [rule for rule in listed[0][0]["effectiveSecurityRules"] if rule["name"].endswith("/to-both")]
    assert found["destinationAddressPrefixes"] == ["10.20.2.4/32", "fd00:50::4/128"]


def test_effective_rules_are_the_configured_ones_in_the_form_of_azure() -> None:
    (group,) = effective_of("nic-orders-sql-01", effective.KINDS[0])
    rules = {rule["name"]: rule for rule in group["effectiveSecurityRules"]}
    assert list(rules)[:4] == [
        "securityRules/allow-rdp-from-bastion",
        "securityRules/deny-lateral-movement",
        "securityRules/allow-sql-from-web",
        "defaultSecurityRules/AllowVnetInBound",
    ]
    assert list(group["association"]) == ["subnet"]
    assert rules["securityRules/allow-rdp-from-bastion"]["destinationPortRanges"] == ["22-22", "3389-3389"]
    assert rules["securityRules/allow-sql-from-web"] == {
        "name": "securityRules/allow-sql-from-web", "protocol": "Tcp",
        "sourcePortRange": "0-65535", "sourcePortRanges": ["0-65535"],
        "destinationPortRange": "1433-1433", "destinationPortRanges": ["1433-1433"],
        "sourceAddressPrefix": "10.20.1.4/32", "sourceAddressPrefixes": ["10.20.1.4/32"],
        "destinationAddressPrefix": "10.20.2.4/32", "destinationAddressPrefixes": ["10.20.2.4/32"],
        "access": "Allow", "priority": 4010, "direction": "Inbound",
    }  # fmt: skip
    tagged = rules["defaultSecurityRules/AllowVnetInBound"]
    assert (tagged["protocol"], tagged["sourceAddressPrefix"]) == ("All", "VirtualNetwork")
    assert tagged["expandedSourceAddressPrefix"] == ["10.20.0.0/16", "168.63.129.16/32"]
    assert rules["defaultSecurityRules/DenyAllInBound"]["sourceAddressPrefixes"] == ["0.0.0.0/0", "0.0.0.0/0"]
    outside = rules["defaultSecurityRules/AllowInternetOutBound"]["expandedDestinationAddressPrefix"]
    assert ("8.0.0.0/7" in outside, "10.0.0.0/8" in outside) == (True, False)


def test_effective_routes_are_azures_own_and_the_tables() -> None:
    hop = {"addressPrefix": "10.20.2.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.20.3.4"}
    routes = [{"name": "there", "properties": hop}, {"name": "all", "properties": hop | {"addressPrefix": "0.0.0.0/0"}}]
    document = derived(
        add=[{"type": "Microsoft.Network/routeTables", "name": "rt", "properties": {"routes": routes}}],
        change=[{"resource": "snet-web", "set": {"properties.routeTable": {"id": "{rt}"}}}],
    )
    listed = document["probes"][effective.KINDS[1]][0]["answer"]["value"]
    assert [(r["source"], r["state"], r["addressPrefix"], r["nextHopType"]) for r in listed] == [
        ("Default", "Active", ["10.20.0.0/16"], "VnetLocal"),
        ("Default", "Invalid", ["0.0.0.0/0"], "Internet"),
        *(("Default", "Active", [p], "None") for p in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12")),
        ("Default", "Active", ["192.168.0.0/16"], "None"),
        ("User", "Active", ["10.20.2.0/24"], "VirtualAppliance"),
        ("User", "Active", ["0.0.0.0/0"], "VirtualAppliance"),
    ]
    assert resource(document, "rt")["properties"]["subnets"] == [{"id": resource(document, "snet-web")["id"]}]


NOWHERE = {"properties.securityRules.no.name": 1}
DANGLING = {"properties.routeTable": {"id": "{rt-nothing}"}}
UNSURE = {"problem": "vm-to-vm", "checks": [], "because": "", "confidence": "sure"}
UNMATCHED = {"match": {"targetResourceId": "vm-nothing"}, "answer": {}}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"chnage": []}, "unknown field chnage"),
    ({"delete": ["nsg-nothing"]}, "delete: nothing is called nsg-nothing"),
    ({"delete": ["AllowVnetInBound"]}, "delete: AllowVnetInBound is not one resource but 2: nsg-orders-web/"),
    ({"change": [{"resource": "snet-web", "sets": {}}]}, r"change: \[0\]: unknown field sets"),
    ({"change": [{"resource": "snet-web", "remove": ["properties.nothing"]}]}, r"change: \[0\]: no nothing"),
    ({"change": [{"resource": "nsg-orders-web", "set": NOWHERE}]}, r"change: \[0\]: .*0 items are called no"),
    ({"add": [{"name": "x"}]}, r"add: \[0\]: no type"),
    ({"add": ["x"]}, r"add: \[0\]: not of the form"),
    ({"change": [{"resource": "snet-web", "set": DANGLING}]}, r"\{name\}: nothing is called rt-nothing"),
    ({"powerStates": {"vm-nothing": "PowerState/running"}}, "powerStates: nothing is called vm-nothing"),
    ({"alert": {"dimension": {}}}, "alert: unknown field dimension"),
    ({"probes": {"nextHop": [UNMATCHED]}}, r"probes: nextHop\[0\]: nothing is called vm-nothing"),
    ({"activityLog": [{"minutesBefore": 1}]}, r"activityLog\[0\]: no operationName"),
    ({"base": "nothing"}, "base: there is no scenario nothing"),
    ({"base": "wrong"}, "derived from itself: wrong.json -> wrong.json"),
    ({"probes": {"nextHop": [{"answer": {}, "answers": [{}]}]}}, "either an answer, or answers, or an error"),
    ({"expected": UNSURE}, "Invalid enum value 'sure'"),
]


@pytest.mark.parametrize(("told", "message"), WRONG)
def test_a_wrong_file_is_refused_with_its_name_and_place(tmp_path: Path, told: dict[str, Any], message: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(msgspec.json.encode(OWN | {"base": "vm-to-vm-nsg"} | told))
    with pytest.raises(ScenarioError, match=rf"(?s)wrong\.json: .*{message}"):
        Scenario.load(path)


def test_a_field_that_every_scenario_has_to_have(tmp_path: Path) -> None:
    path = tmp_path / "short.json"
    path.write_bytes(msgspec.json.encode({"base": "healthy", "name": "short"}))
    with pytest.raises(ScenarioError, match=r"short\.json: no expected; no problem; no story; no title"):
        Scenario.load(path)
