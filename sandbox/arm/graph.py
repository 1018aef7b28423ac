"""Resource Graph: rows made of the estate, pages, quota headers, and a view that may lag behind.

Sources: "Work with large Azure resource data sets"; "Guidance for throttled requests in Azure Resource Graph".
"""

import base64
import copy

import msgspec

from sandbox.arm import query
from sandbox.arm.reads import VM, Reads
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request
from sandbox.arm.world import TENANT, World, plant

_MOST = 1000  # rows in a page
_QUOTA = {"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}

# Columns taken from a body as they are.
_COLUMNS = ("kind", "managedBy", "sku", "plan", "tags", "identity", "zones", "extendedLocation", "location")


class Graph:
    """Queries over the world's resources, in one tenant."""

    def __init__(self, world: World, reads: Reads) -> None:
        self._world = world
        self._reads = reads

    def resources(self, request: Request) -> Reply:
        """POST /providers/Microsoft.ResourceGraph/resources with resultFormat objectArray."""
        body = request.json()
        options = body.get("options") or {}
        if options.get("resultFormat", "objectArray").lower() != "objectarray":
            raise ArmError(400, "BadRequest", "The sandbox knows resultFormat objectArray only.")
        top = options.get("$top", _MOST)
        if not isinstance(top, int) or not 1 <= top <= _MOST:
            raise ArmError(400, "BadRequest", f"$top must be between 1 and {_MOST}, was {top}.")
        text = body.get("query")
        if not isinstance(text, str):
            raise query.invalid("There is no query.")
        scope = self._scope(body)
        rows = query.run(text, {"resources": self._rows(scope), "resourcecontainers": self._containers(scope)})
        return _page(rows, _start(options, text), top, text)

    def _scope(self, body: Json) -> set[str]:
        """The subscriptions asked for that can be seen: others are left out without a word, none at all is 403."""
        seen, asked, groups = self._world.subscriptions, body.get("subscriptions"), body.get("managementGroups")
        if asked is not None and asked != []:
            scope = {name.lower() for name in asked} & seen
        elif groups:
            wanted = {name.lower() for name in groups}
            below = (s for s in self._world.scenarios if wanted & {name.lower() for name in s.management_groups})
            scope = {scenario.subscription for scenario in below}
        else:
            scope = seen
        if not scope:
            text = "Please provide below info when asking for support: no subscription in scope can be read."
            raise ArmError(403, "Forbidden", text, [{"code": "AccessDenied", "message": "Access is denied."}])
        return set(scope)

    def _rows(self, scope: set[str]) -> list[Json]:
        bodies = (
            b for b in self._world.resources.values() if (Path.parse(b["id"]).subscription or "").lower() in scope
        )
        return [self._row(body) for body in bodies if body["type"].lower() != "microsoft.authorization/locks"]

    def _row(self, body: Json) -> Json:
        path = Path.parse(body["id"])
        row: Json = {"id": body["id"], "name": body["name"], "type": body["type"].lower(), "tenantId": TENANT}
        row |= {"resourceGroup": (path.group or "").lower(), "subscriptionId": path.subscription}
        row |= {name: body.get(name, "" if name in ("kind", "managedBy") else None) for name in _COLUMNS}
        row["properties"] = body.get("properties", {})
        if row["type"] == VM:
            power = self._world.power_of(body["id"])
            status = {"code": power, "displayStatus": f"VM {power.partition('/')[2]}", "level": "Info"}
            row["properties"] = row["properties"] | {"extended": {"instanceView": {"powerState": status}}}
        if stale := self._stale(body["id"]):
            row = copy.deepcopy(row)
            for place, value in stale.items():
                plant(row, place, value)
        return row

    def _stale(self, resource_id: str) -> Json:
        scenario = self._world.scenario_of(resource_id)
        views = scenario.stale_graph if scenario else {}
        return next((view for name, view in views.items() if name.lower() == resource_id.lower()), {})

    def _containers(self, scope: set[str]) -> list[Json]:
        rows = []
        for name in sorted(scope):
            scenario = self._world.scenario_of(f"/subscriptions/{name}")
            chain = [
                {"name": group, "displayName": group} for group in (scenario.management_groups if scenario else [])
            ]
            about = self._reads.subscription(name)
            rows.append(
                {"id": about["id"], "name": about["displayName"], "type": "microsoft.resources/subscriptions"}
                | {"tenantId": TENANT, "subscriptionId": name, "resourceGroup": "", "location": "", "tags": None}
                | {"properties": {"state": "Enabled", "managementGroupAncestorsChain": chain}}
            )
        for (owner, group), body in self._world.groups().items():
            if owner.lower() in scope:
                kind = {"type": "microsoft.resources/subscriptions/resourcegroups", "tenantId": TENANT}
                rows.append(body | kind | {"subscriptionId": owner, "resourceGroup": group, "tags": None})
        return rows


def _page(rows: list[Json], start: int, top: int, text: str) -> Reply:
    """A page. Without an `id` column there is no skip token: what does not fit is cut off, and only said to be."""
    data = rows[start : start + top]
    left = start + top < len(rows)
    body: Json = {"totalRecords": len(rows), "count": len(data), "data": data, "facets": []}
    body["resultTruncated"] = "true" if left and "id" not in rows[0] else "false"
    if left and "id" in rows[0]:
        token = msgspec.json.encode({"$id": "1", "start": start + top, "query": text})
        body["$skipToken"] = base64.urlsafe_b64encode(token).decode()
    return Reply(body, headers=_QUOTA)


def _start(options: Json, text: str) -> int:
    """Where a page begins: from the skip token, which is good for the query that it was given for."""
    token = options.get("$skipToken")
    if not token:
        return int(options.get("$skip", 0))
    try:
        told = msgspec.json.decode(base64.urlsafe_b64decode(token), type=Json)
        matches = told["query"] == text
        start = int(told["start"])
    except (ValueError, KeyError, msgspec.DecodeError):
        matches, start = False, 0
    if not matches:
        raise ArmError(
            400, "BadRequest", "The skip token is invalid.", [{"code": "InvalidSkipToken", "message": token}]
        )
    return start
