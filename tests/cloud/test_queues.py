import base64
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient

from diagnostics.cloud.queues import QueueOutbox, Queues
from diagnostics.errors import PermanentError, TemporaryError
from diagnostics.findings import QUEUE_LIMIT
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, Endpoint, Origin, RemediationRequest
from diagnostics.settings import Storage
from tests.conftest import Wait

AWAY = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;QueueEndpoint=http://127.0.0.1:9/a;"


@pytest.fixture
def queue() -> str:
    return f"q-{uuid.uuid4()}"


def raw(connection: str, queue: str) -> list[str]:
    """The messages as they lie there."""
    with QueueClient.from_connection_string(connection, queue) as client:
        return [str(message.content) for message in client.receive_messages(messages_per_page=32)]


@pytest.mark.parametrize("body", [b'{"a":1}', "ünï \u2028 \U0001f600".encode(), b"x" * QUEUE_LIMIT, b"<a>&amp;</a>"])
def test_a_message_is_base64_in_a_queue_that_is_made(connection: str, queue: str, body: bytes) -> None:
    Queues(Storage(connection)).send(queue, body)
    (content,) = raw(connection, queue)
    assert base64.b64decode(content, validate=True) == body


def test_a_message_never_expires(connection: str, queue: str) -> None:
    Queues(Storage(connection)).send(queue, b"{}")
    with QueueClient.from_connection_string(connection, queue) as client:
        message = client.receive_message()
    assert message is not None
    assert message.expires_on is not None
    assert message.expires_on.year > 2100


def test_many_threads_make_one_queue(connection: str, queue: str) -> None:
    queues = Queues(Storage(connection))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: queues.send(queue, str(number).encode()), range(24)))
    assert sorted(int(base64.b64decode(content)) for content in raw(connection, queue)) == list(range(24))


def test_a_queue_that_was_deleted_comes_back(connection: str, queue: str) -> None:
    queues = Queues(Storage(connection))
    queues.send(queue, b"1")
    with QueueClient.from_connection_string(connection, queue) as client:
        client.delete_queue()
    queues.send(queue, b"2")
    assert len(raw(connection, queue)) == 1


def test_a_message_that_is_too_large_is_refused(connection: str, queue: str) -> None:
    with pytest.raises(PermanentError):
        Queues(Storage(connection)).send(queue, b"x" * (QUEUE_LIMIT + 1_000))


def test_storage_that_is_away_is_temporary_and_soon_known() -> None:
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="sending to queue findings: no answer"):
        Queues(Storage(AWAY)).send("findings", b"{}")
    assert time.monotonic() - began < 5  # an action group waits 10 seconds


def test_a_message_for_later_is_not_seen_before(connection: str, queue: str, eventually: Wait) -> None:
    queues = Queues(Storage(connection))
    queues.send(queue, b"later", after=timedelta(seconds=1))
    queues.send(queue, b"much later", after=timedelta(days=7))
    queues.send(queue, b"now")
    assert raw(connection, queue) == [base64.b64encode(b"now").decode()]
    assert eventually(lambda: raw(connection, queue)) == [base64.b64encode(b"later").decode()]


def test_requests_go_to_their_queues(connection: str) -> None:
    outbox, nic = QueueOutbox(Queues(Storage(connection))), "/subscriptions/s/resourceGroups/g/providers/a/b/c"
    diagnosis = DiagnosisRequest(request_id="d", source=Endpoint(resource_id=nic), origin=Origin(kind="queue"))
    closure, remediation = (
        ClosureRequest(request_id="c", alert_id="a"),
        RemediationRequest(request_id="r", resource_id=nic),
    )
    outbox.diagnosis(diagnosis)
    outbox.closure(closure)
    outbox.remediation(remediation)
    for name, sent in (("diagnosis", diagnosis), ("closure", closure), ("remediation", remediation)):
        bodies = [base64.b64decode(content) for content in raw(connection, f"{name}-requests")]
        assert type(sent).read(bodies[-1]) == sent
