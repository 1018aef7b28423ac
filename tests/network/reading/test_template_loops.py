"""What a template makes by loops and by templates within it, as `bicep build` writes them."""

from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.reading import read_objects

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
NETWORK = "Microsoft.Network"
RULES = [
    {"name": "ssh", "port": "22", "from": "*"},
    {"name": "web", "ports": ["80", "443"], "from": "Internet"},
]
DEFAULT = {"rules": {"type": "array", "defaultValue": RULES}}


def template(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def read(*resources: Any, **more: Any) -> Estate:
    return read_objects([template(*resources, **more)])


def declared(kind: str, name: str, **properties: Any) -> dict[str, Any]:
    return {"type": f"{NETWORK}/{kind}", "apiVersion": "2024-05-01", "name": name, "properties": properties}


def loop(name: str, of: str, made: Any) -> dict[str, Any]:
    return {"name": name, "count": f"[length({of})]", "input": made}


def rule(of: str, at: str = "copyIndex('securityRules')") -> dict[str, Any]:
    """A rule as Bicep writes it in a loop; the field of its ports hangs on what is given."""
    each = f"{of}[{at}]"
    ports = f"[if(contains({each}, 'ports'), 'destinationPortRanges', 'destinationPortRange')]"
    return {
        "name": f"[{each}.name]",
        "properties": {
            "priority": f"[add(100, mul({at}, 10))]",
            "access": "Allow",
            "direction": "Inbound",
            "protocol": "Tcp",
            "sourceAddressPrefix": f"[tryGet({each}, 'from')]",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            ports: f"[coalesce(tryGet({each}, 'ports'), tryGet({each}, 'port'))]",
        },
    }


def rules_of(estate: Estate) -> list[tuple[str, list[tuple[str, int, tuple[str, ...], tuple[str, ...]]]]]:
    return [
        (rid.name, [(rule.name, rule.priority, rule.sources, rule.destination_ports) for rule in group.rules])
        for rid, group in estate.security_groups.items()
    ]


MADE = [("ssh", 100, ("*",), ("22",)), ("web", 110, ("Internet",), ("80", "443"))]
BY_PROPERTY = declared(
    "networkSecurityGroups", "nsg", copy=[loop("securityRules", "parameters('rules')", rule("parameters('rules')"))]
)
BY_VARIABLE = declared("networkSecurityGroups", "nsg", securityRules="[variables('made')]")
MAKING = {"copy": [loop("made", "parameters('rules')", rule("parameters('rules')", "copyIndex('made')"))]}
COALESCED = "coalesce(parameters('rules'), createArray())"


@pytest.mark.parametrize(
    "value",
    [
        template(BY_PROPERTY, parameters=DEFAULT),
        template(BY_VARIABLE, parameters=DEFAULT, variables=MAKING),
        template(
            declared("networkSecurityGroups", "nsg", securityRules="[variables('in').securityRules]"),
            parameters=DEFAULT,
            variables={"in": {"copy": BY_PROPERTY["properties"]["copy"]}},
        ),
        template(
            declared("networkSecurityGroups", "nsg", copy=[loop("securityRules", COALESCED, rule(COALESCED))]),
            parameters=DEFAULT,
        ),
    ],
    ids=["of a property", "of a variable", "of a property of a variable", "as verified modules write it"],
)
def test_rules_that_a_loop_makes(value: dict[str, Any]) -> None:
    estate = read_objects([value])
    assert (rules_of(estate), estate.problems) == ([("nsg", MADE)], ())


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "parameters('rules') has no value here"),
        ({"rules": {"defaultValue": "[reference('x').rules]"}}, "reference(…) depends on the deployment"),
    ],
)
def test_rules_of_a_loop_that_is_not_known_are_not_absent(parameters: dict[str, Any], said: str) -> None:
    estate = read(BY_PROPERTY, parameters=parameters)
    assert [(p.where, p.text) for p in estate.problems] == [("$[0].resources[0].properties.securityRules", said)]
    assert estate.security_groups == {}


@pytest.mark.parametrize("count", [-1, 801, "3", None, True, 1.5])
def test_what_is_no_number_of_turns_is_told(count: Any) -> None:
    made = {"name": "securityRules", "count": count, "input": {}}
    estate = read(
        declared("networkSecurityGroups", "a", copy=[made]),
        {**declared("publicIPAddresses", "p"), "copy": {"name": "c", "count": count}},
    )
    said = f"copy: count: {count!r} is no whole number from 0 to 800"
    assert [(p.where, p.text) for p in estate.problems] == [
        ("$[0].resources[0].properties.securityRules", said),
        ("$[0].resources[1]", said),
    ]


def test_no_turns_make_no_rules() -> None:
    estate = read(BY_PROPERTY, parameters={"rules": {"defaultValue": []}})
    assert (rules_of(estate), estate.problems) == ([("nsg", [])], ())


def test_a_rule_of_a_loop_that_hangs_on_the_deployment_leaves_the_others_known() -> None:
    unknown = {"name": "odd", "port": "1", "from": "[reference('pip').ipAddress]"}
    estate = read(BY_PROPERTY, parameters={"rules": {"defaultValue": [*RULES, unknown]}})
    where = "$[0].resources[0].properties.securityRules[2].properties.sourceAddressPrefix"
    assert [(p.where, p.text) for p in estate.problems] == [(where, "reference(…) depends on the deployment")]
    ((_, rules),) = rules_of(estate)
    assert rules[:2] == MADE
    assert rules[2] == ("odd", 120, ("[tryGet(parameters('rules')[copyIndex('securityRules')], 'from')]",), ("1",))


def test_a_rule_with_a_field_of_which_only_the_deployment_knows_the_name_may_say_anything() -> None:
    made = {"name": "r", "properties": {"priority": 100, "[reference('x').field]": "22"}}
    estate = read(declared("networkSecurityGroups", "nsg", securityRules=[made]))
    assert [p.where for p in estate.problems] == ["$[0].resources[0].properties.securityRules[0].properties"]
    ((_, rules),) = rules_of(estate)
    assert len(rules) == 4  # one for each direction and access


def test_resources_that_a_loop_makes_each_with_its_own_rules() -> None:
    group = {
        **declared(
            "networkSecurityGroups",
            "[format('nsg-{0}', parameters('names')[copyIndex()])]",
            copy=[loop("securityRules", "parameters('rules')", rule("parameters('rules')"))],
        ),
        "copy": {"name": "groups", "count": "[length(parameters('names'))]"},
        "condition": "[not(equals(parameters('names')[copyIndex('groups')], 'none'))]",
    }
    names = {"names": {"defaultValue": ["a", "none", "b"]}}
    estate = read(group, parameters={**DEFAULT, **names})
    assert (rules_of(estate), estate.problems) == ([("nsg-a", MADE), ("nsg-b", MADE)], ())


def test_a_loop_within_a_loop() -> None:
    """Prefixes of each rule: their loop has a name of its own."""
    inner = {
        "name": "sourceAddressPrefixes",
        "count": 2,
        "input": "[variables('from')[copyIndex('r')][copyIndex('sourceAddressPrefixes')]]",
    }
    made = {
        "name": "r",
        "properties": {
            "priority": "[copyIndex('r', 100)]",
            "access": "Deny",
            "direction": "Inbound",
            "protocol": "*",
            "copy": [inner],
        },
    }
    groups = declared("networkSecurityGroups", "nsg", securityRules="[variables('r')]")
    origin = [["10.0.0.1", "10.0.0.2"], ["10.0.1.1", "10.0.1.2"]]
    estate = read(groups, variables={"from": origin, "copy": [{"name": "r", "count": 2, "input": made}]})
    assert rules_of(estate) == [("nsg", [("r", 100, tuple(origin[0]), ()), ("r", 101, tuple(origin[1]), ())])]


def module(name: str, inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A module as Bicep writes it."""
    parameters = more.pop("parameters", {})
    properties = {
        "expressionEvaluationOptions": {"scope": "inner"},
        "mode": "Incremental",
        "parameters": parameters,
        "template": inner,
    }
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": name,
        "properties": properties,
        **more,
    }


GROUP_MODULE = template(
    declared("networkSecurityGroups", "[parameters('name')]"),
    parameters={"name": {"type": "string"}},
    outputs={
        "id": {"type": "string", "value": f"[resourceId('{NETWORK}/networkSecurityGroups', parameters('name'))]"},
        "when": {"type": "string", "value": "[utcNow()]"},
        "ids": {
            "type": "array",
            "copy": {"count": 2, "input": f"[resourceId('{NETWORK}/networkSecurityGroups', string(copyIndex()))]"},
        },
    },
)
DEPLOYED = "reference(resourceId('Microsoft.Resources/deployments', {0}), '2025-04-01').outputs"


def subnet_of(group: str) -> dict[str, Any]:
    subnets = [
        {"name": "snet", "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": f"[{group}]"}}}
    ]
    return declared("virtualNetworks", "vnet", addressSpace={"addressPrefixes": ["10.0.0.0/16"]}, subnets=subnets)


def attached(estate: Estate) -> list[str]:
    return [subnet.security_group.name for subnet in estate.subnets.values() if subnet.security_group]


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (DEPLOYED.format("'nsgModule'") + ".id.value", "nsg-a"),
        (DEPLOYED.format("'NSGMODULE'") + ".ids.value[1]", "1"),
        ("reference('nsgModule').outputs.id.value", "nsg-a"),
    ],
)
def test_what_a_module_puts_out(output: str, name: str) -> None:
    made = module("nsgModule", GROUP_MODULE, parameters={"name": {"value": "nsg-a"}})
    estate = read(made, subnet_of(output))
    assert (attached(estate), estate.problems) == ([name], ())


def test_what_modules_of_a_loop_put_out_by_name_and_by_key() -> None:
    names = {"names": {"type": "array", "defaultValue": ["a", "b"]}}
    looped = module(
        "[format('mod-{0}', copyIndex())]",
        GROUP_MODULE,
        parameters={"name": {"value": "[parameters('names')[copyIndex()]]"}},
        copy={"name": "mods", "count": "[length(parameters('names'))]"},
    )
    by_name = read(looped, subnet_of(DEPLOYED.format("format('mod-{0}', 1)") + ".id.value"), parameters=names)
    keyed = {"mods": looped, "vnet": subnet_of("reference('mods[1]').outputs.id.value")}
    by_key = read_objects([{"$schema": SCHEMA, "languageVersion": "2.0", "parameters": names, "resources": keyed}])
    for estate in (by_name, by_key):
        assert sorted(rid.name for rid in estate.security_groups) == ["a", "b"]
        assert (attached(estate), estate.problems) == (["b"], ())


@pytest.mark.parametrize(
    "output",
    [
        DEPLOYED.format("'nsgModule'") + ".when.value",
        DEPLOYED.format("'another'") + ".id.value",
        DEPLOYED.format("'nsgModule'") + ".none.value",
        DEPLOYED.format("'circle'") + ".id.value",
    ],
)
def test_what_no_module_here_puts_out_is_not_absent(output: str) -> None:
    made = module("nsgModule", GROUP_MODULE, parameters={"name": {"value": "nsg-a"}})
    circle = template(outputs={"id": {"value": "[parameters('id')]"}}, parameters={"id": {"type": "string"}})
    own = module("circle", circle, parameters={"id": {"value": f"[{DEPLOYED.format("'circle'")}.id.value]"}})
    estate = read(made, own, subnet_of(output))
    assert attached(estate) == ["unreadable"]  # it may be any
    assert [p.where for p in estate.problems] == [
        "$[0].resources[2].properties.subnets[0].properties.networkSecurityGroup.id"
    ]


def test_a_module_in_a_module_hands_on() -> None:
    outer = template(
        module("inner", GROUP_MODULE, parameters={"name": {"value": "[parameters('name')]"}}),
        parameters={"name": {"type": "string"}},
        outputs={"id": {"value": f"[{DEPLOYED.format("'inner'")}.id.value]"}},
    )
    made = module("outer", outer, parameters={"name": {"value": "nsg-deep"}})
    estate = read(made, subnet_of(DEPLOYED.format("'outer'") + ".id.value"))
    assert (attached(estate), estate.problems) == (["nsg-deep"], ())
    assert [rid.name for rid in estate.security_groups] == ["nsg-deep"]


def test_many_turns_over_many_rules_are_read_once() -> None:
    """800 rules, each of which is taken from the whole list several times."""
    many = [{"name": f"r{n}", "port": str(n), "from": "*"} for n in range(800)]
    ((_, rules),) = rules_of(read(BY_PROPERTY, parameters={"rules": {"defaultValue": many}}))
    assert len(rules) == 800
