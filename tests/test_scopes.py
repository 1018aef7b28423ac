from __future__ import annotations

import pytest

from diagnostics.errors import OutOfScopeError, ParseError
from diagnostics.network.ids import ResourceId
from diagnostics.scopes import Scopes

S1, S2 = "11111111-aaaa-4bbb-8ccc-000000000001", "11111111-aaaa-4bbb-8ccc-000000000002"
VM = ResourceId.parse(f"/subscriptions/{S1}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm")
GROUP = "/providers/Microsoft.Management/managementGroups/corp"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (S1, True),
        (S1.upper(), True),
        (f"/subscriptions/{S1}", True),
        (f"/SUBSCRIPTIONS/{S1.upper()}/", True),
        (f"{S2}, {S1}", True),
        (f"{S2};\n{S1};", True),
        (f"/subscriptions/{S1}/resourceGroups/RG-APP", True),
        (f"/subscriptions/{S1}/resourceGroups/rg", False),
        (f"/subscriptions/{S1}/resourceGroups/rg-app-2", False),
        (VM.text.upper(), True),
        (f"{VM.text}-2", False),
        (f"{VM.text}/extensions/x", False),
        (S2, False),
        (GROUP, None),
        (f"{GROUP} {S2}", None),
        (f"{GROUP} {S1}", True),
    ],
)
def test_what_lies_in_scope(text: str, holds: bool | None) -> None:  # noqa: FBT001
    scopes = Scopes.parse(text)
    assert scopes.holds(VM) is holds


@pytest.mark.parametrize("text", ["", " ,; ", "everything", "/", "*", "/subscriptions/", f"{S1}, ../..", "not-a-guid"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match=r"^VMREACH_SCOPES: "):
        Scopes.parse(text)


def test_outside_is_refused_and_undecided_is_not() -> None:
    with pytest.raises(OutOfScopeError, match="lies outside VMREACH_SCOPES"):
        Scopes.parse(S2).refuse_outside(VM)
    assert Scopes.parse(GROUP).holds(VM) is None
    Scopes.parse(GROUP).refuse_outside(VM)


def test_names_count_once() -> None:
    scopes = Scopes.parse(f"{S1} {S1.upper()} /subscriptions/{S1}/resourceGroups/rg {GROUP} {GROUP}")
    assert (len(scopes.resources), scopes.management_groups, scopes.subscriptions) == (2, ("corp",), (S1,))
