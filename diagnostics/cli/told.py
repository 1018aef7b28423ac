"""A diagnosis, for a person and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from diagnostics.cli.exits import Exit
from diagnostics.cli.marks import Mark
from diagnostics.sinks import words

if TYPE_CHECKING:
    from diagnostics.cli.page import Page
    from diagnostics.findings import Cause, Change, Finding, Step
    from diagnostics.runbooks.diagnosis import Diagnosis

_COULD_NOT_TELL = "CON011"
_ANSWERS = {Exit.GOOD: (Mark.GOOD, "works"), Exit.FOUND: (Mark.BAD, "fault"), Exit.UNKNOWN: (Mark.UNKNOWN, "unknown")}


def code_of(diagnosis: Diagnosis) -> Exit:
    """How the command ends: no fault, a fault, or it could not tell."""
    from diagnostics.runbooks.ranking import HINDRANCES  # noqa: PLC0415 - it is there when a diagnosis is

    checks = {finding.check for finding in diagnosis.findings if finding.status not in words.ENDED}
    if checks - HINDRANCES - {_COULD_NOT_TELL}:
        return Exit.FOUND
    return Exit.GOOD if diagnosis.works or not checks else Exit.UNKNOWN


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as JSON; the steps, which each finding has on the wire, stand in it once."""
    import msgspec  # noqa: PLC0415 - it is there when a diagnosis is

    from diagnostics.cli.progress import in_own_words  # noqa: PLC0415

    findings = (msgspec.structs.replace(finding, steps=()) for finding in diagnosis.findings)
    return {
        "problem": diagnosis.problem,
        "why": diagnosis.why,
        "works": diagnosis.works,
        "steps": msgspec.to_builtins(tuple(map(in_own_words, diagnosis.steps))),
        "findings": [msgspec.to_builtins(finding) for finding in findings],
    }


def unfinished(problem: str, why: str, steps: Sequence[Step]) -> dict[str, Any]:
    """The document of a diagnosis that could not be finished: the steps that were done, and no findings."""
    import msgspec  # noqa: PLC0415

    done = msgspec.to_builtins(tuple(steps))
    return {"problem": problem, "why": f"could not tell: {why}", "works": None, "steps": done, "findings": []}


def show(page: Page, diagnosis: Diagnosis, connection: str, *, guest: bool) -> None:
    """The answer, then each cause with what to do about it, the surest first; and where guests were not asked, that."""
    code = code_of(diagnosis)
    mark, answer = _ANSWERS[code]
    page.line()
    page.headline(mark, answer, f"{connection}: {_summary(diagnosis, code)}")
    for number, finding in enumerate(diagnosis.findings, start=1):
        page.line()
        _show_finding(page, finding, f"{number}. " if len(diagnosis.findings) > 1 else "")
    if not guest:
        _say_what_a_guest_would_tell(page, diagnosis)


def _say_what_a_guest_would_tell(page: Page, diagnosis: Diagnosis) -> None:
    from diagnostics.runbooks.guest.access import OFF  # noqa: PLC0415

    steps = [step.name for step in diagnosis.steps if OFF in step.summary]
    if steps:
        page.line()
        page.row("guests", f"not asked: {', '.join(steps)}; --guest lets scripts that only look be run in them")


def _summary(diagnosis: Diagnosis, code: Exit) -> str:
    works = {True: "it works", False: "it does not work", None: "whether it works could not be tried"}[diagnosis.works]
    many = len(diagnosis.findings)
    if code is Exit.GOOD:
        return "no fault is left" if diagnosis.works is None else works
    if code is Exit.UNKNOWN:
        return f"could not tell: {works}"
    if diagnosis.works:
        works = "it works, and yet something is wrong"
    return works + (f", {many} findings, the surest cause first" if many > 1 else "")


def _show_finding(page: Page, finding: Finding, number: str) -> None:
    gone = finding.status in words.ENDED
    mark = Mark.GOOD if gone else Mark.UNKNOWN if finding.check == _COULD_NOT_TELL else Mark.BAD
    page.marked(mark, f"{number}{finding.check} {finding.title}", bare=True)
    page.row("severity", finding.severity + (f", {finding.status}" if gone and finding.check != "CON000" else ""))
    page.row("sure", f"{finding.confidence}: {words.HOW_SURE[finding.confidence]}")
    for index, cause in enumerate(finding.because):
        page.row("" if index else "why", cause.text)
        if place := _placed(cause):
            page.row("", place, "bright_black", depth=1)
    if finding.change:
        page.row("changed", _changed(finding.change))
    if gone and finding.check != "CON000":
        page.row("do", "nothing now: it is gone")
        return
    page.row("do", finding.remedy.summary)
    for label, lines, style in _to_copy(finding):
        for index, line in enumerate(lines):
            page.exact(line, label="" if index else label, style=style)


def _placed(cause: Cause) -> str:
    """What decided, by kind and name; empty where the text of the cause names it."""
    name, within = words.place(cause)
    return f"{cause.kind.replace('-', ' ')} {name}{f' in {within}' if within else ''}" if name else ""


def _changed(change: Change) -> str:
    return f"{change.when:%Y-%m-%d %H:%M:%S} UTC by {change.who}: {words.operation(change)}"


def _to_copy(finding: Finding) -> Iterator[tuple[str, list[str], str]]:
    """What is never broken, so that it can be copied: commands, Bicep, links."""
    remedy = finding.remedy
    command = "az" if words.is_az(remedy.az_cli) else "in guest"
    pieces = ((command, remedy.az_cli, "cyan"), ("bicep", remedy.bicep, ""), ("portal", remedy.portal_url, "blue"))
    for label, text, style in (*pieces, ("docs", remedy.doc_url, "blue")):
        if text.strip():
            yield label, text.expandtabs(2).strip("\n").splitlines(), style
