"""GET: one resource, a page of a collection, a machine's instance view, locks."""

import copy
from urllib.parse import quote

from sandbox.arm.versions import seen_at
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request
from sandbox.arm.world import TENANT, World

VM = "microsoft.compute/virtualmachines"
MACHINES = (VM, "microsoft.compute/virtualmachinescalesets/virtualmachines")


class Reads:
    """Answers about what exists. `page_size` is how many items a page of a list has before a nextLink."""

    def __init__(self, world: World, page_size: int) -> None:
        self._world = world
        self._page_size = page_size

    def one(self, request: Request) -> Reply:
        """GET of a resource, top-level or nested."""
        self._world.require_readable(request.path)
        return Reply(self._expanded(seen_at(self._world.get(request.path), request.api_version), request))

    def _expanded(self, body: Json, request: Request) -> Json:
        """A machine with its instance view, where that is asked for; `$expand` of a list of VMs does nothing."""
        asked = "instanceview" in request.query.get("$expand", "").lower()
        if asked and body["type"].lower() in MACHINES:
            body["properties"]["instanceView"] = self.view_of(body)
        return body

    def many(self, request: Request) -> Reply:
        """GET of a collection: of a subscription, a resource group or a parent resource."""
        bodies = self._world.list(request.path)
        if request.path.kind == MACHINES[1]:
            bodies = [self._expanded(copy.deepcopy(body), request) for body in bodies]
        return self.page(request, bodies)

    def page(self, request: Request, items: list[Json]) -> Reply:
        """A slice of a list; the nextLink repeats the query, as Azure's does."""
        try:
            start = int(request.query.get("$skiptoken", "0"))
        except ValueError:
            raise ArmError(400, "InvalidSkipToken", "The skip token is invalid.") from None
        body: Json = {"value": [_seen(item, request) for item in items[start : start + self._page_size]]}
        if start + self._page_size < len(items):
            others = {name: value for name, value in request.query.items() if name not in ("api-version", "$skiptoken")}
            body["nextLink"] = request.url(
                quote(request.path.text), **others, **{"$skiptoken": str(start + self._page_size)}
            )
        return Reply(body)

    def instance_view(self, request: Request) -> Reply:
        """GET …/virtualMachines/{vm}/instanceView."""
        return Reply(self.view_of(self._world.get(Path.parse(request.path.parent))))

    def view_of(self, vm: Json) -> Json:
        """What a machine does now."""
        power = self._world.power_of(vm["id"])
        running = power == "PowerState/running"
        agent = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running",
        }
        view: Json = {"statuses": [_status("ProvisioningState/succeeded", "Provisioning succeeded")]}
        view["statuses"].append(_status(power, f"VM {power.partition('/')[2]}"))
        if running:
            view["computerName"] = vm["properties"].get("osProfile", {}).get("computerName", vm["name"])
            view["vmAgent"] = {"vmAgentVersion": "2.13.1.1", "statuses": [agent]}
        return view

    def locks(self, request: Request) -> Reply:
        """Management locks on a scope, on what it lies in, for those are inherited, and on what lies in it."""
        self._world.require_scope(request.path)
        self._world.require_readable(request.path)
        scope = request.path.scope.lower() + "/"
        locks = self._world.of_kind("microsoft.authorization/locks")
        places = [Path.parse(body["id"]).scope.lower() + "/" for body in locks]
        held = zip(locks, places, strict=True)
        return self.page(request, [body for body, at in held if scope.startswith(at) or at.startswith(scope)])

    def container(self, request: Request) -> Reply:
        """Subscriptions and resource groups: paths without a provider."""
        self._world.require_scope(request.path)
        match request.path.text.strip("/").lower().split("/"):
            case ["subscriptions"]:
                return self.page(request, [self.subscription(name) for name in sorted(self._world.subscriptions)])
            case ["subscriptions", name]:
                return Reply(self.subscription(name))
            case ["subscriptions", name, "resourcegroups"]:
                groups = self._world.groups()
                return self.page(request, [body for (owner, _), body in groups.items() if owner == name])
            case ["subscriptions", name, "resourcegroups", group]:
                return Reply(self._world.groups()[name, group])
        raise ArmError(
            404, "NotFound", f"No HTTP resource was found that matches the request URI '{request.path.text}'."
        )

    def subscription(self, name: str) -> Json:
        """The body of a subscription."""
        scenario = self._world.scenario_of(f"/subscriptions/{name}")
        title = scenario.name if scenario else name
        policies = {"locationPlacementId": "Public_2014-09-01", "quotaId": "EnterpriseAgreement_2014-09-01"}
        return {"id": f"/subscriptions/{name}", "subscriptionId": name, "tenantId": TENANT, "state": "Enabled"} | {
            "displayName": f"sub-{title}", "authorizationSource": "RoleBased", "subscriptionPolicies": policies,
        }  # fmt: skip


def _seen(item: Json, request: Request) -> Json:
    """Resources as of the api-version; other items have no type to hide anything of."""
    return seen_at(item, request.api_version) if "type" in item else item


def _status(code: str, text: str) -> Json:
    return {"code": code, "level": "Info", "displayStatus": text}
