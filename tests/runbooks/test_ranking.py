"""Many findings become a few causes."""

from __future__ import annotations

import pytest

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Resource, Severity, Status
from diagnostics.runbooks.ranking import ranked

TABLE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/routeTables/rt"
ROUTE = Cause(kind="route", text="Network Watcher: UserDefinedRoute", name="to-fw", resource_id=TABLE)


def finding(
    check: str,
    confidence: Confidence = Confidence.LIKELY,
    *because: Cause,
    fault: str = "",
    severity: Severity = Severity.HIGH,
    status: Status = Status.OPEN,
    command: str = "",
) -> Finding:
    return Finding(
        finding_id=fault or check,
        check=check,
        title=f"{check} {confidence}",
        severity=severity,
        status=status,
        confidence=confidence,
        resource=Resource(id="/vm", name="vm", type="vm"),
        because=because,
        remedy=Remedy(summary="mend it", az_cli=command),
    )


@pytest.mark.parametrize(
    ("found", "order"),
    [
        ([finding("CON003", Confidence.POSSIBLE), finding("CON001", Confidence.PROVEN)], ["CON001", "CON003"]),
        ([finding("CON021", Confidence.PROVEN), finding("CON009", Confidence.POSSIBLE)], ["CON009", "CON021"]),
        (
            [finding("CON003", severity=Severity.MEDIUM), finding("CON001", severity=Severity.HIGH)],
            ["CON001", "CON003"],
        ),
        ([finding("CON002"), finding("CON001")], ["CON002", "CON001"]),
        (
            [finding("CON001", Confidence.PROVEN, status=Status.RESOLVED), finding("CON003", Confidence.POSSIBLE)],
            ["CON003", "CON001"],
        ),
    ],
    ids=["surest first", "a hindrance is no cause", "worst first", "else as found", "what is gone is no cause"],
)
def test_the_surest_cause_stands_first(found: list[Finding], order: list[str]) -> None:
    assert [each.check for each in ranked(found)] == order


def test_one_fault_told_twice_is_one_finding_with_all_that_speaks_for_it() -> None:
    configured = finding(
        "CON001", Confidence.LIKELY, Cause(kind="security-rule", text="by configuration"), command="az"
    )
    probed = finding("CON001", Confidence.PROVEN, Cause(kind="probe", text="by the probe"))
    (one,) = ranked([configured, probed])
    assert (one.confidence, one.remedy.az_cli) == (Confidence.PROVEN, "az")
    assert [cause.text for cause in one.because] == ["by the probe", "by configuration"]


def test_what_a_later_check_says_is_gone_is_gone() -> None:
    (one,) = ranked([finding("CON001"), finding("CON001", status=Status.RESOLVED)])
    assert one.status is Status.RESOLVED


def test_a_route_to_a_bad_appliance_is_told_with_the_appliance() -> None:
    route = finding("CON002", Confidence.PROVEN, ROUTE, Cause(kind="probe", text="Unreachable"))
    appliance = finding("CON018", Confidence.LIKELY, Cause(kind="power", text="fw is off", name="fw"), ROUTE)
    (one,) = ranked([route, appliance])
    assert (one.check, one.confidence) == ("CON018", Confidence.PROVEN)
    assert [cause.kind for cause in one.because] == ["power", "route", "probe"]


def test_another_route_stays() -> None:
    other = Cause(kind="route", text="drops it", name="blackhole", resource_id=TABLE)
    found = ranked([finding("CON002", Confidence.LIKELY, other), finding("CON018", Confidence.LIKELY, ROUTE)])
    assert [each.check for each in found] == ["CON002", "CON018"]
