"""Between networks: peerings, gateways, and addresses that two networks use."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.estate import (
    Connection,
    Estate,
    Gateway,
    LocalGateway,
)
from diagnostics.network.reach import reach
from tests.network.builders import (
    NVA,
    A,
    B,
    ask,
    estate,
    flow,
    network,
    nic,
    nsg,
    peering,
    point,
    rid,
    route,
    rule,
    small,
    subnet,
    subnet_id,
    table,
    told,
    vm,
)

OUTSIDE = "203.0.113.9"


def peered(there: dict[str, Any], back: dict[str, Any] | None = None, *parts: object) -> Estate:
    back = there if back is None else back
    one = network("v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24"), peerings=[peering("w", "10.1.0.0/16", **there)])
    two = network(
        "w", "10.1.0.0/16", subnet("w/b", "10.1.1.0/24", "nsg-w"), peerings=[peering("v", "10.0.0.0/16", **back)]
    )
    return estate(one, two, nic("a", A, "v/a"), nic("b", "10.1.1.4", "w/b"), nsg("nsg-w"), *parts)


PEERINGS = [
    ("connected", {}, None, "allowed", "AllowVnetInBound"),
    ("disconnected", {"state": "Disconnected"}, None, "denied", "drops it"),
    ("half", {"state": "Initiated"}, {"state": "Initiated"}, "denied", ""),
    ("without access", {"allows_access": False}, None, "denied", "DenyAllInBound"),
    ("access from one side", {}, {"allows_access": False}, "denied", "DenyAllInBound"),
]


@pytest.mark.parametrize(
    ("there", "back", "verdict", "because"), [p[1:] for p in PEERINGS], ids=[p[0] for p in PEERINGS]
)
def test_peerings(there: dict[str, Any], back: dict[str, Any] | None, verdict: str, because: str) -> None:
    path = ask(peered(there, back), A, "10.1.1.4")
    assert path.verdict == verdict
    assert because in told(path)[1]


@pytest.mark.parametrize(("forwarded", "verdict"), [(True, "unknown"), (False, "denied")])
def test_a_peering_may_refuse_what_an_appliance_forwards(forwarded: bool, verdict: str) -> None:  # noqa: FBT001
    spoke1 = network(
        "s1",
        "10.1.0.0/16",
        subnet("s1/a", "10.1.1.0/24", None, "rt"),
        peerings=[peering("hub", "10.0.0.0/16", allows_forwarded=True)],
    )
    spoke2 = network(
        "s2",
        "10.2.0.0/16",
        subnet("s2/b", "10.2.1.0/24", None, "rt"),
        peerings=[peering("hub", "10.0.0.0/16", allows_forwarded=forwarded)],
    )
    to_spokes = [peering("s1", "10.1.0.0/16"), peering("s2", "10.2.0.0/16")]
    hub = network("hub", "10.0.0.0/16", subnet("hub/nva", "10.0.9.0/24"), peerings=to_spokes)
    via = table("rt", route("via", "10.0.0.0/8", "VirtualAppliance", NVA))
    nics = [nic("a", "10.1.1.4", "s1/a"), nic("b", "10.2.1.4", "s2/b"), nic("nva", NVA, "hub/nva", ip_forwarding=True)]
    path = ask(estate(spoke1, spoke2, hub, via, *nics, vm("vm-nva", "nva")), "10.1.1.4", "10.2.1.4")
    assert path.verdict == verdict


def test_spokes_do_not_reach_each_other_through_a_hub() -> None:
    spoke1 = network("s1", "10.1.0.0/16", subnet("s1/a", "10.1.1.0/24"), peerings=[peering("hub", "10.0.0.0/16")])
    spoke2 = network("s2", "10.2.0.0/16", subnet("s2/b", "10.2.1.0/24"), peerings=[peering("hub", "10.0.0.0/16")])
    known = estate(spoke1, spoke2, nic("a", "10.1.1.4", "s1/a"), nic("b", "10.2.1.4", "s2/b"))
    assert told(ask(known, "10.1.1.4", "10.2.1.4"))[0] == "denied"


ONPREM = "192.168.7.7"
GATEWAY = Gateway(rid("virtualNetworkGateways", "gw"), subnet_id("v/GatewaySubnet"), "Vpn")
LINK = Connection(rid("connections", "c"), GATEWAY.id, rid("localNetworkGateways", "office"))


def with_gateway(*parts: object, gateway: Gateway = GATEWAY) -> Estate:
    home = network(
        "v", "10.0.0.0/16", subnet("v/a", "10.0.1.0/24", "nsg-a"), subnet("v/GatewaySubnet", "10.0.255.0/27")
    )
    return estate(home, nic("a", A, "v/a"), nsg("nsg-a"), gateway, LINK, *parts)


def test_a_gateway_leads_out_of_sight() -> None:
    office = LocalGateway(rid("localNetworkGateways", "office"), ("192.168.0.0/16",))
    verdict, because = told(ask(with_gateway(office), A, ONPREM))
    assert verdict == "unknown"
    assert "behind the virtual network gateway" in because


def test_what_a_gateway_learnt_by_bgp_is_not_known() -> None:
    verdict, because = told(ask(with_gateway(gateway=replace(GATEWAY, bgp=True)), A, ONPREM))
    assert verdict == "unknown"
    assert "gateway gw learnt" in because


def test_from_on_premises_rules_can_still_deny() -> None:
    closed = nsg("nsg-a", rule("no", 100, sources="192.168.0.0/16"))
    assert told(ask(with_gateway(closed), ONPREM, A))[0] == "denied"
    assert (
        told(ask(with_gateway(LocalGateway(rid("localNetworkGateways", "office"), ("192.168.0.0/16",))), ONPREM, A))[0]
        == "unknown"
    )


def test_overlapping_networks_need_to_be_told_apart() -> None:
    twin = network("w", "10.0.0.0/16", subnet("w/a", "10.0.1.0/24"))
    known = small(twin, nic("twin", A, "w/a"))
    with pytest.raises(ParseError, match="several NICs"):
        ask(known, A, B)
    assert reach(known, flow(A, B), source=point(known, "a")).verdict == "allowed"
    assert reach(known, flow(A, B), source=point(known, "twin")).verdict == "unknown"
