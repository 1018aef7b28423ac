"""What stands around a network is read in every form: watchers, logs, alerts, locks, and what every resource has."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from diagnostics.network.facts import (
    ActivityAlert,
    Bastion,
    Common,
    ConnectionMonitor,
    DiagnosticSetting,
    Facts,
    FlowLog,
    Lock,
    Watcher,
    Written,
)
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_files
from diagnostics.network.reading.home import GROUP, SUBSCRIPTION
from tests.network.reading.small import BODIES, flat, read, row

type Json = dict[str, Any]

HOME = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
NETWORK = f"{HOME}/providers/Microsoft.Network"
WATCHER, NSG = f"{NETWORK}/networkWatchers/w", f"{NETWORK}/networkSecurityGroups/n"
LOG, MONITOR = f"{WATCHER}/flowLogs/f", f"{WATCHER}/connectionMonitors/c"
SETTING = f"{NSG}/providers/Microsoft.Insights/diagnosticSettings/d"
LOCK = f"{NSG}/providers/Microsoft.Authorization/locks/l"
ALERT = f"{HOME}/providers/Microsoft.Insights/activityLogAlerts/a"
ACTION_GROUP = f"{HOME}/providers/Microsoft.Insights/actionGroups/g"
BASTION, SUBNET = f"{NETWORK}/bastionHosts/b", f"{NETWORK}/virtualNetworks/v/subnets/AzureBastionSubnet"
STORAGE = f"{HOME}/providers/Microsoft.Storage/storageAccounts/s"


def of(text: str) -> ResourceId:
    return ResourceId.parse(text)


def made(text: str, **properties: Any) -> Json:
    """A body as GET answers; its type is in its id."""
    tail = text.rpartition("/providers/")[2].split("/")
    kind = "/".join([tail[0], *tail[1::2]])
    return {"id": text, "name": tail[-1], "type": kind, "location": "westeurope", "properties": properties}


def leaf(field: str, equals: str | None = None, *contains: str) -> Json:
    return {"field": field, "equals": equals, "containsAny": list(contains) or None}


KINDS: dict[str, tuple[Json, str, Any]] = {
    "a watcher": (
        made(WATCHER, provisioningState="Succeeded"),
        "watchers",
        Watcher(of(WATCHER), "westeurope", "Succeeded"),
    ),
    "a flow log": (
        made(
            LOG,
            provisioningState="Succeeded",
            targetResourceId=NSG,
            storageId=STORAGE,
            enabled=True,
            retentionPolicy={"days": 30, "enabled": True},
            flowAnalyticsConfiguration={"networkWatcherFlowAnalyticsConfiguration": {"enabled": True}},
        ),
        "flow_logs",
        FlowLog(
            of(LOG), of(NSG), enabled=True, state="Succeeded", storage=of(STORAGE), retention_days=30, analytics=True
        ),
    ),
    "a flow log that keeps all": (
        made(LOG, targetResourceId=NSG, enabled=False, retentionPolicy={"days": 30, "enabled": False}),
        "flow_logs",
        FlowLog(of(LOG), of(NSG), enabled=False),
    ),
    "a connection monitor": (made(MONITOR), "connection_monitors", ConnectionMonitor(of(MONITOR), "westeurope")),
    "a diagnostic setting": (
        made(
            SETTING,
            logs=[
                {"category": "NetworkSecurityGroupEvent", "enabled": True},
                {"category": "NetworkSecurityGroupRuleCounter", "enabled": False},
                {"category": None, "categoryGroup": "allLogs", "enabled": True},
            ],
        ),
        "diagnostic_settings",
        DiagnosticSetting(of(SETTING), of(NSG), frozenset({"networksecuritygroupevent", "alllogs"})),
    ),
    "a lock": (made(LOCK, level="ReadOnly"), "locks", Lock(of(LOCK), NSG.lower(), "ReadOnly")),
    "a bastion": (
        made(BASTION, ipConfigurations=[{"name": "i", "properties": {"subnet": {"id": SUBNET}}}]),
        "bastions",
        Bastion(of(BASTION), of(SUBNET)),
    ),
    "a bastion for developers": (
        made(BASTION, virtualNetwork={"id": f"{NETWORK}/virtualNetworks/v"}),
        "bastions",
        Bastion(of(BASTION), None, of(f"{NETWORK}/virtualNetworks/v")),
    ),
    "an alert": (
        made(
            ALERT,
            scopes=[HOME],
            condition={
                "allOf": [
                    leaf("category", "Administrative"),
                    {
                        "anyOf": [
                            leaf("operationName", "Microsoft.Network/networkSecurityGroups/write"),
                            leaf("operationName", None, "Microsoft.Network/routeTables/write"),
                        ]
                    },
                    leaf("Status", None, "failed"),
                ]
            },
            actions={"actionGroups": [{"actionGroupId": ACTION_GROUP, "webhookProperties": {}}]},
        ),
        "activity_alerts",
        ActivityAlert(
            of(ALERT),
            (HOME,),
            enabled=True,
            operations=frozenset(
                {"microsoft.network/networksecuritygroups/write", "microsoft.network/routetables/write"}
            ),
            categories=frozenset({"administrative"}),
            others=frozenset({"status"}),
            narrowed=True,
            action_groups=(of(ACTION_GROUP),),
        ),
    ),
    "an alert that never fires": (
        made(
            ALERT,
            scopes=[HOME],
            enabled=False,
            condition={"allOf": [leaf("operationName", "a/write"), leaf("operationName", "b/write")]},
        ),
        "activity_alerts",
        ActivityAlert(
            of(ALERT),
            (HOME,),
            enabled=False,
            operations=frozenset({"a/write"}),
            others=frozenset({"operationname"}),
        ),
    ),
}


def template(body: Json) -> Json:
    """As Bicep writes it: an extension resource by the scope that it stands on."""
    outer, _, own = body["id"].rpartition("/providers/")
    _, *parts = own.split("/")
    scope = {"scope": "[resourceId('Microsoft.Network/networkSecurityGroups', 'n')]"} if outer == NSG else {}
    resource = {"type": body["type"], "name": "/".join(parts[1::2]), "location": "westeurope"} | scope
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "resources": [resource | {"properties": body["properties"]}]}


FORMS: dict[str, Callable[[Json], Any]] = {
    "a body": lambda body: body,
    "a page": lambda body: {"value": [body]},
    "az list": lambda body: [flat(body)],
    "Resource Graph": lambda body: {"count": 1, "data": [row(body)]},
    "a template": template,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("body", "field", "wanted"), KINDS.values(), ids=KINDS)
def test_every_kind_in_every_form(form: Callable[[Json], Any], body: Json, field: str, wanted: Any) -> None:
    estate = read(form(body))
    assert estate.problems == ()
    assert getattr(estate.facts, field) == {wanted.id: wanted}


def test_a_scope_as_older_bicep_writes_it() -> None:
    value = template(made(LOCK, level="CanNotDelete"))
    value["resources"][0]["scope"] = "[format('Microsoft.Network/networkSecurityGroups/{0}', 'n')]"
    assert [lock.scope for lock in read(value).facts.locks.values()] == [NSG.lower()]


def test_a_lock_without_scope_is_on_the_group() -> None:
    value = template(made(f"{HOME}/providers/Microsoft.Authorization/locks/l", level="CanNotDelete"))
    assert [lock.scope for lock in read(value).facts.locks.values()] == [HOME.lower()]


def test_a_setting_of_a_subscription_without_its_first_slash() -> None:
    text = f"subscriptions/{SUBSCRIPTION}/providers/microsoft.insights/diagnosticSettings/d"
    body = {
        "id": text,
        "type": "Microsoft.Insights/diagnosticSettings",
        "logs": [{"category": "Policy", "enabled": True}],
    }
    (found,) = read([body]).facts.diagnostic_settings.values()
    assert (found.target.text, found.logs) == (f"/subscriptions/{SUBSCRIPTION}", frozenset({"policy"}))


def test_an_older_flow_log_goes_by_its_target() -> None:
    inner = {"enabled": True, "storageId": STORAGE, "retentionPolicy": {"days": 7, "enabled": True}}
    older = {"targetResourceId": NSG, "properties": inner, "flowAnalyticsConfiguration": {}}
    assert list(read(older).facts.flow_logs.values()) == [
        FlowLog(of(NSG), of(NSG), enabled=True, storage=of(STORAGE), retention_days=7)
    ]


ROW: Json = {
    "id": f"{NSG}/events/e/ticks/1",
    "eventTimestamp": "2026-03-01T10:00:00.1234567Z",
    "resourceId": NSG,
    "operationName": {"value": "Microsoft.Network/networkSecurityGroups/write", "localizedValue": "Write"},
    "caller": "ann@example.com",
    "status": {"value": "Succeeded"},
}
WRITTEN = Written(
    of(NSG), datetime(2026, 3, 1, 10, 0, 0, 123456, UTC), "ann@example.com", ROW["operationName"]["value"]
)
EVENTS: dict[str, tuple[Json, tuple[Written, ...]]] = {
    "a write": ({}, (WRITTEN,)),
    "an accepted one": ({"status": {"value": "Accepted"}}, (WRITTEN,)),
    "plain texts": ({"status": "succeeded", "operationName": WRITTEN.operation}, (WRITTEN,)),
    "in another zone": ({"eventTimestamp": "2026-03-01T12:00:00.1234567+02:00"}, (WRITTEN,)),
    "a failed one": ({"status": {"value": "Failed"}}, ()),
    "one of which the end is not known": ({"status": None}, ()),
    "no write": ({"operationName": {"value": "Microsoft.Network/networkSecurityGroups/join/action"}}, ()),
    "of nothing that has an id": ({"resourceId": None}, ()),
}


@pytest.mark.parametrize(("changes", "wanted"), EVENTS.values(), ids=EVENTS)
def test_rows_of_the_activity_log(changes: Json, wanted: tuple[Written, ...]) -> None:
    for value in ({"value": [ROW | changes]}, [ROW | changes, ROW | changes]):
        estate = read(value)
        assert (estate.facts.writes, estate.problems) == (wanted, ())


def test_a_time_that_is_none_is_told() -> None:
    estate = read([ROW | {"eventTimestamp": "yesterday"}])
    assert (len(estate.problems), estate.facts.writes) == (1, ())
    assert "'yesterday' is no time" in estate.problems[0].text


COMMON = Common(of(STORAGE), "westeurope", "Failed", {"Env": "prod"}, ("1", "2"))
OTHER = {"id": STORAGE, "location": "westeurope", "tags": {"Env": "prod"}, "zones": ["1", "2"]}
COMMONS: dict[str, Json] = {
    "a body": OTHER | {"properties": {"provisioningState": "Failed"}},
    "az": OTHER | {"provisioningState": "Failed"},
    "in another case": {"ID": "", **{key.upper(): each for key, each in OTHER.items() if key != "id"}, "id": STORAGE}
    | {"Properties": {"ProvisioningState": "Failed"}},
}


@pytest.mark.parametrize("value", COMMONS.values(), ids=COMMONS)
def test_what_every_resource_has(value: Json) -> None:
    (found,) = read(value).facts.resources.values()
    assert found == COMMON
    assert found.tag("ENV") == "prod"


def test_a_later_body_leaves_what_it_does_not_say() -> None:
    estate = read(COMMONS["az"], {"id": STORAGE, "location": "northeurope"})
    found = estate.facts.resources[of(STORAGE)]
    assert (found.location, found.state, found.zones) == ("northeurope", "Failed", ("1", "2"))


def test_subnets_and_peerings_have_their_state() -> None:
    body = json.loads(json.dumps(BODIES[0]))
    body["properties"]["subnets"][1]["properties"]["provisioningState"] = "Failed"
    body["properties"]["virtualNetworkPeerings"][0]["properties"]["provisioningState"] = "Updating"
    facts = read(body).facts
    assert facts.state(of(body["properties"]["subnets"][1]["id"])) == "Failed"
    assert facts.state(of(body["properties"]["virtualNetworkPeerings"][0]["id"])) == "Updating"


def corpus_facts(corpus: Path, folder: str) -> Facts:
    """What Azure answered, all files of a folder together; nothing of it may be unreadable."""
    found = []
    for file in sorted((corpus / folder).glob("*.json")):
        value = json.loads(file.read_text(encoding="utf-8"))
        body = value.get("response_body", value)
        if body:
            found.append((str(file), json.dumps(body).encode()))
    estate = read_files(found)
    assert [problem for problem in estate.problems if "holds no resource" not in problem.text] == []
    return estate.facts


@pytest.mark.parametrize(
    ("folder", "field"),
    [
        ("network_watcher", "watchers"),
        ("flow_log_status", "flow_logs"),
        ("alert_rule", "activity_alerts"),
        ("connection_monitor", "connection_monitors"),
    ],
)
def test_real_answers_are_read(corpus: Path, folder: str, field: str) -> None:
    assert getattr(corpus_facts(corpus, folder), field)


def test_real_activity_logs_are_read(corpus: Path) -> None:
    writes = corpus_facts(corpus, "activity_log").writes
    assert all(each.operation.lower().endswith("/write") and each.when.tzinfo for each in writes)
    assert list(writes) == sorted(writes, key=lambda each: each.when)
