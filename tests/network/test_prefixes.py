"""Address sets: what a prefix means, and what is known of a set that is known only in part."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.errors import ParseError
from diagnostics.network.prefixes import AddressSet, Bounds, union

NONE, ALL = AddressSet.none(), AddressSet.all()


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("10.0.0.5/24", "10.0.0.200", "10.0.1.0"),
        ("10.0.0.4", "10.0.0.4", "10.0.0.5"),
        ("10.0.0.4-10.0.0.9", "10.0.0.9", "10.0.0.10"),
        (" 2001:db8::/32 ", "2001:db8:ffff::1", "2001:db9::"),
        ("2404:f801::1", "2404:f801:0::1", "2404:f801::2"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "::1", "0.0.0.0"),
    ],
)
def test_what_a_prefix_holds(text: str, inside: str, outside: str) -> None:
    read = AddressSet.parse(text)
    assert ipaddress.ip_address(inside) in read
    assert ipaddress.ip_address(outside) not in read


@pytest.mark.parametrize("text", ["*", "Any", "ANY"])
def test_anything_is_both_families(text: str) -> None:
    assert AddressSet.parse(text) == ALL


@pytest.mark.parametrize(
    "text",
    [
        *("789", "Internet", "", "10.0.0.0/33", "10.0.0.9-10.0.0.4", "10.0.0.1-::1", "1.2.3"),
        *("10.0.0.0/", "10.0.0.0/8/8", "010.0.0.0/8", "1.2.3.4.5", "1.2.3.256", "/8", "1..2.3"),
    ],
)
def test_junk_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=f"rule x: {text!r}"):
        AddressSet.parse(text, "rule x")


def test_two_halves_are_the_whole() -> None:
    halves = AddressSet.parse("0.0.0.0/1") | AddressSet.parse("128.0.0.0/1")
    assert halves == AddressSet.parse("0.0.0.0/0")
    assert halves.prefixes() == ("0.0.0.0/0",)


def test_the_fewest_prefixes() -> None:
    rest = AddressSet.parse("10.0.0.0/30") - AddressSet.parse("10.0.0.3")
    assert (rest | AddressSet.parse("2001:db8::/32")).prefixes() == ("10.0.0.0/31", "10.0.0.2/32", "2001:db8::/32")


SMALL = st.sampled_from(["10.0.0.0/30", "10.0.0.2/31", "10.0.0.1", "::/126", "::2", "*"]).map(AddressSet.parse)
EXACT = st.lists(SMALL, max_size=3).map(AddressSet.union)
PARTLY = st.builds(lambda a, b: Bounds(a & b, a | b, frozenset({"tag"})), EXACT, EXACT)
POINTS = [ipaddress.ip_address(text) for text in ("10.0.0.0", "10.0.0.1", "10.0.0.3", "::1", "::2", "192.0.2.1")]


def truths(known: bool | None) -> set[bool]:  # noqa: FBT001 - three truths, not a flag
    return {True, False} if known is None else {known}


@given(PARTLY, PARTLY, st.sampled_from(POINTS))
def test_operations_stay_honest(one: Bounds, other: Bounds, address: ipaddress.IPv4Address) -> None:
    """Whatever the sets are in truth, the result allows for it."""
    for mine in truths(one.holds(address)):
        for theirs in truths(other.holds(address)):
            assert (mine or theirs) in truths((one | other).holds(address))
            assert (mine and theirs) in truths((one & other).holds(address))
            assert (mine and not theirs) in truths((one - other).holds(address))
            assert (not mine) in truths((~one).holds(address))


@given(PARTLY, PARTLY)
def test_bounds_keep_their_order(one: Bounds, other: Bounds) -> None:
    for result in (one | other, one & other, one - other, ~one):
        assert result.must <= result.may


def test_an_unknown_tag_is_neither_empty_nor_everything() -> None:
    tag = Bounds.unknown("Contoso")
    assert tag.holds(POINTS[0]) is None
    assert (tag | Bounds.exactly(ALL)) == Bounds.exactly(ALL)
    assert (tag & Bounds.exactly(NONE)) == Bounds.exactly(NONE)
    assert union([tag, Bounds.exactly(AddressSet.parse("10.0.0.0/8"))]).missing == {"Contoso"}
