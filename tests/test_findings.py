from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from diagnostics.errors import ParseError
from diagnostics.findings import (
    QUEUE_LIMIT,
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
    fingerprint,
)
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "schemas" / "finding.json").read_text(encoding="utf-8"))
NIC = ResourceId.parse("/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic-1")
FINDING = Finding(
    finding_id="f1",
    check="NIC001",
    title="t",
    severity=Severity.HIGH,
    confidence=Confidence.POSSIBLE,
    resource=Resource.of(NIC, "westeurope"),
    remedy=Remedy(summary="s"),
)

_text = st.text(max_size=30) | st.sampled_from(["x" * 3_000, "ü" * 900, '"\\' * 700, "\u2028\x00" * 500])
_times = st.none() | st.datetimes(timezones=st.just(UTC))
_hops = st.builds(Hop, type=_text, address=_text, resource_id=_text, issues=st.lists(_text, max_size=3).map(tuple))
_steps = st.builds(
    Step,
    name=_text,
    outcome=st.sampled_from(Outcome),
    summary=_text,
    evidence=st.lists(_text, max_size=20).map(tuple),
    hops=st.lists(_hops, max_size=8).map(tuple),
)
_findings = st.builds(
    Finding,
    finding_id=st.just(fingerprint("NIC001", NIC.key)),
    check=st.just("NIC001"),
    title=_text,
    severity=st.sampled_from(Severity),
    status=st.sampled_from(Status),
    confidence=st.sampled_from(Confidence),
    resource=st.just(Resource.of(NIC)),
    because=st.lists(
        st.builds(Cause, kind=st.just("probe"), text=_text, name=_text, resource_id=_text), max_size=30
    ).map(tuple),
    steps=st.lists(_steps, max_size=6).map(tuple),
    remedy=st.builds(Remedy, summary=_text, az_cli=_text, bicep=_text, doc_url=st.just("https://x"), portal_url=_text),
    change=st.none() | st.builds(Change, when=st.datetimes(timezones=st.just(UTC)), who=_text, operation=_text),
    request_id=st.text(max_size=40),
    first_seen_at=_times,
    observed_at=_times,
)
_slow = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@_slow
@given(finding=_findings)
def test_what_is_written_keeps_to_the_schema_and_reads_back(finding: Finding) -> None:
    body = finding.to_json(10_000_000)
    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(body))) == []
    assert decode(body, Finding) == finding


@_slow
@given(finding=_findings, limit=st.sampled_from([QUEUE_LIMIT, 36_000]))
def test_never_above_the_limit_and_what_matters_stays(finding: Finding, limit: int) -> None:
    body = finding.to_json(limit)
    read = decode(body, Finding)
    assert len(body) <= limit
    assert (read.finding_id, read.check, read.severity, read.status) == (
        finding.finding_id,
        finding.check,
        finding.severity,
        finding.status,
    )
    assert (read.resource, read.confidence, len(read.remedy.summary)) == (
        finding.resource,
        finding.confidence,
        min(len(read.remedy.summary), len(finding.remedy.summary)),
    )
    assert Draft202012Validator(SCHEMA).is_valid(json.loads(body))


def test_everything_huge_at_once_still_fits() -> None:
    long = '"' * 20_000
    step = Step(name=long, outcome=Outcome.FAILED, summary=long, evidence=(long,) * 20)
    cause = Cause(kind=long, text=long, name=long, resource_id=long)
    huge = msgspec.structs.replace(
        FINDING,
        title=long,
        because=(cause,) * 40,
        steps=(step,) * 40,
        remedy=Remedy(summary=long, az_cli=long, bicep=long, doc_url="https://x"),
        change=Change(when=datetime(2026, 1, 1, tzinfo=UTC), who=long, operation=long),
        request_id=long,
    )
    assert len(huge.to_json()) <= QUEUE_LIMIT


@pytest.mark.parametrize(
    ("step", "gone", "kept"),
    [
        (Step(name="n", outcome=Outcome.PASSED, summary="s", evidence=("x" * 9_000,)), "xxx", "1 facts left out"),
        (Step(name="n", outcome=Outcome.PASSED, summary="s", hops=(Hop(type="y" * 9_000),)), "yyy", '"summary":"s"'),
    ],
    ids=["evidence", "hops"],
)
def test_the_least_important_goes_first(step: Step, gone: str, kept: str) -> None:
    body = msgspec.structs.replace(FINDING, steps=(step,)).to_json(4_000).decode()
    assert gone not in body
    assert kept in body


def test_causes_left_out_are_counted() -> None:
    causes = tuple(Cause(kind="probe", text=f"{i} " + "z" * 2_000) for i in range(20))
    read = decode(msgspec.structs.replace(FINDING, because=causes).to_json(20_000), Finding)
    assert read.because[-1].text == "8 more causes left out for size"
    assert read.because[0].text.startswith("0 ")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("NIC001", NIC.text), ("nic001", NIC.text.upper()), True),
        (("NIC001", NIC.text, "a", "b"), ("NIC001", NIC.text, "A", "B"), True),
        (("NIC001", NIC.text, "a"), ("NIC001", NIC.text, "b"), False),
        (("NIC001", NIC.text, "ab", "c"), ("NIC001", NIC.text, "a", "bc"), False),
        (("NIC001", NIC.text), ("NIC002", NIC.text), False),
    ],
)
def test_fingerprints(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:  # noqa: FBT001
    assert (fingerprint(*one) == fingerprint(*other)) is same


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    assert fingerprint("NIC001", "/subscriptions/s1") == "06792153635c773acc20b844a79255a4"
    assert len(fingerprint("", "")) == 32


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", FINDING.to_json().replace(b'"high"', b'"dire"')])
def test_what_is_no_finding_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        decode(body, Finding)


def test_a_resource_says_what_its_id_says() -> None:
    resource = Resource.of(NIC, "westeurope")
    assert (resource.name, resource.resource_group, resource.subscription_id) == ("nic-1", "rg", "s1")
    assert resource.type == "microsoft.network/networkinterfaces"
