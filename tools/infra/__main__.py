"""`python -m tools.infra`: every tool that reads the templates, as a table; exit code 1 where one is not content."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.infra import bicep, checkov, terraform
from tools.infra.outcome import Outcome, report
from tools.infra.programs import ROOT

TOOLS: tuple[Callable[[Path], Iterator[Outcome]], ...] = (terraform.checks, bicep.checks, checkov.checks)


def main(arguments: list[str] | None = None) -> int:
    """Run all checks of a folder with templates."""
    parser = argparse.ArgumentParser(prog="python -m tools.infra", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="a tool that is not there is a failure, too")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "infra", help="default: %(default)s")
    options = parser.parse_args(arguments)
    with ThreadPoolExecutor() as side_by_side:
        found = side_by_side.map(lambda tool: [*tool(options.folder)], TOOLS)
        return 0 if report(itertools.chain.from_iterable(found), strict=options.strict) else 1


if __name__ == "__main__":
    sys.exit(main())
