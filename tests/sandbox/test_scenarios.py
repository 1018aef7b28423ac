"""Every scenario, whole or derived: shapes, references, alerts, probes; and what loading does."""

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.mgmt.compute import models, types

from sandbox.arm.shapes import Shapes, network
from sandbox.arm.world import World
from sandbox.scenario import ESTATES, Probe, Scenario, ScenarioError, all_scenarios, scenarios

SHAPES = {
    "microsoft.network/applicationsecuritygroups": "ApplicationSecurityGroup",
    "microsoft.network/loadbalancers": "LoadBalancer",
    "microsoft.network/natgateways": "NatGateway",
    "microsoft.network/networkinterfaces": "NetworkInterface",
    "microsoft.network/networksecuritygroups": "NetworkSecurityGroup",
    "microsoft.network/networkwatchers": "NetworkWatcher",
    "microsoft.network/publicipaddresses": "PublicIPAddress",
    "microsoft.network/routetables": "RouteTable",
    "microsoft.network/virtualnetworkgateways": "VirtualNetworkGateway",
    "microsoft.network/virtualnetworks": "VirtualNetwork",
}

# On the wire and not in the SDK, whose list of VM sizes also ends some years ago.
UNMODELLED = {
    "kind",
    "properties.ipConfigurations[0].type",  # of a VPN gateway
    "properties.allowPort25Out",
    "properties.runningOperationIds",
    "properties.hardwareProfile.vmSize",
}

# What no resource and no answer says by itself: what is missing in the guest, what does not forward, what was counted.
IN_WORDS = {"default gateway", "forward", "60 of 100 probes failed", "30 of 30 probes failed"}

LOADED = all_scenarios()
each = pytest.mark.parametrize("scenario", LOADED, ids=lambda scenario: scenario.name)
whole = pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(item)


def checks(entry: Probe) -> list[dict[str, Any]]:
    """What an entry answers, or nothing where it is an error."""
    return entry.answers or ([entry.answer] if entry.answer else [])


def sides(scenario: Scenario, kind: str) -> Iterator[dict[str, Any]]:
    return (body for body in scenario.resources if body["type"].lower() == kind)


@each
def test_bodies_have_the_shapes_of_the_sdk(scenario: Scenario) -> None:
    compute = Shapes(types, models)
    for body in scenario.resources:
        kind = body["type"].lower()
        if kind == "microsoft.network/networkwatchers/connectionmonitors":
            continue  # the SDK has no TypedDict for it: nobody sends one
        found = (
            compute.problems("VirtualMachine", body)
            if kind.startswith("microsoft.compute")
            else network().problems(SHAPES[kind], body)
        )
        assert {path for path, _ in found} <= UNMODELLED, body["name"]


@each
def test_ids_are_what_names_and_types_say(scenario: Scenario) -> None:
    for body in scenario.resources:
        provider, _, kinds = body["type"].partition("/")
        tail = body["id"].split(f"/providers/{provider}/")[1].split("/")
        assert "/".join(tail[0::2]) == kinds
        assert tail[-1] == body["name"]
        assert body["id"].split("/")[2] == scenario.subscription


@each
def test_references_lead_somewhere(scenario: Scenario) -> None:
    world = World([scenario])
    for text in strings(scenario.resources):
        if text.lower().startswith("/subscriptions/") and "/disks/" not in text:
            assert world.find(text) is not None, text


@each
def test_nothing_of_another_subscription_is_named(scenario: Scenario) -> None:
    told = [scenario.resources, scenario.alert, scenario.activity_log, [m.resource for m in scenario.metrics]]
    answers = [check for entries in scenario.probes.values() for entry in entries for check in checks(entry)]
    for text in strings([*told, answers]):
        if text.lower().startswith("/subscriptions/"):
            assert text.split("/")[2] == scenario.subscription


@each
def test_nics_and_vms_and_subnets_know_each_other(scenario: Scenario) -> None:
    world = World([scenario])
    for vm in sides(scenario, "microsoft.compute/virtualmachines"):
        for part in vm["properties"]["networkProfile"]["networkInterfaces"]:
            nic = world.resources[part["id"].lower()]["properties"]
            assert nic["virtualMachine"]["id"] == vm["id"]
            assert nic["primary"] == part["properties"]["primary"]
            for configuration in nic["ipConfigurations"]:
                subnet = world.find(configuration["properties"]["subnet"]["id"]) or {}
                assert {"id": configuration["id"]} in subnet["properties"]["ipConfigurations"]


@each
def test_groups_have_the_six_default_rules_and_no_priority_twice(scenario: Scenario) -> None:
    for group in sides(scenario, "microsoft.network/networksecuritygroups"):
        assert [rule["properties"]["priority"] for rule in group["properties"]["defaultSecurityRules"]] == [
            65000, 65001, 65500, 65000, 65001, 65500,
        ]  # fmt: skip
        keys = [
            (r["properties"]["direction"], r["properties"]["priority"]) for r in group["properties"]["securityRules"]
        ]
        assert len(keys) == len(set(keys))


@each
def test_the_alert_is_about_something_that_exists(scenario: Scenario) -> None:
    world = World([scenario])
    essentials = scenario.alert["data"]["essentials"]
    assert scenario.alert["schemaId"] == "azureMonitorCommonAlertSchema"
    for target in essentials["alertTargetIDs"]:
        assert target == target.lower()
        assert world.find(target) is not None or Path(target).name in {name for _, name in world.groups()}
    named = [text for text in strings(scenario.alert["data"]["alertContext"]) if text.startswith("/subscriptions/")]
    assert named or scenario.name == "auto-computer-name"
    for resource_id in named:
        assert world.find(resource_id) is not None, resource_id


@whole
def test_sources_of_probes_have_a_watcher_and_an_agent(scenario: Scenario) -> None:
    regions = {watcher["location"] for watcher in sides(scenario, "microsoft.network/networkwatchers")}
    world = World([scenario])
    for entry in scenario.probes["connectivityCheck"]:
        if "source" in entry.match:
            source = str(entry.match["source"])
            assert (world.find(source) or {})["location"] in regions
            assert scenario.power_states[source] == "PowerState/running"
            publishers = {extension["properties"]["publisher"] for extension in scenario.extensions[source]}
            assert "Microsoft.Azure.NetworkWatcher" in publishers


@each
def test_ids_that_probes_match_exist(scenario: Scenario) -> None:
    world = World([scenario])
    for entries in scenario.probes.values():
        for entry in entries:
            for wanted in entry.match.values():
                assert not str(wanted).startswith("/") or world.find(str(wanted)) is not None


@each
def test_the_last_connectivity_check_is_for_everything_else(scenario: Scenario) -> None:
    last = scenario.probes["connectivityCheck"][-1]
    assert last.match == {}
    assert (last.answer or {})["connectionStatus"] == "Reachable"


@each
def test_every_question_about_rules_has_an_answer(scenario: Scenario) -> None:
    """Whatever else is asked: a question without an answer is a failure of the sandbox, not of the network."""
    for kind in ("ipFlowVerify", "networkConfigurationDiagnostic"):
        matches = [entry.match for entry in scenario.probes[kind]]
        assert {} in matches or ({"direction": "Inbound"} in matches and {"direction": "Outbound"} in matches), kind
    assert scenario.probes["nextHop"][-1].match == {}


@each
def test_hops_lead_to_each_other(scenario: Scenario) -> None:
    for check in (check for entry in scenario.probes["connectivityCheck"] for check in checks(entry)):
        hops = check["hops"]
        assert (hops[0]["type"], hops[0]["previousHopIds"], hops[-1]["nextHopIds"]) == ("Source", [], [])
        for before, after in itertools.pairwise(hops):
            assert (before["nextHopIds"], after["previousHopIds"]) == ([after["id"]], [before["id"]])


@each
def test_hops_have_the_addresses_of_their_resources(scenario: Scenario) -> None:
    world = World([scenario])
    for check in (check for entry in scenario.probes["connectivityCheck"][:1] for check in checks(entry)):
        for hop in check["hops"]:
            body = world.find(hop.get("resourceId", "")) or {}
            if "privateIPAddress" in body.get("properties", {}):
                assert body["properties"]["privateIPAddress"] == hop["address"]


@each
def test_what_is_expected_is_in_the_file(scenario: Scenario) -> None:
    assert all(re.fullmatch(r"[A-Z]{2,3}\d{3}", check) for check in scenario.expected.checks)
    answers = [check for entries in scenario.probes.values() for entry in entries for check in checks(entry)]
    errors = [entry.error for entries in scenario.probes.values() for entry in entries]
    told = [scenario.resources, scenario.power_states, scenario.alert, answers, errors, scenario.story]
    if scenario.expected.because not in IN_WORDS:
        assert scenario.expected.because in json.dumps(told, ensure_ascii=False)
    if scenario.expected.change:
        assert scenario.expected.change in [event["caller"] for event in scenario.activity_log]


def test_every_problem_of_the_runbook_has_a_scenario() -> None:
    assert {s.problem for s in scenarios()} == {"vm-to-vm", "secondary-nic", "vm-to-internet", "auto"}
    assert [s.name for s in scenarios()] == [path.stem for path in sorted(ESTATES.glob("*.json"))]


def test_times_move_with_the_alert() -> None:
    fired = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    written = msgspec.json.decode((ESTATES / "vm-to-vm-nsg.json").read_bytes())
    scenario = Scenario.load(ESTATES / "vm-to-vm-nsg.json", fired)
    assert scenario.alert["data"]["essentials"]["firedDateTime"] == "2031-05-06T07:08:09.3816214Z"
    assert scenario.alert["data"]["essentials"]["alertId"] == written["alert"]["data"]["essentials"]["alertId"]
    event = datetime.fromisoformat(scenario.activity_log[0]["eventTimestamp"])
    assert timedelta(minutes=22) < fired - event < timedelta(minutes=24)
    assert scenario.resources == written["resources"]


def test_times_are_now_unless_said_otherwise() -> None:
    fired = Scenario.load(ESTATES / "healthy.json").alert["data"]["essentials"]["firedDateTime"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(fired)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resources": [{"id": "/a", "type": "b"}]}, r"resources\[0\] has no name"),
        ({"nonsense": 1}, "unknown field `nonsense`"),
        ({"alert": {}}, "'data'"),
        ({"probes": {"traceroute": []}}, "probes.traceroute: traceroute is not one of connectivityCheck"),
        ({"probes": {"nextHop": [{"match": {"port": 1}, "answer": {}}]}}, r"probes.nextHop\[0\].match: port is not"),
        ({"probes": {"nextHop": [{}]}}, r"either an answer, or answers, or an error.*\$.probes\[...\]\[0\]"),
        (
            {"operations": {"/a": {"result": "Perhaps"}}},
            r"Invalid enum value 'Perhaps' - at `\$.operations\[...\].result`",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_a_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    body = msgspec.json.decode((ESTATES / "healthy.json").read_bytes())
    path = tmp_path / "wrong.json"
    path.write_bytes(msgspec.json.encode(body | change))
    with pytest.raises(ScenarioError, match=rf"(?s)wrong\.json: .*{message}"):
        Scenario.load(path)
