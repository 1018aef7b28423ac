"""What cards are made of: blocks, runs and columns of an Adaptive Card, with text that can't be markup."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

type Element = dict[str, Any]

_BRACES = re.compile(r"(?<=\{)(?=\{)")
_WORD = 24
"""How far before its end a text may be cut so that no word is."""

_ARM_ID = re.compile(r"/subscriptions/[^\s'\",;]+/providers/[^\s'\",;]+/(?=[^\s'\",;/])", re.IGNORECASE)

_FILLERS = frozenset("\u034f\u115f\u1160\u3164\uffa0")
"""Characters without a shape that Unicode counts as letters and marks."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a finding is shown: characters of a text, how many of what, characters of a command or of Bicep."""

    text: int
    causes: int
    steps: int
    facts: int
    az_cli: int
    bicep: int


def container(items: list[Element], **properties: object) -> Element:
    """A box around blocks."""
    return {"type": "Container", "items": items, **properties}


def section(heading: str, items: list[Element]) -> Element:
    """Blocks below a heading and a line."""
    return container([own(heading, weight="Bolder"), *items], separator=True, spacing="Medium")


def fact(label: str, runs: list[Element]) -> Element:
    """One line of two aligned columns: a FactSet would read Markdown in the value."""
    columns = [column([own(label, isSubtle=True)], width="110px"), column([rich(*runs)])]
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def column(items: list[Element], width: str = "stretch") -> Element:
    """One column of a ColumnSet."""
    return {"type": "Column", "width": width, "items": items}


def own(text: str, **properties: object) -> Element:
    """A TextBlock: only for this module's own words, since Teams reads Markdown in it."""
    return {"type": "TextBlock", "text": text, "wrap": True, **properties}


def rich(*runs: Element, spacing: str = "None") -> Element:
    """A block of runs side by side."""
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}


def run(text: str, longest: int, **properties: object) -> Element:
    """Text from a finding, on one line and at most so long."""
    return {"type": "TextRun", "text": clean(text, longest), **properties}


def prose(text: str, longest: int, **properties: object) -> Element:
    """A sentence from a finding, in which resource ids are cut to the name: nothing breaks an id that is too wide."""
    room = 8 * longest
    return run(_ARM_ID.sub("…/", text[:room]) + text[room:], longest, **properties)


def literal(text: str, **properties: object) -> list[Element]:
    """Runs that show a text as it is: `{{DATE(…)}}`, the one thing that a renderer would replace, is taken apart."""
    return [{"type": "TextRun", "text": part, **properties} for part in _BRACES.split(text)]


def more(count: int, noun: str, told: str = "") -> list[Element]:
    """The line that says how much was left out; none where nothing was."""
    text = f"… {count} more {noun}{'s' if count > 1 else ''}{told}"
    return [own(text, size="Small", isSubtle=True, spacing="Small")] if count > 0 else []


def clean(text: str, longest: int) -> str:
    """One line of at most so many characters, without what cannot be seen or turns the direction of writing.

    `{{` is set apart: Adaptive Cards replace `{{DATE(…)}}` in every text ("Text features in Adaptive Cards").
    """
    start = text[: 4 * longest]
    seen = "".join(" " if character.isspace() else "" if hidden(character) else character for character in start)
    edge = " " if seen[:1] == " " else ""
    line = edge + " ".join(seen.split()) + (" " if seen[-1:] == " " else "")
    line = _BRACES.sub(" ", line)
    return line if len(line) <= longest and len(start) == len(text) else _cut(line, longest)


def _cut(line: str, longest: int) -> str:
    """At most so many characters: up to the last word that fits, where one ends near there."""
    kept = line[: longest - 1]
    end = kept.rfind(" ", max(1, longest - _WORD))
    return (kept if end < 0 or line[longest - 1 : longest] == " " else kept[:end]) + "…"


def hidden(character: str) -> bool:
    """Control and format characters (bidirectional overrides, zero-width ones, tags), surrogates, fillers."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in _FILLERS
