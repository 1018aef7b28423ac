"""Checks of NICs: without NSG, forwarding for nobody, belonging to nothing, at odds with their VM; their settings."""

import pytest

from diagnostics.checks.nics_settings import accelerates
from tests.checks.audited import Body, Told, audited, nic, nsg, public_ip, ref, resource, subnet, table, told, vm, vnet

WEB = ref("subnet", "vnet-1", "web")
PLAIN = vnet("vnet-1", subnet("web", "10.0.0.0/24"), subnet("data", "10.0.1.0/24"))
GUARDED = vnet("vnet-1", subnet("web", "10.0.0.0/24", networkSecurityGroup=ref("nsg", "NSG-1")))
NONE = Told([], [])
ENDPOINT = {"id": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe"}
VOLUMES = [{"properties": {"serviceName": "Microsoft.NetApp/volumes"}}]
NETAPP = vnet("vnet-1", subnet("anf", "10.0.0.0/24", delegations=VOLUMES))


def pooled(address: str) -> list[Body]:
    """An internal load balancer whose member is nic-1."""
    front = {"name": "front", "properties": {"privateIPAddress": address, "subnet": WEB}}
    balancer = resource("balancer", "lb", {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "p"}]})
    member = {"loadBalancerBackendAddressPools": [ref("pool", "lb", "p")]}
    return [balancer, nic("nic-1", "10.0.0.4", WEB, "vm-1", member, enableIPForwarding=True)]


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([PLAIN, nic("nic-1", "10.0.0.4", WEB)], True, Told(["nic-1"], []), id="nowhere"),
        pytest.param([GUARDED, nsg("nsg-1"), nic("nic-1", "10.0.0.4", WEB)], True, NONE, id="at the subnet"),
        pytest.param(
            [PLAIN, nsg("g"), nic("nic-1", "10.0.0.4", WEB, networkSecurityGroup=ref("nsg", "g"))],
            True,
            NONE,
            id="at it",
        ),
        pytest.param([nic("nic-1", "10.0.0.4", WEB)], False, Told([], ["nic-1"]), id="subnet not known"),
        pytest.param(
            [PLAIN, nic("nic-1", "10.0.0.4", WEB, privateEndpoint=ENDPOINT)],
            True,
            NONE,
            id="private endpoint",
        ),
        pytest.param(
            [
                NETAPP,
                nic("nic-1", "10.0.0.4", ref("subnet", "vnet-1", "anf")),
            ],
            True,
            NONE,
            id="service that allows none",
        ),
    ],
)
def test_nics_before_which_no_nsg_stands(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NIC003", resources, complete=complete) == expected


@pytest.mark.parametrize(("sku", "severity"), [("Basic", "high"), ("Standard", "medium")])
def test_a_basic_public_ip_makes_it_worse_and_a_standard_one_does_not(sku: str, severity: str) -> None:
    public = {"publicIPAddress": ref("public", "pip")}
    resources = [PLAIN, public_ip("pip", sku=sku), nic("nic-1", "10.0.0.4", WEB, "", public)]
    (found,) = audited("NIC003", resources).findings
    assert found.severity == severity
    assert found.because[-1].text.startswith(f"public IP pip is of SKU {sku}")


def test_one_of_three_configurations_is_enough() -> None:
    subnets = [subnet("web", "10.0.0.0/24", networkSecurityGroup=ref("nsg", "g")), subnet("data", "10.0.1.0/24")]
    listed = [
        {"name": f"ip{n}", "properties": {"privateIPAddress": address, "subnet": ref("subnet", "vnet-1", name)}}
        for n, (address, name) in enumerate((("10.0.0.4", "web"), ("10.0.0.5", "web"), ("10.0.1.4", "data")))
    ]
    resources = [vnet("vnet-1", *subnets), nsg("g"), resource("nic", "nic-1", {"ipConfigurations": listed})]
    assert told("NIC003", resources).found == ["nic-1"]


FORWARDS = nic("nic-1", "10.0.0.4", WEB, "vm-1", enableIPForwarding=True)


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([PLAIN, FORWARDS], True, Told(["nic-1"], []), id="no route"),
        pytest.param([PLAIN, FORWARDS], False, Told([], ["nic-1"]), id="route tables not known"),
        pytest.param([PLAIN, FORWARDS, table("rt", ("::/0", "VirtualAppliance", "10.0.0.4"))], True, NONE, id="one"),
        pytest.param(
            [PLAIN, FORWARDS, table("rt", ("0.0.0.0/1", "VirtualAppliance", "10.0.0.5"))],
            True,
            Told(["nic-1"], []),
            id="a route to another",
        ),
        pytest.param(
            [PLAIN, *pooled("10.0.0.9"), table("rt", ("0.0.0.0/0", "VirtualAppliance", "10.0.0.9"))],
            True,
            NONE,
            id="behind the load balancer that a route names",
        ),
        pytest.param(
            [
                PLAIN,
                FORWARDS,
                nic("nic-2", "10.0.1.4", ref("subnet", "vnet-1", "data"), "vm-1", enableIPForwarding=True),
                vm("vm-1", "nic-1", "nic-2"),
                table("rt", ("0.0.0.0/0", "VirtualAppliance", "10.0.1.4")),
            ],
            True,
            NONE,
            id="the other side of an appliance",
        ),
        pytest.param([PLAIN, nic("nic-1", "10.0.0.4", WEB, "vm-1")], False, NONE, id="off"),
    ],
)
def test_nics_that_forward_for_nobody(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NIC004", resources, complete=complete) == expected


@pytest.mark.parametrize(
    ("owner", "extra", "severity"),
    [
        ("vm-app", [], "medium"),
        ("vm-Firewall-01", [], "low"),
        ("vm-app", [subnet("RouteServerSubnet", "10.0.9.0/27")], "low"),
    ],
)
def test_a_name_or_a_route_server_makes_it_better(owner: str, extra: list[Body], severity: str) -> None:
    home = vnet("vnet-1", subnet("web", "10.0.0.0/24"), *extra)
    (found,) = audited("NIC004", [home, nic("nic-1", "10.0.0.4", WEB, owner, enableIPForwarding=True)]).findings
    assert found.severity == severity


DELEGATED = vnet("vnet-1", subnet("web", "10.0.0.0/24", delegations=[{"properties": {"serviceName": "Microsoft.X/y"}}]))


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([PLAIN, nic("nic-1", "10.0.0.4", WEB)], False, Told(["nic-1"], []), id="Azure's own body"),
        pytest.param(
            [PLAIN, nic("nic-1", "10.0.0.4", WEB, provisioningState="")], False, Told([], ["nic-1"]), id="a template's"
        ),
        pytest.param([PLAIN, nic("nic-1", "10.0.0.4", WEB), vm("vm-1", "NIC-1")], True, NONE, id="a VM names it"),
        pytest.param([PLAIN, nic("nic-1", "10.0.0.4", WEB, "vm-1")], True, NONE, id="it names a VM"),
        pytest.param([DELEGATED, nic("nic-1", "10.0.0.4", WEB)], True, NONE, id="a service's"),
        pytest.param([PLAIN, nic("aadds-1-nic", "10.0.0.4", WEB)], True, NONE, id="domain services"),
    ],
)
def test_nics_that_belong_to_nothing(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NIC005", resources, complete=complete) == expected


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([vm("vm-1", "gone")], True, Told(["vm-1"], []), id="it does not exist"),
        pytest.param([vm("vm-1", "gone")], False, Told([], ["vm-1"]), id="it may exist"),
        pytest.param([nic("n", "10.0.0.4", WEB, "vm-2"), vm("vm-1", "n")], True, Told(["vm-1"], []), id="another's"),
        pytest.param(
            [nic("n", "10.0.0.4", WEB, "vm-1"), nic("m", "10.0.0.5", WEB, "vm-1"), vm("vm-1", "n")],
            True,
            Told(["vm-1"], []),
            id="the VM does not name it",
        ),
        pytest.param([nic("n", "10.0.0.4", WEB, "VM-1"), vm("vm-1", "N")], True, NONE, id="both, in other case"),
        pytest.param([nic("n", "10.0.0.4", WEB), vm("vm-1", "n")], True, NONE, id="the NIC leaves the VM out"),
    ],
)
def test_vms_and_nics_that_disagree(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NIC010", resources, complete=complete) == expected


def test_public_addresses_on_a_nic_are_one_finding() -> None:
    listed = [
        {
            "name": f"ip{n}",
            "properties": {"privateIPAddress": f"10.0.0.{n}", "publicIPAddress": ref("public", f"pip-{n}")},
        }
        for n in (4, 5)
    ]
    (found,) = audited("NIC007", [resource("nic", "nic-1", {"ipConfigurations": listed})]).findings
    assert found.title == "Network interface nic-1 has public IP pip-4, pip-5 of its own"


@pytest.mark.parametrize(
    ("network", "own", "expected"),
    [
        (["10.0.0.10"], ["10.0.0.11"], Told(["vnet-1"], [])),
        (["10.0.0.10", "10.0.0.11"], ["10.0.0.11", "10.0.0.10"], NONE),
        ([], ["AzureProvidedDNS"], NONE),
        (["10.0.0.10"], ["AzureProvidedDNS"], Told(["vnet-1"], [])),
        (["10.0.0.10"], [], NONE),
    ],
)
def test_servers_of_a_nic(network: list[str], own: list[str], expected: Told) -> None:
    home = vnet("vnet-1", subnet("web", "10.0.0.0/24"), dhcpOptions={"dnsServers": network})
    asking = [nic(f"nic-{n}", f"10.0.0.{n}", WEB, dnsSettings={"dnsServers": own}) for n in (4, 5)]
    assert told("NIC008", [home, *asking]) == expected
    commands = [each.remedy.az_cli for each in audited("NIC008", [home, *asking]).findings]
    assert all(line.endswith(" --dns-servers null") for each in commands for line in each.splitlines())
    assert told("NIC008", asking, complete=False).unclear == (["nic-4", "nic-5"] if own else [])


@pytest.mark.parametrize(
    ("size", "has"),
    [
        ("Standard_D4s_v5", True),
        ("standard_e8-4ads_v5", True),
        ("Standard_F8s_v2", True),
        ("Standard_M64ms", True),
        ("Standard_D2s_v3", False),
        ("Standard_DS3_v2", False),
        ("Standard_DC4as_v5", False),
        ("Standard_B8ms", False),
        ("Standard_NC24", False),
        ("", False),
    ],
)
def test_sizes_that_surely_have_accelerated_networking(size: str, has: bool) -> None:  # noqa: FBT001
    assert accelerates(size) is has


@pytest.mark.parametrize(("on", "found"), [(False, ["vnet-1"]), (True, []), (None, [])])
def test_accelerated_networking_is_told_once_for_a_network(on: bool | None, found: list[str]) -> None:  # noqa: FBT001
    said: Body = {} if on is None else {"enableAcceleratedNetworking": on}
    nics = [nic(f"nic-{n}", f"10.0.0.{n}", WEB, f"vm-{n}", **said) for n in (4, 5)]
    size: Body = {"hardwareProfile": {"vmSize": "Standard_D8s_v5"}}
    assert told("NIC009", [PLAIN, *nics, *(vm(f"vm-{n}", f"nic-{n}", **size) for n in (4, 5))]) == Told(found, [])
