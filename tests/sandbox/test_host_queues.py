import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.azurite import Azurite
from sandbox.host.launcher import FunctionsHost
from tests.sandbox.conftest import Queues

type Wait = Callable[..., object]

OVERRIDES = {"AzureFunctionsJobHost__extensions__Queues__maxPollingInterval": "00:00:00.2"}


def settings(azurite: Azurite, **more: str) -> dict[str, str]:
    storage = {"AzureWebJobsStorage": azurite.connection_string, "AzureWebJobsOther": azurite.connection_string}
    return {**storage, **OVERRIDES, "UPPER_INPUT": "upper-in", "SLOW_SECONDS": "0", **more}


@pytest.fixture(scope="module")
def host(azurite: Azurite, apps: Path) -> Iterator[FunctionsHost]:
    with FunctionsHost(apps / "queues", settings(azurite), lease_seconds=2) as host:
        yield host


def test_functions_are_printed_with_their_queues(host: FunctionsHost) -> None:
    assert "  upper: queueTrigger upper-in\n" in host.output()


def test_a_message_is_handled_and_deleted(host: FunctionsHost, queues: Queues, wait: Wait) -> None:
    queues.put("upper-in", "grüße")
    assert queues.take_body("upper-out").decode() == "GRÜSSE"
    wait(lambda: queues.count("upper-in") == 0)
    assert "Executed 'Functions.upper' (Succeeded" in host.output()


@pytest.mark.usefixtures("host")
def test_metadata_and_a_list_of_messages(queues: Queues) -> None:
    message_id = queues.put("about-in", "x")
    bodies = sorted(queues.take_body("about-out").decode() for _ in range(2))
    assert json.loads(bodies[0]) == [message_id, 1, True, True]
    assert bodies[1] == "second"


@pytest.mark.usefixtures("host")
def test_bytes_stay_bytes(queues: Queues) -> None:
    queues.put("bytes-in", b"\x00\xff\xfe")
    assert queues.take_body("bytes-out") == b"\xfe\xff\x00"


def test_a_failed_message_goes_to_poison_and_its_function(host: FunctionsHost, queues: Queues, wait: Wait) -> None:
    queues.put("fails-in", "bad")
    assert queues.take_body("fails-out") == b"bad"
    assert re.findall(r"RuntimeError: (try \d)", host.output()) == ["try 1", "try 2"]
    assert "moves to fails-in-poison: it failed 2 times" in host.output()
    wait(lambda: queues.count("fails-in") == queues.count("fails-in-poison") == 0)


@pytest.mark.usefixtures("host")
def test_a_message_that_fails_once_is_tried_again(queues: Queues, wait: Wait) -> None:
    queues.put("flaky-in", "x")
    assert queues.take_body("flaky-out") == b"second try"
    wait(lambda: queues.count("flaky-in") == 0)


def test_what_is_not_base64_goes_to_poison_as_it_is(host: FunctionsHost, queues: Queues, wait: Wait) -> None:
    queues.put("upper-in", '{"plain": "text"}', raw=True)
    assert queues.take("upper-in-poison") == '{"plain": "text"}'
    wait(lambda: queues.count("upper-in") == 0)
    assert "it is not base64" in host.output()


def test_a_poison_queue_keeps_what_its_function_refuses(host: FunctionsHost, queues: Queues, wait: Wait) -> None:
    queues.put("refused-poison", "x")
    wait(lambda: "RuntimeError: refused 3" in host.output())  # one more than maxDequeueCount, a lease apart
    assert queues.count("refused-poison") == 1


def test_a_function_is_run_by_the_admin_endpoint(host: FunctionsHost, queues: Queues) -> None:
    host.run("UPPER", "by hand")
    assert queues.take_body("upper-out") == b"BY HAND"


@pytest.mark.usefixtures("host")
def test_many_messages_are_each_handled_once(queues: Queues, wait: Wait) -> None:
    sent = {f"message {number}" for number in range(40)}
    for text in sent:
        queues.put("upper-in", text)
    taken = [queues.take_body("upper-out").decode().lower() for _ in sent]
    assert set(taken) == sent
    wait(lambda: queues.count("upper-in") == 0)
    assert queues.count("upper-out") == 0


@pytest.mark.usefixtures("host")
def test_no_more_run_at_once_than_a_batch_and_the_threshold(queues: Queues) -> None:
    for _ in range(18):
        queues.put("busy-in", "x")
    at_once = [int(queues.take_body("busy-out")) for _ in range(18)]
    assert 4 <= max(at_once) <= 4 + 2


def test_the_lease_is_renewed_while_a_function_runs(azurite: Azurite, apps: Path, queues: Queues, wait: Wait) -> None:
    with FunctionsHost(apps / "slow", settings(azurite, SLOW_SECONDS="1.8"), lease_seconds=1) as host:
        queues.put("slow-in", "x")
        queues.put("blocking-in", "x")
        assert queues.take_body("slow-out") == b"try 1"
        assert queues.take_body("blocking-out") == b"try 1"
        wait(lambda: queues.count("slow-in") == queues.count("blocking-in") == 0)
        assert host.output().count("slow starts") == 1


def test_a_message_outlives_its_host(azurite: Azurite, apps: Path, queues: Queues, wait: Wait) -> None:
    with FunctionsHost(apps / "slow", settings(azurite, SLOW_SECONDS="30"), lease_seconds=1) as host:
        queues.put("slow-in", "x")
        wait(lambda: "slow starts" in host.output())
        host.kill()
    with FunctionsHost(apps / "slow", settings(azurite), lease_seconds=1):
        assert queues.take_body("slow-out") == b"try 2"
        wait(lambda: queues.count("slow-in") == 0)


def test_a_message_that_kills_every_host_goes_to_poison(
    azurite: Azurite, apps: Path, queues: Queues, wait: Wait
) -> None:
    queues.put("slow-in", "deadly")
    for _ in range(2):
        with FunctionsHost(apps / "slow", settings(azurite, SLOW_SECONDS="30"), lease_seconds=1) as host:
            wait(lambda: "slow starts" in host.output())
            host.kill()
    with FunctionsHost(apps / "slow", settings(azurite), lease_seconds=1) as host:
        assert queues.take_body("slow-in-poison") == b"deadly"
        assert "slow starts" not in host.output()


def test_a_stop_lets_functions_finish(azurite: Azurite, apps: Path, queues: Queues, wait: Wait) -> None:
    with FunctionsHost(apps / "slow", settings(azurite, SLOW_SECONDS="1")) as host:
        queues.put("slow-in", "x")
        wait(lambda: "slow starts" in host.output())
        assert host.stop() == 0
        assert "Executed 'Functions.slow' (Succeeded" in host.output()
    assert queues.count("slow-in") == 0
    assert queues.take_body("slow-out") == b"try 1"


def test_a_stop_does_not_wait_for_ever(azurite: Azurite, apps: Path, queues: Queues, wait: Wait) -> None:
    environment = settings(azurite, SLOW_SECONDS="60")
    with FunctionsHost(apps / "slow", environment, lease_seconds=1, grace_seconds=0.3) as host:
        queues.put("slow-in", "x")
        wait(lambda: "slow starts" in host.output())
        started = time.monotonic()
        assert host.stop() == 0
        assert time.monotonic() - started < 3
    assert queues.count("slow-in") == 1
    queues.take("slow-in")
