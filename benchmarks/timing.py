"""Candidates measured in turn, so that a slow moment of the machine hits all of them alike; and what was aimed at."""

import gc
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@dataclass(frozen=True, slots=True)
class Measured[T]:
    """What a candidate answered, and the seconds that its fastest run took."""

    seconds: float
    runs: int
    answer: T


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that was aimed at, and what was measured."""

    what: str
    aim: str
    measured: str
    met: bool


_targets: list[Target] = []


def measured[T](
    candidates: Mapping[str, Callable[[], T]], rounds: int = 5, patience: float = 4
) -> dict[str, Measured[T]]:
    """The fastest of several runs of each candidate; one that takes longer than `patience` seconds runs once."""
    found: dict[str, Measured[T]] = {}
    for _ in range(rounds):
        for name, run in candidates.items():
            before = found.get(name)
            if before is None or before.seconds < patience:
                seconds, answer = _timed(run)
                best = min(seconds, before.seconds) if before else seconds
                found[name] = Measured(best, (before.runs if before else 0) + 1, answer)
    return found


def at_least(what: str, aim: float, ratio: float, note: str = "") -> None:
    """Notes how many times faster something was to be, and is."""
    _targets.append(Target(what, f"≥ {aim:g}x", f"{shown(ratio)}x{note}", ratio >= aim))


def at_most(what: str, aim: float, ratio: float) -> None:
    """Notes how many times as long something was to take at most, and takes."""
    _targets.append(Target(what, f"≤ {aim:g}x", f"{shown(ratio)}x", ratio <= aim))


def about(what: str, aim: float, seconds: float) -> None:
    """Notes how many seconds something was to take, and takes; a quarter more still is about that."""
    _targets.append(Target(what, f"about {aim:g} s", f"{seconds:.2f} s", seconds <= 1.25 * aim))


def print_targets() -> None:
    """All that was aimed at and measured in this run."""
    if not _targets:
        return
    table = table_of("Targets", "", "aim", "measured", "")
    for target in _targets:
        table.add_row(target.what, target.aim, target.measured, "met" if target.met else "not met")
    CONSOLE.print(table)


def table_of(title: str, first: str, *columns: str) -> Table:
    """An empty table: text in the first column, figures in the others."""
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def ratios(title: str, found: Mapping[str, Measured[object]], base: str) -> Table:
    """Milliseconds, and how many times as many as the base takes."""
    table = table_of(title, "", "ms", f"ratio to {base}")
    for name, each in found.items():
        table.add_row(name, shown(each.seconds * 1_000), shown(each.seconds / found[base].seconds))
    return table


def shown(figure: float) -> str:
    """A figure with two or three digits that count."""
    return f"{figure:.2g}" if figure < 10 else f"{figure:,.0f}"


def _timed[T](run: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    start = time.perf_counter()
    answer = run()
    return time.perf_counter() - start, answer
