"""Cards: what they say, that nothing in them is markup, and that they always fit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics import findings
from diagnostics.findings import (
    Cause,
    Change,
    Confidence,
    Finding,
    Hop,
    Outcome,
    Remedy,
    Resource,
    Severity,
    Status,
    Step,
)
from diagnostics.sinks.card import LIMIT, card, message

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NSG = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg-web"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMMAND = "az network nsg rule update \\\n  --name Allow_HTTPS_* \\\n  --query '[?a].{b:c}' # [x](https://y)"
FINDING = Finding(
    finding_id="f1",
    check="NSG001",
    title="Port 443 is closed",
    severity=Severity.CRITICAL,
    confidence=Confidence.PROVEN,
    resource=Resource(
        id="/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-web-01",
        name="vm-web-01",
        type="Microsoft.Compute/virtualMachines",
        subscription_id="6f1d6a2e",
        resource_group="rg-shop",
        location="westeurope",
        portal_url="https://portal.azure.com/#@/resource/vm",
    ),
    because=(Cause(kind="security-rule", text="Denied at the subnet.", name="Deny_All", resource_id=NSG),),
    steps=(
        Step(name="TCP ping", outcome=Outcome.FAILED, summary="No answer.", evidence=("0 of 10",)),
        Step(name="Guest", outcome=Outcome.INCONCLUSIVE, summary="", hops=(Hop(type="Vm", issues=("Down",)),)),
    ),
    remedy=Remedy(
        summary="Lower its number.",
        az_cli=COMMAND,
        bicep="param x string\n\nvar y = x",
        doc_url="https://learn.microsoft.com/azure",
        portal_url="https://portal.azure.com/#@/resource/nsg",
    ),
    change=Change(when=NOON, who="j.doe@contoso.com", operation="Microsoft.Network/x/securityRules/write"),
    request_id="r1",
    first_seen_at=NOON,
    observed_at=NOON + timedelta(minutes=5),
)
replace = msgspec.structs.replace


def schema(name: str) -> jsonschema.Draft202012Validator:
    read = json.loads((SCHEMAS / name).read_bytes())
    jsonschema.Draft202012Validator.check_schema(read)
    return jsonschema.Draft202012Validator(read, format_checker=jsonschema.FormatChecker())


FINDING_SCHEMA = schema("finding.json")
MESSAGE_SCHEMA = schema("teams-message.json")


def elements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from elements(child)


def of_type(node: Any, kind: str) -> list[dict[str, Any]]:
    return [element for element in elements(node) if element.get("type") == kind]


def words(node: Any) -> str:
    """What a reader sees: runs of one block side by side, blocks below each other."""
    blocks = [e for e in elements(node) if e.get("type") in {"TextBlock", "RichTextBlock"}]
    return "\n".join(b.get("text", "") or "".join(run["text"] for run in b["inlines"]) for b in blocks)


def action(drawn: dict[str, Any], title: str) -> Any:
    return next((entry for entry in drawn["actions"] if entry["title"] == title), None)


def size(posted: dict[str, Any]) -> int:
    return max(len(msgspec.json.encode(posted)), len(json.dumps(posted)))


@pytest.mark.parametrize(
    "said",
    [
        "CRITICAL",
        "Open",
        "Port 443 is closed",
        "vm-web-01, virtual machine",
        "rg-shop",
        "6f1d6a2e",
        "westeurope",
        "first 2026-11-22 12:00 UTC, observed 2026-11-22 12:05 UTC",
        "Denied at the subnet.",
        "Security rule Deny_All in nsg-web",
        "Proven: read from Azure itself",
        "2026-11-22 12:00 UTC by j.doe@contoso.com: securityRules/write",
        "Lower its number.",
        "Failed",
        "TCP ping",
        "No answer.",
        "Inconclusive",
        "Check NSG001, finding f1, request r1",
    ],
)
def test_says(said: str) -> None:
    assert said in words(card(FINDING)["body"]).split("\n")


def test_has_buttons() -> None:
    titles = [entry["title"] for entry in card(FINDING)["actions"]]
    assert titles == ["Portal", "Fix in portal", "az command", "Bicep", "Evidence", "Docs"]
    assert words(action(card(FINDING), "Evidence")) == "TCP ping\n0 of 10\nGuest\nVm Down"


@pytest.mark.parametrize(
    ("status", "severity", "style", "title"),
    [
        (Status.OPEN, Severity.CRITICAL, "attention", "Port 443 is closed"),
        (Status.OPEN, Severity.HIGH, "attention", "Port 443 is closed"),
        (Status.OPEN, Severity.MEDIUM, "warning", "Port 443 is closed"),
        (Status.OPEN, Severity.LOW, "accent", "Port 443 is closed"),
        (Status.OPEN, Severity.INFO, "accent", "Port 443 is closed"),
        (Status.RESOLVED, Severity.CRITICAL, "good", "Resolved: Port 443 is closed"),
        (Status.REMEDIATED, Severity.HIGH, "good", "Remediated: Port 443 is closed"),
        (Status.REMEDIATION_FAILED, Severity.LOW, "attention", "Remediation failed: Port 443 is closed"),
    ],
)
def test_status_and_severity_show(status: Status, severity: Severity, style: str, title: str) -> None:
    header = card(replace(FINDING, status=status, severity=severity))["body"][0]
    assert header["style"] == style
    assert words(header).split("\n")[-1] == title


@pytest.mark.parametrize("code", [COMMAND, "az x --tags a_b=*c* `d`", "{{DATE(2026-01-01T00:00:00Z)}}", "a\n\nb"])
def test_commands_stay_as_they_are(code: str) -> None:
    drawn = card(replace(FINDING, remedy=Remedy(summary="", az_cli=code)))
    (shown,) = (action["card"]["body"] for action in of_type(drawn, "Action.ShowCard") if "ommand" in action["title"])
    assert words(shown).replace("\n \n", "\n\n") == code
    assert all(run["fontType"] == "Monospace" and "{{" not in run["text"] for run in of_type(shown, "TextRun"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("az x " * 30_000, "Not shown: 150000 characters are too many"),
        ("az vm delete \u202e x", "characters that cannot be seen"),
        ("az vm\u200b x", "characters that cannot be seen"),
        ("az vm\x1b[8m x", "characters that cannot be seen"),
    ],
)
def test_no_part_of_a_command_is_shown(code: str, said: str) -> None:
    shown = words(action(card(replace(FINDING, remedy=Remedy(summary="", az_cli=code))), "az command"))
    assert said in shown
    assert "az " not in shown


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.azure.com",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://a b",
        "https://user@evil.example",
        "https://evil.example\\@portal.azure.com",
        "https://[::1",
        "https://x:99999",
        "https://例え.example",
        "https://x/\n",
        "https://x/" + "a" * 2_000,
        "",
    ],
)
def test_no_button_opens(url: str) -> None:
    resource = replace(FINDING.resource, portal_url=url)
    drawn = card(replace(FINDING, resource=resource, remedy=Remedy(summary="", doc_url=url, portal_url=url)))
    assert not of_type(drawn, "Action.OpenUrl")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a\n# b\r\n- c\t1. d", "a # b - c 1. d"),
        ("gnp\u202eexe\u200b\x00\x1b", "gnpexe"),
        ("{{DATE(2026-01-01T00:00:00Z)}} {{{x", "{ {DATE(2026-01-01T00:00:00Z)}} { { {x"),
        ("\ud800x", "x"),
        ("x" * 700, "x" * 199 + "…"),
        ("Zażółć 漢字 🔥", "Zażółć 漢字 🔥"),
        ("", "NSG001"),
    ],
)
def test_text_is_made_harmless(title: str, shown: str) -> None:
    assert words(card(replace(FINDING, title=title, steps=()))["body"][0]).split("\n")[-1] == shown


def test_causes_and_evidence_are_counted() -> None:
    seen = Step(name="s", outcome=Outcome.PASSED, summary="", evidence=tuple(map(str, range(15))))
    drawn = card(replace(FINDING, because=FINDING.because * 256, steps=(seen,)))
    assert "… 248 more causes" in words(drawn["body"])
    assert words(action(drawn, "Evidence")).endswith("\n… 3 more facts")


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04 UTC"),  # noqa: DTZ001 - a time without a zone
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2))), "2026-01-02 01:04 UTC"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), "UTC"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=2))), "UTC"),
    ],
)
def test_times_are_utc(when: datetime, shown: str) -> None:
    assert shown in words(card(replace(FINDING, first_seen_at=None, observed_at=when)))


def test_a_bare_finding_has_a_card() -> None:
    resource, remedy = Resource(id="", name="", type=""), Remedy(summary="")
    low, likely = Severity.LOW, Confidence.LIKELY
    bare = Finding(finding_id="", check="", title="", severity=low, confidence=likely, resource=resource, remedy=remedy)
    MESSAGE_SCHEMA.validate(message(bare))
    assert card(bare)["actions"] == []


def test_the_finding_schema_names_every_field() -> None:
    read = json.loads((SCHEMAS / "finding.json").read_bytes())
    for part in (Finding, Resource, Cause, Step, Hop, Remedy, Change):
        described = read if part is Finding else read["$defs"][part.__name__.lower()]
        names = [field.encode_name for field in msgspec.structs.fields(part)]
        assert sorted(described["properties"]) == sorted(names) == sorted(described["required"])
    for enum, name in ((Severity, "severity"), (Status, "status"), (Confidence, "confidence")):
        assert read["properties"][name]["enum"] == list(enum)
    assert read["$defs"]["step"]["properties"]["outcome"]["enum"] == list(findings.Outcome)


NASTY = ["[x](http://evil.example)", "*b* _i_ `c` ~~d~~", "<at>all</at>", "# h", "- l", "1. n", "\u202e", "{{TIME(x)}}"]
TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from([*NASTY, "", " ", "\n\n"]),
    st.builds(
        lambda text, times: text * times,
        st.sampled_from(["x", "漢", "🔥", '"', "*_", "\x7f", "a b\n"]),
        st.integers(0, 100_000),
    ),
)
WHEN = st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14))]))
RESOURCES = st.builds(
    Resource, **dict.fromkeys(["id", "name", "type", "subscription_id", "resource_group", "location"], TEXT)
)
CAUSES = st.builds(Cause, kind=TEXT, text=TEXT, name=TEXT, resource_id=TEXT)
HOPS = st.builds(Hop, type=TEXT, address=TEXT, issues=st.lists(TEXT, max_size=2).map(tuple))
STEPS = st.builds(
    Step,
    name=TEXT,
    outcome=st.sampled_from(Outcome),
    summary=TEXT,
    evidence=st.lists(TEXT, max_size=3).map(tuple),
    hops=st.lists(HOPS, max_size=2).map(tuple),
)
URLS = TEXT.map(lambda text: "https://x/" + text)
REMEDIES = st.builds(Remedy, summary=TEXT, az_cli=TEXT, bicep=TEXT, doc_url=URLS, portal_url=URLS)


@st.composite
def any_findings(draw: st.DrawFn) -> Finding:
    return Finding(
        finding_id=draw(TEXT),
        check=draw(TEXT),
        title=draw(TEXT),
        severity=draw(st.sampled_from(Severity)),
        status=draw(st.sampled_from(Status)),
        confidence=draw(st.sampled_from(Confidence)),
        resource=draw(RESOURCES),
        because=tuple(draw(st.lists(CAUSES, max_size=3))) * draw(st.sampled_from([1, 5, 86])),
        steps=tuple(draw(st.lists(STEPS, max_size=3))) * draw(st.sampled_from([1, 5])),
        remedy=draw(REMEDIES),
        change=draw(st.none() | st.builds(Change, when=WHEN.filter(bool), who=TEXT, operation=TEXT)),
        request_id=draw(TEXT),
        first_seen_at=draw(WHEN),
        observed_at=draw(WHEN),
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(any_findings())
def test_whatever_a_finding_holds_its_message_fits_and_holds_no_markup(finding: Finding) -> None:
    posted = message(finding)
    assert size(posted) <= LIMIT
    MESSAGE_SCHEMA.validate(posted)  # whose TextBlocks have no character that could be markup


@pytest.mark.parametrize("filler", ["x", "漢", "🔥", '"', "\\", "{", "*"])
def test_the_largest_finding_fits(filler: str) -> None:
    long, url = filler * 100_000, "https://x/" + "a" * 1_190
    resource = Resource(
        id=long, name=long, type=long, subscription_id=long, resource_group=long, location=long, portal_url=url
    )
    failed = Step(name=long, outcome=Outcome.FAILED, summary=long, evidence=(long,) * 50)
    largest = Finding(
        finding_id=long,
        check=long,
        title=long,
        severity=Severity.CRITICAL,
        confidence=Confidence.PROVEN,
        resource=resource,
        because=(Cause(kind=long, text=long, name=long, resource_id=long + "/y" + long),) * 256,
        steps=(failed, replace(failed, outcome=Outcome.PASSED)) * 10,
        remedy=Remedy(summary=long, az_cli=long, bicep=long, doc_url=url, portal_url=url + "b"),
        change=Change(when=NOON, who=long, operation=long),
        request_id=long,
        first_seen_at=NOON,
        observed_at=NOON,
    )
    posted = message(largest)
    assert size(posted) <= LIMIT
    MESSAGE_SCHEMA.validate(posted)
    assert "more causes" in words(posted)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(Status), st.sampled_from(Severity), CAUSES, STEPS, REMEDIES)
def test_every_finding_keeps_to_its_schema(
    status: Status, severity: Severity, cause: Cause, step: Step, remedy: Remedy
) -> None:
    finding = replace(FINDING, status=status, severity=severity, because=(cause,), steps=(step,), remedy=remedy)
    FINDING_SCHEMA.validate(json.loads(msgspec.json.encode(finding)))


def test_the_example_keeps_to_both_schemas() -> None:
    FINDING_SCHEMA.validate(json.loads(FINDING.to_json()))
    MESSAGE_SCHEMA.validate(message(FINDING))
