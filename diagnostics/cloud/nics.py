"""Network interfaces read and written whole: raw JSON in, the same JSON out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.cloud import arm, versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors
from diagnostics.contracts import NicDocument
from diagnostics.errors import OperationFailedError, ParseError, TemporaryError
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId

_BUSY = frozenset({"updating", "creating", "deleting", "migrating"})


@dataclass(frozen=True, slots=True)
class AzureNics:
    """Reads and writes with azure-mgmt-network at the newest api-version.

    Attributes:
        poll_seconds: between two looks at a NIC that is being written.
        wait_seconds: how long to wait for an operation to end.
    """

    clients: Clients
    poll_seconds: float
    wait_seconds: float

    def get(self, nic: ResourceId) -> NicDocument:
        """The interface as JSON, every property kept."""
        query = {"api-version": versions.NETWORK}
        body = arm.get(self.clients.network(nic.subscription), nic.text, query, f"reading {nic.name}")
        document = decode(body, dict[str, Any])
        if not isinstance(document.get("properties"), dict):
            raise ParseError(f"{nic.name}: $.properties: expected an object")
        return NicDocument(document)

    def settled(self, nic: ResourceId) -> NicDocument:
        """The interface once no operation runs on it any more.

        Raises:
            TemporaryError: one still runs after `wait_seconds`.
        """
        until = time.monotonic() + self.wait_seconds
        while True:
            document = self.get(nic)
            if document.provisioning_state.lower() not in _BUSY:
                return document
            if time.monotonic() >= until:
                raise TemporaryError(f"{nic.name} is {document.provisioning_state} since {self.wait_seconds:g} s")
            time.sleep(self.poll_seconds)

    def put(self, nic: ResourceId, body: Mapping[str, Any], *, etag: str) -> None:
        """PUT the interface under `If-Match` and follow the operation to its end.

        Raises:
            ChangedError: it is not the version of `etag` any more.
            OperationFailedError: Azure failed the operation.
            TemporaryError: it has not ended within `wait_seconds`; it goes on.
        """
        operations = self.clients.network(nic.subscription).network_interfaces
        parameters: Any = dict(body)  # a plain dict goes out as it is; a model would be filtered by what the SDK knows
        headers = {"If-Match": etag} if etag else {}
        with azure_errors(f"putting {nic.name} back"):
            poller = operations.begin_create_or_update(
                nic.resource_group, nic.name, parameters, headers=headers, api_version=versions.NETWORK
            )
            poller.wait(self.wait_seconds)
            if not poller.done():
                raise TemporaryError(f"the PUT of {nic.name} has not ended within {self.wait_seconds:g} s")
            status = str(poller.status())
            poller.result()
        if status.lower() in {"failed", "canceled"}:
            raise OperationFailedError(f"the PUT of {nic.name} ended as {status}", code=status)
