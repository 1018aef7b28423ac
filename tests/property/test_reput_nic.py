"""Laws of putting a NIC back, for bodies with properties that nobody has heard of yet, at every level."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.remediation.reput_nic import difference, writable

NICS = [
    json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parents[1] / "data/nics").glob("*.json"))
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/é", max_size=4) | st.just("/subscriptions/s/x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["etag", "name", "id", "x"]), inner),
    max_leaves=6,
)
FUTURE = st.dictionaries(st.from_regex(r"future[A-Z][a-z]{0,3}", fullmatch=True), JSON, max_size=3)
LEVELS = (
    (),
    ("properties",),
    ("properties", "dnsSettings"),
    ("properties", "ipConfigurations", 0),
    ("properties", "ipConfigurations", 0, "properties"),
    ("properties", "ipConfigurations", 0, "properties", "subnet"),
)


def level(document: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    for part in path:
        document = document[part]
    found: dict[str, Any] = document
    return found


@st.composite
def future_nics(draw: st.DrawFn) -> tuple[dict[str, Any], dict[tuple[str | int, ...], dict[str, Any]]]:
    """A NIC with made-up properties, and what was added where."""
    document = copy.deepcopy(draw(st.sampled_from(NICS)))
    added: dict[tuple[str | int, ...], dict[str, Any]] = {path: draw(FUTURE) for path in LEVELS}
    for path, extra in added.items():
        level(document, path).update(copy.deepcopy(extra))
    return document, added


@settings(max_examples=60)
@given(future_nics())
def test_nothing_unheard_of_is_lost_or_changed(
    case: tuple[dict[str, Any], dict[tuple[str | int, ...], dict[str, Any]]],
) -> None:
    document, added = case
    original = copy.deepcopy(document)
    sent = writable(document)
    for path, extra in added.items():
        there = level(sent, path)
        assert {key: there[key] for key in extra} == extra
    assert document == original


@settings(max_examples=60)
@given(future_nics())
def test_what_is_sent_is_sent_as_it_is_and_differs_in_nothing(case: tuple[dict[str, Any], object]) -> None:
    document, _ = case
    sent = writable(document)
    assert writable(sent) == sent == json.loads(json.dumps(sent))
    assert difference(document, sent) == difference(sent, document) == ()


def hollow(value: Any) -> bool:
    """Whether there is nothing in it: null, an empty list, an object of such."""
    return value is None or value == [] or (isinstance(value, dict) and all(map(hollow, value.values())))


@settings(max_examples=60)
@given(future_nics(), st.sampled_from(LEVELS), JSON)
def test_whatever_is_added_anywhere_is_told_unless_it_holds_nothing(
    case: tuple[dict[str, Any], object], path: tuple[str | int, ...], value: Any
) -> None:
    before, _ = case
    after = copy.deepcopy(before)
    level(after, path)["addedLater"] = value
    assert bool(difference(before, after)) is not hollow(value)
    assert bool(difference(after, before)) is not hollow(value)
