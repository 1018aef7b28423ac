"""Bytes of a file into JSON values, however the file was written."""

from __future__ import annotations

import codecs

import msgspec

from diagnostics.errors import ParseError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # PowerShell's `>` writes this
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def values(body: bytes, where: str) -> list[object]:
    """The JSON values of a file: one, or one per line; none for an empty file.

    Raises:
        ParseError: it is no JSON.
    """
    plain = _utf8(body, where).strip()
    if not plain:
        return []
    try:
        return [msgspec.json.decode(plain)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if lines := _lines(plain):
            return lines
        raise ParseError(f"{where}: not readable as JSON: {error}") from None


def _utf8(body: bytes, where: str) -> bytes:
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            try:
                return body[len(mark) :].decode(encoding).encode()
            except UnicodeDecodeError as error:
                raise ParseError(f"{where}: not readable as {encoding}: {error.reason}") from None
    return body


def _lines(body: bytes) -> list[object]:
    """JSON lines, or nothing if any of the lines is no JSON."""
    try:
        return [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
