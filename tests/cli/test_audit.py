"""`audit` and `checks`: what they print, in which forms, and how they end."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.checks import catalogue
from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
FAILED = ROOT / "sandbox" / "estates" / "internet-failed-nic.json"
SHOP = ROOT / "tests" / "data" / "estates" / "cli" / "shop"
NIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces"


def template(*rules: dict[str, Any]) -> dict[str, Any]:
    """What `bicep build` makes of an NSG."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {"_generator": {"name": "bicep", "version": "0.30.3.12046", "templateHash": "1"}},
        "parameters": {"prefix": {"type": "string", "defaultValue": "web"}},
        "resources": [
            {
                "type": "Microsoft.Network/networkSecurityGroups",
                "apiVersion": "2024-05-01",
                "name": "[format('nsg-{0}', parameters('prefix'))]",
                "location": "[resourceGroup().location]",
                "properties": {"securityRules": list(rules)},
            }
        ],
    }


def ssh(source: str, access: str = "Allow") -> dict[str, Any]:
    terms = {"sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    ports = {"destinationPortRanges": ["22", "443"], "protocol": "Tcp"}
    return {"name": "ssh", "properties": {"priority": 100, "direction": "Inbound", "access": access, **terms, **ports}}


def run(*arguments: object) -> int:
    return main(["audit", *map(str, arguments)])


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("critical", 0), ("high", 1), ("medium", 1), ("low", 1), ("info", 1), ("never", 0)],
)
def test_the_exit_code_is_by_severity(fail_on: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FAILED, "--fail-on", fail_on) == code
    assert "NIC001" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (ssh("Internet"), 1),
        (ssh("*"), 1),
        (ssh("0.0.0.0/0"), 1),
        (ssh("INTERNET"), 1),
        (ssh("10.0.0.0/8"), 0),
        (ssh("Internet", "Deny"), 0),
    ],
    ids=["tag", "star", "prefix", "case", "private", "deny"],
)
def test_a_pipeline_refuses_a_bad_nsg_before_it_is_deployed(
    rule: dict[str, Any], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "main.json"
    path.write_text(json.dumps(template(rule)))
    assert run(path, "--fail-on", "high") == code
    assert ("NSG nsg-web lets the internet in to SSH" in capsys.readouterr().out) == bool(code)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--estate", FAILED, "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert [*document] == ["findings", "unknown", "checks"]
    assert document["checks"] == len(catalogue())
    first = document["findings"][0]
    assert (first["check"], first["severity"], first["resource"]["name"]) == ("NIC001", "high", "nic-shop-web-01")
    assert {*document["unknown"][0]} == {"check", "title", "resource", "missing"}


def test_json_is_called_as_in_the_other_commands_too(capsys: pytest.CaptureFixture[str]) -> None:
    run(SHOP, "--json")
    one = capsys.readouterr().out
    run(SHOP, "--format", "json")
    assert capsys.readouterr().out == one


def test_sarif_and_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FAILED, "--format", "sarif", "--output", tmp_path / "audit.sarif") == 1
    assert capsys.readouterr().out == ""
    log = json.loads((tmp_path / "audit.sarif").read_text())
    assert (log["version"], log["runs"][0]["results"][0]["ruleId"]) == ("2.1.0", "NIC001")
    run(FAILED, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (rows[0]["check"], rows[0]["resource"]) == ("NIC001", "nic-shop-web-01")


def test_sarif_names_the_template_that_was_audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "main.json").write_text(json.dumps(template(ssh("Internet"))))
    assert run("infra", "--format", "sarif", "--fail-on", "high") == 1
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert places[0] == "infra/main.json"
    assert {result["ruleId"]: place for result, place in zip(results, places, strict=True)}["NSG001"] == places[0]


FLOW_LOG = {"enabled": False, "targetResourceId": f"{NIC}/n"}


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ({"type": "Microsoft.Network/networkWatchers/flowLogs", "name": "w/f", "properties": FLOW_LOG}, "WAT004"),
        ({"type": "Microsoft.Network/natGateways", "name": "nat", "properties": {"idleTimeoutInMinutes": 4}}, "PIP006"),
    ],
)
def test_what_stands_around_a_network_is_audited_alone(
    body: dict[str, Any], check: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "main.json"
    path.write_text(json.dumps({**template(), "resources": [body]}))
    assert run(path) == 1
    assert check in capsys.readouterr().out


def test_a_path_and_an_estate_are_audited_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "main.json"
    path.write_text(json.dumps(template(ssh("Internet"))))
    assert run(path, "--estate", FAILED, "--json") == 1
    found = {each["check"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert {"INT002", "NIC001"} <= found


def test_details_say_why_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    run(FAILED, "--details", "--check", "nic001")
    out = capsys.readouterr().out
    assert "because" in out
    assert "az rest --method put" in out


def test_what_is_not_known_is_shown_and_complete_makes_it_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SHOP, "--check", "WAT003") == 0
    assert "flow logs: WAT003 cannot tell of vnet-shop" in capsys.readouterr().out
    assert run(SHOP, "--check", "WAT003", "--complete") == 1
    assert "Virtual network vnet-shop has no flow log" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_bytes(FAILED.read_bytes())
    (tmp_path / "b.json").write_text('{"id": ')
    assert run(tmp_path, "--fail-on", "critical") == 0
    printed = capsys.readouterr()
    assert "b.json" in printed.out
    assert "b.json" in printed.err


def test_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        '[[suppress]]\ncheck = "NIC001"\nresource = "nic-shop-*"\nreason = "a ticket is open"\nuntil = 2026-12-01\n'
    )
    asked = (FAILED, "--check", "NIC001", "--policy", path, "--now")
    assert run(*asked, "2026-11-25T10:00:00Z") == 0
    assert "a ticket is open (until 2026-12-01)" in capsys.readouterr().out
    assert run(*asked, "2026-12-02T10:00:00Z") == 1
    assert "nic-shop-web-01 is in provisioning state Failed" in " ".join(capsys.readouterr().out.split())


def test_an_audit_that_makes_no_check_is_bad_usage_and_not_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b'\xef\xbb\xbf[severity]\nNIC001 = "off"\n')  # an editor's mark of UTF-8
    assert run(FAILED, "--check", "NIC001", "--policy", path) == 2
    assert "audit: --check: the policy has all of them off" in capsys.readouterr().err
    assert run(FAILED, "--check", "NIC001,NIC002", "--policy", path) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "audit: give a file or folder to audit"),
        (["/nowhere"], "audit: PATH: /nowhere: there is no such file or folder"),
        ([str(FAILED), "--check", "NIC999"], "audit: --check: there is no check 'NIC999'"),
        ([str(FAILED), "--policy", "/nowhere.toml"], "audit: --policy: /nowhere.toml: No such file"),
        ([str(FAILED), "--now", "soon"], "audit: --now: 'soon' is no time"),
        ([str(FAILED), "--json", "--output", "/nowhere/a.csv"], "audit: --output: /nowhere/a.csv: No such file"),
        ([str(ROOT / "host.json")], "audit: PATH: "),
        ([str(FAILED), "--json", "--format", "csv"], "audit: --json: and --format csv are two forms"),
        ([str(FAILED), "--details", "--json"], "audit: --details: is for the table"),
        ([str(FAILED), "--details", "--output", "/nowhere/a.txt"], "audit: --details: is for the table"),
    ],
)
def test_bad_input_is_2_and_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith(said)


@pytest.mark.parametrize("arguments", [["--fail-on", "bad"], ["--format", "xml"]])
def test_bad_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(FAILED, *arguments)
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_checks_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks"]) == 0
    out = capsys.readouterr().out
    assert [each.id for each in catalogue() if each.id not in out] == []
    assert main(["checks", "--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == [each.id for each in catalogue()]


def test_checks_tells_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "nic001"]) == 0
    assert "usually still passes traffic" in " ".join(capsys.readouterr().out.split())
    assert main(["checks", "NIC999"]) == 2
    assert "there is no check 'NIC999'" in capsys.readouterr().err


def test_the_rules_of_a_loop_by_the_values_of_its_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`securityRules: [for rule in rules: rule]`, and the file of parameters of one environment."""
    main_json, values = tmp_path / "main.json", tmp_path / "prod.json"
    looped = {"name": "securityRules", "count": "[length(parameters('rules'))]"}
    looped["input"] = "[parameters('rules')[copyIndex('securityRules')]]"
    bicep = template()
    bicep["parameters"] |= {"rules": {"type": "array", "defaultValue": []}}
    bicep["resources"][0]["properties"] = {"copy": [looped]}
    main_json.write_text(json.dumps(bicep))
    values.write_text(json.dumps({"parameters": {"rules": {"value": [ssh("*")]}, "prefix": {"value": "prod"}}}))
    assert run(main_json) == 0
    capsys.readouterr()
    assert run(main_json, "--parameters", values, "--fail-on", "high") == 1
    assert "NSG nsg-prod lets the internet in to SSH (TCP 22)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file or directory"), ('{"value": []}', "is no file of parameters"), ("{", "not readable as JSON")],
)
def test_parameters_that_cannot_be_read_end_it(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = tmp_path / "prod.json"
    if text is not None:
        values.write_text(text)
    assert run(FAILED, "--parameters", values) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"audit: --parameters: {values}: ")
    assert said in printed.err
