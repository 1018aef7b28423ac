"""What rules name, and how near an NSG is to its limits."""

from dataclasses import replace

import pytest

from diagnostics.checks.audit import audit
from diagnostics.network.tags import ServiceTags
from tests.checks.audited import Body, estate, nic, nsg, ref, resource, subnet, told, vnet
from tests.checks.rules_written import allow

AT = ref("subnet", "vnet", "web")
MEMBER = nic("nic", "10.0.1.4", AT, configuration={"applicationSecurityGroups": [ref("asg", "WEB")]})
SET = {"type": "Microsoft.Compute/virtualMachineScaleSets", "name": "set", "location": "westeurope", "properties": {}}


def located(region: str) -> Body:
    return {**resource("asg", "web"), "location": region}


def around(*others: Body, asg: Body | None = None) -> list[Body]:
    """An NSG of which a rule names an application security group."""
    named = allow("web", 100, "443", source="", sourceApplicationSecurityGroups=[ref("asg", "web")])
    return [asg or resource("asg", "web"), nsg("nsg", named), vnet("vnet", subnet("web", "10.0.1.0/24")), *others]


@pytest.mark.parametrize(
    ("listed", "complete", "expected"),
    [
        pytest.param(around(), True, (["nsg"], []), id="no members"),
        pytest.param(around(), False, ([], ["nsg"]), id="not all NICs are known"),
        pytest.param(around(SET), True, ([], ["nsg"]), id="instances of a scale set may be members"),
        pytest.param(around(MEMBER), True, ([], []), id="a member, the id in another case"),
        pytest.param(
            around(MEMBER, asg=located("northeurope")),
            True,
            (["nsg"], []),
            id="far",
        ),
        pytest.param(
            around(MEMBER, asg=located("West Europe")),
            True,
            ([], []),
            id="near",
        ),
    ],
)
def test_groups_without_members(listed: list[Body], *, complete: bool, expected: tuple[list[str], list[str]]) -> None:
    assert told("NSG019", listed, complete=complete) == expected


LISTED = {"Storage": "20.1.0.0/16", "Storage.WestEurope": "20.1.1.0/24", "Sql": "20.2.0.0/16"}
TAGS = ServiceTags.of(
    {"values": [{"name": name, "properties": {"addressPrefixes": [prefix]}} for name, prefix in LISTED.items()]}
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("Storag", ["Storag"], id="misspelt"),
        pytest.param("Storage.WestEurop", ["Storage.WestEurop"], id="a region that is none"),
        pytest.param("STORAGE.westeurope", [], id="another case"),
        pytest.param("VirtualNetwork", [], id="one that no list has"),
        pytest.param("azureloadbalancer", [], id="another such"),
        pytest.param("10.0.0.0/8", [], id="a prefix"),
        pytest.param("Any", [], id="any"),
    ],
)
def test_tags_that_are_not_on_the_list(source: str, expected: list[str]) -> None:
    made = audit(replace(estate([nsg("nsg", allow("web", 100, "443", source))]), service_tags=TAGS), only=["NSG020"])
    assert [each.because[1].name for each in made.findings] == expected


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("Storag", "Storage"),
        ("storage.WestEurop", "Storage.WestEurope"),
        ("azureplatformdn", "AzurePlatformDNS"),
        ("Nothing", "TAG"),
    ],
)
def test_a_tag_that_was_perhaps_meant_is_named_as_azure_spells_it(source: str, meant: str) -> None:
    made = audit(replace(estate([nsg("nsg", allow("web", 100, "443", source))]), service_tags=TAGS), only=["NSG020"])
    assert made.findings[0].remedy.az_cli.endswith(f"--source-address-prefixes {meant}")


@pytest.mark.parametrize(
    ("source", "expected"),
    [("Storag", []), ("Sql.WestEurope", []), ("VirtualNetwrok", ["nsg"]), ("Internt", ["nsg"]), ("INTERNET", [])],
)
def test_without_a_list_only_the_tags_that_no_list_has_are_looked_at(source: str, expected: list[str]) -> None:
    assert told("NSG020", [nsg("nsg", allow("web", 100, "443", source))]) == (expected, [])


def many(count: int) -> list[str]:
    return [f"10.{n // 250}.{n % 250}.0/24" for n in range(count)]


def groups(count: int) -> list[Body]:
    return [ref("asg", f"asg-{n}") for n in range(count)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([allow(f"r{n}", 100 + n, str(n + 1)) for n in range(800)], True, id="800 rules"),
        pytest.param([allow(f"r{n}", 100 + n, str(n + 1)) for n in range(799)], False, id="799 rules"),
        pytest.param([allow("web", 100, sourceAddressPrefixes=many(3_200))], True, id="3,200 sources"),
        pytest.param([allow("web", 100, sourceAddressPrefixes=many(3_000))], False, id="3,000 sources"),
        pytest.param([allow("web", 100, sourceApplicationSecurityGroups=groups(8))], True, id="8 groups in a rule"),
        pytest.param([allow("web", 100, sourceApplicationSecurityGroups=groups(7))], False, id="7 groups in a rule"),
    ],
)
def test_limits(rules: list[Body], *, expected: bool) -> None:
    assert told("NSG022", [nsg("nsg", *rules)]).found == ["nsg"] * expected
