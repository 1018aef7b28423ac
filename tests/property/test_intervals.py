"""Intervals obey the laws of sets: held against Python's own sets over a small universe."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.network.intervals import PORTS_TOP, V4_TOP, V6_TOP, Intervals

TOP = 40
SPANS = st.lists(
    st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(lambda pair: (min(pair), max(pair))), max_size=8
)
SETS = SPANS.map(lambda spans: Intervals.of(spans, TOP))


def numbers(intervals: Intervals) -> set[int]:
    return {number for first, last in intervals for number in range(first, last + 1)}


@given(SPANS)
def test_a_set_holds_what_its_ranges_hold(spans: list[tuple[int, int]]) -> None:
    meant = {number for first, last in spans for number in range(first, last + 1)}
    built = Intervals.of(spans, TOP)
    assert numbers(built) == meant == {number for number in range(TOP + 1) if number in built}
    assert built.count() == len(meant)


@given(SETS)
def test_its_form_is_the_only_one(intervals: Intervals) -> None:
    assert all(before[1] + 1 < after[0] for before, after in zip(intervals.spans, intervals.spans[1:], strict=False))
    assert Intervals.of(reversed(intervals.spans), TOP) == intervals
    assert hash(Intervals.of([(n, n) for n in numbers(intervals)], TOP)) == hash(intervals)


@pytest.mark.parametrize(
    ("ours", "pythons"),
    [
        (lambda a, b: a | b, lambda a, b: a | b),
        (lambda a, b: a & b, lambda a, b: a & b),
        (lambda a, b: a - b, lambda a, b: a - b),
        (lambda a, b: ~(a | b), lambda a, b: set(range(TOP + 1)) - (a | b)),
    ],
    ids=["union", "intersection", "difference", "complement"],
)
@given(one=SETS, other=SETS)
def test_operations_are_those_of_sets(
    ours: Callable[[Intervals, Intervals], Intervals],
    pythons: Callable[[set[int], set[int]], set[int]],
    one: Intervals,
    other: Intervals,
) -> None:
    result = ours(one, other)
    assert numbers(result) == pythons(numbers(one), numbers(other))
    assert result == Intervals.of(result.spans, TOP)


@given(SETS, SETS)
def test_comparisons_are_those_of_sets(one: Intervals, other: Intervals) -> None:
    assert (one <= other) == (numbers(one) <= numbers(other))
    assert one.isdisjoint(other) == numbers(one).isdisjoint(numbers(other))
    assert bool(one) == bool(numbers(one))


@given(SETS, SETS)
def test_de_morgan(one: Intervals, other: Intervals) -> None:
    assert ~(one | other) == ~one & ~other
    assert ~~one == one


@pytest.mark.parametrize("top", [PORTS_TOP, V4_TOP, V6_TOP])
def test_whole_universes(top: int) -> None:
    assert ~Intervals.none(top) == Intervals.all(top)
    assert Intervals.all(top).count() == top + 1
    assert Intervals.of([(0, 0), (1, top)], top) == Intervals.all(top)


@pytest.mark.parametrize("span", [(5, 4), (-1, 3), (0, PORTS_TOP + 1)])
def test_a_range_that_is_none_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is no range within"):
        Intervals.of([span], PORTS_TOP)


def test_universes_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Intervals.all(PORTS_TOP) & Intervals.all(V4_TOP)
