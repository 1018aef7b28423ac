"""What docs/cli.md shows is what the commands print."""

import re
import shlex
from pathlib import Path

import pytest

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "cli.md"
BLOCKS = re.findall(r"```console\n\$ python -m diagnostics (.*)\n((?:.*\n)*?)```", PAGE.read_text())


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[block[0].split()[0] for block in BLOCKS])
def test_an_example_prints_what_is_shown(
    command: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    main(shlex.split(command))
    printed = capsys.readouterr()
    assert printed.err == ""
    beginning, *rest = shown.rstrip().split("\n…\n")  # lines left out
    assert printed.out.startswith(beginning)
    assert printed.out.rstrip().endswith(rest[-1] if rest else beginning)
    left = printed.out
    for piece in (beginning, *rest):
        assert piece in left
        left = left.partition(piece)[2]


def test_every_command_has_an_example() -> None:
    assert {block[0].split()[0] for block in BLOCKS} == {
        "explain",
        "exposure",
        "rules",
        "diff",
        "audit",
        "checks",
        "diagnose",
        "scenarios",
    }
