"""Resource ids: parsed, compared in any case, and never more than an id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.errors import ParseError
from diagnostics.network.ids import ResourceId

VNET = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/vnet"
LOCK = f"{VNET}/subnets/a/providers/Microsoft.Authorization/locks/keep"


@pytest.mark.parametrize(
    ("text", "subscription", "group", "kind", "name"),
    [
        ("/subscriptions/S1", "s1", "", "", "s1"),
        ("/subscriptions/S1/", "s1", "", "", "s1"),
        ("/subscriptions/S1/resourceGroups/RG", "s1", "RG", "", "RG"),
        (VNET, "s1", "RG", "microsoft.network/virtualnetworks", "vnet"),
        (f"{VNET}/subnets/a", "s1", "RG", "microsoft.network/virtualnetworks/subnets", "a"),
        (LOCK, "s1", "RG", "microsoft.authorization/locks", "keep"),
        ("/subscriptions/S1/providers/A.b/alerts/1", "s1", "", "a.b/alerts", "1"),
        ("/subscriptions/s/resourcegroups/rg (old)/providers/A.b/c/ü d", "s", "rg (old)", "a.b/c", "ü d"),
    ],
)
def test_parts(text: str, subscription: str, group: str, kind: str, name: str) -> None:
    rid = ResourceId.parse(text)
    assert (rid.subscription, rid.resource_group, rid.type, rid.name) == (subscription, group, kind, name)
    assert str(rid) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        ["/subscriptions/s1"],
        "",
        "/",
        "//",
        "subscriptions/s1",
        "/subscriptions",
        "/subscriptions//resourceGroups/rg",
        "/tenants/t1",
        "/subscriptions/../..",
        "/subscriptions/s1/resourceGroups/../providers/A.b/c/d",
        "/subscriptions/s1/resourceGroups/./providers/A.b/c/d",
        "/subscriptions/s1/resourceGroups/%2e%2e/providers/A.b/c/d",
        "/subscriptions/s1/resourceGroups/rg/providers/A.b/c",
        "/subscriptions/s1/resourceGroups/rg/providers/A.b/c/d/e",
        "/subscriptions/s1/resourceGroups/rg/providers",
        "/subscriptions/s1/resourceGroups/rg/A.b/c/d",
        "/subscriptions/s1/resourceGroups",
        f"{VNET}?api-version=1",
        f"{VNET}#fragment",
        f"{VNET}&x=1",
        f"{VNET}\\x",
        f"{VNET}\n",
        f"{VNET}/sub\x00nets/a",
        f"{VNET}//a",
        "https://management.azure.com" + VNET,
        "/subscriptions/" + "s" * 2_000,
    ],
)
def test_what_is_no_id_is_refused_by_name(text: object) -> None:
    with pytest.raises(ParseError, match=r"^\$\.here: ") as error:
        ResourceId.parse(text, "$.here")
    assert len(str(error.value)) < 300
    assert ResourceId.maybe(text) is None


@pytest.mark.parametrize("change", [str.lower, str.title, str.swapcase])
def test_case_does_not_count(change: object) -> None:
    other = ResourceId.parse("/subscriptions" + change(VNET.removeprefix("/subscriptions")))  # type: ignore[operator]
    assert other == ResourceId.parse(VNET)
    assert len({other, ResourceId.parse(VNET)}) == 1
    assert (other != ResourceId.parse(VNET)) is False
    assert other != ResourceId.parse(f"{VNET}2")


@pytest.mark.parametrize(
    ("text", "parent"),
    [
        (f"{VNET}/subnets/a", VNET),
        (VNET, None),
        ("/subscriptions/s1/resourceGroups/rg", None),
        ("/subscriptions/s1", None),
        (LOCK, None),
    ],
)
def test_parents(text: str, parent: str | None) -> None:
    assert ResourceId.parse(text).parent == (ResourceId.parse(parent) if parent else None)


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ("/subscriptions/s1", True),
        ("/subscriptions/s1/resourcegroups/rg", True),
        (VNET.lower(), True),
        (f"{VNET}/subnets/a", False),
        ("/subscriptions/s1/resourceGroups/r", False),
        ("/subscriptions/s", False),
        ("/subscriptions/s2", False),
    ],
)
def test_within(scope: str, inside: bool) -> None:  # noqa: FBT001
    assert ResourceId.parse(VNET).within(ResourceId.parse(scope)) is inside


def test_the_portal_link_is_escaped() -> None:
    link = ResourceId.parse("/subscriptions/s/resourceGroups/r g/providers/A.b/c/<d>").portal_url(
        "https://portal.azure.us"
    )
    assert link == "https://portal.azure.us/#@/resource/subscriptions/s/resourceGroups/r%20g/providers/A.b/c/%3Cd%3E"


@given(st.text(max_size=40))
def test_any_text_is_an_id_or_none(tail: str) -> None:
    found = ResourceId.maybe(f"{VNET}/subnets/{tail}")
    if found is not None:
        assert ResourceId.parse(found.text) == found
        assert not set(tail.rstrip("/")) & set("?#%&\\\n")
