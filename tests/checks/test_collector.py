"""Python's collector of reference cycles rests during an audit, and an audit leaves nothing behind for it."""

import gc
from collections.abc import Iterator

import pytest

from diagnostics.checks.audit import audit
from diagnostics.checks.collector import at_rest
from diagnostics.network.estate import Estate
from diagnostics.network.reading import read_files
from sandbox.fleet import Size, bodies


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture(scope="module")
def fleet() -> Estate:
    lists = bodies(Size(nics=200, networks=3, groups=30, tables=12))
    return read_files([(f"{name}.json", body) for name, body in lists.items()])


def test_it_rests_and_goes_on() -> None:
    with at_rest():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_behind_the_last_of_several() -> None:
    one, other = at_rest(), at_rest()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert not gc.isenabled()
    other.__exit__(None, None, None)
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="no"), at_rest():
        raise ValueError("no")
    assert gc.isenabled()


def test_whoever_has_it_off_keeps_it_off() -> None:
    gc.disable()
    with at_rest():
        pass
    assert not gc.isenabled()


def test_what_somebody_froze_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with at_rest():
        pass
    assert gc.get_freeze_count() == frozen > 0


def test_what_was_made_meanwhile_is_collected_in_the_end() -> None:
    class Leading:
        it: object = None

    with at_rest():
        one = Leading()
        one.it = one
        del one
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is Leading]


def test_an_audit_leaves_no_cycles_behind(fleet: Estate) -> None:
    audit(fleet)  # what is imported and remembered the first time is not meant
    gc.collect()
    gc.disable()
    made = audit(fleet)
    assert made.findings
    assert gc.collect() < 100, "something that an audit works out leads back to itself: nothing of it goes at once"
