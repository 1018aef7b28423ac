"""Remediation mode dry-run, the default: it says what it would do, and sends nothing."""

import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from diagnostics.remediation.reput_nic import writable
from sandbox.azurite import ACCOUNT_KEY
from tests.conftest import Wait
from tests.functions.conftest import Stack


@pytest.fixture(scope="module")
def stack(eventually: Wait) -> Iterator[Stack]:
    with Stack(eventually, AzureFunctionsJobHost__logging__logLevel__default="Debug") as stack:
        yield stack


def test_a_sweep_says_what_it_would_do_and_sends_nothing(stack: Stack) -> None:
    nic = stack.id("nic-shop-web-01")
    before = stack.sandbox.resource(nic)
    stack.host.run("sweep")
    said = stack.eventually(lambda: [f for f in stack.all(check="NIC001") if "would PUT" in json.dumps(f["steps"])])
    (step,) = [step for step in said[0]["steps"] if "would PUT" in step["summary"]]
    assert (said[0]["status"], step["outcome"]) == ("open", "skipped")
    assert f"If-Match: {before['etag']}" in step["evidence"]
    assert json.loads(step["evidence"][-1]) == writable(before)
    assert (stack.puts(), stack.sandbox.resource(nic)) == ([], before)


def test_sweeping_again_says_nothing_new(stack: Stack) -> None:
    told = len(stack.all(check="NIC001"))
    stack.host.run("sweep")
    stack.eventually(lambda: stack.host.output().count("Executed 'Functions.sweep' (Succeeded") == 2)
    stack.settle()
    assert (len(stack.all(check="NIC001")), stack.puts()) == (told, [])


def test_a_nic_that_healed_by_itself_is_resolved(stack: Stack) -> None:
    stack.sandbox.change(stack.id("nic-shop-web-01"), {"properties.provisioningState": "Succeeded"})
    stack.host.run("sweep")
    assert stack.finding(check="NIC001", status="resolved")["resource"] == "nic-shop-web-01"


def test_the_log_holds_no_secret_at_level_debug(stack: Stack) -> None:
    stack.eventually(lambda: stack.cards("nic-shop-web-01"))
    webhook, log = urlsplit(stack.sandbox.teams_url), stack.host.output()
    assert "DEBUG" in log
    assert "urllib3" in log or "POST /devstoreaccount1/findings" in log
    secrets = (ACCOUNT_KEY, "SharedKey ", "Bearer ", "sig=", webhook.path, stack.sandbox.identity_header)
    assert [secret for secret in secrets if secret in log] == []


def test_storage_that_is_away_is_503_before_the_action_group_gives_up(stack: Stack) -> None:
    """The last of this file: storage does not come back."""
    stack.azurite.stop()
    began = time.monotonic()
    answer = stack.alert(stack.scenario("healthy").alert)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
    assert time.monotonic() - began < 9
    assert "an alert could not be enqueued" in stack.host.output()
