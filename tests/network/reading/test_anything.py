"""Any JSON at all is read without an exception: what it is not becomes a problem."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.network.reading import read_files, read_objects
from tests.network.reading.small import BODIES, flat
from tests.network.reading.test_template import SMALL
from tests.network.reading.test_told import ADMIN_RULE, GROUPS, ROUTES

ROOT = Path(__file__).parent.parent.parent.parent
KEYS = st.sampled_from(
    [
        *("id", "type", "name", "properties", "value", "data", "columns", "rows", "resources", "values"),
        *("subnets", "securityRules", "ipConfigurations", "addressPrefix", "networkInterface", "tagMap"),
        *("effectiveRoutes", "effectiveSecurityAdminRules", "$schema", "condition", "copy", "template"),
    ]
)
IDS = [each["id"] for each in BODIES]
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [*IDS, SMALL["$schema"], "Microsoft.Network/virtualNetworks", "[concat('a', parameters('b'))]", "789"]
    ),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)
REAL = [list(BODIES), flat(list(BODIES)), SMALL, {"value": ROUTES}, {"value": GROUPS}, {"value": [ADMIN_RULE]}]
REAL += [json.loads(path.read_text()) for path in sorted((ROOT / "sandbox" / "estates").glob("*.json"))]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value, as what it is in and the key or index there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in pairs for found in ((value, key), *places(each))]


@given(st.lists(VALUES, max_size=3))
def test_any_value(values: list[Any]) -> None:
    said = [problem.where + problem.text for problem in read_objects(values).problems]
    assert all(said)


@given(st.data())
@settings(max_examples=100)
def test_a_real_document_in_which_anything_is_something_else(data: st.DataObject) -> None:
    value = copy.deepcopy(data.draw(st.sampled_from(REAL)))
    for _ in range(data.draw(st.integers(1, 4))):
        found = places(value)
        if not found:
            break
        holder, key = data.draw(st.sampled_from(found))
        holder[key] = data.draw(VALUES)
    said = [problem.where + problem.text for problem in read_objects([value]).problems]
    assert all(said)


@given(st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes(content: bytes) -> None:
    assert all(problem.where.startswith("x.json") for problem in read_files([("x.json", content)]).problems)


def test_what_is_nested_too_deeply_is_told() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    assert [problem.text for problem in read_objects([deep, *BODIES]).problems] == ["is nested too deeply"]
