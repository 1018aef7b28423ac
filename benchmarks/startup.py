"""What a cold start costs: importing function_app, and indexing it under the worker library.

Each figure is the median of several fresh interpreters, the candidates taken in turn, so that a slow moment of the
machine hits all of them alike.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

_ROOT = Path(__file__).parent.parent
_ROUNDS = 9

_STACK = (
    "azure.functions, azure.identity, azure.mgmt.network, azure.mgmt.compute, azure.mgmt.monitor, "
    "azure.mgmt.resourcegraph, azure.storage.queue, azure.data.tables, msgspec, requests"
)
_IMPORT = """
import time; start = time.perf_counter()
import {modules}
print(time.perf_counter() - start)
"""
_INDEX = """
import os, time
from pathlib import Path
from sandbox.host.worker import Worker
start = time.perf_counter()
Worker(Path({app!r})).index()
print(time.perf_counter() - start, flush=True)
os._exit(0)  # the worker's threads have nothing left to do
"""
_EMPTY_APP = """
import azure.functions as func
app = func.FunctionApp()
@app.route("empty")
def empty(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("")
"""


def main() -> None:
    """Measure, and print both tables."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "function_app.py").write_text(_EMPTY_APP)
        Path(folder, "host.json").write_text(json.dumps({"version": "2.0"}))
        imports = _medians(
            {
                "the whole SDK stack": _IMPORT.format(modules=_STACK),
                "function_app": _IMPORT.format(modules="function_app"),
                "azure.functions and msgspec": _IMPORT.format(modules="azure.functions, msgspec"),
            }
        )
        indexed = _medians({"empty app": _INDEX.format(app=folder), "function_app": _INDEX.format(app=str(_ROOT))})
    console.print(_table("Cold import", imports, "the whole SDK stack"))
    console.print(_table("Indexing under the worker library", indexed, "empty app"))


def _medians(programs: dict[str, str]) -> dict[str, float]:
    """Seconds for each program."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(_ROUNDS):
        for name, program in programs.items():
            done = subprocess.run(
                [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True
            )
            seconds[name].append(float(done.stdout.splitlines()[-1]))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _table(title: str, seconds: dict[str, float], base: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("ms", justify="right")
    table.add_column(f"ratio to {base}", justify="right")
    for name, value in seconds.items():
        table.add_row(name, f"{value * 1_000:.0f}", f"{value / seconds[base]:.2f}")
    return table
