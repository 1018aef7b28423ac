"""The function app under Microsoft's worker library, with Azure and storage over HTTP."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

import jsonschema
import pytest
import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueServiceClient

from sandbox.arm import Call, Sandbox
from sandbox.azurite import Azurite
from sandbox.host.launcher import FunctionsHost
from sandbox.scenario import Scenario, scenarios
from tests.conftest import ROOT, Wait

SETTINGS = {
    "VMREACH_SWEEP_SCHEDULE": "0 0 0 1 1 *",  # never in a test: it is run by hand
    "VMREACH_AUDIT_SCHEDULE": "0 0 0 1 1 *",
    "VMREACH_POLL_SECONDS": "0.05",
    "VMREACH_RECHECK_MINUTES": "0",  # a message that is delivered later would keep the queues from being empty
    "VMREACH_WAIT_SECONDS": "20",
    "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "3",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.100",
}


class Stack:
    """Azurite, a sandbox and a host, and what came out of it so far."""

    def __init__(self, eventually: Wait, *, lease_seconds: int = 10, **settings: str) -> None:
        self.eventually, self._lease_seconds, self._more = eventually, lease_seconds, settings
        self.sandbox, self.azurite = Sandbox(scenarios(), operation_seconds=0.05), Azurite()
        self.findings: list[dict[str, Any]] = []
        self._schema = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schemas/finding.json").read_text()))

    def __enter__(self) -> Self:
        self.azurite.start()
        self.sandbox.start()
        self._queues = QueueServiceClient.from_connection_string(self.azurite.connection_string, retry_total=0)
        self.host = self.started()
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        self._queues.close()
        self.sandbox.stop()
        self.azurite.stop()

    def started(self) -> FunctionsHost:
        """A new host on the same storage."""
        env = {**self.sandbox.environment(), "AzureWebJobsStorage": self.azurite.connection_string, **SETTINGS}
        self.host = FunctionsHost(ROOT, env | self._more, lease_seconds=self._lease_seconds, grace_seconds=3)
        self.host.start()
        return self.host

    def scenario(self, name: str) -> Scenario:
        return next(each for each in self.sandbox.scenarios if each.name == name)

    def id(self, name: str) -> str:
        bodies = (body for scenario in self.sandbox.scenarios for body in scenario.resources)
        return next(str(body["id"]) for body in bodies if body["name"] == name)

    def alert(self, body: object) -> requests.Response:
        return self.host.post("/api/alerts", body)

    def put(self, queue: str, body: bytes, *, raw: bool = False) -> None:
        client = self._queues.get_queue_client(queue)
        with suppress(ResourceExistsError):
            client.create_queue()
        client.send_message(body.decode() if raw else base64.b64encode(body).decode())

    def count(self, queue: str) -> int:
        """All messages, those that are being worked on too."""
        with suppress(ResourceNotFoundError):
            return self._queues.get_queue_client(queue).get_queue_properties().approximate_message_count or 0
        return 0

    def clear(self, queue: str) -> None:
        self._queues.get_queue_client(queue).clear_messages()

    def idle(self) -> bool:
        kinds = ("diagnosis-requests", "closure-requests", "remediation-requests")
        return not any(self.count(queue) for kind in kinds for queue in (kind, f"{kind}-poison"))

    def settle(self) -> None:
        """Until all queues are empty."""
        self.eventually(self.idle)
        self.read()

    def read(self) -> list[dict[str, Any]]:
        """All findings so far, each held against its schema."""
        client = self._queues.get_queue_client("findings")
        with suppress(ResourceNotFoundError):
            for message in client.receive_messages(messages_per_page=32):
                finding = json.loads(base64.b64decode(message.content, validate=True))
                self._schema.validate(finding)
                self.findings.append(finding)
                client.delete_message(message)
        return self.findings

    def finding(self, **wanted: str) -> dict[str, Any]:
        """The newest finding with these values (see `_flat`). Waits for it."""
        return self.eventually(lambda: next(iter(self.all(**wanted)[::-1]), None))

    def all(self, **wanted: str) -> list[dict[str, Any]]:
        flat = (finding | _flat(finding["resource"]) for finding in self.read())
        return [each for each in flat if all(each[name] == value for name, value in wanted.items())]

    def cards(self, text: str) -> list[str]:
        """The cards in the channel that hold a text."""
        return [card for message in self.sandbox.teams if text in (card := json.dumps(message, ensure_ascii=False))]

    def puts(self) -> list[Call]:
        return [call for call in self.sandbox.calls if call.method == "PUT"]


@pytest.fixture(scope="session")
def auto(eventually: Wait) -> Iterator[Stack]:
    """The app in remediation mode auto."""
    with Stack(eventually, VMREACH_REMEDIATION_MODE="auto") as stack:
        yield stack


def _flat(resource: dict[str, str]) -> dict[str, str]:
    return {"resource": resource["name"], "subscription": resource["subscriptionId"]}


def without_state(value: Any) -> Any:
    """What a write of a NIC may not change: all but etags and provisioning states."""
    if isinstance(value, list):
        return [without_state(item) for item in value]
    if isinstance(value, dict):
        return {name: without_state(item) for name, item in value.items() if name not in ("etag", "provisioningState")}
    return value
