"""How plain output looks: nothing is lost, nothing is obeyed, and colour is for terminals."""

import io
import re
import subprocess
import sys

import pytest

from diagnostics.cli.marks import Mark
from diagnostics.cli.page import Page
from diagnostics.cli.texts import plain

LONG = "allow-everything-that-the-old-reporting-service-in-the-other-datacentre-needs-until-it-is-switched-off"
SENTENCE = f"rule {LONG} (priority 4000, Deny) of NSG nsg-orders-data of the subnet denies it in to nic-orders-sql-01"


@pytest.fixture(params=[80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def test_a_sentence_keeps_within_the_width_and_loses_nothing(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    Page().marked(Mark.BAD, SENTENCE, label="why", depth=2)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(f"why✗{SENTENCE}".split())
    assert {line[:15].strip() for line in lines[1:]} == {""}


def test_what_is_to_be_copied_is_never_broken(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    Page().exact(LONG * 3)
    assert capsys.readouterr().out.strip() == LONG * 3
    assert len(LONG * 3) > width


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", ":warning:", "[link=https://x]y[/link]", r"\[x]"])
def test_markup_is_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = Page()
    page.line(text)
    page.title(text, text)
    page.headline(Mark.GOOD, "allowed", text)
    assert capsys.readouterr().out.count(text) == 4


CONTROLS = {
    "clear\x1b[2J": r"clear\x1b[2J",
    "a\nb": r"a\nb",
    "a\rb\tc": r"a\rb\tc",
    "c1\x9b2J": r"c1\x9b2J",
    "\u202eright to left": r"\u202eright to left",
    "in\u200bvisible": r"in\u200bvisible",
    "\ud800": r"\ud800",
    "Grüße, 東京": "Grüße, 東京",
}


@pytest.mark.parametrize(("text", "shown"), CONTROLS.items())
def test_control_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_no_colour_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Page().marked(Mark.BAD, "denied")
    assert "\x1b" not in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_on_a_terminal_that_wants_it(no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    Page().marked(Mark.BAD, "denied")
    assert bool(re.search("\x1b\\[[0-9;]*31m", terminal.getvalue())) is coloured


def test_a_console_without_unicode_is_served_too() -> None:
    code = (
        "from diagnostics.cli.main import main; from diagnostics.cli.page import Page; from diagnostics.cli.marks"
        " import Mark\nimport sys; sys.stdout.reconfigure(errors='backslashreplace')\n"
        "Page().marked(Mark.BAD, 'a → Grüße')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONIOENCODING": "ascii"}
    )
    assert ran.stdout.strip() == rb"x a > Gr\xfc\xdfe"


def test_the_command_line_starts_without_what_it_does_not_need() -> None:
    code = "import sys, diagnostics.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not {"rich", "numpy", "azure", "requests", "asyncio"} & set(ran.stdout.split())
