"""All checks over a fleet: beside decoding the bodies of lists, and beside an SMT solver for the rules alone.

The fleet is the one of `fleet`. It is audited as the function does it, by one process, and as the command does, by one
for each core as far as there are parts for them. z3 answers for a sample of the rule lists only which rules are dead or
redundant, which is a part of what the audit tells of them; its time is scaled up to all lists, and the audit's is that
of every check, by one process.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from benchmarks import solvers
from benchmarks.listed import decoder, estate, timed
from benchmarks.timing import CONSOLE, at_least, at_most, measured, shown, table_of
from diagnostics.network.anomalies.reading import Reader, Said
from diagnostics.network.model import SecurityGroup
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import Context, in_order
from diagnostics.network.tags import Meaning
from sandbox.fleet import Size, bodies

_ROOT = Path(__file__).parent.parent
_NICS, _ROUNDS, _EVERY = 10_000, 5, 25
_GROUPS = "networkSecurityGroups"
_CORES = os.process_cpu_count() or 1
_ALONE, _SHARED = "by one process", f"by processes for {_CORES} cores"

type Figures = dict[str, float]


def main() -> None:
    """Measure, print the tables, and note what was aimed at."""
    with tempfile.TemporaryDirectory() as folder:
        for name, body in bodies(Size.of(_NICS)).items():
            Path(folder, f"{name}.json").write_bytes(body)
        whole, rules = _median(folder, "", {_ALONE: 1, _SHARED: None}), _median(folder, _GROUPS, {_ALONE: 1})
    groups = _groups()
    ours, z3 = _by_z3(groups)
    CONSOLE.print(_fleet(whole))
    CONSOLE.print(_rules(rules, ours, z3, len(groups)))
    for way in (_ALONE, _SHARED):
        at_most(f"audit of {_NICS:,} NICs {way}, of decoding them", 15, whole[way] / whole["decode"])
    lists = 2 * len(groups)
    at_least(f"audit of {len(groups):,} NSGs, than tuned z3 for their rules", 15, z3 * lists / rules[_ALONE])


def measure(folder: str, only: str, way: str, processes: int | None) -> None:
    """In an interpreter of its own: decode, make the estate, audit it, and print the seconds; of one type, or all."""
    from diagnostics.checks.catalogue import catalogue  # noqa: PLC0415 - what is imported here counts as the program's
    from diagnostics.cli.processes import made  # noqa: PLC0415

    catalogue()
    seconds: Figures = {}
    known = estate(folder, seconds, only)
    found = timed(seconds, way, lambda: made(known, processes=processes))
    told = {"findings": len(found.findings), "unknown": len(found.unknown), "checks": len(found.checks)}
    sys.stdout.write(json.dumps(seconds | told))


def _median(folder: str, only: str, ways: Mapping[str, int | None]) -> Figures:
    """The median of each figure of several interpreters, in each way in turn; what they found is the same."""
    found: list[Figures] = []
    for way, processes in [*ways.items()] * _ROUNDS:
        program = f"from benchmarks.audit import measure; measure({folder!r}, {only!r}, {way!r}, {processes!r})"
        done = subprocess.run([sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    assert len({(each["findings"], each["unknown"]) for each in found}) == 1
    names = dict.fromkeys(name for each in found for name in each)
    return {name: statistics.median(each[name] for each in found if name in each) for name in names}


def _groups() -> Sequence[SecurityGroup]:
    from diagnostics.network.reading.kinds import KINDS  # noqa: PLC0415

    kind = KINDS[f"microsoft.network/{_GROUPS.lower()}"]
    return [kind.make(each) for each in decoder(kind.form).decode(bodies(Size.of(_NICS))[_GROUPS]).value]


def _by_z3(groups: Sequence[SecurityGroup]) -> tuple[float, float]:
    """Seconds for a list of rules, of the product and of z3, which answer the same."""
    reader, said = _reader(), list(_said(groups[::_EVERY]))
    sample = [reader.readings(each) for each in said]
    assert all(map(solvers.known, sample)), "every name is known"
    methods: dict[str, Callable[[], list[solvers.Answer]]] = {
        "vmreach": lambda: [solvers.vmreach(reader, each) for each in said],
        "z3": lambda: [solvers.tuned(readings) for readings in sample],
    }
    found = measured(methods, rounds=3, patience=60)
    assert found["vmreach"].answer == found["z3"].answer, "z3 answers otherwise"
    return found["vmreach"].seconds / len(sample), found["z3"].seconds / len(sample)


def _said(groups: Sequence[SecurityGroup]) -> Iterator[Said]:
    for group in groups:
        for inbound in (True, False):
            yield Said.of(in_order(group.rules, inbound=inbound))


def _reader() -> Reader:
    """Reads rules where `VirtualNetwork` is 10.0.0.0/8: a general solver knows nothing of unknown names."""
    meaning = Meaning(Bounds.exactly(AddressSet.parse("10.0.0.0/8")))

    def tag(name: str) -> Bounds | None:
        known = meaning.of(name)
        return Bounds.exactly(known.must) if known else Bounds.exactly(AddressSet.parse("198.51.100.0/24"))

    return Reader(Context(tag=tag))


def _fleet(found: Figures) -> Table:
    title = f"{found['checks']:.0f} checks over {_NICS:,} NICs: {found['findings']:,.0f} findings, "
    table = table_of(f"{title}{found['unknown']:,.0f} not known", "", "ms", "ratio to decoding")
    for name, what in (("decode", "decoding into Structs"), ("estate", "making the estate")):
        table.add_row(what, shown(found[name] * 1_000), shown(found[name] / found["decode"]))
    for way in (_ALONE, _SHARED):
        table.add_row(f"the audit {way}", shown(found[way] * 1_000), shown(found[way] / found["decode"]))
    return table


def _rules(found: Figures, ours: float, z3: float, groups: int) -> Table:
    lists = 2 * groups
    table = table_of(f"{groups:,} NSGs, {lists:,} lists of rules", "", "ms a list", "ratio to the audit")
    audit = found[_ALONE] / lists
    for what, seconds in (
        (f"all {found['checks']:.0f} checks", audit),
        ("dead and redundant rules alone", ours),
        (f"the same by tuned z3 (every {_EVERY}th NSG)", z3),
    ):
        table.add_row(what, shown(seconds * 1_000), shown(seconds / audit))
    return table
