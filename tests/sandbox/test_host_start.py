"""What a host does that cannot start, and its pure parts."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.host.config import QueueOptions, load_config, load_settings
from sandbox.host.errors import StartError
from sandbox.host.launcher import FunctionsHost
from sandbox.host.messages import decode
from sandbox.host.outputs import message_bodies
from sandbox.host.routes import parse_route
from sandbox.host.storage import connection_string
from sandbox.host.worker import Datum
from sandbox.processes import ProcessFailedError

UNREACHABLE = "UseDevelopmentStorage=true;"


@pytest.mark.parametrize(
    ("app", "environment", "expected"),
    [
        ("crash", {}, ["ended with exit code 1", "No module named 'no_such_module'", "function_app.py", "line 2"]),
        ("broken", {}, ["function unnamed: queueName", "NO_SUCH_QUEUE", "function unscheduled", "NO_SUCH_SCHEDULE"]),
        ("broken", {"NO_SUCH_QUEUE": "a-queue", "NO_SUCH_SCHEDULE": "0 0 0 * * *"}, ["AzureWebJobsStorage is not set"]),
        ("unsupported", {}, ["function reporter: binding report of type blob is not emulated"]),
        ("timers", {"EVERY": "00:05:00"}, ['function often: schedule: "00:05:00" is not an NCRONTAB expression']),
        ("nothing", {}, ["host.json does not exist"]),
    ],
)
def test_it_says_why_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, apps: Path, app: str, environment: dict[str, str], expected: list[str]
) -> None:
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    with pytest.raises(ProcessFailedError) as error, FunctionsHost(apps / app, environment):
        pass
    assert [text for text in expected if text not in str(error.value)] == []


def test_disabled_functions_are_not_there(apps: Path) -> None:
    environment = {"EVERY": "0 0 0 1 1 *", "AzureWebJobs.long.Disabled": "true", "AzureWebJobs_often_Disabled": "1"}
    with FunctionsHost(apps / "timers", environment) as host:
        assert host.functions == ["yearly"]


def test_it_ends_when_its_parent_is_killed(apps: Path, wait: Callable[..., object]) -> None:
    program = f"""
from pathlib import Path
from sandbox.host.launcher import FunctionsHost
host = FunctionsHost(Path({str(apps / "http")!r}))
host.start()
print(host.url, flush=True)
input()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().decode().strip()
        assert answers(url)
        parent.kill()
    wait(lambda: not answers(url))


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/open/hello", timeout=10).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    return tmp_path


def test_host_json_has_the_defaults_of_azure(app: Path) -> None:
    config = load_config(app, {})
    assert (config.route_prefix, config.queues) == ("api", QueueOptions())


def test_settings_override_host_json(app: Path) -> None:
    document = {"version": "2.0", "extensions": {"queues": {"batchSize": 3}, "http": {"routePrefix": "v1"}}}
    (app / "host.json").write_text(json.dumps(document))
    config = load_config(
        app,
        {
            "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "1.00:00:01.5",
            "AZUREFUNCTIONSJOBHOST__EXTENSIONS__QUEUES__BATCHSIZE": "10",
            "AzureFunctionsJobHost__extensions__http__routePrefix": "",
            "AzureFunctionsJobHost__logging__logLevel__default": "Debug",
        },
    )
    assert (config.queues.visibility_timeout, config.queues.batch_size) == (86401.5, 10)
    assert (config.queues.new_batch_threshold, config.route_prefix, config.log_level) == (5, "", "Debug")


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        ({"batchSize": 33}, "batchSize must be a whole number, 1 to 32, not 33"),
        ({"maxDequeueCount": 0}, "maxDequeueCount must be a whole number, at least 1, not 0"),
        ({"newBatchThreshold": -1}, "newBatchThreshold must be a whole number, at least 0, not -1"),
        ({"visibilityTimeout": "30"}, "visibilityTimeout must be a time span like 00:00:30, not 30"),
        ({"messageEncoding": "utf-8"}, "messageEncoding must be base64 or none"),
        ([], "extensions.queues must be an object"),
    ],
)
def test_a_wrong_host_json_is_refused(app: Path, queues: Any, expected: str) -> None:
    (app / "host.json").write_text(json.dumps({"version": "2.0", "extensions": {"queues": queues}}))
    with pytest.raises(StartError, match=expected):
        load_config(app, {})


def test_the_environment_goes_before_local_settings(app: Path) -> None:
    assert load_settings(app, {"A": "1"}) == {"A": "1"}
    (app / "local.settings.json").write_text('{"IsEncrypted": false, "Values": {"A": "2", "B": "3"}}')
    assert load_settings(app, {"A": "1"}) == {"A": "1", "B": "3"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"Findings": "text"}, "text"),
        ({"AzureWebJobsFindings": "text"}, "text"),
        ({"Findings": "UseDevelopmentStorage=true"}, "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1"),
    ],
)
def test_connections(settings: dict[str, str], expected: str) -> None:
    assert expected in connection_string(settings, "Findings")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, "Findings is not set"), ({"Findings__queueServiceUri": "https://a"}, "is identity-based")],
)
def test_connections_that_are_not_there(settings: dict[str, str], expected: str) -> None:
    with pytest.raises(StartError, match=expected):
        connection_string(settings, "Findings")


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("", "/", {}),
        ("a/b", "/A/b/", {}),
        ("a/b", "/a", None),
        ("a/b", "/a/b/c", None),
        ("a/{x}", "/a", None),
        ("a/{x}", "/a/B%20c", {"x": "B c"}),
        ("a/{x?}", "/a", {}),
        ("a/{x:guid}", "/a/2d0b8c2e-0a52-4b1e-8d0a-1c2d3e4f5a6b", {"x": "2d0b8c2e-0a52-4b1e-8d0a-1c2d3e4f5a6b"}),
        ("a/{x:bool}", "/a/maybe", None),
        ("a/{*rest}", "/a/b/c", {"rest": "b/c"}),
        ("a/{*rest}", "/a", {"rest": ""}),
        ("{a}/{b:alpha}", "/1/2", None),
    ],
)
def test_routes(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert parse_route(template).match(path) == expected


@pytest.mark.parametrize("template", ["a{x}", "{x:regex(a)}", "{x=1}", "{x", "{x}-{y}"])
def test_routes_that_are_not_emulated(template: str) -> None:
    with pytest.raises(ValueError, match="is not emulated"):
        parse_route(template)


@pytest.mark.parametrize(
    ("datum", "expected"),
    [
        (Datum("text", "string"), [b"text"]),
        (Datum(b"\xff", "bytes"), [b"\xff"]),
        (Datum('["a", {"id": "1", "body": "b"}]', "json"), [b"a", b"b"]),
        (Datum('{"id": null, "body": "b"}', "json"), [b"b"]),
        (Datum({"a": 1}, "dict"), [b'{"a": 1}']),
        (Datum(["a", {"a": 1}], "list"), [b"a", b'{"a": 1}']),
        (Datum(None, None), []),
    ],
)
def test_what_is_put_out_becomes_messages(datum: Datum, expected: list[bytes]) -> None:
    assert list(message_bodies(datum)) == expected


@pytest.mark.parametrize(
    ("content", "encoded", "expected"),
    [("YQ==", True, b"a"), ("Y Q\r\n==", True, b"a"), ("YQ", True, None), ("ü", True, None), ("YQ==", False, b"YQ==")],
)
def test_message_encoding(content: str, *, encoded: bool, expected: bytes | None) -> None:
    assert decode(content, base64_encoded=encoded) == expected
