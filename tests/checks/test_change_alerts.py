"""Alerts about changes, diagnostic settings and locks."""

import shlex
import zlib
from typing import Any

import pytest

from diagnostics.checks.audit import audit
from diagnostics.network.reading import read_objects
from tests.checks.audited import Body, audited, nsg, public_ip, table, told

SUBSCRIPTION = "/subscriptions/7d0f2c9e-1b64-4c58-9a3e-6f0d1c2b3a45"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-a"
NSG: Body = {"id": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/n", "properties": {"securityRules": []}}
OTHER: Body = {"id": NSG["id"].replace("rg-a", "rg-b"), "properties": {"securityRules": []}}
RULES = "Microsoft.Network/networkSecurityGroups/securityRules"
ADMINISTRATIVE = {"field": "category", "equals": "Administrative"}


def operation(*names: str) -> Body:
    return {"field": "operationName", "equals": names[0]} if len(names) == 1 else {
        "anyOf": [{"field": "operationName", "equals": name} for name in names]
    }  # fmt: skip


def alert(*conditions: Body, scopes: tuple[str, ...] = (SUBSCRIPTION,), groups: int = 1, enabled: bool = True) -> Body:
    tells = [{"actionGroupId": f"{GROUP}/providers/Microsoft.Insights/actionGroups/g{n}"} for n in range(groups)]
    name = f"a{zlib.crc32(repr((conditions, scopes)).encode())}"
    return {
        "id": f"{GROUP}/providers/Microsoft.Insights/activityLogAlerts/{name}",
        "properties": {
            "scopes": list(scopes),
            "enabled": enabled,
            "condition": {"allOf": [ADMINISTRATIVE, *conditions]},
            "actions": {"actionGroups": tells},
        },
    }


def term(field: str, *values: str) -> Body:
    leaves = [{"field": field, "equals": value} for value in values]
    return leaves[0] if len(leaves) == 1 else {"anyOf": leaves}


WRITE = operation("Microsoft.Network/networkSecurityGroups/write")


def names(check: str, *bodies: Body, complete: bool = True) -> tuple[list[str], list[str]]:
    made = audit(read_objects(bodies, complete=complete), only=[check])
    return [each.title for each in made.findings], [", ".join(each.missing) for each in made.unknown]


@pytest.mark.parametrize(
    ("alerts", "told_of"),
    [
        pytest.param([], False, id="none"),
        pytest.param([alert(WRITE)], True, id="of the subscription"),
        pytest.param([alert(WRITE, scopes=(SUBSCRIPTION.upper(),))], True, id="in another case"),
        pytest.param([alert()], True, id="of everything administrative"),
        pytest.param([alert(operation("microsoft.network/NETWORKSECURITYGROUPS/write"))], True, id="operation in case"),
        pytest.param([alert(operation("a/b/c", "Microsoft.Network/networkSecurityGroups/write"))], True, id="any of"),
        pytest.param([alert(operation(f"{RULES}/write"))], False, id="of rules only"),
        pytest.param([alert(WRITE, {"field": "level", "equals": "Informational"})], True, id="with a level"),
        pytest.param([alert(WRITE, term("level", "Error"))], False, id="of errors"),
        pytest.param([alert(WRITE, term("level", "Error", "Informational"))], True, id="of errors and all else"),
        pytest.param([alert(WRITE, term("Status", "Failed"))], False, id="of what fails"),
        pytest.param([alert(WRITE, term("status", "failed", "SUCCEEDED"))], True, id="of what ends"),
        pytest.param([alert(WRITE, {"field": "status", "containsAny": ["Failed"]})], False, id="of what fails, listed"),
        pytest.param([alert(WRITE, term("status", "Started"))], True, id="of what begins"),
        pytest.param([alert(WRITE, term("subStatus", "Conflict"))], False, id="of a part"),
        pytest.param([alert(WRITE, {"field": "caller", "equals": "me"})], False, id="of one caller"),
        pytest.param([alert(WRITE, {"field": "resourceGroup", "equals": "x"})], False, id="of one resource group"),
        pytest.param([alert(WRITE, scopes=(GROUP,))], False, id="of one group of two"),
        pytest.param([alert(WRITE, scopes=(GROUP, GROUP.replace("rg-a", "rg-b")))], True, id="of both groups"),
        pytest.param([alert(WRITE, scopes=(NSG["id"], OTHER["id"]))], True, id="of both resources"),
        pytest.param([alert(WRITE, scopes=(SUBSCRIPTION[:-1],))], False, id="of a subscription with a like id"),
        pytest.param([alert(WRITE, enabled=False)], False, id="switched off"),
        pytest.param([alert(WRITE, groups=0)], False, id="without an action group"),
    ],
)
def test_somebody_is_told_of_changes(alerts: list[Body], *, told_of: bool) -> None:
    found, unclear = names("ALR001", NSG, OTHER, *alerts)
    assert (bool(found), unclear) == (not told_of, [])


def test_one_finding_for_a_subscription_names_what_is_not_covered() -> None:
    (finding,) = audit(read_objects([NSG, OTHER], complete=True), only=["ALR001"]).findings
    assert (finding.resource.id, finding.resource.name) == (SUBSCRIPTION, SUBSCRIPTION[15:])
    assert "covers n, n" in finding.because[0].text


def test_alerts_that_were_not_exported_are_not_none() -> None:
    assert names("ALR001", NSG, complete=False) == ([], ["alerts of the activity log"])


@pytest.mark.parametrize(
    ("operations", "told_of"),
    [((f"{RULES}/write",), False), ((f"{RULES}/delete",), False), ((f"{RULES}/write", f"{RULES}/delete"), True)],
)
def test_all_operations_on_rules_count(operations: tuple[str, ...], *, told_of: bool) -> None:
    assert bool(names("ALR003", NSG, *(alert(operation(each)) for each in operations))[0]) is not told_of


@pytest.mark.parametrize(
    ("check", "resources", "found"),
    [
        ("ALR002", [nsg("n")], 1),
        ("ALR004", [public_ip("p")], 1),
        ("ALR005", [public_ip("p")], 1),
        ("ALR006", [table("t")], 1),
        ("ALR006", [nsg("n")], 0),
        ("ALR004", [nsg("n")], 0),
    ],
)
def test_only_what_there_is_counts(check: str, resources: list[Body], found: int) -> None:
    assert len(told(check, resources).found) == found


@pytest.mark.parametrize(
    ("each", "found"),
    [
        (alert(WRITE, enabled=False), ["is switched off"]),
        (alert(WRITE, groups=0), ["has no action group"]),
        (alert(WRITE, groups=0, enabled=False), ["is switched off and has no action group"]),
        (alert(WRITE), []),
        (alert(operation("Microsoft.Sql/servers/write"), enabled=False), []),
    ],
)
def test_alerts_that_tell_nobody(each: Body, found: list[str]) -> None:
    assert [title.split(" ", 2)[2] for title in names("ALR007", each)[0]] == found


@pytest.mark.parametrize(
    ("each", "ends"),
    [
        (alert(WRITE, enabled=False), ["--enabled true"]),
        (alert(WRITE, groups=0), ["--action-group ACTION_GROUP_ID"]),
        (alert(WRITE, groups=0, enabled=False), ["--enabled true", "--action-group ACTION_GROUP_ID"]),
    ],
)
def test_an_alert_is_given_what_it_lacks(each: Body, ends: list[str]) -> None:
    (found,) = audit(read_objects([each], complete=True), only=["ALR007"]).findings
    lines = found.remedy.az_cli.splitlines()
    assert [line.endswith(end) for line, end in zip(lines, ends, strict=True)] == [True] * len(ends)


def setting(**enabled: Any) -> Body:
    logs = [{"categoryGroup": "allLogs", "enabled": True} | enabled]
    return {
        "id": f"{NSG['id']}/providers/Microsoft.Insights/diagnosticSettings/d",
        "properties": {"logs": logs, "workspaceId": "w"},
    }


@pytest.mark.parametrize(
    ("bodies", "complete", "found", "unclear"),
    [
        ([NSG], True, 1, 0),
        ([NSG], False, 0, 1),
        ([NSG, setting()], True, 0, 0),
        ([NSG, setting(enabled=False)], True, 1, 0),
        ([NSG, OTHER, setting()], True, 1, 0),
    ],
)
def test_diagnostic_settings(bodies: list[Body], found: int, unclear: int, *, complete: bool) -> None:
    said = names("LOG001", *bodies, complete=complete)
    assert (len(said[0]), len(said[1])) == (found, unclear)


def lock(scope: str) -> Body:
    return {"id": f"{scope}/providers/Microsoft.Authorization/locks/l", "properties": {"level": "CanNotDelete"}}


@pytest.mark.parametrize(
    ("bodies", "complete", "found", "unclear"),
    [
        ([NSG], True, 1, 0),
        ([NSG], False, 0, 1),
        ([NSG, lock(NSG["id"])], True, 0, 0),
        ([NSG, lock(GROUP.upper())], True, 0, 0),
        ([NSG, lock(SUBSCRIPTION)], True, 0, 0),
        ([NSG, lock(GROUP + "2")], True, 1, 0),
        ([NSG, OTHER, lock(GROUP)], True, 1, 0),
    ],
)
def test_locks(bodies: list[Body], found: int, unclear: int, *, complete: bool) -> None:
    said = names("LOC001", *bodies, complete=complete)
    assert (len(said[0]), len(said[1])) == (found, unclear)


def test_one_finding_for_a_resource_group_counts_its_nsgs() -> None:
    (finding,) = audited("LOC001", [nsg("a"), nsg("b"), nsg("c")]).findings
    assert finding.because[0].text == "3 NSGs without: a, b, c"


def test_the_id_of_an_nsg_is_one_word_of_its_command() -> None:
    odd = {**NSG, "id": f"{NSG['id']} x;id"}
    (found,) = audit(read_objects([odd], complete=True), only=["LOG001"]).findings
    words = shlex.split(found.remedy.az_cli)
    assert words[words.index("--resource") + 1 :] == [odd["id"], "--logs", "[{categoryGroup:allLogs,enabled:true}]"]
