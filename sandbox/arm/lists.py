"""GET of lists that are more than what lies below a path: statuses of VMs, parts of scale sets, all resources, rights.

Sources: REST references "Virtual Machines - List All" (statusOnly), "Network Interfaces - List Virtual Machine Scale
Set Network Interfaces", "Resources - List", "Permissions - List For Resource Group".
"""

import re

from sandbox.arm.reads import VM, Reads
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request
from sandbox.arm.world import World

_SET = "microsoft.compute/virtualmachinescalesets"
# What a scale set lists, though it lies deeper: by the type of the list, that of what is in it.
_DEEPER = {
    f"{_SET}/networkinterfaces": f"{_SET}/virtualmachines/networkinterfaces",
    f"{_SET}/publicipaddresses": f"{_SET}/virtualmachines/networkinterfaces/ipconfigurations/publicipaddresses",
}
# Types that no subscription has a list of, only its resource groups.
_BY_GROUP = {
    "microsoft.network/virtualnetworkgateways",
    "microsoft.network/localnetworkgateways",
    "microsoft.network/connections",
}
_WANTED = re.compile(r"resourceType eq '([^']+)'", re.IGNORECASE)
_FILTER = re.compile(rf"{_WANTED.pattern}(?: or {_WANTED.pattern})*", re.IGNORECASE)


class Lists:
    """Answers about many resources."""

    def __init__(self, world: World, reads: Reads) -> None:
        self._world = world
        self._reads = reads

    def of_type(self, request: Request) -> Reply:
        """A list of one type."""
        path = request.path
        if path.kind in _DEEPER:
            return self._deeper(request)
        if path.kind in _BY_GROUP and path.group is None:
            text = f"No HTTP resource was found that matches the request URI '{path.text}'."
            raise ArmError(404, "NotFound", text)
        if path.kind == VM and request.query.get("statusonly", "").lower() == "true" and path.group is None:
            return self._reads.page(request, [self._status(body) for body in self._world.list(path)])
        if not path.names and "/providers/" in path.scope.lower():
            self._world.get(Path.parse(path.scope))  # a list of what extends a resource
        return self._reads.many(request)

    def resources(self, request: Request) -> Reply:
        """All resources of a subscription or group, each with its name and place alone; `$filter` by types, or none."""
        self._world.require_scope(request.path)
        sought = request.query.get("$filter", "")
        if sought and not _FILTER.fullmatch(sought):
            raise ArmError(400, "InvalidFilterInQueryString", f"Invalid $filter '{sought}' specified in the query.")
        wanted = {kind.lower() for kind in _WANTED.findall(sought)}
        below = request.path.parent.lower() + "/"
        found = [
            body
            for body in self._world.visible()
            if body["id"].lower().startswith(below) and body["id"].lower().count("/providers/") == 1
        ]
        if wanted:
            found = [body for body in found if body["type"].lower() in wanted]
        shown = ("id", "name", "type", "location", "tags", "sku", "kind")
        return self._reads.page(request, [{name: body[name] for name in shown if name in body} for body in found])

    def permissions(self, request: Request) -> Reply:
        """What the product's identity may do in a scope: read everything but what the scenario forbids."""
        self._world.require_scope(request.path)
        self._world.require_readable(request.path)
        denied = [f"{kind}/read" for kind in self._world.unreadable_types(request.path.scope)]
        role: Json = {"actions": ["*/read"], "notActions": denied, "dataActions": [], "notDataActions": []}
        return self._reads.page(request, [role])

    def _deeper(self, request: Request) -> Reply:
        parent = self._world.get(Path.parse(request.path.parent))
        below = parent["id"].lower() + "/"
        self._world.require_readable(request.path)
        found = self._world.of_kind(_DEEPER[request.path.kind])
        return self._reads.page(request, [body for body in found if body["id"].lower().startswith(below)])

    def _status(self, vm: Json) -> Json:
        """A VM with what it does now, and nothing of how it is made."""
        shown: Json = {name: vm[name] for name in ("id", "name", "type", "location") if name in vm}
        state = vm["properties"].get("provisioningState", "Succeeded")
        return shown | {"properties": {"provisioningState": state, "instanceView": self._reads.view_of(vm)}}
