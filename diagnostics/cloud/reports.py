"""Reports of audits: blobs in a container of the storage account."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from diagnostics.cloud.closing import close_with
from diagnostics.cloud.credentials import storage_credential, usable_storage
from diagnostics.cloud.errors import azure_errors
from diagnostics.cloud.quiet import hide_signatures
from diagnostics.settings import Storage

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

# By default the SDK waits 15 seconds before its first retry, and minutes for an answer.
_PATIENCE = {"retry_total": 2, "initial_backoff": 1, "increment_base": 1, "random_jitter_range": 0}
_TIMEOUTS = {"connection_timeout": 2, "read_timeout": 30}


class BlobReports:
    """Writes reports to one container; makes it when it is not there yet."""

    def __init__(self, storage: Storage, container: str) -> None:
        self._storage, self._container = storage, container
        self._clients: dict[str, ContainerClient] = {}
        close_with(self, self._clients)
        self._lock = Lock()

    def save(self, name: str, text: str, media_type: str) -> None:
        """Write a blob, over one that has the name already."""
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError  # noqa: PLC0415
        from azure.storage.blob import ContentSettings  # noqa: PLC0415

        body, settings = text.encode(), ContentSettings(content_type=media_type)
        with azure_errors(f"writing {name} to container {self._container}"):
            client = self._client()
            write = partial(client.upload_blob, name, body, overwrite=True, content_settings=settings)
            try:
                write()
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another instance made it just now
                    client.create_container()
                write()

    def _client(self) -> ContainerClient:
        with self._lock:
            if self._container not in self._clients:
                self._clients[self._container] = self._made()
            return self._clients[self._container]

    def _made(self) -> ContainerClient:
        from azure.storage.blob import ContainerClient  # noqa: PLC0415

        hide_signatures()
        options: dict[str, Any] = {**_PATIENCE, **_TIMEOUTS}
        storage, container = self._storage, self._container
        with usable_storage():
            if storage.blob_uri:
                return ContainerClient(storage.blob_uri, container, credential=storage_credential(storage), **options)
            return ContainerClient.from_connection_string(storage.connection_string, container, **options)
