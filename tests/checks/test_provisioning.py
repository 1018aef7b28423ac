"""Provisioning states, of whatever is Failed, on its way, or does not say."""

import pytest

from diagnostics.checks.provisioning import failed_nic
from diagnostics.findings import Confidence, Severity
from tests.checks.audited import Body, audited, estate, resource, told

KINDS = {"NIC001": "nic", "NSG001": "nsg", "UDR001": "table", "NET001": "vnet", "PIP001": "public"}


def with_state(kind: str, state: str | None) -> list[Body]:
    return [resource(kind, "it", {"provisioningState": state} if state else {})]


@pytest.mark.parametrize(("check", "kind"), KINDS.items())
@pytest.mark.parametrize(
    ("state", "found", "unclear"),
    [
        ("Failed", True, False),
        ("failed", True, False),
        ("Succeeded", False, False),
        ("Canceled", False, False),
        (None, False, True),
    ],
)
def test_states(check: str, kind: str, state: str | None, *, found: bool, unclear: bool) -> None:
    said = told(check, with_state(kind, state))
    assert (said.found, said.unclear) == (["it"] if found else [], ["it"] if unclear else [])


@pytest.mark.parametrize("check", [*KINDS, "NIC002"])
@pytest.mark.parametrize("state", ["Updating", "deleting", "Creating", "Migrating"])
def test_an_operation_that_has_not_ended_is_perhaps_a_fault(check: str, state: str) -> None:
    findings = audited(check, with_state(KINDS.get(check, "nic"), state)).findings
    told_here = [] if check == "NIC001" else [(Severity.LOW, Confidence.POSSIBLE)]  # NIC002 tells it of NICs
    assert [(finding.severity, finding.confidence) for finding in findings] == told_here


@pytest.mark.parametrize(
    ("check", "title"), [("NSG001", "NSG it"), ("UDR001", "Route table it"), ("NIC002", "Network")]
)
def test_what_does_not_come_to_an_end_is_called_what_it_is(check: str, title: str) -> None:
    (finding,) = audited(check, with_state(KINDS.get(check, "nic"), "Updating")).findings
    assert finding.title.startswith(title)


@pytest.mark.parametrize(
    ("check", "command"),
    [("NSG001", "nsg"), ("UDR001", "route-table"), ("NET001", "vnet"), ("PIP001", "public-ip")],
)
def test_what_failed_is_written_once_more_unchanged(check: str, command: str) -> None:
    (finding,) = audited(check, with_state(KINDS[check], "Failed")).findings
    *_, last = finding.remedy.az_cli.splitlines()
    assert last == f"az network {command} update --ids {finding.resource.id}"


def test_a_failed_nic_is_the_same_finding_wherever_it_is_come_upon() -> None:
    resources = with_state("nic", "Failed")
    (finding,) = audited("NIC001", resources).findings
    (nic,) = estate(resources).nics.values()
    other = failed_nic(nic, Confidence.POSSIBLE)
    assert (finding.finding_id, finding.title, finding.remedy) == (other.finding_id, other.title, other.remedy)
