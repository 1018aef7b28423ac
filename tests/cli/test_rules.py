"""`rules` from its arguments to its output and exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "tests" / "data" / "estates" / "cli" / "shop"
GROUP = (
    "/subscriptions/7d0f2c9e-1b64-4c58-9a3e-6f0d1c2b3a45/resourceGroups/rg-shop-prod/providers"
    "/Microsoft.Network/networkSecurityGroups/nsg-shop-db"
)


def rules(*more: str, estate: Path = SHOP) -> int:
    return main(["rules", "--estate", str(estate), *more])


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def changed(folder: Path, *own: dict[str, Any]) -> Path:
    """The shop's NSG `nsg-shop-db` with other rules, by itself."""
    groups = [group for group in json.loads((SHOP / "nsg.json").read_text()) if group["name"] == "nsg-shop-db"]
    template = groups[0]["securityRules"][0]
    groups[0]["securityRules"] = [template | {"name": f"rule-{number}"} | each for number, each in enumerate(own)]
    (folder / "nsg.json").write_text(json.dumps(groups))
    return folder


def test_what_is_odd_and_because_of_which_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules() == 1
    said = words(capsys)
    assert said.startswith("FOUND 2 rules to look at in 2 NSGs nsg-shop-db rg-shop-prod")
    assert (
        "✗ dead: allow-sql-from-web (inbound 210, Allow) can never match: deny-sql-from-everyone (200) takes all of "
        "its flows first, and decides the contrary" in said
    )
    assert "✗ dead: allow-ssh-from-old-office (inbound 120, Allow)" in said


@pytest.mark.parametrize("text", ["nsg-shop-db", "NSG-SHOP-DB", GROUP, f"{GROUP.upper()}/"])
def test_of_one_group_however_it_is_called(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules("--group", text) == 1
    assert words(capsys).startswith("FOUND 1 rule to look at in 1 NSG nsg-shop-db")


def test_nothing_odd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    estate = changed(tmp_path, {"priority": 100, "destinationPortRange": "1433"})
    assert rules(estate=estate) == 0
    assert words(capsys) == "IN ORDER nothing odd about the rules of 1 NSG nothing nsg-shop-db"


def test_an_exception_from_a_general_rule_is_nothing_odd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    special = {
        "priority": 100,
        "access": "Allow",
        "sourceAddressPrefix": "10.50.1.0/24",
        "destinationPortRange": "1433",
    }
    assert rules(estate=changed(tmp_path, special, {"priority": 200, "destinationPortRange": "*"})) == 0
    assert "· generalised: rule-0 (inbound 100, Allow) is an exception" in words(capsys)


def test_what_depends_on_something_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    denied = {"priority": 100, "sourceAddressPrefix": "Sql.WestEurope", "destinationPortRange": "1433"}
    allowed = {
        "priority": 110,
        "access": "Allow",
        "sourceAddressPrefix": "13.69.104.0/24",
        "destinationPortRange": "1433",
    }
    estate = changed(tmp_path, denied, allowed)
    assert rules(estate=estate) == 3
    said = words(capsys)
    assert said.startswith("UNKNOWN 1 perhaps to look at in 1 NSG")
    assert "? conflict: rule-1 (inbound 110, Allow)" in said
    assert "depends on Sql.WestEurope" in said
    assert rules("--tags", str(ROOT / "sandbox" / "service-tags.json"), estate=estate) == 1
    said = words(capsys)
    assert "! conflict: rule-1 (inbound 110, Allow)" in said
    assert "depends" not in said


def test_a_rule_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    estate = changed(tmp_path, {"priority": 100, "destinationPortRange": "99999"})
    assert rules(estate=estate) == 1
    printed = capsys.readouterr()
    assert "✗ unreadable: rule-0" in printed.out
    assert "nsg.json $[0].securityRules[0].destinationPortRange: '99999' is no port range" in printed.err


def test_json_is_one_document_with_exactly_these_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules("--json") == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert [list(each) for each in document] == [["group", "anomalies"]] * 2
    (found,) = document[0]["anomalies"]
    assert document[0]["group"] == GROUP
    assert list(found) == ["kind", "rule", "by", "text", "missing"]
    assert found["kind"] == "dead"
    assert found["rule"] == {
        "name": "allow-sql-from-web",
        "priority": 210,
        "direction": "Inbound",
        "access": "Allow",
    }
    assert [rule["name"] for rule in found["by"]] == ["deny-sql-from-everyone"]
    assert (found["missing"], printed.err) == ([], "")


def test_a_group_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules("--group", "nsg-shop-bd") == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(
        "rules: --group: no NSG of the estate is called 'nsg-shop-bd': did you mean nsg-shop-db"
    )
    assert printed.out == ""
