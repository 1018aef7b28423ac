"""Bicep: `bicep build` and `bicep lint` where the CLI is; else a checker of syntax, types, properties and parameters.

That checker, `bicep-check` in the folder `VMREACH_TOOLS`, holds files against the types of Azure/bicep-types-az. Those
it lacks are in `types/` beside this file, in the same format.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path

from tools.infra.module import UnreadableError
from tools.infra.outcome import Outcome, judged, skipped
from tools.infra.programs import lent, run
from tools.infra.read_bicep import read

_TYPES = Path(__file__).parent / "types"
_WHAT = "syntax, types, modules, parameters"
_SCRIPT = "bicep_check.py"
ROOTS = ("main.bicep", "watch.bicep", "management-group.bicep")
"""What is deployed by itself; the rest are modules of these."""


def checks(infra: Path) -> Iterator[Outcome]:
    """Every check of `infra/bicep`."""
    folder, cli = infra / "bicep", _cli()
    if cli:
        yield from _built(folder, cli)
    else:
        yield skipped("bicep", "build, lint", "not installed")
    checker = lent("bicep-check")
    if checker:
        yield checked(folder, checker)
    else:
        yield skipped("bicep-check", "infra/bicep", "not in VMREACH_TOOLS", wanted=not cli)


def _cli() -> str | None:
    """The CLI on the path, or the one that `az bicep install` brings."""
    own = Path.home() / ".azure" / "bin" / "bicep"
    return shutil.which("bicep") or (str(own) if own.is_file() else None)


def _built(folder: Path, cli: str) -> Iterator[Outcome]:
    found = re.search(r"\d+\.\d+\.\d+", run([cli, "--version"]).out)
    version = found[0] if found else "?"
    for name in ROOTS:
        for command in (["build", "--stdout"], ["lint"]):
            ran = run([cli, *command, folder / name])
            warnings = ran.error.count(": Warning ")
            note = f"warnings: {warnings}" if warnings else ""
            wrong = [ran.error.strip() or f"exit code {ran.code}"] if ran.code else []
            yield judged("bicep", version, f"{command[0]} {name}", wrong, note=note, output=ran.error.strip())


def checked(folder: Path, checker: Path) -> Outcome:
    """What the checker says of all files in a folder, also of those that no other uses."""
    files = sorted(folder.rglob("*.bicep"))
    note = f"{len(files)} files, pycep {version_of('pycep-parser')}"
    if wrong := [*_unread(files)]:
        return judged("bicep-check", "-", _WHAT, wrong, note=note)
    with tempfile.TemporaryDirectory(prefix="infra-") as name:
        types = Path(name, "types")
        types.mkdir()
        for file in [*(checker / "types").iterdir(), *_TYPES.iterdir()]:
            shutil.copyfile(file, types / file.name)
        shutil.copyfile(checker / _SCRIPT, Path(name, _SCRIPT))
        ran = run([sys.executable, Path(name, _SCRIPT), *files])
    wrong = [ran.said or f"exit code {ran.code}"] if ran.code else [] if files else ["there is no file"]
    return judged("bicep-check", "-", _WHAT, wrong, note=note)


def _unread(files: list[Path]) -> Iterator[str]:
    """What does not parse: the checker itself tells that of a file alone, and not of a module of another."""
    for path in files:
        try:
            read(path)
        except UnreadableError as error:
            yield str(error)
