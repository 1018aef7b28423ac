"""Where to read on, and where in the portal it is done."""

from __future__ import annotations

from diagnostics.network.ids import ResourceId

LEARN = "https://learn.microsoft.com"


def blade(resource: ResourceId | None, menu: str) -> str:
    """A page of a resource in the portal, without the portal's host: which one that is, is known where it is published.

    Empty where the resource is not known.
    """
    return f"{resource.portal_url('')}/{menu}" if resource else ""
