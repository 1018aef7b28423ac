"""A page of plain output: headlines, labelled rows and marked lines, by rich; colour on a terminal only.

Everything printed is text, never markup, with its control characters escaped: names come from files.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from diagnostics.cli.marks import Mark
from diagnostics.cli.texts import plain, stop_writing

_LABEL = 9
_NARROWEST = 20


_COLOURS = {Mark.GOOD: "green", Mark.BAD: "red", Mark.UNKNOWN: "yellow", Mark.NOTE: "red", Mark.INFO: "bright_black"}
_ASCII = str.maketrans({"✓": "+", "✗": "x", "→": ">", "·": "-", "…": "..."})


class _Console(Console):
    """A console that a reader may leave; rich would end the program with a code that is an answer here."""

    def on_broken_pipe(self) -> None:
        """Print nothing any more."""
        self.quiet = True
        stop_writing()


class Page:
    """What a command prints on standard output."""

    def __init__(self) -> None:
        self.console = _Console(markup=False, emoji=False, highlight=False)
        self._ascii = self.console.options.ascii_only

    def headline(self, mark: Mark, answer: str, text: str) -> None:
        """The answer, and what it is about."""
        self._row(_head(answer.upper(), f"bold {_COLOURS[mark]}"), Text(plain(text), style="bold"))

    def title(self, text: str, note: str = "") -> None:
        """The beginning of a section about one thing."""
        self._row(Text(), _joined(Text(plain(text), style="bold"), Text(f"  {plain(note)}", style="bright_black")))

    def row(self, label: str, text: str, style: str = "", *, depth: int = 0) -> None:
        """A line with a label in the margin."""
        self._row(_joined(_head(label), Text("  " * depth)), Text(plain(text), style=style))

    def marked(self, mark: Mark, text: str, *, label: str = "", depth: int = 0, bare: bool = False) -> None:
        """A line with a mark before it; a bare one has no margin."""
        head = _joined(
            Text() if bare else _head(label), Text("  " * depth), Text(f"{mark} ", style=f"bold {_COLOURS[mark]}")
        )
        self._row(head, Text(plain(text), style="" if mark is Mark.GOOD else _COLOURS[mark]))

    def exact(self, text: str, *, label: str = "", depth: int = 0, style: str = "bright_black") -> None:
        """A line that is never broken, so that it can be copied: an id, a command."""
        self._print(_joined(_head(label), Text("  " * depth), Text(plain(text), style=style)))

    def line(self, text: str = "", style: str = "") -> None:
        """A line on its own."""
        self._row(Text(), Text(plain(text), style=style))

    def table(self, headings: Sequence[str], rows: Sequence[tuple[Mark, Sequence[str]]]) -> None:
        """Rows of cells below headings, each with its mark; what is behind the headings stands below the first cell."""
        table = Table(box=None, header_style="bright_black", pad_edge=False)
        table.add_column()
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for mark, (first, *cells) in rows:
            named = Text(self.shown(first), style="bold")
            if below := " ".join(cells[len(headings) - 1 :]):
                named.append(f"\n{self.shown(below)}", style="bright_black")
            others = (Text(self.shown(cell)) for cell in cells[: len(headings) - 1])
            table.add_row(Text(self.shown(mark), style=f"bold {_COLOURS[mark]}"), named, *others)
        for line in self.console.render_lines(table, pad=False):
            self._print(Text.assemble(*((segment.text, segment.style or "") for segment in line)))

    def shown(self, text: object) -> str:
        """A text as it is printed, for what draws itself."""
        known = plain(text)
        return known.translate(_ASCII) if self._ascii else known

    def _row(self, head: Text, body: Text) -> None:
        """A text beside its head, broken between words; only a word that is too long by itself is broken."""
        room = max(_NARROWEST, self.console.width - head.cell_len)
        for number, line in enumerate(body.wrap(self.console, room, overflow="fold") or [Text()]):
            self._print(_joined(head if number == 0 else Text(" " * head.cell_len), line))

    def _print(self, line: Text) -> None:
        """A line as it is; what is only decoration has an ASCII form for consoles that have no other."""
        if self._ascii:
            line.plain = line.plain.translate(_ASCII)
        line.rstrip()
        self.console.print(line, soft_wrap=True)


def _head(label: str, style: str = "bright_black") -> Text:
    return Text(label.ljust(_LABEL), style=style)


def _joined(*parts: Text) -> Text:
    """One line of several, each in its own style."""
    line = Text()
    for part in parts:
        line.append_text(part)
    return line
