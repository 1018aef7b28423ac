"""`scenarios`: work the sandbox's scenarios through, and hold what is found against what an expert would say."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from diagnostics.cli.exits import Exit
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import print_json
from diagnostics.errors import VmreachError

if TYPE_CHECKING:
    from diagnostics.cli.azure import Azure
    from diagnostics.cli.page import Page
    from diagnostics.cli.sandboxed import Scenario
    from diagnostics.runbooks.diagnosis import Diagnosis

_AT_A_TIME = 4
_OPERATION_SECONDS = 0.005
_LONGEST_PAUSE = 0.02
_NO_FAULT = "CON000"


class _Hurry:
    """The time of this machine, and pauses as short as the sandbox's operations."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait, but not for as long as Azure would make one wait."""
        time.sleep(min(seconds, _LONGEST_PAUSE))


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario, what was found, and how that differs from what is expected.

    Attributes:
        found: None where no diagnosis came about; `differs` says why.
    """

    scenario: Scenario
    found: Diagnosis | None
    differs: tuple[str, ...]


def run(asked: argparse.Namespace) -> Exit:
    """Work them through, print, and say by the exit code whether all is as expected."""
    from diagnostics.cli.sandboxed import sandboxed  # noqa: PLC0415 - `--help` need not wait for it

    page = None if asked.json else new_page()
    with sandboxed(asked.names, operation_seconds=_OPERATION_SECONDS) as sandbox:
        if asked.list:
            _list(page, sandbox.scenarios)
            return Exit.GOOD
        results = _worked(sandbox.scenarios, _azure(sandbox.settings), page)
    if page:
        show(page, results)
    else:
        print_json([_result_json(result) for result in results])
    return code_of(results)


def code_of(results: Sequence[Result]) -> Exit:
    """How the command ends: all as expected, or not."""
    return Exit.FOUND if any(result.differs for result in results) else Exit.GOOD


def show(page: Page, results: Sequence[Result]) -> None:
    """A table of what was expected and found, what differs, and how many."""
    page.table(("scenario", "expected", "found", ""), [_row(result) for result in results])
    wrong = [result for result in results if result.differs]
    for result in wrong:
        page.line()
        page.title(result.scenario.name, result.scenario.title)
        for text in result.differs:
            page.marked(Mark.BAD, text, bare=True)
    page.line()
    if wrong:
        page.headline(Mark.BAD, "differs", f"{len(wrong)} of {len(results)} scenarios")
    else:
        page.headline(Mark.GOOD, "good", f"{len(results)} scenarios, all as expected")


def differences(scenario: Scenario, found: Diagnosis) -> Iterator[str]:
    """Where a diagnosis is not what is expected, in words."""
    expected, checks = scenario.expected, tuple(finding.check for finding in found.findings)
    first = found.findings[0]
    if found.problem != expected.problem:
        yield f"problem {found.problem} instead of {expected.problem}"
    if checks != expected.checks:
        yield f"findings {', '.join(checks)} instead of {', '.join(expected.checks)}"
    told = " | ".join(f"{cause.name}: {cause.text}" for cause in first.because)
    if expected.because not in told:
        yield f"{expected.because!r} is not named as the cause: {told}"
    if expected.confidence and first.confidence != expected.confidence:
        yield f"{first.confidence} instead of {expected.confidence}"
    if expected.status and first.status != expected.status and _NO_FAULT not in checks:
        yield f"{first.status} instead of {expected.status}"
    remedy = first.remedy
    if expected.remedy not in f"{remedy.summary}\n{remedy.az_cli}\n{remedy.bicep}":
        yield f"{expected.remedy!r} is not in what to do: {remedy.summary}"
    who = first.change.who if first.change else "nobody"
    if expected.change and who != expected.change:
        yield f"changed by {who} instead of {expected.change}"
    outcomes = {step.name: str(step.outcome) for step in found.steps}
    for name, outcome in expected.steps.items():
        if outcomes.get(name) != outcome:
            yield f"step {name!r} {outcomes.get(name, 'was not made')} instead of {outcome}"


def _azure(env: Mapping[str, str]) -> Azure:
    from diagnostics.cli.azure import azure  # noqa: PLC0415
    from diagnostics.cli.sandboxed import PATIENCE  # noqa: PLC0415
    from diagnostics.scopes import Scopes  # noqa: PLC0415

    return azure(env, Scopes.parse(env["VMREACH_SCOPES"]), _Hurry(), PATIENCE)


def _worked(scenarios: Sequence[Scenario], there: Azure, page: Page | None) -> list[Result]:
    """All of them, some at a time, in their order."""
    from diagnostics.cli.progress import StatusLine  # noqa: PLC0415

    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        with StatusLine(page) if page else nullcontext() as status:
            futures = [pool.submit(_result, scenario, there) for scenario in scenarios]
            if status:
                status.show(lambda: f"{sum(each.done() for each in futures)} of {len(futures)} scenarios")
            return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # all are done, or it is Ctrl-C


def _result(scenario: Scenario, there: Azure) -> Result:
    """Work one through; an error is a difference, too."""
    from diagnostics.cli.diagnose import request_of  # noqa: PLC0415
    from diagnostics.scopes import Scopes  # noqa: PLC0415

    scopes = Scopes.parse(scenario.subscription)
    try:
        found = there.diagnose(request_of(scenario), scopes, guest=scenario.run_command)
    except VmreachError as error:
        return Result(scenario, None, (str(error),))
    return Result(scenario, found, tuple(differences(scenario, found)))


def _row(result: Result) -> tuple[Mark, tuple[str, ...]]:
    scenario, found = result.scenario, result.found
    what = ", ".join(finding.check for finding in found.findings) if found else "nothing"
    mark, answer = (Mark.BAD, "DIFFERS") if result.differs else (Mark.GOOD, "as expected")
    return mark, (scenario.name, ", ".join(scenario.expected.checks), what, answer, scenario.title)


def _list(page: Page | None, scenarios: Sequence[Scenario]) -> None:
    if page is None:
        print_json([_scenario_json(scenario) for scenario in scenarios])
        return
    rows = [(Mark.INFO, (each.name, _expected(each), each.title)) for each in scenarios]
    page.table(("scenario", "expected"), rows)


def _expected(scenario: Scenario) -> str:
    expected = scenario.expected
    return ", ".join((expected.problem, *expected.checks))


def _scenario_json(scenario: Scenario) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - it is there when a scenario is

    expected = {name: value for name, value in msgspec.to_builtins(scenario.expected).items() if value}
    return {"name": scenario.name, "title": scenario.title, "story": scenario.story, "expected": expected}


def _result_json(result: Result) -> dict[str, Any]:
    from diagnostics.cli.told import document  # noqa: PLC0415

    found = document(result.found) if result.found else None
    return {**_scenario_json(result.scenario), "found": found, "differs": list(result.differs)}
