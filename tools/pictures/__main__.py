"""Writes the pictures of the documentation anew, unless one of them can't be read."""

import sys
from pathlib import Path

from tools.pictures import PICTURES
from tools.pictures.faults import faults
from tools.pictures.svg import drawn

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main() -> int:
    """The exit code: 1 where a picture has faults, which are told."""
    found = [f"{name}: {fault}" for name, picture in PICTURES.items() for fault in faults(picture)]
    if found:
        sys.stderr.writelines(f"{line}\n" for line in found)
        return 1
    for name, picture in PICTURES.items():
        (IMAGES / name).write_text(drawn(picture), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
