"""The sweep: finds failed NICs, asks for their remediation, and closes the findings of those that have healed."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec

from diagnostics.checks.provisioning import FAILED_NIC, failed_nic
from diagnostics.contracts import Inventory, Known, Outbox, Store
from diagnostics.engine.gate import Gate
from diagnostics.engine.publish import OVER, Publisher, started
from diagnostics.errors import NotFoundError, OutOfScopeError, TemporaryError, VmreachError
from diagnostics.findings import Confidence, Finding, Status
from diagnostics.intake.messages import RemediationRequest
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.settings import RemediationMode

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Resource Graph names candidates; each is confirmed by a GET before anything is said of it."""

    inventory: Inventory
    store: Store
    publisher: Publisher
    outbox: Outbox
    mode: RemediationMode
    gate: Gate

    def run(self) -> None:
        """Sweep once.

        Raises:
            TemporaryError: some subscriptions or NICs could not be read or told of; all others were.
        """
        unreadable = frozenset(map(str.lower, self.inventory.unreadable()))
        missed = {subscription: f"subscription {subscription} can't be read" for subscription in sorted(unreadable)}
        candidates = self.inventory.failed_nics()
        confirmed = {nic.key for nic in candidates if self._one(nic, missed)}
        for known in self.store.open_findings(check=FAILED_NIC):
            nic = ResourceId.parse(known.finding.resource.id)
            if known.finding.status in OVER:
                self._end(known.finding, missed)
            elif nic.key not in confirmed and nic.subscription not in unreadable:
                self._close_if_healed(known, nic, missed)
        _log.info("sweep: %d candidates, %d failed NICs", len(candidates), len(confirmed))
        if missed:
            raise TemporaryError(f"sweep: {len(missed)} missed: {'; '.join([*missed.values()][:5])}")

    def tell(self, finding: Finding, *, holder: str, alert_id: str | None = None) -> None:
        """Tell of a failed NIC and ask for its remediation, which waits for no sink that is away."""
        try:
            known = self.publisher.publish(finding, holder=holder, alert_id=alert_id)
        except TemporaryError:
            noted = self.store.finding(finding.finding_id)
            if noted is not None:
                self._ask_for_remediation(noted)
            raise
        self._ask_for_remediation(known)

    def _ask_for_remediation(self, known: Known) -> None:
        """Enqueue the remediation of a failed NIC, once in each episode of its failure."""
        if self.mode is RemediationMode.OFF or known.finding.status is not Status.OPEN:
            return
        nic = ResourceId.parse(known.finding.resource.id)
        self.outbox.remediation(RemediationRequest.to_reput(nic, known.finding.finding_id, started(known)))

    def _one(self, nic_id: ResourceId, missed: dict[str, str]) -> bool:
        """Whether the candidate is a failed NIC indeed; then it is told of."""
        try:
            self.gate.require(nic_id)
            nic = Nic.decode(self.inventory.body(nic_id))
            if nic.failed:
                finding = failed_nic(nic, Confidence.PROVEN)
                self.tell(finding, holder=finding.finding_id)
        except (NotFoundError, OutOfScopeError) as error:
            _log.info("sweep: %s", error)
            return False
        except VmreachError as error:
            missed[nic_id.key] = f"{nic_id.name}: {error}"
            return False
        return nic.failed

    def _close_if_healed(self, known: Known, nic_id: ResourceId, missed: dict[str, str]) -> None:
        """Resource Graph lags, so that a NIC is not among the candidates proves nothing: its own state does."""
        try:
            self.gate.require(nic_id)
            if self._healed(nic_id):
                self._end(msgspec.structs.replace(known.finding, status=Status.RESOLVED), missed)
        except OutOfScopeError as error:
            _log.info("sweep: %s", error)
        except VmreachError as error:
            missed[nic_id.key] = f"{nic_id.name}: {error}"

    def _end(self, finding: Finding, missed: dict[str, str]) -> None:
        """Tell the end of a finding to the sinks that have not heard it."""
        try:
            self.publisher.publish(finding, holder=finding.finding_id)
        except VmreachError as error:
            missed[finding.finding_id] = f"{finding.resource.name}: {error}"

    def _healed(self, nic_id: ResourceId) -> bool:
        try:
            return Nic.decode(self.inventory.body(nic_id)).provisioning_state.lower() == "succeeded"
        except NotFoundError:
            return True  # what is deleted can't fail any more
