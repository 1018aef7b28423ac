"""Unmodified SDK clients for a sandbox, as its tests use them; heavy to import, so nothing else here does."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import requests
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient

from sandbox.arm.server import Sandbox
from sandbox.scenario import ESTATES, Scenario

ARM = "https://management.azure.com"


class AllowHttp(SansIOHTTPPolicy[Any, Any]):
    """Lets a client send its token over plain HTTP: on loopback only."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Tell the authentication policy, which reads it from the context."""
        request.context.options["enforce_https"] = False


class Azure:
    """A sandbox and SDK clients that talk to it."""

    def __init__(self, sandbox: Sandbox, stack: ExitStack) -> None:
        self.sandbox = sandbox
        self.scenario = sandbox.scenarios[0]
        self._stack = stack
        stack.enter_context(mock.patch.dict("os.environ", sandbox.environment()))
        self.credential = stack.enter_context(DefaultAzureCredential())
        self.network = self.client(NetworkManagementClient)
        self.compute = self.client(ComputeManagementClient)
        self.monitor = self.client(MonitorManagementClient)
        self.graph = stack.enter_context(ResourceGraphClient(self.credential, **self._options(retry_total=0)))

    def _options(self, **options: Any) -> dict[str, Any]:
        defaults = {"base_url": self.sandbox.url, "per_call_policies": [AllowHttp()], "polling_interval": 0.02}
        return defaults | {"retry_total": 0} | options

    def client[T: (NetworkManagementClient, ComputeManagementClient, MonitorManagementClient)](
        self, kind: type[T], **options: Any
    ) -> T:
        """Another client, for the first scenario's subscription; `options` go to it."""
        client = kind(self.credential, self.scenario.subscription, **self._options(**options))
        self._stack.enter_context(client)
        return client

    def id(self, name: str) -> str:
        """The id of the first scenario's resource of this name."""
        return next(str(body["id"]) for body in self.scenario.resources if body["name"] == name)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """A plain HTTP call with a good token, and api-version 2026-03-01 unless there is another."""
        token = self.credential.get_token(f"{ARM}/.default").token
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        params = {"api-version": "2026-03-01"} | more.pop("params", {})
        return requests.request(method, self.sandbox.url + path, params=params, headers=headers, timeout=9, **more)


@contextmanager
def connected(name: str, **options: Any) -> Iterator[Azure]:
    """The scenario of this name, alone in a sandbox that is quick."""
    scenarios = [Scenario.load(ESTATES / f"{name}.json")]
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(scenarios, **({"operation_seconds": 0.05} | options)))
        yield Azure(sandbox, stack)


def code_of(response: requests.Response) -> tuple[int, str]:
    """Status and error code of an answer in Azure's error shape."""
    return response.status_code, response.json()["error"]["code"]
