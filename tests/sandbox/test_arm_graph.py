from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from sandbox.arm import query
from sandbox.arm.clients import Azure, code_of, connected
from sandbox.arm.wire import ArmError
from sandbox.scenario import Scenario, scenarios

PATH = "/providers/Microsoft.ResourceGraph/resources"
FAILED = """
resources
| where type =~ 'microsoft.network/networkinterfaces'
| where tostring(properties.provisioningState) =~ 'Failed'
| project id, name, location, resourceGroup, vmId = tostring(properties.virtualMachine.id)
| order by id asc
"""


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with connected("internet-failed-nic") as azure:
        yield azure


def ask(azure: Azure, text: str, *, subscriptions: list[str] | None = None, **options: Any) -> Any:
    request = QueryRequest(query=text, subscriptions=subscriptions, options=QueryRequestOptions(**options))
    return azure.graph.resources(request)


def test_the_failed_nic_sweep(azure: Azure) -> None:
    answer = ask(azure, FAILED, subscriptions=[azure.scenario.subscription])
    assert (answer.count, answer.total_records, answer.result_truncated) == (1, 1, "false")
    assert answer.data == [
        {
            "id": azure.id("nic-shop-web-01"),
            "name": "nic-shop-web-01",
            "location": "westeurope",
            "resourceGroup": "rg-shop-prod-weu",
            "vmId": azure.id("vm-shop-web-01"),
        }
    ]


def test_a_row(azure: Azure) -> None:
    (row,) = ask(azure, "Resources | where type == 'microsoft.compute/virtualmachines'").data
    assert row["type"] == "microsoft.compute/virtualmachines"
    assert "etag" not in row
    assert row["tags"]["app"] == "shop"
    assert row["properties"]["extended"]["instanceView"]["powerState"]["code"] == "PowerState/running"


def test_subscriptions_in_resourcecontainers(azure: Azure) -> None:
    text = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project subscriptionId, name"
    assert ask(azure, text).data == [{"subscriptionId": azure.scenario.subscription, "name": "sub-internet-failed-nic"}]


def test_pages(azure: Azure) -> None:
    text = "resources | project id | order by id asc"
    seen: list[str] = []
    token = None
    while True:
        answer = ask(azure, text, top=5, skip_token=token)
        seen += [row["id"] for row in answer.data]
        assert answer.total_records == 13
        token = answer.skip_token
        if token is None:
            break
    assert len(seen) == len(set(seen)) == 13


def test_without_id_what_does_not_fit_is_cut_off(azure: Azure) -> None:
    answer = ask(azure, "resources | project name", top=5)
    assert (answer.count, answer.skip_token, answer.result_truncated) == (5, None, "true")


def test_a_skip_token_is_good_for_its_query(azure: Azure) -> None:
    token = ask(azure, "resources | project id", top=5).skip_token
    with pytest.raises(HttpResponseError, match="skip token"):
        ask(azure, "resources | project id, name", top=5, skip_token=token)


def test_quota_headers_and_the_limit_of_a_page(azure: Azure) -> None:
    answer = azure.call("POST", PATH, json={"query": "resources | take 1"})
    assert answer.headers["x-ms-user-quota-remaining"].isdigit()
    assert answer.headers["x-ms-user-quota-resets-after"] == "00:00:05"
    too_many = azure.call("POST", PATH, json={"query": "resources", "options": {"$top": 1001}})
    assert code_of(too_many) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ({}, 1),
        ({"subscriptions": ["{own}"]}, 1),
        ({"subscriptions": ["{own}", "00000000-0000-4000-8000-000000000000"]}, 1),
        ({"managementGroups": ["MG-Contoso"]}, 1),
        ({"managementGroups": ["mg-other"]}, 403),
        ({"subscriptions": ["00000000-0000-4000-8000-000000000000"]}, 403),
    ],
)
def test_scopes(azure: Azure, scope: dict[str, list[str]], found: int) -> None:
    named = {key: [v.replace("{own}", azure.scenario.subscription) for v in values] for key, values in scope.items()}
    answer = azure.call("POST", PATH, json=named | {"query": FAILED})
    assert (answer.json().get("count") or answer.status_code) == found


def test_a_query_that_is_not_understood(azure: Azure) -> None:
    answer = azure.call("POST", PATH, json={"query": "resources | summarize count() by type"})
    assert code_of(answer) == (400, "BadRequest")
    assert answer.json()["error"]["details"][0]["code"] == "InvalidQuery"


@pytest.mark.parametrize("body", [{}, {"query": 1}, {"query": "resources", "options": {"resultFormat": "table"}}])
def test_bodies_that_are_refused(azure: Azure, body: dict[str, Any]) -> None:
    assert code_of(azure.call("POST", PATH, json=body)) == (400, "BadRequest")


def test_the_graph_may_lag_behind() -> None:
    with connected("healthy") as azure:
        nic = azure.id("nic-crm-app-01")
        azure.scenario.stale_graph[nic.upper()] = {"properties.provisioningState": "Failed"}
        assert [row["id"] for row in ask(azure, FAILED).data] == [nic]
        assert azure.sandbox.resource(nic)["properties"]["provisioningState"] == "Succeeded"


ROWS: list[dict[str, Any]] = [
    {
        "id": "/2",
        "name": "b",
        "tags": {"env": "Prod"},
        "properties": {"n": 5, "on": True, "text": "old port 22", "ports": [{"no": 22}, {"no": 80}]},
    },
    {"id": "/1", "name": "A|x", "tags": None, "properties": {"n": 12, "on": False, "ports": []}},
    {"id": "/3", "name": "c", "tags": {"env": "dev"}, "properties": {}},
]


@pytest.mark.parametrize(
    ("steps", "ids"),
    [
        ("where name == 'B'", []),
        ("where name =~ 'B'", ["/2"]),
        ("where name !~ 'B'", ["/1", "/3"]),
        ("where name != 'b' and name != 'c'", ["/1"]),
        ("where name in~ ('B', \"C\")", ["/2", "/3"]),
        ("where name in ('B')", []),
        ("where name !in~ ('B')", ["/1", "/3"]),
        ("where name =~ 'a|X'", ["/1"]),
        ("where tags.env =~ 'prod'", ["/2"]),
        ("where properties.on == true", ["/2"]),
        ("where properties.n == 12", ["/1"]),
        ("where tolower(tags.env) contains 'PRO'", ["/2"]),
        ("where properties.text has 'port' | where properties.text !has 'por'", ["/2"]),
        ("where id startswith '/' and name endswith 'x'", ["/1"]),
        ("where isnotempty(tags.env)", ["/2", "/3"]),
        ("where isnull(properties.n)", ["/3"]),
        ("order by name asc", ["/1", "/2", "/3"]),
        ("sort by id", ["/3", "/2", "/1"]),
        ("order by id asc | take 2", ["/1", "/2"]),
        ("extend e = tostring(tags.env) | where e =~ 'DEV'", ["/3"]),
        ("extend e = iff(name =~ 'B', tags.env, properties.n) | where e in~ ('prod', '12')", ["/2", "/1"]),
        ("mv-expand p = properties.ports | where tostring(p.no) == '22'", ["/2"]),
        ("mv-expand properties.ports | where isnotempty(properties_ports.no)", ["/2", "/2"]),
        ("mv-expand p = properties.ports limit 1 | where isnotempty(p.no)", ["/2"]),
        ("mv-expand p = properties.ports | where isnull(p)", ["/1", "/3"]),
    ],
)
def test_steps_of_a_query(steps: str, ids: list[str]) -> None:
    assert [row["id"] for row in query.run(f"t | {steps}", {"t": ROWS})] == ids


def test_a_list_is_expanded_up_to_the_default_limit() -> None:
    row = {"id": "/1", "numbers": list(range(200))}
    expanded = query.run("t | mv-expand n = numbers", {"t": [row]})
    assert [each["n"] for each in expanded] == list(range(128))
    assert query.run("t | mv-expand n = numbers limit 2000 | count", {"t": [row]}) == [{"Count": 200}]


def test_columns_of_a_query() -> None:
    (row, *_) = query.run("t | project id, up = toupper(name), n = toint(properties.n), tags.env", {"t": ROWS})
    assert row == {"id": "/2", "up": "B", "n": 5, "tags_env": "Prod"}
    assert query.run("t | count", {"t": ROWS}) == [{"Count": 3}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "t | where",
        "t | where name ~ 'a'",
        "t | where name =~ 'a' or name =~ 'b'",
        "t | project strcat(a)",
        "t | order by name up",
        "t | take some",
        "t | mv-expand",
        "t | mv-expand x limit 2001",
        "t | extend a = iff(name, id, id)",
        "t | extend a = iff(name == 'b', id)",
    ],
)
def test_queries_that_are_refused(text: str) -> None:
    with pytest.raises(ArmError, match="BadRequest"):
        query.run(text, {"t": ROWS})


def test_all_scenarios_in_one_tenant() -> None:
    everything = scenarios()
    assert len({scenario.subscription for scenario in everything}) == len(everything) == 5
    assert all(isinstance(scenario, Scenario) for scenario in everything)
    assert msgspec.json.encode(everything)
