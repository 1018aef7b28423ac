"""What verified modules of Bicep do beside loops: types by reference, null for a default, names that Azure makes up."""

from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.reading import read_objects
from tests.network.reading.test_template_loops import NETWORK, declared, module, read, template


def names(estate: Estate) -> list[str]:
    return [rid.name for rid in estate.security_groups]


def said(estate: Estate) -> list[tuple[str, str]]:
    return [(problem.where, problem.text) for problem in estate.problems]


@pytest.mark.parametrize(
    ("declaration", "types"),
    [
        ({"type": "array", "nullable": True}, {}),
        ({"$ref": "#/definitions/rulesType"}, {"rulesType": {"type": "array", "nullable": True}}),
    ],
)
def test_a_parameter_that_may_be_null_is_null(declaration: dict[str, Any], types: dict[str, Any]) -> None:
    rules = "[coalesce(parameters('rules'), createArray())]"
    group = declared("networkSecurityGroups", "nsg", securityRules=rules)
    estate = read(group, parameters={"rules": declaration}, definitions=types)
    assert (names(estate), said(estate)) == (["nsg"], [])


def test_null_given_to_a_module_is_its_default() -> None:
    inner = template(
        declared("networkSecurityGroups", "[parameters('name')]"),
        parameters={"name": {"type": "string", "defaultValue": "nsg-default"}},
    )
    estate = read(module("m", inner, parameters={"name": {"value": "[tryGet(createObject(), 'name')]"}}))
    assert (names(estate), said(estate)) == (["nsg-default"], [])


def test_a_name_that_azure_makes_up_is_the_same_where_it_is_made_of_the_same() -> None:
    made = "format('nsg-{0}', uniqueString(resourceGroup().id, 'a'))"
    group_id = {"id": f"[resourceId('{NETWORK}/networkSecurityGroups', {made})]"}
    subnet = {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": group_id}
    network = declared("virtualNetworks", "vnet", subnets=[{"name": "snet", "properties": subnet}])
    estate = read(declared("networkSecurityGroups", f"[{made}]"), network)
    (group,) = estate.security_groups
    assert group.name != "nsg-"
    assert [each.security_group for each in estate.subnets.values()] == [group]
    other = read(declared("networkSecurityGroups", "[format('nsg-{0}', uniqueString(resourceGroup().id, 'b'))]"))
    assert names(other) != names(estate)


UNREAD = {
    "a role assignment": {"type": "Microsoft.Authorization/roleAssignments", "name": "[newGuid()]", "properties": {}},
    "a key of a vault": {"type": "Microsoft.KeyVault/vaults/keys", "name": "k", "properties": {"kty": "[utcNow()]"}},
}


@pytest.mark.parametrize("raw", UNREAD.values(), ids=UNREAD)
def test_what_is_not_known_of_what_nobody_reads_is_no_problem(raw: dict[str, Any]) -> None:
    assert said(read(raw)) == []


def test_a_deployment_needs_no_name_that_is_known() -> None:
    inner = template(declared("networkSecurityGroups", "nsg"))
    estate = read(module("[newGuid()]", inner))
    assert (names(estate), said(estate)) == (["nsg"], [])


@pytest.mark.parametrize("name", [None, ["a"], {"a": 1}])
def test_what_is_no_name_is_told(name: Any) -> None:
    estate = read_objects([template({**declared("networkSecurityGroups", "nsg"), "name": name})])
    assert (names(estate), said(estate)) == ([], [("$[0].resources[0]", f"name: {name!r} is no text")])


def test_why_a_parameter_of_a_module_is_not_known_is_told_where_it_is_needed() -> None:
    inner = template(declared("networkSecurityGroups", "[parameters('name')]"), parameters={"name": {"type": "string"}})
    estate = read(module("m", inner, parameters={"name": {"value": "[format('nsg-{0}', parameters('prefix'))]"}}))
    where = "$[0].resources[0].properties.template.resources[0]"
    assert said(estate) == [(where, "parameters('prefix') has no value here")]


HUB = "00000000-0000-0000-0000-0000000000aa"


@pytest.mark.parametrize(
    ("place", "written", "group"),
    [
        ({}, "resourceId('{0}', 'nsg')", ("template", None)),
        ({"resourceGroup": "rg-hub"}, "resourceId('rg-hub', '{0}', 'nsg')", ("rg-hub", None)),
        (
            {"resourceGroup": "[variables('group')]"},
            (
                "extensionResourceId(format('/subscriptions/{{0}}/resourceGroups/{{1}}', "
                "subscription().subscriptionId, 'rg-hub'), '{0}', 'nsg')"
            ),
            ("rg-hub", None),
        ),
        (
            {"subscriptionId": HUB, "resourceGroup": "rg-hub"},
            f"resourceId('{HUB}', 'rg-hub', '{{0}}', 'nsg')",
            ("rg-hub", HUB),
        ),
        ({"resourceGroup": "rg-hub"}, "reference('hub').outputs.id.value", ("rg-hub", None)),
    ],
)
def test_a_module_for_another_group(place: dict[str, str], written: str, group: tuple[str, str | None]) -> None:
    """As landing zones do it: modules of one template go to several groups, and name each other's resources."""
    inner = template(
        declared("networkSecurityGroups", "nsg"),
        outputs={"id": {"value": f"[resourceId('{NETWORK}/networkSecurityGroups', 'nsg')]"}},
    )
    of_subnet = {"networkSecurityGroup": {"id": f"[{written.format(f'{NETWORK}/networkSecurityGroups')}]"}}
    network = declared("virtualNetworks", "vnet", subnets=[{"name": "snet", "properties": of_subnet}])
    estate = read(module("hub", inner, **place), network, variables={"group": "rg-hub"})
    ((rid, _),) = estate.security_groups.items()
    assert (rid.resource_group, rid.subscription) == (group[0], group[1] or "00000000-0000-0000-0000-000000000000")
    assert [each.security_group for each in estate.subnets.values()] == [rid]
    assert said(estate) == []


def test_what_is_in_a_module_knows_its_own_group() -> None:
    inner = template(declared("networkSecurityGroups", "[format('nsg-{0}', resourceGroup().name)]"))
    estate = read(module("hub", inner, resourceGroup="rg-hub"))
    assert names(estate) == ["nsg-rg-hub"]


def test_an_id_without_a_group() -> None:
    place = "[subscriptionResourceId('Microsoft.Network/networkSecurityGroups', 'a')]"
    estate = read(declared("publicIPAddresses", "pip", ipAddress=place))
    expected = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Network/networkSecurityGroups/a"
    assert [each.address for each in estate.public_ips.values()] == [expected]


def test_a_long_chain_of_modules_is_worked_out_once() -> None:
    """Each of thirty modules asks for what the one before it puts out, three times."""
    before = "reference('m{0}').outputs.name.value"
    inner = template(
        parameters={name: {"type": "string", "defaultValue": "nsg"} for name in ("a", "b", "c")},
        outputs={"name": {"value": "[if(equals(parameters('a'), parameters('b')), parameters('c'), '')]"}},
    )
    chain = [module("m0", inner)]
    for number in range(30):
        given = {"value": f"[{before.format(number)}]"}
        chain.append(module(f"m{number + 1}", inner, parameters=dict.fromkeys(("a", "b", "c"), given)))
    estate = read(*chain, declared("networkSecurityGroups", f"[{before.format(30)}]"))
    assert (names(estate), said(estate)) == (["nsg"], [])
