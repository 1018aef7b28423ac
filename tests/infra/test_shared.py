"""The alert rules that both ways of deploying make: vmreach's own audit is content with them, and its intake, too."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from diagnostics.checks.audit import audit
from diagnostics.intake import alerts
from diagnostics.intake.messages import DiagnosisRequest, Protocol
from diagnostics.network.reading import read_objects
from tests.infra.roles import SHARED, shared

PAYLOADS = SHARED.parents[1] / "tests" / "data" / "alerts"
SUBSCRIPTION = "/subscriptions/3c1f6b7e-58a2-4d09-9e41-7b0d2f6a8c15"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-vmreach/providers/Microsoft"

RULES = shared("alerts")
CHANGES: dict[str, Any] = {name: rule for name, rule in RULES["activityLog"].items() if rule["to"] == "operators"}
EVERY = [(kind, name) for kind, rules in RULES.items() for name in rules]

ALWAYS = {
    "activityLog": {"description", "to", "category", "statuses"},
    "metric": {"description", "to", "severity", "resourceType", "namespace", "metric", "aggregation", "operator"}
    | {"threshold", "window", "frequency", "dimensions"},
    "log": {"description", "to", "severity", "query", "window", "frequency", "operator", "threshold"},
}
MAY = {"activityLog": {"operationName", "resourceTypes", "resourceHealth"}}
TYPES = {"networkSecurityGroups", "publicIPAddresses", "routeTables"}

# What Azure takes: REST references of metric alerts and of scheduled query rules.
MINUTES = {"PT1M": 1, "PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT2H": 120, "PT6H": 360}
MINUTES |= {"PT12H": 720, "P1D": 1440, "P2D": 2880}
OPERATORS = {"GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"}
NOT_OF = {"metric": {"PT2H", "PT10M", "P2D"}, "log": {"PT1M", "PT12H"}}
OFTEN = {"metric": 60, "log": 1440}

# What each rule that calls vmreach sends, in Azure's shape: a file of tests/data/alerts.
SENT = {
    "nic-write-failed": "activity-administrative",
    "vm-unhealthy": "resource-health",
    "vm-availability": "metric-multi",
    "connection-test": "connection-monitor",
}


def rule_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(rules[name] for rules in RULES.values() if name in rules)
    return found


def sent(name: str) -> dict[str, Any]:
    """The payload of a rule: of dimensions, it has those that the rule names."""
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{SENT[name]}.json").read_text(encoding="utf-8"))
    for criterion in payload["data"]["alertContext"].get("condition", {}).get("allOf", ()):
        asked = {*rule_of(name).get("dimensions", ()), "microsoft.resourceId"}
        criterion["dimensions"] = [each for each in criterion["dimensions"] if each["name"] in asked]
    return payload


def accepted(payload: dict[str, Any]) -> DiagnosisRequest:
    read = alerts.read(json.dumps(payload).encode())
    assert isinstance(read, alerts.Accepted), read
    (request,) = read.requests
    return request


def deployed(rules: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules as Azure lists them, and what they are about."""
    kinds = [f"Network/{kind}" for kind in sorted(TYPES)]
    there = [{"id": f"{GROUP}.{kind}/it", "type": f"Microsoft.{kind}", "properties": {}} for kind in kinds]
    return [*there, *(_resource(name, rule) for name, rule in rules.items())]


def _resource(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    terms = [{"field": "category", "equals": rule["category"]}, {"field": "status", "containsAny": rule["statuses"]}]
    terms += [{"field": "operationName", "equals": rule["operationName"]}] if "operationName" in rule else []
    terms += [{"field": "resourceType", "containsAny": rule["resourceTypes"]}] if "resourceTypes" in rule else []
    told = [{"actionGroupId": f"{GROUP}.Insights/actionGroups/{rule['to']}"}]
    properties = {"scopes": [SUBSCRIPTION], "enabled": True, "condition": {"allOf": terms}}
    rid = f"{GROUP}.Insights/activityLogAlerts/{name}"
    kind = "Microsoft.Insights/activityLogAlerts"
    return {"id": rid, "type": kind, "properties": {**properties, "actions": {"actionGroups": told}}}


def found(rules: dict[str, Any]) -> list[str]:
    made = audit(read_objects(deployed(rules), complete=True), only=[f"ALR00{number}" for number in range(1, 8)])
    assert made.unknown == ()
    return [finding.title for finding in made.findings]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_rule_has_what_the_templates_read(kind: str, name: str) -> None:
    rule = RULES[kind][name]
    assert ALWAYS[kind] <= rule.keys() <= ALWAYS[kind] | MAY.get(kind, set())
    assert re.fullmatch(r"[a-z][a-z-]{2,40}", name)
    assert rule["to"] in ({"operators"} if kind == "log" else {"vmreach", "operators"})
    assert rule["description"].endswith(".")
    assert all(rule[each] for each in rule.keys() - {"dimensions", "threshold"})


@pytest.mark.parametrize(("kind", "name"), [each for each in EVERY if each[0] != "activityLog"])
def test_azure_takes_the_windows_and_operators(kind: str, name: str) -> None:
    rule = RULES[kind][name]
    window, frequency = rule["window"], rule["frequency"]
    assert not {window, frequency} & NOT_OF[kind]
    assert MINUTES[frequency] <= min(MINUTES[window], OFTEN[kind])
    assert rule["operator"] in OPERATORS
    assert 0 <= rule["severity"] <= 4
    assert rule.get("aggregation", "Average") in {"Average", "Minimum", "Maximum", "Total", "Count"}


def test_names_are_unique() -> None:
    assert len({name for _, name in EVERY}) == len(EVERY)


def test_the_audit_is_content() -> None:
    assert found(RULES["activityLog"]) == []


@pytest.mark.parametrize("name", CHANGES)
def test_the_audit_misses_each_rule_about_changes(name: str) -> None:
    left = {other: rule for other, rule in RULES["activityLog"].items() if other != name}
    (title,) = found(left)
    assert "Nobody is told of" in title


def test_operations_are_spelt_as_azure_spells_them(corpus: Path) -> None:
    known: set[str] = set()
    for folder in ("nsg", "nic", "route_table", "exchange_nsg_rule", "exchange_route", "activity_log"):
        for file in (corpus / folder).glob("*.json"):
            known |= set(re.findall(r'"(Microsoft\.Network/[A-Za-z/]+)"', file.read_text(encoding="utf-8")))
    operations = [rule["operationName"] for rule in RULES["activityLog"].values() if "operationName" in rule]
    assert [each for each in operations if each.rpartition("/")[0] not in known] == []
    assert {each.rpartition("/")[2] for each in operations} == {"write", "delete"}


def test_every_rule_that_calls_vmreach_is_held_to_its_intake() -> None:
    assert sorted(SENT) == sorted(name for kind, name in EVERY if RULES[kind][name]["to"] == "vmreach")


@pytest.mark.parametrize("name", SENT)
def test_vmreach_diagnoses_what_a_rule_sends(name: str) -> None:
    source = accepted(sent(name)).source.resource
    assert source is not None
    assert source.name == ("web-1-nic" if name == "nic-write-failed" else "web-1")


@pytest.mark.parametrize("name", ["nic-write-failed", "vm-unhealthy"])
def test_the_filters_let_through_what_azure_logs(name: str) -> None:
    rule, context = rule_of(name), sent(name)["data"]["alertContext"]
    assert context["status"] in rule["statuses"]
    assert context["operationName"] == rule.get("operationName", context["operationName"])
    health, told = rule.get("resourceHealth", {}), context["properties"]
    for part, field in (("current", "currentHealthStatus"), ("previous", "previousHealthStatus"), ("reason", "cause")):
        assert part not in health or told[field] in health[part]


@pytest.mark.parametrize("name", ["vm-availability", "connection-test"])
def test_a_metric_is_the_one_that_azure_sends(name: str) -> None:
    rule, (criterion,) = rule_of(name), sent(name)["data"]["alertContext"]["condition"]["allOf"]
    assert (criterion["metricName"], criterion["metricNamespace"]) == (rule["metric"], rule["namespace"])
    assert (criterion["operator"], float(criterion["threshold"])) == (rule["operator"], rule["threshold"])


def test_somebody_who_stops_a_vm_starts_no_diagnosis() -> None:
    assert "UserInitiated" not in rule_of("vm-unhealthy")["resourceHealth"]["reason"]


def test_a_connection_test_names_both_ends() -> None:
    request = accepted(sent("connection-test"))
    source, there = request.source.resource, request.destination
    assert source is not None
    assert there is not None
    assert there.resource is not None
    assert (source.name, there.resource.name, there.address) == ("web-1", "sql-1", "10.1.1.4")
    assert (there.port, request.protocol) == (1433, Protocol.TCP)
