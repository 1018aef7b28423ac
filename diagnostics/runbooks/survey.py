"""The network around both ends of a connection, as far as it could be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import Unread


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """A health probe that a load balancer sends to the members of a pool, from 168.63.129.16.

    Attributes:
        pool: the backend pool whose members it asks.
        port: at the member.
        name: of the probe.
    """

    balancer: ResourceId
    pool: ResourceId
    port: int
    name: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read, and what could not be.

    Attributes:
        configured: the estate as it is configured, nothing of Azure's own answers in it.
        unread: why each resource that should be in it is not.
        unfound: what could not be looked up, such as who has an address, and why.
        health_probes: of the load balancers in it.
    """

    configured: Estate = field(default_factory=Estate)
    unread: tuple[tuple[ResourceId, Unread], ...] = ()
    unfound: tuple[tuple[str, Unread], ...] = ()
    health_probes: tuple[HealthProbe, ...] = ()

    @property
    def gaps(self) -> tuple[str, ...]:
        """All that could not be read or understood, one fact a line."""
        return (
            *(f"{rid.name}: {why}" for rid, why in self.unread),
            *(f"{what}: {why}" for what, why in self.unfound),
            *(f"{problem.where}: {problem.text}" for problem in self.configured.problems),
        )
