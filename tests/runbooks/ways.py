"""What may stand between web-1 and the internet: NAT gateways, load balancers, appliances."""

from __future__ import annotations

from typing import Any

from diagnostics.runbooks.outside.way_out import way_out
from diagnostics.runbooks.situation import Situation
from tests.runbooks.outward import Json, Outside, body, home, machine, part, ref, rid, subnet, table, vm

ROUTE, WAY = "Default route", "Way out of Azure"
WEB_1 = vm("web-1", "web")
PIP = body("publicIPAddresses", "pip", sku="Standard", ipAddress="203.0.113.7")
NAT = body("natGateways", "nat", publicIpAddresses=[ref("publicIPAddresses", "pip")])
BEHIND_NAT: dict[str, Any] = {"natGateway": ref("natGateways", "nat")}
PRIVATE: dict[str, Any] = {"defaultOutboundAccess": False}
HAS_PIP: dict[str, Any] = {"publicIPAddress": ref("publicIPAddresses", "pip")}
FRONT, POOL = (
    rid("loadBalancers", "lb/frontendIPConfigurations/front"),
    rid("loadBalancers", "lb/backendAddressPools/p"),
)
MEMBER: dict[str, Any] = {"loadBalancerBackendAddressPools": [{"id": POOL}]}


def balancer(*, sku: str = "Standard", outbound: bool = False, snat: bool = False) -> Json:
    """A public load balancer whose pool web-1 is in."""
    rules = [
        part("loadBalancers/lb/loadBalancingRules", "web", frontendIPConfiguration={"id": FRONT}, protocol="Tcp",
             frontendPort=443, backendPort=443, backendAddressPool={"id": POOL}, disableOutboundSnat=not snat)
    ]  # fmt: skip
    out = [
        part("loadBalancers/lb/outboundRules", "out", frontendIPConfigurations=[{"id": FRONT}], protocol="All",
             backendAddressPool={"id": POOL})
    ]  # fmt: skip
    return body(
        "loadBalancers", "lb", sku=sku,
        frontendIPConfigurations=[
            part("loadBalancers/lb/frontendIPConfigurations", "front", publicIPAddress=ref("publicIPAddresses", "pip"))
        ],
        backendAddressPools=[part("loadBalancers/lb/backendAddressPools", "p")],
        loadBalancingRules=rules, outboundRules=out if outbound else [],
    )  # fmt: skip


def appliance(name: str = "fw", address: str = "10.0.9.4", *, forwards: bool = True, **more: Any) -> Json:
    nic = machine(name, "v/fw", address, **more)
    return nic | {"properties": nic["properties"] | {"enableIPForwarding": forwards}}


def inner_balancer(*members: str, port: int = 0) -> Json:
    """An internal load balancer at 10.0.9.100 before appliances."""
    front = rid("loadBalancers", "ilb/frontendIPConfigurations/f")
    pool = rid("loadBalancers", "ilb/backendAddressPools/p")
    listed = [{"properties": {"ipAddress": member}} for member in members]
    return body(
        "loadBalancers", "ilb", sku="Standard",
        frontendIPConfigurations=[
            part("loadBalancers/ilb/frontendIPConfigurations", "f", privateIPAddress="10.0.9.100",
                 subnet=ref("virtualNetworks", "v/subnets/fw"))
        ],
        backendAddressPools=[part("loadBalancers/ilb/backendAddressPools", "p", loadBalancerBackendAddresses=listed)],
        loadBalancingRules=[
            part("loadBalancers/ilb/loadBalancingRules", "ha", frontendIPConfiguration={"id": front},
                 protocol="Tcp" if port else "All", frontendPort=port, backendPort=port,
                 backendAddressPool={"id": pool})
        ],
    )  # fmt: skip


FW_NET = subnet("fw", "10.0.9.0/24", **PRIVATE, **BEHIND_NAT)
TO_FW = table("rt", out="0.0.0.0/0 VirtualAppliance 10.0.9.4")
TO_ILB = table("rt", out="0.0.0.0/0 VirtualAppliance 10.0.9.100")
ROUTED = home(FW_NET, table="rt", **PRIVATE)
OFF = vm("vm-fw", "fw", state="stopped")


def run(*surveyed: Json, address: str | None = "8.8.8.8", **more: Any) -> Situation:
    world = Outside((WEB_1, *surveyed), address=address, **more)
    return world.run(way_out(world.situation(), address))
