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
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diagnostics.findings import Severity, Status
from diagnostics.sinks import steps, words
from diagnostics.sinks.elements import (
    Element,
    Room,
    clean,
    column,
    container,
    fact,
    hidden,
    literal,
    more,
    own,
    prose,
    rich,
    run,
    section,
)

if TYPE_CHECKING:
    from diagnostics.findings import Cause, Change, Finding, Resource

LIMIT = 25_000
"""Bytes of a message, everything outside ASCII written as an escape, the longest form that JSON has.

Source: Microsoft Teams, "Create Incoming Webhooks": a message has at most 28 KB.
"""

_ROOMS = (
    Room(600, causes=8, steps=12, facts=12, az_cli=4000, bicep=6000),
    Room(400, causes=8, steps=12, facts=5, az_cli=4000, bicep=4000),
    Room(300, causes=6, steps=10, facts=0, az_cli=4000, bicep=3000),
    Room(250, causes=5, steps=8, facts=0, az_cli=4000, bicep=0),
    Room(150, causes=4, steps=6, facts=0, az_cli=2000, bicep=0),
    Room(80, causes=3, steps=4, facts=0, az_cli=1000, bicep=0),
    Room(40, causes=2, steps=3, facts=0, az_cli=0, bicep=0),
)
"""Tried in this order. Evidence goes first, then Bicep, then steps and causes; title, resource, remedy never."""

_PROBE = "probe"
"""The kind of cause that only repeats that it fails: it stands below those that say what decides."""

_LONGEST_URL = 1_200
_LINE = 40
"""Characters that a line of code takes besides its own."""

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


def _card(finding: Finding, room: Room) -> Element:
    body = [
        _header(finding, room),
        *_facts(finding, room),
        _because(finding, room),
        *_remedy(finding, room),
        *steps.told(finding.steps, room),
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


def _header(finding: Finding, room: Room) -> Element:
    """How bad, whether it still is, and what: in the colour that fits."""
    style = _STYLES.get(finding.status, _LEVELS[finding.severity])
    ended = finding.status in words.ENDED
    severity = f"Was {finding.severity}" if ended else finding.severity.upper()
    standing, prefix = _STANDINGS[finding.status], _TITLES[finding.status]
    if ended and finding.severity is Severity.INFO:  # an answer, not a fault that has gone
        severity, standing, prefix = "INFO", "Nothing is left to do.", ""
    line = [
        column([own(severity, weight="Bolder")], width="auto"),
        column([own(standing, isSubtle=True)]),
    ]
    title = run(prefix + (finding.title or finding.check), min(room.text, 200), weight="Bolder", size="Large")
    return container([{"type": "ColumnSet", "columns": line}, rich(title, spacing="Small")], style=style, bleed=True)


def _facts(finding: Finding, room: Room) -> list[Element]:
    """Which resource, and since when."""
    resource, first = finding.resource, _utc(finding.first_seen_at)
    observed = f"{', observed' if first else 'observed'} {_utc(finding.observed_at)}" if finding.observed_at else ""
    facts = (
        ("Resource", _resource(resource, room)),
        ("Resource group", [run(resource.resource_group, room.text)]),
        ("Subscription", [run(resource.subscription_id, room.text)]),
        ("Location", [run(resource.location, room.text)]),
        ("Seen", [run((f"first {first}" if first else "") + observed, 80)]),
    )
    lines = [fact(label, runs) for label, runs in facts if any(run["text"] for run in runs)]
    return [container(lines)] if lines else []


def _resource(resource: Resource, room: Room) -> list[Element]:
    kind = _TYPES.get(resource.type.lower(), resource.type)
    name = run(resource.name or resource.id, room.text, weight="Bolder")
    return [name, run(f", {kind}", room.text, isSubtle=True)] if kind else [name]


def _change(change: Change, room: Room) -> list[Element]:
    what = run(words.operation(change), room.text, isSubtle=True)
    return [run(f"{_utc(change.when)} by {clean(change.who, room.text)}: ", room.text + 40), what]


def _because(finding: Finding, room: Room) -> Element:
    """Why: each cause in words, and below it the rule or route by name; how sure; who changed something last."""
    causes, change = sorted(finding.because, key=lambda cause: cause.kind == _PROBE), finding.change
    items = [element for cause in causes[: room.causes] for element in _cause(cause, room)]
    items += more(len(causes) - room.causes, "cause")
    sure = f"{finding.confidence.capitalize()}: {words.HOW_SURE[finding.confidence]}"
    items.append(fact("How sure", [run(sure, 80)]))
    return section("Why", items + ([fact("Last change", _change(change, room))] if change else []))


def _cause(cause: Cause, room: Room) -> list[Element]:
    text = [rich(prose(cause.text, room.text), spacing="Small")]
    name, within = words.place(cause)
    if not name:
        return text
    runs = [
        run(cause.kind.replace("-", " ").capitalize() + " ", room.text, size="Small", isSubtle=True),
        run(name, room.text, size="Small", fontType="Monospace"),
    ]
    if within:
        runs += [
            run(" in ", room.text, size="Small", isSubtle=True),
            run(within, room.text, size="Small", fontType="Monospace"),
        ]
    return [*text, rich(*runs)]


def _remedy(finding: Finding, room: Room) -> list[Element]:
    heading = "Remedy" if finding.status in words.ENDED else "What to do"
    summary = prose(finding.remedy.summary, 3 * room.text)
    return [section(heading, [rich(summary, spacing="Small")])] if summary["text"] else []


def _small_print(finding: Finding, room: Room) -> Element:
    parts = (("Check", finding.check), ("finding", finding.finding_id), ("request", finding.request_id))
    text = ", ".join(f"{label} {clean(value, room.text)}" for label, value in parts if value)
    return rich(run(text, 3 * room.text + 40, size="Small", isSubtle=True), spacing="Medium")


def _actions(finding: Finding, room: Room) -> list[Element]:
    """What can be opened: pages, and what is too long for the card. Teams shows up to six actions."""
    remedy, portal = finding.remedy, finding.resource.portal_url
    fix = remedy.portal_url if remedy.portal_url != portal else ""
    actions = (
        _open("Portal", portal),
        _open("Fix in portal", fix),
        _show(
            "az command" if words.is_az(remedy.az_cli) else "Command in the guest", _code(remedy.az_cli, room.az_cli)
        ),
        _show("Bicep", _code(remedy.bicep, room.bicep)),
        _show("Evidence", steps.evidence(finding.steps, room)),
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
        return [own(f"Not shown: {len(text)} characters are too many for a card.")]
    if any(hidden(character) for line in lines for character in line if character != "\t"):
        return [own("Not shown: it holds characters that cannot be seen.")]
    return [rich(*literal(line or " ", fontType="Monospace", size="Small")) for line in lines]


def _utc(when: datetime | None) -> str:
    if when is None:
        return ""
    try:
        known = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:  # the first and the last day that there is, in another time zone
        known = when.replace(tzinfo=UTC)
    return f"{known:%Y-%m-%d %H:%M} UTC"
