"""Checkov on both ways: what it finds is mended, or suppressed where it stands with the reason.

It pins much, so it has an environment of its own: `tools/checkov/requirements.lock`, installed by `make`.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.infra import read_bicep
from tools.infra.module import UnreadableError
from tools.infra.outcome import Outcome, judged, skipped
from tools.infra.programs import CACHE, run

PROGRAM = CACHE / "checkov" / "bin" / "checkov"
_TOOL = "checkov"
_SKIP = re.compile(r"checkov:skip=(?P<id>[\w-]+)(?::(?P<reason>.*))?")
_UNCHECKED = {
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
}
"""What Checkov has no checks of in Bicep. Files with no more than these may use what its older grammar cannot read."""
_WORDS = 4
"""A reason has at least as many: fewer only say what the id says already."""


def checks(infra: Path) -> Iterator[Outcome]:
    """Checkov's findings in both ways, and its suppressions."""
    for way in ("bicep", "terraform"):
        if PROGRAM.exists():
            yield scanned(infra / way, way)
        else:
            yield skipped(_TOOL, f"infra/{way}", "not in .cache/checkov, where `make check-infra` puts it")
    note = f"{len([*suppressions(infra)])} suppressions"
    yield judged(_TOOL, "-", "every suppression has its reason", bare_skips(infra), note=note)


def scanned(folder: Path, way: str) -> Outcome:
    """What Checkov finds in a folder; a file that it cannot read is a finding, too."""
    options = ["--framework", way, "--skip-download", "--compact", "--output", "json"]
    with tempfile.TemporaryDirectory(prefix="infra-") as elsewhere:  # a configuration file here is not for it
        ran = run([PROGRAM, "--directory", folder.resolve(), *options], Path(elsewhere))
    try:
        said = json.loads(ran.out)
        counts, results = said["summary"], said["results"]
    except (ValueError, KeyError):
        return judged(_TOOL, "?", f"infra/{way}", [ran.said or f"exit code {ran.code}"])
    wrong = [*map(_line, results["failed_checks"]), *unread(map(Path, results["parsing_errors"]))]
    if not counts["resource_count"]:
        wrong.append("it saw no resource")
    note = f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} suppressed"
    return judged(_TOOL, counts["checkov_version"], f"infra/{way}", wrong, note=note)


def unread(files: Iterable[Path]) -> Iterator[str]:
    """A message for every file that Checkov cannot read and should: one that deploys what it has checks for."""
    for path in files:
        try:
            resources = read_bicep.read(path).resources if path.suffix == ".bicep" else None
        except UnreadableError:
            resources = None
        if resources is None:
            yield f"{path.name}: Checkov cannot read it"
        elif kinds := {resource.type for resource in resources} - _UNCHECKED:
            yield f"{path.name}: Checkov cannot read it, and it deploys {', '.join(sorted(kinds))}"


def _line(check: dict[str, Any]) -> str:
    first, last = check["file_line_range"]
    return f"{check['file_path']}:{first}-{last} {check['resource']}: {check['check_id']} {check['check_name']}"


def suppressions(infra: Path) -> Iterator[tuple[str, str, str]]:
    """Every suppression: where it stands, the check's id, the reason."""
    for path in sorted(each for each in infra.rglob("*") if each.suffix in {".bicep", ".tf"}):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for found in _SKIP.finditer(line):
                yield f"{path.relative_to(infra)}:{number}", found["id"], (found["reason"] or "").strip()


def bare_skips(infra: Path) -> list[str]:
    """A message for every suppression without a reason."""
    return [
        f"{where}: {check} is suppressed without a reason: write `checkov:skip={check}:<why it does not apply>`"
        for where, check, reason in suppressions(infra)
        if len(reason.split()) < _WORDS
    ]
