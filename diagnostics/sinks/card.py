"""A finding as an Adaptive Card for Microsoft Teams: pure, small enough to be posted, and nothing in it can be markup.

Text that comes from a finding stands in TextRuns only, because Teams reads Markdown in a TextBlock and in a FactSet,
and a TextRun shows what it is given. Escaping with backslashes is no way out: the mobile clients show the backslashes
(Microsoft AdaptiveCards issue 5590), and nobody could copy a command that holds them. TextBlocks hold this module's
own words.

Sources: Adaptive Cards, "TextRun" ("Markdown is not supported"); Microsoft Teams, "Format cards in Microsoft Teams".
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diagnostics.findings import Confidence, Outcome, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnostics.findings import Cause, Change, Finding, Resource, Step

LIMIT = 25_000
"""Bytes of a message, everything outside ASCII written as an escape, the longest form that JSON has.

Source: Microsoft Teams, "Create Incoming Webhooks": a message has at most 28 KB.
"""

type Element = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of a finding is shown: characters of a text, how many of what, characters of a command or of Bicep."""

    text: int
    causes: int
    steps: int
    facts: int
    az_cli: int
    bicep: int


_ROOMS = (
    _Room(600, causes=8, steps=12, facts=12, az_cli=4000, bicep=6000),
    _Room(400, causes=8, steps=12, facts=5, az_cli=4000, bicep=4000),
    _Room(300, causes=6, steps=10, facts=0, az_cli=4000, bicep=3000),
    _Room(250, causes=5, steps=8, facts=0, az_cli=4000, bicep=0),
    _Room(150, causes=4, steps=6, facts=0, az_cli=2000, bicep=0),
    _Room(80, causes=3, steps=4, facts=0, az_cli=1000, bicep=0),
    _Room(40, causes=2, steps=3, facts=0, az_cli=0, bicep=0),
)
"""Tried in this order. Evidence goes first, then Bicep, then steps and causes; title, resource, remedy never."""

_LONGEST_URL = 1_200
_BRACES = re.compile(r"(?<=\{)(?=\{)")
_LINE = 40
"""Characters that a line of code takes besides its own."""

_FILLERS = frozenset("\u034f\u115f\u1160\u3164\uffa0")
"""Characters without a shape that Unicode counts as letters and marks."""

_TITLES = {
    Status.OPEN: "",
    Status.RESOLVED: "Resolved: ",
    Status.REMEDIATED: "Remediated: ",
    Status.REMEDIATION_FAILED: "Remediation failed: ",
}
_STANDINGS = {
    Status.OPEN: "Open",
    Status.RESOLVED: "The fault is gone. Nothing is left to do.",
    Status.REMEDIATED: "vmreach repaired it. Nothing is left to do.",
    Status.REMEDIATION_FAILED: "vmreach could not repair it. Somebody has to act.",
}
_LEVELS = {
    Severity.CRITICAL: "attention",
    Severity.HIGH: "attention",
    Severity.MEDIUM: "warning",
    Severity.LOW: "accent",
    Severity.INFO: "accent",
}
_STYLES = {Status.RESOLVED: "good", Status.REMEDIATED: "good", Status.REMEDIATION_FAILED: "attention"}
_HOW_SURE = {
    Confidence.PROVEN: "Proven: read from Azure itself",
    Confidence.LIKELY: "Likely: explains all that was seen",
    Confidence.POSSIBLE: "Possible: fits what was seen, not proven",
}
_OUTCOMES = {
    Outcome.FAILED: "Attention",
    Outcome.INCONCLUSIVE: "Warning",
    Outcome.PASSED: "Good",
    Outcome.SKIPPED: "Default",
}
"""The colour of an outcome; in the order in which steps are worth a place on the card."""

_TYPES = {
    "microsoft.compute/virtualmachines": "virtual machine",
    "microsoft.network/azurefirewalls": "firewall",
    "microsoft.network/networkinterfaces": "network interface",
    "microsoft.network/networksecuritygroups": "network security group",
    "microsoft.network/publicipaddresses": "public IP address",
    "microsoft.network/routetables": "route table",
    "microsoft.network/virtualnetworks": "virtual network",
    "microsoft.network/virtualnetworks/subnets": "subnet",
}


def message(finding: Finding) -> dict[str, Any]:
    """What a Teams workflow takes: the card in an envelope, at most `LIMIT` bytes of JSON whatever the finding holds.

    Source: Microsoft Teams, "Create incoming webhooks with Workflows for Microsoft Teams".
    """
    return _envelope(card(finding))


def card(finding: Finding) -> dict[str, Any]:
    """The finding as an Adaptive Card 1.4, with as much detail as a message has room for; what is left out is counted.

    Made of what Teams shows from a webhook on the desktop and on phones: no Action.Submit, no Action.Execute.
    """
    for room in _ROOMS[:-1]:
        drawn = _card(finding, room)
        if len(json.dumps(_envelope(drawn))) <= LIMIT:
            return drawn
    return _card(finding, _ROOMS[-1])


def _envelope(content: Element) -> dict[str, Any]:
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def _card(finding: Finding, room: _Room) -> Element:
    body = [
        _header(finding, room),
        *_facts(finding, room),
        _because(finding, room),
        *_remedy(finding, room),
        *_steps(finding.steps, room),
        _small_print(finding, room),
    ]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": f"vmreach: {finding.severity} finding, {finding.status}. This client cannot show its card.",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": _actions(finding, room),
    }


def _header(finding: Finding, room: _Room) -> Element:
    """How bad, whether it still is, and what: in the colour that fits."""
    style = _STYLES.get(finding.status, _LEVELS[finding.severity])
    ended = finding.status in {Status.RESOLVED, Status.REMEDIATED}
    severity = f"Was {finding.severity}" if ended else finding.severity.upper()
    standing, prefix = _STANDINGS[finding.status], _TITLES[finding.status]
    if ended and finding.severity is Severity.INFO:  # an answer, not a fault that has gone
        severity, standing, prefix = "INFO", "Nothing is left to do.", ""
    line = [
        _column([_own(severity, weight="Bolder")], width="auto"),
        _column([_own(standing, isSubtle=True)]),
    ]
    title = _run(prefix + (finding.title or finding.check), min(room.text, 200), weight="Bolder", size="Large")
    return _container([{"type": "ColumnSet", "columns": line}, _rich(title, spacing="Small")], style=style, bleed=True)


def _facts(finding: Finding, room: _Room) -> list[Element]:
    """Which resource, and since when."""
    resource, first = finding.resource, _utc(finding.first_seen_at)
    observed = f"{', observed' if first else 'observed'} {_utc(finding.observed_at)}" if finding.observed_at else ""
    facts = (
        ("Resource", _resource(resource, room)),
        ("Resource group", [_run(resource.resource_group, room.text)]),
        ("Subscription", [_run(resource.subscription_id, room.text)]),
        ("Location", [_run(resource.location, room.text)]),
        ("Seen", [_run((f"first {first}" if first else "") + observed, 80)]),
    )
    lines = [_fact(label, runs) for label, runs in facts if any(run["text"] for run in runs)]
    return [_container(lines)] if lines else []


def _fact(label: str, runs: list[Element]) -> Element:
    """One line of two aligned columns: a FactSet would read Markdown in the value."""
    columns = [_column([_own(label, isSubtle=True)], width="110px"), _column([_rich(*runs)])]
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def _resource(resource: Resource, room: _Room) -> list[Element]:
    kind = _TYPES.get(resource.type.lower(), resource.type)
    name = _run(resource.name or resource.id, room.text, weight="Bolder")
    return [name, _run(f", {kind}", room.text, isSubtle=True)] if kind else [name]


def _change(change: Change, room: _Room) -> list[Element]:
    what = _run("/".join(change.operation.rsplit("/", 2)[-2:]), room.text, isSubtle=True)
    return [_run(f"{_utc(change.when)} by {_clean(change.who, room.text)}: ", room.text + 40), what]


def _because(finding: Finding, room: _Room) -> Element:
    """Why: each cause in words, and below it the rule or route by name; how sure; who changed something last."""
    causes, change = finding.because, finding.change
    items = [element for cause in causes[: room.causes] for element in _cause(cause, room)]
    items += _more(len(causes) - room.causes, "cause")
    items.append(_fact("How sure", [_run(_HOW_SURE[finding.confidence], 80)]))
    return _section("Why", items + ([_fact("Last change", _change(change, room))] if change else []))


def _cause(cause: Cause, room: _Room) -> list[Element]:
    within = cause.resource_id.rsplit("/", 1)[-1]
    name = cause.name or within
    words = [_rich(_run(cause.text, room.text), spacing="Small")]
    if not name:
        return words
    runs = [
        _run(cause.kind.replace("-", " ").capitalize() + " ", room.text, size="Small", isSubtle=True),
        _run(name, room.text, size="Small", fontType="Monospace"),
    ]
    if within and within.lower() != name.lower():
        runs += [
            _run(" in ", room.text, size="Small", isSubtle=True),
            _run(within, room.text, size="Small", fontType="Monospace"),
        ]
    return [*words, _rich(*runs)]


def _remedy(finding: Finding, room: _Room) -> list[Element]:
    ended = finding.status in {Status.RESOLVED, Status.REMEDIATED}
    summary = _run(finding.remedy.summary, room.text)
    return [_section("Remedy" if ended else "What to do", [_rich(summary, spacing="Small")])] if summary["text"] else []


def _steps(steps: Sequence[Step], room: _Room) -> list[Element]:
    """The runbook's steps, and how those ended that found no room."""
    if not steps:
        return []
    shown = _worth_showing(steps, room.steps)
    counts = Counter(step.outcome for step in steps) - Counter(step.outcome for step in shown)
    told = ": " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES if counts[outcome])
    return [_section("Steps", [_step(step, room) for step in shown] + _more(counts.total(), "step", told))]


def _worth_showing(steps: Sequence[Step], room: int) -> list[Step]:
    """At most so many steps in the order in which they ran; those that failed or proved nothing come before others."""
    order = list(_OUTCOMES)
    ranked = sorted(range(len(steps)), key=lambda i: order.index(steps[i].outcome))
    return [steps[i] for i in sorted(ranked[:room])]


def _step(step: Step, room: _Room) -> Element:
    skipped = step.outcome is Outcome.SKIPPED
    outcome = _own(step.outcome.capitalize(), weight="Bolder", color=_OUTCOMES[step.outcome], isSubtle=skipped)
    name = _rich(_run(step.name, room.text))
    summary = _rich(_run(step.summary, room.text, size="Small", isSubtle=True))
    said = [name, summary] if step.summary else [name]
    return {"type": "ColumnSet", "spacing": "Small", "columns": [_column([outcome], width="110px"), _column(said)]}


def _small_print(finding: Finding, room: _Room) -> Element:
    parts = (("Check", finding.check), ("finding", finding.finding_id), ("request", finding.request_id))
    text = ", ".join(f"{label} {_clean(value, room.text)}" for label, value in parts if value)
    return _rich(_run(text, 3 * room.text + 40, size="Small", isSubtle=True), spacing="Medium")


def _actions(finding: Finding, room: _Room) -> list[Element]:
    """What can be opened: pages, and what is too long for the card. Teams shows up to six actions."""
    remedy, portal = finding.remedy, finding.resource.portal_url
    fix = remedy.portal_url if remedy.portal_url != portal else ""
    actions = (
        _open("Portal", portal),
        _open("Fix in portal", fix),
        _show("az command", _code(remedy.az_cli, room.az_cli)),
        _show("Bicep", _code(remedy.bicep, room.bicep)),
        _show("Evidence", _evidence(finding.steps, room)),
        _open("Docs", remedy.doc_url),
    )
    return [action for action in actions if action]


def _open(title: str, url: str) -> Element | None:
    return {"type": "Action.OpenUrl", "title": title, "url": url} if _opens(url) else None


def _show(title: str, body: list[Element]) -> Element | None:
    return {"type": "Action.ShowCard", "title": title, "card": {"type": "AdaptiveCard", "body": body}} if body else None


def _opens(url: str) -> bool:
    """Whether a button may open this address: https, plain ASCII, nobody's name before the host."""
    if len(url) > _LONGEST_URL or not re.fullmatch(r"https://[!-~]+", url) or re.search(r'[\\"<>^`{|}]', url):
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


def _code(text: str, room: int) -> list[Element]:
    """Lines to copy, as they are. Nothing is ever cut out of a command: it is shown whole, or said to be missing."""
    if not text.strip():
        return []
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    if len(text) + _LINE * len(lines) > room:
        return [_own(f"Not shown: {len(text)} characters are too many for a card.")]
    if any(_hidden(character) for line in lines for character in line if character != "\t"):
        return [_own("Not shown: it holds characters that cannot be seen.")]
    return [_rich(*_literal(line or " ", fontType="Monospace", size="Small")) for line in lines]


def _evidence(steps: Sequence[Step], room: _Room) -> list[Element]:
    """What the steps saw, for who wants to know more."""
    items: list[Element] = []
    for step in _worth_showing(steps, room.steps) if room.facts else ():
        facts = [*step.evidence, *(f"{hop.type} {hop.address} {', '.join(hop.issues)}" for hop in step.hops)]
        if facts:
            items.append(_rich(_run(step.name, room.text, size="Small", weight="Bolder"), spacing="Small"))
            shown = [_run(fact, room.text, size="Small", fontType="Monospace") for fact in facts[: room.facts]]
            items += [_rich(run) for run in shown] + _more(len(facts) - room.facts, "fact")
    left_out = 0 if room.facts else sum(len(step.evidence) + len(step.hops) for step in steps)
    return items + _more(left_out, "fact")


def _more(count: int, noun: str, told: str = "") -> list[Element]:
    """The line that says how much was left out; none where nothing was."""
    text = f"… {count} more {noun}{'s' if count > 1 else ''}{told}"
    return [_own(text, size="Small", isSubtle=True, spacing="Small")] if count > 0 else []


def _section(heading: str, items: list[Element]) -> Element:
    return _container([_own(heading, weight="Bolder"), *items], separator=True, spacing="Medium")


def _container(items: list[Element], **properties: object) -> Element:
    return {"type": "Container", "items": items, **properties}


def _column(items: list[Element], width: str = "stretch") -> Element:
    return {"type": "Column", "width": width, "items": items}


def _own(text: str, **properties: object) -> Element:
    """A TextBlock: only for this module's own words, since Teams reads Markdown in it."""
    return {"type": "TextBlock", "text": text, "wrap": True, **properties}


def _rich(*runs: Element, spacing: str = "None") -> Element:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}


def _run(text: str, longest: int, **properties: object) -> Element:
    return {"type": "TextRun", "text": _clean(text, longest), **properties}


def _literal(text: str, **properties: object) -> list[Element]:
    """Runs that show a text as it is: `{{DATE(…)}}`, the one thing that a renderer would replace, is taken apart."""
    return [{"type": "TextRun", "text": part, **properties} for part in _BRACES.split(text)]


def _clean(text: str, longest: int) -> str:
    """One line of at most so many characters, without what cannot be seen or turns the direction of writing.

    `{{` is set apart: Adaptive Cards replace `{{DATE(…)}}` in every text ("Text features in Adaptive Cards").
    """
    start = text[: 4 * longest]
    seen = "".join(" " if character.isspace() else "" if _hidden(character) else character for character in start)
    edge = " " if seen[:1] == " " else ""
    line = edge + " ".join(seen.split()) + (" " if seen[-1:] == " " else "")
    line = _BRACES.sub(" ", line)
    return line if len(line) <= longest and len(start) == len(text) else line[: longest - 1] + "…"


def _hidden(character: str) -> bool:
    """Control and format characters (bidirectional overrides, zero-width ones, tags), surrogates, fillers."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in _FILLERS


def _utc(when: datetime | None) -> str:
    if when is None:
        return ""
    try:
        known = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:  # the first and the last day that there is, in another time zone
        known = when.replace(tzinfo=UTC)
    return f"{known:%Y-%m-%d %H:%M} UTC"
