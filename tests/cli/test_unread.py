"""What could not be read is never "nothing found": not in the words, and not in the exit code."""

import json
from pathlib import Path

import pytest

from diagnostics.cli.main import main

GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"
VNET = {"id": f"{GROUP}/virtualNetworks/v", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
NSG = {"id": f"{GROUP}/networkSecurityGroups/n", "properties": {"securityRules": []}}
NIC = {
    "id": f"{GROUP}/networkInterfaces/a",
    "properties": {"ipConfigurations": [{"name": "ip", "properties": {"privateIPAddress": "10.0.0.4"}}]},
}
JUNK = {"id": f"{GROUP}/networkInterfaces/b", "properties": {"ipConfigurations": "oops"}}


def asked(command: str, folder: Path) -> list[str]:
    return [command, str(folder), str(folder)] if command == "diff" else [command, "--estate", str(folder)]


@pytest.mark.parametrize("command", ["rules", "exposure", "diff"])
def test_nothing_to_judge_is_an_error_that_says_what_to_add(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "estate.json").write_text(json.dumps([VNET]))
    assert main(asked(command, tmp_path)) == 2
    assert "add `az network n" in capsys.readouterr().err


@pytest.mark.parametrize(("junk", "code"), [([], 0), ([JUNK], 3)])
@pytest.mark.parametrize("command", ["rules", "exposure", "diff"])
def test_something_unread_may_hide_something(
    command: str, junk: list[object], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "estate.json").write_text(json.dumps([VNET, NSG, NIC, *junk]))
    assert main(asked(command, tmp_path)) == code
    assert ("could not be read" in capsys.readouterr().out) == bool(junk)
