"""One sandbox with every scenario, and each scenario's diagnosis by the product's own adapters, worked once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from diagnostics.cloud.clients import Clients
from diagnostics.cloud.guest import AzureGuest
from diagnostics.cloud.inventory import AzureInventory
from diagnostics.cloud.monitor import AzureMonitor
from diagnostics.cloud.watcher import AzureWatcher
from diagnostics.engine.session import work
from diagnostics.intake import alerts
from diagnostics.intake.messages import DiagnosisRequest, Endpoint
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.situation import Conditions
from diagnostics.scopes import Scopes
from diagnostics.settings import Settings
from sandbox.arm import Call, Sandbox
from sandbox.scenario import Scenario, all_scenarios

LOADED = all_scenarios()


class Clock:
    """The time of this machine; waits less than it should."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.02))


@dataclass
class Diagnoses:
    """Works each scenario's alert through when it is first asked for."""

    sandbox: Sandbox
    settings: Settings
    clients: Clients
    _known: dict[str, Diagnosis] = field(default_factory=dict)
    _calls: dict[str, list[Call]] = field(default_factory=dict)

    def of(self, scenario: Scenario) -> Diagnosis:
        if scenario.name not in self._known:
            before = len(self.sandbox.calls)
            self._known[scenario.name] = self._work(scenario)
            self._calls[scenario.name] = self.sandbox.calls[before:]
        return self._known[scenario.name]

    def calls(self, scenario: Scenario) -> list[Call]:
        """What its diagnosis asked of Azure."""
        self.of(scenario)
        return self._calls[scenario.name]

    def _work(self, scenario: Scenario) -> Diagnosis:
        scopes, poll, wait = Scopes.parse(f"/subscriptions/{scenario.subscription}"), 0.005, 10.0
        adapters: dict[str, Any] = {
            "inventory": AzureInventory(self.clients, scopes),
            "watcher": AzureWatcher(self.clients, poll, wait),
            "guest": AzureGuest(self.clients, poll, wait),
            "monitor": AzureMonitor(self.clients),
        }
        target, clock = self.settings.internet_target, Clock()
        outside = Endpoint(address=target.host, port=target.port)
        conditions = Conditions(clock.now(), outside, scenario.run_command)
        return work(request_of(scenario), conditions, scopes=scopes, clock=clock, **adapters)


def request_of(scenario: Scenario) -> DiagnosisRequest:
    """The one diagnosis that the scenario's alert asks for."""
    read = alerts.read(msgspec.json.encode(scenario.alert))
    assert isinstance(read, alerts.Accepted), read
    (request,) = read.requests
    return request


@contextmanager
def worked(scenarios: Sequence[Scenario]) -> Iterator[Diagnoses]:
    """A sandbox with these scenarios, and whoever works them through."""
    with (
        Sandbox(scenarios, operation_seconds=0.005) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        env = sandbox.environment() | {"VMREACH_POLL_SECONDS": "0.02", "AzureWebJobsStorage": "unused"}
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            patch.setenv(name, env[name])
        settings = Settings.from_env(env)
        yield Diagnoses(sandbox, settings, Clients(settings))


@pytest.fixture(scope="session")
def diagnoses() -> Iterator[Diagnoses]:
    with worked(LOADED) as made:
        yield made
