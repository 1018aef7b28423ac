"""Programs of others: where they are, and what they say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / ".cache"
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended."""

    code: int
    out: str
    error: str

    @property
    def said(self) -> str:
        """All it said."""
        return "\n".join(text for text in (self.out.strip(), self.error.strip()) if text)


def run(command: Sequence[str | Path], folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a program to its end; one that takes too long, or cannot be started, is one that failed."""
    words = [str(word) for word in command]
    env = os.environ if environment is None else environment
    try:
        ended = subprocess.run(
            words, cwd=folder, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Ran(124, "", f"{words[0]}: not done after {_SECONDS} s")
    except OSError as error:
        return Ran(127, "", f"{words[0]}: {error.strerror}")
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def lent(name: str) -> Path | None:
    """A stand-in for a tool that cannot be had here, from the folder `VMREACH_TOOLS`; None where there is none."""
    path = Path(os.environ.get("VMREACH_TOOLS") or ROOT.parent / "shared" / "tools") / name
    return path if path.exists() else None
