"""The identity that reaches storage, where no connection string is set."""

from __future__ import annotations

from typing import Any

from diagnostics.settings import Storage


def storage_credential(storage: Storage) -> Any:
    """The user-assigned identity that the host's own connection names, else whatever DefaultAzureCredential finds."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    return DefaultAzureCredential(managed_identity_client_id=storage.client_id)
