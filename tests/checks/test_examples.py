"""Every check has its section in docs/checks.md, and the examples there are what it says they are."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from diagnostics.checks import Check, catalogue
from diagnostics.checks.audit import Audit
from diagnostics.findings import Finding
from tests.checks.audited import audited

PAGE = (Path(__file__).parent.parent.parent / "docs" / "checks.md").read_text()
SECTIONS = {part[:6]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
IDS = [each.id for each in catalogue()]


class Example(NamedTuple):
    """An example of a section; one that says `partial` is of an estate of which not everything is known."""

    check: str
    kind: str
    complete: bool
    text: str


def examples(check: str) -> list[Example]:
    found = re.findall(r"^```json (bad|good)( partial)?\n(.*?)^```", SECTIONS.get(check, ""), re.MULTILINE | re.DOTALL)
    return [Example(check, kind, not partial, text) for kind, partial, text in found]


ALL = [example for check in IDS for example in examples(check)]


def made(example: Example) -> Audit:
    return audited(example.check, json.loads(example.text), complete=example.complete)


def complete(finding: Finding) -> bool:
    return bool(finding.title and finding.because and all(c.text for c in finding.because) and finding.remedy.summary)


def test_there_are_at_least_sixty_checks() -> None:
    assert len(IDS) >= 60


@pytest.mark.parametrize("check", IDS)
def test_a_section_says_how_to_fix_it_in_each_way_and_shows_a_bad_and_a_good_one(check: str) -> None:
    section = SECTIONS.get(check, "")
    wanted = ("**Found by**", "**What to do**", "```sh\n", "Bicep", "Portal")
    assert [text for text in wanted if text not in section] == []
    assert {example.kind for example in examples(check)} == {"bad", "good"}


@pytest.mark.parametrize("check", catalogue(), ids=lambda check: check.id)
def test_a_section_is_called_as_its_check(check: Check) -> None:
    assert SECTIONS[check.id].partition("\n")[0].lower() == f"{check.id}: {check.title}".lower()


@pytest.mark.parametrize("example", [e for e in ALL if e.kind == "bad"], ids=lambda e: e.check)
def test_a_bad_example_is_found(example: Example) -> None:
    findings = made(example).findings
    assert {finding.check for finding in findings} == {example.check}
    assert all(map(complete, findings))


@pytest.mark.parametrize("example", [e for e in ALL if e.kind == "good"], ids=lambda e: e.check)
def test_a_good_example_is_in_order_and_known_to_be(example: Example) -> None:
    found = made(example)
    assert (found.findings, found.unknown) == ((), ())
