"""Values for the parameters of templates: a file of them, and what they count more than."""

import json
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate
from diagnostics.network.reading import Given, read_files, read_parameters

TEMPLATE = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def template(**parameters: Any) -> bytes:
    address = {"type": "Microsoft.Network/publicIPAddresses", "name": "[parameters('name')]", "properties": {}}
    return json.dumps({"$schema": TEMPLATE, "parameters": parameters, "resources": [address]}).encode()


def read(body: bytes, **values: Any) -> tuple[list[str], list[tuple[str, str]]]:
    estate: Estate = read_files([("main.json", body)], given=Given(values))
    return [rid.name for rid in estate.public_ips], [(each.where, each.text) for each in estate.problems]


@pytest.mark.parametrize("declared", [{"type": "string"}, {"type": "string", "defaultValue": "pip-default"}])
@pytest.mark.parametrize("name", ["name", "Name"])
def test_a_value_counts_more_than_a_default(declared: dict[str, str], name: str) -> None:
    assert read(template(name=declared), **{name: "pip-a"}) == (["pip-a"], [])


def test_a_value_is_no_expression() -> None:
    assert read(template(name={"type": "string"}), name="[newGuid()]") == (["[newGuid()]"], [])


def test_a_parameter_that_no_template_has_is_told() -> None:
    said = ("parameters.Nmae", "no template has a parameter of that name")
    assert read(template(name={"defaultValue": "pip"}), Nmae="a") == (["pip"], [said])


def test_what_is_no_template_stays_as_it_is() -> None:
    given = Given({"name": "a"})
    for value in ([1], {"id": "x", "parameters": {"name": {}}}, {"$schema": TEMPLATE, "parameters": [1]}, "text", None):
        assert given.into(value) is value
    assert given.unused == ("name",)


def test_a_file_of_parameters() -> None:
    body = {"parameters": {"a": {"value": [1]}, "b": {"value": None}, "c": {"reference": {"keyVault": {}}}}}
    assert read_parameters(json.dumps(body).encode(), "p.json") == {"a": [1], "b": None}


BAD = {
    "": "p.json: is no file of parameters: it has no `parameters` at its top",
    "[]": "p.json: is no file of parameters: it has no `parameters` at its top",
    "{}": "p.json: is no file of parameters: it has no `parameters` at its top",
    '{"parameters": 5}': "p.json: is no file of parameters: it has no `parameters` at its top",
    '{"parameters": {"a": 5}}': "p.json: parameters.a has neither `value` nor `reference`",
    '{"parameters": {"a": {}}}': "p.json: parameters.a has neither `value` nor `reference`",
    "{": "p.json: not readable as JSON",
}


@pytest.mark.parametrize(("body", "said"), BAD.items())
def test_what_is_no_file_of_parameters(body: str, said: str) -> None:
    with pytest.raises(ParseError, match=r"p\.json") as raised:
        read_parameters(body.encode(), "p.json")
    assert str(raised.value).startswith(said)
