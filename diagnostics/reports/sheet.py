"""An audit as CSV: a row for each finding, and one for each resource of which a check could not tell.

Cells that a spreadsheet would take for a formula get an apostrophe before them: names come from whoever named things.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from diagnostics.checks.audit import Audit
from diagnostics.findings import Finding, Resource

HEADINGS = (
    *("status", "check", "severity", "confidence", "title", "resource", "type", "resourceGroup", "subscriptionId"),
    *("location", "because", "remedy", "azCli", "docUrl", "findingId", "resourceId"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - Excel takes the wide ones, too


def write(audit: Audit) -> str:
    """The rows as text, with lines that end as RFC 4180 says."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(HEADINGS)
    rows.writerows([_cell(cell) for cell in row] for row in _rows(audit))
    return text.getvalue()


def _rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    yield from (_row("open", finding) for finding in audit.findings)
    for each in audit.unknown:
        missing = f"not known: {'; '.join(each.missing)}"
        yield (
            "unknown",
            each.check,
            "",
            "",
            each.title,
            *_where(each.resource),
            missing,
            "",
            "",
            "",
            "",
            each.resource.id,
        )
    yield from (_row(f"suppressed until {each.until}: {each.reason}", each.finding) for each in audit.suppressed)


def _row(status: str, finding: Finding) -> tuple[str, ...]:
    because = "; ".join(cause.text for cause in finding.because)
    remedy = finding.remedy
    return (
        *(status, finding.check, finding.severity, finding.confidence, finding.title),
        *_where(finding.resource),
        *(because, remedy.summary, remedy.az_cli, remedy.doc_url, finding.finding_id, finding.resource.id),
    )


def _where(resource: Resource) -> tuple[str, ...]:
    return resource.name, resource.type, resource.resource_group, resource.subscription_id, resource.location


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
