"""docs/deploy.md and docs/operations.md say what the templates do: parameters, roles, rules, queries, outputs, sums."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
MAIN = (ROOT / "infra" / "bicep" / "main.bicep").read_text()
TERRAFORM = "\n".join(path.read_text() for path in sorted((ROOT / "infra" / "terraform").glob("*.tf")))
AZD_ONLY = {"environmentName"}
TERRAFORM_ONLY = {"subscription_id", "register_resource_providers", "role_scope"}


def shared(name: str) -> Any:
    return json.loads((ROOT / "infra" / "shared" / f"{name}.json").read_text())


def section(page: str, title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}$(.*?)(?=^##+ |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found, f"there is no section '{title}'"
    return found[1]


def rows(text: str) -> list[list[str]]:
    cells = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in row] for row in cells]


def named(text: str, pattern: str = r"`([^`]+)`") -> set[str]:
    return set(re.findall(pattern, text))


PARAMETERS = [[cell.strip("`") for cell in row] for row in rows(section(DEPLOY, "Parameters"))[2:]]


def test_the_parameters_are_those_of_both_templates() -> None:
    assert {row[0] for row in PARAMETERS} == named(MAIN, r"(?m)^param (\w+)") - AZD_ONLY
    assert {row[1] for row in PARAMETERS} == named(TERRAFORM, r'(?m)^variable "(\w+)"') - TERRAFORM_ONLY


def test_the_parameters_that_are_on_one_side_alone_are_told() -> None:
    assert named(section(DEPLOY, "Parameters")) >= AZD_ONLY | TERRAFORM_ONLY


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row[0])
def test_a_default_is_the_one_of_the_template(row: list[str]) -> None:
    found = re.search(rf"^param {row[0]} (\S+?)(\?)?(?: = (.*))?$", MAIN, re.MULTILINE)
    assert found
    literal = re.fullmatch(r"'([^$']*)'|(-?\d+|true|false|\[\]|\{\})", found[3] or "")
    wanted = {"": "*(none)*"}.get(literal[1] or literal[2] or "", literal[1] or literal[2]) if literal else None
    if wanted is None and not found[3]:
        wanted = "null" if found[2] else "*(required)*"
    assert row[2] == wanted or wanted is None, f"{row[0]} is {wanted} in main.bicep"


@pytest.mark.parametrize(
    ("role", "following"),
    [("diagnose", "**vmreach remediate**"), ("remediate", "**vmreach guest**"), ("guest", "The roles are made")],
)
def test_the_actions_of_a_role_are_all_there(role: str, following: str) -> None:
    told = section(DEPLOY, "Roles").partition(f"**vmreach {role}**")[2].partition(following)[0]
    assert named(told, r"`(Microsoft\.[^`]+)`") == set(shared("roles")[role]["actions"])


def test_the_rules_that_tell_operators_of_vmreach_itself_are_all_explained() -> None:
    told = rows(section(OPERATIONS, "Alerts about vmreach itself"))[2:]
    assert {row[0].strip("`") for row in told} == set(shared("alerts")["log"])


def test_the_rules_that_call_vmreach_are_all_named() -> None:
    alerts = shared("alerts")
    calling = {
        key for kind in ("activityLog", "metric") for key, rule in alerts[kind].items() if rule["to"] == "vmreach"
    }
    assert calling <= named(section(DEPLOY, "What is deployed"))
    telling = [key for key, rule in alerts["activityLog"].items() if rule["to"] == "operators"]
    assert len(telling) == 10, "the page says ten"


def test_the_queries_are_all_there_and_no_others() -> None:
    assert named(section(OPERATIONS, "Workbook and saved queries"), r"`([a-z]+(?:-[a-z]+)*)`[,|\s]") >= set(
        shared("queries")
    )
    assert named(OPERATIONS, r"(?m)^query ([\w-]+)$") <= set(shared("queries"))


def test_outputs_that_commands_read_are_outputs() -> None:
    assert named(DEPLOY, r"\$\(out (\w+)\)") <= named(MAIN, r"(?m)^output (\w+)")
    assert named(DEPLOY, r"terraform output -raw (\w+)") <= named(TERRAFORM, r'(?m)^output "(\w+)"')


@pytest.mark.parametrize("page", [DEPLOY, OPERATIONS], ids=["deploy", "operations"])
def test_files_that_a_page_names_are_there(page: str) -> None:
    files = named(page, r"(?<![\w/.])((?:infra|tools|docs|\.github)/[\w./-]*\w)")
    assert sorted(name for name in files if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", ["deploy.md", "operations.md"])
def test_links_within_the_pages_lead_to_a_heading(page: str) -> None:
    texts = {"deploy.md": DEPLOY, "operations.md": OPERATIONS}
    for target, anchor in re.findall(r"\]\((deploy\.md|operations\.md|)#([\w-]+)\)", texts[page]):
        headings = re.findall(r"^##+ (.+)$", texts[target or page], re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("column", [1, 2, 3])
def test_the_examples_of_costs_add_up(column: int) -> None:
    table = [row for row in rows(section(DEPLOY, "Cost")) if len(row) == 4 and row[0].startswith("**")]
    *parts, total = [float(row[column].strip("*").rpartition("$")[2]) for row in table]
    assert round(sum(parts), 2) == total
