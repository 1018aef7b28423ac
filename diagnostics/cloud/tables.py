"""Azure Tables, with the few operations that the store needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from diagnostics.cloud.closing import close_with
from diagnostics.cloud.credentials import storage_credential, usable_storage
from diagnostics.cloud.errors import azure_errors
from diagnostics.cloud.quiet import hide_signatures
from diagnostics.errors import ChangedError, TemporaryError
from diagnostics.settings import Storage

if TYPE_CHECKING:
    from azure.data.tables import TableClient

type Entity = Mapping[str, Any]

# By default the SDK tries ten times, for minutes.
_PATIENCE: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.5, "connection_timeout": 2, "read_timeout": 10}


class Tables:
    """Reads and writes entities; makes a table when it is first used. An entity read carries its `version`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._clients: dict[str, TableClient] = {}
        close_with(self, self._clients)
        self._lock = Lock()

    def get(self, table: str, partition: str, row: str) -> Entity | None:
        """One entity, or None."""
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

        with azure_errors(f"reading table {table}"):
            try:
                entity = self._client(table).get_entity(partition, row)
            except ResourceNotFoundError:
                return None
        return _versioned(entity)

    def query(self, table: str, where: str, parameters: Mapping[str, Any]) -> Iterator[Entity]:
        """All entities for which the filter holds."""
        with azure_errors(f"reading table {table}"):
            for entity in self._client(table).query_entities(where, parameters=dict(parameters)):
                yield _versioned(entity)

    def insert(self, table: str, entity: Entity) -> bool:
        """Add an entity; False when there is one with its keys."""
        try:
            self.write(table, entity, version="")
        except ChangedError:
            return False
        return True

    def replace(self, table: str, entity: Entity, *, version: str) -> None:
        """Replace an entity of this version; raises ChangedError when it is another by now."""
        self.write(table, entity, version=version)

    def write(self, table: str, entity: Entity, *, version: str) -> str:
        """Add an entity (no version) or replace the one of this version.

        Returns:
            The new version.

        Raises:
            ChangedError: there is one already, or it is of another version by now.
        """
        from azure.core import MatchConditions  # noqa: PLC0415
        from azure.core.exceptions import (  # noqa: PLC0415
            ResourceExistsError,
            ResourceModifiedError,
            ResourceNotFoundError,
        )
        from azure.data.tables import UpdateMode  # noqa: PLC0415

        fields = _without_version(entity)
        with azure_errors(f"writing table {table}"):
            client = self._client(table)
            try:
                if not version:
                    written = self._adding(table, client.create_entity, fields)
                else:
                    written = client.update_entity(
                        fields, UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
                    )
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
                raise ChangedError(f"table {table}: the entity was changed by somebody else") from error
        return str(written["etag"])

    def upsert(self, table: str, entity: Entity) -> None:
        """Write an entity whatever is there."""
        from azure.data.tables import UpdateMode  # noqa: PLC0415

        with azure_errors(f"writing table {table}"):
            upsert = partial(self._client(table).upsert_entity, mode=UpdateMode.REPLACE)
            self._adding(table, upsert, _without_version(entity))

    def delete(self, table: str, entity: Entity, *, whatever: bool = False) -> None:
        """Delete an entity as it was read, or whatever it is by now; what is gone already is gone.

        Raises:
            ChangedError: it is of another version by now.
        """
        from azure.core import MatchConditions  # noqa: PLC0415
        from azure.core.exceptions import ResourceModifiedError  # noqa: PLC0415

        only = {} if whatever else {"etag": entity["version"], "match_condition": MatchConditions.IfNotModified}
        with azure_errors(f"deleting from table {table}"):
            try:
                self._client(table).delete_entity(entity["PartitionKey"], entity["RowKey"], **only)
            except ResourceModifiedError as error:
                raise ChangedError(f"table {table}: the entity was changed by somebody else") from error

    def _adding[T](self, table: str, add: Callable[[dict[str, Any]], T], fields: dict[str, Any]) -> T:
        """Add an entity. That there is nothing to add it to means that the table was deleted: it is made again."""
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

        try:
            return add(fields)
        except ResourceNotFoundError as error:
            with self._lock:
                self._clients.pop(table, None)
            raise TemporaryError(f"table {table} is not there any more") from error

    def _client(self, table: str) -> TableClient:
        with self._lock:
            if table not in self._clients:
                client = self._made(table)
                _ignoring_existing(client.create_table)
                self._clients[table] = client
            return self._clients[table]

    def _made(self, table: str) -> TableClient:
        from azure.data.tables import TableClient  # noqa: PLC0415

        hide_signatures()
        storage = self._storage
        with usable_storage():
            if storage.table_uri:
                return TableClient(storage.table_uri, table, credential=storage_credential(storage), **_PATIENCE)
            return TableClient.from_connection_string(storage.connection_string, table, **_PATIENCE)


def _ignoring_existing(create: Callable[[], object]) -> None:
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415

    try:
        create()
    except ResourceExistsError:
        return


def _versioned(entity: Any) -> Entity:
    return {**entity, "version": entity.metadata["etag"]}


def _without_version(entity: Entity) -> dict[str, Any]:
    return {key: value for key, value in entity.items() if key != "version"}
