"""The composition root: from settings to an engine with real adapters, each made when it is first needed.

Everything is imported where it is used: function_app.py loads this module, and a cold start pays only for what it runs
(`make bench` says what that is).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnostics.cloud.queues import Queues
    from diagnostics.cloud.store import TableStore
    from diagnostics.contracts import Reports, Sink
    from diagnostics.engine.accept import Acceptor
    from diagnostics.engine.audits import Rules
    from diagnostics.engine.engine import Engine, Policy

_PACKAGE = Path(__file__).parent.parent
"""What is deployed: where function_app.py lies."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class App:
    """Everything that the functions use, with real adapters."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Read the settings; raises SettingsError that lists all that is wrong."""
        from diagnostics.settings import Settings  # noqa: PLC0415

        self.settings = Settings.from_env(env, _packaged)
        self.clock = SystemClock()

    @cached_property
    def acceptor(self) -> Acceptor:
        """Takes alerts in: needs queues and tables, nothing of ARM."""
        from diagnostics.cloud.queues import QueueOutbox  # noqa: PLC0415
        from diagnostics.engine.accept import Acceptor  # noqa: PLC0415

        settings = self.settings
        return Acceptor(
            settings.scopes, QueueOutbox(self._queues), self._store, self.clock, own_client_id=settings.client_id
        )

    @cached_property
    def engine(self) -> Engine:
        """Runs everything else."""
        from diagnostics.cloud.clients import Clients  # noqa: PLC0415
        from diagnostics.cloud.guest import AzureGuest  # noqa: PLC0415
        from diagnostics.cloud.inventory import AzureInventory  # noqa: PLC0415
        from diagnostics.cloud.listing import AzureEstates  # noqa: PLC0415
        from diagnostics.cloud.monitor import AzureMonitor  # noqa: PLC0415
        from diagnostics.cloud.nics import AzureNics  # noqa: PLC0415
        from diagnostics.cloud.queues import QueueOutbox  # noqa: PLC0415
        from diagnostics.cloud.watcher import AzureWatcher  # noqa: PLC0415
        from diagnostics.engine.engine import Engine  # noqa: PLC0415

        settings = self.settings
        clients = Clients(settings)
        return Engine(
            self.policy,
            inventory=AzureInventory(clients, settings.scopes),
            estates=AzureEstates(clients, settings.scopes),
            watcher=AzureWatcher(clients, settings.poll_seconds, settings.wait_seconds),
            guest=AzureGuest(clients, settings.poll_seconds, settings.wait_seconds),
            monitor=AzureMonitor(clients),
            nics=AzureNics(clients, settings.poll_seconds, settings.wait_seconds),
            store=self._store,
            sinks=self._sinks,
            reports=self._reports,
            outbox=QueueOutbox(self._queues),
            clock=self.clock,
        )

    @property
    def policy(self) -> Policy:
        """What the owner allows."""
        from diagnostics.engine.engine import Policy  # noqa: PLC0415
        from diagnostics.engine.turns import Manners  # noqa: PLC0415
        from diagnostics.intake.messages import Endpoint  # noqa: PLC0415

        settings = self.settings
        return Policy(
            scopes=settings.scopes,
            mode=settings.remediation_mode,
            outside=Endpoint(address=settings.internet_target.host, port=settings.internet_target.port),
            run_command=settings.run_command,
            history=timedelta(hours=settings.history_hours),
            manners=Manners.in_one_run(slots=settings.checks_per_region, wait=timedelta(seconds=settings.wait_seconds)),
            recheck=timedelta(minutes=settings.recheck_minutes),
            portal=settings.cloud.portal,
            own_client_id=settings.client_id,
            audits=self._audits,
        )

    @property
    def _audits(self) -> Rules:
        from diagnostics.checks.policy import Policy as Decided  # noqa: PLC0415
        from diagnostics.engine.audits import Rules  # noqa: PLC0415

        settings, container = self.settings, self.settings.reports_container
        place = f"container {container} of the function app's storage account" if container else ""
        return Rules(settings.audit_policy or Decided(), settings.audit_severity, place)

    @property
    def _reports(self) -> Reports | None:
        from diagnostics.cloud.reports import BlobReports  # noqa: PLC0415

        container = self.settings.reports_container
        return BlobReports(self.settings.storage, container) if container else None

    @cached_property
    def _queues(self) -> Queues:
        from diagnostics.cloud.queues import Queues  # noqa: PLC0415

        return Queues(self.settings.storage)

    @cached_property
    def _store(self) -> TableStore:
        from diagnostics.cloud.store import TableStore  # noqa: PLC0415
        from diagnostics.cloud.tables import Tables  # noqa: PLC0415

        return TableStore(Tables(self.settings.storage))

    @property
    def _sinks(self) -> list[Sink]:
        from diagnostics.sinks.queue import QueueSink  # noqa: PLC0415
        from diagnostics.sinks.teams import TeamsSink  # noqa: PLC0415

        sinks: list[Sink] = [QueueSink(self._queues.send, self.settings.findings_queue)]
        if self.settings.teams_webhook_url:
            sinks.append(TeamsSink(self.settings.teams_webhook_url))
        return sinks


def _packaged(path: str) -> str:
    """A text file that is deployed with the app."""
    from diagnostics.errors import ParseError  # noqa: PLC0415

    try:
        return (_PACKAGE / path).read_text(encoding="utf-8")
    except OSError as error:
        raise ParseError(f"{error.strerror} in the deployed package") from None
    except ValueError:
        raise ParseError("is not UTF-8") from None


@cache
def app() -> App:
    """The app of this process, from its environment; raises SettingsError that lists all that is wrong."""
    return App(os.environ)
