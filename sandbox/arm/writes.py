"""PUT of network interfaces, security groups and route tables: full replace, as a long-running operation.

Sources: "Troubleshoot Azure Microsoft.Network failed provisioning state"; "Async operations in Azure Resource Manager".
"""

import copy
import ipaddress
import itertools
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.arm import shapes
from sandbox.arm.kinds import KINDS, Kind
from sandbox.arm.operations import Operations, location_url
from sandbox.arm.versions import hidden
from sandbox.arm.wire import ArmError, Json, Path, Reply, Request
from sandbox.arm.world import World, set_state
from sandbox.scenario import Operation

# Read-only members of a NIC's dnsSettings.
_DNS_READ_ONLY = ("appliedDnsServers", "internalFqdn", "internalDomainNameSuffix")


class Writes:
    """Full replaces. `scripts` says how writes to a resource end, by lower-case id; the rest succeed."""

    def __init__(self, world: World, operations: Operations, scripts: Mapping[str, Operation]) -> None:
        self._world = world
        self._operations = operations
        self._scripts = scripts

    def put(self, request: Request) -> Reply:
        """Answer 200 or 201 with the new body; it is Updating until the operation ends."""
        kind = KINDS.get(request.path.kind)
        if kind is None or request.path.is_collection:
            raise ArmError(405, "MethodNotAllowed", f"PUT of {request.path.type} is not something the sandbox does.")
        self._world.require_scope(request.path)
        stored = self._world.find(request.path.text)
        sent = request.json()
        shapes.network().require(kind.shape, sent, stored)
        _require_parts(kind, sent)
        self._require_idle(request.path)
        _require_match(request.headers.get("If-Match"), stored)
        body = self._replaced(request, kind, sent, stored)
        self._require_references(body, request.path)
        return self._accept(request, body, created=stored is None)

    def _require_idle(self, path: Path) -> None:
        running = self._operations.busy(path.text, "put")
        if running is not None:
            text = f"To retrieve status of the operation use uri: {running.id}."
            text = f"Another operation on this or dependent resource is in progress. {text}"
            raise ArmError(409, "AnotherOperationInProgress", text, [])

    def _require_references(self, body: Json, path: Path) -> None:
        for reference in references(body["properties"]):
            if self._world.find(reference) is None:
                text = (
                    f"Resource {reference} referenced by resource {path.text} was not found. Please make sure that the "
                    "referenced resource exists, and that both resources are in the same region."
                )
                raise ArmError(400, "InvalidResourceReference", text, [])

    def _replaced(self, request: Request, kind: Kind, sent: Json, stored: Json | None) -> Json:
        """The resource after the write: what was sent, defaults for what was not, the server's own parts kept."""
        old = (stored or {}).get("properties", {})
        sent_properties = {name: value for name, value in (sent.get("properties") or {}).items() if value is not None}
        properties = copy.deepcopy(sent_properties)
        for name in kind.read_only | hidden(request.path.kind, request.api_version):
            properties.pop(name, None)
        properties |= {name: copy.deepcopy(old[name]) for name in kind.read_only if name in old}
        properties = copy.deepcopy(dict(kind.defaults)) | properties
        properties.setdefault("resourceGuid", str(uuid.uuid4()))
        _fill_dns(properties, old)
        stored_id = stored["id"] if stored else request.path.text
        body = {name: value for name, value in sent.items() if name not in ("etag", "properties")}
        body |= {
            "id": stored_id,
            "name": stored_id.rpartition("/")[2],
            "type": request.path.type,
            "properties": properties,
        }
        for item in properties.get(kind.nested, []):
            _fill_nested(body, kind, item, _named(old.get(kind.nested), item.get("name")))
        if kind.nested == "ipConfigurations":
            self._address(properties[kind.nested], old.get(kind.nested, []))
        return body

    def _address(self, configurations: list[Json], old: list[Json]) -> None:
        """Give a dynamic configuration that was sent without an address the one it had, else the first free one."""
        for index, item in enumerate(configurations):
            inner = item["properties"]
            inner.setdefault("primary", index == 0)
            inner.setdefault("privateIPAddressVersion", "IPv4")
            inner.setdefault("privateIPAllocationMethod", "Dynamic")
            if "privateIPAddress" not in inner and inner["privateIPAddressVersion"] == "IPv4":
                had = (_named(old, item["name"]) or {}).get("properties", {}).get("privateIPAddress")
                inner["privateIPAddress"] = had or self._free_address(inner.get("subnet", {}).get("id", ""))

    def _free_address(self, subnet_id: str) -> str:
        subnet = (self._world.find(subnet_id) or {}).get("properties", {})
        prefix = subnet.get("addressPrefix") or next(iter(subnet.get("addressPrefixes", [])), "10.0.0.0/24")
        nics = self._world.of_kind("microsoft.network/networkinterfaces")
        taken = {c["properties"].get("privateIPAddress") for nic in nics for c in nic["properties"]["ipConfigurations"]}
        hosts = itertools.islice(ipaddress.ip_network(prefix).hosts(), 3, None)  # the first three are Azure's own
        return next(str(host) for host in hosts if str(host) not in taken)

    def _accept(self, request: Request, body: Json, *, created: bool) -> Reply:
        script = self._scripts.get(request.path.key, Operation())
        status = 201 if created else 200
        self._world.put(body)
        if not script.asynchronous:
            set_state(body, script.result)
            return Reply(copy.deepcopy(body), status)
        set_state(body, "Updating")
        running = self._operations.start(
            body["id"], "put", lambda: set_state(body, script.result), result=script.result, error=script.error
        )
        where = location_url(request, body.get("location", "westeurope"), running, kind="operations")
        headers = {"Azure-AsyncOperation": where, "Azure-AsyncNotification": "Enabled", **self._operations.pacing}
        return Reply(copy.deepcopy(body), status, headers)


def references(value: Any) -> Iterator[str]:
    """Ids of other network resources in the writable part of a body; nested resources' own ids are not references."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if "/providers/microsoft.network/" in str(value.get("id", "")).lower() and "etag" not in value:
            yield value["id"]
        for name, item in value.items():
            if name not in ("virtualMachine", "networkInterfaces", "subnets", "defaultSecurityRules"):
                yield from references(item)


def _require_parts(kind: Kind, sent: Json) -> None:
    """What no default can stand for: a location, a NIC's first configuration, a name for each nested resource."""
    if not sent.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    nested = (sent.get("properties") or {}).get(kind.nested) or []
    if not nested and kind.nested not in kind.defaults:
        text = f"Required property '{kind.nested}' not found in JSON. Path 'properties'."
        details = [{"code": "InvalidJson", "message": text}]
        raise ArmError(400, "InvalidRequestFormat", "Cannot parse the request.", details)
    if not all(item.get("name") for item in nested):
        raise ArmError(400, "ResourceNameMissing", f"A resource in properties.{kind.nested} has no name.", [])


def _require_match(tag: str | None, stored: Json | None) -> None:
    """If-Match decides; an etag in the body means nothing."""
    if tag is None or (stored is not None and tag in ("*", stored["etag"])):
        return
    name = stored["id"] if stored else "the resource"
    text = f"Etag provided in If-Match header {tag} does not match etag {stored and stored['etag']} of resource {name}."
    details = [{"code": "PreconditionFailedEtagMismatch", "message": text}]
    raise ArmError(412, "PreconditionFailed", "Precondition failed.", details)


def _named(items: Any, name: Any) -> Json | None:
    return next((item for item in items or [] if item.get("name") == name), None)


def _fill_dns(properties: Json, old: Json) -> None:
    if "dnsSettings" in properties:
        kept = {name: old.get("dnsSettings", {})[name] for name in _DNS_READ_ONLY if name in old.get("dnsSettings", {})}
        sent = {name: value for name, value in properties["dnsSettings"].items() if name not in _DNS_READ_ONLY}
        properties["dnsSettings"] = {"dnsServers": [], "appliedDnsServers": []} | sent | kept


def _fill_nested(body: Json, kind: Kind, item: Json, old: Json | None) -> None:
    """What the server itself says about a nested resource: its id, type, etag, and what is read-only in it."""
    inner = {name: value for name, value in item.get("properties", {}).items() if name not in kind.nested_read_only}
    kept = (old or {}).get("properties", {})
    item["properties"] = inner | {name: kept[name] for name in kind.nested_read_only if name in kept}
    item["id"] = f"{body['id']}/{kind.nested}/{item['name']}"
    item["type"] = f"{body['type']}/{kind.nested}"
    item["etag"] = ""  # set with the state
