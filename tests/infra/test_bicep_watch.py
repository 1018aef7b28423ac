"""What the Bicep templates make in a watched subscription, in values: alert rules, events, tests, maintenance."""

from typing import Any

import pytest

from tests.infra.plans import main, one, plain, properties, watch
from tests.infra.roles import shared
from tools.infra.planned import FailedError

RULES, QUERIES = shared("alerts"), shared("queries")
ACTIVITY, METRIC = "Microsoft.Insights/activityLogAlerts", "Microsoft.Insights/metricAlerts"
LOG, WORKBOOK = "Microsoft.Insights/scheduledQueryRules", "Microsoft.Insights/workbooks"
SAVED = "Microsoft.OperationalInsights/workspaces/savedSearches"
TOPIC, MONITOR = "Microsoft.EventGrid/systemTopics", "Microsoft.Network/networkWatchers/connectionMonitors"
MAINTENANCE = "Microsoft.AlertsManagement/actionRules"
GROUPS = {"vmreach": "calls", "operators": "tells"}
OPERATORS = {"operatorEmails": ["ops@example.com", "network@example.com"]}
TESTS = [
    {"name": "web-to-db", "sourceId": "web", "destinationId": "db", "port": 1433},
    {"name": "web-to-internet", "sourceId": "web", "destinationAddress": "www.example.com", "port": 443},
]
HEALTH = {"current": "currentHealthStatus", "previous": "previousHealthStatus", "reason": "cause"}


def wanted(rule: dict[str, Any]) -> dict[str, Any]:
    """The terms of a rule of the activity log, as the shared file says."""
    terms = {"category": rule["category"], "status": rule["statuses"]}
    terms |= {"operationName": rule["operationName"]} if "operationName" in rule else {}
    terms |= {"resourceType": rule["resourceTypes"]} if "resourceTypes" in rule else {}
    health = rule.get("resourceHealth", {})
    return terms | {f"properties.{HEALTH[key]}": values for key, values in health.items()}


def terms(said: dict[str, Any]) -> dict[str, Any]:
    """The terms of a deployed rule, by field; where any of some will do, the values of all."""
    found: dict[str, Any] = {}
    for term in said["condition"]["allOf"]:
        if "anyOf" in term:
            (field,) = {each["field"] for each in term["anyOf"]}
            found[field] = [each["equals"] for each in term["anyOf"]]
        else:
            found[term["field"]] = term.get("equals", term.get("containsAny"))
    return found


def test_there_is_a_rule_for_each_of_the_file() -> None:
    found = {name.removeprefix("vmreach-"): body["properties"] for name, body in watch().of(ACTIVITY).items()}
    assert found.keys() == RULES["activityLog"].keys()
    for name, rule in RULES["activityLog"].items():
        assert terms(found[name]) == wanted(rule)
        assert found[name]["actions"]["actionGroups"] == [{"actionGroupId": GROUPS[rule["to"]]}]
        assert (found[name]["enabled"], found[name]["scopes"]) == (True, ["<subscription>"])
        assert found[name]["description"] == rule["description"]


def test_without_operators_there_are_no_rules_for_them() -> None:
    calling = {f"vmreach-{name}" for name, rule in RULES["activityLog"].items() if rule["to"] == "vmreach"}
    assert set(watch(operatorsActionGroupId="").of(ACTIVITY)) == set(plain().of(ACTIVITY)) == calling
    assert plain().of(LOG) == {}


def asked(rule: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What a deployed rule about a metric says, by the names of the shared file."""
    (criterion,) = said["criteria"]["allOf"]
    assert {(each["operator"], *each["values"]) for each in criterion["dimensions"]} <= {("Include", "*")}
    (told,) = said["actions"]
    return {
        "description": said["description"],
        "to": next(name for name, group in GROUPS.items() if group == told["actionGroupId"]),
        "severity": said["severity"],
        "resourceType": said.get("targetResourceType", rule["resourceType"]),
        "namespace": criterion["metricNamespace"],
        "metric": criterion["metricName"],
        "aggregation": criterion["timeAggregation"],
        "operator": criterion["operator"],
        "threshold": criterion["threshold"],
        "window": said["windowSize"],
        "frequency": said["evaluationFrequency"],
        "dimensions": [each["name"] for each in criterion["dimensions"]],
    }


def test_the_availability_of_vms_is_watched_in_each_region() -> None:
    made = watch(watchedRegions=["westeurope", "northeurope"]).of(METRIC)
    assert list(made) == ["vmreach-vm-availability-westeurope", "vmreach-vm-availability-northeurope"]
    for name, body in made.items():
        said, rule = body["properties"], RULES["metric"]["vm-availability"]
        assert asked(rule, said) == rule
        assert (said["enabled"], said["autoMitigate"], said["scopes"]) == (True, True, ["<subscription>"])
        assert name.endswith(said["targetResourceRegion"])


def test_tests_of_connections_have_their_two_ends_and_a_rule() -> None:
    made = watch(connectionTests=TESTS, workspaceId="workspace", watchedRegions=[])
    monitor = properties(made, MONITOR)
    assert list(made.of(MONITOR)) == ["NetworkWatcher_westeurope/vmreach"]
    ends = {each["name"]: each.get("resourceId", each.get("address")) for each in monitor["endpoints"]}
    for test, group, configured in zip(TESTS, monitor["testGroups"], monitor["testConfigurations"], strict=True):
        assert [ends[name] for name in group["sources"]] == [test["sourceId"]]
        assert [ends[name] for name in group["destinations"]] == [test.get("destinationId", "www.example.com")]
        assert group["testConfigurations"] == [configured["name"]] == [test["name"]]
        assert (configured["tcpConfiguration"], configured["protocol"]) == ({"port": test["port"]}, "Tcp")
        assert configured["testFrequencySec"] == 60
    assert [each["workspaceSettings"]["workspaceResourceId"] for each in monitor["outputs"]] == ["workspace"]
    said, rule = properties(made, METRIC), RULES["metric"]["connection-test"]
    assert asked(rule, said) == rule
    assert (said["enabled"], said["autoMitigate"]) == (True, True)
    assert said["scopes"] == [f"<{MONITOR} NetworkWatcher_westeurope/vmreach>"]


def test_there_is_no_connection_monitor_unless_asked() -> None:
    assert watch().of(MONITOR) == {}
    assert list(watch().of(METRIC)) == ["vmreach-vm-availability-westeurope"]


@pytest.mark.parametrize("both", [{}, {"destinationId": "db", "destinationAddress": "192.0.2.1"}])
def test_a_test_has_one_destination(both: dict[str, str]) -> None:
    with pytest.raises(FailedError, match="connectionTests: "):
        watch(connectionTests=[{"name": "test", "sourceId": "web", "port": 443, **both}])


def test_rules_about_logs_are_those_of_the_shared_file() -> None:
    made = main(**OPERATORS).of(LOG)
    assert list(made) == sorted(f"vmreach-{name}" for name in RULES["log"])
    for name, rule in RULES["log"].items():
        said = made[f"vmreach-{name}"]["properties"]
        (criterion,) = said["criteria"]["allOf"]
        assert (criterion["query"], criterion["timeAggregation"]) == (QUERIES[rule["query"]]["query"], "Count")
        assert (criterion["operator"], criterion["threshold"]) == (rule["operator"], rule["threshold"])
        assert criterion["failingPeriods"] == {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
        assert (said["windowSize"], said["evaluationFrequency"]) == (rule["window"], rule["frequency"])
        assert (said["severity"], said["description"]) == (rule["severity"], rule["description"])
        assert (said["enabled"], said["autoMitigate"], said["skipQueryValidation"]) == (True, True, True)
        assert said["scopes"] == ["<Microsoft.OperationalInsights/workspaces log-vmreach>"]
        assert said["actions"]["actionGroups"] == ["<Microsoft.Insights/actionGroups ag-vmreach-operators>"]


def test_operators_are_mailed() -> None:
    group = main(**OPERATORS).of("Microsoft.Insights/actionGroups")["ag-vmreach-operators"]["properties"]
    assert [each["emailAddress"] for each in group["emailReceivers"]] == OPERATORS["operatorEmails"]
    assert {each["useCommonAlertSchema"] for each in group["emailReceivers"]} == {group["enabled"]} == {True}


def test_queries_are_saved_and_shown() -> None:
    saved = {name.partition("/vmreach-")[2]: body["properties"] for name, body in plain().of(SAVED).items()}
    assert {name: (said["displayName"], said["query"]) for name, said in saved.items()} == {
        name: (query["title"], query["query"]) for name, query in QUERIES.items()
    }
    assert {said["category"] for said in saved.values()} == {"vmreach"}
    assert len(plain().of(WORKBOOK)) == 1
    assert main(enableWorkbook=False).of(WORKBOOK) == {}


def test_failed_writes_of_nics_go_to_the_queue() -> None:
    assert properties(watch(), TOPIC) == {"source": "<subscription>", "topicType": "Microsoft.Resources.Subscriptions"}
    assert one(watch(), TOPIC)["identity"]["type"] == "UserAssigned"
    told = properties(watch(), f"{TOPIC}/eventSubscriptions")
    delivery = told["deliveryWithResourceIdentity"]
    assert delivery["identity"] == {"type": "UserAssigned", "userAssignedIdentity": "identity"}
    assert delivery["destination"]["properties"] == {"resourceId": "storage", "queueName": "diagnosis-requests"}
    assert told["filter"]["includedEventTypes"] == ["Microsoft.Resources.ResourceWriteFailure"]
    (term,) = told["filter"]["advancedFilters"]
    assert term["operatorType"] == "StringIn"
    assert (term["key"], term["values"]) == ("data.operationName", ["Microsoft.Network/networkInterfaces/write"])


def test_a_subscription_with_a_topic_gets_no_other() -> None:
    assert watch(events=False).of(TOPIC) == main(events=False).of(TOPIC) == {}


def test_nothing_is_watched_where_nothing_is_to_be() -> None:
    kinds = {each.type for each in main(watch=False, **OPERATORS).resources}
    assert not kinds & {ACTIVITY, METRIC, TOPIC, MONITOR, MAINTENANCE}


@pytest.mark.parametrize(
    ("window", "schedule"),
    [
        (
            {"start": "2026-12-05T22:00:00", "end": "2026-12-06T04:00:00"},
            {"timeZone": "UTC", "effectiveFrom": "2026-12-05T22:00:00", "effectiveUntil": "2026-12-06T04:00:00"},
        ),
        (
            {"days": ["Saturday"], "startTime": "22:00:00", "endTime": "04:00:00", "timeZone": "Tokyo Standard Time"},
            {
                "timeZone": "Tokyo Standard Time",
                "recurrences": [
                    {
                        "recurrenceType": "Weekly",
                        "daysOfWeek": ["Saturday"],
                        "startTime": "22:00:00",
                        "endTime": "04:00:00",
                    }
                ],
            },
        ),
    ],
    ids=["once", "weekly"],
)
def test_alerts_of_vmreach_are_silent_in_a_window(window: dict[str, Any], schedule: dict[str, Any]) -> None:
    rule = properties(watch(maintenance=window), MAINTENANCE)
    assert rule["schedule"] == schedule
    assert rule["actions"] == [{"actionType": "RemoveAllActionGroups"}]
    (condition,) = rule["conditions"]
    assert condition["operator"] == "Contains"
    assert all(condition["values"]), "alerts of others are told"
    assert watch().of(MAINTENANCE) == {}


def test_the_app_is_watched_with_its_own_things() -> None:
    made = main(connectionTests=TESTS, **OPERATORS)
    storage, identity = made.outputs["storageAccountId"], made.outputs["identityId"]
    delivery = properties(made, f"{TOPIC}/eventSubscriptions")["deliveryWithResourceIdentity"]
    assert delivery["destination"]["properties"]["resourceId"] == storage
    assert delivery["identity"]["userAssignedIdentity"] == identity
    assert properties(made, MONITOR)["outputs"][0]["workspaceSettings"] == {
        "workspaceResourceId": made.outputs["workspaceId"]
    }
    groups = {each["properties"]["actions"]["actionGroups"][0]["actionGroupId"] for each in made.of(ACTIVITY).values()}
    assert groups == {made.outputs["actionGroupId"], made.outputs["operatorsActionGroupId"]}
