"""Where to read on, and where in the portal it is done."""

from __future__ import annotations

from functools import lru_cache

from diagnostics.network.ids import ResourceId, page_of

LEARN = "https://learn.microsoft.com"


def blade(resource: ResourceId | None, menu: str) -> str:
    """A page of a resource in the portal, without the portal's host: which one that is, is known where it is published.

    Empty where the resource is not known.
    """
    return _page(resource.text, menu) if resource else ""


@lru_cache(maxsize=1 << 13)  # an NSG has dozens of findings
def _page(resource: str, menu: str) -> str:
    return f"{page_of(resource)}/{menu}"
