"""The sandbox as a server in a thread of its own, and what a test may do to it."""

import asyncio
import copy
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.arm.calls import Call
from sandbox.arm.faults import Faults
from sandbox.arm.gateway import IDENTITY_PATH, Gateway
from sandbox.arm.services import Services
from sandbox.arm.wire import Json
from sandbox.arm.world import new_etag, plant
from sandbox.scenario import Operation, Scenario


class Sandbox:
    """Azure Resource Manager, a managed identity and a Teams channel on 127.0.0.1, as a context manager.

    Args:
        scenarios: the estates that exist, each in its own subscription.
        port: where to listen; 0 for any free port.
        operation_seconds: how long a long-running operation takes.
        retry_after: the Retry-After header of long-running operations; None for no header. The default is what some
            services answer, and what the SDK's poller takes for "no header".
        page_size: items in a page of a list.
    """

    def __init__(
        self,
        scenarios: Iterable[Scenario],
        port: int = 0,
        operation_seconds: float = 0.3,
        retry_after: str | None = "0",
        page_size: int = 100,
    ) -> None:
        self.scenarios = list(scenarios)
        self._port = port
        services = Services(
            self.scenarios, operation_seconds=operation_seconds, retry_after=retry_after, page_size=page_size
        )
        self._gateway = Gateway(services)
        self._world, self._operations = services.world, services.operations
        self._scripts = services.scripts

    def start(self) -> None:
        """Listen, and serve from a thread. OSError when the port is taken."""
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(self._gateway.application(), access_log=None, shutdown_timeout=0.2)
        try:
            self._loop.run_until_complete(self._listen())
        except OSError:
            self._loop.run_until_complete(self._runner.cleanup())
            self._loop.close()
            raise
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox-arm", daemon=True)
        self._thread.start()

    async def _listen(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    def stop(self) -> None:
        """Close the connections and end the thread."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where ARM is; also the endpoint to give to SDK clients."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def identity_endpoint(self) -> str:
        """Where the app gets tokens: IDENTITY_ENDPOINT."""
        return self.url + IDENTITY_PATH

    @property
    def identity_header(self) -> str:
        """The secret to send there: IDENTITY_HEADER."""
        return self._gateway.identity.header

    @property
    def teams_url(self) -> str:
        """A webhook URL; its ``sig`` is a secret, as in Azure."""
        return self.url + self._gateway.teams.url_path

    @property
    def faults(self) -> Faults:
        """Planned failures; add to them at any time."""
        return self._gateway.faults

    @property
    def teams(self) -> list[Json]:
        """Messages in the channel, oldest first."""
        with self._gateway.lock:
            return list(self._gateway.teams.posted)

    @property
    def teams_lost(self) -> list[str]:
        """Why messages that the webhook accepted did not reach the channel."""
        with self._gateway.lock:
            return list(self._gateway.teams.lost)

    @property
    def calls(self) -> list[Call]:
        """Every request so far, oldest first, except those to /sandbox."""
        with self._gateway.lock:
            return list(self._gateway.calls)

    def environment(self) -> dict[str, str]:
        """Environment variables for a function app that should use this sandbox."""
        return {
            "IDENTITY_ENDPOINT": self.identity_endpoint,
            "IDENTITY_HEADER": self.identity_header,
            "VMREACH_ARM_ENDPOINT": self.url,
            "VMREACH_TEAMS_WEBHOOK_URL": self.teams_url,
            "VMREACH_SCOPES": ",".join(f"/subscriptions/{scenario.subscription}" for scenario in self.scenarios),
        }

    def resource(self, resource_id: str) -> Json:
        """A copy of a resource as it is now. KeyError when there is none."""
        with self._gateway.lock:
            self._operations.settle()
            return copy.deepcopy(self._existing(resource_id))

    def change(self, resource_id: str, values: dict[str, Any]) -> None:
        """Somebody else's write: set values at paths such as ``properties.provisioningState``, and a new etag."""
        with self._gateway.lock:
            body = self._existing(resource_id)
            for path, value in values.items():
                plant(body, path, copy.deepcopy(value))
            body["etag"] = new_etag()

    def create(self, body: Json) -> None:
        """Somebody else's new resource, a lock for example: any body with id, name and type."""
        with self._gateway.lock:
            self._world.put(copy.deepcopy(body))

    def delete(self, resource_id: str) -> None:
        """Somebody else's delete. KeyError when there is no such resource."""
        with self._gateway.lock:
            self._world.remove(resource_id)

    def power(self, vm_id: str, state: str) -> None:
        """Set a VM's power state, e.g. ``PowerState/deallocated``."""
        with self._gateway.lock:
            self._world.power[vm_id.lower()] = state

    def script(self, resource_id: str, operation: Operation) -> None:
        """Say how writes to a resource end from now on."""
        with self._gateway.lock:
            self._scripts[resource_id.lower()] = operation

    def hold(self, resource_id: str) -> None:
        """Keep operations on a resource in progress until `release`; for a probe, name its source VM."""
        with self._gateway.lock:
            self._operations.hold(resource_id)

    def release(self, resource_id: str) -> None:
        """Let held operations end as soon as their time is over."""
        with self._gateway.lock:
            self._operations.release(resource_id)

    def expire_tokens(self) -> None:
        """End the life of every access token issued so far."""
        with self._gateway.lock:
            self._gateway.identity.expire()

    def _existing(self, resource_id: str) -> Json:
        body = self._world.find(resource_id)
        if body is None:
            raise KeyError(resource_id)
        return body
