"""The resources that exist, as ARM bodies that change: resource groups, top-level and nested resources."""

import copy
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.arm.wire import ArmError, Json, Path, resource_not_found
from sandbox.scenario import Scenario

TENANT = "6a1f3c52-9e07-4b8d-8c41-d27b5e90fa13"
CLIENT = "7c1f2f0e-53c4-4f3e-8a86-0f6a7f4d9b21"
"""The object id of the product's identity, as refusals name it."""


def new_etag() -> str:
    """A weak entity tag, the only kind Microsoft.Network uses; it stands in bodies, never in a header."""
    return f'W/"{uuid.uuid4()}"'


def dig(body: Any, dotted: str) -> Any:
    """The value at ``properties.a.b``, or None. Names are matched case-sensitively, as Resource Graph does."""
    for name in dotted.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def plant(body: Json, dotted: str, value: Any) -> None:
    """Set the value at ``properties.a.b``, making objects on the way."""
    *way, last = dotted.split(".")
    for name in way:
        body = body.setdefault(name, {})
    body[last] = value


def children(body: Json) -> Iterator[Json]:
    """The nested resources of a body: whatever in its lists has an id and properties of its own."""
    for value in body.get("properties", {}).values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and "properties" in item and "id" in item:
                yield item


def set_state(body: Json, state: str) -> None:
    """Give a resource and its nested resources a provisioning state, and one new etag, as a write in Azure does."""
    etag = new_etag()
    for part in (body, *children(body)):
        part["properties"]["provisioningState"] = state
        part["etag"] = etag


class World:
    """Everything that the scenarios hold, in one tenant. Ids compare case-insensitively. Not thread-safe by itself."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self.scenarios = list(scenarios)
        self.resources: dict[str, Json] = {}
        self.power: dict[str, str] = {}
        for scenario in self.scenarios:
            extensions = [body for bodies in scenario.extensions.values() for body in bodies]
            for body in [*scenario.resources, *extensions]:
                self.resources[body["id"].lower()] = copy.deepcopy(body)
            self.power |= {vm.lower(): state for vm, state in scenario.power_states.items()}
        self._forbidden = {name.lower() for scenario in self.scenarios for name in scenario.forbidden}
        self._groups: dict[tuple[str, str], Json] | None = None
        self.subscriptions = {(Path.parse(i).subscription or "").lower() for i in self.resources}

    def put(self, body: Json) -> None:
        """Add or replace a top-level resource."""
        if body["id"].lower() not in self.resources:
            self._groups = None
        self.resources[body["id"].lower()] = body

    def remove(self, resource_id: str) -> None:
        """Take a top-level resource away. KeyError when there is none."""
        del self.resources[resource_id.rstrip("/").lower()]
        self._groups = None

    def find(self, resource_id: str) -> Json | None:
        """A top-level resource, or one nested in a list of its parent (a subnet, a rule, a backend pool)."""
        key = resource_id.rstrip("/").lower()
        if key in self.resources:
            return self.resources[key]
        parent, _, _ = key.rpartition("/")
        owner = parent.rpartition("/")[0]
        body = self.find(owner) if owner.count("/") >= 8 else None  # /subscriptions/s/…/type/name
        return next((child for child in children(body or {}) if child["id"].lower() == key), None)

    def get(self, path: Path) -> Json:
        """The resource at a path; otherwise 404 with the code that tells what is missing."""
        self.require_scope(path)
        body = self.find(path.text)
        if body is None:
            raise resource_not_found(path)
        return body

    def require_readable(self, path: Path) -> None:
        """403 in the words of ARM when the scenario says that the resource, or the list, may not be read."""
        if path.key in self._forbidden:
            scope = path.scope if path.is_collection else path.text
            text = (
                f"The client '{CLIENT}' with object id '{CLIENT}' does not have authorization to perform action "
                f"'{path.type}/read' over scope '{scope}' or the scope is invalid. If access was recently granted, "
                "please refresh your credentials."
            )
            raise ArmError(403, "AuthorizationFailed", text)

    def require_scope(self, path: Path) -> None:
        """404 when the subscription or the resource group of a path does not exist."""
        subscription, group = path.subscription, path.group
        if subscription and subscription.lower() not in self.subscriptions:
            text = f"The subscription '{subscription}' could not be found."
            raise ArmError(404, "SubscriptionNotFound", text)
        if group and ((subscription or "").lower(), group.lower()) not in self.groups():
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")

    def groups(self) -> dict[tuple[str, str], Json]:
        """Resource groups by lower-case subscription and name: those that have a resource."""
        if self._groups is None:
            self._groups = self._read_groups()
        return self._groups

    def _read_groups(self) -> dict[tuple[str, str], Json]:
        found: dict[tuple[str, str], Json] = {}
        for body in self.resources.values():
            path = Path.parse(body["id"])
            subscription, group = path.subscription or "", path.group or ""
            scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
            found.setdefault(
                (subscription.lower(), group.lower()),
                {"id": scope, "name": group, "type": "Microsoft.Resources/resourceGroups"}
                | {"location": body.get("location", ""), "properties": {"provisioningState": "Succeeded"}},
            )
        return found

    def of_kind(self, kind: str) -> list[Json]:
        """Resources of a lower-case type, in the order in which the scenarios list them."""
        return [body for body in self.resources.values() if body["type"].lower() == kind]

    def list(self, path: Path) -> "list[Json]":
        """What a collection path holds: of a resource group, of a subscription, or of a parent resource.

        What the identity may not read is left out without a word, as lists of a subscription do in Azure.
        """
        self.require_scope(path)
        self.require_readable(path)
        if len(path.names) == 0:
            below = path.scope.lower() + "/"
            found = [body for body in self.of_kind(path.kind) if body["id"].lower().startswith(below)]
        else:
            parent = self.get(Path.parse(path.parent))
            prefix = path.key + "/"
            own = [body for key, body in self.resources.items() if key.rpartition("/")[0] == path.key]
            found = own + [child for child in children(parent) if child["id"].lower().startswith(prefix)]
        return [body for body in found if body["id"].lower() not in self._forbidden]

    def visible(self) -> tuple[Json, ...]:
        """What the identity may read of all that there is."""
        return tuple(body for key, body in self.resources.items() if key not in self._forbidden)

    def unreadable_types(self, scope: str) -> tuple[str, ...]:
        """The types, in lower case, of which something in a scope may not be read."""
        below = scope.rstrip("/").lower() + "/"
        return tuple(sorted({Path.parse(key).type for key in self._forbidden if key.startswith(below)}))

    def scenario_of(self, resource_id: str) -> Scenario | None:
        """The scenario whose subscription a resource lies in."""
        subscription = (Path.parse(resource_id).subscription or "").lower()
        return next((s for s in self.scenarios if s.subscription == subscription), None)

    def power_of(self, vm_id: str) -> str:
        """``PowerState/running`` unless the scenario or a test says otherwise."""
        return self.power.get(vm_id.lower(), "PowerState/running")
