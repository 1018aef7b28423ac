"""ARM templates: exports and what `bicep build` makes; what only a deployment could tell is told, not guessed."""

from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.reach import reach
from diagnostics.network.reading import read_objects
from diagnostics.network.security import Verdict
from tests.network.builders import flow

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
NETWORK = "Microsoft.Network"


def template(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def declared(kind: str, name: str, children: list[Any] | None = None, **properties: Any) -> dict[str, Any]:
    nested = {"resources": children} if children is not None else {}
    return {
        "type": f"{NETWORK}/{kind}",
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "[resourceGroup().location]",
        "properties": properties,
    } | nested


def read(*resources: Any, **more: Any) -> Estate:
    return read_objects([template(*resources, **more)])


def problems(estate: Estate) -> list[tuple[str, str]]:
    return [(problem.where, problem.text) for problem in estate.problems]


SUBNETS = f"{NETWORK}/virtualNetworks/subnets"
RULE: dict[str, Any] = {
    "priority": 100,
    "access": "Deny",
    "direction": "Inbound",
    "protocol": "Tcp",
    "sourceAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "22",
}


def interface(name: str, address: str, subnet: str) -> dict[str, Any]:
    return declared(
        "networkInterfaces",
        name,
        ipConfigurations=[
            {
                "name": "ipconfig1",
                "properties": {
                    "privateIPAddress": address,
                    "privateIPAllocationMethod": "Static",
                    "subnet": {
                        "id": f"[resourceId('{NETWORK}/virtualNetworks/subnets', variables('network'), {subnet})]"
                    },
                },
            }
        ],
    )


SMALL = template(
    declared(
        "virtualNetworks",
        "[variables('network')]",
        addressSpace={"addressPrefixes": ["[parameters('space')]"]},
        subnets=[
            {
                "name": "[parameters('names')[0]]",
                "properties": {
                    "addressPrefix": "10.0.1.0/24",
                    "networkSecurityGroup": {"id": f"[resourceId('{NETWORK}/networkSecurityGroups', 'nsg-a')]"},
                },
            },
            {"name": "b", "properties": {"addressPrefixes": ["10.0.2.0/24"]}},
        ],
    ),
    interface("nic-a", "10.0.1.4", "parameters('names')[0]"),
    interface("nic-b", "10.0.2.4", "last(parameters('names'))"),
    declared("networkSecurityGroups", "nsg-a", securityRules=[{"name": "deny-ssh", "properties": RULE}]),
    parameters={
        "space": {"type": "string", "defaultValue": "10.0.0.0/16"},
        "prefix": {"type": "string", "defaultValue": "shop"},
        "names": {"type": "array", "defaultValue": ["a", "b"]},
    },
    variables={"network": "[toLower(concat('VNet-', parameters('prefix')))]"},
)


def test_a_template_becomes_an_estate_that_can_be_asked() -> None:
    estate = read_objects([SMALL])
    assert problems(estate) == []
    assert [str(point.address) for point in estate.points] == ["10.0.1.4", "10.0.2.4"]
    denied = reach(estate, flow("10.0.2.4", "10.0.1.4", 22))
    assert (denied.verdict, [reason.name for reason in denied.because]) == (Verdict.DENIED, ["deny-ssh"])
    assert reach(estate, flow("10.0.2.4", "10.0.1.4", 443)).verdict is Verdict.ALLOWED


def test_inline_children_without_ids_get_those_that_azure_would_give() -> None:
    network = next(iter(read_objects([SMALL]).networks.values()))
    assert [str(subnet.id) for subnet in network.subnets] == [
        f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/template/providers/{NETWORK}/"
        f"virtualNetworks/vnet-shop/subnets/{name}"
        for name in ("a", "b")
    ]


CHILDREN = {
    "inside of their parent": [
        declared("networkSecurityGroups", "nsg-a", [{"type": "securityRules", "name": "deny-ssh", "properties": RULE}])
    ],
    "behind it": [
        declared("networkSecurityGroups", "nsg-a"),
        declared("networkSecurityGroups/securityRules", "nsg-a/deny-ssh", **RULE),
    ],
    "before it": [
        declared("networkSecurityGroups/securityRules", "[concat('nsg-a', '/deny-ssh')]", **RULE),
        declared("networkSecurityGroups", "nsg-a"),
    ],
    "there and here": [
        declared("networkSecurityGroups", "nsg-a", securityRules=[{"name": "deny-ssh", "properties": RULE}]),
        declared("networkSecurityGroups/securityRules", "nsg-a/deny-ssh", **RULE),
    ],
}


@pytest.mark.parametrize("resources", CHILDREN.values(), ids=CHILDREN)
def test_children_written_apart(resources: list[Any]) -> None:
    estate = read(*resources)
    assert problems(estate) == []
    assert [[rule.name for rule in group.rules] for group in estate.security_groups.values()] == [["deny-ssh"]]


def test_subnets_written_apart() -> None:
    estate = read(
        declared("virtualNetworks", "v", addressSpace={"addressPrefixes": ["10.0.0.0/16"]}),
        declared("virtualNetworks/subnets", "v/a", addressPrefix="10.0.1.0/24"),
        declared("virtualNetworks/subnets", "v/b", addressPrefix="10.0.2.0/24"),
    )
    assert [subnet.id.name for network in estate.networks.values() for subnet in network.subnets] == ["a", "b"]


def test_a_part_of_what_is_not_there_is_told() -> None:
    estate = read(declared("routeTables/routes", "rt/out", addressPrefix="0.0.0.0/0", nextHopType="Internet"))
    assert problems(estate) == [("$[0].resources[0]", "belongs to rt, which is in none of the files")]


@pytest.mark.parametrize("left_out", [{"condition": False}, {"existing": True}], ids=str)
def test_what_is_not_deployed_is_left_out(left_out: dict[str, Any]) -> None:
    estate = read({**declared("publicIPAddresses", "pip"), **left_out}, declared("publicIPAddresses", "other"))
    assert ([rid.name for rid in estate.public_ips], problems(estate)) == (["other"], [])


def test_a_condition_that_is_worked_out() -> None:
    parameters = {"wanted": {"type": "bool", "defaultValue": False}}
    estate = read(
        {**declared("publicIPAddresses", "pip"), "condition": "[parameters('wanted')]"},
        {**declared("publicIPAddresses", "other"), "condition": "[not(parameters('wanted'))]"},
        parameters=parameters,
    )
    assert ([rid.name for rid in estate.public_ips], problems(estate)) == (["other"], [])


def test_a_condition_that_only_a_deployment_could_tell() -> None:
    estate = read({**declared("publicIPAddresses", "pip"), "condition": "[parameters('wanted')]"})
    assert problems(estate) == [("$[0].resources[0].condition", "parameters('wanted') has no value here")]
    assert len(estate.public_ips) == 1


def deployment(**properties: Any) -> dict[str, Any]:
    return {"type": "Microsoft.Resources/deployments", "name": "inner", "properties": properties}


def test_a_template_within_a_template() -> None:
    inner = template(
        declared("virtualNetworks", "[parameters('name')]", addressSpace={"addressPrefixes": ["10.0.0.0/16"]}),
        parameters={"name": {"type": "string"}},
    )
    outer = deployment(template=inner, parameters={"name": {"value": "[format('{0}-{1}', 'v', 2)]"}})
    estate = read(outer)
    assert ([rid.name for rid in estate.networks], problems(estate)) == (["v-2"], [])


def test_a_template_that_is_somewhere_else_is_told() -> None:
    estate = read(deployment(templateLink={"uri": "https://example.com/t.json"}))
    assert problems(estate) == [("$[0].resources[0]", "is a deployment of a template that is somewhere else")]


def test_resources_by_name_as_newer_bicep_writes_them() -> None:
    estate = read_objects([{"$schema": SCHEMA, "resources": {"pip": declared("publicIPAddresses", "pip")}}])
    assert [rid.name for rid in estate.public_ips] == ["pip"]


EXPRESSIONS = {
    "[parameters('missing')]": "parameters('missing') has no value here",
    "[reference('x').ipAddress]": "reference(…) depends on the deployment",
    "[parameters('loop')]": "parameters('loop') refers to itself",
    "[concat('a'": None,
    "[nonsense": None,
    "[newGuid()]": "newGuid(…) depends on the deployment",
    "[parameters('list')[7]]": "7 depends on the deployment",
    "[add('a', 1)]": "add(…) is not understood here",
    "[§]": "expression '§' is not understood here",
}


@pytest.mark.parametrize(("written", "said"), EXPRESSIONS.items())
def test_what_an_expression_stands_for_is_not_guessed(written: str, said: str | None) -> None:
    parameters = {"loop": {"defaultValue": "[parameters('loop')]"}, "list": {"defaultValue": [1]}}
    estate = read(declared("publicIPAddresses", "pip", ipAddress=written), parameters=parameters)
    found = problems(estate)
    assert [where for where, _ in found] == ["$[0].resources[0].properties.ipAddress"]
    if said:
        assert found[0][1].lower() == said.lower()
    assert [public.address for public in estate.public_ips.values()] in ([None], [written])


WORKED_OUT = {
    "[[literal]": "[literal]",
    "[concat('10.0.', string(1), '.4')]": "10.0.1.4",
    "[if(equals(1, 1), '10.0.1.4', 'x')]": "10.0.1.4",
    "[first(split('10.0.1.4,10.0.1.5', ','))]": "10.0.1.4",
    "[replace('10-0-1-4', '-', '.')]": "10.0.1.4",
    "[coalesce(null(), '10.0.1.4')]": "10.0.1.4",
    "[variables('nested').address]": "10.0.1.4",
    "[variables('nested')['address']]": "10.0.1.4",
}


@pytest.mark.parametrize(("written", "value"), WORKED_OUT.items())
def test_simple_expressions_are_worked_out(written: str, value: str) -> None:
    estate = read(
        declared("publicIPAddresses", "pip", ipAddress=written), variables={"nested": {"address": "10.0.1.4"}}
    )
    assert [public.address for public in estate.public_ips.values()] == [value]


def test_what_the_engine_does_not_read_may_be_any_expression() -> None:
    estate = read({**declared("publicIPAddresses", "pip"), "tags": {"at": "[utcNow()]"}, "zones": ["1"]})
    assert problems(estate) == []


def test_a_file_of_parameters_is_no_problem() -> None:
    schema = SCHEMA.replace("deploymentTemplate", "deploymentParameters")
    assert read_objects([{"$schema": schema, "parameters": {"a": {"value": 1}}}]).problems == ()


BROKEN: dict[str, Any] = {
    "resources are a number": {"$schema": SCHEMA, "resources": 5},
    "a resource is a number": template(5),
    "parameters are a list": template(declared("publicIPAddresses", "p"), parameters=[1]),
    "variables are a text": template(declared("publicIPAddresses", "[variables('x')]"), variables="x"),
    "nested resources are a number": template({**declared("publicIPAddresses", "p"), "resources": 5}),
    "a name of several parts too many": template(declared("publicIPAddresses", "a/b/c")),
    "no name": template({"type": f"{NETWORK}/publicIPAddresses"}),
    "a type without a slash": template({"type": "publicIPAddresses", "name": "p"}),
    "a deployment of nothing": template({"type": "Microsoft.Resources/deployments", "properties": 5}),
    "its parameters are a list": template(deployment(template=template(), parameters=[1])),
    "a resource id of no type": template(declared("publicIPAddresses", "[resourceId('a', 'b')]")),
    "a deep expression": template(declared("publicIPAddresses", "[" + "concat(" * 3000 + "'a'" + ")" * 3000 + "]")),
    "an expression over lists": template(declared("publicIPAddresses", "[createArray('a')]")),
    "a name by an expression that gives a mapping": template(declared("publicIPAddresses", "[createObject('a', 1)]")),
    "the first of a mapping": template(declared("publicIPAddresses", "[first(createObject('a', 1))]")),
    "many copies": template({**declared("publicIPAddresses", "p"), "copy": {"name": "c", "count": 3}}),
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN)
def test_a_broken_template_is_told_and_raises_nothing(value: Any) -> None:
    assert all(problem.where.startswith("$[0]") for problem in read_objects([value]).problems)


NOT_KNOWN = {
    "an NSG": {"networkSecurityGroup": {"id": "[reference('x').id]"}},
    "a route table": {"routeTable": {"id": "[parameters('table')]"}},
}


@pytest.mark.parametrize("association", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_what_is_not_known_does_not_count_as_absent(association: dict[str, Any]) -> None:
    subnets = [{"name": name, "properties": {"addressPrefix": f"10.0.{n}.0/24", **association}} for n, name in NAMES]
    network = declared(
        "virtualNetworks", "vnet-shop", addressSpace={"addressPrefixes": ["10.0.0.0/16"]}, subnets=subnets
    )
    estate = read(network, *SMALL["resources"][1:3], variables=SMALL["variables"], parameters=SMALL["parameters"])
    assert len(estate.problems) == 2
    assert reach(estate, flow("10.0.2.4", "10.0.1.4")).verdict is Verdict.UNKNOWN


NAMES = ((1, "a"), (2, "b"))


def test_rules_that_a_loop_makes_do_not_count_as_absent() -> None:
    looped = {"copy": [{"name": "securityRules", "count": "[parameters('many')]", "input": {"name": "r"}}]}
    estate = read(*SMALL["resources"][:3], declared("networkSecurityGroups", "nsg-a", **looped), **VALUES)
    assert problems(estate) == [("$[0].resources[3].properties.securityRules", "parameters('many') has no value here")]
    assert reach(estate, flow("10.0.2.4", "10.0.1.4")).verdict is Verdict.UNKNOWN


VALUES = {key: SMALL[key] for key in ("variables", "parameters")}


def test_variables_may_be_called_like_the_parameters_that_they_are_made_of() -> None:
    estate = read(
        declared("publicIPAddresses", "[variables('name')]"),
        variables={"name": "[concat('pip-', parameters('Name'))]"},
        parameters={"name": {"defaultValue": "a"}},
    )
    assert ([rid.name for rid in estate.public_ips], problems(estate)) == (["pip-a"], [])


@pytest.mark.parametrize(
    ("options", "name"), [({}, "outer"), ({"scope": "Outer"}, "outer"), ({"scope": "inner"}, "own")]
)
def test_whose_parameters_a_template_within_a_template_means(options: dict[str, str], name: str) -> None:
    inner = template(declared("publicIPAddresses", "[parameters('name')]"))
    own = {"name": {"value": "own"}} if name == "own" else {}
    estate = read(
        deployment(template=inner, parameters=own, expressionEvaluationOptions=options),
        parameters={"name": {"defaultValue": "outer"}},
    )
    assert ([rid.name for rid in estate.public_ips], problems(estate)) == ([name], [])


def test_a_deployment_that_its_condition_leaves_out() -> None:
    inner = deployment(template=template(declared("publicIPAddresses", "pip")))
    assert read({**inner, "condition": "[equals('a', 'b')]"}).public_ips == {}


def peered(name: str, number: int, *peers: str) -> list[dict[str, Any]]:
    """A network with one machine, and its side of peerings."""
    subnet = {"name": "a", "properties": {"addressPrefix": f"10.{number}.1.0/24"}}
    where = {"id": f"[resourceId('{SUBNETS}', '{name}', 'a')]"}
    configuration = {"name": "i", "properties": {"privateIPAddress": f"10.{number}.1.4", "subnet": where}}
    space = {"addressPrefixes": [f"10.{number}.0.0/16"]}
    return [
        declared("virtualNetworks", name, addressSpace=space, subnets=[subnet]),
        declared("networkInterfaces", f"nic-{name}", ipConfigurations=[configuration]),
        *(
            declared(
                "virtualNetworks/virtualNetworkPeerings",
                f"{name}/to-{peer}",
                remoteVirtualNetwork={"id": f"[resourceId('{NETWORK}/virtualNetworks', '{peer}')]"},
                remoteAddressSpace=None if peer != "elsewhere" else {"addressPrefixes": ["10.9.0.0/16"]},
            )
            for peer in peers
        ),
    ]


@pytest.mark.parametrize(
    ("there", "back", "verdict"),
    [(["w"], ["v"], Verdict.ALLOWED), (["w"], [], Verdict.DENIED), ([], ["v"], Verdict.DENIED)],
)
def test_a_peering_is_connected_once_both_sides_are_there(there: list[str], back: list[str], verdict: Verdict) -> None:
    estate = read(*peered("v", 1, *there), *peered("w", 2, *back))
    assert problems(estate) == []
    assert reach(estate, flow("10.1.1.4", "10.2.1.4")).verdict is verdict


def test_a_peering_with_a_network_that_is_not_there_is_unknown() -> None:
    assert reach(read(*peered("v", 1, "elsewhere")), flow("10.1.1.4", "10.9.1.4")).verdict is Verdict.UNKNOWN
