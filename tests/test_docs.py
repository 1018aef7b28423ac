"""The documentation keeps up with the code: settings, checks, links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
CHECKS = (ROOT / "docs" / "checks.md").read_text()
CODE = [path.read_text() for path in sorted((ROOT / "diagnostics").rglob("*.py"))]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def found(pattern: str, texts: list[str]) -> set[str]:
    return {name for text in texts for name in re.findall(pattern, text)}


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    read = found(r'"(VMREACH_[A-Z_]+)"', CODE)
    assert read == found(r"^\| `(VMREACH_[A-Z_]+)`", SETTINGS.splitlines())


def test_every_check_is_documented_and_every_documented_one_exists() -> None:
    assert found(r'"([A-Z]{2,3}\d{3})"', CODE) == found(r"^\| ([A-Z]{2,3}\d{3}) ", CHECKS.splitlines())


def test_every_check_has_a_section_that_says_how_it_is_found_and_what_to_do() -> None:
    sections = {part.partition(":")[0]: part for part in re.split(r"^### ", CHECKS, flags=re.MULTILINE)[1:]}
    assert set(sections) == found(r"^\| ([A-Z]{2,3}\d{3}) ", CHECKS.splitlines())
    wanting = [name for name, text in sections.items() if "**Found by**" not in text or "**What to do**" not in text]
    assert wanting == []


def test_the_sample_settings_are_settings() -> None:
    sample = (ROOT / "local.settings.sample.json").read_text()
    assert found(r'"(VMREACH_[A-Z_]+)"', [sample]) <= found(r"`(VMREACH_[A-Z_]+)`", [SETTINGS])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", page.read_text())
    local = [one or other for one, other in targets if "://" not in (one or other)]
    assert [target for target in local if not (page.parent / target).exists()] == []
