"""What of a VM the internet reaches: over both NSGs, public addresses and load balancers."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.checks.audit import audit
from diagnostics.network.estate import AdminRule
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityRule
from tests.checks.audited import Body, audited, estate, nic, nsg, public_ip, ref, resource, rule, subnet, told, vm, vnet

SSH = rule("ssh", 100, "Allow", destinationPortRange="22")
SQL = rule("sql", 110, "Allow", destinationPortRanges=["1433", "445"])
WEB = rule("web", 120, "Allow", destinationPortRanges=["80", "443"])
BROAD = rule("broad", 120, "Allow", destinationPortRange="123-3500")
ALL = rule("all", 100, "Allow", protocol="*")
OFFICE = rule("ssh", 100, "Allow", sourceAddressPrefix="203.0.113.0/24", destinationPortRange="22")
RDP = rule("rdp", 110, "Allow", destinationPortRange="3389")
DATA = ["RPC, NetBIOS and SMB (TCP 135, 137-139, 445)", "SQL Server (TCP 1433)"]
HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
PUBLIC = {"publicIPAddress": ref("public", "pip")}


def machine(
    *rules: Body,
    on_nic: tuple[Body, ...] | None = None,
    sku: str = "Standard",
    configuration: Body | None = None,
    bare: bool = False,
    **options: Any,
) -> list[Body]:
    """A VM with a public address in a subnet with an NSG of these rules; its NIC may have another NSG."""
    own = {} if on_nic is None else {"networkSecurityGroup": ref("nsg", "nsg-nic")}
    group = {} if bare else {"networkSecurityGroup": ref("nsg", "nsg-subnet")}
    return [
        vnet("vnet", subnet("web", "10.0.1.0/24", **group)),
        *([] if bare else [nsg("nsg-subnet", *rules)]),
        *([] if on_nic is None else [nsg("nsg-nic", *on_nic)]),
        public_ip("pip", sku=sku),
        vm("vm-1", "nic-1", **options),
        nic("nic-1", "10.0.1.4", ref("subnet", "vnet", "web"), "vm-1", configuration or PUBLIC, **own),
    ]


def balanced(outside: int, inside: int, sku: str = "Standard", *, bare: bool = False) -> list[Body]:
    """A VM behind a load balancer with a rule from one port to another."""
    balancer = "[resourceId('Microsoft.Network/loadBalancers', 'lb')]"[1:-1]
    front = {"name": "front", "properties": {"publicIPAddress": ref("public", "pip")}}
    terms = {
        "frontendIPConfiguration": {"id": f"[concat({balancer}, '/frontendIPConfigurations/front')]"},
        "backendAddressPool": {"id": f"[concat({balancer}, '/backendAddressPools/pool')]"},
        "protocol": "Tcp",
        "frontendPort": outside,
        "backendPort": inside,
    }
    body = {
        "frontendIPConfigurations": [front],
        "backendAddressPools": [{"name": "pool", "properties": {}}],
        "loadBalancingRules": [{"name": "in", "properties": terms}],
    }
    member = {"loadBalancerBackendAddressPools": [ref("pool", "lb", "pool")]}
    made = machine(SSH, configuration=member, sku=sku, bare=bare)
    return [*made, resource("balancer", "lb", body, sku={"name": sku})]


def titles(check: str, resources: list[Body], *, complete: bool = True) -> list[str]:
    return [each.title for each in audited(check, resources, complete=complete).findings]


BEGIN = "vm-1 can be reached from the internet on "


@pytest.mark.parametrize(
    ("check", "resources", "found"),
    [
        pytest.param("EXP001", machine(SSH), ["SSH (TCP 22)"], id="SSH"),
        pytest.param("EXP001", machine(SSH, on_nic=(SSH,)), ["SSH (TCP 22)"], id="both NSGs open it"),
        pytest.param("EXP001", machine(SSH, on_nic=()), [], id="the NIC's NSG closes it"),
        pytest.param("EXP001", machine(on_nic=(SSH,)), [], id="the subnet's NSG closes it"),
        pytest.param("EXP001", machine(OFFICE), [], id="for an office"),
        pytest.param("EXP001", machine(OFFICE, on_nic=(SSH,)), [], id="one NSG for an office, one for everybody"),
        pytest.param("EXP001", machine(SSH, configuration={"primary": True}), [], id="no public address"),
        pytest.param("EXP001", machine(rule("no", 90, "Deny"), SSH), [], id="Deny above"),
        pytest.param(
            "EXP001",
            machine(rule("no", 90, "Deny", sourceAddressPrefix="internet"), SSH),
            [],
            id="Deny of the internet above: what the tag leaves out is Azure's own",
        ),
        pytest.param(
            "EXP001",
            machine(rule("h", 90, "Allow", sourceAddressPrefixes=HALVES, destinationPortRange="22")),
            ["SSH (TCP 22)"],
            id="two halves",
        ),
        pytest.param(
            "EXP001",
            machine(rule("i", 90, "Allow", sourceAddressPrefix="INTERNET", destinationPortRanges=["20-23"])),
            ["SSH (TCP 22)", "Telnet (TCP 23)"],
            id="a finding for each service",
        ),
        pytest.param("EXP001", machine(ALL, on_nic=(SSH,)), ["SSH (TCP 22)"], id="what both open together"),
        pytest.param("EXP001", machine(ALL), [], id="every port is told by EXP003"),
        pytest.param(
            "EXP001",
            balanced(50001, 22),
            ["SSH (TCP 22 through public port 50001)"],
            id="by another port of a load balancer",
        ),
        pytest.param("EXP001", balanced(80, 8080), [], id="the load balancer leads elsewhere"),
        pytest.param(
            "EXP002",
            machine(SQL),
            ["RPC, NetBIOS and SMB (TCP 445)", "SQL Server (TCP 1433)"],
            id="data and files",
        ),
        pytest.param("EXP002", machine(SSH, WEB), [], id="no data"),
        pytest.param("EXP003", machine(ALL), ["every port"], id="every port"),
        pytest.param(
            "EXP003",
            machine(BROAD),
            ["TCP 123-3500: among them RDP, SMB, SQL Server and 4 more"],
            id="a broad range with administration and data",
        ),
        pytest.param("EXP001", machine(BROAD), [], id="a broad range is told by EXP003"),
        pytest.param("EXP002", machine(BROAD), [], id="a broad range is told by EXP003: data"),
        pytest.param("EXP005", machine(BROAD), [], id="a broad range is told by EXP003: the rest"),
        pytest.param("EXP002", machine(SQL, BROAD), DATA, id="what another rule opens too"),
        pytest.param("EXP001", machine(BROAD, on_nic=(RDP,)), ["RDP (TCP 3389)"], id="one NSG opens one port of it"),
        pytest.param("EXP003", machine(rule("r", 90, "Allow", destinationPortRange="40000-42000")), [], id="harmless"),
        pytest.param(
            "EXP005",
            machine(rule("r", 90, "Allow", destinationPortRange="40000-42000")),
            ["TCP 40000-42000"],
            id="a broad range without administration and data",
        ),
        pytest.param("EXP003", machine(ALL, on_nic=(SSH,)), [], id="every port of one NSG only"),
        pytest.param("EXP005", machine(SSH, WEB), ["TCP 80, 443"], id="the rest"),
        pytest.param("EXP005", machine(ALL), [], id="the rest is told by EXP003"),
        pytest.param("EXP004", machine(sku="Basic", bare=True), ["every port: no NSG stands anywhere"], id="Basic"),
        pytest.param("EXP003", machine(sku="Basic", bare=True), [], id="Basic is told by EXP004"),
        pytest.param("EXP004", machine(bare=True), [], id="Standard is closed"),
        pytest.param("EXP004", machine(ALL, sku="Basic"), [], id="Basic with an NSG"),
    ],
)
def test_what_is_reachable(check: str, resources: list[Body], found: list[str]) -> None:
    assert titles(check, resources) == [f"{BEGIN}{what}" for what in found]
    assert told(check, resources).unclear == []


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(machine(bare=True), ["vm-1"], id="Standard without an NSG"),
        pytest.param(machine(), [], id="with an NSG"),
        pytest.param(machine(bare=True, on_nic=()), [], id="with an NSG at the NIC"),
        pytest.param(machine(bare=True, sku="Basic"), [], id="Basic is open"),
        pytest.param(machine(bare=True, configuration={"primary": True}), [], id="no public address"),
        pytest.param(balanced(80, 80, bare=True), ["vm-1"], id="behind a Standard load balancer"),
        pytest.param(balanced(80, 80), [], id="behind one, with an NSG"),
    ],
)
def test_a_standard_address_without_an_nsg_lets_nothing_in(resources: list[Body], found: list[str]) -> None:
    assert told("EXP007", resources) == (found, [])


@pytest.mark.parametrize(
    ("check", "rules", "power", "severity"),
    [
        ("EXP001", (SSH,), "running", "critical"),
        ("EXP001", (SSH,), "deallocated", "high"),
        ("EXP002", (SQL,), "stopped", "high"),
        ("EXP003", (ALL,), "running", "critical"),
        ("EXP005", (WEB,), "deallocated", "info"),
    ],
)
def test_a_vm_that_does_not_run_is_a_step_better(
    check: str, rules: tuple[Body, ...], power: str, severity: str
) -> None:
    found = audited(check, machine(*rules, power=power)).findings
    assert {each.severity for each in found} == {severity}
    assert any(power in cause.text for each in found for cause in each.because) == (power != "running")


def test_the_deciding_rules_the_address_and_its_port_are_named() -> None:
    (found,) = audited("EXP001", balanced(50001, 22)).findings
    assert [cause.kind for cause in found.because] == ["security-rule", "public-address"]
    assert "of NSG nsg-subnet on the subnet" in found.because[0].text
    assert "public port 50001 (20.1.2.3) to port 22" in found.because[1].text


def test_the_nsg_of_the_nic_is_the_one_to_change() -> None:
    (found,) = audited("EXP001", machine(SSH, on_nic=(SSH,))).findings
    assert [cause.text.partition(" of NSG ")[2].partition(":")[0] for cause in found.because[:2]] == [
        "nsg-subnet on the subnet",
        "nsg-nic on the network interface",
    ]
    assert "--nsg-name nsg-nic" in found.remedy.az_cli
    assert "--nsg-name nsg-subnet" not in found.remedy.az_cli


def without(resources: list[Body], *names: str) -> list[Body]:
    return [each for each in resources if each["name"] not in names]


@pytest.mark.parametrize(
    ("check", "resources", "missing"),
    [
        pytest.param("EXP001", without(machine(SSH), "nsg-subnet"), "NSG nsg-subnet", id="an NSG"),
        pytest.param("EXP003", without(machine(SSH), "nsg-subnet"), "NSG nsg-subnet", id="an NSG: every port"),
        pytest.param("EXP001", without(machine(on_nic=(SSH,)), "vnet"), "subnet web", id="the network"),
        pytest.param("EXP004", machine(bare=True, sku=""), "the SKU of public IP pip", id="the SKU"),
        pytest.param("EXP007", machine(bare=True, sku=""), "the SKU of public IP pip", id="the SKU: closed"),
        pytest.param("EXP007", without(machine(bare=True), "vnet"), "subnet web", id="the network: closed"),
    ],
)
def test_what_is_not_known_is_named(check: str, resources: list[Body], missing: str) -> None:
    made = audited(check, resources, complete=False)
    assert made.findings == ()
    assert [(each.resource.name, missing in each.missing) for each in made.unknown] == [("vm-1", True)]


def test_a_public_address_that_is_not_seen_leaves_no_doubt_where_an_nsg_stands() -> None:
    assert titles("EXP001", without(machine(SSH), "pip"), complete=False) == [f"{BEGIN}SSH (TCP 22)"]


@pytest.mark.parametrize(("complete", "found"), [(True, []), (False, ["nic-1"])])
def test_a_nic_without_a_vm_stands_for_itself_unless_it_is_an_orphan(*, complete: bool, found: list[str]) -> None:
    resources = without(machine(SSH), "vm-1")
    del resources[-1]["properties"]["virtualMachine"]
    assert told("EXP001", resources, complete=complete).found == found


def test_a_vm_with_three_ip_configurations_is_one_finding() -> None:
    resources = machine(SSH)
    listed = resources[-1]["properties"]["ipConfigurations"]
    at = ref("subnet", "vnet", "web")
    listed += [{"name": f"c{n}", "properties": {"privateIPAddress": f"10.0.1.{n}", "subnet": at}} for n in (5, 6)]
    listed[2]["properties"] |= {"publicIPAddress": ref("public", "pip-2")}
    assert len(titles("EXP001", [*resources, public_ip("pip-2", "20.1.2.4")])) == 1


def test_a_nic_with_three_public_addresses_and_no_nsg_is_one_finding() -> None:
    resources = machine(bare=True)
    at = ref("subnet", "vnet", "web")
    resources[-1]["properties"]["ipConfigurations"] += [
        {
            "name": f"c{n}",
            "properties": {
                "privateIPAddress": f"10.0.1.{n}",
                "subnet": at,
                "publicIPAddress": ref("public", f"pip-{n}"),
            },
        }
        for n in (5, 6)
    ]
    resources += [public_ip(f"pip-{n}", f"20.1.2.{n}") for n in (5, 6)]
    begin = "Nothing gets in to vm-1 through public IP pip, public IP pip-5, public IP pip-6"
    assert titles("EXP007", resources) == [f"{begin}: no NSG stands at nic-1"]


def test_references_in_another_case_are_the_same() -> None:
    shouted = {"id": "[toUpper(resourceId('Microsoft.Network/publicIPAddresses', 'pip'))]"}
    assert titles("EXP001", machine(SSH, configuration={"publicIPAddress": shouted})) == [f"{BEGIN}SSH (TCP 22)"]


def test_over_ipv6_everybody_is_written_as_such() -> None:
    six = {"privateIPAddressVersion": "IPv6", "privateIPAddress": "fd00:1::4", **PUBLIC}
    resources = machine(
        rule("six", 100, "Allow", sourceAddressPrefix="::/0", destinationPortRange="22"), configuration=six
    )
    resources[0] = vnet(
        "vnet", subnet("web", "fd00:1::/64", networkSecurityGroup=ref("nsg", "nsg-subnet")), prefix="fd00:1::/48"
    )
    assert titles("EXP001", resources) == [f"{BEGIN}SSH (TCP 22)"]
    four = rule("four", 100, "Allow", sourceAddressPrefix="0.0.0.0/0", destinationPortRange="22")
    assert titles("EXP001", [nsg("nsg-subnet", four), *without(resources, "nsg-subnet")]) == []


def admin(access: str) -> AdminRule:
    """A security admin rule for SSH from everywhere that is in force in the virtual network."""
    base = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/template/providers/Microsoft.Network/"
    terms = SecurityRule("guard", 1, "Inbound", access, default=False, protocol="Tcp", destination_ports=("22",))
    name = ResourceId.parse(f"{base}networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/guard")
    return AdminRule(name, terms, frozenset({ResourceId.parse(f"{base}virtualNetworks/vnet")}))


@pytest.mark.parametrize(
    ("access", "rules", "deciders"),
    [
        pytest.param("Deny", (SSH,), None, id="Deny closes what the NSG opens"),
        pytest.param("AlwaysAllow", (), ["guard"], id="AlwaysAllow opens what the NSG closes"),
        pytest.param("Allow", (), None, id="Allow leaves it to the NSG"),
        pytest.param("Allow", (SSH,), ["guard", "ssh"], id="Allow and the NSG"),
    ],
)
def test_security_admin_rules_come_first(access: str, rules: tuple[Body, ...], deciders: list[str] | None) -> None:
    guarded = replace(estate(machine(*rules)), admin_rules=(admin(access),))
    found = audit(guarded, only=["EXP001"]).findings
    names = [[cause.name for cause in each.because if cause.name] for each in found]
    assert names == ([deciders] if deciders else [])
    told_of_nsg = audit(guarded, only=["INT002"]).findings
    assert bool(told_of_nsg) == (access == "Allow" and bool(rules))
