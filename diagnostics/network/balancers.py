"""Load balancers as the engine sees them: frontends, pools, rules and health probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from diagnostics.network.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Frontend:
    """A frontend of a load balancer: a public IP, or a private address in a subnet."""

    id: ResourceId
    address: str | None = None
    subnet: ResourceId | None = None
    public_ip: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class BalancingRule:
    """A load-balancing, inbound NAT or outbound rule.

    Attributes:
        protocol: `Tcp`, `Udp`, or `All` (high-availability ports, and outbound rules).
        ports: frontend ports, first and last; (0, 0) is every port.
        backend_port: the port at the member that the first frontend port is translated to; 0 leaves ports alone.
        pool: the backend pool, or None for a NAT rule to one IP configuration.
        target: the IP configuration of an inbound NAT rule.
        snat: whether a load-balancing rule gives its members outbound access.
        floating: whether members see the frontend's address and port (direct server return).
        one_port: whether every frontend port leads to the backend port itself, each to another member (an inbound NAT
            rule for a pool).
        probe: the health probe that decides which members get anything.
    """

    id: ResourceId
    frontends: tuple[ResourceId, ...]
    protocol: str = "All"
    ports: tuple[int, int] = (0, 0)
    backend_port: int = 0
    pool: ResourceId | None = None
    target: ResourceId | None = None
    snat: bool = True
    floating: bool = False
    one_port: bool = False
    probe: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """A health probe of a load balancer.

    Attributes:
        protocol: `Tcp`, `Http`, `Https`, as Azure spells it.
        port: at the member; 0 where the body does not say.
    """

    id: ResourceId
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer.

    Attributes:
        pools: its backend pools: the addresses of members that are given by address, by pool id.
        rules: load-balancing and inbound NAT rules.
        listed: the IP configurations that each pool says are in it; those of scale sets are not in the estate.
        probes: its health probes, by id.
    """

    id: ResourceId
    sku: str = ""
    frontends: tuple[Frontend, ...] = ()
    pools: Mapping[ResourceId, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    rules: tuple[BalancingRule, ...] = ()
    outbound_rules: tuple[BalancingRule, ...] = ()
    listed: Mapping[ResourceId, tuple[ResourceId, ...]] = field(default_factory=lambda: MappingProxyType({}))
    probes: Mapping[ResourceId, HealthProbe] = field(default_factory=lambda: MappingProxyType({}))
