"""The queries of operators, and the workbook made of them: held to what is logged, and by which name."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.roles import SHARED, shared

ROOT = SHARED.parents[1]
QUERIES: dict[str, dict[str, str]] = shared("queries")
WORKBOOK = shared("workbook")
ITEMS: dict[str, Any] = {item["name"]: item["content"] for item in WORKBOOK["items"] if item["type"] == 3}
BINDINGS: dict[str, Any] = json.loads((ROOT / "tests" / "functions" / "bindings.json").read_text(encoding="utf-8"))

# Columns that are used of a table. Source: Azure Monitor Logs reference, table by table.
_ALL = "TimeGenerated OperationName OperationId ItemCount Properties"
_STORAGE = "TimeGenerated OperationName StatusCode StatusText Uri ServiceType AuthenticationType"
TABLES = {
    "AppRequests": f"{_ALL} Name Success ResultCode DurationMs",
    "AppTraces": f"{_ALL} Message SeverityLevel",
    "AppExceptions": f"{_ALL} InnermostMessage OuterMessage Details",
    "StorageBlobLogs": _STORAGE,
    "StorageQueueLogs": _STORAGE,
    "StorageTableLogs": _STORAGE,
}
STEPS = {"where", "extend", "project", "parse", "summarize", "order"}
HOSTS_OWN = {"message-waits"}
"""Queries about lines that the Functions host logs: QueueProcessor of azure-webjobs-sdk, `Trigger Details`."""


def tables(query: str) -> list[str]:
    first, *_ = query.splitlines()
    return re.findall(r"\b(?:App|Storage)\w+", first)


def without_texts(query: str) -> str:
    return re.sub(r'"[^"]*"', '""', query)


def made(query: str) -> set[str]:
    """The columns that a query makes: by a name of their own, and by parsing."""
    parsed = [line for line in query.splitlines() if line.startswith("| parse ")]
    names = {
        name for line in parsed for name in re.findall(r"\b([A-Z]\w+)", without_texts(line.partition(" with ")[2]))
    }
    return names | set(re.findall(r"\b([A-Z]\w+) = ", without_texts(query)))


def formats() -> Iterator[str]:
    """Every text that the code logs, as it comes out."""
    for path in sorted((ROOT / "diagnostics").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_log."):
                text = node.args[0]
                assert isinstance(text, ast.Constant), ast.unparse(node)
                yield re.sub(r"%[rs]", "x1", str(text.value).replace("%d", "3"))


LOGGED = tuple(formats())


def lets_through(query: str, text: str) -> bool:
    """Whether the first filter of a query, of comparisons with Message alone, lets a text through."""
    line = query.splitlines()[1]
    terms = re.findall(r'Message (startswith|endswith|contains) "([^"]+)"', line)
    assert len(terms) == line.count("Message "), line
    has = {"startswith": text.startswith, "endswith": text.endswith, "contains": text.__contains__}
    return (any if " or " in line else all)(has[how](part) for how, part in terms)


def parses(query: str) -> re.Pattern[str] | None:
    """A `parse` of Message as a regular expression."""
    wanted = next((line for line in query.splitlines() if line.startswith("| parse Message with ")), None)
    if wanted is None:
        return None
    parts = re.findall(r'"([^"]*)"|(\w+)(:long|:int)?', wanted.removeprefix("| parse Message with "))
    return re.compile("".join(_part(text, kind) for text, _, kind in parts))


def _part(text: str, kind: str) -> str:
    return re.escape(text) if text else r"(\d+)" if kind else "(.+?)"


ABOUT_LOGS = [
    name for name, each in QUERIES.items() if each["query"].startswith("AppTraces\n") and name not in HOSTS_OWN
]


@pytest.mark.parametrize("name", ABOUT_LOGS)
def test_what_a_query_looks_for_is_logged(name: str) -> None:
    query = QUERIES[name]["query"]
    meant = [text for text in LOGGED if lets_through(query, text)]
    assert meant, f"{name}: no _log line of diagnostics is like this"
    pattern = parses(query)
    assert pattern is None or all(pattern.fullmatch(text) for text in meant), (pattern, meant)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_whole(name: str) -> None:
    title, query = QUERIES[name]["title"], QUERIES[name]["query"]
    assert title.strip() == title != ""
    plain = without_texts(query)
    assert (query.count('"') % 2, plain.count("("), plain.count("[")) == (0, plain.count(")"), plain.count("]"))
    assert not re.search(r"[{}<]\w+[}>]|TODO|\$\{|ago\(\d+d\)", plain)
    first, *steps = query.splitlines()
    assert re.fullmatch(r"(?:union (?:isfuzzy=true )?)?(\w+(?:, )?)+", first)
    assert set(tables(query)) <= TABLES.keys()
    assert {step.split()[1] for step in steps if step.startswith("| ")} <= STEPS
    assert all(step.startswith("| ") for step in steps)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_uses_columns_that_are_there(name: str) -> None:
    query = QUERIES[name]["query"]
    there = {column for table in tables(query) for column in TABLES[table].split()} | made(query)
    used = set(re.findall(r"\b[A-Z]\w+", without_texts("\n".join(query.splitlines()[1:]))))
    assert used - there == set()


def test_titles_are_unique() -> None:
    assert [title for title, many in Counter(each["title"] for each in QUERIES.values()).items() if many > 1] == []


def test_functions_and_queues_are_called_what_they_are() -> None:
    texts = {text for each in QUERIES.values() for text in re.findall(r'\bName == "(\w+)"', each["query"])}
    assert texts <= BINDINGS.keys()
    assert any(name.startswith("poison_") for name in BINDINGS)
    read = {binding["queueName"] for bound in BINDINGS.values() for binding in bound if "queueName" in binding}
    named = set(re.findall(r'"([\w-]+-requests)"', QUERIES["unread-queues"]["query"]))
    assert named == {queue for queue in read if not queue.endswith("-poison")}


def test_log_alerts_name_queries() -> None:
    assert {rule["query"] for rule in shared("alerts")["log"].values()} <= QUERIES.keys()


def test_the_workbook_shows_these_queries_under_their_titles() -> None:
    assert {name: (shown["query"], shown["title"]) for name, shown in ITEMS.items()} == {
        name: (QUERIES[name]["query"], QUERIES[name]["title"]) for name in ITEMS
    }
    assert sorted(QUERIES.keys() - ITEMS.keys()) == ["all-runs"]


def test_the_workbook_is_one_that_azure_reads() -> None:
    assert (WORKBOOK["version"], WORKBOOK["$schema"].rpartition("/")[2]) == ("Notebook/1.0", "workbook.json")
    assert {item["type"] for item in WORKBOOK["items"]} == {1, 3, 9}
    names = [item["name"] for item in WORKBOOK["items"]]
    assert len(set(names)) == len(names)
    (parameters,) = [item["content"]["parameters"] for item in WORKBOOK["items"] if item["type"] == 9]
    assert {shown["timeContextFromParameter"] for shown in ITEMS.values()} == {each["name"] for each in parameters}
    assert {shown["resourceType"] for shown in ITEMS.values()} == {"microsoft.operationalinsights/workspaces"}
    charts = [name for name, shown in ITEMS.items() if shown["visualization"] == "timechart"]
    assert [name for name in charts if "bin(TimeGenerated, " not in QUERIES[name]["query"]] == []


def test_the_workbook_names_no_resource() -> None:
    text = (SHARED / "workbook.json").read_text(encoding="utf-8")
    assert not re.search(r"/subscriptions/|fallbackResourceIds|crossComponentResources", text)
