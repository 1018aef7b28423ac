"""The gate: nothing outside `VMREACH_SCOPES` is looked at or touched, whoever asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from diagnostics.contracts import Clock, Inventory
from diagnostics.errors import OutOfScopeError
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import FlowCheck
from diagnostics.runbooks.probing import CheckConnectivity, Probing, VerifyFlow
from diagnostics.scopes import Scopes

_FRESH = timedelta(minutes=10)


class Gate:
    """Decides whether a resource lies in scope; asks Azure only where management groups are among the scopes."""

    def __init__(self, scopes: Scopes, inventory: Inventory, clock: Clock) -> None:
        self._scopes, self._inventory, self._clock = scopes, inventory, clock
        self._members: tuple[datetime, frozenset[str]] | None = None

    def require(self, resource: ResourceId) -> None:
        """Raise OutOfScopeError unless the resource lies in scope."""
        holds = self._scopes.holds(resource)
        if holds is None:
            holds = resource.subscription in self._subscriptions()
        if not holds:
            raise OutOfScopeError(f"{resource} lies outside VMREACH_SCOPES")

    def require_all(self, question: Probing[Any]) -> None:
        """Raise OutOfScopeError unless all that a probe is about lies in scope."""
        self.require(question.subject)
        match question:
            case CheckConnectivity(Probe(destination=ResourceId() as destination)):
                self.require(destination)
            case VerifyFlow(FlowCheck(nic=ResourceId() as nic)):
                self.require(nic)

    def _subscriptions(self) -> frozenset[str]:
        now = self._clock.now()
        if self._members is None or now - self._members[0] > _FRESH:
            self._members = now, self._inventory.subscriptions_below(self._scopes.management_groups)
        return self._members[1]
