"""What is not in the estate is unknown, not absent: cases that the comparison with the interpreter brought up."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.network.estate import BalancingRule, Estate, Frontend, NatGateway
from diagnostics.network.model import Nic, Subnet
from diagnostics.network.path import Path
from diagnostics.network.tags import ServiceTags
from tests.network.builders import (
    admin,
    ask,
    balancer,
    estate,
    network,
    nic,
    nsg,
    peering,
    public_ip,
    rid,
    route,
    rule,
    subnet,
    subnet_id,
    table,
    vm,
)

A, B, NVA = "10.0.1.4", "10.0.2.4", "10.0.9.4"
OUTSIDE, PUBLIC = "203.0.113.9", "20.1.2.3"
POOL = rid("loadBalancers", "lb/backendAddressPools/p")
FRONT = Frontend(rid("loadBalancers", "lb/frontendIPConfigurations/f"), public_ip=rid("publicIPAddresses", "pip"))
INNER = replace(FRONT, public_ip=None, address="10.0.2.100", subnet=subnet_id("v/b"))
WEB = BalancingRule(rid("loadBalancers", "lb/loadBalancingRules/web"), (FRONT.id,), "Tcp", (443, 443), 443, POOL)
NATTED = replace(WEB, pool=None, target=rid("networkInterfaces", "gone/ipConfigurations/ip"))
OPEN = nsg("nsg-b", rule("open", 100, "Allow"))
SHUT = nsg("nsg-b", rule("shut", 100))


def small(*parts: Any, a: Subnet | None = None, **more: Any) -> Estate:
    """Subnets a, b and nva; a's NIC, b's NIC with an NSG, and an appliance."""
    subnets = (
        a or subnet("v/a", "10.0.1.0/24"),
        subnet("v/b", "10.0.2.0/24"),
        subnet("v/nva", "10.0.9.0/24", None, "on"),
    )
    nics = nic("a", A, "v/a"), nic("b", B, "v/b", "nsg-b"), nic("nva", NVA, "v/nva", ip_forwarding=True)
    return estate(network("v", "10.0.0.0/16", *subnets), *nics, nsg("nsg-b"), table("on"), *parts, **more)


def verdict(path: Path) -> tuple[str, str]:
    return path.verdict, " | ".join(reason.text for reason in path.because)


UNREAD = subnet("v/a", "10.0.1.0/24", None, "unread")


@pytest.mark.parametrize(
    ("parts", "a", "destination", "expected"),
    [
        ((), UNREAD, B, "unknown"),
        ((SHUT,), UNREAD, B, "denied"),
        ((), UNREAD, "172.16.0.1", "unknown"),
        ((), replace(UNREAD, private=True), OUTSIDE, "unknown"),
        ((), replace(UNREAD, service_endpoints=("Microsoft.Web",)), OUTSIDE, "unknown"),
    ],
    ids=[
        "may lead anywhere",
        "but not past rules",
        "even where None leads",
        "or around a missing way out",
        "two doubts",
    ],
)
def test_a_route_table_that_is_not_read(parts: tuple[Any, ...], a: Subnet, destination: str, expected: str) -> None:
    assert verdict(ask(small(*parts, a=a), A, destination))[0] == expected


def test_a_network_that_is_not_read_may_lead_anywhere_but_not_past_rules() -> None:
    nics = nic("a", A, "v/a"), nic("b", B, "v/b", "nsg-b")
    assert ask(estate(*nics, SHUT), A, B).verdict == "denied"
    assert ask(estate(*nics, OPEN), A, B).verdict == "unknown"


VIA = table("rt", route("via", "10.0.2.0/24", "VirtualAppliance", NVA))
DROPS = table("on", route("drop", "10.0.2.0/24", "None"))
SECOND = nic("nva2", "10.0.1.9", "v/a", vm="vm-nva", primary=False)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((vm("vm-nva", "nva"),), "denied"),
        ((), "unknown"),
        ((SECOND,), "unknown"),
        ((vm("vm-nva", "nva", "elsewhere"),), "unknown"),
        ((vm("vm-nva", "nva", "elsewhere"), SHUT), "denied"),
    ],
    ids=["all of it is seen", "its VM is not", "its VM is not, a NIC is", "a NIC is not", "rules behind it deny"],
)
def test_an_appliance_that_drops_it_may_have_other_interfaces(parts: tuple[Any, ...], expected: str) -> None:
    known = small(VIA, DROPS, *parts, a=subnet("v/a", "10.0.1.0/24", None, "rt"))
    assert ask(known, A, B).verdict == expected


@pytest.mark.parametrize(
    ("front", "rule_", "listed", "expected"),
    [
        (FRONT, NATTED, (), "unknown"),
        (INNER, NATTED, (), "unknown"),
        (INNER, WEB, ("x",), "unknown"),
        (INNER, WEB, (), "denied"),
    ],
)
def test_behind_a_load_balancer_may_be_what_is_not_in_the_estate(
    front: Frontend, rule_: BalancingRule, listed: tuple[str, ...], expected: str
) -> None:
    members = {POOL: tuple(rid("virtualMachineScaleSets", f"s/ipConfigurations/{name}") for name in listed)}
    known = small(balancer("lb", front, rule_, listed=members), public_ip("pip", PUBLIC))
    assert ask(known, A, front.address or PUBLIC).verdict == expected


def test_a_load_balancer_that_is_not_read_may_lead_out_and_in() -> None:
    pooled = nic("b", B, "v/b", "nsg-b", pools=(POOL,))
    known = small(pooled, OPEN)
    assert verdict(ask(known, B, OUTSIDE)) == (
        "unknown",
        "the way out of b is not known: load balancer lb cannot be seen",
    )
    assert ask(known, OUTSIDE, B).verdict == "unknown"
    assert ask(small(pooled, SHUT), OUTSIDE, B).verdict == "denied"


@pytest.mark.parametrize(("sku", "expected"), [("Standard", "denied"), ("", "unknown"), ("BASIC", "allowed")])
def test_whether_members_have_default_outbound_access_depends_on_the_sku(sku: str, expected: str) -> None:
    known = small(nic("b", B, "v/b", pools=(POOL,)), balancer("lb", INNER, WEB, sku=sku))
    assert ask(known, B, OUTSIDE).verdict == expected


def test_a_load_balancer_leads_in_though_its_public_ip_is_not_read() -> None:
    known = small(nic("b", B, "v/b", "nsg-b", pools=(POOL,)), OPEN, balancer("lb", FRONT, WEB))
    assert ask(known, OUTSIDE, B, 443).verdict == "allowed"
    assert ask(known, OUTSIDE, B, 80).verdict == "denied"


@pytest.mark.parametrize("more", [{"public_ips": (rid("publicIPAddresses", "unread"),)}, {"public_prefixes": (POOL,)}])
def test_it_may_leave_with_an_address_that_is_not_known(more: dict[str, Any]) -> None:
    ips = (rid("publicIPAddresses", "nat-ip"), *more.pop("public_ips", ()))
    nat = NatGateway(rid("natGateways", "nat"), ips, **more)
    only = nsg("nsg-b", rule("only", 100, "Allow", sources="20.9.9.9"), rule("rest", 200))
    inside = nic("b", B, "v/b", "nsg-b", public_ip=rid("publicIPAddresses", "pip"))
    a = subnet("v/a", "10.0.1.0/24", nat_gateway=nat.id)
    known = small(nat, public_ip("nat-ip", "20.9.9.9"), public_ip("pip", PUBLIC), inside, only, a=a)
    assert ask(known, A, PUBLIC).verdict == "unknown"


def test_an_admin_rule_that_perhaps_matches_may_open_a_standard_public_address() -> None:
    inside = nic("b", B, "v/b", public_ip=rid("publicIPAddresses", "pip"))
    perhaps = admin("perhaps", 1, "AlwaysAllow", "v", sources="Mystery")
    assert ask(small(inside, public_ip("pip", PUBLIC), perhaps), OUTSIDE, PUBLIC).verdict == "unknown"
    never = admin("never", 1, "Deny", "v", sources="Mystery")
    assert ask(small(inside, public_ip("pip", PUBLIC), never), OUTSIDE, PUBLIC).verdict == "denied"


def test_a_route_by_tag_may_make_its_addresses_a_part_of_the_network() -> None:
    tags = ServiceTags({"storage": ("20.60.0.0/16",)})
    closed = nsg("nsg-a", rule("no", 100, direction="Outbound", destinations="VirtualNetwork", sources="*"))
    a = subnet("v/a", "10.0.1.0/24", "nsg-a", "rt")
    tagged = table("rt", route("tag", "Storage", "Internet"))
    known = small(closed, tagged, a=a, service_tags=tags)
    assert ask(known, A, "20.60.0.1").verdict == "unknown"
    assert ask(known, A, "20.61.0.1").verdict == "allowed"


def test_a_route_to_an_appliance_may_name_none() -> None:
    known = small(
        table("rt", route("via", "10.0.2.0/24", "VirtualAppliance")), a=subnet("v/a", "10.0.1.0/24", None, "rt")
    )
    assert verdict(ask(known, A, B)) == ("unknown", "route via for 10.0.2.0/24 names no next hop")


def test_a_secondary_interface_needs_a_guest_route_for_the_platform_too() -> None:
    second: Nic = nic("a", A, "v/a", primary=False)
    assert ask(small(second), A, "168.63.129.16").verdict == "unknown"
    assert ask(small(second), "168.63.129.16", A).verdict == "unknown"


def test_whether_a_route_overrides_an_endpoint_depends_on_a_subnet_that_is_not_read() -> None:
    a = subnet("v/a", "10.0.1.0/24", None, "rt")
    home = network("v", "10.0.0.0/16", a, peerings=[peering("w", "10.1.0.0/16")])
    endpoint = nic("pe", "10.1.1.4", "w/x", private_endpoint=rid("privateEndpoints", "pe"))
    hole = table("rt", route("hole", "10.1.0.0/16", "None"))
    assert ask(estate(home, nic("a", A, "v/a"), endpoint, hole), A, "10.1.1.4").verdict == "unknown"
    assert ask(estate(home, nic("a", A, "v/a"), endpoint, table("rt")), A, "10.1.1.4").verdict == "allowed"
