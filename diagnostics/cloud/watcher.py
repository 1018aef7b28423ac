"""Network Watcher: finds the one of a region and makes connectivity checks with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from diagnostics.cloud import versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors
from diagnostics.errors import NotFoundError, PermanentError
from diagnostics.network.connectivity import ConnectivityCheck, Probe
from diagnostics.network.ids import ResourceId


@dataclass(frozen=True, slots=True)
class AzureWatcher:
    """Makes checks with azure-mgmt-network.

    Attributes:
        wait_seconds: how long to wait for an answer.
    """

    clients: Clients
    wait_seconds: float
    _found: dict[tuple[str, str], ResourceId] = field(default_factory=dict)

    def check_connectivity(self, probe: Probe) -> ConnectivityCheck:
        """Submit one check and wait for its answer.

        Raises:
            NotFoundError: there is no Network Watcher in the source's region and subscription.
            PermanentError: no answer came in time; another try would only add a second check.
        """
        watcher = self._watcher(probe.source.subscription, probe.location)
        operations = self.clients.network(probe.source.subscription).network_watchers
        with azure_errors(f"connectivity check from {probe.source.name}"):
            poller = operations.begin_check_connectivity(
                watcher.resource_group, watcher.name, _parameters(probe), api_version=versions.NETWORK
            )
            poller.wait(self.wait_seconds)
            if not poller.done():
                raise PermanentError(f"the connectivity check gave no answer within {self.wait_seconds:g} s")
            answer: Any = poller.result()
        return ConnectivityCheck.decode(msgspec.json.encode(answer.as_dict()))

    def _watcher(self, subscription: str, location: str) -> ResourceId:
        """The Network Watcher of a region: name and resource group can be anything, so it is looked for by location."""
        key = subscription, _plain(location)
        if key not in self._found:
            with azure_errors("listing Network Watchers"):
                watchers = self.clients.network(subscription).network_watchers
                listed = list(watchers.list_all(api_version=versions.NETWORK))
            for watcher in listed:
                self._found[subscription, _plain(watcher.location or "")] = ResourceId.parse(watcher.id)
        if key not in self._found:
            raise NotFoundError(
                f"no Network Watcher in region {location or '(unknown)'} of subscription {subscription}"
            )
        return self._found[key]


def _parameters(probe: Probe) -> Any:
    destination: dict[str, Any] = (
        {"resourceId": probe.destination.text}
        if isinstance(probe.destination, ResourceId)
        else {"address": probe.destination}
    )
    if probe.port is not None:
        destination["port"] = probe.port
    return {"source": {"resourceId": probe.source.text}, "destination": destination, "protocol": probe.protocol}


def _plain(location: str) -> str:
    """`West Europe` and `westeurope` are one region."""
    return location.replace(" ", "").lower()
