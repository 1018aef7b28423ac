"""Python's collector of reference cycles, at rest while an audit is made.

It looks for cycles that nothing leads to any more, and looks again through all that there is each time there is a
quarter more of it. An audit leaves next to none before it ends (tests/checks/test_collector.py), while what it works
out of a large estate makes the collector go through the whole estate over and over: a fifth of an audit's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class _Resting:
    """How many want it to rest, and whether it is to go on behind the last of them."""

    lock: Lock = field(default_factory=Lock)
    many: int = 0
    goes_on: bool = False

    def begin(self) -> None:
        with self.lock:
            if self.many == 0:
                self.goes_on = gc.isenabled()
                gc.disable()
            self.many += 1

    def end(self) -> None:
        with self.lock:
            self.many -= 1
            if self.many == 0 and self.goes_on:
                _age()
                gc.enable()


def _age() -> None:
    """Have what is there count as old: what an audit found is kept, and need not be looked through at once as young.

    Whoever has frozen objects of their own keeps them so.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()


_resting = _Resting()


@contextmanager
def at_rest() -> Iterator[None]:
    """Keep the collector from running until this ends, and until the last of several that overlap does.

    What other threads leave behind meanwhile waits for it.
    """
    _resting.begin()
    try:
        yield
    finally:
        _resting.end()
