"""All pairs of a fleet at once: what they cost beside decoding the bodies of lists, in which memory, and the growth.

Every figure is the median of fresh interpreters, each of which does the job once, as a program would: read the bodies
into Structs, make the estate of them, work out all pairs on two ports and count the verdicts of each. Each asks `Reach`
about a sample of pairs too.
"""

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.listed import estate, timed
from benchmarks.timing import CONSOLE, shown, table_of
from sandbox.fleet import Size, bodies

_ROOT = Path(__file__).parent.parent
_NICS, _ROUNDS, _SAMPLE = 10_000, 5, 300
_GROWING, _GROWING_ROUNDS, _GROWING_SAMPLE = (12_500, 25_000, 50_000), 3, 30
_PORTS = (22, 3389)
_AIMS = {"ratio": 7.0, "megabytes": 300.0, "doubling": 2.2, "gigabyte": 1_000.0}

type Figures = dict[str, Any]
"""What one interpreter measured: seconds by step, megabytes, and the verdicts it counted."""


def main() -> None:
    """Measure one estate in depth, and estates of growing size; print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        found = _median(_NICS, Path(folder), _ROUNDS, _SAMPLE)
        CONSOLE.print(_steps(found))
        CONSOLE.print(_verdicts(found))
        grown = {nics: _median(nics, Path(folder), _GROWING_ROUNDS, _GROWING_SAMPLE) for nics in _GROWING}
    CONSOLE.print(_growth(grown))
    CONSOLE.print(_aims(found, grown))


def measure(folder: str, sample: int) -> None:
    """In an interpreter of its own: do the job once on the bodies in a folder, and print the figures as JSON."""
    from diagnostics.network.fleet import Service, all_pairs  # noqa: PLC0415  counts as the program's own

    seconds: dict[str, float] = {}
    known = estate(folder, seconds)
    services = [Service("Tcp", port) for port in _PORTS]
    before = _megabytes()
    fleet = timed(seconds, "pairs", lambda: all_pairs(known, services))
    counts = timed(seconds, "count", lambda: [fleet.count(service) for service in services])
    after = _megabytes()
    checked = sum(_agree(known, fleet, service, sample) for service in services)
    told = {"before": before, "peak": after, "counts": counts, "checked": checked}
    sys.stdout.write(json.dumps({**seconds, **told}))


def _megabytes() -> float:
    """The most memory that this process had. What `getrusage` says includes the parent's before the program began."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _agree(known: Any, fleet: Any, service: Any, sample: int) -> int:
    """How many pairs were asked of `Reach`, which says the same of each: any pairs, and some near each other."""
    from diagnostics.network.reach import Reach  # noqa: PLC0415
    from diagnostics.network.security import Flow  # noqa: PLC0415

    engine, choice = Reach(known), random.Random(service.port)  # noqa: S311  the same sample every time
    some = choice.sample(range(len(fleet.points)), min(12, len(fleet.points)))
    pairs = list(_pairs(some, len(fleet.points), sample, choice))
    for one, other in pairs:
        source, destination = fleet.points[one], fleet.points[other]
        flow = Flow(source.address, destination.address, service.protocol, service.port)
        expected = engine.path(flow, source=source, destination=destination).verdict
        assert fleet.verdict(source, destination, service) is expected, flow
    return len(pairs)


def _pairs(some: list[int], points: int, sample: int, choice: random.Random) -> Iterator[tuple[int, int]]:
    for _ in range(sample):
        one = choice.choice(some)
        near = min(max(one + choice.randrange(-200, 200), 0), points - 1)
        yield choice.choice(((one, choice.choice(some)), (one, near), (near, one)))


def _median(nics: int, folder: Path, rounds: int, sample: int) -> Figures:
    """The median of each figure of several interpreters."""
    inside = folder / str(nics)
    inside.mkdir()
    sizes = {name: inside.joinpath(f"{name}.json").write_bytes(body) for name, body in bodies(Size.of(nics)).items()}
    program = f"from benchmarks.fleet import measure; measure({str(inside)!r}, {sample})"
    found = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True)
        each = json.loads(done.stdout)
        found.append({**each, "whole": each["pairs"] + each["count"]})
        found[-1]["ratio"] = found[-1]["whole"] / each["decode"]
    assert all(each["counts"] == found[0]["counts"] for each in found)
    same = {"counts": found[0]["counts"], "checked": found[0]["checked"], "bytes": sum(sizes.values())}
    return {name: statistics.median(each[name] for each in found) for name in found[0] if name not in same} | same


def _steps(found: Figures) -> Table:
    size = Size.of(_NICS)
    title = f"{_NICS:,} NICs, {size.groups:,} NSGs, {size.tables} route tables, {found['bytes'] / 1e6:.0f} MB of JSON"
    table = table_of(title, "", "ms", "ratio to decoding", "peak memory, MB")
    table.add_row("decoding into Structs", shown(found["decode"] * 1_000), "1", "")
    table.add_row("making the estate", _ms(found, "estate"), _ratio(found, "estate"), shown(found["before"]))
    table.add_row("all pairs on two ports", _ms(found, "pairs"), _ratio(found, "pairs"), "")
    table.add_row("counting their verdicts", _ms(found, "count"), _ratio(found, "count"), "")
    table.add_row("all pairs, and counting", _ms(found, "whole"), shown(found["ratio"]), shown(found["peak"]))
    return table


def _verdicts(found: Figures) -> Table:
    title = f"Verdicts of all pairs; {found['checked']} of them asked of Reach, which says the same"
    table = table_of(title, "port", "allowed", "denied", "unknown")
    for port, counts in zip(_PORTS, found["counts"], strict=True):
        table.add_row(str(port), *(f"{counts[verdict]:,}" for verdict in ("allowed", "denied", "unknown")))
    return table


def _growth(grown: dict[int, Figures]) -> Table:
    table = table_of(
        "Growth: everything in proportion", "NICs", "decoding, ms", "all pairs, ms", "ratio", "per doubling", "MB"
    )
    before: Figures | None = None
    for nics, found in grown.items():
        doubling = shown(found["whole"] / before["whole"]) if before else ""
        figures = _ms(found, "decode"), _ms(found, "whole"), shown(found["ratio"]), doubling, shown(found["peak"])
        table.add_row(f"{nics:,}", *figures)
        before = found
    return table


def _aims(found: Figures, grown: dict[int, Figures]) -> Table:
    """What was aimed at."""
    wholes = [each["whole"] for each in grown.values()]
    doubling = max(later / earlier for earlier, later in pairwise(wholes))
    largest = max(grown)
    table = table_of("All pairs: what was aimed at", "", "at most", "measured", "")
    for what, aim, figure in (
        (f"{_NICS:,} NICs, times their decoding", _AIMS["ratio"], found["ratio"]),
        (f"{_NICS:,} NICs, peak MB", _AIMS["megabytes"], found["peak"]),
        (f"per doubling up to {largest:,} NICs, times", _AIMS["doubling"], doubling),
        (f"{largest:,} NICs, peak MB", _AIMS["gigabyte"], grown[largest]["peak"]),
    ):
        table.add_row(what, shown(aim), shown(figure), "met" if figure <= aim else "not met")
    return table


def _ms(found: Figures, name: str) -> str:
    return shown(found[name] * 1_000)


def _ratio(found: Figures, name: str) -> str:
    return shown(found[name] / found["decode"])


if __name__ == "__main__":
    main()
