"""A diagnosis against Azure, with the caller's own login, or against a sandbox: the real adapters, put together.

It only reads, asks Network Watcher, and runs scripts that only look where that is allowed: no storage account, no
queue, no channel, and nothing is remembered. All that it needs is imported when a diagnosis is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnostics.cloud.clients import Clients
    from diagnostics.contracts import Clock
    from diagnostics.engine.session import Listener
    from diagnostics.intake.messages import DiagnosisRequest
    from diagnostics.runbooks.diagnosis import Diagnosis
    from diagnostics.scopes import Scopes
    from diagnostics.settings import Access

_GROUPS = "/providers/Microsoft.Management/managementGroups/"
PATIENCE = timedelta(minutes=15)
"""How long a person waits for an Azure that is busy: nobody brings the request back, as a queue would."""


@dataclass(frozen=True, slots=True)
class Azure:
    """Where diagnoses are made. Safe to use from several threads, each with requests of its own.

    Attributes:
        patience: how long after its start a diagnosis submits questions to an Azure that is busy.
    """

    access: Access
    clients: Clients
    clock: Clock
    patience: timedelta

    def diagnose(
        self,
        request: DiagnosisRequest,
        scopes: Scopes,
        *,
        guest: bool,
        watch: Listener | None = None,
        history: int | None = None,
    ) -> Diagnosis:
        """Work a request through.

        Args:
            request: what is asked.
            scopes: what may be looked at.
            guest: whether scripts that only look may be run in guests.
            watch: is told of every step.
            history: hours before the alert to look for changes; as the settings say without it.

        Raises:
            OutOfScopeError: the request names something outside the scopes.
            TemporaryError: Azure is away, throttles, or takes too long.
        """
        import msgspec  # noqa: PLC0415

        from diagnostics.cloud.guest import AzureGuest  # noqa: PLC0415
        from diagnostics.cloud.inventory import AzureInventory  # noqa: PLC0415
        from diagnostics.cloud.monitor import AzureMonitor  # noqa: PLC0415
        from diagnostics.cloud.watcher import AzureWatcher  # noqa: PLC0415
        from diagnostics.engine.publish import linked  # noqa: PLC0415
        from diagnostics.engine.session import work  # noqa: PLC0415
        from diagnostics.engine.turns import Manners  # noqa: PLC0415
        from diagnostics.intake.messages import Endpoint  # noqa: PLC0415
        from diagnostics.runbooks.situation import Conditions  # noqa: PLC0415

        access, pauses = self.access, (self.access.poll_seconds, self.access.wait_seconds)
        outside = Endpoint(address=access.internet_target.host, port=access.internet_target.port)
        hours = timedelta(hours=history or access.history_hours)
        diagnosis = work(
            request,
            Conditions(self.clock.now(), outside, guest, hours),
            inventory=AzureInventory(self.clients, scopes),
            watcher=AzureWatcher(self.clients, *pauses),
            guest=AzureGuest(self.clients, *pauses),
            monitor=AzureMonitor(self.clients),
            scopes=scopes,
            clock=self.clock,
            watch=watch,
            manners=Manners(
                slots=access.checks_per_region, wait=timedelta(seconds=access.wait_seconds), patience=self.patience
            ),
        )
        seen = (msgspec.structs.replace(each, observed_at=self.clock.now()) for each in diagnosis.findings)
        return replace(diagnosis, findings=tuple(linked(each, access.cloud.portal) for each in seen))


def azure(env: Mapping[str, str], scopes: Scopes, clock: Clock | None = None, patience: timedelta = PATIENCE) -> Azure:
    """Azure as the app settings among these variables describe it, logged in.

    Args:
        env: app settings; none is required.
        scopes: instead of `VMREACH_SCOPES`.
        clock: this machine's without one.
        patience: with an Azure that is busy.

    Raises:
        SettingsError: lists what is wrong with the settings.
        PermanentError: there is no login.
    """
    from diagnostics.app import SystemClock  # noqa: PLC0415
    from diagnostics.cloud.clients import Clients  # noqa: PLC0415
    from diagnostics.settings import Access  # noqa: PLC0415

    _be_quiet()
    named = (*map(str, scopes.resources), *(f"{_GROUPS}{name}" for name in scopes.management_groups))
    access = Access.from_env({**env, "VMREACH_SCOPES": ",".join(named)})
    clients = Clients(access)
    clients.sign_in()
    return Azure(access, clients, clock or SystemClock(), patience)


def _be_quiet() -> None:
    """What the SDK warns of is told as the error that it becomes; a person reads the rest."""
    import logging  # noqa: PLC0415

    from diagnostics.cloud.quiet import hide_signatures  # noqa: PLC0415

    hide_signatures()
    for name in ("azure", "urllib3", "msal"):
        logging.getLogger(name).setLevel(logging.ERROR)
