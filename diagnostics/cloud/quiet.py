"""Signatures stay out of the log: at debug level urllib3 writes every address with its query."""

from __future__ import annotations

import logging
import re

# `sig` of shared access signatures; the others sign the URLs of operations.
_SIGNATURE = re.compile(r"([?&](?:sig|t|c|s|h)=)[^&\s\"']+", re.IGNORECASE)


class _HideSignatures(logging.Filter):
    """Masks signatures; lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_SIGNATURE.sub(r"\1***", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


_FILTER = _HideSignatures()


def hide_signatures() -> None:
    """See to it that no signature is logged from now on; harmless to repeat."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_FILTER)
