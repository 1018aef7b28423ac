"""Whether a listing tells that a resource is gone, or only does not show it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from diagnostics.contracts import Listing
from diagnostics.engine.estates import Around, Looked
from diagnostics.network.ids import SUBNET, ResourceId
from tests.engine.house import GROUP
from tests.engine.scoped import KINDS, TYPES, listing, resource, rid

NSG, VNET = TYPES["nsg"].lower(), TYPES["vnet"].lower()
THERE, GONE = rid("nsg", "there"), rid("nsg", "gone")
SUBNET_THERE = ResourceId.parse(f"{rid('vnet', 'there')}/subnets/web")
SUBNET_GONE = ResourceId.parse(f"{rid('vnet', 'gone')}/subnets/web")
WHOLE = ResourceId.parse(GROUP)
UNREADABLE = resource("nsg", "bad", securityRules=7)
ODD = resource("nsg", "odd", securityRules=[{"name": "r", "properties": {"sourceAddressPrefix": "789"}}])
NAMELESS = {"type": TYPES["nsg"], "properties": {}}
BOTH = (resource("nsg", "there"), resource("vnet", "there"))


@pytest.mark.parametrize(
    ("listed", "tells"),
    [
        pytest.param(listing(*BOTH), (True, True, True, True, True), id="all of it was listed"),
        pytest.param(listing(*BOTH, partial=["nsg"]), (True, False, True, True, False), id="not all NSGs"),
        pytest.param(listing(*BOTH, partial=["vnet"]), (True, True, True, False, False), id="not all networks"),
        pytest.param(listing(*BOTH, UNREADABLE), (False, False, True, True, False), id="an NSG that can't be read"),
        pytest.param(listing(*BOTH, ODD), (True, True, True, True, True), id="a value that can't be read"),
        pytest.param(listing(*BOTH, NAMELESS), (False,) * 5, id="something without an id"),
        pytest.param(Listing(partial=KINDS), (False,) * 5, id="nothing"),
    ],
)
def test_what_a_listing_tells(listed: Listing, tells: tuple[bool, ...]) -> None:
    looked = Looked.at(listed)
    assert tuple(map(looked.tells, (THERE, GONE, SUBNET_THERE, SUBNET_GONE, WHOLE))) == tells


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        pytest.param(listing(*BOTH), KINDS, id="all"),
        pytest.param(listing(*BOTH, partial=["nsg"]), KINDS - {NSG}, id="some are left out without a word"),
        pytest.param(listing(*BOTH, UNREADABLE), KINDS - {NSG}, id="one can't be read"),
        pytest.param(listing(partial=TYPES), frozenset(), id="none"),
    ],
)
def test_of_which_types_everything_is_known(listed: Listing, known: frozenset[str]) -> None:
    facts = Looked.at(listed).estate.facts
    assert (facts.listed, facts.knows_all(SUBNET), facts.complete) == (known, False, False)


@pytest.mark.parametrize(
    ("whole", "known"),
    [
        pytest.param(lambda _: True, (True, True), id="the whole subscription is in scope"),
        pytest.param(lambda _: False, (False, False), id="only a part of it is: others in it may use what was listed"),
    ],
)
def test_what_is_outside_of_the_scopes_is_not_known(
    whole: Callable[[ResourceId], bool], known: tuple[bool, bool]
) -> None:
    looked = Looked.at(listing(*BOTH), whole)
    facts = looked.estate.facts
    assert (facts.knows_all(NSG), facts.knows_all(NSG, THERE)) == known
    assert (looked.tells(THERE), looked.tells(GONE)) == (True, True)


def test_a_subscription_of_which_only_a_part_is_in_scope_leaves_the_others_known() -> None:
    part = resource("nsg", "far")
    part["id"] = part["id"].replace(THERE.subscription, "22222222-0000-0000-0000-000000000000")
    far = ResourceId.parse(part["id"])
    facts = Looked.at(listing(*BOTH, part), lambda place: place.subscription != far.subscription).estate.facts
    assert (facts.knows_all(NSG), facts.knows_all(NSG, THERE), facts.knows_all(NSG, far)) == (False, True, False)


def test_types_that_files_list_in_parts_are_known_when_the_listing_says_so() -> None:
    kind = "Microsoft.Network/networkWatchers/flowLogs"
    watcher = f"{GROUP}/providers/Microsoft.Network/networkWatchers/w"
    log = {"id": f"{watcher}/flowLogs/f", "type": kind, "properties": {"enabled": True, "targetResourceId": THERE.text}}
    page = ("flowLogs of w page 1", json.dumps({"value": [log]}).encode())
    looked = Looked.at(Listing((page,), frozenset({kind.lower()})))
    assert looked.estate.facts.knows_all(kind.lower())
    assert looked.tells(ResourceId.parse(f"{watcher}/flowLogs/gone"))


def test_what_could_not_be_listed_is_a_problem_of_the_estate() -> None:
    looked = Looked.at(listing(UNREADABLE, unread=(("flowLogs of sub", "AuthorizationFailed"),)))
    problems: list[Any] = [(each.where, each.text) for each in looked.estate.problems]
    assert problems[1:] == [("flowLogs of sub", "AuthorizationFailed")]
    assert "securityRules" in problems[0][0]


@pytest.mark.parametrize(
    ("unclear", "touched"),
    [
        pytest.param(THERE, True, id="itself"),
        pytest.param(ResourceId.parse(THERE.text.upper().replace("/SUBSCR", "/subscr")), True, id="in another case"),
        pytest.param(ResourceId.parse(f"{THERE}/securityRules/r"), True, id="what lies in it"),
        pytest.param(WHOLE, True, id="what holds it"),
        pytest.param(ResourceId.parse(f"{THERE}-2"), False, id="another of a longer name"),
        pytest.param(GONE, False, id="another"),
    ],
)
def test_what_is_unclear_of_one_resource_is_so_of_those_around_it(unclear: ResourceId, *, touched: bool) -> None:
    around = Around()
    assert not around.touches(THERE)
    around.add(unclear)
    assert around.touches(THERE) is touched
