"""The NSG of AzureBastionSubnet."""

from dataclasses import replace

import pytest

from diagnostics.checks.audit import audit
from diagnostics.network.tags import ServiceTags
from tests.checks.audited import Body, audited, estate, nsg, ref, subnet, vnet
from tests.checks.rules_written import allow, deny, outbound

WEB = allow("web", 100, "443", "203.0.114.0/24")
MANAGED = allow("managed", 110, "443", "GATEWAYMANAGER")
PROBED = allow("probed", 120, "443", "AzureLoadBalancer")
INSIDE = allow("inside", 130, "", "VirtualNetwork", destinationPortRanges=["8080", "5701"])
IN = [WEB, MANAGED, PROBED, INSIDE, deny("rest", 4000, protocol="*")]
VMS = outbound("vms", 100, "Allow", "", "VirtualNetwork", destinationPortRanges=["22", "3389"])
TALK = outbound("talk", 110, "Allow", "", "VirtualNetwork", destinationPortRanges=["8080", "5701"])
CLOUD = outbound("cloud", 120, "Allow", "443", "AzureCloud")
WWW = outbound("www", 130, "Allow", "80", "Internet")
OUT = [VMS, TALK, CLOUD, WWW, outbound("rest-out", 4000, "Deny", protocol="*")]

NO_WEB = "port 443 in from Internet"


def around(*rules: Body, name: str = "AzureBastionSubnet") -> list[Body]:
    return [
        nsg("nsg", *rules),
        vnet("vnet", subnet(name, "10.0.9.0/26", networkSecurityGroup=ref("nsg", "nsg")), subnet("vms", "10.0.1.0/24")),
    ]


def without(*left_out: Body) -> list[Body]:
    return [each for each in (*IN, *OUT) if each not in left_out]


def lacking(listed: list[Body]) -> list[str]:
    found = audited("NSG015", listed).findings
    said = [cause.text for each in found for cause in each.because if cause.text.startswith("port")]
    return [text.partition(":")[0].replace(" does not get", "") for text in said]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([*IN, *OUT], [], id="all that Microsoft lists"),
        pytest.param(without(WEB), [NO_WEB], id="no browsers"),
        pytest.param(without(MANAGED), ["port 443 in from GatewayManager"], id="nobody manages it"),
        pytest.param([*without(MANAGED), allow("any", 99, "443", "Internet")], [], id="as part of the internet"),
        pytest.param(without(WEB, MANAGED), [NO_WEB, "port 443 in from GatewayManager"], id="both"),
        pytest.param(without(PROBED), ["port 443 in from AzureLoadBalancer"], id="no probes"),
        pytest.param(
            without(INSIDE),
            ["port 8080 in from VirtualNetwork", "port 5701 in from VirtualNetwork"],
            id="instances cannot talk",
        ),
        pytest.param(without(VMS), ["port 22 or 3389 out to VirtualNetwork"], id="no VMs"),
        pytest.param(without(CLOUD), ["port 443 out to AzureCloud"], id="no diagnostics"),
        pytest.param(without(WWW), ["port 80 out to Internet"], id="no certificates"),
        pytest.param(
            [*without(VMS), outbound("ssh", 100, "Allow", "22", "10.0.1.0/24")], [], id="SSH to one subnet is enough"
        ),
        pytest.param([*without(WEB), allow("any", 100, "443", "Internet")], [], id="all of the internet"),
        pytest.param([allow("x", 100, "443", "Internet")], [], id="the default rules do the rest"),
        pytest.param(
            [*IN, *OUT, deny("no", 99, "443", "GatewayManager")], ["port 443 in from GatewayManager"], id="a Deny above"
        ),
    ],
)
def test_what_bastion_needs_is_tried(rules: list[Body], expected: list[str]) -> None:
    assert lacking(around(*rules)) == expected


def test_other_subnets_do_not_need_it() -> None:
    assert lacking(around(deny("no", 100, protocol="*"), name="web")) == []


def test_whether_the_internet_holds_the_address_of_probes_is_not_known() -> None:
    listed = [*without(WEB, PROBED), allow("web", 100, "443", "Internet")]
    assert [each.missing for each in audited("NSG015", around(*listed)).unknown] == [("Internet",)]


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        pytest.param(without(WEB), "medium", id="a private Bastion needs no internet"),
        pytest.param(without(PROBED), "high", id="anything else"),
    ],
)
def test_how_bad_it_is(rules: list[Body], severity: str) -> None:
    listed = [*rules, allow("managed-too", 140, "443", "GatewayManager")]
    assert [each.severity for each in audited("NSG015", around(*listed)).findings] == [severity]


def test_an_nsg_that_is_not_seen_is_not_judged() -> None:
    made = audited("NSG015", around()[1:], complete=False)
    assert [each.missing for each in made.unknown if each.check == "NSG015"] == [("NSG nsg",)]


def test_a_regional_tag_is_open_without_the_list_and_known_with_it() -> None:
    regional = [*without(CLOUD), outbound("cloud", 120, "Allow", "443", "AzureCloud.westeurope")]
    plain = estate(around(*regional))
    tags = ServiceTags({"azurecloud": ("20.50.0.0/16",), "azurecloud.westeurope": ("20.50.0.0/17",)})
    made = [audit(each, only=["NSG015"]) for each in (plain, replace(plain, service_tags=tags))]
    assert [(len(each.findings), [u.missing for u in each.unknown]) for each in made] == [
        (0, [("AzureCloud.westeurope",)]),
        (0, []),
    ]


def test_the_remedy_adds_what_is_lacking_above_what_denies_it() -> None:
    (found,) = audited("NSG015", around(*without(PROBED, CLOUD))).findings
    lines = found.remedy.az_cli.splitlines()
    assert [line.partition("--priority ")[2].split()[0] for line in lines] == ["101", "101"]
