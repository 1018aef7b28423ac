"""What is said of a failed NIC that is not put back, or was."""

import shlex

import pytest

from diagnostics.checks.provisioning import failed_nic
from diagnostics.findings import Confidence, Finding, Status
from diagnostics.intake.messages import RemediationRequest
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.runbooks.diagnosis import after_reput, not_put_back_yet
from diagnostics.runbooks.step import passed

NIC = ResourceId.parse("/subscriptions/s/resourceGroups/it's/providers/Microsoft.Network/networkInterfaces/nic-1")
STEPS = (passed("Read it again", "Failed → Succeeded"),)


@pytest.fixture
def finding() -> Finding:
    nic = Nic(NIC, "westeurope", "Failed", vm=None, primary=None, security_group=None, ip_configurations=())
    return failed_nic(nic, Confidence.PROVEN)


def test_the_command_that_approves_is_a_request_that_can_be_read(finding: Finding) -> None:
    request = RemediationRequest.to_reput(NIC, finding.finding_id, "today")
    said = not_put_back_yet(finding, STEPS, "it waits for approval", to_approve=request)
    words = shlex.split(said.remedy.az_cli)
    approval = RemediationRequest.read(words[words.index("--content") + 1].encode())
    assert (approval.request_id, approval.resource) == (request.request_id, NIC)
    assert approval.approved_by


def test_a_dry_run_says_why_and_what_a_person_can_do(finding: Finding) -> None:
    said = not_put_back_yet(finding, STEPS, "VMREACH_REMEDIATION_MODE is dry-run")
    assert said.title.endswith("but VMREACH_REMEDIATION_MODE is dry-run")
    assert said.remedy.az_cli == finding.remedy.az_cli != ""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.REMEDIATED, "was put back"),
        (Status.RESOLVED, "is in order again"),
        (Status.REMEDIATION_FAILED, "could not be put back"),
    ],
)
def test_the_title_says_what_is_so_now(finding: Finding, status: Status, words: str) -> None:
    told = after_reput(finding, status, STEPS)
    assert words in told.title
    assert bool(told.remedy.az_cli) == (status is Status.REMEDIATION_FAILED)
