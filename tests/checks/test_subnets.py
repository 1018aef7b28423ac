"""Checks of subnets: without NSG, too small, full, empty, with service endpoints."""

import pytest

from tests.checks.audited import Body, Told, audited, nic, nsg, ref, resource, subnet, told, vnet

NONE = Told([], [])
WEB = ref("subnet", "vnet-1", "web")
GROUP: Body = {"networkSecurityGroup": ref("nsg", "g")}
ENDPOINT = {"id": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe"}


def handed_to(service: str) -> Body:
    return {"delegations": [{"properties": {"serviceName": service}}]}


@pytest.mark.parametrize(
    ("name", "properties", "found"),
    [
        ("web", {}, ["web"]),
        ("web", GROUP, []),
        ("GATEWAYSUBNET", {}, []),
        ("AzureFirewallSubnet", {}, []),
        ("AzureFirewallManagementSubnet", {}, []),
        ("RouteServerSubnet", {}, []),
        ("AzureBastionSubnet", {}, []),
        ("anf", handed_to("microsoft.netapp/Volumes"), []),
        ("sql", handed_to("Microsoft.Sql/managedInstances"), ["sql"]),
    ],
)
def test_subnets_without_nsg(name: str, properties: Body, found: list[str]) -> None:
    assert told("NET002", [nsg("g"), vnet("vnet-1", subnet(name, "10.0.0.0/24", **properties))]) == Told(found, [])


@pytest.mark.parametrize(
    ("nics", "complete", "severity"),
    [
        pytest.param([nic("n", "10.0.0.4", WEB)], True, "medium", id="a machine"),
        pytest.param([], True, "low", id="nothing"),
        pytest.param([], False, "medium", id="perhaps nothing"),
        pytest.param([nic("n", "10.0.0.4", WEB, **GROUP)], True, "info", id="each has its own"),
        pytest.param([nic("n", "10.0.0.4", WEB, **GROUP), nic("m", "10.0.0.5", WEB)], True, "medium", id="one not"),
        pytest.param([nic("n", "10.0.0.4", WEB, privateEndpoint=ENDPOINT)], True, "low", id="private endpoints"),
    ],
)
def test_who_is_in_it_makes_it_worse_or_better(nics: list[Body], complete: bool, severity: str) -> None:  # noqa: FBT001
    made = audited("NET002", [nsg("g"), vnet("vnet-1", subnet("web", "10.0.0.0/24")), *nics], complete=complete)
    assert [found.severity for found in made.findings] == [severity]


def several(number: int) -> list[Body]:
    return [nic(f"n{i}", f"10.0.0.{i}", WEB) for i in range(4, 4 + number)]


@pytest.mark.parametrize(
    ("name", "properties", "number", "found"),
    [
        pytest.param("web", {"addressPrefix": "10.0.0.0/28"}, 9, [], id="9 of 11"),
        pytest.param("web", {"addressPrefix": "10.0.0.0/28"}, 10, ["web"], id="10 of 11"),
        pytest.param(
            "web", {"addressPrefix": None, "addressPrefixes": ["10.0.0.0/28", "10.0.1.0/28"]}, 10, [], id="two prefixes"
        ),
        pytest.param("web", {"addressPrefixes": ["10.0.0.0/28", "fd00::/64"]}, 10, ["web"], id="IPv6 gives no IPv4"),
        pytest.param("GatewaySubnet", {"addressPrefix": "10.0.0.0/29"}, 3, [], id="Azure's own"),
        pytest.param(
            "web",
            {"ipConfigurations": [ref("nic", f"vmss{i}") for i in range(3)], "addressPrefix": "10.0.0.0/29"},
            0,
            ["web"],
            id="a scale set's",
        ),
    ],
)
def test_full_subnets(name: str, properties: Body, number: int, found: list[str]) -> None:
    made = subnet(name, "10.0.0.0/28", **properties)
    assert told("NET014", [vnet("vnet-1", made), *several(number)], complete=False) == Told(found, [])


def test_second_configurations_of_ipv6_take_no_ipv4_address() -> None:
    inner = {"privateIPAddressVersion": "IPv6", "subnet": WEB}
    v6 = resource("nic", "v6", {"ipConfigurations": [{"name": f"i{n}", "properties": inner} for n in range(3)]})
    assert told("NET014", [vnet("vnet-1", subnet("web", "10.0.0.0/29")), v6]) == NONE


PEERED: Body = {"virtualNetworkPeerings": [{"name": "p", "properties": {"remoteVirtualNetwork": ref("vnet", "hub")}}]}
GATEWAY = {"type": "Microsoft.Network/applicationGateways", "name": "agw", "properties": {}}


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([vnet("vnet-1", subnet("web", "10.0.0.0/24"))], True, Told(["vnet-1"], []), id="all of it"),
        pytest.param([vnet("vnet-1")], True, Told(["vnet-1"], []), id="no subnet"),
        pytest.param([vnet("vnet-1", **PEERED)], True, NONE, id="a peering"),
        pytest.param([vnet("vnet-1", subnet("web", "10.0.0.0/24"))], False, Told([], ["vnet-1"]), id="not known"),
        pytest.param(
            [vnet("vnet-1", subnet("web", "10.0.0.0/24"), provisioningState="Succeeded")],
            False,
            Told(["vnet-1"], []),
            id="Azure says so",
        ),
        pytest.param(
            [vnet("vnet-1", subnet("web", "10.0.0.0/24")), GATEWAY],
            True,
            Told([], ["vnet-1"]),
            id="a gateway",
        ),
        pytest.param(
            [vnet("vnet-1", subnet("web", "10.0.0.0/24"), subnet("old", "10.0.1.0/24")), *several(1)],
            True,
            Told(["vnet-1"], []),
            id="one subnet",
        ),
        pytest.param(
            [
                vnet(
                    "vnet-1",
                    subnet("web", "10.0.0.0/24"),
                    subnet("apps", "10.0.1.0/24", **handed_to("Microsoft.Web/serverFarms")),
                    subnet("GatewaySubnet", "10.0.2.0/24"),
                    subnet("snet-agw", "10.0.3.0/24"),
                ),
                *several(1),
            ],
            True,
            NONE,
            id="services may be in it",
        ),
    ],
)
def test_empty_networks_and_subnets(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NET015", resources, complete=complete) == expected


@pytest.mark.parametrize(
    ("name", "prefixes", "severities"),
    [
        ("AzureBastionSubnet", ["10.0.0.0/27"], ["medium"]),
        ("azurebastionsubnet", ["10.0.0.0/26"], []),
        ("GatewaySubnet", ["10.0.0.0/28"], ["low"]),
        ("GatewaySubnet", ["10.0.0.0/27"], []),
        ("GatewaySubnet", ["10.0.0.0/29", "10.0.1.0/27", "fd00::/64"], []),
        ("AzureFirewallSubnet", ["10.0.0.0/27"], ["medium"]),
        ("RouteServerSubnet", ["10.0.0.0/28"], ["medium"]),
        ("web", ["10.0.0.0/29"], []),
        ("AzureBastionSubnet", ["fd00::/64"], []),
    ],
)
def test_subnets_that_are_too_small(name: str, prefixes: list[str], severities: list[str]) -> None:
    made = {"name": name, "properties": {"addressPrefixes": prefixes}}
    assert [found.severity for found in audited("NET017", [vnet("vnet-1", made)]).findings] == severities


def test_service_endpoints_are_one_finding_for_a_network() -> None:
    using = {"serviceEndpoints": [{"service": "Microsoft.Storage"}, {"service": "Microsoft.Sql"}]}
    home = vnet("vnet-1", subnet("a", "10.0.0.0/24", **using), subnet("b", "10.0.1.0/24", **using))
    (found,) = audited("NET020", [home, vnet("vnet-2", subnet("c", "10.0.0.0/24"))]).findings
    assert [cause.text for cause in found.because] == [
        "subnet a: Microsoft.Sql, Microsoft.Storage",
        "subnet b: Microsoft.Sql, Microsoft.Storage",
    ]
