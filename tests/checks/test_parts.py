"""Parts of an audit: every check is in one of them, and what several processes find is what one finds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from diagnostics.checks.audit import ANY, Audit, audit, audited, chosen, joined
from diagnostics.checks.catalogue import Check, catalogue
from diagnostics.checks.parts import parts
from diagnostics.checks.policy import Policy
from diagnostics.network.estate import Estate, Problem
from diagnostics.network.reading import read_objects
from tests.network.drawn.choices import seeded
from tests.network.drawn.estates import estate as drawn

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def by_parts(estate: Estate, policy: Policy | None = None) -> Audit:
    """What three processes tell that take one NSG after the other in turn, the first with no checks of its own."""
    known = parts(chosen(policy))
    turns = [slice(number, number + 1) for number in range(len(estate.security_groups))]
    told = []
    for number, whole in enumerate(([], *known.whole)):
        mine = [(known.by_nsg, turn) for turn in turns[number :: 1 + len(known.whole)]]
        told.append(audited(estate, policy, NOW, (*whole, *known.by_nsg), [(whole, None), *mine]))
    return joined(told)


def ids(checks: Sequence[Check]) -> list[str]:
    return [each.id for each in checks]


def test_every_check_is_in_one_part() -> None:
    known = parts(catalogue())
    assert sorted(ids([*known.by_nsg, *(each for part in known.whole for each in part)])) == ids(catalogue())


@pytest.mark.parametrize(
    ("only", "by_nsg", "whole"),
    [
        ([], [], []),
        (["NSG003"], ["NSG003"], []),
        (["UDR003", "EXP001", "INT001", "NSG004", "NSG003"], ["NSG003", "NSG004"], [["EXP001", "INT001"], ["UDR003"]]),
        (["UDR003", "NSG002"], [], [["NSG002", "UDR003"]]),
    ],
)
def test_no_part_is_empty(only: list[str], by_nsg: list[str], whole: list[list[str]]) -> None:
    known = parts(chosen(only=only))
    assert (ids(known.by_nsg), [ids(part) for part in known.whole]) == (by_nsg, whole)


@pytest.mark.parametrize("seed", range(40))
def test_joined_parts_are_one_audit(seed: int) -> None:
    known = replace(read_objects(drawn(seeded(seed)).documents), problems=(Problem("a.json", "is no JSON"),))
    whole = audit(known, None, NOW)
    assert by_parts(known) == whole
    assert [each.check for each in whole.unknown].count(ANY) == 1


def test_what_is_left_out_and_off_stays_so() -> None:
    text = """
        [severity]
        NSG003 = "off"
        [[suppress]]
        check = "*"
        resource = "*"
        reason = "a test"
        until = 2027-01-01
    """
    policy = Policy.read(text, "policy.toml", [each.id for each in catalogue()])
    known = read_objects(drawn(seeded(3)).documents)
    whole = audit(known, policy, NOW)
    assert whole.suppressed
    assert "NSG003" not in {each.id for each in whole.checks}
    assert by_parts(known, policy) == whole
