"""The commands of all findings: whoever pastes them runs what they say, and nothing that a name smuggles in."""

import json
import re
import shlex
from functools import cache
from typing import Any

import pytest

from diagnostics.checks import catalogue
from diagnostics.checks.networks_common import RESERVED
from diagnostics.findings import Finding
from tests.checks.audited import audited
from tests.checks.test_examples import ALL, PAGE, Example, made

BAD = [example for example in ALL if example.kind == "bad"]
INJECTED = "x;id 'y\"$(id) z"
"""What is put behind every name: a second command, a space, both quotes and a substitution."""
BY_NAME = {"NSG024"}
"""Checks that know an NSG by its name."""
REFERENCE = re.compile(r"\[resourceId\((.*)\)\]")


def named(name: str) -> str:
    parts = name.split("/")
    return "/".join(part if part.lower() in RESERVED or part.startswith("[") else part + INJECTED for part in parts)


def reference(text: str) -> str:
    """A reference by the new names."""
    if (found := REFERENCE.fullmatch(text)) is None:
        return text
    kind, *names = re.findall(r"'([^']*)'", found[1])
    return "[resourceId(" + ", ".join(f"'{each.replace("'", "''")}'" for each in (kind, *map(named, names))) + ")]"


def renamed(node: Any) -> Any:
    """A template in which everything that has a name, but for SKUs, has one that no shell should see bare."""
    match node:
        case {"type": str() as kind} if kind.lower().endswith("/servicetags"):
            return node
        case dict():
            name = {"name": named(node["name"])} if isinstance(node.get("name"), str) else {}
            return {key: value if key == "sku" else renamed(value) for key, value in node.items()} | name
        case list():
            return [renamed(each) for each in node]
        case str():
            return reference(node)
    return node


@cache
def smuggled() -> list[Finding]:
    return [
        finding
        for example in BAD
        for finding in audited(example.check, renamed(json.loads(example.text)), complete=example.complete).findings
    ]


def commands(finding: Finding) -> list[str]:
    return [line for line in finding.remedy.az_cli.splitlines() if not line.startswith("#")]


def in_comments(finding: Finding) -> list[str]:
    found = (re.fullmatch("# [a-z, ]+: (az .+)", line) for line in finding.remedy.az_cli.splitlines())
    return [line[1] for line in found if line]


def test_a_name_is_one_word_of_a_command_whatever_is_in_it() -> None:
    lines = [line for finding in smuggled() for line in (*commands(finding), *in_comments(finding))]
    words = [word for line in lines for word in shlex.split(line)]
    smuggling = [word for word in words if any(part in word for part in ("x;id", "$(id)"))]
    assert [word for word in smuggling if INJECTED not in word] == []
    assert len(smuggling) > 100


def test_all_checks_were_asked_of_such_names() -> None:
    lost = {check.id for check in catalogue()} - {finding.check for finding in smuggled()}
    assert lost <= BY_NAME


@pytest.mark.parametrize("example", BAD, ids=lambda example: example.check)
def test_lines_that_are_pasted_are_whole_commands_and_delete_nothing(example: Example) -> None:
    lines = [line for finding in made(example).findings for line in commands(finding)]
    split = [shlex.split(line) for line in lines]
    assert [words for words in split if words[0] != "az" or "delete" in words] == []


@pytest.mark.parametrize("example", BAD, ids=lambda example: example.check)
def test_options_have_a_value(example: Example) -> None:
    lines = [line for finding in made(example).findings for line in commands(finding)]
    assert [line for line in lines if "" in shlex.split(line)] == []


def test_the_commands_of_the_page_delete_nothing_either() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith("#")]
    assert [line for line in lines if " delete " in line] == []
    assert len(lines) > 100
