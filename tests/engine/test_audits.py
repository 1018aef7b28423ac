"""The audit: reports always, findings when they are news, one digest for people, and nothing resolved on a guess."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from diagnostics.checks.policy import Suppression
from diagnostics.contracts import Listing
from diagnostics.errors import ForbiddenError, PermanentError, TemporaryError
from diagnostics.findings import Severity
from diagnostics.scopes import Scopes
from tests.engine.house import ELSEWHERE, GROUP, House
from tests.engine.scoped import OFF, fleet, listing, resource, rid, rules
from tests.fakes import NOON

A, B, NET = resource("nsg", "a"), resource("nsg", "b"), resource("vnet", "hub")
HEALED = resource("nsg", "a", "Succeeded")
FORMS = ("csv", "json", "sarif", "txt")


def audit(house: House, holder: str = "run") -> None:
    house.engine.audit(holder=holder)


def next_day(house: House, *bodies: dict[str, Any], listed: Listing | None = None) -> None:
    """The next audit, over other bodies."""
    house.estates.listed = listed or listing(*bodies)
    house.clock.forward(days=1)
    audit(house)


def loud(house: House, words: str) -> None:
    with pytest.raises(TemporaryError, match=words):
        audit(house)


def queued(house: House) -> list[str]:
    return [f"{finding.check} {finding.resource.name} {finding.status}" for finding in house.queue.sent]


def digests(house: House) -> list[str]:
    return [finding.title for finding in house.teams.sent]


def written(house: House) -> list[str]:
    """What of the store was written, leases aside."""
    writes = {"store.save after", "store.note after", "store.forget after"}
    return [point for point in house.calls.log if point in writes]


def test_what_is_new_goes_to_the_queue_and_one_digest_to_people() -> None:
    house = fleet(A, B, NET)
    audit(house)
    assert queued(house) == ["NET001 hub open", "NSG001 a open", "NSG001 b open"]
    (card,) = house.teams.sent
    assert (card.check, card.title, card.severity) == ("OPS003", "Audit: 3 new, 0 resolved, 0 known", Severity.HIGH)
    assert [cause.text for cause in card.because] == [
        "New: 1 high, 2 medium.",
        "high NET001: Virtual network hub is in provisioning state Failed",
        "medium NSG001: NSG a is in provisioning state Failed",
        "medium NSG001: NSG b is in provisioning state Failed",
    ]
    assert card.remedy.summary == "The whole report is audit/2026-11-02T120000Z in container reports."
    assert "http" not in card.to_json().decode()


def test_a_digest_names_the_worst_five() -> None:
    house = fleet(*(resource("nsg", f"n{number}") for number in range(30)), NET)
    audit(house)
    (card,) = house.teams.sent
    assert [cause.kind for cause in card.because] == ["count", *["finding"] * 5]
    assert "NET001" in card.because[1].text
    assert len(house.queue.sent) == 31


def test_what_is_known_is_not_told_again_and_nothing_is_written() -> None:
    house = fleet(A, NET)
    audit(house)
    house.calls.log.clear()
    next_day(house, NET, A)
    assert (len(house.queue.sent), len(house.teams.sent), written(house)) == (2, 1, [])


def test_what_is_gone_is_resolved_once() -> None:
    house = fleet(A, B)
    audit(house)
    for _ in range(2):
        next_day(house, HEALED)
    assert queued(house)[2:] == ["NSG001 a resolved", "NSG001 b resolved"]
    assert digests(house)[1:] == ["Audit: 0 new, 2 resolved, 0 known"]
    assert (house.teams.sent[-1].status, house.teams.sent[-1].severity) == ("resolved", Severity.INFO)
    next_day(house, A)
    assert (queued(house)[4:], digests(house)[2:]) == (["NSG001 a open"], ["Audit: 1 new, 0 resolved, 0 known"])


def test_new_resolved_and_known_are_counted_apart() -> None:
    house = fleet(A, B)
    audit(house)
    next_day(house, HEALED, B, NET)
    assert queued(house)[2:] == ["NSG001 a resolved", "NET001 hub open"]
    assert digests(house)[1:] == ["Audit: 1 new, 1 resolved, 1 known"]
    assert house.teams.sent[-1].because[-1].text == "Known already: 1 medium."


UNREADABLE = resource("nsg", "a", securityRules=7)
STATELESS = resource("nsg", "a", "")
DENIED = (("networkSecurityGroups of sub", "AuthorizationFailed"),)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(listing(STATELESS), id="the check can't tell"),
        pytest.param(listing(UNREADABLE), id="it can't be read"),
        pytest.param(listing(partial=["nsg"], unread=DENIED), id="its list can't be read"),
        pytest.param(listing(B, partial=["nsg"]), id="Azure left it out"),
        pytest.param(listing({"type": "Microsoft.Network/networkSecurityGroups"}), id="something has no id"),
    ],
)
def test_what_nobody_can_tell_of_is_not_resolved(listed: Listing) -> None:
    house = fleet(A)
    audit(house)
    next_day(house, listed=listed)
    assert not [told for told in queued(house) if told.endswith("resolved")]
    next_day(house, B)
    assert "NSG001 a resolved" in queued(house)


def rule(name: str, priority: int, access: str, source: str) -> dict[str, Any]:
    terms = {"sourceAddressPrefix": source, "destinationAddressPrefix": "*", "destinationPortRange": "443"}
    return {"name": name, "properties": {"priority": priority, "direction": "Inbound", "access": access, **terms}}


def test_a_check_that_does_not_come_to_its_end_resolves_nothing() -> None:
    dead = resource(
        "nsg", "a", "Succeeded", securityRules=[rule("no", 100, "Deny", "*"), rule("web", 200, "Allow", "*")]
    )
    house = fleet(dead, off=OFF - {"NSG003"})
    audit(house)
    tagged = resource("nsg", "b", "Succeeded", securityRules=[rule("web", 100, "Allow", "Storage")])
    tags = {"values": [{"name": "Storage", "properties": {"addressPrefixes": ["20.0.0.0/99"]}}]}
    next_day(house, HEALED, tagged, tags)
    assert queued(house) == ["NSG003 a open"]
    next_day(house, HEALED, tagged)
    assert queued(house) == ["NSG003 a open", "NSG003 a resolved"]


def test_the_log_names_what_could_not_be_read_on_a_line_each_and_not_without_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = fleet(A)
    unread = tuple((f"list {number}", "denied\naudit: 0 findings") for number in range(60))
    house.estates.listed = replace(house.estates.listed, unread=unread)
    with caplog.at_level("INFO"):
        audit(house)
    told = [record.getMessage() for record in caplog.records if "audit:" in record.getMessage()]
    assert sum(text.startswith("audit: not read: 'list ") for text in told) == 50
    assert not [text for text in told if "\n" in text]
    assert "audit: 1 findings, 60 not known, 60 not read" in told


def test_a_check_that_is_off_resolves_nothing() -> None:
    house = fleet(A)
    audit(house)
    house.policy = {"audits": rules(off=OFF | {"NSG001"})}
    next_day(house, HEALED)
    assert queued(house) == ["NSG001 a open"]


def test_what_left_the_scopes_is_not_resolved() -> None:
    house = fleet(A)
    audit(house)
    house.scopes = Scopes.parse(ELSEWHERE)
    next_day(house, B)
    assert not [told for told in queued(house) if told.endswith("resolved")]


def test_scopes_that_cannot_be_read_resolve_nothing_loudly() -> None:
    house = fleet(A)
    audit(house)
    house.scopes = Scopes.parse("/providers/Microsoft.Management/managementGroups/mg")
    house.inventory.errors["subscriptions_below"] = TemporaryError("Resource Graph is away")
    house.estates.listed = listing(HEALED)
    loud(house, "scopes: Resource Graph is away")
    assert queued(house) == ["NSG001 a open"]


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        (Severity.CRITICAL, []),
        (Severity.HIGH, ["NET001 hub open"]),
        (Severity.MEDIUM, ["NET001 hub open", "NSG001 a open"]),
        (Severity.INFO, ["NET001 hub open", "NSG001 a open"]),
        (None, []),
    ],
)
def test_what_is_below_the_threshold_is_in_reports_only(severity: Severity | None, told: list[str]) -> None:
    house = fleet(A, NET, severity=severity)
    audit(house)
    assert (queued(house), len(house.teams.sent)) == (told, bool(told))
    assert len(json.loads(house.reports.kept["audit/latest.json"][0])["findings"]) == 2


def test_a_severity_that_was_set_counts_and_a_change_of_it_is_news() -> None:
    house = fleet(A, severity=Severity.HIGH)
    audit(house)
    for level in (Severity.HIGH, Severity.CRITICAL):
        house.policy = {"audits": rules(Severity.HIGH, severities={"NSG001": level})}
        for _ in range(2):
            next_day(house, A)
    assert [finding.severity for finding in house.queue.sent] == [Severity.HIGH, Severity.CRITICAL]


def test_a_finding_below_the_threshold_is_not_resolved_for_it() -> None:
    house = fleet(A)
    audit(house)
    house.policy = {"audits": rules(Severity.HIGH)}
    next_day(house, A)
    next_day(house, HEALED)
    assert queued(house) == ["NSG001 a open", "NSG001 a resolved"]


def test_a_suppressed_finding_is_not_told_and_comes_back_when_its_day_has_passed() -> None:
    house = fleet(A, B)
    left_out = Suppression("NSG001", "a", "migration", date(2026, 11, 3))
    house.policy = {"audits": rules(suppressions=(left_out,))}
    audit(house)
    next_day(house, A, B)
    assert (queued(house), len(house.teams.sent)) == (["NSG001 b open"], 1)
    for _ in range(2):
        next_day(house, A, B)
    assert queued(house) == ["NSG001 b open", "NSG001 a open"]
    assert house.queue.sent[1].because[-1].text == "It was left out until 2026-11-03 (migration); that day has passed."


def test_one_that_was_told_is_not_resolved_by_a_suppression_and_is_told_when_that_ends() -> None:
    house = fleet(A)
    audit(house)
    house.policy = {"audits": rules(suppressions=(Suppression("NSG*", "a", "migration", date(2026, 11, 3)),))}
    next_day(house, A)
    assert queued(house) == ["NSG001 a open"]
    for _ in range(2):
        next_day(house, A)
    assert (queued(house), len(house.teams.sent)) == (["NSG001 a open"] * 2, 2)


def test_a_failed_nic_is_the_sweeps_business() -> None:
    house = fleet(resource("nic", "web-1"))
    house.nics.set_state(rid("nic", "web-1"), "Failed")
    house.inventory.candidates = [rid("nic", "web-1")]
    audit(house)
    assert house.queue.sent == []
    assert "NIC001" in house.reports.kept["audit/latest.csv"][0]
    house.engine.sweep()
    next_day(house, resource("nic", "web-1", "Succeeded"))
    assert queued(house) == ["NIC001 web-1 open"]


def test_every_form_of_the_report_is_written_twice() -> None:
    house = fleet(A)
    audit(house)
    next_day(house, HEALED)
    stamps = ("2026-11-02T120000Z", "2026-11-03T120000Z", "latest")
    assert sorted(house.reports.kept) == [f"audit/{stamp}.{form}" for stamp in stamps for form in FORMS]
    assert house.reports.kept["audit/latest.sarif"][1] == "application/sarif+json"
    assert house.reports.kept["audit/latest.csv"] == house.reports.kept["audit/2026-11-03T120000Z.csv"]


def test_what_could_not_be_listed_is_in_the_report_and_counted() -> None:
    house = fleet()
    house.estates.listed = listing(A, unread=(("flowLogs of sub", "AuthorizationFailed"),))
    audit(house)
    assert "flowLogs of sub: AuthorizationFailed" in house.reports.kept["audit/latest.txt"][0]
    assert house.teams.sent[0].because[-1].text.startswith("Not known: 1.")


def test_without_a_container_no_report_is_written() -> None:
    house = fleet(A)
    house.keeps_reports = False
    house.policy = {"audits": replace(rules(), place="")}
    audit(house)
    assert "set VMREACH_REPORTS_CONTAINER" in house.teams.sent[0].remedy.summary


def test_without_people_nothing_is_noted_for_them() -> None:
    house = fleet(A)
    house.teams.for_people = False
    audit(house)
    assert (queued(house), house.teams.told) == (["NSG001 a open"], ["NSG001 open"])
    assert not [point for point in house.calls.log if "store.note" in point]


def test_of_two_audits_at_once_one_is_made() -> None:
    house = fleet(A)
    house.calls.at["estates.listing before"] = lambda: audit(house, "another")
    audit(house)
    assert (house.calls.log.count("estates.listing before"), len(house.queue.sent)) == (1, 1)
    assert house.store.memory.leased == {}


def test_an_audit_that_died_keeps_the_next_one_away_for_minutes_only() -> None:
    house = fleet(A)
    until = house.clock.now() + timedelta(minutes=16)
    assert house.store.lease("audit", holder="dead", now=house.clock.now(), until=until)
    audit(house)
    assert house.queue.sent == []
    next_day(house, A)
    assert queued(house) == ["NSG001 a open"]


@pytest.mark.parametrize("error", [TemporaryError("throttled"), ForbiddenError("AuthorizationFailed")], ids=repr)
def test_a_listing_that_fails_tells_nothing_and_gives_the_lease_back(error: Exception) -> None:
    house = fleet(A)
    house.estates.failures = [error]
    with pytest.raises(type(error)):
        audit(house)
    assert (house.queue.sent, house.reports.kept, house.store.memory.leased) == ([], {}, {})


def test_reports_that_cannot_be_written_keep_nobody_from_being_told() -> None:
    house = fleet(A)
    house.reports.failures = [PermanentError("no container")] * 8
    loud(house, "8 missed: report audit/2026-11-02T120000Z.txt: no container")
    assert (len(house.queue.sent), len(house.teams.sent)) == (1, 1)


def test_a_queue_that_is_away_for_one_finding_gets_it_with_the_next_audit() -> None:
    house = fleet(A, B)
    house.queue.failures = [TemporaryError("storage is away")]
    loud(house, "1 missed: NSG001 a: storage is away")
    next_day(house, A, B)
    assert queued(house) == ["NSG001 b open", "NSG001 a open"]
    assert digests(house) == ["Audit: 2 new, 0 resolved, 0 known"]


def test_people_who_could_not_be_told_are_told_by_the_next_audit() -> None:
    house = fleet(A)
    house.teams.failures = [TemporaryError("Teams is away")]
    loud(house, "digest: Teams is away")
    next_day(house, A, B)
    assert digests(house) == ["Audit: 2 new, 0 resolved, 0 known"]
    next_day(house, A, B)
    assert (len(house.queue.sent), len(house.teams.sent)) == (2, 1)


def test_an_end_that_could_not_be_told_is_told_by_the_next_audit() -> None:
    house = fleet(A)
    audit(house)
    house.queue.failures = [TemporaryError("storage is away")]
    house.estates.listed = listing(HEALED)
    loud(house, "storage is away")
    next_day(house, HEALED)
    assert queued(house) == ["NSG001 a open", "NSG001 a resolved"]
    assert digests(house) == ["Audit: 1 new, 0 resolved, 0 known", "Audit: 0 new, 1 resolved, 0 known"]


def test_a_queue_that_refuses_is_told_to_people() -> None:
    house = fleet(A)
    house.queue.failures = [PermanentError("QueueDisabled")] * 2
    audit(house)
    assert house.teams.told == ["OPS002 open", "OPS003 open"]


def test_when_time_is_up_the_next_audit_goes_on() -> None:
    house = fleet(*(resource("nsg", f"n{number}") for number in range(4)))
    house.calls.at["queue.send after"] = lambda: house.clock.forward(minutes=13)
    loud(house, "3 findings not told yet, for the time is up")
    audit(house)
    audit(house)
    assert queued(house) == [f"NSG001 n{number} open" for number in range(4)]
    assert digests(house) == ["Audit: 4 new, 0 resolved, 0 known"]


def test_ids_in_a_digest_are_the_same_in_every_run() -> None:
    houses = [fleet(A, B), fleet(B, A)]
    for house in houses:
        audit(house)
    first_, second_ = (house.teams.sent[0] for house in houses)
    assert first_ == second_
    assert (first_.observed_at, first_.resource.id, GROUP in first_.to_json().decode()) == (NOON, "", False)
