"""What an NSG lets in from the internet: every way to write it, priority, and where the NSG stands."""

import re
from dataclasses import replace
from typing import Any

import pytest

from diagnostics.checks.audit import audit
from diagnostics.checks.services import SERVICES
from diagnostics.network.model import SecurityRule
from tests.checks.audited import Body, audited, estate, nic, nsg, public_ip, ref, resource, rule, subnet, told, vm, vnet

ANY = {"protocol": "*"}
SSH = {"destinationPortRange": "22"}
SSH_TERMS = {"protocol": "Tcp", "destination_ports": ("22",)}


def only(check: str, *rules: Body) -> bool:
    """Whether the check finds an NSG that has these rules and is attached to nothing."""
    found = told(check, [nsg("nsg-1", *rules)])
    assert found.unclear == []
    return found.found == ["nsg-1"]


def placed(*rules: Body, on_nic: tuple[Body, ...] = (), public: bool = False, **options: Any) -> list[Body]:
    """A VM in a subnet with an NSG of these rules; its NIC may have another NSG, and a public address."""
    configuration = {"publicIPAddress": ref("public", "pip")} if public else {}
    own = {"networkSecurityGroup": ref("nsg", "nsg-nic")} if on_nic else {}
    return [
        vnet("vnet", subnet("web", "10.0.1.0/24", networkSecurityGroup=ref("nsg", "nsg-1"))),
        nsg("nsg-1", *rules),
        *([nsg("nsg-nic", *on_nic)] if on_nic else []),
        *([public_ip("pip")] if public else []),
        vm("vm-1", "nic-1", **options),
        nic("nic-1", "10.0.1.4", ref("subnet", "vnet", "web"), "vm-1", configuration, **own),
    ]


@pytest.mark.parametrize(
    ("sources", "open_"),
    [
        pytest.param({"sourceAddressPrefix": "*"}, True, id="star"),
        pytest.param({"sourceAddressPrefix": "Any"}, True, id="any"),
        pytest.param({"sourceAddressPrefix": "Internet"}, True, id="tag"),
        pytest.param({"sourceAddressPrefix": "iNTERNET"}, True, id="tag in another case"),
        pytest.param({"sourceAddressPrefix": "0.0.0.0/0"}, True, id="all of IPv4"),
        pytest.param({"sourceAddressPrefix": "::/0"}, True, id="all of IPv6"),
        pytest.param({"sourceAddressPrefix": "2a00::/12"}, True, id="the IPv6 space of a registry"),
        pytest.param(
            {"sourceAddressPrefixes": ["0.0.0.0/1", "128.0.0.0/1"]}, True, id="two halves in the plural field"
        ),
        pytest.param({"sourceAddressPrefixes": [f"{n}.0.0.0/8" for n in range(1, 224)]}, True, id="every /8"),
        pytest.param({"sourceAddressPrefix": "8.0.0.0/5"}, True, id="a large part"),
        pytest.param({"sourceAddressPrefix": "203.0.113.0/24"}, False, id="an office"),
        pytest.param({"sourceAddressPrefix": "203.0.113.7/32"}, False, id="one address"),
        pytest.param({"sourceAddressPrefix": "2001:db8::/32"}, False, id="one provider's IPv6"),
        pytest.param({"sourceAddressPrefix": "10.0.0.0/8"}, False, id="private space"),
        pytest.param({"sourceAddressPrefix": "VirtualNetwork"}, False, id="the own network"),
        pytest.param({"sourceAddressPrefix": "AzureLoadBalancer"}, False, id="probes"),
        pytest.param({"sourceAddressPrefix": "GatewayManager"}, False, id="a service of Azure"),
        pytest.param({"sourceAddressPrefix": "AzureFrontDoor.Backend"}, False, id="Front Door"),
        pytest.param({"sourceAddressPrefix": "AzureCloud"}, False, id="all of Azure has a check of its own"),
        pytest.param({"sourceApplicationSecurityGroups": [ref("asg", "web")]}, False, id="an ASG as source"),
    ],
)
def test_every_way_to_write_the_internet_counts_and_nothing_else(*, sources: Body, open_: bool) -> None:
    assert only("INT002", rule("r", 100, "Allow", **sources, **SSH)) == open_


def test_the_internet_in_pieces_of_several_rules_counts() -> None:
    halves = [
        rule(f"r{n}", 100 + n, "Allow", sourceAddressPrefix=half, **SSH)
        for n, half in enumerate(("0.0.0.0/9", "9.0.0.0/9"))
    ]
    assert only("INT002", *halves, rule("r", 200, "Allow", sourceAddressPrefix="128.0.0.0/9", **SSH))
    assert not only("INT002", halves[0])


@pytest.mark.parametrize(
    ("rules", "open_"),
    [
        pytest.param([rule("d", 90, "Deny", **SSH), rule("a", 100, "Allow", **SSH)], False, id="Deny above"),
        pytest.param([rule("d", 110, "Deny", **SSH), rule("a", 100, "Allow", **SSH)], True, id="Deny below"),
        pytest.param(
            [rule("d", 90, "Deny", sourceAddressPrefix="Internet"), rule("a", 100, "Allow", **SSH)],
            False,
            id="Deny of the internet above",
        ),
        pytest.param(
            [rule("d", 90, "Deny", sourceAddressPrefix="203.0.113.0/24"), rule("a", 100, "Allow", **SSH)],
            True,
            id="Deny of a few above",
        ),
        pytest.param(
            [rule("d", 90, "Deny", sourceAddressPrefix="AzureCloud"), rule("a", 100, "Allow", **SSH)],
            True,
            id="Deny of a tag that is not listed above",
        ),
        pytest.param(
            [rule("d", 90, "Deny", sourceAddressPrefix="VirtualNetwork"), rule("a", 100, "Allow", **SSH)],
            True,
            id="Deny of the own network above",
        ),
        pytest.param([rule("a", 100, "Allow", destinationPortRanges=["80", "20-30"])], True, id="plural ports"),
        pytest.param([rule("a", 100, "Allow", protocol="*", **SSH)], True, id="every protocol"),
        pytest.param([rule("a", 100, "Allow", protocol="Udp", **SSH)], False, id="another protocol"),
        pytest.param([rule("a", 100, "Allow", direction="Outbound", **SSH)], False, id="outbound"),
        pytest.param(
            [rule("a", 100, "Allow", destinationApplicationSecurityGroups=[ref("asg", "jump")], **SSH)],
            True,
            id="to an ASG",
        ),
    ],
)
def test_priority_ports_and_protocols_count(*, rules: list[Body], open_: bool) -> None:
    assert only("INT002", *rules) == open_


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.id)
@pytest.mark.parametrize("protocol", ["Tcp", "Udp"])
def test_each_port_of_each_service_is_found_by_its_check(service: Any, protocol: str) -> None:
    ports = [port for first, last in service.ports(protocol) for port in range(first, last + 1)]
    missed = [
        p
        for p in ports
        if not only(service.id, rule("r", 100, "Allow", protocol=protocol, destinationPortRange=str(p)))
    ]
    assert missed == []
    closed = rule("r", 100, "Allow", protocol=protocol, destinationPortRange="4")
    assert not only(service.id, closed)


@pytest.mark.parametrize(
    ("check", "terms", "open_"),
    [
        ("INT001", ANY, True),
        ("INT001", {"protocol": "Tcp"}, True),
        ("INT001", {"protocol": "Udp", "destinationPortRange": "0-65535"}, True),
        ("INT001", {**ANY, "destinationPortRange": "1024-65535"}, True),
        ("INT001", {**ANY, "destinationPortRange": "1-30000"}, False),
        ("INT001", {**ANY, "sourceAddressPrefix": "10.0.0.0/8"}, False),
        ("INT023", {"protocol": "Udp", "destinationPortRange": "160-162"}, True),
        ("INT023", {"protocol": "Udp", "destinationPortRange": "20000-21000"}, False),
        ("INT023", {"protocol": "Udp", "destinationPortRange": "20000-20010"}, False),
        ("INT024", {"sourceAddressPrefix": "azurecloud", **SSH}, True),
        ("INT024", {"sourceAddressPrefix": "AzureCloud.WestEurope", "destinationPortRange": "1433"}, True),
        ("INT024", {"sourceAddressPrefix": "AzureCloud", "destinationPortRange": "443"}, False),
        ("INT024", {"sourceAddressPrefix": "Storage", **SSH}, False),
        ("INT024", SSH, False),
        ("INT025", {"protocol": "Icmp"}, True),
        ("INT025", {"protocol": "Icmp", "sourceAddressPrefix": "10.0.0.0/8"}, False),
        ("INT025", SSH, False),
        ("INT026", {"destinationPortRange": "40000-41000"}, True),
        ("INT026", {"destinationPortRange": "40000-40099"}, False),
        ("INT026", {"protocol": "Udp", "destinationPortRange": "40000-41000"}, True),
        ("INT026", {"protocol": "Icmp", "destinationPortRange": "40000-41000"}, False),
        ("INT026", {**ANY, "destinationPortRange": "1024-65535"}, False),
    ],
)
def test_what_is_no_single_service(*, check: str, terms: Body, open_: bool) -> None:
    assert only(check, rule("r", 100, "Allow", **terms)) == open_


def test_what_a_rule_for_everything_opens_is_told_once() -> None:
    every = rule("all", 200, "Allow", **ANY)
    assert only("INT001", every)
    assert [check for check in ("INT002", "INT010", "INT023", "INT025", "INT026") if only(check, every)] == []
    assert only("INT002", rule("ssh", 100, "Allow", **SSH), every)


BROAD = rule("broad", 200, "Allow", destinationPortRange="123-3500")
PAIR = [
    rule(f"r{n}", 200 + n, "Allow", destinationPortRange=ports) for n, ports in enumerate(("7002-7600", "7601-8100"))
]


@pytest.mark.parametrize(
    ("rules", "severity", "what"),
    [
        pytest.param(
            [BROAD], "high", "TCP ports 123-3500: among them RDP, SMB, SQL Server and 5 more", id="worst first"
        ),
        pytest.param(
            [rule("r", 100, "Allow", protocol="*", destinationPortRange="123-3500")],
            "high",
            "TCP and UDP ports 123-3500: among them RDP, SMB, SQL Server and 6 more",
            id="every protocol",
        ),
        pytest.param(
            [rule("r", 100, "Allow", protocol="Udp", destinationPortRange="1-1500")],
            "high",
            "UDP ports 1-1500: among them SMB, SQL Server, LDAP and 2 more",
            id="UDP",
        ),
        pytest.param(
            [rule("r", 100, "Allow", destinationPortRange="40000-41000")], "medium", "TCP ports 40000-41000", id="none"
        ),
        pytest.param(
            [rule("r", 100, "Allow", destinationPortRange="7000-8100")],
            "medium",
            "TCP ports 7000-8100: among them other data stores, HTTP",
            id="services that are less bad",
        ),
        pytest.param(
            [rule("rdp", 100, "Allow", destinationPortRange="3389"), BROAD],
            "high",
            "TCP ports 123-3388, 3390-3500: among them SMB, SQL Server, MySQL and 4 more",
            id="without what another rule opens",
        ),
        pytest.param(
            [rule("d", 100, "Deny", destinationPortRanges=["1433", "2000-3500"]), BROAD],
            "high",
            "TCP ports 123-1432, 1434-1999: among them SMB, Oracle Database, LDAP and 1 more",
            id="without what stands above",
        ),
        pytest.param(
            [rule("d", 100, "Deny", destinationPortRange="124-3300"), BROAD], None, "", id="with little left of it"
        ),
        pytest.param(
            [rule("r", 100, "Allow", destinationPortRanges=["22", "40000-41000"])],
            "medium",
            "TCP ports 40000-41000",
            id="a port beside the range",
        ),
        pytest.param(PAIR, "medium", "TCP ports 7002-8100", id="of two rules"),
    ],
)
def test_a_broad_range_is_as_bad_as_its_worst_service(rules: list[Body], severity: str | None, what: str) -> None:
    found = audited("INT026", [nsg("nsg-1", *rules)], complete=False).findings
    wanted = [(severity, f"NSG nsg-1 lets the internet in to {what}")] if severity else []
    assert [(each.severity, each.title) for each in found] == wanted


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        pytest.param([BROAD], ["INT026"], id="told once"),
        pytest.param(
            [rule("rdp", 100, "Allow", destinationPortRange="3389"), BROAD], ["INT003", "INT026"], id="RDP too"
        ),
        pytest.param(
            [rule("smb", 100, "Allow", destinationPortRange="445"), BROAD],
            ["INT012", "INT026"],
            id="a part of a service",
        ),
        pytest.param(
            [rule("r", 100, "Allow", destinationPortRanges=["22", "40000-41000"])], ["INT002", "INT026"], id="beside it"
        ),
        pytest.param([rule("r", 100, "Allow", destinationPortRange="3000-3500")], ["INT003", "INT014"], id="not broad"),
        pytest.param(
            [rule("d", 100, "Deny", destinationPortRange="124-3300"), BROAD], ["INT003", "INT014"], id="little left"
        ),
        pytest.param(PAIR, ["INT010", "INT026"], id="of two rules"),
        pytest.param([rule("all", 100, "Allow", protocol="Tcp"), BROAD], ["INT001"], id="every port"),
    ],
)
def test_a_broad_range_is_one_finding(rules: list[Body], found: list[str]) -> None:
    checks = [f"INT{n:03}" for n in range(1, 27)]
    assert [check for check in checks if only(check, *rules)] == found


def test_a_broad_range_names_only_what_is_open_somewhere() -> None:
    (found,) = audited("INT026", placed(BROAD, on_nic=(rule("r", 100, "Allow", destinationPortRange="445"),))).findings
    assert found.title.endswith(": among them SMB")
    assert found.because[-2].text == "Among these ports are RPC, NetBIOS and SMB (TCP 135, 137-139, 445)."


def test_all_of_azure_below_a_rule_for_everybody_is_the_internet() -> None:
    cloud = rule("cloud", 200, "Allow", sourceAddressPrefix="AzureCloud", **SSH)
    assert not only("INT024", rule("all", 100, "Allow", **SSH), cloud)
    assert not only("INT024", rule("none", 100, "Deny", sourceAddressPrefix="Internet"), cloud)


OPEN = rule("ssh", 100, "Allow", **SSH)
INSIDE = rule("inside", 100, "Allow", sourceAddressPrefix="10.0.0.0/8", **SSH)


@pytest.mark.parametrize(
    ("resources", "complete", "severity"),
    [
        pytest.param(placed(OPEN, public=True), True, "high", id="a public address leads there"),
        pytest.param(placed(OPEN, public=True, power="deallocated"), True, "high", id="to a VM that is off today"),
        pytest.param(placed(OPEN), True, "medium", id="no public address leads there"),
        pytest.param(placed(OPEN), False, "high", id="not all is known"),
        pytest.param([nsg("nsg-1", OPEN)], True, "info", id="attached to nothing"),
        pytest.param([nsg("nsg-1", OPEN)], False, "high", id="where it stands is not known"),
        pytest.param(placed(OPEN, on_nic=(OPEN,), public=True), True, "high", id="both NSGs open it"),
        pytest.param(placed(OPEN, on_nic=(INSIDE,), public=True), True, None, id="the NIC's NSG closes it"),
        pytest.param(placed(OPEN, on_nic=(INSIDE,), public=True), False, "high", id="and may not elsewhere"),
        pytest.param(
            placed(rule("ssh", 100, "Allow", destinationAddressPrefix="10.9.9.9", **SSH)),
            True,
            None,
            id="for an address that nothing has",
        ),
        pytest.param(
            [
                vnet("vnet", subnet("web", "10.0.1.0/24", networkSecurityGroup=ref("nsg", "nsg-1"))),
                nsg("nsg-1", OPEN),
            ],
            True,
            "medium",
            id="a subnet in which nothing is yet",
        ),
    ],
)
def test_how_bad_it_is_depends_on_where_the_nsg_stands(
    *, resources: list[Body], complete: bool, severity: str | None
) -> None:
    found = audited("INT002", resources, complete=complete).findings
    assert [each.severity for each in found if each.resource.name == "nsg-1"] == ([severity] if severity else [])


@pytest.mark.parametrize(("power", "end"), [("running", "internet."), ("deallocated", "internet once it runs.")])
def test_a_vm_that_is_off_is_not_said_to_be_reachable_now(power: str, end: str) -> None:
    (found,) = audited("INT002", placed(OPEN, public=True, power=power)).findings
    assert found.because[-1].text == f"vm-1 can be reached there from the {end}"


def test_references_in_another_case_are_the_same() -> None:
    resources = placed(OPEN, public=True)
    inner = resources[0]["properties"]["subnets"][0]["properties"]
    inner["networkSecurityGroup"] = {"id": "[toUpper(resourceId('Microsoft.Network/networkSecurityGroups', 'nsg-1'))]"}
    assert [each.severity for each in audited("INT002", resources).findings] == ["high"]


def test_a_finding_names_rule_and_vm_and_a_command_that_closes_it() -> None:
    (found,) = audited("INT002", placed(OPEN, public=True)).findings
    assert found.title == "NSG nsg-1 lets the internet in to SSH (TCP 22)"
    assert [cause.name for cause in found.because] == ["ssh", ""]
    assert "vm-1" in found.because[-1].text
    assert "--name ssh --source-address-prefixes VirtualNetwork" in found.remedy.az_cli
    assert "sourceAddressPrefix: 'VirtualNetwork'" in found.remedy.bicep


@pytest.mark.parametrize(
    ("priority", "command"),
    [
        pytest.param(
            200, "rule create .* --priority 199 .* --access Deny .* --destination-port-ranges 22$", id="room above"
        ),
        pytest.param(100, "rule update .* --destination-port-ranges 80$", id="no room above"),
    ],
)
def test_a_rule_that_opens_more_is_left_for_the_rest(priority: int, command: str) -> None:
    rules = rule("web", priority, "Allow", destinationPortRanges=["22", "80"])
    (found,) = audited("INT002", [nsg("nsg-1", rules)]).findings
    assert re.search(command, found.remedy.az_cli)


def test_the_port_that_azure_bastion_needs_is_no_finding_on_its_subnet() -> None:
    bastion = subnet("AzureBastionSubnet", "10.0.2.0/26", networkSecurityGroup=ref("nsg", "nsg-1"))
    web = nsg("nsg-1", rule("https", 100, "Allow", destinationPortRange="443"))
    assert told("INT011", [vnet("vnet", bastion), web]).found == []
    assert told("INT011", [web]).found == ["nsg-1"]


def test_what_is_attached_and_cannot_be_seen_is_as_bad_as_can_be() -> None:
    elsewhere = {"id": "/subscriptions/0/resourceGroups/x/providers/Microsoft.Network/networkInterfaces/nic-far"}
    group = nsg("nsg-1", OPEN, networkInterfaces=[elsewhere], subnets=[])
    assert [each.severity for each in audited("INT002", [group]).findings] == ["high"]


def test_azure_as_a_whole_is_judged_by_where_the_nsg_stands_too() -> None:
    cloud = rule("cloud", 100, "Allow", sourceAddressPrefix="AzureCloud", **SSH)
    assert [each.severity for each in audited("INT024", placed(cloud, public=True)).findings] == ["medium"]
    assert [each.severity for each in audited("INT024", placed(cloud)).findings] == ["low"]
    assert audited("INT024", placed(cloud, on_nic=(INSIDE,))).findings == ()


def test_the_same_estate_in_another_order_has_the_same_findings() -> None:
    resources = [*placed(OPEN, public=True), resource("asg", "web")]
    one, other = (audited("INT002", listed).findings for listed in (resources, resources[::-1]))
    assert [(each.finding_id, each.title) for each in one] == [(each.finding_id, each.title) for each in other]


@pytest.mark.parametrize(
    ("check", "terms", "missing"),
    [
        pytest.param("INT002", {"sources": ("[parameters('from')]",)}, "[parameters('from')]", id="a source"),
        pytest.param("INT001", {"sources": ("[parameters('from')]",)}, None, id="which matters for one port only"),
        pytest.param("INT001", {"destination_ports": ("[parameters('port')]",)}, "[parameters('port')]", id="ports"),
        pytest.param("INT002", {"access": "Deny", "sources": ("[parameters('from')]",)}, None, id="of a Deny"),
        pytest.param("INT002", {"sources": ("NoSuchTag",)}, None, id="a tag that is not listed is not the internet"),
    ],
)
def test_what_has_no_value_is_named_where_it_decides(check: str, terms: Any, missing: str | None) -> None:
    made = estate([nsg("nsg-1")])
    (group,) = made.security_groups.values()
    asked = SecurityRule("r", 100, **{"direction": "Inbound", "access": "Allow", "default": False} | SSH_TERMS | terms)
    found = audit(replace(made, security_groups={group.id: replace(group, rules=(asked,))}), only=[check])
    assert found.findings == ()
    assert [missing in each.missing[0] for each in found.unknown if missing] == ([True] if missing else [])
    assert bool(found.unknown) == bool(missing)
