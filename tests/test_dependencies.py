"""requirements.txt is what is deployed; requirements.lock pins it and all else; pyproject.toml agrees with both."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")


def pins(text: str) -> dict[str, str]:
    return {match[1].lower(): match[2] for line in text.splitlines() if (match := PIN.match(line))}


DEPLOYED = pins((ROOT / "requirements.txt").read_text())
LOCKED = pins((ROOT / "requirements.lock").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BENCHES = pins((ROOT / "benchmarks/requirements.lock").read_text())
EXTRAS = [*PROJECT["project"]["optional-dependencies"]["cli"], *PROJECT["dependency-groups"]["dev"]]


@pytest.mark.parametrize("name", DEPLOYED)
def test_what_is_deployed_is_what_is_locked(name: str) -> None:
    assert LOCKED[name] == DEPLOYED[name]


@pytest.mark.parametrize("pin", EXTRAS)
def test_what_development_needs_is_locked(pin: str) -> None:
    name, _, version = pin.partition("==")
    assert LOCKED[name.lower()] == version


@pytest.mark.parametrize("pin", PROJECT["dependency-groups"]["bench"])
def test_what_benchmarks_measure_against_is_locked(pin: str) -> None:
    name, _, version = pin.partition("==")
    assert BENCHES[name.lower()] == version


def test_every_deployed_dependency_is_pinned_and_says_why() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+ +# \S.+", line) for line in lines)
    assert len(lines) == len(DEPLOYED)


def test_every_lock_entry_has_hashes_and_no_address() -> None:
    for path in ("requirements.lock", "benchmarks/requirements.lock"):
        no_address((ROOT / path).read_text())


def no_address(lock: str) -> None:
    assert lock.count("--hash=sha256:") >= len(pins(lock))
    assert "://" not in lock
    assert "--index-url" not in lock


def test_nothing_deployed_belongs_to_development() -> None:
    assert not DEPLOYED.keys() & {pin.partition("==")[0] for pin in EXTRAS}


APART = ("diagnostics.__main__", "diagnostics.cli.page", "diagnostics.network.fleet", "diagnostics.network.batch")
LOADED = "import importlib, sys; [*map(importlib.import_module, sys.argv[1:])]; print(*sys.modules)"


def test_what_is_heavy_or_not_deployed_is_imported_only_where_it_is_used() -> None:
    parts = (path.relative_to(ROOT).with_suffix("").parts for path in sorted((ROOT / "diagnostics").rglob("*.py")))
    names = [name for each in parts if not (name := ".".join(each).removesuffix(".__init__")).startswith(APART)]
    program = [sys.executable, "-c", LOADED, *names]
    loaded = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    assert {"diagnostics.cli.explain", "diagnostics.network.reach", "msgspec"} <= set(loaded)
    assert not {"numpy", "rich"} & set(loaded)


def test_the_command_line_is_not_deployed() -> None:
    left_out = (ROOT / ".funcignore").read_text().splitlines()
    assert {"diagnostics/cli", "diagnostics/__main__.py"} <= set(left_out)
