"""An audit as people and other tools read it: a table, JSON, SARIF 2.1 and CSV. Pure: texts in, texts out."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from diagnostics.checks.audit import Audit
from diagnostics.reports import plain, sarif, sheet, whole


class Form(StrEnum):
    """The forms of a report."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    CSV = "csv"


WRITERS: Mapping[Form, Callable[[Audit], str]] = {
    Form.TABLE: plain.write,
    Form.JSON: whole.write,
    Form.SARIF: sarif.write,
    Form.CSV: sheet.write,
}
"""What writes each form."""

MEDIA_TYPES: Mapping[Form, str] = {
    Form.TABLE: "text/plain; charset=utf-8",
    Form.JSON: "application/json",
    Form.SARIF: "application/sarif+json",
    Form.CSV: "text/csv; charset=utf-8",
}
