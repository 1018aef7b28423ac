"""`explain`: the path of one flow, there and back, the verdict, and why."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diagnostics.cli.exits import Exit
from diagnostics.cli.files import load
from diagnostics.cli.later import allowed_later
from diagnostics.cli.look import command, commands
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import print_json
from diagnostics.network.questions import parse_flow
from diagnostics.network.security import Verdict

if TYPE_CHECKING:
    from diagnostics.cli.page import Page
    from diagnostics.network.endpoints import Endpoint
    from diagnostics.network.estate import Estate
    from diagnostics.network.path import Hop, Path
    from diagnostics.network.questions import Question


def run(asked: argparse.Namespace) -> Exit:
    """Answer, print, and say by the exit code what the verdict is."""
    from diagnostics.network.reach import reach  # noqa: PLC0415 - `--help` need not wait for the engine

    estate = load(asked.estate, asked.tags, asked.parameters, every=asked.all_problems)
    question = parse_flow(
        estate, asked.source, asked.destination, source_port=asked.source_port, names=("--from", "--to")
    )
    path = reach(estate, question.flow, source=question.source.point, destination=question.destination.point)
    if asked.json:
        print_json(document(path))
    else:
        show(new_page(), estate, path, question)
    return Exit.of(path.verdict)


def document(path: Path) -> dict[str, object]:
    """The path as JSON: verdict, because, hops, return; the way back has no way back of its own."""
    there = path.to_json()
    if there["return"]:
        there["return"].pop("return", None)
    return there


def show(page: Page, estate: Estate, path: Path, question: Question) -> None:
    """The path for a person: the verdict first, then why, then each hop."""
    _headline(page, path, question)
    if path.verdict is Verdict.ALLOWED:
        page.marked(Mark.GOOD, "nothing on the way there or back stands against it: see each hop", label="why")
    for number, reason in enumerate(path.because if path.verdict is not Verdict.ALLOWED else ()):
        page.marked(Mark.of(reason.verdict), reason.text, label="" if number else "why")
        if later := allowed_later(estate, question, path, reason):
            page.row("", later, depth=1)
        if reason.resource and not command(reason).startswith("az "):  # a command names the resource, too
            page.exact(str(reason.resource), depth=1)
    _missing(page, path)
    page.line()
    _hops(page, "there", path.hops)
    if path.back:
        _hops(page, "back", path.back.hops)
    else:
        page.row("back", "not followed: the way there does not end at an endpoint of the estate", "bright_black")


def _headline(page: Page, path: Path, question: Question) -> None:
    flow = question.flow
    ports = "" if flow.destination_port is None else f" {flow.destination_port}"
    ends = f"{_named(question.source)} → {_named(question.destination)}"
    page.headline(Mark.of(path.verdict), path.verdict, f"{ends}, {flow.protocol.lower()}{ports}")
    page.row("from", _placed(question.source), "bright_black")
    page.row("to", _placed(question.destination), "bright_black")
    page.line()


def _named(end: Endpoint) -> str:
    return end.name or str(end.address)


def _placed(end: Endpoint) -> str:
    """Where an end is: its address, and the IP configuration that has it."""
    if end.point is None:
        return str(end.address)
    return f"{end.address} ({end.point.nic.id.name}/{end.point.configuration.name})"


def _missing(page: Page, path: Path) -> None:
    """What would have to be known, and where to look."""
    missing = sorted({name for reason in path.because for name in reason.missing})
    if missing:
        page.row("missing", ", ".join(missing))
    for number, shown in enumerate(commands(path.because)):
        page.exact(shown, label="" if number else "look", style="cyan")


def _hops(page: Page, label: str, hops: Sequence[Hop]) -> None:
    for position, hop in enumerate(hops):
        what = " ".join(filter(None, [hop.type, hop.address, hop.resource.name if hop.resource else ""]))
        behind = "" if hop.next in {(), _after(hops, position)} else f", then {' or '.join(hop.next)}"
        page.row("" if position else label, f"{hop.id}  {what}{behind}")
        for reason in hop.reasons:
            page.marked(Mark.of(reason.verdict), reason.text, depth=2)
    page.line()


def _after(hops: Sequence[Hop], position: int) -> tuple[str, ...]:
    return tuple(hop.id for hop in hops[position + 1 : position + 2])
