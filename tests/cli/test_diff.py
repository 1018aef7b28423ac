"""`diff` from its arguments to its output and exit code."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PAY = ROOT / "tests" / "data" / "estates" / "cli" / "pay"
TAGS = str(ROOT / "sandbox" / "service-tags.json")


def diff(*more: str, before: Path = PAY / "before", after: Path = PAY / "after") -> int:
    return main(["diff", str(before), str(after), *more])


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


type Edit = Callable[[dict[str, Any]], None]


def edited(folder: Path, edit: Edit) -> Path:
    """The estate as it was before, with its NSGs changed."""
    shutil.copytree(PAY / "before", folder, dirs_exist_ok=True)
    groups = json.loads((folder / "nsg.json").read_text())
    for group in groups:
        for rule in group["securityRules"]:
            edit(rule)
    (folder / "nsg.json").write_text(json.dumps(groups))
    return folder


def test_the_flows_whose_verdict_changes_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff() == 1
    said = words(capsys)
    assert said.startswith("CHANGED verdicts change between 3 pairs of endpoints")
    assert (
        "vm-pay-api-01 10.70.1.4 → vm-pay-db-01 10.70.2.4 ✗ tcp 5432: allowed → denied "
        "✗ rule deny-lateral (priority 400, Deny) of NSG nsg-pay-db of the subnet denies it in" in said
    )
    assert "Internet → vm-pay-api-01 10.70.1.4 ✓ tcp 22, internet: 198.51.100.0/24: denied → allowed" in said
    assert "gone vm-pay-old-01: not compared new vm-pay-report-01: not compared" in said


def test_what_is_unknown_for_another_reason_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    diff()
    said = words(capsys)
    assert "unknown → unknown ? NSG nsg-pay-api of the subnet, out of nic-pay-api-01: not known, depends on" in said
    diff("--tags", TAGS)
    said = words(capsys)
    assert "20.38.102.0/23, 20.150.26.0/24, 52.239.136.0/22: denied → allowed" in said
    assert "20.38.108.0/23, 20.150.8.0/23, 52.239.212.0/23: allowed → denied" in said
    assert "unknown" not in said


def test_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(after=PAY / "before") == 0
    assert words(capsys) == "SAME no verdict changes"


def test_what_changes_no_verdict_is_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def renumbered(rule: dict[str, Any]) -> None:
        rule |= {"name": rule["name"].upper(), "priority": rule["priority"] + 1}

    assert diff(after=edited(tmp_path, renumbered)) == 0
    assert words(capsys) == "SAME no verdict changes"


def test_what_changes_only_perhaps_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def other_tag(rule: dict[str, Any]) -> None:
        if rule["name"] == "allow-backup-to-storage":
            rule["destinationAddressPrefix"] = "AzureArcInfrastructure"

    estate = edited(tmp_path, other_tag)
    assert diff(after=estate) == 3
    assert words(capsys).startswith("UNKNOWN verdicts change between 1 pair of endpoints, to or from unknown")
    assert diff("--tags", TAGS, after=estate) == 3
    assert "allowed → unknown" in words(capsys)


def test_ipv6_is_compared_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def opened(rule: dict[str, Any]) -> None:
        if rule["name"] == "allow-postgres-from-api":
            rule["sourceAddressPrefix"] = "fd70:9a1e:4400:1::/64"

    assert diff(after=edited(tmp_path, opened)) == 1
    said = words(capsys)
    assert "fd70:9a1e:4400:1::4 → vm-pay-db-01 fd70:9a1e:4400:2::4 ✓ tcp 5432: denied → allowed" in said
    assert "10.70.1.4 → vm-pay-db-01 10.70.2.4 ✗ tcp 5432: allowed → denied" in said


def test_json_is_one_document_with_exactly_these_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff("--json", "--tags", TAGS) == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == ""
    assert list(document) == ["changes", "onlyBefore", "onlyAfter"]
    assert [[each["name"] for each in document[key]] for key in ("onlyBefore", "onlyAfter")] == [
        ["vm-pay-old-01"],
        ["vm-pay-report-01"],
    ]
    keys = ["source", "destination", "protocol", "ports", "sourcePorts", "addresses", "before", "after", "because"]
    assert all(list(change) == keys for change in document["changes"])
    first, second = document["changes"][:2]
    assert (first["source"]["name"], first["destination"]["address"]) == ("vm-pay-api-01", "10.70.2.4")
    assert (first["protocol"], first["ports"], first["sourcePorts"]) == ("tcp", ["5432"], ["0-65535"])
    assert (first["addresses"], first["before"], first["after"]) == (None, "allowed", "denied")
    assert [reason["name"] for reason in first["because"]] == ["deny-lateral"]
    assert (second["source"], second["addresses"]) == ({"name": "Internet"}, ["198.51.100.0/24"])


@pytest.mark.parametrize("order", ["BEFORE", "AFTER"])
def test_a_folder_that_is_not_there(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = PAY / "nowhere"
    code = diff(before=nowhere) if order == "BEFORE" else diff(after=nowhere)
    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert printed.err == f"diff: {order}: {nowhere}: there is no such file or folder\n"
