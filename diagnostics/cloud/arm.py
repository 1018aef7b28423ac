"""GETs of Azure Resource Manager: raw bytes through the SDK client's own pipeline, page after page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors
from diagnostics.errors import PermanentError
from diagnostics.network.decoding import decode


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """A page of a list, and where the next one is; null or left out after the last."""

    next_link: str | None = None


def get(client: Any, url: str, query: Mapping[str, str], doing: str) -> bytes:
    """The body of what a GET answers.

    Args:
        client: an SDK client for the subscription.
        url: the path of a resource, or a whole URL of this Azure Resource Manager.
        query: what stands behind it, not quoted yet.
        doing: in words, for errors.
    """
    from azure.core.rest import HttpRequest  # noqa: PLC0415 - only what runs against Azure pays for it

    params = {name: quote(value, safe="") for name, value in query.items()}  # azure-core does not quote them
    with azure_errors(doing):
        response = client.send_request(HttpRequest("GET", url, params=params))
        response.raise_for_status()
        body: bytes = response.read()
    return body


def pages[P: Page](
    clients: Clients, client: Any, url: str, query: Mapping[str, str], *, kind: type[P], doing: str
) -> Iterator[P]:
    """All pages of a list; a next page anywhere but at Azure Resource Manager is refused: it would get our token."""
    page = decode(get(client, url, query, doing), kind)
    yield page
    while link := page.next_link:
        if not clients.is_arm(link):
            raise PermanentError(f"{doing}: the next page is not at Azure Resource Manager")
        page = decode(get(client, link, {}, doing), kind)
        yield page
