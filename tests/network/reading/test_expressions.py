"""Expressions of ARM templates: what functions make of what they are given, and what is not guessed."""

from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.reading.scope import Scope

RULES = [{"name": "ssh", "Priority": 100}, {"name": "rdp", "Priority": 110}]
KNOWN = Scope.of(
    {
        "parameters": {"space": {"defaultValue": "10.0.0.0/16"}, "nothing": {"type": "string", "nullable": True}},
        "variables": {
            "rules": RULES,
            "again": "[variables('rules')]",
            "round": "[variables('round')]",
            "copy": [
                {"name": "names", "count": 2, "input": "[format('snet-{0}', copyIndex('names', 1))]"},
                {"name": "endless", "count": "[reference('x').count]", "input": 1},
            ],
        },
    },
    {},
)

WORKED_OUT: dict[str, Any] = {
    "[variables('again')[1].priority]": 110,
    "[parameters('NOTHING')]": None,
    "[variables('names')]": ["snet-1", "snet-2"],
    "[length(variables('names'))]": 2,
    "[if(true(), 'a', reference('x').b)]": "a",
    "[if(false(), reference('x').b, 'b')]": "b",
    "[and(false(), reference('x').b)]": False,
    "[or(true(), reference('x').b)]": True,
    "[coalesce(tryGet(variables('rules')[0], 'none'), tryGet(variables('rules'), 7), 'else')]": "else",
    "[tryGet(variables('rules'), 0, 'NAME')]": "ssh",
    "[contains(variables('rules')[0], 'priority')]": True,
    "[contains('abc', 'B')]": False,
    "[contains(createArray(1, 2), 2)]": True,
    "[map(variables('rules'), lambda('r', lambdaVariables('r').name))]": ["ssh", "rdp"],
    "[map(variables('rules'), lambda('r', 'i', lambdaVariables('i')))]": [0, 1],
    "[filter(range(0, 5), lambda('n', greater(lambdaVariables('n'), 2)))]": [3, 4],
    "[reduce(createArray(1, 2, 3), 0, lambda('sum', 'n', add(lambdaVariables('sum'), lambdaVariables('n'))))]": 6,
    "[toObject(variables('rules'), lambda('r', lambdaVariables('r').name), lambda('r', 1))]": {"ssh": 1, "rdp": 1},
    "[map(createArray(1), lambda('a', map(createArray(2), lambda('b', lambdaVariables('a')))))]": [[1]],
    "[union(createArray(1, 2), createArray(2, 3))]": [1, 2, 3],
    "[union(createObject('a', createObject('b', 1)), createObject('a', createObject('c', 2)))]": {
        "a": {"b": 1, "c": 2}
    },
    "[shallowMerge(createArray(createObject('a', createObject('b', 1)), createObject('a', 2)))]": {"a": 2},
    "[intersection(createArray(1, 2), createArray(2, 3))]": [2],
    "[flatten(createArray(createArray(1), createArray(2)))]": [1, 2],
    "[items(createObject('b', 1, 'A', 2))]": [{"key": "A", "value": 2}, {"key": "b", "value": 1}],
    "[objectKeys(createObject('b', 1, 'A', 2))]": ["A", "b"],
    "[cidrSubnet(parameters('space'), 24, 3)]": "10.0.3.0/24",
    "[cidrSubnet('2001:db8::/48', 64, 1)]": "2001:db8:0:1::/64",
    "[cidrHost('10.0.1.0/24', 3)]": "10.0.1.4",
    "[split('a,b;c', createArray(',', ';'))]": ["a", "b", "c"],
    "[join(createArray('a', 1), '-')]": "a-1",
    "[substring('10.0.1.4', 0, 4)]": "10.0",
    "[take('abc', 2)]": "ab",
    "[skip(createArray(1, 2), 1)]": [2],
    "[padLeft('7', 3, '0')]": "007",
    "[indexOf('aBc', 'b')]": 1,
    "[indexOf(createArray('a'), 'b')]": -1,
    "[startsWith('Nsg-a', 'nsg')]": True,
    "[div(-7, 2)]": -3,
    "[mod(-7, 2)]": -1,
    "[max(createArray(1, 5))]": 5,
    "[string(createArray(1, 'a'))]": '[1,"a"]',
    "[json('{\"a\": [1]}').A[0]]": 1,
    "[json('// a note\n{\"a\": 1}')]": {"a": 1},
    "[union(createArray(1), null(), createArray(2))]": [1, 2],
    "[bool('true')]": True,
    "[format('{0}-{1:D2}', 'a', 2)]": "a-02",
    "[extensionResourceId('/subscriptions/s', 'Microsoft.Authorization/locks', 'l')]": (
        "/subscriptions/s/providers/Microsoft.Authorization/locks/l"
    ),
    "'it''s'": "'it''s'",
    "[concat('it''s')]": "it's",
}


@pytest.mark.parametrize(("written", "value"), WORKED_OUT.items())
def test_what_an_expression_stands_for(written: str, value: Any) -> None:
    assert KNOWN.value(written) == value


NOT_KNOWN = {
    "[variables('round')]": "variables('round') refers to itself",
    "[variables('endless')]": "reference(…) depends on the deployment",
    "[variables('rules')[-1]]": "-1 depends on the deployment",
    "[variables('rules')[2]]": "2 depends on the deployment",
    "[variables('rules')[0].port]": "'port' depends on the deployment",
    "[variables('rules')[0]": None,
    "[copyIndex()]": "copyIndex() is in no loop",
    "[copyIndex('rules')]": "copyIndex('rules') is in no loop of that name",
    "[lambdaVariables('r')]": "lambdavariables(…) is not understood here",
    "[reference('x').outputs]": "reference(…) depends on the deployment",
    "[newGuid()]": "newguid(…) depends on the deployment",
    "[format('{0:X}', 10)]": "format(…) is not understood here",
    "[range(0, 100000)]": "range(…) is not understood here",
    "[padLeft('a', 1000000000)]": "padleft(…) is not understood here",
    "[cidrSubnet('10.0.0.0/16', 24, 256)]": "cidrsubnet(…) is not understood here",
    "[cidrHost('10.0.0.0/30', 9)]": "cidrhost(…) is not understood here",
    "[div(1, 0)]": "div(…) is not understood here",
    "[substring('abc', 2, 5)]": "substring(…) is not understood here",
    "[if('a')]": "if(…) is not understood here",
    "[length(5)]": "length(…) is not understood here",
}


@pytest.mark.parametrize(("written", "said"), NOT_KNOWN.items())
def test_what_is_not_guessed(written: str, said: str | None) -> None:
    if said is None:  # a text that only begins like an expression
        assert KNOWN.value(written + "x") == written + "x"
        return
    with pytest.raises(ParseError) as raised:
        KNOWN.value(written)
    assert str(raised.value) == said
