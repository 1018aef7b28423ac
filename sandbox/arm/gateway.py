"""The HTTP side: faults, records, authentication, api-version, headers; then the service that answers."""

import asyncio
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from sandbox.arm.calls import Call
from sandbox.arm.faults import Fault, Faults
from sandbox.arm.identity import Identity
from sandbox.arm.services import Services
from sandbox.arm.teams import Teams
from sandbox.arm.wire import ArmError, Path, Reply, Request

IDENTITY_PATH = "/msi/token"
_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-\w+)?")


class Gateway:
    """Takes every request. State is guarded by `lock`, because tests look at it from their own thread."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.identity = Identity()
        self.teams = Teams()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        self._budgets: dict[tuple[str, str], Budget] = {}

    def application(self) -> web.Application:
        """The routes; everything outside /sandbox is recorded."""
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_get("/sandbox/{what}", self._inspect)
        application.router.add_post("/sandbox/faults", self._plan)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self.faults.take(request.method, request.path_qs)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        with self.lock:  # encoding included: what is answered may be a part of the world
            headers = self._headers(request) if self._is_arm(request) else {}
            if fault is not None and _answers(fault):
                response = _failure(fault, headers)
            else:
                response = _response(self._reply(request, body), headers)
            dropped = fault is not None and fault.drop
            self._record(request, body, 0 if dropped else response.status)
        if dropped and request.transport is not None:
            request.transport.abort()
        return response

    def _record(self, request: web.Request, body: bytes, status: int) -> None:
        query = dict(request.query) | ({"sig": "***"} if "sig" in request.query else {})
        self.calls.append(Call(request.method, request.path, query, _decoded(body), status))

    def _reply(self, request: web.Request, body: bytes) -> Reply:
        if request.path == IDENTITY_PATH:
            return self.identity.token(request.query, request.headers)
        if request.path == self.teams.path:
            return self.teams.receive(request.query, body)
        try:
            self.identity.require(request.headers.get("Authorization"))
            query = {name.lower(): value for name, value in request.query.items()}
            _require_version(query)
            path = Path.parse(request.path)
            base = str(request.url.origin())
            return self.services.answer(Request(request.method, path, query, request.headers, body, base))
        except ArmError as error:
            return error.reply

    def _is_arm(self, request: web.Request) -> bool:
        return request.path not in (IDENTITY_PATH, self.teams.path)

    def _headers(self, request: web.Request) -> dict[str, str]:
        """What ARM adds to every answer. POST counts as a write, as it does in Azure."""
        path = Path.parse(request.path)
        kind = "reads" if request.method in ("GET", "HEAD") else "writes"
        budget = self._budgets.setdefault(
            (path.subscription or "tenant", kind), Budget(250 if kind == "reads" else 200)
        )
        scope = "subscription" if path.subscription else "tenant"
        asked = request.headers.get("x-ms-correlation-request-id")
        return {
            "x-ms-request-id": str(uuid.uuid4()),
            "x-ms-correlation-request-id": asked or str(uuid.uuid4()),
            f"x-ms-ratelimit-remaining-{scope}-{kind}": str(budget.spend()),
        }

    async def _inspect(self, request: web.Request) -> web.Response:
        """For people: /sandbox/teams, /sandbox/calls, /sandbox/resources[?id=…]."""
        with self.lock:
            self.services.operations.settle()
            world = self.services.world
            views: dict[str, Callable[[], Any]] = {
                "teams": lambda: self.teams.posted,
                "calls": lambda: [msgspec.to_builtins(c) | {"roleActions": c.role_actions} for c in self.calls],
                "resources": lambda: (
                    world.find(request.query["id"]) if "id" in request.query else list(world.resources.values())
                ),
            }
            what = views.get(request.match_info["what"])
            found = what() if what else None
            text = msgspec.json.encode(found)
        if found is None:
            return web.json_response({"error": {"code": "NotFound", "message": request.path_qs}}, status=404)
        return web.Response(body=text, content_type="application/json")

    async def _plan(self, request: web.Request) -> web.Response:
        """POST /sandbox/faults with one fault as JSON."""
        try:
            fault = self.faults.add(**msgspec.json.decode(await request.read(), type=dict[str, Any]))
        except (msgspec.DecodeError, re.error) as error:
            return web.json_response({"error": {"code": "BadRequest", "message": str(error)}}, status=400)
        return web.Response(body=msgspec.json.encode(fault), content_type="application/json", status=201)


class Budget:
    """ARM's token bucket of one subscription and kind of call: said in a header, not enforced."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = float(size)
        self._seen = time.monotonic()

    def spend(self) -> int:
        """Take one, and say how many are left."""
        now = time.monotonic()
        self._left = max(min(self._size, self._left + (now - self._seen) * self._size / 10) - 1, 0)
        self._seen = now
        return int(self._left)


def _answers(fault: Fault) -> bool:
    return fault.drop or fault.status is not None


def _require_version(query: dict[str, str]) -> None:
    version = query.get("api-version")
    if not version:
        text = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", text)
    if not _VERSION.fullmatch(version):
        text = f"The api-version '{version}' is invalid. The supported versions are dates such as '2026-03-01'."
        raise ArmError(400, "InvalidApiVersionParameter", text)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _response(reply: Reply, headers: dict[str, str]) -> web.Response:
    text = b"" if reply.body == "" else msgspec.json.encode(reply.body)
    kind = "application/json"
    return web.Response(body=text, status=reply.status, headers=headers | dict(reply.headers), content_type=kind)


def _failure(fault: Fault, headers: dict[str, str]) -> web.Response:
    status, headers = fault.status or 503, headers | fault.headers
    if isinstance(fault.body, str):
        return web.Response(text=fault.body, status=status, headers=headers, content_type="text/html")
    body = fault.body or {"error": {"code": "SandboxFault", "message": "A planned failure."}}
    return _response(Reply(body, status), headers)
