"""Who says what about one flow, and who contradicts whom."""

from __future__ import annotations

import pytest

from diagnostics.network.security import Verdict
from diagnostics.runbooks.rules.opinions import Opinion, Side, Who, confirmed, disagreements

YES, NO, UNKNOWN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN


def says(who: Who, verdict: Verdict, rule: str = "", side: Side = Side.IN) -> Opinion:
    return Opinion(who, side, "sql", verdict, rule, text=rule)


TABLE = {
    "all deny": ([says(Who.CONFIGURED, NO, "a"), says(Who.FLOW_VERIFY, NO, "b")], ""),
    "all allow": ([says(Who.CONFIGURED, YES), says(Who.EFFECTIVE, YES), says(Who.PROBE, YES)], ""),
    "nobody knows": ([says(Who.CONFIGURED, NO), says(Who.FLOW_VERIFY, UNKNOWN), says(Who.PROBE, UNKNOWN)], ""),
    "not about the same side": ([says(Who.CONFIGURED, NO), says(Who.FLOW_VERIFY, YES, side=Side.OUT)], ""),
    "not there yet": (
        [says(Who.CONFIGURED, NO, "deny"), says(Who.FLOW_VERIFY, YES, "allow")],
        "the configuration denies it, but IP flow verify allows it",
    ),
    "the other way round": (
        [says(Who.CONFIGURED, YES), says(Who.EFFECTIVE, NO, "deny"), says(Who.DIAGNOSTICS, NO, "deny")],
        "what Azure calls effective denies it and NSG diagnostics denies it, but the configuration allows it",
    ),
    "the probe arrives": (
        [says(Who.CONFIGURED, NO, "deny"), says(Who.PROBE, YES)],
        "the configuration denies it, but the probe arrives",
    ),
    "the probe names a rule": (
        [says(Who.CONFIGURED, YES), says(Who.PROBE, NO, "deny")],
        "the probe is stopped, but the configuration allows it",
    ),
}


@pytest.mark.parametrize(("opinions", "title"), TABLE.values(), ids=TABLE)
def test_who_contradicts_whom(opinions: list[Opinion], title: str) -> None:
    found = disagreements(opinions)
    assert [each.title for each in found] == ([title] if title else [])


@pytest.mark.parametrize(
    ("opinions", "meaning"),
    [
        ([says(Who.CONFIGURED, YES), says(Who.EFFECTIVE, NO, "SecurityAdminRule_no-ssh")], "Virtual Network Manager"),
        ([says(Who.CONFIGURED, NO), says(Who.PROBE, YES)], "what happened"),
        ([says(Who.CONFIGURED, YES), says(Who.PROBE, NO, "x")], "taken away"),
        ([says(Who.CONFIGURED, YES), says(Who.FLOW_VERIFY, NO, "x")], "has not reached the host"),
        ([says(Who.EFFECTIVE, YES), says(Who.FLOW_VERIFY, NO, "x")], "contradict each other"),
    ],
)
def test_what_it_usually_means(opinions: list[Opinion], meaning: str) -> None:
    assert meaning in disagreements(opinions)[0].means


def test_a_denial_is_confirmed_by_whoever_names_the_same_rule() -> None:
    listed = [
        says(Who.CONFIGURED, NO, "deny"),
        says(Who.EFFECTIVE, NO, "DENY"),
        says(Who.FLOW_VERIFY, NO, "other"),
        says(Who.DIAGNOSTICS, YES, "deny"),
        says(Who.PROBE, NO, "deny", side=Side.OUT),
    ]
    assert [each.who for each in confirmed(listed, Side.IN, "deny")] == [Who.EFFECTIVE]


@pytest.mark.parametrize(
    ("opinion", "line"),
    [
        (
            says(Who.CONFIGURED, NO, "deny (priority 100) of nsg"),
            "configured, in at sql: denied deny (priority 100) of nsg",
        ),
        (
            Opinion(Who.EFFECTIVE, Side.OUT, "web", UNKNOWN, text="no answer: off"),
            "effective NSG, out at web: no answer: off",
        ),
        (
            Opinion(Who.PROBE, Side.WAY, "", UNKNOWN, text="Unreachable, 9 of 9 probes failed"),
            "probe: Unreachable, 9 of 9 probes failed",
        ),
        (Opinion(Who.PROBE, Side.IN, "", YES, text="arrives: Reachable"), "probe: arrives: Reachable"),
        (Opinion(Who.FLOW_VERIFY, Side.IN, "sql", YES), "IP flow verify, in at sql: allowed"),
    ],
)
def test_a_line_each(opinion: Opinion, line: str) -> None:
    assert str(opinion) == line
