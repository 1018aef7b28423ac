"""Journal and leases in memory behave as the store's do (tests/cloud/test_store.py)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from diagnostics.contracts import Entry, Journal, Leases
from diagnostics.engine.memory import Memory
from tests.fakes import NOON


def test_a_question_is_noted_and_then_its_answer_and_forgotten() -> None:
    journal: Journal = Memory()
    for entry in (Entry("t"), Entry("t", b"{}")):
        journal.note("r1", "q", entry)
        journal.note("r2", "q", entry)
        assert journal.entry("r1", "q") == entry
    journal.forget("r1")
    journal.forget("r1")
    assert (journal.entry("r1", "q"), journal.entry("r2", "q")) == (None, Entry("t", b"{}"))


def test_a_lease_is_one_holders_until_it_ends_or_is_given_back() -> None:
    leases: Leases = Memory()

    def lease(holder: str, at: int) -> bool:
        now = NOON + timedelta(minutes=at)
        return leases.lease("vm", holder=holder, now=now, until=now + timedelta(minutes=8))

    assert [lease("r1", 0), lease("r2", 0), lease("r1", 5), lease("r2", 8), lease("r2", 13)] == [1, 0, 1, 0, 1]
    leases.give_back("vm", holder="r1")
    assert not lease("r1", 13)
    leases.give_back("vm", holder="r2")
    leases.give_back("nothing", holder="r2")
    assert lease("r1", 13)


def test_of_many_at_once_one_has_the_lease() -> None:
    leases, together = Memory(), threading.Barrier(8)

    def lease(number: int) -> bool:
        together.wait()
        return leases.lease("vm", holder=f"r{number}", now=NOON, until=NOON + timedelta(minutes=8))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lease, range(8))) == 1
