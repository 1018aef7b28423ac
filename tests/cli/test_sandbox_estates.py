"""The sandbox's scenarios are read as they are: what in them is no network resource makes no noise."""

import json
from pathlib import Path

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
SCENARIOS = sorted((ROOT / "sandbox" / "estates").glob("*.json"))


def vms(path: Path) -> list[str]:
    resources = json.loads(path.read_text())["resources"]
    return [each["name"] for each in resources if each["type"] == "Microsoft.Compute/virtualMachines"]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_explain_from_every_vm(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in vms(path):
        code = main(["explain", "--estate", str(path), "--from", name, "--to", "8.8.8.8:443"])
        printed = capsys.readouterr()
        assert code in {0, 1, 3}
        assert printed.err == ""
        assert name in printed.out


@pytest.mark.parametrize("command", ["exposure", "rules"])
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_other_commands(path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--estate", str(path), "--json"]) in {0, 1, 3}
    assert capsys.readouterr().err == ""


def test_all_of_them_at_once_and_a_change_between_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exposure", "--estate", str(SCENARIOS[0].parent)]) == 1
    assert main(["diff", str(SCENARIOS[0]), str(SCENARIOS[0])]) == 0
    assert capsys.readouterr().err == ""
