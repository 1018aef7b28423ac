"""Dead and redundant rules, exactly: the product against an SMT solver and binary decision diagrams.

The rule lists hold known prefixes only: general solvers know nothing of names whose addresses nobody knows.
"""

from collections.abc import Callable, Sequence
from functools import partial

from rich.table import Table

from benchmarks import solvers
from benchmarks.rule_lists import STYLES, Style, rule_list
from benchmarks.timing import CONSOLE, Measured, at_least, measured, shown, table_of
from diagnostics.network.anomalies.reading import Reader, Reading, Said
from diagnostics.network.security import Context

_SIZES = (10, 100, 500, 1_000)
_OURS, _TUNED, _SECGURU, _CUDD, _OXIDD = "vmreach", "z3, tuned", "z3, SecGuru style", "CUDD", "OxiDD"
_TOO_LONG = 45.0
"""Seconds: what would take longer is not begun, if it grows with the square of the rules, as all of them about do."""

type Column = dict[str, Measured[solvers.Answer]]


def main() -> None:
    """Measure, and print a table for each style of rule list."""
    columns = {style: _columns(style) for style in STYLES}
    for style in STYLES:
        CONSOLE.print(_table(style, columns[style]))
    largest = [found[_SIZES[-1]] for found in columns.values()]
    for name, aim in ((_TUNED, 20), (_SECGURU, 100), (_CUDD, 3), (_OXIDD, 3)):
        of_styles = [each[name].seconds / each[_OURS].seconds for each in largest if name in each]
        note = "" if len(of_styles) == len(STYLES) else f" ({len(of_styles)} of {len(STYLES)} styles)"
        at_least(f"dead and redundant of {_SIZES[-1]:,} rules, than {name}", aim, min(of_styles, default=0), note)


def _columns(style: Style) -> dict[int, Column]:
    """What was measured at each size."""
    columns: dict[int, Column] = {}
    for size in _SIZES:
        reader = Reader(Context())
        said = Said.of(rule_list(size, style))
        readings = reader.readings(said)
        assert solvers.known(readings), "every name is known"
        columns[size] = _column(partial(solvers.vmreach, reader, said), readings, _hopeless(columns, size))
    return columns


def _column(ours: Callable[[], solvers.Answer], readings: Sequence[Reading], hopeless: set[str]) -> Column:
    others: dict[str, solvers.Method] = {
        _TUNED: solvers.tuned,
        _SECGURU: solvers.secguru,
        _CUDD: _best_order(solvers.cudd, readings),
        _OXIDD: _best_order(solvers.oxidd, readings),
    }
    runs = {_OURS: ours}
    runs |= {name: partial(method, readings) for name, method in others.items() if name not in hopeless}
    found = measured(runs, rounds=4)
    for name, each in found.items():
        assert each.answer == found[_OURS].answer, f"{name} answers otherwise"
    return found


def _best_order(
    method: Callable[[Sequence[str], Sequence[Reading]], solvers.Answer], readings: Sequence[Reading]
) -> solvers.Method:
    """A method with the order of variables that is the fastest for these very rules; how long that takes to find out
    is not counted."""
    orders = {" ".join(order): order for order in solvers.ORDERS}
    found = measured({name: partial(method, order, readings) for name, order in orders.items()}, rounds=1)
    return partial(method, orders[min(found, key=lambda name: found[name].seconds)])


def _hopeless(columns: dict[int, Column], size: int) -> set[str]:
    """What is not begun: it took too long before, or would now."""
    if not columns:
        return set()
    before, found = list(columns.items())[-1]
    growth = (size / before) ** 2
    return {
        name
        for name in (_TUNED, _SECGURU, _CUDD, _OXIDD)
        if name not in found or found[name].seconds * growth > _TOO_LONG
    }


def _table(style: Style, columns: dict[int, Column]) -> Table:
    table = table_of(f"Dead and redundant rules, style “{style.name}”: ms, and ratio to {_OURS}", "", *map(str, _SIZES))
    for name in (_OURS, _TUNED, _SECGURU, _CUDD, _OXIDD):
        cells = (_cell(column, name) for column in columns.values())
        table.add_row(name if name not in (_CUDD, _OXIDD) else f"{name}, best order", *cells)
    answers = (column[_OURS].answer for column in columns.values())
    table.add_section()
    table.add_row("dead, redundant beside", *(f"{len(dead)}, {len(all_) - len(dead)}" for dead, all_ in answers))
    return table


def _cell(column: Column, name: str) -> str:
    if name not in column:
        return "not run: too long"
    seconds = column[name].seconds
    return f"{shown(seconds * 1_000)}  {shown(seconds / column[_OURS].seconds)}x"
