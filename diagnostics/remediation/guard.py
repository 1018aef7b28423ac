"""The guard: may this network interface be put back, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diagnostics.intake.messages import RemediationRequest
from diagnostics.settings import RemediationMode


class Verdict(StrEnum):
    """What the guard says."""

    GO = "go"
    SAY = "say"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The guard's verdict and why: go ahead, only say what would be done, or refuse."""

    verdict: Verdict
    why: str


def rule(request: RemediationRequest, mode: RemediationMode, provisioning_state: str) -> Ruling:
    """Decide about a request.

    Args:
        request: what is asked for; its resource lies in scope already.
        mode: what the owner allows.
        provisioning_state: of the NIC, read just now.
    """
    if mode is RemediationMode.OFF:
        return Ruling(Verdict.REFUSE, "VMREACH_REMEDIATION_MODE is off")
    if provisioning_state.lower() != "failed":
        return Ruling(Verdict.REFUSE, f"its provisioning state is {provisioning_state or 'not given'}, not Failed")
    if mode is RemediationMode.DRY_RUN:
        return Ruling(Verdict.SAY, "VMREACH_REMEDIATION_MODE is dry-run")
    if mode is RemediationMode.APPROVE and not (request.approved_by or "").strip():
        return Ruling(Verdict.SAY, "it waits for approval")
    by = f", approved by {request.approved_by}" if request.approved_by else ""
    return Ruling(Verdict.GO, f"VMREACH_REMEDIATION_MODE is {mode}{by}")
