"""A diagnosis, for a person and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from diagnostics.cli.exits import Exit
from diagnostics.cli.marks import Mark

if TYPE_CHECKING:
    from diagnostics.cli.page import Page
    from diagnostics.findings import Cause, Change, Finding, Step
    from diagnostics.runbooks.diagnosis import Diagnosis

_COULD_NOT_TELL = "CON011"
_OPEN = frozenset({"open", "remediation-failed"})
_HOW_SURE = {
    "proven": "proven: read from Azure itself",
    "likely": "likely: explains all that was seen",
    "possible": "possible: fits what was seen, not proven",
}
_ANSWERS = {Exit.GOOD: (Mark.GOOD, "works"), Exit.FOUND: (Mark.BAD, "fault"), Exit.UNKNOWN: (Mark.UNKNOWN, "unknown")}


def code_of(diagnosis: Diagnosis) -> Exit:
    """How the command ends: no fault, a fault, or it could not tell."""
    from diagnostics.runbooks.ranking import HINDRANCES  # noqa: PLC0415 - it is there when a diagnosis is

    checks = {finding.check for finding in diagnosis.findings if finding.status in _OPEN}
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
    gone = finding.status not in _OPEN
    mark = Mark.GOOD if gone else Mark.UNKNOWN if finding.check == _COULD_NOT_TELL else Mark.BAD
    page.marked(mark, f"{number}{finding.check} {finding.title}", bare=True)
    page.row("severity", finding.severity + (f", {finding.status}" if gone and finding.check != "CON000" else ""))
    page.row("sure", _HOW_SURE[finding.confidence])
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
    """The rule, route or whatever decided, and what it is part of, as far as the text does not name them."""
    within = cause.resource_id.rstrip("/").rsplit("/", 1)[-1]
    name, text = cause.name or within, cause.text.lower()
    if name.lower() in text and within.lower() in text:
        return ""
    where = f" in {within}" if within and within.lower() != name.lower() else ""
    return f"{cause.kind.replace('-', ' ')} {name}{where}"


def _changed(change: Change) -> str:
    operation = "/".join(change.operation.rsplit("/", 2)[-2:])
    return f"{change.when:%Y-%m-%d %H:%M:%S} UTC by {change.who}: {operation}"


def _to_copy(finding: Finding) -> Iterator[tuple[str, list[str], str]]:
    """What is never broken, so that it can be copied: commands, Bicep, links."""
    remedy = finding.remedy
    code = (line for line in remedy.az_cli.splitlines() if line.strip() and not line.startswith("#"))
    command = "az" if next(code, "az ").startswith("az ") else "in guest"  # typed elsewhere it does harm, or nothing
    pieces = ((command, remedy.az_cli, "cyan"), ("bicep", remedy.bicep, ""), ("portal", remedy.portal_url, "blue"))
    for label, text, style in (*pieces, ("docs", remedy.doc_url, "blue")):
        if text.strip():
            yield label, text.expandtabs(2).strip("\n").splitlines(), style
