"""Bodies of ARM become the model: unions of singular and plural, what is missing, gateways and routes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm, copies_default, same_address
from diagnostics.network.security import DEFAULTS

GROUP = "/subscriptions/s1/resourceGroups/rg/providers/"
NIC = f"{GROUP}Microsoft.Network/networkInterfaces/nic-1"
SUBNET = f"{GROUP}Microsoft.Network/virtualNetworks/vnet/subnets/a"
VM = f"{GROUP}Microsoft.Compute/virtualMachines/web-1"


def body(rid: str, **properties: Any) -> bytes:
    return json.dumps({"id": rid, "name": "x", "etag": 'W/"1"', "location": "weu", "properties": properties}).encode()


def subnet(*prefixes: str) -> Subnet:
    return Subnet(ResourceId.parse(SUBNET), prefixes, None, None)


@pytest.mark.parametrize(
    ("properties", "prefixes"),
    [
        ({"addressPrefix": "10.0.0.0/24"}, ("10.0.0.0/24",)),
        ({"addressPrefixes": ["10.0.0.0/24", "fd00::/64"]}, ("10.0.0.0/24", "fd00::/64")),
        ({"addressPrefix": "10.0.0.0/24", "addressPrefixes": []}, ("10.0.0.0/24",)),
        (
            {"addressPrefix": "10.0.0.0/24", "addressPrefixes": ["10.0.0.0/24", "fd00::/64"]},
            ("10.0.0.0/24", "fd00::/64"),
        ),
        ({"addressPrefix": None, "addressPrefixes": None}, ()),
        ({}, ()),
    ],
)
def test_prefixes_are_a_union(properties: dict[str, Any], prefixes: tuple[str, ...]) -> None:
    assert Subnet.decode(body(SUBNET, **properties)).prefixes == prefixes


@pytest.mark.parametrize(
    ("prefixes", "address", "gateway"),
    [
        (("10.0.2.0/24",), "10.0.2.4", "10.0.2.1"),
        (("10.0.2.0/24", "10.0.3.0/25"), "10.0.3.9", "10.0.3.1"),
        (("10.0.2.0/24", "fd00:1::/64"), "fd00:1::4", "fd00:1::1"),
        (("10.0.2.128/29",), "10.0.2.132", "10.0.2.129"),
        (("10.0.2.4/31",), "10.0.2.5", None),
        (("10.0.2.4/32",), "10.0.2.4", None),
        (("10.0.2.0/24",), "10.0.3.4", None),
        (("10.0.2.0/24",), "fd00::4", None),
        (("nonsense",), "10.0.2.4", None),
        (("10.0.2.0/24",), "db.example", None),
        ((), "10.0.2.4", None),
    ],
)
def test_the_gateway_is_the_first_usable_address(prefixes: tuple[str, ...], address: str, gateway: str | None) -> None:
    assert subnet(*prefixes).gateway(address) == gateway


@pytest.mark.parametrize(
    ("routes", "address", "name"),
    [
        ({"all": "0.0.0.0/0", "narrow": "10.1.0.0/16", "wide": "10.0.0.0/8"}, "10.1.2.3", "narrow"),
        ({"all": "0.0.0.0/0", "host": "10.1.2.3/32"}, "10.1.2.3", "host"),
        ({"all": "0.0.0.0/0", "tag": "AzureCloud.westeurope"}, "10.1.2.3", "all"),
        ({"all": "0.0.0.0/0", "six": "::/0"}, "2001:db8::1", "six"),
        ({"tag": "Storage"}, "10.1.2.3", None),
        ({"all": "0.0.0.0/0"}, "db.example", None),
        ({"bits": "10.1.2.3/16"}, "10.1.0.1", "bits"),
        ({}, "10.1.2.3", None),
    ],
)
def test_the_longest_prefix_wins(routes: dict[str, str], address: str, name: str | None) -> None:
    listed = [{"name": n, "properties": {"addressPrefix": p, "nextHopType": "None"}} for n, p in routes.items()]
    route = RouteTable.decode(body(f"{GROUP}Microsoft.Network/routeTables/t", routes=listed)).route_to(address)
    assert (route.name if route else None) == name


@pytest.mark.parametrize(
    ("codes", "state", "running"),
    [
        (["ProvisioningState/succeeded", "PowerState/running"], "running", True),
        (["PowerState/deallocated"], "deallocated", False),
        (["powerstate/Stopped"], "Stopped", False),
        (["ProvisioningState/failed/Timeout"], None, None),
        (["PowerState/unknown"], None, None),
        (["PowerState/"], None, None),
        ([], None, None),
        (None, None, None),
    ],
)
def test_power_states(codes: list[str] | None, state: str | None, running: bool | None) -> None:  # noqa: FBT001
    statuses = None if codes is None else [{"code": code, "level": "Info"} for code in codes]
    vm = Vm.decode(body(VM, instanceView={"statuses": statuses}))
    assert (vm.power_state, vm.running) == (state, running)


@pytest.mark.parametrize(
    ("primaries", "first"),
    [([False, True], "nic-1"), ([True, False], "nic-0"), ([None, None], "nic-0"), ([None, True], "nic-1")],
)
def test_the_primary_nic_comes_first(primaries: list[bool | None], first: str) -> None:
    nics = [
        {"id": f"{NIC[:-1]}{i}", **({} if primary is None else {"properties": {"primary": primary}})}
        for i, primary in enumerate(primaries)
    ]
    vm = Vm.decode(body(VM, networkProfile={"networkInterfaces": nics}))
    assert vm.nics[0].name == first
    assert len(vm.nics) == 2


@pytest.mark.parametrize("kind", [Nic, Vm, Subnet, SecurityGroup, RouteTable])
def test_almost_everything_may_be_missing(kind: Any) -> None:
    rid = VM if kind is Vm else NIC
    bare = kind.decode(json.dumps({"id": rid}).encode())
    assert bare.id.text == rid
    assert kind.decode(body(rid, futureProperty={"a": 1})).id == bare.id


def test_a_nic() -> None:
    configurations = [
        {"name": "v4", "properties": {"privateIPAddress": "10.0.0.4", "primary": True, "subnet": {"id": SUBNET}}},
        {"name": "v6", "properties": {"privateIPAddressVersion": "IPv6"}},
    ]
    nic = Nic.decode(
        body(
            NIC,
            provisioningState="FAILED",
            virtualMachine={"id": VM.upper().replace("/SUBSC", "/subsc")},
            primary=False,
        )
    )
    assert (nic.failed, nic.primary, nic.vm) == (True, False, ResourceId.maybe(VM.replace("/sub", "/sub")))
    nic = Nic.decode(body(NIC, ipConfigurations=configurations, networkSecurityGroup={"id": "not an id"}))
    assert [(c.name, c.address) for c in nic.ip_configurations] == [("v4", "10.0.0.4"), ("v6", None)]
    assert (nic.owns("10.0.0.4"), nic.owns("10.0.0.5"), nic.security_group, nic.failed) == (True, False, None, False)


@pytest.mark.parametrize(
    ("settings", "servers"),
    [
        ({"dnsSettings": {"dnsServers": ["10.0.0.5", "10.0.0.6"]}}, ("10.0.0.5", "10.0.0.6")),
        ({"dnsSettings": {"dnsServers": [], "internalDomainNameSuffix": "x"}}, ()),
        ({"dnsSettings": {"dnsServers": None}}, ()),
        ({"dnsSettings": None}, ()),
        ({}, ()),
    ],
)
def test_dns_servers_of_a_nic(settings: dict[str, Any], servers: tuple[str, ...]) -> None:
    assert Nic.decode(body(NIC, **settings)).dns_servers == servers


def test_rules_by_name_and_direction() -> None:
    own = [
        {"name": "Deny-RDP", "properties": {"priority": 100, "direction": way, "access": "Deny"}}
        for way in ("Inbound", "Outbound")
    ]
    default = [{"name": "DenyAllInBound", "properties": {"priority": 65500, "direction": "Inbound", "access": "Deny"}}]
    rid = f"{GROUP}Microsoft.Network/networkSecurityGroups/nsg"
    group = SecurityGroup.decode(body(rid, securityRules=own, defaultSecurityRules=default))
    found = group.rule("deny-rdp", "OUTBOUND")
    assert found is not None
    assert (found.direction, found.default) == ("Outbound", False)
    assert group.rule("denyallinbound") == group.rules[-1]
    assert group.rule("denyallinbound", "Outbound") is None


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"{", "$: not readable as JSON"),
        (b"{}", "$: Object missing required field `id`"),
        (b'{"id": 5}', "$.id: Expected `str`, got `int`: 5"),
        (b'{"id": "nic"}', "$.id: 'nic'"),
        (body(NIC, ipConfigurations=5), "$.properties.ipConfigurations: Expected `array | null`, got `int`: 5"),
        (
            body(NIC, ipConfigurations=[{}, {"properties": {"primary": "yes"}}]),
            "$.properties.ipConfigurations[1].properties.primary: Expected `bool | null`, got `str`: 'yes'",
        ),
        (b"[" * 100_000, "$"),
    ],
)
def test_what_does_not_fit_is_named_by_path_and_value(broken: bytes, said: str) -> None:
    with pytest.raises(ParseError) as error:
        Nic.decode(broken)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.4", "10.0.0.4", True),
        ("fd00::4", "FD00:0:0::4", True),
        ("10.0.0.4", "10.0.0.40", False),
        ("10.0.0.0/28", "10.0.0.0/28", False),
        (None, None, False),
        ("", "", False),
        ("db", "db", False),
    ],
)
def test_same_address(one: str | None, other: str | None, same: bool) -> None:  # noqa: FBT001
    assert same_address(one, other) is same


def test_copies_of_default_rules_are_nobodys_own() -> None:
    copies = [replace(rule, name=rule.name.upper(), default=False) for rule in DEFAULTS]
    own = [replace(copies[0], priority=4_096), replace(copies[0], name="mine")]
    group = SecurityGroup(
        ResourceId.parse(f"{GROUP}Microsoft.Network/networkSecurityGroups/nsg"), (*own, *copies, *DEFAULTS)
    )
    assert all(map(copies_default, copies))
    assert [*group.own] == own
