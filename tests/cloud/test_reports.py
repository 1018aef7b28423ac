import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.storage.blob import ContainerClient

from diagnostics.cloud.reports import BlobReports
from diagnostics.contracts import Reports
from diagnostics.errors import PermanentError, TemporaryError
from diagnostics.settings import Storage

AWAY = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a;"
NAME = "audit/2026-11-02T120000Z.json"


@pytest.fixture
def container() -> str:
    return f"c-{uuid.uuid4()}"


def kept(connection: str, container: str) -> dict[str, tuple[str, str]]:
    """Every blob with its text and media type."""
    found = {}
    with ContainerClient.from_connection_string(connection, container) as client:
        for blob in client.list_blobs():
            text = client.download_blob(blob.name).readall().decode()
            found[blob.name] = (text, str(blob.content_settings.content_type))
    return found


@pytest.mark.parametrize("text", ["", "{}\n", "ünï \u2028 \U0001f600\r\n", "x" * 5_000_000], ids=len)
def test_a_report_is_a_blob_in_a_container_that_is_made(connection: str, container: str, text: str) -> None:
    reports: Reports = BlobReports(Storage(connection), container)
    reports.save(NAME, text, "application/json")
    assert kept(connection, container) == {NAME: (text, "application/json")}


def test_a_report_is_written_over_an_older_one(connection: str, container: str) -> None:
    reports = BlobReports(Storage(connection), container)
    for text in ("a long one", "new"):
        reports.save("audit/latest.txt", text, "text/plain; charset=utf-8")
    assert kept(connection, container) == {"audit/latest.txt": ("new", "text/plain; charset=utf-8")}


def test_many_threads_make_one_container(connection: str, container: str) -> None:
    reports = BlobReports(Storage(connection), container)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: reports.save(f"{number}.txt", "", "text/plain"), range(16)))
    assert len(kept(connection, container)) == 16


def test_a_container_that_was_deleted_comes_back(connection: str, container: str) -> None:
    reports = BlobReports(Storage(connection), container)
    reports.save(NAME, "1", "application/json")
    with ContainerClient.from_connection_string(connection, container) as client:
        client.delete_container()
    reports.save(NAME, "2", "application/json")
    assert kept(connection, container) == {NAME: ("2", "application/json")}


def test_a_container_that_cannot_be_is_refused(connection: str) -> None:
    with pytest.raises(PermanentError, match="writing a to container No Name"):
        BlobReports(Storage(connection), "No Name").save("a", "", "text/plain")


def test_storage_that_is_away_is_temporary_and_soon_known() -> None:
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="writing a to container c-1: no answer"):
        BlobReports(Storage(AWAY), "c-1").save("a", "", "text/plain")
    assert time.monotonic() - began < 8
