"""Parts of an audit: every check is in one of them, and what they find is what one audit finds."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from diagnostics.checks.audit import ANY, Audit, audit, chosen, joined
from diagnostics.checks.catalogue import catalogue
from diagnostics.checks.parts import parts
from diagnostics.checks.policy import Policy
from diagnostics.network.estate import Estate, Problem
from diagnostics.network.reading import read_objects
from tests.network.drawn.choices import seeded
from tests.network.drawn.estates import estate as drawn

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def by_parts(estate: Estate, policy: Policy | None = None, only: list[str] | None = None) -> Audit:
    """An audit of each part, and then one of them all."""
    several = parts(chosen(policy, only))
    return joined([audit(estate, policy, NOW, [each.id for each in part]) for part in several])


def test_every_check_is_in_one_part() -> None:
    some = [each.id for part in parts(catalogue()) for each in part]
    assert sorted(some) == [each.id for each in catalogue()]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ([], []),
        (["NSG003"], [["NSG003"]]),
        (["UDR003", "EXP001", "INT001", "NSG004", "NSG003"], [["NSG003", "NSG004"], ["EXP001", "INT001"], ["UDR003"]]),
        (["UDR003", "NIC001"], [["NIC001", "UDR003"]]),
    ],
)
def test_what_takes_longest_is_first_and_no_part_is_empty(only: list[str], expected: list[list[str]]) -> None:
    assert [[each.id for each in part] for part in parts(chosen(only=only))] == expected


@pytest.mark.parametrize("seed", range(20))
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
