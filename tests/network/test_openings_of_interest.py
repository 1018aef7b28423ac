"""Openings by the rules of interest alone are those of all rules, without the ones in which another takes part."""

from collections.abc import Callable, Iterator

import pytest

from diagnostics.checks.internet_large import Large, at_large
from diagnostics.network.estate import Estate
from diagnostics.network.model import SecurityRule
from diagnostics.network.openings import Opening, Openings
from diagnostics.network.prefixes import AddressSet
from diagnostics.network.reach import Reach
from diagnostics.network.reading import read_objects
from tests.network.drawn.choices import seeded
from tests.network.drawn.estates import estate as drawn

type Matters = Callable[[SecurityRule], bool]


def _some(rule: SecurityRule) -> bool:
    return rule.priority % 3 != 0


def _all(_: SecurityRule) -> bool:
    return True


def _left(openings: tuple[Opening, ...], matters: Matters) -> list[Opening]:
    return [each for each in openings if all(matters(decider.rule) for decider in each.rules)]


def _ways(known: Estate) -> Iterator[Matters]:
    yield from (_some, _all, Large(known).matters)


@pytest.mark.parametrize("seed", range(80))
def test_they_are_those_in_which_no_other_rule_takes_part(seed: int) -> None:
    known = read_objects(drawn(seeded(seed)).documents)
    engine, words = Reach(known), at_large()
    whole = Openings.of(engine)
    for matters in _ways(known):
        short = Openings.of(engine, matters)
        for point in known.points:
            assert list(short.into(point)) == _left(whole.into(point), matters)
            assert list(short.exposed(point)) == _left(whole.exposed(point), matters)
        for group in known.security_groups.values():
            assert list(short.admitted(group, words)) == _left(whole.admitted(group, words), matters)


@pytest.mark.parametrize("seed", range(80))
def test_what_is_told_with_less_work_bounds_them(seed: int) -> None:
    known = read_objects(drawn(seeded(seed)).documents)
    short = Openings.of(Reach(known), _some)
    for point in known.points:
        if bounds := short.bounds(point):
            into = short.into(point)
            assert all(_within(each, into, lambda of: of.sources.must) for each in bounds[0])
            assert all(_within(each, bounds[1], lambda of: of.sources.may) for each in into)


def _within(one: Opening, others: tuple[Opening, ...], part: Callable[[Opening], AddressSet]) -> bool:
    """Whether every port of an opening is, for the same reasons, in others with all of its sources."""
    alike = [each for each in others if (each.protocol, each.rules) == (one.protocol, one.rules)]
    return all(any(first in each.ports and part(one) <= part(each) for each in alike) for first, _ in one.ports)
