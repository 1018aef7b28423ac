"""How storage is reached: by a connection string, or by an identity where none is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from diagnostics.errors import SettingsError
from diagnostics.settings import Storage


@contextmanager
def usable_storage() -> Iterator[None]:
    """Names the setting where the SDK can't make a client of it: no connection string, a token over plain http."""
    try:
        yield
    except ValueError as error:
        raise SettingsError(f"AzureWebJobsStorage: {error}") from error


def storage_credential(storage: Storage) -> Any:
    """The user-assigned identity that the host's own connection names, else whatever DefaultAzureCredential finds."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    return DefaultAzureCredential(managed_identity_client_id=storage.client_id)
