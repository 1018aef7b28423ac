"""What happened, told for a person: colours on a terminal, plain text elsewhere."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sandbox.demo.run import Json, Outcome, paths
from sandbox.stack import Stack

_MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "inconclusive": ("?", "yellow"),
    "skipped": ("·", "bright_black"),
}
_QUIET = ("passed", "skipped")
_INDENT = 11
_MORE = (
    "Every branch of the runbooks has a scenario: `python -m diagnostics scenarios` runs them all, "
    "`python -m diagnostics diagnose --sandbox vm-to-vm-nsg` tells one of them step by step."
)


def opening(console: Console, stack: Stack) -> None:
    """What runs where."""
    console.print(
        Panel.fit(
            f"Azure, simulated     {stack.azure.url}\n"
            f"storage, Azurite     {stack.storage.connection_string.split('QueueEndpoint=')[1].split(';')[0]}\n"
            f"function app         {stack.functions.url}\n"
            f"functions            {', '.join(stack.functions.functions)}",
            title="vmreach: why can't this VM be reached, and who fixes it?",
        )
    )


def story(console: Console, number: int, outcome: Outcome) -> None:
    """One scenario from its alert to what was posted."""
    scenario = outcome.scenario
    console.print()
    console.print(Text(f"{number}. {scenario.title}", style="bold"))
    console.print(Padding(Text(scenario.story, style="italic"), (0, 0, 1, 3)))
    _alert(console, outcome)
    if not outcome.findings:
        _line(console, "nothing", Text("no finding came in time", style="red"))
        return
    diagnosed = outcome.findings[0]
    _steps(console, diagnosed["steps"])
    for hops in (step["hops"] for step in diagnosed["steps"] if step["hops"]):
        _hops(console, hops)
    for finding in _firsts(outcome.findings):
        _finding(console, finding)
    if outcome.states:
        _healing(console, outcome)
    _posted(console, outcome)


def verdicts(console: Console, outcomes: Sequence[Outcome]) -> None:
    """The closing table: expected against found."""
    table = Table(title="What was expected, and what was found", title_justify="left")
    for heading in ("scenario", "expected", "found", ""):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        expected = outcome.scenario.expected
        wanted = _in_words(expected.checks, expected.because, expected.remediation)
        names = expected.because if outcome.names_the_cause else "(cause not named)"
        found = _in_words(outcome.checks, names, outcome.remediation) if outcome.findings else "nothing"
        ok = Text("as expected", style="green") if outcome.as_expected else Text("DIFFERS", style="bold red")
        table.add_row(outcome.scenario.name, escape(wanted), escape(found), ok)
    console.print()
    console.print(table)
    console.print(Text(_MORE))


def _in_words(checks: Sequence[str], because: str, remediation: str | None) -> str:
    parts = [", ".join(checks), because, f"remediation {remediation}" if remediation else ""]
    return " · ".join(filter(None, parts))


def _alert(console: Console, outcome: Outcome) -> None:
    core = outcome.scenario.alert["data"]["essentials"]
    kind = f"{core['monitoringService']} alert '{core['alertRule']}' on {core['alertTargetIDs'][0].rsplit('/', 1)[-1]}"
    _line(console, "alert", kind)
    ids = (
        ", ".join(msgspec.json.decode(outcome.answer).get("requestIds", ()))
        if outcome.status == 202
        else outcome.answer
    )
    _line(console, "", f"POST /api/alerts → {outcome.status} in {outcome.milliseconds:.0f} ms, request {ids}")


def _steps(console: Console, steps: Sequence[Json]) -> None:
    """What found something, one by one; what found nothing, by name."""
    for step in steps:
        if step["outcome"] not in _QUIET:
            _step(console, step)
    for outcome in _QUIET:
        names = [step["name"] for step in steps if step["outcome"] == outcome]
        if names:
            mark, _ = _MARKS[outcome]
            _line(console, outcome, Text(f"{mark} {len(names)}: {', '.join(names)}", style="bright_black"))


def _step(console: Console, step: Json) -> None:
    mark, colour = _MARKS[step["outcome"]]
    _line(console, "step", Text(f"{mark} {step['name']}: {step['summary']}", style=colour))


def _hops(console: Console, hops: Sequence[Json]) -> None:
    for position, hop in enumerate(hops):
        where = " ".join(filter(None, [hop["type"], hop["address"], hop["resourceId"].rsplit("/", 1)[-1]]))
        issues = "".join(f"   ◄── {issue}" for issue in hop["issues"])
        text = Text(f"{'   ' * position}{'└─ ' if position else ''}{where}")
        text.append(issues, style="bold red")
        _line(console, "" if position else "path", text)


def _finding(console: Console, finding: Json) -> None:
    head = f"{finding['check']} {finding['severity']}, {finding['confidence']}: {finding['title']}"
    _line(console, "finding", Text(head, style="bold"))
    for cause in finding["because"]:
        _line(console, "because", cause["text"])
    remedy = finding["remedy"]
    _line(console, "remedy", remedy["summary"])
    for command in filter(None, remedy["azCli"].splitlines()):
        _line(console, "", Text(command, style="bright_black" if command.startswith("#") else "cyan"))


def _healing(console: Console, outcome: Outcome) -> None:
    _line(console, "healed", Text(" → ".join(outcome.states), style="bold green"))
    sent, left_out = sorted(paths(outcome.put)), sorted(set(paths(outcome.before)) - set(paths(outcome.put)))
    own = [path for path in sent if path.rsplit(".", 1)[-1] in {"kind", "allowPort25Out"}]
    _line(
        console,
        "lossless",
        f"PUT sent {len(sent)} values back unchanged, {', '.join(own)} among them, unknown to the SDK",
    )
    _line(console, "", f"left out, read-only: {_names(left_out)}")
    _line(console, "", f"different afterwards: {_names(outcome.changed)}; nothing else")
    for finding in outcome.findings[1:]:
        for step in finding["steps"]:
            _step(console, step)


def _posted(console: Console, outcome: Outcome) -> None:
    for finding in outcome.findings:
        size = len(msgspec.json.encode(finding))
        _line(
            console,
            "queue",
            f"findings: {finding['check']} {finding['status']}, {size:,} bytes, id {finding['findingId']}",
        )
    for card in outcome.cards:
        size = len(msgspec.json.encode(card))
        _line(console, "Teams", f"card of {size:,} bytes: {_headline(card)}")


def _headline(card: Json) -> str:
    """The title of a card: what it shows largest."""
    return next(_large(card["attachments"][0]["content"]["body"]), "")


def _large(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("size") == "Large":
            yield str(value["text"])
        for item in value.values():
            yield from _large(item)
    elif isinstance(value, list):
        for item in value:
            yield from _large(item)


def _firsts(findings: Sequence[Json]) -> list[Json]:
    return list({finding["findingId"]: finding for finding in reversed(findings)}.values())[::-1]


def _names(paths: Sequence[str]) -> str:
    """The paths for a reader: without `properties` and positions, each once."""
    names = [re.sub(r"\[\d+\]", "[]", path).replace("properties.", "") for path in paths]
    return ", ".join(dict.fromkeys(names)) if names else "nothing"


def _line(console: Console, label: str, text: str | Text) -> None:
    body = Text(text) if isinstance(text, str) else text
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_INDENT - 1, justify="right", style="bright_black")
    table.add_column(overflow="fold")
    table.add_row(label, body)
    console.print(table)
