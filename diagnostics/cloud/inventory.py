"""What exists: single resources by GET, candidates and names by Resource Graph."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from diagnostics.cloud import arm, versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors
from diagnostics.errors import ForbiddenError, ParseError, PermanentError
from diagnostics.intake.messages import is_vm_name
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import Extension
from diagnostics.scopes import Scopes

_PAGE = 1_000  # the most that Resource Graph gives at once
_SUBSCRIPTIONS = 300  # "group sizes below 300 are recommended": Guidance for throttled requests in Azure Resource Graph
_A_DAY = 24 * 60 * 60.0
_REGION = re.compile(r"[a-z0-9]{1,40}")  # it becomes part of a path
_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM})

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
# `limit`: a NIC has up to 256 IP configurations, a load balancer up to 600 frontends, and the default is 128.
_AT_ADDRESS = (
    "resources | where type in~ ('microsoft.network/networkinterfaces', 'microsoft.network/azurefirewalls', "
    "'microsoft.network/loadbalancers') "
    "| extend listed = iff(type =~ 'microsoft.network/loadbalancers', properties.frontendIPConfigurations, "
    "properties.ipConfigurations) "
    "| mv-expand configuration = listed limit 2000 "
    "| where tostring(configuration.properties.privateIPAddress) in~ ({addresses}) "
    "| project id | order by id asc"
)
_HUB_FIREWALLS = (
    "resources | where type =~ 'microsoft.network/azurefirewalls' "
    "| where tostring(properties.hubIPAddresses.privateIPAddress) in~ ({addresses}) | project id | order by id asc"
)


class _ExtensionProperties(msgspec.Struct, frozen=True, rename="camel"):
    publisher: str | None = None
    type: str | None = None
    provisioning_state: str | None = None


class _Extension(msgspec.Struct, frozen=True):
    name: str
    properties: _ExtensionProperties = _ExtensionProperties()


class _Extensions(arm.Page, frozen=True, kw_only=True):
    value: tuple[_Extension, ...]


class _Tags(arm.Page, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Azure's list of service tags; what is in it passes through."""

    values: list[msgspec.Raw]
    change_number: str | int | None = None
    cloud: str | None = None


@dataclass(frozen=True, slots=True)
class AzureInventory:
    """Reads Azure Resource Manager and Resource Graph."""

    clients: Clients
    scopes: Scopes
    _tags: dict[tuple[str, str], tuple[float, bytes]] = field(default_factory=dict, repr=False)

    def body(self, resource: ResourceId) -> bytes:
        """The resource as Azure shows it now; a VM, or scale-set instance, with its instance view."""
        compute = resource.type.startswith("microsoft.compute/")
        client = (self.clients.compute if compute else self.clients.network)(resource.subscription)
        query = {"api-version": versions.COMPUTE if compute else versions.NETWORK}
        if resource.type in _MACHINES:
            query["$expand"] = "instanceView"
        elif resource.type == ids.SCALE_SET_NETWORK_INTERFACE:
            query["api-version"] = versions.SCALE_SET_NETWORK
        return arm.get(client, resource.text, query, f"reading {resource.name}")

    def extensions(self, vm: ResourceId) -> Sequence[Extension]:
        """The extensions of a VM or scale-set instance, read now."""
        client, query = self.clients.compute(vm.subscription), {"api-version": versions.COMPUTE}
        doing = f"reading the extensions of {vm.name}"
        pages = arm.pages(self.clients, client, f"{vm}/extensions", query, kind=_Extensions, doing=doing)
        return tuple(_extension(read) for page in pages for read in page.value)

    def service_tags(self, subscription: str, location: str) -> bytes:
        """Azure's list of service tags, some megabytes; Azure changes it once a week, so one of today will do."""
        region = ids.region(location)
        if not _REGION.fullmatch(region):
            raise ParseError(f"{location!r} is not a region")
        kept = self._tags.get((subscription, region))
        if kept is None or time.monotonic() - kept[0] > _A_DAY:
            kept = self._tags[subscription, region] = time.monotonic(), self._listed_tags(subscription, region)
        return kept[1]

    def named(self, name: str) -> Sequence[ResourceId]:
        """The VMs in scope with this name; of a host name with a domain, the first label counts too."""
        if not is_vm_name(name):  # it becomes part of a query
            raise ParseError(f"{name!r} is not the name of a VM")
        for candidate in dict.fromkeys((name, name.split(".", 1)[0])):
            if found := self._ids(_NAMED.format(name=candidate)):
                return found
        return []

    def at_address(self, address: str) -> Sequence[ResourceId]:
        """The NICs, load balancers and firewalls in scope that Resource Graph has at a private address."""
        spellings = ", ".join(f"'{spelling}'" for spelling in _spellings(address))
        queries = (query.format(addresses=spellings) for query in (_AT_ADDRESS, _HUB_FIREWALLS))
        return list(dict.fromkeys(rid for query in queries for rid in self._ids(query)))

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

    def _listed_tags(self, subscription: str, region: str) -> bytes:
        client, query = self.clients.network(subscription), {"api-version": versions.NETWORK}
        path = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{region}/serviceTags"
        doing = f"listing service tags of {region}"
        pages = list(arm.pages(self.clients, client, path, query, kind=_Tags, doing=doing))
        values = [value for page in pages for value in page.values]
        return msgspec.json.encode(msgspec.structs.replace(pages[0], values=values, next_link=None))

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


def _extension(read: _Extension) -> Extension:
    told = read.properties
    return Extension(read.name, told.publisher or "", told.type or "", told.provisioning_state or "")


def _spellings(address: str) -> tuple[str, ...]:
    """An address as it may be written; it becomes part of a query."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        raise ParseError(f"{address!r} is not an IP address") from None
    if isinstance(read, ipaddress.IPv6Address) and read.scope_id is not None:  # any text may follow the %
        raise ParseError(f"{address!r} is an address of one machine's own interface")
    return tuple(dict.fromkeys((read.compressed, read.exploded)))


def _subscriptions(rows: Iterator[dict[str, Any]]) -> frozenset[str]:
    return frozenset(str(row.get("subscriptionId")).lower() for row in rows)
