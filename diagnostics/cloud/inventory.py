"""What exists: single resources by GET, candidates and names by Resource Graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from diagnostics.cloud import versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors
from diagnostics.errors import ForbiddenError, ParseError, PermanentError
from diagnostics.intake.messages import is_vm_name
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm
from diagnostics.scopes import Scopes

_PAGE = 1_000  # the most that Resource Graph gives at once
_SUBSCRIPTIONS = 300  # "group sizes below 300 are recommended": Guidance for throttled requests in Azure Resource Graph

_FAILED_NICS = (
    "resources | where type =~ 'microsoft.network/networkinterfaces' "
    "| where tostring(properties.provisioningState) =~ 'Failed' | project id | order by id asc"
)
_NAMED = (
    "resources | where type =~ 'microsoft.compute/virtualmachines' "
    "| where name =~ '{name}' | project id | order by id asc"
)
_CONTAINERS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
    "| project id, subscriptionId | order by id asc"
)


@dataclass(frozen=True, slots=True)
class AzureInventory:
    """Reads Azure Resource Manager and Resource Graph."""

    clients: Clients
    scopes: Scopes

    def vm(self, vm: ResourceId) -> Vm:
        """The VM, or scale-set instance, with its power state."""
        return Vm.decode(self._get_compute(vm))

    def nic(self, nic: ResourceId) -> Nic:
        """The network interface."""
        return Nic.decode(self._get(nic))

    def subnet(self, subnet: ResourceId) -> Subnet:
        """The subnet."""
        return Subnet.decode(self._get(subnet))

    def security_group(self, group: ResourceId) -> SecurityGroup:
        """The NSG."""
        return SecurityGroup.decode(self._get(group))

    def route_table(self, table: ResourceId) -> RouteTable:
        """The route table."""
        return RouteTable.decode(self._get(table))

    def named(self, name: str) -> Sequence[ResourceId]:
        """The VMs in scope with this name; of a host name with a domain, the first label counts too."""
        if not is_vm_name(name):  # it becomes part of a query
            raise ParseError(f"{name!r} is not the name of a VM")
        for candidate in dict.fromkeys((name, name.split(".", 1)[0])):
            if found := self._ids(_NAMED.format(name=candidate)):
                return found
        return []

    def failed_nics(self) -> Sequence[ResourceId]:
        """The NICs in scope that Resource Graph has as `Failed`."""
        return self._ids(_FAILED_NICS)

    def subscriptions_below(self, management_groups: Sequence[str]) -> frozenset[str]:
        """The readable subscriptions below these management groups."""
        if not management_groups:
            return frozenset()
        return _subscriptions(self._rows(_CONTAINERS, management_groups=list(management_groups)))

    def unreadable(self) -> Sequence[str]:
        """The subscriptions that the scopes name and this identity can't read at all."""
        named = self.scopes.subscriptions
        seen = frozenset[str]()
        for start in range(0, len(named), _SUBSCRIPTIONS):
            asked = list(named[start : start + _SUBSCRIPTIONS])
            with suppress(ForbiddenError):  # none of these
                seen |= _subscriptions(self._rows(_CONTAINERS, subscriptions=asked))
        return [subscription for subscription in named if subscription not in seen]

    def _ids(self, query: str) -> list[ResourceId]:
        """What the query finds in scope, each once: a subscription may be named and lie below a named group too."""
        found = (ResourceId.parse(row.get("id"), "id of a row of Resource Graph") for row in self._in_scopes(query))
        return [rid for rid in dict.fromkeys(found) if self.scopes.holds(rid) is not False]

    def _in_scopes(self, query: str) -> Iterator[dict[str, Any]]:
        named, groups = self.scopes.subscriptions, self.scopes.management_groups
        for start in range(0, len(named), _SUBSCRIPTIONS):
            yield from self._rows(query, subscriptions=list(named[start : start + _SUBSCRIPTIONS]))
        if groups:
            yield from self._rows(query, management_groups=list(groups))

    def _rows(self, query: str, **where: Any) -> Iterator[dict[str, Any]]:
        """All rows of all pages."""
        from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions  # noqa: PLC0415

        token = None
        while True:
            options = QueryRequestOptions(top=_PAGE, skip_token=token, result_format="objectArray")
            with azure_errors("asking Resource Graph"):
                page = self.clients.graph().resources(QueryRequest(query=query, options=options, **where))
            if not isinstance(page.data, list):
                raise PermanentError(f"Resource Graph answered with {type(page.data).__name__}, not a list")
            yield from page.data
            token = page.skip_token
            if not token:
                return

    def _get(self, resource: ResourceId) -> bytes:
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        request = HttpRequest("GET", resource.text, params={"api-version": versions.NETWORK})
        with azure_errors(f"reading {resource.name}"):
            response = self.clients.network(resource.subscription).send_request(request)
            response.raise_for_status()
            return response.read()

    def _get_compute(self, vm: ResourceId) -> bytes:
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        params = {"api-version": versions.COMPUTE, "$expand": "instanceView"}
        with azure_errors(f"reading {vm.name}"):
            response = self.clients.compute(vm.subscription).send_request(HttpRequest("GET", vm.text, params=params))
            response.raise_for_status()
            return response.read()


def _subscriptions(rows: Iterator[dict[str, Any]]) -> frozenset[str]:
    return frozenset(str(row.get("subscriptionId")).lower() for row in rows)
