"""Where the engine and the interpreter once differed, and Azure's documentation decided: small cases by name."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.network.estate import BalancingRule, EffectiveRoute, Estate, Frontend, Peering
from diagnostics.network.model import SecurityRule, Subnet
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
    table,
    vm,
)

A, B, NVA = "10.0.1.4", "10.0.2.4", "10.0.9.4"
OUTSIDE, PUBLIC, HOST = "203.0.113.9", "20.1.2.3", "168.63.129.16"
PIP = public_ip("pip", PUBLIC)


def small(*parts: Any, a: Subnet | None = None, b: Subnet | None = None, **more: Any) -> Estate:
    """Subnets a, b and nva with one NIC each; the appliance's VM has no other."""
    subnets = a or subnet("v/a", "10.0.1.0/24", "nsg-a"), b or subnet("v/b", "10.0.2.0/24")
    home = network("v", "10.0.0.0/16", *subnets, subnet("v/nva", "10.0.9.0/24"))
    nics = nic("a", A, "v/a"), nic("b", B, "v/b"), nic("nva", NVA, "v/nva", ip_forwarding=True)
    return estate(home, *nics, nsg("nsg-a"), vm("vm-nva", "nva"), *parts, **more)


def routed(*routes: Any, letter: str = "a", **more: Any) -> dict[str, Any]:
    """A subnet with a route table of these routes."""
    prefix = {"a": "10.0.1.0/24", "b": "10.0.2.0/24"}[letter]
    return {letter: subnet(f"v/{letter}", prefix, None, "rt", **more), "table": table("rt", *routes)}


def with_routes(*parts: Any, service_tags: ServiceTags | None = None, **found: Any) -> Estate:
    rt = found.pop("table")
    return small(rt, *parts, service_tags=service_tags or ServiceTags(), **found)


def texts(path: Path) -> str:
    return " | ".join(reason.text for reason in path.because)


@pytest.mark.parametrize("name", ["DenyAllOutBound", "denyalloutbound", "AllowVnetOutBound"])
def test_a_rule_of_ones_own_may_have_the_name_of_a_default_rule(name: str) -> None:
    own: SecurityRule = rule(name, 4096, direction="Outbound", ports="22", protocol="Tcp")
    known = small(nsg("nsg-a", own))
    assert ask(known, A, B, 22).verdict == "denied"
    assert ask(known, A, B, 443).verdict == "allowed"
    assert ask(small(nsg("nsg-a", own), nic("x", "10.7.0.4", "w/x")), A, "172.16.0.1", 443).verdict == "denied"


HALVES = ServiceTags({"storage": ("20.60.0.0/17", "20.60.128.0/17")})
WHOLE = ServiceTags({"storage": ("20.60.0.0/16",)})


@pytest.mark.parametrize(("tags", "verdict"), [(HALVES, "denied"), (WHOLE, "allowed")])
def test_prefixes_of_a_tag_are_as_long_as_they_are_written(tags: ServiceTags, verdict: str) -> None:
    """Two halves of a prefix are longer than it, and win; the prefix itself yields to an explicit one."""
    routes = route("tag", "Storage", "None"), route("explicit", "20.60.0.0/16", "Internet")
    assert ask(with_routes(**routed(*routes), service_tags=tags), A, "20.60.0.1").verdict == verdict


def told(*rows: tuple[str, str, str]) -> dict[Any, Any]:
    found = tuple(EffectiveRoute("", source, True, (prefix,), kind) for source, prefix, kind in rows)  # noqa: FBT003
    return {rid("networkInterfaces", "a"): found}


def test_the_words_of_effective_routes_are_read_in_any_case() -> None:
    rows = told(("default", "10.0.0.0/16", "vnetlocal"), ("USER", "10.0.0.0/16", "NONE"))
    assert ask(small(effective_routes=rows), A, B).verdict == "denied"
    rows = told(("Default", "10.0.0.0/16", "vnetlocal"), ("virtualnetworkgateway", "10.0.2.0/24", "None"))
    assert ask(small(effective_routes=rows), A, B).verdict == "allowed"


def test_a_global_peering_is_a_peering() -> None:
    rows = told(("Default", "10.1.0.0/16", "VNetGlobalPeering"), ("Default", "10.0.0.0/16", "VnetLocal"))
    sides = peering("w", "10.1.0.0/16"), peering("v", "10.0.0.0/16")
    other = network("w", "10.1.0.0/16", subnet("w/x", "10.1.1.0/24"), peerings=sides[1:])
    home = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24"), peerings=sides[:1])
    known = estate(home, other, nic("a", A, "v/a"), nic("x", "10.1.1.4", "w/x"), effective_routes=rows)
    assert ask(known, A, "10.1.1.4").verdict == "allowed"


def test_what_is_for_the_next_hop_itself_is_not_forwarded() -> None:
    found = routed(route("via", "10.0.0.0/16", "VirtualAppliance", NVA))
    assert ask(with_routes(nic("nva", NVA, "v/nva", ip_forwarding=False), **found), A, NVA).verdict == "allowed"
    back = routed(route("via", "10.0.0.0/16", "VirtualAppliance", B))
    assert ask(with_routes(**back), B, A).verdict == "allowed"


def hub(*, forwarded: bool, next_hop: str, endpoint: bool = False) -> Estate:
    """A spoke's flow comes to the hub's appliance, whose next hop is in another spoke."""
    to_hub: Peering = peering("hub", "10.0.0.0/16", allows_forwarded=forwarded)
    spoke1 = network("s1", "10.1.0.0/16", subnet("s1/a", "10.1.1.0/24", None, "rt"), peerings=[to_hub])
    spoke2 = network("s2", "10.2.0.0/16", subnet("s2/b", "10.2.1.0/24", None, "back"), peerings=[to_hub])
    sides = [peering("s1", "10.1.0.0/16"), peering("s2", "10.2.0.0/16")]
    home = network("hub", "10.0.0.0/16", subnet("hub/nva", "10.0.9.0/24", None, "on"), peerings=sides)
    tables = (
        table("rt", route("via", "10.2.0.0/16", "VirtualAppliance", NVA)),
        table("back", route("via", "10.1.0.0/16", "VirtualAppliance", NVA)),
        table("on", *([route("on", "10.2.0.0/16", "VirtualAppliance", next_hop)] if next_hop else ())),
    )
    nics = (
        nic("a", "10.1.1.4", "s1/a"),
        nic("nva", NVA, "hub/nva", ip_forwarding=True),
        nic("nva2", "10.2.1.9", "s2/b", ip_forwarding=True),
        nic("b", "10.2.1.4", "s2/b", private_endpoint=rid("privateEndpoints", "pe") if endpoint else None),
    )
    return estate(spoke1, spoke2, home, *tables, *nics, vm("vm-nva", "nva"), vm("vm-nva2", "nva2"))


@pytest.mark.parametrize(("next_hop", "endpoint"), [("10.2.1.9", False), ("", False), ("", True)])
def test_every_peering_may_refuse_what_an_appliance_forwards(next_hop: str, endpoint: bool) -> None:  # noqa: FBT001
    known = hub(forwarded=False, next_hop=next_hop, endpoint=endpoint)
    assert ask(known, "10.1.1.4", "10.2.1.4").verdict == "denied"
    assert "does not take" in texts(ask(known, "10.1.1.4", "10.2.1.4"))
    known = hub(forwarded=True, next_hop=next_hop, endpoint=endpoint)
    assert ask(known, "10.1.1.4", "10.2.1.4").verdict == "unknown"


POOL = rid("loadBalancers", "lb/backendAddressPools/p")
FRONT = Frontend(rid("loadBalancers", "lb/frontendIPConfigurations/f"), public_ip=PIP.id)
WEB = BalancingRule(rid("loadBalancers", "lb/loadBalancingRules/web"), (FRONT.id,), "Tcp", (443, 443), 443, POOL)


@pytest.mark.parametrize(("stopped", "verdict"), [(("b",), "allowed"), (("a", "b"), "denied")])
def test_a_public_load_balancer_passes_over_members_that_do_not_run(stopped: tuple[str, ...], verdict: str) -> None:
    members = nic("a", A, "v/a", pools=(POOL,)), nic("b", B, "v/b", pools=(POOL,))
    machines = [vm(f"vm-{name}", name, state="deallocated") for name in stopped]
    open_ = nsg("nsg-a", rule("web", 100, "Allow"))
    known = small(*members, *machines, open_, PIP, balancer("lb", FRONT, WEB, sku="Basic"))
    assert ask(known, OUTSIDE, PUBLIC).verdict == verdict


def test_a_machine_that_does_not_run_does_not_reach_itself() -> None:
    assert ask(small(), A, A).verdict == "allowed"
    assert ask(small(vm("vm-a", "a", state="stopped")), A, A).verdict == "denied"


def test_an_answer_that_is_delivered_elsewhere_is_lost() -> None:
    other = network("w", "10.1.0.0/16", subnet("w/x", "10.1.1.0/24"), peerings=[peering("v", "10.0.0.0/16")])
    found = routed(route("local", "10.1.0.0/16", "VnetLocal"))
    home = network("v", "10.0.0.0/16", found["a"], peerings=[peering("w", "10.1.0.0/16")])
    known = estate(home, other, found["table"], nic("a", A, "v/a"), nic("x", "10.1.1.4", "w/x"))
    assert texts(ask(known, "10.1.1.4", A)) == "on the way back, it is delivered where x is not"
    assert ask(known, "10.1.1.4", A).verdict == "denied"


@pytest.mark.parametrize("address", ["10.77.0.1", ""])
def test_an_answer_to_the_internet_by_an_unseen_appliance_is_astray(address: str) -> None:
    found = routed(route("all", "0.0.0.0/0", "VirtualAppliance", address))
    inside = nic("a", A, "v/a", "nsg-a", public_ip=PIP.id)
    known = with_routes(inside, PIP, nsg("nsg-a", rule("web", 100, "Allow")), **found)
    assert ask(known, OUTSIDE, PUBLIC).verdict == "denied"


def test_so_it_is_by_a_load_balancer_with_a_member_that_is_not_in_the_estate() -> None:
    front = replace(FRONT, public_ip=None, address="10.0.2.100", subnet=rid("virtualNetworks", "v/subnets/b"))
    everything = replace(WEB, protocol="All", ports=(0, 0), backend_port=0)
    unseen = {POOL: (rid("networkInterfaces", "gone/ipConfigurations/ip"),)}
    found = routed(route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.2.100"))
    parts = nic("a", A, "v/a", "nsg-a", public_ip=PIP.id), PIP, nsg("nsg-a", rule("web", 100, "Allow"))
    known = with_routes(*parts, balancer("lb", front, everything, listed=unseen), **found)
    assert ask(known, OUTSIDE, PUBLIC).verdict == "denied"


def test_admin_rules_filter_the_platform_only_by_its_tags() -> None:
    by_tag = admin("no-dns", 1, "Deny", "v", direction="Outbound", destinations="AzurePlatformDNS")
    assert ask(small(by_tag), A, HOST, 53).verdict == "denied"
    assert ask(small(by_tag), A, HOST, 80).verdict == "allowed"
    assert ask(small(replace(by_tag, rule=rule("all", 1, direction="Outbound"))), A, HOST, 53).verdict == "allowed"


def test_a_rule_about_dns_says_nothing_of_what_has_no_ports() -> None:
    known = small(nsg("nsg-a", rule("no-dns", 100, direction="Outbound", destinations="AzurePlatformDNS")))
    assert ask(known, A, HOST, None, "Icmp").verdict == "allowed"
