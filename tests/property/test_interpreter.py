"""Random small estates, flow by flow: the engine against an interpreter that shares nothing with it but the documents.

What has to hold between the two is in tests/network/drawn/comparing.py. More than the suite has time for:
`python -m tests.property.test_interpreter 1000 5000` compares estates number 1000 to 5999.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.network.drawn.choices import Choices, seeded
from tests.network.drawn.comparing import Both, Comparison
from tests.network.drawn.estates import Query, estate, query
from tests.network.interpreter.documents import Json
from tests.network.interpreter.worlds import TooManyWorldsError

TESTS = Path(__file__).parents[1]
FLOWS = 10


@st.composite
def estates(draw: st.DrawFn) -> tuple[list[Json], list[Query]]:
    choices = Choices(lambda most: draw(st.integers(0, most)))
    drawing = estate(choices)
    return drawing.documents, [query(choices, drawing) for _ in range(3 if drawing.inside else 0)]


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(estates())
def test_what_the_engine_says_holds_in_every_world(case: tuple[list[Json], list[Query]]) -> None:
    documents, queries = case
    both = Both(documents)
    for each in queries:
        said = both.about(each)
        assert not said.wrong, (said.engine.verdict, said.worlds, said.apart, each)


@pytest.mark.parametrize("first", [0, 100, 200])
def test_so_it_does_in_many_estates_and_is_seldom_unsure(first: int) -> None:
    found = Counter(_kind(said) for number in range(first, first + 100) for _, said in compared(number))
    assert found["wrong"] == 0, f"python -m tests.property.test_interpreter {first} 100"
    assert found["unsure"] <= found.total() * 0.03
    assert min(found["allowed"], found["denied"], found["unknown"]) > found.total() * 0.1


def test_the_interpreter_shares_nothing_with_the_engine() -> None:
    sources = [path.read_text("utf-8") for path in sorted((TESTS / "network" / "interpreter").glob("*.py"))]
    drawing = [path for path in sorted((TESTS / "network" / "drawn").glob("*.py")) if path.stem != "comparing"]
    assert len(sources) > 5
    assert not [text for text in (*sources, *(path.read_text("utf-8") for path in drawing)) if "diagnostics" in text]


def compared(number: int) -> list[tuple[Query, Comparison]]:
    """A numbered estate, and what is said about some flows in it."""
    choices = seeded(number)
    drawing = estate(choices)
    both, found = Both(drawing.documents), []
    for each in [query(choices, drawing) for _ in range(FLOWS if drawing.inside else 0)]:
        try:
            found.append((each, both.about(each)))
        except TooManyWorldsError:
            continue
    return found


def _kind(said: Comparison) -> str:
    return "wrong" if said.wrong else "unsure" if said.unsure else str(said.engine.verdict)


def main(first: int, count: int) -> None:
    kinds: Counter[str] = Counter()
    for number in range(first, first + count):
        for asked, said in compared(number):
            kinds[_kind(said)] += 1
            if said.wrong:
                told = {"estate": number, "worlds": said.worlds, "apart": said.apart, "engine": said.engine.to_json()}
                sys.stdout.write(f"{asked}\n{json.dumps(told, indent=1)}\n")
    sys.stdout.write(f"{dict(kinds)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
