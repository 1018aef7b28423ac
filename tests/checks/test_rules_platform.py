"""Rules above Azure's default ones, by what they cut."""

import pytest

from tests.checks.audited import Body, audited, nic, nsg, ref, resource, subnet, vm, vnet
from tests.checks.rules_written import HALVES, allow, deny, outbound

AT = ref("subnet", "vnet", "web")
POOL = ref("pool", "lb", "pool")
FRONT = "Microsoft.Network/loadBalancers/frontendIPConfigurations"
PROBE = "Microsoft.Network/loadBalancers/probes"
REST = deny("rest", 4000, protocol="*")


def balancer() -> Body:
    """A load balancer with a pool, a rule and a probe."""
    front = {"privateIPAddress": "10.0.1.100", "subnet": AT}
    return resource(
        "balancer",
        "lb",
        {
            "frontendIPConfigurations": [{"name": "front", "properties": front}],
            "backendAddressPools": [{"name": "pool"}],
            "probes": [{"name": "alive", "properties": {"protocol": "Http", "port": 8081, "requestPath": "/"}}],
            "loadBalancingRules": [
                {
                    "name": "web",
                    "properties": {
                        "frontendIPConfiguration": {"id": f"[resourceId('{FRONT}', 'lb', 'front')]"},
                        "backendAddressPool": POOL,
                        "probe": {"id": f"[resourceId('{PROBE}', 'lb', 'alive')]"},
                        "protocol": "Tcp",
                        "frontendPort": 80,
                        "backendPort": 8080,
                    },
                }
            ],
        },
    )


def around(*rules: Body, own: Body | None = None, dns: str = "", before: bool = False) -> list[Body]:
    """An NSG on the subnet of a VM, perhaps one on its NIC, and perhaps a load balancer before it."""
    configuration = {"loadBalancerBackendAddressPools": [POOL]} if before else {}
    servers: Body = {"dhcpOptions": {"dnsServers": [dns]}} if dns else {}
    return [
        vnet("vnet", subnet("web", "10.0.1.0/24", networkSecurityGroup=ref("nsg", "nsg")), **servers),
        nsg("nsg", *rules),
        nic("nic", "10.0.1.4", AT, "vm", configuration, **({"networkSecurityGroup": ref("nsg", "own")} if own else {})),
        vm("vm", "nic"),
        *([own] if own else []),
        *([balancer()] if before else []),
    ]


def said(check: str, listed: list[Body]) -> list[tuple[str, str]]:
    """Rules and severities."""
    return [(each.because[0].name, each.severity) for each in audited(check, listed).findings]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(around(allow("web", 100, "443"), REST), [("rest", "info")], id="a baseline with an Allow above"),
        pytest.param(around(allow("x", 100, "443", "203.0.113.9"), REST), [("rest", "low")], id="no Allow"),
        pytest.param(around(deny("no-ssh", 100, "22", "VIRTUALNETWORK")), [("no-ssh", "info")], id="one port"),
        pytest.param(around(deny("part", 100, "*", "10.0.2.0/24")), [("part", "low")], id="one subnet"),
        pytest.param(around(deny("net", 100, "*", "Internet")), [], id="the internet only"),
        pytest.param(around(deny("other", 100, "*", destinationAddressPrefix="10.0.9.9")), [], id="for nobody here"),
        pytest.param(around(REST), [], id="a first deny-all is told by NSG013"),
        pytest.param(around(deny("a", 90, "22"), deny("b", 100, "22")), [("a", "info")], id="a dead Deny cuts nothing"),
        pytest.param([nsg("nsg", allow("web", 100, "443"), REST)], [], id="on nothing"),
        pytest.param(around(allow("x", 100, "22"), REST, dns="10.0.1.4"), [("rest", "high")], id="a DNS server"),
        pytest.param(
            around(allow("dns", 100, "53", "VirtualNetwork", protocol="*"), REST, dns="10.0.1.4"),
            [("rest", "info")],
            id="a DNS server that is let in",
        ),
        pytest.param(
            around(allow("x", 100, "22"), REST, before=True), [("rest", "high")], id="a load balancer's service"
        ),
        pytest.param(
            around(allow("web", 100, "8000-9000", "10.9.0.0/16"), REST, before=True),
            [("rest", "low")],
            id="a service that is meant for somebody",
        ),
        pytest.param(
            around(deny("sub", 100, "*", "10.0.2.0/24"), before=True), [("sub", "low")], id="for one subnet only"
        ),
    ],
)
def test_what_a_deny_takes_from_the_network(listed: list[Body], expected: list[tuple[str, str]]) -> None:
    assert said("NSG011", listed) == expected


def test_what_is_cut_is_told_with_the_machines() -> None:
    (found,) = audited("NSG011", around(allow("web", 100, "443"), REST)).findings
    texts = [each.text for each in found.because]
    assert texts[1:] == [
        "it cuts every port (*) off from *, of 1 machine: vm",
        "above it, web (inbound 100, Allow) lets some of it in",
    ]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(around(allow("web", 100, "8080"), REST, before=True), ["rest"], id="a deny-all"),
        pytest.param(
            around(allow("probe", 100, "8081", "AZURELOADBALANCER"), REST, before=True),
            [],
            id="by tag",
        ),
        pytest.param(around(allow("probe", 100, "8081", "168.63.129.16/32"), REST, before=True), [], id="by address"),
        pytest.param(around(allow("any", 100, "8081"), REST, before=True), [], id="everybody is allowed"),
        pytest.param(around(deny("web", 100, "8080"), before=True), [], id="another port"),
        pytest.param(
            around(deny("probe", 100, "", destinationPortRanges=["8000-8100"]), before=True),
            ["probe"],
            id="plural",
        ),
        pytest.param(around(deny("u", 100, "8081", protocol="Udp"), before=True), [], id="another protocol"),
        pytest.param(
            around(own=nsg("own", deny("tag", 100, "*", "AzureLoadBalancer")), before=True),
            ["tag"],
            id="of the NIC",
        ),
        pytest.param(
            around(deny("halves", 100, source="", sourceAddressPrefixes=HALVES), before=True),
            ["halves"],
            id="two /1s",
        ),
        pytest.param(
            around(deny("one", 100, destinationAddressPrefix="10.0.1.9"), before=True),
            [],
            id="for another",
        ),
        pytest.param(
            around(deny("one", 100, destinationAddressPrefix="10.0.1.4"), before=True),
            ["one"],
            id="for it",
        ),
        pytest.param(around(allow("web", 100, "8080"), REST), [], id="no load balancer"),
        pytest.param(around(before=True), [], id="the default rule"),
    ],
)
def test_probes_that_are_turned_away(listed: list[Body], expected: list[str]) -> None:
    assert said("NSG012", listed) == [(name, "high") for name in expected]


def test_an_nsg_that_is_not_seen_leaves_it_open_whether_probes_arrive() -> None:
    listed = [each for each in around(before=True) if each["name"] != "nsg"]
    made = audited("NSG012", listed, complete=False)
    assert [(each.resource.name, each.missing) for each in made.unknown if each.check == "NSG012"] == [
        ("lb", ("NSG nsg",))
    ]


def test_the_remedy_lets_probes_in_above_the_rule() -> None:
    (found,) = audited("NSG012", around(allow("web", 100, "8080"), REST, before=True)).findings
    assert "--priority 101" in found.remedy.az_cli
    assert "--source-address-prefixes AzureLoadBalancer" in found.remedy.az_cli


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(around(outbound("no", 100, "Deny", "53", "azureplatformdns")), [("no", "medium")], id="DNS"),
        pytest.param(around(outbound("no", 100, "Deny", to="AzurePlatformIMDS")), [("no", "medium")], id="IMDS"),
        pytest.param(around(outbound("no", 100, "Deny", to="AzurePlatformLKM")), [("no", "medium")], id="LKM"),
        pytest.param(around(outbound("no", 100, "Deny", "80", "AzurePlatformDNS")), [], id="not DNS's port"),
        pytest.param(around(outbound("no", 100, "Deny", to="169.254.169.254")), [], id="an address passes NSGs by"),
        pytest.param(around(outbound("no", 100, "Deny", to="AzureMonitor")), [], id="another tag"),
        pytest.param(around(outbound("yes", 100, "Allow", to="AzurePlatformIMDS")), [], id="an Allow"),
        pytest.param(
            around(
                outbound("yes", 90, "Allow", to="AzurePlatformIMDS", protocol="*"),
                outbound("no", 100, "Deny", to="AzurePlatformIMDS"),
            ),
            [],
            id="an Allow above",
        ),
        pytest.param(
            around(outbound("no", 100, "Deny", to="AzurePlatformDNS"), dns="10.0.1.5"), [("no", "info")], id="own DNS"
        ),
        pytest.param(
            [nsg("nsg", outbound("no", 100, "Deny", to="AzurePlatformIMDS"))], [("no", "low")], id="on nothing"
        ),
    ],
)
def test_what_cuts_off_the_platform(listed: list[Body], expected: list[tuple[str, str]]) -> None:
    assert said("NSG023", listed) == expected


def test_where_no_priority_is_free_somebody_has_to_make_room() -> None:
    (found,) = audited("NSG023", [nsg("nsg", outbound("no", 100, "Deny", to="AzurePlatformIMDS"))]).findings
    comment, command = found.remedy.az_cli.splitlines()
    assert comment.startswith("# No priority is free")
    assert "--priority PRIORITY " in command
