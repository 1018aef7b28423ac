"""The picture of `explain` in README.md, drawn from what it prints: `python -m tests.cli.picture` draws it anew."""

import io
import os
import sys
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from diagnostics.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PICTURE = ROOT / "docs" / "images" / "explain.svg"
WIDTH = 100
PROMPT = (
    "$ python -m diagnostics explain --estate sandbox/estates/vm-to-vm-nsg.json \\\n"
    "    --from vm-orders-web-01 --to vm-orders-sql-01:1433\n\n"
)
THEME = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
        *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
    ],
    [
        *((139, 148, 158), (255, 161, 152), (86, 211, 100), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (86, 212, 221), (240, 246, 252)),
    ],
)
# As rich's own, but with the fonts that the reader has: a picture in a README loads none.
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 16px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed() -> str:
    """What `explain` prints on a terminal, colours and all."""
    arguments = PROMPT.replace("\\\n", "").split()[4:]
    arguments[2] = str(ROOT / arguments[2])
    screen = {"COLUMNS": str(WIDTH), "TERM": "xterm-256color", "NO_COLOR": ""}
    kept = {name: value for name, value in os.environ.items() if name not in {"COLORTERM", "FORCE_COLOR"}}
    with patch.dict(os.environ, kept | screen, clear=True), patch.object(sys, "stdout", Terminal()) as terminal:
        main(arguments)
    return terminal.getvalue()


def picture() -> str:
    """The same as an SVG; lines that are longer than the terminal go on in the next one, as there."""
    console = Console(width=WIDTH, record=True, file=io.StringIO(), color_system="truecolor", legacy_windows=False)
    for line in Text.from_ansi(PROMPT + printed().rstrip()).split("\n", allow_blank=True):
        for start in range(0, max(len(line), 1), WIDTH):
            console.print(line[start : start + WIDTH], soft_wrap=True)
    return console.export_svg(
        title="Why can vm-orders-web-01 not reach vm-orders-sql-01?",
        theme=THEME,
        code_format=FORMAT,
        font_aspect_ratio=0.6,
        unique_id="explain",
    )


if __name__ == "__main__":
    PICTURE.write_text(picture() + "\n")
