"""The tools that read the templates: how they are run, what they say, and how the templates are read."""

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.infra import bicep, checkov, programs, read_bicep, read_terraform, terraform
from tools.infra.deployment import Scope
from tools.infra.module import Module, UnreadableError, snake
from tools.infra.outcome import Outcome, Result, judged, report, skipped

INFRA = ROOT / "infra"
FINE, BAD = judged("t", "1", "fmt", [], note="2 files"), judged("t", "1", "validate", ["line 3: wrong"])
AWAY, UNWANTED = skipped("b", "build", "not installed"), skipped("c", "check", "not there", wanted=False)


@pytest.mark.parametrize(
    ("outcomes", "strict", "well"),
    [
        ([FINE], True, True),
        ([FINE, BAD], False, False),
        ([FINE, AWAY], False, True),
        ([FINE, AWAY], True, False),
        ([FINE, UNWANTED], True, True),
    ],
)
def test_what_fails_and_when_strict_what_is_not_there(outcomes: list[Outcome], strict: bool, well: bool) -> None:  # noqa: FBT001
    assert report(outcomes, strict=strict, say=lambda _: None) is well


def test_the_table_tells_each_check_and_then_what_was_wrong() -> None:
    said: list[str] = []
    report([FINE, BAD, AWAY], strict=False, say=said.append)
    lines = [re.sub(" +", " ", line) for line in said]
    assert lines[1:4] == ["t 1 fmt ok: 2 files", "t 1 validate failed", "b - build skipped: not installed"]
    assert lines[4:] == ["\nt validate:\nline 3: wrong", "\nfailed: t validate"]


def test_a_program_that_is_not_there_has_failed() -> None:
    assert programs.run(["no-such-program"]).code == 127
    assert "no-such-program" in programs.run(["no-such-program"]).said


def test_stand_ins_are_looked_for_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMREACH_TOOLS", str(tmp_path))
    assert programs.lent("bicep-check") is None
    (tmp_path / "bicep-check").mkdir()
    assert programs.lent("bicep-check") == tmp_path / "bicep-check"


@pytest.mark.parametrize(("there", "kept"), [(True, True), (False, False)])
def test_settings_of_terraform_that_are_not_there_are_left_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: bool,  # noqa: FBT001
    kept: bool,  # noqa: FBT001
) -> None:
    if there:
        (tmp_path / "rc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "rc"))
    monkeypatch.setenv("TF_VAR_name", "mine")
    assert ("TF_CLI_CONFIG_FILE" in terraform.environment()) is kept
    assert "TF_VAR_name" not in terraform.environment()


BICEP = """#!/bin/sh
case "$1 $2 $3" in
  --version*) echo 'Bicep CLI version 0.99.1 (0123456789)';;
  build*watch.bicep) echo "$3(3,7) : Error BCP062: The referenced declaration is not valid." >&2; exit 1;;
  lint*main.bicep*) echo "$2(5,7) : Warning no-unused-params: Parameter is declared but never used." >&2;;
esac
"""


def test_what_the_cli_of_bicep_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bicep").write_text(BICEP)
    (tmp_path / "bicep").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("VMREACH_TOOLS", str(tmp_path / "none"))
    *built, checker = bicep.checks(INFRA)
    said = {outcome.what: (outcome.version, outcome.result, outcome.note) for outcome in built}
    assert said["build watch.bicep"] == ("0.99.1", Result.FAILED, "")
    assert said["lint main.bicep"] == ("0.99.1", Result.OK, "warnings: 1")
    assert len(said) == 6
    assert (checker.result, checker.wanted) == (Result.SKIPPED, False)


def test_the_root_and_every_example_are_initialised() -> None:
    found = [path.relative_to(INFRA).as_posix() for path in terraform.configurations(INFRA / "terraform")]
    assert found == ["terraform", "terraform/examples/second-subscription"]


def test_every_suppression_has_its_reason() -> None:
    assert checkov.bare_skips(INFRA) == []
    assert [*checkov.suppressions(INFRA)]


@pytest.mark.parametrize(
    ("comment", "wrong"),
    [
        ("# checkov:skip=CKV_1:there is no door to close", 0),
        ("# checkov:skip=CKV_1:it needs none", 1),
        ("# checkov:skip=CKV_1", 1),
        ("# checkov:skip=CKV_1: ", 1),
    ],
)
def test_a_reason_has_at_least_four_words(tmp_path: Path, comment: str, wrong: int) -> None:
    (tmp_path / "main.tf").write_text(comment)
    assert len(checkov.bare_skips(tmp_path)) == wrong


def test_checkov_is_locked_with_hashes_and_no_address() -> None:
    lock = (ROOT / "tools/checkov/requirements.lock").read_text()
    pinned = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    (wanted,) = re.findall(r"^(\S+)", (ROOT / "tools/checkov/requirements.txt").read_text())
    assert f"{wanted} \\" in lock
    assert lock.count("--hash=sha256:") >= len(pinned) > 50
    assert "://" not in lock


def test_types_of_bicep_beside_the_checker_are_whole() -> None:
    for path in (ROOT / "tools/infra/types").glob("*.json"):
        types = json.loads(path.read_text())
        provider, version = path.stem.split("@")
        names = [each["name"] for each in types if each["$type"] == "ResourceType"]
        assert names
        assert all(name.lower().startswith(f"{provider}/") and name.endswith(f"@{version}") for name in names)
        assert max(map(int, re.findall(r'"#/(\d+)"', path.read_text()))) < len(types)


def test_slow_tests_are_left_to_check_infra() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert options["addopts"][-2:] == ["-m", "not tools"]
    assert "pytest -m tools -n auto tests/infra" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sweepSchedule", "sweep_schedule"),
        ("instanceMemoryMB", "instance_memory_mb"),
        ("dailyLogCapGB", "daily_log_cap_gb"),
    ],
)
def test_names_in_both_spellings(name: str, words: str) -> None:
    assert snake(name) == words


def read(tmp_path: Path, language: str, lines: str) -> Module:
    path = tmp_path / ("main.bicep" if language == "bicep" else "main.tf")
    path.write_text(lines)
    return read_bicep.read(path) if language == "bicep" else read_terraform.read(tmp_path)


VALUES = {
    "bicep": """
param queue string
param off bool
var work = ['a', 'b']
var inner = { x: 'c', y: { z: 'd' } }
var result = RESULT
""",
    "terraform": """
variable "queue" {}
variable "off" {}
locals {
  work   = ["a", "b"]
  inner  = { x = "c", y = { z = "d" } }
  result = RESULT
}
""",
}
SAME = [
    ("concat(work, [queue])", "concat(local.work, [var.queue])", {"a", "b", "<queue>"}),
    ("map(work, w => '${w}-poison')", '[for w in local.work : "${w}-poison"]', {"a-poison", "b-poison"}),
    ("[for w in work: 'x-${w}']", '[for w in local.work : "x-${w}"]', {"x-a", "x-b"}),
    ("off ? 'x' : queue", 'var.off ? "x" : var.queue', {"x", "<queue>"}),
    ("queue == 'off' ? [] : [queue]", 'var.queue == "off" ? [] : [var.queue]', {"<queue>"}),
    ("inner.x", "local.inner.x", {"c"}),
    ("union({ e: 'f' }, off ? {} : { g: queue })", '{ e = "f", g = var.queue }', {"e", "f", "g", "<queue>"}),
    ("'it\\'s ${queue}'", '"it\'s ${var.queue}"', {"it's <queue>"}),
    ("'${uniqueString(queue)}-x'", '"${sha256(var.queue)}-x"', {"<queue>-x"}),
]


def results() -> Iterator[tuple[str, str, set[str]]]:
    for own, hcl, found in SAME:
        yield "bicep", own, found
        yield "terraform", hcl, found


@pytest.mark.parametrize(("language", "expression", "found"), [*results()])
def test_both_languages_are_read_alike(tmp_path: Path, language: str, expression: str, found: set[str]) -> None:
    module = read(tmp_path, language, VALUES[language].replace("RESULT", expression))
    (node,) = (value for name, value in module.values.items() if name.endswith("result"))
    assert Scope(module).texts(node) == found


@pytest.mark.parametrize(("language", "lines"), [("bicep", "param x ="), ("terraform", 'variable "x" {')])
def test_what_does_not_parse_is_told(tmp_path: Path, language: str, lines: str) -> None:
    with pytest.raises(UnreadableError, match=r"main\.\w+: does not parse: "):
        read(tmp_path, language, lines)


def test_resources_inside_of_resources_are_read(tmp_path: Path) -> None:
    lines = """
resource a 'Microsoft.A/as@2025-01-01' = {
  name: 'a'
  resource b 'bs' = {
    name: 'b'
    resource c 'cs' = [for i in ['x']: {
      name: i
    }]
  }
}
resource known 'Microsoft.A/as@2025-01-01' existing = {
  name: 'k'
}
"""
    found = [resource.type for resource in read(tmp_path, "bicep", lines).resources]
    assert found == ["Microsoft.A/as", "Microsoft.A/as/bs", "Microsoft.A/as/bs/cs"]
