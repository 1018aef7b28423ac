"""`make bench`: every measurement, each a table of ratios from one run, and at the end what was aimed at.

`python -m benchmarks NAME …` runs only those that are named, `--list` prints the names.
"""

import argparse
import importlib

from benchmarks.timing import CONSOLE, print_targets

_NAMES = ("startup", "rules", "decoding", "flows", "routes", "fleet", "audit")


def main() -> None:
    """Run what is asked for; all, if nothing is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(_NAMES)}")
    parser.add_argument("--list", action="store_true", help="print the names, and end")
    asked = parser.parse_args()
    if asked.list:
        CONSOLE.print("\n".join(_NAMES))
        return
    if unknown := [name for name in asked.names if name not in _NAMES]:
        parser.error(f"there is no {unknown[0]!r}, only {', '.join(_NAMES)}")
    for name in asked.names or _NAMES:
        CONSOLE.rule(name, align="left")
        importlib.import_module(f"benchmarks.{name}").main()  # what is not named need not be installed
    print_targets()


if __name__ == "__main__":
    main()
