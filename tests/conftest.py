"""What the tests over real parts share: storage, real data, and a way to wait."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from sandbox.azurite import Azurite

ROOT = Path(__file__).parent.parent


class Wait(Protocol):
    def __call__[T](self, read: Callable[[], T | None], seconds: float = ...) -> T: ...


def _eventually[T](read: Callable[[], T | None], seconds: float = 20.0) -> T:
    deadline = time.monotonic() + seconds
    while not (value := read()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.03)
    return value


@pytest.fixture(scope="session")
def eventually() -> Wait:
    """Reads again and again until there is a true value."""
    return _eventually


@pytest.fixture(scope="session")
def storage() -> Iterator[Azurite]:
    with Azurite() as azurite:
        yield azurite


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real data of public repositories: read where it lies, never copied."""
    folder = Path(os.environ.get("VMREACH_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip(f"the corpus is not in {folder} (VMREACH_CORPUS)")
    return folder
