"""A sandbox of its own for each test, and the adapters' clients for it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from diagnostics.cloud.clients import Clients
from diagnostics.cloud.guest import AzureGuest
from diagnostics.cloud.inventory import AzureInventory
from diagnostics.cloud.monitor import AzureMonitor
from diagnostics.cloud.nics import AzureNics
from diagnostics.cloud.watcher import AzureWatcher
from diagnostics.network.ids import ResourceId
from diagnostics.scopes import Scopes
from diagnostics.settings import Settings
from sandbox.arm import Sandbox
from sandbox.azurite import Azurite
from sandbox.scenario import Scenario, scenarios


@dataclass
class Estate:
    """A sandbox with all scenarios, and the product's settings for it."""

    sandbox: Sandbox
    settings: Settings
    clients: Clients

    def id(self, name: str) -> ResourceId:
        bodies = (body for scenario in self.sandbox.scenarios for body in scenario.resources)
        return ResourceId.parse(next(body["id"] for body in bodies if body["name"] == name))

    def subscription(self, scenario: str) -> str:
        return self.scenario(scenario).subscription

    def inventory(self, scopes: str | None = None) -> AzureInventory:
        return AzureInventory(self.clients, Scopes.parse(scopes) if scopes else self.settings.scopes)

    def nics(self, *, wait_seconds: float = 10.0) -> AzureNics:
        return AzureNics(self.clients, poll_seconds=0.02, wait_seconds=wait_seconds)

    def watcher(self, *, wait_seconds: float = 10.0) -> AzureWatcher:
        return AzureWatcher(self.clients, poll_seconds=0.02, wait_seconds=wait_seconds)

    def guest(self, *, wait_seconds: float = 10.0) -> AzureGuest:
        return AzureGuest(self.clients, poll_seconds=0.02, wait_seconds=wait_seconds)

    def monitor(self) -> AzureMonitor:
        return AzureMonitor(self.clients)

    def scenario(self, name: str) -> Scenario:
        """A whole one: what a test changes in it is the sandbox's truth from then on."""
        return next(each for each in self.sandbox.scenarios if each.name == name)

    def statuses(self, method: str, path: str) -> list[int]:
        """How the requests with this in their path were answered."""
        return [call.status for call in self.sandbox.calls if call.method == method and path in call.path.lower()]


@pytest.fixture
def settings_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sandbox], Settings]:
    def settings(sandbox: Sandbox, **more: str) -> Settings:
        env = {**sandbox.environment(), "VMREACH_POLL_SECONDS": "0.02", "AzureWebJobsStorage": "unused"}
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            monkeypatch.setenv(name, env[name])
        return Settings.from_env(env | more)

    return settings


@pytest.fixture
def start(settings_for: Callable[..., Settings]) -> Iterator[Callable[..., Estate]]:
    """Starts a sandbox with options of its own."""
    running: list[Sandbox] = []

    def estate(**options: Any) -> Estate:
        sandbox = Sandbox(scenarios(), **({"operation_seconds": 0.05} | options))
        sandbox.start()
        running.append(sandbox)
        settings = settings_for(sandbox)
        return Estate(sandbox, settings, Clients(settings))

    yield estate
    for sandbox in running:
        _let_pollers_end(sandbox)
        sandbox.stop()


def _let_pollers_end(sandbox: Sandbox) -> None:
    """The SDK goes on polling from a thread of its own when nobody waits any more, and would outlive its client."""
    for body in (body for scenario in sandbox.scenarios for body in scenario.resources):
        sandbox.release(body["id"])
    for thread in threading.enumerate():
        if thread.name.startswith("LROPoller"):
            thread.join(10)


@pytest.fixture
def estate(start: Callable[..., Estate]) -> Estate:
    return start()


@pytest.fixture
def connection(storage: Azurite) -> str:
    return storage.connection_string
