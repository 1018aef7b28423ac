"""The page that a command prints on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnostics.errors import PermanentError

if TYPE_CHECKING:
    from diagnostics.cli.page import Page


def new_page() -> Page:
    """A page on standard output; raises PermanentError where rich, which draws it, is not installed."""
    try:
        from diagnostics.cli.page import Page  # noqa: PLC0415 - rich is an extra, and `--json` does without it
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise PermanentError("plain output needs rich: pip install 'vmreach[cli]', or ask for --json") from None
    return Page()
