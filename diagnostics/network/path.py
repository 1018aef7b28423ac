"""The path of a flow as it is told: hops in the shape of Network Watcher's answer, and the reasons for the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from diagnostics.network.ids import ResourceId
from diagnostics.network.security import Verdict


class Kind(StrEnum):
    """What a reason is about."""

    ADMIN_RULE = "admin-rule"
    SECURITY_RULE = "security-rule"
    NO_SECURITY_GROUP = "no-security-group"
    ROUTE = "route"
    APPLIANCE = "appliance"
    LOAD_BALANCER = "load-balancer"
    PUBLIC_ADDRESS = "public-address"
    WAY_OUT = "way-out"
    GUEST = "guest"
    POWER = "power"
    DELIVERY = "delivery"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that decides.

    Attributes:
        text: one sentence for a person.
        name: the rule, route or resource that decides.
        resource: what to look at: the NSG, the route table, the NIC.
        missing: what would have to be known, where the verdict is unknown.
    """

    kind: Kind
    verdict: Verdict
    text: str
    name: str = ""
    resource: ResourceId | None = None
    missing: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """The reason as JSON."""
        known = {"kind": self.kind, "verdict": self.verdict, "text": self.text, "name": self.name}
        resource = {"resourceId": str(self.resource)} if self.resource else {}
        return known | resource | ({"missing": sorted(self.missing)} if self.missing else {})


@dataclass(frozen=True, slots=True)
class Hop:
    """One place that a flow passes.

    Attributes:
        type: `Source`, `Destination`, `VirtualAppliance`, `LoadBalancer`, `PublicAddress`, `VirtualNetworkPeering`,
            `VirtualNetworkGateway`, `Internet`, …
        reasons: what was decided here, in order.
        next: the ids of the hops behind it; more than one where there is a choice.
    """

    id: str
    type: str
    address: str = ""
    resource: ResourceId | None = None
    reasons: tuple[Reason, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def issues(self) -> tuple[Reason, ...]:
        """What stands in the way here, or may."""
        return tuple(reason for reason in self.reasons if reason.verdict is not Verdict.ALLOWED)

    def to_json(self, previous: Iterable[str] = ()) -> dict[str, Any]:
        """The hop as JSON, in the shape of a connectivity check's hop."""
        return {
            "id": self.id,
            "type": self.type,
            "address": self.address,
            "resourceId": str(self.resource or ""),
            "nextHopIds": list(self.next),
            "previousHopIds": list(previous),
            "decisions": [reason.to_json() for reason in self.reasons],
            "issues": [reason.to_json() for reason in self.issues],
        }


@dataclass(frozen=True, slots=True)
class Path:
    """What becomes of a connection, and why.

    Attributes:
        verdict: the connection's: there and back.
        because: what decides, in order: all that denies where it is denied, all that leaves it open where it is
            unknown, all that lets it through where it is allowed.
        back: the way of the answer; None where it ends outside of the estate.
    """

    verdict: Verdict
    because: tuple[Reason, ...]
    hops: tuple[Hop, ...]
    back: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """The path as JSON."""
        before: dict[str, list[str]] = {}
        for hop in self.hops:
            for behind in hop.next:
                before.setdefault(behind, []).append(hop.id)
        return {
            "verdict": self.verdict,
            "because": [reason.to_json() for reason in self.because],
            "hops": [hop.to_json(before.get(hop.id, ())) for hop in self.hops],
            "return": self.back.to_json() if self.back else None,
        }


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of what must all be allowed."""
    found = set(verdicts)
    if Verdict.DENIED in found:
        return Verdict.DENIED
    return Verdict.UNKNOWN if Verdict.UNKNOWN in found else Verdict.ALLOWED
