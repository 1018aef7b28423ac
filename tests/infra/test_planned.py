"""Bicep's expressions come to what Azure would make of them."""

from pathlib import Path
from typing import Any

import pytest

from tools.infra.module import UnreadableError
from tools.infra.planned import FailedError, Plan, plan

VALUES = """
param count int = 3
param words array = ['b', 'a']
param none string?
param things object = { z: { to: 'x' }, a: { to: '' } }
"""
COMES_TO = [
    ("'${count}-${words[0]}'", "3-b"),
    ("count + 1 == 4 && !empty(words)", True),
    ("!empty(words) && count == 4", False),
    ("count == 4 || count == 3 ? 'yes' : 'no'", "yes"),
    ("empty(none ?? '') ? 1 : 2", 1),
    ("none ?? (count == 3)", True),
    ("things.z.to == 'x' ? things.?y ?? 'none' : 'no'", "none"),
    ("[for (word, index) in words: { name: word, at: index }]", [{"name": "b", "at": 0}, {"name": "a", "at": 1}]),
    ("map(filter(items(things), each => each.key != 'b' && !empty(each.value.to)), each => each.key)", ["z"]),
    ("toObject(words, word => word, word => '${word}${word}')", {"b": "bb", "a": "aa"}),
    ("{ '${count}': 1 }", {"3": 1}),
    ("union({ a: 1, b: 2 }, { b: 3 })", {"a": 1, "b": 3}),
    ("concat(words, ['c'])", ["b", "a", "c"]),
    ("cidrSubnet('10.90.0.0/24', parseCidr('10.90.0.0/24').cidr + 1, 1)", "10.90.0.128/25"),
    ("take(replace('a-b-c', '-', ''), 2)", "ab"),
    ("string({ a: [true] })", '{"a": [true]}'),
]


def planned(tmp_path: Path, text: str, **values: Any) -> Plan:
    path = tmp_path / "main.bicep"
    path.write_text(text)
    return plan(path, **values)


@pytest.mark.parametrize(("expression", "value"), COMES_TO)
def test_an_expression_comes_to_its_value(tmp_path: Path, expression: str, value: Any) -> None:
    made = planned(tmp_path, f"{VALUES}output it object = {expression}\n")
    assert made.outputs == {"it": value}
    assert type(made.outputs["it"]) is type(value)


def test_what_only_azure_knows_says_where_it_is_from(tmp_path: Path) -> None:
    lines = """
param many array
resource a 'Microsoft.A/as@2025-01-01' existing = {
  name: 'known'
}
resource b 'Microsoft.A/as/bs@2025-01-01' = [for name in many: {
  parent: a
  name: name
}]
resource c 'Microsoft.C/cs@2025-01-01' = if (empty(many)) {
  name: a.properties.address
}
output id string = b[0].id
"""
    made = planned(tmp_path, lines, many=["x", "y"])
    assert [(each.type, each.name) for each in made.resources] == [
        ("Microsoft.A/as/bs", "known/x"),
        ("Microsoft.A/as/bs", "known/y"),
    ]
    assert made.outputs == {"id": "<Microsoft.A/as/bs known/x>"}
    (tmp_path / "alone").mkdir()
    alone = planned(tmp_path / "alone", lines.replace("output id string = b[0].id\n", ""), many=[])
    assert [each.name for each in alone.resources] == ["<Microsoft.A/as known>.properties.address"]


def test_a_template_that_fails_says_why(tmp_path: Path) -> None:
    text = "param a int\noutput it int = a == 1 ? fail('not one.') : a\n"
    assert planned(tmp_path, text, a=2).outputs == {"it": 2}
    with pytest.raises(FailedError, match="not one"):
        planned(tmp_path, text, a=1)


@pytest.mark.parametrize(
    ("expression", "said"), [("range(0, 3)", "add 'range' to tools/infra/planned.py"), ("x", "nothing is called 'x'")]
)
def test_what_is_not_known_here_is_told(tmp_path: Path, expression: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=f"main.bicep: {said}"):
        planned(tmp_path, f"output it object = {expression}\n")


@pytest.mark.parametrize(("given", "said"), [({}, "needs a"), ({"a": 1, "b": 2}, "takes no b")])
def test_parameters_are_given_as_they_are_declared(tmp_path: Path, given: dict[str, int], said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        planned(tmp_path, "param a int\n", **given)
