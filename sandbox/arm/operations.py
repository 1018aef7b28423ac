"""Long-running operations: started by a write or a probe, observed by polling, settled by the clock or by a test.

Nothing runs in the background: an operation that is due takes effect when anything is next looked at.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.arm.wire import ArmError, Json, Reply, Request


@dataclass(slots=True)
class Running:
    """One operation on a resource (a probe's resource is its source VM). `due` is in seconds of the monotonic clock."""

    resource: str
    name: str
    due: float
    finish: Callable[[], None]
    result: str = "Succeeded"
    answer: Any = None
    error: Json | None = None
    done: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Operations:
    """All operations ever started, by id. `seconds` is how long each takes; `retry_after` is told to whoever polls."""

    def __init__(self, seconds: float, retry_after: str | None) -> None:
        self.seconds = seconds
        self.retry_after = retry_after
        self._all: dict[str, Running] = {}
        self._held: set[str] = set()

    @property
    def pacing(self) -> dict[str, str]:
        """The Retry-After header, if there is one."""
        return {} if self.retry_after is None else {"Retry-After": self.retry_after}

    def hold(self, resource_id: str) -> None:
        """Keep operations on a resource in progress until `release`."""
        self._held.add(resource_id.lower())

    def release(self, resource_id: str) -> None:
        """Let operations on a resource end when they are due."""
        self._held.discard(resource_id.lower())

    def start(self, resource_id: str, name: str, finish: Callable[[], None] = lambda: None, **result: Any) -> Running:
        """Start an operation; `finish` is called once, when it settles. `result` are fields of `Running`."""
        running = Running(resource_id.lower(), name, time.monotonic() + self.seconds, finish, **result)
        self._all[running.id] = running
        return running

    def settle(self) -> None:
        """Let everything that is due and not held take effect, in the order in which it was started."""
        now = time.monotonic()
        for running in self._all.values():
            if not running.done and running.due <= now and running.resource not in self._held:
                running.done = True
                running.finish()

    def busy(self, resource_id: str, name: str) -> Running | None:
        """The operation of this name that is in progress on a resource."""
        key = resource_id.lower()
        return next((r for r in self._all.values() if not r.done and r.resource == key and r.name == name), None)

    def find(self, request: Request) -> Running:
        """The operation that a poll is about: 404 where there is none."""
        running = self._all.get(request.path.names[-1].lower())
        if running is None:
            raise ArmError(404, "OperationNotFound", f"Operation {request.path.names[-1]} was not found.")
        return running

    def status(self, request: Request) -> Reply:
        """The poll of an Azure-AsyncOperation URL: 200 with the status in the body, until and after the end."""
        running = self.find(request)
        if not running.done:
            return Reply({"status": "InProgress"}, headers=self.pacing)
        error = {} if running.error is None else {"error": running.error}
        return Reply({"status": running.result} | error, headers=self.pacing if error else {})

    def result(self, request: Request) -> Reply:
        """The poll of a Location URL: 202 with ``null`` until the end, then the answer itself or its error."""
        running = self.find(request)
        if not running.done:
            others = {name: value for name, value in request.query.items() if name != "api-version"}
            where = request.url(request.path.text, **others)
            return Reply(status=202, headers={"Location": where, **self.pacing})
        if running.error is not None:
            error = running.error
            raise ArmError(error.get("status", 400), error["code"], error["message"], [])
        return Reply(running.answer)


def location_url(request: Request, region: str, running: Running, *, kind: str, **query: str) -> str:
    """Where to poll, at the provider that was asked: `kind` is ``operations`` or ``operationResults`` (answer)."""
    provider = request.path.type.partition("/")[0]
    where = f"/subscriptions/{request.path.subscription}/providers/{provider}/locations/{region}"
    return request.url(f"{where}/{kind}/{running.id}", **query)
