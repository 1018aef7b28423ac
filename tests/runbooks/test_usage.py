"""What the metrics of both machines say about CPU and memory around the alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from diagnostics.findings import Confidence, Finding, Outcome, Severity, fingerprint
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks import usage_steps
from diagnostics.runbooks.diagnosis import blocked
from diagnostics.runbooks.questions import Point, Question, ReadMetrics, Series, Unread, answer_all
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.situation import Machine, Situation
from diagnostics.runbooks.usage_steps import BYTES, CPU, PERCENT
from tests.runbooks.around import MOMENT, SQL, WEB, at, machine, situation

MIB = 1024 * 1024
START = -15
"""Minutes after the alert of the first value."""
type Values = Sequence[float | None]

CALM: dict[str, Values] = {CPU: [12.0] * 20, BYTES: [6e9] * 20, PERCENT: [70.0] * 20}
DENIED = Unread("the metrics may not be read", action="Microsoft.Insights/metrics/read", scope="/s")


@dataclass
class Meter:
    """Answers with the values of each metric, a minute apart; `asked` keeps the questions in order."""

    values: Mapping[ResourceId, Mapping[str, Values]]
    unknown: str = ""
    refusal: Unread | None = None
    asked: list[ReadMetrics] = field(default_factory=list)

    def __call__(self, question: Question[Any]) -> Any:
        if not isinstance(question, ReadMetrics):
            return None
        self.asked.append(question)
        if self.refusal:
            return self.refusal
        if self.unknown in question.names:
            return Unread(f"Azure knows no metric {self.unknown}")
        found = self.values.get(question.resource, CALM)
        return tuple(series(name, found[name]) for name in question.names if name in found)


def series(name: str, values: Values) -> Series:
    return Series(name, "", tuple(Point(at(START + i), average=value) for i, value in enumerate(values)))


def measured(meter: Meter, at_hand: Situation | None = None) -> Situation:
    return answer_all(usage_steps.usage(at_hand or situation()), meter)


def of_sql(**values: Values) -> Meter:
    names = {"cpu": CPU, "free": BYTES, "share": PERCENT}
    return Meter({SQL: {**CALM, **{names[key]: each for key, each in values.items()}}})


@dataclass(frozen=True)
class Row:
    """Values of sql-1, from 15 minutes before the alert on, and the checks that they fail."""

    name: str
    meter: Meter
    outcome: Outcome
    checks: tuple[str, ...] = ()


GAP = [None] * 20
ROWS = [
    Row("calm", of_sql(), Outcome.PASSED),
    Row("CPU at its limit", of_sql(cpu=[20.0] * 5 + [99.4] * 12), Outcome.FAILED, ("CON003",)),
    Row("CPU busy", of_sql(cpu=[90.0] * 20), Outcome.PASSED),
    Row(
        "three minutes on end", of_sql(cpu=[20.0] * 10 + [98.0, 99.0, 100.0] + [20.0] * 5), Outcome.FAILED, ("CON003",)
    ),
    Row("three minutes with a gap", of_sql(cpu=[20.0] * 10 + [99.0, 99.0, None, 99.0] + [20.0] * 5), Outcome.PASSED),
    Row("three minutes long ago", of_sql(cpu=[99.0] * 4 + [20.0] * 15), Outcome.PASSED),
    Row("three minutes after it", of_sql(cpu=[20.0] * 15 + [99.0] * 4), Outcome.FAILED, ("CON003",)),
    Row("gaps are no zeros", of_sql(cpu=[None, 99.0] * 8), Outcome.FAILED, ("CON003",)),
    Row("no CPU values", of_sql(cpu=GAP), Outcome.INCONCLUSIVE),
    Row("values too old", of_sql(cpu=[99.0] * 4), Outcome.INCONCLUSIVE),
    Row("share of memory", of_sql(share=[4.0] * 20, free=[2e9] * 20), Outcome.FAILED, ("CON004",)),
    Row("free memory, no share", of_sql(share=GAP, free=[200.0 * MIB] * 20), Outcome.FAILED, ("CON004",)),
    Row("free memory, middling share", of_sql(share=[9.0] * 20, free=[200.0 * MIB] * 20), Outcome.FAILED, ("CON004",)),
    Row("small VM with much of it left", of_sql(share=[40.0] * 20, free=[200.0 * MIB] * 20), Outcome.PASSED),
    Row("little memory", of_sql(share=GAP, free=[9e8] * 20), Outcome.PASSED),
    Row("no memory values", of_sql(share=GAP, free=GAP), Outcome.INCONCLUSIVE),
    Row("both", of_sql(cpu=[99.0] * 20, share=[1.0] * 20), Outcome.FAILED, ("CON003", "CON004")),
    Row("CPU, memory not known", of_sql(cpu=[99.0] * 20, share=GAP, free=GAP), Outcome.FAILED, ("CON003",)),
    Row("nothing at all", Meter({SQL: {}}), Outcome.INCONCLUSIVE),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_the_values_mean(row: Row) -> None:
    after = measured(row.meter)
    assert (after.steps[-1].outcome, tuple(f.check for f in after.findings)) == (row.outcome, row.checks)


def test_the_finding_names_the_value_and_what_to_do() -> None:
    after = measured(of_sql(cpu=[20.0] * 5 + [99.4] * 12))
    (finding,) = after.findings
    assert finding.title == "CPU of sql-1 is exhausted"
    assert (finding.severity, finding.confidence) == (Severity.MEDIUM, Confidence.POSSIBLE)
    assert (finding.resource.name, finding.resource.location) == ("sql-1", "westeurope")
    assert "average 99.4 % in the 10 minutes before 09:14 UTC" in finding.because[0].text
    assert "(99.4 %)" in finding.remedy.summary
    commands = finding.remedy.az_cli.splitlines()
    assert commands[0].startswith("az vm list-vm-resize-options --subscription s1")
    assert commands[1].startswith("# then: az vm resize ")
    assert commands[2].startswith("az monitor metrics list --resource ")
    assert "--start-time 2026-11-20T08:44:00Z" in commands[2]


def test_the_step_tells_what_was_before_and_what_azure_would_warn_of() -> None:
    step = measured(of_sql(cpu=[20.0] * 5 + [90.0] * 12)).steps[-1]
    assert step.evidence[3] == (
        "CPU of sql-1: average 90.0 % in the 10 minutes before 09:14 UTC, 20.0 % in the 20 minutes before that "
        "(above 80.0 %, where Azure's baseline alerts warn)"
    )
    assert step.summary == "neither CPU nor memory of web-1 and sql-1 is used up; CPU is at 90.0 % at most"


def test_no_values_are_said_to_be_none() -> None:
    step = measured(Meter({SQL: {}})).steps[-1]
    assert step.summary.startswith(
        "CPU of sql-1: Azure has no values of Percentage CPU for it between 08:44 and 09:19 UTC; memory of sql-1: "
        "Azure has no values of Available Memory Percentage or Available Memory Bytes"
    )


def test_a_metric_that_azure_does_not_know_costs_only_itself() -> None:
    meter = Meter({}, unknown=PERCENT)
    assert measured(meter).steps[-1].outcome is Outcome.PASSED
    assert [each.names for each in meter.asked] == [(CPU, BYTES, PERCENT), (CPU, BYTES)] * 2


def test_a_missing_permission_is_named_and_not_tried_twice() -> None:
    meter = Meter({}, refusal=DENIED)
    step = measured(meter).steps[-1]
    assert step.outcome is Outcome.INCONCLUSIVE
    assert step.summary.endswith("the metrics may not be read Grant Microsoft.Insights/metrics/read on /s.")
    assert len(meter.asked) == 2


def from_check(kind: IssueType, value: str = "") -> Finding:
    context = (("Usage", value),) if value else ()
    issue = Issue(kind, kind.value, "Local", "Error", context)
    return blocked(situation(), Blocker(issue, SQL), SQL, "westeurope")


def test_what_the_connectivity_check_says_is_confirmed_and_not_found_twice() -> None:
    found = from_check(IssueType.CPU, "99")
    after = measured(of_sql(cpu=[99.0] * 20), situation(found))
    assert after.findings == (found,)
    assert after.steps[-1].outcome is Outcome.FAILED
    assert "CPU of sql-1 is used up, as the connectivity check says" in after.steps[-1].summary


def test_what_the_connectivity_check_says_may_be_contradicted() -> None:
    after = measured(of_sql(), situation(from_check(IssueType.MEMORY, "97")))
    assert len(after.findings) == 1
    assert after.steps[-1].outcome is Outcome.INCONCLUSIVE
    assert "memory of sql-1: Azure Monitor contradicts the connectivity check" in after.steps[-1].summary


def test_what_the_connectivity_check_says_of_cpu_says_nothing_of_memory() -> None:
    after = measured(of_sql(share=[1.0] * 20), situation(from_check(IssueType.CPU, "99")))
    assert [finding.check for finding in after.findings] == ["CON003", "CON004"]


@pytest.mark.parametrize("kind", [IssueType.CPU, IssueType.MEMORY])
def test_the_same_fault_has_the_same_id_whoever_saw_it(kind: IssueType) -> None:
    values = {"cpu": [99.0] * 20, "share": [1.0] * 20}
    found = {finding.check: finding for finding in measured(of_sql(**values)).findings}
    seen = from_check(kind)
    assert found[seen.check].finding_id == seen.finding_id == fingerprint(seen.check, SQL.key, kind, "", SQL.key)


def test_the_id_does_not_hang_on_the_value() -> None:
    one, other = (measured(of_sql(cpu=[value] * 20)).findings[0] for value in (98.5, 100.0))
    assert one.finding_id == other.finding_id
    assert msgspec.structs.replace(one, finding_id="") != msgspec.structs.replace(other, finding_id="")


@pytest.mark.parametrize(
    ("source", "destination", "asked"),
    [
        (machine(WEB), machine(SQL), [WEB, SQL]),
        (machine(WEB), machine(SQL, "deallocated"), [WEB]),
        (machine(WEB, None), machine(SQL), [WEB, SQL]),
        (machine(WEB), Machine(SQL, Unread("it may not be read")), [WEB]),
        (machine(WEB), machine(WEB), [WEB]),
        (machine(WEB, "stopped"), machine(SQL, "stopped"), []),
    ],
    ids=["both", "one is off", "power state not known", "one not read", "to itself", "both are off"],
)
def test_which_machines_are_measured(source: Machine, destination: Machine, asked: list[ResourceId]) -> None:
    meter = Meter({})
    after = measured(meter, situation(source=source, destination=destination))
    assert [each.resource for each in meter.asked] == asked
    assert after.steps[-1].outcome is (Outcome.PASSED if asked else Outcome.SKIPPED)


@pytest.mark.parametrize(
    ("now", "since", "until"),
    [(30, -30, 5), (2, -30, 2), (-600, -630, -600)],
    ids=["later", "at once", "from the future"],
)
def test_the_half_hour_before_is_measured_and_never_the_future(now: float, since: float, until: float) -> None:
    meter = Meter({})
    measured(meter, situation(now=at(now)))
    assert {(each.since, each.until) for each in meter.asked} == {(at(since), at(until))}
    assert meter.asked[0].since < MOMENT
