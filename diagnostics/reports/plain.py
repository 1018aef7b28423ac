"""An audit as a table in plain text: what is wrong, the worst first, then of what nothing can be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from diagnostics.checks.audit import ANY, Audit, Unknown
from diagnostics.checks.words import counted
from diagnostics.findings import Severity

HEADINGS = ("severity", "check", "resource", "what is wrong")
_NAMED, _CHECKS = 3, 8


def write(audit: Audit) -> str:
    """The table as text."""
    blocks = [summary(audit)]
    if audit.findings:
        blocks.append("\n".join(_columns([HEADINGS, *(tuple(map(_shown, row)) for row in rows(audit))])))
    if told := [*unknown(audit.unknown)]:
        blocks.append("\n".join(["not known:", *(f"  {_shown(line)}" for line in told)]))
    if audit.suppressed:
        blocks.append("\n".join(["left out:", *(f"  {_shown(line)}" for line in suppressed(audit))]))
    return "\n\n".join(blocks) + "\n"


def summary(audit: Audit) -> str:
    """How much of what, in one line."""
    many = Counter(finding.severity for finding in audit.findings)
    parts = [f"{many[severity]} {severity}" for severity in Severity if many[severity]]
    found = f"{len(audit.findings)} found ({', '.join(parts)})" if parts else "nothing found"
    more = [f"{len(audit.unknown)} not known"] if audit.unknown else []
    more += [f"{len(audit.suppressed)} left out"] if audit.suppressed else []
    return ", ".join([f"{counted(len(audit.checks), 'check')}: {found}", *more])


def rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    """Severity, check, resource and what is wrong, of each finding."""
    for finding in audit.findings:
        yield finding.severity, finding.check, finding.resource.name, finding.title


def unknown(listed: Iterable[Unknown]) -> Iterator[str]:
    """What is not known: a line for what is missing, with the checks that miss it and of which resources."""
    grouped: dict[tuple[str, ...], dict[str, dict[str, None]]] = {}
    for each in listed:
        if each.check == ANY:
            yield f"{each.resource.name}: {'; '.join(each.missing)}"
            continue
        group = grouped.setdefault(each.missing, {"checks": {}, "names": {}})
        group["checks"][each.check] = group["names"][each.resource.name] = None
    for missing, group in grouped.items():
        checks, names = _few([*group["checks"]], _CHECKS), _few([*group["names"]], _NAMED)
        yield f"{', '.join(missing)}: {checks} cannot tell of {names}"


def suppressed(audit: Audit) -> Iterator[str]:
    """What is left out, and why."""
    for each in audit.suppressed:
        finding = each.finding
        yield f"{finding.check} {finding.resource.name}: {each.reason} (until {each.until})"


def _shown(text: str) -> str:
    """On one line, without what a terminal would obey: names come from whoever named things."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _few(texts: Sequence[str], most: int) -> str:
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _columns(lines: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
