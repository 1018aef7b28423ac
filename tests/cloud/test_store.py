import random
import string
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from azure.data.tables import TableServiceClient

from diagnostics.cloud.store import ALERTS, TableStore
from diagnostics.cloud.tables import Tables
from diagnostics.contracts import Attempt, Entry, Known, NicDocument
from diagnostics.errors import ChangedError, TemporaryError
from diagnostics.findings import Confidence, Finding, Remedy, Resource, Severity, Status, Step
from diagnostics.findings import Outcome as StepOutcome
from diagnostics.settings import Storage

NOW = datetime(2026, 11, 20, 9, 14, 22, 381621, tzinfo=UTC)
ODD_IDS = [
    "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a",
    "a/b\\c#d?e%2F",
    "'; or 1 eq 1 '",
    "Ünï \u2028 \U0001f600",
    "x" * 512,
    " ",
    "..",
    "",
]


@pytest.fixture
def tables(connection: str) -> Tables:
    return Tables(Storage(connection))


@pytest.fixture
def store(tables: Tables) -> TableStore:
    return TableStore(tables)


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """Tests share the tables: each has ids of its own."""
    return f"{request.node.name}-{random.random()}"  # noqa: S311 - no secret


def finding(finding_id: str, **more: Any) -> Finding:
    made = Finding(
        finding_id=finding_id,
        check="NIC001",
        title="A NIC is Failed",
        severity=Severity.HIGH,
        confidence=Confidence.PROVEN,
        resource=Resource(id="/subscriptions/S/x", name="nic", type="t"),
        remedy=Remedy(summary="PUT it back."),
        first_seen_at=NOW,
    )
    return msgspec.structs.replace(made, **more)


def noise(size: int) -> str:
    """Text that hardly compresses."""
    return "".join(random.Random(size).choices(string.printable, k=size))  # noqa: S311 - no secret


def test_a_request_is_taken_on_once_until_it_is_free(store: TableStore, unique: str) -> None:
    assert store.begin(unique, holder="m1", now=NOW)
    assert not store.begin(unique, holder="m2", now=NOW)
    store.release(unique)
    assert store.begin(unique, holder="m2", now=NOW)
    store.finish(unique, now=NOW)
    assert not store.begin(unique, holder="m2", now=NOW)
    store.release(unique)
    assert not store.begin(unique, holder="m3", now=NOW + timedelta(days=1))


def test_the_same_message_may_take_its_request_on_again(store: TableStore, unique: str) -> None:
    assert store.begin(unique, holder="m1", now=NOW)
    assert store.begin(unique, holder="m1", now=NOW)
    assert not store.begin(unique, holder="m2", now=NOW)


@pytest.mark.parametrize(("minutes", "taken"), [(0, False), (29, False), (31, True), (600, True)])
def test_an_abandoned_request_is_taken_over(store: TableStore, unique: str, minutes: int, *, taken: bool) -> None:
    assert store.begin(unique, holder="m1", now=NOW)
    assert store.begin(unique, holder="m2", now=NOW + timedelta(minutes=minutes)) is taken
    assert store.begin(unique, holder="m3", now=NOW + timedelta(minutes=minutes)) is False


@pytest.mark.parametrize("state", ["new", "free", "abandoned"])
def test_of_many_at_once_one_takes_it_on(connection: str, unique: str, state: str) -> None:
    store = TableStore(Tables(Storage(connection)))
    now = NOW + timedelta(hours=1)
    if state != "new":
        assert store.begin(unique, holder="before", now=NOW if state == "abandoned" else now)
    if state == "free":
        store.release(unique)
    together = threading.Barrier(16)

    def begin(number: int) -> bool:
        together.wait()
        return store.begin(unique, holder=f"m{number}", now=now)

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(begin, range(16))) == 1


def test_releasing_what_nobody_began(store: TableStore, unique: str) -> None:
    store.release(unique)
    assert store.begin(unique, holder="m", now=NOW)


def test_a_finding_is_remembered_whole(store: TableStore, unique: str) -> None:
    steps = (Step(name="PUT", outcome=StepOutcome.PASSED, summary="ünï \u2028", evidence=("a",)),)
    known = Known(
        finding(unique, steps=steps),
        "said it",
        delivered=frozenset({"queue", "teams"}),
        alert_ids=frozenset({f"{unique}/A", f"{unique}/b"}),
        holder="r1",
        held_until=NOW + timedelta(minutes=2),
    )
    assert store.finding(unique) is None
    saved = store.save(known)
    assert store.finding(unique) == saved == replace(known, version=saved.version)
    assert saved.version


def test_a_record_of_another_version_is_not_overwritten(store: TableStore, unique: str) -> None:
    first = store.save(Known(finding(unique), "open"))
    second = store.save(replace(first, edition="remediated", held_until=None))
    for old in (first, replace(first, version="")):
        with pytest.raises(ChangedError):
            store.save(replace(old, edition="mine"))
    assert store.finding(unique) == second


def test_of_many_saves_at_once_one_wins(store: TableStore, unique: str) -> None:
    first = store.save(Known(finding(unique), "open"))

    def save(number: int) -> bool:
        try:
            store.save(replace(first, edition=f"edition {number}"))
        except ChangedError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(save, range(16))) == 1


def test_large_documents(store: TableStore, unique: str) -> None:
    steps = (Step(name="Message", outcome=StepOutcome.FAILED, summary="", evidence=(noise(300_000),)),)
    alerts = frozenset(
        f"/subscriptions/{unique}/providers/Microsoft.AlertsManagement/alerts/{n:032}" for n in range(60)
    )
    saved = store.save(Known(finding(unique, steps=steps), "open", alert_ids=alerts))
    assert store.finding(unique) == saved
    body = {"properties": {"madeUp": noise(300_000), "big": 9_007_199_254_740_993}, "etag": "W/1"}
    store.save_attempt(Attempt(unique, NicDocument(body)), now=NOW)
    assert store.attempt(unique) == Attempt(unique, NicDocument(body))


def test_more_alerts_than_a_text_property_holds(store: TableStore, unique: str) -> None:
    alerts = frozenset(f"{number}-{unique}-{'a' * 900}" for number in range(80))
    store.save(Known(finding(unique), "open", alert_ids=alerts))
    known = store.finding(unique)
    assert known is not None
    assert known.alert_ids == alerts


def test_findings_that_are_not_over(store: TableStore, unique: str) -> None:
    for status in Status:
        store.save(Known(finding(f"{unique}{status}", check=unique, status=status), status))
    store.save(Known(finding(f"{unique}-other", check=f"{unique}-other"), "open"))
    still = {known.finding.status for known in store.open_findings(check=unique)}
    assert still == {Status.OPEN, Status.REMEDIATION_FAILED}
    several = store.open_findings_of({unique, f"{unique}-other", *map(str, range(100))})
    assert sorted(known.finding.finding_id.removeprefix(unique) for known in several) == [
        "-other",
        Status.OPEN,
        Status.REMEDIATION_FAILED,
    ]


def test_findings_of_an_alert(store: TableStore, unique: str) -> None:
    for name in ("one", "two"):
        store.save(Known(finding(f"{unique}/{name}"), "open", alert_ids=frozenset({f"/alerts/{unique}"})))
    found = store.findings_of_alert(f"/ALERTS/{unique}".replace(unique, unique.upper()))
    assert {known.finding.finding_id for known in found} == {f"{unique}/one", f"{unique}/two"}
    assert store.findings_of_alert(f"{unique}-none") == []


def test_when_an_alert_was_over(store: TableStore, unique: str) -> None:
    assert store.closed_at(unique) is None
    for later in (0, 5):
        store.close_alert(unique, resolved_at=NOW + timedelta(minutes=later))
        closed = store.closed_at(unique.upper())
        assert closed is not None
        assert closed.timestamp() == pytest.approx((NOW + timedelta(minutes=later)).timestamp())


def test_ignored_alerts_are_recorded_once(store: TableStore, tables: Tables, unique: str) -> None:
    key = unique.replace("[", "").replace("]", "")
    for _ in range(2):
        store.ignore(key, "r" * 5_000, alert_id="/a/b", alert_rule=None, now=NOW)
    (row,) = tables.query(ALERTS, "RowKey eq @key", {"key": key})
    assert (row["reason"], row["alertId"], row["alertRule"]) == ("r" * 1_000, "/a/b", "")


def test_attempts(store: TableStore, unique: str) -> None:
    assert store.attempt(unique) is None
    attempt = Attempt(unique, NicDocument({"etag": 'W/"1"', "properties": {"provisioningState": "Failed"}}))
    for each in (attempt, replace(attempt, ended="remediated")):
        store.save_attempt(each, now=NOW)
        assert store.attempt(unique) == each


def test_a_request_that_was_taken_on_once_stays_known(store: TableStore, unique: str) -> None:
    assert not store.taken_on(unique)
    store.begin(unique, holder="m1", now=NOW)
    assert store.taken_on(unique)
    store.release(unique)
    assert store.taken_on(unique)
    store.finish(unique, now=NOW)
    assert store.taken_on(unique)


def test_a_request_is_finished_when_it_is_done(store: TableStore, unique: str) -> None:
    assert not store.finished(unique)
    assert store.begin(unique, holder="m1", now=NOW)
    assert not store.finished(unique)
    store.finish(unique, now=NOW)
    assert store.finished(unique)


@pytest.mark.parametrize(
    "answer",
    [b"", b"null", b'{"a":1}', noise(200_000).encode(), b"x" * 9_000_000],
    ids=["nothing", "null", "JSON", "200 kB", "9 MB that compress well"],
)
def test_a_question_is_noted_and_then_its_answer(store: TableStore, unique: str, answer: bytes) -> None:
    ticket = f"https://management.azure.com/subscriptions/s/operationResults/{'x' * 2_000}?t={noise(500)}"
    assert store.entry(unique, "q1") is None
    for entry in (Entry(ticket), Entry(ticket, answer), Entry(ticket, answer)):
        store.note(unique, "q1", entry)
        assert store.entry(unique, "q1") == entry
    assert store.entry(unique, "q2") is None


def test_of_an_answer_that_fits_into_no_table_the_ticket_is_kept(store: TableStore, unique: str) -> None:
    store.note(unique, "q", Entry("t", noise(2_000_000).encode()))
    assert store.entry(unique, "q") == Entry("t")


def test_a_shorter_answer_leaves_nothing_of_a_longer_one(store: TableStore, unique: str) -> None:
    for answer in (noise(200_000).encode(), b"{}", None):
        store.note(unique, "q", Entry("t", answer))
        assert store.entry(unique, "q") == Entry("t", answer)


def test_a_request_that_is_done_is_forgotten_and_no_other(store: TableStore, unique: str) -> None:
    for number in range(12):
        store.note(unique, f"q{number}", Entry("t", b"{}"))
    store.note(f"{unique}-other", "q0", Entry("t"))
    for _ in range(2):
        store.forget(unique)
        assert [store.entry(unique, f"q{number}") for number in range(12)] == [None] * 12
    assert store.entry(f"{unique}-other", "q0") == Entry("t")


def test_a_lease_is_one_holders_until_it_ends(store: TableStore, unique: str) -> None:
    def lease(holder: str, at: int) -> bool:
        now = NOW + timedelta(minutes=at)
        return store.lease(unique, holder=holder, now=now, until=now + timedelta(minutes=8))

    assert [lease("r1", 0), lease("r2", 0), lease("r1", 5), lease("r2", 8), lease("r2", 12)] == [1, 0, 1, 0, 0]
    assert [lease("r2", 13), lease("r1", 13)] == [True, False]


def test_a_lease_that_is_given_back_is_free(store: TableStore, unique: str) -> None:
    store.give_back(unique, holder="r1")
    for holder in ("r1", "r2"):
        assert store.lease(unique, holder=holder, now=NOW, until=NOW + timedelta(minutes=8))
        store.give_back(unique, holder=holder)


def test_giving_back_what_another_has_does_nothing(store: TableStore, unique: str) -> None:
    assert store.lease(unique, holder="r1", now=NOW, until=NOW + timedelta(minutes=8))
    store.give_back(unique, holder="r2")
    assert not store.lease(unique, holder="r2", now=NOW, until=NOW + timedelta(minutes=8))
    later = NOW + timedelta(minutes=9)
    assert store.lease(unique, holder="r2", now=later, until=later + timedelta(minutes=8))
    store.give_back(unique, holder="r1")
    assert not store.lease(unique, holder="r1", now=later, until=later + timedelta(minutes=8))


@pytest.mark.parametrize("state", ["new", "given back", "ended"])
def test_of_many_at_once_one_has_the_lease(store: TableStore, unique: str, state: str) -> None:
    if state != "new":
        assert store.lease(unique, holder="before", now=NOW, until=NOW + timedelta(minutes=1))
    if state == "given back":
        store.give_back(unique, holder="before")
    now, together = NOW + timedelta(minutes=2), threading.Barrier(16)

    def lease(number: int) -> bool:
        together.wait()
        return store.lease(unique, holder=f"r{number}", now=now, until=now + timedelta(minutes=8))

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lease, range(16))) == 1


def test_what_another_took_meanwhile_is_not_given_back(connection: str, store: TableStore, unique: str) -> None:
    class Slow(Tables):
        """Somebody takes the lease between reading and deleting it."""

        def delete(self, table: str, entity: Any, *, whatever: bool = False) -> None:
            later = NOW + timedelta(minutes=9)
            assert store.lease(unique, holder="r2", now=later, until=later + timedelta(minutes=8))
            super().delete(table, entity, whatever=whatever)

    slow = TableStore(Slow(Storage(connection)))
    assert slow.lease(unique, holder="r1", now=NOW, until=NOW + timedelta(minutes=8))
    slow.give_back(unique, holder="r1")
    assert not store.lease(unique, holder="r3", now=NOW + timedelta(minutes=10), until=NOW + timedelta(minutes=18))


@pytest.mark.parametrize("odd", ODD_IDS)
def test_any_text_is_an_id(store: TableStore, unique: str, odd: str) -> None:
    text = f"{odd}{unique}" if odd.strip() else odd
    assert store.finding(odd) is None
    assert store.begin(text, holder="m", now=NOW) or not odd.strip()
    store.finish(text, now=NOW)
    assert not store.begin(text.upper(), holder="m", now=NOW)
    store.save(Known(finding(text), "open", alert_ids=frozenset({text})))
    store.close_alert(text, resolved_at=NOW)
    store.save_attempt(Attempt(text, NicDocument({})), now=NOW)
    assert [known.finding.finding_id for known in store.findings_of_alert(text)] == [text]
    assert store.closed_at(text) is not None
    assert store.attempt(text) is not None


def test_a_table_that_was_deleted_comes_back(connection: str, unique: str) -> None:
    tables = Tables(Storage(connection))
    entity = {"PartitionKey": "p", "RowKey": "r", "n": 1}
    tables.upsert("deletedtable", entity)
    with TableServiceClient.from_connection_string(connection) as service:
        for write in (tables.upsert, tables.insert):
            service.delete_table("deletedtable")
            with pytest.raises(TemporaryError, match="is not there any more"):
                write("deletedtable", entity)
            assert tables.insert("deletedtable", entity), unique


@pytest.mark.parametrize("what", ["get", "query", "insert", "upsert", "replace", "delete"])
def test_storage_that_is_away_is_temporary(what: str) -> None:
    tables = Tables(Storage(AWAY))
    entity = {"PartitionKey": "p", "RowKey": "r"}
    calls: dict[str, Callable[[], object]] = {
        "get": lambda: tables.get("t0t", "p", "r"),
        "query": lambda: list(tables.query("t0t", "PartitionKey eq @p", {"p": "p"})),
        "insert": lambda: tables.insert("t0t", entity),
        "upsert": lambda: tables.upsert("t0t", entity),
        "replace": lambda: tables.replace("t0t", entity, version="1"),
        "delete": lambda: tables.delete("t0t", entity, whatever=True),
    }
    with pytest.raises(TemporaryError):
        calls[what]()


AWAY = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a;"
