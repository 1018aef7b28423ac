"""`diagnose`: work one connection through the runbook, now, and say what is wrong, why, and what to do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from diagnostics.cli import asking
from diagnostics.cli.exits import Exit
from diagnostics.cli.marks import Mark
from diagnostics.cli.output import new_page
from diagnostics.cli.texts import plain, print_json
from diagnostics.errors import OutOfScopeError, ParseError, PermanentError, TemporaryError

if TYPE_CHECKING:
    from diagnostics.cli.azure import Azure
    from diagnostics.cli.page import Page
    from diagnostics.cli.sandboxed import Sandbox, Scenario
    from diagnostics.intake.messages import DiagnosisRequest
    from diagnostics.scopes import Scopes

_OPERATION_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Job:
    """What to diagnose, where, and what was allowed.

    Attributes:
        said_by: what set the scopes, named in errors.
    """

    request: DiagnosisRequest
    azure: Azure
    scopes: Scopes
    said_by: str
    guest: bool
    history: int | None


def run(asked: argparse.Namespace) -> Exit:
    """Diagnose, print, and say by the exit code whether there is a fault."""
    page = None if asked.json else new_page()
    if asked.sandbox is None:
        return _work(_in_azure(asked), page)
    from diagnostics.cli.sandboxed import sandboxed  # noqa: PLC0415 - `--help` need not wait for it

    if not asked.source:
        asking.refuse_without_source(asked)
        if not asked.sandbox:
            raise ParseError("--sandbox: name a scenario (`scenarios --list` shows them), or give a --source")
    with sandboxed([asked.sandbox] if asked.sandbox else [], operation_seconds=_OPERATION_SECONDS) as sandbox:
        return _work(_in_sandbox(asked, sandbox), page)


def request_of(scenario: Scenario) -> DiagnosisRequest:
    """The diagnosis that a scenario's alert asks for; raises PermanentError where it asks for none."""
    from diagnostics.intake import alerts  # noqa: PLC0415

    read = alerts.read(json.dumps(scenario.alert).encode())
    if not isinstance(read, alerts.Accepted):
        raise PermanentError(f"--sandbox: the alert of {scenario.name} asks for no diagnosis")
    return read.requests[0]


def _in_azure(asked: argparse.Namespace) -> _Job:
    from diagnostics.cli.azure import PATIENCE  # noqa: PLC0415

    if not asked.source:
        raise ParseError("--source: name the VM that can't reach something")
    request = asking.read(asked, datetime.now(UTC))
    return _job(asked, request, os.environ, guest=asked.guest, patience=PATIENCE)


def _in_sandbox(asked: argparse.Namespace, sandbox: Sandbox) -> _Job:
    from diagnostics.cli.sandboxed import PATIENCE  # noqa: PLC0415

    request = asking.read(asked, datetime.now(UTC)) if asked.source else request_of(sandbox.scenarios[0])
    # In a scenario that was named, its owner has said already whether scripts may be run.
    guest = asked.guest or (bool(asked.sandbox) and sandbox.scenarios[0].run_command)
    return _job(asked, request, sandbox.settings, guest=guest, patience=PATIENCE)


def _job(
    asked: argparse.Namespace, request: DiagnosisRequest, env: Mapping[str, str], *, guest: bool, patience: timedelta
) -> _Job:
    from diagnostics.cli.azure import azure  # noqa: PLC0415

    scopes, said_by = asking.scopes_of(asked, env.get("VMREACH_SCOPES", ""), request)
    return _Job(request, azure(env, scopes, patience=patience), scopes, said_by, guest, asked.history)


def _work(job: _Job, page: Page | None) -> Exit:
    """Work it through: for a person on the page, without one for whoever wants a document."""
    from diagnostics.cli import told  # noqa: PLC0415
    from diagnostics.cli.progress import OnPage, OnStandardError  # noqa: PLC0415

    if page:
        _announce(page, job.request)
    watch = OnPage(page) if page else OnStandardError()
    try:
        with watch:
            diagnosis = job.azure.diagnose(job.request, job.scopes, guest=job.guest, watch=watch, history=job.history)
    except OutOfScopeError as error:
        raise ParseError(str(error).replace("VMREACH_SCOPES", job.said_by)) from None
    except TemporaryError as error:
        if page is None:
            print_json(told.unfinished(job.request.problem, str(error), watch.steps))
        again = f"in {error.retry_after:.0f} s" if error.retry_after else "later"
        sys.stderr.write(plain(f"diagnose: could not tell: {error}. Try again {again}.") + "\n")
        return Exit.UNKNOWN
    if page:
        told.show(page, diagnosis, asking.connection(job.request), guest=job.guest)
    else:
        print_json(told.document(diagnosis))
    return told.code_of(diagnosis)


def _announce(page: Page, request: DiagnosisRequest) -> None:
    """What is going to be diagnosed, and what for."""
    from diagnostics.intake import times  # noqa: PLC0415 - it is there when a request is

    page.headline(Mark.INFO, "diagnose", asking.connection(request))
    origin = request.origin
    if origin.alert_rule:
        page.row("alert", origin.alert_rule)
    if origin.fired_at:
        page.row("at", f"{fired:%Y-%m-%d %H:%M:%S} UTC" if (fired := times.read(origin.fired_at)) else origin.fired_at)
    problem = "to be picked from the two ends" if request.problem == "auto" else f"{request.problem}, as asked for"
    page.row("problem", problem)
    page.line()
