"""`audit`: all checks over an estate, as a table or for other tools, and an exit code that a pipeline can stop at."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics.cli.exits import Exit
from diagnostics.cli.files import load
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import stop_writing
from diagnostics.errors import ParseError, PermanentError

if TYPE_CHECKING:
    from diagnostics.checks.audit import Audit
    from diagnostics.checks.policy import Policy
    from diagnostics.cli.page import Page
    from diagnostics.findings import Finding

FORMS = ("table", "json", "sarif", "csv")
SEVERITIES = ("critical", "high", "medium", "low", "info")
_MARKS = {"critical": Mark.BAD, "high": Mark.BAD, "medium": Mark.NOTE}


def run(asked: argparse.Namespace) -> Exit:
    """Audit, print or write the report, and say by the exit code whether something is bad enough to stop at."""
    from diagnostics.cli import processes  # noqa: PLC0415 - `--help` need not wait for the engine
    from diagnostics.findings import Severity  # noqa: PLC0415

    form = _form(asked)
    policy = _policy(asked.policy)
    paths = [*asked.paths, *asked.estate]
    if not paths:
        raise ParseError("give a file or folder to audit: `audit PATH`, or `audit --estate PATH`")
    estate = load(paths, asked.tags, asked.parameters, option="PATH", every=asked.all_problems, complete=asked.complete)
    made = processes.made(estate, policy, _now(asked.now), _only(asked.check), asked.jobs)
    if not made.checks:
        raise ParseError("--check: the policy has all of them off" if asked.check else "--policy: all checks are off")
    _report(asked, form, made)
    if asked.fail_on == "never":
        return Exit.GOOD
    return Exit.FOUND if made.at_least(Severity(asked.fail_on)) else Exit.GOOD


def show(made: Audit, *, details: bool = False) -> None:
    """The table: what is wrong, the worst first; then what is not known, and what is left out."""
    from diagnostics.reports import plain  # noqa: PLC0415

    page = new_page()
    worst = made.findings[0] if made.findings else None
    mark = _mark(worst) if worst else Mark.UNKNOWN if made.unknown else Mark.GOOD
    page.headline(mark, "found" if worst else "unknown" if made.unknown else "in order", plain.summary(made))
    if made.findings and not details:
        page.line()
        rows = [(_mark(each), (each.check, each.severity, each.title)) for each in made.findings]
        page.table(("check", "severity", "what is wrong"), rows)
    for finding in made.findings if details else ():
        _tell(page, finding)
    for label, lines in (("unknown", plain.unknown(made.unknown)), ("left out", plain.suppressed(made))):
        for number, line in enumerate(lines):
            if number == 0:
                page.line()
            page.marked(Mark.UNKNOWN, line, label="" if number else label)


def _tell(page: Page, finding: Finding) -> None:
    """A finding with what decides and what to do."""
    page.line()
    page.marked(_mark(finding), f"{finding.check} {finding.title}", bare=True)
    page.row("severity", f"{finding.severity}, {finding.confidence}")
    for cause in finding.because:
        page.row("because", cause.text)
    page.row("mend", finding.remedy.summary)
    for command in finding.remedy.az_cli.splitlines():
        page.exact(command)
    page.exact(finding.resource.id, label="resource")


def _form(asked: argparse.Namespace) -> str:
    """The form that is asked for; raises ParseError where options contradict each other, for one would be ignored."""
    if asked.json and asked.format not in {None, "json"}:
        raise ParseError(f"--json: and --format {asked.format} are two forms: give one")
    form: str = asked.format or ("json" if asked.json else "table")
    if asked.details and (form != "table" or asked.output is not None):
        raise ParseError("--details: is for the table that is printed; other forms have all of it, and so has no file")
    return form


def _report(asked: argparse.Namespace, wanted: str, made: Audit) -> None:
    from diagnostics.reports import WRITERS, Form  # noqa: PLC0415

    form = Form(wanted)
    if asked.output is not None:
        _write(asked.output, WRITERS[form](made))
    elif form is Form.TABLE:
        show(made, details=asked.details)
    else:
        try:
            sys.stdout.write(WRITERS[form](made))
            sys.stdout.flush()
        except BrokenPipeError:
            stop_writing()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise PermanentError(f"--output: {path}: {error.strerror or error}") from None


def _policy(path: Path | None) -> Policy | None:
    from diagnostics.checks import catalogue  # noqa: PLC0415
    from diagnostics.checks.policy import Policy  # noqa: PLC0415

    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ParseError(f"--policy: {path}: {why or error}") from None
    return Policy.read(text, str(path), [each.id for each in catalogue()])


def _only(names: list[str]) -> list[str] | None:
    from diagnostics.checks import catalogue  # noqa: PLC0415

    wanted = [name.strip().upper() for text in names for name in text.split(",")]
    known = {each.id for each in catalogue()}
    if strange := [name for name in wanted if name not in known]:
        raise ParseError(f"--check: there is no check {strange[0]!r}: `python -m diagnostics checks` lists them")
    return wanted or None


def _now(text: str | None) -> datetime:
    """The time that the estate is looked at: now, or when it was exported."""
    if text is None:
        return datetime.now(UTC)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ParseError(f"--now: {text!r} is no time such as 2026-11-25T03:04:05Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _mark(finding: Finding) -> Mark:
    return _MARKS.get(finding.severity, Mark.INFO)
