"""An audit dies at any point, and is made once more: what comes out is what had come out anyway.

Every sink is told exactly once; only if the audit died between telling one and marking that, that one twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.house import House
from tests.engine.scoped import fleet, listing, resource
from tests.fakes import Crash

A, B, NET = resource("nsg", "a"), resource("nsg", "b"), resource("vnet", "hub")
HEALED = resource("nsg", "a", "Succeeded")


def audit(house: House) -> None:
    house.engine.audit(holder="run")


def first() -> House:
    return fleet(A, B, NET)


def second() -> House:
    house = fleet(A, B)
    audit(house)
    house.estates.listed = listing(HEALED, B, NET)
    house.clock.forward(days=1)
    return house


def nothing_new() -> House:
    house = fleet(A, B)
    audit(house)
    house.clock.forward(days=1)
    return house


def left_untold(house: House) -> str:
    """The sink that was told when the run died, and not marked as told; or nothing."""
    told = next((point for point in house.calls.log[:-3:-1] if point.endswith("send after")), "")
    last = house.calls.log[-1]
    return told.partition(".")[0] if last in (told, "store.save before") else ""


def stands(house: House) -> dict[str, Any]:
    return {
        "findings": {
            key: (known.finding.status, known.edition, known.delivered, known.holder)
            for key, known in house.store.findings.items()
        },
        "journal": house.store.memory.entries,
        "reports": house.reports.kept,
    }


@pytest.mark.parametrize("make", [first, second, nothing_new])
def test_an_audit_that_is_cut_short_anywhere_is_made_up_for(make: Callable[[], House]) -> None:
    calm = make()
    begun = len(calm.calls.log)
    audit(calm)
    points = len(calm.calls.log) - begun
    for point in range(points):
        house = make()
        house.calls.crash_at = begun + point
        with pytest.raises(Crash):
            audit(house)
        cut = house.calls.log.index(house.calls.log[begun + point], begun + point) + 1
        dead, house.calls.log = house.calls.log, house.calls.log[:cut]
        twice = left_untold(house)
        house.calls.log, house.calls.crash_at = dead, None
        audit(house)
        assert stands(house) == stands(calm), dead[begun + point]
        for sink, expected in ((house.queue, calm.queue), (house.teams, calm.teams)):
            told, wanted = Counter(f.title for f in sink.sent), Counter(f.title for f in expected.sent)
            assert not wanted - told, dead[begun + point]
            assert (told - wanted).total() == (twice == sink.name), dead[begun + point]
    assert points > 20
