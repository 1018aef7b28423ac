import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox.host.launcher import FunctionsHost
from sandbox.host.timers import next_occurrence

type Wait = Callable[..., object]


@pytest.fixture(scope="module")
def host(apps: Path) -> Iterator[FunctionsHost]:
    with FunctionsHost(apps / "timers", {"EVERY": "*/1 * * * * *"}) as host:
        yield host


def test_it_fires_on_schedule(host: FunctionsHost, wait: Wait) -> None:
    wait(lambda: host.output().count("often [") >= 2)
    assert 'often [false, ["Last", "LastUpdated", "Next"], true]' in host.output()
    assert "  often: timerTrigger */1 * * * * *\n" in host.output()


def test_run_on_startup(host: FunctionsHost, wait: Wait) -> None:
    wait(lambda: "yearly [" in host.output())
    assert "yearly [false, [], true]" in host.output()


def test_a_long_run_does_not_overlap_itself(host: FunctionsHost, wait: Wait) -> None:
    wait(lambda: host.output().count("long ends") >= 2)
    marks = re.findall(r"long (starts|ends)", host.output())
    assert all(first != second for first, second in pairwise(marks))


def test_a_timer_is_run_by_the_admin_endpoint(host: FunctionsHost, wait: Wait) -> None:
    before = host.output().count("yearly [")
    host.run("yearly")
    wait(lambda: host.output().count("yearly [") > before)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 */15 * * * *", "2026-03-01T10:15:00+00:00"),  # a Sunday
        ("30 0 10 * * *", "2026-03-01T10:00:30+00:00"),
        ("0 0 0 1 1 *", "2027-01-01T00:00:00+00:00"),
        ("0 30 9 * * 1-5", "2026-03-02T09:30:00+00:00"),
        ("0 0 0 13 * 5", "2026-03-13T00:00:00+00:00"),  # a 13th that is a Friday, not either
        ("0 0 0 * Apr Mon", "2026-04-06T00:00:00+00:00"),
        ("*/5 * * * *", "2026-03-01T10:05:00+00:00"),
    ],
)
def test_next_occurrence(schedule: str, expected: str) -> None:
    assert next_occurrence(schedule, datetime(2026, 3, 1, 10, tzinfo=UTC)).isoformat() == expected


@pytest.mark.parametrize(
    "schedule", ["00:05:00", "", "@hourly", "0 0 0 * *  * *", "0 0 25 * * *", "0 0 0 31 2 *", "0 0 0 L * *;"]
)
def test_what_is_not_ncrontab_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        next_occurrence(schedule, datetime(2026, 3, 1, tzinfo=UTC))
